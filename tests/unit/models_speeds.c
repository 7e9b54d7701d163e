/* The table of times of a file's nets: which net a budget takes, what is between two lengths, and what is no table. */
#define _POSIX_C_SOURCE 200809L /* files.h */
#include <math.h>
#include <string.h>

#include "check.h"
#include "files.h"
#include "models/family/family.h"
#include "models/speeds.h"
#include "mutate.h"

enum { NETS = 3 };

/* By length 8, 16, 48: net 0 takes 100, 200, 600, the next two a half and a quarter of it. Medians are of no use here. */
static snc_speeds table(void)
{
    static const double us[] = {100, 200, 600};
    const snc_ctx ctx = {.threads = 2, .backend = SNC_BACKEND_REF};
    snc_speeds s;
    snc_speeds_begin(&s, NETS, 48, &ctx);
    s.lengths = 3;
    s.tokens[2] = 48; /* without 32 */
    for (int k = 0; k < NETS; k++)
        for (int i = 0; i < 3; i++) snc_speeds_add(&s, k, i, 1, us[i] / (1 << k));
    return s;
}

static void lengths_double_up_to_the_longest(void **state)
{
    static const int longest[] = {5, 8, 9, 64, 100, 512}, count[] = {1, 1, 2, 4, 5, 7};
    const snc_ctx ctx = SNC_CTX_INIT;
    snc_speeds s;
    (void)state;
    for (size_t i = 0; i < sizeof longest / sizeof *longest; i++) {
        snc_speeds_begin(&s, NETS, longest[i], &ctx);
        assert_int_equal(s.lengths, count[i]);
        for (int k = 0; k < s.lengths - 1; k++) assert_int_equal(s.tokens[k], 8 << k);
        assert_int_equal(s.tokens[s.lengths - 1], longest[i]);
    }
}

static void between_two_lengths_is_a_line(void **state)
{
    static const int tokens[] = {1, 7, 8, 9, 12, 15, 16, 17, 24, 32, 47, 48};
    static const double us[] = {100, 100, 100, 112.5, 150, 187.5, 200, 212.5, 300, 400, 587.5, 600};
    const snc_speeds s = table();
    (void)state;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        for (int k = 0; k < NETS; k++) assert_true(fabs(snc_speeds_us(&s, k, tokens[i]) - us[i] / (1 << k)) < 1e-9);
}

static void a_budget_takes_the_largest_that_keeps_it(void **state)
{
    static const struct {
        int tokens;
        double us;
        int net;
        bool over;
    } cases[] = {
        {8, 1e9, 0, false},    {8, 100, 0, false},   {8, 99.999, 1, false}, {8, 50, 1, false},    {8, 49.9, 2, false},  {8, 25, 2, false},
        {8, 24.9, 2, true},    {1, 100, 0, false},   {1, 24, 2, true},      {9, 112.5, 0, false}, {9, 112.4, 1, false}, {12, 150, 0, false},
        {12, 100, 1, false},   {12, 74, 2, false},   {16, 100, 1, false},   {17, 100, 2, false},  {48, 600, 0, false},  {48, 300, 1, false},
        {48, 299.9, 2, false}, {48, 149.9, 2, true}, {48, 1e-6, 2, true},
    };
    snc_speeds s = table();
    bool over;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        over = !cases[i].over;
        assert_int_equal(snc_speeds_pick(&over, &s, cases[i].tokens, cases[i].us), cases[i].net);
        assert_int_equal(over, cases[i].over);
    }
    /* The smallest by its multiply-adds need not be the fastest: that is what answers where none keeps the budget. */
    for (int i = 0; i < s.lengths; i++) s.p90[2][i] = s.p90[1][i] + 1;
    assert_int_equal(snc_speeds_pick(&over, &s, 8, 10), 1);
    assert_true(over);
    for (int i = 0; i < s.lengths; i++) s.p90[2][i] = s.p90[1][i]; /* of two that are as fast the larger */
    assert_int_equal(snc_speeds_pick(&over, &s, 8, 10), 1);
}

