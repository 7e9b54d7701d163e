/* Early exit: a net that goes on from a smaller one's hidden state says the same bits as one that starts anew, and runs no layer twice. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp, in files.h */
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/stats.h"
#include "check.h"
#include "files.h"
#include "models/bundle.h"
#include "models/export.h"
#include "models/family/family.h"
#include "runtime/escalation.h"
#include "unit/models_nano.h"

enum { LAYERS = 5, NETS = 3, K = NANO_CLASSES, LEN = 40, FEW = 9, MANY = 230 /* more tokens than states are kept of at a time */ };

static scratch dir;
static const char *const name[NETS] = {"0.snc", "1.snc", "2.snc"};

static int begin(void **state)
{
    (void)state;
    scratch_init(&dir, "runtime_handover");
    return 0;
}

/* The plain kernels on a thread, those of this CPU on two. */
static snc_ctx context(int i)
{
    snc_ctx ctx = SNC_CTX_INIT;
    ctx.threads = 1 + i;
    ctx.backend = i && snc_isa_now() != SNC_ISA_SCALAR ? SNC_BACKEND_NATIVE : SNC_BACKEND_REF;
    return ctx;
}

/* A nano model of more layers. */
static snc_model *deep_model(const snc_family *family, bool mean)
{
    snc_model *nano = nano_family_make(SNC_ACT_GELU, family), *m;
    snc_encoder_config c = nano->cfg;
    snc_rng r;
    c.layers = LAYERS;
    c.mean = mean;
    if (family->rotary) c.local = 1 << 1 | 1 << 3;
    const snc_arch a = snc_arch_full(&c);
    snc_model_free(nano);
    assert_ok(snc_model_new(&m, &c, &a));
    snc_model_init_random(m, 7);
    snc_rng_init(&r, 6, 5);
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        for (int k = 0; k < p->rows * p->cols && !strstr(p->name, "norm"); k++)
            snc_params_w(&m->params, i)[k] = 0.15f * (float)snc_rng_normal(&r);
    }
    return m;
}

/* The first layers of it. */
static snc_arch prefix_of(const snc_model *m, int layers)
{
    snc_arch a = m->arch;
    a.layers = layers;
    return a;
}

/* A file of that net; `own`: a role, of a layer, whose numbers are its own; SNC_ROLES: none. */
static void write_net(int k, const snc_model *m, const snc_arch *a, const snc_policy *p, snc_role own, int layer)
{
    const snc_export_info info = {.has_head = true};
    const snc_ctx ctx = SNC_CTX_INIT;
    float *w = own < SNC_ROLES ? snc_params_w(&m->params, snc_model_at(m, own, layer)) : NULL;
    snc_weights *all;
    if (w) w[0] += 0.5f;
    assert_ok(snc_weights_from_model(&all, &ctx, m));
    assert_ok(snc_export(scratch_path(&dir, name[k]), all, a, p, &info));
    snc_weights_free(all);
    if (w) w[0] -= 0.5f;
}

typedef struct opened {
    int n;
    snc_weights *w[NETS];
    snc_net *net[NETS];
} opened;

/* The first n files as one, with a net for each. */
static opened open_nets(int n, const snc_ctx *ctx)
{
    const snc_net_opts o = {.max_tokens = MANY * LEN, .max_seqs = MANY, .max_len = LEN};
    char path[NETS][sizeof dir.path];
    const char *at[NETS] = {path[0], path[1], path[2]};
    snc_sncfile *f[NETS];
    opened s = {.n = n};
    for (int k = 0; k < n; k++) {
        strcpy(path[k], scratch_path(&dir, name[k]));
        assert_ok(snc_sncfile_open(&f[k], path[k]));
    }
    assert_ok(snc_bundle_save(scratch_path(&dir, "all.snc"), (const snc_sncfile *const *)f, at, n, NULL));
    for (int k = 0; k < n; k++) snc_sncfile_close(f[k]);
    assert_ok(snc_weights_open(&s.w[0], ctx, scratch_path(&dir, "all.snc")));
    for (int k = 1; k < n; k++) assert_ok(snc_weights_open_net(&s.w[k], s.w[0], k));
    for (int k = 0; k < n; k++) assert_ok(snc_net_create(&s.net[k], ctx, s.w[k], NULL, NULL, &o));
    return s;
}

