/* The page's head, tables and lists, in order, around pictures and net. */
#include "report/html_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/folder.h"
#include "base/fmap.h"
#include "base/json.h"
#include "base/mem.h"
#include "candidate/search_result.h"
#include "report/breakdown.h"
#include "report/html_priv.h"
#include "report/made.h"
#include "report/reading.h"

static double item(const cJSON *j, const char *key, int i)
{
    const cJSON *v = cJSON_GetArrayItem(snc_json_at(j, key), i);
    return cJSON_IsNumber(v) ? v->valuedouble : (double)NAN;
}

static const cJSON *proven(const snc_html_page *p, const char *name)
{
    const cJSON *m;
    cJSON_ArrayForEach(m, snc_json_at(p->report, "models")) if (strcmp(snc_html__word(m, "name"), name) == 0) return m;
    return NULL;
}

/* ---- head --------------------------------------------------------------------------------------------------------- */

static void tile(snc_html_page *p, const char *value, const char *says)
{
    snc_textbuf_put(&p->d, "<div class=\"tile\"><b>%s</b><span>%s</span></div>\n", value, says);
}

static void tiles_of_proof(snc_html_page *p, const cJSON *c)
{
    const char *rows = snc_html__word(snc_json_at(p->report, "eval"), "name");
    char v[64], s[128];
    snprintf(v, sizeof v, "%.3fx", item(c, "ratio_to_full_int8", 0));
    snprintf(s, sizeof s, "latency of the full-size INT8 model, %.3f ms", item(c, "latency_us", 0) / 1e3);
    tile(p, v, s);
    snprintf(v, sizeof v, "%.2f MB", snc_json_number(c, "bytes") / 1e6);
    snprintf(s, sizeof s, "%.2fx of full-size INT8", snc_json_number(c, "bytes") / snc_json_number(proven(p, "full INT8"), "bytes"));
    tile(p, v, s);
    snprintf(v, sizeof v, "%.2f", 100 * snc_json_number(c, "score"));
    snprintf(s, sizeof s, "score on %s; teacher %.2f", strcmp(rows, "dev") == 0 ? "dev" : "the rows of --eval",
             100 * snc_json_number(proven(p, "teacher F32"), "score"));
    tile(p, v, s);
    snprintf(v, sizeof v, "%.2f", item(c, "drop_points", 0));
    if (isfinite(item(c, "drop_points", 1)))
        snprintf(s, sizeof s, "points under the teacher (%.2f to %.2f at 95%%)", item(c, "drop_points", 1), item(c, "drop_points", 2));
    else snprintf(s, sizeof s, "points under the teacher; of other rows nothing is said");
    tile(p, isfinite(item(c, "drop_points", 0)) ? v : "-", s);
}

static void tiles_of_search(snc_html_page *p, const cJSON *c)
{
    char v[64], s[128];
    snprintf(v, sizeof v, "%.3fx", snc_json_number(c, "measured_ratio"));
    snprintf(s, sizeof s, "latency of the full-size INT8 net, %.3f ms", snc_json_number(c, "measured_us") / 1e3);
    tile(p, v, s);
    snprintf(v, sizeof v, "%.2f MB", snc_json_number(c, "bytes") / 1e6);
    snprintf(s, sizeof s, "%.2fx of full-size INT8", snc_json_number(c, "bytes") / snc_json_number(p->front, "full_int8_bytes"));
    tile(p, v, s);
    snprintf(v, sizeof v, "%.2f", 100 * snc_json_number(c, "select_score"));
    snprintf(s, sizeof s, "score on select; teacher %.2f", 100 * snc_json_number(snc_json_at(p->front, "teacher"), "select_score"));
    tile(p, v, s);
    snprintf(v, sizeof v, "%d", p->journal.n);
    tile(p, v, "evaluations");
}

/* Targets may hold of a file that has learnt nothing. */
static void put_one_answer(snc_html_page *p)
{
    const cJSON *m;
    cJSON_ArrayForEach(m, snc_json_at(p->report, "models"))
    {
        if (!snc_json_at(m, "one_answer")) continue;
        snc_textbuf_put(&p->d, "<p><b>%s answers '", snc_html__word(m, "name"));
        snc_textbuf_html(&p->d, snc_html__word(m, "one_answer"));
        snc_textbuf_put(&p->d, "' to every row.</b></p>\n");
    }
}

