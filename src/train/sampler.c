#include "train/sampler.h"

#include <stdio.h>
#include <string.h>

static int draw_random(snc_arch *nets, int n, const snc_subspace *s, int random, snc_rng *rng)
{
    for (int i = 0; i < random; i++) snc_subspace_random(&nets[n++], s, rng);
    return n;
}

static int draw_full(snc_arch *nets, const snc_subspace *s, int random, snc_rng *rng)
{
    (void)random, (void)rng;
    snc_subspace_pick(&nets[0], s, SNC_SUBSPACE_LARGEST);
    return 1;
}

static int draw_sandwich(snc_arch *nets, const snc_subspace *s, int random, snc_rng *rng)
{
    snc_subspace_pick(&nets[0], s, SNC_SUBSPACE_LARGEST);
    snc_subspace_pick(&nets[1], s, SNC_SUBSPACE_SMALLEST);
    return draw_random(nets, 2, s, random, rng);
}

static int draw_instatune(snc_arch *nets, const snc_subspace *s, int random, snc_rng *rng)
{
    snc_subspace_pick(&nets[0], s, SNC_SUBSPACE_LARGEST);
    return draw_random(nets, 1, s, random, rng);
}

static const snc_sampler samplers[] = {{"sandwich", draw_sandwich}, {"instatune", draw_instatune}, {"full", draw_full}};
enum { SAMPLERS = sizeof samplers / sizeof samplers[0] };

snc_err snc_sampler_find(const snc_sampler **out, const char *name)
{
    char names[128] = "";
    size_t n = 0;
    for (int i = 0; i < SAMPLERS; i++) {
        if (strcmp(name, samplers[i].name) == 0) {
            *out = &samplers[i];
            return SNC_OK;
        }
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "", samplers[i].name);
    }
    return snc_err_set(SNC_E_ARG, "path sampler '%s': expected one of %s", name, names);
}
