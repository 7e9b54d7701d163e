/* A blob grows as ETAG.incomplete, under a lock, and gets its name when size and checksum are right. */
#include "hub/blob.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/lock.h"
#include "base/partial.h"
#include "hub/sha256.h"

/* ---- requests, and what an answer means -------------------------------------------------------------------------------------- */

void snc_hub_escape(char *url, size_t size, const char *text)
{
    size_t n = strlen(url);
    for (; *text && n + 4 < size; text++) {
        bool plain = isalnum((unsigned char)*text) || strchr("._-", *text);
        n += (size_t)snprintf(url + n, size - n, plain ? "%c" : "%%%02X", (unsigned char)*text);
    }
}

static snc_err refuse(const snc_http_reply *r, const snc_hub_job *job, const char *what)
{
    const char *host = snc_http_host_view(job->http), *id = job->name.id, *file = what ? what : "";
    const char *part = what ? "/" : "";
    bool gated = strcmp(r->error, "GatedRepo") == 0 || r->status == 403;
    if (r->status == 401 && !gated && job->token)
        return snc_err_set(SNC_E_NOTFOUND, "%s: no such file or folder, and %s does not take this HF_TOKEN for %s (401)", job->text, host,
                           id);
    if (r->status == 401 && !gated)
        return snc_err_set(SNC_E_NOTFOUND,
                           "%s: no such file or folder, and on %s no model that all may read (401): for a private one set HF_TOKEN",
                           job->text, host);
    if (r->status == 401 || r->status == 403)
        return snc_err_set(SNC_E_NOTFOUND, "%s: a gated model (%d): accept its terms on %s/%s and set HF_TOKEN to a token of that account",
                           job->text, r->status, job->endpoint, id);
    if (r->status == 404 && strcmp(r->error, "RevisionNotFound") == 0)
        return snc_err_set(SNC_E_NOTFOUND, "%s: %s has no revision '%s' of %s", job->text, host, job->name.revision, id);
    if (r->status == 404)
        return snc_err_set(SNC_E_NOTFOUND, "%s: no such file or folder, and %s has no %s%s%s (404)", job->text, host, id, part, file);
    return snc_err_set(SNC_E_IO, "%s: %s answers %d to %s%s%s; what is fetched is kept, run the command again", job->text, host, r->status,
                       id, part, file);
}

snc_err snc_hub_ask(snc_http_reply *r, const snc_hub_job *job, const snc_http_ask *ask, const char *what)
{
    bool reached = false;
    char why[SNC_ERR_TEXT];
    snc_err err = snc_http_run(r, &reached, job->http, ask);
    if (err == SNC_E_IO) {
        snprintf(why, sizeof why, "%s", snc_err_text());
        if (!reached)
            return snc_err_set(err,
                               "%s: no such file or folder, and the Hub is not reached (%.300s); where there is a network: pip install "
                               "huggingface_hub && hf download %s --local-dir DIR, then give DIR",
                               job->text, why, job->name.id);
        return snc_err_set(err, "%s: %s%s%.400s; what is fetched is kept, run the command again", job->text, what ? what : "",
                           what ? ": " : "", why);
    }
    if (err) return err;
    bool away = ask->head && r->status >= 301 && r->status <= 308;
    return r->status == 200 || r->status == 206 || away ? SNC_OK : refuse(r, job, what);
}

/* ENDPOINT/ID/resolve/COMMIT/FILE */
static void url_of(char *url, size_t size, const snc_hub_job *job, const char *file)
{
    snprintf(url, size, "%s/%s/resolve/%s/", job->endpoint, job->name.id, job->commit);
    snc_hub_escape(url, size, file);
}

static bool is_sha256(const char *text) { return strlen(text) == SNC_SHA256_TEXT - 1 && strspn(text, "0123456789abcdef") == strlen(text); }

