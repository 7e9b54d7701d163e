/* models/model.h: a BERT-family model in memory for training: f32 parameters, labels, tokenizer files, provenance.
 *
 * Parameter names and shapes (L layers of the arch; A_l = head_width * heads_l, F_l = ffn_l, C = hidden):
 *
 *   embeddings.word.weight [V, C]   embeddings.position.weight [P, C]   embeddings.type.weight [types, C]
 *   embeddings.norm.{weight,bias} [C]
 *   layer.N.attention.{q,k,v}.{weight [A, C], bias [A]}   layer.N.attention.o.{weight [C, A], bias [C]}
 *   layer.N.attention.norm.{weight,bias} [C]
 *   layer.N.ffn.in.{weight [F, C], bias [F]}   layer.N.ffn.out.{weight [C, F], bias [C]}   layer.N.ffn.norm.{weight,bias} [C]
 *   pooler.{weight [C, C], bias [C]}   classifier.{weight [K, C], bias [K]}
 *
 * A linear computes y = x W^T + b. The model owns everything in it; snc_model_free frees it. Layers are the model's own:
 * arch.source[i] = i, so m->arch can be handed to whoever runs m; which layers of an ancestor they were is in
 * meta.kept_layers after an extraction.
 */
#ifndef SNC_MODELS_MODEL_H
#define SNC_MODELS_MODEL_H

#include "base/ctx.h"
#include "core/params.h"
#include "models/arch.h"
#include "tokenizer/tokenizer.h"

typedef struct snc_lin { int w, b; } snc_lin; /* indices into the parameter table */

typedef struct snc_layer_index {
    snc_lin q, k, v, o, attn_norm, ffn_in, ffn_out, ffn_norm;
} snc_layer_index;

typedef struct snc_model_index {
    int word, position, type;
    snc_lin embed_norm;
    snc_layer_index layer[SNC_MAX_LAYERS];
    snc_lin pooler, classifier;
} snc_model_index;

typedef struct snc_model {
    snc_bert_config cfg;
    snc_arch arch;      /* shapes of the parameters below */
    snc_params params;
    snc_model_index ix;
    char **labels;      /* [cfg.classes], by class index; NULL: none yet */
    bool has_head;      /* classifier weights came from the file (else they are seeded) */
    snc_tok_assets tokenizer; /* empty: none */
    cJSON *meta;        /* object: provenance, metrics, effective config; never NULL */
} snc_model;

/* Names and shapes alone, nothing allocated for weights; ps is empty before and disposed by the caller. The order is fixed:
 * embeddings, layers, pooler, classifier, as above. cfg.classes >= 1. */
snc_err snc_model_table(snc_params *ps, snc_model_index *ix, const snc_bert_config *cfg, const snc_arch *arch) SNC_MUST_USE;
/* What a policy makes of parameter `param` of such a table: vectors are always F32. */
snc_dtype snc_param_dtype(const snc_policy *p, int layers, int param);
/* Whether a vocabulary of `pieces` suits V embedding rows: equal, or fewer: rows past it are never looked up. */
bool    snc_vocab_fits(const snc_tok_assets *a, int V, int *pieces);

/* Allocates the table for cfg + arch, parameters zeroed. cfg.classes >= 1. */
snc_err snc_model_new(snc_model **out, const snc_bert_config *cfg, const snc_arch *arch) SNC_MUST_USE;
void    snc_model_free(snc_model *m);
/* BERT initialisation: normal(0, 0.02), LayerNorm 1/0, biases 0. For nano models and fresh heads. */
void    snc_model_init_random(snc_model *m, uint64_t seed);
/* The same for one parameter; its values depend on the seed and its name alone. */
void    snc_model_init_param(snc_model *m, int param, uint64_t seed);
/* labels [cfg.classes], copied; NULL forgets them. */
snc_err snc_model_set_labels(snc_model *m, const char *const *labels) SNC_MUST_USE;
/* Replaces the head by a seeded one of K classes (normal 0.02, bias 0); labels [K] copied, or NULL.
 * The parameter block is a new one: bind engines afterwards. */
snc_err snc_model_set_head(snc_model *m, int classes, snc_meaning problem, const char *const *labels, uint64_t seed) SNC_MUST_USE;
/* Dense copy of a prefix subnet; labels, tokenizer and meta are copied. */
snc_err snc_model_extract(snc_model **out, const snc_model *m, const snc_arch *arch) SNC_MUST_USE;

/* Any accepted input, recognised by content: HF folder, .safetensors, pytorch .bin, .snc (an INT8 .snc is dequantized).
 * `classes_hint` > 0 with no head in the file makes a seeded head of that many classes. */
snc_err snc_model_load(snc_model **out, const snc_ctx *ctx, const char *path, int classes_hint, snc_meaning meaning_hint) SNC_MUST_USE;
/* Whether there is an accepted input at all, by the first bytes; what people give in its place is named with what to do. */
snc_err snc_model_locate(const char *path) SNC_MUST_USE;
/* The config alone, of any accepted input: shapes before the weights are read. */
snc_err snc_model_config(snc_bert_config *out, const char *path) SNC_MUST_USE;
/* An f32 .snc (all parameters F32). */
snc_err snc_model_save(const snc_model *m, const char *path) SNC_MUST_USE;

#endif
