/* hub/blob.h: one file of a model on the Hub: what the hub says of it, and its blob in the cache. */
#ifndef SNC_HUB_BLOB_H
#define SNC_HUB_BLOB_H

#include "hub/cache.h"
#include "hub/http.h"

/* Who asks for what. */
typedef struct snc_hub_job {
    const snc_ctx *ctx;
    const char *text; /* the name as it was given */
    snc_hub_name name;
    snc_hub_cache cache;
    const char *endpoint;
    bool token;
    snc_http *http;
    char commit[SNC_HUB_COMMIT];
    double done, total; /* bytes of all files that are fetched now */
} snc_hub_job;

typedef struct snc_hub_blob {
    char file[SNC_HUB_FILE], etag[SNC_HTTP_WORD];
    double size;
    bool sha256; /* the ETag is that */
} snc_hub_blob;

/* A request of the job; SNC_E_IO with how to get the files by hand where no host was reached, SNC_E_NOTFOUND or SNC_E_IO by status where
 * that is neither 200 nor 206 nor, of a `head`, a redirect. what: the file, or NULL for the list. */
snc_err snc_hub_ask(snc_http_reply *r, const snc_hub_job *job, const snc_http_ask *ask, const char *what) SNC_MUST_USE;
/* Appends text to a URL of `size`, with % for what is neither letter, digit, '.', '_' nor '-'. */
void snc_hub_escape(char *url, size_t size, const char *text);

/* Asks for size and checksum. */
snc_err snc_hub_blob_look(snc_hub_blob *out, const snc_hub_job *job, const char *file) SNC_MUST_USE;
/* Bytes that are still to be fetched; 0: the blob is there. */
double snc_hub_blob_left(const snc_hub_blob *b, const snc_hub_job *job);
/* The blob, whole and checked, and the snapshot's link to it. Another process that fetches it is waited for. */
snc_err snc_hub_blob_fetch(const snc_hub_blob *b, snc_hub_job *job) SNC_MUST_USE;

#endif
