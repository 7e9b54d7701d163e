/* f32 to bf16 tiles; see gemm_bf16.c for the layouts. */
#include "core/gemm_bf16_priv.h"

#include "base/par.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define PACK        __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define PACK_INLINE PACK static inline __attribute__((always_inline))

enum { TILE = 1024 };

PACK_INLINE __m512i to_bf16(__m512 high, __m512 low) { return (__m512i)_mm512_cvtne2ps_pbh(high, low); }

PACK_INLINE __mmask16 mask_of(int n) { return n >= 16 ? (__mmask16)0xffff : n <= 0 ? (__mmask16)0 : (__mmask16)((1u << n) - 1); }

/* 16 floats of a row, zero beyond `left` of them. */
PACK_INLINE __m512 load16(const float *p, int left) { return left >= 16 ? _mm512_loadu_ps(p) : _mm512_maskz_loadu_ps(mask_of(left), p); }

/* Transposes a 16 x 16 matrix of 32-bit units. */
PACK_INLINE void transpose(__m512i r[16])
{
    __m512i t[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) { /* r[4 i + c], lane l: rows 4 i to 4 i + 3 of column 4 l + c */
        r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
        r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
        r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
        r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
    }
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) {
        __m512i a = _mm512_shuffle_i32x4(r[c], r[4 + c], 0x88), b = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0x88);
        __m512i d = _mm512_shuffle_i32x4(r[c], r[4 + c], 0xdd), e = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0xdd);
        t[c] = _mm512_shuffle_i32x4(a, b, 0x88);
        t[4 + c] = _mm512_shuffle_i32x4(d, e, 0x88);
        t[8 + c] = _mm512_shuffle_i32x4(a, b, 0xdd);
        t[12 + c] = _mm512_shuffle_i32x4(d, e, 0xdd);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) r[i] = t[i];
}

PACK_INLINE void store_tile(char *dst, const __m512i r[16])
{
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) _mm512_store_si512(dst + i * 64, r[i]);
}

/* ---- activations by rows ---- */

PACK void snc_gemm__bf16_pack_rows(void *A, const float *src, int64_t ld, int rows, int cols)
{
    int kb = (cols + 31) / 32;
    for (int t = 0; t < (rows + 15) / 16 * 16; t++, src += ld) {
        char *dst = (char *)A + (int64_t)(t / 16) * kb * TILE + t % 16 * 64;
        if (t >= rows) {
            for (int k = 0; k < kb; k++) _mm512_store_si512(dst + k * TILE, _mm512_setzero_si512());
            continue;
        }
        int k = 0;
        for (; k < cols / 32; k++)
            _mm512_store_si512(dst + k * TILE, to_bf16(_mm512_loadu_ps(src + k * 32 + 16), _mm512_loadu_ps(src + k * 32)));
        int left = cols - k * 32;
        if (left > 0) _mm512_store_si512(dst + k * TILE, to_bf16(load16(src + k * 32 + 16, left - 16), load16(src + k * 32, left)));
    }
}

/* 32 bf16 of a row, zero beyond `left` of them. */
PACK_INLINE __m512i load32(const snc_bf16 *p, int left)
{
    if (left >= 32) return _mm512_loadu_si512(p);
    return left <= 0 ? _mm512_setzero_si512() : _mm512_maskz_loadu_epi16((__mmask32)((1u << left) - 1), p);
}

PACK void snc_gemm__bf16_pack_rows16(void *A, const snc_bf16 *src, int64_t ld, int rows, int cols)
{
    int kb = (cols + 31) / 32;
    for (int t = 0; t < (rows + 15) / 16 * 16; t++, src += ld) {
        char *dst = (char *)A + (int64_t)(t / 16) * kb * TILE + t % 16 * 64;
        for (int k = 0; k < kb; k++) _mm512_store_si512(dst + k * TILE, load32(src + k * 32, t < rows ? cols - k * 32 : 0));
    }
}

/* ---- activations by pairs of rows ---- */

/* Words 2 i and 2 i + 1 of the result: i-th of the low and of the high half. */
PACK_INLINE __m512i interleave_index(void)
{
    const __m512i low = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_or_si512(low, _mm512_slli_epi32(_mm512_add_epi32(low, _mm512_set1_epi32(16)), 16));
}

/* Rows [t0, t0 + 32), columns [c0, c1). */
PACK static void pairs_block(const snc_gemm__pairs *p, int t0, int c0, int c1)
{
    int tb = (p->rows + 31) / 32, rows = p->rows - t0;
    const __m512i index = interleave_index();
    for (int c = c0; c < c1; c += 16) {
        __m512i r[16];
        const float *src = p->src + t0 * p->ld + c;
        int left = p->cols - c;
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            __m512 low = load16(src + 2 * i * p->ld, 2 * i < rows ? left : 0);
            __m512 high = load16(src + (2 * i + 1) * p->ld, 2 * i + 1 < rows ? left : 0);
            r[i] = _mm512_permutexvar_epi16(index, to_bf16(high, low));
        }
        if (p->transpose) transpose(r);
        store_tile(p->dst + ((int64_t)(c / 16) * tb + t0 / 32) * TILE, r);
    }
}

