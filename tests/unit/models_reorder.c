/* Reordering units keeps the function: forward of f32 logits before and after, and a permuted prefix is the chosen subnet. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "models/engine.h"
#include "models/reorder.h"
#include "nano.h"

static const double LOGIT_TOL = 1e-5; /* sums in another order: measured 1e-6 */

static void shuffle_order(snc_order *o, const snc_arch *a, uint64_t seed)
{
    snc_rng r;
    snc_rng_init(&r, seed, 1);
    snc_rng_shuffle(&r, o->hidden, (size_t)a->hidden);
    snc_rng_shuffle(&r, o->pooler, (size_t)a->hidden);
    for (int l = 0; l < a->layers; l++) {
        snc_rng_shuffle(&r, o->heads[l], (size_t)a->heads[l]);
        snc_rng_shuffle(&r, o->ffn[l], (size_t)a->ffn[l]);
    }
}

static void logits_of(float *z, snc_model *m, const snc_arch *arch, const snc_tokens *x)
{
    snc_ctx ctx = SNC_CTX_INIT;
    snc_engine *e;
    snc_engine_opts o = SNC_ENGINE_OPTS_INIT;
    o.max_tokens = 256;
    o.max_seqs = 8;
    o.max_len = NANO_P;
    o.train = false;
    assert_int_equal(snc_engine_create(&e, &ctx, m, &o), SNC_OK);
    assert_int_equal(snc_engine_forward(e, z, arch, x, NULL), SNC_OK);
    snc_engine_free(e);
}

static void check_shuffled(const snc_family *family)
{
    const int lens[] = {1, 5, 17, 38};
    const snc_encoder_config cfg = nano_family_config(family);
    snc_model *m;
    snc_order o;
    nano_batch b;
    float before[4 * NANO_K], after[4 * NANO_K];
    assert_int_equal(nano_model_of(&m, &cfg, 3), SNC_OK);
    nano_batch_make(&b, lens, 4, NANO_V, 4);
    logits_of(before, m, &m->arch, &b.x);
    assert_int_equal(snc_order_init(&o, &m->arch), SNC_OK);
    shuffle_order(&o, &m->arch, 5);
    const snc_role moves = m->cfg.embedding ? SNC_ROLE_PROJECTION : SNC_ROLE_WORD;
    float corner = snc_params_w(&m->params, snc_model_at(m, moves, 0))[0], word = snc_params_w(&m->params, 0)[0];
    assert_int_equal(snc_model_reorder(m, &o), SNC_OK);
    assert_true(snc_params_w(&m->params, snc_model_at(m, moves, 0))[0] != corner);
    assert_true((snc_params_w(&m->params, 0)[0] == word) == (m->cfg.embedding > 0)); /* columns behind a projection stay */
    logits_of(after, m, &m->arch, &b.x);
    for (int i = 0; i < 4 * NANO_K; i++) assert_true(fabs((double)before[i] - (double)after[i]) <= LOGIT_TOL);
    snc_order_dispose(&o);
    snc_model_free(m);
}

static void a_shuffled_model_computes_the_same_logits(void **state)
{
    (void)state;
    for (int f = 0; snc_family_at(f); f++) check_shuffled(snc_family_at(f));
}

static void the_inverse_order_restores_every_bit(void **state)
{
    (void)state;
    snc_model *m, *copy;
    snc_order o, back;
    assert_int_equal(nano_model(&m, 3), SNC_OK);
    assert_int_equal(nano_model(&copy, 3), SNC_OK);
    assert_int_equal(snc_order_init(&o, &m->arch), SNC_OK);
    assert_int_equal(snc_order_init(&back, &m->arch), SNC_OK);
    shuffle_order(&o, &m->arch, 6);
    for (int i = 0; i < NANO_C; i++) {
        back.hidden[o.hidden[i]] = i;
        back.pooler[o.pooler[i]] = i;
    }
    for (int l = 0; l < NANO_L; l++) {
        for (int i = 0; i < NANO_H; i++) back.heads[l][o.heads[l][i]] = i;
        for (int i = 0; i < NANO_F; i++) back.ffn[l][o.ffn[l][i]] = i;
    }
    assert_int_equal(snc_model_reorder(m, &o), SNC_OK);
    assert_int_equal(snc_model_reorder(m, &back), SNC_OK);
    assert_memory_equal(m->params.w, copy->params.w, m->params.total * sizeof(float));
    snc_order_dispose(&o);
    snc_order_dispose(&back);
    snc_model_free(m);
    snc_model_free(copy);
}

