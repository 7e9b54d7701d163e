/* INT4 blocks to INT8 blocks, in each order that the INT8 kernels want, and the products by way of them. */
#include "quant/q4linear_priv.h"

#if defined(__x86_64__)
#include "quant/q4simd512.h"
#endif

/* Scalar kernel: a line is an output, its four groups lie along it. */
static void expand_plain(int8_t *to, size_t step, const uint8_t *from, int count)
{
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step)
        for (int i = 0; i < SNC_QTILE; i++) {
            int line = i / 64, at = i % 64, nibble = from[line / 2 * 64 + at] >> (line % 2 * 4) & 15;
            to[i] = (int8_t)((nibble - 8) * from[SNC_Q4NIBBLES + at / SNC_INT4_GROUP * SNC_QPANEL + line]);
        }
}

#if defined(__x86_64__)
#define T256 __attribute__((target("avx2")))

/* A line of 64 bytes is two vectors; the arithmetic is q4simd512.h's. In the order of pairs a vector is 16 outputs by two inputs, in
 * that of quads 8 outputs by four. */
T256 static inline __attribute__((always_inline)) void expand_256(int8_t *to, const uint8_t *from, bool quads, int shift)
{
    const __m256i low = _mm256_set1_epi8(15), flip = _mm256_set1_epi8((char)shift);
    for (int s = 0; s < SNC_Q4NIBBLES / 64; s++)
        for (int half = 0; half < 2; half++) {
            const uint8_t *row = from + SNC_Q4NIBBLES + s / 2 * SNC_QPANEL;
            __m256i m = quads ? _mm256_mullo_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(row + 8 * half))),
                                                   _mm256_set1_epi32(0x10001))
                              : _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)row));
            __m256i off = _mm256_sub_epi8(_mm256_or_si256(_mm256_slli_epi16(m, 3), _mm256_slli_epi16(m, 11)), flip);
            __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(from + s * 64 + 32 * half));
            __m256i lo = _mm256_and_si256(v, low), hi = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);
            _mm256_storeu_si256((__m256i *)(void *)(to + s * 128 + 32 * half), _mm256_sub_epi8(_mm256_mullo_epi16(lo, m), off));
            _mm256_storeu_si256((__m256i *)(void *)(to + s * 128 + 64 + 32 * half), _mm256_sub_epi8(_mm256_mullo_epi16(hi, m), off));
        }
}

T256 static void expand_pairs_avx2(int8_t *to, size_t step, const uint8_t *from, int count)
{
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step) expand_256(to, from, false, 0);
}

T256 static void expand_quads_shifted_avx2(int8_t *to, size_t step, const uint8_t *from, int count)
{
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step) expand_256(to, from, true, 128);
}

Q4_T512 static void expand_pairs_avx512(int8_t *to, size_t step, const uint8_t *from, int count)
{
    const __m512i spread = q4_spread(2);
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step) q4_expand_block(to, from, spread, 0);
}

Q4_T512 static void expand_quads(int8_t *to, size_t step, const uint8_t *from, int count)
{
    const __m512i spread = q4_spread(4);
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step) q4_expand_block(to, from, spread, 0);
}

Q4_T512 static void expand_quads_shifted(int8_t *to, size_t step, const uint8_t *from, int count)
{
    const __m512i spread = q4_spread(4);
    for (int b = 0; b < count; b++, from += SNC_Q4TILE, to += step) q4_expand_block(to, from, spread, 128);
}
#endif

snc_q4expand_fn snc_q4expand__get(const snc_qkernel *wide)
{
#if defined(__x86_64__)
    bool long_vectors = snc_isa_covers(wide->isa, SNC_ISA_AVX512);
    if (wide->group == 4 && long_vectors) return wide->flip ? expand_quads_shifted : expand_quads;
    if (wide->group == 4) return expand_quads_shifted_avx2;
    if (wide->group == 2) return long_vectors ? expand_pairs_avx512 : expand_pairs_avx2;
#elif defined(__aarch64__)
    if (wide->group == 8) return snc_q4expand__octets_neon;
    if (wide->group == 4) return snc_q4expand__quads_neon;
    if (wide->group == 2) return snc_q4expand__pairs_neon;
#else
    (void)wide;
#endif
    return expand_plain;
}

void snc_q4kernel__expanding(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    for (int p = p0; p < p1; p += SNC_Q4WIDE) {
        snc_qjob w = *j;
        int panels = p1 - p < SNC_Q4WIDE ? p1 - p : SNC_Q4WIDE, n = p * SNC_QPANEL;
        if (w.y) w.y += n;
        if (w.half) w.half += n;
        if (w.f16) w.f16 += n;
        w.sw += n;
        w.b += n;
        w.n -= n;
        w.panel = (size_t)j->kb * SNC_QTILE;
        w.wq = j->expanded;
        for (int q = 0; q < panels; q += 2) {
            const uint8_t *from = (const uint8_t *)j->wq + (size_t)(p + q) * j->panel;
            int8_t *to = j->expanded + (size_t)q * w.panel;
            for (int kb = 0; kb < j->kb; kb++, from += SNC_Q4PAIR, to += SNC_QTILE) j->expand(to, w.panel, from, panels - q < 2 ? 1 : 2);
        }
        j->wide->run(&w, t0, t1, 0, panels);
    }
}

/* A row block of more rows where each expands anew; on AMX a block of rows is as many as stay in L2 already. */
snc_qkernel snc_q4kernel__of(const snc_qkernel *wide)
{
    snc_qkernel k = *wide;
    k.run = wide->run_int4 ? wide->run_int4 : snc_q4kernel__expanding;
    if (k.rows < 192) k.rows = 192;
    return k;
}
