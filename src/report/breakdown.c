/* Answers are counted once; the same counts become JSON, Markdown, HTML and a warning. */
#include "report/breakdown.h"

#include <string.h>

#include "artifact/task_score.h"
#include "base/mem.h"
#include "report/markdown.h"
#include "train/evaluate.h"

enum { SHOWN = 20 }; /* classes of a matrix that a person reads */

/* ---- counting ------------------------------------------------------------------------------------------------------- */

/* Of classes: as many as there are; of labels: each by itself. */
static void count(snc_breakdown *b, const float *pred, const float *target, const snc_sets *seen)
{
    for (int i = 0; i < b->n; i++) {
        int is = (int)target[i], said = (int)pred[i];
        for (int k = 0; k < b->K; k++) {
            bool has = seen ? snc_sets_of(seen, is)[k] : k == is, got = seen ? snc_sets_of(seen, said)[k] : k == said;
            b->class[k].rows += has;
            b->class[k].answered += got;
            b->class[k].right += has && got;
        }
        if (b->matrix) b->matrix[(int64_t)is * b->K + said]++;
    }
}

/* "ham", or "toxic, insult". */
static snc_err name_answer(char **out, const snc_task *task, const snc_sets *seen, int number)
{
    snc_textbuf t = {0};
    bool any = false;
    if (!seen) return snc_strdup(out, snc_task_label(task, number));
    for (int k = 0; k < seen->K; k++) {
        if (!snc_sets_of(seen, number)[k]) continue;
        if (any) snc_textbuf_text(&t, ", ");
        snc_textbuf_text(&t, snc_task_label(task, k));
        any = true;
    }
    if (!any) snc_textbuf_text(&t, "none");
    if (t.err) snc_free(t.p);
    else *out = t.p;
    return t.err;
}

/* The commonest answer; how many rows have it. */
static snc_err find_majority(int *most, int64_t *rows, const float *target, int n, int answers)
{
    int64_t *have;
    SNC_TRY(snc_alloc(&have, (size_t)answers, sizeof *have));
    for (int i = 0; i < n; i++) have[(int)target[i]]++;
    *most = 0;
    for (int k = 1; k < answers; k++)
        if (have[k] > have[*most]) *most = k;
    *rows = have[*most];
    snc_free(have);
    return SNC_OK;
}

/* By the task's own metrics. */
static snc_err score_majority(snc_breakdown *b, const snc_task *task, const snc_dataset *d, int most)
{
    float *logits = NULL;
    size_t K = (size_t)b->K;
    SNC_TRY(snc_alloc(&logits, (size_t)b->n * K, sizeof *logits)); /* n: answers */
    for (size_t i = 0; i < (size_t)b->n; i++)
        for (size_t k = 0; k < K; k++) logits[i * K + k] = (d->sets ? snc_sets_of(d->sets, most)[k] : k == (size_t)most) ? 1.0f : -1.0f;
    snc_err err = snc_task_score(&b->majority_score, NULL, task, logits, d, b->K);
    snc_free(logits);
    return err;
}

static double share(int64_t a, int64_t b) { return b ? (double)a / (double)b : 0; }

static snc_err find_only(snc_breakdown *b, const snc_task *task, const float *pred, const float *target, const snc_sets *seen)
{
    int64_t have = 0;
    for (int i = 0; i < b->n; i++) {
        if (pred[i] != pred[0]) return SNC_OK;
        have += target[i] == pred[0];
    }
    b->only_share = share(have, b->n);
    return b->n > 1 ? name_answer(&b->only, task, seen, (int)pred[0]) : SNC_OK;
}

snc_err snc_breakdown_make(snc_breakdown *out, const snc_task *task, const float *logits, const snc_dataset *d, int K)
{
    snc_err err = SNC_OK;
    snc_breakdown b = {.n = (int)snc_dataset_answers(d), .K = K};
    snc_sets *seen = NULL;
    float *pred = NULL;
    int64_t rows = 0;
    int most = 0;
    *out = (snc_breakdown){0};
    if (snc_task_regression(task)) return SNC_OK;
    SNC_GOTO(snc_alloc(&pred, (size_t)b.n, sizeof *pred));
    SNC_GOTO(snc_alloc(&b.class, (size_t)K, sizeof *b.class));
    if (d->sets) SNC_GOTO(snc_sets_dup(&seen, d->sets));
    else SNC_GOTO(snc_alloc(&b.matrix, (size_t)K * (size_t)K, sizeof *b.matrix));
    SNC_GOTO(snc_task_answers(pred, seen, logits, b.n, K));
    count(&b, pred, d->target, seen);
    SNC_GOTO(find_majority(&most, &rows, d->target, b.n, seen ? d->sets->n : K));
    b.majority_share = share(rows, b.n);
    SNC_GOTO(name_answer(&b.majority, task, seen, most));
    SNC_GOTO(score_majority(&b, task, d, most));
    SNC_GOTO(find_only(&b, task, pred, d->target, seen));
    *out = b;
    b = (snc_breakdown){0};
out:
    snc_free(pred);
    snc_sets_free(seen);
    snc_breakdown_dispose(&b);
    return err;
}

