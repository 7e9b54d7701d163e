/* models/engine.h: the encoder and its head for training: forward, backward and their activations.
 *
 * One engine is bound to one model and serves any prefix arch of it: a narrower net is the same pointers with smaller sizes.
 * Activations live in one block planned for max_tokens x max_seqs. Post-LN: embeddings -> LayerNorm -> dropout ->
 * L x (attention, add & norm, FFN, add & norm) -> the first token, pooled as the family does -> dropout -> classifier.
 *
 * Every sequence has at least one token. Rows of the word table that a step touches are the batch's ids, of the position
 * table the family's base .. base + longest - 1.
 *
 *     snc_engine_create(&e, ctx, m, &opts);
 *     snc_engine_forward(e, logits, &arch, &x, drop);   loss -> dlogits
 *     snc_engine_backward(e, dlogits, NULL, 0);         // m->params.g += ...
 *     optimiser step;  snc_engine_sync(e);
 */
#ifndef SNC_MODELS_ENGINE_H
#define SNC_MODELS_ENGINE_H

#include "core/gemm.h"
#include "core/tokens.h"
#include "models/model.h"

typedef struct snc_engine snc_engine;

typedef struct snc_engine_opts {
    snc_compute compute;
    int max_tokens, max_seqs, max_len;
    bool train; /* keep activations for a backward pass */
    /* Of the activations of a layer its input alone, from which the backward pass computes the others again, one layer after the other in
     * the same memory: about a third more work, the same bits. */
    bool recompute;
    bool views; /* without train: hidden states and attention can be read all the same */
    /* The last kept layer with heads computes queries, FFN and LayerNorms for the first token of each sequence alone, which is all
     * that is read from there on: same logits and gradients, a sixth less work at 6 layers. Its hidden state, and those of kept layers
     * behind it, are then [B, hidden]. */
    bool first_only;
} snc_engine_opts;
#define SNC_ENGINE_OPTS_INIT                                                                          \
    {                                                                                                 \
        .compute = SNC_COMPUTE_F32, .max_tokens = 4096, .max_seqs = 64, .max_len = 512, .train = true \
    }

/* Borrows ctx and m (whose parameter block must stay); train allocates m's gradient block. Memory is planned for m's full
 * arch: with train about 16 (C + A + F / 2) bytes per token and layer, 16 C + 14 A + 4 F where products take bf16; with recompute that
 * once, and 4 C bytes per token and layer (8 C with the norms in front). */
snc_err snc_engine_create(snc_engine **out, const snc_ctx *ctx, snc_model *m, const snc_engine_opts *o) SNC_MUST_USE;
void snc_engine_free(snc_engine *e);
void snc_engine_sync(snc_engine *e); /* after the weights changed; tells the source as well */
/* The same for rows [n0, n1) of one parameter, serial, for an optimiser that has just written them in its parallel body
 * (see snc_gemm_weight_sync_rows). Parameters that are not matrices of a linear need none and are ignored: of those from which a
 * source makes matrices snc_model_changed tells, after all rows. */
void snc_engine_sync_rows(snc_engine *e, int param, int n0, int n1);
size_t snc_engine_memory(const snc_engine *e); /* bytes of the activation block */
/* Bytes that an engine will take, gradients not counted: known before it is made. */
snc_err snc_engine_bytes(double *out, const snc_ctx *ctx, snc_model *m, const snc_engine_opts *o) SNC_MUST_USE;

/* Dropout masks are a hash of (seed, step, site, element), so a backward pass and a resumed run draw the same ones, and so does a batch in
 * parts: elements are counted by the whole, in which the part's first sequence is number `seq`, its first token number `token` and its
 * first answer number `answer`. */
typedef struct snc_dropout {
    uint64_t seed, step;
    float hidden, attention, head; /* rates; 0 switches off. head: of what the classifier reads */
    uint32_t seq, token, answer;   /* answer: as of the logits, `seq` but for tags */
    int longest;                   /* sequence of the whole, of a family with distances apart; 0: this batch's */
} snc_dropout;

/* logits [B, K], of a model of tags [R, K] (core/tokens.h), overwritten. arch: a prefix of m->arch (source = layer of m). drop NULL:
 * evaluation.
 * SNC_E_SHAPE: more tokens, sequences or a longer one than planned, an arch that does not fit, an id out of its table.
 * SNC_E_CANCELLED: between two layers. */
snc_err snc_engine_forward(snc_engine *e, float *logits, const snc_arch *arch, const snc_tokens *x, const snc_dropout *drop) SNC_MUST_USE;

/* Output of embedding (i = 0) or kept layer i (1..layers) of the last forward, [T, hidden], dense. Needs train or views.
 * With first_only [B, hidden] where i > snc_arch_last_heads(arch). */
const float *snc_engine_hidden_view(const snc_engine *e, int i);
int snc_engine_hidden_rows(const snc_engine *e, int i); /* T or B of them */

/* Queries [B, A] with first_only, else [T, A], keys and values [T, A] in the last forward of the last layer that has heads; A = heads x
 * width, heads 0 where none has. Needs train or views. */
typedef struct snc_engine_attention {
    const float *q, *k, *v;
    int heads, width;
} snc_engine_attention;
snc_engine_attention snc_engine_attention_view(const snc_engine *e);
/* The next backward pass adds these gradients there. Borrowed until then. */
void snc_engine_add_attention(snc_engine *e, const float *dq, const float *dk, const float *dv);

/* The next backward pass starts the weight gradients of all linears anew, whatever they hold (those parameters for which
 * owns_grad is true): of the whole arch it overwrites them, which saves clearing them and reading them back. All other
 * gradients are added to as always. */
void snc_engine_start_grads(snc_engine *e);
bool snc_engine_owns_grad(const snc_engine *e, int param);
/* Sum of the squares of a parameter's gradient, known without reading it when the last backward pass overwrote it: for the
 * optimiser's norm. false: not known. */
bool snc_engine_grad_squares(double *sum, const snc_engine *e, int param);

/* Called in each backward pass behind a layer, by the number it has in the model: the gradients of what is in layers from that one on are
 * those of the pass. Not where a source makes matrices of parameters. */
typedef void (*snc_engine_layer_fn)(void *user, int source_layer);
void snc_engine_on_layer(snc_engine *e, snc_engine_layer_fn fn, void *user);

/* Gradients of the last forward (once), added to m->params.g. dlogits like the logits or NULL. dhidden[i] [T, hidden] or NULL adds a
 * gradient at hidden state i; n_hidden = 0 or arch.layers + 1. With first_only [B, hidden] as above. */
snc_err snc_engine_backward(snc_engine *e, const float *dlogits, const float *const *dhidden, int n_hidden) SNC_MUST_USE;

#endif
