/* Fields are read through the rows of the table, by kind. */
#include "artifact/option.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

const snc_options snc_options_defaults = {
    .size = sizeof(snc_options),
    .input = SNC_INPUT_OPTS_INIT,
    .rows = SNC_ROWS_OPTS_INIT,
    .targets = SNC_TARGET_OPTS_INIT,
    .workload = SNC_WORKLOAD_OPTS_INIT,
    .job = SNC_JOB_OPTS_INIT,
    .output = SNC_OUTPUT_OPTS_INIT,
    .training = SNC_TRAINING_OPTS_INIT,
    .supernet = SNC_SUPERNET_OPTS_INIT,
    .search = SNC_SEARCH_OPTS_INIT,
    .exporting = SNC_EXPORT_OPTS_INIT,
    .bench = SNC_BENCH_OPTS_INIT,
    .predict = SNC_PREDICT_OPTS_INIT,
    .study = SNC_STUDY_OPTS_INIT,
    .suite = SNC_SUITE_OPTS_INIT,
    .serve = SNC_SERVE_OPTS_INIT,
    .plan = SNC_PLAN_OPTS_INIT,
};

/* The first `size` bytes of the defaults, zeros after what is known here. */
void snc_options_init_sized(snc_options *o, size_t size)
{
    if (!o || size < sizeof o->size) return;
    memset(o, 0, size);
    memcpy(o, &snc_options_defaults, size < sizeof(snc_options) ? size : sizeof(snc_options));
    o->size = size;
}

/* ---- rows ------------------------------------------------------------------------------------------------------------ */

const snc_option *snc_option_row(const char *name, unsigned verbs)
{
    int n;
    for (const snc_option *row = snc_option_table(&n); n--; row++)
        if (strcmp(row->name, name) == 0 && (row->verbs & verbs)) return row;
    return NULL;
}

const char *snc_option_word(size_t *n, const snc_option *row, int i)
{
    const char *w = row->words;
    int k = 0;
    for (; row->word && row->word(k); k++) {
        if (k < i) continue;
        *n = strlen(row->word(k));
        return row->word(k);
    }
    for (; w && k < i; k++) {
        w += strcspn(w, "|,");
        w = *w ? w + 1 : NULL;
    }
    if (w) *n = strcspn(w, "|,");
    return w;
}

bool snc_option_may_name_file(const snc_option *row)
{
    const char *w;
    size_t n;
    for (int i = 0; (w = snc_option_word(&n, row, i)); i++)
        if (isupper((unsigned char)*w)) return true;
    return row->kind == SNC_OPTION_STRING && !snc_option_word(&n, row, 0);
}

void snc_option_words(char *buf, size_t size, const snc_option *row)
{
    const bool list = row->words && strchr(row->words, ',');
    const char *w, *last;
    size_t n, m, at = 0;
    buf[0] = 0;
    for (int i = 0; (w = snc_option_word(&n, row, i)) && at < size; i++) {
        last = list ? w : snc_option_word(&m, row, i + 1);
        at += (size_t)snprintf(buf + at, size - at, "%s%.*s", i == 0 ? "" : last ? ", " : " or ", (int)n, w);
    }
}

/* ---- fields ---------------------------------------------------------------------------------------------------------- */

static const char *text_at(const void *field)
{
    const char *text;
    memcpy(&text, field, sizeof text);
    return text;
}

static double number_at(const void *field, snc_option_kind kind)
{
    int64_t seed;
    double real;
    int whole;
    switch (kind) {
    case SNC_OPTION_SEED: memcpy(&seed, field, sizeof seed); return (double)seed;
    case SNC_OPTION_REAL: memcpy(&real, field, sizeof real); return real;
    default: memcpy(&whole, field, sizeof whole); return whole;
    }
}

static const void *field_of(const snc_options *o, const snc_option *row) { return (const char *)o + row->offset; }

static bool is_given(const void *field, const snc_option *row)
{
    const void *otherwise = field_of(&snc_options_defaults, row);
    if (row->kind != SNC_OPTION_STRING) return number_at(field, row->kind) != number_at(otherwise, row->kind);
    const char *text = text_at(field), *unset = text_at(otherwise);
    return text && (!unset || strcmp(text, unset) != 0);
}

const char *snc_option_text(const snc_options *o, const snc_option *row) { return text_at(field_of(o, row)); }
double snc_option_number(const snc_options *o, const snc_option *row) { return number_at(field_of(o, row), row->kind); }

static char *place_of(snc_options *o, const snc_option *row) { return (char *)o + row->offset; }

void snc_option_set_text(snc_options *o, const snc_option *row, const char *text) { memcpy(place_of(o, row), &text, sizeof text); }

void snc_option_set_number(snc_options *o, const snc_option *row, double v)
{
    int64_t seed = (int64_t)v;
    int whole = (int)v;
    switch (row->kind) {
    case SNC_OPTION_SEED: memcpy(place_of(o, row), &seed, sizeof seed); break;
    case SNC_OPTION_REAL: memcpy(place_of(o, row), &v, sizeof v); break;
    default: memcpy(place_of(o, row), &whole, sizeof whole);
    }
}

/* Which bit a row has: those of the first rows stand in one place, those of rows that came later in another. */
typedef struct bit_place {
    bool more;
    size_t word;
    uint64_t bit;
} bit_place;

static bit_place bit_of(const snc_option *row)
{
    const size_t i = (size_t)(row - snc_option_table(NULL)), first = 8 * sizeof(((snc_options *)NULL)->given);
    return (bit_place){i >= first, i % first / 64, (uint64_t)1 << i % 64};
}

