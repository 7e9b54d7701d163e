/* greedy-bits: the non-learned baseline for dtype policies (one-matrix perturbation, as in the selection of DARTS-PT and the usual
 * sensitivity lists of mixed precision).
 *
 * Architectures are not searched: they are those of the seeds, in order, or the full net when there are none. On one of
 * them every dtype gene is moved alone by one step from its cheapest option, which measures what that step earns in
 * score. Then, on each architecture, all matrices start at their cheapest and are moved in the order of earned score per cost, and
 * every policy on the way is proposed. It ends there: it asks for no more than genes + seeds x steps evaluations.
 *
 * The sensitivities come from the first architecture on which every single move is within the limits, else from the last. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "search/proposals.h"

typedef struct move {
    int gene, option;  /* to option, from option - 1 */
    double loss, gain; /* of the net moved alone; earned score per cost */
} move;

typedef struct greedy {
    snc_proposals made;
    snc_cfg *base;    /* architectures with every dtype at its cheapest */
    int bases, probe; /* probe: where the sensitivities come from */
    move *move;
    int moves, next; /* next move to measure; -1: the base itself */
    double base_loss;
    bool ranked;
    int arch, step; /* where the ladder stands */
} greedy;

static void destroy(void *state)
{
    greedy *s = state;
    snc_proposals_dispose(&s->made);
    snc_free(s->base);
    snc_free(s->move);
    snc_free(s);
}

static bool is_dtype(const snc_space *s, int g) { return s->gene[g].kind == SNC_GENE_DTYPE && s->gene[g].n > 1; }

static snc_cfg cheapest(const snc_space *space, const snc_cfg *from)
{
    snc_cfg c = *from;
    for (int g = 0; g < space->genes; g++)
        if (is_dtype(space, g)) c.o[g] = 0;
    snc_cfg_canonical(&c, space);
    return c;
}

/* The config with one gene moved; equal to the base where the layer is dropped. */
static snc_cfg moved(const greedy *s, const snc_cfg *base, int gene, int option)
{
    snc_cfg c = *base;
    c.o[gene] = (uint8_t)option;
    snc_cfg_canonical(&c, s->made.problem.space);
    return c;
}

static bool within(const greedy *s, const snc_cfg *c)
{
    return !s->made.problem.cost || snc_problem_cost(&s->made.problem, c).point.violation <= 0;
}

static void choose_probe(greedy *s)
{
    const snc_space *space = s->made.problem.space;
    for (s->probe = 0; s->probe < s->bases - 1; s->probe++) {
        bool all = true;
        for (int g = 0; g < space->genes && all; g++) {
            if (!is_dtype(space, g)) continue;
            snc_cfg c = moved(s, &s->base[s->probe], g, space->gene[g].n - 1);
            all = within(s, &c);
        }
        if (all) return;
    }
}

static snc_err create(void **state, const cJSON *params, const snc_problem *p)
{
    static const char *const keys[] = {"name", NULL};
    greedy *s = NULL;
    snc_err err = SNC_OK;
    int steps = 0;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    SNC_GOTO(snc_proposals_init(&s->made, p, 0x62697473));
    if (params) SNC_GOTO(snc_json_check_keys(params, keys, "search greedy-bits"));
    for (int g = 0; g < p->space->genes; g++)
        if (is_dtype(p->space, g)) steps += p->space->gene[g].n - 1;
    SNC_GOTO(snc_alloc(&s->base, (size_t)p->n_seeds + 1, sizeof *s->base));
    SNC_GOTO(snc_alloc(&s->move, (size_t)steps, sizeof *s->move));
    for (int i = 0; i < p->n_seeds; i++) s->base[s->bases++] = cheapest(p->space, &p->seeds[i]);
    if (s->bases == 0) {
        snc_cfg full = snc_cfg_uniform(p->space, 1, p->space->gene[0].n - 1);
        s->base[s->bases++] = cheapest(p->space, &full);
    }
    choose_probe(s);
    for (int g = 0; g < p->space->genes; g++)
        for (int o = 1; is_dtype(p->space, g) && o < p->space->gene[g].n; o++) {
            snc_cfg c = moved(s, &s->base[s->probe], g, o);
            if (!snc_cfg_equal(&c, &s->base[s->probe])) s->move[s->moves++] = (move){.gene = g, .option = o, .loss = NAN};
        }
    s->next = -1;
    s->base_loss = NAN;
    *state = s;
    return SNC_OK;
out:
    destroy(s);
    return err;
}

