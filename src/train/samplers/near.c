/* The largest, and n random nets near a share of its multiply-adds (`near`): where a target says what a net may cost, nets that cost
 * another amount are not searched. Uniform nets are drawn until one is within WITHIN of the share, at most TRIES of them: then the
 * nearest is taken. */
#include <math.h>

#include "base/mem.h"
#include "models/cost.h"
#include "train/sampler.h"

enum { TRIES = 256 };
static const double WITHIN = 0.05; /* of the largest net's */

typedef struct aim {
    const snc_encoder_config *cfg;
    double share, full;
} aim;

/* Of the layers, that is of what nets differ in. */
static double macs(const aim *a, const snc_arch *arch) { return (double)snc_cost_encoder_macs(a->cfg, arch, SNC_MACS_TOKENS); }

static snc_err create(void **state, const snc_space *s, const snc_sampler_opts *o)
{
    aim *a;
    snc_arch full;
    SNC_TRY(snc_alloc(&a, 1, sizeof *a));
    snc_space_largest(&full, s);
    *a = (aim){.cfg = o->cfg, .share = o->near};
    a->full = macs(a, &full);
    *state = a;
    return SNC_OK;
}

static void destroy(void *state) { snc_free(state); }

static void draw_near(snc_arch *net, const aim *a, const snc_space *s, snc_rng *rng)
{
    double least = INFINITY;
    for (int i = 0; i < TRIES && least > WITHIN; i++) {
        snc_arch one;
        snc_space_random(&one, s, rng);
        const double off = fabs(macs(a, &one) / a->full - a->share);
        if (off >= least) continue;
        least = off;
        *net = one;
    }
}

static int draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    snc_space_largest(&nets[0], at->space);
    for (int i = 1; i <= at->random; i++) draw_near(&nets[i], state, at->space, rng);
    return 1 + at->random;
}

const snc_sampler_kind snc_sampler_near = {.name = "near", .random_nets = 3, .create = create, .destroy = destroy, .draw = draw};