static bool get_bit(const uint64_t *first, const uint64_t *more, const snc_option *row)
{
    const bit_place p = bit_of(row);
    return ((p.more ? more : first)[p.word] & p.bit) != 0;
}

static void set_bit(uint64_t *first, uint64_t *more, const snc_option *row, bool on)
{
    const bit_place p = bit_of(row);
    uint64_t *word = (p.more ? more : first) + p.word;
    *word = on ? *word | p.bit : *word & ~p.bit;
}

bool snc_option_marked(const snc_options *o, const snc_option *row) { return get_bit(o->given, o->given_more, row); }
bool snc_option_by_recipe(const snc_options *o, const snc_option *row) { return get_bit(o->by_recipe, o->by_recipe_more, row); }

void snc_option_mark(snc_options *o, const snc_option *row, bool given)
{
    set_bit(o->given, o->given_more, row, given);
    set_bit(o->by_recipe, o->by_recipe_more, row, false);
}

void snc_option_mark_recipe(snc_options *o, const snc_option *row, bool asked)
{
    set_bit(o->given, o->given_more, row, asked);
    set_bit(o->by_recipe, o->by_recipe_more, row, true);
}

bool snc_option_given(const snc_options *o, const snc_option *row)
{
    return snc_option_marked(o, row) || (!snc_option_by_recipe(o, row) && is_given(field_of(o, row), row));
}

const char *snc_option_list(const snc_options *o, const char *name, unsigned verbs)
{
    const snc_option *row = snc_option_row(name, verbs);
    const char *text = snc_option_text(o, row);
    return text ? text : row->otherwise;
}

void snc_option_fill(snc_options *o)
{
    int n;
    for (const snc_option *row = snc_option_table(&n); n--; row++)
        if (row->kind == SNC_OPTION_STRING && !snc_option_text(o, row))
            snc_option_set_text(o, row, snc_option_text(&snc_options_defaults, row));
}

/* ---- checks ---------------------------------------------------------------------------------------------------------- */

/* A list has a grammar of its own, which its reader knows; a word in capitals stands for any other. */
static bool is_word(const snc_option *row, const char *text)
{
    const char *w;
    size_t n;
    if (row->words && strchr(row->words, ',')) return true;
    for (int i = 0; (w = snc_option_word(&n, row, i)); i++)
        if (isupper((unsigned char)*w) || (strlen(text) == n && memcmp(w, text, n) == 0)) return true;
    return !snc_option_word(&n, row, 0);
}

static snc_err check_text(const snc_option *row, const char *text)
{
    char words[160];
    SNC_CHECK(*text, SNC_E_ARG, "%s: empty value", row->name);
    if (is_word(row, text)) return SNC_OK;
    snc_option_words(words, sizeof words, row);
    return snc_err_set(SNC_E_ARG, "%s '%.40s': expected %s", row->name, text, words);
}

/* What the program's parser refuses is refused here for those who fill the structs; a default may lie outside: "not given". */
static snc_err check_row(const snc_option *row, const void *field)
{
    if (!is_given(field, row) || row->kind == SNC_OPTION_FLAG) return SNC_OK;
    if (row->kind == SNC_OPTION_STRING) return check_text(row, text_at(field));
    double v = number_at(field, row->kind);
    SNC_CHECK(v >= row->min && v <= row->max, SNC_E_ARG, "%s %g: expected a number from %g to %g", row->name, v, row->min, row->max);
    return SNC_OK;
}

/* The rows of the struct that lies at `at` in snc_options. */
static snc_err check_rows(const void *opts, size_t at, size_t size)
{
    int n;
    SNC_CHECK(opts, SNC_E_ARG, "options: NULL");
    for (const snc_option *row = snc_option_table(&n); n--; row++)
        if (row->offset >= at && row->offset - at < size) SNC_TRY(check_row(row, (const char *)opts + (row->offset - at)));
    return SNC_OK;
}

snc_err snc_input_opts_check(const snc_input_opts *o)
{
    SNC_TRY(check_rows(o, offsetof(snc_options, input), sizeof *o));
    SNC_CHECK(o->n_models >= 0 && (o->n_models == 0 || o->models), SNC_E_ARG, "snc_options: %d models%s", o->n_models,
              o->models ? "" : ", which are NULL");
    for (int i = 0; i < o->n_models; i++) SNC_CHECK(o->models[i], SNC_E_ARG, "snc_options: model %d is NULL", i);
    return SNC_OK;
}

#define CHECK(name, group) \
    snc_err snc_##name##_opts_check(const snc_##name##_opts *o) { return check_rows(o, offsetof(snc_options, group), sizeof *o); }
CHECK(rows, rows)
CHECK(target, targets)
CHECK(workload, workload)
CHECK(job, job)
CHECK(output, output)
CHECK(training, training)
CHECK(supernet, supernet)
CHECK(search, search)
CHECK(export, exporting)
CHECK(bench, bench)
CHECK(predict, predict)
CHECK(study, study)
CHECK(suite, suite)
CHECK(serve, serve)
CHECK(plan, plan)

snc_err snc_options_check(const snc_options *o)
{
    SNC_TRY(check_rows(o, 0, sizeof *o));
    return snc_input_opts_check(&o->input);
}

snc_err snc_option_need(const char *verb, const char *option, const void *value)
{
    SNC_CHECK(value, SNC_E_ARG, "%s: %s is missing", verb, option);
    return SNC_OK;
}
