/* candidate/shared_out.h: what nets of a supernet say of rows, asked of all ranks together.
 *
 * Every rank has the supernet and the sets of rows from open to close, a net of its own, and waits for parts: some batches of one net's
 * rows. Parts are handed out one by one, so that a slower rank gets fewer: whole nets while there are many, smaller and smaller parts
 * towards the end, so that all are ready at about the same time, be it one net that is asked. A rank has two parts, the second of which
 * waits there; rank 0 works too, and looks for answers between its batches. Batches are those of one process (artifact/batches.h), so
 * that on equal processors the bits of all logits are those that rank 0 would have computed.
 *
 *     SNC_TRY(snc_shared_out_open(&s, ctx, supernet, net, &plan, sets, n_sets));
 *     SNC_GOTO(snc_shared_out_answer(s, nets, n, d, said, me));
 *     snc_shared_out_close(s);                            before anything else is asked of the other ranks, after an error as well
 */
#ifndef SNC_CANDIDATE_SHARED_OUT_H
#define SNC_CANDIDATE_SHARED_OUT_H

#include "base/duty.h"
#include "data/dataset.h"
#include "models/runtime.h"

enum { SNC_SHARED_SETS = 4, SNC_SHARED_NETS = 8, SNC_SHARED_PARTS = 16 };

/* Batches of the smallest parts that a net's are handed out in: of 16 batches or more there are at least 16 such parts. */
static inline int snc_shared_least(int batches) { return batches < SNC_SHARED_PARTS ? 1 : batches / SNC_SHARED_PARTS; }

typedef struct snc_shared_out snc_shared_out;

typedef struct snc_shared_net {
    snc_arch arch;
    snc_policy policy;
} snc_shared_net;

/* Rank 0's net, which is bound to whatever it works on, and the rows are borrowed; batches have plan->max_seqs rows. supernet: where the
 * net comes from. The ranks have agreed on an error. ctx->comm is not NULL. */
snc_err snc_shared_out_open(snc_shared_out **out, const snc_ctx *ctx, snc_model *supernet, snc_net *net, const snc_net_opts *plan,
                            const snc_dataset *sets, int n_sets) SNC_MUST_USE;
/* Whether d is one of the sets: of the same rows in the same memory. */
bool snc_shared_out_has(const snc_shared_out *s, const snc_dataset *d);
/* What net i says, for the nets in their order, each as soon as it and all before it are there: logits [answers of the rows, K] until it
 * returns, which may bind rank 0's net; NULL: they are not finite. */
typedef snc_err (*snc_shared_said)(void *user, int i, const float *logits);
/* n: at most SNC_SHARED_NETS. Errors are the callback's, and snc_net_run's of any rank; SNC_E_CANCELLED: between two layers of rank 0's. */
snc_err snc_shared_out_answer(snc_shared_out *s, const snc_shared_net *nets, int n, const snc_dataset *d, snc_shared_said said,
                              void *user) SNC_MUST_USE;
/* Parts that are under way are given up at their next batch. */
void snc_shared_out_close(snc_shared_out *s);

extern const snc_duty snc_duty_evaluate;

#endif
