/* models/engine_priv.h: the engine's insides: packed weights, and where the activations of the last forward are.
 *
 * What the products read is kept in bf16 where the backend takes that (`half`), else in f32. The activation block of a
 * batch with T tokens and B sequences, in the order it is carved (each part 64-byte aligned; ' marks bf16 when half). In a
 * first_only engine R = B from the last layer with heads on, else R = T. Of a half that is
 * skipped there is what its LayerNorm keeps: without heads s1 is x, without FFN s2 is y1, in f32.
 *
 * Without `train`, and with `recompute`, all layers share one set of attention and one of FFN, so that after a forward pass that of the
 * last layer is there, and queries, keys and values of the last one with heads. Each layer then has its own y in f32, with the norms in
 * front s2 as well; without `train` and `views` layers take turns at two of both. The bf16 copies of y take turns at two: the backward pass
 * rounds the input again before it computes a layer again.
 *
 *   embeddings  s0 [T, E]  n0 [T, 2]  y0 [T, C] (half: and a copy'), with a projection e0 [T, E] that it reads; else E = C
 *   shared      y1 [T, C]  mix [T, A]   (half only: the f32 that no backward pass needs)
 *   distances   s y x [n, C] of n rows of the table (half: and copies' of y x)  stats [n, 2]; a layer has two [n, A] of them
 *   layers      y [R, C] (half: and a copy') of each
 *               then of each q [R, A]  k v [T, A]  stats [2, H, R]  mix' [R, A]  s1 [R, C]
 *               then of each n1 [R, 2]  y1' [R, C]  slope' [R, F or 2 F]  a' [R, F]  s2 [R, C]  n2 [R, 2]
 *   head        first pooled slope [B, C]
 *   gradients   dy dx other [T, C]  de [T, E] (with a projection)
 *               da' [T, F or 2 F]  dmix dq dk dv [T, A]  (half: and copies' of dx dq dk dv; shared by all layers)
 *               of distances d [2, n, A] (half: and a copy')  dx dy [n, C]
 */
#ifndef SNC_MODELS_ENGINE_PRIV_H
#define SNC_MODELS_ENGINE_PRIV_H

#include "core/ops.h"
#include "core/rotary.h"
#include "models/engine.h"

typedef struct engine_matrix {
    snc_gemm_weight *w; /* packed */
    const float *b;     /* the bias, as the source gives it */
    snc_role role;
    int layer;        /* of the model */
    uint64_t version; /* of what is packed */
} engine_matrix;

typedef struct engine_weights {
    engine_matrix m[SNC_SITES];
    snc_lin attention_norm, ffn_norm;
    int relative; /* a parameter; -1: none */
} engine_weights;

/* A matrix as the ops read it and as the products read it: h when the engine is half, else f. The other may be absent. */
typedef struct engine_rows {
    float *f;
    snc_bf16 *h;
} engine_rows;

/* Of a family with distances apart: the rows of the buckets that the longest text of the batch reaches, n = 2 reach + 1. */
typedef struct engine_distances {
    int reach, n;     /* n 0: the family has none */
    float *s, *stats; /* [n, C] rows of the table, and what their norm keeps */
    engine_rows y, x; /* [n, C] normalized; what a layer reads of that where dropout is on */
    engine_rows d[2]; /* [n, A] gradients of a layer's keys and queries */
    float *dx, *dy;   /* [n, C] gradients of one layer's x, and of y */
} engine_distances;

typedef struct engine_layer {
    int source, rows, heads, attn, ffn; /* attn = heads x head width */
    bool first_only;
    engine_rows x, xq; /* input; the rows of it that ask (the first tokens, gathered in `gather`, or x itself) */
    engine_rows gather, mix, y1, slope, a, y;
    float *q, *k, *v, *stats, *s1, *n1, *s2, *n2;
    const float *past1, *past2; /* what goes past each half */
    float *stream;              /* room of s2 (of s1, without an FFN) where that outlives the layer's own; NULL: it has its own */
    float *gather_past;         /* room for past1 of the rows that ask; NULL: they are all there */
    float *distance[2];         /* [n, attn] keys and queries of the buckets */
} engine_layer;

typedef struct engine_site_masks {
    snc_mask attention, o, out;
} engine_site_masks;

struct snc_engine {
    const snc_ctx *ctx;
    snc_model *m;
    const snc_family *family;
    snc_engine_opts opts;
    snc_gemm *gemm;
    bool half; /* the products take bf16 */
    snc_ops *ops;
    engine_weights w[SNC_MAX_LAYERS];
    engine_matrix projection, pooler, classifier; /* w NULL: the family has none */
    snc_lin embed_norm, pool_norm, distance_norm; /* the last two are -1 where there is none */
    int table[SNC_TABLES];                        /* -1: the family has none */
    snc_gemm_weight **by_param; /* [params.n] the handle of a matrix that is this parameter, or NULL; the matrices own them */

