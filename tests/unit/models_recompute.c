/* An engine that keeps each layer's input alone and computes the rest again has the bits of one that keeps everything: whatever the family,
 * the arithmetic, the net and what reads its hidden states and attention; one without a backward pass shows the same of a forward pass. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "models/engine.h"
#include "models/source_mos.h"
#include "nano.h"

enum { B = 4, TOKENS = 41, NETS = 5, STEPS = 2 };
static const int lens[B] = {1, 7, 13, 20};
static const snc_dropout drop = {.seed = 1, .step = 2, .hidden = 0.2f, .attention = 0.2f, .head = 0.1f, .token = 3, .seq = 1};

typedef struct shape {
    snc_encoder_config cfg;
    snc_compute compute;
    snc_backend backend;
    bool first_only, mixed;
} shape;

typedef struct side {
    snc_ctx ctx;
    snc_model *m;
    snc_engine *e;
    float logits[TOKENS * NANO_K];
} side;

/* false: this arithmetic is not built in. */
static bool open_side(side *s, const shape *h, bool train, bool recompute)
{
    const snc_engine_opts o = {.compute = h->compute,
                               .max_tokens = TOKENS,
                               .max_seqs = B,
                               .max_len = 20,
                               .train = train,
                               .recompute = recompute,
                               .views = !train,
                               .first_only = h->first_only};
    memset(s, 0, sizeof *s);
    s->ctx = (snc_ctx)SNC_CTX_INIT;
    s->ctx.backend = h->backend;
    s->ctx.threads = 2;
    assert_int_equal(nano_model_of(&s->m, &h->cfg, 5), SNC_OK);
    if (h->mixed) assert_int_equal(snc_model_mix(s->m, &s->ctx, &(snc_mixture){.experts = 2}, 5), SNC_OK);
    return snc_ctx_check(&s->ctx) == SNC_OK && snc_engine_create(&s->e, &s->ctx, s->m, &o) == SNC_OK;
}

static void close_side(side *s)
{
    snc_engine_free(s->e);
    snc_model_free(s->m);
}

/* The whole net, one with a layer less, and of three layers all but one without attention, that one without an FFN. */
static snc_arch net_of(const snc_model *m, int net)
{
    snc_arch a = m->arch;
    if (net == 0) return a;
    a.hidden = 16;
    if (net == 1) a.layers = 2;
    for (int l = 0; l < a.layers; l++) {
        a.source[l] = net == 1 ? 2 * l : l;
        a.heads[l] = net == 1 || l == net - 2 ? 3 - l : 0;
        a.ffn[l] = l == net - 2 ? 0 : 20 + l;
    }
    return a;
}

static void forward(side *s, const snc_arch *a, const snc_tokens *x, const snc_dropout *d)
{
    assert_int_equal(snc_engine_forward(s->e, s->logits, a, x, d), SNC_OK);
}

/* What may be read between the passes. */
static void assert_same_views(const side *a, const side *b, const snc_arch *net, const snc_tokens *x)
{
    assert_memory_equal(a->logits, b->logits, sizeof a->logits);
    for (int i = 0; i <= net->layers; i++) {
        const int rows = snc_engine_hidden_rows(a->e, i);
        assert_int_equal(rows, snc_engine_hidden_rows(b->e, i));
        assert_memory_equal(snc_engine_hidden_view(a->e, i), snc_engine_hidden_view(b->e, i),
                            (size_t)rows * (size_t)net->hidden * sizeof(float));
    }
    const snc_engine_attention p = snc_engine_attention_view(a->e), q = snc_engine_attention_view(b->e);
    assert_true(p.heads > 0 && p.heads == q.heads);
    const size_t row = (size_t)(p.heads * p.width) * sizeof(float);
    assert_memory_equal(p.q, q.q, (size_t)x->B * row);
    assert_memory_equal(p.k, q.k, (size_t)x->T * row);
    assert_memory_equal(p.v, q.v, (size_t)x->T * row);
}

/* Gradients from everywhere: logits, each hidden state, and queries, keys and values of the last attention. */
static void backward(side *s, const snc_arch *net)
{
    static float d[TOKENS * NANO_C], added[TOKENS * NANO_C], dlogits[TOKENS * NANO_K];
    const float *dhidden[NANO_L + 1];
    for (int i = 0; i < TOKENS * NANO_C; i++) d[i] = 0.01f * (float)(i % 7 - 3), added[i] = 0.02f * (float)(i % 5 - 2);
    for (int i = 0; i < TOKENS * NANO_K; i++) dlogits[i] = (float)(i % 3) - 1.0f;
    for (int i = 0; i <= net->layers; i++) dhidden[i] = d;
    snc_engine_add_attention(s->e, added, added, added);
    assert_int_equal(snc_engine_backward(s->e, dlogits, dhidden, net->layers + 1), SNC_OK);
}

