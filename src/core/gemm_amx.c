/* Native bf16 products on AMX tiles.
 *
 * Every product is C [M, N] (+)= A . B over packed operands of 1 KB tiles:
 *
 *   A  [M/16][K/32][16 rows][32]         a row's 32 reduction indices in one cache line
 *   B  [N/16][K/32][16 pairs][16 n][2]   reduction indices 2p and 2p + 1 of a column side by side
 *
 * and rows, columns and reduction indices beyond the matrix are zero. A weight keeps two B layouts, one for each direction
 * (forward reduces over its columns, backward_x over its rows), so that a narrower net reads a prefix of every level;
 * where a prefix ends inside a tile, the zeros in A mask the reduction and the store keeps the columns asked for.
 * A block of C is 32 x 32 (four tile sums, four operand tiles), which
 * halves the loads per multiplication; its sums start from C, the bias or zero, and are stored straight into C when
 * the block is whole. Work is cut by rows of C, so that the rows of A that it needs stay in L1 while B streams from L2; in
 * forward and backward_x they are packed right there, by the thread that uses them. Each sum runs over the whole reduction in one order: the bits do not depend on the thread count.
 */
#include "core/gemm_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "core/gemm_amx_priv.h"

#define AMX __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")))

enum {
    MIN_ITEMS = 16,    /* rows are cut no finer than 32: few of them are cut by columns as well, for balance */
    MAX_TOKENS = 1024, /* backward_w sums over this many tokens at a time, */
    L2_BYTES = 512 * 1024 /* and takes as many columns at a time as this much of B */
};

/* At the head of a worker's panel: which rows of A it holds. */
typedef struct own_rows {
    uint64_t job;
    int block;
    _Alignas(64) char tiles[];
} own_rows;

typedef struct amx_run {
    snc_gemm *g;
    const snc_gemm__job *j;
    const char *A;         /* NULL: each worker packs its own rows */
    const char *B;
    size_t a_step, b_step; /* bytes from one row (column) of tiles to the next */
    int kb;                /* tiles along the reduction */
    int rows, cols;        /* of C, in blocks of 32 */
    int span, spans;       /* an item is one block of rows by `span` blocks of columns */
} amx_run;

/* ---- tiles ---- */

typedef struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes_per_row[16];
    uint8_t rows[16];
} tile_config;

AMX static void tiles_on(void)
{
    tile_config c = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        c.bytes_per_row[i] = 64;
        c.rows[i] = 16;
    }
    _tile_loadconfig(&c);
}

/* Sums of a block: where they start (NULL: zero; step 0 repeats one row) and where they go; steps in floats. */
typedef struct block {
    const float *from;
    float *to;
    int64_t from_step, to_step;
} block;

/* The tile intrinsics do not tell the compiler that they read memory. */
#define FENCE() __asm__ volatile("" ::: "memory")

#define START(tile, i, j)                                                                                              \
    do {                                                                                                               \
        if (b.from) _tile_loadd(tile, b.from + (i) * 16 * b.from_step + (j) * 16, (size_t)b.from_step * 4);            \
        else _tile_zero(tile);                                                                                         \
    } while (0)
#define STORE(tile, i, j) _tile_stored(tile, b.to + (i) * 16 * b.to_step + (j) * 16, (size_t)b.to_step * 4)

/* A block of mt x nt tiles, mt and nt 1 or 2: constants at each call. */
AMX static inline __attribute__((always_inline)) void tiles(block b, const char *A, size_t a_step, const char *B, size_t b_step,
                                                            int kb, int mt, int nt)
{
    FENCE();
    START(0, 0, 0);
    if (nt == 2) START(1, 0, 1);
    if (mt == 2) START(2, 1, 0);
    if (mt == 2 && nt == 2) START(3, 1, 1);
    for (int k = 0; k < kb; k++, A += 1024, B += 1024) {
        _tile_loadd(6, B, 64);
        _tile_loadd(4, A, 64);
        if (mt == 2) _tile_loadd(5, A + a_step, 64);
        if (nt == 2) _tile_loadd(7, B + b_step, 64);
        _tile_dpbf16ps(0, 4, 6);
        if (mt == 2) _tile_dpbf16ps(2, 5, 6);
        if (nt == 2) _tile_dpbf16ps(1, 4, 7);
        if (mt == 2 && nt == 2) _tile_dpbf16ps(3, 5, 7);
    }
    STORE(0, 0, 0);
    if (nt == 2) STORE(1, 0, 1);
    if (mt == 2) STORE(2, 1, 0);
    if (mt == 2 && nt == 2) STORE(3, 1, 1);
    FENCE();
}

