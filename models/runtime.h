/* models/runtime.h: the one inference path: predict, bench, the C API, search evaluation and the latency table.
 *
 * Weights hold every matrix of a model packed for execution, in each dtype that was asked for; a net is a config (arch
 * + policy) bound to them, with its workspace. Nets of one weights object share its buffers: a subnet costs no packing.
 * Running allocates nothing. Linears: F32 (gemm seam), BF16, INT8 (dynamic per-row activations, per-channel weights).
 * From the last layer with heads on attention output, FFN and LayerNorms are for the first token of each sequence only.
 *
 *     snc_weights_open(&w, ctx, "compressed.snc");
 *     snc_net_create(&n, ctx, w, NULL, NULL, &(snc_net_opts)SNC_NET_OPTS_INIT);
 *     snc_net_run(logits, n, &batch);
 *
 * A batch is cut into groups of whole sequences whose activations fit in the cache. Groups run beside each other on the
 * threads where there are enough of them, else the threads share one group's rows, outputs and heads; no result depends
 * on which. A sequence's logits depend neither on its neighbours in the batch nor on the thread count.
 *
 * The backend of the weights' context chooses the packed forms; nets are made with the same one. SNC_BACKEND_REF gives
 * plain loops in a fixed order everywhere. Attention runs in bf16 on AMX where Q, K and V are INT8 or BF16, else in
 * f32.
 *
 * Threads: weights are read-only after snc_weights_prepare and shared; a net serves one thread at a time. Of a model whose source makes
 * matrices for each arch, only the net that was prepared or bound last may run.
 */
#ifndef SNC_MODELS_RUNTIME_H
#define SNC_MODELS_RUNTIME_H

#include "core/tokens.h"
#include "models/model.h"
#include "models/snc_file.h"

typedef struct snc_weights snc_weights;
typedef struct snc_net snc_net;

/* Borrows m (f32 master in importance order, or any model), whose source gives the matrices; INT8 copies are quantized per output
 * channel of the row that it gives: of a dense one the full row. */
snc_err snc_weights_from_model(snc_weights **out, const snc_ctx *ctx, const snc_model *m) SNC_MUST_USE;
/* Opens a .snc as it was exported: its own dtypes and integers. */
snc_err snc_weights_open(snc_weights **out, const snc_ctx *ctx, const char *path) SNC_MUST_USE;
/* Net k of an opened file that has several, 0 < k < snc_sncfile_nets (models/bundle.h): what is the first net's is packed once, for both.
 * Borrows first. */
snc_err snc_weights_open_net(snc_weights **out, snc_weights *first, int k) SNC_MUST_USE;
void snc_weights_free(snc_weights *w);

/* The file of an opened .snc, for what is not weights; NULL for a model's. */
const snc_sncfile *snc_weights_file_view(const snc_weights *w);

const snc_encoder_config *snc_weights_config(const snc_weights *w);
const snc_arch *snc_weights_arch(const snc_weights *w);     /* the widest arch it can serve */
const snc_policy *snc_weights_policy(const snc_weights *w); /* an opened file's policy; uniform F32 for a model */

/* Packs what a net of this arch and policy needs and is not packed yet; NULL as in snc_net_create. Not thread-safe:
 * call it before threads create nets of their own. SNC_E_UNSUPPORTED: a file does not hold a matrix in that dtype
 * (named). */
snc_err snc_weights_prepare(snc_weights *w, const snc_arch *arch, const snc_policy *policy) SNC_MUST_USE;

typedef struct snc_net_opts {
    int max_tokens, max_seqs, max_len;
} snc_net_opts;
#define SNC_NET_OPTS_INIT                                  \
    {                                                      \
        .max_tokens = 4096, .max_seqs = 64, .max_len = 512 \
    }

/* arch NULL: all of it; policy NULL: the file's. Packs dtypes not packed before (not thread-safe). policy's rows are
 * the kept layers in order. max_len above the model's positions is cut to them. SNC_E_ARG: options below 1. */
snc_err snc_net_create(snc_net **out, const snc_ctx *ctx, snc_weights *w, const snc_arch *arch, const snc_policy *policy,
                       const snc_net_opts *o) SNC_MUST_USE;
/* Another config over the same weights and workspace: for searches. On failure the net keeps its old config. With distances apart
 * binding computes what every layer's keys and queries make of them. */
snc_err snc_net_rebind(snc_net *n, const snc_arch *arch, const snc_policy *policy) SNC_MUST_USE;
void snc_net_free(snc_net *n);
/* logits [B, K], of a model of tags [R, K] (core/tokens.h). SNC_E_SHAPE: no sequences, an empty one, one longer than max_len, or more
 * tokens or sequences than
 * planned. SNC_E_ARG: an id or type outside its table. SNC_E_CANCELLED: by the context of its creation, between two layers.
 * SNC_E_DIVERGED: a logit is not finite, as of weights that are not; all are written. */
snc_err snc_net_run(float *logits, snc_net *n, const snc_tokens *x) SNC_MUST_USE;
/* What one net leaves of a batch for a larger one that begins with its layers (models/bundle.h: snc_bundle_handover). */
typedef struct snc_net_state {
    float *h;  /* [T, hidden] of the batch's tokens; NULL: neither of both */
    int from;  /* the net begins with this layer, and h is what stands before it; 0: with the tokens, and h is not read */
    bool keep; /* h becomes what stands before the layer from which on not every token runs, or behind the last where all do */
} snc_net_state;
/* The same from there on. The logits are those of snc_net_run, to as many bits as they do not depend on a batch. */
snc_err snc_net_run_state(float *logits, snc_net *n, const snc_tokens *x, const snc_net_state *state) SNC_MUST_USE;
/* The layer that net `large` begins with behind net `small`, each bound to all that its file holds; 0: with the tokens, as ever. */
int snc_net_handover(const snc_net *small, const snc_net *large);
/* The first of B rows with a logit that is not finite; -1: none. */
int snc_logits_bad(const float *logits, int B, int K);

const snc_arch *snc_net_arch(const snc_net *n);
const snc_policy *snc_net_policy(const snc_net *n);
int snc_net_longest(const snc_net *n); /* tokens of a sequence */

/* Time per part, summed over runs since profiling was switched on: seconds of all threads together divided by their
 * number. A part starts with the LayerNorm or quantization of its input and ends with its output in f32. */
typedef enum snc_net_part { SNC_PART_QKV, SNC_PART_ATTENTION, SNC_PART_O, SNC_PART_FFN_IN, SNC_PART_FFN_OUT, SNC_PARTS } snc_net_part;
typedef struct snc_net_times {
    int64_t runs;
    double embed, head;
    double layer[SNC_MAX_LAYERS][SNC_PARTS];
} snc_net_times;
void snc_net_profile(snc_net *n, bool on); /* on: starts from zero */
void snc_net_times_get(snc_net_times *out, const snc_net *n);

#endif
