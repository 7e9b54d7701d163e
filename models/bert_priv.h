/* models/bert_priv.h: the engine's insides: packed weights, and where the activations of the last forward are.
 *
 * The activation block of a batch with T tokens and B sequences, in the order it is carved (floats, each part 64-byte
 * aligned). In the last layer of a first_only engine R = B, else R = T. Without `train` all layers share one set.
 *
 *   embeddings  s0 [T, C]  n0 [T, 2]  y0 [T, C]
 *   layer       q [R, A]  k v [T, A]  stats [2, H, R]  mix [R, A]  s1 [R, C]  n1 [R, 2]  y1 [R, C]
 *               slope [R, F]  a [R, F]  s2 [R, C]  n2 [R, 2]  y [R, C]
 *   head        first pooled slope [B, C]
 *   gradients   dy dx other [T, C]  da [T, F]  dmix dq dk dv [T, A]           (shared by all layers)
 */
#ifndef SNC_MODELS_BERT_PRIV_H
#define SNC_MODELS_BERT_PRIV_H

#include "core/ops.h"
#include "models/bert.h"

typedef struct bert_weights {
    snc_gemm_weight *q, *k, *v, *o, *in, *out;
} bert_weights;

typedef struct bert_layer {
    int source, rows, heads, attn, ffn; /* attn = heads x head width */
    bool first_only;
    const float *x, *xq; /* input; the rows of it that ask (the first tokens, gathered in `gather`, or x itself) */
    float *gather, *q, *k, *v, *stats, *mix, *s1, *n1, *y1, *slope, *a, *s2, *n2, *y;
} bert_layer;

typedef struct bert_site_masks {
    snc_mask attention, o, out;
} bert_site_masks;

struct snc_bert {
    const snc_ctx *ctx;
    snc_model *m;
    snc_bert_opts opts;
    snc_gemm *gemm;
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
    snc_arch arch;
    snc_tokens x;
    snc_dropout drop;
    float *s0, *n0, *y0, *first, *pooled, *slope;
    float *dy, *dx, *other, *da, *dmix, *dq, *dk, *dv;
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

/* to [B, n] = rows of the first tokens of from [T, n], and the way back: from += to. */
void snc_bert__gather_first(float *to, const float *from, const snc_tokens *x, int n);
void snc_bert__scatter_first(float *from, const float *to, const snc_tokens *x, int n);

/* One layer; i counts kept layers. backward turns e->dy from the gradient of its output to that of its input. */
snc_err snc_bert__layer_forward(snc_bert *e, int i) SNC_MUST_USE;
snc_err snc_bert__layer_backward(snc_bert *e, int i) SNC_MUST_USE;

#endif
