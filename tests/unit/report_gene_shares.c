/* What a search keeps, counted of journals whose answer is known. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "report/gene_shares.h"

enum { MOST = 200 };

/* Two layers; at 0 depth, 1 hidden, 2 heads, 3 ffn, 4 qkv, 5 o, 6 ffn_in, 7 ffn_out, the same of layer 1 from 8, 14 pooler, 15 embed. */
static const char *const genes =
    "[{\"gene\":\"depth\",\"options\":[1,2]},{\"gene\":\"hidden\",\"options\":[32]},"
    "{\"gene\":\"heads\",\"layer\":0,\"options\":[0,2]},{\"gene\":\"ffn\",\"layer\":0,\"options\":[32,64]},"
    "{\"gene\":\"dtype\",\"layer\":0,\"options\":[\"int8\",\"f32\"]},{\"gene\":\"dtype\",\"layer\":0,\"options\":[\"int8\"]},"
    "{\"gene\":\"dtype\",\"layer\":0,\"options\":[\"int8\"]},{\"gene\":\"dtype\",\"layer\":0,\"options\":[\"int8\"]},"
    "{\"gene\":\"heads\",\"layer\":1,\"options\":[2]},{\"gene\":\"ffn\",\"layer\":1,\"options\":[64]},"
    "{\"gene\":\"dtype\",\"layer\":1,\"options\":[\"int8\",\"f32\"]},{\"gene\":\"dtype\",\"layer\":1,\"options\":[\"int8\"]},"
    "{\"gene\":\"dtype\",\"layer\":1,\"options\":[\"int8\"]},{\"gene\":\"dtype\",\"layer\":1,\"options\":[\"int8\"]},"
    "{\"gene\":\"dtype\",\"options\":[\"int8\",\"f32\"]},{\"gene\":\"dtype\",\"options\":[\"int8\"]}]";
enum { DEPTH, HEADS = 2, FFN, QKV, FFN_IN = 6, QKV_1 = 10, POOLER = 14 };

typedef struct search {
    snc_journal_file f;
    snc_journal_row row[MOST];
    char config[MOST][64];
    cJSON *layers;
} search;

static search *begin(void)
{
    static search s;
    s = (search){.layers = cJSON_Parse("[[1],[0,1]]")};
    s.f.meta = cJSON_CreateObject();
    cJSON_AddItemToObject(s.f.meta, "genes", cJSON_Parse(genes));
    s.f.row = s.row;
    return &s;
}

static void end(search *s, snc_gene_shares *g)
{
    snc_gene_shares_dispose(g);
    cJSON_Delete(s->f.meta);
    cJSON_Delete(s->layers);
}

static void add(search *s, int depth, int heads, int ffn, int qkv, int pooler, double loss)
{
    const int i = s->f.n++;
    snprintf(s->config[i], sizeof s->config[i], "%d.0.%d.%d.%d.0.0.0.0.0.0.0.0.0.%d.0", depth, heads, ffn, qkv, pooler);
    s->row[i] = (snc_journal_row){.config = s->config[i], .o = {.loss = loss, .latency_us = 100, .bytes = i, .macs = 1}};
}

static void make(snc_gene_shares *out, const search *s, const char *limits)
{
    cJSON *j = cJSON_Parse(limits);
    assert_int_equal(snc_gene_shares_make(out, &s->f, s->layers, j), SNC_OK);
    cJSON_Delete(j);
}

/* The two halves of the ranks: between them (60^3 - 60) / 12 less what is within. */
static void what_decides_alone_explains_all_that_can_be(void **state)
{
    (void)state;
    snc_gene_shares g;
    search *s = begin();
    for (int i = 0; i < 60; i++) add(s, 1, 1, i % 2, 0, i / 2 % 2, i % 2 ? 1 + i : 100 + i);
    make(&g, s, "{}");
    assert_true(fabs(g.gene[FFN].explained - (1 - 4495.0 / 58 / (17995.0 / 59))) < 1e-12);
    assert_true(g.gene[POOLER].explained < 0.02 && g.gene[POOLER].explained >= 0);
    assert_true(isnan(g.gene[DEPTH].explained) && isnan(g.gene[HEADS].explained)); /* one option was asked for */
    assert_int_equal(g.all, 60);
    assert_int_equal(g.best, 6);
    assert_int_equal(g.gene[FFN].option[1].best, 6);
    assert_int_equal(g.gene[FFN].option[1].all, 30);
    assert_true(snc_gene_share_mean(&g.gene[FFN], true) == 64 && snc_gene_share_mean(&g.gene[FFN], false) == 48);
    int place[2];
    assert_int_equal(snc_gene_shares_order(place, 2, &g), 2);
    assert_int_equal(place[0], FFN);
    assert_int_equal(place[1], POOLER);
    assert_int_equal(snc_gene_shares_order(place, 1, &g), 1);
    assert_int_equal(place[0], FFN);
    end(s, &g);
}

