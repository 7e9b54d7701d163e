/* compress bench: latency over batch, length and threads, of several models beside each other, where it goes, and scores on tasks. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/cascaded.h"
#include "artifact/context.h"
#include "artifact/inputs.h"
#include "artifact/load.h"
#include "artifact/option.h"
#include "artifact/parse.h"
#include "artifact/say.h"
#include "artifact/task_score.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "base/names.h"
#include "base/number.h"
#include "candidate/workload.h"
#include "models/bundle.h"
#include "models/cost.h"
#include "quant/qlinear.h"
#include "report/bench_rows.h"
#include "report/breakdown.h"
#include "stage/bench_cascade.h"
#include "stage/verbs.h"

typedef struct bench {
    const snc_options *o;
    const snc_host *h;
    snc_int_list batch, seq, threads;
    snc_measure_opts measure;
    double budget; /* us of a text; 0: none is asked */
    snc_bench_rows rows;
    size_t broken;       /* rows of models whose answers are no numbers */
    struct entry *entry; /* [models] */
    size_t models, room;
    snc_loaded *model;  /* [models] */
    snc_bench_rows *of; /* what was found of each */
} bench;

enum { ALL = -1, IN_TIME = -2 };

/* A net of a file. */
typedef struct entry {
    const char *path;
    int net;    /* ALL: they escalate; IN_TIME: the budget says which one */
    char *name; /* "family.snc:1", of the first net the path alone */
} entry;

/* A model made ready for a cell. */
typedef struct ready {
    snc_workload load;
    snc_net *net;
} ready;

/* Lengths for "data": those stored with the model, which are its task's rank rows. */
static snc_err stored_lengths(int32_t **out, int *n, const snc_loaded *l, const char *path)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(l->meta, "lengths"), *it;
    int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0, i = 0;
    int32_t *v = NULL;
    snc_err err = SNC_OK;
    SNC_CHECK(count > 0, SNC_E_NOTFOUND, "%s: knows no real lengths: -s data needs a file that compress or finetune made", path);
    SNC_TRY(snc_alloc(&v, (size_t)count, sizeof *v));
    cJSON_ArrayForEach(it, list)
        SNC_GOTO(snc_json_whole(&v[i++], it, 1, snc_family_length(snc_weights_config(l->weights)), "lengths", path));
    *n = count;
    *out = v;
    v = NULL;
out:
    snc_free(v);
    return err;
}

/* Multiplies and adds of each kind in one pass over the batches, as the runtime does them: the last layer with heads has one query
 * a sequence, and attention output and FFNs from there on are for that row alone. */
static void count_ops(double ops[SNC_BENCH_KINDS], const snc_weights *w, const snc_tokens *batches, int count)
{
    const snc_arch *a = snc_weights_arch(w);
    double C = a->hidden, D = snc_weights_config(w)->head_width;
    memset(ops, 0, SNC_BENCH_KINDS * sizeof *ops);
    for (int i = 0; i < count; i++)
        for (int s = 0; s < batches[i].B; s++) {
            double S = batches[i].offsets[s + 1] - batches[i].offsets[s];
            for (int l = 0; l < a->layers; l++) {
                double A = D * a->heads[l], F = a->ffn[l], rows = l >= snc_arch_last_heads(a) ? 1 : S;
                ops[SNC_PART_QKV] += 2 * C * A * (2 * S + rows);
                ops[SNC_PART_ATTENTION] += 2 * snc_cost_products(snc_weights_config(w)) * rows * S * A;
                ops[SNC_PART_O] += 2 * rows * C * A;
                ops[SNC_PART_FFN_IN] += 2 * rows * C * F;
                ops[SNC_PART_FFN_OUT] += 2 * rows * C * F;
            }
        }
}

