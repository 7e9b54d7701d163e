/* The table of options and the structs that it speaks of: a field has one row, a default is written once, and what a row names is
 * what is taken. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "artifact/effort.h"
#include "artifact/option.h"
#include "check.h"
#include "core/gemm.h"
#include "files.h"
#include "search/search.h"
#include "train/sampler.h"

static void a_field_has_one_row_and_a_verb_one_of_a_name(void **state)
{
    (void)state;
    int n;
    const snc_option *row = snc_option_table(&n);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++) {
            bool named = strcmp(row[i].name, row[k].name) == 0;
            bool brief = row[i].brief && row[k].brief && strcmp(row[i].brief, row[k].brief) == 0;
            if (row[i].offset == row[k].offset) fail_msg("%s and %s are one field", row[i].name, row[k].name);
            if (named && (row[i].verbs & row[k].verbs)) fail_msg("%s has two rows for one verb", row[i].name);
            if (brief && !named) fail_msg("%s and %s have one letter", row[i].name, row[k].name);
        }
}

/* A preset is what nobody asked for: options and values other than the defaults stay. */
static void an_effort_fills_in_what_was_not_asked_for(void **state)
{
    (void)state;
    snc_options o = snc_options_defaults;
    const snc_option *epochs = snc_option_row("--epochs", SNC_VERB_COMPRESS), *augment = snc_option_row("--augment", SNC_VERB_COMPRESS),
                     *evals = snc_option_row("--evals", SNC_VERB_COMPRESS);
    snc_effort_apply(&o);
    assert_memory_equal(&o, &snc_options_defaults, sizeof o); /* normal is what is there */
    o.job.effort = "quick";
    o.search.evals = 123;
    o.supernet.augment = 7;
    snc_option_mark_recipe(&o, augment, false); /* of the default recipe */
    o.training.epochs = 4;
    snc_option_mark_recipe(&o, epochs, true); /* of the user's */
    snc_effort_apply(&o);
    assert_true(o.search.evals == 123 && o.training.epochs == 4 && o.supernet.epochs == 0.5 && o.supernet.augment == 1);
    assert_true(snc_option_given(&o, evals) && snc_option_given(&o, epochs) && !snc_option_given(&o, augment));
    snc_option_mark(&o, augment, true); /* as planned: an option from now on */
    assert_true(snc_option_given(&o, augment) && !snc_option_by_recipe(&o, augment) && snc_option_by_recipe(&o, epochs));
    o = snc_options_defaults;
    o.job.effort = "thorough";
    snc_effort_apply(&o);
    assert_true(o.search.evals == 800 && o.training.epochs == 3 && o.supernet.epochs == 2 && o.exporting.repair_epochs == 2);
}

/* Also the rows behind the 128th, whose bits stand elsewhere. */
static void each_row_has_a_bit_of_its_own(void **state)
{
    (void)state;
    int n;
    const snc_option *row = snc_option_table(&n);
    assert_true(n > 128);
    for (int i = 0; i < n; i++) {
        snc_options o = snc_options_defaults;
        snc_option_mark_recipe(&o, &row[i], true);
        for (int k = 0; k < n; k++)
            assert_true(snc_option_marked(&o, &row[k]) == (k == i) && snc_option_by_recipe(&o, &row[k]) == (k == i));
        snc_option_mark(&o, &row[i], false);
        assert_memory_equal(&o, &snc_options_defaults, sizeof o);
    }
}

/* Every row lies in the struct that it says it does. */
static void groups_are_the_structs(void **state)
{
    (void)state;
#define GROUP(name)                                                                                                \
    {                                                                                                              \
#name, offsetof(snc_options, name), sizeof(((snc_options *)NULL)->name), offsetof(snc_options, name.spare) \
    }
    static const struct {
        const char *name;
        size_t at, size, spare;
    } groups[] = {GROUP(input),    GROUP(rows),     GROUP(targets), GROUP(workload),  GROUP(job),   GROUP(output),
                  GROUP(training), GROUP(supernet), GROUP(search),  GROUP(exporting), GROUP(bench), GROUP(predict),
                  GROUP(study),    GROUP(suite),    GROUP(serve),   GROUP(plan)};
    static const struct {
        const char *name;
        size_t by;
    } grown[] = {{"job", 7},    {"rows", 4},      {"targets", 1}, {"workload", 1}, {"training", 1}, {"supernet", 2},
                 {"search", 3}, {"exporting", 4}, {"bench", 2},   {"predict", 1},  {"study", 1},    {"serve", 1}};
    enum { GROUPS = sizeof groups / sizeof *groups };
    int n, rows[GROUPS] = {0};
    for (const snc_option *row = snc_option_table(&n); n--; row++) {
        size_t k = 0;
        while (k < GROUPS && strcmp(groups[k].name, row->group) != 0) k++;
        assert_true(k < GROUPS && row->offset >= groups[k].at && row->offset < groups[k].spare);
        rows[k]++;
    }
    for (size_t k = 0; k < GROUPS; k++) {
        assert_true(rows[k] > 0);
        size_t added = 0; /* in place of spare ones: programs that are built rely on it */
        for (size_t i = 0; i < sizeof grown / sizeof *grown; i++)
            if (strcmp(grown[i].name, groups[k].name) == 0) added = grown[i].by;
        assert_true(groups[k].spare + (8 - added) * sizeof(void *) == groups[k].at + groups[k].size);
    }
}

