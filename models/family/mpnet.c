/* MPNet, as Hugging Face's MPNetForSequenceClassification stores it: one bias by distance for all layers, of which each gets its own. */
#include "models/family/bert_names.h"
#include "models/family/family.h"

enum { BUCKETS = 32 }; /* SNC_RELATIVE_BUCKETS */

#define LAYER "mpnet.encoder.layer.{N}."

const snc_family snc_family_mpnet = {
    .type = "mpnet",
    .architecture = "MPNetForSequenceClassification",
    .prefix = "mpnet.",
    .name = {SNC_BERT_EMBEDDINGS("mpnet."), SNC_WITH_BIAS(Q, LAYER "attention.attn.q"), SNC_WITH_BIAS(K, LAYER "attention.attn.k"),
             SNC_WITH_BIAS(V, LAYER "attention.attn.v"),
             SNC_WITH_BIAS(O, LAYER "attention.attn.o"), [SNC_ROLE_RELATIVE] = "mpnet.encoder.relative_attention_bias.weight",
             SNC_WITH_BIAS(ATTENTION_NORM, LAYER "attention.LayerNorm"), SNC_WITH_BIAS(FFN_IN, LAYER "intermediate.dense"),
             SNC_WITH_BIAS(FFN_OUT, LAYER "output.dense"), SNC_WITH_BIAS(FFN_NORM, LAYER "output.LayerNorm"),
             SNC_WITH_BIAS(POOLER, "classifier.dense"), SNC_WITH_BIAS(CLASSIFIER, "classifier.out_proj")},
    .extra = {"mpnet.embeddings.position_ids", "mpnet.pooler.", "lm_head."},
    .head = SNC_HEAD_TANH,
    .position_base = 2,
    .keys = {SNC_BERT_KEYS},
    .fixed = {{"relative_attention_num_buckets", BUCKETS}},
    .defaults = {.vocab = 30527, .positions = 512, SNC_BERT_BASE},
};
