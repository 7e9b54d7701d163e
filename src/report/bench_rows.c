/* One list of columns for JSON and CSV, tables by task and workload for people. */
#include "report/bench_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/say.h"
#include "base/mem.h"
#include "base/textbuf.h"

static const char *const kind_name[SNC_BENCH_KINDS] = {"qkv", "attention", "o", "ffn_in", "ffn_out", "embed", "head"};

snc_err snc_bench_add(snc_bench_rows *t, const snc_bench_row *row)
{
    SNC_TRY(snc_grow(&t->v, &t->cap, t->n + 1, sizeof *t->v));
    t->v[t->n++] = *row;
    t->failed += row->error[0] != 0;
    return SNC_OK;
}

snc_err snc_bench_add_failure(snc_bench_rows *t, snc_bench_row row)
{
    snprintf(row.error, sizeof row.error, "%s", snc_err_text());
    row.t = (snc_timing){0};
    return snc_bench_add(t, &row);
}

void snc_bench_dispose(snc_bench_rows *t)
{
    cJSON_Delete(t->host);
    snc_free(t->v);
    *t = (snc_bench_rows){0};
}

static bool is_timed(const snc_bench_row *r) { return r->t.samples > 0; }
static bool is_cell(const snc_bench_row *r) { return !r->task[0] && !r->error[0]; }
static bool is_score(const snc_bench_row *r) { return r->task[0] && !r->error[0]; }
static bool is_failure(const snc_bench_row *r) { return r->error[0] != 0; }

/* ---- JSON ---------------------------------------------------------------------------------------------------------------- */

static void put_number(cJSON *j, const char *key, bool known, double v)
{
    if (known) cJSON_AddNumberToObject(j, key, v);
    else cJSON_AddNullToObject(j, key);
}

static void put_text(cJSON *j, const char *key, const char *text)
{
    if (*text) cJSON_AddStringToObject(j, key, text);
    else cJSON_AddNullToObject(j, key);
}

static void put_timing(cJSON *j, const snc_bench_row *r)
{
    const snc_timing *t = &r->t;
    bool timed = is_timed(r);
    put_number(j, "p50_ms", timed, t->median / 1e3);
    put_number(j, "p90_ms", timed, t->p90 / 1e3);
    put_number(j, "p99_ms", timed, t->p99 / 1e3);
    put_number(j, "tokens_per_s", timed, t->tokens_per_s);
    put_number(j, "sentences_per_s", timed, t->seqs_per_s);
    put_number(j, "percentile_ms", timed, t->value / 1e3);
    put_number(j, "percentile_low_ms", timed, t->low / 1e3);
    put_number(j, "percentile_high_ms", timed, t->high / 1e3);
    put_number(j, "samples", timed, t->samples);
    put_number(j, "batches_timed", timed, t->lengths);
}

static void put_profile(cJSON *j, const snc_bench_rows *t, const snc_bench_row *r)
{
    bool known = is_cell(r);
    put_number(j, "kernel_peak_tops", known, t->peak);
    cJSON *parts = cJSON_AddObjectToObject(j, "profile");
    for (int k = 0; k < SNC_BENCH_KINDS; k++) {
        cJSON *part = cJSON_AddObjectToObject(parts, kind_name[k]);
        put_number(part, "share", known, r->share[k]);
        put_number(part, "tops", known, r->tops[k]);
        put_number(part, "of_peak", known, r->tops[k] / (t->peak * r->threads));
    }
}

static cJSON *row_json(const snc_bench_rows *t, const snc_bench_row *r)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "model", r->model);
    cJSON_AddNumberToObject(j, "batch", r->batch);
    if (r->seq) cJSON_AddNumberToObject(j, "seq", r->seq);
    else cJSON_AddStringToObject(j, "seq", "data");
    cJSON_AddNumberToObject(j, "threads", r->threads);
    put_timing(j, r);
    put_text(j, "task", r->task);
    put_number(j, "rows", is_score(r), r->n);
    put_text(j, "metric", r->metric);
    put_number(j, "value", is_score(r), r->value);
    put_text(j, "error", r->error);
    if (t->profile) put_profile(j, t, r);
    cJSON_AddItemToObject(j, "host", cJSON_Duplicate(t->host, 1));
    return j;
}

