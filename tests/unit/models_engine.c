/* The engine as a contract: prefixes, threads, dropout, what it refuses. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "models/engine.h"
#include "nano.h"

enum { B = 4, TOKENS = 41 };
static const int lens[B] = {1, 7, 13, 20};

typedef struct setup {
    snc_ctx ctx;
    snc_model *m;
    snc_engine *e;
    nano_batch batch;
    float logits[B * NANO_K], dlogits[B * NANO_K];
} setup;

static void open_engine(setup *s, snc_model *m, snc_backend backend, int threads, bool train, bool first_only)
{
    snc_engine_opts o = {
        .compute = SNC_COMPUTE_F32, .max_tokens = TOKENS, .max_seqs = B, .max_len = 20, .train = train, .first_only = first_only};
    memset(s, 0, sizeof *s);
    s->ctx = (snc_ctx)SNC_CTX_INIT;
    s->ctx.backend = backend;
    s->ctx.threads = threads;
    s->m = m;
    assert_int_equal(snc_ctx_check(&s->ctx), SNC_OK);
    assert_int_equal(snc_engine_create(&s->e, &s->ctx, m, &o), SNC_OK);
    nano_batch_make(&s->batch, lens, B, NANO_V, 3);
    for (int i = 0; i < B * NANO_K; i++) s->dlogits[i] = (float)(i % 3) - 1.0f;
}

static void close_engine(setup *s)
{
    snc_engine_free(s->e);
    snc_model_free(s->m);
}

static void open_nano(setup *s, snc_backend backend, int threads, bool train, bool first_only)
{
    snc_model *m;
    assert_int_equal(nano_model(&m, 5), SNC_OK);
    open_engine(s, m, backend, threads, train, first_only);
}

static void forward(setup *s, const snc_arch *arch, const snc_dropout *drop)
{
    assert_int_equal(snc_engine_forward(s->e, s->logits, arch, &s->batch.x, drop), SNC_OK);
}

static void step(setup *s, const snc_arch *arch, const snc_dropout *drop)
{
    forward(s, arch, drop);
    assert_int_equal(snc_engine_backward(s->e, s->dlogits, NULL, 0), SNC_OK);
}

static snc_arch elastic_arch(const snc_model *m)
{
    snc_arch a = m->arch;
    a.layers = 2;
    a.hidden = 16;
    a.source[0] = 0, a.heads[0] = 3, a.ffn[0] = 37;
    a.source[1] = 2, a.heads[1] = 1, a.ffn[1] = 5;
    return a;
}

/* FFN alone, attention alone, and first tokens behind the last heads. */
static snc_arch skipping_arch(const snc_model *m, int which)
{
    snc_arch a = m->arch;
    a.hidden = 16;
    for (int l = 0; l < 3; l++) {
        a.heads[l] = l == which ? 3 : 0;
        a.ffn[l] = l == which ? 0 : 20 + l;
    }
    return a;
}

static const snc_dropout drop = {.seed = 1, .step = 2, .hidden = 0.1f, .attention = 0.1f, .head = 0.1f};

/* Parameter `name` of the extracted model in the parent: same name but for the layer's number. */
static const float *parent_gradient(const setup *wide, const setup *dense, int i, const snc_arch *arch, int *ld)
{
    char name[SNC_PARAM_NAME], rest[SNC_PARAM_NAME];
    int layer;
    snprintf(name, sizeof name, "%s", dense->m->params.p[i].name);
    if (sscanf(name, "layer.%d.%63s", &layer, rest) == 2) snprintf(name, sizeof name, "layer.%d.%.40s", arch->source[layer], rest);
    int p = snc_params_find(&wide->m->params, name);
    assert_true(p >= 0);
    *ld = wide->m->params.p[p].cols;
    return snc_params_g(&wide->m->params, p);
}

