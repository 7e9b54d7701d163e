/* Schedule values and losses: central differences, unlabelled rows, extreme logits. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/rng.h"
#include "check.h"
#include "train/loss.h"
#include "train/schedule.h"

enum { B = 5, K = 4 };
static const double GRAD_TOL = 2e-6; /* measured 4e-7 */
static const double of_class[K] = {0.5, 2.5, 1, 0.125};
/* Softmax losses are summed in double from f32 logits: a small step. Squares have no third derivative: a large one. */
static const double steps[] = {1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 0.125, 0.125};
/* Sets of labels: all, none, one, two; rows number them. */
static const double of_label[2 * K] = {0.5, 2.5, 1, 1, 0.25, 4, 3, 0.125};
static uint8_t has[4 * K] = {1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1};
static const snc_sets sets = {.n = 4, .K = K, .has = has};

typedef struct input {
    float z[B * K], q[B * K], y[B], score[B];
} input;

static void fill(input *in)
{
    snc_rng r;
    snc_rng_init(&r, 5, 5);
    for (int i = 0; i < B * K; i++) {
        in->z[i] = (float)(2 * snc_rng_normal(&r));
        in->q[i] = (float)(2 * snc_rng_normal(&r));
    }
    for (int i = 0; i < B; i++) in->y[i] = (float)snc_rng_below(&r, K);
    in->y[2] = NAN;
    for (int i = 0; i < B; i++) in->score[i] = i == 2 ? NAN : (float)snc_rng_uniform(&r);
}

enum { CE, WEIGHTED_CE, KL, BCE, WEIGHTED_BCE, KL_LABELS, SCORE, COSINE, MSE, HIDDEN, LOSSES };

static double loss_of(int which, float *d, const input *in, double weight)
{
    switch (which) {
    case CE: return snc_loss_ce(d, in->z, in->y, B, K, NULL, weight);
    case WEIGHTED_CE: return snc_loss_ce(d, in->z, in->y, B, K, of_class, weight);
    case KL: return snc_loss_kl(d, in->z, in->q, B, K, 3.0, weight);
    case BCE: return snc_loss_bce(d, in->z, in->y, &sets, B, NULL, weight);
    case WEIGHTED_BCE: return snc_loss_bce(d, in->z, in->y, &sets, B, of_label, weight);
    case KL_LABELS: return snc_loss_kl_labels(d, in->z, in->q, B, K, 3.0, weight);
    case SCORE: return snc_loss_score(d, in->z, in->score, B, weight);
    case COSINE: return snc_loss_cosine(d, in->z, in->q, B, K, weight);
    case MSE: return snc_loss_mse(d, in->z, in->y, B, weight);
    default: return snc_loss_hidden(d, in->z, K, in->q, K, B, K, weight);
    }
}

static void gradients_match_central_differences(void **state)
{
    (void)state;
    for (int which = 0; which < LOSSES; which++) {
        input in;
        float d[B * K];
        fill(&in);
        for (int i = 0; i < B * K; i++) d[i] = 1.0f; /* backward accumulates */
        loss_of(which, d, &in, 0.7);
        int n = which == MSE ? B : B * K;
        for (int i = 0; i < n; i++) {
            float keep = in.z[i];
            in.z[i] = keep + (float)steps[which];
            double up = loss_of(which, NULL, &in, 0.7), width = (double)in.z[i];
            in.z[i] = keep - (float)steps[which];
            double down = loss_of(which, NULL, &in, 0.7);
            width -= (double)in.z[i];
            in.z[i] = keep;
            assert_true(fabs((double)d[i] - 1 - 0.7 * (up - down) / width) <= GRAD_TOL);
        }
    }
}

/* Relations of M vectors to N others, the teacher's in wider rows; `alike`: to themselves, one block of gradients. */
enum { M = 3, N = 5, WIDTH = 7, LDA = 9, LDT = 11 };

typedef struct related {
    float a[N * LDA], b[N * LDA], t[N * LDT], u[N * LDT];
} related;

static double relation_of(related *in, float *da, float *db, bool alike, double weight)
{
    double scratch[2 * N];
    const snc_relation r = {.a = in->a,
                            .b = alike ? in->a : in->b,
                            .t = in->t,
                            .u = alike ? in->t : in->u,
                            .da = da,
                            .db = alike ? da : db,
                            .lda = LDA,
                            .ldt = LDT,
                            .m = alike ? N : M,
                            .n = N,
                            .width = WIDTH};
    return snc_loss_relation(&r, scratch, weight);
}

