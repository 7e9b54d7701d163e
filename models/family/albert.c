/* ALBERT, as Hugging Face's AlbertForSequenceClassification stores it: one layer that every layer is, each of which gets a copy of its own
 * here, and narrower tables with a matrix from them to the hidden size. */
#include "models/family/bert_names.h"
#include "models/family/family.h"

#define LAYER "albert.encoder.albert_layer_groups.0.albert_layers.0."

const snc_family snc_family_albert = {
    .type = "albert",
    .architecture = "AlbertForSequenceClassification",
    .prefix = "albert.",
    .name = {SNC_BERT_EMBEDDINGS("albert."), SNC_BERT_TYPES("albert."),
             SNC_WITH_BIAS(PROJECTION, "albert.encoder.embedding_hidden_mapping_in"), SNC_WITH_BIAS(Q, LAYER "attention.query"),
             SNC_WITH_BIAS(K, LAYER "attention.key"), SNC_WITH_BIAS(V, LAYER "attention.value"), SNC_WITH_BIAS(O, LAYER "attention.dense"),
             SNC_WITH_BIAS(ATTENTION_NORM, LAYER "attention.LayerNorm"), SNC_WITH_BIAS(FFN_IN, LAYER "ffn"),
             SNC_WITH_BIAS(FFN_OUT, LAYER "ffn_output"), SNC_WITH_BIAS(FFN_NORM, LAYER "full_layer_layer_norm"),
             SNC_WITH_BIAS(POOLER, "albert.pooler"), SNC_WITH_BIAS(CLASSIFIER, "classifier")},
    .extra = {"albert.embeddings.position_ids", "albert.embeddings.token_type_ids", "predictions.", "sop_classifier.", "qa_outputs."},
    .head = SNC_HEAD_TANH,
    .always_projects = true,
    .position_base = 0,
    .fixed = {{"num_hidden_groups", 1}, {"inner_group_num", 1}},
    .keys = {SNC_BERT_KEYS, .types = "type_vocab_size", .embedding = "embedding_size", .head_dropout = "classifier_dropout_prob"},
    .defaults = {.vocab = 30000,
                 .positions = 512,
                 .types = 2,
                 .embedding = 128,
                 .hidden = 4096,
                 .layers = 12,
                 .heads = 64,
                 .ffn = 16384,
                 .act = SNC_ACT_GELU_TANH,
                 .norm_eps = 1e-12f,
                 .hidden_dropout = 0,
                 .head_dropout = 0.1f,
                 .own_head_dropout = true,
                 .attention_dropout = 0},
};
