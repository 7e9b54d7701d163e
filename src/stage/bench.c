/* compress bench: latency over batch, length and threads, and scores on tasks. */
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "stage/inputs.h"
#include "stage/load.h"
#include "stage/workload.h"

typedef struct cell {
    const char *model;
    int batch, seq, threads; /* seq 0: data */
    snc_timing t;
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
    cJSON *host;
} bench;

/* Lengths for "data": those stored with the model, which are its task's rank rows. */
static snc_err stored_lengths(int32_t **out, int *n, const snc_loaded *l, const char *path)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(l->meta, "lengths"), *it;
    int count = cJSON_GetArraySize(list);
    SNC_CHECK(count > 0, SNC_E_NOTFOUND, "%s: knows no real lengths: -s data needs a file that compress or finetune made", path);
    SNC_TRY(snc_alloc(out, (size_t)count, sizeof **out));
    *n = 0;
    cJSON_ArrayForEach(it, list)
    {
        bool ok = cJSON_IsNumber(it) && it->valueint >= 1 && it->valueint <= snc_weights_config(l->weights)->positions;
        if (!ok) {
            snc_free(*out);
            return snc_err_set(SNC_E_FORMAT, "%s: a stored length is not a number of 1 to %d", path, snc_weights_config(l->weights)->positions);
        }
        (*out)[(*n)++] = it->valueint;
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
    const snc_bert_config *c = snc_weights_config(l->weights);
    SNC_CHECK(seq <= c->positions, SNC_E_SHAPE, "%s: -s %d: the model has %d positions", path, seq, c->positions);
    ctx.threads = threads;
    SNC_GOTO(snc_ctx_check(&ctx));
    if (seq == 0) SNC_GOTO(stored_lengths(&lengths, &n, l, path));
    SNC_GOTO(snc_workload_new(&w, batch, seq, lengths, n, c->vocab, ctx.seed));
    snc_net_opts no = {.max_tokens = w.max_tokens, .max_seqs = w.batch, .max_len = w.max_len};
    SNC_GOTO(snc_net_create(&net, &ctx, l->weights, NULL, NULL, &no));
    mo.percentile = b->o->percentile / 100;
    if (b->o->repeats) mo.min_samples = mo.max_samples = b->o->repeats;
    SNC_GOTO(snc_grow(&b->cells, &b->cap_cells, b->n_cells + 1, sizeof *b->cells));
    cell *r = &b->cells[b->n_cells];
    *r = (cell){.model = path, .batch = batch, .seq = seq, .threads = threads};
    SNC_GOTO(snc_measure(&r->t, net, w.batches, w.count, &mo));
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
    SNC_TRY(snc_stage_need("bench", "--data", b->o->data));
    SNC_GOTO(snc_inputs_task(&task, b->o, name));
    if (!l->tok || l->classes != snc_task_classes(task)) {
        err = snc_err_set(SNC_E_SHAPE, "%s: does not fit task %s: it has %d classes%s", path, name, l->classes, l->tok ? "" : " and no tokenizer");
        goto out;
    }
    SNC_GOTO(snc_dataset_load(&d, ctx, task, l->tok, b->o->data, "dev", 0));
    SNC_GOTO(snc_alloc(&logits, (size_t)d->n * (size_t)l->classes, sizeof *logits));
    SNC_GOTO(snc_alloc(&lengths, (size_t)d->n, sizeof *lengths));
    for (int i = 0; i < d->n; i++) lengths[i] = snc_dataset_len(d, i);
    SNC_GOTO(snc_weights_logits(logits, ctx, l->weights, NULL, NULL, d));
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

static snc_err run_model(bench *b, const snc_ctx *ctx, const char *path)
{
    snc_err err = SNC_OK;
    snc_loaded l;
    SNC_TRY(snc_loaded_open(&l, ctx, path, 0, false));
    bool cells = !b->o->tasks || b->o->batch || b->o->seq_len || b->o->threads;
    for (int t = 0; t < b->threads.n && cells; t++)
        for (int i = 0; i < b->batch.n; i++)
            for (int s = 0; s < b->seq.n; s++) SNC_GOTO(time_cell(b, &l, ctx, path, b->batch.v[i], b->seq.v[s], b->threads.v[t]));
    for (const char *p = b->o->tasks; p && *p;) {
        char name[256];
        size_t n = strcspn(p, ",");
        if (n >= sizeof name) {
            err = snc_err_set(SNC_E_ARG, "--tasks: name too long: %.40s...", p);
            goto out;
        }
        memcpy(name, p, n);
        name[n] = 0;
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

static void say_md(const bench *b)
{
    char seq[16], *host = cJSON_PrintUnformatted(b->host);
    snc_stage_say(b->h, "host: %s", host ? host : "");
    cJSON_free(host);
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
    if (b->n_cells) snc_stage_say(b->h, "model,batch,seq,threads,p50_ms,p90_ms,p99_ms,tokens_per_s,sentences_per_s");
    for (size_t i = 0; i < b->n_cells; i++) {
        const cell *c = &b->cells[i];
        seq_name(seq, sizeof seq, c->seq);
        snc_stage_say(b->h, "%s,%d,%s,%d,%.4f,%.4f,%.4f,%.1f,%.2f", c->model, c->batch, seq, c->threads, c->t.median / 1e3, c->t.p90 / 1e3,
                      c->t.p99 / 1e3, c->t.tokens_per_s, c->t.seqs_per_s);
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
        cJSON_AddNumberToObject(j, "samples", c->t.samples);
        cJSON_AddNumberToObject(j, "tokens_per_s", c->t.tokens_per_s);
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
    }
    char *text = cJSON_Print(list);
    cJSON_Delete(list);
    SNC_CHECK(text, SNC_E_NOMEM, "bench: out of memory while printing");
    snc_stage_say_text(b->h, text);
    cJSON_free(text);
    return SNC_OK;
}

snc_err snc_stage_bench(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx;
    bench b = {.o = o, .h = h};
    snc_options single = *o;
    const char *format = o->format ? o->format : "md";
    single.threads = NULL;
    SNC_TRY(snc_stage_need("bench", "a model", o->n_models ? o->models[0] : NULL));
    SNC_CHECK(strcmp(format, "md") == 0 || strcmp(format, "json") == 0 || strcmp(format, "csv") == 0, SNC_E_ARG, "-o '%s': expected md, json or csv", format);
    SNC_TRY(snc_stage_ctx(&ctx, &single, h, 1));
    SNC_TRY(snc_parse_list(&b.batch, "--batch", o->batch ? o->batch : "1", false));
    SNC_TRY(snc_parse_list(&b.seq, "--seq-len", o->seq_len ? o->seq_len : "16,32,128", true));
    SNC_TRY(snc_parse_list(&b.threads, "--threads", o->threads ? o->threads : "1", false));
    b.host = snc_host_json(&ctx);
    cJSON_DeleteItemFromObjectCaseSensitive(b.host, "threads");
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
