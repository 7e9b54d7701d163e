/* Rank 0's side: questions one by one, and what is heard until each has its answer. */
#include "candidate/far_clock.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/hosts.h"
#include "base/mem.h"
#include "base/proc.h"
#include "models/model_ranks.h"

static const size_t PIECE = (size_t)1 << 26; /* of a file */

struct snc_far_clock {
    const snc_ctx *ctx;
    snc_comm *c;
    const char *host;
    int rank;
    char stop;
    bool stopped; /* it has been told */
    snc_comm_message stopping;
    char *file[SNC_FAR_FILES];
    int files;
};

static snc_err pass(snc_far_clock *f, const void *data, size_t bytes) { return snc_comm_pass(f->c, f->rank, SNC_FAR_TAG_ASK, data, bytes); }

static snc_err say_stop(snc_far_clock *f)
{
    if (f->stopped) return SNC_OK;
    f->stopped = true;
    return snc_comm_send(&f->stopping, f->c, f->rank, SNC_FAR_TAG_STOP, &f->stop, 1);
}

/* The next word, for which an interrupted rank 0 waits as well: it comes at once. */
static snc_err hear(snc_far_word *w, snc_far_clock *f)
{
    snc_comm_message m;
    const double since = snc_now();
    snc_err err = snc_comm_receive(&m, f->c, f->rank, SNC_FAR_TAG_WORD, w, sizeof *w);
    while (!err && !(err = snc_comm_look(&m, f->c)) && !m.done) {
        const double waited = snc_now() - since;
        if (snc_go_on(f->ctx)) err = say_stop(f);
        if (!err && waited > f->c->patience) err = snc_comm_late(f->c, f->rank);
        snc_comm_idle(waited);
    }
    if (err) {
        f->c->failed = true;
        snc_comm_drop(&m, f->c);
    }
    return err;
}

static snc_err hear_body(snc_parcel *back, snc_far_clock *f, size_t bytes)
{
    SNC_TRY(snc_grow(&back->p, &back->cap, bytes, 1));
    back->n = bytes;
    return snc_comm_hear(f->c, f->rank, SNC_FAR_TAG_WORD, back->p, bytes, false);
}

/* Disposes of `said`; back is the caller's to dispose of. */
static snc_err ask(snc_parcel *back, snc_far_clock *f, snc_far_what what, snc_parcel *said)
{
    const snc_far_ask a = {what, said->n};
    snc_far_word w;
    snc_err err = said->err;
    if (!err) err = snc_go_on(f->ctx); /* an answer that was sooner there than the interruption is followed by no other question */
    if (!err) err = pass(f, &a, sizeof a);
    if (!err) err = pass(f, said->p, said->n);
    snc_parcel_dispose(said);
    for (w.kind = SNC_FAR_STATUS; !err && w.kind != SNC_FAR_LAST;) {
        err = hear(&w, f);
        if (!err && w.kind == SNC_FAR_LINE) snc_log(f->ctx, (snc_log_level)w.code, "%s: %s", f->host, w.text);
        if (!err && w.kind == SNC_FAR_STATUS && what != SNC_FAR_RUN)
            snc_progress(f->ctx, w.what, w.done, w.total, "%s%s%s", f->host, *w.text ? ": " : "", w.text);
    }
    SNC_TRY(err);
    if (!w.code) return hear_body(back, f, w.bytes);
    SNC_TRY(snc_go_on(f->ctx));
    snc_err_say("%.64s: %.*s", f->host, SNC_ERR_TEXT - 80, w.text);
    return (snc_err)w.code;
}

snc_err snc_far_clock_open(snc_far_clock **out, const snc_ctx *ctx, int k)
{
    const int rank = snc_clock_rank(ctx->comm, k);
    snc_parcel p = {0};
    snc_far_clock *f = NULL;
    *out = NULL;
    if (rank == 0) return SNC_OK;
    SNC_TRY(snc_alloc(&f, 1, sizeof *f));
    f->ctx = ctx;
    f->c = ctx->comm;
    f->rank = rank;
    f->host = snc_clock_host(ctx->comm, k)->name;
    snc_parcel_put(&p, &rank, sizeof rank);
    snc_duty_put_ctx(&p, ctx);
    snc_parcel_put(&p, &ctx->threads, sizeof ctx->threads);
    snc_err err = snc_duty_call(f->c, SNC_FAR_DUTY, &p);
    f->c->busy = !err;
    if (err) snc_free(f);
    else *out = f;
    return err;
}

static snc_err part(snc_far_clock *f)
{
    const snc_far_ask end = {.what = SNC_FAR_END};
    SNC_TRY(pass(f, &end, sizeof end));
    SNC_TRY(say_stop(f));
    return snc_comm_wait(&f->stopping, f->c, f->rank, false);
}

void snc_far_clock_close(snc_far_clock *f)
{
    if (!f) return;
    if (!f->c->failed && part(f)) f->c->failed = true;
    snc_comm_drop(&f->stopping, f->c);
    f->c->busy = false;
    for (int i = 0; i < f->files; i++) snc_free(f->file[i]);
    snc_free(f);
}

