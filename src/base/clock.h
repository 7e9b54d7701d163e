/* base/clock.h: monotonic time in seconds; the wall clock, which may jump, is for dates alone. */
#ifndef SNC_BASE_CLOCK_H
#define SNC_BASE_CLOCK_H

#include <stdbool.h>

double snc_now(void);           /* seconds since an arbitrary start */
void snc_sleep(double seconds); /* less where a signal comes */
enum { SNC_UTC = 24 };
const char *snc_utc(char buf[SNC_UTC]); /* "2025-01-31T12:00:00Z", of now */
bool snc_peak_rss_restart(void);        /* what follows is counted from now on; false: the system does not do that */
double snc_peak_rss_mb(void);           /* largest resident size of this process so far, MB = 10^6 bytes */

#endif
