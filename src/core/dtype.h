/* core/dtype.h: numeric types, one table row each, and the bf16/f16 conversions. */
#ifndef SNC_CORE_DTYPE_H
#define SNC_CORE_DTYPE_H

#include <stdint.h>
#include <string.h>

#include "base/error.h"

typedef enum snc_dtype { SNC_F32, SNC_BF16, SNC_I8, SNC_I4, SNC_F16, SNC_U8, SNC_I32, SNC_I64, SNC_F64, SNC_DTYPES } snc_dtype;

typedef struct snc_dtype_info {
    const char *name;        /* in policies and reports: "f32", "int8" */
    const char *safetensors; /* in files: "F32", "I8"; I4 is stored as U8 pairs */
    int bits;
} snc_dtype_info;

const snc_dtype_info *snc_dtype_get(snc_dtype t);
snc_err snc_dtype_parse(snc_dtype *out, const char *name) SNC_MUST_USE;            /* by `name`; SNC_E_ARG */
snc_err snc_dtype_from_safetensors(snc_dtype *out, const char *name) SNC_MUST_USE; /* SNC_E_UNSUPPORTED */

typedef uint16_t snc_bf16; /* upper half of an IEEE f32 */

static inline float snc_bf16_to_f32(snc_bf16 h)
{
    uint32_t u = (uint32_t)h << 16;
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* Round to nearest even; NaN stays NaN. */
static inline snc_bf16 snc_bf16_from_f32(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    if ((u & 0x7fffffffu) > 0x7f800000u) return (snc_bf16)(u >> 16 | 0x40);
    return (snc_bf16)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

float snc_f16_to_f32(uint16_t h);
uint16_t snc_f16_from_f32(float f); /* to nearest even, infinite from 65520 on; NaN stays NaN */

#endif
