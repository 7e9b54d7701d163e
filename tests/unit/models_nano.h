/* A nano BERT made from a seed, batches for it, and its forward pass in plain double precision: for tests of models/.
 */
#ifndef SNC_TESTS_MODELS_NANO_H
#define SNC_TESTS_MODELS_NANO_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "models/model.h"
#include "core/tokens.h"

enum { NANO_CLASSES = 3, NANO_SUB_HIDDEN = 56, NANO_EMBEDDING = 96 /* of families that project: wider than hidden */ };

/* 3 layers, hidden 72 (no multiple of 16 or 64), 4 heads of 20, FFN 88. Weights of deviation 0.15 give logits of
 * order 1. */
static inline snc_model *nano_meaning_make(snc_act act, const snc_family *family, bool vector)
{
    snc_encoder_config c = {.family = family,
                            .vocab = 97,
                            .positions = 48,
                            .types = snc_family_has(family, SNC_ROLE_TYPE) ? 2 : 0,
                            .embedding = snc_family_has(family, SNC_ROLE_PROJECTION) ? NANO_EMBEDDING : 0,
                            .hidden = 72,
                            .layers = 3,
                            .heads = 4,
                            .head_width = 20,
                            .ffn = 88,
                            .classes = NANO_CLASSES,
                            .act = act,
                            .norm_eps = 1e-12f,
                            .vector = vector};
    if (family->rotary) c.theta = 300, c.local_theta = 30, c.window = 4, c.local = 1 << 2; /* the last layer is a local one */
    if (snc_family_has(family, SNC_ROLE_DISTANCE)) c.buckets = 6; /* of 30 distances the first three are their own */
    snc_arch a = snc_arch_full(&c);
    snc_model *m = NULL;
    snc_rng r;
    if (snc_model_new(&m, &c, &a) != SNC_OK) abort();
    snc_model_init_random(m, 11);
    snc_rng_init(&r, 5, 5);
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        float *w = snc_params_w(&m->params, i);
        bool gamma = strstr(p->name, "norm.weight") != NULL;
        for (int k = 0; k < p->rows * p->cols; k++) w[k] = (float)(snc_rng_normal(&r) * (gamma ? 0.1 : 0.15)) + (gamma ? 1.0f : 0.0f);
    }
    return m;
}

static inline snc_model *nano_family_make(snc_act act, const snc_family *family) { return nano_meaning_make(act, family, false); }
static inline snc_model *nano_model_make(snc_act act) { return nano_family_make(act, &snc_family_bert); }

/* Layers 0 and 2, narrower everywhere, no width round. */
static inline snc_arch nano_subnet(const snc_model *m)
{
    snc_arch a = m->arch;
    a.layers = 2;
    a.hidden = NANO_SUB_HIDDEN;
    a.source[0] = 0, a.source[1] = 2;
    a.heads[0] = 3, a.heads[1] = 2;
    a.ffn[0] = 40, a.ffn[1] = 70;
    return a;
}

/* Nets that skip halves: heads at the front, in the middle and at the end, and FFNs; two layers go on behind the last heads. */
enum { NANO_SKIPPING = 4 };
static inline snc_arch nano_skipping(const snc_model *m, int which)
{
    static const int heads[NANO_SKIPPING][3] = {{0, 3, 2}, {4, 0, 0}, {2, 0, 3}, {3, 2, 1}};
    static const int ffn[NANO_SKIPPING][3] = {{40, 0, 70}, {0, 88, 33}, {0, 24, 0}, {0, 0, 0}};
    snc_arch a = m->arch;
    a.hidden = which % 2 ? m->arch.hidden : NANO_SUB_HIDDEN;
    memcpy(a.heads, heads[which], sizeof heads[which]);
    memcpy(a.ffn, ffn[which], sizeof ffn[which]);
    return a;
}

typedef struct nano_batch {
    snc_tokens t;
    int32_t *ids, *types, *offsets, pair[2];
} nano_batch;