/* Of a finalist: what was asked, and the inner bound that it is held to. */
static bool holds(const cJSON *finalist, const char *what)
{
    const cJSON *it, *targets = snc_json_at(finalist, "targets");
    cJSON_ArrayForEach(it, targets) if (!cJSON_IsTrue(snc_json_at(it, what))) return false;
    return targets != NULL;
}

static const char *judged(const cJSON *finalist)
{
    return cJSON_IsTrue(snc_json_at(finalist, "meets")) ? "met" : holds(finalist, "holds") ? "met, without the margin" : "missed";
}

static void put_badge(snc_html_page *p, const cJSON *chosen)
{
    const cJSON *targets = snc_json_at(p->report, "targets");
    const bool met = cJSON_IsTrue(targets ? snc_json_at(targets, "all") : snc_json_at(chosen, "meets")),
               near = !met && !targets && holds(chosen, "holds");
    snc_textbuf_put(&p->d, " <span class=\"badge %s\">%s</span></h1>\n",
                    met    ? "yes"
                    : near ? "near"
                           : "no",
                    met    ? "every target holds"
                    : near ? "every target holds, without the margin for the proof"
                           : "a target was missed");
}

static void put_head(snc_html_page *p)
{
    const cJSON *chosen = snc_json_at(p->front, "chosen");
    const char *title = p->report ? snc_html__word(p->report, "task") : "search";
    snc_textbuf_put(&p->d, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                           "content=\"width=device-width\">\n<title>compress: ");
    snc_textbuf_html(&p->d, title);
    snc_textbuf_put(&p->d, "</title><style>\n");
    snc_textbuf_text(&p->d, snc_html__style);
    snc_plot_style(&p->d);
    snc_textbuf_put(&p->d, "</style></head><body>\n<h1>");
    snc_textbuf_html(&p->d, title);
    put_badge(p, chosen);
    put_one_answer(p);
    if (p->report) {
        snc_textbuf_put(&p->d, "<p class=\"soft\">");
        snc_textbuf_html(&p->d, snc_html__word(p->report, "pretrained"));
        snc_textbuf_put(&p->d, ", seed %.0f</p>\n", snc_json_number(p->report, "seed"));
    }
    snc_textbuf_put(&p->d, "<div class=\"tiles\">\n");
    if (proven(p, "compressed")) tiles_of_proof(p, proven(p, "compressed"));
    else tiles_of_search(p, chosen);
    snc_textbuf_put(&p->d, "</div>\n");
}

static void put_predictor(snc_html_page *p, const cJSON *note)
{
    const cJSON *it, *value = snc_json_at(note, "value");
    cJSON_ArrayForEach(it, snc_json_at(value, "predictors"))
    {
        snc_textbuf_put(&p->d, "<tr><td>%.0f</td><td>%.0f</td><td>", snc_json_number(value, "round"), snc_json_number(note, "at"));
        snc_textbuf_html(&p->d, snc_html__word(it, "objective"));
        snc_textbuf_put(&p->d, "</td><td>");
        snc_textbuf_html(&p->d, snc_html__word(it, "model"));
        snc_textbuf_put(&p->d, "</td><td>%.2f</td><td>%.3f</td></tr>\n", snc_json_number(it, "mape"), snc_json_number(it, "tau"));
    }
}

static void put_predictors(snc_html_page *p)
{
    const cJSON *note;
    int rounds = 0;
    cJSON_ArrayForEach(note, p->journal.notes) rounds += strcmp(snc_html__word(note, "kind"), "predictor") == 0;
    if (!rounds) return;
    snc_textbuf_put(&p->d,
                    "<details><summary>Predictors of the search: %d rounds</summary><p class=\"soft\">Out of fold, after each round: mean "
                    "absolute error in percent, and Kendall's rank correlation.</p>"
                    "<div class=\"scroll\"><table><tr><th>round</th><th>evaluations</th><th>objective</th><th>model</th><th>MAPE "
                    "%%</th><th>Kendall tau</th></tr>\n",
                    rounds);
    cJSON_ArrayForEach(note, p->journal.notes) if (strcmp(snc_html__word(note, "kind"), "predictor") == 0) put_predictor(p, note);
    snc_textbuf_put(&p->d, "</table></div></details>\n");
}