static void close_nets(opened *s)
{
    for (int k = 0; k < s->n; k++) snc_net_free(s->net[k]);
    while (s->n > 0) snc_weights_free(s->w[--s->n]);
}

/* The layers that ran since the clock was switched on, a bit each, bit LAYERS the embeddings. */
static int ran(const snc_net *n)
{
    snc_net_times t;
    int bits;
    snc_net_times_get(&t, n);
    bits = t.embed > 0 ? 1 << LAYERS : 0;
    for (int l = 0; l < snc_net_arch(n)->layers; l++)
        for (int p = 0; p < SNC_PARTS; p++) bits |= t.layer[l][p] > 0 ? 1 << l : 0;
    return bits;
}

static int layers_from(int from) { return (1 << LAYERS) - (1 << from); }

/* What the first net says behind the second one, all of a batch and every other text of it. */
static void check_pair(const opened *s, int at, bool alone)
{
    float want[FEW * K], small[FEW * K], got[FEW * K];
    nano_batch x = nano_batch_make(FEW, LEN, 3);
    const size_t C = (size_t)snc_net_arch(s->net[0])->hidden;
    float *h = malloc((size_t)x.t.T * C * sizeof *h);
    assert_int_equal(snc_net_handover(s->net[1], s->net[0]), at);
    assert_ok(snc_net_run(want, s->net[0], &x.t));
    assert_ok(snc_net_run(small, s->net[1], &x.t));
    assert_ok(snc_net_run_state(got, s->net[1], &x.t, &(snc_net_state){.h = h, .keep = true}));
    assert_memory_equal(got, small, sizeof got);
    snc_net_profile(s->net[0], true);
    assert_ok(snc_net_run_state(got, s->net[0], &x.t, &(snc_net_state){.h = h, .from = at}));
    assert_memory_equal(got, want, sizeof got);
    assert_int_equal(ran(s->net[0]), layers_from(at));
    snc_net_profile(s->net[0], false);
    for (int b = 0; b < FEW && alone; b++) {
        const snc_tokens one = nano_batch_slice(&x, b);
        assert_ok(snc_net_run_state(got, s->net[0], &one, &(snc_net_state){.h = h + (size_t)x.offsets[b] * C, .from = at}));
        assert_memory_equal(got, want + (size_t)b * K, K * sizeof *got);
    }
    free(h);
    nano_batch_dispose(&x);
}

static snc_policy mixed(void)
{
    snc_policy p = snc_policy_int8();
    p.linear[0][SNC_SITE_O] = p.linear[3][SNC_SITE_FFN_IN] = SNC_BF16;
    p.linear[1][SNC_SITE_Q] = p.linear[1][SNC_SITE_K] = p.linear[1][SNC_SITE_V] = SNC_BF16;
    p.embed = SNC_BF16;
    return p;
}

/* In every family and dtype, by either context; with a head of its own. */
static void a_larger_net_goes_on_with_the_same_bits(void **state)
{
    const snc_policy policy[] = {snc_policy_int8(), mixed(), snc_policy_uniform(SNC_BF16, SNC_BF16), snc_policy_uniform(SNC_F32, SNC_F32)};
    (void)state;
    for (int f = 0; snc_family_at(f); f++) {
        const bool mean = snc_family_at(f)->rotary;
        snc_model *m = deep_model(snc_family_at(f), mean);
        const snc_arch small = prefix_of(m, 3);
        for (int p = 0; p < (f ? 2 : 4); p++) {
            write_net(0, m, &m->arch, &policy[p], SNC_ROLES, 0);
            write_net(1, m, &small, &policy[p], SNC_ROLE_CLASSIFIER, 0);
            for (int i = 0; i < 2; i++) {
                const snc_ctx ctx = context(i);
                opened s = open_nets(2, &ctx);
                check_pair(&s, mean ? 3 : 2, p < 3 || ctx.backend == SNC_BACKEND_REF); /* sums of F32 may hang on the batch */
                close_nets(&s);
            }
        }
        snc_model_free(m);
    }
}

