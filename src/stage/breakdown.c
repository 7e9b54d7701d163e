#include "stage/breakdown.h"

#include <string.h>

#include "base/mem.h"
#include "stage/inputs.h"
#include "train/evaluate.h"

enum { SHOWN = 20 }; /* classes of a matrix that a person reads */

/* ---- counting ------------------------------------------------------------------------------------------------------- */

static void count(snc_breakdown *b, const float *pred, const float *target)
{
    for (int i = 0; i < b->n; i++) {
        int is = (int)target[i], said = (int)pred[i];
        b->class[is].rows++;
        b->class[said].answered++;
        b->class[is].right += is == said;
        b->matrix[(int64_t)is * b->K + said]++;
    }
    for (int k = 0; k < b->K; k++) {
        if (b->class[k].rows > b->class[b->majority].rows) b->majority = k;
        if (b->class[k].answered == b->n && b->n > 1) b->only = k;
    }
    b->majority_share = (double)b->class[b->majority].rows / b->n;
}

/* By the task's own metrics. */
static snc_err score_majority(snc_breakdown *b, const snc_task *task, const snc_dataset *d)
{
    float *logits = NULL;
    size_t K = (size_t)b->K;
    SNC_TRY(snc_alloc(&logits, (size_t)b->n * K, sizeof *logits));
    for (int i = 0; i < b->n; i++) logits[(size_t)i * K + (size_t)b->majority] = 1;
    snc_err err = snc_inputs_score(&b->majority_score, NULL, task, logits, d, b->K);
    snc_free(logits);
    return err;
}

snc_err snc_breakdown_make(snc_breakdown *out, const snc_task *task, const float *logits, const snc_dataset *d, int K)
{
    snc_err err = SNC_OK;
    snc_breakdown b = {.n = d->n, .K = K, .only = -1};
    float *pred = NULL;
    *out = (snc_breakdown){.only = -1};
    if (snc_task_regression(task)) return SNC_OK;
    SNC_GOTO(snc_alloc(&pred, (size_t)d->n, sizeof *pred));
    SNC_GOTO(snc_alloc(&b.class, (size_t)K, sizeof *b.class));
    SNC_GOTO(snc_alloc(&b.matrix, (size_t)K * (size_t)K, sizeof *b.matrix));
    snc_train_predictions(pred, logits, d->n, K);
    count(&b, pred, d->target);
    SNC_GOTO(score_majority(&b, task, d));
    *out = b;
    b = (snc_breakdown){0};
out:
    snc_free(pred);
    snc_breakdown_dispose(&b);
    return err;
}

void snc_breakdown_dispose(snc_breakdown *b)
{
    snc_free(b->class);
    snc_free(b->matrix);
    *b = (snc_breakdown){.only = -1};
}

static double share(int64_t a, int64_t b) { return b ? (double)a / (double)b : 0; }

double snc_class_precision(const snc_class_share *c) { return share(c->right, c->answered); }
double snc_class_recall(const snc_class_share *c) { return share(c->right, c->rows); }
double snc_class_f1(const snc_class_share *c) { return share(2 * c->right, c->answered + c->rows); }

/* ---- saying --------------------------------------------------------------------------------------------------------- */

void snc_breakdown_majority_json(cJSON *to, const snc_breakdown *b, const snc_task *task)
{
    if (!b->K) return;
    cJSON *j = cJSON_AddObjectToObject(to, "majority");
    cJSON_AddStringToObject(j, "label", snc_task_label(task, b->majority));
    cJSON_AddNumberToObject(j, "share", b->majority_share);
    cJSON_AddNumberToObject(j, "score", b->majority_score);
}