/* ---- tables --------------------------------------------------------------------------------------------------------- */

static void put_drop(snc_html_page *p, const cJSON *scores, const char *key)
{
    snc_textbuf_put(&p->d, "<td>");
    snc_textbuf_number(&p->d, item(scores, key, 0), 2, "-");
    if (isfinite(item(scores, key, 1))) snc_textbuf_put(&p->d, " (%.2f to %.2f)", item(scores, key, 1), item(scores, key, 2));
    snc_textbuf_put(&p->d, "</td>");
}

static void put_scores(snc_html_page *p, const cJSON *scores)
{
    snc_textbuf_put(&p->d, "<td>");
    snc_textbuf_number(&p->d, 100 * snc_json_number(scores, "score"), 2, "-");
    snc_textbuf_put(&p->d, "</td>");
    put_drop(p, scores, "drop_points");
    put_drop(p, scores, "drop_to_int8_points");
}

/* Where several sets of rows are scored: each by itself. */
static void put_sets(snc_html_page *p)
{
    const cJSON *models = snc_json_at(p->report, "models"), *set;
    if (!snc_json_at(models ? models->child : NULL, "sets")) return;
    snc_textbuf_put(&p->d, "<h3>Set by set</h3><div class=\"scroll\"><table><tr><th>model</th><th>scored on</th><th>rows</th><th>score</th>"
                           "<th>points under the teacher (95%%)</th><th>under full INT8 (95%%)</th></tr>\n");
    for (int i = cJSON_GetArraySize(models) - 1; i >= 0; i--) {
        const cJSON *m = cJSON_GetArrayItem(models, i);
        cJSON_ArrayForEach(set, snc_json_at(m, "sets"))
        {
            snc_textbuf_put(&p->d, "<tr%s><td>%s</td><td>", i ? "" : " class=\"mark\"", snc_html__word(m, "name"));
            snc_textbuf_html(&p->d, snc_html__word(set, "name"));
            snc_textbuf_put(&p->d, "</td><td>%.0f</td>", snc_json_number(set, "rows"));
            put_scores(p, set);
            snc_textbuf_put(&p->d, "</tr>\n");
        }
    }
    snc_textbuf_put(&p->d, "</table></div>\n");
}

static void put_margin(snc_html_page *p)
{
    const cJSON *margin = snc_json_at(p->report, "margin"), *a;
    cJSON_ArrayForEach(a, snc_json_at(margin, "against"))
    {
        snc_textbuf_put(&p->d, "<p>Not worse than %s by more than a margin of %.2f points: <b>%s</b> at 95%%", snc_html__word(a, "model"),
                        snc_json_number(margin, "points"), snc_html__word(a, "verdict"));
        if (isfinite(snc_json_number(a, "at_most"))) snc_textbuf_put(&p->d, ", at most %.2f worse", snc_json_number(a, "at_most"));
        if (isfinite(snc_json_number(a, "needs_rows")))
            snc_textbuf_put(&p->d, "; to show it of an equal model takes about %.0f rows", snc_json_number(a, "needs_rows"));
        snc_textbuf_put(&p->d, ".</p>\n");
    }
}

static void put_hosts(snc_html_page *p)
{
    const cJSON *h, *m, *hosts = snc_json_at(p->report, "hosts");
    if (!hosts) return;
    snc_textbuf_put(&p->d, "<h3>By host</h3><div class=\"scroll\"><table><tr><th>host</th><th>CPU</th><th>instructions</th><th>model</th>"
                           "<th>latency ms (95%%)</th><th>of full INT8 (95%%)</th><th></th></tr>\n");
    cJSON_ArrayForEach(h, hosts) cJSON_ArrayForEach(m, snc_json_at(h, "models"))
    {
        snc_textbuf_put(&p->d, "<tr><td>");
        snc_textbuf_html(&p->d, snc_html__word(h, "name"));
        snc_textbuf_put(&p->d, "</td><td>");
        snc_textbuf_html(&p->d, snc_html__word(h, "cpu"));
        snc_textbuf_put(&p->d, "</td>");
        snc_textbuf_put(&p->d, "<td>%s</td><td>%s</td>", snc_html__word(h, "isa"), snc_html__word(m, "name"));
        snc_textbuf_put(&p->d, "<td>%.3f (%.3f to %.3f)</td><td>%.3fx (%.3f to %.3f)</td><td>%s</td></tr>\n",
                        item(m, "latency_us", 0) / 1e3, item(m, "latency_us", 1) / 1e3, item(m, "latency_us", 2) / 1e3,
                        item(m, "ratio_to_full_int8", 0), item(m, "ratio_to_full_int8", 1), item(m, "ratio_to_full_int8", 2),
                        cJSON_IsTrue(snc_json_at(m, "decides")) ? "decides" : "");
    }
    snc_textbuf_put(&p->d, "</table></div>\n");
}

