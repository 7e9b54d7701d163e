/* train/subspace.h: which prefix subnets a supernet is trained for: option lists per dimension and the rule for depth.
 *
 * A subnet keeps k layers of the parent by a rule, the same hidden width everywhere, and in each kept layer one of the head
 * and FFN options (all layers alike, or drawn layer by layer). Options ascend; the last one of each list is the largest.
 *
 *     snc_subspace s = snc_subspace_default(&m->arch);
 *     SNC_TRY(snc_subspace_check(&s, &m->arch));
 *     snc_subspace_pick(&arch, &s, &m->arch, SNC_SUBSPACE_SMALLEST);
 */
#ifndef SNC_TRAIN_SUBSPACE_H
#define SNC_TRAIN_SUBSPACE_H

#include "base/rng.h"
#include "models/arch.h"

enum { SNC_SUBSPACE_OPTIONS = 64 };

typedef struct snc_subspace {
    char rule[8]; /* "first", "last" or "even", see models/elastic.h */
    int min_layers, max_layers;
    int n_hidden, n_heads, n_ffn;
    int hidden[SNC_SUBSPACE_OPTIONS], heads[SNC_SUBSPACE_OPTIONS], ffn[SNC_SUBSPACE_OPTIONS];
    bool per_layer; /* heads and FFN drawn for each layer on its own */
} snc_subspace;

typedef enum snc_subspace_size { SNC_SUBSPACE_SMALLEST, SNC_SUBSPACE_LARGEST } snc_subspace_size;

/* Half to all of the layers; quarters of heads and FFN from a quarter up; hidden from a half up in eighths, whole 16s. */
snc_subspace snc_subspace_default(const snc_arch *parent);
/* SNC_E_ARG names the option list and the value that does not ascend or does not fit in every layer of parent. */
snc_err snc_subspace_check(const snc_subspace *s, const snc_arch *parent) SNC_MUST_USE;

void snc_subspace_pick(snc_arch *out, const snc_subspace *s, const snc_arch *parent, snc_subspace_size size);
void snc_subspace_random(snc_arch *out, const snc_subspace *s, const snc_arch *parent, snc_rng *rng); /* uniform per gene */

/* {"rule":"even","min_layers":3,"max_layers":6,"hidden":[192,384],"heads":[3,6,9,12],"ffn":[...],"per_layer":true} */
cJSON  *snc_subspace_to_json(const snc_subspace *s);
/* Absent keys keep the default of the parent. Unknown keys are errors. */
snc_err snc_subspace_from_json(snc_subspace *out, const cJSON *j, const snc_arch *parent, const char *where) SNC_MUST_USE;

#endif
