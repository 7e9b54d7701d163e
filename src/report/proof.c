/* Scores beside those of the teacher and of full-size INT8, then fresh processes, one a round. */
#include "report/proof.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/option.h"
#include "artifact/task_score.h"
#include "base/clock.h"
#include "base/fmap.h"
#include "base/hosts.h"
#include "base/mem.h"
#include "base/place.h"
#include "base/proc.h"
#include "candidate/far_clock.h"
#include "models/cost.h"

static const double ROUNDS_FOR = 180; /* seconds */
static const char ROUND[] = "0.4s";   /* of each model in one process */

static snc_err parse_cell(double *us, double *p90_us, const cJSON *cell, const char *model)
{
    const cJSON *p = cJSON_GetObjectItemCaseSensitive(cell, "percentile_ms"), *p90 = cJSON_GetObjectItemCaseSensitive(cell, "p90_ms");
    SNC_CHECK(cJSON_IsNumber(p) && cJSON_IsNumber(p90), SNC_E_BACKEND, "%s: the timing process gave no percentile", model);
    *us = p->valuedouble * 1e3;
    *p90_us = p90->valuedouble * 1e3;
    return SNC_OK;
}

/* What rounds are made with. */
typedef struct timer {
    const snc_ctx *ctx;
    const snc_options *o;
    const snc_host *h;
    const snc_proof_files *files;
    snc_far_clock *far; /* NULL: here */
} timer;

static snc_err time_beside(double *us, double *p90_us, const timer *t, const char *const *models, int n)
{
    char percentile[32];
    char *text = NULL;
    cJSON *j = NULL;
    const snc_workload_opts *w = &t->o->workload;
    const char *argv[24 + SNC_PROOF_MOST] = {t->h->program,   "bench", "-b",     w->batch,       "-s",       w->seq_len,  "-t",
                                             w->threads,      "-o",    "json",   "--percentile", percentile, "--backend", t->o->job.backend,
                                             "--time-budget", ROUND,   "--quiet"};
    int used = 0;
    assert(n >= 1 && n <= SNC_PROOF_MOST);
    snprintf(percentile, sizeof percentile, "%g", w->percentile);
    while (argv[used]) used++;
    for (int i = 0; i < n; i++) argv[used++] = models[i];
    SNC_TRY(snc_far_clock_run(&text, t->far, t->ctx, argv));
    snc_err err = snc_json_parse(&j, text, strlen(text), "bench");
    for (int i = 0; i < n && !err; i++) err = parse_cell(&us[i], &p90_us[i], cJSON_GetArrayItem(j, i), models[i]);
    cJSON_Delete(j);
    snc_free(text);
    return err;
}

snc_err snc_proof_time(double *us, double *p90_us, const snc_ctx *ctx, const snc_options *o, const snc_host *h, const char *const *models,
                       int n)
{
    const timer t = {.ctx = ctx, .o = o, .h = h};
    return time_beside(us, p90_us, &t, models, n);
}

/* One process for the teacher, or for all others, every other round in the other order. */
static snc_err time_round(snc_proof *p, const timer *t, int r, bool teacher)
{
    const char *models[SNC_PROOF_MOST] = {NULL};
    double us[SNC_PROOF_MOST], tail[SNC_PROOF_MOST];
    int of[SNC_PROOF_MOST], n = 0;
    for (int i = 0; i < p->n; i++) {
        const int k = r % 2 ? p->n - 1 - i : i;
        if ((k == SNC_PROOF_TEACHER) != teacher || snc_proof_is_cascade(p, k)) continue;
        models[n] = p->m[k].path;
        of[n++] = k;
    }
    SNC_TRY(time_beside(us, tail, t, models, n));
    for (int i = 0; i < n; i++) {
        snc_proof_model *m = &p->m[of[i]];
        m->round_us[r] = us[i];
        m->p90_us = (m->p90_us * r + tail[i]) / (r + 1);
        m->rounds = r + 1;
    }
    return SNC_OK;
}

/* Rounds up to the n-th, of slow models as many as there is time for by the round before. The teacher, which no target depends on and
 * which would take the caches from the others, has processes of its own and fewer rounds. */