static void a_gene_that_says_nothing_is_not_counted(void **state)
{
    (void)state;
    snc_gene_shares g;
    search *s = begin();
    for (int i = 0; i < 80; i++) add(s, i % 4 != 0, i % 2, 0, i % 8 == 1, 0, i);
    make(&g, s, "{}");
    assert_int_equal(g.kept_all[0], 60); /* a depth of one layer has the second */
    assert_int_equal(g.kept_all[1], 80);
    assert_int_equal(g.gene[HEADS].all, 60);
    assert_int_equal(g.gene[QKV].all, 40); /* the others have no heads, or no layer */
    assert_int_equal(g.gene[FFN_IN].all, 60);
    assert_int_equal(g.gene[QKV_1].all, 80);
    assert_int_equal(g.gene[QKV].option[1].all, 10);
    assert_true(snc_gene_share_mean(&g.gene[QKV], false) == 0.75);
    assert_string_equal(g.gene[QKV].name, "layer 0 qkv");
    assert_string_equal(g.gene[FFN_IN].name, "layer 0 ffn_in");
    assert_string_equal(g.gene[POOLER].name, "pooler");
    end(s, &g);
}

static void the_best_are_within_the_limits(void **state)
{
    (void)state;
    snc_gene_shares g;
    search *s = begin();
    for (int i = 0; i < 100; i++) add(s, 1, 1, i >= 50, 0, 0, i >= 50 ? i - 50 : i);
    make(&g, s, "{\"bytes\":49}"); /* row i has i bytes */
    assert_int_equal(g.within, 50);
    assert_int_equal(g.best, 5);
    assert_int_equal(g.gene[FFN].option[0].best, 5);
    end(s, &g);
    for (int i = 0; i < 100; i++) add(s = i ? s : begin(), 1, 1, i >= 50, 0, 0, 100 - i);
    make(&g, s, "{\"bytes\":9}"); /* ten are too few to choose among: of all */
    assert_int_equal(g.within, 10);
    assert_int_equal(g.gene[FFN].option[1].best, 10);
    end(s, &g);
}

static void few_evaluations_and_those_without_a_number_say_nothing(void **state)
{
    (void)state;
    snc_gene_shares g;
    search *s = begin();
    for (int i = 0; i < 60; i++) add(s, 1, 1, i % 2, 0, 0, i % 4 ? i : (double)NAN);
    make(&g, s, "{}");
    assert_int_equal(g.all, 45);
    assert_int_equal(g.best, 0);
    end(s, &g);
    /* Of four evaluations with an option nothing is told. */
    s = begin();
    for (int i = 0; i < 60; i++) add(s, 1, 1, i < 4, 0, 0, i);
    make(&g, s, "{}");
    assert_true(isnan(g.gene[FFN].explained));
    end(s, &g);
}

static void another_config_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"1.0.1", "1.0.1.2.0.0.0.0.0.0.0.0.0.0.0.0", "1.0.1.1.0.0.0.0.0.0.0.0.0.0.0.0.0", "x", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snc_gene_shares g;
        search *s = begin();
        for (int k = 0; k < 60; k++) add(s, 1, 1, 0, 0, 0, k);
        snprintf(s->config[7], sizeof s->config[7], "%s", bad[i]);
        assert_int_equal(snc_gene_shares_make(&g, &s->f, s->layers, NULL), SNC_E_FORMAT);
        end(s, &g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_decides_alone_explains_all_that_can_be),
        cmocka_unit_test(a_gene_that_says_nothing_is_not_counted),
        cmocka_unit_test(the_best_are_within_the_limits),
        cmocka_unit_test(few_evaluations_and_those_without_a_number_say_nothing),
        cmocka_unit_test(another_config_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
