/* An open-addressing hash set of what was made; configs beyond a limit come back by lowering genes, as options ascend in cost. */
#include "search/proposals.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { DRAWS = 1000 };
static const double PROBES = 0.25; /* of the configs near a seed, these have dtypes drawn anew */

/* Eight genes at a time; the tail of a config is zero. */
static uint64_t hash_of(const snc_cfg *c, int genes)
{
    uint64_t h = 0;
    for (size_t i = 0; i < (size_t)genes; i += sizeof h) {
        uint64_t w = 0;
        size_t left = sizeof c->o - i;
        memcpy(&w, c->o + i, left < sizeof w ? left : sizeof w);
        h = (h ^ w) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return snc_hash64(h);
}

static bool same(const snc_cfg *a, const snc_cfg *b, int genes) { return memcmp(a->o, b->o, (size_t)genes) == 0; }

/* The slot that holds c, or the empty one where it belongs. */
static size_t find(const snc_cfg_set *s, const snc_cfg *c)
{
    size_t at = (size_t)hash_of(c, s->genes) & (s->slots - 1);
    while (s->slot[at] && !same(&s->item[s->slot[at] - 1], c, s->genes)) at = (at + 1) & (s->slots - 1);
    return at;
}

bool snc_cfg_set_has(const snc_cfg_set *s, const snc_cfg *c) { return s->slots && s->slot[find(s, c)]; }

static snc_err widen(snc_cfg_set *s)
{
    size_t slots = s->slots ? 2 * s->slots : 64;
    SNC_TRY(snc_grow(&s->slot, &s->slot_cap, slots, sizeof *s->slot));
    memset(s->slot, 0, slots * sizeof *s->slot);
    s->slots = slots;
    for (size_t i = 0; i < s->n; i++) s->slot[find(s, &s->item[i])] = (uint32_t)(i + 1);
    return SNC_OK;
}

snc_err snc_cfg_set_add(bool *fresh, snc_cfg_set *s, const snc_cfg *c)
{
    if (2 * (s->n + 1) > s->slots) SNC_TRY(widen(s));
    size_t at = find(s, c);
    *fresh = s->slot[at] == 0;
    if (!*fresh) return SNC_OK;
    SNC_TRY(snc_grow(&s->item, &s->cap, s->n + 1, sizeof *s->item));
    s->item[s->n++] = *c;
    s->slot[at] = (uint32_t)s->n;
    return SNC_OK;
}

void snc_cfg_set_dispose(snc_cfg_set *s)
{
    snc_free(s->item);
    snc_free(s->slot);
    *s = (snc_cfg_set){.genes = s->genes};
}

snc_err snc_proposals_init(snc_proposals *p, const snc_problem *problem, uint64_t stream)
{
    snc_cfg *seeds = NULL;
    *p = (snc_proposals){.problem = *problem, .made = {.genes = problem->space->genes}};
    SNC_TRY(snc_alloc(&seeds, (size_t)problem->n_seeds, sizeof *seeds));
    for (int i = 0; i < problem->n_seeds; i++) {
        seeds[i] = problem->seeds[i];
        snc_cfg_canonical(&seeds[i], problem->space);
    }
    p->problem.seeds = seeds;
    snc_rng_init(&p->rng, problem->seed, stream);
    return SNC_OK;
}

void snc_proposals_dispose(snc_proposals *p)
{
    snc_cfg *seeds;
    memcpy(&seeds, &p->problem.seeds, sizeof seeds); /* ours, const only for readers */
    snc_free(seeds);
    snc_cfg_set_dispose(&p->made);
    *p = (snc_proposals){0};
}

snc_err snc_proposals_add(snc_proposals *p, const snc_cfg *c)
{
    bool fresh;
    return snc_cfg_set_add(&fresh, &p->made, c);
}

bool snc_proposals_seed(snc_cfg *out, snc_proposals *p)
{
    while (p->given < p->problem.n_seeds) {
        *out = p->problem.seeds[p->given++];
        if (!snc_proposals_made(p, out)) return true;
    }
    return false;
}

snc_obs snc_problem_cost(const snc_problem *p, const snc_cfg *c)
{
    snc_obs o = {.cfg = *c, .loss = NAN, .metric = NAN, .point = {.f = {NAN}}};
    if (p->cost) p->cost(p->user, &o);
    o.point.f[0] = NAN;
    return o;
}

static double violation(const snc_problem *p, const snc_cfg *c) { return p->cost ? snc_problem_cost(p, c).point.violation : 0; }

bool snc_proposals_random(snc_cfg *out, snc_proposals *p)
{
    const snc_space *s = p->problem.space;
    bool within = false; /* some draw was: the limits are no obstacle */
    for (int t = 0; t < DRAWS; t++) {
        *out = snc_cfg_random(s, &p->rng);
        if (violation(&p->problem, out) > 0) continue;
        within = true;
        if (!snc_proposals_made(p, out)) return true;
    }
    /* Options ascend in cost, so lowering genes ends within any limit that can be kept. */
    for (int t = 0; !within && t < DRAWS; t++) {
        int g = (int)snc_rng_below(&p->rng, (uint32_t)s->genes);
        if (out->o[g] == 0) continue;
        out->o[g]--;
        snc_cfg_canonical(out, s);
        if (violation(&p->problem, out) <= 0) return !snc_proposals_made(p, out);
    }
    return false;
}

bool snc_proposals_near(snc_cfg *out, snc_proposals *p, double share)
{
    assert(share >= 0 && share <= 1);
    const snc_problem *q = &p->problem;
    for (int t = 0; t < DRAWS && q->n_seeds > 0; t++) {
        double dtypes = snc_rng_uniform(&p->rng) < PROBES ? snc_rng_uniform(&p->rng) : 0;
        *out = q->seeds[snc_rng_below(&p->rng, (uint32_t)q->n_seeds)];
        for (int g = 0; g < q->space->genes; g++) {
            const snc_gene *gene = &q->space->gene[g];
            if (snc_rng_uniform(&p->rng) >= (gene->kind == SNC_GENE_DTYPE ? dtypes : share)) continue;
            out->o[g] = (uint8_t)snc_rng_below(&p->rng, (uint32_t)gene->n);
        }
        snc_cfg_canonical(out, q->space);
        if (violation(q, out) <= 0 && !snc_proposals_made(p, out)) return true;
    }
    return false;
}

bool snc_proposals_first(snc_cfg *out, snc_proposals *p) { return snc_proposals_seed(out, p) || snc_proposals_random(out, p); }

/* The odometer's next reading, canonical or not. */
static bool advance(snc_cfg *c, const snc_space *s)
{
    for (int i = s->genes - 1; i >= 0; i--) {
        if (++c->o[i] < s->gene[i].n) return true;
        c->o[i] = 0;
    }
    return false;
}

static bool is_canonical(const snc_cfg *c, const snc_space *s)
{
    snc_cfg canon = *c;
    snc_cfg_canonical(&canon, s);
    return same(&canon, c, s->genes);
}

bool snc_cfg_next(snc_cfg *c, const snc_space *s)
{
    while (advance(c, s))
        if (is_canonical(c, s)) return true;
    return false;
}

snc_cfg snc_cfg_first(const snc_space *s)
{
    snc_cfg c = {{0}};
    if (!is_canonical(&c, s)) snc_cfg_next(&c, s);
    return c;
}

int64_t snc_space_count(const snc_space *s, int64_t most)
{
    int64_t n = 1;
    if (snc_space_log10_size(s) > log10((double)most) + 1e-9) return -1;
    for (snc_cfg c = snc_cfg_first(s); snc_cfg_next(&c, s);) n++;
    return n;
}
