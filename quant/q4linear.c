/* Packed as the INT8 layer's blocks with nibbles for bytes: expanded in the cache, they are what its kernels read anyway. */
#include "quant/q4linear.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"
#include "quant/q4linear_priv.h"

enum {
    K_MAX = 131072, /* as for INT8: larger K could overflow an int32 sum */
    GROUP = SNC_Q4PANELS * SNC_QPANEL
};

struct snc_q4linear {
    int N, K, groups, blocks; /* groups of 64 outputs */
    const snc_qkernel *kernel;
    snc_q4expand_fn expand;
    snc_epilogue_fn finish;
    uint8_t *wq;
    float *sw, *b; /* padded to whole groups with zeros */
    bool pooled;   /* wq lies in the pool of the context */
};

/* ---- packing -------------------------------------------------------------------------------------------------------- */

static uint8_t *block_of(const snc_q4linear *l, int n, int k)
{
    size_t group = (size_t)(n / GROUP) * (size_t)l->blocks + (size_t)(k / SNC_QBLOCK);
    return l->wq + (group * SNC_Q4PANELS + (size_t)(n % GROUP / SNC_QPANEL)) * SNC_Q4TILE;
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
static void pack_block(uint8_t *to, const snc_q4linear *l, const uint8_t *data, const uint8_t *group, int n, int k)
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

static void pack(snc_q4linear *l, const uint8_t *data, const uint8_t *group)
{
    for (int n = 0; n < l->groups * GROUP; n += SNC_QPANEL)
        for (int k = 0; k < l->blocks * SNC_QBLOCK; k += SNC_QBLOCK) pack_block(block_of(l, n, k), l, data, group, n, k);
}

void snc_q4linear_unpack(uint8_t *data, uint8_t *group, float *sw, const snc_q4linear *l, int n, int k)
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

snc_err snc_q4linear_create_packed(snc_q4linear **out, const snc_ctx *ctx, const uint8_t *data, const uint8_t *group, const float *sw,
                                   const float *b, int N, int K)
{
    snc_err err = SNC_OK;
    snc_q4linear *l = NULL;
    *out = NULL;
    SNC_TRY(check_shape(N, K));
    SNC_GOTO(snc_alloc(&l, 1, sizeof *l));
    l->N = N;
    l->K = K;
    l->groups = (N + GROUP - 1) / GROUP;
    l->blocks = (K + SNC_QBLOCK - 1) / SNC_QBLOCK;
    l->kernel = snc_qkernel__choose(ctx);
    l->expand = snc_q4expand__get(l->kernel);
    l->finish = snc_epilogue__get(l->kernel->isa);
    SNC_GOTO(snc_alloc(&l->sw, (size_t)l->groups, GROUP * sizeof *l->sw));
    SNC_GOTO(snc_alloc(&l->b, (size_t)l->groups, GROUP * sizeof *l->b));
    l->pooled = ctx->pool;
    SNC_GOTO(snc_pool_alloc(&l->wq, ctx->pool, (size_t)l->groups * (size_t)l->blocks * SNC_Q4PANELS * SNC_Q4TILE));
    memcpy(l->sw, sw, (size_t)N * sizeof *sw);
    if (b) memcpy(l->b, b, (size_t)N * sizeof *b);
    pack(l, data, group);
out:
    if (err != SNC_OK) {
        snc_q4linear_free(l);
        l = NULL;
    }
    *out = l;
    return err;
}

snc_err snc_q4linear_create(snc_q4linear **out, const snc_ctx *ctx, const float *W, int ldw, const float *b, int N, int K)
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

void snc_q4linear_free(snc_q4linear *l)
{
    if (!l) return;
    if (!l->pooled) snc_free(l->wq);
    snc_free(l->sw);
    snc_free(l->b);
    snc_free(l);
}

/* ---- running -------------------------------------------------------------------------------------------------------- */

static size_t expanded(const snc_q4linear *l) { return (size_t)SNC_Q4PANELS * (size_t)l->blocks * SNC_QTILE; }

size_t snc_q4linear_workspace_size(const snc_q4linear *l, const snc_ctx *ctx, int T)
{
    return snc_qwiden__size(l->kernel, T, l->blocks) + (size_t)ctx->threads * expanded(l);
}

typedef struct panels_job {
    const snc_q4linear *l;
    const snc_qjob *job;
    int8_t *buffer; /* [worker][4][kb][1024] */
    int T;
} panels_job;

/* Groups of four panels: expanded, then multiplied with all rows while they are in the cache. */
static void run_panels(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const panels_job *p = payload;
    const snc_q4linear *l = p->l;
    int8_t *tiles = p->buffer + (size_t)worker * expanded(l);
    (void)chunk;
    for (int64_t g = begin; g < end; g++) {
        snc_qjob j = *p->job;
        int first = (int)g * GROUP;
        const uint8_t *from = block_of(l, first, 0);
        j.y += first;
        j.sw += first;
        j.b += first;
        j.n = j.n - first < GROUP ? j.n - first : GROUP;
#if defined(__x86_64__)
        if (l->kernel == &snc_qkernel__amx && p->T <= 32) {
            snc_q4amx__run(&j, from, p->T);
            continue;
        }
#endif
        int panels = (j.n + SNC_QPANEL - 1) / SNC_QPANEL;
        j.panel = (size_t)j.kb * SNC_QTILE;
        for (int kb = 0; kb < j.kb; kb++, from += SNC_Q4PANELS * SNC_Q4TILE)
            l->expand(tiles + (size_t)kb * SNC_QTILE, j.panel, from, panels);
        j.wq = tiles;
        l->kernel->run(&j, 0, p->T, 0, panels);
    }
}

void snc_q4linear_run(float *y, int ldy, const snc_q4linear *l, const snc_ctx *ctx, const int8_t *xq, int ldq, const float *sx, int T,
                      int n, int k, snc_epilogue epi, void *workspace)
{
    assert(n >= 1 && n <= l->N && k >= 1 && k <= l->K && ldq >= (k + SNC_QBLOCK - 1) / SNC_QBLOCK * SNC_QBLOCK);
    int kb = (k + SNC_QBLOCK - 1) / SNC_QBLOCK, groups = (n + GROUP - 1) / GROUP;
    snc_qjob job = {.y = y, .sw = l->sw, .b = l->b, .xq = xq, .sx = sx, .ldy = ldy, .ldq = ldq, .n = n, .kb = kb, .epi = epi};
    char *base = workspace;
    if (T == 0) return;
    job.finish = l->finish;
    snc_qwiden__rows(&job, l->kernel, ctx, T, workspace);
    panels_job p = {.l = l, .job = &job, .buffer = (int8_t *)(base + snc_qwiden__size(l->kernel, T, l->blocks)), .T = T};
    snc_par_for(ctx, groups, (groups + ctx->threads - 1) / ctx->threads, run_panels, &p);
}