snc_err snc_hub_blob_look(snc_hub_blob *out, const snc_hub_job *job, const char *file)
{
    char url[2048];
    snc_http_reply r;
    *out = (snc_hub_blob){.size = NAN};
    url_of(url, sizeof url, job, file);
    SNC_TRY(snc_hub_ask(&r, job, &(snc_http_ask){.url = url, .head = true}, file));
    snprintf(out->file, sizeof out->file, "%s", file);
    snprintf(out->etag, sizeof out->etag, "%s", r.linked_etag[0] ? r.linked_etag : r.etag);
    out->size = isnan(r.linked_size) && r.status == 200 ? r.length : r.linked_size;
    out->sha256 = r.linked_etag[0] && is_sha256(r.linked_etag);
    SNC_CHECK(snc_hub_is_file_name(out->etag) && !isnan(out->size), SNC_E_FORMAT, "%s: %s gives no ETag or no size of %s", job->text,
              snc_http_host_view(job->http), file);
    return SNC_OK;
}

/* ---- places ------------------------------------------------------------------------------------------------------------------- */

typedef struct places {
    char blob[SNC_HUB_PATH], part[SNC_HUB_PATH], lock[SNC_HUB_PATH];
} places;

static snc_err places_of(places *out, const snc_hub_blob *b, const snc_hub_job *job)
{
    char name[SNC_HTTP_WORD + 16];
    SNC_TRY(snc_hub_cache_path(out->blob, sizeof out->blob, &job->cache, "blobs", b->etag));
    snprintf(name, sizeof name, "%s.incomplete", b->etag);
    SNC_TRY(snc_hub_cache_path(out->part, sizeof out->part, &job->cache, "blobs", name));
    snprintf(name, sizeof name, "%s.lock", b->etag);
    return snc_path_join(out->lock, sizeof out->lock, job->cache.locks, name);
}

static bool is_whole(const char *path, double size) { return snc_is_file(path) && snc_file_size(path) == size; }

double snc_hub_blob_left(const snc_hub_blob *b, const snc_hub_job *job)
{
    places at;
    if (places_of(&at, b, job)) return b->size; /* the fetch says it */
    if (is_whole(at.blob, b->size)) return 0;
    double had = snc_file_size(at.part);
    return had <= b->size ? b->size - had : b->size;
}

/* ---- the bytes ----------------------------------------------------------------------------------------------------------------- */

/* A file as it comes in. */
typedef struct incoming {
    snc_hub_job *job;
    const snc_hub_blob *b;
    snc_partial *p;
    double at;    /* bytes that are there */
    double shown; /* of them, when progress was told last */
    bool begun;   /* something of this response came */
} incoming;

static snc_err start_over(incoming *x)
{
    x->job->total += x->at;
    x->at = x->shown = 0;
    return snc_partial_empty(x->p);
}

/* What a response says of itself against what the hub said of the file. */
static snc_err begin(incoming *x, const snc_http_reply *r)
{
    const char *host = snc_http_host_view(x->job->http), *file = x->b->file;
    double whole = r->status == 206 ? r->whole : r->length;
    x->begun = true;
    SNC_CHECK(isnan(whole) || whole == x->b->size, SNC_E_FORMAT, "%s: %s says that %s has %.0f bytes, and sends one of %.0f", x->job->text,
              host, file, x->b->size, whole);
    SNC_CHECK(r->status != 206 || r->from == x->at, SNC_E_FORMAT, "%s: %s sends another part of %s than was asked for", x->job->text, host,
              file);
    return r->status == 200 && x->at > 0 ? start_over(x) : SNC_OK;
}

static snc_err take(void *user, const snc_http_reply *r, const void *p, size_t n)
{
    enum { STEP = 1 << 18 };
    incoming *x = user;
    snc_hub_job *job = x->job;
    if (!x->begun) SNC_TRY(begin(x, r));
    SNC_CHECK(x->at + (double)n <= x->b->size, SNC_E_FORMAT, "%s: %s sends more of %s than its %.0f bytes", job->text,
              snc_http_host_view(job->http), x->b->file, x->b->size);
    SNC_TRY(snc_partial_write(x->p, p, n));
    x->at += (double)n;
    job->done += (double)n;
    if (x->at - x->shown < STEP && x->at < x->b->size) return SNC_OK;
    x->shown = x->at;
    snc_progress(job->ctx, "fetch", job->done / 1e6, job->total / 1e6, "%s, MB", x->b->file);
    return SNC_OK;
}

