/* Figures are read from cells, means and intervals are made of them, and the table is written from the facts alone. */
#include "report/ablation_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/say.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "base/textbuf.h"
#include "report/made.h"
#include "report/markdown.h"
#include "report/pooled.h"

/* ---- figures of a cell ---------------------------------------------------------------------------------------------------- */

/* A row's figures as its facts and the table have them. */
static const struct figure {
    const char *key, *head;
    const char *of;  /* of the cell: an object or list, or NULL: a number of the key itself */
    const char *net; /* of each net; else the `at`-th number of the list */
    int at;
    double unit;
    int digits;
} figures[] = {
    {"kl_largest", "KL, largest", "largest", NULL, 0, 1, 4},
    {"kl_smallest", "smallest", "smallest", NULL, 0, 1, 4},
    {"kl", "nets", "nets", "kl", 0, 1, 4},
    {"kl_repaired", "repaired", "nets", "kl_repaired", 0, 1, 4},
    {"score_largest", "score, largest", "largest", NULL, 1, 100, 2},
    {"score_smallest", "smallest", "smallest", NULL, 1, 100, 2},
    {"score", "nets", "nets", "score", 0, 100, 2},
    {"score_repaired", "repaired", "nets", "score_repaired", 0, 100, 2},
    {"tau", "tau", NULL, NULL, 0, 1, 3},
    {"steps", "steps", NULL, NULL, 0, 1, 0},
    {"seconds", "seconds", NULL, NULL, 0, 1, 1},
    {"memory_mb", "MB", NULL, NULL, 0, 1, 0},
};
enum { FIGURES = sizeof figures / sizeof *figures, KL = 2 };

/* What is compared, by its key in figures. */
static const struct {
    const char *key, *head;
} pairs[] = {{"score", "score of nets (95%)"}, {"score_repaired", "repaired (95%)"}, {"kl", "KL of nets (95%)"}};
enum { PAIRS = sizeof pairs / sizeof *pairs };

static const struct figure *figure_of(const char *key)
{
    int i = 0;
    while (strcmp(figures[i].key, key) != 0) i++;
    return &figures[i];
}

/* NaN where the cell has none. */
static double read_figure(const cJSON *cell, const struct figure *f)
{
    const cJSON *it, *of = f->of ? snc_json_at(cell, f->of) : NULL;
    double sum = 0;
    int n = 0;
    if (!f->of) return snc_json_number(cell, f->key);
    if (!f->net) return of ? cJSON_GetNumberValue(cJSON_GetArrayItem(of, f->at)) : (double)NAN;
    cJSON_ArrayForEach(it, of)
    {
        const double v = snc_json_number(it, f->net);
        if (!isfinite(v)) continue;
        sum += v;
        n++;
    }
    return n ? sum / n : (double)NAN;
}

static bool is_done(const cJSON *cell) { return cJSON_IsTrue(snc_json_at(cell, "done")); }

cJSON *snc_ablation_record(const cJSON *cells, const snc_ablation *a, int stage, int task, int seed, int variant)
{
    cJSON *it;
    cJSON_ArrayForEach(it, cells)
    {
        const char *s = snc_json_text(it, "stage"), *t = snc_json_text(it, "task"), *v = snc_json_text(it, "variant");
        if (s && t && v && strcmp(s, snc_ablation_stage(a, stage)) == 0 && strcmp(t, a->task[task].name) == 0 &&
            strcmp(v, a->variant[variant].name) == 0 && snc_json_number(it, "seed") == a->seed[seed])
            return it;
    }
    return NULL;
}

/* ---- which go on ------------------------------------------------------------------------------------------------------------ */

/* Infinite where a cell is not done. */
static double rank_of(const snc_ablation *a, const cJSON *cells, int variant)
{
    double sum = 0;
    for (int t = 0; t < a->tasks; t++)
        for (int k = 0; k < a->seeds; k++) {
            const cJSON *cell = snc_ablation_record(cells, a, 0, t, k, variant);
            if (!is_done(cell)) return INFINITY;
            sum += log(fmax(read_figure(cell, &figures[KL]), 1e-12));
        }
    return sum;
}