static void prefix_view_equals_dense_extract(void **state)
{
    (void)state;
    for (int k = 0; k < 8; k++) {
        const bool first_only = k % 2;
        setup wide, dense;
        snc_model *m;
        open_nano(&wide, SNC_BACKEND_REF, 1, true, first_only);
        snc_arch arch = k < 2 ? elastic_arch(wide.m) : skipping_arch(wide.m, k / 2 - 1);
        assert_int_equal(snc_model_extract(&m, wide.m, &arch), SNC_OK);
        open_engine(&dense, m, SNC_BACKEND_REF, 1, true, first_only);
        step(&wide, &arch, &drop);
        step(&dense, &dense.m->arch, &drop);
        assert_memory_equal(wide.logits, dense.logits, sizeof wide.logits);
        for (int i = 0; i < dense.m->params.n; i++) {
            const snc_param *p = &dense.m->params.p[i];
            int ld;
            const float *g = snc_params_g(&dense.m->params, i), *gw = parent_gradient(&wide, &dense, i, &arch, &ld);
            for (int r = 0; r < p->rows; r++)
                assert_memory_equal(g + (size_t)r * (size_t)p->cols, gw + (size_t)r * (size_t)ld, (size_t)p->cols * sizeof *g);
        }
        close_engine(&wide);
        close_engine(&dense);
    }
}

static void thread_count_changes_no_bit_of_a_step(void **state)
{
    setup one, three;
    (void)state;
    open_nano(&one, SNC_BACKEND_REF, 1, true, true);
    open_nano(&three, SNC_BACKEND_REF, 3, true, true);
    step(&one, &one.m->arch, &drop);
    step(&three, &three.m->arch, &drop);
    assert_memory_equal(one.logits, three.logits, sizeof one.logits);
    assert_memory_equal(one.m->params.g, three.m->params.g, one.m->params.total * sizeof(float));
    close_engine(&one);
    close_engine(&three);
}

static void first_only_gives_the_same_logits_and_gradients(void **state)
{
    setup all, first;
    (void)state;
    for (int net = 0; net < 5; net++) {
        open_nano(&all, SNC_BACKEND_REF, 1, true, false);
        open_nano(&first, SNC_BACKEND_REF, 1, true, true);
        snc_arch arch = net == 0 ? all.m->arch : net == 1 ? elastic_arch(all.m) : skipping_arch(all.m, net - 2);
        step(&all, &arch, NULL);
        step(&first, &arch, NULL);
        assert_memory_equal(all.logits, first.logits, sizeof all.logits);
        for (size_t i = 0; i < all.m->params.total; i++)
            assert_true(fabs((double)all.m->params.g[i] - (double)first.m->params.g[i]) < 1e-5); /* sums of other chunks */
        close_engine(&all);
        close_engine(&first);
    }
}

static void evaluation_shares_buffers_and_equals_training(void **state)
{
    setup eval, train;
    (void)state;
    for (int first_only = 0; first_only < 2; first_only++) {
        open_nano(&eval, SNC_BACKEND_REF, 1, false, first_only);
        open_nano(&train, SNC_BACKEND_REF, 1, true, first_only);
        for (int net = 0; net < 4; net++) {
            snc_arch arch = net == 0 ? eval.m->arch : skipping_arch(eval.m, net - 1);
            forward(&eval, &arch, NULL);
            forward(&train, &arch, NULL);
            assert_memory_equal(eval.logits, train.logits, sizeof eval.logits);
        }
        assert_true(2 * snc_engine_memory(eval.e) < snc_engine_memory(train.e));
        assert_null(eval.m->params.g);
        close_engine(&eval);
        close_engine(&train);
    }
}

static void a_sequence_alone_equals_itself_in_a_batch(void **state)
{
    setup s;
    float alone[NANO_K];
    (void)state;
    open_nano(&s, SNC_BACKEND_REF, 1, true, false);
    forward(&s, &s.m->arch, NULL);
    for (int b = 0; b < B; b++) {
        int32_t offsets[2] = {0, lens[b]};
        const snc_tokens *x = &s.batch.x;
        snc_tokens one = {.B = 1, .T = lens[b], .ids = x->ids + x->offsets[b], .types = x->types + x->offsets[b], .offsets = offsets};
        assert_int_equal(snc_engine_forward(s.e, alone, &s.m->arch, &one, NULL), SNC_OK);
        assert_memory_equal(alone, s.logits + b * NANO_K, sizeof alone);
    }
    close_engine(&s);
}

