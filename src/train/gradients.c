/* A layer a chunk, so that the sums do not depend on the number of threads. */
#include "train/gradients.h"

#include <assert.h>

#include "base/par.h"

typedef struct squares {
    snc_sampler_gradient *out;
    const snc_model *m;
} squares;

static double squares_of(const snc_model *m, snc_role role, int layer)
{
    const int p = snc_model_at(m, role, layer);
    double sum = 0;
    assert(p >= 0); /* every family has these */
    const float *g = snc_params_g(&m->params, p);
    const size_t n = (size_t)m->params.p[p].rows * (size_t)m->params.p[p].cols;
    for (size_t i = 0; i < n; i++) sum += (double)g[i] * (double)g[i];
    return sum;
}

static void add(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    static const snc_role attention[] = {SNC_ROLE_Q, SNC_ROLE_K, SNC_ROLE_V, SNC_ROLE_O};
    const squares *s = payload;
    (void)chunk, (void)worker;
    for (int l = (int)begin; l < (int)end; l++) {
        s->out[l] = (snc_sampler_gradient){0};
        for (size_t i = 0; i < sizeof attention / sizeof *attention; i++) s->out[l].attention += squares_of(s->m, attention[i], l);
        s->out[l].ffn = squares_of(s->m, SNC_ROLE_FFN_IN, l) + squares_of(s->m, SNC_ROLE_FFN_OUT, l);
    }
}

void snc_layer_gradients(snc_sampler_gradient *out, const snc_ctx *ctx, const snc_model *m)
{
    snc_par_for(ctx, m->arch.layers, 1, add, &(squares){out, m});
}
