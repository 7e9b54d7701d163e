#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE
#include "base/clock.h"

#include <sys/resource.h>
#include <time.h>

double snc_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double snc_peak_rss_mb(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss * 1024.0 / 1e6;
}
