/* The other side of candidate/far_clock.h: a rank that measures. In the middle of that it says at most a few words a second, and looks as
 * often whether it is to stop. */
#include <string.h>

#include "artifact/context.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/partial.h"
#include "base/proc.h"
#include "candidate/far_clock.h"
#include "candidate/profiling.h"
#include "candidate/speeds_clock.h"
#include "models/model_ranks.h"

static const double SAY_EVERY = 0.5; /* seconds */

typedef struct guest {
    snc_ctx ctx; /* of what it does alone; its calls go to rank 0 */
    snc_comm *c;
    volatile int cancel;
    char stop;
    snc_comm_message stopping, saying;
    snc_far_word word; /* that is on its way */
    double said_at;
    int asked; /* questions */
    snc_partial *file[SNC_FAR_FILES];
    char path[SNC_FAR_FILES][SNC_NAMELESS];
    int files;
} guest;

/* ---- what rank 0 hears ------------------------------------------------------------------------------------------------- */

static snc_err say(guest *g, const snc_far_word *w)
{
    SNC_TRY(snc_comm_wait(&g->saying, g->c, 0, false));
    g->word = *w;
    g->said_at = snc_now();
    return snc_comm_send(&g->saying, g->c, 0, SNC_FAR_TAG_WORD, &g->word, sizeof g->word);
}

/* Of what nobody waits for: a comm that fails is found out by the answer. */
static void say_by_the_way(guest *g, const snc_far_word *w)
{
    if (!g->c->failed && say(g, w)) g->cancel = 1;
}

static void on_line(void *user, snc_log_level level, const char *line)
{
    snc_far_word w = {.kind = SNC_FAR_LINE, .code = (int)level};
    strncpy(w.text, line, sizeof w.text - 1);
    say_by_the_way(user, &w);
}

static void on_status(void *user, const snc_status *s)
{
    guest *g = user;
    snc_far_word w = {.kind = SNC_FAR_STATUS, .done = s->done, .total = s->total};
    if (snc_comm_look(&g->stopping, g->c) || g->stopping.done) g->cancel = 1;
    if (snc_now() - g->said_at < SAY_EVERY) return;
    strncpy(w.what, s->what, sizeof w.what - 1);
    strncpy(w.text, s->note, sizeof w.text - 1);
    say_by_the_way(g, &w);
}

/* ---- what is measured --------------------------------------------------------------------------------------------------- */

typedef struct told { /* rank 0's snc_net_clock, as it is here */
    snc_net_clock clock;
    snc_workload_opts load;
    snc_dataset rank; /* lengths alone */
    snc_model *m;
    snc_space *space;
} told;

static void forget(told *t)
{
    snc_free(t->rank.start);
    snc_model_free(t->m);
    snc_space_free(t->space);
}

static snc_err take_clock(told *t, guest *g, snc_parcel *p)
{
    snc_model_form form;
    SNC_TRY(snc_parcel_take(&form, p, sizeof form));
    form.cfg = snc_config_cut(&form.cfg, &form.arch); /* a net has no experts */
    SNC_TRY(snc_model_of_form(&t->m, &g->ctx, &form));
    snc_model_init_random(t->m, g->ctx.seed);
    SNC_TRY(snc_alloc(&t->space, 1, sizeof *t->space));
    SNC_TRY(snc_parcel_take(t->space, p, sizeof *t->space));
    SNC_TRY(snc_parcel_take_text(&t->load.batch, p));
    SNC_TRY(snc_parcel_take_text(&t->load.seq_len, p));
    SNC_TRY(snc_parcel_take(&t->load.percentile, p, sizeof t->load.percentile));
    SNC_TRY(snc_parcel_take(&t->rank.n, p, sizeof t->rank.n));
    SNC_TRY(snc_alloc(&t->rank.start, (size_t)t->rank.n + 1, sizeof *t->rank.start));
    SNC_TRY(snc_parcel_take(t->rank.start, p, ((size_t)t->rank.n + 1) * sizeof *t->rank.start));
    t->clock = (snc_net_clock){&g->ctx, &t->load, &t->rank, t->m, t->space};
    return SNC_OK;
}

