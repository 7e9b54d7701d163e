/* ELECTRA's discriminator, as Hugging Face's ElectraForSequenceClassification stores it: BERT's encoder without a pooler, tables of another
 * width where config.json says so, and a dense layer with GELU that belongs to the classifier. */
#include "models/family/bert_names.h"
#include "models/family/family.h"

const snc_family snc_family_electra = {
    .type = "electra",
    .architecture = "ElectraForSequenceClassification",
    .prefix = "electra.",
    .name = {SNC_BERT_EMBEDDINGS("electra."), SNC_BERT_TYPES("electra."), SNC_WITH_BIAS(PROJECTION, "electra.embeddings_project"),
             SNC_BERT_LAYERS("electra."), SNC_WITH_BIAS(POOLER, "classifier.dense"), SNC_WITH_BIAS(CLASSIFIER, "classifier.out_proj")},
    .extra = {"electra.embeddings.position_ids", "electra.embeddings.token_type_ids", "discriminator_predictions.",
              "generator_predictions.", "generator_lm_head."},
    .head = SNC_HEAD_GELU,
    .position_base = 0,
    .keys = {SNC_BERT_KEYS, .types = "type_vocab_size", .embedding = "embedding_size", .head_dropout = "classifier_dropout"},
    .defaults = {.vocab = 30522,
                 .positions = 512,
                 .types = 2,
                 .embedding = 128,
                 .hidden = 256,
                 .layers = 12,
                 .heads = 4,
                 .ffn = 1024,
                 .act = SNC_ACT_GELU,
                 .norm_eps = 1e-12f,
                 .hidden_dropout = 0.1f,
                 .attention_dropout = 0.1f},
};
