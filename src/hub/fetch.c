/* From a name to a snapshot: small files first, the weights last, then the ref, so that a snapshot with weights has all the rest. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/room.h"
#include "hub/blob.h"
#include "hub/hub.h"

static const char ENDPOINT[] = "https://huggingface.co";

/* ---- what the environment says ------------------------------------------------------------------------------------------------ */

static bool is_offline(void)
{
    static const char *const yes[] = {"1", "on", "yes", "true"};
    const char *value = getenv("HF_HUB_OFFLINE");
    for (size_t i = 0; value && i < sizeof yes / sizeof *yes; i++) {
        size_t n = 0;
        while (value[n] && tolower((unsigned char)value[n]) == yes[i][n]) n++;
        if (!value[n] && !yes[i][n]) return true;
    }
    return false;
}

static snc_err read_stall(double *out)
{
    const char *value = getenv("HF_HUB_DOWNLOAD_TIMEOUT");
    int seconds = 10;
    SNC_CHECK(!value || !*value || (snc_int_read(&seconds, value, NULL) && seconds >= 1 && seconds <= 3600), SNC_E_ARG,
              "HF_HUB_DOWNLOAD_TIMEOUT '%.40s': expected seconds from 1 to 3600", value);
    *out = seconds;
    return SNC_OK;
}

/* The endpoint without a slash at its end. */
static snc_err open_job(snc_hub_job *job, char endpoint[SNC_HTTP_WORD])
{
    const char *given = getenv("HF_ENDPOINT"), *token = getenv("HF_TOKEN");
    double stall;
    int n = snprintf(endpoint, SNC_HTTP_WORD, "%s", given && *given ? given : ENDPOINT);
    SNC_CHECK(n < SNC_HTTP_WORD, SNC_E_ARG, "HF_ENDPOINT: longer than %d bytes", SNC_HTTP_WORD - 1);
    while (n > 0 && endpoint[n - 1] == '/') endpoint[--n] = 0;
    SNC_TRY(read_stall(&stall));
    job->endpoint = endpoint;
    job->token = token && *token;
    return snc_http_open(&job->http, job->ctx, endpoint, job->token ? token : NULL, stall);
}

/* ---- the list of files -------------------------------------------------------------------------------------------------------- */

/* Grows by what comes. */
typedef struct text {
    char *p;
    size_t n, cap;
} text;

static snc_err keep(void *user, const snc_http_reply *r, const void *p, size_t n)
{
    enum { MOST = 1 << 24 };
    text *t = user;
    (void)r;
    SNC_CHECK(t->n + n <= MOST, SNC_E_FORMAT, "the Hub's list of files is longer than %d MB", MOST >> 20);
    SNC_TRY(snc_grow(&t->p, &t->cap, t->n + n, 1));
    memcpy(t->p + t->n, p, n);
    t->n += n;
    return SNC_OK;
}

/* What came of a try that broke off. */
static snc_err drop(void *user, snc_http_ask *a)
{
    text *t = user;
    (void)a;
    t->n = 0;
    return SNC_OK;
}

/* {"sha": commit, "siblings": [{"rfilename": file}]} */
static snc_err ask_list(cJSON **out, snc_hub_job *job)
{
    char url[2048];
    snc_http_reply r;
    text t = {.n = 0};
    cJSON *j = NULL;
    snc_err err = SNC_OK;
    snprintf(url, sizeof url, "%s/api/models/%s/revision/", job->endpoint, job->name.id);
    snc_hub_escape(url, sizeof url, job->name.revision);
    SNC_GOTO(snc_hub_ask(&r, job, &(snc_http_ask){.url = url, .body = keep, .again = drop, .user = &t}, NULL));
    SNC_GOTO(snc_json_parse(&j, t.n ? t.p : "", t.n, url));
    const char *sha = snc_json_text(j, "sha");
    if (!sha || !snc_hub_is_commit(sha) || !cJSON_IsArray(snc_json_at(j, "siblings"))) {
        err = snc_err_set(SNC_E_FORMAT, "%s: %s answers with no list of a model's files", job->text, snc_http_host_view(job->http));
        goto out;
    }
    snprintf(job->commit, sizeof job->commit, "%s", sha);
    *out = j;
    j = NULL;
out:
    cJSON_Delete(j);
    snc_free(t.p);
    return err;
}

static bool has(const void *user, const char *file)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, snc_json_at(user, "siblings"))
    {
        const char *name = snc_json_text(it, "rfilename");
        if (name && strcmp(name, file) == 0) return true;
    }
    return false;
}

/* ---- files ---------------------------------------------------------------------------------------------------------------------- */

static snc_err check_room(const snc_hub_job *job, double need)
{
    double left = 0;
    if (need <= 0) return SNC_OK;
    SNC_TRY(snc_room_disk(&left, job->cache.repo));
    SNC_CHECK(need <= left, SNC_E_IO, "%s: %.1f MB are to be fetched, %.1f MB are free in %s", job->text, need / 1e6, left / 1e6,
              job->cache.repo);
    return SNC_OK;
}

