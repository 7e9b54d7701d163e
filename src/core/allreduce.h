/* core/allreduce.h: gradients of all ranks become their sum, in buckets that are under way while others are still being computed.
 *
 * A bucket of n numbers is cut into as many parts as there are ranks. Every rank sends its numbers of part r to rank r, which adds them up
 * in the order of ranks, in f32, and sends the sums to all: 2 n (R - 1) / R numbers out and as many in for R ranks (Rabenseifner 2004),
 * and the same bits on every rank, whatever the order of arrival. half: numbers travel as bf16, rounded to the nearest even, the sums as
 * well, a rank's own with them: equal bits again, half the bytes.
 *
 *     SNC_TRY(snc_allreduce_new(&a, ctx, comm, buckets, half));
 *     SNC_TRY(snc_allreduce_start(a, x, n));   each, by every rank in the same order; x is the caller's again after finish
 *     SNC_TRY(snc_allreduce_go_on(a));         now and then: a network moves while nobody looks, the adding does not
 *     SNC_TRY(snc_allreduce_finish(a));
 */
#ifndef SNC_CORE_ALLREDUCE_H
#define SNC_CORE_ALLREDUCE_H

#include "base/comm.h"
#include "base/ctx.h"

typedef struct snc_allreduce snc_allreduce;

/* buckets: at most so many at a time. Borrows c. NULL c, or one rank: every function does nothing. */
snc_err snc_allreduce_new(snc_allreduce **out, const snc_ctx *ctx, snc_comm *c, int buckets, bool half) SNC_MUST_USE;
void snc_allreduce_free(snc_allreduce *a); /* what is under way is dropped */
snc_err snc_allreduce_start(snc_allreduce *a, float *x, size_t n) SNC_MUST_USE;
/* The same without the second turn: of x [at[size]] a rank's own part [at[rank], at[rank + 1]) is the sum afterwards, in f32 with half
 * too, and the rest is as it was. at [size + 1], copied; equal on all ranks. */
snc_err snc_allreduce_scatter(snc_allreduce *a, float *x, const size_t *at) SNC_MUST_USE;
snc_err snc_allreduce_go_on(snc_allreduce *a) SNC_MUST_USE;
/* All buckets are sums. SNC_E_IO: a rank that nothing comes from. */
snc_err snc_allreduce_finish(snc_allreduce *a) SNC_MUST_USE;
double snc_allreduce_seconds(const snc_allreduce *a); /* spent in these functions so far */

#endif
