/* Tries, redirects and who may see the token; the transfers themselves are behind curl.h. */
#include "hub/http.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "hub/curl.h"

enum { HOPS = 10, TRIES = 5 };
static const double FIRST_PAUSE = 0.25, LONGEST_PAUSE = 60; /* seconds; doubled from try to try */
static const double GAIN = 1 << 20;                         /* bytes after which tries are counted anew */

struct snc_http {
    const snc_ctx *ctx;
    snc_curl *curl;
    const char *token;
    char origin[SNC_HTTP_WORD], host[SNC_HTTP_WORD];
    double stall;
    bool reached;
};

static bool is_https(const char *url) { return strncmp(url, "https://", 8) == 0; }

/* "https://huggingface.co" of "https://huggingface.co/mirror": all up to the path. */
static snc_err find_origin(snc_http *h, const char *endpoint)
{
    size_t scheme = is_https(endpoint) ? 8 : strncmp(endpoint, "http://", 7) == 0 ? 7 : 0, n = strcspn(endpoint + scheme, "/?#");
    SNC_CHECK(scheme && n && scheme + n < sizeof h->origin && !memchr(endpoint + scheme, '@', n), SNC_E_ARG,
              "HF_ENDPOINT '%.200s': expected http://HOST or https://HOST", endpoint);
    snprintf(h->origin, sizeof h->origin, "%.*s", (int)(scheme + n), endpoint);
    snprintf(h->host, sizeof h->host, "%.*s", (int)n, endpoint + scheme);
    return SNC_OK;
}

static bool is_own(const snc_http *h, const char *url)
{
    size_t n = strlen(h->origin);
    return strncmp(url, h->origin, n) == 0 && (!url[n] || strchr("/?#", url[n]));
}

/* It goes into a header: nothing in it may end that. */
static snc_err check_token(const char *token)
{
    for (const char *c = token; c && *c; c++)
        SNC_CHECK(*c > ' ' && *c < 0x7f, SNC_E_ARG, "HF_TOKEN: holds a blank or a control character, which no token has");
    return SNC_OK;
}

snc_err snc_http_open(snc_http **out, const snc_ctx *ctx, const char *endpoint, const char *token, double stall)
{
    snc_err err = SNC_OK;
    snc_http *h = NULL;
    SNC_TRY(check_token(token));
    SNC_TRY(snc_alloc(&h, 1, sizeof *h));
    h->ctx = ctx;
    h->token = token;
    h->stall = stall;
    SNC_GOTO(find_origin(h, endpoint));
    SNC_GOTO(snc_curl_open(&h->curl));
    *out = h;
    return SNC_OK;
out:
    snc_http_close(h);
    return err;
}

void snc_http_close(snc_http *h)
{
    if (!h) return;
    snc_curl_close(h->curl);
    snc_free(h);
}

const char *snc_http_host_view(const snc_http *h) { return h->host; }

/* ---- one request, over its redirects ------------------------------------------------------------------------------------ */

static void forget(snc_http_reply *r)
{
    r->status = 0;
    r->length = r->from = r->whole = r->wait = NAN;
    r->etag[0] = r->error[0] = 0;
}

static bool leads_on(const snc_http_reply *r)
{
    return r->status == 301 || r->status == 302 || r->status == 303 || r->status == 307 || r->status == 308;
}

static snc_err one_request(snc_http_reply *r, snc_curl_end *end, snc_http *h, const snc_http_ask *ask)
{
    enum { URL = 8192 };
    char url[URL], next[URL];
    SNC_CHECK(strlen(ask->url) < sizeof url, SNC_E_ARG, "%.80s...: too long", ask->url);
    snprintf(url, sizeof url, "%s", ask->url);
    for (int hop = 0; hop <= HOPS; hop++) {
        bool own = is_own(h, url);
        const snc_curl_ask one = {.ctx = h->ctx,
                                  .url = url,
                                  .token = own ? h->token : NULL,
                                  .if_same = own ? ask->if_same : NULL,
                                  .head = ask->head,
                                  .from = ask->from,
                                  .stall = h->stall,
                                  .body = ask->body,
                                  .user = ask->user};
        forget(r);
        next[0] = 0;
        SNC_TRY(snc_curl_run(r, end, next, sizeof next, h->curl, &one));
        if (*end != SNC_CURL_DONE) return SNC_OK;
        h->reached = true;
        if (!leads_on(r) || !next[0] || (ask->head && !is_own(h, next))) return SNC_OK;
        SNC_CHECK(is_https(next) || (strncmp(next, "http://", 7) == 0 && !is_https(h->origin)), SNC_E_IO,
                  "%s: redirects to %.60s, which is not https", h->host, next);
        snprintf(url, sizeof url, "%s", next);
    }
    return snc_err_set(SNC_E_IO, "%s: redirects without end (%d times)", h->host, HOPS);
}

/* ---- tries ------------------------------------------------------------------------------------------------------------------ */

static bool is_passing(int status) { return status == 408 || status == 429 || (status >= 500 && status <= 599); }

static snc_err wait_for(const snc_http *h, double seconds, const char *why)
{
    double end = snc_now() + seconds;
    snc_log(h->ctx, SNC_LOG_INFO, "%s: once more in %.2g s", why, seconds);
    while (snc_now() < end) {
        SNC_TRY(snc_go_on(h->ctx));
        snc_sleep(0.05);
    }
    return SNC_OK;
}

/* Whether what happened may pass: an answer of the host for the moment, or a break of a connection after some had held. */
static bool may_pass(const snc_http *h, snc_curl_end end, const snc_http_reply *r)
{
    return end == SNC_CURL_DONE ? is_passing(r->status) : end == SNC_CURL_BROKEN || (end == SNC_CURL_UNREACHED && h->reached);
}

snc_err snc_http_run(snc_http_reply *r, bool *reached, snc_http *h, const snc_http_ask *ask)
{
    snc_http_ask a = *ask;
    double mark = a.from;
    *r = (snc_http_reply){.linked_size = NAN};
    for (int i = 1;; i++) {
        char why[SNC_ERR_TEXT];
        snc_curl_end end = SNC_CURL_DONE;
        snc_err err = one_request(r, &end, h, &a);
        *reached = h->reached;
        if (err || (end == SNC_CURL_DONE && !is_passing(r->status))) return err;
        if (end != SNC_CURL_DONE) snprintf(why, sizeof why, "%s", snc_err_text());
        else snprintf(why, sizeof why, "%s answers %d", h->host, r->status);
        if (a.again) SNC_TRY(a.again(a.user, &a));
        if (a.from >= mark + GAIN) i = 1;
        mark = i == 1 ? a.from : mark;
        if (i == TRIES || !may_pass(h, end, r)) return end == SNC_CURL_DONE ? SNC_OK : snc_err_set(SNC_E_IO, "%s", why);
        double pause = r->wait > 0 ? r->wait : FIRST_PAUSE * (double)(1 << (i - 1));
        SNC_TRY(wait_for(h, pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE, why));
    }
}