void snc_ablation_choose(bool goes_on[SNC_ABLATION_VARIANTS], const snc_ablation *a, const cJSON *cells)
{
    memset(goes_on, 0, SNC_ABLATION_VARIANTS * sizeof *goes_on);
    goes_on[0] = true;
    for (int i = 0; i < a->go_on; i++) {
        int best = -1;
        for (int v = 1; v < a->variants; v++)
            if (!goes_on[v] && isfinite(rank_of(a, cells, v)) && (best < 0 || rank_of(a, cells, v) < rank_of(a, cells, best))) best = v;
        if (best > 0) goes_on[best] = true;
    }
}

/* ---- pairs ------------------------------------------------------------------------------------------------------------------ */

typedef struct differences {
    int seeds, nets;
    double seed[SNC_ABLATION_SEEDS], net[SNC_ABLATION_NETS]; /* means of the differences of a seed; of a net */
} differences;

/* Of the nets that both have. */
static void add_seed(differences *d, const cJSON *of, const cJSON *to, const struct figure *f)
{
    const cJSON *x = snc_json_at(of, "nets") ? snc_json_at(of, "nets")->child : NULL,
                *y = snc_json_at(to, "nets") ? snc_json_at(to, "nets")->child : NULL;
    int n = 0;
    double sum = 0;
    for (; x && y && n < SNC_ABLATION_NETS; x = x->next, y = y->next) {
        const double v = f->unit * (snc_json_number(x, f->net) - snc_json_number(y, f->net));
        if (!isfinite(v)) continue;
        d->net[n++] += v;
        sum += v;
    }
    if (!n) return;
    d->nets = n;
    d->seed[d->seeds++] = sum / n;
}

static void pool(snc_pooled *out, const differences *d)
{
    double net[SNC_ABLATION_NETS];
    snc_pooled one = {.points = {NAN, NAN, NAN}, .rows_se = NAN, .seeds_se = NAN, .rows_free = d->nets - 1, .seeds_free = d->seeds - 1};
    for (int i = 0; i < d->nets; i++) net[i] = d->net[i] / d->seeds;
    if (d->seeds) one.points.value = snc_mean(d->seed, d->seeds);
    if (d->nets > 1) one.rows_se = snc_standard_error(net, d->nets);
    if (d->seeds > 1) one.seeds_se = snc_standard_error(d->seed, d->seeds);
    if (d->nets < 2) snprintf(one.unsaid, sizeof one.unsaid, "%s", d->nets ? "of one net" : "no seed finished for both");
    snc_pooled_average(out, &one, 1);
}

/* A variant against the first, on one task. */
static void pair_of(snc_pooled *out, const snc_ablation *a, const cJSON *cells, int stage, int task, int variant, const struct figure *f)
{
    differences d = {0};
    for (int k = 0; k < a->seeds; k++) {
        const cJSON *of = snc_ablation_record(cells, a, stage, task, k, variant), *to = snc_ablation_record(cells, a, stage, task, k, 0);
        if (is_done(of) && is_done(to)) add_seed(&d, of, to, f);
    }
    pool(out, &d);
}

/* ---- facts -------------------------------------------------------------------------------------------------------------------- */

static void add_pair(cJSON *row, const char *key, const snc_pooled *p)
{
    const double v[] = {p->points.value, p->points.low, p->points.high};
    cJSON *against = snc_json_at(row, "against_first") ? cJSON_GetObjectItemCaseSensitive(row, "against_first")
                                                       : cJSON_AddObjectToObject(row, "against_first");
    cJSON *j = cJSON_AddObjectToObject(against, key);
    cJSON_AddItemToObject(j, "points", cJSON_CreateDoubleArray(v, 3));
    cJSON_AddNumberToObject(j, "nets_se", p->rows_se);
    cJSON_AddNumberToObject(j, "seeds_se", p->seeds_se);
    cJSON_AddStringToObject(j, "unsaid", p->unsaid);
}