static void put_proof(snc_html_page *p)
{
    const cJSON *m, *models = snc_json_at(p->report, "models"), *splits = snc_json_at(p->report, "splits"),
                    *load = snc_json_at(p->report, "workload");
    if (!models) return;
    snc_textbuf_put(
        &p->d,
        "<h2>Proof</h2><div class=\"scroll\"><table><tr><th>model</th><th>latency ms (95%%)</th><th>p90 ms</th><th>of full INT8 (95%%)</th>"
        "<th>size MB</th><th>score</th><th>points under the teacher (95%%)</th><th>under full INT8 (95%%)</th><th>equal "
        "labels</th></tr>\n");
    for (int i = cJSON_GetArraySize(models) - 1; i >= 0; i--) {
        m = cJSON_GetArrayItem(models, i);
        snc_textbuf_put(&p->d, "<tr%s><td>%s</td><td>%.3f (%.3f to %.3f)</td><td>%.3f</td><td>%.3fx (%.3f to %.3f)</td>",
                        i ? "" : " class=\"mark\"", snc_html__word(m, "name"), item(m, "latency_us", 0) / 1e3,
                        item(m, "latency_us", 1) / 1e3, item(m, "latency_us", 2) / 1e3, snc_json_number(m, "p90_us") / 1e3,
                        item(m, "ratio_to_full_int8", 0), item(m, "ratio_to_full_int8", 1), item(m, "ratio_to_full_int8", 2));
        snc_textbuf_put(&p->d, "<td>%.2f</td>", snc_json_number(m, "bytes") / 1e6);
        put_scores(p, m);
        if (isfinite(snc_json_number(m, "equal_labels")))
            snc_textbuf_put(&p->d, "<td>%.1f%%</td></tr>\n", 100 * snc_json_number(m, "equal_labels"));
        else snc_textbuf_put(&p->d, "<td></td></tr>\n");
    }
    snc_textbuf_put(&p->d,
                    "</table></div>\n<p class=\"soft\">Percentile %g of a call, batch %s, sequence length %s, %s thread(s), tokenization "
                    "out, fresh processes, each of the file and full INT8 in turns. "
                    "Rows: train %.0f, rank %.0f, select %.0f, dev %.0f; what is scored was read once.</p>\n",
                    snc_json_number(load, "percentile"), snc_html__word(load, "batch"), snc_html__word(load, "seq_len"),
                    snc_html__word(load, "threads"), snc_json_number(splits, "train"), snc_json_number(splits, "rank"),
                    snc_json_number(splits, "select"), snc_json_number(splits, "dev"));
    put_hosts(p);
    put_sets(p);
    put_margin(p);
}

/* "0.700x of full INT8", "1.500 ms": of a latency's entry. */
static const char *latency_text(char buf[48], const cJSON *target, double v)
{
    if (snc_json_at(target, "share_of_full_int8")) snprintf(buf, 48, "%.3fx of full INT8", v);
    else snprintf(buf, 48, "%.3f ms", v / 1e3);
    return buf;
}

