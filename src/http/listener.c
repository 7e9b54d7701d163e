/* A connection is a thread: what is asked is computed where it came in, and no other thread has to be woken for it. */
#define _POSIX_C_SOURCE 200809L
#include "http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/library.h"
#include "base/mem.h"

#ifdef SNC_WITH_MICROHTTPD
#include <microhttpd.h>

/* ---- the socket --------------------------------------------------------------------------------------------------------------- */

static snc_err listen_on(int *out, const struct addrinfo *a)
{
    const int on = 1, fd = socket(a->ai_family, SOCK_STREAM, 0);
    int failed = fd < 0 ? errno : 0;
    if (!failed && (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)) failed = errno;
    if (!failed && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) failed = errno;
    if (!failed && (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0)) failed = errno;
    if (failed && fd >= 0) close(fd);
    SNC_CHECK(!failed, SNC_E_IO, "%s", strerror(failed));
    *out = fd;
    return SNC_OK;
}

static snc_err open_socket(int *out, const char *host, int port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char text[16];
    snprintf(text, sizeof text, "%d", port);
    const int bad = getaddrinfo(host, text, &hints, &found);
    SNC_CHECK(bad == 0, SNC_E_IO, "%s", gai_strerror(bad));
    snc_err err = listen_on(out, found);
    freeaddrinfo(found);
    return err;
}

static int port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } a;
    socklen_t n = sizeof a;
    if (getsockname(fd, &a.any, &n) != 0) return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.six.sin6_port : a.four.sin_port);
}

/* ---- the library ---------------------------------------------------------------------------------------------------------------- */

/* What is called of it. */
typedef struct library {
    struct MHD_Daemon *(*start_daemon)(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback apc, void *apc_cls,
                                       MHD_AccessHandlerCallback dh, void *dh_cls, ...);
    void (*stop_daemon)(struct MHD_Daemon *d);
    MHD_socket (*quiesce_daemon)(struct MHD_Daemon *d);
    const char *(*lookup_connection_value)(struct MHD_Connection *c, enum MHD_ValueKind kind, const char *key);
    struct MHD_Response *(*create_response_from_buffer)(size_t size, void *buffer, enum MHD_ResponseMemoryMode mode);
    enum MHD_Result (*add_response_header)(struct MHD_Response *r, const char *header, const char *content);
    enum MHD_Result (*queue_response)(struct MHD_Connection *c, unsigned status, struct MHD_Response *r);
    void (*destroy_response)(struct MHD_Response *r);
    enum MHD_Result (*is_feature_supported)(enum MHD_FEATURE feature);
} library;

struct snc_listener {
    library lib;
    snc_listener_opts o;
    void (*handle)(void *user, const snc_exchange *x, snc_reply *reply);
    void *user;
    struct MHD_Daemon *daemon;
    int fd, port;
    bool quiet;
    atomic_int open; /* exchanges */
};

struct snc_connection {
    snc_exchange x;
    snc_listener *l;
    struct MHD_Connection *c;
    char *body;
    size_t cap, dropped;
};

static snc_err load(library *l)
{
    static const char *const names[] = {"libmicrohttpd.so.12"};
    const snc_symbol wanted[] = {{"MHD_start_daemon", &l->start_daemon},
                                 {"MHD_stop_daemon", &l->stop_daemon},
                                 {"MHD_quiesce_daemon", &l->quiesce_daemon},
                                 {"MHD_lookup_connection_value", &l->lookup_connection_value},
                                 {"MHD_create_response_from_buffer", &l->create_response_from_buffer},
                                 {"MHD_add_response_header", &l->add_response_header},
                                 {"MHD_queue_response", &l->queue_response},
                                 {"MHD_destroy_response", &l->destroy_response},
                                 {"MHD_is_feature_supported", &l->is_feature_supported}};
    return snc_library_load(names, 1, wanted, sizeof wanted / sizeof *wanted, "libmicrohttpd",
                            "HTTP is spoken by libmicrohttpd, which this machine lacks (apt install libmicrohttpd12)", false);
}

/* ---- an exchange ---------------------------------------------------------------------------------------------------------------- */

static enum MHD_Result send_reply(struct snc_connection *k, snc_reply *r)
{
    const library *lib = &k->l->lib;
    const bool whole = !r->body.err;
    struct MHD_Response *response =
        lib->create_response_from_buffer(whole ? r->body.n : 0, whole && r->body.p ? r->body.p : "", MHD_RESPMEM_MUST_COPY);
    enum MHD_Result done = MHD_NO;
    if (response) {
        lib->add_response_header(response, "Content-Type", r->type);
        for (int i = 0; i < SNC_REPLY_HEADERS && r->header[i].name; i++)
            lib->add_response_header(response, r->header[i].name, r->header[i].value);
        done = lib->queue_response(k->c, whole ? (unsigned)r->status : 500, response);
        lib->destroy_response(response);
    }
    snc_free(r->body.p);
    return done;
}

/* false: there is more than anybody would send by mistake. */
static bool take(struct snc_connection *k, const char *data, size_t n)
{
    enum { FAR = 16 }; /* times the largest body */
    const size_t most = k->l->o.max_body;
    k->x.too_large = k->x.too_large || k->x.bytes + n > most;
    if (k->x.too_large) {
        k->dropped += n;
        return k->dropped / FAR <= most;
    }
    if (snc_grow(&k->body, &k->cap, k->x.bytes + n + 1, 1) != SNC_OK) return false;
    memcpy(k->body + k->x.bytes, data, n);
    k->x.bytes += n;
    k->body[k->x.bytes] = 0;
    k->x.body = k->body;
    return true;
}

