/* Native bf16 products: AMX tiles, or the same tiles by AVX512-BF16.
 *
 * Every product is C [M, N] (+)= A . B over packed operands of 1 KB tiles:
 *
 *   A  [M/16][K/32][16 rows][32]         a row's 32 reduction indices in one cache line
 *   B  [N/16][K/32][16 pairs][16 n][2]   reduction indices 2p and 2p + 1 of a column side by side
 *
 * and rows, columns and reduction indices beyond the matrix are zero. A weight keeps two B layouts, one for each direction
 * (forward reduces over its columns, backward_x over its rows), so that a narrower net reads a prefix of every level;
 * where a prefix ends inside a tile, the zeros in A mask the reduction and the store keeps the columns asked for.
 *
 * A thread takes cells of C (base/cut.h). For 32 rows of one, it fills a panel of its own, block by block:
 * 32 x 32, four tile sums and four operand tiles, which halves the loads per multiplication. Its rows of A stay in L1 (packed
 * by itself, or read as they are when they come in bf16) while B streams past, told so by the load's hint. The rows go to the
 * sink, or drain to C in order between the multiplications of the next panel: stores scattered over 32 rows would each wait
 * for a line, stores in order find theirs fetched. Each sum runs over the whole reduction in one order: the bits do not
 * depend on the thread count.
 */
#include "base/cut.h"
#include "core/gemm_priv.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "core/amx_tiles.h"
#include "core/gemm_bf16_priv.h"

#define AMX __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")))

enum {
    PART = 24,        /* tiles of the reduction at a time: 48 KB of A for two rows of tiles */
    MAX_TOKENS = 1024 /* backward_w sums over this many tokens at a time */
};

typedef struct operand { /* tiles of A */
    const char *p;
    size_t tile, row, step; /* bytes from one row of tiles, one row, one tile of the reduction to the next */
} operand;

typedef struct bf16_run {
    const snc_gemm *g;
    const snc_gemm__job *j;
    operand A;
    const char *tail; /* packed copy of the last row of tiles, when it is short and A is not packed; else NULL */
    const char *B;
    size_t b_step;     /* bytes from one column of tiles to the next */
    int kb;            /* tiles along the reduction */
    int rows, cols;    /* of C: tiles of 16 rows, blocks of 32 columns */
    bool stream;       /* C goes past the cache */
    bool amx;          /* or AVX512-BF16 alone */
    double *squares;   /* [rows / 2, cols] of the blocks of C, or NULL */
    snc_cut_work work; /* in `step` rows of tiles by blocks of columns */
    snc_cut cut;
    int step;
    bool pack;           /* rows of A are packed first, by their cell if C is cut by rows alone */
    snc_gemm__pairs own; /* backward_w cut one way: of this matrix a cell packs the columns that nobody else needs */
} bf16_run;

/* ---- tiles ---- */

/* The tile intrinsics do not tell the compiler that they read memory. */
#define FENCE() __asm__ volatile("" ::: "memory")

/* Rows of a panel on their way to C, 16 columns at a time. */
typedef struct drain {
    const float *from;
    float *to;
    size_t ld;
    int64_t ldc;
    int cols, at, left; /* columns of a row, where in it, 16s left in all */
    bool stream, accumulate;
} drain;

AMX static inline __attribute__((always_inline)) void drain_some(drain *d, int count)
{
    for (; count > 0 && d->left > 0; count--, d->left--) {
        __m512 v = _mm512_load_ps(d->from + d->at);
        if (d->accumulate) v = _mm512_add_ps(v, _mm512_loadu_ps(d->to + d->at));
        if (d->stream) _mm512_stream_ps(d->to + d->at, v);
        else _mm512_storeu_ps(d->to + d->at, v);
        d->at += 16;
        if (d->at < d->cols) continue;
        d->at = 0;
        d->from += d->ld;
        d->to += d->ldc;
    }
}

/* A block of mt x nt tiles, mt and nt 1 or 2 (constants at each call), into C with rows ldc floats apart; its sums start from
 * `from` with rows from_step bytes apart (0: one row 16 times). */
