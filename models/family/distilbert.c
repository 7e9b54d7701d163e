/* DistilBERT, as Hugging Face's DistilBertForSequenceClassification stores it: no token types, and a dense layer with ReLU that
 * belongs to the classifier in the pooler's place. */
#include "models/family/bert_names.h"
#include "models/family/family.h"

#define LAYER "distilbert.transformer.layer.{N}."

const snc_family snc_family_distilbert = {
    .type = "distilbert",
    .architecture = "DistilBertForSequenceClassification",
    .prefix = "distilbert.",
    .name = {SNC_BERT_EMBEDDINGS("distilbert."), SNC_WITH_BIAS(Q, LAYER "attention.q_lin"), SNC_WITH_BIAS(K, LAYER "attention.k_lin"),
             SNC_WITH_BIAS(V, LAYER "attention.v_lin"), SNC_WITH_BIAS(O, LAYER "attention.out_lin"),
             SNC_WITH_BIAS(ATTENTION_NORM, LAYER "sa_layer_norm"), SNC_WITH_BIAS(FFN_IN, LAYER "ffn.lin1"),
             SNC_WITH_BIAS(FFN_OUT, LAYER "ffn.lin2"), SNC_WITH_BIAS(FFN_NORM, LAYER "output_layer_norm"),
             SNC_WITH_BIAS(POOLER, "pre_classifier"), SNC_WITH_BIAS(CLASSIFIER, "classifier")},
    .extra = {"distilbert.embeddings.position_ids", "vocab_transform.", "vocab_layer_norm.", "vocab_projector.", "qa_outputs."},
    .head = SNC_HEAD_RELU,
    .position_base = 0,
    .keys = {.vocab = "vocab_size",
             .positions = "max_position_embeddings",
             .hidden = "dim",
             .layers = "n_layers",
             .heads = "n_heads",
             .ffn = "hidden_dim",
             .act = "activation",
             .hidden_dropout = "dropout",
             .attention_dropout = "attention_dropout",
             .head_dropout = "seq_classif_dropout"},
    .defaults = {.vocab = 30522,
                 .positions = 512,
                 .hidden = 768,
                 .layers = 6,
                 .heads = 12,
                 .ffn = 3072,
                 .act = SNC_ACT_GELU,
                 .norm_eps = 1e-12f,
                 .hidden_dropout = 0.1f,
                 .head_dropout = 0.2f,
                 .own_head_dropout = true,
                 .attention_dropout = 0.1f},
};
