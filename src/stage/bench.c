/* compress bench: latency over batch, length and threads, where it goes, and scores on tasks. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "quant/qlinear.h"
#include "stage/inputs.h"
#include "stage/load.h"
#include "stage/verbs.h"
#include "stage/workload.h"

/* The kinds of a net's parts: those of snc_net_part, then what is outside the layers. */
enum { EMBED = SNC_PARTS, HEAD, KINDS };
static const char *const kind_name[KINDS] = {"qkv", "attention", "o", "ffn_in", "ffn_out", "embed", "head"};

typedef struct cell {
    const char *model;
    int batch, seq, threads; /* seq 0: data */
    snc_timing t;
    double share[KINDS]; /* --profile: of the time of a run */
    double tops[KINDS];  /* 10^12 multiplies and adds a second; 0 for embed and head */
} cell;

typedef struct score {
    const char *model;
    char task[64], metric[32];
    double value, ms;
    int n;
} score;

typedef struct bench {
    const snc_options *o;
    const snc_host *h;
    snc_int_list batch, seq, threads;
    cell *cells;
    score *scores;
    size_t n_cells, cap_cells, n_scores, cap_scores;
    double peak; /* --profile: TOPS of one thread's INT8 kernel on data in L1 */
    cJSON *host;
} bench;

/* Lengths for "data": those stored with the model, which are its task's rank rows. */
static snc_err stored_lengths(int32_t **out, int *n, const snc_loaded *l, const char *path)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(l->meta, "lengths"), *it;
    int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0, i = 0;
    int32_t *v = NULL;
    snc_err err = SNC_OK;
    SNC_CHECK(count > 0, SNC_E_NOTFOUND, "%s: knows no real lengths: -s data needs a file that compress or finetune made", path);
    SNC_TRY(snc_alloc(&v, (size_t)count, sizeof *v));
    cJSON_ArrayForEach(it, list) SNC_GOTO(snc_json_whole(&v[i++], it, 1, snc_weights_config(l->weights)->positions, "lengths", path));
    *n = count;
    *out = v;
    v = NULL;
out:
    snc_free(v);
    return err;
}

/* Multiplies and adds of each kind in one pass over the batches, as the runtime does them: the last layer has one query a
 * sequence, and attention output and FFN for that row alone. */
static void count_ops(double ops[KINDS], const snc_weights *w, const snc_tokens *batches, int count)
{
    const snc_arch *a = snc_weights_arch(w);
    double C = a->hidden, D = snc_weights_config(w)->head_width;
    memset(ops, 0, KINDS * sizeof *ops);
    for (int i = 0; i < count; i++)
        for (int s = 0; s < batches[i].B; s++) {
            double S = batches[i].offsets[s + 1] - batches[i].offsets[s];
            for (int l = 0; l < a->layers; l++) {
                double A = D * a->heads[l], F = a->ffn[l], rows = l == a->layers - 1 ? 1 : S;
                ops[SNC_PART_QKV] += 2 * C * A * (2 * S + rows);
                ops[SNC_PART_ATTENTION] += 4 * rows * S * A;
                ops[SNC_PART_O] += 2 * rows * C * A;
                ops[SNC_PART_FFN_IN] += 2 * rows * C * F;
                ops[SNC_PART_FFN_OUT] += 2 * rows * C * F;
            }
        }
}

/* Where the time of a run goes. The clock between the parts costs a little, so times come from a second measurement. */
static snc_err profile_cell(cell *r, snc_net *net, const snc_weights *w, const snc_workload *work, const snc_measure_opts *mo)
{
    double ops[KINDS], seconds[KINDS] = {0}, sum = 0;
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
    seconds[EMBED] = times.embed;
    seconds[HEAD] = times.head;
    for (int k = 0; k < KINDS; k++) sum += seconds[k];
    for (int k = 0; k < KINDS; k++) {
        double passes = (double)times.runs / work->count;
        r->share[k] = sum > 0 ? seconds[k] / sum : 0;
        r->tops[k] = seconds[k] > 0 ? ops[k] * passes / seconds[k] * 1e-12 : 0;
    }
    return SNC_OK;
}

