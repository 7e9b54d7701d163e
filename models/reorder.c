/* Each matrix is permuted along the axes that its row of the table names, by one scratch copy; scores are sorted by a total order. */
#include "models/reorder.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "core/relative.h"

static void fill_identity(int32_t *v, int n)
{
    for (int i = 0; i < n; i++) v[i] = i;
}

snc_err snc_order_init(snc_order *out, const snc_arch *a)
{
    size_t total = 2 * (size_t)a->hidden;
    for (int l = 0; l < a->layers; l++) total += (size_t)a->heads[l] + (size_t)a->ffn[l];
    int32_t *at;
    SNC_TRY(snc_alloc(&at, total, sizeof *at));
    *out = (snc_order){.layers = a->layers, .block = at};
    out->hidden = at;
    out->pooler = at += a->hidden;
    at += a->hidden;
    fill_identity(out->hidden, a->hidden);
    fill_identity(out->pooler, a->hidden);
    for (int l = 0; l < a->layers; l++) {
        out->heads[l] = at;
        out->ffn[l] = at += a->heads[l];
        at += a->ffn[l];
        fill_identity(out->heads[l], a->heads[l]);
        fill_identity(out->ffn[l], a->ffn[l]);
    }
    return SNC_OK;
}

void snc_order_dispose(snc_order *o)
{
    snc_free(o->block);
    *o = (snc_order){0};
}

static bool before(const double *score, int32_t a, int32_t b)
{
    double x = isnan(score[a]) ? -HUGE_VAL : score[a], y = isnan(score[b]) ? -HUGE_VAL : score[b];
    return x > y || (x == y && a < b);
}

void snc_order_by_score(int32_t *order, const double *score, int n)
{
    /* Shell sort on a total order: the result does not depend on the C library. */
    fill_identity(order, n);
    for (int gap = n / 2; gap > 0; gap /= 2)
        for (int i = gap; i < n; i++) {
            int32_t x = order[i];
            int j = i;
            for (; j >= gap && before(score, x, order[j - gap]); j -= gap) order[j] = order[j - gap];
            order[j] = x;
        }
}

/* ---- checks --------------------------------------------------------------------------------------------------------- */

static snc_err check_permutation(const int32_t *v, int n, int32_t *seen, const char *what, int layer)
{
    memset(seen, 0, (size_t)n * sizeof *seen);
    for (int i = 0; i < n; i++) {
        SNC_CHECK(v[i] >= 0 && v[i] < n && !seen[v[i]], SNC_E_ARG, "order of %s (layer %d): entry %d is no permutation", what, layer, i);
        seen[v[i]] = 1;
    }
    return SNC_OK;
}

static snc_err check_order(const snc_order *o, const snc_arch *a, int32_t *seen)
{
    SNC_CHECK(o->layers == a->layers, SNC_E_SHAPE, "order of %d layers for a model of %d", o->layers, a->layers);
    SNC_TRY(check_permutation(o->hidden, a->hidden, seen, "hidden channels", 0));
    SNC_TRY(check_permutation(o->pooler, a->hidden, seen, "pooler units", 0));
    for (int l = 0; l < a->layers; l++) {
        SNC_TRY(check_permutation(o->heads[l], a->heads[l], seen, "heads", l));
        SNC_TRY(check_permutation(o->ffn[l], a->ffn[l], seen, "ffn neurons", l));
    }
    return SNC_OK;
}

/* ---- permuting a parameter ------------------------------------------------------------------------------------------- */

/* Units of `width` entries in order[i], or NULL: an axis that keeps its order. */
typedef struct units {
    const int32_t *order;
    int n, width;
} units;

static units units_of(const snc_model *m, const snc_order *o, snc_axis axis, int layer)
{
    switch (axis) {
    case SNC_AXIS_HIDDEN: return (units){o->hidden, m->arch.hidden, 1};
    case SNC_AXIS_POOLED: return (units){o->pooler, m->arch.hidden, 1};
    case SNC_AXIS_HEAD: return (units){o->heads[layer], m->arch.heads[layer], m->cfg.head_width};
    case SNC_AXIS_RELATIVE: return (units){o->heads[layer], m->arch.heads[layer], SNC_RELATIVE_BUCKETS};
    case SNC_AXIS_FFN_IN: return (units){o->ffn[layer], m->arch.ffn[layer], snc_family_neuron(snc_family_of(&m->cfg))};
    case SNC_AXIS_FFN: return (units){o->ffn[layer], m->arch.ffn[layer], 1};
    default: return (units){NULL, 0, 0};
    }
}

/* `copy` has room for the matrix. */
static void permute_cols(float *w, float *copy, const snc_param *p, units u)
{
    size_t cols = (size_t)p->cols, width = (size_t)u.width;
    if (!u.order) return;
    memcpy(copy, w, (size_t)p->rows * cols * sizeof *w);
    for (size_t r = 0; r < (size_t)p->rows; r++)
        for (size_t i = 0; i < (size_t)u.n; i++)
            memcpy(w + r * cols + i * width, copy + r * cols + (size_t)u.order[i] * width, width * sizeof *w);
}

static void permute_rows(float *w, float *copy, const snc_param *p, units u)
{
    size_t unit = (size_t)u.width * (size_t)p->cols;
    if (!u.order) return;
    memcpy(copy, w, (size_t)p->rows * (size_t)p->cols * sizeof *w);
    for (int i = 0; i < u.n; i++) memcpy(w + (size_t)i * unit, copy + (size_t)u.order[i] * unit, unit * sizeof *w);
}

snc_err snc_model_reorder(snc_model *m, const snc_order *o)
{
    snc_err err = SNC_OK;
    size_t largest = 0;
    int32_t *seen = NULL;
    float *copy = NULL;
    for (int i = 0; i < m->params.n; i++) {
        size_t n = (size_t)m->params.p[i].rows * (size_t)m->params.p[i].cols;
        if (n > largest) largest = n;
    }
    SNC_GOTO(snc_alloc(&seen, largest, sizeof *seen));
    SNC_GOTO(check_order(o, &m->arch, seen));
    SNC_GOTO(snc_alloc(&copy, largest, sizeof *copy));
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        const snc_spec *s = snc_spec_of(p);
        permute_rows(snc_params_w(&m->params, i), copy, p, units_of(m, o, s->rows, p->layer));
        permute_cols(snc_params_w(&m->params, i), copy, p, units_of(m, o, snc_family_axis(&m->cfg, s->cols), p->layer));
    }
out:
    snc_free(seen);
    snc_free(copy);
    return err;
}
