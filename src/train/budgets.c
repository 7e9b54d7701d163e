/* Odds by bisection, draws by rejection. */
#include "train/budgets.h"

#include <math.h>

#include "models/cost.h"

enum { TRIES = 128, PROBES = 64 /* nets that a mean is taken of */, HALVINGS = 12 };
static const double STEEPEST = 24;

typedef struct tilted {
    const snc_space *s;
    double tilt;
    snc_rng *rng;
} tilted;

snc_budget snc_budget_of(const snc_space *s, const snc_encoder_config *cfg)
{
    snc_budget b = {.cfg = cfg, .space = s, .full = 1};
    snc_arch full;
    snc_space_largest(&full, s);
    b.full = snc_budget_share(&b, &full);
    return b;
}

double snc_budget_share(const snc_budget *b, const snc_arch *a)
{
    return (double)snc_cost_encoder_macs(b->cfg, a, SNC_MACS_TOKENS) / b->full;
}

/* From the likeliest end of the list on, each the same factor less likely than the one before. */
static int option(void *user, int gene)
{
    const tilted *t = user;
    const int n = t->s->gene[gene].n;
    if (n == 1) return 0;
    const double less = exp(-fabs(t->tilt) / (n - 1));
    double odds[SNC_MAX_OPTIONS] = {1}, sum = 1;
    for (int i = 1; i < n; i++) sum += odds[i] = odds[i - 1] * less;
    double at = snc_rng_uniform(t->rng) * sum;
    int i = 0;
    while (i < n - 1 && at >= odds[i]) at -= odds[i++];
    return t->tilt > 0 ? n - 1 - i : i;
}

static void draw(snc_arch *out, const snc_space *s, double tilt, snc_rng *rng)
{
    snc_space_pick(out, s, option, &(tilted){s, tilt, rng}, rng);
}

static double mean(const snc_budget *b, double tilt)
{
    snc_rng rng;
    double sum = 0;
    snc_rng_init(&rng, 0, 0);
    for (int i = 0; i < PROBES; i++) {
        snc_arch a;
        draw(&a, b->space, tilt, &rng);
        sum += snc_budget_share(b, &a) / PROBES;
    }
    return sum;
}

snc_budget_range snc_budget_fit(const snc_budget *b, double low, double high)
{
    double least = -STEEPEST, most = STEEPEST;
    for (int i = 0; i < HALVINGS; i++) {
        const double tilt = (least + most) / 2;
        if (mean(b, tilt) < (low + high) / 2) least = tilt;
        else most = tilt;
    }
    return (snc_budget_range){.low = low, .high = high, .tilt = (least + most) / 2};
}

void snc_budget_draw(snc_arch *out, const snc_budget *b, const snc_budget_range *r, snc_rng *rng)
{
    double least = INFINITY;
    for (int i = 0; i < TRIES && least > 0; i++) {
        snc_arch a;
        draw(&a, b->space, r->tilt, rng);
        const double share = snc_budget_share(b, &a), off = share < r->low ? r->low - share : share > r->high ? share - r->high : 0;
        if (off >= least) continue;
        least = off;
        *out = a;
    }
}

void snc_budgets_init(snc_budgets *b, const snc_space *s, const snc_encoder_config *cfg, int n)
{
    snc_arch smallest;
    *b = (snc_budgets){.budget = snc_budget_of(s, cfg), .n = n};
    snc_space_smallest(&smallest, s);
    const double least = snc_budget_share(&b->budget, &smallest), width = (1 - least) / n;
    for (int i = 0; i < n; i++) b->range[i] = snc_budget_fit(&b->budget, least + i * width, least + (i + 1) * width);
}

int snc_budgets_find(const snc_budgets *b, const snc_arch *a)
{
    const double share = snc_budget_share(&b->budget, a);
    int i = 0;
    while (i < b->n - 1 && share > b->range[i].high) i++;
    return i;
}
