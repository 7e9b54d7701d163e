/* The whole engine against central differences along random directions: elastic prefixes, hidden gradients, dropout. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "grad/central.h"
#include "models/engine.h"
#include "models/source_mos.h"
#include "nano.h"
#include "toy_family.h"

/* f32 with the ref backend, directions of length 1, step 0.05. Measured 5e-5 (1 + size) at most. */
static const double TOLERANCE = 2e-4, STEP = 0.05;

enum { B = 4, T_MAX = 64, WITH_LOGITS = 1, WITH_HIDDEN = 2, WITH_ATTENTION = 4 };
static const int lens[B] = {1, 7, 13, 20};

typedef struct setup {
    snc_ctx ctx;
    snc_model *m;
    snc_engine *e;
    nano_batch batch;
    snc_arch arch;
    snc_dropout drop, *dropout;
    int loss;
    bool first_only;
    float *x, *d; /* weights and direction, laid out as the parameter block */
    float wl[B * NANO_K], wh[NANO_L + 1][T_MAX * NANO_C], wa[3][T_MAX * NANO_C];
} setup;

/* Rows of queries, keys and values of the last layer. */
static size_t attention_size(const setup *s, int i)
{
    const snc_engine_attention a = snc_engine_attention_view(s->e);
    return (size_t)(i == 0 && s->first_only ? s->batch.x.B : s->batch.x.T) * (size_t)(a.heads * a.width);
}

static double loss_at(void *user, double e)
{
    setup *s = user;
    float logits[B * NANO_K];
    for (size_t k = 0; k < s->m->params.total; k++) s->m->params.w[k] = (float)((double)s->x[k] + e * (double)s->d[k]);
    snc_engine_sync(s->e);
    assert_int_equal(snc_engine_forward(s->e, logits, &s->arch, &s->batch.x, s->dropout), SNC_OK);
    double loss = s->loss & WITH_LOGITS ? dot_of(logits, s->wl, B * NANO_K) : 0.0;
    for (int i = 0; s->loss & WITH_HIDDEN && i <= s->arch.layers; i++)
        loss += dot_of(snc_engine_hidden_view(s->e, i), s->wh[i], (size_t)s->batch.x.T * (size_t)s->arch.hidden);
    const snc_engine_attention a = snc_engine_attention_view(s->e);
    const float *const view[] = {a.q, a.k, a.v};
    for (int i = 0; s->loss & WITH_ATTENTION && i < 3; i++) loss += dot_of(view[i], s->wa[i], attention_size(s, i));
    return loss;
}

static void open_family(setup *s, bool first_only, const snc_family *family, bool mean, const snc_mixture *mixture)
{
    snc_encoder_config cfg = nano_family_config(family);
    cfg.mean = mean;
    snc_engine_opts o = {
        .compute = SNC_COMPUTE_F32, .max_tokens = T_MAX, .max_seqs = B, .max_len = NANO_P, .train = true, .first_only = first_only};
    memset(s, 0, sizeof *s);
    s->ctx = (snc_ctx)SNC_CTX_INIT;
    s->ctx.backend = SNC_BACKEND_REF;
    s->loss = WITH_LOGITS;
    s->first_only = first_only;
    for (int i = 0; i < 3; i++) normals(s->wa[i], T_MAX * NANO_C, 0.1, 2, (uint64_t)i);
    assert_int_equal(nano_model_of(&s->m, &cfg, 5), SNC_OK);
    if (mixture) { /* experts that are no copies, routers that hear all of their units */
        const int dense = s->m->params.n;
        assert_int_equal(snc_model_mix(s->m, &s->ctx, mixture, 3), SNC_OK);
        for (int i = dense; i < s->m->params.n; i++) {
            const snc_param *p = &s->m->params.p[i];
            float noise[64];
            for (int k = 0; k < p->rows * p->cols; k++) {
                if (k % 64 == 0) normals(noise, 64, 0.1, 8, (uint64_t)(i * 1000 + k));
                snc_params_w(&s->m->params, i)[k] += noise[k % 64];
            }
        }
    }
    assert_int_equal(snc_engine_create(&s->e, &s->ctx, s->m, &o), SNC_OK);
    nano_batch_make(&s->batch, lens, B, NANO_V, 3);
    s->arch = s->m->arch;
    assert_int_equal(snc_alloc(&s->x, s->m->params.total, sizeof *s->x), SNC_OK);
    assert_int_equal(snc_alloc(&s->d, s->m->params.total, sizeof *s->d), SNC_OK);
    memcpy(s->x, s->m->params.w, s->m->params.total * sizeof *s->x);
    normals(s->wl, B * NANO_K, 1.0, 1, 0);
    for (int i = 0; i <= NANO_L; i++) normals(s->wh[i], T_MAX * NANO_C, 0.1, 1, (uint64_t)i + 1);
}

