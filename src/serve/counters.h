/* serve/counters.h: what a server has done, in the text form of Prometheus (exposition format 0.0.4). All functions may be called by
 * several threads. */
#ifndef SNC_SERVE_COUNTERS_H
#define SNC_SERVE_COUNTERS_H

#include "base/textbuf.h"
#include "serve/queue.h"

typedef struct snc_counters snc_counters;
/* names [n]: paths that answers are counted by, constants. */
snc_err snc_counters_new(snc_counters **out, const char *const *names, int n) SNC_MUST_USE;
void snc_counters_free(snc_counters *c);
/* An answer of path `name`, n for any other, with this status, `seconds` after its request began. */
void snc_counters_add(snc_counters *c, int name, int status, double seconds);
void snc_counters_print(snc_textbuf *out, snc_counters *c, const snc_queue_counts *q);

#endif
