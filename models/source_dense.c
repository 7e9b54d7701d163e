/* The dense source: a matrix is its parameter, and a narrower net reads a prefix of it. */
#include "models/model.h"

snc_source_view snc_source_dense_view(const snc_model *m, snc_role role, int layer)
{
    int i = snc_model_at(m, role, layer);
    const snc_param *p = &m->params.p[i];
    return (snc_source_view){.w = snc_params_w(&m->params, i),
                             .ld = p->cols,
                             .rows = p->rows,
                             .cols = p->cols,
                             .b = snc_params_w(&m->params, snc_model_at(m, role + 1, layer)),
                             .version = 1};
}

snc_source_gradient snc_source_dense_gradient(const snc_model *m, snc_role role, int layer)
{
    int i = snc_model_at(m, role, layer), bias = snc_model_at(m, role + 1, layer);
    bool any = m->params.g; /* an engine that does not train asks for the parameter alone */
    return (snc_source_gradient){.g = any ? snc_params_g(&m->params, i) : NULL,
                                 .ld = m->params.p[i].cols,
                                 .param = i,
                                 .b = any ? snc_params_g(&m->params, bias) : NULL};
}

static snc_source_view materialise(const snc_model *m, snc_role role, int layer, const snc_arch *arch)
{
    (void)arch;
    return snc_source_dense_view(m, role, layer);
}

const snc_source_kind snc_source_dense = {.name = "dense", .materialise = materialise, .gradient = snc_source_dense_gradient};