static void open_setup(setup *s, bool first_only) { open_family(s, first_only, &snc_family_bert, false, NULL); }

static void close_setup(setup *s)
{
    snc_engine_free(s->e);
    snc_model_free(s->m);
    snc_free(s->x);
    snc_free(s->d);
}

/* Along a direction inside parameter i (i < 0: all of them). */
static void check_direction(setup *s, int i)
{
    const float *hidden[NANO_L + 1];
    size_t n = s->m->params.total;
    for (int k = 0; k <= NANO_L; k++) hidden[k] = s->wh[k];
    memset(s->d, 0, n * sizeof *s->d);
    if (i < 0) normals(s->d, n, 1.0, 9, 0);
    else {
        const snc_param *p = &s->m->params.p[i];
        normals(s->d + p->offset, (size_t)p->rows * (size_t)p->cols, 1.0, 9, (uint64_t)i);
    }
    double length = sqrt(dot_of(s->d, s->d, n));
    for (size_t k = 0; k < n; k++) s->d[k] = (float)((double)s->d[k] / length);
    double numeric = central(loss_at, s, STEP);
    loss_at(s, 0.0);
    snc_params_zero_grad(&s->m->params);
    if (s->loss & WITH_ATTENTION) snc_engine_add_attention(s->e, s->wa[0], s->wa[1], s->wa[2]);
    assert_int_equal(snc_engine_backward(s->e, s->loss & WITH_LOGITS ? s->wl : NULL, s->loss & WITH_HIDDEN ? hidden : NULL,
                                         s->loss & WITH_HIDDEN ? s->arch.layers + 1 : 0),
                     SNC_OK);
    double analytic = dot_of(s->m->params.g, s->d, n);
    if (!(fabs(analytic - numeric) <= TOLERANCE * (1.0 + fabs(numeric))))
        fail_msg("%s: %.6g by the backward pass, %.6g by differences", i < 0 ? "all" : s->m->params.p[i].name, analytic, numeric);
}

static void check_all(setup *s)
{
    check_direction(s, -1);
    for (int i = 0; i < s->m->params.n; i += CHECK_EVERY) check_direction(s, i);
}

static void every_parameter_of_the_full_net(void **state)
{
    setup s;
    (void)state;
    open_setup(&s, false);
    check_all(&s);
    close_setup(&s);
}

static void make_elastic(snc_arch *a)
{
    a->layers = 2;
    a->hidden = 19;
    a->source[0] = 0, a->heads[0] = 3, a->ffn[0] = 37;
    a->source[1] = 2, a->heads[1] = 1, a->ffn[1] = 5;
}

static void every_parameter_of_an_elastic_net(void **state)
{
    setup s;
    (void)state;
    open_setup(&s, false);
    make_elastic(&s.arch);
    check_all(&s);
    close_setup(&s);
}

/* Gradients from outside at queries, keys and values of the last layer, whoever of it asks. */
static void what_is_added_to_attention_reaches_every_parameter(void **state)
{
    setup s;
    (void)state;
    for (int first_only = 0; first_only < 2; first_only++)
        for (int elastic = 0; elastic < 3; elastic++) { /* of the last, the last layer has no heads */
            open_setup(&s, first_only);
            s.loss = WITH_LOGITS | WITH_ATTENTION;
            if (elastic) make_elastic(&s.arch);
            if (elastic == 2) s.arch.heads[1] = 0;
            check_all(&s);
            /* and of the next pass it is gone */
            float logits[B * NANO_K];
            assert_int_equal(snc_engine_forward(s.e, logits, &s.arch, &s.batch.x, NULL), SNC_OK);
            s.loss = WITH_LOGITS;
            check_direction(&s, -1);
            close_setup(&s);
        }
}

