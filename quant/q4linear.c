/* Packed as the INT8 layer's blocks with nibbles for bytes: expanded in the cache, they are what its kernels read anyway. */
#include "quant/q4linear.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "quant/q4linear_priv.h"

enum {
    K_MAX = 131072, /* as for INT8: larger K could overflow an int32 sum */
    GROUP = SNC_Q4WIDE * SNC_QPANEL
};

/* ---- packing -------------------------------------------------------------------------------------------------------- */

static uint8_t *block_of(const snc_qlinear *l, int n, int k)
{
    int p = n / SNC_QPANEL;
    size_t pair = (size_t)(p / 2) * (size_t)l->blocks + (size_t)(k / SNC_QBLOCK);
    return (uint8_t *)l->wq + pair * SNC_Q4PAIR + (size_t)(p % 2) * SNC_Q4TILE;
}

/* The byte of a block that holds weight (i, k), and which half. */
static int place(int *shift, const snc_qkernel *kernel, int i, int k)
{
    int g = kernel->group, at = (k / g * SNC_QPANEL + i) * g + k % g, line = at / 64;
    *shift = line % 2 * 4;
    return line / 2 * 64 + at % 64;
}

static size_t multiplier_place(int i, int k) { return SNC_Q4NIBBLES + (size_t)(k / SNC_INT4_GROUP * SNC_QPANEL + i); }

/* 16 rows from n on, 64 inputs from k on, by way of the INT8 layer's block of their nibbles. */
static void pack_block(uint8_t *to, const snc_qlinear *l, const uint8_t *data, const uint8_t *group, int n, int k)
{
    uint8_t wide[SNC_QTILE], row[SNC_QBLOCK];
    int here = l->K - k < SNC_QBLOCK ? l->K - k : SNC_QBLOCK;
    memset(wide, 8, sizeof wide);
    memset(to + SNC_Q4NIBBLES, 1, SNC_Q4TILE - SNC_Q4NIBBLES);
    for (int i = 0; i < SNC_QPANEL && n + i < l->N; i++) {
        const uint8_t *d = data + (size_t)(n + i) * snc_int4_data_bytes(l->K) + (size_t)k / 2;
        const uint8_t *g = group + (size_t)(n + i) * snc_int4_group_bytes(l->K);
        memset(row, 8, sizeof row);
        for (int c = 0; c < here; c += 2) row[c] = d[c / 2] & 15, row[c + 1] = d[c / 2] >> 4;
        snc_qblock__put(wide, row, i, l->kernel->group);
        for (int c = 0; c < here; c += SNC_INT4_GROUP)
            to[multiplier_place(i, c)] = (uint8_t)snc_int4_multiplier(g, (k + c) / SNC_INT4_GROUP);
    }
    for (int s = 0; s < SNC_Q4NIBBLES / 64; s++)
        for (int b = 0; b < 64; b++) to[64 * s + b] = (uint8_t)(wide[128 * s + b] | wide[128 * s + 64 + b] << 4);
}

static void pack(snc_qlinear *l, const uint8_t *data, const uint8_t *group)
{
    for (int n = 0; n < l->panels * SNC_QPANEL; n += SNC_QPANEL)
        for (int k = 0; k < l->blocks * SNC_QBLOCK; k += SNC_QBLOCK) pack_block(block_of(l, n, k), l, data, group, n, k);
}

void snc_q4linear_unpack(uint8_t *data, uint8_t *group, float *sw, const snc_qlinear *l, int n, int k)
{
    assert(n >= 1 && n <= l->N && k >= 1 && k <= l->K && k % SNC_INT4_GROUP == 0);
    int shift;
    memcpy(sw, l->sw, (size_t)n * sizeof *sw);
    for (int r = 0; r < n; r++, data += snc_int4_data_bytes(k), group += snc_int4_group_bytes(k)) {
        memset(data, 0, snc_int4_data_bytes(k));
        memset(group, 0, snc_int4_group_bytes(k));
        for (int c = 0; c < k; c++) {
            int i = r % SNC_QPANEL, at = c % SNC_QBLOCK, g = c / SNC_INT4_GROUP;
            const uint8_t *block = block_of(l, r, c);
            int byte = place(&shift, l->kernel, i, at);
            int q = block[byte] >> shift & 15;
            data[c / 2] = (uint8_t)(data[c / 2] | q << (c % 2 * 4));
            if (c % SNC_INT4_GROUP == 0) group[g / 2] = (uint8_t)(group[g / 2] | (block[multiplier_place(i, at)] - 1) << (g % 2 * 4));
        }
    }
}

static snc_err check_shape(int N, int K)
{
    SNC_CHECK(N >= 1 && K >= SNC_INT4_GROUP && K <= K_MAX && K % SNC_INT4_GROUP == 0, SNC_E_SHAPE,
              "int4 linear [%d, %d]: expected N >= 1 and K a multiple of %d up to %d", N, K, SNC_INT4_GROUP, K_MAX);
    return SNC_OK;
}

snc_err snc_q4linear_create_packed(snc_qlinear **out, const snc_ctx *ctx, const uint8_t *data, const uint8_t *group, const float *sw,
                                   const float *b, int N, int K)
{
    snc_err err = SNC_OK;
    snc_qlinear *l = NULL;
    *out = NULL;
    SNC_TRY(check_shape(N, K));
    SNC_GOTO(snc_alloc(&l, 1, sizeof *l));
    l->N = N;
    l->K = K;
    l->panels = (N + GROUP - 1) / GROUP * SNC_Q4WIDE;
    l->blocks = (K + SNC_QBLOCK - 1) / SNC_QBLOCK;
    l->wide = snc_qkernel__choose(ctx);
    l->expand = snc_q4expand__get(l->wide);
    l->own = snc_q4kernel__of(l->wide);
    l->kernel = &l->own;
    l->finish = snc_epilogue__get(l->wide->isa);
    SNC_GOTO(snc_alloc(&l->sw, (size_t)l->panels * SNC_QPANEL, sizeof *l->sw));
    SNC_GOTO(snc_alloc(&l->b, (size_t)l->panels * SNC_QPANEL, sizeof *l->b));
    l->pooled = ctx->pool;
    SNC_GOTO(snc_pool_alloc(&l->wq, ctx->pool, (size_t)l->panels * (size_t)l->blocks * SNC_Q4TILE));
    memcpy(l->sw, sw, (size_t)N * sizeof *sw);
    if (b) memcpy(l->b, b, (size_t)N * sizeof *b);
    pack(l, data, group);
out:
    if (err != SNC_OK) {
        snc_qlinear_free(l);
        l = NULL;
    }
    *out = l;
    return err;
}

snc_err snc_q4linear_create(snc_qlinear **out, const snc_ctx *ctx, const float *W, int ldw, const float *b, int N, int K)
{
    snc_err err = SNC_OK;
    uint8_t *data = NULL, *group = NULL;
    float *sw = NULL;
    *out = NULL;
    SNC_TRY(check_shape(N, K));
    SNC_GOTO(snc_alloc(&data, (size_t)N, snc_int4_data_bytes(K)));
    SNC_GOTO(snc_alloc(&group, (size_t)N, snc_int4_group_bytes(K)));
    SNC_GOTO(snc_alloc(&sw, (size_t)N, sizeof *sw));
    snc_int4_quantize(data, group, sw, W, ldw, N, K);
    SNC_GOTO(snc_q4linear_create_packed(out, ctx, data, group, sw, b, N, K));
out:
    snc_free(data);
    snc_free(group);
    snc_free(sw);
    return err;
}