/* Why a finalist may miss what the file then keeps. */
static void put_inner(snc_html_page *p)
{
    const cJSON *t = snc_json_at(snc_json_at(snc_json_at(p->front, "chosen"), "targets"), "latency");
    char asked[48], inner[48];
    if (!t) return;
    const double share = snc_json_number(t, "share_of_full_int8"), value = isfinite(share) ? share : snc_json_number(t, "value");
    snc_textbuf_put(
        &p->d,
        "<p class=\"soft\">A latency of at most %s was asked. Finalists are held to an inner bound, %s: a margin of %.0f%%, "
        "since the proof times the file anew and judges by the upper end of its interval. <b>met, without the margin</b>: within "
        "what was asked, but not within the inner bound. Whether targets hold is what the proof says of the file.</p>\n",
        latency_text(asked, t, value), latency_text(inner, t, snc_json_number(t, "inner")),
        100 * (1 - snc_json_number(t, "inner") / value));
}

static void put_finalists(snc_html_page *p)
{
    const cJSON *f, *curse = snc_json_at(p->front, "winners_curse");
    char said[512];
    int i = 0;
    snc_textbuf_put(
        &p->d,
        "<h2>Finalists</h2><p class=\"soft\">The best of the search, looked at again on rows it has not seen and on the clock; the first "
        "is the chosen one.</p>"
        "<div class=\"scroll\"><table><tr><th></th><th>targets</th><th>loss on rank</th><th>on fresh rows (at most)</th><th>on "
        "select</th><th>score on "
        "select</th><th>us measured</th><th>us by the table</th><th>of full INT8</th><th>MB</th></tr>\n");
    cJSON_ArrayForEach(f, snc_json_at(p->front, "finalists"))
    {
        snc_textbuf_put(&p->d,
                        "<tr%s><td>%d</td><td>%s</td><td>%.4f</td><td>%.4f (%.4f)</td><td>%.4f</td><td>%.2f</td><td>%.0f</td><td>%.0f</td>"
                        "<td>%.3fx</td><td>%.2f</td></tr>\n",
                        i ? "" : " class=\"mark\"", i + 1, judged(f), snc_json_number(f, "loss"), snc_json_number(f, "fresh_loss"),
                        snc_json_number(f, "fresh_at_most"), snc_json_number(f, "select_loss"), 100 * snc_json_number(f, "select_score"),
                        snc_json_number(f, "measured_us"), snc_json_number(f, "latency_us"), snc_json_number(f, "measured_ratio"),
                        snc_json_number(f, "bytes") / 1e6);
        i++;
    }
    snc_textbuf_put(&p->d, "</table></div>\n");
    put_inner(p);
    if (!curse) return;
    snc_curse_say(said, sizeof said, curse);
    snc_textbuf_put(&p->d, "<p class=\"soft\">Winner's curse: %s.</p>\n", said);
}

static void put_front(snc_html_page *p)
{
    const cJSON *f;
    snc_textbuf_put(&p->d,
                    "<details><summary>The whole front: %d of %d evaluations</summary><div "
                    "class=\"scroll\"><table><tr><th>config</th><th>loss</th><th>score</th><th>us</th>"
                    "<th>of full INT8</th><th>MB</th><th>M multiply-adds</th></tr>\n",
                    cJSON_GetArraySize(snc_json_at(p->front, "front")), p->journal.n);
    cJSON_ArrayForEach(f, snc_json_at(p->front, "front"))
        snc_textbuf_put(&p->d, "<tr><td>%s</td><td>%.4f</td><td>%.2f</td><td>%.0f</td><td>%.3fx</td><td>%.2f</td><td>%.0f</td></tr>\n",
                        snc_html__word(f, "config"), snc_json_number(f, "loss"), 100 * snc_json_number(f, "metric"),
                        snc_json_number(f, "latency_us"), snc_json_number(f, "latency_us") / snc_json_number(p->front, "full_int8_us"),
                        snc_json_number(f, "bytes") / 1e6, snc_json_number(f, "macs") / 1e6);
    snc_textbuf_put(&p->d, "</table></div></details>\n");
}

static void put_list(snc_html_page *p, const char *title, const cJSON *list)
{
    if (!list) return;
    snc_textbuf_put(&p->d, "<h2>%s</h2>", title);
    snc_made_html_list(&p->d, list);
}

