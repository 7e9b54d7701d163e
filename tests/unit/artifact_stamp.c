/* Stamps follow the table of options: what decides an artifact is in its stamp, by the value in force, and nothing else is. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "artifact/option.h"
#include "artifact/stamp.h"
#include "base/fmap.h"
#include "base/isa.h"
#include "core/gemm.h"
#include "check.h"

enum { ARTIFACTS = 4 };
static const unsigned artifacts[ARTIFACTS] = {SNC_DECIDES_TEACHER, SNC_DECIDES_SUPERNET, SNC_DECIDES_TABLE, SNC_DECIDES_FILE};

static void set_text(snc_options *o, const snc_option *row, const char *text) { memcpy((char *)o + row->offset, &text, sizeof text); }

/* Another value than the one in force. */
static void change(snc_options *o, const snc_option *row)
{
    char *at = (char *)o + row->offset;
    int i;
    int64_t seed;
    double x;
    bool compute = strcmp(row->name, "--compute") == 0; /* auto means bf16 by speed in one, by tiles in the other */
    bool half = compute ? snc_gemm_best_compute() == SNC_COMPUTE_BF16 : snc_isa_covers(snc_isa_now(), SNC_ISA_AMX);
    switch (row->kind) {
    case SNC_OPTION_STRING: set_text(o, row, !compute && strcmp(row->name, "--fp") != 0 ? "another" : half ? "f32" : "bf16"); break;
    case SNC_OPTION_SEED:
        memcpy(&seed, at, sizeof seed);
        seed++;
        memcpy(at, &seed, sizeof seed);
        break;
    case SNC_OPTION_REAL:
        memcpy(&x, at, sizeof x);
        x += 0.0625;
        memcpy(at, &x, sizeof x);
        break;
    case SNC_OPTION_FLAG:
        memcpy(&i, at, sizeof i);
        i = !i;
        memcpy(at, &i, sizeof i);
        break;
    case SNC_OPTION_INTEGER:
        memcpy(&i, at, sizeof i);
        i++;
        memcpy(at, &i, sizeof i);
        break;
    }
}

static void every_option_changes_what_it_decides_and_nothing_else(void **state)
{
    (void)state;
    int n, deciding = 0;
    const snc_option *row = snc_option_table(&n);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < ARTIFACTS; k++) {
            snc_options other = snc_options_defaults;
            char why[SNC_WHY];
            change(&other, &row[i]);
            cJSON *a = snc_stamp_new("step", artifacts[k], &snc_options_defaults), *b = snc_stamp_new("step", artifacts[k], &other);
            bool same = snc_stamp_same(why, a, b), decides = row[i].decides & artifacts[k];
            if (same == decides) fail_msg("%s: stamp %d is %s", row[i].name, k, same ? "the same" : "another");
            if (decides) assert_non_null(strstr(why, row[i].name)); /* by its name */
            deciding += decides;
            cJSON_Delete(a);
            cJSON_Delete(b);
        }
    assert_true(deciding > 40);
}

/* A stamp whose options have changed since is made right again, and only what it holds. */
static void a_renewed_stamp_has_the_values_of_now(void **state)
{
    (void)state;
    snc_options other = snc_options_defaults;
    char why[SNC_WHY];
    other.supernet.epochs = 0.5;
    cJSON *a = snc_stamp_new("step", SNC_DECIDES_SUPERNET, &snc_options_defaults), *b = snc_stamp_new("step", SNC_DECIDES_SUPERNET, &other),
          *none = snc_stamp_new("step", 0, &other);
    assert_false(snc_stamp_same(why, a, b));
    snc_stamp_renew(a, SNC_DECIDES_SUPERNET, &other);
    assert_true(snc_stamp_same(why, a, b));
    snc_stamp_renew(none, SNC_DECIDES_SUPERNET, &other);
    assert_null(cJSON_GetObjectItemCaseSensitive(none, "options")->child);
    cJSON_Delete(a);
    cJSON_Delete(b);
    cJSON_Delete(none);
}