static bool same_value(const snc_options *a, const snc_options *b, const snc_option *row)
{
    if (row->kind != SNC_OPTION_STRING) return snc_option_number(a, row) == snc_option_number(b, row);
    const char *x = snc_option_text(a, row), *y = snc_option_text(b, row);
    return x && y ? strcmp(x, y) == 0 : x == y;
}

/* What the structs' constants give is what snc_options_init gives, is allowed, and is what a NULL comes to. */
static void defaults_are_those_of_the_constants(void **state)
{
    (void)state;
    snc_options o, bare = {.size = 0};
    const snc_options constants = {.input = SNC_INPUT_OPTS_INIT,
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
                                   .plan = SNC_PLAN_OPTS_INIT};
    snc_options_init(&o);
    assert_ok(snc_options_check(&o));
    snc_option_fill(&bare);
    int n;
    for (const snc_option *row = snc_option_table(&n); n--; row++) {
        assert_false(snc_option_given(&o, row));
        if (!same_value(&o, &constants, row)) fail_msg("%s has two defaults", row->name);
        if (row->kind == SNC_OPTION_STRING && !same_value(&o, &bare, row)) fail_msg("%s: NULL is not its default", row->name);
    }
}

/* Each named value passes the check of its struct, and one that is not named does not where the row names all there are. */
static void named_values_are_taken_and_others_refused(void **state)
{
    (void)state;
    int n, closed = 0;
    for (const snc_option *row = snc_option_table(&n); n--; row++) {
        snc_options o;
        char words[160], word[64];
        const char *w, *text = word;
        size_t length;
        bool open = row->words && strchr(row->words, ',');
        for (int i = 0; (w = snc_option_word(&length, row, i)); i++) {
            snc_options_init(&o);
            snprintf(word, sizeof word, "%.*s", (int)length, w);
            memcpy((char *)&o + row->offset, &text, sizeof text);
            assert_ok(snc_options_check(&o));
            open = open || (word[0] >= 'A' && word[0] <= 'Z'); /* stands for any other */
        }
        if (open || !snc_option_word(&length, row, 0)) continue;
        snc_option_words(words, sizeof words, row);
        text = "neither";
        memcpy((char *)&o + row->offset, &text, sizeof text);
        assert_fails(snc_options_check(&o), SNC_E_ARG, words);
        closed++;
    }
    assert_true(closed >= 10);
}

/* Words that another folder reads are known there. */
static void words_are_those_of_their_readers(void **state)
{
    (void)state;
    snc_backend backend;
    const char *w;
    char word[64];
    size_t n;
    const snc_option *backends = snc_option_row("--backend", SNC_VERB_BENCH);
    for (int i = 0; (w = snc_option_word(&n, backends, i)); i++) {
        snprintf(word, sizeof word, "%.*s", (int)n, w);
        snc_err err = snc_backend_parse(&backend, word);
        assert_true(err == SNC_OK || err == SNC_E_UNSUPPORTED); /* known, and perhaps not built in */
    }
    for (int i = 0; snc_search_name(i); i++)
        assert_string_equal(snc_option_word(&n, snc_option_row("--searcher", SNC_VERB_SEARCH), i), snc_search_name(i));
    for (int i = 0; snc_sampler_name(i); i++)
        assert_string_equal(snc_option_word(&n, snc_option_row("--sampler", SNC_VERB_SUPERNET), i), snc_sampler_name(i));
}

/* A struct alone, without the others. */
static void a_struct_is_checked_alone(void **state)
{
    (void)state;
    snc_training_opts training = SNC_TRAINING_OPTS_INIT;
    snc_job_opts job = SNC_JOB_OPTS_INIT;
    snc_input_opts input = SNC_INPUT_OPTS_INIT;
    assert_ok(snc_training_opts_check(&training));
    training.lr = 2;
    assert_fails(snc_training_opts_check(&training), SNC_E_ARG, "--lr 2: expected a number from 0 to 1");
    assert_fails(snc_training_opts_check(NULL), SNC_E_ARG, "NULL");
    job.fp = "f16";
    assert_fails(snc_job_opts_check(&job), SNC_E_ARG, "--fp 'f16': expected auto, f32 or bf16");
    input.n_models = 1;
    assert_fails(snc_input_opts_check(&input), SNC_E_ARG, "which are NULL");
    input.n_models = 0;
    input.teacher = "";
    assert_fails(snc_input_opts_check(&input), SNC_E_ARG, "--teacher: empty value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_has_one_row_and_a_verb_one_of_a_name),
        cmocka_unit_test(each_row_has_a_bit_of_its_own),
        cmocka_unit_test(groups_are_the_structs),
        cmocka_unit_test(an_effort_fills_in_what_was_not_asked_for),
        cmocka_unit_test(defaults_are_those_of_the_constants),
        cmocka_unit_test(named_values_are_taken_and_others_refused),
        cmocka_unit_test(words_are_those_of_their_readers),
        cmocka_unit_test(a_struct_is_checked_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
