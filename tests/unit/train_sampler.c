/* Subnet spaces, the sandwich, `near`, recipes: the corners are there, bad input is named. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "models/cost.h"
#include "train/sampler.h"
#include "train/trainer.h"
#include "unit/train_support.h"

static const snc_encoder_config shape = {.hidden = 384, .layers = 6, .heads = 12, .head_width = 32, .ffn = 1536, .classes = 2};

static void the_sandwich_holds_both_corners_and_random_nets_vary(void **state)
{
    (void)state;
    snc_arch p = snc_arch_full(&shape), nets[SNC_SAMPLER_MAX];
    snc_space *s = space_in_quarters(&shape, &p);
    const snc_sampler_kind *kind;
    snc_sampler *sampler;
    snc_rng rng;
    bool depth[7] = {false}, layers_differ = false;
    assert_int_equal(snc_sampler_find(&kind, "sandwich"), SNC_OK);
    assert_int_equal(snc_sampler_create(&sampler, kind, s, &(snc_sampler_opts){.random = 1}), SNC_OK);
    snc_rng_init(&rng, 2, 2);
    for (int t = 0; t < 100; t++) {
        assert_int_equal(snc_sampler_draw(nets, sampler, 0, &rng), 3);
        assert_int_equal(nets[1].layers, 3);
        assert_int_equal(nets[1].hidden, 192);
        for (int l = 0; l < 3; l++) assert_true(nets[1].heads[l] == 3 && nets[1].ffn[l] == 384);
        depth[nets[2].layers] = true;
        if (nets[2].heads[0] != nets[2].heads[1]) layers_differ = true;
    }
    assert_true(depth[3] && depth[4] && depth[5] && depth[6] && layers_differ);
    snc_sampler_free(sampler);
    s->per_layer = false;
    for (int t = 0; t < 50; t++) {
        snc_arch a;
        snc_space_random(&a, s, &rng);
        for (int l = 1; l < a.layers; l++) assert_true(a.heads[l] == a.heads[0] && a.ffn[l] == a.ffn[0]);
    }
    snc_space_free(s);
}

/* Within a twentieth but for a few, where uniform nets are not; of shares that those hardly ever have, nearer by far. */
static void near_draws_at_its_share(void **state)
{
    (void)state;
    snc_arch p = snc_arch_full(&shape), nets[SNC_SAMPLER_MAX];
    snc_space *s = space_in_quarters(&shape, &p);
    const double full = (double)snc_cost_encoder_macs(&shape, &p, SNC_MACS_TOKENS);
    const snc_sampler_kind *kind;
    assert_int_equal(snc_sampler_find(&kind, "near"), SNC_OK);
    for (double share = 0.3; share < 0.95; share += 0.15) {
        snc_sampler *sampler;
        snc_rng rng;
        int off = 0, depths = 0;
        double distance = 0, uniform = 0;
        assert_int_equal(snc_sampler_create(&sampler, kind, s, &(snc_sampler_opts){.random = 3, .near = share, .cfg = &shape}), SNC_OK);
        assert_int_equal(snc_sampler_block(sampler).bytes, 0);
        snc_rng_init(&rng, 4, 4);
        for (int t = 0; t < 50; t++) {
            snc_arch any;
            assert_int_equal(snc_sampler_draw(nets, sampler, 0, &rng), 4);
            assert_true(snc_arch_equal(&nets[0], &p));
            for (int k = 1; k < 4; k++) {
                const double by = fabs((double)snc_cost_encoder_macs(&shape, &nets[k], SNC_MACS_TOKENS) / full - share);
                off += by > 0.05;
                distance += by / 3;
                depths |= 1 << nets[k].layers;
            }
            snc_space_random(&any, s, &rng);
            uniform += fabs((double)snc_cost_encoder_macs(&shape, &any, SNC_MACS_TOKENS) / full - share);
        }
        if (!((share > 0.7 || off <= 5) && distance < 0.4 * uniform && (depths & (depths - 1))))
            fail_msg("%g: %d of 150 far from it, by %g on average, uniform ones %g; depths %x", share, off, distance / 50, uniform / 50,
                     (unsigned)depths);
        snc_sampler_free(sampler);
    }
    snc_space_free(s);
}

static void equal_seeds_draw_equal_nets(void **state)
{
    (void)state;
    snc_arch p = snc_arch_full(&shape), a, b;
    snc_space *s = space_in_quarters(&shape, &p);
    snc_rng x, y;
    snc_rng_init(&x, 7, 1);
    snc_rng_init(&y, 7, 1);
    for (int t = 0; t < 20; t++) {
        snc_space_random(&a, s, &x);
        snc_space_random(&b, s, &y);
        assert_true(snc_arch_equal(&a, &b));
    }
    snc_space_free(s);
}

/* Of the space in quarters with one number changed. */
static void assert_misfit(int gene, int option, int value, const char *says)
{
    snc_arch p = snc_arch_full(&shape);
    snc_space *s = space_in_quarters(&shape, &p);
    s->gene[gene].value[option < 0 ? s->gene[gene].n - 1 : option] = value;
    assert_int_equal(snc_space_check(s, &p), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), says));
    snc_space_free(s);
}

static void spaces_that_do_not_fit_are_named(void **state)
{
    (void)state;
    snc_arch p = snc_arch_full(&shape);
    snc_space *s = space_in_quarters(&shape, &p);
    assert_misfit(3, -1, 2000, "ffn option 2000");
    assert_misfit(2, 1, s->gene[2].value[0], "heads option 3 after 3");
    assert_misfit(0, -1, 7, "layers option 7");
    s->kept[0][1] = s->kept[0][0];
    assert_int_equal(snc_space_check(s, &p), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), "layers of depth 3"));
    snc_space_free(s);
    const snc_sampler_kind *kind;
    assert_int_equal(snc_sampler_find(&kind, "burger"), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), "expected one of sandwich, instatune, near, "));
}

static void what_is_told_goes_to_json_and_back_and_unknown_keys_do_not(void **state)
{
    (void)state;
    snc_train_opts o = recipe_of_tests(), back = SNC_TRAIN_OPTS_INIT;
    o.in_place = true, o.hidden_weight = 10;
    cJSON *j = snc_train_opts_to_json(&o), *again;
    assert_int_equal(snc_train_opts_from_json(&back, j, "again"), SNC_OK);
    again = snc_train_opts_to_json(&back);
    assert_true(cJSON_Compare(j, again, 1) && back.sampler == o.sampler && back.hidden_weight == 10);
    cJSON_AddStringToObject(j, "learning_rate", "big");
    assert_int_equal(snc_train_opts_from_json(&back, j, "again"), SNC_E_FORMAT);
    cJSON_Delete(j);
    cJSON_Delete(again);
    o.temperature = 0;
    assert_int_equal(snc_train_opts_check(&o), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), "temperature"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sandwich_holds_both_corners_and_random_nets_vary),
        cmocka_unit_test(near_draws_at_its_share),
        cmocka_unit_test(equal_seeds_draw_equal_nets),
        cmocka_unit_test(spaces_that_do_not_fit_are_named),
        cmocka_unit_test(what_is_told_goes_to_json_and_back_and_unknown_keys_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
