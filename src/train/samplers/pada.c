/* n nets and no other, n = 1 in the paper, whose options are drawn by the norm of their gradients: PA&DA's path part (Lu et al. 2023, arXiv
 * 2302.14772): the variance of a gradient over draws is least where the odds go with its norm. g of an option becomes
 * the mean of itself and what a step with it had; option o of a gene is drawn by p = d g_o / sum(g) + (1 - d) / n, where d grows from 0 to
 * MOST over the run.
 *
 * Done otherwise: a slice's gradient is taken as its root mean square (a wide slice has more numbers, so its norm says wide), before
 * clipping: of heads the layer's four matrices, of FFN its two, of depth and hidden width all of the net's layers. An option that no net
 * had counts as the mean of those that one had. g runs over the whole run, where the paper begins anew each epoch; d ends at MOST, not 1.
 * With n above 1 the gradient is that of the nets together. The part of the paper that draws rows is for a sampler of data. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "models/config.h"
#include "train/sampler.h"

static const double MOST = 0.8;

typedef struct pada {
    const snc_encoder_config *cfg;
    int genes;
    double g[][SNC_MAX_OPTIONS]; /* [genes]; 0: not seen */
} pada;

static snc_err create(void **state, const snc_space *s, const snc_sampler_opts *o)
{
    pada *p;
    SNC_TRY(snc_alloc(&p, sizeof *p + (size_t)s->genes * sizeof p->g[0], 1));
    p->cfg = o->cfg;
    p->genes = s->genes;
    *state = p;
    return SNC_OK;
}

static void destroy(void *state) { snc_free(state); }

typedef struct drawing {
    const pada *p;
    const snc_sampler_at *at;
    snc_rng *rng;
} drawing;

static int option(void *user, int gene)
{
    const drawing *d = user;
    const double *g = d->p->g[gene], share = MOST * d->at->done;
    const int n = d->at->space->gene[gene].n;
    double sum = 0, u = snc_rng_uniform(d->rng);
    int seen = 0, i = 0;
    for (int k = 0; k < n; k++) sum += g[k], seen += g[k] > 0;
    const double mean = seen ? sum / seen : 1, all = sum + mean * (n - seen);
    for (; i < n - 1; i++) {
        const double p = share * (g[i] > 0 ? g[i] : mean) / all + (1 - share) / n;
        if (u < p) break;
        u -= p;
    }
    return i;
}

static int draw(snc_arch *nets, const void *state, const snc_sampler_at *at, snc_rng *rng)
{
    for (int i = 0; i < at->random; i++) snc_space_pick(&nets[i], at->space, option, &(drawing){state, at, rng}, rng);
    return at->random;
}

static void note(double *g, double norm) { *g = *g > 0 ? (*g + norm) / 2 : norm; }

/* Root mean square of so many numbers. */
static double norm_of(double squares, double numbers) { return sqrt(squares / numbers); }

static void credit(pada *p, const snc_space *s, const snc_arch *a, const snc_sampler_gradient *of)
{
    snc_cfg c;
    double squares = 0, numbers = 0;
    if (!snc_cfg_of_arch(&c, s, a)) return;
    for (int i = 0; i < a->layers; i++) {
        const int l = a->source[i], gene = snc_space_layer(s, l);
        const double heads = 4.0 * a->hidden * a->heads[i] * p->cfg->head_width, ffn = 2.0 * a->hidden * a->ffn[i];
        if (heads > 0) note(&p->g[gene][c.o[gene]], norm_of(of[l].attention, heads));
        if (ffn > 0) note(&p->g[gene + 1][c.o[gene + 1]], norm_of(of[l].ffn, ffn));
        squares += of[l].attention + of[l].ffn;
        numbers += heads + ffn;
    }
    if (!s->single) note(&p->g[0][c.o[0]], norm_of(squares, numbers));
    note(&p->g[1][c.o[1]], norm_of(squares, numbers));
}

static void tell(void *state, const snc_sampler_at *at, const snc_sampler_seen *seen)
{
    for (int i = 0; i < seen->n; i++) credit(state, at->space, &seen->nets[i], seen->gradient);
}

static snc_block block(void *state)
{
    pada *p = state;
    return (snc_block){p->g, (size_t)p->genes * sizeof p->g[0]};
}

const snc_sampler_kind snc_sampler_pada = {.name = "pada",
                                           .random_nets = 1,
                                           .no_largest = true,
                                           .gradients = true,
                                           .random_cost = 0.4,
                                           .create = create,
                                           .destroy = destroy,
                                           .draw = draw,
                                           .tell = tell,
                                           .block = block};