static void every_parameter_of_other_families(void **state)
{
    setup s;
    (void)state;
    for (int f = 0; f < 10; f++) { /* beside the toys one that projects and has a GELU, and two that tell distances */
        const snc_family *const all[] = {toy_families[0], toy_families[1], snc_family_find("electra"), snc_family_find("mpnet"),
                                         snc_family_find("deberta-v2")};
        snc_family family = *all[f / 2];
        if (family.head == SNC_HEAD_RELU) family.head = SNC_HEAD_TANH; /* differences do not step over kinks */
        open_family(&s, f % 2, &family, false, NULL);
        check_all(&s);
        make_elastic(&s.arch);
        check_all(&s);
        s.drop = (snc_dropout){.seed = 1, .step = 2, .hidden = 0.2f, .attention = 0.3f, .head = 0.25f};
        s.dropout = &s.drop;
        check_direction(&s, -1);
        s.loss = WITH_LOGITS | WITH_ATTENTION;
        check_direction(&s, -1);
        close_setup(&s);
    }
}

/* Norms in front, turned positions, a window, gated neurons; of first tokens and of means, with dropout, halves that are skipped and
 * gradients from outside. */
static void every_parameter_of_modernbert(void **state)
{
    static const snc_arch nets[] = {{.layers = 3, .hidden = 19, .source = {0, 1, 2}, .heads = {0, 3, 2}, .ffn = {37, 0, 64}},
                                    {.layers = 3, .hidden = 32, .source = {0, 1, 2}, .heads = {3, 0, 0}, .ffn = {0, 20, 64}},
                                    {.layers = 2, .hidden = 19, .source = {1, 2}, .heads = {2, 4}, .ffn = {5, 0}}};
    setup s;
    (void)state;
    for (int k = 0; k < 3; k++) { /* all tokens, first tokens, means */
        open_family(&s, k > 0, snc_family_find("modernbert"), k == 2, NULL);
        s.first_only = k == 1;
        check_all(&s);
        make_elastic(&s.arch);
        check_direction(&s, -1);
        s.drop = (snc_dropout){.seed = 1, .step = 2, .hidden = 0.2f, .attention = 0.3f, .head = 0.25f};
        s.dropout = &s.drop;
        if (k != 1) s.loss = WITH_HIDDEN | WITH_LOGITS;
        for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
            s.arch = nets[i];
            check_direction(&s, -1);
        }
        s.loss = WITH_LOGITS | WITH_ATTENTION;
        s.arch = s.m->arch;
        check_direction(&s, -1);
        close_setup(&s);
    }
}

static void gradients_stay_inside_the_prefix(void **state)
{
    setup s;
    float logits[B * NANO_K];
    (void)state;
    open_setup(&s, false);
    make_elastic(&s.arch);
    assert_int_equal(snc_engine_forward(s.e, logits, &s.arch, &s.batch.x, NULL), SNC_OK);
    assert_int_equal(snc_engine_backward(s.e, s.wl, NULL, 0), SNC_OK);
    const snc_params *ps = &s.m->params;
    const float *cut = snc_params_g(ps, snc_model_at(s.m, SNC_ROLE_Q, 0)), *dropped = snc_params_g(ps, snc_model_at(s.m, SNC_ROLE_Q, 1));
    const float *cut_ffn = snc_params_g(ps, snc_model_at(s.m, SNC_ROLE_FFN_IN_BIAS, 0));
    for (int r = 0; r < NANO_H * NANO_D; r++)
        for (int c = 0; c < NANO_C; c++) {
            float g = cut[r * NANO_C + c];
            if (r >= 3 * NANO_D || c >= 19) assert_true(g == 0.0f);
            assert_true(dropped[r * NANO_C + c] == 0.0f);
        }
    for (int c = 0; c < NANO_F; c++) assert_true((cut_ffn[c] == 0.0f) == (c >= 37));
    close_setup(&s);
}

