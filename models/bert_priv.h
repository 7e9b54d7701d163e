/* models/bert_priv.h: the engine's insides: packed weights, and where the activations of the last forward are.
 *
 * What the products read is kept in bf16 where the backend takes that (`half`), else in f32. The activation block of a
 * batch with T tokens and B sequences, in the order it is carved (each part 64-byte aligned; ' marks bf16 when half). In the
 * last layer of a first_only engine R = B, else R = T. Without `train` all layers share one set.
 *
 *   embeddings  s0 [T, C]  n0 [T, 2]  y0 [T, C] (half: and a copy')
 *   shared      y1 [T, C]  mix [T, A]   (half only: the f32 that no backward pass needs)
 *   layer       q [R, A]  k v [T, A]  stats [2, H, R]  mix' [R, A]  s1 [R, C]  n1 [R, 2]  y1' [R, C]
 *               slope' [R, F]  a' [R, F]  s2 [R, C]  n2 [R, 2]  y [R, C] (half: and a copy')
 *   head        first pooled slope [B, C]
 *   gradients   dy dx other [T, C]  da' [T, F]  dmix dq dk dv [T, A]  (half: and copies' of dx dq dk dv; shared by all layers)
 */
#ifndef SNC_MODELS_BERT_PRIV_H
#define SNC_MODELS_BERT_PRIV_H

#include "core/ops.h"
#include "models/bert.h"

typedef struct bert_weights {
    snc_gemm_weight *q, *k, *v, *o, *in, *out;
} bert_weights;

/* A matrix as the ops read it and as the products read it: h when the engine is half, else f. The other may be absent. */
typedef struct bert_rows {
    float *f;
    snc_bf16 *h;
} bert_rows;

typedef struct bert_layer {
    int source, rows, heads, attn, ffn; /* attn = heads x head width */
    bool first_only;
    bert_rows x, xq; /* input; the rows of it that ask (the first tokens, gathered in `gather`, or x itself) */
    bert_rows gather, mix, y1, slope, a, y;
    float *q, *k, *v, *stats, *s1, *n1, *s2, *n2;
} bert_layer;

typedef struct bert_site_masks {
    snc_mask attention, o, out;
} bert_site_masks;

struct snc_bert {
    const snc_ctx *ctx;
    snc_model *m;
    snc_bert_opts opts;
    snc_gemm *gemm;
    bool half; /* the products take bf16 */
    snc_ops *ops;
    bert_weights w[SNC_MAX_LAYERS];
    snc_gemm_weight *pooler, *classifier;
    snc_gemm_weight **by_param; /* [params.n] the handle of a matrix, or NULL */

    float *block;               /* NULL while the plan is only counted */
    size_t used, size;          /* floats */
    int32_t *tokens;            /* ids, types, offsets of the last batch */

    /* the last forward */
    bool ready;                 /* for one backward */
    bool fresh;                 /* the next backward starts the gradients of linears anew */
    bool accumulate;            /* the one under way adds to them */
    double *squares;            /* [params.n] of a gradient that the last one wrote, or -1 */
    snc_arch arch;
    snc_tokens x;
    snc_dropout drop;
    bert_rows y0, da, d[3]; /* d: of q, k, v */
    float *s0, *n0, *y1, *mix, *first, *pooled, *slope, *dy, *dx, *other, *dmix;
    snc_bf16 *dx16;
    bert_layer layer[SNC_MAX_LAYERS];
};

enum { BERT_SITE_EMBED = 0, BERT_SITE_HEAD = 1 }; /* layer i: 2 + 3 i ... */

static inline snc_mask bert_mask(const snc_bert *e, int site, bool attention)
{
    return snc_mask_make(e->drop.seed, e->drop.step, (uint64_t)site, attention ? e->drop.attention : e->drop.hidden);
}

static inline const float *bert_w(const snc_bert *e, int param) { return snc_params_w(&e->m->params, param); }
static inline float *bert_g(const snc_bert *e, int param) { return snc_params_g(&e->m->params, param); }
static inline int bert_ld(const snc_bert *e, int param) { return e->m->params.p[param].cols; }

/* to [B, n] = rows of the first tokens of from [T, n] (both f and h), and the way back: from += to. */
void snc_bert__gather_first(bert_rows to, bert_rows from, const snc_tokens *x, int n);
void snc_bert__scatter_first(float *from, const float *to, const snc_tokens *x, int n);

/* One layer; i counts kept layers. backward turns e->dy from the gradient of its output to that of its input. */
snc_err snc_bert__layer_forward(snc_bert *e, int i) SNC_MUST_USE;
snc_err snc_bert__layer_backward(snc_bert *e, int i) SNC_MUST_USE;

#endif
