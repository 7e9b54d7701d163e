/* train/subspace.h: which prefix subnets a supernet is trained for: option lists per dimension, and the layers of each depth.
 *
 * A subnet has one of the depths and keeps that depth's layers of the parent, the same hidden width everywhere, and in each kept
 * layer one of the head and FFN options (all layers alike, or drawn layer by layer). Options ascend; the last one of each list is
 * the largest.
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
    char rule[8]; /* "first", "last" or "even" (models/elastic.h): where the layers came from; what is kept says `kept` */
    int n_depth, n_hidden, n_heads, n_ffn;
    int depth[SNC_SUBSPACE_OPTIONS], hidden[SNC_SUBSPACE_OPTIONS], heads[SNC_SUBSPACE_OPTIONS], ffn[SNC_SUBSPACE_OPTIONS];
    int kept[SNC_SUBSPACE_OPTIONS][SNC_MAX_LAYERS]; /* per depth: source layers, ascending */
    bool per_layer; /* heads and FFN drawn for each layer on its own */
} snc_subspace;

typedef enum snc_subspace_size { SNC_SUBSPACE_SMALLEST, SNC_SUBSPACE_LARGEST } snc_subspace_size;

/* Half to all of the layers; quarters of heads and FFN from a quarter up; hidden from a half up in eighths, whole 16s. */
snc_subspace snc_subspace_default(const snc_arch *parent);
/* SNC_E_ARG names the option list and the value that does not ascend or does not fit in every layer of parent. */
snc_err snc_subspace_check(const snc_subspace *s, const snc_arch *parent) SNC_MUST_USE;

void snc_subspace_pick(snc_arch *out, const snc_subspace *s, snc_subspace_size size);
void snc_subspace_random(snc_arch *out, const snc_subspace *s, snc_rng *rng); /* uniform per gene */

/* {"rule":"even","depth_layers":[[0,3,5],[0,1,2,3,4,5]],"hidden":[192,384],"heads":[3,6,9,12],"ffn":[...],"per_layer":true} */
cJSON  *snc_subspace_to_json(const snc_subspace *s);

#endif