/* Each file of a list of names: sizes and room first, then the bytes. */
static snc_err fetch_all(snc_hub_job *job, const cJSON *names)
{
    snc_err err = SNC_OK;
    snc_hub_blob *b = NULL;
    const cJSON *it;
    int n = 0;
    double need = 0;
    SNC_TRY(snc_alloc(&b, (size_t)cJSON_GetArraySize(names), sizeof *b));
    cJSON_ArrayForEach(it, names)
    {
        SNC_GOTO(snc_hub_blob_look(&b[n], job, it->valuestring));
        need += snc_hub_blob_left(&b[n++], job);
    }
    SNC_GOTO(check_room(job, need));
    job->total = job->done + need;
    for (int i = 0; i < n; i++) SNC_GOTO(snc_hub_blob_fetch(&b[i], job));
out:
    snc_free(b);
    return err;
}

static snc_err fetch_small(snc_hub_job *job, const cJSON *list)
{
    cJSON *names = cJSON_CreateArray();
    for (int i = 0; snc_hub_small(i); i++)
        if (has(list, snc_hub_small(i))) cJSON_AddItemToArray(names, cJSON_CreateString(snc_hub_small(i)));
    snc_err err = fetch_all(job, names);
    cJSON_Delete(names);
    return err;
}

/* The index of a sharded model is fetched before its shards are known. */
static snc_err fetch_weights(snc_hub_job *job, const snc_hub_weights *w)
{
    char path[SNC_HUB_PATH], folder[SNC_HUB_PATH];
    cJSON *names = cJSON_CreateArray(), *shards = cJSON_CreateArray();
    snc_err err = SNC_OK;
    cJSON_AddItemToArray(names, cJSON_CreateString(w->file));
    SNC_GOTO(fetch_all(job, names));
    if (!w->index) goto out;
    SNC_GOTO(snc_hub_cache_path(folder, sizeof folder, &job->cache, "snapshots", job->commit));
    SNC_GOTO(snc_path_join(path, sizeof path, folder, w->file));
    SNC_GOTO(snc_hub_shards(shards, path));
    SNC_GOTO(fetch_all(job, shards));
out:
    cJSON_Delete(names);
    cJSON_Delete(shards);
    return err;
}

/* refs/REVISION, where that is no commit itself. */
static snc_err write_ref(const snc_hub_job *job)
{
    char path[SNC_HUB_PATH];
    if (snc_hub_is_commit(job->name.revision)) return SNC_OK;
    SNC_TRY(snc_hub_cache_path(path, sizeof path, &job->cache, "refs", job->name.revision));
    char *slash = strrchr(path, '/');
    *slash = 0;
    SNC_TRY(snc_mkdir(path));
    *slash = '/';
    return snc_file_write(path, job->commit, strlen(job->commit));
}

static snc_err fetch_model(snc_hub_job *job)
{
    cJSON *list = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(ask_list(&list, job));
    snc_hub_weights w = snc_hub_weights_of(has, list);
    if (!w.file && !has(list, "adapter_config.json")) /* an adapter is named by who reads it */
        err = snc_err_set(SNC_E_NOTFOUND, "%s: %s has no model.safetensors or pytorch_model.bin of %s", job->text,
                          snc_http_host_view(job->http), job->name.id);
    if (!err) err = fetch_small(job, list);
    if (!err && w.file) err = fetch_weights(job, &w);
    if (!err) err = write_ref(job);
    cJSON_Delete(list);
    return err;
}

/* The snapshot of the revision as it was fetched, where it has all that is needed. */
static bool is_cached(char *folder, size_t size, const snc_hub_job *job)
{
    char commit[SNC_HUB_COMMIT];
    return snc_hub_cache_commit(commit, &job->cache, job->name.revision) &&
           snc_hub_cache_path(folder, size, &job->cache, "snapshots", commit) == SNC_OK && snc_hub_cache_whole(folder);
}

snc_err snc_hub_fetch(char *folder, size_t size, const snc_ctx *ctx, const char *name)
{
    snc_hub_job job = {.ctx = ctx, .text = name};
    char endpoint[SNC_HTTP_WORD];
    bool is_name = snc_hub_name_read(&job.name, name);
    SNC_CHECK(is_name, SNC_E_ARG, "%.200s: no name of a model on the Hub", name);
    SNC_TRY(snc_hub_cache_find(&job.cache, &job.name));
    if (is_cached(folder, size, &job)) {
        snc_log(ctx, SNC_LOG_INFO, "%s: %s", name, folder);
        return SNC_OK;
    }
    SNC_CHECK(!is_offline(), SNC_E_NOTFOUND,
              "%s: no such file or folder, nor a whole model in %s, and HF_HUB_OFFLINE is set; where there is a "
              "network: pip install huggingface_hub && hf download %s --local-dir DIR, then give DIR",
              name, job.cache.repo, job.name.id);
    snc_err err = open_job(&job, endpoint);
    if (err == SNC_E_UNSUPPORTED) err = snc_err_prefix(err, name);
    if (!err) err = fetch_model(&job);
    if (!err) err = snc_hub_cache_path(folder, size, &job.cache, "snapshots", job.commit);
    if (!err) snc_log(ctx, SNC_LOG_INFO, "%s: %.1f MB fetched, %s", name, job.done / 1e6, folder);
    snc_http_close(job.http);
    return err;
}