static snc_err time_cell(bench *b, const snc_loaded *l, const snc_ctx *base, const char *path, int batch, int seq, int threads)
{
    snc_err err = SNC_OK;
    snc_ctx ctx = *base;
    snc_workload w = {0};
    snc_net *net = NULL;
    int32_t *lengths = NULL;
    int n = 0;
    snc_measure_opts mo = SNC_MEASURE_OPTS_INIT;
    ctx.threads = threads;
    SNC_GOTO(snc_ctx_check(&ctx));
    if (seq == 0) SNC_GOTO(stored_lengths(&lengths, &n, l, path));
    SNC_GOTO(snc_workload_new(&w, batch, seq, lengths, n, snc_weights_config(l->weights)->vocab, ctx.seed));
    snc_net_opts no = {.max_tokens = w.max_tokens, .max_seqs = w.batch, .max_len = w.max_len};
    SNC_GOTO(snc_net_create(&net, &ctx, l->weights, NULL, NULL, &no));
    mo.percentile = b->o->percentile / 100;
    if (b->o->time_budget) SNC_GOTO(snc_parse_seconds(&mo.seconds, "--time-budget", b->o->time_budget));
    if (b->o->time_budget) mo.whole = mo.seconds;
    if (b->o->repeats) mo.min_samples = mo.max_samples = b->o->repeats;
    SNC_GOTO(snc_grow(&b->cells, &b->cap_cells, b->n_cells + 1, sizeof *b->cells));
    cell *r = &b->cells[b->n_cells];
    *r = (cell){.model = path, .batch = batch, .seq = seq, .threads = threads};
    err = snc_measure(&r->t, net, w.batches, w.count, &mo);
    if (err == SNC_E_DIVERGED) err = snc_err_prefix(err, path);
    if (err) goto out;
    if (r->t.lengths < w.count)
        snc_log(&ctx, SNC_LOG_INFO, "%s: %d of %d batches timed, spread over their sizes: percentile %g is %.3f ms (95%%: %.3f to %.3f)", path,
                r->t.lengths, w.count, b->o->percentile, r->t.value / 1e3, r->t.low / 1e3, r->t.high / 1e3);
    if (b->o->profile) SNC_GOTO(profile_cell(r, net, l->weights, &w, &mo));
    b->n_cells++;
out:
    snc_net_free(net);
    snc_workload_free(&w);
    snc_free(lengths);
    return err;
}

static snc_err add_score(bench *b, const char *path, const char *task, const char *metric, double value, double ms, int n)
{
    SNC_TRY(snc_grow(&b->scores, &b->cap_scores, b->n_scores + 1, sizeof *b->scores));
    score *s = &b->scores[b->n_scores++];
    *s = (score){.model = path, .value = value, .ms = ms, .n = n};
    snprintf(s->task, sizeof s->task, "%s", task);
    snprintf(s->metric, sizeof s->metric, "%s", metric);
    return SNC_OK;
}

/* Score and the time of one real dev sentence at a time. */
static snc_err score_task(bench *b, const snc_loaded *l, const snc_ctx *ctx, const char *path, const char *name)
{
    snc_err err = SNC_OK;
    snc_task *task = NULL;
    snc_dataset *d = NULL;
    snc_workload w = {0};
    snc_net *net = NULL;
    float *logits = NULL;
    int32_t *lengths = NULL;
    double values[8], mean;
    snc_timing t;
    SNC_GOTO(snc_inputs_task(&task, b->o, name));
    SNC_GOTO(snc_loaded_check(l, ctx, b->o, task));
    SNC_GOTO(snc_loaded_fit(task, l));
    SNC_GOTO(snc_dataset_load(&d, ctx, task, l->tok, b->o->data, "dev", 0));
    snc_loaded_say_labels(l, ctx, task);
    snc_loaded_say_cut(l, ctx, task, d);
    SNC_GOTO(snc_alloc(&logits, (size_t)d->n * (size_t)l->classes, sizeof *logits));
    SNC_GOTO(snc_alloc(&lengths, (size_t)d->n, sizeof *lengths));
    for (int i = 0; i < d->n; i++) lengths[i] = snc_dataset_len(d, i);
    SNC_GOTO(snc_loaded_answer(logits, ctx, l, d, NULL));
    snc_loaded_order_classes(logits, l, task, d->n);
    SNC_GOTO(snc_inputs_score(&mean, values, task, logits, d, l->classes));
    SNC_GOTO(snc_workload_new(&w, 1, 0, lengths, d->n, snc_weights_config(l->weights)->vocab, ctx->seed));
    snc_net_opts no = {.max_tokens = w.max_tokens, .max_seqs = 1, .max_len = w.max_len};
    SNC_GOTO(snc_net_create(&net, ctx, l->weights, NULL, NULL, &no));
    SNC_GOTO(snc_measure(&t, net, w.batches, w.count, &(snc_measure_opts)SNC_MEASURE_OPTS_INIT));
    for (int i = 0; i < snc_task_metrics(task); i++)
        SNC_GOTO(add_score(b, path, snc_task_name(task), snc_task_metric(task, i), values[i], t.median / 1e3, d->n));
    if (snc_task_metrics(task) > 1) SNC_GOTO(add_score(b, path, snc_task_name(task), "score", mean, t.median / 1e3, d->n));
out:
    snc_net_free(net);
    snc_workload_free(&w);
    snc_free(lengths);
    snc_free(logits);
    snc_dataset_free(d);
    snc_task_close(task);
    return err;
}

