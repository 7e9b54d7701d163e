/* train/sampler.h: which subnets one training step runs: path samplers, and the registry of them.
 *
 * A sampler is a file under samplers/ and a row of the registry in sampler.c. The first net that it draws is the largest, whose logits
 * in-place distillation takes as the targets of the others; one that draws no largest net says so (no_largest), and is refused beside an
 * in-place teacher.
 *
 * One that learns has a state. `draw` only reads it, with a generator that depends on seed and step alone; `tell` alone changes
 * it, after a whole step. So a step that was interrupted draws the same nets again, and its block after step n is all that a
 * resumed run needs.
 *
 *     SNC_TRY(snc_sampler_find(&kind, "sandwich"));
 *     SNC_TRY(snc_sampler_create(&s, kind, space, &(snc_sampler_opts){.random = 2, .near = 0.5, .cfg = &m->cfg}));
 *     n = snc_sampler_draw(nets, s, done, &rng);   train them   snc_sampler_tell(s, done, &(snc_sampler_seen){.n = n, ...});
 */
#ifndef SNC_TRAIN_SAMPLER_H
#define SNC_TRAIN_SAMPLER_H

#include "models/space.h"
#include "train/checkpoint.h"

enum { SNC_SAMPLER_MAX = 16 };

typedef struct snc_sampler_opts {
    int random;                    /* nets of a step; at most SNC_SAMPLER_MAX - 2 */
    double near;                   /* share of the largest net's multiply-adds that `near` and `target` aim at */
    int pools;                     /* budgets that it may tell apart; 1 to SNC_BUDGETS_MOST */
    uint64_t seed;                 /* of the run: for turns that go over many steps */
    const snc_encoder_config *cfg; /* of the model; borrowed by the sampler */
} snc_sampler_opts;

/* Where a step stands. */
typedef struct snc_sampler_at {
    const snc_space *space;
    int random;
    double done; /* share of the run that is behind it, 0 of the first step */
} snc_sampler_at;

/* Sums of squares of a layer's gradients, before clipping: of attention's four matrices, and of FFN's two. */
typedef struct snc_sampler_gradient {
    double attention, ffn;
} snc_sampler_gradient;

/* What came of a step. */
typedef struct snc_sampler_seen {
    int n;
    const snc_arch *nets;                 /* [n] as they were drawn, perhaps fewer (parts) */
    const double *loss;                   /* [n] */
    const snc_sampler_gradient *gradient; /* by source layer, of the nets together; NULL where the kind does not ask */
} snc_sampler_seen;

/* One sampler. Those without a state have create, tell, block and destroy NULL, and are given a NULL state. */
typedef struct snc_sampler_kind {
    const char *name;
    int random_nets;    /* random nets of a step where nobody says; 0: it draws none */
    bool largest_alone; /* no subnets: nothing for an in-place teacher to teach */
    bool no_largest;    /* subnets alone: no in-place teacher; random is at least 1 */
    bool parts;         /* each net sees its part of the batch alone; random says how many */
    bool budgets;       /* it tells `pools` of its options apart */
    bool gradients;     /* it wants to be told of them */
    bool to_target;     /* `near` is the share that the job's target asks for, where it does */
    double random_cost; /* of a random net, as a share of the largest one's; 0 or less: so much under what `near` of its options says */
    snc_err (*create)(void **state, const snc_space *s, const snc_sampler_opts *o);
    void (*destroy)(void *state);
    /* Fills nets and returns how many, at most random + 2. */
    int (*draw)(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng);
    void (*tell)(void *state, const snc_sampler_at *at, const snc_sampler_seen *seen);
    /* What it has learnt, in a line for people; NULL: nothing. */
    void (*say)(char *buf, size_t size, const void *state);
    snc_block (*block)(void *state); /* what it learns: a checkpoint keeps it and writes into it; NULL: nothing */
} snc_sampler_kind;

extern const snc_sampler_kind snc_sampler_full; /* one net alone: where nobody says */

const char *snc_sampler_name(int i); /* of the registry; NULL past the last */
/* NULL: the first of the registry. SNC_E_ARG lists the names and says the nearest. */
snc_err snc_sampler_find(const snc_sampler_kind **out, const char *name) SNC_MUST_USE;

typedef struct snc_sampler snc_sampler;

/* What a step takes in time, as a multiple of a step of the largest net alone: estimates of a job ask for it. */
double snc_sampler_cost(const snc_sampler_kind *kind, const snc_sampler_opts *o);
/* SNC_E_ARG: options that make no sense beside it. */
snc_err snc_sampler_check(const snc_sampler_kind *kind, int random, bool in_place) SNC_MUST_USE;

/* Borrows s. */
snc_err snc_sampler_create(snc_sampler **out, const snc_sampler_kind *kind, const snc_space *s, const snc_sampler_opts *o) SNC_MUST_USE;
void snc_sampler_free(snc_sampler *s);
int snc_sampler_draw(snc_arch *nets, const snc_sampler *s, double done, snc_rng *rng);
void snc_sampler_tell(snc_sampler *s, double done, const snc_sampler_seen *seen);
bool snc_sampler_say(char *buf, size_t size, const snc_sampler *s); /* false: nothing */
snc_block snc_sampler_block(snc_sampler *s);                        /* 0 bytes: it learns nothing */

/* For samplers: `random` uniform nets from nets[n] on; returns n + random. */
int snc_sampler_fill(snc_arch *nets, int n, const snc_space *s, int random, snc_rng *rng);

#endif