static snc_err time_rounds(snc_proof *p, const timer *t, int n)
{
    const snc_ctx *ctx = t->ctx;
    const int first = p->m[SNC_PROOF_COMPRESSED].rounds;
    const double t0 = snc_now(), end = ctx->until > 0 ? fmin(ctx->until, t0 + ROUNDS_FOR) : t0 + ROUNDS_FOR;
    double began = t0, took = 0;
    for (int r = first; r < n && (r < SNC_PROOF_LEAST_ROUNDS || began + took < end); r++) {
        if (r < SNC_PROOF_TEACHER_ROUNDS) {
            snc_progress(ctx, "proof", r, n, "%s", p->m[SNC_PROOF_TEACHER].name);
            SNC_TRY(time_round(p, t, r, true));
        }
        snc_progress(ctx, "proof", r + 0.5, n, "%s beside %s", p->m[SNC_PROOF_COMPRESSED].name, p->m[SNC_PROOF_INT8].name);
        SNC_TRY(time_round(p, t, r, false));
        snc_progress(ctx, "proof", r + 1, n, "%.0f us against %.0f us full INT8", p->m[SNC_PROOF_COMPRESSED].round_us[r],
                     p->m[SNC_PROOF_INT8].round_us[r]);
        took = snc_now() - began;
        began += took;
    }
    return SNC_OK;
}

/* ---- the cascade ---------------------------------------------------------------------------------------------------------- */

/* Of the file as its nets escalate, and of the model that was named last. */
static snc_err add_texts(snc_proof_model *m, int r, const cJSON *cells)
{
    static const char cascade[] = ":cascade";
    const cJSON *own = NULL, *int8 = cJSON_GetArrayItem(cells, cJSON_GetArraySize(cells) - 1), *cell;
    cJSON_ArrayForEach(cell, cells)
    {
        const char *model = snc_json_text(cell, "model");
        const size_t n = strlen(model);
        if (n >= sizeof cascade && strcmp(model + n + 1 - sizeof cascade, cascade) == 0) own = cell;
    }
    SNC_CHECK(own && int8 != own, SNC_E_BACKEND, "%s: the timing process said nothing of its cascade", m->path);
    m->round_us[r] = 1e6 / snc_json_number(own, "sentences_per_s");
    m->beside_us[r] = 1e6 / snc_json_number(int8, "sentences_per_s");
    m->p50_us += 1e3 * snc_json_number(own, "p50_ms") / SNC_PROOF_CASCADE_ROUNDS;
    m->p90_us += 1e3 * snc_json_number(own, "p90_ms") / SNC_PROOF_CASCADE_ROUNDS;
    m->p99_us += 1e3 * snc_json_number(own, "p99_ms") / SNC_PROOF_CASCADE_ROUNDS;
    m->p99_ratio += snc_json_number(own, "p99_ms") / snc_json_number(int8, "p99_ms") / SNC_PROOF_CASCADE_ROUNDS;
    m->rounds = r + 1;
    return SNC_OK;
}

/* One process: real texts through the file, which are timed through the full-size INT8 model as well. All that it reads are files, so that
 * it can be another host's. */
static snc_err time_texts(snc_proof *p, const timer *t, int r, const char *task)
{
    snc_proof_model *m = &p->m[p->n - 1];
    char *text = NULL;
    cJSON *j = NULL;
    int n, used = 0;
    const char *argv[64] = {t->h->program, "bench",         m->path,     p->m[SNC_PROOF_INT8].path,
                            "--net",       "0,cascade",     "--tasks",   task,
                            "--data",      t->files->train, "--split",   t->files->dev ? t->files->dev : "dev",
                            "--format",    "json",          "--backend", t->o->job.backend,
                            "--quiet",     "--time-budget", ROUND};
    while (argv[used]) used++;
    for (const snc_option *row = snc_option_table(&n); n--; row++) { /* which rows these are */
        const bool of_texts = strcmp(row->group, "rows") == 0 && (row->verbs & SNC_VERB_BENCH) && (row->verbs & SNC_VERB_COMPRESS);
        if (!of_texts || row->kind != SNC_OPTION_STRING || strcmp(row->name, "--data") == 0 || !snc_option_text(t->o, row)) continue;
        argv[used++] = row->name;
        argv[used++] = snc_option_text(t->o, row);
    }
    SNC_TRY(snc_far_clock_run(&text, t->far, t->ctx, argv));
    snc_err err = snc_json_parse(&j, text, strlen(text), "bench");
    if (!err) err = add_texts(m, r, j);
    cJSON_Delete(j);
    snc_free(text);
    return err;
}

