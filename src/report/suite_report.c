/* The tables are written once, for Markdown and for HTML. */
#include "report/suite_report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "artifact/say.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "base/textbuf.h"
#include "report/html_priv.h"
#include "report/made.h"
#include "report/markdown.h"
#include "report/suite_facts.h"

/* ---- sheets ------------------------------------------------------------------------------------------------------------- */

typedef struct sheet {
    snc_textbuf t;
    bool html, head;
    int cells; /* of the row under way */
} sheet;

static void put_plain(sheet *s, const char *text)
{
    if (s->html) snc_textbuf_html(&s->t, text);
    else snc_md_text(&s->t, text);
}

static void open_table(sheet *s, const char *title)
{
    snc_textbuf_put(&s->t, s->html ? "<h2>" : "\n## ");
    put_plain(s, title);
    snc_textbuf_put(&s->t, s->html ? "</h2><div class=\"scroll\"><table>\n" : "\n\n");
    s->head = true;
}

static void close_table(sheet *s)
{
    if (s->html) snc_textbuf_put(&s->t, "</table></div>\n");
}

static void begin_row(sheet *s)
{
    if (s->html) snc_textbuf_put(&s->t, "<tr>");
    s->cells = 0;
}

static void cell(sheet *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void cell(sheet *s, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (s->html) snc_textbuf_put(&s->t, s->head ? "<th>" : "<td>");
    else snc_textbuf_put(&s->t, s->cells ? " " : "| ");
    put_plain(s, text);
    snc_textbuf_put(&s->t, !s->html ? " |" : s->head ? "</th>" : "</td>");
    s->cells++;
}

static void end_row(sheet *s)
{
    snc_textbuf_put(&s->t, s->html ? "</tr>\n" : "\n");
    for (int c = 0; c < s->cells && s->head && !s->html; c++) snc_textbuf_put(&s->t, c == s->cells - 1 ? "|---|\n" : "|---");
    s->head = false;
}

static void paragraph(sheet *s, const char *text)
{
    snc_textbuf_put(&s->t, s->html ? "<p class=\"soft\">" : "\n");
    put_plain(s, text);
    snc_textbuf_put(&s->t, s->html ? "</p>\n" : "\n");
}

/* A number times `unit`, or "-" where there is none. */
static void number_cell(sheet *s, double v, double unit, int digits, const char *behind)
{
    if (isfinite(v)) cell(s, "%.*f%s", digits, v * unit, behind);
    else cell(s, "-");
}

/* ---- what they say -------------------------------------------------------------------------------------------------------- */

static const cJSON *named(const cJSON *list, const char *name)
{
    const cJSON *m;
    cJSON_ArrayForEach(m, list) if (strcmp(snc_html__word(m, "name"), name) == 0) return m;
    return NULL;
}

static double point(const cJSON *of, const char *drop, int i)
{
    const cJSON *v = cJSON_GetArrayItem(snc_json_at(snc_json_at(of, drop), "points"), i);
    return cJSON_IsNumber(v) ? v->valuedouble : (double)NAN;
}

static void drop_text(char buf[96], const cJSON *of, const char *drop)
{
    double value = point(of, drop, 0), low = point(of, drop, 1), high = point(of, drop, 2);
    if (!isfinite(value)) snprintf(buf, 96, "-");
    else if (!isfinite(low)) snprintf(buf, 96, "%.2f", value);
    else snprintf(buf, 96, "%.2f (%.2f to %.2f)", value, low, high);
}

static void headline(char buf[160], const cJSON *facts)
{
    const double done = snc_json_number(facts, "done"), failed = snc_json_number(facts, "failed"), open = snc_json_number(facts, "open"),
                 missed = snc_json_number(facts, "missed");
    if (failed > 0) snprintf(buf, 160, "%.0f of %.0f jobs failed", failed, done + failed + open);
    else if (open > 0) snprintf(buf, 160, "%.0f of %.0f jobs are done", done, done + open);
    else if (missed > 0) snprintf(buf, 160, "a target was missed in %.0f of %.0f jobs", missed, done);
    else snprintf(buf, 160, "every target holds");
}

static int seeds_done(const cJSON *task)
{
    return cJSON_GetArraySize(snc_json_at(named(snc_json_at(task, "models"), SNC_SUITE_FILE), "scores"));
}

static void put_tasks(sheet *s, const cJSON *facts)
{
    static const char *const heads[] = {"task",         "dev rows",           "seeds",      SNC_SUITE_TEACHER, SNC_SUITE_BASE,
                                        SNC_SUITE_FILE, "drop, points (95%)", "latency ms", "of full INT8",    "size MB",
                                        "seconds a job"};
    const cJSON *t, *mean = snc_json_at(facts, "average");
    char drop[96];
    open_table(s, "Tasks");
    begin_row(s);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) cell(s, "%s", heads[i]);
    end_row(s);
    cJSON_ArrayForEach(t, snc_json_at(facts, "tasks"))
    {
        const cJSON *models = snc_json_at(t, "models"), *c = named(models, SNC_SUITE_FILE);
        begin_row(s);
        cell(s, "%s", snc_html__word(t, "name"));
        cell(s, "%.0f", snc_json_number(t, "dev"));
        cell(s, "%d", seeds_done(t));
        number_cell(s, snc_json_number(named(models, SNC_SUITE_TEACHER), "score"), 100, 2, "");
        number_cell(s, snc_json_number(named(models, SNC_SUITE_BASE), "score"), 100, 2, "");
        number_cell(s, snc_json_number(c, "score"), 100, 2, "");
        drop_text(drop, c, "drop");
        cell(s, "%s", drop);
        number_cell(s, snc_json_number(c, "latency_us"), 1e-3, 3, "");
        number_cell(s, snc_json_number(c, "ratio_to_full_int8"), 1, 3, "x");
        number_cell(s, snc_json_number(c, "bytes"), 1e-6, 2, "");
        number_cell(s, snc_json_number(t, "seconds"), 1, 0, "");
        end_row(s);
    }
    begin_row(s);
    cell(s, "average");
    cell(s, "-");
    cell(s, "-");
    number_cell(s, snc_json_number(named(mean, SNC_SUITE_TEACHER), "score"), 100, 2, "");
    number_cell(s, snc_json_number(named(mean, SNC_SUITE_BASE), "score"), 100, 2, "");
    number_cell(s, snc_json_number(named(mean, SNC_SUITE_FILE), "score"), 100, 2, "");
    drop_text(drop, named(mean, SNC_SUITE_FILE), "drop");
    cell(s, "%s", drop);
    for (int i = 0; i < 4; i++) cell(s, "-");
    end_row(s);
    close_table(s);
}

