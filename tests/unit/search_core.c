/* The search's parts: space and configs, dominance, and NSGA-II on a problem with a known answer. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "check.h"
#include "search/runner.h"
#include "unit/search_support.h"

static const snc_encoder_config nano = {
    .vocab = 50, .positions = 20, .types = 2, .hidden = 192, .layers = 3, .heads = 4, .head_width = 48, .ffn = 512, .classes = 2};

static void check_configs(snc_space *s)
{
    snc_rng r;
    snc_rng_init(&r, 1, 2);
    for (int i = 0; i < 500; i++) {
        snc_cfg a = snc_cfg_random(s, &r), b;
        char text[4 * SNC_MAX_GENES];
        snc_arch arch;
        snc_policy policy;
        snc_cfg_print(text, sizeof text, s, &a);
        assert_int_equal(snc_cfg_parse(&b, s, text), SNC_OK);
        assert_true(snc_cfg_equal(&a, &b));
        snc_cfg_decode(&arch, &policy, s, &a);
        assert_int_equal(snc_arch_check(&arch, &s->full), SNC_OK);
        bool kept[3] = {false};
        for (int l = 0; l < arch.layers; l++) {
            int g = snc_space_layer(s, arch.source[l]) + 2;
            kept[arch.source[l]] = true;
            if (arch.heads[l] == 0) assert_true(a.o[g] == 0 && a.o[g + 1] == 0);
            if (arch.ffn[l] == 0) assert_true(a.o[g + s->layer_genes - 4] == 0 && a.o[g + s->layer_genes - 3] == 0);
        }
        for (int l = 0; l < 3; l++)
            for (int g = 0; g < s->layer_genes && !kept[l]; g++) assert_int_equal(a.o[snc_space_layer(s, l) + g], 0);
        b = a;
        snc_cfg_canonical(&b, s);
        assert_true(snc_cfg_equal(&a, &b));
    }
    snc_space_free(s);
}

static void one_network_has_one_config(void **state)
{
    (void)state;
    check_configs(space_of_shape(&nano, NULL));
    check_configs(space_of_shape(&nano, SNC_ROOT_DIR "/configs/spaces/wide.json"));
}

static void full_config_is_the_full_int8_net(void **state)
{
    (void)state;
    snc_space *s = space_of_shape(&nano, NULL);
    snc_cfg c = snc_cfg_uniform(s, 1, s->gene[0].n - 1);
    snc_arch arch, full = snc_arch_full(&nano);
    snc_policy p;
    snc_cfg_decode(&arch, &p, s, &c);
    assert_true(snc_arch_equal(&arch, &full));
    for (int l = 0; l < 3; l++)
        for (int k = 0; k < SNC_SITES; k++) assert_int_equal(p.linear[l][k], SNC_I8);
    assert_int_equal(p.embed, SNC_I8);
    snc_space_free(s);
}

static void bad_space_files_name_the_key(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
    } bad[] = {{"{\"heads\":[5]}", "heads"},
               {"{\"heads\":[]}", "heads"},
               {"{\"width\":[1]}", "width"},
               {"{\"ffn\":[64,64]}", "twice"},
               {"{\"linear\":[\"int3\"]}", "'linear' is 'int3'"},
               {"{\"linear\":[\"f16\"]}", "'linear' is 'f16'"},
               {"{\"embed\":[\"f32\",\"int8\",\"f32\"]}", "twice"},
               {"{\"qkv\":\"loose\"}", "loose"},
               {"{\"depth\":[9]}", "depth"},
               {"{\"linear\":[\"int4\"],\"ffn\":[500]}", "'ffn' has 500: int4 needs"},
               {"{\"depth\":[2],\"depth_layers\":{\"2\":[1]}}", "depth_layers"},
               {"{\"reach\":\"far\"}", "'reach' is 'far', expected plain or wide"},
               {"{\"layers\":\"some\"}", "'layers' is 'some', expected rule or single"},
               {"{\"layers\":\"single\",\"depth\":[2]}", "'depth' ends at 2: a net may keep all 3"},
               {"{\"always\":[3]}", "'always' must hold whole numbers from 0 to 2"},
               {"{\"always\":[1,1]}", "'always' names 1 twice"},
               {"{\"heads\":[0],\"always\":[1]}", "'heads' offers 0 alone"},
               {"{\"ffn\":[0]}", "'ffn' offers 0 alone"},
               {"{\"hidden\":[0,192]}", "'hidden' has an option that the model has not got: 0 (1 to 192)"},
               {"{\"heads\":[-1,4]}", "'heads' has an option that the model has not got: -1 (0 to 4)"},
               {"{\"heads\":[0,4],\"ffn\":[0,512]}", "at depth 2 a net may have no layer at work"},
               {"{\"heads\":[0,4]}", "at depth 2 a net may have no layer at work"},
               {"{\"layers\":\"single\",\"heads\":[0,4]}", "at depth 2 a net may have no layer at work"},
               {"{\"depth\":[3,1],\"heads\":[0,4],\"always\":[0]}", "at depth 1 a net may have no layer at work"}, /* it keeps layer 2 */
               {"[1", "JSON"}};
    char path[64];
    snc_arch full = snc_arch_full(&nano);
    snprintf(path, sizeof path, "/tmp/snc_space_%d.json", (int)getpid());
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snc_space *s = NULL;
        snc_space_opts o = {.path = path, .depth_rule = "even", .fp = SNC_F32};
        assert_int_equal(snc_file_write(path, bad[i].text, strlen(bad[i].text)), SNC_OK);
        assert_int_not_equal(snc_space_new(&s, &nano, &full, &o), SNC_OK);
        assert_non_null(strstr(snc_err_text(), bad[i].word));
    }
    remove(path);
}

