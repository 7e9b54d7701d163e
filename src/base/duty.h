/* base/duty.h: what rank 0 asks the other ranks to join in.
 *
 * Rank 0 alone runs the job: it reads files, decides, measures and writes. Where a part of the work can be shared it calls a duty by name,
 * with a parcel of what the others need to know; they have been waiting for that, as long as it took, and run the duty's function, which
 * exchanges with rank 0 what both sides of it agree on (comm.h). Then they wait again.
 *
 * A duty's set-up ends with snc_comm_agree, so that where one rank cannot (no memory) none begins. What goes wrong after that is told in
 * the exchanges themselves.
 */
#ifndef SNC_BASE_DUTY_H
#define SNC_BASE_DUTY_H

#include "base/comm.h"
#include "base/ctx.h"
#include "base/parcel.h"

enum { SNC_DUTY_NAME = 24 };

typedef struct snc_duty {
    const char *name;
    /* ctx: of this rank, ctx->comm among the others; seed and backend are for the parcel to say. An error that not all ranks have agreed on
     * leaves the comm failed. */
    snc_err (*run)(const snc_ctx *ctx, snc_parcel *said);
} snc_duty;

/* By rank 0. Disposes of the parcel, and hands out a failure of packing it before anything is sent. */
snc_err snc_duty_call(snc_comm *c, const char *name, snc_parcel *said) SNC_MUST_USE;
/* By the others, until rank 0 dismisses them. n duties. SNC_E_IO: rank 0 is gone, or another rank in the middle of a duty. */
snc_err snc_duty_attend(const snc_ctx *ctx, const snc_duty *const *duties, int n) SNC_MUST_USE;
/* By rank 0, at its end. */
snc_err snc_duty_dismiss(snc_comm *c) SNC_MUST_USE;

/* What most duties begin with: ctx's seed, backend and level of log; taken, on the other side, they are those of `out`, which is otherwise
 * ctx without its comm: what is done with it is done alone. */
void snc_duty_put_ctx(snc_parcel *p, const snc_ctx *ctx);
snc_err snc_duty_take_ctx(snc_ctx *out, const snc_ctx *ctx, snc_parcel *p) SNC_MUST_USE;

#endif