static void relations_match_central_differences(void **state)
{
    (void)state;
    snc_rng rng;
    related in;
    float *all = (float *)&in;
    snc_rng_init(&rng, 6, 6);
    for (size_t i = 0; i < sizeof in / sizeof *all; i++) all[i] = (float)snc_rng_normal(&rng);
    for (int alike = 0; alike < 2; alike++) {
        float d[2][N * LDA] = {{0}};
        assert_true(relation_of(&in, d[0], d[1], alike, 0.7) > 0.1);
        for (int block = 0; block < 2 - alike; block++)
            for (int i = 0; i < N * LDA; i++) {
                float *x = block ? &in.b[i] : &in.a[i], keep = *x;
                *x = keep + 0.01f;
                double up = relation_of(&in, NULL, NULL, alike, 1);
                *x = keep - 0.01f;
                double down = relation_of(&in, NULL, NULL, alike, 1);
                *x = keep;
                const double by = 0.7 * (up - down) / 0.02;
                if (fabs((double)d[block][i] - by) > 1e-4)
                    fail_msg("block %d, %d: %g, %g by differences", block, i, (double)d[block][i], by);
                if (i % LDA >= WIDTH || (!alike && block == 0 && i / LDA >= M)) assert_true(d[block][i] == 0.0f);
            }
    }
    /* The same vectors have the same relations: nothing to learn. */
    for (int i = 0; i < N; i++)
        for (int k = 0; k < WIDTH; k++) in.t[i * LDT + k] = in.a[i * LDA + k];
    float d[N * LDA] = {0};
    assert_true(fabs(relation_of(&in, d, d, true, 1)) < 1e-12);
    for (int i = 0; i < N * LDA; i++) assert_true(fabs((double)d[i]) < 1e-7);
}

/* A row of a class counts as often as its weight says: as if it stood there so many times. */
static void a_class_weight_is_a_number_of_rows(void **state)
{
    (void)state;
    static const double twice[K] = {1, 2, 1, 0};
    input in;
    float d[B * K] = {0}, one[B * K] = {0};
    fill(&in);
    const float y[B] = {0, 1, 2, 3, 0};
    double sum = 0, weighted = snc_loss_ce(d, in.z, y, B, K, twice, 1.0);
    for (int b = 0; b < B; b++) {
        double times = twice[(int)y[b]];
        sum += times * snc_loss_ce(one + b * K, in.z + b * K, y + b, 1, K, NULL, 1.0) / B;
        for (int k = 0; k < K; k++) assert_true(fabs((double)d[b * K + k] - times * (double)one[b * K + k] / B) < 1e-7);
    }
    assert_true(fabs(sum - weighted) < 1e-12);
}

/* Two classes of logits 0 and z are one label of logit z: each label's loss is that cross entropy, and its divergence that KL. */
static void a_label_is_a_task_of_two_classes(void **state)
{
    (void)state;
    input in;
    fill(&in);
    const float y[B] = {0, 1, 2, 3, 2};
    double ce = 0, kl = 0;
    for (int b = 0; b < B; b++)
        for (int k = 0; k < K; k++) {
            const float z[2] = {0, in.z[b * K + k]}, q[2] = {0, in.q[b * K + k]}, is = (float)has[(int)y[b] * K + k];
            ce += snc_loss_ce(NULL, z, &is, 1, 2, of_label + 2 * k, 1.0) / (B * K);
            kl += snc_loss_kl(NULL, z, q, 1, 2, 3.0, 1.0) / (B * K);
        }
    assert_true(fabs(snc_loss_bce(NULL, in.z, y, &sets, B, of_label, 1.0) - ce) < 1e-9);
    assert_true(fabs(snc_loss_kl_labels(NULL, in.z, in.q, B, K, 3.0, 1.0) - kl) < 1e-9);
}

/* What is learnt by is the same of a score that is surely 0 or 1 and of a label that is there or not; a teacher's score is its label's. */
static void a_sure_score_is_a_label(void **state)
{
    (void)state;
    input in;
    fill(&in);
    static uint8_t one[] = {0, 1};
    const snc_sets of = {.n = 2, .K = 1, .has = one};
    const float y[B] = {0, 1, 1, 0, 1};
    float a[B] = {0}, b[B] = {0};
    const snc_loss_labels labels = {.problem = SNC_MEANS_SCORE, .target = y};
    assert_true(fabs(snc_loss_hard(a, in.z, &labels, B, 1, 0.7) - snc_loss_bce(b, in.z, y, &of, B, NULL, 0.7)) < 1e-9);
    assert_true(snc_loss_soft(a, in.z, in.q, SNC_MEANS_SCORE, B, 1, 2, 1) == snc_loss_kl_labels(b, in.z, in.q, B, 1, 2, 1));
    for (int i = 0; i < B; i++) assert_true(fabs((double)a[i] - (double)b[i]) < 1e-7);
}

static void an_unlabelled_row_has_no_hard_gradient_and_keeps_the_soft_one(void **state)
{
    (void)state;
    input in;
    float hard[B * K] = {0}, soft[B * K] = {0};
    fill(&in);
    double loss = snc_loss_ce(hard, in.z, in.y, B, K, NULL, 1.0);
    assert_true(isfinite(loss));
    for (int k = 0; k < K; k++) assert_true(hard[2 * K + k] == 0.0f);
    assert_true(hard[0] != 0.0f);
    snc_loss_kl(soft, in.z, in.q, B, K, 1.0, 1.0);
    assert_true(soft[2 * K] != 0.0f);
}