/* With --tasks alone there are only scores. */
static bool has_cells(const bench *b) { return !b->o->tasks || b->o->batch || b->o->seq_len || b->o->threads; }

/* What one of the models cannot do is said before any of them is timed. */
static snc_err check_model(const bench *b, const snc_ctx *ctx, const char *path)
{
    snc_err err = SNC_OK;
    snc_loaded l;
    int32_t *lengths = NULL;
    int n;
    snc_ctx quiet = *ctx; /* warnings come when it is run */
    quiet.level = SNC_LOG_ERROR;
    SNC_TRY(snc_loaded_open(&l, &quiet, path, 0, false));
    for (int s = 0; s < b->seq.n && has_cells(b); s++) {
        int most = snc_weights_config(l.weights)->positions;
        if (b->seq.v[s] > most) err = snc_err_set(SNC_E_SHAPE, "%s: -s %d: the model has %d positions", path, b->seq.v[s], most);
        else if (b->seq.v[s] == 0 && !lengths) err = stored_lengths(&lengths, &n, &l, path);
        if (err) break;
    }
    snc_free(lengths);
    snc_loaded_close(&l);
    return err;
}

static snc_err run_model(bench *b, const snc_ctx *ctx, const char *path)
{
    snc_err err = SNC_OK;
    snc_loaded l;
    SNC_TRY(snc_loaded_open(&l, ctx, path, 0, false));
    for (int t = 0; t < b->threads.n && has_cells(b); t++)
        for (int i = 0; i < b->batch.n; i++)
            for (int s = 0; s < b->seq.n; s++) {
                snc_progress(ctx, "bench", (double)b->n_cells, b->o->n_models * b->threads.n * b->batch.n * b->seq.n, "%s", path);
                SNC_GOTO(time_cell(b, &l, ctx, path, b->batch.v[i], b->seq.v[s], b->threads.v[t]));
            }
    for (const char *p = b->o->tasks; p && *p;) {
        char name[256];
        size_t n = strcspn(p, ",");
        if (n >= sizeof name) {
            err = snc_err_set(SNC_E_ARG, "--tasks: name too long: %.40s...", p);
            goto out;
        }
        memcpy(name, p, n);
        name[n] = 0;
        snc_progress(ctx, "scores", (double)b->n_scores, (double)b->n_scores + 1, "%s on %s", path, name);
        SNC_GOTO(score_task(b, &l, ctx, path, name));
        p += n + (p[n] == ',');
    }
out:
    snc_loaded_close(&l);
    return err;
}

static void seq_name(char *buf, size_t size, int seq)
{
    if (seq) snprintf(buf, size, "%d", seq);
    else snprintf(buf, size, "data");
}

static void say_host(const bench *b, const char *before)
{
    char *host = cJSON_PrintUnformatted(b->host);
    snc_stage_say(b->h, "%shost: %s", before, host ? host : "");
    cJSON_free(host);
}