static snc_err time_cascade(snc_proof *p, const timer *t)
{
    char task[SNC_CONFIG_PATH];
    if (!p->cascade) return SNC_OK;
    SNC_TRY(snc_config_find(task, "task", snc_inputs_task_name(t->o)));
    const char *const read[] = {task, t->files->train, t->files->dev};
    for (int i = 0; i < 3; i++)
        if (read[i]) SNC_TRY(snc_far_clock_keep(t->far, read[i]));
    for (int r = 0; r < SNC_PROOF_CASCADE_ROUNDS; r++) {
        snc_progress(t->ctx, "proof", r, SNC_PROOF_CASCADE_ROUNDS, "%s", "cascade");
        SNC_TRY(time_texts(p, t, r, task));
    }
    return SNC_OK;
}

static void sum_up(snc_proof *p)
{
    for (int k = 0; k < p->n; k++) {
        snc_proof_model *m = &p->m[k];
        double ratio[SNC_PROOF_MOST_ROUNDS], low = INFINITY, high = 0;
        for (int r = 0; r < m->rounds; r++) {
            ratio[r] = m->round_us[r] / (snc_proof_is_cascade(p, k) ? m->beside_us : p->m[SNC_PROOF_INT8].round_us)[r];
            low = fmin(low, m->round_us[r]);
            high = fmax(high, m->round_us[r]);
        }
        m->latency_us = snc_interval_of(m->round_us, m->rounds);
        m->ratio = snc_interval_of(ratio, m->rounds);
        m->spread = (high - low) / m->latency_us.value;
    }
}

void snc_proof_attained(snc_attained found[SNC_TARGETS], const snc_proof *p)
{
    const snc_proof_model *c = &p->m[SNC_PROOF_COMPRESSED], *full = &p->m[SNC_PROOF_INT8];
    found[SNC_TARGET_LATENCY] = (snc_attained){c->latency_us, c->ratio};
    found[SNC_TARGET_SIZE] = snc_attained_exactly(c->bytes, full->bytes);
    found[SNC_TARGET_MACS] = snc_attained_exactly(c->macs, full->macs);
    found[SNC_TARGET_DROP] = (snc_attained){.value = {c->all.drop.points.value, c->all.drop.points.low, c->all.drop.bound}};
}

bool snc_proof_decided(const snc_proof_model *m, const snc_target *latency)
{
    snc_interval i = snc_target_judged(latency, &(snc_attained){m->latency_us, m->ratio});
    return !latency->given || i.high <= latency->value || i.low > latency->value;
}

static snc_err time_models(snc_proof *p, const timer *t)
{
    const snc_target *latency = t->files->latency;
    bool decided = true;
    SNC_TRY(time_cascade(p, t));
    SNC_TRY(time_rounds(p, t, SNC_PROOF_ROUNDS));
    sum_up(p);
    for (int k = 0; k < snc_proof_nets(p); k++) decided = decided && snc_proof_decided(&p->m[snc_proof_net(k)], &latency[k]);
    if (decided) return SNC_OK;
    SNC_TRY(time_rounds(p, t, SNC_PROOF_MOST_ROUNDS));
    sum_up(p);
    return SNC_OK;
}

/* ---- hosts ------------------------------------------------------------------------------------------------------------------ */

static bool is_worse(const snc_proof_model *m, const snc_proof_model *than, const snc_target *latency)
{
    return snc_target_judged(latency, &(snc_attained){m->latency_us, m->ratio}).high >
           snc_target_judged(latency, &(snc_attained){than->latency_us, than->ratio}).high;
}

