/* Mixtures of experts: where routers begin, that a net taken out is the mixture, that files keep them, that one expert is none. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "models/engine.h"
#include "models/export.h"
#include "models/runtime_priv.h"
#include "models/source_mos.h"
#include "unit/models_nano.h"

enum { K = NANO_CLASSES, B = 5, LEN = 18, KINDS = 4 };
static const snc_mixture kinds[KINDS] = {
    {.experts = 2}, {.experts = 3, .neuron = true, .attention = true}, {.experts = 3, .rank = 4}, {.experts = 16, .neuron = true}};

/* Experts that differ by more than their noise. */
static snc_model *mixed(const snc_ctx *ctx, const snc_mixture *x)
{
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    snc_rng r;
    const size_t dense = m->params.total;
    assert_int_equal(snc_model_mix(m, ctx, x, 7), SNC_OK);
    m->has_head = true;
    snc_rng_init(&r, 1, 1);
    for (size_t i = dense; i < m->params.total; i++) m->params.w[i] += (float)(0.1 * snc_rng_normal(&r));
    snc_model_changed(m);
    return m;
}

static void run_engine(float z[B * K], const snc_ctx *ctx, snc_model *m, const snc_arch *a, const snc_tokens *x)
{
    snc_engine *e;
    const snc_engine_opts o = {.compute = SNC_COMPUTE_F32, .max_tokens = B * LEN, .max_seqs = B, .max_len = LEN, .first_only = true};
    assert_int_equal(snc_engine_create(&e, ctx, m, &o), SNC_OK);
    assert_int_equal(snc_engine_forward(e, z, a, x, NULL), SNC_OK);
    snc_engine_free(e);
}

static void one_expert_is_the_dense_model(void **state)
{
    (void)state;
    const snc_ctx ctx = SNC_CTX_INIT;
    snc_model *a = nano_model_make(SNC_ACT_GELU), *b = nano_model_make(SNC_ACT_GELU);
    assert_int_equal(snc_model_mix(b, &ctx, &(snc_mixture){.experts = 1}, 7), SNC_OK);
    assert_int_equal(a->params.n, b->params.n);
    assert_ptr_equal(b->source.kind, &snc_source_dense);
    assert_memory_equal(a->params.w, b->params.w, a->params.total * sizeof(float));
    assert_int_equal(snc_model_mix(b, &ctx, &(snc_mixture){.experts = 0}, 7), SNC_E_ARG);
    assert_int_equal(snc_model_mix(b, &ctx, &(snc_mixture){.experts = 17}, 7), SNC_E_ARG);
    assert_int_equal(snc_model_mix(b, &ctx, &(snc_mixture){.experts = 2, .rank = 73}, 7), SNC_E_ARG);
    assert_int_equal(snc_model_mix(b, &ctx, &(snc_mixture){.experts = 2, .rank = -1}, 7), SNC_E_ARG);
    snc_model_free(a);
    snc_model_free(b);
}

/* The last expert is the whole net's, the first the smallest's; experts are copies but for noise, so the net is what it was. */
static void routers_begin_by_budget(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    nano_batch x = nano_batch_make(B, LEN, 1);
    float dense[B * K], z[B * K], p[16 * 88];
    ctx.backend = SNC_BACKEND_REF;
    for (int k = 0; k < KINDS; k++) {
        const int m = kinds[k].experts;
        snc_model *model = nano_model_make(SNC_ACT_GELU);
        run_engine(dense, &ctx, model, &model->arch, &x.t);
        assert_int_equal(snc_model_mix(model, &ctx, &kinds[k], 7), SNC_OK);
        run_engine(z, &ctx, model, &model->arch, &x.t);
        for (int i = 0; i < B * K; i++) assert_true(fabsf(z[i] - dense[i]) < 0.02f * (1 + fabsf(dense[i])));
        snc_arch least = model->arch;
        for (int l = 0; l < least.layers; l++) least.heads[l] = 1, least.ffn[l] = 8;
        int groups = snc_mos_routing(p, model, &model->arch, 1, SNC_SITE_FFN_IN);
        assert_int_equal(groups, kinds[k].neuron ? 88 : 1);
        assert_true(p[m - 1] > p[0] && p[groups * m - 1] > 1.5f / (float)m);
        snc_mos_routing(p, model, &least, 1, SNC_SITE_FFN_IN);
        assert_true(p[0] > p[m - 1] && p[0] > 1.1f / (float)m);
        float sum = 0;
        for (int i = 0; i < groups * m; i++) sum += p[i];
        assert_true(fabsf(sum - (float)groups) < 1e-3f * (float)groups);
        snc_model_free(model);
    }
    nano_batch_dispose(&x);
}

