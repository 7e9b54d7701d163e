/* http/listener.h: HTTP, by libmicrohttpd, which is loaded by name when it is needed: requests in, whole, and answers out.
 *
 *     SNC_TRY(snc_listener_start(&l, &opts, handle, user));
 *     handle(user, x, &reply) is called for each request whose body is whole, on its connection's thread, and takes its time
 *     snc_listener_quiesce(l);   nobody new comes in          snc_listener_stop(l, 10);
 *
 * What is no HTTP or too slow never comes to handle; what is too large comes without its body.
 */
#ifndef SNC_HTTP_LISTENER_H
#define SNC_HTTP_LISTENER_H

#include <stdbool.h>

#include "base/textbuf.h"

typedef struct snc_exchange {
    const char *method, *path;                       /* the path without what follows a question mark */
    const char *host, *authorization, *content_type; /* values of headers, NULL where they are not there */
    const char *body;                                /* [bytes], and a NUL */
    size_t bytes;
    double came;    /* snc_now, of its first line */
    bool too_large; /* the body is not here */
} snc_exchange;

enum { SNC_REPLY_HEADERS = 4 };
typedef struct snc_header {
    const char *name, *value; /* constants */
} snc_header;

typedef struct snc_reply {
    int status;
    const char *type;                     /* Content-Type, a constant */
    snc_header header[SNC_REPLY_HEADERS]; /* more, up to the first without a name */
    snc_textbuf body;                     /* taken over */
} snc_reply;

typedef struct snc_listener_opts {
    const char *host; /* a name or an address of this machine */
    int port;         /* 0: one that is free */
    int connections;
    int timeout_s; /* of a connection that says nothing */
    size_t max_body;
    char *cert, *key; /* PEM, in memory; NULL: no TLS */
} snc_listener_opts;

typedef struct snc_listener snc_listener;
/* reply: of zeros. Signals are the caller's: no thread of the listener's takes one. SNC_E_UNSUPPORTED: no libmicrohttpd, or one without TLS
 * where that is asked for. SNC_E_IO: the address is not ours, or in use, in the system's words alone: what the user calls it the caller
 * knows. */
snc_err snc_listener_start(snc_listener **out, const snc_listener_opts *o,
                           void (*handle)(void *user, const snc_exchange *x, snc_reply *reply), void *user) SNC_MUST_USE;
int snc_listener_port(const snc_listener *l);
/* Connections that are there may still ask. */
void snc_listener_quiesce(snc_listener *l);
/* Waits for as long as `patience_s` for requests that come in and answers that are being sent, and frees. NULL is fine. */
void snc_listener_stop(snc_listener *l, double patience_s);

#endif
