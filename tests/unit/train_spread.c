/* How each path sampler's nets are spread: a sampler without a row here fails. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "unit/sampler_run.h"
#include "unit/train_support.h"

typedef int64_t counts[SNC_MAX_GENES][SNC_MAX_OPTIONS];

/* Options of shapes that the net has: of layers that it has not, none. */
static void count(counts c, const snc_space *s, const snc_arch *a)
{
    snc_cfg cfg;
    assert_true(snc_cfg_of_arch(&cfg, s, a));
    c[0][cfg.o[0]]++;
    c[1][cfg.o[1]]++;
    for (int i = 0; i < a->layers; i++)
        for (int k = 0, g = snc_space_layer(s, a->source[i]); k < 2; k++, g++) c[g][cfg.o[g]]++;
}

/* Whether options of a gene are equally likely: chi-square within four of its deviations. */
static void assert_uniform(const int64_t *n, int options, const char *of)
{
    double all = 0, chi = 0;
    for (int i = 0; i < options; i++) all += (double)n[i];
    for (int i = 0; i < options; i++) chi += pow((double)n[i] - all / options, 2) * options / all;
    if (options > 1 && !(chi < options - 1 + 4 * sqrt(2.0 * (options - 1)))) fail_msg("%s: chi-square %g of %d options", of, chi, options);
}

/* The nets that `random` stands for: behind the largest, and the smallest where it is drawn. */
static int first_random(const run *r) { return r->n - (r->kind->largest_alone ? 0 : r->kind->random_nets); }

static void expect_uniform(const snc_sampler_kind *kind, const snc_space *s)
{
    run r = start(kind, s, SEED);
    static counts c;
    memset(c, 0, sizeof c);
    for (; r.step < 8 * STEPS; tell(&r)) {
        draw(&r);
        assert_int_equal(r.n - first_random(&r), kind->random_nets);
        for (int i = first_random(&r); i < r.n; i++) count(c, s, &r.nets[i]);
    }
    for (int g = 0; g < s->genes; g++)
        if (s->gene[g].kind != SNC_GENE_DTYPE) assert_uniform(c[g], s->gene[g].n, kind->name);
    snc_sampler_free(r.sampler);
}

/* Of every gene, after any number of nets, no two options differ by more than one turn. */
static void expect_turns(const snc_sampler_kind *kind, const snc_space *s)
{
    run r = start(kind, s, SEED);
    static counts c;
    memset(c, 0, sizeof c);
    for (; r.step < STEPS; tell(&r)) {
        draw(&r);
        for (int i = 0; i < r.n; i++) {
            count(c, s, &r.nets[i]);
            for (int g = 0; g < s->genes; g++) {
                int64_t least = INT64_MAX, most = 0;
                for (int k = 0; k < s->gene[g].n; k++) {
                    least = c[g][k] < least ? c[g][k] : least;
                    most = c[g][k] > most ? c[g][k] : most;
                }
                assert_true(s->gene[g].kind == SNC_GENE_DTYPE || most - least <= 1);
            }
        }
    }
    snc_sampler_free(r.sampler);
}

/* The share of multiply-adds that it aims at, within `width` of it but for one in `rare`. */
static void expect_near(const snc_sampler_kind *kind, const snc_space *s)
{
    run r = start(kind, s, SEED);
    int off = 0, all = 0;
    for (; r.step < STEPS; tell(&r)) {
        draw(&r);
        for (int i = 1; i < r.n; i++, all++) off += !(fabs(share_of(&shape, &r.nets[i]) - 0.5) <= 0.1);
    }
    assert_true(all == STEPS * kind->random_nets && off * 50 <= all);
    snc_sampler_free(r.sampler);
}

/* From a tenth under the share that it aims at to the share, whatever that is. */
static void expect_at_most(const snc_sampler_kind *kind, const snc_space *s)
{
    for (int tenths = 1; tenths < 10; tenths += 2) {
        const double share = tenths / 10.0 + 0.05;
        snc_sampler_opts o = opts_of(kind, SEED);
        run r = {.kind = kind, .s = s, .seed = SEED};
        int off = 0, depths = 0;
        o.near = share;
        assert_int_equal(snc_sampler_create(&r.sampler, kind, s, &o), SNC_OK);
        for (; r.step < STEPS / 4; tell(&r)) {
            draw(&r);
            for (int i = 1; i < r.n; i++) {
                const double is = share_of(&shape, &r.nets[i]);
                off += is > share || is < share - 0.1;
                depths |= 1 << r.nets[i].layers;
            }
        }
        if (!(off <= 1 && (share > 0.8 || (depths & (depths - 1))))) fail_msg("%g: %d outside, depths %x", share, off, (unsigned)depths);
        snc_sampler_free(r.sampler);
    }
}