static const char *const how =
    "Scores are means over seeds. A drop is the mean over seeds of the paired difference of scores on the dev rows, under the full INT8 of "
    "the "
    "same seed. Its 95% interval adds two sources of variance: rows (bootstrap over rows, the same for every seed, no less than the seeds' "
    "own intervals come to) and seeds (between the seeds' drops); Student's t by Welch and Satterthwaite's degrees of freedom. Of one seed "
    "it is that of its rows, exact where accuracy alone is scored, and says nothing of other seeds. The average's adds the variances of "
    "the "
    "tasks, which are these and no sample of others.";

/* Every model that any task has, in the order in which they come. */
static void put_models(sheet *s, const cJSON *facts)
{
    const cJSON *t, *u, *m, *x, *tasks = snc_json_at(facts, "tasks");
    char drop[96];
    open_table(s, "Models on tasks: score, and drop under full INT8 (95%)");
    begin_row(s);
    cell(s, "model");
    cJSON_ArrayForEach(t, tasks) cell(s, "%s", snc_html__word(t, "name"));
    cell(s, "average");
    end_row(s);
    cJSON_ArrayForEach(t, tasks) cJSON_ArrayForEach(m, snc_json_at(t, "models"))
    {
        const char *name = snc_html__word(m, "name");
        bool seen = false;
        for (u = tasks->child; u != t; u = u->next) seen = seen || named(snc_json_at(u, "models"), name);
        if (seen) continue;
        begin_row(s);
        cell(s, "%s", name);
        for (u = tasks->child; u; u = u->next) {
            x = named(snc_json_at(u, "models"), name);
            drop_text(drop, x, "drop");
            if (x && strcmp(name, SNC_SUITE_BASE) != 0) cell(s, "%.2f; %s", 100 * snc_json_number(x, "score"), drop);
            else number_cell(s, snc_json_number(x, "score"), 100, 2, "");
        }
        number_cell(s, snc_json_number(named(snc_json_at(facts, "average"), name), "score"), 100, 2, "");
        end_row(s);
    }
    close_table(s);
}

