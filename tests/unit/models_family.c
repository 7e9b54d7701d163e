/* A family more is a table more: two toy ones and all of ours through what walks the parameters, against a plain forward pass. */
#include <math.h>
#include <stdio.h>

#include "check.h"
#include "files.h"
#include "models/cost.h"
#include "models/engine.h"
#include "models/export.h"
#include "models/reorder.h"
#include "toy_family.h"
#include "unit/models_nano.h"

enum { B = 6, K = NANO_CLASSES, LOGITS = B * K };

static const double TOLERANCE = 2e-5; /* logits of order 1, f32 sums in other orders */

static const snc_ctx ctx = {.threads = 1, .seed = 1, .level = SNC_LOG_ERROR, .backend = SNC_BACKEND_REF};

static void runtime_logits(float *logits, const snc_model *m, const snc_arch *a, const snc_policy *p, const snc_tokens *x)
{
    snc_weights *w;
    snc_net *n;
    assert_ok(snc_weights_from_model(&w, &ctx, m));
    assert_ok(snc_net_create(&n, &ctx, w, a, p, &(snc_net_opts)SNC_NET_OPTS_INIT));
    assert_ok(snc_net_run(logits, n, x));
    snc_net_free(n);
    snc_weights_free(w);
}

static void engine_logits(float *logits, snc_model *m, const snc_arch *a, const snc_tokens *x)
{
    snc_engine_opts o = SNC_ENGINE_OPTS_INIT;
    snc_engine *e;
    o.train = false;
    assert_ok(snc_engine_create(&e, &ctx, m, &o));
    assert_ok(snc_engine_forward(e, logits, a, x, NULL));
    snc_engine_free(e);
}

static void assert_near(const float *a, const double *b, double tolerance)
{
    for (int i = 0; i < LOGITS; i++)
        if (!(fabs((double)a[i] - b[i]) <= tolerance)) fail_msg("logit %d: %g, expected %g", i, (double)a[i], b[i]);
}

static void engine_and_runtime_equal_a_plain_forward(void **state)
{
    (void)state;
    snc_policy f32 = snc_policy_uniform(SNC_F32, SNC_F32), int8 = snc_policy_uniform(SNC_I8, SNC_I8);
    nano_batch x = nano_batch_make(B, 31, 1);
    for (int i = 0; any_family(i / 2); i++) {
        const bool vector = i % 2; /* a family's own head, then none */
        snc_model *m = nano_meaning_make(SNC_ACT_GELU, any_family(i / 2), vector);
        assert_true((snc_model_at(m, SNC_ROLE_POOLER, 0) >= 0) == (!vector && any_family(i / 2)->head != SNC_HEAD_NONE));
        assert_true(snc_cost_params(&m->cfg, &m->arch) == (int64_t)snc_params_count(&m->params));
        const snc_arch arch[] = {
            m->arch, nano_subnet(m), nano_skipping(m, 0), nano_skipping(m, 1), nano_skipping(m, 2), nano_skipping(m, 3)};
        for (int a = 0; a < (vector || m->cfg.family->pre_norm ? 12 : 2); a++) {
            m->cfg.mean = a >= 6;
            double want[LOGITS];
            float got[LOGITS];
            nano_forward(want, m, &arch[a % 6], &x.t);
            engine_logits(got, m, &arch[a % 6], &x.t);
            assert_near(got, want, TOLERANCE);
            runtime_logits(got, m, &arch[a % 6], &f32, &x.t);
            assert_near(got, want, TOLERANCE);
            runtime_logits(got, m, &arch[a % 6], &int8, &x.t);
            assert_near(got, want,
                        vector                                     ? 0.4
                        : m->cfg.embedding || m->cfg.family->gated ? 0.15
                                                                   : 0.1); /* of a product more, or gates: measured 0.12, 0.097 */
        }
        snc_model_free(m);
    }
    nano_batch_dispose(&x);
}