AMX static inline __attribute__((always_inline)) void tiles(float *C, size_t ldc, const float *from, size_t from_step, operand A,
                                                            const char *A1, const char *B, size_t b_step, int kb, int mt, int nt, drain *d,
                                                            int each)
{
    const float *below = (const float *)(const void *)((const char *)from + 16 * from_step);
    FENCE();
    _tile_loadd(0, from, from_step);
    if (nt == 2) _tile_loadd(1, from + 16, from_step);
    if (mt == 2) _tile_loadd(2, below, from_step);
    if (mt == 2 && nt == 2) _tile_loadd(3, below + 16, from_step);
    for (int k = 0; k < kb; k++, A.p += A.step, A1 += A.step, B += 1024) {
        drain_some(d, each);
        _tile_stream_loadd(6, B, 64);
        _tile_loadd(4, A.p, A.row);
        if (mt == 2) _tile_loadd(5, A1, A.row);
        if (nt == 2) _tile_stream_loadd(7, B + b_step, 64);
        _tile_dpbf16ps(0, 4, 6);
        if (mt == 2) _tile_dpbf16ps(2, 5, 6);
        if (nt == 2) _tile_dpbf16ps(1, 4, 7);
        if (mt == 2 && nt == 2) _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, C, ldc * 4);
    if (nt == 2) _tile_stored(1, C + 16, ldc * 4);
    if (mt == 2) _tile_stored(2, C + 16 * ldc, ldc * 4);
    if (mt == 2 && nt == 2) _tile_stored(3, C + 16 * ldc + 16, ldc * 4);
    FENCE();
}

/* A from a row of tiles on; the last one may lie elsewhere. */
static inline operand rows_from(const bf16_run *r, int row)
{
    operand A = r->A;
    A.p += (size_t)row * A.tile;
    return r->tail && row + 1 == r->rows ? (operand){r->tail, 0, 64, 1024} : A;
}

/* Rows of tiles `row` and, if `two`, the next, times blocks of columns [c0, c1), into the panel, for one part of the
 * reduction after the other: the rows' part of A stays in L1. Meanwhile `before` drains. */
AMX static void panel_fill(float *panel, size_t ld, const float *bias, const bf16_run *r, int row, bool two, int c0, int c1, drain *before)
{
    drain d = *before;
    int steps = (c1 - c0) * r->kb, each = steps ? (d.left + steps - 1) / steps : 0;
    operand A = rows_from(r, row);
    for (int k = 0; k < r->kb || k == 0; k += PART, A.p += PART * A.step)
        for (int c = c0; c < c1; c++) {
            const char *B = r->B + (size_t)c * 2 * r->b_step + (size_t)k * 1024;
            float *C = panel + (c - c0) * 32;
            const float *from = k ? C : bias + (c - c0) * 32;
            size_t step = k ? ld * sizeof *C : 0;
            int kb = snc_min(PART, r->kb - k);
            bool wide = r->j->N - c * 32 > 16;
            if (two && wide) tiles(C, ld, from, step, A, A.p + A.tile, B, r->b_step, kb, 2, 2, &d, each);
            else if (two) tiles(C, ld, from, step, A, A.p + A.tile, B, r->b_step, kb, 2, 1, &d, each);
            else if (wide) tiles(C, ld, from, step, A, A.p, B, r->b_step, kb, 1, 2, &d, each);
            else tiles(C, ld, from, step, A, A.p, B, r->b_step, kb, 1, 1, &d, each);
        }
    drain_some(&d, d.left);
    *before = d;
}

/* The same without AMX; in a function of its own, or the loop above is compiled worse. */
AMX static void panel_fill_avx512(float *panel, size_t ld, const float *bias, const bf16_run *r, int row, bool two, int c0, int c1,
                                  drain *before)
{
    operand A = rows_from(r, row);
    for (int k = 0; k < r->kb || k == 0; k += PART, A.p += PART * A.step)
        for (int c = c0; c < c1; c++) {
            const char *B = r->B + (size_t)c * 2 * r->b_step + (size_t)k * 1024;
            float *C = panel + (c - c0) * 32;
            const float *from = k ? C : bias + (c - c0) * 32;
            size_t step = k ? ld : 0;
            for (int m = 0; m < (two ? 2 : 1); m++)
                snc_gemm__bf16_block(C + (size_t)m * 16 * ld, ld, from + (size_t)m * 16 * step, step * sizeof *C, A.p + (size_t)m * A.tile,
                                     A.row, A.step, B, r->b_step, snc_min(PART, r->kb - k), r->j->N - c * 32 > 16 ? 2 : 1);
        }
    drain_some(before, before->left);
}

