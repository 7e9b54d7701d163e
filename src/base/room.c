/* The least of what /proc/meminfo, the files of every control group above the process (both versions) and its rlimit say. */
#define _POSIX_C_SOURCE 200809L
#include "base/room.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/fmap.h"

/* ---- memory --------------------------------------------------------------------------------------------------------- */

/* Of one control group: its limit less what is used and cannot be dropped. */
static double group_room(const char *folder, bool second)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, second ? "memory.max" : "memory.limit_in_bytes");
    double most = snc_cgroup_number(path, "");
    if (most < 0 || most > 1e15) return -1;
    snprintf(path, sizeof path, "%s/%s", folder, second ? "memory.current" : "memory.usage_in_bytes");
    double now = snc_cgroup_number(path, "");
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    double file = snc_cgroup_number(path, second ? "inactive_file " : "total_inactive_file ");
    if (now < 0) return -1;
    double room = most - now + (file > 0 ? file : 0);
    return room > 0 ? room : 0;
}

/* "VmSize:" is the address space, "VmRSS:" what is resident. */
static double bytes_of_self(const char *key)
{
    double kib = snc_cgroup_number("/proc/self/status", key);
    return kib > 0 ? 1024 * kib : 0;
}

double snc_room_resident(void) { return bytes_of_self("VmRSS:"); }

/* Negative: not known, of which callers are told by 0; where nothing is left it is a byte. */
static double known(double room) { return room < 0 ? 0 : room < 1 ? 1 : room; }

static double machine_room(void)
{
    const double free_kib = snc_cgroup_number("/proc/meminfo", "MemAvailable:");
    return snc_cgroup_lesser(free_kib < 0 ? -1 : 1024 * free_kib, snc_cgroup_least("", "memory", group_room));
}

static double address_room(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return -1;
    const double left = (double)limit.rlim_cur - bytes_of_self("VmSize:");
    return left > 0 ? left : 0;
}

double snc_room_machine(void) { return known(machine_room()); }

double snc_room_memory(void) { return snc_room_within(0, 1); }

double snc_room_within(double most, int processes)
{
    const double left = most - snc_room_resident(), all = machine_room();
    const double mine = snc_cgroup_lesser(address_room(), most <= 0 ? -1 : left > 0 ? left : 0);
    return known(snc_cgroup_lesser(all < 0 ? -1 : all / processes, mine));
}

/* ---- disk ------------------------------------------------------------------------------------------------------------ */

snc_err snc_room_disk(double *free_bytes, const char *path)
{
    char folder[4096];
    struct statvfs s;
    SNC_CHECK(strlen(path) < sizeof folder, SNC_E_ARG, "path too long: %.80s...", path);
    snprintf(folder, sizeof folder, "%s", path);
    while (!snc_is_dir(folder)) {
        char *slash = strrchr(folder, '/');
        if (!slash) snprintf(folder, sizeof folder, ".");
        else slash[slash == folder] = 0; /* "/x": the root */
    }
    SNC_CHECK(access(folder, W_OK | X_OK) == 0, SNC_E_IO, "%s: cannot write in %s: %s", path, folder, strerror(errno));
    SNC_CHECK(statvfs(folder, &s) == 0, SNC_E_IO, "%s: %s", folder, strerror(errno));
    *free_bytes = (double)s.f_bavail * (double)s.f_frsize;
    return SNC_OK;
}
