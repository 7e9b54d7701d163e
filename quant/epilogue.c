/* The scalar twin: fmaf, and min and max as vector units have them, in the order of the vector forms, so that all give the same bits. */
#include "quant/epilogue_priv.h"

#include <math.h>
#include <string.h>

/* min and max of the vector units: the second operand when the comparison fails, so a NaN there is kept. */
static inline float min_keep(float a, float b) { return a < b ? a : b; }
static inline float max_keep(float a, float b) { return a > b ? a : b; }

static inline float exp_ref(float x)
{
    x = max_keep(-SNC_EXP_CUT, min_keep(SNC_EXP_CUT, x));
    float m = fmaf(x, SNC_LOG2E, SNC_EXP_MAGIC), n = m - SNC_EXP_MAGIC;
    float r = fmaf(n, -SNC_LN2_LO, fmaf(n, -SNC_LN2_HI, x)), p = snc_exp_poly[SNC_EXP_TERMS - 1], scale;
    for (int i = SNC_EXP_TERMS - 2; i >= 0; i--) p = fmaf(p, r, snc_exp_poly[i]);
    uint32_t bits;
    memcpy(&bits, &m, sizeof bits);
    bits = (bits + 127) << 23;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

static float gelu_ref(float x)
{
    float t = fmaf(min_keep(SNC_GELU_CUT, fabsf(x)), 2 / SNC_GELU_CUT, -1.0f), r = snc_gelu_poly[SNC_GELU_TERMS - 1];
    for (int i = SNC_GELU_TERMS - 2; i >= 0; i--) r = fmaf(r, t, snc_gelu_poly[i]);
    return max_keep(0.0f, x) - r;
}

static float gelu_quick_ref(float x)
{
    float a = min_keep(SNC_GELU_QUICK_CUT, fabsf(x)), m = fmaf(a, SNC_GELU_PIECE, SNC_EXP_MAGIC);
    uint32_t i;
    memcpy(&i, &m, sizeof i);
    i &= 31;
    float r = fmaf(fmaf(snc_gelu_table[2][i], a, snc_gelu_table[1][i]), a, snc_gelu_table[0][i]);
    return max_keep(0.0f, x) - r;
}

static float gelu_tanh_ref(float x)
{
    float u = fmaf(x * x, SNC_GELU_A, 1.0f) * x;
    return x / (1.0f + exp_ref(u * SNC_GELU_B));
}

static float tanh_ref(float x)
{
    float e = exp_ref(2.0f * min_keep(SNC_TANH_CUT, fabsf(x)));
    float y = (e - 1.0f) / (e + 1.0f);
    return copysignf(y, x);
}

void snc_epilogue__ref(float *y, int ldy, const void *s, int lds, const float *sx, const float *sw, const float *b, int rows, int cols,
                       snc_epilogue epi, uint32_t *top)
{
    const int32_t *si = s;
    const float *sf = s;
    for (int t = 0; t < rows; t++)
        for (int j = 0; j < cols; j++) {
            size_t at = (size_t)t * (size_t)lds + (size_t)j;
            float *out = y + (size_t)t * (size_t)ldy + j, bias = b ? b[j] : 0.0f;
            float v = sx ? fmaf((float)si[at], sx[t] * sw[j], bias) : sf[at] + bias;
            switch (epi) {
            case SNC_EPI_NONE: break;
            case SNC_EPI_GELU: v = sx ? gelu_quick_ref(v) : gelu_ref(v); break;
            case SNC_EPI_GELU_TANH: v = gelu_tanh_ref(v); break;
            case SNC_EPI_RELU: v = max_keep(0.0f, v); break;
            case SNC_EPI_TANH: v = tanh_ref(v); break;
            case SNC_EPI_ADD: v += *out; break;
            }
            *out = v;
            if (!top) continue;
            uint32_t bits;
            memcpy(&bits, &v, sizeof bits);
            bits &= 0x7fffffffu;
            uint32_t *slot = top + (size_t)t * SNC_TOP_SLOTS;
            if (bits > *slot) *slot = bits;
        }
}

snc_epilogue_fn snc_epilogue__get(snc_isa isa)
{
#if defined(__x86_64__)
    if (snc_isa_covers(isa, SNC_ISA_AVX512)) return snc_epilogue__avx512;
    if (snc_isa_covers(isa, SNC_ISA_AVX2)) return snc_epilogue__avx2;
#elif defined(__aarch64__)
    if (snc_isa_covers(isa, SNC_ISA_NEON)) return snc_epilogue__neon;
#endif
    (void)isa;
    return snc_epilogue__ref;
}

void snc_epilogue__bf16_ref(snc_bf16 *y, int ldy, const int32_t *s, int lds, const float *sx, const float *sw, const float *b, int rows,
                            int cols)
{
    for (int t = 0; t < rows; t++)
        for (int j = 0; j < cols; j++) {
            float v = fmaf((float)s[(size_t)t * (size_t)lds + (size_t)j], sx[t] * sw[j], b[j]);
            y[(size_t)t * (size_t)ldy + (size_t)j] = snc_bf16_from_f32(v);
        }
}

snc_epilogue_bf16_fn snc_epilogue__bf16_get(snc_isa isa)
{
#if defined(__x86_64__)
    if (snc_isa_covers(isa, SNC_ISA_BF16)) return snc_epilogue__bf16_bf16;
    if (snc_isa_covers(isa, SNC_ISA_AVX512)) return snc_epilogue__bf16_avx512;
#endif
    (void)isa;
    return snc_epilogue__bf16_ref;
}

snc_epilogue_f16_fn snc_epilogue__f16_get(snc_isa isa)
{
#if defined(__x86_64__)
    if (snc_isa_covers(isa, SNC_ISA_AVX512)) return snc_epilogue__f16_avx512;
#endif
    (void)isa;
    return NULL;
}

void snc_epilogue_rows(float *y, int ldy, const float *b, int T, int n, snc_epilogue epi)
{
    snc_epilogue_fn fn = snc_epilogue__get(snc_isa_now());
    fn(y, ldy, y, ldy, NULL, NULL, b, T, n, epi == SNC_EPI_ADD ? SNC_EPI_NONE : epi, NULL);
}
