/* models/cost.h: what a config costs without running it: parameters, multiply-adds, bytes of the exported file.
 *
 * Closed formulas over (config, arch, policy), cheap enough for every candidate of a search. Letters as in
 * models/arch.h; A = head width x heads of a layer, S = sequence length.
 */
#ifndef SNC_MODELS_COST_H
#define SNC_MODELS_COST_H

#include "models/arch.h"

/* Parameters of the arch, embeddings and head included. */
int64_t snc_cost_params(const snc_encoder_config *c, const snc_arch *a);

/* Products of the size of a head's scores: of queries with keys, of these with values, and with distances apart two more. */
static inline int snc_cost_products(const snc_encoder_config *c) { return c->buckets ? 4 : 2; }

enum { SNC_MACS_TOKENS = 128 }; /* the length at which multiply-adds are told */
/* Multiply-adds of one sequence in the layers, sum of 4 S C A + 2 S^2 A + 2 S C F (4 S^2 A with distances apart), and
 * S E C of a projection behind the tables. */
int64_t snc_cost_encoder_macs(const snc_encoder_config *c, const snc_arch *a, int len);
/* The same with what surrounds them, as InstaTune's tool counts it: pooler C^2, classifier C K, S C for each LayerNorm
 * and S once. BERT-base at S = 128 with 2 classes: 11,176,674,944. What the runtime spares in the last layer is not
 * subtracted. */
int64_t snc_cost_macs(const snc_encoder_config *c, const snc_arch *a, int len);

/* Bytes of an exported .snc by part. All but the header are exact; the header is an upper bound, off by a few KB,
 * beside the metadata (labels, provenance), whose length the caller knows or guesses. */
typedef struct snc_bytes {
    int64_t embed;   /* the tables and the projection behind them, with their scales */
    int64_t linears; /* weights alone */
    int64_t scales;  /* of the linears, with INT4's multipliers */
    int64_t vectors; /* biases and LayerNorms */
    int64_t tokenizer;
    int64_t header;
    int64_t total;
} snc_bytes;
void snc_cost_bytes(snc_bytes *out, const snc_encoder_config *c, const snc_arch *a, const snc_policy *p, size_t tokenizer_bytes,
                    size_t metadata_bytes);

#endif
