/* base/isa.h: which instruction set the kernels may use on this CPU.
 *
 * Levels are ordered; a kernel for level L runs on every higher one. SNC_ISA=scalar|avx2|avx512|vnni|amx caps the choice
 * (it never raises it). AMX needs the kernel's permission, asked for once by snc_isa_detect.
 */
#ifndef SNC_BASE_ISA_H
#define SNC_BASE_ISA_H

#include <stdbool.h>

#include "base/error.h"

typedef enum snc_isa {
    SNC_ISA_SCALAR,
    SNC_ISA_AVX2,   /* AVX2 + FMA */
    SNC_ISA_AVX512, /* F, BW, DQ, VL */
    SNC_ISA_VNNI,   /* AVX512 with VNNI */
    SNC_ISA_AMX     /* VNNI with AMX tile, int8 and bf16, and AVX512-BF16 */
} snc_isa;

snc_err snc_isa_parse(snc_isa *out, const char *name) SNC_MUST_USE; /* SNC_E_ARG lists the names */
const char *snc_isa_name(snc_isa isa);
snc_isa snc_isa_hardware(void); /* what CPU and kernel allow; asks for AMX on first use */
/* Hardware level capped by the environment variable SNC_ISA; SNC_E_ARG for an unknown name in it. */
snc_err snc_isa_detect(snc_isa *out) SNC_MUST_USE;
/* The same for code that cannot fail: an unknown SNC_ISA counts as no cap (the entry points have refused it already). */
snc_isa snc_isa_now(void);
const char *snc_cpu_name(void); /* the CPU's brand string, for reports */

#endif
