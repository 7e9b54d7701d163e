/* BERT, as Hugging Face's BertForSequenceClassification stores it. */
#include "models/family/bert_names.h"
#include "models/family/family.h"

const snc_family snc_family_bert = {
    .type = "bert",
    .architecture = "BertForSequenceClassification",
    .prefix = "bert.",
    .name = {SNC_BERT_EMBEDDINGS("bert."), SNC_BERT_TYPES("bert."), SNC_BERT_LAYERS("bert."), SNC_WITH_BIAS(POOLER, "bert.pooler.dense"),
             SNC_WITH_BIAS(CLASSIFIER, "classifier")},
    .extra = {"bert.embeddings.position_ids", "bert.embeddings.token_type_ids", "cls."},
    .head = SNC_HEAD_TANH,
    .position_base = 0,
    .keys = {SNC_BERT_KEYS, .types = "type_vocab_size", .head_dropout = "classifier_dropout"},
    .defaults = {.vocab = 30522, .positions = 512, .types = 2, SNC_BERT_BASE},
};