/* Where layers have no heads or no FFN: the last of the small net's with heads is where all tokens stop. */
static void skipped_halves_are_passed(void **state)
{
    static const int heads[][LAYERS] = {{4, 0, 3, 4, 2}, {4, 3, 0, 4, 2}, {4, 3, 2, 0, 4}, {0, 3, 2, 4, 0}};
    static const int ffn[][LAYERS] = {{88, 40, 0, 88, 24}, {0, 88, 40, 24, 88}, {88, 0, 40, 88, 0}, {40, 0, 24, 0, 88}};
    static const int at[] = {2, 1, 2, 2};
    const snc_policy int8 = snc_policy_int8();
    const snc_ctx ctx = SNC_CTX_INIT;
    (void)state;
    for (int f = 0; f < 2; f++)
        for (int i = 0; i < 4; i++) {
            snc_model *m = deep_model(f ? snc_family_find("modernbert") : &snc_family_bert, false);
            snc_arch a = m->arch, b;
            memcpy(a.heads, heads[i], sizeof heads[i]);
            memcpy(a.ffn, ffn[i], sizeof ffn[i]);
            b = a;
            b.layers = 3;
            write_net(0, m, &a, &int8, SNC_ROLES, 0);
            write_net(1, m, &b, &int8, SNC_ROLES, 0);
            opened s = open_nets(2, &ctx);
            check_pair(&s, at[i], true);
            close_nets(&s);
            snc_model_free(m);
        }
}

/* The layer that net 0 goes on with behind a net of arch b and policy q, whose numbers are its own in one role. */
static int handover_of(const snc_model *m, const snc_arch *b, const snc_policy *q, snc_role own, int layer)
{
    const snc_policy int8 = snc_policy_int8();
    const snc_ctx ctx = SNC_CTX_INIT;
    write_net(0, m, &m->arch, &int8, SNC_ROLES, 0);
    write_net(1, m, b, q, own, layer);
    opened s = open_nets(2, &ctx);
    const int at = snc_net_handover(s.net[1], s.net[0]);
    assert_int_equal(snc_net_handover(s.net[0], s.net[1]), 0);
    close_nets(&s);
    return at;
}

static void what_differs_starts_anew(void **state)
{
    const snc_policy int8 = snc_policy_int8();
    snc_model *m = deep_model(&snc_family_bert, false);
    snc_policy other = int8;
    snc_arch b = prefix_of(m, 3);
    (void)state;
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLES, 0), 2);
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLE_POOLER, 0), 2);
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLE_FFN_IN, 2), 2); /* behind the state */
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLE_FFN_NORM, 1), 2);
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLE_FFN_IN, 1), 0);
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLE_FFN_NORM, 0), 0);
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLE_Q_BIAS, 0), 0);
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLE_WORD, 0), 0);
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLE_EMBED_NORM, 0), 0);
    other.linear[1][SNC_SITE_FFN_OUT] = SNC_BF16;
    assert_int_equal(handover_of(m, &b, &other, SNC_ROLES, 0), 0);
    b.ffn[1] = 80;
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLES, 0), 0);
    b = prefix_of(m, 3);
    b.hidden = 64;
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLES, 0), 0);
    b = prefix_of(m, 3);
    b.source[1] = 2, b.source[2] = 3;
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLES, 0), 0);
    b = prefix_of(m, 1); /* nothing runs for all of its tokens */
    assert_int_equal(handover_of(m, &b, &int8, SNC_ROLES, 0), 0);
    snc_model_free(m);
}

/* ---- a cascade ----------------------------------------------------------------------------------------------------------- */

/* Which layer net k begins with behind the one before, for each of some families: all nested, the two smaller ones, the two larger. */
static const int behind[][NETS] = {{2, 1, 0}, {0, 1, 0}, {2, 0, 0}};

static void write_family(const snc_model *m, int which, const snc_policy *p)
{
    const snc_arch middle = prefix_of(m, 3), least = prefix_of(m, 2);
    write_net(0, m, &m->arch, p, SNC_ROLES, 0);
    write_net(1, m, &middle, p, which == 1 ? SNC_ROLE_FFN_OUT : SNC_ROLE_CLASSIFIER, which == 1 ? 1 : 0);
    write_net(2, m, &least, p, which == 2 ? SNC_ROLE_K : SNC_ROLE_CLASSIFIER, 0);
}

