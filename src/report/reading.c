/* Counts of each split and what their sources said become one object, which is put as lines or kept in reports. */
#include "report/reading.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/say.h"
#include "base/mem.h"
#include "data/texts.h"

enum { FEW = 8, NAMED = 8 /* classes in one line */ };

/* ---- a split -------------------------------------------------------------------------------------------------------- */

/* The digests of the texts of some datasets, sorted. */
static snc_err sorted_texts(uint64_t **out, size_t *n, const snc_dataset *const *d, int datasets)
{
    *n = 0;
    for (int i = 0; i < datasets; i++) *n += d[i] ? (size_t)d[i]->n : 0;
    SNC_TRY(snc_alloc(out, *n, sizeof **out));
    size_t at = 0;
    for (int i = 0; i < datasets; i++) {
        if (!d[i]) continue;
        memcpy(*out + at, d[i]->text, (size_t)d[i]->n * sizeof **out);
        at += (size_t)d[i]->n;
    }
    snc_texts_sort(*out, *n);
    return SNC_OK;
}

static void add_classes(cJSON *split, const snc_task *t, const snc_dataset *d)
{
    int64_t count[SNC_MAX_CLASSES] = {0}, most = 0;
    cJSON *classes = cJSON_AddObjectToObject(split, "classes");
    const int64_t answers = snc_dataset_answers(d);
    for (int64_t i = 0; i < answers; i++) {
        if (isnan((double)d->target[i])) continue;
        if (!d->sets) count[(int)d->target[i]]++;
        for (int k = 0; d->sets && k < d->sets->K; k++) count[k] += snc_sets_of(d->sets, (int)d->target[i])[k];
    }
    for (int k = 0; k < snc_task_classes(t); k++) {
        cJSON_AddNumberToObject(classes, snc_task_label(t, k), (double)count[k]);
        if (count[k] > most) most = count[k];
    }
    cJSON_AddNumberToObject(split, "majority", answers ? (double)most / (double)answers : 0);
}

static void add_range(cJSON *split, const snc_dataset *d)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < d->n; i++) {
        low = fmin(low, (double)d->target[i]);
        high = fmax(high, (double)d->target[i]);
    }
    if (!(low <= high)) return; /* no row has one */
    cJSON_AddNumberToObject(split, "low", low);
    cJSON_AddNumberToObject(split, "high", high);
}

static snc_err add_split(cJSON *reading, const snc_task *t, const char *name, const snc_dataset *all)
{
    snc_dataset d = snc_task_vectors(t) ? *all : snc_dataset_labelled_view(all);
    const snc_dataset *one = &d;
    uint64_t *text;
    size_t n;
    int empty, duplicate;
    SNC_TRY(sorted_texts(&text, &n, &one, 1));
    snc_texts_count(&empty, &duplicate, text, n);
    snc_free(text);
    cJSON *split = cJSON_CreateObject();
    cJSON_AddItemToArray(snc_json_list(reading, "splits"), split);
    cJSON_AddStringToObject(split, "name", name);
    cJSON_AddNumberToObject(split, "rows", d.n);
    if (d.answers) cJSON_AddNumberToObject(split, "words", (double)snc_dataset_answers(&d));
    if (snc_task_regression(t)) add_range(split, &d);
    else add_classes(split, t, &d);
    cJSON_AddNumberToObject(split, "cut", d.truncated);
    cJSON_AddNumberToObject(split, "empty", empty);
    cJSON_AddNumberToObject(split, "duplicate", duplicate);
    return SNC_OK;
}

/* Rows whose text is learnt from. */
static snc_err count_shared(int *shared, const snc_inputs *in, const snc_dataset *d)
{
    const snc_dataset *const learnt[] = {in->splits.train, in->splits.rank, in->splits.select, in->splits.all};
    uint64_t *text;
    size_t n;
    *shared = 0;
    SNC_TRY(sorted_texts(&text, &n, learnt, 4));
    for (int i = 0; i < d->n; i++) *shared += snc_texts_have(text, n, d->text[i]);
    snc_free(text);
    return SNC_OK;
}

static snc_err add_shared(cJSON *reading, const snc_inputs *in)
{
    int shared;
    SNC_TRY(count_shared(&shared, in, in->dev));
    cJSON_AddNumberToObject(reading, "shared", shared);
    return SNC_OK;
}

/* ---- the whole -------------------------------------------------------------------------------------------------------- */