static void dropout_depends_on_seed_and_step_alone(void **state)
{
    setup s;
    float first[B * NANO_K];
    snc_dropout next = drop;
    (void)state;
    open_nano(&s, SNC_BACKEND_AUTO, 2, true, true);
    forward(&s, &s.m->arch, &drop);
    memcpy(first, s.logits, sizeof first);
    next.step++;
    forward(&s, &s.m->arch, &next);
    assert_memory_not_equal(first, s.logits, sizeof first);
    next.step--, next.seed++;
    forward(&s, &s.m->arch, &next);
    assert_memory_not_equal(first, s.logits, sizeof first);
    forward(&s, &s.m->arch, &drop);
    assert_memory_equal(first, s.logits, sizeof first);
    close_engine(&s);
}

static void the_heads_rate_touches_the_head_alone(void **state)
{
    setup s;
    float logits[B * NANO_K], hidden[B * NANO_C]; /* of the last layer: first tokens alone */
    (void)state;
    open_nano(&s, SNC_BACKEND_AUTO, 1, true, true);
    forward(&s, &s.m->arch, NULL);
    memcpy(logits, s.logits, sizeof logits);
    memcpy(hidden, snc_engine_hidden_view(s.e, NANO_L), sizeof hidden);
    forward(&s, &s.m->arch, &(snc_dropout){.seed = 1, .step = 2, .head = 0.5f});
    assert_memory_equal(hidden, snc_engine_hidden_view(s.e, NANO_L), sizeof hidden);
    assert_memory_not_equal(logits, s.logits, sizeof logits);
    close_engine(&s);
}

/* The embedding's output under dropout, averaged over steps, is the output without. */
static void dropout_preserves_the_mean(void **state)
{
    setup s;
    enum { STEPS = 2000 };
    static double mean[TOKENS * NANO_C];
    (void)state;
    open_nano(&s, SNC_BACKEND_AUTO, 1, true, true);
    memset(mean, 0, sizeof mean);
    for (int i = 0; i < STEPS; i++) {
        snc_dropout d = {.seed = 3, .step = (uint64_t)i, .hidden = 0.1f};
        forward(&s, &s.m->arch, &d);
        const float *y = snc_engine_hidden_view(s.e, 0);
        for (int k = 0; k < TOKENS * NANO_C; k++) mean[k] += (double)y[k] / STEPS;
    }
    forward(&s, &s.m->arch, NULL);
    const float *y = snc_engine_hidden_view(s.e, 0);
    double worst = 0.0;
    for (int k = 0; k < TOKENS * NANO_C; k++) worst = fmax(worst, fabs(mean[k] - (double)y[k]) / (fabs((double)y[k]) + 1e-3));
    assert_true(worst < 5.5 * sqrt(0.1 / 0.9 / STEPS)); /* 1312 draws: 5.5 deviations have chance 5e-5 */
    close_engine(&s);
}

static void synced_rows_equal_a_full_sync(void **state)
{
    setup s;
    float full[B * NANO_K];
    (void)state;
    open_nano(&s, SNC_BACKEND_AUTO, 1, true, true);
    for (int i = 0; i < s.m->params.n; i++) snc_params_w(&s.m->params, i)[0] += 1.0f;
    snc_engine_sync(s.e);
    forward(&s, &s.m->arch, NULL);
    memcpy(full, s.logits, sizeof full);
    for (int i = 0; i < s.m->params.n; i++) {
        int rows = s.m->params.p[i].rows;
        for (int r = 0; r < rows; r += SNC_GEMM_SYNC_ROWS)
            snc_engine_sync_rows(s.e, i, r, r + SNC_GEMM_SYNC_ROWS < rows ? r + SNC_GEMM_SYNC_ROWS : rows);
    }
    forward(&s, &s.m->arch, NULL);
    assert_memory_equal(full, s.logits, sizeof full);
    close_engine(&s);
}