static void shipped_spaces_fit_a_bert(void **state)
{
    (void)state;
    static const char *const names[] = {"bf16", "int8", "int4", "wide"};
    for (int i = 0; i < 4; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/configs/spaces/%s.json", SNC_ROOT_DIR, names[i]);
        snc_space_free(space_of_shape(&nano, path));
    }
}

static void assert_options(const snc_gene *g, int first, int second, int last, int n)
{
    assert_int_equal(g->value[0], first);
    assert_int_equal(g->value[1], second);
    assert_int_equal(g->value[g->n - 1], last);
    assert_int_equal(g->n, n);
}

/* MiniLM's: heads and FFN from an eighth and 0, channels in halves of a block, a gene for each layer but the one that is in every net. */
static void the_wide_space_reaches_further(void **state)
{
    (void)state;
    static const snc_encoder_config mini = {
        .vocab = 50, .positions = 20, .types = 2, .hidden = 384, .layers = 6, .heads = 12, .head_width = 32, .ffn = 1536, .classes = 2};
    snc_space *s = space_of_shape(&mini, SNC_ROOT_DIR "/configs/spaces/wide.json"), *plain = space_of_shape(&mini, NULL);
    assert_options(&s->gene[0], 2, 3, 6, 5);
    assert_options(&s->gene[1], 192, 224, 384, 7);
    for (int l = 0; l < 6; l++) {
        const snc_gene *own = &s->gene[snc_space_layer(s, l)], *keeps = &s->gene[snc_space_keeps(l)];
        assert_int_equal(own->layer, l);
        if (l == 5) {
            assert_true(keeps->n == 1 && keeps->value[0] == 1);
            assert_options(own, 2, 3, 12, 11);
            assert_options(own + 1, 192, 256, 1536, 22);
        } else {
            assert_options(keeps, 0, 1, 1, 2);
            assert_options(own, 0, 2, 12, 12);
            assert_options(own + 1, 0, 192, 1536, 23);
        }
    }
    assert_true(s->genes == plain->genes + 6 && !plain->single && plain->gene[2].value[0] == 3);
    snc_cfg least = {{0}};
    snc_arch a;
    snc_policy p;
    snc_cfg_canonical(&least, s);
    snc_cfg_decode(&a, &p, s, &least);
    const snc_arch alone = {
        .layers = 1, .hidden = 192, .source = {5}, .heads = {2}, .ffn = {192}}; /* the layers put back skip both halves */
    assert_true(snc_arch_equal(&a, &alone));
    snc_space_smallest(&a, s);
    const snc_arch begin = {.layers = 2, .hidden = 192, .source = {0, 5}, .heads = {2, 2}, .ffn = {192, 192}};
    assert_true(snc_arch_equal(&a, &begin));
    snc_space_free(plain);
    snc_space_free(s);
}

