/* models/runtime.h: the one inference path: predict, bench, the C API, search evaluation and the latency table.
 *
 * Weights hold every matrix of a model packed for execution, in each dtype that was asked for; a net is a config (arch +
 * policy) bound to them, with its workspace. Nets of one weights object share its buffers: a subnet costs no packing.
 * Running allocates nothing. Linears: F32 (gemm seam), BF16, INT8 (dynamic per-row activations, per-channel weights).
 * The last layer computes attention output, FFN and LayerNorms for the first token of each sequence only.
 *
 * Threads: weights are read-only after snc_weights_prepare and shared; a net serves one thread at a time.
 */
#ifndef SNC_MODELS_RUNTIME_H
#define SNC_MODELS_RUNTIME_H

#include "core/tokens.h"
#include "models/model.h"

typedef struct snc_weights snc_weights;
typedef struct snc_net snc_net;

/* Borrows m (f32 master in importance order, or any model); INT8 copies are quantized per output channel of the full row. */
snc_err snc_weights_from_model(snc_weights **out, const snc_ctx *ctx, const snc_model *m) SNC_MUST_USE;
/* Opens a .snc as it was exported: its own dtypes and integers. */
snc_err snc_weights_open(snc_weights **out, const snc_ctx *ctx, const char *path) SNC_MUST_USE;
void    snc_weights_free(snc_weights *w);

const snc_bert_config *snc_weights_config(const snc_weights *w);
const snc_arch        *snc_weights_arch(const snc_weights *w);    /* the widest arch it can serve */
const snc_policy      *snc_weights_policy(const snc_weights *w);  /* an opened file's policy; uniform F32 for a model */

typedef struct snc_net_opts {
    int max_tokens, max_seqs, max_len;
} snc_net_opts;
#define SNC_NET_OPTS_INIT { .max_tokens = 4096, .max_seqs = 64, .max_len = 512 }

/* arch NULL: all of it; policy NULL: the file's. Packs dtypes not packed before (not thread-safe). */
snc_err snc_net_create(snc_net **out, const snc_ctx *ctx, snc_weights *w, const snc_arch *arch, const snc_policy *policy,
                       const snc_net_opts *o) SNC_MUST_USE;
void    snc_net_free(snc_net *n);
/* logits [B, K]. SNC_E_SHAPE: more tokens or sequences than planned, or a sequence longer than max_len. */
snc_err snc_net_run(float *logits, snc_net *n, const snc_tokens *x) SNC_MUST_USE;

#endif