void snc_proof_add_host(snc_proof *p, const snc_proof *one, const snc_target *latency, const snc_comm_host *host)
{
    const int k = p->hosts;
    bool worse[SNC_PROOF_MOST];
    const bool first = k == 0 || is_worse(&one->m[SNC_PROOF_COMPRESSED], &p->m[SNC_PROOF_COMPRESSED], &latency[0]);
    for (int i = 0; i < p->n; i++) worse[i] = first;
    for (int net = 1; net < snc_proof_nets(p) && k > 0; net++)
        worse[snc_proof_net(net)] = is_worse(&one->m[snc_proof_net(net)], &p->m[snc_proof_net(net)], &latency[net]);
    for (int i = 0; i < p->n; i++) {
        const snc_proof_model *m = &one->m[i];
        p->on[k].m[i].latency_us = m->latency_us;
        p->on[k].m[i].ratio = m->ratio;
        p->on[k].m[i].p90_us = m->p90_us;
        p->on[k].m[i].rounds = m->rounds;
        if (!worse[i]) continue;
        p->m[i] = *m;
        p->m[i].host = k;
    }
    p->on[k].host = host;
    p->hosts += host != NULL;
}

/* By who measures k-th, of a proof that nobody has timed yet; of what is left of the time its share. */
static snc_err time_on(snc_proof *one, const snc_ctx *ctx, const snc_options *o, const snc_host *h, const snc_proof_files *files, int k)
{
    snc_ctx own = *ctx;
    timer t = {.ctx = &own, .o = o, .h = h, .files = files};
    const double now = snc_now();
    if (ctx->until > 0) own.until = now + (ctx->until - now) / (snc_clocks(ctx->comm) - k);
    SNC_TRY(snc_far_clock_open(&t.far, &own, k));
    snc_err err = SNC_OK;
    for (int i = 0; i < one->n && !err; i++) err = snc_far_clock_keep(t.far, one->m[i].path);
    if (!err) err = time_models(one, &t);
    snc_far_clock_close(t.far);
    return err;
}

static snc_err time_all(snc_proof *p, const snc_ctx *ctx, const snc_options *o, const snc_host *h, const snc_proof_files *files)
{
    const snc_proof untimed = *p;
    for (int k = 0; k < snc_clocks(ctx->comm); k++) {
        snc_proof one = untimed;
        SNC_TRY(time_on(&one, ctx, o, h, files, k));
        snc_proof_add_host(p, &one, files->latency, snc_clock_host(ctx->comm, k));
    }
    return SNC_OK;
}

/* ---- scores --------------------------------------------------------------------------------------------------------- */

/* With the file's own tokenizer: its vocabulary may be a part of the teacher's. */
static snc_err answer(float *logits, snc_cascaded_share *share, const snc_ctx *ctx, const snc_options *o, const snc_task *task,
                      const snc_eval_set *s, const snc_loaded *l)
{
    snc_dataset *own = NULL;
    if (l->tok) SNC_TRY(snc_dataset_load(&own, ctx, task, l->tok, o->rows.data, s->name, 0));
    snc_err err = snc_cascaded_deliver(logits, share, ctx, l, own ? own : s->rows, NULL);
    if (!err) snc_loaded_cut(logits, l, s->rows->n);
    snc_dataset_free(own);
    return err;
}

static snc_err score_model(snc_proof *p, int i, const snc_ctx *ctx, const snc_options *o, const snc_task *task)
{
    snc_proof_model *m = &p->m[i];
    const snc_eval_sets *rows = p->rows;
    snc_cascaded_share share[SNC_NETS_MOST] = {{0}};
    snc_loaded l;
    m->bytes = snc_file_size(m->path);
    SNC_TRY(snc_loaded_open(&l, ctx, m->path, 0, SNC_MEANS_CLASSES));
    p->classes = snc_task_outputs(task);
    m->macs = (double)snc_cost_encoder_macs(snc_weights_config(l.weights), snc_weights_arch(l.weights), SNC_MACS_TOKENS);
    snc_err err = snc_proof_is_cascade(p, i) ? snc_loaded_use(&l, -1) : SNC_OK;
    if (!err) err = snc_alloc(&m->logits, snc_dataset_logits(&rows->all, p->classes), sizeof *m->logits);
    for (int k = 0; k < rows->n && !err; k++) {
        float *logits = m->logits + (size_t)snc_eval_sets_begin(rows, k) * (size_t)p->classes;
        err = answer(logits, share, ctx, o, task, &rows->of[k], &l);
        for (int net = 0; net < SNC_NETS_MOST; net++) {
            p->share[net].rows += share[net].rows;
            p->share[net].agree += share[net].agree;
        }
        if (!err) err = snc_task_score(&m->set[k].score, m->set[k].metric, task, logits, rows->of[k].rows, p->classes);
    }
    if (!err) err = snc_task_score(&m->all.score, m->all.metric, task, m->logits, &rows->all, p->classes);
    if (!err) err = snc_breakdown_make(&m->classes, task, m->logits, &rows->all, p->classes);
    snc_loaded_close(&l);
    return err;
}

