/* Rows by their running loss under the largest net (by the label, else to the teacher): with probability 0.8 (1 - e^-loss)^2 / sum + 0.2
 * / n. Of cross-entropy e^-loss is the probability of the label, so that this is the factor of the focal loss (Lin et al. 2017, arXiv
 * 1708.02002, gamma 2), by which rows are drawn here instead of weighed: no step is spent on rows that count for nothing. The tilt
 * towards hard rows is meant, so no weight takes it back. A loss runs as half of what it was and half of what it is. Off by default. */
#include <math.h>

#include "train/data_sampler.h"

static const float LEAST = 1e-6f; /* 0: not met yet */

static size_t floats(int n, int K)
{
    (void)K;
    return (size_t)n;
}

static double score(float loss)
{
    const double off = -expm1(-(double)loss);
    return off * off;
}

static void draw(int32_t *rows, float *weight, const float *state, const snc_data_view *v, int n, double done, double *scratch,
                 snc_rng *rng)
{
    (void)done;
    snc_data_draw_by(rows, weight, score, state, v->d->n, n, 0.8, scratch, rng);
}

static void tell(float *state, const snc_data_view *v, const snc_data_told *t)
{
    (void)v;
    for (int b = 0; b < t->B; b++) {
        float *was = &state[t->rows[b]];
        *was = fmaxf(LEAST, *was > 0 ? 0.5f * *was + 0.5f * t->loss[b] : t->loss[b]);
    }
}

const snc_data_sampler_kind snc_data_sampler_focal = {.name = "focal", .floats = floats, .draw = draw, .tell = tell};
