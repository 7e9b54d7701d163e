/* One row a type; f16 is converted by bits and exact float steps, so that a CPU without instructions for it gets the same values. */
#include "core/dtype.h"

static const snc_dtype_info table[SNC_DTYPES] = {
    [SNC_F32] = {"f32", "F32", 32}, [SNC_BF16] = {"bf16", "BF16", 16}, [SNC_I8] = {"int8", "I8", 8},
    [SNC_I4] = {"int4", "U8", 4},   [SNC_F16] = {"f16", "F16", 16},    [SNC_U8] = {"u8", "U8", 8},
    [SNC_I32] = {"i32", "I32", 32}, [SNC_I64] = {"i64", "I64", 64},    [SNC_F64] = {"f64", "F64", 64},
};

const snc_dtype_info *snc_dtype_get(snc_dtype t) { return &table[t]; }

snc_err snc_dtype_parse(snc_dtype *out, const char *name)
{
    for (int i = 0; i < SNC_DTYPES; i++)
        if (strcmp(name, table[i].name) == 0) {
            *out = (snc_dtype)i;
            return SNC_OK;
        }
    return snc_err_set(SNC_E_ARG, "dtype '%s': expected f32, bf16, int8 or int4", name);
}

snc_err snc_dtype_from_safetensors(snc_dtype *out, const char *name)
{
    for (int i = 0; i < SNC_DTYPES; i++)
        if (i != SNC_I4 && strcmp(name, table[i].safetensors) == 0) {
            *out = (snc_dtype)i;
            return SNC_OK;
        }
    return snc_err_set(SNC_E_UNSUPPORTED, "tensor dtype '%s' is not supported", name);
}

float snc_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 0x3ff, u;
    if (e == 31) u = sign | 0x7f800000u | m << 13;
    else if (e) u = sign | (e + 112) << 23 | m << 13;
    else { /* zero and subnormals: m * 2^-24 is exact in f32 */ float f = (float)m * 0x1p-24f;
        memcpy(&u, &f, sizeof u);
        u |= sign;
    }
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

uint16_t snc_f16_from_f32(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    uint16_t sign = (uint16_t)(u >> 16 & 0x8000);
    u &= 0x7fffffffu;
    if (u > 0x7f800000u) return sign | 0x7e00;
    if (u >= 0x477ff000u) return sign | 0x7c00; /* 65520 */
    if (u < 0x38800000u) {                      /* below 2^-14: adding 1/2 leaves the multiples of 2^-24, rounded, in the lowest bits */
        float a;
        memcpy(&a, &u, sizeof a);
        a += 0.5f;
        memcpy(&u, &a, sizeof u);
        return sign | (uint16_t)(u - 0x3f000000u);
    }
    return sign | (uint16_t)((u - 0x38000000u + 0xfff + (u >> 13 & 1)) >> 13);
}