/* Each set, then all: a model with the teacher and with full-size INT8, on the same rows. k: the set, rows->n for all of them. */
static snc_err compare_on(snc_proof *p, const snc_ctx *ctx, const snc_task *task, int k)
{
    const snc_eval_sets *rows = p->rows;
    const snc_dataset *d = k < rows->n ? rows->of[k].rows : &rows->all;
    const size_t from = k < rows->n ? (size_t)snc_eval_sets_begin(rows, k) * (size_t)p->classes : 0;
    const snc_proof_model *teacher = &p->m[SNC_PROOF_TEACHER], *int8 = &p->m[SNC_PROOF_INT8];
    const double to_teacher = k < rows->n ? teacher->set[k].score : teacher->all.score,
                 to_int8 = k < rows->n ? int8->set[k].score : int8->all.score;
    for (int i = 0; i < p->n; i++) {
        snc_proof_model *m = &p->m[i];
        snc_scores *s = k < rows->n ? &m->set[k] : &m->all;
        const float *of = m->logits + from;
        SNC_TRY(snc_drop_of(&s->drop, ctx, task, d, teacher->logits + from, to_teacher, of, s->score, p->classes));
        SNC_TRY(snc_drop_of(&s->drop_int8, ctx, task, d, int8->logits + from, to_int8, of, s->score, p->classes));
        s->equal_labels = snc_task_regression(task) ? (double)NAN : 1 - (double)s->drop.differ / s->drop.n;
    }
    return SNC_OK;
}

static snc_err compare(snc_proof *p, const snc_ctx *ctx, const snc_task *task)
{
    SNC_TRY(compare_on(p, ctx, task, p->rows->n));
    for (int k = 0; k < p->rows->n; k++) {
        if (p->rows->n > 1) SNC_TRY(compare_on(p, ctx, task, k));
        else
            for (int i = 0; i < p->n; i++) p->m[i].set[k] = p->m[i].all;
    }
    return SNC_OK;
}

snc_err snc_proof_run(snc_proof *out, const snc_ctx *ctx, const snc_options *o, const snc_host *h, const snc_task *task,
                      const snc_eval_sets *rows, const snc_proof_files *files)
{
    static const char *const names[SNC_PROOF_MOST - 1] = {"compressed", "full INT8", "teacher F32", "net 1", "net 2",
                                                          "net 3",      "net 4",     "net 5",       "net 6", "net 7"};
    snc_err err = SNC_OK;
    *out = (snc_proof){.rows = rows, .n = files->n + files->cascade, .cascade = files->cascade};
    for (int k = 0; k < out->n; k++) {
        const bool cascade = snc_proof_is_cascade(out, k);
        out->m[k].name = cascade ? "cascade" : names[k];
        out->m[k].path = cascade ? files->path[SNC_PROOF_COMPRESSED] : files->path[k];
        snc_progress(ctx, "scores", k, out->n + 1, "%s", out->m[k].name);
        SNC_GOTO(score_model(out, k, ctx, o, task));
    }
    snc_progress(ctx, "scores", out->n, out->n + 1, "intervals");
    SNC_GOTO(compare(out, ctx, task));
    SNC_GOTO(time_all(out, ctx, o, h, files));
out:
    if (err) snc_proof_dispose(out);
    return err;
}

void snc_proof_dispose(snc_proof *p)
{
    for (int k = 0; k < p->n; k++) {
        snc_free(p->m[k].logits);
        snc_breakdown_dispose(&p->m[k].classes);
    }
    *p = (snc_proof){0};
}