static void put_jobs(sheet *s, const cJSON *facts)
{
    static const char *const heads[] = {"task", "seed", "job", SNC_SUITE_TEACHER, SNC_SUITE_BASE, SNC_SUITE_FILE, "seconds"};
    const cJSON *t, *j;
    open_table(s, "Jobs");
    begin_row(s);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) cell(s, "%s", heads[i]);
    end_row(s);
    cJSON_ArrayForEach(t, snc_json_at(facts, "tasks"))
    {
        int at = 0; /* among those that are done */
        cJSON_ArrayForEach(j, snc_json_at(t, "jobs"))
        {
            const char *state = snc_html__word(j, "state"), *error = snc_json_text(j, "error");
            const bool done = strcmp(state, "done") == 0;
            begin_row(s);
            cell(s, "%s", snc_html__word(t, "name"));
            cell(s, "%.0f", snc_json_number(j, "seed"));
            cell(s, "%s%s%s", done ? cJSON_IsTrue(snc_json_at(j, "targets_hold")) ? "targets hold" : "MISSED" : state, error ? ": " : "",
                 error ? error : "");
            for (int i = 3; i < 6; i++) {
                const cJSON *v = cJSON_GetArrayItem(snc_json_at(named(snc_json_at(t, "models"), heads[i]), "scores"), at);
                number_cell(s, done && cJSON_IsNumber(v) ? v->valuedouble : (double)NAN, 100, 2, "");
            }
            number_cell(s, snc_json_number(j, "seconds"), 1, 0, "");
            end_row(s);
            at += done;
        }
    }
    close_table(s);
}

static void put_tables(sheet *s, const cJSON *facts)
{
    put_tasks(s, facts);
    paragraph(s, how);
    put_models(s, facts);
    put_jobs(s, facts);
}

/* ---- files ---------------------------------------------------------------------------------------------------------------- */

static snc_err write_md(const char *dir, const cJSON *facts)
{
    sheet s = {.html = false};
    char said[160], *versions = cJSON_PrintUnformatted(snc_json_at(facts, "versions"));
    headline(said, facts);
    snc_textbuf_put(&s.t, "# Suite ");
    put_plain(&s, snc_html__word(facts, "suite"));
    snc_textbuf_put(&s.t, ": %s\n", said);
    put_tables(&s, facts);
    snc_made_md(&s.t, facts);
    snc_textbuf_put(&s.t, "\nVersions: ");
    snc_md_code(&s.t, versions ? versions : "");
    snc_textbuf_put(&s.t, "\n");
    cJSON_free(versions);
    return snc_textbuf_write(&s.t, dir, "report.md");
}

static snc_err write_html(const char *dir, const cJSON *facts)
{
    sheet s = {.html = true};
    char said[160];
    const bool good = snc_json_number(facts, "failed") + snc_json_number(facts, "open") + snc_json_number(facts, "missed") == 0;
    headline(said, facts);
    snc_textbuf_put(&s.t, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                          "content=\"width=device-width\">\n<title>compress suite: ");
    put_plain(&s, snc_html__word(facts, "suite"));
    snc_textbuf_put(&s.t, "</title><style>\n");
    snc_textbuf_text(&s.t, snc_html__style);
    snc_textbuf_put(&s.t, "</style></head><body>\n<h1>");
    put_plain(&s, snc_html__word(facts, "suite"));
    snc_textbuf_put(&s.t, " <span class=\"badge %s\">%s</span></h1>\n", good ? "yes" : "no", said);
    paragraph(&s, snc_html__word(facts, "pretrained"));
    put_tables(&s, facts);
    snc_made_html(&s.t, facts);
    snc_textbuf_put(&s.t, "</body></html>\n");
    return snc_textbuf_write(&s.t, dir, "report.html");
}

