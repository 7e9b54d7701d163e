/* What stands between a program and the stages: structs of any age, arguments that make no sense, a program to measure with. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "files.h"
#include "stage/verbs.h"

static scratch dir;

static int setup(void **state)
{
    (void)state;
    scratch_init(&dir, "stage_verbs");
    return 0;
}

typedef snc_err (*stage)(const snc_options *, const snc_host *);
static const stage stages[] = {snc_stage_import,   snc_stage_finetune, snc_stage_supernet, snc_stage_profile, snc_stage_study,
                               snc_stage_export,   snc_stage_bench,    snc_stage_predict,  snc_stage_eval,    snc_stage_info,
                               snc_stage_tokenize, snc_stage_verify,   snc_stage_plan};
enum { STAGES = sizeof stages / sizeof stages[0] };

static void init(snc_options *o, snc_host *h)
{
    snc_options_init(o);
    snc_host_init(h);
}

static void the_header_says_its_version(void **state)
{
    char text[32];
    (void)state;
    snprintf(text, sizeof text, "%d.%d.%d", SNC_VERSION_MAJOR, SNC_VERSION_MINOR, SNC_VERSION_PATCH);
    assert_string_equal(text, SNC_VERSION);
}

static void no_stage_takes_null(void **state)
{
    snc_options o;
    snc_host h;
    int missed;
    (void)state;
    init(&o, &h);
    for (int i = 0; i < STAGES; i++) {
        assert_fails(stages[i](NULL, &h), SNC_E_ARG, "snc_options: NULL");
        assert_fails(stages[i](&o, NULL), SNC_E_ARG, "snc_host: NULL");
        assert_fails(stages[i](&o, &h), SNC_E_ARG, "is missing"); /* and none crashes when nothing is given */
    }
    assert_fails(snc_stage_compress(NULL, &h, &missed), SNC_E_ARG, "snc_options: NULL");
    assert_fails(snc_stage_compress(&o, NULL, &missed), SNC_E_ARG, "snc_host: NULL");
    assert_fails(snc_stage_compress(&o, &h, NULL), SNC_E_ARG, "missed");
    assert_fails(snc_stage_suite(NULL, &h, &missed), SNC_E_ARG, "snc_options: NULL");
    assert_fails(snc_stage_suite(&o, NULL, &missed), SNC_E_ARG, "snc_host: NULL");
    assert_fails(snc_stage_suite(&o, &h, NULL), SNC_E_ARG, "missed");
    assert_fails(snc_stage_search(NULL, &h, &missed), SNC_E_ARG, "snc_options: NULL");
    assert_fails(snc_stage_search(&o, NULL, &missed), SNC_E_ARG, "snc_host: NULL");
    assert_fails(snc_stage_search(&o, &h, NULL), SNC_E_ARG, "missed");
    snc_options_init_sized(NULL, sizeof o);
    snc_host_init_sized(NULL, sizeof h);
    assert_non_null(snc_option_table(NULL));
    o.input.n_models = 1;
    assert_fails(snc_stage_info(&o, &h), SNC_E_ARG, "1 models, which are NULL");
    o.input.models = (const char *const[]){NULL};
    assert_fails(snc_stage_info(&o, &h), SNC_E_ARG, "model 0 is NULL");
    o.input.n_models = -1;
    assert_fails(snc_stage_info(&o, &h), SNC_E_ARG, "-1 models");
}

static void an_older_struct_gets_the_defaults_of_what_it_has_not(void **state)
{
    snc_call c;
    snc_options o, old;
    snc_host h;
    (void)state;
    init(&o, &h);
    assert_int_equal(o.size, sizeof o);
    assert_int_equal(h.size, sizeof h);
    size_t size = offsetof(snc_options, study); /* a header without the last struct */
    memset(&old, 0xff, sizeof old);
    snc_options_init_sized(&old, size);
    old.search.evals = 7;
    assert_int_equal(old.study.seeds, -1);  /* nothing behind the caller's struct is written, */
    assert_ok(snc_call_take(&c, &old, &h)); /* or read */
    assert_int_equal(c.o.search.evals, 7);
    assert_int_equal(c.o.size, sizeof c.o);
    assert_true(c.o.study.seeds == o.study.seeds);
}