static void panel_add(float *panel, size_t ld, const float *C, int64_t ldc, int rows, int cols)
{
    for (int m = 0; m < rows; m++, C += ldc, panel += ld)
        for (int n = 0; n < cols; n++) panel[n] += C[n];
}

static void panel_store(float *C, int64_t ldc, const float *panel, size_t ld, int rows, int cols)
{
    for (int m = 0; m < rows; m++, C += ldc, panel += ld) memcpy(C, panel, (size_t)cols * sizeof *C);
}

/* Sums of squares of a panel's blocks of 32 columns: sixteen lanes down the rows, then across. */
AMX static void panel_squares(double *sums, const float *panel, size_t ld, int rows, int cols)
{
    for (int n = 0; n < cols; n += 32, sums++) {
        __m512 low = _mm512_setzero_ps(), high = low;
        int left = cols - n;
        __mmask16 t0 = left >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << left) - 1);
        __mmask16 t1 = left >= 32 ? (__mmask16)0xffff : left > 16 ? (__mmask16)((1u << (left - 16)) - 1) : (__mmask16)0;
        for (int m = 0; m < rows; m++) {
            __m512 a = _mm512_maskz_load_ps(t0, panel + (size_t)m * ld + n), b = _mm512_maskz_load_ps(t1, panel + (size_t)m * ld + n + 16);
            low = _mm512_fmadd_ps(a, a, low);
            high = _mm512_fmadd_ps(b, b, high);
        }
        *sums = (double)_mm512_reduce_add_ps(low) + (double)_mm512_reduce_add_ps(high);
    }
}

/* Rows of tiles [r0, r1) by blocks of columns [c0, c1) of C. Two rows of tiles go together unless they lie in two places. */
AMX static void compute(const bf16_run *r, int r0, int r1, int c0, int c1, int worker)
{
    const snc_gemm__job *j = r->j;
    float *bias = r->g->panel + (size_t)worker * r->g->panel_size;
    size_t ld = (size_t)(c1 - c0) * 32;
    float *panel[2] = {bias + ld, bias + 33 * ld};
    int n0 = c0 * 32, cols = snc_min(c1 * 32, j->N) - n0;
    drain d = {.left = 0};
    memset(bias, 0, ld * sizeof *bias);
    if (j->bias) memcpy(bias, j->bias + n0, (size_t)cols * sizeof *bias);
    for (int row = r0, i = 0; row < r1; i = !i) {
        bool two = row + 1 < r1 && !(r->tail && row + 2 == r->rows);
        int m0 = row * 16, rows = snc_min(two ? 32 : 16, j->M - m0);
        float *C = j->sink ? NULL : j->C + m0 * j->ldc + n0;
        (r->amx ? panel_fill : panel_fill_avx512)(panel[i], ld, bias, r, row, two, c0, c1, &d);
        bool whole = cols % 16 == 0, later = j->accumulate && whole && !r->squares; /* C is added while draining */
        if (j->accumulate && !later) panel_add(panel[i], ld, C, j->ldc, rows, cols);
        if (r->squares) panel_squares(r->squares + (int64_t)(row / 2) * r->cols + c0, panel[i], ld, rows, cols);
        if (j->sink) j->sink->fn(j->sink->user, panel[i], (int)ld, m0, n0, rows, cols, worker);
        else if (whole) d = (drain){panel[i], C, ld, j->ldc, cols, 0, rows * cols / 16, r->stream, later};
        else panel_store(C, j->ldc, panel[i], ld, rows, cols);
        row += two ? 2 : 1;
    }
    drain_some(&d, d.left);
}