/* What the clock says is what a reader takes: no shorter for a longer text, and no 90th percentile under the median. */
static void what_is_measured_ascends(void **state)
{
    const snc_ctx ctx = SNC_CTX_INIT;
    snc_encoder_config c = {.positions = 32};
    snc_speeds s, read;
    (void)state;
    snc_speeds_begin(&s, 2, 32, &ctx);
    for (int k = 0; k < 2; k++) {
        snc_speeds_add(&s, k, 0, 20.00049, 30);
        snc_speeds_add(&s, k, 1, 19, 18.5);
        snc_speeds_add(&s, k, 2, 40, 1e-9);
    }
    assert_true(s.median[0][0] == 19 && s.median[0][1] == 19 && s.median[0][2] == 40);
    assert_true(s.p90[0][0] == 19 && s.p90[0][1] == 19 && s.p90[0][2] == 40);
    assert_true(snc_speeds_spread(&s) == 1);
    snc_speeds_add(&s, 1, 2, 40, 50);
    assert_true(snc_speeds_spread(&s) == 1.25);
    snc_speeds_add(&s, 0, 0, 20.00049, 30); /* alone */
    assert_true(s.median[0][0] == 20 && s.p90[0][0] == 30);
    snc_speeds_begin(&s, 2, 8, &ctx);
    snc_speeds_add(&s, 0, 0, 0, 0);
    snc_speeds_add(&s, 1, 0, 1, 2);
    cJSON *j = snc_speeds_json(&s), *meta = cJSON_Parse("{\"max_length\":8}");
    assert_ok(snc_speeds_read(&read, j, 2, &c, meta, "here"));
    assert_true(read.median[0][0] == 0.001 && read.p90[1][0] == 2 && read.lengths == 1 && read.nets == 2);
    assert_false(snc_speeds_differ(NULL, 0, &read, &ctx));
    cJSON_Delete(j);
    cJSON_Delete(meta);
}

static void another_machine_is_told(void **state)
{
    const snc_ctx two = {.threads = 2, .backend = SNC_BACKEND_REF}, one = {.threads = 1, .backend = SNC_BACKEND_REF},
                  fast = {.threads = 2, .backend = SNC_BACKEND_AUTO};
    snc_speeds s = table();
    char why[256] = "";
    (void)state;
    assert_false(snc_speeds_differ(why, sizeof why, &s, &two));
    assert_string_equal(why, "");
    assert_true(snc_speeds_differ(why, sizeof why, &s, &one));
    assert_non_null(strstr(why, "threads 2, backend ref), and this is "));
    assert_non_null(strstr(why, "threads 1, backend ref)"));
    assert_true(snc_speeds_differ(why, sizeof why, &s, &fast));
    assert_non_null(strstr(why, "threads 2, backend auto)"));
    s.isa = "vliw";
    assert_true(snc_speeds_differ(why, sizeof why, &s, &two));
    assert_non_null(strstr(why, "(vliw, threads 2"));
    s = table();
    s.cpu = "An Abacus";
    assert_true(snc_speeds_differ(why, sizeof why, &s, &two));
    assert_non_null(strstr(why, "times of its nets are of An Abacus ("));
}

#define HOST   "{\"cpu\":\"c\",\"isa\":\"i\",\"backend\":\"auto\",\"threads\":1"
#define TOKENS HOST ",\"tokens\":[8,40]"
#define MEDIAN TOKENS ",\"median\":[[1,2],[1,2]]"