/* An option that decides nothing is one of these: whoever adds another says here that it was thought of. */
static void what_decides_nothing_is_known(void **state)
{
    (void)state;
    static const char *const known[] = {"--output",  "--overwrite",  "--dry-run",      "--checkpoint-every", "--max-steps", "--threads",
                                        "--journal", "--export",     "--verbose",      "--tabular",          "--protocols", "--searchers",
                                        "--seeds",   "--format",     "--effort",       "--time-limit",       "--eval",      "--margin",
                                        "--watch",   "--max-memory", "--rank-timeout", "--recompute",        "--profile-on"};
    const unsigned makers = SNC_VERB_COMPRESS | SNC_VERB_FINETUNE | SNC_VERB_SUPERNET | SNC_VERB_PROFILE | SNC_VERB_SEARCH;
    int n;
    const snc_option *row = snc_option_table(&n);
    for (int i = 0; i < n; i++) {
        bool listed = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) listed = listed || strcmp(row[i].name, known[k]) == 0;
        if ((row[i].verbs & makers) && !row[i].decides && !listed) fail_msg("%s decides nothing: is that so?", row[i].name);
    }
}

static void what_is_not_given_is_what_it_means(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } same[] = {{"--batch", "1"},     {"--seq-len", "data"}, {"--threads", "1"},      {"--backend", "auto"}, {"--depth-rule", "auto"},
                {"--repair", "auto"}, {"--fp", "auto"},      {"--searcher", "linas"}, {"--compute", "auto"}, {"--nest", "any"}};
    int n;
    const snc_option *row = snc_option_table(&n);
    for (size_t k = 0; k < sizeof same / sizeof same[0]; k++)
        for (int i = 0; i < n; i++) {
            snc_options other = snc_options_defaults;
            char why[SNC_WHY];
            if (strcmp(row[i].name, same[k].name) != 0) continue;
            set_text(&other, &row[i], same[k].value);
            cJSON *a = snc_stamp_new("step", row[i].decides, &snc_options_defaults), *b = snc_stamp_new("step", row[i].decides, &other);
            assert_true(snc_stamp_same(why, a, b));
            cJSON_Delete(a);
            cJSON_Delete(b);
        }
}

static void differences_are_said(void **state)
{
    (void)state;
    char why[SNC_WHY];
    snc_options o = snc_options_defaults, usual = o;
    usual.training.epochs = 3;
    usual.training.lr = 5e-5;
    o.training.epochs = 10;
    o.training.lr = 1e-4;
    cJSON *a = snc_stamp_new("finetune", SNC_DECIDES_TEACHER, &o), *b = snc_stamp_new("finetune", SNC_DECIDES_TEACHER, &usual);
    cJSON *c = snc_stamp_new("supernet", SNC_DECIDES_SUPERNET, &o);
    snc_stamp_hash(a, "train rows", 1);
    snc_stamp_hash(b, "train rows", 2);
    assert_false(snc_stamp_same(why, a, b));
    assert_string_equal(why, "was made with --epochs 10, asked 3, with --lr 0.0001, asked 5e-05, of other train rows");
    assert_false(snc_stamp_same(why, a, c));
    assert_string_equal(why, "was made by finetune, not by supernet");
    assert_false(snc_stamp_same(why, NULL, c));
    assert_string_equal(why, "does not say what it was made of");
    cJSON_Delete(a);
    cJSON_Delete(b);
    cJSON_Delete(c);
}

/* A searcher's file counts by what is in it. */
static void a_file_is_its_content(void **state)
{
    (void)state;
    char path[64], why[SNC_WHY];
    snc_options o = snc_options_defaults;
    snprintf(path, sizeof path, "/tmp/snc_stamp_%d.json", (int)getpid());
    o.search.searcher = path;
    assert_int_equal(snc_file_write(path, "{\"name\":\"nsga2\"}", 16), SNC_OK);
    cJSON *a = snc_stamp_new("compress", SNC_DECIDES_FILE, &o);
    assert_int_equal(snc_file_write(path, "{\"name\":\"linas\"}", 16), SNC_OK);
    cJSON *b = snc_stamp_new("compress", SNC_DECIDES_FILE, &o);
    assert_false(snc_stamp_same(why, a, b));
    cJSON_Delete(a);
    cJSON_Delete(b);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_changes_what_it_decides_and_nothing_else),
        cmocka_unit_test(what_decides_nothing_is_known),
        cmocka_unit_test(a_renewed_stamp_has_the_values_of_now),
        cmocka_unit_test(what_is_not_given_is_what_it_means),
        cmocka_unit_test(differences_are_said),
        cmocka_unit_test(a_file_is_its_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
