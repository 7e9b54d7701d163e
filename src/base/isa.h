/* base/isa.h: which instruction sets the kernels may use on this CPU.
 *
 * Levels form a tree: each extends another and runs every kernel of those on its way to the root, which need only plain C.
 *
 *   scalar - avx2 - avxvnni
 *               \ - avx512 - vnni - bf16 - amx
 *          \ neon - dotprod - i8mm
 *
 * A machine has a set of them. The best is used, or the one that SNC_ISA names; it is an error to name one that it lacks. AMX
 * needs the kernel's permission, asked for once; where it is refused the machine has no AMX.
 */
#ifndef SNC_BASE_ISA_H
#define SNC_BASE_ISA_H

#include <stdbool.h>

#include "base/error.h"

typedef enum snc_isa { /* of two that a machine has, the later is the better one */
                       SNC_ISA_SCALAR,
                       SNC_ISA_NEON,    /* aarch64's vectors */
                       SNC_ISA_DOTPROD, /* sdot */
                       SNC_ISA_I8MM,    /* smmla */
                       SNC_ISA_AVX2,    /* AVX2, FMA and F16C */
                       SNC_ISA_AVXVNNI, /* VNNI on 256 bits, VEX encoded: desktops */
                       SNC_ISA_AVX512,  /* F, BW, DQ, VL */
                       SNC_ISA_VNNI,    /* AVX512-VNNI */
                       SNC_ISA_BF16,    /* AVX512-BF16: Zen 4 and 5, Cooper Lake, Sapphire Rapids without its tiles */
                       SNC_ISA_AMX,     /* tiles of int8 and bf16 */
                       SNC_ISA_COUNT
} snc_isa;

snc_err snc_isa_parse(snc_isa *out, const char *name) SNC_MUST_USE; /* SNC_E_ARG lists the names */
const char *snc_isa_name(snc_isa isa);
bool snc_isa_covers(snc_isa have, snc_isa need); /* whether kernels for `need` run at level `have` */
bool snc_isa_has(snc_isa isa);                   /* whether CPU and operating system allow it */
snc_isa snc_isa_hardware(void);                  /* the best level that they allow */
/* The level of this machine after `isa`, or SNC_ISA_COUNT: for (int i = SNC_ISA_SCALAR; i < SNC_ISA_COUNT; i = snc_isa_next(i)). */
int snc_isa_next(int isa);
/* What the environment variable SNC_ISA names, or the best; SNC_E_ARG for an unknown name, or a level that this machine lacks. */
snc_err snc_isa_detect(snc_isa *out) SNC_MUST_USE;
/* The same for code that cannot fail: the best for a wrong SNC_ISA (the entry points have refused it already). */
snc_isa snc_isa_now(void);
const char *snc_cpu_name(void); /* the CPU's brand string, for reports */

#endif
