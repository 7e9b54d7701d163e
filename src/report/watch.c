/* The host's call-backs are passed on, then noted; requests are answered on the listener's threads from what was noted. */
#include "report/watch.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"
#include "http/listener.h"
#include "report/html_priv.h"
#include "report/watch_priv.h"
#include "report/watched.h"

/* Seconds: who has asked as lately still looks, and is waited for as long at the end; the page asks once a second. */
static const double LOOKS = 3, LAST = 1.5;

struct snc_watch {
    snc_host host; /* the caller's */
    snc_watched *seen;
    snc_listener *listener;
    atomic_int port;             /* 0: it does not listen yet */
    atomic_long asked;           /* milliseconds of snc_now, of the latest status; 0: nobody has */
    atomic_bool ended, heard_it; /* somebody was told that it has */
};

/* ---- what the host hears ---------------------------------------------------------------------------------------------------- */

static void on_log(void *user, snc_level level, const char *text)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    snc_watch *w = user;
    if (w->host.log) w->host.log(w->host.user, level, text);
    else fprintf(stderr, "%s\n", text); /* as it goes without a page */
    snc_watched_line(w->seen, names[level], text);
}

static void on_result(void *user, const char *text)
{
    snc_watch *w = user;
    if (w->host.result) w->host.result(w->host.user, text);
    snc_watched_line(w->seen, "result", text);
}

static void on_progress(void *user, const char *what, double done, double total, const char *note)
{
    snc_watch *w = user;
    if (w->host.progress) w->host.progress(w->host.user, what, done, total, note);
}

static void on_status(void *user, const snc_status *s)
{
    snc_watch *w = user;
    if (w->host.status) w->host.status(w->host.user, s);
    snc_watched_status(w->seen, s);
}

static void on_evaluation(void *user, const snc_evaluation *e)
{
    snc_watch *w = user;
    if (w->host.evaluation) w->host.evaluation(w->host.user, e);
    snc_watched_evaluation(w->seen, e);
}

static snc_err on_input(void *user, const char **text, size_t *bytes)
{
    snc_watch *w = user;
    return w->host.input(w->host.user, text, bytes);
}

static int on_ready(void *user)
{
    snc_watch *w = user;
    return w->host.ready(w->host.user);
}

static void take_over(snc_host *h, snc_watch *w)
{
    w->host = *h;
    h->user = w;
    h->log = on_log;
    h->result = on_result;
    h->progress = on_progress;
    h->status = on_status;
    h->evaluation = on_evaluation;
    if (h->input) h->input = on_input;
    if (h->ready) h->ready = on_ready;
}

/* ---- requests --------------------------------------------------------------------------------------------------------------- */

static bool is_own_name(const snc_watch *w, const char *host)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; host && i < sizeof names / sizeof *names; i++) {
        const size_t n = strlen(names[i]);
        if (strncasecmp(host, names[i], n) != 0) continue;
        int port = 80;
        if ((!host[n] || (host[n] == ':' && snc_int_read(&port, host + n + 1, NULL))) && port == w->port) return true;
    }
    return false;
}

static void refuse(snc_reply *r, int status, const char *why)
{
    r->status = status;
    r->type = "text/plain; charset=utf-8";
    snc_textbuf_put(&r->body, "%s\n", why);
}

static void answer_status(snc_reply *r, snc_watch *w)
{
    const bool ended = w->ended; /* before it is read */
    w->asked = (long)(1e3 * snc_now());
    r->type = "application/json";
    snc_watched_json(&r->body, w->seen);
    if (ended) w->heard_it = true;
}

static void handle(void *user, const snc_exchange *x, snc_reply *r)
{
    static const char *const types[] = {"text/html; charset=utf-8", "text/css; charset=utf-8", "text/javascript; charset=utf-8"};
    static const char *const paths[] = {"/", "/watch.css", "/watch.js"};
    snc_watch *w = user;
    *r = (snc_reply){.status = 200,
                     .header = {{"Content-Security-Policy",
                                 "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
                                 "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
                                {"Cache-Control", "no-store"},
                                {"X-Content-Type-Options", "nosniff"}}};
    int i = 0;
    while (i < 3 && strcmp(x->path, paths[i]) != 0) i++;
    if (!is_own_name(w, x->host)) refuse(r, 403, "not by this name: the page is for 127.0.0.1 and localhost");
    else if (strcmp(x->method, "GET") != 0 && strcmp(x->method, "HEAD") != 0) {
        refuse(r, 405, "not by this method");
        r->header[3] = (snc_header){"Allow", "GET, HEAD"};
    } else if (strcmp(x->path, "/status.json") == 0) answer_status(r, w);
    else if (i == 3) refuse(r, 404, "no such path");
    else {
        r->type = types[i];
        if (i == 1) snc_textbuf_text(&r->body, snc_html__style);
        snc_textbuf_text(&r->body, i == 0 ? snc_watch__page : i == 1 ? snc_watch__style : snc_watch__script);
    }
}

/* ---- the page --------------------------------------------------------------------------------------------------------------- */

static snc_err listen_on(snc_watch *w, const char *text)
{
    enum { WATCHERS = 16, PATIENCE_S = 15, BODY = 1024 };
    char where[64];
    int port;
    SNC_CHECK(snc_int_read(&port, text, NULL) && port >= 0 && port <= 65535, SNC_E_ARG,
              "--watch '%.40s': expected a port, 1 to 65535, or 0 for one that is free", text);
    const snc_listener_opts o = {.host = "127.0.0.1", .port = port, .connections = WATCHERS, .timeout_s = PATIENCE_S, .max_body = BODY};
    snc_err err = snc_listener_start(&w->listener, &o, handle, w);
    snprintf(where, sizeof where, "--watch %d", port);
    if (err) return snc_err_prefix(err, where);
    w->port = snc_listener_port(w->listener);
    return SNC_OK;
}

snc_err snc_watch_open(snc_watch **out, snc_host *host, const char *verb, const char *port)
{
    snc_watch *w = NULL;
    char line[64];
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&w, 1, sizeof *w));
    SNC_GOTO(snc_watched_new(&w->seen, verb));
    SNC_GOTO(listen_on(w, port));
    take_over(host, w);
    snprintf(line, sizeof line, SNC_WATCH_AT "127.0.0.1:%d", w->port);
    host->log(w, SNC_LEVEL_INFO, line);
    *out = w;
    return SNC_OK;
out:
    snc_watched_free(w->seen);
    snc_free(w);
    return err;
}

void snc_watch_close(snc_watch *w, snc_err err, bool missed)
{
    if (!w) return;
    const double now = snc_now();
    snc_watched_end(w->seen, err == SNC_E_CANCELLED ? 130 : err ? 2 : missed ? 3 : 0, err ? snc_err_text() : "");
    w->ended = true;
    if (w->asked && 1e3 * now - (double)w->asked < 1e3 * LOOKS)
        while (!w->heard_it && snc_now() - now < LAST) snc_sleep(0.02);
    snc_listener_stop(w->listener, 1);
    snc_watched_free(w->seen);
    snc_free(w);
}
