/* libcurl is loaded by name, whichever TLS library the machine's is built with: what never fetches needs none of it at run time. */
#include "hub/curl.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/library.h"
#include "base/mem.h"

#ifdef SNC_WITH_CURL
#include <curl/curl.h>

/* What is called of it. */
typedef struct library {
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *c, CURLoption option, ...);
    CURLcode (*easy_perform)(CURL *c);
    CURLcode (*easy_getinfo)(CURL *c, CURLINFO info, ...);
    void (*easy_reset)(CURL *c);
    void (*easy_cleanup)(CURL *c);
    const char *(*easy_strerror)(CURLcode code);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
} library;

struct snc_curl {
    library lib;
    CURL *easy;
};

static snc_err load(library *l)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    const snc_symbol wanted[] = {{"curl_global_init", &l->global_init},   {"curl_easy_init", &l->easy_init},
                                 {"curl_easy_setopt", &l->easy_setopt},   {"curl_easy_perform", &l->easy_perform},
                                 {"curl_easy_getinfo", &l->easy_getinfo}, {"curl_easy_reset", &l->easy_reset},
                                 {"curl_easy_cleanup", &l->easy_cleanup}, {"curl_easy_strerror", &l->easy_strerror},
                                 {"curl_slist_append", &l->slist_append}, {"curl_slist_free_all", &l->slist_free_all}};
    return snc_library_load(names, sizeof names / sizeof *names, wanted, sizeof wanted / sizeof *wanted, "libcurl",
                            "names of the Hub are fetched by libcurl, which this machine lacks (apt install libcurl4)", false);
}

snc_err snc_curl_open(snc_curl **out)
{
    snc_curl *c = NULL;
    SNC_TRY(snc_alloc(&c, 1, sizeof *c));
    snc_err err = load(&c->lib);
    if (!err && c->lib.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) err = snc_err_set(SNC_E_BACKEND, "libcurl: cannot be started");
    if (!err && !(c->easy = c->lib.easy_init())) err = snc_err_set(SNC_E_NOMEM, "libcurl: out of memory");
    if (err) snc_curl_close(c);
    else *out = c;
    return err;
}

void snc_curl_close(snc_curl *c)
{
    if (!c) return;
    if (c->easy) c->lib.easy_cleanup(c->easy);
    snc_free(c);
}

/* ---- headers ------------------------------------------------------------------------------------------------------------- */

/* One transfer. */
typedef struct transfer {
    const snc_curl_ask *ask;
    snc_http_reply *r;
    snc_err err;     /* of the body's receiver, or an interrupt */
    curl_off_t came; /* bytes of the body */
    double moved;    /* when the last of them came, or a header */
    bool stalled;
} transfer;

/* The value of a header of this name, or NULL. */
static const char *value_of(const char *line, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if (tolower((unsigned char)line[i]) != name[i]) return NULL;
    if (line[n] != ':') return NULL;
    line += n + 1;
    return line + strspn(line, " \t");
}

/* Digits alone, up to what follows them; NaN for anything else. */
static double read_bytes(const char *text)
{
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 15) return NAN;
    return strtod(text, NULL);
}

/* An ETag without its quotes, and without the mark of a weak one. */
static void read_tag(char out[SNC_HTTP_WORD], const char *text)
{
    if (strncmp(text, "W/", 2) == 0) text += 2;
    if (*text == '"') text++;
    snprintf(out, SNC_HTTP_WORD, "%.*s", (int)strcspn(text, "\" \t\r\n"), text);
}

static void read_range(snc_http_reply *r, const char *text)
{
    const char *slash = strchr(text, '/');
    if (strncmp(text, "bytes ", 6) != 0 || !slash) return;
    r->from = read_bytes(text + 6);
    r->whole = read_bytes(slash + 1);
}

static void read_header(snc_http_reply *r, const char *line)
{
    const char *v;
    if ((v = value_of(line, "content-length"))) r->length = read_bytes(v);
    else if ((v = value_of(line, "content-range"))) read_range(r, v);
    else if ((v = value_of(line, "retry-after"))) r->wait = read_bytes(v);
    else if ((v = value_of(line, "etag"))) read_tag(r->etag, v);
    else if ((v = value_of(line, "x-error-code"))) read_tag(r->error, v);
    else if ((v = value_of(line, "x-linked-etag")) && !r->linked_etag[0]) read_tag(r->linked_etag, v);
    else if ((v = value_of(line, "x-linked-size")) && isnan(r->linked_size)) r->linked_size = read_bytes(v);
}

/* A status line begins a response: that of a proxy, of a 100 Continue, or the one that was asked for. */
static size_t take_header(char *p, size_t size, size_t n, void *user)
{
    transfer *t = user;
    char line[2048];
    (void)size;
    t->moved = snc_now();
    snprintf(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), p);
    if (strncmp(line, "HTTP/", 5) == 0) {
        const char *blank = strchr(line, ' ');
        double status = blank ? read_bytes(blank + 1) : 0;
        t->r->status = status >= 100 && status <= 999 ? (int)status : 0;
        t->r->length = t->r->from = t->r->whole = t->r->wait = NAN;
        t->r->etag[0] = t->r->error[0] = 0;
    } else {
        read_header(t->r, line);
    }
    return n;
}

static size_t take_body(char *p, size_t size, size_t n, void *user)
{
    transfer *t = user;
    (void)size;
    bool wanted = t->ask->body && (t->r->status == 200 || t->r->status == 206);
    if (!t->err && wanted) t->err = t->ask->body(t->ask->user, t->r, p, n);
    return t->err ? 0 : n;
}

