/* Ranks meet, wait for what rank 0 calls them to, and part: what of a job is shared is said by the duties listed here. */
#include "base/duty.h"
#include "base/hosts.h"
#include "base/par.h"
#include "candidate/far_clock.h"
#include "candidate/shared_out.h"
#include "train/importance.h"
#include "train/sweep.h"
#include "train/together.h"

static const snc_duty *const duties[] = {&snc_duty_train, &snc_duty_sweep, &snc_duty_importance, &snc_duty_evaluate, &snc_duty_clock};

snc_err snc_ranks_open(snc_comm **out)
{
    snc_comm *c;
    SNC_TRY(snc_comm_open_mpi(&c));
    *out = c;
    return c ? snc_hosts_meet(c) : SNC_OK;
}

int snc_ranks_rank(const snc_comm *c) { return snc_comm_rank(c); }

static void say_errors(void *user, snc_level level, const char *line)
{
    const snc_host *h = user;
    if (level == SNC_LEVEL_ERROR && h->log) h->log(h->user, level, line);
}

snc_err snc_ranks_attend(snc_comm *c, const snc_host *h, int threads)
{
    snc_ctx ctx = SNC_CTX_INIT;
    snc_host host = *h;
    SNC_CHECK(c && c->rank > 0, SNC_E_ARG, "snc_ranks_attend: not a rank past 0");
    ctx.threads = threads > 0 ? threads : snc_par_share_of(c->host_ranks);
    ctx.log = say_errors;
    ctx.user = &host;
    ctx.level = SNC_LOG_ERROR;
    ctx.comm = c;
    c->program = h->program;
    ctx.meter = &ctx.own;
    SNC_TRY(snc_ctx_check(&ctx));
    return snc_duty_attend(&ctx, duties, sizeof duties / sizeof *duties);
}

void snc_ranks_close(snc_comm *c, int failed)
{
    if (!c) return;
    if (!failed && c->rank == 0) failed = snc_duty_dismiss(c) != SNC_OK;
    if (failed || c->failed) snc_comm_abort(c);
    snc_comm_close(c);
}