static snc_err say_json(const snc_bench_rows *t, const snc_host *h)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < t->n; i++) cJSON_AddItemToArray(list, row_json(t, &t->v[i]));
    return snc_say_json(h, list, true, "bench");
}

/* ---- CSV ----------------------------------------------------------------------------------------------------------------- */

/* Names or values of a row's JSON; the rows are alike, so the columns are. */
static void put_columns(snc_textbuf *d, const cJSON *j, const char *outer, bool names)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, j)
    {
        char name[128];
        snprintf(name, sizeof name, "%s%s%s", outer, *outer ? "_" : "", it->string);
        if (cJSON_IsObject(it)) {
            put_columns(d, it, name, names);
            continue;
        }
        if (d->n) snc_textbuf_text(d, ",");
        if (names) snc_textbuf_text(d, name);
        else if (cJSON_IsString(it)) snc_textbuf_csv(d, it->valuestring);
        else if (cJSON_IsNumber(it) && isfinite(it->valuedouble)) snc_textbuf_put(d, "%.9g", it->valuedouble);
    }
}

static snc_err say_csv(const snc_bench_rows *t, const snc_host *h)
{
    snc_textbuf d = {0};
    for (size_t i = 0; i < t->n; i++) {
        cJSON *j = row_json(t, &t->v[i]);
        for (int names = i == 0; names >= 0; names--) {
            d.n = 0;
            put_columns(&d, j, "", names);
            if (!d.err) snc_say_text(h, d.p);
        }
        cJSON_Delete(j);
    }
    snc_free(d.p);
    return d.err;
}

/* ---- md ------------------------------------------------------------------------------------------------------------------ */

static void seq_name(char *buf, size_t size, int seq)
{
    if (seq) snprintf(buf, size, "%d", seq);
    else snprintf(buf, size, "data");
}

static size_t count(const snc_bench_rows *t, bool (*which)(const snc_bench_row *))
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) n += which(&t->v[i]);
    return n;
}

static void say_cells(const snc_bench_rows *t, const snc_host *h)
{
    char seq[16];
    snc_say(h, "\n| model | batch | seq | threads | p50 ms | p90 ms | p99 ms | tokens/s | sentences/s |");
    snc_say(h, "|---|---|---|---|---|---|---|---|---|");
    for (size_t i = 0; i < t->n; i++) {
        const snc_bench_row *r = &t->v[i];
        seq_name(seq, sizeof seq, r->seq);
        if (is_cell(r))
            snc_say(h, "| %s | %d | %s | %d | %.3f | %.3f | %.3f | %.0f | %.1f |", r->model, r->batch, seq, r->threads, r->t.median / 1e3,
                    r->t.p90 / 1e3, r->t.p99 / 1e3, r->t.tokens_per_s, r->t.seqs_per_s);
    }
}

static void say_profile(const snc_bench_rows *t, const snc_host *h)
{
    char seq[16];
    snc_say(h, "\nINT8 kernel on data in L1: %.2f TOPS a thread\n", t->peak);
    snc_say(h, "| model | batch | seq | threads | part | share | TOPS | of the kernel's peak |");
    snc_say(h, "|---|---|---|---|---|---|---|---|");
    for (size_t i = 0; i < t->n; i++)
        for (int k = 0; k < SNC_BENCH_KINDS && is_cell(&t->v[i]); k++) {
            const snc_bench_row *r = &t->v[i];
            seq_name(seq, sizeof seq, r->seq);
            snc_say(h, "| %s | %d | %s | %d | %s | %.1f %% | %.3f | %.1f %% |", r->model, r->batch, seq, r->threads, kind_name[k],
                    100 * r->share[k], r->tops[k], 100 * r->tops[k] / (t->peak * r->threads));
        }
}