void snc_breakdown_dispose(snc_breakdown *b)
{
    snc_free(b->class);
    snc_free(b->matrix);
    snc_free(b->majority);
    snc_free(b->only);
    *b = (snc_breakdown){0};
}

double snc_class_precision(const snc_class_share *c) { return share(c->right, c->answered); }
double snc_class_recall(const snc_class_share *c) { return share(c->right, c->rows); }
double snc_class_f1(const snc_class_share *c) { return share(2 * c->right, c->answered + c->rows); }

/* ---- saying --------------------------------------------------------------------------------------------------------- */

void snc_breakdown_majority_json(cJSON *to, const snc_breakdown *b)
{
    if (!b->K) return;
    cJSON *j = cJSON_AddObjectToObject(to, "majority");
    cJSON_AddStringToObject(j, "label", b->majority);
    cJSON_AddNumberToObject(j, "share", b->majority_share);
    cJSON_AddNumberToObject(j, "score", b->majority_score);
}

void snc_breakdown_json(cJSON *to, const snc_breakdown *b, const snc_task *task)
{
    if (!b->K) return;
    cJSON *classes = cJSON_AddArrayToObject(to, "classes"), *matrix = b->matrix ? cJSON_AddArrayToObject(to, "confusion") : NULL;
    for (int k = 0; k < b->K; k++) {
        const snc_class_share *c = &b->class[k];
        cJSON *j = cJSON_CreateObject(), *row = matrix ? cJSON_CreateArray() : NULL;
        cJSON_AddItemToArray(classes, j);
        if (row) cJSON_AddItemToArray(matrix, row);
        cJSON_AddStringToObject(j, "label", snc_task_label(task, k));
        cJSON_AddNumberToObject(j, "rows", (double)c->rows);
        cJSON_AddNumberToObject(j, "answered", (double)c->answered);
        cJSON_AddNumberToObject(j, "precision", snc_class_precision(c));
        cJSON_AddNumberToObject(j, "recall", snc_class_recall(c));
        cJSON_AddNumberToObject(j, "f1", snc_class_f1(c));
        for (int i = 0; row && i < b->K; i++) cJSON_AddItemToArray(row, cJSON_CreateNumber((double)b->matrix[(int64_t)k * b->K + i]));
    }
    if (b->only) cJSON_AddStringToObject(to, "one_answer", b->only);
}

/* A label as a cell of a Markdown table. */
static void put_cell(snc_textbuf *t, const char *label)
{
    snc_md_text(t, label);
    snc_textbuf_text(t, " | ");
}

static void put_classes(snc_textbuf *t, const snc_breakdown *const *b, const char *const *names, int models, const snc_task *task)
{
    snc_textbuf_put(t, "| class | rows |");
    for (int m = 0; m < models; m++) snc_textbuf_put(t, " %s: answered | precision | recall | F1 |", names[m]);
    snc_textbuf_put(t, "\n|---|---|");
    for (int m = 0; m < models; m++) snc_textbuf_put(t, "---|---|---|---|");
    for (int k = 0; k < b[0]->K; k++) {
        snc_textbuf_put(t, "\n| ");
        put_cell(t, snc_task_label(task, k));
        snc_textbuf_put(t, "%lld |", (long long)b[0]->class[k].rows);
        for (int m = 0; m < models; m++) {
            const snc_class_share *c = &b[m]->class[k];
            snc_textbuf_put(t, " %lld | %.2f | %.2f | %.2f |", (long long)c->answered, 100 * snc_class_precision(c),
                            100 * snc_class_recall(c), 100 * snc_class_f1(c));
        }
    }
    snc_textbuf_put(t, "\n");
}

static void put_matrix(snc_textbuf *t, const snc_breakdown *b, const char *name, const snc_task *task)
{
    snc_textbuf_put(t, "\n| %s: label, then what was answered | ", name);
    for (int k = 0; k < b->K; k++) put_cell(t, snc_task_label(task, k));
    snc_textbuf_put(t, "\n|---|");
    for (int k = 0; k < b->K; k++) snc_textbuf_put(t, "---|");
    for (int k = 0; k < b->K; k++) {
        snc_textbuf_put(t, "\n| ");
        put_cell(t, snc_task_label(task, k));
        for (int i = 0; i < b->K; i++) snc_textbuf_put(t, "%lld | ", (long long)b->matrix[(int64_t)k * b->K + i]);
    }
    snc_textbuf_put(t, "\n");
}