/* The share of nets of each budget, from equal parts of the costs that there are. */
static void count_budgets(double share[4], const run *r)
{
    snc_arch smallest;
    snc_space_smallest(&smallest, r->s);
    const double least = share_of(&shape, &smallest);
    for (int i = first_random(r); i < r->n; i++) {
        const int b = (int)((share_of(&shape, &r->nets[i]) - least) / (1 - least) * 4 - 1e-9);
        share[b < 0 ? 0 : b > 3 ? 3 : b]++;
    }
}

/* What is shut is the largest option, what is open has every one; each stage opens a kind more. */
static void expect_stages(const snc_sampler_kind *kind, const snc_space *s)
{
    static const snc_gene_kind order[] = {SNC_GENE_DEPTH, SNC_GENE_FFN, SNC_GENE_HEADS, SNC_GENE_HIDDEN};
    run r = start(kind, s, SEED);
    for (int stage = 0; stage < 5; stage++) {
        static counts c;
        memset(c, 0, sizeof c);
        for (int first = r.step; r.step < (stage + 1) * STEPS / 5; tell(&r)) {
            draw(&r);
            assert_int_equal(r.n, stage == 0 ? 1 : 1 + kind->random_nets);
            for (int i = 1; i < r.n; i++) count(c, s, &r.nets[i]);
            for (int g = 0; g < s->genes && r.step == first; g++) /* two options to begin with */
                for (int k = 0; k < s->gene[g].n - 2 && s->gene[g].kind == order[stage ? stage - 1 : 0]; k++) assert_true(c[g][k] == 0);
        }
        for (int g = 0; g < s->genes && stage > 0; g++) {
            int used = 0, open = 0;
            for (int k = 0; k < s->gene[g].n; k++) used += c[g][k] > 0;
            for (int k = 0; k < stage; k++) open += order[k] == s->gene[g].kind;
            if (s->gene[g].kind != SNC_GENE_DTYPE) assert_int_equal(used, open ? s->gene[g].n : 1);
        }
    }
    snc_sampler_free(r.sampler);
}

static double of_first_heads(const run *r, const snc_arch *a)
{
    (void)r;
    return a->heads[0] == 6 ? 0.2 : 0.6;
}

/* Budgets are equally likely; pools fill with nets of the least loss, and are what is drawn from at the end. */
static void expect_pools(const snc_sampler_kind *kind, const snc_space *s)
{
    run r = start(kind, s, SEED);
    double budgets[4] = {0};
    int early = 0, late = 0;
    char said[1024];
    snc_arch smallest;
    snc_space_smallest(&smallest, s);
    r.loss = of_first_heads;
    for (int k = 0; k < 10; k++) /* every tenth part of the run, often enough to fill pools */
        for (r.step = k * STEPS / 10; r.step < (k + 1) * STEPS / 10;) {
            const int at = r.step;
            for (int again = 0; again < 8; again++) {
                r.step = at;
                r.seed = SEED + (uint64_t)again;
                draw(&r);
                assert_true(snc_arch_equal(&r.nets[1], &smallest));
                count_budgets(budgets, &r);
                *(k == 0 ? &early : k == 9 ? &late : &(int){0}) += r.nets[2].heads[0] == 6;
                tell(&r);
            }
        }
    for (int b = 0; b < 4; b++) assert_true(fabs(budgets[b] / (8 * STEPS) - 0.25) < 0.05);
    if (!(early < 0.4 * 8 * STEPS / 10 && late > 0.6 * 8 * STEPS / 10)) fail_msg("%d and %d of %d", early, late, 8 * STEPS / 10);
    assert_true(snc_sampler_say(said, sizeof said, r.sampler));
    assert_true(strstr(said, "to 1.00 50 (") && strstr(said, "nets in each pool"));
    snc_sampler_free(r.sampler);
}

/* Nets of the least budget get better all the time, others do not. */
static double falls_when_small(const run *r, const snc_arch *a) { return share_of(&shape, a) < 0.3 ? 2 - (double)r->step / STEPS : 0.3; }