/* Two columns of tiles at a time: 32 columns of a pair of rows are a cache line each. */
PACK static void pairs_block16(const snc_gemm__pairs *p, int t0, int c0, int c1)
{
    int tb = (p->rows + 31) / 32, rows = p->rows - t0;
    const __m512i first = interleave_index();
    const __m512i index[2] = {_mm512_add_epi16(first, _mm512_slli_epi32(_mm512_set1_epi32(16), 16)),
                              _mm512_add_epi16(first, _mm512_set1_epi32(0x00200010))};
    for (int c = c0; c < c1; c += 32) {
        __m512i r[2][16];
        const snc_bf16 *src = p->src16 + t0 * p->ld + c;
        int left = (c1 < p->cols ? c1 : p->cols) - c;
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            __m512i low = load32(src + 2 * i * p->ld, 2 * i < rows ? left : 0);
            __m512i high = load32(src + (2 * i + 1) * p->ld, 2 * i + 1 < rows ? left : 0);
            r[0][i] = _mm512_permutex2var_epi16(low, index[0], high);
            r[1][i] = _mm512_permutex2var_epi16(low, index[1], high);
        }
        for (int half = 0; half < 2 && half * 16 < left; half++) {
            if (p->transpose) transpose(r[half]);
            store_tile(p->dst + ((int64_t)(c / 16 + half) * tb + t0 / 32) * TILE, r[half]);
        }
    }
}

static void pairs_body(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const snc_gemm__pairs *p = payload;
    (void)end, (void)chunk, (void)worker;
    (p->src ? pairs_block : pairs_block16)(p, (int)begin, 0, p->cols);
}

void snc_gemm__bf16_pack_pairs(const snc_ctx *ctx, const snc_gemm__pairs *p)
{
    snc_gemm__pairs run = *p;
    snc_par_for(ctx, p->rows, 32, pairs_body, &run);
}

void snc_gemm__bf16_pack_columns(const snc_gemm__pairs *p, int c0, int c1)
{
    for (int t = 0; t < p->rows; t += 32) (p->src ? pairs_block : pairs_block16)(p, t, c0, c1);
}

/* ---- weights, both directions at once ---- */

/* Past the cache: nobody reads a weight before all of them are written. */
PACK_INLINE void stream(char *to, __m512i line) { _mm512_stream_si512((__m512i *)(void *)to, line); }

typedef struct weight_view {
    char *forward, *backward;
    const float *W;
    int64_t ld;
    int N, K;
} weight_view;

/* 32 x 32 of W from (n0, k0): 2 forward tiles (16 outputs each) and 2 backward tiles (16 inputs each). */
PACK static void weight_block(const weight_view *v, int n0, int k0)
{
    int kb = (v->K + 31) / 32, nb = (v->N + 31) / 32, rows = v->N - n0, left = v->K - k0;
    const __m512i even = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7, 38, 6, 37, 5, 36, 4, 35, 3,
                                          34, 2, 33, 1, 32, 0);
    const __m512i odd = _mm512_add_epi16(even, _mm512_set1_epi16(16));
    char *back = v->backward + ((int64_t)(k0 / 16) * nb + n0 / 32) * TILE;
    for (int half = 0; half < 2; half++) {
        __m512i r[16];
        const float *src = v->W + (n0 + half * 16) * v->ld + k0;
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            int have = half * 16 + i < rows ? left : 0;
            r[i] = to_bf16(load16(src + i * v->ld + 16, have - 16), load16(src + i * v->ld, have));
        }
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            char *to = back + (half * 8 + i) * 64;
            stream(to, _mm512_permutex2var_epi16(r[2 * i], even, r[2 * i + 1]));
            if (left > 16) stream(to + (int64_t)nb * TILE, _mm512_permutex2var_epi16(r[2 * i], odd, r[2 * i + 1]));
        }
        transpose(r);
        if (half * 16 >= rows) continue;
        char *to = v->forward + ((int64_t)(n0 / 16 + half) * kb + k0 / 32) * TILE;
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) stream(to + i * 64, r[i]);
    }
}

void snc_gemm__bf16_pack_weight(void *forward, void *backward, const float *W, int64_t ld, int N, int K, int n0, int n1)
{
    weight_view v = {forward, backward, W, ld, N, K};
    for (int n = n0; n < n1; n += 32)
        for (int k = 0; k < K; k += 32) weight_block(&v, n, k);
    _mm_sfence();
}
#endif