/* Its warnings go to the others; what dev has in common with train is said once. */
static void add_source(cJSON *reading, const char *split, const snc_dataset *d)
{
    cJSON *w;
    if (!d || !d->source) return;
    cJSON *source = cJSON_Duplicate(d->source, 1), *warnings = cJSON_DetachItemFromObjectCaseSensitive(source, "warnings");
    const char *file = snc_json_text(source, "file");
    cJSON_AddStringToObject(source, "split", split);
    cJSON_AddItemToArray(snc_json_list(reading, "sources"), source);
    cJSON_ArrayForEach(w, warnings) snc_json_warn(reading, snc_json_text(w, "name"), "%s: %s", file, snc_json_text(w, "text"));
    cJSON_Delete(warnings);
}

static bool is_no_label(const char *label)
{
    static const char *const names[] = {"-1", "-100", "nan", "none", "null", "na", "n/a", "#n/a", "<na>", "nat"};
    char lower[16];
    size_t n = strlen(label);
    if (n >= sizeof lower) return false;
    for (size_t i = 0; i <= n; i++) lower[i] = label[i] >= 'A' && label[i] <= 'Z' ? (char)(label[i] + 32) : label[i];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(lower, names[i]) == 0) return true;
    return false;
}

/* Of train, rank and select together. */
static void warn_classes(cJSON *reading, const snc_task *t)
{
    char few[200] = "";
    int n = 0;
    for (int k = 0; k < snc_task_classes(t); k++) {
        const char *label = snc_task_label(t, k);
        const cJSON *split;
        double rows = 0;
        cJSON_ArrayForEach(split, snc_json_at(reading, "splits")) if (strcmp(snc_json_text(split, "name"), "dev") != 0) rows +=
            snc_json_number(snc_json_at(split, "classes"), label);
        if (is_no_label(label))
            snc_json_warn(reading, "no-label", "'%s' stands among the classes (%.0f rows to learn from): are these rows without a label?",
                          label, rows);
        size_t at = strlen(few);
        if (rows < FEW && n++ < NAMED) snprintf(few + at, sizeof few - at, "%s'%.40s' (%.0f)", at ? ", " : "", label, rows);
    }
    if (n)
        snc_json_warn(reading, "few-rows", "%d class%s fewer than %d rows to learn from: %s%s", n, n == 1 ? " has" : "es have", FEW, few,
                      n > NAMED ? ", ..." : "");
}

snc_err snc_reading_new(cJSON **out, const snc_inputs *in)
{
    snc_err err = SNC_OK;
    const struct {
        const char *name;
        const snc_dataset *d;
    } parts[] = {{"train", in->splits.train}, {"rank", in->splits.rank}, {"select", in->splits.select}, {"dev", in->dev}};
    cJSON *j = cJSON_CreateObject();
    cJSON_AddArrayToObject(j, "splits");
    cJSON_AddNumberToObject(j, "max_length", snc_task_max_length(in->task));
    cJSON_AddArrayToObject(j, "sources");
    cJSON_AddArrayToObject(j, "warnings");
    for (int i = 0; i < 4; i++)
        if (parts[i].d) SNC_GOTO(add_split(j, in->task, parts[i].name, parts[i].d));
    if (in->dev && in->splits.train) SNC_GOTO(add_shared(j, in));
    add_source(j, "train", in->splits.train);
    add_source(j, "rank", in->splits.rank); /* where they have files of their own */
    add_source(j, "select", in->splits.select);
    if (!in->splits.dev) add_source(j, "dev", in->dev); /* else it is of train's file */
    if (in->splits.train && !snc_task_regression(in->task)) warn_classes(j, in->task);
    *out = j;
    j = NULL;
out:
    cJSON_Delete(j);
    return err;
}

snc_err snc_reading_add(cJSON *reading, const snc_inputs *in, const char *name, const snc_dataset *d)
{
    int shared;
    SNC_TRY(add_split(reading, in->task, name, d));
    SNC_TRY(count_shared(&shared, in, d));
    if (shared) snc_json_warn(reading, "shared-rows", "%s: %d of %d rows also stand in train", name, shared, d->n);
    add_source(reading, name, d);
    return SNC_OK;
}

/* ---- for people ----------------------------------------------------------------------------------------------------- */