static void say_scores(const snc_bench_rows *t, const snc_host *h)
{
    snc_say(h, "\n| model | task | rows | metric | value | ms a sentence |");
    snc_say(h, "|---|---|---|---|---|---|");
    for (size_t i = 0; i < t->n; i++) {
        const snc_bench_row *r = &t->v[i];
        if (is_score(r))
            snc_say(h, "| %s | %s | %d | %s | %.2f | %.3f |", r->model, r->task, r->n, r->metric, 100 * r->value, r->t.median / 1e3);
    }
}

/* Whether row i is the first with scores of its model, or of its task. */
static bool opens(const snc_bench_rows *t, size_t i, bool of_model)
{
    const snc_bench_row *r = &t->v[i];
    bool first = is_score(r);
    for (size_t k = 0; k < i && first; k++)
        first = !is_score(&t->v[k]) || strcmp(of_model ? t->v[k].model : t->v[k].task, of_model ? r->model : r->task) != 0;
    return first;
}

static size_t count_opened(const snc_bench_rows *t, bool of_model)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) n += opens(t, i, of_model);
    return n;
}

/* The mean of the metrics, which comes last; NaN: the model has no such row. */
static double task_score(const snc_bench_rows *t, const char *model, const char *task)
{
    double v = (double)NAN;
    for (size_t i = 0; i < t->n; i++)
        if (is_score(&t->v[i]) && strcmp(t->v[i].model, model) == 0 && strcmp(t->v[i].task, task) == 0) v = t->v[i].value;
    return v;
}

/* Models by tasks, of several of both. */
static void say_matrix(const snc_bench_rows *t, const snc_host *h)
{
    snc_textbuf d = {0};
    snc_textbuf_put(&d, "\n| score |");
    for (size_t k = 0; k < t->n; k++)
        if (opens(t, k, false)) snc_textbuf_put(&d, " %s |", t->v[k].task);
    snc_textbuf_put(&d, "\n|---|");
    for (size_t k = count_opened(t, false); k > 0; k--) snc_textbuf_put(&d, "---|");
    for (size_t i = 0; i < t->n; i++) {
        if (!opens(t, i, true)) continue;
        snc_textbuf_put(&d, "\n| %s |", t->v[i].model);
        for (size_t k = 0; k < t->n; k++) {
            if (!opens(t, k, false)) continue;
            snc_textbuf_put(&d, " ");
            snc_textbuf_number(&d, 100 * task_score(t, t->v[i].model, t->v[k].task), 2, "-");
            snc_textbuf_put(&d, " |");
        }
    }
    if (!d.err) snc_say_text(h, d.p);
    snc_free(d.p);
}

static void say_failures(const snc_bench_rows *t, const snc_host *h)
{
    char seq[16];
    snc_say(h, "\n| model | task | batch | seq | threads | no numbers |");
    snc_say(h, "|---|---|---|---|---|---|");
    for (size_t i = 0; i < t->n; i++) {
        const snc_bench_row *r = &t->v[i];
        seq_name(seq, sizeof seq, r->seq);
        if (is_failure(r)) snc_say(h, "| %s | %s | %d | %s | %d | %s |", r->model, r->task, r->batch, seq, r->threads, r->error);
    }
}

static void say_md(const snc_bench_rows *t, const snc_host *h)
{
    char *host = cJSON_PrintUnformatted(t->host);
    snc_say(h, "host: %s", host ? host : "");
    cJSON_free(host);
    if (count(t, is_cell)) say_cells(t, h);
    if (t->profile && count(t, is_cell)) say_profile(t, h);
    if (count(t, is_score)) say_scores(t, h);
    if (count_opened(t, true) > 1 && count_opened(t, false) > 1) say_matrix(t, h);
    if (count(t, is_failure)) say_failures(t, h);
}

snc_err snc_bench_say(const snc_bench_rows *t, const snc_host *h, const char *format)
{
    if (strcmp(format, "csv") == 0) return say_csv(t, h);
    if (strcmp(format, "json") == 0) return say_json(t, h);
    say_md(t, h);
    return SNC_OK;
}
