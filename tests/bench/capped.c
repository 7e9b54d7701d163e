/* A lesser CPU for whatever program it is preloaded into, and for the programs that this one starts:
 *
 *   LD_PRELOAD=build/release/capped.so CPU_CAP=bf16|vnni|avxvnni|avx2 COMMAND
 *
 * The CPUID instruction is made to fault (arch_prctl(ARCH_SET_CPUID, 0), a feature of most Intel CPUs), and the handler of that fault
 * answers as the CPU does, less what the cap has not: bf16 has no AMX, vnni no BF16 nor FP16 either, avxvnni no AVX-512, avx2 no
 * AVX-VNNI. Tiles are refused by the kernel besides (a seccomp filter fails arch_prctl(ARCH_REQ_XCOMP_PERM)); where CPUID cannot be
 * made to fault that is the only means, and bf16 the only cap. A program that handles SIGSEGV itself ends at its next CPUID.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { SET_CPUID = 0x1012, REQ_XCOMP_PERM = 0x1023 };
enum { EAX, EBX, ECX, EDX };

static const char *const caps[] = {"bf16", "vnni", "avxvnni", "avx2"};
static int cap = -1;

static const struct {
    int cap; /* and those below */
    unsigned leaf, subleaf, reg, bits;
} masks[] = {
    {0, 7, 0, EDX, 1u << 22 | 1u << 24 | 1u << 25},                                                        /* amx bf16, tile, int8 */
    {0, 7, 1, EAX, 1u << 21},                                                                              /* amx fp16 */
    {0, 7, 1, EDX, 1u << 8},                                                                               /* amx complex */
    {1, 7, 0, EDX, 1u << 23},                                                                              /* avx512 fp16 */
    {1, 7, 1, EAX, 1u << 5},                                                                               /* avx512 bf16 */
    {2, 7, 0, EBX, 1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31}, /* f dq ifma pf er cd bw vl */
    {2, 7, 0, ECX, 1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14}, /* vbmi vbmi2 vnni bitalg vpopcntdq */
    {2, 7, 0, EDX, 1u << 2 | 1u << 3 | 1u << 8},                        /* 4vnniw 4fmaps vp2intersect */
    {2, 7, 1, EDX, 1u << 19},                                           /* avx10 */
    {3, 7, 1, EAX, 1u << 4 | 1u << 23},                                 /* avx vnni, ifma */
    {3, 7, 1, EDX, 1u << 4 | 1u << 5 | 1u << 10},                       /* avx vnni of signed bytes, ne convert, vnni of words */
};

static long cpuid_runs(long on) { return syscall(SYS_arch_prctl, SET_CPUID, on); }

/* At a CPUID: answers it and goes on behind it. Any other fault ends the program as it would have. */
static void answer(int sig, siginfo_t *info, void *context)
{
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    unsigned char code[2];
    unsigned leaf = (unsigned)g[REG_RAX], subleaf = (unsigned)g[REG_RCX], r[4];
    int before = errno;
    if (info->si_code == SI_KERNEL) memcpy(code, (const void *)g[REG_RIP], sizeof code);
    if (info->si_code != SI_KERNEL || code[0] != 0x0f || code[1] != 0xa2) {
        signal(sig, SIG_DFL);
        return;
    }
    cpuid_runs(1);
    __cpuid_count(leaf, subleaf, r[EAX], r[EBX], r[ECX], r[EDX]);
    cpuid_runs(0);
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
        if (cap >= masks[i].cap && leaf == masks[i].leaf && subleaf == masks[i].subleaf) r[masks[i].reg] &= ~masks[i].bits;
    g[REG_RAX] = r[EAX], g[REG_RBX] = r[EBX], g[REG_RCX] = r[ECX], g[REG_RDX] = r[EDX];
    g[REG_RIP] += 2;
    errno = before;
}

static int refuse_tiles(void)
{
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REQ_XCOMP_PERM, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog p = {.len = sizeof f / sizeof *f, .filter = f};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1; /* SPEC_ALLOW: a filter shall not slow the program */
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &p);
}

static void refuse(const char *why)
{
    if (write(2, why, strlen(why)) < 0) _exit(3);
    _exit(2);
}

/* Before the constructors of all other libraries (-z initfirst): they ask for the CPU. */
__attribute__((constructor)) static void begin(int argc, char **argv, char **env)
{
    struct sigaction s = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
    (void)argc;
    (void)argv;
    for (; *env; env++)
        for (int i = 0; i < 4; i++)
            if (strncmp(*env, "CPU_CAP=", 8) == 0 && strcmp(*env + 8, caps[i]) == 0) cap = i;
    if (cap < 0) refuse("capped: expected CPU_CAP=bf16, vnni, avxvnni or avx2\n");
    if (refuse_tiles() != 0) refuse("capped: no seccomp filter\n");
    if (sigaction(SIGSEGV, &s, NULL) != 0) refuse("capped: no handler of SIGSEGV\n");
    if (cpuid_runs(0) != 0 && cap > 0) refuse("capped: this CPU cannot make CPUID fault: CPU_CAP=bf16 is all there is\n");
}
