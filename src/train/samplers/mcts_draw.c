/* The largest, and n nets of a tree that is walked by what its branches came to: Monte-Carlo tree search as a sampler (Su et al. 2021,
 * MCT-NAS, arXiv 2103.11922). A level of the tree is a gene, in the order depth, hidden width, heads and FFN of each layer; a
 * node has the number and mean value of the nets below it. A child is drawn by softmax(u / TAU),
 *
 *   u = value + C1 sqrt(log(1 + n of the parent) / (1 + n)) + C2 G
 *
 * with G the mean value of this option of this gene in all of the tree ("node communication"), and 1 where nothing is known. The first
 * quarter of the run draws uniformly, and learns. A net adds the first node of its path that is not there.
 *
 * Done otherwise: a net's value is the running loss of nets of its budget (`pools` of them, budgets.h) over its own, kept within 1/2 and 2;
 * with the loss of all nets in its place, as in the paper, whose nets are all about as large, the tree says large. Which layers a space of
 * single layers keeps is drawn uniformly. The tree draws nets for training; `--searcher mcts` has one of its own. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "models/config.h"
#include "train/budgets.h"
#include "train/sampler.h"

enum { SLOTS = 16384, FULL = SLOTS / 2, PATH = 2 + 2 * SNC_MAX_LAYERS };
static const double TAU = 0.05, C1 = 0.3, C2 = 1, UNIFORM = 0.25, KEPT = 0.95;

typedef struct node {
    uint64_t key; /* of the path to it; 0: the slot is free */
    int64_t n;
    double sum;
} node;

typedef struct tree {
    int64_t nodes;
    double loss[SNC_BUDGETS_MOST]; /* running; 0: none was seen */
    node node[SLOTS];
    node option[SNC_MAX_GENES][SNC_MAX_OPTIONS]; /* keys unused */
} tree;

typedef struct mcts {
    snc_budgets budgets;
    tree t;
} mcts;

static snc_err create(void **state, const snc_space *s, const snc_sampler_opts *o)
{
    mcts *m;
    SNC_TRY(snc_alloc(&m, 1, sizeof *m));
    snc_budgets_init(&m->budgets, s, o->cfg, o->pools);
    *state = m;
    return SNC_OK;
}

static void destroy(void *state) { snc_free(state); }

static uint64_t child_of(uint64_t key, int gene, int option)
{
    const uint64_t h = snc_hash64(key ^ ((uint64_t)gene << 32 | (uint64_t)option));
    return h ? h : 1;
}

/* Its slot, or the free one where it would be. */
static size_t slot_of(const tree *t, uint64_t key)
{
    size_t i = key % SLOTS;
    while (t->node[i].key && t->node[i].key != key) i = (i + 1) % SLOTS;
    return i;
}

static double mean(const node *x) { return x->n ? x->sum / (double)x->n : 1; }

typedef struct walk {
    const tree *t;
    const snc_sampler_at *at;
    snc_rng *rng;
    uint64_t key;
} walk;

static int option(void *user, int gene)
{
    walk *w = user;
    const tree *t = w->t;
    const int n = w->at->space->gene[gene].n;
    const bool full = t->nodes >= FULL;
    const double parent = (double)t->node[slot_of(t, w->key)].n;
    double u[SNC_MAX_OPTIONS], most = -INFINITY, sum = 0;
    int i = 0;
    if (gene == 0 && w->at->space->single) return (int)snc_rng_below(w->rng, (uint32_t)n);
    for (int k = 0; k < n; k++) {
        const node *c = &t->node[slot_of(t, child_of(w->key, gene, k))];
        const bool known = c->key || !full; /* a full tree wants no more of what it cannot keep */
        u[k] = mean(c) + (known ? C1 * sqrt(log(1 + parent) / (1 + (double)c->n)) : 0) + C2 * mean(&t->option[gene][k]);
        if (w->at->done < UNIFORM) u[k] = 0;
        most = fmax(most, u[k]);
    }
    for (int k = 0; k < n; k++) sum += u[k] = exp((u[k] - most) / TAU);
    double at = snc_rng_uniform(w->rng) * sum;
    while (i < n - 1 && at >= u[i]) at -= u[i++];
    w->key = child_of(w->key, gene, i);
    return i;
}

static int draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    const mcts *m = state;
    snc_space_largest(&nets[0], at->space);
    for (int i = 1; i <= at->random; i++) snc_space_pick(&nets[i], at->space, option, &(walk){&m->t, at, rng, 1}, rng);
    return 1 + at->random;
}

static void add(node *x, double value)
{
    x->n++;
    x->sum += value;
}

/* Genes of a net in the order of the levels, with their options; returns how many. */
static int path_of(int genes[PATH], snc_cfg *c, const snc_space *s, const snc_arch *a)
{
    int n = 0;
    if (!snc_cfg_of_arch(c, s, a)) return 0;
    if (!s->single) genes[n++] = 0;
    genes[n++] = 1;
    for (int i = 0; i < a->layers; i++) {
        const int g = snc_space_layer(s, a->source[i]);
        genes[n++] = g;
        genes[n++] = g + 1;
    }
    return n;
}

static void learn(tree *t, const snc_space *s, const snc_arch *a, double value)
{
    snc_cfg c;
    int genes[PATH], n = path_of(genes, &c, s, a);
    uint64_t key = 1;
    bool on = true; /* the path so far is in the tree */
    for (int i = 0; i <= n; i++) {
        node *x = &t->node[slot_of(t, key)];
        const bool here = x->key != 0;
        if (on && !here && t->nodes < FULL) {
            x->key = key;
            t->nodes++;
        }
        if (on && x->key) add(x, value);
        on = on && (here || i == 0);
        if (i == n) break;
        add(&t->option[genes[i]][c.o[genes[i]]], value);
        key = child_of(key, genes[i], c.o[genes[i]]);
    }
}

static void tell(void *state, const snc_sampler_at *at, const snc_sampler_seen *seen)
{
    mcts *m = state;
    for (int i = 1; i < seen->n; i++) {
        double *usual = &m->t.loss[snc_budgets_find(&m->budgets, &seen->nets[i])];
        const double loss = fmax(seen->loss[i], 1e-9);
        if (!(*usual > 0)) *usual = loss;
        learn(&m->t, at->space, &seen->nets[i], fmin(2, fmax(0.5, *usual / loss)));
        *usual = KEPT * *usual + (1 - KEPT) * loss;
    }
}

static void say(char *buf, size_t size, const void *state)
{
    const mcts *m = state;
    snprintf(buf, size, "a tree of %lld nodes, %lld nets in it", (long long)m->t.nodes, (long long)m->t.node[slot_of(&m->t, 1)].n);
}

static snc_block block(void *state) { return (snc_block){&((mcts *)state)->t, sizeof(tree)}; }

const snc_sampler_kind snc_sampler_mcts = {.name = "mcts",
                                           .random_nets = 1,
                                           .budgets = true,
                                           .random_cost = 0.4,
                                           .create = create,
                                           .destroy = destroy,
                                           .draw = draw,
                                           .tell = tell,
                                           .say = say,
                                           .block = block};