/* B sequences of 1 to max_len tokens. */
static inline nano_batch nano_batch_make(int B, int max_len, uint64_t seed)
{
    nano_batch x;
    snc_rng r;
    int T = 0;
    snc_rng_init(&r, seed, 3);
    x.offsets = malloc(((size_t)B + 1) * sizeof *x.offsets);
    x.ids = malloc((size_t)B * (size_t)max_len * sizeof *x.ids);
    x.types = malloc((size_t)B * (size_t)max_len * sizeof *x.types);
    x.offsets[0] = 0;
    for (int b = 0; b < B; b++) {
        int len = 1 + (int)snc_rng_below(&r, (uint32_t)max_len);
        for (int i = 0; i < len; i++, T++) {
            x.ids[T] = (int32_t)snc_rng_below(&r, 97);
            x.types[T] = i > len / 2;
        }
        x.offsets[b + 1] = T;
    }
    x.t = (snc_tokens){.B = B, .T = T, .ids = x.ids, .types = x.types, .offsets = x.offsets};
    return x;
}

/* Sequence b alone; valid until the next slice. */
static inline snc_tokens nano_batch_slice(nano_batch *x, int b)
{
    int at = x->offsets[b];
    x->pair[0] = 0;
    x->pair[1] = x->offsets[b + 1] - at;
    return (snc_tokens){.B = 1, .T = x->pair[1], .ids = x->ids + at, .types = x->types + at, .offsets = x->pair};
}

static inline void nano_batch_dispose(nano_batch *x)
{
    free(x->ids);
    free(x->types);
    free(x->offsets);
}

static inline void nano_norm(double *x, const snc_model *m, snc_lin i, int C);

/* y [n] = W[:n, :k] x + b */
static inline void nano_linear(double *y, const snc_model *m, snc_lin i, const double *x, int n, int k)
{
    const float *W = snc_params_w(&m->params, i.w), *b = snc_params_w(&m->params, i.b);
    int ld = m->params.p[i.w].cols;
    for (int r = 0; r < n; r++) {
        y[r] = (double)b[r];
        for (int c = 0; c < k; c++) y[r] += (double)W[r * ld + c] * x[c];
    }
}

static inline void nano_norm(double *x, const snc_model *m, snc_lin i, int C)
{
    const float *g = snc_params_w(&m->params, i.w), *b = snc_params_w(&m->params, i.b);
    double mean = 0, var = 0;
    for (int c = 0; c < C; c++) mean += x[c] / C;
    for (int c = 0; c < C; c++) var += (x[c] - mean) * (x[c] - mean) / C;
    for (int c = 0; c < C; c++) x[c] = (x[c] - mean) / sqrt(var + (double)m->cfg.norm_eps) * (double)g[c] + (double)b[c];
}

