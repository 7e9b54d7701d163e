/* snc_make.h: writes a model as a .snc of any policy, quantized plainly: what export does, without its care. */
#ifndef SNC_TESTS_SNC_MAKE_H
#define SNC_TESTS_SNC_MAKE_H

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "models/snc_file.h"

enum { SNC_MAKE_MAX = 1024 };

typedef struct snc_make {
    snc_tensor t[SNC_MAKE_MAX];
    char name[SNC_MAKE_MAX][SNC_PARAM_NAME + 8];
    int n;
    snc_arena *arena;
} snc_make;

/* q = round(w * 127 / absmax of the row) */
static inline snc_err snc_make_i8(snc_make *k, const snc_param *p, const float *w)
{
    size_t N = (size_t)p->rows, K = (size_t)p->cols;
    int8_t *q = NULL;
    float *scale = NULL;
    SNC_TRY(snc_arena_alloc(&q, k->arena, N * K));
    SNC_TRY(snc_arena_alloc(&scale, k->arena, N * sizeof *scale));
    for (size_t r = 0; r < N; r++) {
        float top = 0;
        for (size_t c = 0; c < K; c++) top = fmaxf(top, fabsf(w[r * K + c]));
        scale[r] = top / 127.0f;
        for (size_t c = 0; c < K; c++) q[r * K + c] = (int8_t)(top > 0 ? lrintf(w[r * K + c] * 127.0f / top) : 0);
    }
    k->t[k->n++] = (snc_tensor){.name = p->name, .dtype = SNC_I8, .rank = 2, .shape = {p->rows, p->cols}, .data = q, .bytes = N * K};
    snprintf(k->name[k->n], sizeof *k->name, "%s.scale", p->name);
    k->t[k->n] = (snc_tensor){.name = k->name[k->n], .dtype = SNC_F32, .rank = 1, .shape = {p->rows}, .data = scale, .bytes = N * 4};
    k->n++;
    return SNC_OK;
}

static inline snc_err snc_make_param(snc_make *k, const snc_model *m, int i, snc_dtype dtype)
{
    const snc_param *p = &m->params.p[i];
    const float *w = snc_params_w(&m->params, i);
    size_t n = (size_t)p->rows * (size_t)p->cols;
    bool matrix = p->flags & SNC_PARAM_DECAY;
    if (dtype == SNC_I8) return snc_make_i8(k, p, w);
    snc_tensor t = {.name = p->name,
                    .dtype = dtype,
                    .rank = matrix ? 2 : 1,
                    .shape = {matrix ? p->rows : p->cols, matrix ? p->cols : 0},
                    .data = w,
                    .bytes = n * 4};
    if (dtype == SNC_BF16) {
        snc_bf16 *h = NULL;
        SNC_TRY(snc_arena_alloc(&h, k->arena, n * sizeof *h));
        for (size_t j = 0; j < n; j++) h[j] = snc_bf16_from_f32(w[j]);
        t.data = h;
        t.bytes = n * 2;
    }
    k->t[k->n++] = t;
    return SNC_OK;
}

/* The tensors of m under policy; freed with snc_arena_free(k->arena). */
static inline snc_err snc_make_tensors(snc_make *k, const snc_model *m, const snc_policy *policy)
{
    k->n = 0;
    SNC_TRY(snc_arena_new(&k->arena));
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        SNC_TRY(snc_make_param(k, m, i, snc_spec_dtype(policy, p->row, p->layer)));
    }
    return SNC_OK;
}

static inline snc_err snc_make_file(const char *path, const snc_model *m, const snc_policy *policy)
{
    static snc_make k;
    snc_sncfile_desc d = {.cfg = &m->cfg,
                          .arch = &m->arch,
                          .policy = policy,
                          .labels = m->labels,
                          .has_head = m->has_head,
                          .tokenizer = &m->tokenizer,
                          .meta = m->meta};
    snc_err err = snc_make_tensors(&k, m, policy);
    if (!err) err = snc_sncfile_save(path, &d, k.t, k.n);
    snc_arena_free(k.arena);
    return err;
}

#endif
