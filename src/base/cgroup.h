/* base/cgroup.h: the control groups that this process is in, of both versions. */
#ifndef SNC_BASE_CGROUP_H
#define SNC_BASE_CGROUP_H

#include <stdbool.h>

/* What the group at `folder` of version 2 (`second`) or 1 allows; negative: it limits nothing. */
typedef double (*snc_cgroup_limit_fn)(const char *folder, bool second);

/* The least that the group of this process and all that it is in allow for `controller` ("cpu"); negative: no limit. `root` is put
 * before /proc and /sys: "" but in tests. In a container the path that /proc names may lie above what is mounted: then the mounted
 * folder itself is the group. */
double snc_cgroup_least(const char *root, const char *controller, snc_cgroup_limit_fn limit);

/* The lesser of two limits, each negative where it limits nothing. */
static inline double snc_cgroup_lesser(double a, double b) { return a < 0 ? b : b < 0 || a < b ? a : b; }

/* The number after `key` in a small text file of the kernel (key "": the first); negative: not there, or "max". */
double snc_cgroup_number(const char *path, const char *key);

#endif