static cJSON *begin_row(const snc_ablation *a, int stage, const char *task, int variant)
{
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "stage", snc_ablation_stage(a, stage));
    cJSON_AddStringToObject(row, "task", task);
    cJSON_AddStringToObject(row, "variant", a->variant[variant].name);
    return row;
}

/* Means over the seeds that finished. */
static cJSON *task_row(const snc_ablation *a, const cJSON *cells, int stage, int task, int variant)
{
    cJSON *row = begin_row(a, stage, a->task[task].name, variant);
    int done = 0;
    for (int k = 0; k < a->seeds; k++) done += is_done(snc_ablation_record(cells, a, stage, task, k, variant));
    cJSON_AddNumberToObject(row, "seeds", done);
    cJSON_AddNumberToObject(row, "seeds_asked", a->seeds);
    for (int f = 0; f < FIGURES; f++) {
        double sum = 0;
        int n = 0;
        for (int k = 0; k < a->seeds; k++) {
            const cJSON *cell = snc_ablation_record(cells, a, stage, task, k, variant);
            const double v = is_done(cell) ? read_figure(cell, &figures[f]) : (double)NAN;
            if (!isfinite(v)) continue;
            sum += v;
            n++;
        }
        cJSON_AddNumberToObject(row, figures[f].key, n ? sum / n : (double)NAN);
    }
    return row;
}

/* Means over tasks, where all have them. */
static cJSON *all_row(const snc_ablation *a, const cJSON *rows, int stage, int variant)
{
    cJSON *row = begin_row(a, stage, "all", variant);
    const cJSON *it;
    double seeds = 0, sum[FIGURES] = {0};
    cJSON_ArrayForEach(it, rows)
    {
        if (strcmp(snc_json_text(it, "stage"), snc_ablation_stage(a, stage)) != 0 ||
            strcmp(snc_json_text(it, "variant"), a->variant[variant].name) != 0)
            continue;
        seeds += snc_json_number(it, "seeds");
        for (int f = 0; f < FIGURES; f++) sum[f] += snc_json_number(it, figures[f].key) / a->tasks;
    }
    cJSON_AddNumberToObject(row, "seeds", seeds);
    cJSON_AddNumberToObject(row, "seeds_asked", a->seeds * a->tasks);
    for (int f = 0; f < FIGURES; f++) cJSON_AddNumberToObject(row, figures[f].key, sum[f]);
    return row;
}

static void add_rows(cJSON *rows, const snc_ablation *a, const cJSON *cells, int stage, int variant)
{
    snc_pooled p[PAIRS][SNC_ABLATION_TASKS], all;
    for (int t = 0; t < a->tasks; t++) {
        cJSON *row = task_row(a, cells, stage, t, variant);
        for (int i = 0; i < PAIRS; i++) {
            pair_of(&p[i][t], a, cells, stage, t, variant, figure_of(pairs[i].key));
            if (variant) add_pair(row, pairs[i].key, &p[i][t]);
        }
        cJSON_AddItemToArray(rows, row);
    }
    if (a->tasks < 2) return;
    cJSON *row = all_row(a, rows, stage, variant);
    for (int i = 0; i < PAIRS && variant; i++) {
        snc_pooled_average(&all, p[i], a->tasks);
        add_pair(row, pairs[i].key, &all);
    }
    cJSON_AddItemToArray(rows, row);
}

/* Those that the file asks for as it is now. */
static cJSON *asked_cells(int *done, int *failed, const snc_ablation *a, const cJSON *cells)
{
    cJSON *list = cJSON_CreateArray();
    for (int s = 0; s < snc_ablation_stages(a); s++)
        for (int t = 0; t < a->tasks; t++)
            for (int k = 0; k < a->seeds; k++)
                for (int v = 0; v < a->variants; v++) {
                    const cJSON *cell = snc_ablation_record(cells, a, s, t, k, v);
                    *done += is_done(cell);
                    *failed += snc_json_at(cell, "error") != NULL;
                    if (cell) cJSON_AddItemToArray(list, cJSON_Duplicate(cell, 1));
                }
    return list;
}