static void run_net(float z[B * K], const snc_ctx *ctx, const snc_model *m, const snc_arch *first, const snc_arch *a, const snc_policy *p,
                    const snc_tokens *x)
{
    snc_weights *w;
    snc_net *n;
    assert_int_equal(snc_weights_from_model(&w, ctx, m), SNC_OK);
    assert_int_equal(snc_net_create(&n, ctx, w, first, p, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_OK);
    assert_int_equal(snc_net_rebind(n, a, p), SNC_OK);
    assert_int_equal(snc_net_run(z, n, x), SNC_OK);
    snc_net_free(n);
    snc_weights_free(w);
}

/* By the engine and by the runtime, which has served another net before. */
static void a_net_taken_out_is_the_mixture(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    nano_batch x = nano_batch_make(B, LEN, 1);
    float a[B * K], b[B * K];
    ctx.backend = SNC_BACKEND_REF;
    for (int k = 0; k < KINDS; k++) {
        snc_model *m = mixed(&ctx, &kinds[k]), *out;
        const snc_arch sub = nano_subnet(m);
        assert_int_equal(snc_model_extract(&out, m, &sub), SNC_OK);
        assert_false(snc_mixture_any(&out->cfg));
        assert_true(out->params.n < m->params.n);
        run_engine(a, &ctx, m, &sub, &x.t);
        run_engine(b, &ctx, out, &out->arch, &x.t);
        assert_memory_equal(a, b, sizeof a);
        const snc_policy p = snc_policy_uniform(SNC_F32, SNC_F32); /* in INT8 what is not mixed has the scales of whole rows */
        run_net(a, &ctx, m, &m->arch, &sub, &p, &x.t);
        run_net(b, &ctx, out, &out->arch, &out->arch, &p, &x.t);
        assert_memory_equal(a, b, sizeof a);
        snc_model_free(out);
        snc_model_free(m);
    }
    nano_batch_dispose(&x);
}

/* In INT8: what a search evaluates is what the file holds. */
static void a_file_is_what_was_evaluated(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    nano_batch x = nano_batch_make(B, LEN, 1);
    float a[B * K], b[B * K];
    char dir[] = "/tmp/snc_mixture_XXXXXX", path[64];
    const snc_policy int8 = snc_policy_int8();
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/m.snc", dir);
    for (int k = 0; k < KINDS; k++) {
        snc_model *m = mixed(&ctx, &kinds[k]);
        const snc_arch sub = nano_subnet(m);
        const snc_export_info info = {.has_head = true};
        snc_weights *w, *back;
        snc_net *n, *alone;
        assert_int_equal(snc_weights_from_model(&w, &ctx, m), SNC_OK);
        assert_int_equal(snc_net_create(&n, &ctx, w, NULL, &int8, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_OK);
        for (int round = 0; round < 3; round++) { /* of which the others are other nets */
            assert_int_equal(snc_net_rebind(n, round == 1 ? &m->arch : &sub, &int8), SNC_OK);
            assert_int_equal(snc_net_run(round ? b : a, n, &x.t), SNC_OK);
            assert_true((memcmp(a, b, sizeof a) == 0) == (round == 2));
        }
        assert_int_equal(snc_export(path, w, &sub, &int8, &info), SNC_OK);
        assert_int_equal(snc_weights_open(&back, &ctx, path), SNC_OK);
        assert_false(snc_mixture_any(snc_weights_config(back)));
        assert_int_equal(snc_net_create(&alone, &ctx, back, NULL, NULL, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_OK);
        assert_int_equal(snc_net_run(b, alone, &x.t), SNC_OK);
        assert_memory_equal(a, b, sizeof a);
        snc_net_free(alone);
        snc_net_free(n);
        snc_weights_free(back);
        snc_weights_free(w);
        snc_model_free(m);
    }
    remove(path);
    rmdir(dir);
    nano_batch_dispose(&x);
}

/* Matrices that are not mixed stay packed while nets come and go. */
static void what_no_arch_changes_is_packed_once(void **state)
{
    (void)state;
    const snc_ctx ctx = SNC_CTX_INIT;
    const snc_policy int8 = snc_policy_int8();
    snc_model *m = mixed(&ctx, &kinds[0]);
    const snc_arch sub = nano_subnet(m);
    snc_weights *w;
    assert_int_equal(snc_weights_from_model(&w, &ctx, m), SNC_OK);
    assert_int_equal(snc_weights_prepare(w, NULL, &int8), SNC_OK);
    const snc_qlinear *q = snc_rt__matrix_at(w, SNC_ROLE_Q, 0)->i8;
    const float *ffn = snc_rt__matrix_at(w, SNC_ROLE_FFN_IN, 0)->W;
    assert_int_equal(snc_weights_prepare(w, &sub, &int8), SNC_OK);
    assert_ptr_equal(snc_rt__matrix_at(w, SNC_ROLE_Q, 0)->i8, q);
    assert_false(snc_rt__matrix_at(w, SNC_ROLE_Q, 0)->made);
    assert_true(snc_rt__matrix_at(w, SNC_ROLE_FFN_IN, 0)->made);
    assert_ptr_equal(snc_rt__matrix_at(w, SNC_ROLE_FFN_IN, 0)->W, ffn);
    const uint64_t version = snc_rt__matrix_at(w, SNC_ROLE_FFN_IN, 0)->version;
    const snc_qlinear *packed = snc_rt__matrix_at(w, SNC_ROLE_FFN_IN, 0)->i8;
    assert_int_equal(snc_weights_prepare(w, &sub, &int8), SNC_OK); /* the same net: nothing is mixed and nothing packed */
    assert_int_equal(snc_rt__matrix_at(w, SNC_ROLE_FFN_IN, 0)->version, version);
    assert_ptr_equal(snc_rt__matrix_at(w, SNC_ROLE_FFN_IN, 0)->i8, packed);
    snc_weights_free(w);
    snc_model_free(m);
}

/* By hand: an expert that is its first one and a half times, shares that are told. */
static void distances_and_spreads_are_told(void **state)
{
    (void)state;
    const snc_ctx ctx = SNC_CTX_INIT;
    for (int k = 0; k < KINDS; k++) {
        snc_model *m = nano_model_make(SNC_ACT_GELU);
        const int experts = kinds[k].experts;
        snc_arch nets[2] = {m->arch, m->arch};
        float p[2][16 * 88];
        double spread, widest = 0;
        for (int l = 0; l < m->arch.layers; l++) nets[1].ffn[l] /= 4;
        assert_int_equal(snc_model_mix(m, &ctx, &kinds[k], 7), SNC_OK);
        if (kinds[k].rank) assert_true(snc_mos_apart(m) == 0);
        else assert_true(fabs(snc_mos_apart(m) - SNC_EXPERT_NOISE) < 0.05 * SNC_EXPERT_NOISE);
        assert_int_equal(snc_mos_spread(&spread, m, nets, 1), SNC_OK);
        assert_true(spread == 0);
        assert_int_equal(snc_mos_spread(&spread, m, nets, 2), SNC_OK);
        snc_mos_routing(p[0], m, &nets[0], 0, SNC_SITE_FFN_OUT); /* as they begin all routers say the same */
        snc_mos_routing(p[1], m, &nets[1], 0, SNC_SITE_FFN_OUT);
        for (int e = 0; e < experts; e++) widest = fmax(widest, fabs((double)p[0][e] - (double)p[1][e]));
        assert_true(widest > 0.05 && fabs(spread - widest) < 1e-5);
        if (k == 0) {
            int at;
            for (at = m->params.n - 1; !strstr(m->params.p[at].name, "layer.0.ffn.in.expert.1.weight"); at--) continue;
            const float *own = snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_FFN_IN, 0));
            const double before = snc_mos_apart(m), n = 2.0 * m->arch.layers;
            for (int i = 0; i < m->params.p[at].rows * m->params.p[at].cols; i++) snc_params_w(&m->params, at)[i] = 1.5f * own[i];
            assert_true(fabs(snc_mos_apart(m) - before - 0.5 / n) < 2 * SNC_EXPERT_NOISE / n);
        }
        snc_model_free(m);
    }
}

static void files_keep_experts(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    nano_batch x = nano_batch_make(B, LEN, 1);
    float a[B * K], b[B * K];
    char dir[] = "/tmp/snc_mixture_XXXXXX", path[64];
    ctx.backend = SNC_BACKEND_REF;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/m.snc", dir);
    for (int k = 0; k < KINDS; k++) {
        snc_model *m = mixed(&ctx, &kinds[k]), *back;
        const snc_arch sub = nano_subnet(m);
        snc_weights *w;
        assert_int_equal(snc_model_save(m, path), SNC_OK);
        assert_int_equal(snc_model_load(&back, &ctx, path, 0, SNC_MEANS_CLASSES), SNC_OK);
        assert_int_equal(back->params.n, m->params.n);
        assert_memory_equal(&back->cfg.mixture, &m->cfg.mixture, sizeof m->cfg.mixture);
        run_engine(a, &ctx, m, &sub, &x.t);
        run_engine(b, &ctx, back, &sub, &x.t);
        assert_memory_equal(a, b, sizeof a);
        assert_int_equal(snc_weights_open(&w, &ctx, path), SNC_OK); /* to look at: nobody says for which net it would run */
        assert_int_equal(snc_weights_prepare(w, NULL, NULL), SNC_E_UNSUPPORTED);
        snc_weights_free(w);
        snc_model_free(back);
        snc_model_free(m);
    }
    remove(path);
    rmdir(dir);
    nano_batch_dispose(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_expert_is_the_dense_model),
                                       cmocka_unit_test(routers_begin_by_budget),
                                       cmocka_unit_test(a_net_taken_out_is_the_mixture),
                                       cmocka_unit_test(a_file_is_what_was_evaluated),
                                       cmocka_unit_test(what_no_arch_changes_is_packed_once),
                                       cmocka_unit_test(distances_and_spreads_are_told),
                                       cmocka_unit_test(files_keep_experts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