/* Where the time of a run goes. The clock between the parts costs a little, so times come from a second measurement. */
static snc_err profile_cell(snc_bench_row *r, snc_net *net, const snc_weights *w, const snc_workload *work, const snc_measure_opts *mo)
{
    double ops[SNC_BENCH_KINDS], seconds[SNC_BENCH_KINDS] = {0}, sum = 0;
    snc_timing t;
    snc_net_times times;
    snc_measure_opts o = *mo;
    o.warmup = 0; /* what runs before the first sample all the same is counted with the others */
    snc_net_profile(net, true);
    snc_err err = snc_measure(&t, net, work->batches, work->count, &o);
    snc_net_times_get(&times, net);
    snc_net_profile(net, false);
    SNC_TRY(err);
    count_ops(ops, w, work->batches, work->count);
    for (int l = 0; l < snc_weights_arch(w)->layers; l++)
        for (int k = 0; k < SNC_PARTS; k++) seconds[k] += times.layer[l][k];
    seconds[SNC_BENCH_EMBED] = times.embed;
    seconds[SNC_BENCH_HEAD] = times.head;
    for (int k = 0; k < SNC_BENCH_KINDS; k++) sum += seconds[k];
    for (int k = 0; k < SNC_BENCH_KINDS; k++) {
        double passes = (double)times.runs / work->count;
        r->share[k] = sum > 0 ? seconds[k] / sum : 0;
        r->tops[k] = seconds[k] > 0 ? ops[k] * passes / seconds[k] * 1e-12 : 0;
    }
    return SNC_OK;
}

static void dispose_ready(ready *x)
{
    snc_net_free(x->net);
    snc_workload_free(&x->load);
}

/* Its own batches and a first run, which says whether its answers are numbers. */
static snc_err make_ready(ready *x, const snc_bench_row *r, const snc_loaded *l, const snc_ctx *ctx)
{
    snc_err err = SNC_OK;
    int32_t *lengths = NULL;
    float *logits = NULL;
    int n = 0;
    *x = (ready){.net = NULL};
    if (r->seq == 0) SNC_GOTO(stored_lengths(&lengths, &n, l, r->model));
    SNC_GOTO(snc_workload_new(&x->load, r->batch, r->seq, lengths, n, snc_weights_config(l->weights)->vocab, ctx->seed));
    snc_net_opts no = {.max_tokens = x->load.max_tokens, .max_seqs = x->load.batch, .max_len = x->load.max_len};
    SNC_GOTO(snc_net_create(&x->net, ctx, l->weights, NULL, NULL, &no));
    SNC_GOTO(snc_alloc(&logits, (size_t)x->load.batches[0].T * (size_t)l->classes, sizeof *logits));
    err = snc_net_run(logits, x->net, &x->load.batches[0]);
    if (err == SNC_E_DIVERGED) err = snc_err_prefix(err, r->model);
out:
    snc_free(logits);
    snc_free(lengths);
    if (err) dispose_ready(x);
    return err;
}

/* What one measurement cannot do is a row that says so; the others go on. */
static snc_err go_on(bench *b, int model, snc_err err, const snc_bench_row *row)
{
    b->broken += err == SNC_E_DIVERGED;
    return err && err != SNC_E_CANCELLED ? snc_bench_add_failure(&b->of[model], *row) : err;
}

static snc_err finish_cell(bench *b, int model, snc_bench_row *r, const ready *x, const snc_timing *t, const snc_ctx *ctx)
{
    r->t = *t;
    if (t->lengths < x->load.count)
        snc_log(ctx, SNC_LOG_INFO, "%s: %d of %d batches timed, spread over their sizes: percentile %g is %.3f ms (95%%: %.3f to %.3f)",
                r->model, t->lengths, x->load.count, b->o->workload.percentile, t->value / 1e3, t->low / 1e3, t->high / 1e3);
    if (b->o->bench.profile) SNC_TRY(profile_cell(r, x->net, b->model[model].weights, &x->load, &b->measure));
    return snc_bench_add(&b->of[model], r);
}

/* The models from `first` on, `n` of them, beside each other. */
static snc_err time_cell(bench *b, const snc_bench_row *cell, int first, int n, const snc_ctx *base)
{
    snc_err err = SNC_OK;
    ready x[SNC_MEASURED_MOST];
    snc_measured m[SNC_MEASURED_MOST];
    snc_bench_row row[SNC_MEASURED_MOST];
    int of[SNC_MEASURED_MOST], timed = 0;
    snc_ctx ctx = *base;
    ctx.threads = cell->threads;
    for (int i = first; i < first + n; i++) {
        row[timed] = *cell;
        row[timed].model = b->entry[i].name;
        snc_err made = make_ready(&x[timed], &row[timed], &b->model[i], &ctx);
        if (made) {
            SNC_GOTO(go_on(b, i, made, &row[timed]));
            continue;
        }
        m[timed] = (snc_measured){.net = x[timed].net, .batches = x[timed].load.batches, .count = x[timed].load.count};
        of[timed++] = i;
    }
    snc_err failed = timed ? snc_measure_beside(m, timed, &b->measure) : SNC_OK;
    for (int k = 0; k < timed; k++) {
        snc_err its = failed ? failed : finish_cell(b, of[k], &row[k], &x[k], &m[k].t, &ctx);
        if (its) SNC_GOTO(go_on(b, of[k], its, &row[k]));
    }
out:
    for (int k = 0; k < timed; k++) dispose_ready(&x[k]);
    return err;
}

