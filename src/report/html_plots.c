/* The pictures of the HTML report. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/stats.h"
#include "report/html_priv.h"

void snc_html__picture(snc_html_page *p, const snc_plot *q, const char *name)
{
    p->picture[p->pictures++] = (snc_html_picture){name, q->from, q->upto};
}

/* ---- score against a cost ----------------------------------------------------------------------------------------- */

static double cost_of(const snc_obs *o, bool bytes) { return bytes ? o->bytes : o->latency_us; }

/* The range that shows all but the worst twentieth of the scores, and everything that they are compared with. */
static snc_err score_range(snc_plot *q, const snc_html_page *p, bool bytes)
{
    const cJSON *chosen = snc_json_at(p->front, "chosen"), *full = snc_json_at(p->front, "full_int8"),
                *teacher = snc_json_at(p->front, "teacher");
    double *v = NULL;
    int n = 0;
    SNC_TRY(snc_alloc(&v, (size_t)p->journal.n, sizeof *v));
    q->x0 = fmin(snc_json_number(chosen, bytes ? "bytes" : "latency_us"), snc_json_number(full, bytes ? "bytes" : "latency_us"));
    q->x1 = fmax(snc_json_number(chosen, bytes ? "bytes" : "latency_us"), snc_json_number(full, bytes ? "bytes" : "latency_us"));
    for (int i = 0; i < p->journal.n; i++) {
        const snc_obs *o = &p->journal.row[i].o;
        if (isnan(o->metric) || isnan(o->loss)) continue;
        v[n++] = o->metric;
        q->x0 = fmin(q->x0, cost_of(o, bytes));
        q->x1 = fmax(q->x1, cost_of(o, bytes));
    }
    snc_sort(v, n);
    q->y0 =
        fmin(n ? v[n / 20] : snc_json_number(chosen, "metric"), fmin(snc_json_number(chosen, "metric"), snc_json_number(full, "metric")));
    q->y1 = fmax(n ? v[n - 1] : snc_json_number(chosen, "metric"),
                 fmax(fmax(snc_json_number(full, "metric"), snc_json_number(teacher, "rank_score")), snc_json_number(chosen, "metric")));
    snc_free(v);
    return SNC_OK;
}

static void tip_of(char *buf, size_t size, const snc_html_page *p, const char *what, double score, double loss, double us, double bytes)
{
    snprintf(buf, size, "%s: score %.2f, loss %.4f, %.0f us = %.3fx of full-size INT8, %.2f MB", what, 100 * score, loss, us,
             us / snc_json_number(p->front, "full_int8_us"), bytes / 1e6);
}

static void put_marked(snc_plot *q, const snc_html_page *p, const cJSON *c, const char *what, snc_series series, bool bytes)
{
    char tip[256];
    tip_of(tip, sizeof tip, p, what, snc_json_number(c, "metric"), snc_json_number(c, "loss"), snc_json_number(c, "latency_us"),
           snc_json_number(c, "bytes"));
    snc_plot_point(q, snc_json_number(c, bytes ? "bytes" : "latency_us"), snc_json_number(c, "metric"), series, tip);
}

/* Those on the front are drawn over the others. */
static void put_evaluations(snc_plot *q, const snc_html_page *p, bool bytes)
{
    char tip[256], what[32];
    for (int front = 0; front < 2; front++)
        for (int i = 0; i < p->journal.n; i++) {
            const snc_journal_row *r = &p->journal.row[i];
            if (r->front != front || isnan(r->o.loss)) continue;
            snprintf(what, sizeof what, "evaluation %d", i + 1);
            tip_of(tip, sizeof tip, p, what, r->o.metric, r->o.loss, r->o.latency_us, r->o.bytes);
            snc_plot_point(q, cost_of(&r->o, bytes), r->o.metric, front ? SNC_SERIES_FRONT : SNC_SERIES_ALL, tip);
        }
}

snc_err snc_html__score_plot(snc_html_page *p, bool bytes)
{
    snc_legend legend[] = {{SNC_SERIES_ALL, "evaluation"},
                           {SNC_SERIES_FRONT, "on the front"},
                           {SNC_SERIES_CHOSEN, "chosen"},
                           {SNC_SERIES_INT8, "full-size INT8"},
                           {SNC_SERIES_TEACHER, "teacher"},
                           {SNC_SERIES_LIMIT, "limit of search"},
                           {SNC_SERIES, NULL}};
    snc_plot q = {.to = &p->d};
    const cJSON *teacher = snc_json_at(p->front, "teacher");
    const double limit = snc_json_number(snc_json_at(p->front, "limits"), bytes ? "bytes" : "latency_us");
    char said[64];
    SNC_TRY(score_range(&q, p, bytes));
    const bool ms = q.x1 >= 2000; /* of microseconds */
    snc_plot_begin(&q, bytes ? "Score against size" : "Score against latency",
                   bytes ? "size of the file, MB"
                   : ms  ? "latency by the table, ms"
                         : "latency by the table, \302\265s",
                   bytes ? 1e6
                   : ms  ? 1e3
                         : 1,
                   "score on rank, points", 100);
    put_evaluations(&q, p, bytes);
    snc_plot_upright(&q, limit, SNC_SERIES_LIMIT, "limit");
    snprintf(said, sizeof said, "teacher %.2f", 100 * snc_json_number(teacher, "rank_score"));
    snc_plot_level(&q, snc_json_number(teacher, "rank_score"), SNC_SERIES_TEACHER, said);
    put_marked(&q, p, snc_json_at(p->front, "full_int8"), "full-size INT8", SNC_SERIES_INT8, bytes);
    put_marked(&q, p, snc_json_at(p->front, "chosen"), "chosen", SNC_SERIES_CHOSEN, bytes);
    if (!(limit > 0)) legend[5].text = NULL;
    snc_plot_end(&q, legend);
    snc_html__picture(p, &q, bytes ? "size" : "latency");
    return SNC_OK;
}