static snc_err put_json(snc_parcel *back, const cJSON *j)
{
    char *text = cJSON_PrintUnformatted(j);
    SNC_CHECK(text, SNC_E_NOMEM, "out of memory while printing a table");
    snc_parcel_put_text(back, text);
    cJSON_free(text);
    return back->err;
}

static snc_err make_table(snc_parcel *back, const told *t)
{
    snc_latency *table = NULL;
    cJSON *probed = NULL, *j = NULL;
    snc_err err = SNC_OK;
    SNC_GOTO(snc_profile_measure(&table, &probed, &t->clock));
    j = snc_latency_to_json(table);
    SNC_GOTO(put_json(back, j));
    SNC_GOTO(put_json(back, probed));
out:
    cJSON_Delete(j);
    cJSON_Delete(probed);
    snc_latency_free(table);
    return err;
}

static snc_err time_nets(snc_parcel *back, const told *t, snc_parcel *p)
{
    snc_clocked net[SNC_CLOCKED];
    const char *what;
    int n;
    SNC_TRY(snc_parcel_take_text(&what, p));
    SNC_TRY(snc_parcel_take(&n, p, sizeof n));
    SNC_CHECK(n >= 1 && n <= SNC_CLOCKED, SNC_E_FORMAT, "%d nets to time", n);
    SNC_TRY(snc_parcel_take(net, p, (size_t)n * sizeof *net));
    SNC_TRY(snc_net_clock_run(net, n, &t->clock, what));
    snc_parcel_put(back, net, (size_t)n * sizeof *net);
    return back->err;
}

static snc_err time_file(snc_parcel *back, guest *g, snc_parcel *p)
{
    int file;
    snc_loaded l;
    bool both;
    snc_speeds s;
    snc_steps steps;
    SNC_TRY(snc_parcel_take(&file, p, sizeof file));
    SNC_TRY(snc_parcel_take(&both, p, sizeof both));
    SNC_CHECK(file >= 0 && file < g->files, SNC_E_FORMAT, "file %d of %d", file, g->files);
    SNC_TRY(snc_loaded_open(&l, &g->ctx, g->path[file], 0, SNC_MEANS_CLASSES));
    snc_err err = snc_loaded_open_nets(&l);
    if (!err) err = snc_speeds_clock(&s, both ? &steps : NULL, &g->ctx, &l);
    snc_loaded_close(&l);
    SNC_TRY(err);
    snc_parcel_put(back, &s, sizeof s);
    if (both) snc_parcel_put(back, &steps, sizeof steps);
    return back->err;
}

/* ---- fresh processes ---------------------------------------------------------------------------------------------------- */

static snc_err grow_file(guest *g, snc_parcel *p)
{
    int file;
    SNC_TRY(snc_parcel_take(&file, p, sizeof file));
    SNC_CHECK(file >= 0 && file <= g->files && file < SNC_FAR_FILES, SNC_E_FORMAT, "file %d of %d", file, g->files);
    if (file == g->files) {
        SNC_TRY(snc_partial_nameless(&g->file[file], g->path[file]));
        g->files++;
    }
    return snc_partial_write(g->file[file], p->p + p->at, p->n - p->at);
}

static snc_err run(snc_parcel *back, guest *g, snc_parcel *p)
{
    const char *argv[SNC_FAR_ARGUMENTS + 1] = {g->c->program};
    char *text = NULL;
    SNC_CHECK(argv[0], SNC_E_NOTFOUND, "no program to measure with in fresh processes: snc_host.program names it");
    for (int n = 1; p->at < p->n; n++) {
        int file;
        SNC_CHECK(n < SNC_FAR_ARGUMENTS, SNC_E_FORMAT, "too many arguments");
        SNC_TRY(snc_parcel_take(&file, p, sizeof file));
        SNC_TRY(snc_parcel_take_text(&argv[n], p));
        SNC_CHECK(file < g->files, SNC_E_FORMAT, "file %d of %d", file, g->files);
        if (file >= 0) argv[n] = g->path[file];
    }
    snc_progress(&g->ctx, "process", 0, 1, "%s", ""); /* from here on it says once a second that it lives */
    SNC_TRY(snc_proc_run(&text, &g->ctx, argv));
    snc_parcel_put_text(back, text);
    snc_free(text);
    return back->err;
}

