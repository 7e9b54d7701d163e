/* report/watch_priv.h: what the live page consists of, beside the report's style sheet. */
#ifndef SNC_REPORT_WATCH_PRIV_H
#define SNC_REPORT_WATCH_PRIV_H

extern const char snc_watch__page[], snc_watch__style[], snc_watch__script[];

#endif
