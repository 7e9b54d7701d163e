/* The tree of levels, what SNC_ISA picks of it, and a kernel that refuses tiles. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/isa.h"

#if defined(__x86_64__) && defined(__linux__)
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* arch_prctl(ARCH_REQ_XCOMP_PERM) fails from here on. */
static int refuse_tiles(void)
{
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x1023, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog p = {.len = sizeof f / sizeof *f, .filter = f};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) != 0;
}

/* Before anything in this process has asked for the levels, which are kept. */
static void refused_tiles_leave_the_level_below(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(refuse_tiles() ? 255 : snc_isa_has(SNC_ISA_AMX) ? 254 : (int)snc_isa_hardware());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 255) skip(); /* no seccomp here */
    snc_isa best = snc_isa_hardware();
    assert_int_equal(WEXITSTATUS(status), snc_isa_covers(best, SNC_ISA_AMX) ? SNC_ISA_BF16 : best);
}
#endif

static void a_level_covers_what_it_extends_and_no_other(void **state)
{
    (void)state;
    assert_true(snc_isa_covers(SNC_ISA_AMX, SNC_ISA_BF16) && snc_isa_covers(SNC_ISA_AMX, SNC_ISA_AVX2));
    assert_true(snc_isa_covers(SNC_ISA_I8MM, SNC_ISA_NEON) && !snc_isa_covers(SNC_ISA_NEON, SNC_ISA_I8MM));
    assert_false(snc_isa_covers(SNC_ISA_AMX, SNC_ISA_AVXVNNI));
    assert_false(snc_isa_covers(SNC_ISA_AVXVNNI, SNC_ISA_AVX512));
    assert_false(snc_isa_covers(SNC_ISA_AMX, SNC_ISA_NEON));
    for (int i = 0; i < SNC_ISA_COUNT; i++) {
        assert_true(snc_isa_covers((snc_isa)i, (snc_isa)i) && snc_isa_covers((snc_isa)i, SNC_ISA_SCALAR));
        for (int j = 0; j < i; j++) assert_false(snc_isa_covers((snc_isa)j, (snc_isa)i));
    }
}

static void a_machine_has_what_its_levels_extend(void **state)
{
    (void)state;
    assert_true(snc_isa_has(SNC_ISA_SCALAR) && snc_isa_has(snc_isa_hardware()));
    for (int i = 0; i < SNC_ISA_COUNT; i++)
        for (int j = 0; snc_isa_has((snc_isa)i) && j < SNC_ISA_COUNT; j++)
            if (snc_isa_covers((snc_isa)i, (snc_isa)j)) assert_true(snc_isa_has((snc_isa)j));
    assert_false(snc_isa_has(SNC_ISA_AVX2) && snc_isa_has(SNC_ISA_NEON));
}

static void the_variable_picks_one_of_the_machines_levels(void **state)
{
    (void)state;
    snc_isa isa;
    for (int i = 0; i < SNC_ISA_COUNT; i++) {
        snc_isa want = (snc_isa)i, parsed;
        assert_int_equal(snc_isa_parse(&parsed, snc_isa_name(want)), SNC_OK);
        assert_int_equal(parsed, want);
        assert_int_equal(setenv("SNC_ISA", snc_isa_name(want), 1), 0);
        if (snc_isa_has(want)) {
            assert_int_equal(snc_isa_detect(&isa), SNC_OK);
            assert_int_equal(isa, want);
            assert_int_equal(snc_isa_now(), want);
        } else {
            assert_int_equal(snc_isa_detect(&isa), SNC_E_ARG);
            assert_non_null(strstr(snc_err_text(), snc_isa_name(want)));
            assert_non_null(strstr(snc_err_text(), "this CPU has scalar"));
            assert_int_equal(snc_isa_now(), snc_isa_hardware());
        }
    }
    assert_int_equal(setenv("SNC_ISA", "avx2 ", 1), 0);
    assert_int_equal(snc_isa_detect(&isa), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), "avxvnni, avx512"));
    assert_int_equal(setenv("SNC_ISA", "", 1), 0);
    assert_int_equal(snc_isa_detect(&isa), SNC_OK);
    assert_int_equal(isa, snc_isa_hardware());
    assert_int_equal(unsetenv("SNC_ISA"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#if defined(__x86_64__) && defined(__linux__)
        cmocka_unit_test(refused_tiles_leave_the_level_below),
#endif
        cmocka_unit_test(a_level_covers_what_it_extends_and_no_other),
        cmocka_unit_test(a_machine_has_what_its_levels_extend),
        cmocka_unit_test(the_variable_picks_one_of_the_machines_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
