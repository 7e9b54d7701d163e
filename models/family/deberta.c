/* DeBERTa of the second and third version, as Hugging Face's DebertaV2ForSequenceClassification stores it: scores of contents and distances
 * apart, one table of distances for all layers, neither positions nor types in tables, and a dense layer with GELU that belongs to the
 * classifier. */
#include "models/family/bert_names.h"
#include "models/family/family.h"

#define LAYER "deberta.encoder.layer.{N}."

const snc_family snc_family_deberta_v2 = {
    .type = "deberta-v2",
    .architecture = "DebertaV2ForSequenceClassification",
    .prefix = "deberta.",
    .name = {[SNC_ROLE_WORD] = "deberta.embeddings.word_embeddings.weight",
             [SNC_ROLE_DISTANCE] = "deberta.encoder.rel_embeddings.weight",
             SNC_WITH_BIAS(EMBED_NORM, "deberta.embeddings.LayerNorm"),
             SNC_WITH_BIAS(DISTANCE_NORM, "deberta.encoder.LayerNorm"),
             SNC_WITH_BIAS(Q, LAYER "attention.self.query_proj"),
             SNC_WITH_BIAS(K, LAYER "attention.self.key_proj"),
             SNC_WITH_BIAS(V, LAYER "attention.self.value_proj"),
             SNC_WITH_BIAS(O, LAYER "attention.output.dense"),
             SNC_WITH_BIAS(ATTENTION_NORM, LAYER "attention.output.LayerNorm"),
             SNC_WITH_BIAS(FFN_IN, LAYER "intermediate.dense"),
             SNC_WITH_BIAS(FFN_OUT, LAYER "output.dense"),
             SNC_WITH_BIAS(FFN_NORM, LAYER "output.LayerNorm"),
             SNC_WITH_BIAS(POOLER, "pooler.dense"),
             SNC_WITH_BIAS(CLASSIFIER, "classifier")},
    .extra = {"deberta.embeddings.position_ids", "deberta.embeddings.position_embeddings", "cls.", "lm_predictions.", "mask_predictions.",
              "qa_outputs."},
    .head = SNC_HEAD_GELU,
    .fixed = {{"type_vocab_size", 0}, {"conv_kernel_size", 0}},
    .keys = {SNC_BERT_KEYS, .head_dropout = "cls_dropout"},
    .defaults = {.vocab = 128100,
                 .positions = 512,
                 .hidden = 1536,
                 .layers = 24,
                 .heads = 24,
                 .ffn = 6144,
                 .act = SNC_ACT_GELU,
                 .norm_eps = 1e-7f,
                 .hidden_dropout = 0.1f,
                 .attention_dropout = 0.1f},
};