/* SimQ-NAS: depth, 12 head counts, 12 FFN widths and 74 dtypes, which with Q, K and V apart are 6 in each of 12 layers, the
 * pooler's and the classifier's. */
static void simqnas_space_has_99_genes(void **state)
{
    (void)state;
    static const snc_encoder_config base = {
        .vocab = 50, .positions = 20, .types = 2, .hidden = 768, .layers = 12, .heads = 12, .head_width = 64, .ffn = 3072, .classes = 2};
    snc_arch full = snc_arch_full(&base), arch;
    snc_space_opts o = {.path = SNC_ROOT_DIR "/configs/spaces/simqnas.json", .depth_rule = "even", .fp = SNC_F32};
    snc_space *s = NULL;
    int kinds[SNC_GENE_DTYPE + 1] = {0};
    assert_int_equal(snc_space_new(&s, &base, &full, &o), SNC_OK);
    for (int i = 0; i < s->genes; i++) kinds[s->gene[i].kind] += s->gene[i].n > 1;
    assert_int_equal(snc_space_free_genes(s), 99);
    assert_int_equal(kinds[SNC_GENE_DTYPE], 74);
    assert_int_equal(kinds[SNC_GENE_HEADS] + kinds[SNC_GENE_FFN], 24);
    snc_cfg c = snc_cfg_uniform(s, 1, s->gene[0].n - 1);
    snc_policy p;
    c.o[2 + 8 * 3 + 2 + SNC_SITE_V] = 1; /* V of layer 3 alone */
    snc_cfg_decode(&arch, &p, s, &c);
    for (int l = 0; l < 12; l++)
        for (int k = 0; k < SNC_SITES; k++) assert_int_equal(p.linear[l][k], l == 3 && k == SNC_SITE_V ? SNC_F32 : SNC_I8);
    snc_space_free(s);
}

static void ranks_and_hypervolume_of_a_known_set(void **state)
{
    (void)state;
    const snc_point p[] = {{{1, 4}, 0}, {{2, 2}, 0}, {{4, 1}, 0}, {{3, 3}, 0}, {{0, 0}, 0.5}, {{(double)NAN, 0}, 0}};
    int rank[6];
    double crowding[6], hv;
    assert_int_equal(snc_pareto_rank(rank, crowding, p, 6, 2), SNC_OK);
    const int want[] = {0, 0, 0, 1, 2, 3};
    for (int i = 0; i < 6; i++) assert_int_equal(rank[i], want[i]);
    assert_true(isinf(crowding[0]) && isinf(crowding[2]) && !isinf(crowding[1]));
    assert_int_equal(snc_hypervolume(&hv, p, 6, 2, (const double[]){5, 5}), SNC_OK);
    assert_true(fabs(hv - (1 * 1 + 2 * 3 + 1 * 4)) < 1e-12);
}

/* A stand-in for a network: loss falls with every width, latency grows with it, INT8 halves the time. user: the space. */
static void toy_cost(void *user, snc_obs *o)
{
    snc_arch a;
    snc_policy p;
    snc_cfg_decode(&a, &p, user, &o->cfg);
    o->macs = 0;
    o->latency_us = 0;
    for (int l = 0; l < a.layers; l++) {
        o->macs += a.heads[l] * 48.0 + a.ffn[l];
        o->latency_us +=
            a.heads[l] * 48.0 * (p.linear[l][SNC_SITE_Q] == SNC_I8 ? 1 : 2) + a.ffn[l] * (p.linear[l][SNC_SITE_FFN_IN] == SNC_I8 ? 1 : 2);
    }
    o->bytes = o->macs;
}

