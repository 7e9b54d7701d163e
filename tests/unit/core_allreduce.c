/* What ranks exchange: everything arrives at every rank, sums have the same bits, and a rank that is silent is named. */
#include <math.h>
#include <stdio.h>

#include "base/duty.h"
#include "base/mem.h"
#include "check.h"
#include "core/allreduce.h"
#include "core/dtype.h"
#include "toy_ranks.h"

enum { MANY = 100003 };

/* cmocka's own assertions jump, which only its own thread may do: a rank notes what went wrong. */
typedef struct note {
    const char *what;
    int line;
} note;
#define HOLD(n, cond)                                                \
    do {                                                             \
        if (!(cond)) *(n) = (note){.what = #cond, .line = __LINE__}; \
    } while (0)

static void check(const note *n, int size)
{
    if (n->what) fail_msg("%d ranks, line %d: %s", size, n->line, n->what);
}

static void exchanges(snc_comm *c, void *user)
{
    note *n = user;
    double few[3] = {c->rank + 1, 0.5, -c->rank};
    int word = c->rank == 0 ? 42 : 0;
    int all[2 * TOY_RANKS_MOST] = {0};
    size_t at[TOY_RANKS_MOST + 1] = {0};
    char *large;
    HOLD(n, snc_comm_share(c, &word, sizeof word, false) == SNC_OK && word == 42);
    HOLD(n, snc_comm_sum_doubles(c, few, 3) == SNC_OK);
    HOLD(n, few[0] == c->size * (c->size + 1) / 2.0 && few[1] == 0.5 * c->size && few[2] == -c->size * (c->size - 1) / 2.0);
    for (int r = 0; r < c->size; r++) at[r + 1] = at[r] + sizeof *all * (size_t)(r == 1 ? 2 : r == 2 ? 0 : 1); /* parts of any size */
    for (size_t i = at[c->rank] / sizeof *all; i < at[c->rank + 1] / sizeof *all; i++) all[i] = 100 + (int)i;
    HOLD(n, snc_comm_gather(c, all, at) == SNC_OK);
    for (size_t i = 0; i < at[c->size] / sizeof *all; i++) HOLD(n, all[i] == 100 + (int)i);
    HOLD(n, snc_alloc(&large, MANY, 1) == SNC_OK);
    for (int i = 0; i < MANY && c->rank == 0; i++) large[i] = (char)(i * 7);
    HOLD(n, snc_comm_share(c, large, MANY, true) == SNC_OK);
    for (int i = 0; i < MANY; i++) HOLD(n, large[i] == (char)(i * 7));
    snc_free(large);
}

static void everything_arrives_everywhere(void **state)
{
    (void)state;
    for (int size = 1; size <= TOY_RANKS_MOST; size++) {
        note n = {0};
        const int messages = toy_ranks(size, exchanges, &n);
        check(&n, size);
        assert_true(size == 1 ? messages == 0 : messages > 0);
    }
}

static void one_error_is_everyones(snc_comm *c, void *user)
{
    note *n = user;
    snc_err mine = c->rank == 2 ? snc_err_set(SNC_E_NOMEM, "no memory for %d bytes", 7) : SNC_OK;
    HOLD(n, snc_comm_agree(c, mine) == (c->size > 2 ? SNC_E_NOMEM : SNC_OK));
    HOLD(n, c->size <= 2 || strcmp(snc_err_text(), c->rank == 2 ? "no memory for 7 bytes" : "rank 2: no memory for 7 bytes") == 0);
    HOLD(n, snc_comm_agree(c, SNC_OK) == SNC_OK);
}

static void an_error_of_one_is_that_of_all(void **state)
{
    (void)state;
    for (int size = 1; size <= 4; size++) {
        note n = {0};
        toy_ranks(size, one_error_is_everyones, &n);
        check(&n, size);
    }
}

static float number(int rank, int64_t i) { return sinf((float)(i * 13 + rank * 7)) * expf((float)((i + rank) % 40 - 20)); }

typedef struct sums {
    note n;
    bool half;
    float *whole[2]; /* of rank 0, and of the last one */
} sums;

/* Three buckets under way at a time, one of them without a number, in two rounds. */
static void add_up(snc_comm *c, void *user)
{
    sums *s = user;
    static const size_t n[] = {MANY, 0, 5};
    snc_ctx ctx = SNC_CTX_INIT;
    snc_allreduce *a = NULL;
    float *x[3];
    HOLD(&s->n, snc_allreduce_new(&a, &ctx, c, 3, s->half) == SNC_OK);
    for (int k = 0; k < 3; k++) HOLD(&s->n, snc_alloc(&x[k], n[k], sizeof(float)) == SNC_OK);
    for (int round = 0; round < 2; round++) {
        for (int k = 0; k < 3; k++) {
            for (size_t i = 0; i < n[k]; i++) x[k][i] = number(c->rank, (int64_t)i + k);
            HOLD(&s->n, snc_allreduce_start(a, x[k], n[k]) == SNC_OK);
            HOLD(&s->n, snc_allreduce_go_on(a) == SNC_OK);
        }
        HOLD(&s->n, snc_allreduce_finish(a) == SNC_OK);
    }
    for (size_t i = 0; i < n[2]; i++) {
        double want = 0;
        for (int r = 0; r < c->size; r++) want += (double)number(r, (int64_t)i + 2);
        HOLD(&s->n, fabs((double)x[2][i] - want) <= (s->half ? 0.02 * c->size : 1e-6) * (fabs(want) + exp(20)));
    }
    if (c->rank == 0 || c->rank == c->size - 1) memcpy(s->whole[c->rank > 0], x[0], MANY * sizeof(float));
    for (int k = 0; k < 3; k++) snc_free(x[k]);
    snc_allreduce_free(a);
}

static void sums_have_the_same_bits_on_every_rank(void **state)
{
    (void)state;
    sums s = {.half = false};
    for (int i = 0; i < 2; i++) assert_int_equal(snc_alloc(&s.whole[i], MANY, sizeof(float)), SNC_OK);
    for (int size = 1; size <= 4; size++)
        for (int half = 0; half < 2; half++) {
            s.half = half;
            toy_ranks(size, add_up, &s);
            check(&s.n, size);
            if (size > 1) assert_memory_equal(s.whole[0], s.whole[1], MANY * sizeof(float));
            for (int64_t i = 0; i < MANY; i += 997) { /* in the order of ranks, in f32 */
                float want = 0;
                for (int r = 0; r < size; r++) {
                    const float v = number(r, i), sent = half && size > 1 ? snc_bf16_to_f32(snc_bf16_from_f32(v)) : v;
                    want = r ? want + sent : sent;
                }
                if (half && size > 1) want = snc_bf16_to_f32(snc_bf16_from_f32(want));
                assert_true(s.whole[0][i] == want);
            }
        }
    for (int i = 0; i < 2; i++) snc_free(s.whole[i]);
}

/* Rank 1 never comes. */
static void one_is_silent(snc_comm *c, void *user)
{
    note *n = user;
    float x[64] = {0};
    snc_ctx ctx = SNC_CTX_INIT;
    snc_allreduce *a = NULL;
    c->patience = 0.05;
    if (c->rank == 1) return;
    HOLD(n, snc_allreduce_new(&a, &ctx, c, 1, false) == SNC_OK && snc_allreduce_start(a, x, 64) == SNC_OK);
    HOLD(n, snc_allreduce_finish(a) == SNC_E_IO && strstr(snc_err_text(), "rank 1 has not answered rank "));
    HOLD(n, c->failed);
    snc_allreduce_free(a);
    if (c->rank == 0) HOLD(n, snc_comm_sum_doubles(c, &(double){1}, 1) == SNC_E_IO && strstr(snc_err_text(), "gone"));
    HOLD(n, snc_comm_agree(c, SNC_E_IO) == SNC_E_IO); /* which waits for nobody */
}

static void a_silent_rank_is_named(void **state)
{
    (void)state;
    note n = {0};
    toy_ranks(2, one_is_silent, &n);
    check(&n, 2);
}

/* ---- duties ----------------------------------------------------------------------------------------------------------- */

static snc_err add_numbers(const snc_ctx *ctx, snc_parcel *said)
{
    double x;
    const char *text, *nothing = "";
    SNC_TRY(snc_parcel_take(&x, said, sizeof x));
    SNC_TRY(snc_parcel_take_text(&text, said));
    SNC_TRY(snc_parcel_take_text(&nothing, said));
    if (strcmp(text, "of ranks") != 0 || nothing) return snc_err_set(SNC_E_FORMAT, "another text");
    x *= ctx->comm->rank;
    SNC_TRY(snc_comm_sum_doubles(ctx->comm, &x, 1));
    return snc_parcel_take(&x, said, 1) == SNC_E_FORMAT ? SNC_OK : SNC_E_FORMAT; /* there is no more */
}
static const snc_duty add_duty = {"add", add_numbers};

static void call_and_attend(snc_comm *c, void *user)
{
    static const snc_duty *const duties[] = {&add_duty};
    note *n = user;
    snc_ctx ctx = SNC_CTX_INIT;
    ctx.comm = c;
    c->patience = 5;
    if (c->rank > 0) {
        HOLD(n, snc_duty_attend(&ctx, duties, 1) == SNC_E_UNSUPPORTED && c->failed);
        HOLD(n, strstr(snc_err_text(), "asks for 'multiply'"));
        return;
    }
    for (int i = 0; i < 3; i++) {
        snc_parcel p = {0};
        double x = i, sum = 0;
        snc_parcel_put(&p, &x, sizeof x);
        snc_parcel_put_text(&p, "of ranks");
        snc_parcel_put_text(&p, NULL);
        HOLD(n, snc_duty_call(c, "add", &p) == SNC_OK && !p.p);
        HOLD(n, snc_comm_sum_doubles(c, &sum, 1) == SNC_OK && sum == i * c->size * (c->size - 1) / 2.0);
    }
    snc_parcel p = {0};
    HOLD(n, snc_duty_call(c, "multiply", &p) == SNC_OK);
}

static void duties_are_called_by_name(void **state)
{
    (void)state;
    for (int size = 2; size <= 4; size += 2) {
        note n = {0};
        toy_ranks(size, call_and_attend, &n);
        check(&n, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_everywhere),
        cmocka_unit_test(an_error_of_one_is_that_of_all),
        cmocka_unit_test(sums_have_the_same_bits_on_every_rank),
        cmocka_unit_test(a_silent_rank_is_named),
        cmocka_unit_test(duties_are_called_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
