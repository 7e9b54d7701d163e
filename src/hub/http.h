/* hub/http.h: requests over HTTP, one at a time, by libcurl, which is loaded for the first: a machine without it runs all the rest.
 *
 * Redirects are followed here, so that the token goes to the hub's own origin (scheme, host, port) and to no other. Proxies are those of
 * curl's environment. What breaks off, stands still or is refused for the moment is tried again a few times, at growing distances.
 */
#ifndef SNC_HUB_HTTP_H
#define SNC_HUB_HTTP_H

#include <stdbool.h>

#include "base/ctx.h"

enum { SNC_HTTP_WORD = 256 };

/* Of the last response. Numbers are NaN and texts "" where it does not have them. */
typedef struct snc_http_reply {
    int status;
    double length, from, whole; /* Content-Length; first byte and whole size, by Content-Range */
    double wait;                /* Retry-After, seconds */
    char etag[SNC_HTTP_WORD], error[SNC_HTTP_WORD] /* X-Error-Code */;
    /* of whichever response on the way had it first */
    double linked_size;
    char linked_etag[SNC_HTTP_WORD];
} snc_http_reply;

typedef struct snc_http_ask {
    const char *url;
    bool head;   /* headers alone; a redirect to another origin is not followed, but is the answer */
    double from; /* from this byte on; 0: the whole */
    const char
        *if_same; /* ETag that the hub itself must still have for a part to be sent; NULL: any. Another host is not asked: it has its own */
    /* Pieces of what a status of 200 or 206 brings; its failure ends the request. NULL: not wanted. */
    snc_err (*body)(void *user, const snc_http_reply *r, const void *p, size_t n);
    /* Before another try: may change `from`. NULL: nothing to do. */
    snc_err (*again)(void *user, struct snc_http_ask *a);
    void *user;
} snc_http_ask;

typedef struct snc_http snc_http;

/* endpoint: whose origin is the hub's; token: NULL for none; stall: seconds without data after which a request is given up. The
 * strings are borrowed. SNC_E_UNSUPPORTED: built without libcurl, or the machine has none; SNC_E_ARG: an endpoint that is no URL. */
snc_err snc_http_open(snc_http **out, const snc_ctx *ctx, const char *endpoint, const char *token, double stall) SNC_MUST_USE;
/* Whatever the status. SNC_E_IO: no answer, with *reached false where no host was ever spoken to; SNC_E_CANCELLED. */
snc_err snc_http_run(snc_http_reply *r, bool *reached, snc_http *h, const snc_http_ask *ask) SNC_MUST_USE;
const char *snc_http_host_view(const snc_http *h); /* of the endpoint */
void snc_http_close(snc_http *h);                  /* NULL is fine */

#endif