static snc_err add_score(snc_bench_rows *of, snc_bench_row row, const char *metric, double value)
{
    snprintf(row.metric, sizeof row.metric, "%s", metric);
    row.value = value;
    return snc_bench_add(of, &row);
}

/* One sentence of each length at a time, with made ids. */
static snc_err time_lengths(snc_timing *out, const bench *b, const snc_loaded *l, const snc_ctx *ctx, const int32_t *lengths, int n)
{
    snc_workload w;
    snc_net *net = NULL;
    SNC_TRY(snc_workload_new(&w, 1, 0, lengths, n, snc_weights_config(l->weights)->vocab, ctx->seed));
    const snc_net_opts no = {.max_tokens = w.max_tokens, .max_seqs = 1, .max_len = w.max_len};
    snc_err err = snc_net_create(&net, ctx, l->weights, NULL, NULL, &no);
    if (!err) err = snc_measure(out, net, w.batches, w.count, &b->measure);
    snc_net_free(net);
    snc_workload_free(&w);
    return err;
}

/* Score and the time of one real sentence at a time. */
static snc_err score_task(bench *b, int model, snc_bench_row *row, const snc_ctx *ctx, const char *name)
{
    snc_err err = SNC_OK;
    const snc_loaded *l = &b->model[model];
    snc_task *task = NULL;
    snc_dataset *d = NULL;
    float *logits = NULL;
    int32_t *lengths = NULL;
    double values[8], mean, within = 1;
    snc_breakdown classes = {0};
    SNC_GOTO(snc_inputs_task(&task, b->o, name));
    snprintf(row->task, sizeof row->task, "%s", snc_task_name(task));
    SNC_GOTO(snc_loaded_check(l, ctx, b->o, task));
    SNC_GOTO(snc_loaded_fit(task, l));
    SNC_GOTO(snc_inputs_split(&d, ctx, b->o, task, l->tok));
    snc_loaded_say_labels(l, ctx, task);
    snc_loaded_say_cut(l, ctx, task, d);
    SNC_GOTO(snc_alloc(&logits, snc_dataset_logits(d, l->classes), sizeof *logits));
    SNC_GOTO(snc_alloc(&lengths, (size_t)d->n, sizeof *lengths));
    for (int i = 0; i < d->n; i++) lengths[i] = snc_dataset_len(d, i);
    SNC_GOTO(snc_cascaded_deliver(logits, NULL, ctx, l, d, NULL));
    snc_loaded_order_classes(logits, l, task, (int)snc_dataset_answers(d));
    snc_loaded_cut(logits, l, d->n);
    SNC_GOTO(snc_task_score(&mean, values, task, logits, d, snc_task_outputs(task)));
    SNC_GOTO(snc_breakdown_make(&classes, task, logits, d, snc_task_outputs(task)));
    snc_breakdown_warn(ctx, &classes, l->path, b->o->rows.split);
    if (l->cascade || l->speeds) SNC_GOTO(snc_bench_cascade_time(&row->t, &within, ctx, l, d, &b->measure));
    else SNC_GOTO(time_lengths(&row->t, b, l, ctx, lengths, d->n));
    row->n = d->n;
    if (l->speeds) SNC_GOTO(add_score(&b->of[model], *row, "within_budget", within));
    for (int i = 0; i < snc_task_metrics(task); i++) SNC_GOTO(add_score(&b->of[model], *row, snc_task_metric(task, i), values[i]));
    if (snc_task_metrics(task) > 1) SNC_GOTO(add_score(&b->of[model], *row, "score", mean));
out:
    snc_breakdown_dispose(&classes);
    snc_free(lengths);
    snc_free(logits);
    snc_dataset_free(d);
    snc_task_close(task);
    return err;
}

/* With --tasks alone there are only scores. */
static bool has_cells(const bench *b) { return !b->o->bench.tasks || b->o->bench.batch || b->o->bench.seq_len || b->o->bench.threads; }

