/* The dense source: a matrix is its parameter, and a narrower net reads a prefix of it. */
#include "models/model.h"

static snc_source_view materialise(const snc_model *m, snc_role role, int layer, const snc_arch *arch)
{
    (void)arch;
    int i = snc_model_at(m, role, layer);
    const snc_param *p = &m->params.p[i];
    return (snc_source_view){.w = snc_params_w(&m->params, i), .ld = p->cols, .rows = p->rows, .cols = p->cols, .version = 1};
}

static snc_source_gradient gradient(const snc_model *m, snc_role role, int layer)
{
    int i = snc_model_at(m, role, layer);
    float *g = m->params.g ? snc_params_g(&m->params, i) : NULL; /* an engine that does not train asks for the parameter alone */
    return (snc_source_gradient){.g = g, .ld = m->params.p[i].cols, .param = i};
}

const snc_source_kind snc_source_dense = {.name = "dense", .materialise = materialise, .gradient = gradient};