static void sizes_of_no_header_are_refused(void **state)
{
    snc_call c;
    snc_options o;
    snc_host h;
    const size_t absurd[] = {0, 1, sizeof(size_t), offsetof(snc_options, study) - 8, sizeof o - 1};
    (void)state;
    for (size_t i = 0; i < sizeof absurd / sizeof absurd[0]; i++) {
        init(&o, &h);
        o.size = absurd[i];
        assert_fails(snc_call_take(&c, &o, &h), SNC_E_ARG, "snc_options.size");
    }
    init(&o, &h);
    o.size = sizeof o + 8;
    assert_fails(snc_call_take(&c, &o, &h), SNC_E_UNSUPPORTED, "newer");
    init(&o, &h);
    h.size = 0;
    assert_fails(snc_call_take(&c, &o, &h), SNC_E_ARG, "snc_host.size 0");
    h.size = sizeof h + 8;
    assert_fails(snc_call_take(&c, &o, &h), SNC_E_UNSUPPORTED, "newer");
}

static void numbers_are_held_to_the_table(void **state)
{
    snc_call c;
    snc_options o;
    snc_host h;
    (void)state;
    init(&o, &h);
    assert_ok(snc_call_take(&c, &o, &h));
    o.training.epochs = NAN;
    assert_fails(snc_call_take(&c, &o, &h), SNC_E_ARG, "--epochs nan");
    init(&o, &h);
    o.training.batch_size = -3;
    assert_fails(snc_call_take(&c, &o, &h), SNC_E_ARG, "--batch-size -3");
    init(&o, &h);
    o.rows.task = "";
    assert_fails(snc_call_take(&c, &o, &h), SNC_E_ARG, "--task: empty value");
}

static void script(const char *name, const char *text) { assert_int_equal(chmod(scratch_write(&dir, name, text, strlen(text)), 0700), 0); }

static void only_a_compress_of_this_version_measures(void **state)
{
    snc_call c;
    snc_options o;
    snc_host h;
    int missed;
    (void)state;
#if defined(SNC_EMULATED)
    skip(); /* the program of the build cannot be started by its name */
#endif
    init(&o, &h);
    assert_ok(snc_call_take(&c, &o, &h));
    assert_ok(snc_call_find_program(&c));          /* the one in the build folder, beside this test */
    const char *found = strrchr(c.h.program, '/'); /* where there is a link of the shorter name, that */
    assert_true(found && (strcmp(found, "/snc") == 0 || strcmp(found, "/compress") == 0));
    script("other", "#!/bin/sh\necho compress 9.9\n");
    script("ours", "#!/bin/sh\necho compress " SNC_VERSION "\n");
    const char *wrong[] = {"other", "none"};
    const snc_err code[] = {SNC_E_ARG, SNC_E_IO};
    for (int i = 0; i < 2; i++) {
        h.program = scratch_path(&dir, wrong[i]);
        assert_fails(snc_stage_compress(&o, &h, &missed), code[i], wrong[i]); /* said before that options are missing */
    }
    h.program = scratch_path(&dir, "ours");
    assert_fails(snc_stage_compress(&o, &h, &missed), SNC_E_ARG, "--pretrained");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_says_its_version),
        cmocka_unit_test(no_stage_takes_null),
        cmocka_unit_test(an_older_struct_gets_the_defaults_of_what_it_has_not),
        cmocka_unit_test(sizes_of_no_header_are_refused),
        cmocka_unit_test(numbers_are_held_to_the_table),
        cmocka_unit_test(only_a_compress_of_this_version_measures),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
