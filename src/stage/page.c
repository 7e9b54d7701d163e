#include "stage/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/json.h"
#include "base/mem.h"
#include "search/journal.h"
#include "stage/breakdown.h"
#include "stage/plot.h"
#include "stage/reading.h"

typedef struct page {
    snc_draft d;
    cJSON *front, *report; /* report NULL: a search alone */
    snc_journal_file journal;
} page;

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fcfcfb;--fg:#1c2026;--soft:#626a73;--line:#e3e4e1;--card:#fff;--all:#8aa4bf;--front:#1f5fa8;"
    "--chosen:#d0354c;--int8:#1f8f5f;--teacher:#96690f;--good:#1f8f5f;--bad:#d0354c}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e6e8ea;--soft:#98a1ab;--line:#2b3037;--card:#1b1f25;--all:#5d7a98;--front:#6db1ff;"
    "--chosen:#ff6b7f;--int8:#4fd09a;--teacher:#e0b04f;--good:#4fd09a;--bad:#ff6b7f}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;padding:28px 20px 60px;max-width:1120px;background:var(--bg);color:var(--fg);"
    "font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif}\n"
    "h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:34px 0 10px}p{margin:6px 0}.soft{color:var(--soft)}\n"
    ".badge{display:inline-block;padding:2px 12px;border-radius:99px;color:#fff;font-weight:600;font-size:14px}.yes{background:#1f8f5f}.no{background:#c22f45}\n"
    ".tiles{display:flex;flex-wrap:wrap;gap:12px;margin:18px 0}.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 18px;min-width:150px}\n"
    ".tile b{display:block;font-size:24px;font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:13px}\n"
    ".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));gap:16px}\n"
    "figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}figcaption{font-weight:600;margin-bottom:4px}\n"
    "svg{display:block;width:100%;height:auto;font-size:12px}svg text{fill:var(--soft)}svg .word{font-size:11.5px;fill:var(--fg)}\n"
    ".grid{stroke:var(--line)}path{fill:none;stroke-width:2}\n"
    "circle.all{fill:var(--all);fill-opacity:.55}circle.all:hover,circle.front:hover{fill-opacity:1;stroke:var(--fg)}\n"
    "circle.front{fill:var(--front)}circle.chosen{fill:var(--chosen);stroke:var(--card);stroke-width:2}circle.int8{fill:var(--int8);stroke:var(--card);stroke-width:2}\n"
    "path.front{stroke:var(--front);stroke-opacity:.6}path.chosen{stroke:var(--chosen)}path.int8{stroke:var(--int8)}path.all{stroke:var(--all)}path.teacher{stroke:var(--teacher)}\n"
    "line.teacher{stroke:var(--teacher);stroke-width:1.5;stroke-dasharray:6 4}line.limit{stroke:var(--chosen);stroke-width:1.5;stroke-dasharray:2 3}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:6px 0 0;color:var(--soft);font-size:13px}.legend i{display:inline-block;width:10px;height:10px;border-radius:50%;margin-right:6px}\n"
    "i.all{background:var(--all)}i.front{background:var(--front)}i.chosen{background:var(--chosen)}i.int8{background:var(--int8)}i.teacher{background:var(--teacher)}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}th,td{padding:5px 12px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}\n"
    "th{color:var(--soft);font-weight:600}th:first-child,td:first-child{text-align:left}tr.mark td{font-weight:600}\n"
    ".heat{border-collapse:separate;border-spacing:3px}.heat td,.heat th{border:0;text-align:center;padding:6px 12px;min-width:82px;border-radius:5px}.heat th:first-child{text-align:left;min-width:0}.heat .gone{color:var(--soft);background:none}\n"
    "details{margin-top:10px}summary{cursor:pointer;color:var(--soft)}dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 16px;margin:0;font-size:14px}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n";

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static const cJSON *field(const cJSON *j, const char *key) { return cJSON_GetObjectItemCaseSensitive(j, key); }

/* NaN where there is no number. */
static double number(const cJSON *j, const char *key)
{
    const cJSON *v = field(j, key);
    return cJSON_IsNumber(v) ? v->valuedouble : (double)NAN;
}

static const char *word(const cJSON *j, const char *key)
{
    const char *s = cJSON_GetStringValue(field(j, key));
    return s ? s : "";
}