static void extreme_logits_stay_finite_and_nan_is_seen(void **state)
{
    (void)state;
    const float z[] = {1e4f, -1e4f, 3e4f, 0.0f}, y[] = {1, 0}, nan_first[] = {NAN, 0}, nan_second[] = {0, NAN}, one[] = {0};
    float d[4] = {0};
    double loss = snc_loss_ce(d, z, y, 2, 2, NULL, 1.0);
    assert_true(isfinite(loss) && loss > 9000);
    for (int i = 0; i < 4; i++) assert_true(isfinite((double)d[i]));
    assert_true(isfinite(snc_loss_kl(d, z, z, 2, 2, 0.5, 1.0)));
    const float far[] = {0, 2};
    const snc_sets pairs = {.n = 3, .K = 2, .has = (uint8_t[]){0, 1, 1, 0, 1, 1}};
    loss = snc_loss_bce(d, z, far, &pairs, 2, NULL, 1.0);
    assert_true(isfinite(loss) && loss > 4000);
    for (int i = 0; i < 4; i++) assert_true(isfinite((double)d[i]));
    assert_true(isfinite(snc_loss_kl_labels(NULL, z, far, 1, 2, 0.5, 1.0)));
    assert_true(isnan(snc_loss_bce(NULL, nan_second, one, &pairs, 1, NULL, 1.0)));
    assert_true(isnan(snc_loss_ce(NULL, nan_first, one, 1, 2, NULL, 1.0)));
    assert_true(isnan(snc_loss_ce(NULL, nan_second, one, 1, 2, NULL, 1.0)));
}

static void equal_distributions_have_no_divergence(void **state)
{
    (void)state;
    input in;
    float d[B * K] = {0};
    fill(&in);
    assert_true(fabs(snc_loss_kl(d, in.z, in.z, B, K, 2.0, 1.0)) < 1e-12);
    assert_true(fabs(snc_loss_kl_labels(d, in.z, in.z, B, K, 2.0, 1.0)) < 1e-12);
    for (int i = 0; i < B * K; i++) assert_true(fabs((double)d[i]) < 1e-7);
}

static void the_schedule_warms_up_and_decays_linearly(void **state)
{
    (void)state;
    snc_schedule s = {.lr = 8.0, .total = 100, .warmup = 0.1};
    assert_int_equal(snc_schedule_check(&s), SNC_OK);
    assert_true(snc_schedule_lr(&s, 0) == 0);
    assert_true(fabs(snc_schedule_lr(&s, 5) - 4) < 1e-12);
    assert_true(fabs(snc_schedule_lr(&s, 10) - 8) < 1e-12);
    assert_true(fabs(snc_schedule_lr(&s, 55) - 4) < 1e-12);
    assert_true(snc_schedule_lr(&s, 100) == 0 && snc_schedule_lr(&s, 1000) == 0);
    s.warmup = 0;
    assert_true(snc_schedule_lr(&s, 0) == 8);
    s.warmup = 1;
    assert_true(isfinite(snc_schedule_lr(&s, 100)));
    s.warmup = 1.5;
    assert_int_equal(snc_schedule_check(&s), SNC_E_ARG);
    s = (snc_schedule){.lr = NAN, .total = 1};
    assert_int_equal(snc_schedule_check(&s), SNC_E_ARG);
}

static void a_shortened_schedule_still_ends_at_zero(void **state)
{
    (void)state;
    snc_schedule s = {.lr = 8.0, .total = 100, .warmup = 0.1};
    snc_schedule_shorten(&s, 55, 75); /* where the rate is 4 */
    assert_true(snc_schedule_lr(&s, 55) == 4 && snc_schedule_lr(&s, 65) == 2 && snc_schedule_lr(&s, 75) == 0);
    snc_schedule_shorten(&s, 65, 67);
    assert_true(snc_schedule_lr(&s, 65) == 2 && snc_schedule_lr(&s, 66) == 1 && snc_schedule_lr(&s, 67) == 0);
    s = (snc_schedule){.lr = 8.0, .total = 100, .warmup = 0.1};
    const snc_schedule planned = {.lr = 8.0, .total = 40, .warmup = 0.1};
    snc_schedule_shorten(&s, 6, 40); /* in its warm-up */
    for (int i = 0; i <= 40; i++) assert_true(snc_schedule_lr(&s, i) == snc_schedule_lr(&planned, i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_central_differences),
        cmocka_unit_test(relations_match_central_differences),
        cmocka_unit_test(a_class_weight_is_a_number_of_rows),
        cmocka_unit_test(a_label_is_a_task_of_two_classes),
        cmocka_unit_test(a_sure_score_is_a_label),
        cmocka_unit_test(an_unlabelled_row_has_no_hard_gradient_and_keeps_the_soft_one),
        cmocka_unit_test(extreme_logits_stay_finite_and_nan_is_seen),
        cmocka_unit_test(equal_distributions_have_no_divergence),
        cmocka_unit_test(the_schedule_warms_up_and_decays_linearly),
        cmocka_unit_test(a_shortened_schedule_still_ends_at_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
