/* A permutation for each round of each gene, drawn anew from its number when it is asked for. */
#include "train/turns.h"

#include <string.h>

#include "base/mem.h"

/* All that the nets to come depend on. */
typedef struct turns {
    uint64_t seed;
    int64_t nets;
    int64_t taken[SNC_MAX_GENES]; /* turns of each gene */
} turns;

typedef struct turning {
    turns *t;
    const snc_space *s;
} turning;

static int next_option(void *user, int gene)
{
    const turning *u = user;
    const int n = u->s->gene[gene].n;
    const int64_t turn = u->t->taken[gene]++;
    int32_t order[SNC_MAX_OPTIONS];
    snc_rng rng;
    snc_rng_init(&rng, u->t->seed, snc_hash64((uint64_t)gene) + (uint64_t)(turn / n));
    for (int i = 0; i < n; i++) order[i] = i;
    snc_rng_shuffle(&rng, order, (size_t)n);
    return order[turn % n];
}

static void next_net(snc_arch *out, turns *t, const snc_space *s)
{
    snc_rng rng;                                                            /* of single layers */
    snc_rng_init(&rng, t->seed, 0x7475726eu + ((uint64_t)t->nets++ << 32)); /* "turn" */
    snc_space_pick(out, s, next_option, &(turning){t, s}, &rng);
}

snc_err snc_turns_create(void **state, const snc_space *s, const snc_sampler_opts *o)
{
    turns *t;
    (void)s;
    SNC_TRY(snc_alloc(&t, 1, sizeof *t));
    t->seed = o->seed;
    *state = t;
    return SNC_OK;
}

void snc_turns_destroy(void *state) { snc_free(state); }

int snc_turns_draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    turns ahead = *(const turns *)state;
    (void)rng;
    for (int i = 0; i < at->random; i++) next_net(&nets[i], &ahead, at->space);
    return at->random;
}

/* The turns of the nets that were trained are over. */
void snc_turns_tell(void *state, const snc_sampler_at *at, const snc_sampler_seen *seen)
{
    snc_arch net;
    for (int i = 0; i < seen->n; i++) next_net(&net, state, at->space);
}

snc_block snc_turns_block(void *state) { return (snc_block){state, sizeof(turns)}; }
