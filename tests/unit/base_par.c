/* Every chunk runs once, by whichever worker, and none waits for a worker that is held up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/par.h"

enum { MOST = 5000, TEAM = 200 /* more than one call takes */ };

typedef struct seen {
    atomic_int times[MOST], wrong, busy[TEAM];
    int64_t n, grain;
} seen;

static void count(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    seen *s = payload;
    int64_t last = begin + s->grain < s->n ? begin + s->grain : s->n;
    if (begin != chunk * s->grain || end != last || worker < 0 || worker >= TEAM) atomic_fetch_add(&s->wrong, 1);
    else if (atomic_fetch_add(&s->busy[worker], 1) != 0) atomic_fetch_add(&s->wrong, 1); /* its scratch is in use */
    for (int64_t i = begin; i < end; i++) atomic_fetch_add(&s->times[i], 1);
    if (worker >= 0 && worker < TEAM) atomic_fetch_sub(&s->busy[worker], 1);
}

static void every_chunk_runs_once(void **state)
{
    static const int threads[] = {1, 2, 3, 8, 64, TEAM};
    static const int64_t sizes[] = {0, 1, 2, 7, 64, 1000, MOST}, grains[] = {0, 1, 3, 64, MOST};
    static seen s;
    (void)state;
    for (int t = 0; t < 6; t++)
        for (int i = 0; i < 7; i++)
            for (int g = 0; g < 5; g++) {
                snc_ctx ctx = {.threads = threads[t]};
                memset(&s, 0, sizeof s);
                s.n = sizes[i], s.grain = grains[g] ? grains[g] : 1;
                snc_par_for(&ctx, sizes[i], grains[g], count, &s);
                assert_int_equal(atomic_load(&s.wrong), 0);
                for (int k = 0; k < MOST; k++) assert_int_equal(atomic_load(&s.times[k]), k < sizes[i]);
            }
}

/* As in a parallel region of the program's own: one thread comes where eight are asked for. */
static void a_team_that_comes_smaller_does_all(void **state)
{
    static seen s;
    (void)state;
    memset(&s, 0, sizeof s);
    s.n = 64, s.grain = 1;
#ifdef _OPENMP
#pragma omp parallel num_threads(2)
#pragma omp single
#endif
    {
        snc_ctx ctx = {.threads = 100};
        snc_par_for(&ctx, s.n, s.grain, count, &s);
    }
    assert_int_equal(atomic_load(&s.wrong), 0);
    for (int k = 0; k < 64; k++) assert_int_equal(atomic_load(&s.times[k]), 1);
}

enum { CHUNKS = 16 };

/* The first chunk is done when all others are: its worker's own run among them. */
static void hold_up(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    atomic_int *others = payload;
    double until = snc_now() + 20;
    (void)end, (void)chunk, (void)worker;
    if (begin > 0) atomic_fetch_add(others, 1);
    else
        while (atomic_load(others) < CHUNKS - 1 && snc_now() < until) {}
}

static void others_help_one_that_is_held_up(void **state)
{
    snc_ctx ctx = {.threads = 2};
    atomic_int others = 0;
    double t0 = snc_now();
    (void)state;
#ifndef _OPENMP
    skip();
#endif
    snc_par_for(&ctx, CHUNKS, 1, hold_up, &others);
    assert_true(snc_now() - t0 < 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chunk_runs_once),
        cmocka_unit_test(a_team_that_comes_smaller_does_all),
        cmocka_unit_test(others_help_one_that_is_held_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