void snc_breakdown_json(cJSON *to, const snc_breakdown *b, const snc_task *task)
{
    if (!b->K) return;
    cJSON *classes = cJSON_AddArrayToObject(to, "classes"), *matrix = cJSON_AddArrayToObject(to, "confusion");
    for (int k = 0; k < b->K; k++) {
        const snc_class_share *c = &b->class[k];
        cJSON *j = cJSON_CreateObject(), *row = cJSON_CreateArray();
        cJSON_AddItemToArray(classes, j);
        cJSON_AddItemToArray(matrix, row);
        cJSON_AddStringToObject(j, "label", snc_task_label(task, k));
        cJSON_AddNumberToObject(j, "rows", (double)c->rows);
        cJSON_AddNumberToObject(j, "answered", (double)c->answered);
        cJSON_AddNumberToObject(j, "precision", snc_class_precision(c));
        cJSON_AddNumberToObject(j, "recall", snc_class_recall(c));
        cJSON_AddNumberToObject(j, "f1", snc_class_f1(c));
        for (int i = 0; i < b->K; i++) cJSON_AddItemToArray(row, cJSON_CreateNumber((double)b->matrix[(int64_t)k * b->K + i]));
    }
    if (b->only >= 0) cJSON_AddStringToObject(to, "one_answer", snc_task_label(task, b->only));
}

/* A label as a cell of a Markdown table. */
static void put_cell(snc_draft *t, const char *label)
{
    for (const char *c = label; *c; c++) snc_draft_put(t, *c == '|' ? "\\%c" : "%c", *c);
    snc_draft_text(t, " | ");
}

static void put_classes(snc_draft *t, const snc_breakdown *const *b, const char *const *names, int models, const snc_task *task)
{
    snc_draft_put(t, "| class | rows |");
    for (int m = 0; m < models; m++) snc_draft_put(t, " %s: answered | precision | recall | F1 |", names[m]);
    snc_draft_put(t, "\n|---|---|");
    for (int m = 0; m < models; m++) snc_draft_put(t, "---|---|---|---|");
    for (int k = 0; k < b[0]->K; k++) {
        snc_draft_put(t, "\n| ");
        put_cell(t, snc_task_label(task, k));
        snc_draft_put(t, "%lld |", (long long)b[0]->class[k].rows);
        for (int m = 0; m < models; m++) {
            const snc_class_share *c = &b[m]->class[k];
            snc_draft_put(t, " %lld | %.2f | %.2f | %.2f |", (long long)c->answered, 100 * snc_class_precision(c), 100 * snc_class_recall(c), 100 * snc_class_f1(c));
        }
    }
    snc_draft_put(t, "\n");
}

static void put_matrix(snc_draft *t, const snc_breakdown *b, const char *name, const snc_task *task)
{
    snc_draft_put(t, "\n| %s: label, then what was answered | ", name);
    for (int k = 0; k < b->K; k++) put_cell(t, snc_task_label(task, k));
    snc_draft_put(t, "\n|---|");
    for (int k = 0; k < b->K; k++) snc_draft_put(t, "---|");
    for (int k = 0; k < b->K; k++) {
        snc_draft_put(t, "\n| ");
        put_cell(t, snc_task_label(task, k));
        for (int i = 0; i < b->K; i++) snc_draft_put(t, "%lld | ", (long long)b->matrix[(int64_t)k * b->K + i]);
    }
    snc_draft_put(t, "\n");
}

void snc_breakdown_md(snc_draft *t, const snc_breakdown *const *b, const char *const *names, int models, const snc_task *task)
{
    if (!b[0]->K) return;
    snc_draft_put(t, "One answer to every row, '%s' (%.2f%% of them), scores %.2f.\n\n", snc_task_label(task, b[0]->majority), 100 * b[0]->majority_share,
                  100 * b[0]->majority_score);
    put_classes(t, b, names, models, task);
    for (int m = 0; m < models && b[m]->K <= SHOWN; m++) put_matrix(t, b[m], names[m], task);
    if (b[0]->K > SHOWN) snc_draft_put(t, "\nWhich of the %d classes was taken for which: \"confusion\" in report.json.\n", b[0]->K);
}

