/* Which dtypes a search is offered: under a target of latency the table says whether INT4 is among them, and a journal keeps it so. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "artifact/evaluations.h"
#include "artifact/spaces.h"
#include "check.h"
#include "minilm.h"

static snc_model *model;
static char folder[] = "/tmp/snc-spaces-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    snc_encoder_config c = minilm_config();
    c.vocab = 50;
    snc_arch a = snc_arch_full(&c);
    assert_non_null(mkdtemp(folder));
    return snc_model_new(&model, &c, &a) != SNC_OK;
}

static int tear_down(void **state)
{
    (void)state;
    snc_model_free(model);
    return rmdir(folder);
}

/* Every part takes 10 us in INT8 and `us` in the other dtype. */
static snc_latency *table(const char *other, double us)
{
    static const char *const parts[] = {"qkv", "attention", "o", "ffn_in", "ffn_out"};
    char path[64];
    snc_latency *t;
    FILE *f;
    snprintf(path, sizeof path, "%s/t.json", folder);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f,
            "{\"format\":1,\"host\":\"x\",\"unit\":\"microseconds\",\"hidden\":[384],\"heads\":[12],\"ffn\":[1536],\"linear\":[\"int8\",\"%"
            "s\"],",
            other);
    fprintf(
        f, "\"embed\":[\"int8\"],\"fixed\":0,\"factor\":1,\"head_width\":32,\"hot_mb\":0,\"hot_us\":0,\"embedding\":[30],\"head\":[20,20]");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) fprintf(f, ",\"%s\":[10,10,%g,%g]", parts[i], us, us);
    fprintf(f, "}");
    fclose(f);
    assert_int_equal(snc_latency_load(&t, path), SNC_OK);
    unlink(path);
    return t;
}

static bool has_int4(const snc_space *s, int gene)
{
    for (int i = 0; i < s->gene[gene].n; i++)
        if (s->gene[gene].value[i] == SNC_I4) return true;
    return false;
}

/* Whether a search has INT4 for its matrices; tables have it under a target of size alone. */
static bool offered(const snc_options *o, const snc_latency *t, const char *journal)
{
    snc_ctx ctx = SNC_CTX_INIT;
    snc_space *s;
    ctx.level = SNC_LOG_ERROR;
    assert_int_equal(snc_evaluations_space(&s, &ctx, o, model, "model", t, journal), SNC_OK);
    bool yes = has_int4(s, snc_space_layer(s, 0) + 2);
    assert_int_equal(has_int4(s, s->genes - 3), yes);
    assert_int_equal(has_int4(s, s->genes - 1), o->targets.size != NULL);
    snc_space_free(s);
    return yes;
}

static void the_share_is_read_off_the_cells(void **state)
{
    (void)state;
    snc_latency *t = table("int4", 6);
    double share = snc_latency_int4_share(t, &model->arch); /* 30 parts, and attention goes with Q, K and V */
    assert_true(share > 0.65 && share < (30 * 6 + 50) / (30 * 10 + 50.0) + 1e-9);
    snc_latency_free(t);
    t = table("bf16", 6);
    assert_true(snc_latency_int4_share(t, &model->arch) > 1e300); /* not measured */
    snc_latency_free(t);
}

static void the_table_decides_under_a_target_of_latency(void **state)
{
    (void)state;
    static const double us[] = {6, 9.9, 12};
    for (int i = 0; i < 3; i++) {
        snc_options o;
        snc_latency *t = table("int4", us[i]);
        snc_options_init(&o);
        assert_false(offered(&o, t, NULL)); /* no target */
        o.targets.latency = "0.5x";
        assert_int_equal(offered(&o, t, NULL), i == 0);
        assert_true(offered(&o, NULL, NULL)); /* a question yet: its cells are measured */
        o.targets.size = "0.5x";
        assert_true(offered(&o, t, NULL));
        snc_latency_free(t);
    }
}

static void a_journal_keeps_what_it_began_with(void **state)
{
    (void)state;
    char path[64], hash[20];
    snprintf(path, sizeof path, "%s/search.sqlite", folder);
    for (int with = 0; with < 2; with++) {
        snc_options o;
        snc_space *s;
        snc_journal *j;
        snc_latency *fast = table("int4", 6), *slow = table("int4", 12);
        const snc_journal_key key = {"space", hash};
        snc_options_init(&o);
        o.targets.latency = "0.5x";
        assert_int_equal(snc_space_trained(&s, &o, model, "model", with), SNC_OK);
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)snc_space_hash(s));
        assert_int_equal(snc_journal_open(&j, path, s, &key, 1), SNC_OK);
        snc_journal_close(j);
        assert_int_equal(offered(&o, fast, path), with);
        assert_int_equal(offered(&o, slow, path), with);
        o.search.warm_start = path;
        assert_int_equal(offered(&o, fast, "/nowhere"), with);
        snc_space_free(s);
        snc_latency_free(fast);
        snc_latency_free(slow);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_is_read_off_the_cells),
        cmocka_unit_test(the_table_decides_under_a_target_of_latency),
        cmocka_unit_test(a_journal_keeps_what_it_began_with),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