/* Some times a second, whatever comes. libcurl's own low speed limit is of a mean over five seconds. */
static int take_turn(void *user, curl_off_t whole, curl_off_t came, curl_off_t to_send, curl_off_t sent)
{
    transfer *t = user;
    (void)whole, (void)to_send, (void)sent;
    double now = snc_now();
    if (came != t->came) t->moved = now;
    t->came = came;
    t->stalled = now - t->moved > t->ask->stall;
    if (!t->err) t->err = snc_go_on(t->ask->ctx);
    return t->err != SNC_OK || t->stalled;
}

/* ---- a transfer ------------------------------------------------------------------------------------------------------------- */

static snc_err add_header(struct curl_slist **list, const library *l, const char *name, const char *value)
{
    char line[SNC_HTTP_WORD + 64];
    int n = snprintf(line, sizeof line, "%s%s", name, value);
    SNC_CHECK(n > 0 && (size_t)n < sizeof line, SNC_E_ARG, "HF_TOKEN: longer than any token");
    struct curl_slist *longer = l->slist_append(*list, line);
    SNC_CHECK(longer, SNC_E_NOMEM, "libcurl: out of memory");
    *list = longer;
    return SNC_OK;
}

static snc_err make_headers(struct curl_slist **list, const library *l, const snc_curl_ask *ask)
{
    char tag[SNC_HTTP_WORD + 2];
    SNC_TRY(add_header(list, l, "Accept-Encoding: ", "identity")); /* else lengths would be of packed bytes */
    if (ask->token) SNC_TRY(add_header(list, l, "Authorization: Bearer ", ask->token));
    if (!ask->if_same || !(ask->from > 0)) return SNC_OK;
    snprintf(tag, sizeof tag, "\"%s\"", ask->if_same);
    return add_header(list, l, "If-Range: ", tag);
}

static void set_up(snc_curl *c, transfer *t, struct curl_slist *headers, char *why)
{
    const library *l = &c->lib;
    const snc_curl_ask *ask = t->ask;
    char range[32];
    l->easy_reset(c->easy);
    l->easy_setopt(c->easy, CURLOPT_URL, ask->url);
    l->easy_setopt(c->easy, CURLOPT_HTTPHEADER, headers);
    l->easy_setopt(c->easy, CURLOPT_USERAGENT, "compress/" SNC_VERSION);
    l->easy_setopt(c->easy, CURLOPT_ERRORBUFFER, why);
    l->easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    l->easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, 0L);
    l->easy_setopt(c->easy, CURLOPT_NOBODY, ask->head ? 1L : 0L);
    l->easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT, (long)ceil(ask->stall));
    l->easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, take_header);
    l->easy_setopt(c->easy, CURLOPT_HEADERDATA, t);
    l->easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, take_body);
    l->easy_setopt(c->easy, CURLOPT_WRITEDATA, t);
    l->easy_setopt(c->easy, CURLOPT_NOPROGRESS, 0L);
    l->easy_setopt(c->easy, CURLOPT_XFERINFOFUNCTION, take_turn);
    l->easy_setopt(c->easy, CURLOPT_XFERINFODATA, t);
    if (ask->from > 0) {
        snprintf(range, sizeof range, "%.0f-", ask->from);
        l->easy_setopt(c->easy, CURLOPT_RANGE, range);
    }
}

static snc_curl_end end_of(const snc_curl *c, CURLcode code)
{
    double connected = 0;
    (void)c->lib.easy_getinfo(c->easy, CURLINFO_CONNECT_TIME, &connected);
    if (code == CURLE_OPERATION_TIMEDOUT && !(connected > 0)) return SNC_CURL_UNREACHED;
    switch (code) {
    case CURLE_OK: return SNC_CURL_DONE;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT: return SNC_CURL_UNREACHED;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return SNC_CURL_BROKEN;
    default: return SNC_CURL_FAILED;
    }
}

snc_err snc_curl_run(snc_http_reply *r, snc_curl_end *end, char *next, size_t size, snc_curl *c, const snc_curl_ask *ask)
{
    snc_err err = SNC_OK;
    char why[CURL_ERROR_SIZE] = "", *url = NULL;
    struct curl_slist *headers = NULL;
    transfer t = {.ask = ask, .r = r, .moved = snc_now()};
    SNC_GOTO(make_headers(&headers, &c->lib, ask));
    set_up(c, &t, headers, why);
    CURLcode code = c->lib.easy_perform(c->easy);
    if (t.err) {
        err = t.err;
        goto out;
    }
    if (t.stalled) {
        code = CURLE_OPERATION_TIMEDOUT;
        snprintf(why, sizeof why, "nothing came for %g s", ask->stall);
    }
    *end = end_of(c, code);
    if (code != CURLE_OK) {
        const char *colon = strstr(ask->url, "://"), *host = colon ? colon + 3 : ask->url;
        snc_err_say("%.*s: %s", (int)strcspn(host, "/?#"), host, why[0] ? why : c->lib.easy_strerror(code));
    }
    if (c->lib.easy_getinfo(c->easy, CURLINFO_REDIRECT_URL, &url) == CURLE_OK && url && strlen(url) < size)
        memcpy(next, url, strlen(url) + 1);
out:
    c->lib.slist_free_all(headers);
    return err;
}

#else
snc_err snc_curl_open(snc_curl **out)
{
    *out = NULL;
    return snc_err_set(SNC_E_UNSUPPORTED, "names of the Hub are fetched by libcurl, which this program was built without");
}

void snc_curl_close(snc_curl *c) { (void)c; }

snc_err snc_curl_run(snc_http_reply *r, snc_curl_end *end, char *next, size_t size, snc_curl *c, const snc_curl_ask *ask)
{
    (void)r, (void)end, (void)next, (void)size, (void)c, (void)ask;
    return snc_err_set(SNC_E_UNSUPPORTED, "built without libcurl");
}
#endif