/* Equal budgets while they are frozen; then more of the one whose loss falls, and of none less than its part of the floor. */
static void expect_shift(const snc_sampler_kind *kind, const snc_space *s)
{
    run r = start(kind, s, SEED);
    double frozen[4] = {0}, last[4] = {0};
    r.loss = falls_when_small;
    for (; r.step < STEPS; tell(&r)) {
        const int at = r.step;
        for (int again = 0; again < 8; again++) { /* what would be drawn, of more seeds */
            r.seed = SEED + (uint64_t)again;
            draw(&r);
            if (r.step < STEPS / 6) count_budgets(frozen, &r);
            else if (r.step >= STEPS * 5 / 6) count_budgets(last, &r);
        }
        r.step = at;
    }
    for (int b = 0; b < 4; b++) {
        assert_true(fabs(frozen[b] / (8 * STEPS / 6.0) - 0.25) < 0.1);
        assert_true(last[b] > 0.02 * 8 * STEPS / 6.0);
    }
    assert_true(last[0] > 0.5 * 8 * STEPS / 6.0);
    snc_sampler_free(r.sampler);
}

static double large_of_two_heads(const run *r, int layer, const snc_arch *a)
{
    (void)r;
    return a->heads[layer] == 6 ? 100 : 1;
}

/* Uniform to begin with; at the end the option with ten times the gradient is drawn 0.8 of 10 / 13 and 0.2 of 1 / 4 of the time. */
static void expect_norms(const snc_sampler_kind *kind, const snc_space *s)
{
    run r = start(kind, s, SEED);
    int early = 0, late = 0, layers[2] = {0};
    r.attention = large_of_two_heads;
    for (; r.step < STEPS; tell(&r)) {
        const bool first = r.step < STEPS / 10, last = r.step >= STEPS * 9 / 10;
        for (int again = 0; again < 20; again++) {
            r.seed = SEED + (uint64_t)again;
            draw(&r);
            for (int i = 0; i < r.nets[0].layers && (first || last); i++) {
                *(first ? &early : &late) += r.nets[0].heads[i] == 6;
                layers[last]++;
            }
        }
    }
    assert_true(fabs((double)early / layers[0] - 0.25) < 0.06);
    if (!(fabs((double)late / layers[1] - 0.65) < 0.08)) fail_msg("%d of %d", late, layers[1]);
    snc_sampler_free(r.sampler);
}

/* Uniform for a quarter of the run; then more of the branch that does better. */
static void expect_branches(const snc_sampler_kind *kind, const snc_space *s)
{
    run r = start(kind, s, SEED);
    int early = 0, late = 0;
    r.loss = of_first_heads;
    for (; r.step < STEPS; tell(&r)) {
        for (int again = 0; again < 8; again++) {
            r.seed = SEED + (uint64_t)again;
            draw(&r);
            if (r.step < STEPS / 4) early += r.nets[1].heads[0] == 6;
            else if (r.step >= STEPS * 3 / 4) late += r.nets[1].heads[0] == 6;
        }
    }
    if (!(abs(early - STEPS / 2) < STEPS / 8 && late > 2 * early)) fail_msg("%d and %d of %d", early, late, 2 * STEPS);
    snc_sampler_free(r.sampler);
}

static void expect_largest(const snc_sampler_kind *kind, const snc_space *s)
{
    run r = start(kind, s, SEED);
    draw(&r);
    assert_int_equal(r.n, 1);
    snc_sampler_free(r.sampler);
}

static const struct row {
    const char *name;
    void (*spread)(const snc_sampler_kind *kind, const snc_space *s);
} rows[] = {
    {"sandwich", expect_uniform}, {"instatune", expect_uniform}, {"near", expect_near},      {"uniform", expect_uniform},
    {"fair", expect_turns},       {"target", expect_at_most},    {"subbatch", expect_turns}, {"stages", expect_stages},
    {"pss", expect_pools},        {"shift", expect_shift},       {"pada", expect_norms},     {"mcts", expect_branches},
    {"full", expect_largest},
};
enum { ROWS_HERE = sizeof rows / sizeof rows[0] };

static void every_sampler_has_a_row_and_is_spread_as_it_says(void **state)
{
    (void)state;
    snc_arch p = snc_arch_full(&shape);
    snc_space *s = space_in_quarters(&shape, &p);
    for (int i = 0; i < ROWS_HERE; i++) {
        assert_non_null(snc_sampler_name(i));
        assert_string_equal(snc_sampler_name(i), rows[i].name);
        rows[i].spread(kind_of(rows[i].name), s);
    }
    assert_null(snc_sampler_name(ROWS_HERE));
    snc_space_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sampler_has_a_row_and_is_spread_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