/* ---- the session -------------------------------------------------------------------------------------------------------- */

static snc_err work(snc_parcel *back, guest *g, snc_far_what what, snc_parcel *p)
{
    told t = {.rank.n = 0};
    if (what == SNC_FAR_FILE) return grow_file(g, p);
    if (what == SNC_FAR_SPEEDS) return time_file(back, g, p);
    if (what == SNC_FAR_RUN) return run(back, g, p);
    snc_err err = take_clock(&t, g, p);
    if (!err) err = what == SNC_FAR_TABLE ? make_table(back, &t) : time_nets(back, &t, p);
    forget(&t);
    return err;
}

static snc_err answer(guest *g, snc_far_what what, snc_parcel *p)
{
    snc_parcel back = {0};
    snc_far_word last = {.kind = SNC_FAR_LAST};
    if (g->asked++ == 0) snc_threads_say(&g->ctx, g->ctx.threads, false);
    last.code = work(&back, g, what, p);
    if (last.code) strncpy(last.text, snc_err_text(), sizeof last.text - 1);
    else last.bytes = back.n;
    snc_err err = say(g, &last);
    if (!err) err = snc_comm_pass(g->c, 0, SNC_FAR_TAG_WORD, back.p, last.bytes);
    snc_parcel_dispose(&back);
    return err;
}

static snc_err serve(guest *g)
{
    snc_err err = SNC_OK;
    snc_far_ask a;
    SNC_TRY(snc_comm_receive(&g->stopping, g->c, 0, SNC_FAR_TAG_STOP, &g->stop, 1));
    for (;;) {
        snc_parcel p = {0};
        SNC_TRY(snc_comm_hear(g->c, 0, SNC_FAR_TAG_ASK, &a, sizeof a, true));
        if (a.what == SNC_FAR_END) break;
        SNC_TRY(snc_grow(&p.p, &p.cap, a.bytes + 1, 1));
        p.n = a.bytes;
        err = snc_comm_hear(g->c, 0, SNC_FAR_TAG_ASK, p.p, p.n, false);
        if (!err) err = answer(g, a.what, &p);
        snc_parcel_dispose(&p);
        SNC_TRY(err);
    }
    SNC_TRY(snc_comm_wait(&g->saying, g->c, 0, false));
    return snc_comm_wait(&g->stopping, g->c, 0, false);
}

static snc_err take_guest(guest *g, int *whom, const snc_ctx *ctx, snc_parcel *said)
{
    SNC_TRY(snc_parcel_take(whom, said, sizeof *whom));
    SNC_TRY(snc_duty_take_ctx(&g->ctx, ctx, said));
    SNC_TRY(snc_parcel_take(&g->ctx.threads, said, sizeof g->ctx.threads));
    g->c = ctx->comm;
    g->saying.done = true;
    g->ctx.cancel = &g->cancel;
    g->ctx.user = g;
    g->ctx.log = on_line;
    g->ctx.status = on_status;
    g->ctx.own = (snc_meter){.n = 0};
    g->ctx.meter = &g->ctx.own;
    return SNC_OK;
}

/* Whoever is not meant goes back to sleep. */
static snc_err attend(const snc_ctx *ctx, snc_parcel *said)
{
    guest g = {.cancel = 0};
    int whom = ctx->comm->rank;
    snc_err err = take_guest(&g, &whom, ctx, said);
    if (!err && whom != ctx->comm->rank) return SNC_OK;
    if (!err) err = serve(&g);
    if (err) ctx->comm->failed = true; /* rank 0 waits for what will not come */
    snc_comm_drop(&g.stopping, ctx->comm);
    snc_comm_drop(&g.saying, ctx->comm);
    for (int i = 0; i < g.files; i++) {
        const snc_err closed = snc_partial_close(g.file[i]);
        (void)closed; /* nobody reads it any more */
    }
    return err;
}
const snc_duty snc_duty_clock = {SNC_FAR_DUTY, attend};
