/* Ranks meet, wait for what rank 0 calls them to, and part: what of a job is shared is said by the duties listed here. */
#include "base/duty.h"
#include "base/fmap.h"
#include "base/hosts.h"
#include "base/mem.h"
#include "base/par.h"
#include "base/proc.h"
#include "candidate/far_clock.h"
#include "candidate/shared_out.h"
#include "train/importance.h"
#include "train/sweep.h"
#include "train/together.h"

static const snc_duty *const duties[] = {&snc_duty_train, &snc_duty_sweep, &snc_duty_importance, &snc_duty_evaluate, &snc_duty_clock};

typedef struct card {    /* what a rank shows when they meet */
    uint64_t program;    /* of its bytes */
    uint64_t machine;    /* whose memory it has */
    uint64_t processors; /* of its machine and of those that it may use there */
} card;

static snc_err meet(snc_comm *c)
{
    card *all = NULL;
    snc_err err = snc_alloc(&all, (size_t)c->size, sizeof *all);
    if (!err) {
        all[c->rank].machine = snc_cpus_machine();
        all[c->rank].processors = snc_cpus_identity();
    }
    if (!err) err = snc_file_hash(&all[c->rank].program, SNC_PROC_SELF);
    err = snc_comm_agree(c, err);
    if (!err) err = snc_comm_gather_each(c, all, sizeof *all);
    if (!err) err = snc_hosts_meet(c);
    c->host_ranks = c->neighbours = 0;
    for (int r = 0; r < c->size && !err; r++) {
        c->host_ranks += all[r].processors == all[c->rank].processors;
        c->neighbours += all[r].machine == all[c->rank].machine;
        if (c->rank == 0 && all[r].program != all[0].program)
            err =
                snc_err_set(SNC_E_ARG, "rank %d runs another build of this program than rank 0: install the same one on every machine", r);
    }
    snc_free(all);
    return err;
}

snc_err snc_ranks_open(snc_comm **out)
{
    snc_comm *c;
    SNC_TRY(snc_comm_open_mpi(&c));
    *out = c;
    return c ? meet(c) : SNC_OK;
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
