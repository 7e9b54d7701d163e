/* Preloaded: the monotonic clock runs a third faster than it did when a latency table was measured, as if the machine had become slower;
 * or SNC_LATE thirds of its pace. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t which, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    static int thirds = 4;
    if (!real) {
        const char *asked = getenv("SNC_LATE");
        if (asked) thirds = atoi(asked);
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    }
    int out = real(which, t);
    if (out == 0 && which == CLOCK_MONOTONIC) {
        int64_t ns = (t->tv_sec * INT64_C(1000000000) + t->tv_nsec) / 3 * thirds;
        t->tv_sec = (time_t)(ns / 1000000000);
        t->tv_nsec = (long)(ns % 1000000000);
    }
    return out;
}