/* The name of the task at *p, and *p behind it. */
static snc_err next_task(char name[256], const char **p)
{
    size_t n = strcspn(*p, ",");
    SNC_CHECK(n < 256, SNC_E_ARG, "--tasks: name too long: %.40s...", *p);
    memcpy(name, *p, n);
    name[n] = 0;
    *p += n + ((*p)[n] == ',');
    return SNC_OK;
}

/* So is a task that is none, or whose rows cannot be read; tok NULL: that is not looked at. */
static snc_err check_tasks(const bench *b, const snc_ctx *ctx, const snc_tok *tok)
{
    for (const char *p = b->o->bench.tasks; p && *p;) {
        char name[256];
        snc_task *task = NULL;
        snc_dataset *d = NULL;
        SNC_TRY(next_task(name, &p));
        SNC_TRY(snc_inputs_task(&task, b->o, name));
        snc_err err = tok ? snc_inputs_split(&d, ctx, b->o, task, tok) : SNC_OK;
        snc_dataset_free(d);
        snc_task_close(task);
        SNC_TRY(err);
    }
    return SNC_OK;
}

static snc_err add_entry(bench *b, const char *path, int net)
{
    entry *e;
    const size_t size = strlen(path) + 24;
    SNC_TRY(snc_grow(&b->entry, &b->room, b->models + 1, sizeof *b->entry));
    e = &b->entry[b->models];
    *e = (entry){.path = path, .net = net};
    SNC_TRY(snc_alloc(&e->name, size, 1));
    b->models++;
    if (net == ALL) snprintf(e->name, size, "%s:cascade", path);
    else if (net == IN_TIME) snprintf(e->name, size, "%s:%gus", path, b->budget);
    else if (net) snprintf(e->name, size, "%s:%d", path, net);
    else memcpy(e->name, path, strlen(path) + 1);
    return SNC_OK;
}

/* Who answers depends on the text: of made ones it says nothing. */
static snc_err need_texts(const bench *b, const char *who)
{
    SNC_TRY(snc_option_need(who, "--tasks", b->o->bench.tasks));
    SNC_CHECK(!has_cells(b), SNC_E_ARG, "%s: without --batch, --seq-len and --threads: real texts alone, one at a time", who);
    return SNC_OK;
}

static snc_err add_cascade(bench *b, const char *path, const snc_loaded *l)
{
    SNC_TRY(need_texts(b, "bench --net cascade"));
    if (l->file && snc_sncfile_cascade(l->file)) return add_entry(b, path, ALL);
    SNC_CHECK(b->o->input.n_models > 1 && strchr(b->o->bench.net, ','), SNC_E_ARG, "--net cascade: %s has none", path);
    return SNC_OK; /* its other nets are timed beside a file that has one */
}

static snc_err add_budget(bench *b, const char *path, const snc_loaded *l)
{
    SNC_CHECK(l->file && snc_sncfile_speeds(l->file), SNC_E_ARG, "--budget: %s: " SNC_SPEEDS_MISSING, path);
    return add_entry(b, path, IN_TIME);
}

/* The nets that are asked of a file. */
static snc_err add_entries(bench *b, const char *path, const snc_loaded *l)
{
    const int n = snc_loaded_nets(l);
    const char *asked = b->o->bench.net ? b->o->bench.net : b->budget > 0 ? NULL : "0";
    if (asked && strcmp(asked, "all") == 0) {
        for (int k = 0; k < n; k++) SNC_TRY(add_entry(b, path, k));
        return SNC_OK;
    }
    for (const char *p = asked; p; p = snc_list_next(p)) {
        int k;
        const char *end;
        if (strcspn(p, ",") == strlen("cascade") && strncmp(p, "cascade", strlen("cascade")) == 0) {
            SNC_TRY(add_cascade(b, path, l));
            continue;
        }
        SNC_CHECK(snc_int_read(&k, p, &end) && (*end == 0 || *end == ','), SNC_E_ARG,
                  "--net %s: expected all, or cascade and numbers from 0 on", asked);
        SNC_TRY(snc_bundle_need_net(k, n, path));
        SNC_TRY(add_entry(b, path, k));
    }
    return SNC_OK;
}