static int by_gain(const void *a, const void *b)
{
    const move *x = a, *y = b;
    if (x->gain != y->gain) return x->gain > y->gain ? -1 : 1;
    return x->gene != y->gene ? x->gene - y->gene : x->option - y->option;
}

/* Earned score of a step: the fall in loss from the option before it, per rise in the costs that are objectives. */
static void rank_moves(greedy *s)
{
    const snc_problem *p = &s->made.problem;
    for (int i = 0; i < s->moves; i++) {
        move *m = &s->move[i];
        const move *before = m->option > 1 ? m - 1 : NULL;
        snc_cfg a = moved(s, &s->base[s->probe], m->gene, m->option - 1), b = moved(s, &s->base[s->probe], m->gene, m->option);
        double from = before ? before->loss : s->base_loss, rise = 0;
        snc_obs x = snc_problem_cost(p, &a), y = snc_problem_cost(p, &b);
        for (int k = 1; p->cost && k < p->objectives; k++) rise += x.point.f[k] > 0 ? y.point.f[k] / x.point.f[k] - 1 : 0;
        m->gain = from - m->loss;
        if (isnan(m->gain)) m->gain = -INFINITY;           /* never measured: last */
        else if (m->gain > 0) m->gain /= fmax(rise, 1e-9); /* a step that costs nothing and helps comes first */
    }
    qsort(s->move, (size_t)s->moves, sizeof *s->move, by_gain);
    /* A gene climbs its options in order. */
    for (int i = 0; i < s->moves; i++)
        for (int k = i + 1; k < s->moves; k++)
            if (s->move[k].gene == s->move[i].gene && s->move[k].option < s->move[i].option) {
                move t = s->move[i];
                s->move[i] = s->move[k];
                s->move[k] = t;
            }
    s->ranked = true;
}

/* The next rung: on each architecture the first `step` moves are made. false: the last rung of the last one. */
static bool climb(snc_cfg *c, greedy *s)
{
    for (; s->arch < s->bases; s->arch++, s->step = 0)
        for (; s->step <= s->moves; s->step++) {
            *c = s->base[s->arch];
            for (int i = 0; i < s->step; i++) *c = moved(s, c, s->move[i].gene, s->move[i].option);
            if (!snc_proposals_made(&s->made, c) && within(s, c)) return true;
        }
    return false;
}

static snc_err ask(void *state, snc_cfg *cfg, int *n, int cap)
{
    greedy *s = state;
    const snc_cfg *base = &s->base[s->probe];
    for (*n = 0; *n < cap; ++*n) {
        if (s->next < s->moves) {
            cfg[*n] = s->next < 0 ? *base : moved(s, base, s->move[s->next].gene, s->move[s->next].option);
            s->next++;
        } else {
            if (!s->ranked && *n > 0) break; /* the ranking wants the answers to what was just asked */
            if (!s->ranked) rank_moves(s);
            if (!climb(&cfg[*n], s)) break;
        }
        SNC_TRY(snc_proposals_add(&s->made, &cfg[*n]));
    }
    return SNC_OK;
}

static snc_err tell(void *state, const snc_obs *obs, int n)
{
    greedy *s = state;
    for (int i = 0; i < n && !s->ranked; i++) {
        if (!isfinite(obs[i].point.f[0])) continue;
        if (snc_cfg_equal(&obs[i].cfg, &s->base[s->probe])) s->base_loss = obs[i].point.f[0];
        for (int k = 0; k < s->moves; k++) {
            snc_cfg c = moved(s, &s->base[s->probe], s->move[k].gene, s->move[k].option);
            if (snc_cfg_equal(&obs[i].cfg, &c)) s->move[k].loss = obs[i].point.f[0];
        }
    }
    return SNC_OK;
}

const snc_search_kind snc_search_greedy = {"greedy-bits", create, ask, tell, destroy, NULL};
