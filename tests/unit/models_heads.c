/* Heads that are no classifier of texts: vectors and tags. Gradients by central differences, tokens that are read among all of them, the
 * runtime beside the engine. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "files.h"
#include "models/engine.h"
#include "models/runtime.h"
#include "nano.h"

enum { B = 3, T = 17, K = 3, READ = 7, PROBES = 6 };
static const int lens[B] = {4, 8, 5};
static const int32_t read[READ] = {1, 2, 5, 6, 10, 13, 15};
static const snc_ctx ctx = {.threads = 2, .seed = 1, .level = SNC_LOG_ERROR, .backend = SNC_BACKEND_REF};

typedef struct head {
    const char *family;
    snc_meaning meaning;
    bool mean;
    int answers;
} head;

static const head heads[] = {{"bert", SNC_MEANS_VECTOR, true, B},         {"bert", SNC_MEANS_VECTOR, false, B},
                             {"bert", SNC_MEANS_TAGS, false, READ},       {"albert", SNC_MEANS_TAGS, false, READ},
                             {"modernbert", SNC_MEANS_TAGS, false, READ}, {"modernbert", SNC_MEANS_VECTOR, true, B},
                             {"mpnet", SNC_MEANS_TAGS, false, READ}};
enum { HEADS = sizeof heads / sizeof *heads };

static snc_model *make(const head *h)
{
    snc_encoder_config c = nano_config();
    snc_model *m = NULL;
    c.family = snc_family_find(h->family);
    if (!snc_family_has(c.family, SNC_ROLE_TYPE)) c.types = 0;
    nano_rotary(&c);
    c.classes = K;
    snc_config_set_meaning(&c, h->meaning);
    c.mean = h->mean;
    assert_ok(nano_model_of(&m, &c, 5));
    return m;
}

static snc_engine *engine_of(snc_model *m)
{
    const snc_engine_opts o = {.compute = SNC_COMPUTE_F32, .max_tokens = T, .max_seqs = B, .max_len = 8, .train = true, .first_only = true};
    snc_engine *e;
    assert_ok(snc_engine_create(&e, &ctx, m, &o));
    return e;
}

static snc_tokens batch_of(nano_batch *b, const head *h)
{
    nano_batch_make(b, lens, B, NANO_V, 3);
    if (h->meaning == SNC_MEANS_TAGS) b->x.read = read, b->x.R = READ;
    return b->x;
}

static double weight_of(int i) { return i % 3 - 0.8 + 0.1 * (i % 7); }

static double loss_of(snc_engine *e, const snc_arch *a, const snc_tokens *x, int n)
{
    float z[T * K];
    double sum = 0;
    assert_ok(snc_engine_forward(e, z, a, x, NULL));
    for (int i = 0; i < n; i++) sum += weight_of(i) * (double)z[i];
    return sum;
}

static void gradients_match_central_differences(void **state)
{
    (void)state;
    for (int k = 0; k < HEADS; k++) {
        const head *h = &heads[k];
        snc_model *m = make(h);
        snc_engine *e = engine_of(m);
        nano_batch b;
        const snc_tokens x = batch_of(&b, h);
        const int n = h->answers * K;
        float d[T * K];
        for (int i = 0; i < n; i++) d[i] = (float)weight_of(i);
        loss_of(e, &m->arch, &x, n);
        snc_params_zero_grad(&m->params);
        assert_ok(snc_engine_backward(e, d, NULL, 0));
        for (int p = 0; p < m->params.n; p++) {
            float *w = snc_params_w(&m->params, p);
            const size_t all = (size_t)m->params.p[p].rows * (size_t)m->params.p[p].cols;
            for (size_t probe = 0; probe < PROBES; probe++) {
                const size_t at = probe * 977 % all;
                const float was = w[at], step = 4e-3f;
                w[at] = was + step;
                snc_engine_sync(e);
                const double above = loss_of(e, &m->arch, &x, n);
                w[at] = was - step;
                snc_engine_sync(e);
                const double below = loss_of(e, &m->arch, &x, n), want = (above - below) / (2 * (double)step);
                w[at] = was;
                const double got = (double)snc_params_g(&m->params, p)[at];
                if (fabs(got - want) > 4e-3 * (1 + fabs(want)))
                    fail_msg("%s, head %d, %s [%zu]: %g, by differences %g", h->family, k, m->params.p[p].name, at, got, want);
            }
        }
        snc_engine_free(e);
        snc_model_free(m);
    }
}

/* What is read is what all tokens say there; the runtime says the same, whole and in INT8, alone and in company. */
static void tokens_that_are_read_are_those_of_all(void **state)
{
    (void)state;
    for (int k = 0; k < HEADS; k++) {
        const head *h = &heads[k];
        if (h->meaning != SNC_MEANS_TAGS) continue;
        snc_model *m = make(h);
        snc_engine *e = engine_of(m);
        nano_batch b;
        snc_tokens some = batch_of(&b, h), all = some;
        float z[READ * K], every[T * K], runs[READ * K], int8[READ * K], alone[READ * K];
        all.read = NULL;
        assert_ok(snc_engine_forward(e, z, &m->arch, &some, NULL));
        assert_ok(snc_engine_forward(e, every, &m->arch, &all, NULL));
        for (int r = 0; r < READ; r++)
            for (int i = 0; i < K; i++) assert_true(fabsf(z[r * K + i] - every[read[r] * K + i]) < 2e-6f);
        snc_weights *w;
        snc_net *n;
        const snc_policy policies[] = {snc_policy_uniform(SNC_F32, SNC_F32), snc_policy_int8()};
        assert_ok(snc_weights_from_model(&w, &ctx, m));
        for (int p = 0; p < 2; p++) {
            float *out = p ? int8 : runs;
            assert_ok(snc_net_create(&n, &ctx, w, NULL, &policies[p], &(snc_net_opts)SNC_NET_OPTS_INIT));
            assert_ok(snc_net_run(out, n, &some));
            for (int i = 0; i < READ * K; i++) assert_true(fabsf(out[i] - z[i]) < (p ? 0.2f : 2e-5f));
            for (int s = 0, at = 0; s < B; s++) { /* each sequence by itself */
                int32_t offsets[2] = {0, lens[s]}, own[READ];
                snc_tokens one = {
                    .B = 1, .T = lens[s], .ids = some.ids + some.offsets[s], .types = some.types + some.offsets[s], .offsets = offsets};
                for (int r = 0; r < READ; r++)
                    if (read[r] >= some.offsets[s] && read[r] < some.offsets[s + 1]) own[one.R++] = read[r] - some.offsets[s];
                one.read = own;
                assert_ok(snc_net_run(alone + at * K, n, &one));
                at += one.R;
            }
            for (int i = 0; i < READ * K; i++) assert_true(fabsf(alone[i] - out[i]) <= 4e-6f);
            snc_net_free(n);
        }
        int32_t wrong[2] = {3, 3};
        some.read = wrong, some.R = 2;
        assert_fails(snc_engine_forward(e, z, &m->arch, &some, NULL), SNC_E_SHAPE, "token 3 of 17 is read, behind 3");
        snc_weights_free(w);
        snc_engine_free(e);
        snc_model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_central_differences),
        cmocka_unit_test(tokens_that_are_read_are_those_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