/* Thresholds that a share of the texts reaches; what a plain loop says by them, and who says it. */
static snc_cascade plain_loop(float *want, uint8_t *by, const opened *s, const snc_tokens *x)
{
    static float z[NETS][MANY][K];
    static double sure[NETS][MANY], sorted[MANY];
    snc_cascade c = {.nets = NETS, .temperature = {1, 0.7, 2.5}};
    int count[NETS] = {0};
    for (int k = 0; k < NETS; k++) {
        assert_ok(snc_net_run(z[k][0], s->net[k], x));
        for (int i = 0; i < MANY; i++) sorted[i] = sure[k][i] = snc_cascade_sure(c.rule, z[k][i], K, c.temperature[k]);
        snc_sort(sorted, MANY);
        if (k) c.threshold[k] = sorted[(int)(0.7 * MANY)];
    }
    for (int i = 0; i < MANY; i++) {
        int k = NETS - 1;
        while (k && !(sure[k][i] >= c.threshold[k])) k--;
        memcpy(want + (size_t)i * K, z[k][i], K * sizeof *want);
        by[i] = (uint8_t)k;
        count[k]++;
    }
    for (int k = 0; k < NETS; k++) assert_true(count[k] > 20);
    return c;
}

static void texts_of_any_length_stop_and_go_on(void **state)
{
    static float want[MANY * K], got[MANY * K];
    static uint8_t expected[MANY], by[MANY];
    const snc_policy policy[] = {snc_policy_int8(), mixed()};
    snc_model *m = deep_model(&snc_family_bert, false);
    nano_batch x = nano_batch_make(MANY, LEN, 9);
    (void)state;
    for (int which = 0; which < 3; which++)
        for (int i = 0; i < 2; i++) {
            const snc_ctx ctx = context(i);
            snc_escalation *e;
            write_family(m, which, &policy[i]);
            opened s = open_nets(NETS, &ctx);
            for (int k = 0; k + 1 < NETS; k++) assert_int_equal(snc_net_handover(s.net[k + 1], s.net[k]), behind[which][k]);
            const snc_cascade c = plain_loop(want, expected, &s, &x.t);
            assert_ok(snc_escalation_new(&e, s.net, &c, K, MANY * LEN, MANY));
            assert_ok(snc_escalation_run(got, by, e, &x.t));
            const size_t before = mallinfo2().uordblks;
            for (int k = 0; k < NETS; k++) snc_net_profile(s.net[k], true);
            memset(got, 0, sizeof got);
            assert_ok(snc_escalation_run(got, by, e, &x.t));
            assert_true(mallinfo2().uordblks == before);
            assert_memory_equal(got, want, sizeof got);
            assert_memory_equal(by, expected, sizeof by);
            for (int k = 0; k < NETS; k++) {
                const int from = behind[which][k], all = (1 << snc_net_arch(s.net[k])->layers) - 1;
                assert_int_equal(ran(s.net[k]), from ? all & layers_from(from) : all | 1 << LAYERS);
            }
            snc_escalation_free(e);
            close_nets(&s);
        }
    nano_batch_dispose(&x);
    snc_model_free(m);
}

/* A net that takes no part hands nothing over: the largest goes on from the smallest. */
static void a_net_between_may_take_no_part(void **state)
{
    static float want[MANY * K], got[MANY * K];
    static uint8_t by[MANY];
    const snc_policy int8 = snc_policy_int8();
    const snc_ctx ctx = SNC_CTX_INIT;
    snc_cascade c = {.nets = NETS, .temperature = {1, 1, 1}, .threshold = {0, (double)INFINITY, 1}};
    snc_model *m = deep_model(&snc_family_bert, false);
    nano_batch x = nano_batch_make(MANY, LEN, 9);
    snc_escalation *e;
    (void)state;
    write_family(m, 0, &int8);
    opened s = open_nets(NETS, &ctx);
    assert_ok(snc_net_run(want, s.net[0], &x.t));
    assert_ok(snc_escalation_new(&e, s.net, &c, K, MANY * LEN, MANY));
    for (int k = 0; k < NETS; k++) snc_net_profile(s.net[k], true);
    assert_ok(snc_escalation_run(got, by, e, &x.t));
    assert_memory_equal(got, want, sizeof got);
    assert_int_equal(ran(s.net[0]), layers_from(1));
    assert_int_equal(ran(s.net[1]), 0);
    snc_escalation_free(e);
    close_nets(&s);
    nano_batch_dispose(&x);
    snc_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_larger_net_goes_on_with_the_same_bits),
        cmocka_unit_test(skipped_halves_are_passed),
        cmocka_unit_test(what_differs_starts_anew),
        cmocka_unit_test(texts_of_any_length_stop_and_go_on),
        cmocka_unit_test(a_net_between_may_take_no_part),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
