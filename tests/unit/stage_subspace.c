/* Training and search have one space: what the sampler draws is a net of the search's space, and what the search proposes is drawn. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fmap.h"
#include "stage/steps.h"
#include "train/sampler.h"

static const snc_bert_config shape = {.vocab = 50, .positions = 20, .types = 2, .hidden = 192, .layers = 6, .heads = 4, .head_width = 48, .ffn = 512,
                                      .classes = 2};
static const char *const spaces[] = {
    NULL, "{\"depth\":[6,2]}", "{\"depth\":[5]}", "{\"depth\":[6,4,1],\"depth_layers\":{\"4\":[0,1,2,5],\"1\":[3]}}",
    "{\"depth\":[3,6],\"hidden\":[192,64],\"heads\":[4,1],\"ffn\":[512,64],\"depth_layers\":{\"3\":[1,2,4]},\"qkv\":\"apart\"}"};
static const char *const rules[] = {"even", "first", "last"};

static snc_space *space_of(const char *text, const char *rule)
{
    char path[64];
    snc_space *s = NULL;
    snc_arch full = snc_arch_full(&shape);
    snprintf(path, sizeof path, "/tmp/snc_subspace_%d.json", (int)getpid());
    const snc_space_opts o = {.path = text ? path : NULL, .depth_rule = rule, .fp = SNC_F32};
    if (text) assert_int_equal(snc_file_write(path, text, strlen(text)), SNC_OK);
    assert_int_equal(snc_space_new(&s, &shape, &full, &o), SNC_OK);
    remove(path);
    return s;
}

static int option(const snc_gene *g, int value)
{
    for (int i = 0; i < g->n; i++)
        if (g->value[i] == value) return i;
    return -1;
}

/* The config that decodes to this net. */
static void assert_in_space(const snc_space *s, const snc_arch *a)
{
    snc_cfg c = {{0}};
    snc_arch back;
    snc_policy policy;
    int depth = option(&s->gene[0], a->layers), hidden = option(&s->gene[1], a->hidden);
    assert_true(depth >= 0 && hidden >= 0);
    c.o[0] = (uint8_t)depth;
    c.o[1] = (uint8_t)hidden;
    for (int i = 0; i < a->layers; i++) {
        int g = 2 + a->source[i] * s->layer_genes, heads = option(&s->gene[g], a->heads[i]), ffn = option(&s->gene[g + 1], a->ffn[i]);
        assert_true(heads >= 0 && ffn >= 0);
        c.o[g] = (uint8_t)heads;
        c.o[g + 1] = (uint8_t)ffn;
    }
    snc_cfg_decode(&back, &policy, s, &c);
    assert_true(snc_arch_equal(&back, a));
}

static bool listed(const int *v, int n, int x)
{
    for (int i = 0; i < n; i++)
        if (v[i] == x) return true;
    return false;
}

/* Whether the sampler can draw this net: each gene is drawn on its own, so every option has to be on its list. */
static void assert_drawn(const snc_subspace *sub, const snc_arch *a)
{
    int d = 0;
    while (d < sub->n_depth && sub->depth[d] != a->layers) d++;
    assert_true(d < sub->n_depth);
    assert_memory_equal(sub->kept[d], a->source, (size_t)a->layers * sizeof a->source[0]);
    assert_true(listed(sub->hidden, sub->n_hidden, a->hidden));
    for (int i = 0; i < a->layers; i++) {
        assert_true(listed(sub->heads, sub->n_heads, a->heads[i]));
        assert_true(listed(sub->ffn, sub->n_ffn, a->ffn[i]));
    }
}

static void the_sampler_draws_the_search_space_and_nothing_else(void **state)
{
    (void)state;
    const snc_sampler *sampler;
    assert_int_equal(snc_sampler_find(&sampler, "sandwich"), SNC_OK);
    for (size_t f = 0; f < sizeof spaces / sizeof spaces[0]; f++)
        for (int r = 0; r < 3; r++) {
            snc_space *s = space_of(spaces[f], rules[r]);
            snc_subspace sub;
            snc_arch nets[SNC_SAMPLER_MAX];
            snc_rng rng;
            bool seen[SNC_MAX_OPTIONS] = {false};
            snc_rng_init(&rng, 3, f);
            snc_step_subspace(&sub, s, rules[r]);
            assert_int_equal(snc_subspace_check(&sub, &s->full), SNC_OK);
            for (int t = 0; t < 300; t++) {
                int n = sampler->draw(nets, &sub, 2, &rng);
                for (int k = 0; k < n; k++) assert_in_space(s, &nets[k]);
                for (int k = 0; k < n; k++) seen[option(&s->gene[0], nets[k].layers)] = true;
            }
            for (int d = 0; d < s->gene[0].n; d++) assert_true(seen[d]);
            for (int t = 0; t < 300; t++) {
                snc_cfg c = {{0}};
                snc_arch a;
                snc_policy policy;
                for (int g = 0; g < s->genes; g++) c.o[g] = (uint8_t)snc_rng_below(&rng, (uint32_t)s->gene[g].n);
                snc_cfg_canonical(&c, s);
                snc_cfg_decode(&a, &policy, s, &c);
                assert_drawn(&sub, &a);
            }
            snc_space_free(s);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_sampler_draws_the_search_space_and_nothing_else)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