static void pack_own(const bf16_run *r, int r0, int r1)
{
    const snc_gemm__job *j = r->j;
    int m0 = r0 * 16, rows = snc_min(r1 * 16, j->M) - m0;
    char *to = (char *)r->g->a + (size_t)r0 * r->A.tile;
    if (j->A16) snc_gemm__bf16_pack_rows16(to, j->A16 + m0 * j->a_row, j->a_row, rows, j->K);
    else snc_gemm__bf16_pack_rows(to, j->A + m0 * j->a_row, j->a_row, rows, j->K);
}

static void pack_share(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk, (void)worker;
    pack_own(payload, (int)begin, (int)end);
}

AMX static void cell(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const bf16_run *r = payload;
    snc_cut_cell c = snc_cut_at(&r->cut, &r->work, (int)begin);
    int r0 = c.r0 * r->step, r1 = snc_min(c.r1 * r->step, r->rows);
    bool by_cols = r->cut.col_parts > 1;
    (void)end, (void)chunk;
    if (r->pack && !by_cols) pack_own(r, r0, r1);
    if (r->own.dst) snc_gemm__bf16_pack_columns(&r->own, by_cols ? c.c0 * 32 : r0 * 16, by_cols ? c.c1 * 32 : r1 * 16);
    if (r->amx) snc_amx__configure(16);
    compute(r, r0, r1, c.c0, c.c1, worker);
    if (r->amx) _tile_release();
    _mm_sfence(); /* what went past the cache is there for the thread that waits for this one */
}

/* In ns for one step of the reduction: 32 cycles a cell of one tile by one block, KB from L3 for its operands. */
static void plan(bf16_run *r, int step)
{
    double fork = 2000.0 / r->kb;
    r->step = step;
    r->work = (snc_cut_work){.rows = (r->rows + step - 1) / step, .cols = r->cols, .count = 1, .pairs = step == 1};
    r->work.cell = 15 * step;
    r->work.row = 34 * step;
    r->work.col = 68;
    r->work.fork = fork;
    r->work.cols_cut = r->pack ? fork : 0;
    r->work.both = r->j->product == GEMM_BACKWARD_W ? fork : 0;
    r->cut = snc_cut_plan(&r->work, r->g->ctx->threads);
}

static void run_cells(bf16_run *r)
{
    if (r->pack && r->cut.col_parts > 1) snc_par_for(r->g->ctx, r->rows, 1, pack_share, r);
    snc_par_for(r->g->ctx, r->cut.cells, 1, cell, r);
}

/* ---- products ---- */

static snc_err bf16_open(snc_gemm *g)
{
    size_t width = snc_align_up((size_t)g->max_width, 32), size = snc_align_up((size_t)g->max_tokens, 32) * width;
    g->panel_size = 65 * width; /* a bias and twice 32 rows */
    SNC_TRY(snc_alloc(&g->panel, (size_t)g->ctx->threads * g->panel_size, sizeof(float)));
    SNC_TRY(snc_alloc(&g->squares, (width / 32) * (width / 32), sizeof(double)));
    SNC_TRY(snc_alloc(&g->a, size, sizeof(snc_bf16)));
    return snc_alloc(&g->b, size, sizeof(snc_bf16));
}

static size_t forward_bytes(int N, int K) { return snc_align_up((size_t)N, 16) * snc_align_up((size_t)K, 32) * 2; }

static size_t bf16_weight_bytes(int N, int K) { return forward_bytes(N, K) + forward_bytes(K, N); }

static void bf16_sync_rows(const snc_gemm *g, snc_gemm_weight *w, int n0, int n1)
{
    (void)g;
    snc_gemm__bf16_pack_weight(w->packed, (char *)w->packed + forward_bytes(w->N, w->K), w->W, w->ldw, w->N, w->K, n0, n1);
}

static operand packed_operand(const bf16_run *r) { return (operand){r->g->a, (size_t)r->kb * 1024, 64, 1024}; }