/* ---- what is measured ------------------------------------------------------------------------------------------------- */

static void put_clock(snc_parcel *p, const snc_net_clock *c)
{
    const snc_model_form form = snc_model_form_of(c->supernet);
    snc_parcel_put(p, &form, sizeof form);
    snc_parcel_put(p, c->space, sizeof *c->space);
    snc_parcel_put_text(p, c->load->batch);
    snc_parcel_put_text(p, c->load->seq_len);
    snc_parcel_put(p, &c->load->percentile, sizeof c->load->percentile);
    snc_parcel_put(p, &c->rank->n, sizeof c->rank->n);
    snc_parcel_put(p, c->rank->start, ((size_t)c->rank->n + 1) * sizeof *c->rank->start);
}

static snc_err take_json(cJSON **out, snc_parcel *p)
{
    const char *text;
    SNC_TRY(snc_parcel_take_text(&text, p));
    return snc_json_parse(out, text, strlen(text), "a table of another rank");
}

snc_err snc_far_clock_table(snc_latency **t, cJSON **probed, snc_far_clock *f, const snc_net_clock *c)
{
    snc_parcel said = {0}, back = {0};
    cJSON *table = NULL;
    snc_err err = SNC_OK;
    put_clock(&said, c);
    SNC_GOTO(ask(&back, f, SNC_FAR_TABLE, &said));
    SNC_GOTO(take_json(&table, &back));
    SNC_GOTO(take_json(probed, &back));
    SNC_GOTO(snc_latency_from_json(t, table, f->host));
out:
    cJSON_Delete(table);
    snc_parcel_dispose(&back);
    return err;
}

snc_err snc_far_clock_nets(snc_clocked *net, int n, snc_far_clock *f, const snc_net_clock *c, const char *what)
{
    snc_parcel said = {0}, back = {0};
    put_clock(&said, c);
    snc_parcel_put_text(&said, what);
    snc_parcel_put(&said, &n, sizeof n);
    snc_parcel_put(&said, net, (size_t)n * sizeof *net);
    snc_err err = ask(&back, f, SNC_FAR_NETS, &said);
    if (!err) err = snc_parcel_take(net, &back, (size_t)n * sizeof *net);
    snc_parcel_dispose(&back);
    return err;
}

/* ---- fresh processes -------------------------------------------------------------------------------------------------- */

static int find(const snc_far_clock *f, const char *path)
{
    for (int i = 0; i < f->files; i++)
        if (strcmp(f->file[i], path) == 0) return i;
    return -1;
}

snc_err snc_far_clock_keep(snc_far_clock *f, const char *path)
{
    snc_fmap *m = NULL;
    snc_err err = SNC_OK;
    if (!f || find(f, path) >= 0) return SNC_OK;
    assert(f->files < SNC_FAR_FILES);
    SNC_TRY(snc_fmap_open(&m, path));
    for (size_t at = 0; at < m->size; at += PIECE) {
        snc_parcel said = {0}, back = {0};
        snc_parcel_put(&said, &f->files, sizeof f->files);
        snc_parcel_put(&said, m->data + at, m->size - at < PIECE ? m->size - at : PIECE);
        SNC_GOTO(ask(&back, f, SNC_FAR_FILE, &said));
    }
    SNC_GOTO(snc_strdup(&f->file[f->files], path));
    f->files++;
out:
    snc_fmap_close(m);
    return err;
}

static void set_host(snc_speeds *s, const snc_far_clock *f)
{
    s->cpu = f->c->host[f->rank].cpu;
    s->isa = f->c->host[f->rank].isa;
    s->backend = snc_backend_name(f->ctx->backend);
}

snc_err snc_far_clock_speeds(snc_speeds *out, snc_steps *steps, snc_far_clock *f, const char *path)
{
    const bool both = steps != NULL;
    snc_parcel said = {0}, back = {0};
    SNC_TRY(snc_far_clock_keep(f, path));
    const int file = find(f, path);
    snc_parcel_put(&said, &file, sizeof file);
    snc_parcel_put(&said, &both, sizeof both);
    snc_err err = ask(&back, f, SNC_FAR_SPEEDS, &said);
    if (!err) err = snc_parcel_take(out, &back, sizeof *out);
    if (!err && both) err = snc_parcel_take(steps, &back, sizeof *steps);
    snc_parcel_dispose(&back);
    set_host(out, f);
    if (both) set_host(&steps->rest, f);
    return err;
}

snc_err snc_far_clock_run(char **text, snc_far_clock *f, const snc_ctx *ctx, const char *const *argv)
{
    snc_parcel said = {0}, back = {0};
    const char *answer;
    if (!f) return snc_proc_run(text, ctx, argv);
    for (int i = 1; argv[i]; i++) {
        const int file = find(f, argv[i]);
        snc_parcel_put(&said, &file, sizeof file);
        snc_parcel_put_text(&said, argv[i]);
    }
    snc_err err = ask(&back, f, SNC_FAR_RUN, &said);
    if (!err) err = snc_parcel_take_text(&answer, &back);
    if (!err) err = snc_strdup(text, answer);
    snc_parcel_dispose(&back);
    return err;
}
