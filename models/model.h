/* models/model.h: a BERT-family model in memory for training: f32 parameters, labels, tokenizer files, provenance.
 *
 * Its parameters are those of models/spec.h, in that order, in the shapes of the arch.
 *
 * A linear computes y = x W^T + b. The model owns everything in it; snc_model_free frees it. Layers are the model's own:
 * arch.source[i] = i, so m->arch can be handed to whoever runs m; which layers of an ancestor they were is in
 * meta.kept_layers after an extraction.
 */
#ifndef SNC_MODELS_MODEL_H
#define SNC_MODELS_MODEL_H

#include "base/ctx.h"
#include "core/params.h"
#include "models/family/family.h"
#include "models/source.h"
#include "tokenizer/tokenizer.h"

struct snc_model {
    snc_encoder_config cfg;
    snc_arch arch; /* shapes of the parameters below */
    snc_params params;
    int at[SNC_MAX_LAYERS][SNC_ROLES]; /* for snc_model_at */
    char **labels;                     /* [cfg.classes], by class index; NULL: none yet */
    bool has_head;                     /* classifier weights came from the file (else they are seeded) */
    snc_tok_assets tokenizer;          /* empty: none */
    cJSON *meta;                       /* object: provenance, metrics, effective config; never NULL */
    snc_source source;                 /* of the matrices; dense at first */
};

/* The index of a parameter in the table; layer 0 outside of layers. -1: the family has none. */
static inline int snc_model_at(const snc_model *m, snc_role role, int layer) { return m->at[layer][role]; }

/* A matrix for who runs `arch`, and where its gradient goes; both as source.h says. */
static inline snc_source_view snc_model_matrix(const snc_model *m, snc_role role, int layer, const snc_arch *arch)
{
    return m->source.kind->materialise(m, role, layer, arch);
}
static inline snc_source_gradient snc_model_gradient(const snc_model *m, snc_role role, int layer)
{
    return m->source.kind->gradient(m, role, layer);
}
/* Parameters were written: after an optimiser's step, or by hand. */
static inline void snc_model_changed(const snc_model *m)
{
    if (m->source.kind->changed) m->source.kind->changed(m);
}
/* Matrices come from another source from now on, whose state the model takes; bind engines and weights afterwards. */
void snc_model_set_source(snc_model *m, const snc_source_kind *kind, void *state);

/* A linear or a LayerNorm: the indices of its weight and its bias. */
typedef struct snc_lin {
    int w, b;
} snc_lin;
static inline snc_lin snc_model_lin(const snc_model *m, snc_role weight, int layer)
{
    return (snc_lin){snc_model_at(m, weight, layer), snc_model_at(m, weight + 1, layer)};
}

/* Whether a vocabulary of `pieces` suits V embedding rows: equal, or fewer: rows past it are never looked up. */
bool snc_vocab_fits(const snc_tok_assets *a, int V, int *pieces);

/* Allocates the table for cfg + arch, parameters zeroed. cfg.classes >= 1. */
snc_err snc_model_new(snc_model **out, const snc_encoder_config *cfg, const snc_arch *arch) SNC_MUST_USE;
void snc_model_free(snc_model *m);
/* BERT initialisation: normal(0, 0.02), LayerNorm 1/0, biases 0. For nano models and fresh heads. */
void snc_model_init_random(snc_model *m, uint64_t seed);
/* The same for one parameter; its values depend on the seed and its name alone. */
void snc_model_init_param(snc_model *m, int param, uint64_t seed);
/* labels [cfg.classes], copied; NULL forgets them. */
snc_err snc_model_set_labels(snc_model *m, const char *const *labels) SNC_MUST_USE;
/* The classifier of a vector as wide as the hidden size: what is pooled, unchanged. has_head is true then. */
void snc_model_init_vector(snc_model *m);
/* Replaces the head by a seeded one of K classes (normal 0.02, bias 0), or by snc_model_init_vector's; labels [K] copied, or NULL.
 * The parameter block is a new one: bind engines afterwards. */
snc_err snc_model_set_head(snc_model *m, int classes, snc_meaning problem, const char *const *labels, uint64_t seed) SNC_MUST_USE;
/* Dense copy of a prefix subnet, its matrices as the source makes them for it; labels, tokenizer and meta are copied. */
snc_err snc_model_extract(snc_model **out, const snc_model *m, const snc_arch *arch) SNC_MUST_USE;

/* In the place of a model whose source makes its matrices, the dense one of its whole arch: for who asks for shapes and times alone. */
snc_err snc_model_collapse(snc_model **m) SNC_MUST_USE;

/* Any accepted input, recognised by content: HF folder, .safetensors, pytorch .bin, .snc (an INT8 .snc is dequantized).
 * `classes_hint` > 0 with no head in the file makes a seeded head of that many classes. 0: nobody has said what it is for, and a folder
 * of Sentence Transformers without a classifier gives vectors; so it does for a meaning of vectors. */
snc_err snc_model_load(snc_model **out, const snc_ctx *ctx, const char *path, int classes_hint, snc_meaning meaning_hint) SNC_MUST_USE;
/* Whether there is an accepted input at all, by the first bytes; what people give in its place is named with what to do. */
snc_err snc_model_locate(const char *path) SNC_MUST_USE;
/* The config alone, of any accepted input: shapes before the weights are read. */
snc_err snc_model_config(snc_encoder_config *out, const char *path) SNC_MUST_USE;
/* How many numbers its vectors have, of any accepted input that may have any other head. */
snc_err snc_model_vector_width(int *out, const char *path) SNC_MUST_USE;
/* An f32 .snc (all parameters F32). */
snc_err snc_model_save(const snc_model *m, const char *path) SNC_MUST_USE;

#endif
