/* The same scores and drops, put for machines and for people. */
#include "report/score_table.h"

#include <math.h>
#include <stdio.h>

#include "report/markdown.h"

/* ---- JSON ----------------------------------------------------------------------------------------------------------- */

static void add_drop(cJSON *j, const char *key, const snc_drop *d)
{
    char name[64];
    const double v[] = {d->points.value, d->points.low, d->points.high}; /* null where nothing is said */
    snprintf(name, sizeof name, "%s_points", key);
    cJSON_AddItemToObject(j, name, cJSON_CreateDoubleArray(v, 3));
    snprintf(name, sizeof name, "%s_at_most", key);
    cJSON_AddNumberToObject(j, name, d->bound);
    snprintf(name, sizeof name, "%s_error", key);
    cJSON_AddNumberToObject(j, name, d->error);
    snprintf(name, sizeof name, "%s_unsaid", key);
    if (d->unsaid[0]) cJSON_AddStringToObject(j, name, d->unsaid);
}

static void add_scores(cJSON *j, const snc_scores *s, const snc_task *task)
{
    cJSON_AddNumberToObject(j, "score", s->score);
    cJSON *metrics = cJSON_AddObjectToObject(j, "metrics");
    for (int i = 0; i < snc_task_metrics(task); i++) cJSON_AddNumberToObject(metrics, snc_task_metric(task, i), s->metric[i]);
    add_drop(j, "drop", &s->drop);
    add_drop(j, "drop_to_int8", &s->drop_int8);
    if (isfinite(s->equal_labels)) cJSON_AddNumberToObject(j, "equal_labels", s->equal_labels);
}

void snc_score_table_json(cJSON *model, const snc_proof *p, snc_proof_index i, const snc_task *task)
{
    add_scores(model, &p->m[i].all, task);
    if (p->rows->n < 2) return;
    cJSON *sets = cJSON_AddArrayToObject(model, "sets");
    for (int k = 0; k < p->rows->n; k++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "name", p->rows->of[k].name);
        cJSON_AddNumberToObject(one, "rows", p->rows->of[k].rows->n);
        add_scores(one, &p->m[i].set[k], task);
        cJSON_AddItemToArray(sets, one);
    }
}

cJSON *snc_score_table_rows_json(const snc_proof *p)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "name", p->rows->name);
    cJSON_AddNumberToObject(j, "rows", p->rows->all.n);
    cJSON *sets = cJSON_AddArrayToObject(j, "sets");
    for (int k = 0; k < p->rows->n; k++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "name", p->rows->of[k].name);
        cJSON_AddNumberToObject(one, "rows", p->rows->of[k].rows->n);
        cJSON_AddItemToArray(sets, one);
    }
    return j;
}

/* ---- margins -------------------------------------------------------------------------------------------------------- */

/* What the file is compared with. */
static const struct against {
    const char *name, *says;
    snc_proof_index model;
} against[] = {{"teacher F32", "the teacher", SNC_PROOF_TEACHER}, {"full INT8", "full INT8", SNC_PROOF_INT8}};

static const snc_drop *drop_to(const snc_proof *p, const struct against *a)
{
    const snc_scores *s = &p->m[SNC_PROOF_COMPRESSED].all;
    return a->model == SNC_PROOF_TEACHER ? &s->drop : &s->drop_int8;
}

static const char *verdict(const snc_drop *d, double margin)
{
    static const char *const words[] = {"open", "shown", "refuted"}; /* in the order of snc_margin */
    return words[snc_drop_margin(d, margin)];
}

cJSON *snc_score_table_margin_json(const snc_proof *p, double margin)
{
    if (margin < 0) return NULL;
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "points", margin);
    cJSON *list = cJSON_AddArrayToObject(j, "against");
    for (int i = 0; i < 2; i++) {
        const snc_drop *d = drop_to(p, &against[i]);
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "model", against[i].name);
        cJSON_AddNumberToObject(one, "at_most", d->bound);
        cJSON_AddStringToObject(one, "verdict", verdict(d, margin));
        cJSON_AddNumberToObject(one, "needs_rows", snc_drop_rows(d, margin)); /* null: rows are not what lacks */
        cJSON_AddItemToArray(list, one);
    }
    return j;
}

static void put_margin(snc_textbuf *t, const snc_drop *d, const char *to, double margin)
{
    char rows[SNC_DROP_SAID];
    snc_drop_say_rows(rows, d, margin);
    snc_textbuf_put(t, "- not worse than %s by more than a margin of %.2f points: %s at 95%%", to, margin, verdict(d, margin));
    if (d->unsaid[0]) snc_textbuf_put(t, "; %s", d->unsaid);
    else if (snc_drop_margin(d, margin) == SNC_MARGIN_REFUTED) snc_textbuf_put(t, ", at least %.2f worse", d->least);
    else snc_textbuf_put(t, ", at most %.2f worse%s%s", d->bound, rows[0] ? "; " : "", rows);
    snc_textbuf_put(t, "\n");
}