AMX static void tiles_any(block b, const char *A, size_t a_step, const char *B, size_t b_step, int kb, int mt, int nt)
{
    if (mt == 2 && nt == 2) tiles(b, A, a_step, B, b_step, kb, 2, 2);
    else if (mt == 2) tiles(b, A, a_step, B, b_step, kb, 2, 1);
    else if (nt == 2) tiles(b, A, a_step, B, b_step, kb, 1, 2);
    else tiles(b, A, a_step, B, b_step, kb, 1, 1);
}

/* A block that sticks out of C, or has both a bias and an old value, goes through a buffer of its own. */
static void block_edge(const amx_run *r, const char *A, const char *B, int m0, int n0)
{
    const snc_gemm__job *j = r->j;
    _Alignas(64) float buf[32 * 32];
    int rows = snc_gemm__min(32, j->M - m0), cols = snc_gemm__min(32, j->N - n0);
    float *C = j->C + m0 * j->ldc + n0;
    memset(buf, 0, sizeof buf);
    for (int m = 0; m < rows; m++)
        for (int n = 0; n < cols; n++) {
            float v = j->bias ? j->bias[n0 + n] : 0.0f;
            buf[m * 32 + n] = j->accumulate ? C[m * j->ldc + n] + v : v;
        }
    block b = {buf, buf, 32, 32};
    tiles_any(b, A, r->a_step, B, r->b_step, r->kb, rows > 16 ? 2 : 1, cols > 16 ? 2 : 1);
    for (int m = 0; m < rows; m++) memcpy(C + m * j->ldc, buf + m * 32, (size_t)cols * sizeof *C);
}

AMX static void row_of_blocks(const amx_run *r, const char *A, int m0, int first, int last)
{
    const snc_gemm__job *j = r->j;
    bool edge = m0 + 32 > j->M || (j->bias && j->accumulate);
    const char *B = r->B + (size_t)first * 2 * r->b_step;
    for (int n0 = first * 32; n0 < last * 32; n0 += 32, B += 2 * r->b_step) {
        if (edge || n0 + 32 > j->N) {
            block_edge(r, A, B, m0, n0);
            continue;
        }
        float *C = j->C + m0 * j->ldc + n0;
        block b = {NULL, C, 0, j->ldc};
        if (j->accumulate) b.from = C, b.from_step = j->ldc;
        else if (j->bias) b.from = j->bias + n0;
        tiles(b, A, r->a_step, B, r->b_step, r->kb, 2, 2);
    }
}

/* Rows of A for a block of C, packed by the worker unless the item before this one needed the same. */
static const char *pack_own(const amx_run *r, int row, int worker)
{
    const snc_gemm__job *j = r->j;
    own_rows *own = (own_rows *)(void *)(r->g->panel + (size_t)worker * r->g->panel_size);
    if (own->job != r->g->jobs || own->block != row) {
        int m0 = row * 32;
        snc_gemm__amx_pack_rows(own->tiles, j->A + m0 * j->a_row, j->a_row, snc_gemm__min(32, j->M - m0), j->K);
        own->job = r->g->jobs;
        own->block = row;
    }
    return own->tiles;
}

/* Rows packed by the worker: all spans of a row of blocks follow each other. Rows packed before: all rows of a span do, so
 * that its columns of B stay in L2. */
AMX static void item(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const amx_run *r = payload;
    (void)end;
    (void)chunk;
    int row = (int)(r->A ? begin % r->rows : begin / r->spans), span = (int)(r->A ? begin / r->rows : begin % r->spans);
    const char *A = r->A ? r->A + (size_t)row * 2 * r->a_step : pack_own(r, row, worker);
    tiles_on();
    row_of_blocks(r, A, row * 32, span * r->span, snc_gemm__min((span + 1) * r->span, r->cols));
    _tile_release();
}