static inline double nano_act(double x, snc_act act)
{
    if (act == SNC_ACT_RELU) return x > 0 ? x : 0;
    if (act == SNC_ACT_GELU) return 0.5 * x * (1 + erf(x * 0.70710678118654752));
    return 0.5 * x * (1 + tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
}

/* What a head adds to the score of a key by its distance; 0 where the family has no such parameter. */
static inline double nano_relative(const snc_model *m, int layer, int head, int distance)
{
    int at = snc_model_at(m, SNC_ROLE_RELATIVE, layer), n = abs(distance), far = n < 8 ? n : 8 + (int)(2 * log2(n / 8.0));
    if (at < 0) return 0;
    return (double)snc_params_w(&m->params, at)[32 * head + (distance > 0 ? 16 : 0) + (far > 15 ? 15 : far)];
}

/* Distances apart: what keys and queries of the layer make of each, [47 + distance] of A. */
typedef struct nano_distances {
    double key[95][100], query[95][100];
} nano_distances;

static inline int nano_bucket(const snc_encoder_config *c, int distance)
{
    int single = c->buckets / 2;
    double n = abs(distance);
    if (n > single) n = single + ceil(log(n / single) / log((c->positions - 1.0) / single) * (single - 1));
    return c->buckets + (distance < 0 ? -(int)n : (int)n);
}

static inline void nano_distances_make(nano_distances *d, const snc_model *m, int layer, int C, int A)
{
    int table = snc_model_at(m, SNC_ROLE_DISTANCE, 0);
    for (int i = -47; i <= 47 && table >= 0 && A > 0; i++) {
        double row[100];
        for (int c = 0; c < C; c++) row[c] = (double)snc_params_w(&m->params, table)[nano_bucket(&m->cfg, i) * m->params.p[table].cols + c];
        nano_norm(row, m, snc_model_lin(m, SNC_ROLE_DISTANCE_NORM, 0), C);
        nano_linear(d->key[47 + i], m, snc_model_lin(m, SNC_ROLE_K, layer), row, A, C);
        nano_linear(d->query[47 + i], m, snc_model_lin(m, SNC_ROLE_Q, layer), row, A, C);
    }
}

static inline void nano_attention(double *y, const snc_model *m, int layer, const double *q, const double *k, const double *v, int i,
                                  int len, int A, int h, const nano_distances *apart)
{
    int D = m->cfg.head_width;
    double p[64], max = -1e30, sum = 0, size = sqrt((double)D * (m->cfg.buckets ? 3 : 1));
    for (int j = 0; j < len; j++) {
        p[j] = snc_is_local(&m->cfg, layer) && abs(j - i) > m->cfg.window ? -HUGE_VAL : nano_relative(m, layer, h, j - i);
        for (int d = h * D; d < (h + 1) * D; d++) {
            p[j] += q[i * A + d] * k[j * A + d] / size;
            if (m->cfg.buckets) p[j] += (q[i * A + d] * apart->key[47 + i - j][d] + apart->query[47 + i - j][d] * k[j * A + d]) / size;
        }
        max = fmax(max, p[j]);
    }
    for (int j = 0; j < len; j++) sum += p[j] = exp(p[j] - max);
    for (int d = 0; d < D; d++) {
        y[h * D + d] = 0;
        for (int j = 0; j < len; j++) y[h * D + d] += p[j] / sum * v[j * A + h * D + d];
    }
}

/* x = norm(s + y), or norm(s) where a half is skipped: n = 0. What goes past, s, is x itself, or with the norms in front the sum. */
static inline void nano_close(double *x, double *s, const double *y, int n, const snc_model *m, snc_role norm, int layer, int C)
{
    for (int c = 0; c < C && n > 0; c++) s[c] += y[c];
    if (s != x) memcpy(x, s, (size_t)C * sizeof *x);
    nano_norm(x, m, snc_model_lin(m, norm, layer), C);
}

static inline void nano_turn(double *x, const snc_model *m, int layer, int t, int A)
{
    int D = m->cfg.head_width;
    double theta = (double)(snc_is_local(&m->cfg, layer) ? m->cfg.local_theta : m->cfg.theta);
    if (!snc_family_of(&m->cfg)->rotary) return;
    for (int h = 0; h < A; h += D)
        for (int d = 0; d < D / 2; d++) {
            double angle = t * pow(theta, -2.0 * d / D), a = x[h + d], b = x[h + d + D / 2];
            x[h + d] = a * cos(angle) - b * sin(angle);
            x[h + d + D / 2] = b * cos(angle) + a * sin(angle);
        }
}

/* f [F] = the neurons of what FFN-in gives. */
static inline void nano_neurons(double *f, const snc_model *m, int F)
{
    for (int c = 0; c < F; c++)
        f[c] = snc_family_of(&m->cfg)->gated ? nano_act(f[2 * c], m->cfg.act) * f[2 * c + 1] : nano_act(f[c], m->cfg.act);
}

/* The layer's own number, and that of the one whose norm stands behind its FFN; past: h, or beside it. */
static inline void nano_layer(double *h, double *past, const snc_model *m, int layer, int closing, int len, int C, int A, int F)
{
    static double q[64 * 100], k[64 * 100], v[64 * 100], y[100], o[100], f[200];
    static nano_distances apart;
    int D = m->cfg.head_width;
    nano_distances_make(&apart, m, layer, C, A);
    for (int t = 0; t < len && A > 0; t++) {
        nano_linear(q + t * A, m, snc_model_lin(m, SNC_ROLE_Q, layer), h + t * C, A, C);
        nano_linear(k + t * A, m, snc_model_lin(m, SNC_ROLE_K, layer), h + t * C, A, C);
        nano_linear(v + t * A, m, snc_model_lin(m, SNC_ROLE_V, layer), h + t * C, A, C);
        nano_turn(q + t * A, m, layer, t, A);
        nano_turn(k + t * A, m, layer, t, A);
    }
    for (int t = 0; t < len; t++) {
        double *x = h + t * C, *s = past + t * C;
        for (int head = 0; head < A / D; head++) nano_attention(y, m, layer, q, k, v, t, len, A, head, &apart);
        if (A > 0) nano_linear(o, m, snc_model_lin(m, SNC_ROLE_O, layer), y, C, A);
        nano_close(x, s, o, A, m, SNC_ROLE_ATTENTION_NORM, layer, C);
        if (F > 0) nano_linear(f, m, snc_model_lin(m, SNC_ROLE_FFN_IN, layer), x, snc_family_neuron(snc_family_of(&m->cfg)) * F, C);
        nano_neurons(f, m, F);
        if (F > 0) nano_linear(o, m, snc_model_lin(m, SNC_ROLE_FFN_OUT, layer), f, C, F);
        nano_close(x, s, o, F, m, SNC_ROLE_FFN_NORM, closing, C);
    }
}

/* What a token reads of one table; nothing where the family has none. */
static inline double nano_row(const snc_model *m, snc_role table, int row, int c)
{
    int i = snc_model_at(m, table, 0);
    return i < 0 ? 0 : (double)snc_params_w(&m->params, i)[row * m->params.p[i].cols + c];
}

static inline void nano_pool(double *h, const snc_model *m, int C)
{
    double pooled[100];
    snc_head head = snc_config_head(&m->cfg);
    if (head == SNC_HEAD_NONE) return;
    nano_linear(pooled, m, snc_model_lin(m, SNC_ROLE_POOLER, 0), h, C, C);
    for (int c = 0; c < C; c++)
        h[c] = head == SNC_HEAD_TANH ? tanh(pooled[c]) : nano_act(pooled[c], head == SNC_HEAD_GELU ? SNC_ACT_GELU : SNC_ACT_RELU);
    if (snc_family_has(snc_family_of(&m->cfg), SNC_ROLE_POOLER_NORM)) nano_norm(h, m, snc_model_lin(m, SNC_ROLE_POOLER_NORM, 0), C);
}

/* h [C] of a token, normalized */
static inline void nano_embed(double *h, const snc_model *m, const snc_tokens *x, int token, int position, int C)
{
    double sum[100];
    int E = m->cfg.embedding ? m->cfg.embedding : C, base = snc_family_of(&m->cfg)->position_base;
    for (int c = 0; c < E; c++)
        sum[c] = nano_row(m, SNC_ROLE_WORD, x->ids[token], c) + nano_row(m, SNC_ROLE_POSITION, base + position, c) +
                 nano_row(m, SNC_ROLE_TYPE, x->types[token], c);
    nano_norm(sum, m, snc_model_lin(m, SNC_ROLE_EMBED_NORM, 0), E);
    if (m->cfg.embedding) nano_linear(h, m, snc_model_lin(m, SNC_ROLE_PROJECTION, 0), sum, C, E);
    else memcpy(h, sum, (size_t)C * sizeof *h);
}

/* logits [B, K] */
static inline void nano_forward(double *logits, const snc_model *m, const snc_arch *a, const snc_tokens *x)
{
    static double h[64 * 100], sums[64 * 100];
    const snc_family *f = snc_family_of(&m->cfg);
    double *past = f->pre_norm ? sums : h;
    int C = a->hidden;
    for (int b = 0; b < x->B; b++) {
        int at = x->offsets[b], len = x->offsets[b + 1] - at;
        for (int t = 0; t < len; t++) nano_embed(h + t * C, m, x, at + t, t, C);
        if (past != h) memcpy(past, h, (size_t)len * (size_t)C * sizeof *h);
        for (int l = 0; l < a->layers; l++)
            nano_layer(h, past, m, a->source[l], snc_family_closing(f, a, l, m->arch.layers), len, C, m->cfg.head_width * a->heads[l],
                       a->ffn[l]);
        for (int c = 0; c < C && m->cfg.mean; c++) {
            for (int t = 1; t < len; t++) h[c] += h[t * C + c];
            h[c] /= len;
        }
        nano_pool(h, m, C);
        nano_linear(logits + b * NANO_CLASSES, m, snc_model_lin(m, SNC_ROLE_CLASSIFIER, 0), h, NANO_CLASSES, C);
    }
}

#endif
