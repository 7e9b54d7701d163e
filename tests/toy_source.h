/* toy_source.h: a source of weights that owns what it hands out, as one that generates matrices would: for tests of models/source.h.
 *
 * Each matrix is a buffer with a stride of its own, made anew for every arch from the parameter, with junk where the arch does not
 * read; all gradients go through one buffer, which holds junk whenever the engine gets it. `slice`: it is only as large as the arch
 * needs, else whole (so that INT8 scales are those of a dense source).
 *
 *     toy_source *s = toy_source_set(m, true);    the model owns it
 */
#ifndef SNC_TESTS_TOY_SOURCE_H
#define SNC_TESTS_TOY_SOURCE_H

#include <stdlib.h>

#include "models/model.h"

enum { TOY_PAD = 5 };
static const float toy_junk = 1e4f;

typedef struct toy_matrix {
    float *w;
    snc_arch arch; /* it was made for */
    uint64_t version;
    bool stale;
} toy_matrix;

typedef struct toy_source {
    toy_matrix matrix[SNC_MAX_LAYERS][SNC_ROLES];
    float *gradient;
    int gradient_ld;
    bool slice;
    int made, returned; /* matrices, gradients */
} toy_source;

/* How much of a matrix the arch reads. */
static inline void toy_extent(int extent[2], const snc_model *m, snc_role role, int layer, const snc_arch *arch)
{
    int size[SNC_AXES], kept = 0;
    while (snc_spec_rows[role].layer && arch->source[kept] != layer) kept++;
    snc_spec_sizes(size, &m->cfg, arch, kept);
    extent[0] = size[snc_spec_rows[role].rows];
    extent[1] = size[snc_spec_rows[role].cols];
}

static inline void toy_fill(float *w, size_t n)
{
    for (size_t i = 0; i < n; i++) w[i] = toy_junk;
}

static inline snc_source_view toy_materialise(const snc_model *m, snc_role role, int layer, const snc_arch *arch)
{
    toy_source *s = m->source.state;
    toy_matrix *x = &s->matrix[layer][role];
    int i = snc_model_at(m, role, layer), extent[2];
    const snc_param *p = &m->params.p[i];
    int ld = p->cols + TOY_PAD;
    toy_extent(extent, m, role, layer, s->slice ? arch : &m->arch);
    if (!x->version || x->stale || !snc_arch_equal(arch, &x->arch)) {
        toy_fill(x->w, (size_t)p->rows * (size_t)ld);
        for (int r = 0; r < extent[0]; r++)
            memcpy(x->w + r * ld, snc_params_w(&m->params, i) + r * p->cols, (size_t)extent[1] * sizeof(float));
        x->arch = *arch;
        x->stale = false;
        x->version++;
        s->made++;
    }
    return (snc_source_view){.w = x->w,
                             .ld = ld,
                             .rows = extent[0],
                             .cols = extent[1],
                             .b = snc_params_w(&m->params, i + 1),
                             .made = true,
                             .version = x->version};
}

static inline snc_source_gradient toy_gradient(const snc_model *m, snc_role role, int layer)
{
    toy_source *s = m->source.state;
    const int i = snc_model_at(m, role, layer);
    const snc_param *p = &m->params.p[i];
    s->gradient_ld = p->cols + TOY_PAD;
    toy_fill(s->gradient, (size_t)p->rows * (size_t)s->gradient_ld);
    return (snc_source_gradient){
        .g = s->gradient, .ld = s->gradient_ld, .param = -1, .b = m->params.g ? snc_params_g(&m->params, i + 1) : NULL};
}

static inline void toy_backward(const snc_model *m, snc_role role, int layer, const snc_arch *arch)
{
    toy_source *s = m->source.state;
    int i = snc_model_at(m, role, layer), cols = m->params.p[i].cols, extent[2];
    toy_extent(extent, m, role, layer, arch);
    for (int r = 0; r < extent[0]; r++)
        for (int c = 0; c < extent[1]; c++) snc_params_g(&m->params, i)[r * cols + c] += s->gradient[r * s->gradient_ld + c];
    s->returned++;
}

static inline void toy_changed(const snc_model *m)
{
    toy_source *s = m->source.state;
    for (int l = 0; l < SNC_MAX_LAYERS; l++)
        for (int r = 0; r < SNC_ROLES; r++) s->matrix[l][r].stale = true;
}

static inline void toy_free(void *state)
{
    toy_source *s = state;
    for (int l = 0; l < SNC_MAX_LAYERS; l++)
        for (int r = 0; r < SNC_ROLES; r++) free(s->matrix[l][r].w);
    free(s->gradient);
    free(s);
}

static const snc_source_kind toy_source_kind = {.name = "toy",
                                                .materialise = toy_materialise,
                                                .gradient = toy_gradient,
                                                .backward = toy_backward,
                                                .changed = toy_changed,
                                                .free = toy_free};

static inline toy_source *toy_source_set(snc_model *m, bool slice)
{
    toy_source *s = calloc(1, sizeof *s);
    size_t most = 0;
    if (!s) abort();
    s->slice = slice;
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        size_t n = (size_t)p->rows * (size_t)(p->cols + TOY_PAD);
        if (!snc_spec_linear(p)) continue;
        if (n > most) most = n;
        if (!(s->matrix[p->layer][p->row].w = malloc(n * sizeof(float)))) abort();
    }
    if (!(s->gradient = malloc(most * sizeof(float)))) abort();
    snc_model_set_source(m, &toy_source_kind, s);
    return s;
}

#endif
