/* report/watch.h: the live page of a run, for a browser on the same machine: it hears what the host hears, and tells who asks.
 *
 *     SNC_TRY(snc_watch_open(&w, &host, "compress", o->job.watch));      the host's call-backs now go by way of it
 *     err = snc_verb_compress(...);
 *     snc_watch_close(w, err, missed);
 *
 *     GET /               the page, with /watch.css and /watch.js: nothing comes from elsewhere
 *     GET /status.json    report/watched.h, once a second
 *
 * It listens on 127.0.0.1 alone and changes nothing. A request whose Host is another name than this machine's own is refused: the log may
 * hold private text, and a page from elsewhere whose name leads here (DNS rebinding) must not read it.
 */
#ifndef SNC_REPORT_WATCH_H
#define SNC_REPORT_WATCH_H

#include <stdbool.h>

#include "base/error.h"

typedef struct snc_watch snc_watch;
/* port: a number, "0" for one that is free. What host->user was given to still is. SNC_E_ARG: no port; SNC_E_IO: in use;
 * SNC_E_UNSUPPORTED: no libmicrohttpd. */
snc_err snc_watch_open(snc_watch **out, snc_host *host, const char *verb, const char *port) SNC_MUST_USE;
/* How the run ended, by snc_err_text where err is a failure; a page that has just asked is given a moment to hear it. NULL is fine. */
void snc_watch_close(snc_watch *w, snc_err err, bool missed);

#endif
