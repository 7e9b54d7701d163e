/* The largest, and n uniform nets of what is open: progressive shrinking (Cai et al. 2020, Once-for-All, arXiv 1908.09791, section 3.3), in
 * the order of EfficientTDNN (Wang et al. 2021, arXiv 2103.13581). The run is cut into five equal stages: the largest net alone; then
 * depth, FFN, heads and hidden width open one after the other. A gene that opens has its two largest options first, and all of them by
 * the middle of its stage; what is open stays open. Done otherwise: one schedule of the learning rate over all stages; the largest is
 * in every step, as a teacher in place of OFA's frozen copy, which the job's teacher is as well. */
#include "train/sampler.h"

enum { STAGES = 5 };

typedef struct opening {
    const snc_sampler_at *at;
    snc_rng *rng;
} opening;

/* Where options of a gene open. */
static int stage_of(snc_gene_kind kind)
{
    switch (kind) {
    case SNC_GENE_DEPTH: return 1;
    case SNC_GENE_FFN: return 2;
    case SNC_GENE_HEADS: return 3;
    default: return 4;
    }
}

static int option(void *user, int gene)
{
    const opening *o = user;
    const snc_gene *g = &o->at->space->gene[gene];
    const double since = o->at->done * STAGES - stage_of(g->kind);
    int open = since < 0 ? 1 : since >= 1 ? g->n : 2 + (int)(2 * since * (g->n - 1));
    if (open > g->n) open = g->n;
    return g->n - 1 - (int)snc_rng_below(o->rng, (uint32_t)open);
}

static int draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    (void)state;
    snc_space_largest(&nets[0], at->space);
    if (at->done * STAGES < 1) return 1;
    for (int i = 1; i <= at->random; i++) snc_space_pick(&nets[i], at->space, option, &(opening){at, rng}, rng);
    return 1 + at->random;
}

const snc_sampler_kind snc_sampler_stages = {.name = "stages", .random_nets = 2, .random_cost = 0.46, .draw = draw};
