/* data/neighbours.h: which word pieces lie nearest to each other in a table of vectors, by cosine. */
#ifndef SNC_DATA_NEIGHBOURS_H
#define SNC_DATA_NEIGHBOURS_H

#include "base/ctx.h"
#include "data/augment.h"

typedef struct snc_neighbours snc_neighbours;

/* Of each piece with seen[id] (seen [V]) the k nearest of the others that are seen and, like it, begin a word or go on with one; fewer
 * where there are not so many. The same at any number of threads: the lower id first where two are as near. */
snc_err snc_neighbours_find(snc_neighbours **out, const snc_ctx *ctx, const snc_augment_pieces *p, const uint8_t *seen, int k) SNC_MUST_USE;
/* The nearest first, *n of them; NULL and 0 of a piece that was not seen. */
const int32_t *snc_neighbours_of(int *n, const snc_neighbours *s, int32_t id);
void snc_neighbours_free(snc_neighbours *s);

#endif