static void say_profile_md(const bench *b)
{
    char seq[16];
    snc_stage_say(b->h, "\nINT8 kernel on data in L1: %.2f TOPS a thread\n", b->peak);
    snc_stage_say(b->h, "| model | batch | seq | threads | part | share | TOPS | of the kernel's peak |");
    snc_stage_say(b->h, "|---|---|---|---|---|---|---|---|");
    for (size_t i = 0; i < b->n_cells; i++)
        for (int k = 0; k < KINDS; k++) {
            const cell *c = &b->cells[i];
            seq_name(seq, sizeof seq, c->seq);
            snc_stage_say(b->h, "| %s | %d | %s | %d | %s | %.1f %% | %.3f | %.1f %% |", c->model, c->batch, seq, c->threads, kind_name[k],
                          100 * c->share[k], c->tops[k], 100 * c->tops[k] / (b->peak * c->threads));
        }
}

static void say_md(const bench *b)
{
    char seq[16];
    say_host(b, "");
    if (b->n_cells) {
        snc_stage_say(b->h, "\n| model | batch | seq | threads | p50 ms | p90 ms | p99 ms | tokens/s | sentences/s |");
        snc_stage_say(b->h, "|---|---|---|---|---|---|---|---|---|");
    }
    for (size_t i = 0; i < b->n_cells; i++) {
        const cell *c = &b->cells[i];
        seq_name(seq, sizeof seq, c->seq);
        snc_stage_say(b->h, "| %s | %d | %s | %d | %.3f | %.3f | %.3f | %.0f | %.1f |", c->model, c->batch, seq, c->threads, c->t.median / 1e3,
                      c->t.p90 / 1e3, c->t.p99 / 1e3, c->t.tokens_per_s, c->t.seqs_per_s);
    }
    if (b->o->profile && b->n_cells) say_profile_md(b);
    if (b->n_scores) {
        snc_stage_say(b->h, "\n| model | task | rows | metric | value | ms a sentence |");
        snc_stage_say(b->h, "|---|---|---|---|---|---|");
    }
    for (size_t i = 0; i < b->n_scores; i++) {
        const score *s = &b->scores[i];
        snc_stage_say(b->h, "| %s | %s | %d | %s | %.2f | %.3f |", s->model, s->task, s->n, s->metric, 100 * s->value, s->ms);
    }
}

static void say_csv(const bench *b)
{
    char seq[16];
    say_host(b, "# ");
    if (b->n_cells) snc_stage_say(b->h, "model,batch,seq,threads,p50_ms,p90_ms,p99_ms,tokens_per_s,sentences_per_s");
    for (size_t i = 0; i < b->n_cells; i++) {
        const cell *c = &b->cells[i];
        seq_name(seq, sizeof seq, c->seq);
        snc_stage_say(b->h, "%s,%d,%s,%d,%.4f,%.4f,%.4f,%.1f,%.2f", c->model, c->batch, seq, c->threads, c->t.median / 1e3, c->t.p90 / 1e3,
                      c->t.p99 / 1e3, c->t.tokens_per_s, c->t.seqs_per_s);
    }
    if (b->o->profile && b->n_cells) snc_stage_say(b->h, "model,batch,seq,threads,part,share,tops,of_peak");
    for (size_t i = 0; b->o->profile && i < b->n_cells; i++)
        for (int k = 0; k < KINDS; k++) {
            const cell *c = &b->cells[i];
            seq_name(seq, sizeof seq, c->seq);
            snc_stage_say(b->h, "%s,%d,%s,%d,%s,%.5f,%.5f,%.5f", c->model, c->batch, seq, c->threads, kind_name[k], c->share[k], c->tops[k],
                          c->tops[k] / (b->peak * c->threads));
        }
    if (b->n_scores) snc_stage_say(b->h, "model,task,rows,metric,value,ms");
    for (size_t i = 0; i < b->n_scores; i++) {
        const score *s = &b->scores[i];
        snc_stage_say(b->h, "%s,%s,%d,%s,%.6f,%.4f", s->model, s->task, s->n, s->metric, s->value, s->ms);
    }
}

