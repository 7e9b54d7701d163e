/* Routers: a small net on the code of an arch, forward and backward, in plain loops: they are asked once a net and step. */
#include "models/mixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/rng.h"

/* How sharply experts part by budget at the start: at 4 a net of a quarter of the multiply-adds gives the smaller of two 0.88. */
static const float SHARPNESS = 4;

void snc_arch_code(float *code, const snc_arch *a, const snc_arch *full)
{
    memset(code, 0, (size_t)snc_arch_code_size(full->layers) * sizeof *code);
    code[0] = (float)a->hidden / (float)full->hidden;
    for (int l = 0; l < a->layers; l++) {
        int s = a->source[l];
        float *of = code + 1 + 3 * s;
        of[0] = 1;
        of[1] = full->heads[s] ? (float)a->heads[l] / (float)full->heads[s] : 0;
        of[2] = full->ffn[s] ? (float)a->ffn[l] / (float)full->ffn[s] : 0;
    }
}

/* Which of a layer it is nobody asks: rows of a mixture have names alone. */
static snc_err add(int *out, snc_params *ps, int layer, int rows, int cols, const char *stem, const char *name)
{
    bool matrix = rows > 0;
    SNC_TRY(snc_params_add(out, ps, matrix ? rows : 1, cols, matrix ? SNC_PARAM_DECAY : 0, "%s%s", stem, name));
    ps->p[*out].row = matrix ? SNC_ROLE_MIXTURE : SNC_ROLE_MIXTURE_VECTOR;
    ps->p[*out].layer = layer;
    return SNC_OK;
}

static snc_err add_router(snc_router *r, snc_params *ps, int layer, int code, int groups, int m, const char *stem)
{
    r->groups = groups;
    r->m = m;
    SNC_TRY(add(&r->hidden, ps, layer, SNC_ROUTER_WIDTH, code, stem, "router.hidden.weight"));
    SNC_TRY(add(&r->hidden_bias, ps, layer, 0, SNC_ROUTER_WIDTH, stem, "router.hidden.bias"));
    SNC_TRY(add(&r->out, ps, layer, groups * m, SNC_ROUTER_WIDTH, stem, "router.weight"));
    return add(&r->out_bias, ps, layer, 0, groups * m, stem, "router.bias");
}

static snc_err add_experts(int *first, snc_params *ps, const snc_mixture *x, int layer, int rows, int cols, const char *stem)
{
    for (int e = 1; e < x->experts; e++) {
        char expert[SNC_PARAM_NAME + 24];
        int at, next;
        snprintf(expert, sizeof expert, "%sexpert.%d.", stem, e);
        if (x->rank) {
            SNC_TRY(add(&at, ps, layer, rows, x->rank, expert, "u"));
            SNC_TRY(add(&next, ps, layer, x->rank, cols, expert, "v"));
        } else SNC_TRY(add(&at, ps, layer, rows, cols, expert, "weight"));
        SNC_TRY(add(&next, ps, layer, 0, rows, expert, "bias"));
        if (e == 1) *first = at;
    }
    return SNC_OK;
}

snc_err snc_mixture_check(const snc_mixture *x, const snc_arch *a)
{
    SNC_CHECK(x->experts >= 1 && x->experts <= SNC_EXPERTS_MOST, SNC_E_ARG, "%d experts, expected 1 to %d", x->experts, SNC_EXPERTS_MOST);
    SNC_CHECK(x->rank >= 0 && x->rank <= a->hidden, SNC_E_ARG, "experts of rank %d, expected 0 to the hidden size, %d", x->rank, a->hidden);
    return SNC_OK;
}

snc_err snc_mixture_add(snc_mixture_map *map, snc_params *ps, const snc_encoder_config *c, const snc_arch *a)
{
    snc_mixture_map own;
    const snc_mixture *x = &c->mixture;
    const int code = snc_arch_code_size(a->layers);
    snc_mixture_map *to = map ? map : &own;
    *to = (snc_mixture_map){.each = x->rank ? 3 : 2};
    if (!snc_mixture_any(c)) return SNC_OK;
    for (int l = 0; l < a->layers; l++) {
        char stem[SNC_PARAM_NAME], layer[SNC_PARAM_NAME];
        int size[SNC_AXES];
        snc_spec_sizes(size, c, a, l);
        for (int s = 0; s < SNC_SITES; s++) {
            const snc_spec *of = &snc_spec_rows[snc_spec_site((snc_site)s)];
            if (!snc_mixture_has(c, (snc_site)s) || !snc_arch_has(a, l, (snc_site)s)) continue;
            snc_spec_expand(stem, sizeof stem, of->name, l);
            stem[strlen(stem) - strlen("weight")] = 0;
            SNC_TRY(add_experts(&to->first[l][s], ps, x, l, size[of->rows], size[of->cols], stem));
            if (x->neuron) SNC_TRY(add_router(&to->matrix[l][s], ps, l, code, size[of->rows], x->experts, stem));
        }
        snprintf(layer, sizeof layer, "layer.%d.", l);
        if (!x->neuron) SNC_TRY(add_router(&to->layer[l], ps, l, code, 1, x->experts, layer));
    }
    return SNC_OK;
}