static void csv_numbers(snc_textbuf *t, const cJSON *m, double seconds)
{
    static const char *const drops[] = {"drop", "drop_to_teacher"}, *const last[] = {"latency_us", "ratio_to_full_int8", "bytes"};
    static const int digits[] = {2, 4, 0};
    snc_textbuf_number(t, snc_json_number(m, "score"), 6, "");
    snc_textbuf_put(t, ",");
    snc_textbuf_number(t, snc_json_number(m, "score_sd"), 6, "");
    for (int d = 0; d < 2; d++) {
        for (int i = 0; i < 3; i++) {
            snc_textbuf_put(t, ",");
            snc_textbuf_number(t, point(m, drops[d], i), 4, "");
        }
        for (int i = 0; i < 2 && d == 0; i++) {
            snc_textbuf_put(t, ",");
            snc_textbuf_number(t, snc_json_number(snc_json_at(m, drops[d]), i ? "seeds_se" : "rows_se"), 4, "");
        }
    }
    for (int i = 0; i < 3; i++) {
        snc_textbuf_put(t, ",");
        snc_textbuf_number(t, snc_json_number(m, last[i]), digits[i], "");
    }
    snc_textbuf_put(t, ",");
    snc_textbuf_number(t, seconds, 1, "");
    snc_textbuf_put(t, "\n");
}

static snc_err write_csv(const char *dir, const cJSON *facts)
{
    snc_textbuf t = {0};
    const cJSON *task, *m;
    snc_textbuf_put(&t, "task,model,kind,dev,seeds,score,score_sd,drop,drop_low,drop_high,rows_se,seeds_se,teacher_drop,teacher_drop_low,"
                        "teacher_drop_high,latency_us,ratio,bytes,seconds\n");
    cJSON_ArrayForEach(task, snc_json_at(facts, "tasks")) cJSON_ArrayForEach(m, snc_json_at(task, "models"))
    {
        const bool file = strcmp(snc_html__word(m, "name"), SNC_SUITE_FILE) == 0;
        snc_textbuf_put(&t, "%s,", snc_html__word(task, "name"));
        snc_textbuf_csv(&t, snc_html__word(m, "name"));
        snc_textbuf_put(&t, ",%s,%.0f,%d,", snc_html__word(m, "kind"), snc_json_number(task, "dev"),
                        cJSON_GetArraySize(snc_json_at(m, "scores")));
        csv_numbers(&t, m, file ? snc_json_number(task, "seconds") : (double)NAN);
    }
    cJSON_ArrayForEach(m, snc_json_at(facts, "average"))
    {
        snc_textbuf_put(&t, "average,");
        snc_textbuf_csv(&t, snc_html__word(m, "name"));
        snc_textbuf_put(&t, ",,,,");
        csv_numbers(&t, m, (double)NAN);
    }
    return snc_textbuf_write(&t, dir, "report.csv");
}

snc_err snc_suite_report_write(const char *dir, const cJSON *facts)
{
    char path[4096];
    SNC_TRY(snc_path_join(path, sizeof path, dir, "report.json"));
    SNC_TRY(snc_json_save(facts, path));
    SNC_TRY(write_md(dir, facts));
    SNC_TRY(write_csv(dir, facts));
    return write_html(dir, facts);
}

void snc_suite_report_say(const snc_host *h, const cJSON *facts)
{
    sheet s = {.html = false};
    char said[160];
    headline(said, facts);
    snc_textbuf_put(&s.t, "%s: %s\n", snc_html__word(facts, "suite"), said);
    put_tasks(&s, facts);
    put_models(&s, facts);
    if (!s.t.err) {
        s.t.p[s.t.n - 1] = 0; /* the host adds the newline */
        snc_say_text(h, s.t.p);
    }
    snc_free(s.t.p);
}