/* ---- progress ----------------------------------------------------------------------------------------------------- */

enum { CURVE = 80, SOURCES = 3 };

typedef struct curve {
    const char *source;
    int n;
    double x[CURVE], y[CURVE];
} curve;

/* Hypervolume of loss and latency after k evaluations of one source, k at most CURVE of them, evenly spread. */
static snc_err hypervolumes(curve *c, const snc_html_page *p, const double ref[2])
{
    snc_point *v = NULL;
    snc_err err = SNC_OK;
    int total = 0, seen = 0;
    SNC_TRY(snc_alloc(&v, (size_t)p->journal.n, sizeof *v));
    for (int i = 0; i < p->journal.n; i++) total += strcmp(p->journal.row[i].source, c->source) == 0;
    for (int i = 0; i < p->journal.n; i++) {
        const snc_journal_row *r = &p->journal.row[i];
        if (strcmp(r->source, c->source) != 0) continue;
        v[seen++] = (snc_point){.f = {r->o.loss, r->o.latency_us}};
        if ((int64_t)seen * CURVE / total == (int64_t)(seen - 1) * CURVE / total && seen != total) continue;
        if (c->n == CURVE) c->n--;
        c->x[c->n] = seen;
        SNC_GOTO(snc_hypervolume(&c->y[c->n++], v, seen, 2, ref));
    }
out:
    snc_free(v);
    return err;
}

static int find_sources(curve *c, const snc_html_page *p)
{
    int n = 0;
    for (int i = 0; i < p->journal.n; i++) {
        int k = 0;
        while (k < n && strcmp(c[k].source, p->journal.row[i].source) != 0) k++;
        if (k == n && n < SOURCES && strcmp(p->journal.row[i].source, "warm start") != 0)
            c[n++] = (curve){.source = p->journal.row[i].source};
    }
    return n;
}

snc_err snc_html__hypervolume(snc_html_page *p)
{
    curve c[SOURCES];
    snc_legend legend[SOURCES + 1] = {{SNC_SERIES, NULL}};
    snc_plot q = {.to = &p->d};
    double ref[2] = {0, 0}, whole = 0;
    int n = find_sources(c, p);
    for (int i = 0; i < p->journal.n; i++) {
        const snc_obs *o = &p->journal.row[i].o;
        if (isfinite(o->loss)) ref[0] = fmax(ref[0], o->loss);
        if (isfinite(o->latency_us)) ref[1] = fmax(ref[1], o->latency_us);
    }
    for (int k = 0; k < n; k++) {
        SNC_TRY(hypervolumes(&c[k], p, ref));
        for (int i = 0; i < c[k].n; i++) whole = fmax(whole, c[k].y[i]);
    }
    if (n == 0 || whole <= 0) return SNC_OK;
    q.y0 = q.y1 = 1;
    for (int k = 0; k < n; k++) {
        for (int i = 0; i < c[k].n; i++) c[k].y[i] /= whole;
        q.y0 = fmin(q.y0, c[k].y[c[k].n > 8 ? c[k].n / 16 : 0]);
        q.x1 = fmax(q.x1, c[k].x[c[k].n - 1]);
        legend[k] = (snc_legend){SNC_SERIES_FIRST + k, c[k].source};
        legend[k + 1].text = NULL;
    }
    snc_plot_begin(&q, "Hypervolume of loss and latency", "evaluations", 1, "% of the largest", 100);
    for (int k = 0; k < n; k++) snc_plot_line(&q, c[k].x, c[k].y, c[k].n, 1, SNC_SERIES_FIRST + k);
    snc_plot_end(&q, legend);
    snc_html__picture(p, &q, "hypervolume");
    return SNC_OK;
}

snc_err snc_html__best_loss(snc_html_page *p)
{
    static const snc_legend legend[] = {{SNC_SERIES_FIRST, "lowest so far"}, {SNC_SERIES, NULL}};
    snc_plot q = {.to = &p->d, .y0 = INFINITY, .y1 = -INFINITY};
    double *x = NULL, *y = NULL, best = INFINITY;
    snc_err err = SNC_OK;
    int n = 0;
    SNC_GOTO(snc_alloc(&x, (size_t)p->journal.n, sizeof *x));
    SNC_GOTO(snc_alloc(&y, (size_t)p->journal.n, sizeof *y));
    for (int i = 0; i < p->journal.n; i++) {
        if (!(p->journal.row[i].o.loss < best)) continue;
        best = p->journal.row[i].o.loss;
        x[n] = i + 1;
        y[n++] = best;
    }
    if (n == 0) goto out;
    for (int i = 0; i < n; i++) q.y0 = fmin(q.y0, y[i]);
    q.y1 = y[n > 4 ? 1 : 0];
    q.x1 = p->journal.n;
    snc_plot_begin(&q, "Lowest loss", "evaluations", 1, "loss on rank", 1);
    snc_plot_line(&q, x, y, n, 1, SNC_SERIES_FIRST);
    snc_plot_line(&q, (const double[]){x[n - 1], p->journal.n}, (const double[]){best, best}, 2, 0, SNC_SERIES_FIRST);
    snc_plot_end(&q, legend);
    snc_html__picture(p, &q, "loss");
out:
    snc_free(x);
    snc_free(y);
    return err;
}