static struct snc_connection *begin(snc_listener *l, struct MHD_Connection *c, const char *path, const char *method)
{
    struct snc_connection *k;
    const char *length = l->lib.lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
    if (snc_alloc(&k, 1, sizeof *k) != SNC_OK) return NULL;
    k->l = l;
    k->c = c;
    k->x = (snc_exchange){.method = method,
                          .path = path,
                          .host = l->lib.lookup_connection_value(c, MHD_HEADER_KIND, "Host"),
                          .authorization = l->lib.lookup_connection_value(c, MHD_HEADER_KIND, "Authorization"),
                          .content_type = l->lib.lookup_connection_value(c, MHD_HEADER_KIND, "Content-Type"),
                          .body = "",
                          .came = snc_now()};
    k->x.too_large = length && strtod(length, NULL) > (double)l->o.max_body;
    atomic_fetch_add(&l->open, 1);
    return k;
}

/* Called with the headers, with each piece of the body, and at its end. What announces a body that is too large is answered before it
 * comes. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *c, const char *path, const char *method, const char *version,
                                  const char *data, size_t *bytes, void **state)
{
    snc_listener *l = user;
    struct snc_connection *k = *state;
    snc_reply reply = {0};
    (void)version;
    if (!k) {
        *state = k = begin(l, c, path, method);
        if (!k) return MHD_NO;
        if (!k->x.too_large) return MHD_YES;
    }
    if (*bytes > 0) {
        const bool fine = take(k, data, *bytes);
        *bytes = 0;
        return fine ? MHD_YES : MHD_NO;
    }
    l->handle(l->user, &k->x, &reply);
    return send_reply(k, &reply);
}

static void on_end(void *user, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode how)
{
    snc_listener *l = user;
    struct snc_connection *k = *state;
    (void)c;
    (void)how;
    if (!k) return;
    snc_free(k->body);
    snc_free(k);
    *state = NULL;
    atomic_fetch_sub(&l->open, 1);
}

/* ---- the listener ----------------------------------------------------------------------------------------------------------------- */

static void be_silent(void *user, const char *format, va_list args) { (void)user, (void)format, (void)args; }

static snc_err start_daemon(snc_listener *l)
{
    const snc_listener_opts *o = &l->o;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)be_silent, NULL},
        {MHD_OPTION_LISTEN_SOCKET, l->fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, o->connections, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, o->timeout_s, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_end, l},
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC;
    if (o->cert) {
        SNC_CHECK(l->lib.is_feature_supported(MHD_FEATURE_TLS) == MHD_YES, SNC_E_UNSUPPORTED, "--tls-cert: this libmicrohttpd has no TLS");
        flags |= MHD_USE_TLS;
        options[5] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, o->cert};
        options[6] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, o->key};
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* its threads begin with this one's mask */
    l->daemon = l->lib.start_daemon(flags, 0, NULL, NULL, on_request, l, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    SNC_CHECK(l->daemon, o->cert ? SNC_E_FORMAT : SNC_E_BACKEND, "%s",
              o->cert ? "--tls-cert, --tls-key: not a certificate and its key in PEM" : "libmicrohttpd: cannot be started");
    return SNC_OK;
}

snc_err snc_listener_start(snc_listener **out, const snc_listener_opts *o,
                           void (*handle)(void *user, const snc_exchange *x, snc_reply *reply), void *user)
{
    snc_listener *l = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&l, 1, sizeof *l));
    *l = (snc_listener){.o = *o, .handle = handle, .user = user, .fd = -1};
    SNC_GOTO(load(&l->lib));
    SNC_GOTO(open_socket(&l->fd, o->host, o->port));
    l->port = port_of(l->fd);
    SNC_GOTO(start_daemon(l));
    *out = l;
    l = NULL;
out:
    snc_listener_stop(l, 0);
    return err;
}

int snc_listener_port(const snc_listener *l) { return l->port; }

void snc_listener_quiesce(snc_listener *l)
{
    if (l->quiet) return;
    l->quiet = true;
    if (l->lib.quiesce_daemon(l->daemon) != MHD_INVALID_SOCKET) close(l->fd);
    l->fd = -1;
}

void snc_listener_stop(snc_listener *l, double patience_s)
{
    const double end = snc_now() + patience_s;
    if (!l) return;
    while (l->daemon && atomic_load(&l->open) > 0 && snc_now() < end) snc_sleep(0.01);
    if (l->daemon) l->lib.stop_daemon(l->daemon); /* which closes the socket where it was not quiesced */
    else if (l->fd >= 0) close(l->fd);
    snc_free(l);
}
#else

snc_err snc_listener_start(snc_listener **out, const snc_listener_opts *o,
                           void (*handle)(void *user, const snc_exchange *x, snc_reply *reply), void *user)
{
    (void)out, (void)o, (void)handle, (void)user;
    return snc_err_set(SNC_E_UNSUPPORTED, "HTTP is spoken by libmicrohttpd, which this build lacks (apt install libmicrohttpd-dev)");
}

int snc_listener_port(const snc_listener *l) { return (void)l, 0; }
void snc_listener_quiesce(snc_listener *l) { (void)l; }
void snc_listener_stop(snc_listener *l, double patience_s) { (void)l, (void)patience_s; }
#endif