static void run_items(amx_run *r, int spans)
{
    r->spans = snc_gemm__max(1, snc_gemm__min(r->cols, spans));
    r->span = (r->cols + r->spans - 1) / r->spans;
    snc_par_for(r->g->ctx, (int64_t)r->rows * r->spans, 1, item, r);
}

/* ---- products ---- */

static snc_err amx_open(snc_gemm *g)
{
    size_t width = snc_align_up((size_t)g->max_width, 32), size = snc_align_up((size_t)g->max_tokens, 32) * width;
    g->panel_size = (sizeof(own_rows) + 32 * width * sizeof(snc_bf16)) / sizeof(float);
    SNC_TRY(snc_alloc(&g->panel, (size_t)g->ctx->threads * g->panel_size, sizeof(float)));
    SNC_TRY(snc_alloc(&g->a, size, sizeof(snc_bf16)));
    return snc_alloc(&g->b, size, sizeof(snc_bf16));
}

static size_t forward_bytes(int N, int K) { return snc_align_up((size_t)N, 16) * snc_align_up((size_t)K, 32) * 2; }

static size_t amx_weight_bytes(int N, int K) { return forward_bytes(N, K) + forward_bytes(K, N); }

static void amx_sync_rows(const snc_gemm *g, snc_gemm_weight *w, int n0, int n1)
{
    (void)g;
    snc_gemm__amx_pack_weight(w->packed, (char *)w->packed + forward_bytes(w->N, w->K), w->W, w->ldw, w->N, w->K, n0, n1);
}

static void backward_w(amx_run *r)
{
    snc_gemm__job job = *r->j, *j = &job; /* the first part may overwrite, later ones add */
    snc_gemm *g = r->g;
    int parts = (j->K + MAX_TOKENS - 1) / MAX_TOKENS, part = (j->K / parts + 31) / 32 * 32;
    r->j = j;
    r->A = g->a;
    r->B = g->b;
    for (int t = 0; t < j->K; t += part, j->accumulate = true) {
        int tokens = snc_gemm__min(part, j->K - t);
        r->kb = (tokens + 31) / 32;
        r->a_step = r->b_step = (size_t)r->kb * 1024;
        snc_gemm__amx_pack_pairs(g->ctx, g->a, j->A + t * j->a_col, j->a_col, tokens, j->M, true);
        snc_gemm__amx_pack_pairs(g->ctx, g->b, j->B + t * j->b_row, j->b_row, tokens, j->N, false);
        run_items(r, (int)((size_t)r->cols * 2 * r->b_step / L2_BYTES) + 1);
    }
}

static snc_err amx_run_job(snc_gemm *g, const snc_gemm__job *j)
{
    amx_run r = {.g = g, .j = j, .kb = (j->K + 31) / 32, .rows = (j->M + 31) / 32, .cols = (j->N + 31) / 32};
    g->jobs++;
    if (j->product == GEMM_BACKWARD_W) {
        backward_w(&r);
        return SNC_OK;
    }
    bool forward = j->product == GEMM_FORWARD;
    r.a_step = (size_t)r.kb * 1024;
    r.B = (const char *)j->w->packed + (forward ? 0 : forward_bytes(j->w->N, j->w->K));
    r.b_step = (size_t)((forward ? j->w->K : j->w->N) + 31) / 32 * 1024;
    run_items(&r, (MIN_ITEMS + r.rows - 1) / r.rows);
    return SNC_OK;
}

const snc_gemm__ops *snc_gemm__amx(snc_compute compute, snc_isa isa)
{
    static const snc_gemm__ops ops = {.backend = SNC_BACKEND_NATIVE,
                                      .open = amx_open,
                                      .weight_bytes = amx_weight_bytes,
                                      .sync_rows = amx_sync_rows,
                                      .run = amx_run_job};
    return compute == SNC_COMPUTE_BF16 && isa >= SNC_ISA_AMX ? &ops : NULL;
}
#else
const snc_gemm__ops *snc_gemm__amx(snc_compute compute, snc_isa isa)
{
    (void)compute;
    (void)isa;
    return NULL;
}
#endif