/* What one of the models cannot do is said before any of them is timed. *looked: the tasks' rows were read. */
static snc_err check_model(bool *looked, bench *b, const snc_ctx *ctx, const char *path)
{
    snc_err err = SNC_OK;
    snc_loaded l;
    int32_t *lengths = NULL;
    int n;
    snc_ctx quiet = *ctx; /* warnings come when it is run */
    quiet.level = SNC_LOG_ERROR;
    SNC_TRY(snc_loaded_open(&l, &quiet, path, 0, SNC_MEANS_CLASSES));
    err = add_entries(b, path, &l);
    if (!err && b->budget > 0) err = add_budget(b, path, &l);
    for (int s = 0; s < b->seq.n && has_cells(b) && !err; s++) {
        int most = snc_family_length(snc_weights_config(l.weights));
        if (b->seq.v[s] > most) err = snc_err_set(SNC_E_SHAPE, "%s: -s %d: the model has %d positions", path, b->seq.v[s], most);
        else if (b->seq.v[s] == 0 && !lengths) err = stored_lengths(&lengths, &n, &l, path);
        if (err) break;
    }
    if (!err && l.tok && !*looked) {
        err = check_tasks(b, &quiet, l.tok);
        *looked = true;
    }
    snc_free(lengths);
    snc_loaded_close(&l);
    return err;
}

static snc_err time_cells(bench *b, const snc_ctx *ctx)
{
    const int models = (int)b->models;
    const double all = (double)b->threads.n * b->batch.n * b->seq.n;
    double done = 0;
    for (int t = 0; t < b->threads.n && has_cells(b); t++)
        for (int i = 0; i < b->batch.n; i++)
            for (int s = 0; s < b->seq.n; s++) {
                const snc_bench_row cell = {.batch = b->batch.v[i], .seq = b->seq.v[s], .threads = b->threads.v[t]};
                for (int first = 0; first < models; first += SNC_MEASURED_MOST) {
                    snc_progress(ctx, "bench", done + (double)first / models, all, "%s", b->entry[first].name);
                    SNC_TRY(time_cell(b, &cell, first, snc_min(models - first, SNC_MEASURED_MOST), ctx));
                }
                done++;
            }
    return SNC_OK;
}

/* A model that was made for one of the tasks that are asked is scored on that one; any other on all. */
static snc_err belongs(bool *out, const bench *b, const snc_loaded *l, const char *asked)
{
    const char *of = snc_json_text(l->meta, "task");
    bool any = false;
    *out = !of;
    for (const char *p = b->o->bench.tasks; of && *p;) {
        char name[256];
        snc_task *task = NULL;
        SNC_TRY(next_task(name, &p));
        SNC_TRY(snc_task_open(&task, name));
        bool its = strcmp(snc_task_name(task), of) == 0;
        any = any || its;
        *out = *out || (its && strcmp(name, asked) == 0);
        snc_task_close(task);
    }
    *out = *out || !any;
    return SNC_OK;
}

static snc_err score_tasks(bench *b, int model, const snc_ctx *ctx)
{
    const char *path = b->entry[model].name;
    for (const char *p = b->o->bench.tasks; p && *p;) {
        char name[256];
        snc_bench_row row = {.model = path, .batch = 1, .threads = ctx->threads};
        bool its;
        SNC_TRY(next_task(name, &p));
        SNC_TRY(belongs(&its, b, &b->model[model], name));
        if (!its) continue;
        snprintf(row.task, sizeof row.task, "%.63s", name);
        snc_progress(ctx, "scores", model, (double)b->models, "%s on %s", path, name);
        SNC_TRY(go_on(b, model, score_task(b, model, &row, ctx, name), &row));
    }
    return SNC_OK;
}