static snc_err say_json(const bench *b)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < b->n_cells; i++) {
        const cell *c = &b->cells[i];
        cJSON *j = cJSON_CreateObject();
        cJSON_AddItemToArray(list, j);
        cJSON_AddStringToObject(j, "model", c->model);
        cJSON_AddNumberToObject(j, "batch", c->batch);
        if (c->seq) cJSON_AddNumberToObject(j, "seq", c->seq);
        else cJSON_AddStringToObject(j, "seq", "data");
        cJSON_AddNumberToObject(j, "threads", c->threads);
        cJSON_AddNumberToObject(j, "p50_ms", c->t.median / 1e3);
        cJSON_AddNumberToObject(j, "p90_ms", c->t.p90 / 1e3);
        cJSON_AddNumberToObject(j, "p99_ms", c->t.p99 / 1e3);
        cJSON_AddNumberToObject(j, "percentile_ms", c->t.value / 1e3);
        cJSON_AddNumberToObject(j, "percentile_low_ms", c->t.low / 1e3);
        cJSON_AddNumberToObject(j, "percentile_high_ms", c->t.high / 1e3);
        cJSON_AddNumberToObject(j, "samples", c->t.samples);
        cJSON_AddNumberToObject(j, "batches_timed", c->t.lengths);
        cJSON_AddNumberToObject(j, "tokens_per_s", c->t.tokens_per_s);
        cJSON_AddNumberToObject(j, "sentences_per_s", c->t.seqs_per_s);
        cJSON *parts = b->o->profile ? cJSON_AddObjectToObject(j, "profile") : NULL;
        if (parts) cJSON_AddNumberToObject(j, "kernel_peak_tops", b->peak);
        for (int k = 0; k < KINDS && parts; k++) {
            cJSON *part = cJSON_AddObjectToObject(parts, kind_name[k]);
            cJSON_AddNumberToObject(part, "share", c->share[k]);
            cJSON_AddNumberToObject(part, "tops", c->tops[k]);
            cJSON_AddNumberToObject(part, "of_peak", c->tops[k] / (b->peak * c->threads));
        }
        cJSON_AddItemToObject(j, "host", cJSON_Duplicate(b->host, 1));
    }
    for (size_t i = 0; i < b->n_scores; i++) {
        const score *s = &b->scores[i];
        cJSON *j = cJSON_CreateObject();
        cJSON_AddItemToArray(list, j);
        cJSON_AddStringToObject(j, "model", s->model);
        cJSON_AddStringToObject(j, "task", s->task);
        cJSON_AddNumberToObject(j, "rows", s->n);
        cJSON_AddStringToObject(j, "metric", s->metric);
        cJSON_AddNumberToObject(j, "value", s->value);
        cJSON_AddNumberToObject(j, "ms", s->ms);
        cJSON_AddItemToObject(j, "host", cJSON_Duplicate(b->host, 1));
    }
    char *text = cJSON_Print(list);
    cJSON_Delete(list);
    SNC_CHECK(text, SNC_E_NOMEM, "bench: out of memory while printing");
    snc_stage_say_text(b->h, text);
    cJSON_free(text);
    return SNC_OK;
}

snc_err snc_verb_bench(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx;
    bench b = {.o = o, .h = h};
    snc_options single = *o;
    const char *format = o->format ? o->format : "md";
    single.threads = NULL;
    SNC_TRY(snc_stage_need("bench", "a model", o->n_models ? o->models[0] : NULL));
    if (o->tasks) SNC_TRY(snc_stage_need("bench", "--data", o->data));
    SNC_CHECK(strcmp(format, "md") == 0 || strcmp(format, "json") == 0 || strcmp(format, "csv") == 0, SNC_E_ARG, "-o '%s': expected md, json or csv", format);
    SNC_TRY(snc_stage_ctx(&ctx, &single, h, 1));
    SNC_TRY(snc_parse_list(&b.batch, "--batch", o->batch ? o->batch : "1", false));
    SNC_TRY(snc_parse_list(&b.seq, "--seq-len", o->seq_len ? o->seq_len : "16,32,128", true));
    SNC_TRY(snc_parse_list(&b.threads, "--threads", o->threads ? o->threads : "1", false));
    for (int i = 0; i < o->n_models; i++) SNC_TRY(check_model(&b, &ctx, o->models[i]));
    b.host = snc_host_json(&ctx);
    cJSON_DeleteItemFromObjectCaseSensitive(b.host, "threads");
    if (o->profile) SNC_GOTO(snc_qlinear_peak(&b.peak, &ctx));
    for (int i = 0; i < o->n_models; i++) SNC_GOTO(run_model(&b, &ctx, o->models[i]));
    if (strcmp(format, "md") == 0) say_md(&b);
    else if (strcmp(format, "csv") == 0) say_csv(&b);
    else SNC_GOTO(say_json(&b));
out:
    cJSON_Delete(b.host);
    snc_free(b.cells);
    snc_free(b.scores);
    return err;
}
