/* A row a level: its name, what it extends, and how CPU and operating system are asked for it; asked once, since neither changes. */
#define _GNU_SOURCE /* syscall(2), for the AMX permission */
#include "base/isa.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

#if defined(__x86_64__)
#define X86(detect) detect
#define ARM(detect) NULL

/* Registers of leaf 7: not every compiler's __builtin_cpu_supports knows every name. */
static bool leaf7(unsigned subleaf, unsigned *eax, unsigned *edx)
{
    unsigned b, c;
    return __get_cpuid_count(7, subleaf, eax, &b, &c, edx);
}

static bool has_avx2(void)
{
    unsigned a, b, c, d;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static bool has_avxvnni(void)
{
    unsigned a, d;
    return leaf7(1, &a, &d) && (a >> 4 & 1);
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

static bool has_vnni(void) { return __builtin_cpu_supports("avx512vnni"); }

static bool has_bf16(void)
{
    unsigned a, d;
    return leaf7(1, &a, &d) && (a >> 5 & 1);
}

/* XGETBV tells whether tiles are saved; Linux hands out their 8 KB only on request: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA). */
static bool has_amx(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18 };
    unsigned a, d, lo, hi;
    if (!leaf7(0, &a, &d) || !(d >> 22 & 1) || !(d >> 24 & 1) || !(d >> 25 & 1)) return false;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (lo >> 17 & 3) == 3 && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA) == 0;
}
#elif defined(__aarch64__)
#define X86(detect) NULL
#define ARM(detect) detect

static bool has_neon(void) { return getauxval(AT_HWCAP) >> 1 & 1; }
static bool has_dotprod(void) { return getauxval(AT_HWCAP) >> 20 & 1; }
static bool has_i8mm(void) { return getauxval(AT_HWCAP2) >> 13 & 1; }
#else
#define X86(detect) NULL
#define ARM(detect) NULL
#endif

typedef struct level {
    const char *name;
    snc_isa parent;
    bool (*detect)(void); /* beyond the parent; NULL: another architecture's */
} level;

static const level levels[SNC_ISA_COUNT] = {
    [SNC_ISA_SCALAR] = {"scalar", SNC_ISA_SCALAR, NULL},
    [SNC_ISA_NEON] = {"neon", SNC_ISA_SCALAR, ARM(has_neon)},
    [SNC_ISA_DOTPROD] = {"dotprod", SNC_ISA_NEON, ARM(has_dotprod)},
    [SNC_ISA_I8MM] = {"i8mm", SNC_ISA_DOTPROD, ARM(has_i8mm)},
    [SNC_ISA_AVX2] = {"avx2", SNC_ISA_SCALAR, X86(has_avx2)},
    [SNC_ISA_AVXVNNI] = {"avxvnni", SNC_ISA_AVX2, X86(has_avxvnni)},
    [SNC_ISA_AVX512] = {"avx512", SNC_ISA_AVX2, X86(has_avx512)},
    [SNC_ISA_VNNI] = {"vnni", SNC_ISA_AVX512, X86(has_vnni)},
    [SNC_ISA_BF16] = {"bf16", SNC_ISA_VNNI, X86(has_bf16)},
    [SNC_ISA_AMX] = {"amx", SNC_ISA_BF16, X86(has_amx)},
};

const char *snc_isa_name(snc_isa isa) { return levels[isa].name; }

bool snc_isa_covers(snc_isa have, snc_isa need)
{
    while (have != need && have != SNC_ISA_SCALAR) have = levels[have].parent;
    return have == need;
}

/* A bit a level. Racing first calls compute the same value, so a relaxed atomic is enough. */
static unsigned machine(void)
{
    static _Atomic unsigned cached;
    unsigned set = cached;
    if (set) return set;
    set = 1u << SNC_ISA_SCALAR;
    for (int i = SNC_ISA_SCALAR + 1; i < SNC_ISA_COUNT; i++) /* parents come first */
        if (levels[i].detect && (set >> levels[i].parent & 1) && levels[i].detect()) set |= 1u << i;
    cached = set;
    return set;
}

bool snc_isa_has(snc_isa isa) { return machine() >> isa & 1; }

int snc_isa_next(int isa)
{
    do isa++;
    while (isa < SNC_ISA_COUNT && !snc_isa_has((snc_isa)isa));
    return isa;
}

snc_isa snc_isa_hardware(void)
{
    int best = SNC_ISA_SCALAR;
    for (int i = best; i < SNC_ISA_COUNT; i = snc_isa_next(i)) best = i;
    return (snc_isa)best;
}

/* "scalar, avx2, vnni": all of them, or the machine's. */
static const char *list(char text[128], bool all)
{
    size_t at = 0;
    for (int i = 0; i < SNC_ISA_COUNT; i++)
        if (all || snc_isa_has((snc_isa)i)) at += (size_t)snprintf(text + at, 128 - at, "%s%s", i ? ", " : "", levels[i].name);
    assert(at < 128);
    return text;
}

snc_err snc_isa_parse(snc_isa *out, const char *name)
{
    char all[128];
    for (int i = 0; i < SNC_ISA_COUNT; i++)
        if (strcmp(name, levels[i].name) == 0) {
            *out = (snc_isa)i;
            return SNC_OK;
        }
    return snc_err_set(SNC_E_ARG, "SNC_ISA=%s: expected one of %s", name, list(all, true));
}

snc_err snc_isa_detect(snc_isa *out)
{
    const char *name = getenv("SNC_ISA");
    char had[128];
    *out = snc_isa_hardware();
    if (!name || !*name) return SNC_OK;
    snc_isa want;
    SNC_TRY(snc_isa_parse(&want, name));
    SNC_CHECK(snc_isa_has(want), SNC_E_ARG, "SNC_ISA=%s: this CPU has %s", name, list(had, false));
    *out = want;
    return SNC_OK;
}

snc_isa snc_isa_now(void)
{
    snc_isa isa;
    return snc_isa_detect(&isa) == SNC_OK ? isa : snc_isa_hardware();
}

const char *snc_cpu_name(void)
{
#if defined(__x86_64__)
    static _Thread_local char brand[49];
    unsigned r[12];
    for (unsigned i = 0; i < 3; i++)
        if (!__get_cpuid(0x80000002u + i, &r[4 * i], &r[4 * i + 1], &r[4 * i + 2], &r[4 * i + 3])) return "x86-64";
    memcpy(brand, r, 48);
    const char *p = brand;
    while (*p == ' ') p++;
    return p;
#elif defined(__aarch64__)
    return "aarch64";
#else
    return "unknown CPU";
#endif
}
