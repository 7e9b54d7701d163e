/* models/family/bert_names.h: what BERT and its descendants call alike in Hugging Face's files. `prefix` is the family's own. */
#ifndef SNC_MODELS_FAMILY_BERT_NAMES_H
#define SNC_MODELS_FAMILY_BERT_NAMES_H

/* clang-format off */
#define SNC_BERT_EMBEDDINGS(prefix) \
    [SNC_ROLE_WORD] = (prefix "embeddings.word_embeddings.weight"), \
    [SNC_ROLE_POSITION] = (prefix "embeddings.position_embeddings.weight"), \
    [SNC_ROLE_EMBED_NORM] = (prefix "embeddings.LayerNorm.weight"), \
    [SNC_ROLE_EMBED_NORM_BIAS] = (prefix "embeddings.LayerNorm.bias")

#define SNC_BERT_TYPES(prefix) [SNC_ROLE_TYPE] = (prefix "embeddings.token_type_embeddings.weight")

#define SNC_WITH_BIAS(role, name) [SNC_ROLE_##role] = (name ".weight"), [SNC_ROLE_##role##_BIAS] = (name ".bias")

#define SNC_BERT_LAYERS(prefix) \
    SNC_WITH_BIAS(Q, prefix "encoder.layer.{N}.attention.self.query"), \
    SNC_WITH_BIAS(K, prefix "encoder.layer.{N}.attention.self.key"), \
    SNC_WITH_BIAS(V, prefix "encoder.layer.{N}.attention.self.value"), \
    SNC_WITH_BIAS(O, prefix "encoder.layer.{N}.attention.output.dense"), \
    SNC_WITH_BIAS(ATTENTION_NORM, prefix "encoder.layer.{N}.attention.output.LayerNorm"), \
    SNC_WITH_BIAS(FFN_IN, prefix "encoder.layer.{N}.intermediate.dense"), \
    SNC_WITH_BIAS(FFN_OUT, prefix "encoder.layer.{N}.output.dense"), \
    SNC_WITH_BIAS(FFN_NORM, prefix "encoder.layer.{N}.output.LayerNorm")

#define SNC_BERT_KEYS \
    .vocab = "vocab_size", .positions = "max_position_embeddings", .hidden = "hidden_size", \
    .layers = "num_hidden_layers", .heads = "num_attention_heads", .ffn = "intermediate_size", .act = "hidden_act", \
    .norm_eps = "layer_norm_eps", .hidden_dropout = "hidden_dropout_prob", .attention_dropout = "attention_probs_dropout_prob"

/* BERT-base but for the rows of its tables. */
#define SNC_BERT_BASE \
    .hidden = 768, .layers = 12, .heads = 12, .ffn = 3072, .act = SNC_ACT_GELU, .norm_eps = 1e-12f, .hidden_dropout = 0.1f, \
    .attention_dropout = 0.1f
/* clang-format on */

#endif
