#include "models/reorder.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

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
        SNC_CHECK(v[i] >= 0 && v[i] < n && !seen[v[i]], SNC_E_ARG, "order of %s (layer %d): entry %d is no permutation", what,
                  layer, i);
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

typedef struct job {
    snc_model *m;
    float *copy; /* room for the largest parameter */
} job;

/* Units of `width` columns. A vector is one row. */
static void permute_cols(const job *j, int param, const int32_t *order, int n, int width)
{
    const snc_param *p = &j->m->params.p[param];
    float *w = snc_params_w(&j->m->params, param);
    memcpy(j->copy, w, (size_t)p->rows * (size_t)p->cols * sizeof *w);
    for (int r = 0; r < p->rows; r++)
        for (int i = 0; i < n; i++)
            memcpy(w + (size_t)r * (size_t)p->cols + (size_t)i * (size_t)width,
                   j->copy + (size_t)r * (size_t)p->cols + (size_t)order[i] * (size_t)width, (size_t)width * sizeof *w);
}

/* Units of `width` rows. */
static void permute_rows(const job *j, int param, const int32_t *order, int n, int width)
{
    const snc_param *p = &j->m->params.p[param];
    float *w = snc_params_w(&j->m->params, param);
    size_t unit = (size_t)width * (size_t)p->cols;
    memcpy(j->copy, w, (size_t)p->rows * (size_t)p->cols * sizeof *w);
    for (int i = 0; i < n; i++) memcpy(w + (size_t)i * unit, j->copy + (size_t)order[i] * unit, unit * sizeof *w);
}

static void permute_layer(const job *j, int l, const snc_order *o)
{
    const snc_layer_index *x = &j->m->ix.layer[l];
    int D = j->m->cfg.head_width, H = j->m->arch.heads[l], F = j->m->arch.ffn[l], C = j->m->arch.hidden;
    const snc_lin qkv[3] = {x->q, x->k, x->v};
    for (int i = 0; i < 3; i++) {
        permute_rows(j, qkv[i].w, o->heads[l], H, D);
        permute_cols(j, qkv[i].b, o->heads[l], H, D);
        permute_cols(j, qkv[i].w, o->hidden, C, 1);
    }
    permute_cols(j, x->o.w, o->heads[l], H, D);
    permute_rows(j, x->ffn_in.w, o->ffn[l], F, 1);
    permute_cols(j, x->ffn_in.b, o->ffn[l], F, 1);
    permute_cols(j, x->ffn_out.w, o->ffn[l], F, 1);
    permute_cols(j, x->ffn_in.w, o->hidden, C, 1);
    permute_rows(j, x->o.w, o->hidden, C, 1);
    permute_rows(j, x->ffn_out.w, o->hidden, C, 1);
    const int vectors[] = {x->o.b, x->ffn_out.b, x->attn_norm.w, x->attn_norm.b, x->ffn_norm.w, x->ffn_norm.b};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) permute_cols(j, vectors[i], o->hidden, C, 1);
}

snc_err snc_model_reorder(snc_model *m, const snc_order *o)
{
    snc_err err = SNC_OK;
    size_t largest = 0;
    int32_t *seen = NULL;
    job j = {.m = m};
    for (int i = 0; i < m->params.n; i++) {
        size_t n = (size_t)m->params.p[i].rows * (size_t)m->params.p[i].cols;
        if (n > largest) largest = n;
    }
    SNC_GOTO(snc_alloc(&seen, largest, sizeof *seen));
    SNC_GOTO(check_order(o, &m->arch, seen));
    SNC_GOTO(snc_alloc(&j.copy, largest, sizeof *j.copy));
    int C = m->arch.hidden;
    const int tables[] = {m->ix.word, m->ix.position, m->ix.type, m->ix.embed_norm.w, m->ix.embed_norm.b, m->ix.pooler.w};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) permute_cols(&j, tables[i], o->hidden, C, 1);
    for (int l = 0; l < m->arch.layers; l++) permute_layer(&j, l, o);
    permute_rows(&j, m->ix.pooler.w, o->pooler, C, 1);
    permute_cols(&j, m->ix.pooler.b, o->pooler, C, 1);
    permute_cols(&j, m->ix.classifier.w, o->pooler, C, 1);
out:
    snc_free(seen);
    snc_free(j.copy);
    return err;
}