cJSON *snc_ablation_facts(const snc_ablation *a, const cJSON *cells)
{
    bool goes_on[SNC_ABLATION_VARIANTS];
    int done = 0, failed = 0;
    cJSON *facts = cJSON_CreateObject(), *rows = cJSON_CreateArray(), *asked = asked_cells(&done, &failed, a, cells);
    snc_ablation_choose(goes_on, a, cells);
    for (int s = 0; s < snc_ablation_stages(a); s++)
        for (int v = 0; v < a->variants; v++)
            if (s == 0 || goes_on[v]) add_rows(rows, a, cells, s, v);
    cJSON_AddStringToObject(facts, "ablation", a->path);
    cJSON_AddStringToObject(facts, "equal", a->equal == SNC_EQUAL_TIME ? "time" : "updates");
    cJSON_AddStringToObject(facts, "first", a->variant[0].name);
    cJSON_AddNumberToObject(facts, "cells_done", done);
    cJSON_AddNumberToObject(facts, "cells_failed", failed);
    cJSON_AddItemToObject(facts, "rows", rows);
    cJSON_AddItemToObject(facts, "cells", asked);
    return facts;
}

/* ---- the table ------------------------------------------------------------------------------------------------------------------ */

static const char *const how =
    "Means over the seeds that finished, scores in points, all on select. Steps, seconds (of training steps) and MB (largest resident "
    "size up to the end of training) are as measured. Against the first variant: differences of the fixed nets, paired by seed and net. "
    "Their 95% interval adds two sources of variance, nets and seeds, with Student's t by Welch and Satterthwaite's degrees of freedom; "
    "of one seed it is that of its nets alone. The rows of select are in none of them. tau is Kendall's, of nets of one latency: their KL "
    "inside the supernet against that of the same nets distilled alone from the teacher's weights.";

static void put_pair(snc_textbuf *t, const cJSON *row, int i)
{
    const cJSON *points = snc_json_at(snc_json_at(snc_json_at(row, "against_first"), pairs[i].key), "points");
    double v[3] = {NAN, NAN, NAN};
    const int digits = figure_of(pairs[i].key)->digits;
    for (int k = 0; k < 3 && points; k++) v[k] = cJSON_GetNumberValue(cJSON_GetArrayItem(points, k));
    if (!isfinite(v[0])) snc_textbuf_put(t, " - |");
    else if (!isfinite(v[1])) snc_textbuf_put(t, " %+.*f |", digits, v[0]);
    else snc_textbuf_put(t, " %+.*f (%+.*f to %+.*f) |", digits, v[0], digits, v[1], digits, v[2]);
}

static void put_table(snc_textbuf *t, const cJSON *facts)
{
    static const char *const of[] = {"stage", "task", "variant"};
    const cJSON *row;
    snc_textbuf_put(t, "| stage | task | variant | seeds |");
    for (int f = 0; f < FIGURES; f++) snc_textbuf_put(t, " %s |", figures[f].head);
    for (int i = 0; i < PAIRS; i++) snc_textbuf_put(t, " %s%s |", i ? "" : "against the first: ", pairs[i].head);
    snc_textbuf_put(t, "\n|");
    for (int c = 0; c < 4 + FIGURES + PAIRS; c++) snc_textbuf_put(t, "---|");
    snc_textbuf_put(t, "\n");
    cJSON_ArrayForEach(row, snc_json_at(facts, "rows"))
    {
        for (int i = 0; i < 3; i++) {
            snc_textbuf_put(t, i ? " " : "| ");
            snc_md_text(t, snc_json_text(row, of[i]));
            snc_textbuf_put(t, " |");
        }
        snc_textbuf_put(t, " %.0f of %.0f |", snc_json_number(row, "seeds"), snc_json_number(row, "seeds_asked"));
        for (int f = 0; f < FIGURES; f++) {
            snc_textbuf_put(t, " ");
            snc_textbuf_number(t, snc_json_number(row, figures[f].key) * figures[f].unit, figures[f].digits, "-");
            snc_textbuf_put(t, " |");
        }
        for (int i = 0; i < PAIRS; i++) put_pair(t, row, i);
        snc_textbuf_put(t, "\n");
    }
}

