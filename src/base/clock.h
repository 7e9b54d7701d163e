/* base/clock.h: monotonic time in seconds; never the wall clock, which may jump. */
#ifndef SNC_BASE_CLOCK_H
#define SNC_BASE_CLOCK_H

double snc_now(void);            /* seconds since an arbitrary start */
double snc_peak_rss_mb(void);    /* largest resident size of this process so far, MB = 10^6 bytes */

#endif
