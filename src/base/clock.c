/* Spans are measured on the monotonic clock, which nobody sets; the wall clock is for stamps alone. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE
#include "base/clock.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

double snc_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void snc_sleep(double seconds)
{
    time_t whole = (time_t)seconds;
    struct timespec t = {.tv_sec = whole, .tv_nsec = (long)(1e9 * (seconds - (double)whole))};
    (void)nanosleep(&t, NULL);
}

const char *snc_utc(char buf[SNC_UTC])
{
    time_t now = time(NULL);
    struct tm t;
    if (!gmtime_r(&now, &t) || !strftime(buf, SNC_UTC, "%Y-%m-%dT%H:%M:%SZ", &t)) buf[0] = 0;
    return buf;
}

/* Linux: 5 resets the mark that both getrusage and VmHWM tell (proc(5)). */
bool snc_peak_rss_restart(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (!f) return false;
    bool done = fputs("5", f) >= 0;
    return fclose(f) == 0 && done;
}

double snc_peak_rss_mb(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss * 1024.0 / 1e6;
}
