/* Distances apart in the inference path: what keys and queries make of the table depends on the net alone and is computed when it is bound;
 * of each text and head two products with that are left. */
#include <string.h>

#include "base/mem.h"
#include "models/runtime_priv.h"

/* A block of rows of the table, of buckets `first` .. first + T - 1, normalized in the worker's h, and their integers in xq. */
static void read_rows(snc_rt__job *j, const snc_embed *table, int first, int T, int C)
{
    snc_net *n = j->n;
    snc_rt__worker *w = j->w;
    snc_rt__norm norm = snc_rt__norm_at(n->w, SNC_ROLE_DISTANCE_NORM, 0);
    for (int r = 0; r < T; r++) snc_embed_row(w->h + (size_t)r * (size_t)C, table, n->w->cfg.buckets + first + r, C);
    snc_infer_norm(w->h, C, w->h, C, norm[0], norm[1], T, C, n->w->cfg.norm_eps, n->isa);
    snc_quantize_rows(w->xq, w->sx, w->h, C, T, C, snc_quantized_stride(C));
}

/* To the columns of all distances whose bucket is among these. to [heads][D][ld], x [T, A]; side: 1 where columns count i - j, else -1. */
static void spread(float *to, int ld, int max_len, const float *x, const int16_t *bucket, int first, int T, int A, int side)
{
    for (int d = 1 - max_len; d < max_len; d++) {
        int r = bucket[max_len - 1 + d] - first;
        if (r < 0 || r >= T) continue;
        float *column = to + max_len - 1 + side * d;
        for (int i = 0; i < A; i++) column[(size_t)i * (size_t)ld] = x[(size_t)r * (size_t)A + (size_t)i];
    }
}

static snc_err fill(snc_rt__distances *p, snc_net *n, const snc_arch *arch, const snc_policy *policy, const int16_t *bucket)
{
    static const snc_site sites[2] = {SNC_SITE_K, SNC_SITE_Q};
    snc_rt__job j = {.n = n, .w = &n->worker[0], .ctx = &n->ctx};
    const snc_embed *table = n->w->embed[SNC_ROLE_DISTANCE][policy->embed];
    int len = n->o.max_len, C = arch->hidden, reach = bucket[2 * len - 2];
    for (int first = -reach; first <= reach; first += n->rows) {
        int T = reach - first + 1 < n->rows ? reach - first + 1 : n->rows;
        read_rows(&j, table, first, T, C);
        for (int l = 0; l < arch->layers; l++)
            for (int i = 0; i < 2 && arch->heads[l] > 0; i++) {
                int A = n->w->cfg.head_width * arch->heads[l];
                float *to = p->block + p->at[l] + (size_t)i * (size_t)A * (size_t)p->ld;
                SNC_TRY(snc_rt__linear(j.w->qkv, A, &j, &n->w->m[arch->source[l]][sites[i]], (snc_dtype)policy->linear[l][sites[i]], j.w->h,
                                       C, j.w->xq, j.w->sx, T, A, C, SNC_EPI_NONE));
                spread(to, p->ld, len, j.w->qkv, bucket, first, T, A, i ? 1 : -1);
            }
    }
    return SNC_OK;
}

snc_err snc_rt__distances_make(snc_rt__distances *out, snc_net *n, const snc_arch *arch, const snc_policy *policy)
{
    const snc_encoder_config *c = &n->w->cfg;
    snc_rt__distances p = {.block = NULL};
    int16_t *bucket = NULL;
    snc_err err = SNC_OK;
    size_t len = (size_t)n->o.max_len, floats = 0;
    *out = p;
    if (!c->buckets) return SNC_OK;
    p.ld = (int)snc_align_up(2 * len - 1 + SNC_INFER_SLIDE_ROOM, SNC_ALIGN / sizeof(float));
    for (int l = 0; l < arch->layers; l++) {
        p.at[l] = floats;
        floats += 2 * (size_t)arch->heads[l] * (size_t)c->head_width * (size_t)p.ld;
    }
    SNC_GOTO(snc_alloc(&p.block, floats, sizeof *p.block));
    SNC_GOTO(snc_alloc(&bucket, 2 * len, sizeof *bucket));
    snc_distance_buckets(bucket, (int)len, c->buckets, c->positions);
    SNC_GOTO(fill(&p, n, arch, policy, bucket));
    *out = p;
    p.block = NULL;
out:
    snc_free(p.block);
    snc_free(bucket);
    return err;
}

/* to [rows, cols] += from [cols, rows], of which a few rows at a time stay in L1. */
static void add_turned(float *to, const float *from, int rows, int cols)
{
    enum { BLOCK = 16 };
    for (int c0 = 0; c0 < cols; c0 += BLOCK)
        for (int r = 0; r < rows; r++)
            for (int c = c0; c < c0 + BLOCK && c < cols; c++)
                to[(size_t)r * (size_t)cols + (size_t)c] += from[(size_t)c * (size_t)rows + (size_t)r];
}

snc_infer_bias snc_rt__distances_add(float *room, const snc_net *n, int l, int head, const float *q, const float *k, int ld, int nq, int nk)
{
    const snc_rt__distances *p = &n->distances;
    int D = n->w->cfg.head_width, len = n->o.max_len, heads = n->arch.heads[l];
    const float *key = p->block + p->at[l] + (size_t)head * (size_t)D * (size_t)p->ld + len - 1;
    const float *query = key + (size_t)heads * (size_t)D * (size_t)p->ld;
    float *bias = room, *part = room + (size_t)nq * (size_t)nk;
    snc_infer_slide(bias, nk, q, ld, key, p->ld, nq, nk, D, n->isa);
    snc_infer_slide(part, nq, k, ld, query, p->ld, nk, nq, D, n->isa);
    add_turned(bias, part, nq, nk);
    return (snc_infer_bias){bias, nk, 0};
}