static void put_failures(snc_textbuf *t, const cJSON *facts)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, snc_json_at(facts, "cells"))
    {
        const char *error = snc_json_text(it, "error");
        if (!error) continue;
        snc_textbuf_put(t, "- failed: %s, %s seed %.0f, %s: ", snc_json_text(it, "stage"), snc_json_text(it, "task"),
                        snc_json_number(it, "seed"), snc_json_text(it, "variant"));
        snc_md_text(t, error);
        snc_textbuf_put(t, "\n");
    }
}

/* ---- files ------------------------------------------------------------------------------------------------------------------------ */

static snc_err write_md(const char *dir, const cJSON *facts)
{
    snc_textbuf t = {0};
    snc_textbuf_put(&t, "# Ablation ");
    snc_md_text(&t, snc_json_text(facts, "ablation"));
    snc_textbuf_put(&t, ": equal %s\n\n%.0f cells are done, %.0f failed.\n\n", snc_json_text(facts, "equal"),
                    snc_json_number(facts, "cells_done"), snc_json_number(facts, "cells_failed"));
    put_table(&t, facts);
    snc_textbuf_put(&t, "\n");
    put_failures(&t, facts);
    snc_textbuf_put(&t, "\n");
    snc_textbuf_text(&t, how);
    snc_textbuf_put(&t, "\n");
    snc_made_md(&t, facts);
    return snc_textbuf_write(&t, dir, "report.md");
}

static void csv_line(snc_textbuf *t, const cJSON *cell, const char *net, const double v[6])
{
    snc_textbuf_put(t, "%s,%s,%.0f,%s,%s", snc_json_text(cell, "stage"), snc_json_text(cell, "task"), snc_json_number(cell, "seed"),
                    snc_json_text(cell, "variant"), net);
    for (int i = 0; i < 6; i++) {
        snc_textbuf_put(t, ",");
        snc_textbuf_number(t, v[i], i == 1 ? 0 : 6, "");
    }
    snc_textbuf_put(t, "\n");
}

static snc_err write_csv(const char *dir, const cJSON *facts)
{
    static const char *const ends[] = {"largest", "smallest"}, *const keys[] = {"share", "macs",        "kl",
                                                                                "score", "kl_repaired", "score_repaired"};
    snc_textbuf t = {0};
    const cJSON *cell, *it;
    snc_textbuf_put(&t, "stage,task,seed,variant,net,share,macs,kl,score,kl_repaired,score_repaired\n");
    cJSON_ArrayForEach(cell, snc_json_at(facts, "cells"))
    {
        char name[16];
        double v[6];
        int n = 0;
        for (int e = 0; e < 2; e++) {
            const cJSON *of = snc_json_at(cell, ends[e]);
            for (int i = 0; i < 6; i++) v[i] = NAN;
            for (int i = 0; i < 2 && of; i++) v[2 + i] = cJSON_GetNumberValue(cJSON_GetArrayItem(of, i));
            if (is_done(cell)) csv_line(&t, cell, ends[e], v);
        }
        cJSON_ArrayForEach(it, snc_json_at(cell, "nets"))
        {
            for (int i = 0; i < 6; i++) v[i] = snc_json_number(it, keys[i]);
            snprintf(name, sizeof name, "%d", ++n);
            if (is_done(cell)) csv_line(&t, cell, name, v);
        }
    }
    return snc_textbuf_write(&t, dir, "report.csv");
}

snc_err snc_ablation_report_write(const char *dir, const cJSON *facts)
{
    char path[4096];
    SNC_TRY(snc_path_join(path, sizeof path, dir, "report.json"));
    SNC_TRY(snc_json_save(facts, path));
    SNC_TRY(write_md(dir, facts));
    return write_csv(dir, facts);
}

void snc_ablation_report_say(const snc_host *h, const cJSON *facts)
{
    snc_textbuf t = {0};
    put_table(&t, facts);
    put_failures(&t, facts);
    if (!t.err) {
        t.p[t.n - 1] = 0; /* the host adds the newline */
        snc_say_text(h, t.p);
    }
    snc_free(t.p);
}
