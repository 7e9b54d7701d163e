/* The least of what /proc/meminfo, the files of every control group above the process (both versions) and its rlimit say. */
#define _POSIX_C_SOURCE 200809L
#include "base/room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fmap.h"

/* ---- memory --------------------------------------------------------------------------------------------------------- */

/* The number after `key` in a small text file of the kernel (key "": the first); negative: not there, or "max". */
static double read_number(const char *path, const char *key)
{
    char line[512];
    double v = -1;
    FILE *f = fopen(path, "r");
    if (!f) return -1;
    while (v < 0 && fgets(line, sizeof line, f)) {
        char *end, *at = line + strlen(key);
        if (strncmp(line, key, strlen(key)) != 0) continue;
        double x = strtod(at, &end);
        if (end != at) v = x;
    }
    fclose(f);
    return v;
}

static double least(double a, double b) { return a < 0 ? b : b < 0 || a < b ? a : b; }

/* Of one control group: its limit less what is used and cannot be dropped. */
static double group_room(const char *folder, const char *limit, const char *used, const char *file_key)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, limit);
    double most = read_number(path, "");
    if (most < 0 || most > 1e15) return -1;
    snprintf(path, sizeof path, "%s/%s", folder, used);
    double now = read_number(path, "");
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    double file = read_number(path, file_key);
    if (now < 0) return -1;
    double room = most - now + (file > 0 ? file : 0);
    return room > 0 ? room : 0;
}

/* The group of this process and all that it is in, of either version. */
static double groups_room(void)
{
    char line[512], folder[1024];
    double room = -1;
    FILE *f = fopen("/proc/self/cgroup", "r");
    if (!f) return -1;
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        char *group = strchr(line, '/');
        bool second = strncmp(line, "0::", 3) == 0;
        if (!group || (!second && !strstr(line, ":memory:"))) continue;
        for (;;) {
            snprintf(folder, sizeof folder, "/sys/fs/cgroup%s%s", second ? "" : "/memory", group);
            room = least(room, second ? group_room(folder, "memory.max", "memory.current", "inactive_file ")
                                      : group_room(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "));
            char *slash = strrchr(group, '/');
            if (!*group) break;
            *slash = 0;
        }
    }
    fclose(f);
    return room;
}

/* "VmSize:" is the address space, "VmRSS:" what is resident. */
static double bytes_of_self(const char *key)
{
    double kib = read_number("/proc/self/status", key);
    return kib > 0 ? 1024 * kib : 0;
}

double snc_room_resident(void) { return bytes_of_self("VmRSS:"); }

double snc_room_memory(void)
{
    struct rlimit limit;
    double room = read_number("/proc/meminfo", "MemAvailable:");
    room = least(room < 0 ? -1 : 1024 * room, groups_room());
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        double left = (double)limit.rlim_cur - bytes_of_self("VmSize:");
        room = least(room, left > 0 ? left : 0);
    }
    return room < 0 ? 0 : room;
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