static snc_err toy_score_one(void *user, snc_obs *o)
{
    snc_arch a;
    snc_policy p;
    snc_cfg_decode(&a, &p, user, &o->cfg);
    o->loss = 10.0 * (3 - a.layers) + (192 - a.hidden) / 64.0;
    for (int l = 0; l < a.layers; l++) /* layers matter unequally, and one of them suffers from INT8 */
        o->loss += (l + 1) * (2.0 / a.heads[l] + 128.0 / a.ffn[l]) + (a.source[l] == 1 && p.linear[l][SNC_SITE_FFN_IN] == SNC_I8 ? 0.7 : 0);
    o->metric = 1 - o->loss;
    return SNC_OK;
}

static snc_err toy_score(void *user, snc_obs *const *o, int n, snc_err (*scored)(void *run), void *run)
{
    for (int i = 0; i < n; i++) {
        SNC_TRY(toy_score_one(user, o[i]));
        SNC_TRY(scored(run));
    }
    return SNC_OK;
}

static snc_err run_toy(snc_obs **front, int *n, const char *path, snc_space *space, const char *searcher, int evals)
{
    snc_search *s = NULL;
    snc_journal *j = NULL;
    snc_err err = SNC_OK;
    snc_ctx ctx = SNC_CTX_INIT;
    snc_run_report report;
    const snc_journal_key key = {"model", "toy"};
    const snc_run_opts o = {.limits = {.latency_us = 1400}, .evals = evals, .objectives = 2};
    const snc_run_hooks h = {space, toy_cost, toy_score, NULL};
    snc_cfg first = snc_cfg_uniform(space, 0.5, space->gene[0].n - 1);
    const snc_problem p = {.space = space, .objectives = 2, .seeds = &first, .n_seeds = 1, .seed = 7};
    SNC_GOTO(snc_search_create(&s, searcher, NULL, &p));
    SNC_GOTO(snc_journal_open(&j, path, space, &key, 1));
    err = snc_run_search(&report, &ctx, s, j, &o, &h);
    if (!err) err = snc_journal_all(front, n, j);
out:
    snc_search_free(s);
    snc_journal_close(j);
    return err;
}

static void journal_path(char *path, size_t n, const char *name)
{
    snprintf(path, n, "/tmp/snc_%s_%d.sqlite", name, (int)getpid());
    remove(path);
}

static double best_loss(const snc_obs *o, int n)
{
    double best = INFINITY;
    for (int i = 0; i < n; i++) best = fmin(best, o[i].loss);
    return best;
}

static void nsga2_beats_random_and_keeps_the_limit(void **state)
{
    (void)state;
    char path[64];
    snc_space *s = space_of_shape(&nano, NULL);
    double best[2];
    const char *names[] = {"nsga2", "random"};
    for (int k = 0; k < 2; k++) {
        snc_obs *o = NULL;
        int n = 0;
        journal_path(path, sizeof path, names[k]);
        assert_int_equal(run_toy(&o, &n, path, s, names[k], 400), SNC_OK);
        for (int i = 0; i < n; i++) assert_true(o[i].latency_us <= 1400);
        best[k] = best_loss(o, n);
        snc_free(o);
        remove(path);
    }
    assert_true(best[0] < best[1]);
    snc_space_free(s);
}

static void nan_losses_are_kept_and_never_win(void **state)
{
    (void)state;
    snc_obs a = {.loss = (double)NAN}, b = {.loss = 3}, c = {.loss = 1, .point = {{0}, 0.1}};
    snc_obs v[] = {a, c, b};
    assert_true(snc_obs_better(&b, &a) && !snc_obs_better(&a, &b) && snc_obs_better(&b, &c));
    snc_obs_sort(v, 3);
    assert_true(v[0].loss == 3 && isnan(v[2].loss));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_network_has_one_config),
        cmocka_unit_test(full_config_is_the_full_int8_net),
        cmocka_unit_test(shipped_spaces_fit_a_bert),
        cmocka_unit_test(the_wide_space_reaches_further),
        cmocka_unit_test(simqnas_space_has_99_genes),
        cmocka_unit_test(bad_space_files_name_the_key),
        cmocka_unit_test(ranks_and_hypervolume_of_a_known_set),
        cmocka_unit_test(nsga2_beats_random_and_keeps_the_limit),
        cmocka_unit_test(nan_losses_are_kept_and_never_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
