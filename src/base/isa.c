/* CPUID tells what the CPU has, XGETBV and arch_prctl what the kernel lets a process use of it; asked once, since neither changes. */
#define _GNU_SOURCE /* syscall(2), for the AMX permission */
#include "base/isa.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static const char *const names[] = {"scalar", "avx2", "avx512", "vnni", "amx"};

snc_err snc_isa_parse(snc_isa *out, const char *name)
{
    for (int i = 0; i <= SNC_ISA_AMX; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (snc_isa)i;
            return SNC_OK;
        }
    return snc_err_set(SNC_E_ARG, "SNC_ISA '%s': expected scalar, avx2, avx512, vnni or amx", name);
}

const char *snc_isa_name(snc_isa isa) { return names[isa]; }

#if defined(__x86_64__)
/* Linux hands out the 8 KB of tile state only on request: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA). */
static bool amx_permission(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA) == 0;
}

static bool has_f16c(void) /* read here: not every compiler's __builtin_cpu_supports knows the name */
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static snc_isa detect(void)
{
    unsigned a, b, c, d, lo, hi;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c()) return SNC_ISA_SCALAR;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vl"))
        return SNC_ISA_AVX2;
    if (!__builtin_cpu_supports("avx512vnni")) return SNC_ISA_AVX512;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return SNC_ISA_VNNI;
    bool amx = (d >> 22 & 1) && (d >> 24 & 1) && (d >> 25 & 1) && __builtin_cpu_supports("avx512bf16");
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    bool os = (lo >> 17 & 3) == 3;
    return amx && os && amx_permission() ? SNC_ISA_AMX : SNC_ISA_VNNI;
}
#else
static snc_isa detect(void) { return SNC_ISA_SCALAR; }
#endif

/* Racing first calls compute the same value, so a relaxed atomic is enough. */
snc_isa snc_isa_hardware(void)
{
    static _Atomic int cached = -1;
    int v = cached;
    if (v < 0) cached = v = (int)detect();
    return (snc_isa)v;
}

snc_err snc_isa_detect(snc_isa *out)
{
    const char *cap = getenv("SNC_ISA");
    snc_isa hw = snc_isa_hardware(), want = hw;
    if (cap && *cap) SNC_TRY(snc_isa_parse(&want, cap));
    *out = want < hw ? want : hw;
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
#else
    return "unknown CPU";
#endif
}