static void put_reading(snc_html_page *p)
{
    const cJSON *read = snc_json_at(p->front, "read"), *w;
    snc_textbuf lines = {0};
    if (!read) return;
    snc_reading_put(&lines, read, "");
    snc_textbuf_put(&p->d, "<h2>What was read</h2><pre>");
    snc_textbuf_html(&p->d, lines.p ? lines.p : "");
    cJSON_ArrayForEach(w, snc_json_at(read, "warnings"))
    {
        snc_textbuf_put(&p->d, "warning ");
        snc_textbuf_html(&p->d, snc_html__word(w, "text"));
        snc_textbuf_put(&p->d, "\n");
    }
    snc_textbuf_put(&p->d, "</pre>\n");
    snc_free(lines.p);
}

static void put_pictures(snc_html_page *p)
{
    snc_textbuf_put(&p->d, "<p class=\"soft\">The pictures by themselves, beside this page:");
    for (int i = 0; i < p->pictures; i++) snc_textbuf_put(&p->d, "%s <code>report-%s.svg</code>", i ? "," : "", p->picture[i].name);
    snc_textbuf_put(&p->d, "</p>\n");
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

static snc_err check(const snc_html_page *p, const char *path)
{
    static const char *const needed[] = {"chosen", "full", "full_int8", "teacher", "finalists", "front"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        SNC_CHECK(snc_json_at(p->front, needed[i]), SNC_E_FORMAT, "%s: '%s' is missing", path, needed[i]);
    return SNC_OK;
}

static snc_err put_page(snc_html_page *p)
{
    put_head(p);
    snc_textbuf_put(&p->d, "<div class=\"plots\">\n");
    SNC_TRY(snc_html__score_plot(p, false));
    SNC_TRY(snc_html__score_plot(p, true));
    snc_textbuf_put(&p->d, "</div>\n");
    put_proof(p);
    snc_breakdown_html(&p->d, p->report);
    snc_html__net(p);
    put_finalists(p);
    put_front(p);
    snc_textbuf_put(&p->d, "<h2>The search</h2><div class=\"plots\">\n");
    SNC_TRY(snc_html__best_loss(p));
    SNC_TRY(snc_html__hypervolume(p));
    snc_textbuf_put(&p->d, "</div>\n");
    put_predictors(p);
    SNC_TRY(snc_html__genes(p));
    snc_made_html(&p->d, p->made);
    put_reading(p);
    put_list(p, "Effort and time", snc_json_at(p->report, "plan"));
    put_list(p, "Seconds by stage", snc_json_at(p->report, "stages"));
    put_list(p, "Versions", snc_json_at(p->made, "versions"));
    put_list(p, "Host", snc_json_at(p->report, "host") ? snc_json_at(p->report, "host") : snc_json_at(p->front, "host"));
    put_pictures(p);
    snc_textbuf_put(&p->d, "</body></html>\n");
    return SNC_OK;
}

/* Before the page that names them. */
static snc_err write_pictures(const snc_html_page *p, const char *dir)
{
    SNC_TRY(p->d.err);
    SNC_TRY(snc_folder_drop_pictures(dir)); /* one of an earlier page may have no successor */
    for (int i = 0; i < p->pictures; i++) {
        const snc_html_picture *of = &p->picture[i];
        char name[64];
        snc_textbuf t = {0};
        snprintf(name, sizeof name, "report-%s.svg", of->name);
        snc_plot_file(&t, p->d.p + of->from, of->upto - of->from);
        SNC_TRY(snc_textbuf_write(&t, dir, name));
    }
    return SNC_OK;
}

snc_err snc_html_report_write(const char *dir, const char *journal, const char *report, const cJSON *made)
{
    snc_html_page p = {.front = NULL};
    char front[4096];
    snc_err err = SNC_OK;
    SNC_TRY(snc_path_join(front, sizeof front, dir, "front.json"));
    SNC_GOTO(snc_json_load(&p.front, front));
    SNC_GOTO(check(&p, front));
    if (report) SNC_GOTO(snc_json_load(&p.report, report));
    p.made = report ? p.report : made;
    SNC_GOTO(snc_journal_read(&p.journal, journal));
    SNC_GOTO(put_page(&p));
    SNC_GOTO(write_pictures(&p, dir));
    SNC_GOTO(snc_textbuf_write(&p.d, dir, "report.html"));
out:
    snc_free(p.d.p);
    snc_journal_file_dispose(&p.journal);
    cJSON_Delete(p.front);
    cJSON_Delete(p.report);
    return err;
}