/* The first hidden unit carries the share s of the multiply-adds, and z_e = k (2 c_e s - c_e^2) of it is, but for what all have in
 * common, -k (s - c_e)^2: the expert whose budget c_e is nearest has the most. The other units are drawn and begin unheard. */
void snc_router_init(const snc_router *r, const snc_params *ps, const float *weights, float bias, uint64_t seed)
{
    float *w1 = snc_params_w(ps, r->hidden), *w2 = snc_params_w(ps, r->out), *b2 = snc_params_w(ps, r->out_bias);
    const int D = ps->p[r->hidden].cols;
    const char *name = ps->p[r->hidden].name;
    snc_rng rng;
    snc_rng_init(&rng, seed, snc_bytes_hash(0, name, strlen(name)));
    for (int i = 0; i < SNC_ROUTER_WIDTH * D; i++) w1[i] = (float)(snc_rng_normal(&rng) / sqrt(D));
    memcpy(w1, weights, (size_t)D * sizeof *w1);
    memset(snc_params_w(ps, r->hidden_bias), 0, SNC_ROUTER_WIDTH * sizeof(float));
    snc_params_w(ps, r->hidden_bias)[0] = bias;
    memset(w2, 0, (size_t)r->groups * (size_t)r->m * SNC_ROUTER_WIDTH * sizeof *w2);
    for (int g = 0; g < r->groups; g++)
        for (int e = 0; e < r->m; e++) {
            float c = r->m > 1 ? (float)e / (float)(r->m - 1) : 0;
            w2[(g * r->m + e) * SNC_ROUTER_WIDTH] = 2 * SHARPNESS * c;
            b2[g * r->m + e] = -SHARPNESS * c * c;
        }
}

static void softmax(float *z, int m)
{
    float top = z[0], sum = 0;
    for (int e = 1; e < m; e++) top = fmaxf(top, z[e]);
    for (int e = 0; e < m; e++) sum += z[e] = expf(z[e] - top);
    for (int e = 0; e < m; e++) z[e] /= sum;
}

void snc_router_forward(float *p, float *h, const snc_router *r, const snc_params *ps, const float *code, int groups)
{
    const float *w1 = snc_params_w(ps, r->hidden), *b1 = snc_params_w(ps, r->hidden_bias);
    const float *w2 = snc_params_w(ps, r->out), *b2 = snc_params_w(ps, r->out_bias);
    const int D = ps->p[r->hidden].cols;
    for (int i = 0; i < SNC_ROUTER_WIDTH; i++) {
        float sum = b1[i];
        for (int d = 0; d < D; d++) sum += w1[i * D + d] * code[d];
        h[i] = fmaxf(sum, 0);
    }
    for (int g = 0; g < groups; g++) {
        for (int e = 0; e < r->m; e++) {
            const float *w = w2 + (size_t)(g * r->m + e) * SNC_ROUTER_WIDTH;
            float sum = b2[g * r->m + e];
            for (int i = 0; i < SNC_ROUTER_WIDTH; i++) sum += w[i] * h[i];
            p[g * r->m + e] = sum;
        }
        softmax(p + g * r->m, r->m);
    }
}

void snc_router_backward(const snc_router *r, const snc_params *ps, const float *code, int groups, const float *p, const float *h,
                         const float *dp, float *scratch)
{
    const float *w2 = snc_params_w(ps, r->out);
    float *dw1 = snc_params_g(ps, r->hidden), *db1 = snc_params_g(ps, r->hidden_bias);
    float *dw2 = snc_params_g(ps, r->out), *db2 = snc_params_g(ps, r->out_bias), *dz = scratch;
    float dh[SNC_ROUTER_WIDTH] = {0};
    const int D = ps->p[r->hidden].cols, m = r->m;
    for (int g = 0; g < groups; g++) {
        float mean = 0;
        for (int e = 0; e < m; e++) mean += p[g * m + e] * dp[g * m + e];
        for (int e = 0; e < m; e++) dz[g * m + e] = p[g * m + e] * (dp[g * m + e] - mean);
    }
    for (int j = 0; j < groups * m; j++) {
        db2[j] += dz[j];
        for (int i = 0; i < SNC_ROUTER_WIDTH; i++) {
            dw2[(size_t)j * SNC_ROUTER_WIDTH + (size_t)i] += dz[j] * h[i];
            dh[i] += dz[j] * w2[(size_t)j * SNC_ROUTER_WIDTH + (size_t)i];
        }
    }
    for (int i = 0; i < SNC_ROUTER_WIDTH; i++) {
        if (h[i] <= 0) continue;
        db1[i] += dh[i];
        for (int d = 0; d < D; d++) dw1[i * D + d] += dh[i] * code[d];
    }
}
