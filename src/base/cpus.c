/* The affinity mask, the quota of every control group above the process (both versions) and the CPUs online. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/cpus.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/fmap.h"

/* Of one group: microseconds of CPU time in a period, over that period. */
static double group_quota(const char *folder, bool second)
{
    char path[1200], line[64] = "", *end;
    double quota, period;
    snprintf(path, sizeof path, "%s/%s", folder, second ? "cpu.max" : "cpu.cfs_quota_us");
    if (second) { /* "200000 100000", or "max 100000" */
        FILE *f = fopen(path, "r");
        if (f && !fgets(line, sizeof line, f)) line[0] = 0;
        if (f) fclose(f);
        quota = strtod(line, &end);
        period = strtod(end, NULL);
    } else {
        quota = snc_cgroup_number(path, "");
        snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
        period = snc_cgroup_number(path, "");
    }
    return quota > 0 && period > 0 ? quota / period : -1;
}

static int cpus_in_mask(void)
{
    cpu_set_t mask; /* of 1024 CPUs; a machine with more gives an error, and no limit */
    return sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 0;
}

snc_cpus snc_cpus_count(const char *root, int affinity)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    snc_cpus c = {.online = online > 0 ? (int)online : 1, .affinity = affinity > 0 ? affinity : cpus_in_mask()};
    if (c.affinity <= 0) c.affinity = c.online;
    if (c.affinity > c.online) c.online = c.affinity;
    c.quota = snc_cgroup_least(root, "cpu", group_quota);
    c.usable = c.affinity;
    if (c.quota >= 0 && ceil(c.quota) < c.usable) c.usable = (int)ceil(c.quota);
    if (c.usable < 1) c.usable = 1;
    return c;
}

void snc_cpus_say(char *out, size_t size, const snc_cpus *c)
{
    const char *plural = c->online == 1 ? "" : "s";
    if (c->usable < c->affinity) snprintf(out, size, "%d of %d CPU%s: cgroup quota %.1f", c->usable, c->online, plural, c->quota);
    else if (c->usable < c->online) snprintf(out, size, "%d of %d CPU%s: affinity", c->usable, c->online, plural);
    else snprintf(out, size, "%d CPU%s", c->online, plural);
}

uint64_t snc_cpus_machine(void)
{
    char boot[64] = "";
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (f && !fgets(boot, sizeof boot, f)) boot[0] = 0;
    if (f) fclose(f);
    return snc_bytes_hash(0, boot, strlen(boot));
}

uint64_t snc_cpus_identity(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) CPU_ZERO(&set);
    return snc_bytes_hash(snc_cpus_machine(), &set, sizeof set);
}