static snc_err go_on_from(void *user, snc_http_ask *a)
{
    incoming *x = user;
    x->begun = false;
    a->from = x->at;
    return SNC_OK;
}

static snc_err receive(incoming *x)
{
    char url[2048];
    snc_http_reply r;
    const snc_hub_job *job = x->job;
    url_of(url, sizeof url, job, x->b->file);
    if (x->at > x->b->size) SNC_TRY(start_over(x));
    if (x->at == x->b->size) return SNC_OK;
    const snc_http_ask ask = {.url = url, .from = x->at, .if_same = x->b->etag, .body = take, .again = go_on_from, .user = x};
    SNC_TRY(snc_hub_ask(&r, job, &ask, x->b->file));
    SNC_CHECK(x->at == x->b->size, SNC_E_IO, "%s: %s ended after %.0f of %.0f bytes; what is fetched is kept, run the command again",
              job->text, x->b->file, x->at, x->b->size);
    return SNC_OK;
}

static snc_err check_sum(const snc_hub_blob *b, const snc_hub_job *job, const char *path)
{
    char sum[SNC_SHA256_TEXT];
    if (!b->sha256) return SNC_OK;
    SNC_TRY(snc_sha256_file(sum, job->ctx, path));
    SNC_CHECK(strcmp(sum, b->etag) == 0, SNC_E_FORMAT, "%s: %s has a wrong checksum (sha256 %.12s..., expected %.12s...) and is deleted",
              job->text, b->file, sum, b->etag);
    return SNC_OK;
}

static snc_err make_blob(const snc_hub_blob *b, snc_hub_job *job, const places *at)
{
    incoming x = {.job = job, .b = b};
    SNC_TRY(snc_partial_open(&x.p, &x.at, at->part));
    x.shown = x.at;
    snc_err err = receive(&x);
    snc_err closed = snc_partial_close(x.p);
    if (!err) err = closed;
    if (!err) err = check_sum(b, job, at->part);
    if (err == SNC_E_FORMAT) remove(at->part); /* nothing to go on from */
    return err ? err : snc_file_move(at->blob, at->part);
}

static snc_err make_link(const snc_hub_blob *b, const snc_hub_job *job)
{
    char folder[SNC_HUB_PATH], path[SNC_HUB_PATH], to[SNC_HTTP_WORD + 16];
    SNC_TRY(snc_hub_cache_path(folder, sizeof folder, &job->cache, "snapshots", job->commit));
    SNC_TRY(snc_mkdir(folder));
    SNC_TRY(snc_path_join(path, sizeof path, folder, b->file));
    snprintf(to, sizeof to, "../../blobs/%s", b->etag);
    return snc_link_make(path, to);
}

snc_err snc_hub_blob_fetch(const snc_hub_blob *b, snc_hub_job *job)
{
    places at;
    char busy[SNC_HUB_ID + SNC_HUB_REVISION + SNC_HUB_FILE + 64], folder[SNC_HUB_PATH];
    snc_lock *lock = NULL;
    SNC_TRY(places_of(&at, b, job));
    if (!is_whole(at.blob, b->size)) {
        SNC_TRY(snc_hub_cache_path(folder, sizeof folder, &job->cache, "blobs", NULL));
        SNC_TRY(snc_mkdir(folder));
        SNC_TRY(snc_mkdir(job->cache.locks));
        snprintf(busy, sizeof busy, "%s: %s is fetched by another process, which is waited for", job->text, b->file);
        SNC_TRY(snc_lock_wait(&lock, job->ctx, at.lock, busy));
        snc_err err = is_whole(at.blob, b->size) ? SNC_OK : make_blob(b, job, &at);
        snc_lock_release(lock);
        SNC_TRY(err);
    }
    return make_link(b, job);
}