static void backward_w(bf16_run *r)
{
    snc_gemm__job job = *r->j, *j = &job; /* the first part may overwrite, later ones add */
    const snc_gemm *g = r->g;
    int parts = (j->K + MAX_TOKENS - 1) / MAX_TOKENS, part = (j->K / parts + 31) / 32 * 32;
    r->j = j;
    r->B = g->b;
    r->kb = (part + 31) / 32;
    plan(r, 2); /* whole blocks */
    for (int t = 0; t < j->K; t += part, j->accumulate = true) {
        int tokens = snc_min(part, j->K - t);
        int64_t a = t * j->a_col, b = t * j->b_row;
        r->kb = (tokens + 31) / 32;
        r->b_step = (size_t)r->kb * 1024;
        r->A = packed_operand(r);
        r->stream = !j->accumulate && (uintptr_t)j->C % 64 == 0 && j->ldc % 16 == 0;
        snc_gemm__pairs dY = {g->a, j->A ? j->A + a : NULL, j->A16 ? j->A16 + a : NULL, j->a_col, tokens, j->M, true};
        snc_gemm__pairs X = {g->b, j->B ? j->B + b : NULL, j->B16 ? j->B16 + b : NULL, j->b_row, tokens, j->N, false};
        bool by_cols = r->cut.col_parts > 1, by_rows = r->cut.row_parts > 1;
        if (!(by_rows && by_cols)) r->own = by_cols ? X : dY;
        if (by_cols) snc_gemm__bf16_pack_pairs(g->ctx, &dY);
        if (by_rows || !by_cols) snc_gemm__bf16_pack_pairs(g->ctx, &X);
        if (j->squares && t + part >= j->K) r->squares = g->squares;
        run_cells(r);
    }
    if (!j->squares) return;
    for (int64_t i = 0; i < (int64_t)((r->rows + 1) / 2) * r->cols; i++) *j->squares += g->squares[i];
}

/* Rows of bf16 are read in place: whole tiles of them, that is. */
static void place_rows(bf16_run *r)
{
    const snc_gemm__job *j = r->j;
    r->pack = !j->A16 || j->K % 32;
    r->A = packed_operand(r);
    if (r->pack) return;
    size_t row = (size_t)j->a_row * sizeof *j->A16;
    r->A = (operand){(const char *)j->A16, 16 * row, row, 64};
    if (j->M % 16 == 0) return;
    int m0 = j->M / 16 * 16;
    snc_gemm__bf16_pack_rows16(r->g->a, j->A16 + m0 * j->a_row, j->a_row, j->M - m0, j->K);
    r->tail = r->g->a;
}

static snc_err bf16_run_job(snc_gemm *g, const snc_gemm__job *j)
{
    bf16_run r = {.g = g,
                  .j = j,
                  .amx = snc_isa_covers(g->isa, SNC_ISA_AMX),
                  .kb = (j->K + 31) / 32,
                  .rows = (j->M + 15) / 16,
                  .cols = (j->N + 31) / 32};
    if (j->product == GEMM_BACKWARD_W) {
        backward_w(&r);
        return SNC_OK;
    }
    bool forward = j->product == GEMM_FORWARD;
    r.B = (const char *)j->w->packed + (forward ? 0 : forward_bytes(j->w->N, j->w->K));
    r.b_step = (size_t)((forward ? j->w->K : j->w->N) + 31) / 32 * 1024;
    place_rows(&r);
    plan(&r, 1);
    run_cells(&r);
    return SNC_OK;
}

const snc_gemm__ops *snc_gemm__bf16(snc_compute compute, snc_isa isa)
{
    static const snc_gemm__ops ops = {.backend = SNC_BACKEND_NATIVE,
                                      .takes_bf16 = true,
                                      .open = bf16_open,
                                      .weight_bytes = bf16_weight_bytes,
                                      .sync_rows = bf16_sync_rows,
                                      .run = bf16_run_job};
    return compute == SNC_COMPUTE_BF16 && snc_isa_covers(isa, SNC_ISA_BF16) ? &ops : NULL;
}
#else
const snc_gemm__ops *snc_gemm__bf16(snc_compute compute, snc_isa isa)
{
    (void)compute;
    (void)isa;
    return NULL;
}
#endif