static snc_err run_models(bench *b, const snc_ctx *ctx)
{
    snc_err err = SNC_OK;
    const int n = (int)b->models;
    int open = 0;
    SNC_TRY(snc_alloc(&b->model, (size_t)n, sizeof *b->model));
    SNC_GOTO(snc_alloc(&b->of, (size_t)n, sizeof *b->of));
    while (open < n) {
        const entry *e = &b->entry[open];
        SNC_GOTO(snc_loaded_open(&b->model[open++], ctx, e->path, 0, SNC_MEANS_CLASSES));
        if (e->net == ALL) SNC_GOTO(snc_loaded_use(&b->model[open - 1], -1));
        else if (e->net == IN_TIME) SNC_GOTO(snc_loaded_pace(&b->model[open - 1], ctx, b->budget));
        else SNC_GOTO(snc_loaded_use_net(&b->model[open - 1], e->net));
    }
    SNC_GOTO(time_cells(b, ctx));
    for (int i = 0; i < n; i++) SNC_GOTO(score_tasks(b, i, ctx));
    for (int i = 0; i < n; i++) /* model by model, however they were timed */
        for (size_t k = 0; k < b->of[i].n; k++) SNC_GOTO(snc_bench_add(&b->rows, &b->of[i].v[k]));
out:
    for (int i = 0; i < open; i++) snc_loaded_close(&b->model[i]);
    for (int i = 0; b->of && i < n; i++) snc_bench_dispose(&b->of[i]);
    snc_free(b->of);
    snc_free(b->model);
    return err;
}

static snc_err read_options(bench *b, const snc_ctx *ctx)
{
    const snc_options *o = b->o;
    SNC_TRY(snc_parse_list(&b->batch, "--batch", snc_option_list(o, "--batch", SNC_VERB_BENCH), false));
    SNC_TRY(snc_parse_list(&b->seq, "--seq-len", snc_option_list(o, "--seq-len", SNC_VERB_BENCH), true));
    SNC_TRY(snc_parse_list(&b->threads, "--threads", snc_option_list(o, "--threads", SNC_VERB_BENCH), false));
    for (int i = 0; i < b->threads.n; i++) {
        snc_ctx with = *ctx;
        with.threads = b->threads.v[i];
        SNC_TRY(snc_ctx_check(&with));
        snc_threads_say(ctx, with.threads, false);
    }
    b->measure.percentile = o->workload.percentile / 100;
    if (o->bench.budget) SNC_TRY(snc_parse_us(&b->budget, "--budget", o->bench.budget));
    if (o->bench.budget) SNC_TRY(need_texts(b, "bench --budget"));
    if (o->bench.time_budget) {
        snc_measure_opts *m = &b->measure;
        SNC_TRY(snc_parse_seconds(&m->seconds, "--time-budget", o->bench.time_budget));
        m->whole = m->seconds;
        m->max_samples = snc_max(m->min_samples, (int)(m->max_samples * fmin(1, m->seconds))); /* of the least nets as well */
    }
    if (o->bench.repeats) b->measure.min_samples = b->measure.max_samples = o->bench.repeats;
    return SNC_OK;
}

/* Broken models alone are refused, as by every other verb. */
static snc_err say(const bench *b)
{
    const snc_bench_rows *t = &b->rows;
    size_t i = 0;
    while (i < t->n && !t->v[i].error[0]) i++;
    SNC_CHECK(t->n == 0 || b->broken < t->n, SNC_E_DIVERGED, "%s", t->v[0].error);
    SNC_TRY(snc_bench_say(t, b->h, b->o->output.format));
    SNC_CHECK(i == t->n, SNC_E_SHAPE, "%zu of %zu rows have no numbers: %s", t->failed, t->n, t->v[i].error);
    return SNC_OK;
}

snc_err snc_verb_bench(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx;
    bench b = {.o = o, .h = h, .measure = SNC_MEASURE_OPTS_INIT, .rows = {.profile = o->bench.profile}};
    bool looked = false;
    SNC_TRY(snc_option_need("bench", "a model", o->input.n_models ? o->input.models[0] : NULL));
    if (o->bench.tasks) SNC_TRY(snc_option_need("bench", "--data", o->rows.data));
    SNC_TRY(snc_context_init(&ctx, o, h, NULL, 1));
    SNC_TRY(read_options(&b, &ctx));
    SNC_TRY(check_tasks(&b, &ctx, NULL));
    for (int i = 0; i < o->input.n_models; i++) SNC_GOTO(check_model(&looked, &b, &ctx, o->input.models[i]));
    b.rows.host = snc_host_json(&ctx);
    cJSON_DeleteItemFromObjectCaseSensitive(b.rows.host, "threads");
    if (o->bench.profile) SNC_GOTO(snc_qlinear_peak(&b.rows.peak, &ctx));
    SNC_GOTO(run_models(&b, &ctx));
    err = say(&b);
out:
    for (size_t i = 0; i < b.models; i++) snc_free(b.entry[i].name);
    snc_free(b.entry);
    snc_bench_dispose(&b.rows);
    return err;
}
