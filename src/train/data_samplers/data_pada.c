/* Rows by the length of their gradient, the data half of PA&DA (Lu et al. 2023, arXiv 2302.14772): with probability p_i = part g_i / sum
 * g + (1 - part) / n, part growing from 0 to 0.8 over the run; g_i the length of the gradient by the logits when the row was last met,
 * which bounds that of the last layer. There it is of softmax minus label, and part grows to 1; here it is of the loss that is trained,
 * teacher and all, summed over the nets of the step, so that rows without a label have one, and a fifth of the draws stays uniform.
 * Their code has no weights, which tilts what is trained; here a row's gradient is multiplied by 1 / (n p_i), at most 10, so that its
 * mean is that of all rows. Rows are weighed by their logits alone: hidden states and relations beside it are refused. The loss that is
 * shown has no weights. Off by default. */
#include <math.h>

#include "train/data_sampler.h"

static const float LEAST = 1e-6f; /* 0: not met yet */

static size_t floats(int n, int K)
{
    (void)K;
    return (size_t)n;
}

static double score(float length) { return (double)length; }

static void draw(int32_t *rows, float *weight, const float *state, const snc_data_view *v, int n, double done, double *scratch,
                 snc_rng *rng)
{
    snc_data_draw_by(rows, weight, score, state, v->d->n, n, 0.8 * done, scratch, rng);
}

static void tell(float *state, const snc_data_view *v, const snc_data_told *t)
{
    (void)v;
    for (int b = 0; b < t->B; b++) state[t->rows[b]] = fmaxf(LEAST, t->gradient[b]);
}

const snc_data_sampler_kind snc_data_sampler_pada = {.name = "pada", .weighs = true, .floats = floats, .draw = draw, .tell = tell};