void snc_breakdown_warn(const snc_ctx *ctx, const snc_breakdown *b, const snc_task *task, const char *path, const char *split)
{
    if (b->only < 0 || b->class[b->only].rows == b->n) return;
    snc_log(ctx, SNC_LOG_WARN, "%s answers '%s' to every row of %s, the label of %.2f%% of them: it tells no classes apart", path, snc_task_label(task, b->only), split,
            100 * share(b->class[b->only].rows, b->n));
}

/* ---- the page ------------------------------------------------------------------------------------------------------- */

static const cJSON *field(const cJSON *j, const char *key) { return cJSON_GetObjectItemCaseSensitive(j, key); }

static double points(const cJSON *j, const char *key) { return 100 * cJSON_GetNumberValue(field(j, key)); }

static void html_cell(snc_draft *t, const char *tag, const char *text)
{
    snc_draft_put(t, "<%s>", tag);
    snc_draft_html(t, text);
    snc_draft_put(t, "</%s>", tag);
}

static const char *label_of(const cJSON *class) { return cJSON_GetStringValue(field(class, "label")); }

static void html_classes(snc_draft *t, const cJSON *teacher, const cJSON *file)
{
    const cJSON *c;
    int k = 0;
    snc_draft_put(t, "<div class=\"scroll\"><table><tr><th>class</th><th>rows</th><th>teacher: precision</th><th>recall</th><th>F1</th>"
                     "<th>compressed: precision</th><th>recall</th><th>F1</th></tr>\n");
    cJSON_ArrayForEach(c, field(teacher, "classes"))
    {
        const cJSON *of[] = {c, cJSON_GetArrayItem(field(file, "classes"), k++)};
        snc_draft_put(t, "<tr>");
        html_cell(t, "td", label_of(c));
        snc_draft_put(t, "<td>%.0f</td>", cJSON_GetNumberValue(field(c, "rows")));
        for (int i = 0; i < 2; i++) snc_draft_put(t, "<td>%.2f</td><td>%.2f</td><td>%.2f</td>", points(of[i], "precision"), points(of[i], "recall"), points(of[i], "f1"));
        snc_draft_put(t, "</tr>\n");
    }
    snc_draft_put(t, "</table></div>\n");
}

static void html_matrix(snc_draft *t, const cJSON *model)
{
    const cJSON *row, *n, *c, *classes = field(model, "classes");
    int k = 0;
    if (!field(model, "confusion") || cJSON_GetArraySize(classes) > SHOWN) return;
    snc_draft_put(t, "<p class=\"soft\">%s: rows by label, columns by answer</p><div class=\"scroll\"><table><tr><th></th>", cJSON_GetStringValue(field(model, "name")));
    cJSON_ArrayForEach(c, classes) html_cell(t, "th", label_of(c));
    cJSON_ArrayForEach(row, field(model, "confusion"))
    {
        snc_draft_put(t, "</tr>\n<tr>");
        html_cell(t, "td", label_of(cJSON_GetArrayItem(classes, k++)));
        cJSON_ArrayForEach(n, row) snc_draft_put(t, "<td>%.0f</td>", n->valuedouble);
    }
    snc_draft_put(t, "</tr></table></div>\n");
}

void snc_breakdown_html(snc_draft *t, const cJSON *report)
{
    const cJSON *majority = field(report, "majority"), *models = field(report, "models");
    const cJSON *file = cJSON_GetArrayItem(models, 0), *teacher = cJSON_GetArrayItem(models, cJSON_GetArraySize(models) - 1);
    if (!majority) return;
    snc_draft_put(t, "<h2>Classes</h2><p>One answer to every row of dev, '");
    snc_draft_html(t, label_of(majority));
    snc_draft_put(t, "' (%.2f%% of them), scores %.2f.</p>\n", points(majority, "share"), points(majority, "score"));
    html_classes(t, teacher, file);
    html_matrix(t, teacher);
    html_matrix(t, file);
}
