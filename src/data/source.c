/* The account is built as JSON while rows are read: people and reports see the same. Equal texts are found by sorting digests. */
#include "data/source_priv.h"

#include <stdio.h>
#include <string.h>

#include "data/texts.h"

enum { TEXT = 400, SHOWN = 40, NAMED = 6 /* spellings in one warning */ };

/* ---- columns -------------------------------------------------------------------------------------------------------- */

static snc_span name_of(const snc_reader *r, const snc_column *c, int index, char buf[SHOWN])
{
    const cJSON *key = snc_reader__is_json(r) ? snc_reader__key(r, c) : NULL;
    if (key) return (snc_span){key->string, strlen(key->string)};
    if (snc_reader__is_json(r) || index < -1) return (snc_span){0};
    if (index >= 0 && index < r->names) return r->name[index];
    snprintf(buf, SHOWN, index < 0 ? "the last column" : "column %d", index + 1);
    return (snc_span){buf, strlen(buf)};
}

static void add_name(cJSON *to, const char *key, snc_span name)
{
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)(name.n < sizeof text ? name.n : sizeof text - 1), name.p);
    if (key) cJSON_AddStringToObject(to, key, text);
    else cJSON_AddItemToArray(to, cJSON_CreateString(text));
}

/* A column that is not read: it may be the second text of a pair. */
static void pass_over(cJSON *source, const snc_reader *r, snc_span name)
{
    static const char *const seconds[] = {"text_b", "text2", "text_2", "text_pair", "sentence2", "sentence_2", "question2", "hypothesis"};
    const snc_strings *known = &r->task->text_b.names;
    bool second = false;
    add_name(snc_json_list(source, "ignored"), NULL, name);
    if (r->task->pair) return;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) second = second || snc_reader__alike(name, seconds[i]);
    for (int i = 0; i < known->n; i++) second = second || snc_reader__alike(name, known->v[i]);
    if (second)
        snc_json_warn(source, "second-text-ignored", "column '%.*s' is not read: --text-pair '%.*s' makes pairs of it",
                      (int)(name.n < SHOWN ? name.n : SHOWN), name.p, (int)(name.n < SHOWN ? name.n : SHOWN), name.p);
}

static void add_ignored(cJSON *source, const snc_reader *r)
{
    const snc_column *const used[] = {&r->task->text_a, r->task->pair ? &r->task->text_b : NULL, &r->task->label};
    const cJSON *key;
    for (int i = 0; i < r->names; i++)
        if (i != r->a && i != r->b && i != r->label && r->name[i].n) pass_over(source, r, r->name[i]);
    cJSON_ArrayForEach(key, r->json)
    {
        bool is_used = false;
        for (int k = 0; k < 3; k++) is_used = is_used || (used[k] && snc_reader__key(r, used[k]) == key);
        if (!is_used) pass_over(source, r, (snc_span){key->string, strlen(key->string)});
    }
}

void snc_source__columns(cJSON *source, const snc_reader *r)
{
    static const char *const forms[] = {"TSV", "CSV", "JSON lines", "JSON list", "CoNLL"}; /* in the order of snc_form */
    const struct {
        const char *key;
        const snc_column *column;
        int index;
    } columns[] = {
        {"text", &r->task->text_a, r->a}, {"text_pair", &r->task->text_b, r->task->pair ? r->b : -2}, {"label", &r->task->label, r->label}};
    char format[64], buf[SHOWN], separator = r->text.separator, usual = r->form == SNC_FORM__CSV ? ',' : '\t';
    bool json = snc_reader__is_json(r), delimited = !json && r->form != SNC_FORM__CONLL;
    snprintf(format, sizeof format, "%s%s", forms[r->form], !delimited ? "" : r->text.quoted ? ", quotes undone" : ", quotes are text");
    if (delimited && separator != usual)
        snprintf(format + strlen(format), sizeof format - strlen(format), separator == '\t' ? ", parted by TAB" : ", parted by '%c'",
                 separator);
    cJSON_AddStringToObject(source, "file", r->path);
    cJSON_AddStringToObject(source, "format", format);
    cJSON *to = cJSON_AddObjectToObject(source, "columns");
    for (int k = 0; k < 3; k++) {
        if (k == 1 && !r->task->pair) continue;
        snc_span name = name_of(r, columns[k].column, columns[k].index, buf);
        if (name.p) add_name(to, columns[k].key, name);
    }
    cJSON_AddArrayToObject(source, "ignored");
    cJSON_AddArrayToObject(source, "warnings");
    add_ignored(source, r);
}

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

static void warn_alike(cJSON *source, const snc_task *t, const snc_labels *labels)
{
    char text[TEXT] = "";
    int n = 0, own = t->labels.n; /* which came first */
    for (const snc_spelling *s = labels->as_is; s; s = s->hh.next) {
        size_t at = strlen(text);
        if (own-- > 0) continue;
        if (n++ < NAMED)
            snprintf(text + at, sizeof text - at, "%s'%.*s' (%lld) is '%.40s'", at ? ", " : "",
                     (int)(s->text.n < SHOWN ? s->text.n : SHOWN), s->text.p, (long long)s->rows, t->labels.v[s->class]);
    }
    if (n == 0) return;
    snc_json_warn(source, "labels-alike",
                  "labels that differ only in case, blanks, quotes or \".0\" are one class (rows): %s%s; a task file with a list of "
                  "\"labels\" keeps them apart",
                  text, n > NAMED ? ", ..." : "");
}

static snc_err count_texts(int *empty, int *duplicate, const snc_rows *rows)
{
    const size_t n = (size_t)rows->n;
    uint64_t *text;
    SNC_TRY(snc_alloc(&text, n, sizeof *text));
    for (size_t i = 0; i < n; i++) text[i] = snc_row__is_empty(&rows->row[i]) ? 0 : snc_row__digest(&rows->row[i]);
    snc_texts_sort(text, n);
    snc_texts_count(empty, duplicate, text, n);
    snc_free(text);
    return SNC_OK;
}

snc_err snc_source__rows(cJSON *source, const snc_task *t, const snc_rows *rows, const snc_labels *labels, bool all_in_quotes)
{
    int empty, duplicate;
    SNC_TRY(count_texts(&empty, &duplicate, rows));
    cJSON_AddNumberToObject(source, "rows", rows->n);
    cJSON_AddNumberToObject(source, "empty", empty);
    cJSON_AddNumberToObject(source, "duplicate", duplicate);
    cJSON_AddNumberToObject(source, "invalid_bytes", (double)rows->file.broken);
    cJSON_AddNumberToObject(source, "skipped", rows->skipped);
    if (all_in_quotes)
        snc_json_warn(source, "quoted-texts",
                      "every text begins and ends with a quote, which is taken for text (--quoting csv undoes quotes)");
    if (!t->regression) warn_alike(source, t, labels);
    SNC_CHECK(cJSON_GetObjectItemCaseSensitive(source, "skipped"), SNC_E_NOMEM, "%s: out of memory", rows->path);
    return SNC_OK;
}
