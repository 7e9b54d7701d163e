/* hub/curl.h: one transfer of libcurl's, which follows nothing and keeps nothing. For http.c alone. */
#ifndef SNC_HUB_CURL_H
#define SNC_HUB_CURL_H

#include "hub/http.h"

typedef struct snc_curl snc_curl;

typedef struct snc_curl_ask {
    const snc_ctx *ctx;
    const char *url, *token, *if_same; /* token, if_same: NULL for none */
    bool head;
    double from, stall;
    snc_err (*body)(void *user, const snc_http_reply *r, const void *p, size_t n);
    void *user;
} snc_curl_ask;

typedef enum snc_curl_end {
    SNC_CURL_DONE,      /* a whole response */
    SNC_CURL_UNREACHED, /* no connection: no such host, refused, no network; snc_err_text says why */
    SNC_CURL_BROKEN,    /* one that broke off or stood still */
    SNC_CURL_FAILED     /* what will not be better another time: a certificate, say */
} snc_curl_end;

snc_err snc_curl_open(snc_curl **out) SNC_MUST_USE;
/* next [size]: where a redirect leads, "" for none. Fails where the body's receiver did, or with SNC_E_CANCELLED. */
snc_err snc_curl_run(snc_http_reply *r, snc_curl_end *end, char *next, size_t size, snc_curl *c, const snc_curl_ask *ask) SNC_MUST_USE;
void snc_curl_close(snc_curl *c);

#endif