static void what_is_no_table_is_named(void **state)
{
    static const char *const cases[][2] = {
        {"[]", "here: expected a JSON object"},
        {"{}", "here: has no 'cpu'"},
        {"{\"cpu\":3}", "here: 'cpu' must be"},
        {"{\"cpu\":\"a\\tb\"}", "here: cpu"},
        {"{\"cpu\":\"c\"}", "here: has no 'isa'"},
        {"{\"cpu\":\"c\",\"isa\":\"i\"}", "here: has no 'backend'"},
        {"{\"cpu\":\"c\",\"isa\":\"i\",\"backend\":\"auto\"}", "here: has no 'threads'"},
        {"{\"cpu\":\"c\",\"isa\":\"i\",\"backend\":\"auto\",\"threads\":0}", "here: 'threads' must be"},
        {HOST "}", "here: has no 'tokens'"},
        {HOST ",\"tokens\":[]}", "here: 'tokens' must be a list of 1 to 16 whole numbers"},
        {HOST ",\"tokens\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,40]}", "here: 'tokens' must be a list of 1 to 16 whole numbers"},
        {HOST ",\"tokens\":[8,16.5,40]}", "here: 'tokens' must hold whole numbers"},
        {HOST ",\"tokens\":[0,40]}", "here: 'tokens' must hold whole numbers"},
        {HOST ",\"tokens\":[8,8,40]}", "here: tokens: expected lengths in ascending order"},
        {HOST ",\"tokens\":[40,8]}", "here: tokens: expected lengths in ascending order"},
        {HOST ",\"tokens\":[8,39]}", "here: tokens: end at 39, expected at least 40, where texts are cut"},
        {TOKENS "}", "here: median: expected a list of 2 nets"},
        {TOKENS ",\"median\":[[1,2]]}", "here: median: expected a list of 2 nets"},
        {TOKENS ",\"median\":[[1,2],[1,2],[1,2]]}", "here: median: expected a list of 2 nets"},
        {TOKENS ",\"median\":[[1,2],[1]]}", "here: median of net 1: expected a list of 2"},
        {TOKENS ",\"median\":[[1,2],7]}", "here: median of net 1: expected a list of 2"},
        {TOKENS ",\"median\":[[1,null],[1,2]]}", "here: median of net 0: expected numbers above 0"},
        {TOKENS ",\"median\":[[1,\"2\"],[1,2]]}", "here: median of net 0: expected numbers above 0"},
        {TOKENS ",\"median\":[[0,2],[1,2]]}", "here: median of net 0: expected numbers above 0"},
        {TOKENS ",\"median\":[[1,1e999],[1,2]]}", "here: median of net 0: expected numbers above 0, up to 1e+09"},
        {TOKENS ",\"median\":[[1,2],[2,1]]}", "here: median of net 1: a longer text takes less time than a shorter one"},
        {MEDIAN "}", "here: p90: expected a list of 2 nets"},
        {MEDIAN ",\"p90\":[[1,2],[-1,2]]}", "here: p90 of net 1: expected numbers above 0"},
        {MEDIAN ",\"p90\":[[3,2],[1,2]]}", "here: p90 of net 0: a longer text takes less time than a shorter one"},
        {MEDIAN ",\"p90\":[[1,2],[0.5,2]]}", "here: p90 of net 1: is below the median"},
    };
    snc_encoder_config c = {.positions = 64};
    cJSON *meta = cJSON_Parse("{\"max_length\":40}"), *none = cJSON_CreateObject(), *j;
    snc_speeds s;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        j = cJSON_Parse(cases[i][0]);
        assert_non_null(j);
        assert_fails(snc_speeds_read(&s, j, 2, &c, meta, "here"), SNC_E_FORMAT, cases[i][1]);
        cJSON_Delete(j);
    }
    assert_null(cJSON_Parse(MEDIAN ",\"p90\":[[1,NaN],[1,2]]}")); /* which JSON has not */
    j = cJSON_Parse(MEDIAN ",\"p90\":[[1,2],[1,3]],\"for\":\"people\"}");
    assert_ok(snc_speeds_read(&s, j, 2, &c, meta, "here"));
    assert_true(s.p90[1][1] == 3 && s.median[1][1] == 2 && s.tokens[1] == 40 && s.threads == 1);
    assert_fails(snc_speeds_read(&s, j, 1, &c, meta, "here"), SNC_E_FORMAT, "here: there is one net");
    assert_fails(snc_speeds_read(&s, j, 2, &c, none, "here"), SNC_E_FORMAT, "end at 40, expected at least 64"); /* the positions */
    c.positions = 30; /* of which there are fewer */
    assert_ok(snc_speeds_read(&s, j, 2, &c, meta, "here"));
    cJSON_Delete(j);
    cJSON_Delete(none);
    cJSON_Delete(meta);
}

/* No damage is taken for a table that cannot be used: every length has a net, and a time that ascends. */
static void damage_is_refused_or_of_use(void **state)
{
    enum { ROUNDS = 20000 };
    static const char text[] = MEDIAN ",\"p90\":[[1.5,2.25],[1,3e1]]}";
    const snc_encoder_config c = {.positions = 40};
    cJSON *meta = cJSON_CreateObject();
    int taken = 0;
    snc_rng r;
    (void)state;
    snc_rng_init(&r, 3, 5);
    for (int i = 0; i < ROUNDS / CHECK_EVERY; i++) {
        mutant x = mutate((const unsigned char *)text, sizeof text - 1, &r, 40, sizeof text - 1);
        cJSON *j = NULL;
        snc_speeds s;
        bool over;
        snc_err err = snc_json_parse(&j, (const char *)x.p, x.n, "here");
        if (!err) err = snc_speeds_read(&s, j, 2, &c, meta, "here");
        if (err) assert_true(err == SNC_E_FORMAT && strncmp(snc_err_text(), "here", 4) == 0);
        else taken++;
        for (int t = 1; t <= 40 && !err; t++) {
            const int k = snc_speeds_pick(&over, &s, t, 2);
            assert_true(k >= 0 && k < 2 && over == (snc_speeds_us(&s, k, t) > 2));
            assert_true(t == 1 || snc_speeds_us(&s, k, t) >= snc_speeds_us(&s, k, t - 1));
        }
        cJSON_Delete(j);
        free(x.p);
    }
    assert_true(taken > 100 / CHECK_EVERY);
    cJSON_Delete(meta);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_double_up_to_the_longest),
        cmocka_unit_test(between_two_lengths_is_a_line),
        cmocka_unit_test(a_budget_takes_the_largest_that_keeps_it),
        cmocka_unit_test(what_is_measured_ascends),
        cmocka_unit_test(another_machine_is_told),
        cmocka_unit_test(what_is_no_table_is_named),
        cmocka_unit_test(damage_is_refused_or_of_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
