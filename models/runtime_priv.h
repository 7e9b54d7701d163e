/* models/runtime_priv.h: what the files of the inference path share.
 *
 * A matrix is one linear of the source model in every form that nets asked for; a prefix of each form serves a narrower
 * net. A worker is one thread's slice of the workspace, for one group of at most `rows` tokens:
 *
 *   h [rows, C]   qkv [rows, 3A]   att [rows, A]   mid [rows, F or 2 F]   f32
 *   y [rows, C] what norms in front of a half give, while h goes past it; where norms stand behind a half, y is h
 *   xq [rows, max(A, C)]  mq [rows, F]  int8 with ld rounded up to 64, and a scale each row
 *   of a family with distances apart: apart [2, max_len, max_len] what distances add to the scores of a head, and a part of it
 */
#ifndef SNC_MODELS_RUNTIME_PRIV_H
#define SNC_MODELS_RUNTIME_PRIV_H

#include "base/isa.h"
#include "base/par.h"
#include "core/distance.h"
#include "core/gemm.h"
#include "core/infer.h"
#include "core/rotary.h"
#include "models/runtime.h"
#include "models/snc_file.h"
#include "quant/bf16linear.h"
#include "quant/embed.h"
#include "quant/q4linear.h"
#include "quant/qlinear.h"

typedef struct snc_rt__matrix {
    int N, K, ld;
    const float *W, *b; /* W [N, K], NULL when a file holds another form; b [N] */
    bool made;          /* by a source, for the arch that is served */
    bool borrowed;      /* its packed forms are another net's, of which it reads a prefix */
    uint64_t version;   /* of a source's W, 0: none yet */
    snc_gemm_weight *f32;
    snc_bf16linear *bf16;
    snc_qlinear *i8;
    snc_qlinear *i4;
} snc_rt__matrix;

struct snc_weights {
    snc_ctx ctx;
    snc_encoder_config cfg;
    snc_arch arch;
    snc_policy policy;
    const snc_model *model;                      /* whose source gives the matrices; NULL: a file does */
    snc_params table;                            /* names and shapes alone */
    const float *f32[SNC_MAX_LAYERS][SNC_ROLES]; /* values by layer and role; NULL: a file holds another dtype */
    snc_rt__matrix m[SNC_MAX_LAYERS][SNC_SITES], projection, pooler, classifier; /* N 0: there is none */
    snc_embed *embed[SNC_TABLES][SNC_DTYPES];
    snc_rotary *rotary[2];           /* of layers that see all keys, and of local ones; NULL: none */
    float *window;                   /* [2 P - 1] what a local layer adds, 0 at [P - 1]; NULL: no layer is local */
    float *relative[SNC_MAX_LAYERS]; /* [H][2 P - 1] what each distance adds to q k^T, 0 at [P - 1]; P tokens at most. NULL: nothing */
    snc_pool *pool;                  /* of the packed matrices; also ctx.pool */
    snc_ctx made;                    /* the same with a pool of its own, for what a source makes: it starts over with each arch */
    snc_gemm *gemm;                  /* to make f32 handles with */
    snc_sncfile *opened;             /* a .snc, whose bytes the above borrows */
    const snc_sncfile *file;         /* which net of it */
    snc_weights *first;              /* of another net than the file's first: whose the file is, and what of it is the same; else NULL */
};

/* What keys and queries of each kept layer make of each distance, of a family with distances apart: [2][heads][D][ld], column
 * max_len - 1 + j - i for a key's of query i and key j, max_len - 1 + i - j for a query's. */
typedef struct snc_rt__distances {
    float *block; /* NULL: none */
    int ld;
    size_t at[SNC_MAX_LAYERS]; /* where a layer's begin, in floats */
} snc_rt__distances;

typedef struct snc_rt__worker {
    float *h, *y, *qkv, *att, *mid, *sx, *sm, *apart;
    int8_t *xq, *mq;
    void *linear, *attention; /* scratch of the kernels; attention of this thread even when threads share a group */
    snc_net_times times;
    snc_err err;
    char text[256]; /* of err: the message buffer is the thread's own */
} snc_rt__worker;

struct snc_net {
    snc_ctx ctx, one; /* the caller's; the same with one thread */
    snc_weights *w;
    snc_arch arch;
    snc_policy policy;
    snc_net_opts o;
    snc_isa isa;           /* of the kernels between the linears; SCALAR is ref */
    bool f32;              /* some linear goes through the gemm seam, which brings its own threads */
    int rows, shared_rows; /* a worker's capacity; the first one's, whose group all threads may share */
    int ldx, ldm, ldmid;   /* of xq, mq, and mid at its widest */
    snc_gemm *gemm;
    uint8_t *block; /* all workers' buffers */
    snc_rt__distances distances;
    void *scratch; /* all workers' linear scratch */
    size_t scratch_bytes;
    int *group;             /* [max_seqs + 1] first sequence of each group of the present batch */
    snc_rt__worker *worker; /* [ctx.threads] */
    bool profile;
    int64_t runs;
};

/* One group of sequences on one worker, or on all threads. */
typedef struct snc_rt__job {
    snc_net *n;
    snc_rt__worker *w;
    const snc_ctx *ctx; /* threads of this job */
    const snc_tokens *x;
    int b0, b1, T; /* sequences [b0, b1), T tokens in all */
    const snc_net_state *state;
    double stamp, share; /* profiling: the last reading; what part of the wall clock a second here is */
} snc_rt__job;

/* The network over one group; logits of sequence b at logits + b * K. */
snc_err snc_rt__forward(float *logits, snc_rt__job *j) SNC_MUST_USE;

/* y [T, n] (+)= x W[:n, :k]^T + b, then epi. The input of an INT8 matrix is xq, sx; of the others x. */
snc_err snc_rt__linear(float *y, int ldy, snc_rt__job *j, const snc_rt__matrix *m, snc_dtype t, const float *x, int ldx, const int8_t *xq,
                       const float *sx, int T, int n, int k, snc_epilogue epi) SNC_MUST_USE;

/* Of a net that is being bound to arch and policy; uses the buffers of its first worker, whose scratch is laid out for them. Freed with
 * snc_free(block). */
snc_err snc_rt__distances_make(snc_rt__distances *out, snc_net *n, const snc_arch *arch, const snc_policy *policy) SNC_MUST_USE;
/* What is added to the scores of one head, whose queries and keys lie ld apart, written to `room`, apart of a worker. */
snc_infer_bias snc_rt__distances_add(float *room, const snc_net *n, int l, int head, const float *q, const float *k, int ld, int nq,
                                     int nk);

/* A layer's matrix, or one outside of layers; NULL: the role is a table's or a vector's. */
snc_rt__matrix *snc_rt__matrix_at(snc_weights *w, snc_role role, int layer);

/* Gain and bias of a LayerNorm: two vectors behind each other. */
typedef const float *const *snc_rt__norm;
static inline snc_rt__norm snc_rt__norm_at(const snc_weights *w, snc_role role, int layer) { return &w->f32[layer][role]; }

/* Makes the form `t` of a matrix if it is not there. `name` for messages. */
snc_err snc_rt__matrix_prepare(snc_weights *w, snc_rt__matrix *m, snc_dtype t, const char *name) SNC_MUST_USE;
size_t snc_rt__matrix_scratch(const snc_rt__matrix *m, snc_dtype t, const snc_ctx *ctx, int T);

#endif