static double item(const cJSON *j, const char *key, int i)
{
    const cJSON *v = cJSON_GetArrayItem(field(j, key), i);
    return cJSON_IsNumber(v) ? v->valuedouble : (double)NAN;
}

static const cJSON *proven(const page *p, const char *name)
{
    const cJSON *m;
    cJSON_ArrayForEach(m, field(p->report, "models")) if (strcmp(word(m, "name"), name) == 0) return m;
    return NULL;
}

/* ---- head --------------------------------------------------------------------------------------------------------- */

static void tile(page *p, const char *value, const char *says)
{
    snc_draft_put(&p->d, "<div class=\"tile\"><b>%s</b><span>%s</span></div>\n", value, says);
}

static void tiles_of_proof(page *p, const cJSON *c)
{
    char v[64], s[128];
    snprintf(v, sizeof v, "%.3fx", item(c, "ratio_to_full_int8", 0));
    snprintf(s, sizeof s, "latency of the full-size INT8 model, %.3f ms", item(c, "latency_us", 0) / 1e3);
    tile(p, v, s);
    snprintf(v, sizeof v, "%.2f MB", number(c, "bytes") / 1e6);
    snprintf(s, sizeof s, "%.2fx of full-size INT8", number(c, "bytes") / number(proven(p, "full INT8"), "bytes"));
    tile(p, v, s);
    snprintf(v, sizeof v, "%.2f", 100 * number(c, "score"));
    snprintf(s, sizeof s, "score on dev; teacher %.2f", 100 * number(proven(p, "teacher F32"), "score"));
    tile(p, v, s);
    snprintf(v, sizeof v, "%.2f", item(c, "drop_points", 0));
    if (isfinite(item(c, "drop_points", 1)))
        snprintf(s, sizeof s, "points under the teacher (%.2f to %.2f at 95%%)", item(c, "drop_points", 1), item(c, "drop_points", 2));
    else snprintf(s, sizeof s, "points under the teacher; of other rows nothing is said");
    tile(p, isfinite(item(c, "drop_points", 0)) ? v : "-", s);
}

static void tiles_of_search(page *p, const cJSON *c)
{
    char v[64], s[128];
    snprintf(v, sizeof v, "%.3fx", number(c, "measured_ratio"));
    snprintf(s, sizeof s, "latency of the full-size INT8 net, %.3f ms", number(c, "measured_us") / 1e3);
    tile(p, v, s);
    snprintf(v, sizeof v, "%.2f MB", number(c, "bytes") / 1e6);
    snprintf(s, sizeof s, "%.2fx of full-size INT8", number(c, "bytes") / number(p->front, "full_int8_bytes"));
    tile(p, v, s);
    snprintf(v, sizeof v, "%.2f", 100 * number(c, "select_score"));
    snprintf(s, sizeof s, "score on select; teacher %.2f", 100 * number(field(p->front, "teacher"), "select_score"));
    tile(p, v, s);
    snprintf(v, sizeof v, "%d", p->journal.n);
    tile(p, v, "evaluations");
}

/* Targets may hold of a file that has learnt nothing. */
static void put_one_answer(page *p)
{
    const cJSON *m;
    cJSON_ArrayForEach(m, field(p->report, "models"))
    {
        if (!field(m, "one_answer")) continue;
        snc_draft_put(&p->d, "<p><b>%s answers '", word(m, "name"));
        snc_draft_html(&p->d, word(m, "one_answer"));
        snc_draft_put(&p->d, "' to every row of dev.</b></p>\n");
    }
}