static void hidden_gradients_alone_and_with_logits(void **state)
{
    setup s;
    (void)state;
    for (int loss = WITH_HIDDEN; loss <= (WITH_HIDDEN | WITH_LOGITS); loss++) {
        open_setup(&s, false);
        s.loss = loss;
        check_direction(&s, -1);
        make_elastic(&s.arch);
        check_all(&s);
        close_setup(&s);
    }
}

static void first_token_alone_in_the_last_layer(void **state)
{
    setup s;
    (void)state;
    open_setup(&s, true);
    check_all(&s);
    make_elastic(&s.arch);
    check_all(&s);
    s.arch.layers = 1;
    check_all(&s);
    close_setup(&s);
}

/* Attention or FFN skipped first, in the middle and last; behind the last heads first tokens alone go on. */
static void halves_that_are_skipped(void **state)
{
    static const snc_arch nets[] = {{.layers = 3, .hidden = 19, .source = {0, 1, 2}, .heads = {0, 3, 2}, .ffn = {37, 0, 64}},
                                    {.layers = 3, .hidden = 32, .source = {0, 1, 2}, .heads = {3, 0, 0}, .ffn = {0, 20, 64}},
                                    {.layers = 2, .hidden = 19, .source = {1, 2}, .heads = {0, 4}, .ffn = {5, 0}},
                                    {.layers = 2, .hidden = 19, .source = {0, 2}, .heads = {2, 0}, .ffn = {5, 7}}};
    setup s;
    (void)state;
    for (size_t k = 0; k < 2 * sizeof nets / sizeof *nets; k++) {
        open_setup(&s, k % 2);
        s.arch = nets[k / 2];
        if (k % 2 == 0) s.loss = WITH_HIDDEN | WITH_LOGITS;
        s.drop = (snc_dropout){.seed = 1, .step = 2, .hidden = 0.2f, .attention = 0.3f, .head = 0.25f};
        s.dropout = &s.drop;
        check_all(&s);
        close_setup(&s);
    }
}

static void with_dropout(void **state)
{
    setup s;
    (void)state;
    for (int first_only = 0; first_only < 2; first_only++) {
        open_setup(&s, first_only);
        s.drop = (snc_dropout){.seed = 1, .step = 2, .hidden = 0.2f, .attention = 0.3f, .head = 0.25f};
        s.dropout = &s.drop;
        if (!first_only) s.loss = WITH_HIDDEN | WITH_LOGITS;
        check_all(&s);
        close_setup(&s);
    }
}

/* Experts and routers, of one mixture a layer and of one a row, of the FFN and of all, whole and thin; a whole net and a part of one. */
static void every_parameter_of_a_mixture(void **state)
{
    (void)state;
    static const snc_mixture kinds[] = {{.experts = 2},
                                        {.experts = 3, .neuron = true, .attention = true},
                                        {.experts = 3, .rank = 2},
                                        {.experts = 2, .rank = 3, .neuron = true}};
    for (int k = 0; k < 4; k++) {
        setup s;
        open_family(&s, true, k == 1 ? snc_family_find("modernbert") : &snc_family_bert, false, &kinds[k]);
        if (k != 2) make_elastic(&s.arch);
        check_all(&s);
        close_setup(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_of_the_full_net),
        cmocka_unit_test(every_parameter_of_an_elastic_net),
        cmocka_unit_test(what_is_added_to_attention_reaches_every_parameter),
        cmocka_unit_test(every_parameter_of_other_families),
        cmocka_unit_test(every_parameter_of_modernbert),
        cmocka_unit_test(gradients_stay_inside_the_prefix),
        cmocka_unit_test(hidden_gradients_alone_and_with_logits),
        cmocka_unit_test(first_token_alone_in_the_last_layer),
        cmocka_unit_test(halves_that_are_skipped),
        cmocka_unit_test(with_dropout),
        cmocka_unit_test(every_parameter_of_a_mixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