static void check_net(side *all, side *again, side *view, int net, const snc_tokens *x)
{
    const snc_arch a = net_of(all->m, net);
    const size_t bytes = all->m->params.total * sizeof(float);
    side *const both[] = {all, again};
    for (int step = 0; step < STEPS; step++) {
        for (int k = 0; k < 2; k++) {
            if (step == 0) snc_engine_start_grads(both[k]->e);
            forward(both[k], &a, x, &drop);
        }
        forward(view, &a, x, &drop);
        assert_same_views(all, again, &a, x);
        assert_same_views(all, view, &a, x);
        for (int k = 0; k < 2; k++) backward(both[k], &a);
        assert_memory_equal(all->m->params.g, again->m->params.g, bytes);
    }
}

static void check(const shape *h)
{
    side all, again, view;
    nano_batch batch;
    nano_batch_make(&batch, lens, B, NANO_V, 3);
    if (h->cfg.types <= 1) memset(batch.types, 0, sizeof batch.types);
    if (!open_side(&all, h, true, false)) {
        close_side(&all);
        return;
    }
    assert_true(open_side(&again, h, true, true) && open_side(&view, h, false, false));
    for (int net = 0; net < NETS; net++) check_net(&all, &again, &view, net, &batch.x);
    assert_true(snc_engine_memory(again.e) < snc_engine_memory(all.e) && snc_engine_memory(view.e) < snc_engine_memory(again.e));
    assert_null(view.m->params.g);
    close_side(&all);
    close_side(&again);
    close_side(&view);
}

static void check_all(const snc_encoder_config *cfg, bool mixed)
{
    for (int i = 0; i < 8; i++)
        check(&(shape){.cfg = *cfg,
                       .compute = i % 2 ? SNC_COMPUTE_BF16 : SNC_COMPUTE_F32,
                       .first_only = i / 2 % 2,
                       .backend = i < 4 ? SNC_BACKEND_AUTO : SNC_BACKEND_REF,
                       .mixed = mixed});
}

static void every_family_has_the_same_bits(void **state)
{
    (void)state;
    for (int i = 0; snc_family_at(i); i++) {
        const snc_encoder_config cfg = nano_family_config(snc_family_at(i));
        check_all(&cfg, false);
    }
}

static void tags_and_means_have_the_same_bits(void **state)
{
    (void)state;
    snc_encoder_config cfg = nano_config();
    cfg.tags = true;
    check_all(&cfg, false);
    cfg.tags = false;
    cfg.mean = true;
    check_all(&cfg, false);
}

static void mixtures_have_the_same_bits(void **state)
{
    (void)state;
    const snc_encoder_config cfg = nano_config();
    check_all(&cfg, true);
}

/* Of 12 layers the inputs, and all of one: less than a third of what they take. */
static void what_it_takes_is_known_and_less(void **state)
{
    (void)state;
    snc_encoder_config cfg = nano_config();
    snc_engine_opts o = {.max_tokens = 640, .max_seqs = 32, .max_len = 20, .train = true, .first_only = true};
    snc_ctx ctx = SNC_CTX_INIT;
    double bytes[2];
    size_t block[2];
    cfg.layers = 12;
    for (int i = 0; i < 2; i++) {
        snc_model *m;
        snc_engine *e;
        o.recompute = i;
        assert_int_equal(nano_model_of(&m, &cfg, 5), SNC_OK);
        assert_int_equal(snc_engine_bytes(&bytes[i], &ctx, m, &o), SNC_OK);
        assert_int_equal(snc_engine_create(&e, &ctx, m, &o), SNC_OK);
        block[i] = snc_engine_memory(e);
        snc_engine_free(e);
        snc_model_free(m);
    }
    assert_true(bytes[0] - bytes[1] == (double)(block[0] - block[1]));
    assert_true(3 * block[1] < block[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_has_the_same_bits),
        cmocka_unit_test(tags_and_means_have_the_same_bits),
        cmocka_unit_test(mixtures_have_the_same_bits),
        cmocka_unit_test(what_it_takes_is_known_and_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
