/* CPUs that may be used: quotas of control groups of both versions, on trees of files like the kernel's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>

#include "base/cpus.h"
#include "base/par.h"
#include "files.h"

/* A file of the tree with the folders above it. */
static void put(const char *root, const char *path, const char *text)
{
    char full[512];
    int n = snprintf(full, sizeof full, "%s/", root);
    for (const char *c = path; *c; c++) {
        full[n] = 0;
        if (*c == '/') assert_ok(snc_mkdir(full));
        full[n++] = *c;
    }
    full[n] = 0;
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static snc_cpus count(const char *root, int affinity, const char *said)
{
    char text[128];
    snc_cpus c = snc_cpus_count(root, affinity);
    c.online = 64; /* what is online is the machine's, not the tree's */
    snc_cpus_say(text, sizeof text, &c);
    if (strcmp(text, said) != 0) fail_msg("\"%s\", expected \"%s\"", text, said);
    return c;
}

static void version_2_has_cpu_max(void **state)
{
    scratch s;
    (void)state;
    scratch_init(&s, "cpus2");
    put(s.dir, "proc/self/cgroup", "0::/slice/job\n");
    assert_int_equal(count(s.dir, 8, "8 of 64 CPUs: affinity").usable, 8); /* no such folder */
    put(s.dir, "sys/fs/cgroup/slice/job/cpu.max", "max 100000\n");
    assert_int_equal(count(s.dir, 64, "64 CPUs").usable, 64);
    put(s.dir, "sys/fs/cgroup/slice/job/cpu.max", "200000 100000\n");
    assert_int_equal(count(s.dir, 64, "2 of 64 CPUs: cgroup quota 2.0").usable, 2);
    assert_int_equal(count(s.dir, 1, "1 of 64 CPUs: affinity").usable, 1);
    put(s.dir, "sys/fs/cgroup/slice/job/cpu.max", "250000 100000\n"); /* rounded up */
    assert_int_equal(count(s.dir, 64, "3 of 64 CPUs: cgroup quota 2.5").usable, 3);
    put(s.dir, "sys/fs/cgroup/slice/cpu.max", "50000 100000\n"); /* of the group above: half a CPU */
    assert_int_equal(count(s.dir, 64, "1 of 64 CPUs: cgroup quota 0.5").usable, 1);
    assert_int_equal(count(s.dir, 1, "1 of 64 CPUs: affinity").usable, 1);
    put(s.dir, "sys/fs/cgroup/slice/cpu.max", "max 100000\n");
    put(s.dir, "sys/fs/cgroup/slice/job/cpu.max", "max 100000\n");
    put(s.dir, "sys/fs/cgroup/cpu.max", "150000 50000\n"); /* a container's own group is the root of what is mounted */
    assert_int_equal(count(s.dir, 64, "3 of 64 CPUs: cgroup quota 3.0").usable, 3);
    put(s.dir, "sys/fs/cgroup/cpu.max", "nonsense\n");
    assert_int_equal(count(s.dir, 64, "64 CPUs").usable, 64);
}

static void version_1_has_quota_and_period(void **state)
{
    scratch s;
    (void)state;
    scratch_init(&s, "cpus1");
    put(s.dir, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"); /* what an earlier run left */
    put(s.dir, "proc/self/cgroup", "5:cpuset:/job\n4:cpu,cpuacct:/docker/job\n3:memory:/docker/job\n0::/\n");
    put(s.dir, "sys/fs/cgroup/cpuset/job/cpu.cfs_quota_us", "100000\n"); /* not the controller's */
    put(s.dir, "sys/fs/cgroup/cpuset/job/cpu.cfs_period_us", "100000\n");
    put(s.dir, "sys/fs/cgroup/cpu,cpuacct/docker/job/cpu.cfs_quota_us", "-1\n");
    put(s.dir, "sys/fs/cgroup/cpu,cpuacct/docker/job/cpu.cfs_period_us", "100000\n");
    assert_int_equal(count(s.dir, 64, "64 CPUs").usable, 64);
    put(s.dir, "sys/fs/cgroup/cpu,cpuacct/docker/job/cpu.cfs_quota_us", "50000\n");
    assert_int_equal(count(s.dir, 64, "1 of 64 CPUs: cgroup quota 0.5").usable, 1);
    put(s.dir, "sys/fs/cgroup/cpu,cpuacct/docker/job/cpu.cfs_quota_us", "-1\n");
    put(s.dir, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "700000\n"); /* a container without a namespace: its group lies at the root */
    put(s.dir, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "200000\n");
    assert_int_equal(count(s.dir, 64, "4 of 64 CPUs: cgroup quota 3.5").usable, 4);
}

static void without_files_there_is_no_quota(void **state)
{
    (void)state;
    snc_cpus c = snc_cpus_count("scratch.nowhere", 3);
    assert_int_equal(c.usable, 3);
    assert_true(c.quota < 0);
    c = snc_cpus_count("", 0); /* this machine's */
    assert_in_range(c.usable, 1, c.affinity);
    assert_in_range(c.affinity, 1, c.online);
    assert_in_range(snc_par_cores(), 1, snc_par_cpus().usable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_2_has_cpu_max),
        cmocka_unit_test(version_1_has_quota_and_period),
        cmocka_unit_test(without_files_there_is_no_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
