/* search/proposals.h: what every search needs to propose: the problem, its seeds, a generator, and a set of what was
 * proposed before, so that no config is proposed twice.
 *
 * The struct belongs to the caller; init copies the seeds, dispose frees what init and add made.
 */
#ifndef SNC_SEARCH_PROPOSALS_H
#define SNC_SEARCH_PROPOSALS_H

#include "search/search.h"

/* An open-addressing hash set of configs in order of insertion. Starts as {.genes = those of the space}. */
typedef struct snc_cfg_set {
    int genes;
    snc_cfg *item; /* [n] */
    size_t n, cap;
    uint32_t *slot; /* [slots], index + 1 of an item; a power of two, at most half full */
    size_t slots, slot_cap;
} snc_cfg_set;

/* *fresh = false: it was there. The config is canonical. */
snc_err snc_cfg_set_add(bool *fresh, snc_cfg_set *s, const snc_cfg *c) SNC_MUST_USE;
bool snc_cfg_set_has(const snc_cfg_set *s, const snc_cfg *c);
void snc_cfg_set_dispose(snc_cfg_set *s);

typedef struct snc_proposals {
    snc_problem problem; /* seeds are a copy */
    snc_rng rng;
    snc_cfg_set made; /* every proposal so far */
    int given;        /* seeds used up */
} snc_proposals;

/* stream: a number of the search's own, so that two searches of one seed draw apart. */
snc_err snc_proposals_init(snc_proposals *p, const snc_problem *problem, uint64_t stream) SNC_MUST_USE;
void snc_proposals_dispose(snc_proposals *p);

static inline bool snc_proposals_made(const snc_proposals *p, const snc_cfg *c) { return snc_cfg_set_has(&p->made, c); }
snc_err snc_proposals_add(snc_proposals *p, const snc_cfg *c) SNC_MUST_USE;
/* The next seed that was not proposed; false: none is left. */
bool snc_proposals_seed(snc_cfg *out, snc_proposals *p);
/* Uniform among the configs within the limits that were not proposed, by rejection. Where a thousand draws find none within
 * the limits, genes of the last are lowered at random until it is. false: nothing new was found. */
bool snc_proposals_random(snc_cfg *out, snc_proposals *p);
/* A seed while there are some, then random. */
bool snc_proposals_first(snc_cfg *out, snc_proposals *p);
/* A seed of which this share of the layer, head and width genes is drawn anew; false without seeds, or when nothing new was
 * found. Three in four keep the seed's dtypes; the fourth has a share of them drawn anew that is itself drawn from 0 to 1, since
 * what many dtypes do together can be told from noise where what one does can not. */
bool snc_proposals_near(snc_cfg *out, snc_proposals *p, double share);

/* Costs of a config under the problem: a fresh observation with loss, metric and point.f[0] NaN. */
snc_obs snc_problem_cost(const snc_problem *p, const snc_cfg *c);
/* How many distinct configs there are; -1 where the options of all genes multiply to more than `most`. */
int64_t snc_space_count(const snc_space *s, int64_t most);
/* The first canonical config, and the one after c; false after the last. */
snc_cfg snc_cfg_first(const snc_space *s);
bool snc_cfg_next(snc_cfg *c, const snc_space *s);

#endif