/* A pass that starts the gradients anew over garbage equals one over zeros, of the whole net and of a smaller one; the pass
 * after it adds. */
static void a_fresh_pass_needs_no_cleared_gradients(void **state)
{
    (void)state;
    for (int b = SNC_BACKEND_AUTO; b <= SNC_BACKEND_REF; b++)
        for (int small = 0; small < 2; small++) {
            setup zeroed, fresh;
            open_nano(&zeroed, (snc_backend)b, 2, true, true);
            open_nano(&fresh, (snc_backend)b, 2, true, true);
            snc_arch a = small ? elastic_arch(fresh.m) : fresh.m->arch;
            const snc_params *ps = &fresh.m->params;
            for (int i = 0; i < ps->n; i++)
                for (int k = 0; k < ps->p[i].rows * ps->p[i].cols && snc_engine_owns_grad(fresh.e, i); k++) snc_params_g(ps, i)[k] = 1e30f;
            snc_engine_start_grads(fresh.e);
            for (int pass = 0; pass < 2; pass++) {
                step(&zeroed, &a, &drop);
                step(&fresh, &a, &drop);
                assert_memory_equal(zeroed.m->params.g, ps->g, ps->total * sizeof(float));
            }
            close_engine(&zeroed);
            close_engine(&fresh);
        }
}

static void expect(setup *s, const snc_arch *a, const snc_tokens *x, const char *words)
{
    assert_int_equal(snc_engine_forward(s->e, s->logits, a, x, NULL), SNC_E_SHAPE);
    if (!strstr(snc_err_text(), words)) fail_msg("'%s' does not say '%s'", snc_err_text(), words);
}

static void refuses_what_does_not_fit(void **state)
{
    setup s;
    int32_t ids[2] = {0, NANO_V}, types[2] = {0, 0}, offsets[3] = {0, 2, 2};
    (void)state;
    open_nano(&s, SNC_BACKEND_AUTO, 1, true, false);
    snc_arch *full = &s.m->arch, wide = *full;
    wide.hidden++;
    expect(&s, &wide, &s.batch.x, "hidden size 33");
    snc_tokens x = {.B = 1, .T = 2, .ids = ids, .types = types, .offsets = offsets};
    expect(&s, full, &x, "id 97");
    ids[1] = 0, types[1] = 2;
    expect(&s, full, &x, "segment 2");
    types[1] = 0, x.B = 2;
    expect(&s, full, &x, "sequence 1 of the batch has 0 tokens");
    x.B = B + 1;
    expect(&s, full, &x, "planned for 41 in 4");
    assert_int_equal(snc_engine_backward(s.e, s.dlogits, NULL, 0), SNC_E_ARG);
    forward(&s, full, NULL);
    assert_int_equal(snc_engine_backward(s.e, s.dlogits, NULL, 2), SNC_E_SHAPE);
    assert_int_equal(snc_engine_backward(s.e, s.dlogits, NULL, 0), SNC_OK);
    assert_int_equal(snc_engine_backward(s.e, s.dlogits, NULL, 0), SNC_E_ARG);
    close_engine(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefix_view_equals_dense_extract),
        cmocka_unit_test(thread_count_changes_no_bit_of_a_step),
        cmocka_unit_test(first_only_gives_the_same_logits_and_gradients),
        cmocka_unit_test(evaluation_shares_buffers_and_equals_training),
        cmocka_unit_test(a_sequence_alone_equals_itself_in_a_batch),
        cmocka_unit_test(dropout_depends_on_seed_and_step_alone),
        cmocka_unit_test(the_heads_rate_touches_the_head_alone),
        cmocka_unit_test(dropout_preserves_the_mean),
        cmocka_unit_test(synced_rows_equal_a_full_sync),
        cmocka_unit_test(a_fresh_pass_needs_no_cleared_gradients),
        cmocka_unit_test(refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