static void put_head(page *p)
{
    const cJSON *chosen = field(p->front, "chosen"), *targets = field(p->report, "targets");
    bool met = cJSON_IsTrue(targets ? field(targets, "all") : field(chosen, "meets"));
    const char *title = p->report ? word(p->report, "task") : "search";
    snc_draft_put(&p->d, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n<title>compress: ");
    snc_draft_html(&p->d, title);
    snc_draft_put(&p->d, "</title><style>\n");
    for (const char *s = style; *s; s += strcspn(s, "\n") + 1) snc_draft_put(&p->d, "%.*s\n", (int)strcspn(s, "\n"), s);
    snc_draft_put(&p->d, "</style></head><body>\n<h1>");
    snc_draft_html(&p->d, title);
    snc_draft_put(&p->d, " <span class=\"badge %s\">%s</span></h1>\n", met ? "yes" : "no", met ? "every target holds" : "a target was missed");
    put_one_answer(p);
    if (p->report) {
        snc_draft_put(&p->d, "<p class=\"soft\">");
        snc_draft_html(&p->d, word(p->report, "pretrained"));
        snc_draft_put(&p->d, ", seed %.0f</p>\n", number(p->report, "seed"));
    }
    snc_draft_put(&p->d, "<div class=\"tiles\">\n");
    if (proven(p, "compressed")) tiles_of_proof(p, proven(p, "compressed"));
    else tiles_of_search(p, chosen);
    snc_draft_put(&p->d, "</div>\n");
}

/* ---- score against a cost ----------------------------------------------------------------------------------------- */

static double cost_of(const snc_obs *o, bool bytes) { return bytes ? o->bytes : o->latency_us; }

static int by_number(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* The range that shows all but the worst twentieth of the scores, and everything that they are compared with. */
static snc_err score_range(snc_plot *q, const page *p, bool bytes)
{
    const cJSON *chosen = field(p->front, "chosen"), *full = field(p->front, "full_int8"), *teacher = field(p->front, "teacher");
    double *v = NULL;
    int n = 0;
    SNC_TRY(snc_alloc(&v, (size_t)p->journal.n, sizeof *v));
    q->x0 = fmin(number(chosen, bytes ? "bytes" : "latency_us"), number(full, bytes ? "bytes" : "latency_us"));
    q->x1 = fmax(number(chosen, bytes ? "bytes" : "latency_us"), number(full, bytes ? "bytes" : "latency_us"));
    for (int i = 0; i < p->journal.n; i++) {
        const snc_obs *o = &p->journal.row[i].o;
        if (isnan(o->metric) || isnan(o->loss)) continue;
        v[n++] = o->metric;
        q->x0 = fmin(q->x0, cost_of(o, bytes));
        q->x1 = fmax(q->x1, cost_of(o, bytes));
    }
    qsort(v, (size_t)n, sizeof *v, by_number);
    q->y0 = fmin(n ? v[n / 20] : number(chosen, "metric"), fmin(number(chosen, "metric"), number(full, "metric")));
    q->y1 = fmax(n ? v[n - 1] : number(chosen, "metric"), fmax(fmax(number(full, "metric"), number(teacher, "rank_score")), number(chosen, "metric")));
    snc_free(v);
    return SNC_OK;
}

static void tip_of(char *buf, size_t size, const page *p, const char *what, double score, double loss, double us, double bytes)
{
    snprintf(buf, size, "%s: score %.2f, loss %.4f, %.0f us = %.3fx of full-size INT8, %.2f MB", what, 100 * score, loss, us,
             us / number(p->front, "full_int8_us"), bytes / 1e6);
}

static void put_marked(snc_plot *q, const page *p, const cJSON *c, const char *what, const char *class, bool bytes)
{
    char tip[256];
    tip_of(tip, sizeof tip, p, what, number(c, "metric"), number(c, "loss"), number(c, "latency_us"), number(c, "bytes"));
    snc_plot_point(q, number(c, bytes ? "bytes" : "latency_us"), number(c, "metric"), 7, class, tip);
}

static snc_err put_score_plot(page *p, bool bytes)
{
    static const char *const legend[][2] = {{"all", "evaluation"}, {"front", "front (loss, latency, size)"}, {"chosen", "chosen"}, {"int8", "full-size INT8"}, {"teacher", "teacher"}, {NULL, NULL}};
    snc_plot q = {.to = &p->d};
    const cJSON *limits = field(p->front, "limits");
    char tip[256], what[32], said[64];
    SNC_TRY(score_range(&q, p, bytes));
    snc_plot_begin(&q, bytes ? "Score against size" : "Score against latency", bytes ? "size of the file, MB" : "latency by the table, microseconds",
                   bytes ? 1e6 : 1, "score on rank", 100);
    for (int front = 0; front < 2; front++)
        for (int i = 0; i < p->journal.n; i++) {
            const snc_journal_row *r = &p->journal.row[i];
            if (r->front != front || isnan(r->o.loss)) continue;
            snprintf(what, sizeof what, "evaluation %d", i + 1);
            tip_of(tip, sizeof tip, p, what, r->o.metric, r->o.loss, r->o.latency_us, r->o.bytes);
            snc_plot_point(&q, cost_of(&r->o, bytes), r->o.metric, front ? 4 : 3, front ? "front" : "all", tip);
        }
    snc_plot_upright(&q, number(limits, bytes ? "bytes" : "latency_us"), "limit", "limit");
    snprintf(said, sizeof said, "teacher %.2f", 100 * number(field(p->front, "teacher"), "rank_score"));
    snc_plot_level(&q, number(field(p->front, "teacher"), "rank_score"), "teacher", said);
    put_marked(&q, p, field(p->front, "full_int8"), "full-size INT8", "int8", bytes);
    put_marked(&q, p, field(p->front, "chosen"), "chosen", "chosen", bytes);
    snc_plot_end(&q, legend);
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
static snc_err hypervolumes(curve *c, const page *p, const double ref[2])
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

static int find_sources(curve *c, const page *p)
{
    int n = 0;
    for (int i = 0; i < p->journal.n; i++) {
        int k = 0;
        while (k < n && strcmp(c[k].source, p->journal.row[i].source) != 0) k++;
        if (k == n && n < SOURCES && strcmp(p->journal.row[i].source, "warm start") != 0) c[n++] = (curve){.source = p->journal.row[i].source};
    }
    return n;
}

static snc_err put_hypervolume(page *p)
{
    static const char *const class[SOURCES] = {"front", "teacher", "int8"};
    curve c[SOURCES];
    const char *legend[SOURCES + 1][2] = {{NULL, NULL}};
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
        legend[k][0] = class[k];
        legend[k][1] = c[k].source;
        legend[k + 1][0] = legend[k + 1][1] = NULL;
    }
    snc_plot_begin(&q, "Hypervolume of loss and latency", "evaluations", 1, "% of the largest", 100);
    for (int k = 0; k < n; k++) snc_plot_line(&q, c[k].x, c[k].y, c[k].n, 1, class[k]);
    snc_plot_end(&q, (const char *const(*)[2])legend);
    return SNC_OK;
}

/* Best loss so far, over evaluations, whatever their source: what the user gets for waiting. */
static snc_err put_best_loss(page *p)
{
    static const char *const legend[][2] = {{"chosen", "lowest loss so far"}, {NULL, NULL}};
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
    snc_plot_line(&q, x, y, n, 1, "chosen");
    snc_plot_line(&q, (const double[]){x[n - 1], p->journal.n}, (const double[]){best, best}, 2, 0, "chosen");
    snc_plot_end(&q, legend);
out:
    snc_free(x);
    snc_free(y);
    return err;
}

static void put_predictors(page *p)
{
    const cJSON *note, *it;
    int rows = 0;
    cJSON_ArrayForEach(note, p->journal.notes)
    {
        if (strcmp(word(note, "kind"), "predictor") != 0) continue;
        if (!rows++)
            snc_draft_put(&p->d, "<h2>Predictors</h2><p class=\"soft\">Out of fold, after each round: mean absolute error in percent, and Kendall's rank correlation.</p>"
                                 "<div class=\"scroll\"><table><tr><th>round</th><th>evaluations</th><th>objective</th><th>model</th><th>MAPE %%</th><th>Kendall tau</th></tr>\n");
        cJSON_ArrayForEach(it, field(field(note, "value"), "predictors"))
        {
            snc_draft_put(&p->d, "<tr><td>%.0f</td><td>%.0f</td><td>", number(field(note, "value"), "round"), number(note, "at"));
            snc_draft_html(&p->d, word(it, "objective"));
            snc_draft_put(&p->d, "</td><td>");
            snc_draft_html(&p->d, word(it, "model"));
            snc_draft_put(&p->d, "</td><td>%.2f</td><td>%.3f</td></tr>\n", number(it, "mape"), number(it, "tau"));
        }
    }
    if (rows) snc_draft_put(&p->d, "</table></div>\n");
}

/* ---- the chosen net ----------------------------------------------------------------------------------------------- */

static void heat_width(page *p, double v, double full, const char *what)
{
    double share = full > 0 ? v / full : 0;
    snc_draft_put(&p->d, "<td style=\"background:rgba(45,115,190,%.2f)\" title=\"%.0f of %.0f %s\">%.0f</td>", 0.08 + 0.62 * share * share, v, full, what, v);
}

static void heat_dtype(page *p, const char *name)
{
    static const struct {
        const char *name, *colour;
    } colours[] = {{"int4", "130,90,200"}, {"int8", "31,143,95"}, {"bf16", "214,140,20"}, {"f32", "208,53,76"}};
    const char *c = "128,128,128";
    for (int i = 0; i < 4; i++)
        if (strcmp(name, colours[i].name) == 0) c = colours[i].colour;
    snc_draft_put(&p->d, "<td style=\"background:rgba(%s,.30)\">", c);
    snc_draft_html(&p->d, name);
    snc_draft_put(&p->d, "</td>");
}

/* Q, K and V stand apart as soon as one layer has them so. */
static int site_columns(const char *const **names, const cJSON *policy)
{
    static const char *const tied[] = {"qkv", "o", "ffn_in", "ffn_out"}, *const apart[] = {"q", "k", "v", "o", "ffn_in", "ffn_out"};
    const cJSON *layer;
    *names = tied;
    cJSON_ArrayForEach(layer, field(policy, "layers"))
        if (field(layer, "q")) *names = apart;
    return *names == apart ? 6 : 4;
}

static void heat_layer(page *p, int source, const cJSON *full, const cJSON *layer, const cJSON *dtypes, const char *const *sites, int n)
{
    snc_draft_put(&p->d, "<tr><th>layer %d</th>", source);
    if (!layer) snc_draft_put(&p->d, "<td class=\"gone\" colspan=\"%d\">left out</td>", 2 + n);
    else {
        heat_width(p, number(layer, "heads"), number(full, "heads"), "heads");
        heat_width(p, number(layer, "ffn"), number(full, "ffn"), "neurons");
        for (int i = 0; i < n; i++) heat_dtype(p, field(dtypes, sites[i]) ? word(dtypes, sites[i]) : word(dtypes, "qkv"));
    }
    snc_draft_put(&p->d, "</tr>\n");
}

/* The entry of the kept layer that came from `source`, and which one it is; NULL: it was left out. */
static const cJSON *kept_layer(int *at, const cJSON *arch, int source)
{
    const cJSON *it;
    *at = 0;
    cJSON_ArrayForEach(it, field(arch, "layers"))
    {
        if ((int)number(it, "source") == source) return it;
        ++*at;
    }
    return NULL;
}

static void put_net(page *p)
{
    const cJSON *c = field(p->report, "config") ? field(p->report, "config") : field(p->front, "chosen");
    const cJSON *arch = field(c, "arch"), *policy = field(c, "policy"), *full = field(p->front, "full"), *wide;
    const char *const *sites;
    int n = site_columns(&sites, policy), source = 0, at;
    snc_draft_put(&p->d, "<h2>The chosen net</h2><p>Hidden %.0f of %.0f; %d of %d layers; embeddings %s, pooler %s, classifier %s.</p>\n",
                  number(arch, "hidden"), number(full, "hidden"), cJSON_GetArraySize(field(arch, "layers")), cJSON_GetArraySize(field(full, "layers")),
                  word(policy, "embed"), word(policy, "pooler"), word(policy, "classifier"));
    snc_draft_put(&p->d, "<div class=\"scroll\"><table class=\"heat\"><tr><th></th><th>heads</th><th>FFN</th>");
    for (int i = 0; i < n; i++) snc_draft_put(&p->d, "<th>%s</th>", sites[i]);
    snc_draft_put(&p->d, "</tr>\n");
    cJSON_ArrayForEach(wide, field(full, "layers"))
    {
        const cJSON *layer = kept_layer(&at, arch, source);
        heat_layer(p, source++, wide, layer, cJSON_GetArrayItem(field(policy, "layers"), at), sites, n);
    }
    snc_draft_put(&p->d, "</table></div>\n");
    if (p->report) {
        snc_draft_put(&p->d, "<p class=\"soft\">Repair ");
        snc_draft_html(&p->d, word(p->report, "repair"));
        snc_draft_put(&p->d, ".</p>\n");
    }
}

/* ---- tables --------------------------------------------------------------------------------------------------------- */

static void put_proof(page *p)
{
    const cJSON *m, *models = field(p->report, "models"), *splits = field(p->report, "splits"), *load = field(p->report, "workload");
    if (!models) return;
    snc_draft_put(&p->d, "<h2>Proof</h2><div class=\"scroll\"><table><tr><th>model</th><th>latency ms (95%%)</th><th>p90 ms</th><th>of full INT8 (95%%)</th>"
                         "<th>size MB</th><th>score on dev</th><th>points under the teacher (95%%)</th><th>equal labels</th></tr>\n");
    for (int i = cJSON_GetArraySize(models) - 1; i >= 0; i--) {
        m = cJSON_GetArrayItem(models, i);
        snc_draft_put(&p->d, "<tr%s><td>%s</td><td>%.3f (%.3f to %.3f)</td><td>%.3f</td><td>%.3fx (%.3f to %.3f)</td>", i ? "" : " class=\"mark\"", word(m, "name"),
                      item(m, "latency_us", 0) / 1e3, item(m, "latency_us", 1) / 1e3, item(m, "latency_us", 2) / 1e3, number(m, "p90_us") / 1e3,
                      item(m, "ratio_to_full_int8", 0), item(m, "ratio_to_full_int8", 1), item(m, "ratio_to_full_int8", 2));
        snc_draft_put(&p->d, "<td>%.2f</td><td>", number(m, "bytes") / 1e6);
        snc_draft_number(&p->d, 100 * number(m, "score"), 2, "-");
        snc_draft_put(&p->d, "</td><td>");
        snc_draft_number(&p->d, item(m, "drop_points", 0), 2, "-");
        if (isfinite(item(m, "drop_points", 1))) snc_draft_put(&p->d, " (%.2f to %.2f)", item(m, "drop_points", 1), item(m, "drop_points", 2));
        snc_draft_put(&p->d, "</td>");
        if (isfinite(number(m, "equal_labels"))) snc_draft_put(&p->d, "<td>%.1f%%</td></tr>\n", 100 * number(m, "equal_labels"));
        else snc_draft_put(&p->d, "<td></td></tr>\n");
    }
    snc_draft_put(&p->d, "</table></div>\n<p class=\"soft\">Percentile %g of a call, batch %s, sequence length %s, %s thread(s), tokenization out, fresh processes, interleaved. "
                         "Rows: train %.0f, rank %.0f, select %.0f, dev %.0f, read once.</p>\n",
                  number(load, "percentile"), word(load, "batch"), word(load, "seq_len"), word(load, "threads"), number(splits, "train"),
                  number(splits, "rank"), number(splits, "select"), number(splits, "dev"));
}

static void put_finalists(page *p)
{
    const cJSON *f;
    int i = 0;
    snc_draft_put(&p->d, "<h2>Finalists</h2><p class=\"soft\">The best of the search, looked at again on rows it has not seen and on the clock; the first is the chosen one.</p>"
                         "<div class=\"scroll\"><table><tr><th></th><th>loss on rank</th><th>loss on select</th><th>score on select</th><th>us measured</th>"
                         "<th>us by the table</th><th>of full INT8</th><th>MB</th><th>targets</th></tr>\n");
    cJSON_ArrayForEach(f, field(p->front, "finalists"))
    {
        snc_draft_put(&p->d, "<tr%s><td>%d</td><td>%.4f</td><td>%.4f</td><td>%.2f</td><td>%.0f</td><td>%.0f</td><td>%.3fx</td><td>%.2f</td><td>%s</td></tr>\n",
                      i ? "" : " class=\"mark\"", i + 1, number(f, "loss"), number(f, "select_loss"), 100 * number(f, "select_score"), number(f, "measured_us"),
                      number(f, "latency_us"), number(f, "measured_ratio"), number(f, "bytes") / 1e6, cJSON_IsTrue(field(f, "meets")) ? "met" : "missed");
        i++;
    }
    snc_draft_put(&p->d, "</table></div>\n");
}

static void put_front(page *p)
{
    const cJSON *f;
    snc_draft_put(&p->d, "<details><summary>The whole front: %d of %d evaluations</summary><div class=\"scroll\"><table><tr><th>config</th><th>loss</th><th>score</th><th>us</th>"
                         "<th>of full INT8</th><th>MB</th><th>M multiply-adds</th></tr>\n", cJSON_GetArraySize(field(p->front, "front")), p->journal.n);
    cJSON_ArrayForEach(f, field(p->front, "front"))
        snc_draft_put(&p->d, "<tr><td>%s</td><td>%.4f</td><td>%.2f</td><td>%.0f</td><td>%.3fx</td><td>%.2f</td><td>%.0f</td></tr>\n", word(f, "config"), number(f, "loss"),
                      100 * number(f, "metric"), number(f, "latency_us"), number(f, "latency_us") / number(p->front, "full_int8_us"), number(f, "bytes") / 1e6, number(f, "macs") / 1e6);
    snc_draft_put(&p->d, "</table></div></details>\n");
}

static void put_list(page *p, const char *title, const cJSON *list)
{
    const cJSON *it;
    if (!list) return;
    snc_draft_put(&p->d, "<h2>%s</h2><dl>\n", title);
    cJSON_ArrayForEach(it, list)
    {
        char *text = cJSON_IsString(it) ? NULL : cJSON_PrintUnformatted(it);
        snc_draft_put(&p->d, "<dt>");
        snc_draft_html(&p->d, it->string);
        snc_draft_put(&p->d, "</dt><dd>");
        snc_draft_html(&p->d, cJSON_IsString(it) ? it->valuestring : text);
        snc_draft_put(&p->d, "</dd>\n");
        cJSON_free(text);
    }
    snc_draft_put(&p->d, "</dl>\n");
}

static void put_reading(page *p)
{
    const cJSON *read = field(p->front, "read"), *w;
    snc_draft lines = {0};
    if (!read) return;
    snc_reading_put(&lines, read, "");
    snc_draft_put(&p->d, "<h2>What was read</h2><pre>");
    snc_draft_html(&p->d, lines.p ? lines.p : "");
    cJSON_ArrayForEach(w, field(read, "warnings"))
    {
        snc_draft_put(&p->d, "warning ");
        snc_draft_html(&p->d, word(w, "text"));
        snc_draft_put(&p->d, "\n");
    }
    snc_draft_put(&p->d, "</pre>\n");
    snc_free(lines.p);
}

static void put_command(page *p)
{
    if (!field(p->report, "command")) return;
    snc_draft_put(&p->d, "<h2>The command</h2><p><code>");
    snc_draft_html(&p->d, word(p->report, "command"));
    snc_draft_put(&p->d, "</code></p><p class=\"soft\">");
    snc_draft_html(&p->d, word(p->report, "date"));
    snc_draft_put(&p->d, "</p>\n");
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

static snc_err check(const page *p, const char *path)
{
    static const char *const needed[] = {"chosen", "full", "full_int8", "teacher", "finalists", "front"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        SNC_CHECK(field(p->front, needed[i]), SNC_E_FORMAT, "%s: '%s' is missing", path, needed[i]);
    return SNC_OK;
}

static snc_err put_page(page *p)
{
    put_head(p);
    snc_draft_put(&p->d, "<div class=\"plots\">\n");
    SNC_TRY(put_score_plot(p, false));
    SNC_TRY(put_score_plot(p, true));
    snc_draft_put(&p->d, "</div>\n");
    put_proof(p);
    snc_breakdown_html(&p->d, p->report);
    put_net(p);
    put_finalists(p);
    put_front(p);
    snc_draft_put(&p->d, "<h2>The search</h2><div class=\"plots\">\n");
    SNC_TRY(put_best_loss(p));
    SNC_TRY(put_hypervolume(p));
    snc_draft_put(&p->d, "</div>\n");
    put_predictors(p);
    put_reading(p);
    put_list(p, "Seconds by stage", field(p->report, "stages"));
    put_list(p, "Options", field(p->report, "options"));
    put_list(p, "Versions", field(p->report, "versions"));
    put_list(p, "Host", field(p->report, "host") ? field(p->report, "host") : field(p->front, "host"));
    put_command(p);
    snc_draft_put(&p->d, "</body></html>\n");
    return SNC_OK;
}

snc_err snc_page_write(const char *dir, const char *journal, const char *report)
{
    page p = {.front = NULL};
    char front[4096];
    snc_err err = SNC_OK;
    SNC_TRY(snc_path_join(front, sizeof front, dir, "front.json"));
    SNC_GOTO(snc_json_load(&p.front, front));
    SNC_GOTO(check(&p, front));
    if (report) SNC_GOTO(snc_json_load(&p.report, report));
    SNC_GOTO(snc_journal_read(&p.journal, journal));
    SNC_GOTO(put_page(&p));
    SNC_GOTO(snc_draft_write(&p.d, dir, "report.html"));
out:
    snc_free(p.d.p);
    snc_journal_file_dispose(&p.journal);
    cJSON_Delete(p.front);
    cJSON_Delete(p.report);
    return err;
}