/* What the rows say of others that were not seen, or why they say nothing. */
static void put_said(snc_textbuf *t, const snc_drop *d, const char *to, const snc_eval_sets *rows)
{
    const char *noun = rows->all.n == 1 ? "row" : "rows";
    if (!d->unsaid[0])
        snc_textbuf_put(t, "- at most %.2f points worse than %s at 95%%; the difference is %.2f points on %d %s %s\n", d->bound, to,
                        d->points.value, rows->all.n, rows->name, noun);
    else if (isfinite(d->points.value))
        snc_textbuf_put(t, "- the difference to %s is %.2f points on %d %s %s; of others nothing is said: %s\n", to, d->points.value,
                        rows->all.n, rows->name, noun, d->unsaid);
    else snc_textbuf_put(t, "- the difference to %s has no value on %d %s %s: %s\n", to, rows->all.n, rows->name, noun, d->unsaid);
}

void snc_score_table_put_said(snc_textbuf *t, const snc_proof *p, double margin)
{
    for (int i = 0; i < 2; i++) put_said(t, drop_to(p, &against[i]), against[i].says, p->rows);
    for (int i = 0; i < 2 && margin >= 0; i++) put_margin(t, drop_to(p, &against[i]), against[i].says, margin);
}

/* ---- tables --------------------------------------------------------------------------------------------------------- */

void snc_score_table_put_drop(snc_textbuf *t, const snc_drop *d, bool itself)
{
    if (itself) return;
    snc_textbuf_number(t, d->points.value, 2, "-");
    if (isfinite(d->points.low)) snc_textbuf_put(t, " (%.2f to %.2f)", d->points.low, d->points.high);
}

static void put_set(snc_textbuf *t, const snc_proof *p, const char *name, int n, int k)
{
    for (int row = 0; row < p->n; row++) {
        const int i = snc_proof_row(row);
        const snc_scores *s = k < p->rows->n ? &p->m[i].set[k] : &p->m[i].all;
        snc_textbuf_put(t, "| ");
        snc_md_text(t, name);
        snc_textbuf_put(t, " | %d | %s | ", n, p->m[i].name);
        snc_textbuf_number(t, 100 * s->score, 2, "-");
        snc_textbuf_put(t, " | ");
        snc_score_table_put_drop(t, &s->drop, i == SNC_PROOF_TEACHER);
        snc_textbuf_put(t, " | ");
        snc_score_table_put_drop(t, &s->drop_int8, i == SNC_PROOF_INT8);
        snc_textbuf_put(t, " |\n");
    }
}

void snc_score_table_put_sets(snc_textbuf *t, const snc_proof *p)
{
    const snc_eval_sets *rows = p->rows;
    if (rows->n < 2) return;
    snc_textbuf_put(t,
                    "\n| scored on | rows | model | score | drop, points (95%%) | drop to full INT8 (95%%) |\n|---|---|---|---|---|---|\n");
    for (int k = 0; k < rows->n; k++) put_set(t, p, rows->of[k].name, rows->of[k].rows->n, k);
    put_set(t, p, rows->name, rows->all.n, rows->n);
}

static void put_csv_row(snc_textbuf *t, const snc_proof_model *m, const snc_scores *s, const char *rows)
{
    const snc_drop *d = &s->drop, *i = &s->drop_int8;
    const double before[] = {s->score, d->points.value, d->points.low, d->points.high},
                 after[] = {d->bound, i->points.value, i->points.low, i->points.high, i->bound};
    snc_textbuf_put(t, "%s,%.2f,%.2f,%.2f,%.2f,%.4f,%.4f,%.0f,", m->name, m->latency_us.value, m->latency_us.low, m->latency_us.high,
                    m->p90_us, m->ratio.value, m->ratio.high, m->bytes);
    for (int k = 0; k < 4; k++) {
        snc_textbuf_number(t, before[k], k ? 4 : 6, "");
        snc_textbuf_put(t, ",");
    }
    snc_textbuf_number(t, s->equal_labels, 6, "");
    for (int k = 0; k < 5; k++) {
        snc_textbuf_put(t, ",");
        snc_textbuf_number(t, after[k], 4, "");
    }
    snc_textbuf_put(t, ",");
    snc_textbuf_csv(t, rows);
    snc_textbuf_put(t, "\n");
}

void snc_score_table_put_csv(snc_textbuf *t, const snc_proof *p)
{
    snc_textbuf_put(t, "model,latency_us,latency_low_us,latency_high_us,p90_us,ratio,ratio_high,bytes,score,drop,drop_low,drop_high,"
                       "equal_labels,drop_at_most,drop_to_int8,drop_to_int8_low,drop_to_int8_high,drop_to_int8_at_most,rows\n");
    for (int i = 0; i < p->n; i++) {
        put_csv_row(t, &p->m[i], &p->m[i].all, p->rows->name);
        for (int k = 0; k < p->rows->n && p->rows->n > 1; k++) put_csv_row(t, &p->m[i], &p->m[i].set[k], p->rows->of[k].name);
    }
}