    float *block;          /* NULL while the plan is only counted */
    size_t used, size;     /* floats */
    int32_t *tokens;       /* ids, types, offsets of the last batch */
    uint8_t *bucket;       /* [2 max_len - 1] of a distance; NULL: nothing is added to scores */
    float *window;         /* [heads][2] of a local layer: 0 inside, -inf outside; NULL: no layer is local */
    int16_t *distances;    /* [2 max_len - 1] buckets of distances apart; NULL: none */
    snc_rotary *rotary[2]; /* of layers that see all keys, and of local ones; NULL: none */

    /* the last forward */
    bool ready;                     /* for one backward */
    snc_engine_layer_fn layer_done; /* or NULL */
    void *layer_user;
    bool fresh;      /* the next backward starts the gradients of linears anew */
    bool accumulate; /* the one under way adds to them */
    double *squares; /* [params.n] of a gradient that the last one wrote, or -1 */
    snc_arch arch;
    snc_tokens x;
    snc_dropout drop;
    const float *added[3];    /* gradients from outside of the last q, k, v; NULL: none */
    engine_rows y0, da, d[3]; /* d: of q, k, v */
    engine_distances distance;
    float *s0, *n0, *e0, *de, *y1, *mix, *first, *pooled, *sp, *np, *slope, *dy, *dx, *other, *past, *dglu, *dmix;
    snc_bf16 *dx16;
    engine_layer layer[SNC_MAX_LAYERS];
};

enum {
    ENGINE_SITE_EMBED = 0,
    ENGINE_SITE_HEAD = 1,
    ENGINE_SITE_DISTANCE = 2 + 3 * SNC_MAX_LAYERS
}; /* layer i: 2 + 3 i ..., DISTANCE + i */

/* row: of the whole batch, the first that the engine has. */
static inline snc_mask engine_mask(const snc_engine *e, int site, float rate, uint32_t row)
{
    snc_mask m = snc_mask_make(e->drop.seed, e->drop.step, (uint64_t)site, rate);
    m.row = row;
    return m;
}

static inline const float *engine_w(const snc_engine *e, int param) { return snc_params_w(&e->m->params, param); }
static inline float *engine_g(const snc_engine *e, int param) { return snc_params_g(&e->m->params, param); }
/* Where the gradient of a bias is added up. */
static inline float *engine_db(const snc_engine *e, const engine_matrix *m) { return snc_model_gradient(e->m, m->role, m->layer).b; }
static inline int engine_ld(const snc_engine *e, int param) { return e->m->params.p[param].cols; }

/* Whether layers share what they compute: nothing of it is read again, or it is computed again. */
static inline bool snc_engine__shares(const snc_engine *e) { return !e->opts.train || e->opts.recompute; }

int snc_engine__widest(const int *v, int n);
/* Places every activation of a batch of T tokens, B sequences and R answers for `arch`; e->used is the size. */
void snc_engine__plan(snc_engine *e, const snc_arch *arch, int tokens, int B, int R);

/* to [B, n] = rows of the first tokens of from [T, n] (both f and h), and the way back: from += to. */
void snc_engine__gather_first(engine_rows to, engine_rows from, const snc_tokens *x, int n);
void snc_engine__scatter_first(float *from, const float *to, const snc_tokens *x, int n);
/* to [R, n]: of the tokens that are read. */
void snc_engine__gather_read(float *to, const float *from, const snc_tokens *x, int n);
void snc_engine__scatter_read(float *from, const float *to, const snc_tokens *x, int n);
/* The same of the means over the tokens of a sequence. */
void snc_engine__gather_mean(float *to, const float *from, const snc_tokens *x, int n);
void snc_engine__scatter_mean(float *from, const float *to, const snc_tokens *x, int n);

/* dW += (or, in a fresh pass, =) dy^T . x, of rows [rows, n] and [rows, k]; left to the source of the matrix. */
snc_err snc_engine__weight_backward(snc_engine *e, const float *dy, const snc_bf16 *dy16, const float *x, const snc_bf16 *x16,
                                    const engine_matrix *m, int rows, int n, int k) SNC_MUST_USE;

/* The rows of the buckets that the batch reaches: their norm, what kept layer i reads of it, and the way back: `start`,
 * `add` of each layer, of dx, the gradient of what that one has read, and `backward`. */
void snc_engine__distances_reach(snc_engine *e, int longest);
void snc_engine__distances_forward(snc_engine *e);
engine_rows snc_engine__distances_read(snc_engine *e, int i);
void snc_engine__distances_start(snc_engine *e);
void snc_engine__distances_add(snc_engine *e, int i);
void snc_engine__distances_backward(snc_engine *e);

/* One layer; i counts kept layers. backward turns e->dy from the gradient of its output to that of its input. */
snc_err snc_engine__layer_forward(snc_engine *e, int i) SNC_MUST_USE;
snc_err snc_engine__layer_backward(snc_engine *e, int i) SNC_MUST_USE;

#endif