static void units_that_do_nothing_can_be_cut_after_the_order(void **state)
{
    /* Heads and neurons whose output columns are zero go last; the prefix without them is the whole function. */
    (void)state;
    const int lens[] = {6, 11};
    snc_model *m;
    snc_order o;
    nano_batch b;
    float before[2 * NANO_K], after[2 * NANO_K];
    double heads[NANO_H] = {1, 0, 1, 0}, ffn[NANO_F];
    for (int j = 0; j < NANO_F; j++) ffn[j] = j % 2;
    assert_int_equal(nano_model(&m, 8), SNC_OK);
    assert_int_equal(snc_order_init(&o, &m->arch), SNC_OK);
    for (int l = 0; l < NANO_L; l++) {
        float *o_w = snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_O, l));
        float *out_w = snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_FFN_OUT, l));
        for (int c = 0; c < NANO_C; c++) {
            for (int j = 0; j < NANO_C; j++)
                if (heads[j / NANO_D] == 0) o_w[c * NANO_C + j] = 0;
            for (int j = 0; j < NANO_F; j++)
                if (ffn[j] == 0) out_w[c * NANO_F + j] = 0;
        }
        snc_order_by_score(o.heads[l], heads, NANO_H);
        snc_order_by_score(o.ffn[l], ffn, NANO_F);
    }
    nano_batch_make(&b, lens, 2, NANO_V, 9);
    logits_of(before, m, &m->arch, &b.x);
    assert_int_equal(snc_model_reorder(m, &o), SNC_OK);
    snc_arch half = m->arch;
    for (int l = 0; l < NANO_L; l++) {
        half.heads[l] = NANO_H / 2;
        half.ffn[l] = NANO_F / 2;
    }
    logits_of(after, m, &half, &b.x);
    for (int i = 0; i < 2 * NANO_K; i++) assert_true(fabs((double)before[i] - (double)after[i]) <= LOGIT_TOL);
    snc_order_dispose(&o);
    snc_model_free(m);
}

static void scores_sort_stably_with_nan_last(void **state)
{
    (void)state;
    const double score[] = {1, NAN, 3, 1, -HUGE_VAL, 3};
    const int32_t want[] = {2, 5, 0, 3, 1, 4};
    int32_t order[6];
    snc_order_by_score(order, score, 6);
    assert_memory_equal(order, want, sizeof want);
}

static void an_order_that_is_no_permutation_is_refused_untouched(void **state)
{
    (void)state;
    snc_model *m, *copy;
    snc_order o;
    assert_int_equal(nano_model(&m, 3), SNC_OK);
    assert_int_equal(nano_model(&copy, 3), SNC_OK);
    assert_int_equal(snc_order_init(&o, &m->arch), SNC_OK);
    o.ffn[1][5] = 6;
    assert_int_equal(snc_model_reorder(m, &o), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), "ffn neurons (layer 1)"));
    assert_memory_equal(m->params.w, copy->params.w, m->params.total * sizeof(float));
    snc_order_dispose(&o);
    snc_model_free(m);
    snc_model_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shuffled_model_computes_the_same_logits),
        cmocka_unit_test(the_inverse_order_restores_every_bit),
        cmocka_unit_test(units_that_do_nothing_can_be_cut_after_the_order),
        cmocka_unit_test(scores_sort_stably_with_nan_last),
        cmocka_unit_test(an_order_that_is_no_permutation_is_refused_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