void snc_breakdown_md(snc_textbuf *t, const snc_breakdown *const *b, const char *const *names, int models, const snc_task *task)
{
    if (!b[0]->K) return;
    snc_textbuf_put(t, "One answer to every row, '");
    snc_md_text(t, b[0]->majority);
    snc_textbuf_put(t, "' (%.2f%% of them), scores %.2f.\n\n", 100 * b[0]->majority_share, 100 * b[0]->majority_score);
    put_classes(t, b, names, models, task);
    for (int m = 0; m < models && b[m]->matrix && b[m]->K <= SHOWN; m++) put_matrix(t, b[m], names[m], task);
    if (b[0]->matrix && b[0]->K > SHOWN)
        snc_textbuf_put(t, "\nWhich of the %d classes was taken for which: \"confusion\" in report.json.\n", b[0]->K);
}

bool snc_breakdown_blind(const snc_breakdown *b) { return b->only && b->only_share < 1; }

void snc_breakdown_warn(const snc_ctx *ctx, const snc_breakdown *b, const char *path, const char *split)
{
    if (!snc_breakdown_blind(b)) return;
    snc_log(ctx, SNC_LOG_WARN, "%s answers '%s' to every row of %s, the label of %.2f%% of them: it tells no classes apart", path, b->only,
            split, 100 * b->only_share);
}

/* ---- the page ------------------------------------------------------------------------------------------------------- */

static double points(const cJSON *j, const char *key) { return 100 * snc_json_number(j, key); }

static void html_cell(snc_textbuf *t, const char *tag, const char *text)
{
    snc_textbuf_put(t, "<%s>", tag);
    snc_textbuf_html(t, text);
    snc_textbuf_put(t, "</%s>", tag);
}

static const char *label_of(const cJSON *class) { return snc_json_text(class, "label"); }

static void html_classes(snc_textbuf *t, const cJSON *teacher, const cJSON *file)
{
    const cJSON *c;
    int k = 0;
    snc_textbuf_put(t, "<div class=\"scroll\"><table><tr><th>class</th><th>rows</th><th>teacher: precision</th><th>recall</th><th>F1</th>"
                       "<th>compressed: precision</th><th>recall</th><th>F1</th></tr>\n");
    cJSON_ArrayForEach(c, snc_json_at(teacher, "classes"))
    {
        const cJSON *of[] = {c, cJSON_GetArrayItem(snc_json_at(file, "classes"), k++)};
        snc_textbuf_put(t, "<tr>");
        html_cell(t, "td", label_of(c));
        snc_textbuf_put(t, "<td>%.0f</td>", snc_json_number(c, "rows"));
        for (int i = 0; i < 2; i++)
            snc_textbuf_put(t, "<td>%.2f</td><td>%.2f</td><td>%.2f</td>", points(of[i], "precision"), points(of[i], "recall"),
                            points(of[i], "f1"));
        snc_textbuf_put(t, "</tr>\n");
    }
    snc_textbuf_put(t, "</table></div>\n");
}

static void html_matrix(snc_textbuf *t, const cJSON *model)
{
    const cJSON *row, *n, *c, *classes = snc_json_at(model, "classes");
    int k = 0;
    if (!snc_json_at(model, "confusion") || cJSON_GetArraySize(classes) > SHOWN) return;
    snc_textbuf_put(t, "<p class=\"soft\">%s: rows by label, columns by answer</p><div class=\"scroll\"><table><tr><th></th>",
                    snc_json_text(model, "name"));
    cJSON_ArrayForEach(c, classes) html_cell(t, "th", label_of(c));
    cJSON_ArrayForEach(row, snc_json_at(model, "confusion"))
    {
        snc_textbuf_put(t, "</tr>\n<tr>");
        html_cell(t, "td", label_of(cJSON_GetArrayItem(classes, k++)));
        cJSON_ArrayForEach(n, row) snc_textbuf_put(t, "<td>%.0f</td>", n->valuedouble);
    }
    snc_textbuf_put(t, "</tr></table></div>\n");
}

void snc_breakdown_html(snc_textbuf *t, const cJSON *report)
{
    const cJSON *majority = snc_json_at(report, "majority"), *models = snc_json_at(report, "models");
    const cJSON *file = cJSON_GetArrayItem(models, 0), *teacher = cJSON_GetArrayItem(models, cJSON_GetArraySize(models) - 1);
    if (!majority) return;
    snc_textbuf_put(t, "<h2>Classes</h2><p>One answer to every row, '");
    snc_textbuf_html(t, label_of(majority));
    snc_textbuf_put(t, "' (%.2f%% of them), scores %.2f.</p>\n", points(majority, "share"), points(majority, "score"));
    html_classes(t, teacher, file);
    html_matrix(t, teacher);
    html_matrix(t, file);
}
