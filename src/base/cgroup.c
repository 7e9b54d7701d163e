/* /proc/self/cgroup names a group of each hierarchy; its folder and those above it are asked in turn. */
#include "base/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double snc_cgroup_number(const char *path, const char *key)
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

/* Whether `name` is one of `list`, which commas part and `end` ends. */
static bool is_listed(const char *list, const char *end, const char *name)
{
    for (size_t n = strlen(name); list < end; list += strcspn(list, ",:") + 1)
        if (strncmp(list, name, n) == 0 && (list[n] == ',' || list[n] == ':')) return true;
    return false;
}

/* "0::/group" is version 2, "4:cpu,cpuacct:/group" a hierarchy of version 1, mounted under its list or under one name. */
static double line_least(const char *root, char *line, const char *controller, snc_cgroup_limit_fn limit)
{
    char folder[1024];
    double v = -1;
    line[strcspn(line, "\n")] = 0;
    char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
    bool second = strncmp(line, "0::", 3) == 0;
    if (!group || (!second && !is_listed(list + 1, group, controller))) return -1;
    int width = (int)(group - list - 1);
    for (group++;; *strrchr(group, '/') = 0) {
        if (second) {
            snprintf(folder, sizeof folder, "%s/sys/fs/cgroup%s", root, group);
            v = snc_cgroup_lesser(v, limit(folder, true));
        } else {
            snprintf(folder, sizeof folder, "%s/sys/fs/cgroup/%s%s", root, controller, group);
            v = snc_cgroup_lesser(v, limit(folder, false));
            snprintf(folder, sizeof folder, "%s/sys/fs/cgroup/%.*s%s", root, width, list + 1, group);
            v = snc_cgroup_lesser(v, limit(folder, false));
        }
        if (!strchr(group, '/')) return v;
    }
}

double snc_cgroup_least(const char *root, const char *controller, snc_cgroup_limit_fn limit)
{
    char path[1024], line[1024];
    double v = -1;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "r");
    if (!f) return -1;
    while (fgets(line, sizeof line, f)) v = snc_cgroup_lesser(v, line_least(root, line, controller, limit));
    fclose(f);
    return v;
}