static void extraction_and_cost_see_what_the_family_has(void **state)
{
    (void)state;
    nano_batch x = nano_batch_make(B, 31, 2);
    for (int f = 0; any_family(f); f++) {
        snc_model *m = nano_family_make(SNC_ACT_GELU, any_family(f)), *sub = NULL;
        snc_arch a = nano_subnet(m);
        float prefix[LOGITS], dense[LOGITS];
        assert_ok(snc_model_extract(&sub, m, &a));
        assert_true(snc_cost_params(&m->cfg, &a) == (int64_t)snc_params_count(&sub->params));
        const bool types = m->cfg.types > 0, projects = m->cfg.embedding > 0;
        int in_layer = 16 + snc_family_has(any_family(f), SNC_ROLE_RELATIVE);
        int outside = 3 + snc_family_has(any_family(f), SNC_ROLE_POSITION) + types + 2 * projects;
        outside += (any_family(f)->head == SNC_HEAD_NONE ? 2 : 4) + 2 * snc_family_has(any_family(f), SNC_ROLE_POOLER_NORM) +
                   3 * snc_family_has(any_family(f), SNC_ROLE_DISTANCE);
        assert_int_equal(m->params.n, outside + in_layer * 3);
        assert_int_equal(snc_model_at(m, SNC_ROLE_TYPE, 0) >= 0, types);
        assert_int_equal(snc_model_at(m, SNC_ROLE_PROJECTION, 0) >= 0, projects);
        if (projects) assert_int_equal(sub->params.p[snc_model_at(sub, SNC_ROLE_PROJECTION, 0)].cols, NANO_EMBEDDING);
        engine_logits(prefix, m, &a, &x.t);
        engine_logits(dense, sub, &sub->arch, &x.t);
        assert_memory_equal(prefix, dense, sizeof prefix);
        snc_model_free(sub);
        snc_model_free(m);
    }
    nano_batch_dispose(&x);
}

static void turn_round(int32_t *order, int n)
{
    for (int i = 0; i < n; i++) order[i] = n - 1 - i;
}

static void another_order_computes_the_same(void **state)
{
    (void)state;
    nano_batch x = nano_batch_make(B, 31, 3);
    for (int f = 0; any_family(f); f++) {
        snc_model *m = nano_family_make(SNC_ACT_GELU, any_family(f));
        snc_order o;
        double before[LOGITS], after[LOGITS];
        nano_forward(before, m, &m->arch, &x.t);
        assert_ok(snc_order_init(&o, &m->arch));
        turn_round(o.hidden, m->arch.hidden);
        turn_round(o.pooler, m->arch.hidden);
        for (int l = 0; l < m->arch.layers; l++) {
            turn_round(o.heads[l], m->arch.heads[l]);
            turn_round(o.ffn[l], m->arch.ffn[l]);
        }
        assert_ok(snc_model_reorder(m, &o));
        nano_forward(after, m, &m->arch, &x.t);
        for (int i = 0; i < LOGITS; i++) assert_true(fabs(before[i] - after[i]) < 1e-9);
        snc_order_dispose(&o);
        snc_model_free(m);
    }
    nano_batch_dispose(&x);
}

/* The logits of the file are those of the model. */
static void check_file(const snc_model *m, const snc_policy *policy, const char *path, const snc_tokens *x)
{
    float want[LOGITS], got[LOGITS];
    snc_weights *w;
    snc_net *n;
    runtime_logits(want, m, &m->arch, policy, x);
    assert_ok(snc_weights_open(&w, &ctx, path));
    assert_ptr_equal(snc_weights_config(w)->family, m->cfg.family);
    assert_int_equal(snc_weights_config(w)->embedding, m->cfg.embedding);
    assert_ok(snc_net_create(&n, &ctx, w, NULL, NULL, &(snc_net_opts)SNC_NET_OPTS_INIT));
    assert_ok(snc_net_run(got, n, x));
    assert_memory_equal(got, want, sizeof want);
    snc_net_free(n);
    snc_weights_free(w);
}

static void a_file_names_its_family(void **state)
{
    nano_batch x = nano_batch_make(B, 31, 4);
    (void)state;
    scratch s;
    scratch_init(&s, "models_family");
    const char *path = scratch_path(&s, "family.snc");
    snc_policy int8 = snc_policy_uniform(SNC_I8, SNC_I8);
    for (int f = 0; any_family(f); f++) {
        snc_model *m = nano_family_make(SNC_ACT_GELU, any_family(f));
        snc_st *st = NULL;
        snc_sncfile *file = NULL;
        int tensors = 0;
        assert_ok(snc_export_model(path, &ctx, m, NULL, &int8));
        assert_ok(snc_st_open(&st, path));
        for (int i = 0; i < m->params.n; i++) {
            const snc_tensor *t = snc_st_find(st, m->params.p[i].name);
            assert_non_null(t);
            tensors += t->dtype == SNC_I8 ? 2 : 1;
        }
        assert_int_equal(snc_st_count(st), tensors);
        snc_st_close(st);
        if (f < TOY_FAMILIES) { /* it is in no registry */
            assert_int_equal(snc_sncfile_open(&file, path), SNC_E_UNSUPPORTED);
            assert_non_null(strstr(snc_err_text(), any_family(f)->type));
        } else {
            check_file(m, &int8, path, &x.t);
        }
        snc_model_free(m);
    }
    nano_batch_dispose(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_and_runtime_equal_a_plain_forward),
        cmocka_unit_test(extraction_and_cost_see_what_the_family_has),
        cmocka_unit_test(another_order_computes_the_same),
        cmocka_unit_test(a_file_names_its_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