static void put_source(snc_textbuf *t, const cJSON *s)
{
    const cJSON *it, *ignored = snc_json_at(s, "ignored");
    const char *comma = "";
    snc_textbuf_put(t, "%.800s: %s%s", snc_json_text(s, "file"), snc_json_text(s, "format"),
                    cJSON_GetArraySize(snc_json_at(s, "columns")) ? "; " : "");
    cJSON_ArrayForEach(it, snc_json_at(s, "columns"))
    {
        snc_textbuf_put(t, "%s%s '%s'", comma, strcmp(it->string, "text_pair") == 0 ? "second text" : it->string, it->valuestring);
        comma = ", ";
    }
    comma = "; ignored: ";
    cJSON_ArrayForEach(it, ignored)
    {
        snc_textbuf_put(t, "%s%s", comma, it->valuestring);
        comma = ", ";
    }
    snc_textbuf_put(t, "; %.0f rows, %.0f empty, %.0f duplicate", snc_json_number(s, "rows"), snc_json_number(s, "empty"),
                    snc_json_number(s, "duplicate"));
    if (snc_json_number(s, "skipped") > 0) snc_textbuf_put(t, "; %.0f rows with too few columns skipped", snc_json_number(s, "skipped"));
    if (snc_json_number(s, "invalid_bytes") > 0)
        snc_textbuf_put(t, "; invalid UTF-8 bytes replaced: %.0f", snc_json_number(s, "invalid_bytes"));
    if (snc_json_number(s, "dev") > 0)
        snc_textbuf_put(t, "; no dev file: %.0f of its rows are dev, by class, the same for every --seed", snc_json_number(s, "dev"));
    snc_textbuf_put(t, "\n");
}

static void put_split(snc_textbuf *t, const cJSON *s, const cJSON *reading)
{
    const cJSON *k, *classes = snc_json_at(s, "classes");
    int n = 0, all = cJSON_GetArraySize(classes);
    snc_textbuf_put(t, "%-6s %6.0f rows", snc_json_text(s, "name"), snc_json_number(s, "rows"));
    if (snc_json_at(s, "words")) snc_textbuf_put(t, " of %.0f words", snc_json_number(s, "words"));
    cJSON_ArrayForEach(k, classes)
    {
        if (n++ < NAMED) snc_textbuf_put(t, "%s%.60s %.0f", n == 1 ? ": " : ", ", k->string, k->valuedouble);
    }
    if (all > NAMED) snc_textbuf_put(t, ", and %d more", all - NAMED);
    if (all) snc_textbuf_put(t, " (majority %.1f%%)", 100 * snc_json_number(s, "majority"));
    else if (snc_json_at(s, "low")) snc_textbuf_put(t, ": %g to %g", snc_json_number(s, "low"), snc_json_number(s, "high"));
    snc_textbuf_put(t, "; %.0f cut at %.0f tokens, %.0f empty, %.0f duplicate", snc_json_number(s, "cut"),
                    snc_json_number(reading, "max_length"), snc_json_number(s, "empty"), snc_json_number(s, "duplicate"));
    if (strcmp(snc_json_text(s, "name"), "dev") == 0 && snc_json_at(reading, "shared"))
        snc_textbuf_put(t, ", %.0f also in train", snc_json_number(reading, "shared"));
    snc_textbuf_put(t, "\n");
}

void snc_reading_put(snc_textbuf *t, const cJSON *reading, const char *indent)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, snc_json_at(reading, "sources"))
    {
        snc_textbuf_put(t, "%s", indent);
        put_source(t, it);
    }
    cJSON_ArrayForEach(it, snc_json_at(reading, "splits"))
    {
        snc_textbuf_put(t, "%s", indent);
        put_split(t, it, reading);
    }
}

static void log_warning(const snc_ctx *ctx, const cJSON *w)
{
    snc_log(ctx, SNC_LOG_WARN, "[%s] %s", snc_json_text(w, "name"), snc_json_text(w, "text"));
}

void snc_reading_log_last(const snc_ctx *ctx, const cJSON *reading)
{
    const cJSON *list = snc_json_at(reading, "warnings");
    log_warning(ctx, cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1));
}

/* h NULL: to the log. */
static snc_err show(const snc_host *h, const snc_ctx *ctx, const cJSON *reading)
{
    const cJSON *w;
    snc_textbuf t = {0};
    snc_textbuf_put(&t, "What I read\n");
    snc_reading_put(&t, reading, "  ");
    snc_err err = t.err;
    for (char *line = t.p, *end; !err && line && (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        if (h) snc_say_text(h, line);
        else snc_log(ctx, SNC_LOG_INFO, "%s", line);
    }
    cJSON_ArrayForEach(w, snc_json_at(reading, "warnings")) log_warning(ctx, w);
    snc_free(t.p);
    return err;
}

snc_err snc_reading_say(const snc_host *h, const snc_ctx *ctx, const cJSON *reading) { return show(h, ctx, reading); }

snc_err snc_reading_log(const snc_ctx *ctx, const snc_inputs *in)
{
    cJSON *reading;
    SNC_TRY(snc_reading_new(&reading, in));
    snc_err err = show(NULL, ctx, reading);
    cJSON_Delete(reading);
    return err;
}
