/* The layout of huggingface_hub's cache, read; fetch.c writes it. */
#include "hub/cache.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "hub/hub.h"

/* ---- names --------------------------------------------------------------------------------------------------------------- */

static bool ends_so(const char *text, size_t n, const char *ending)
{
    size_t k = strlen(ending);
    return n >= k && memcmp(text + n - k, ending, k) == 0;
}

/* An owner or a model. */
static bool is_part(const char *p, size_t n)
{
    if (n == 0 || !isalnum((unsigned char)p[0]) || !isalnum((unsigned char)p[n - 1])) return false;
    for (size_t i = 0; i < n; i++) {
        bool twice = i > 0 && (p[i] == '-' || p[i] == '.') && p[i - 1] == p[i];
        if (twice || (!isalnum((unsigned char)p[i]) && !(p[i] && strchr("._-", p[i])))) return false;
    }
    return true;
}

static bool is_id(const char *p, size_t n)
{
    static const char *const files[] = {".snc", ".bin", ".pt", ".pth", ".safetensors", ".json", ".gguf", ".h5", ".onnx", ".txt", ".sqlite"};
    const char *slash = memchr(p, '/', n);
    if (n >= SNC_HUB_ID) return false;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (ends_so(p, n, files[i])) return false;
    if (!slash) return is_part(p, n) && memchr(p, '-', n);
    return is_part(p, (size_t)(slash - p)) && is_part(slash + 1, n - (size_t)(slash + 1 - p));
}

/* A branch, tag or commit; "refs/pr/1" too. */
static bool is_revision(const char *p)
{
    size_t n = strlen(p);
    if (n == 0 || n >= SNC_HUB_REVISION || !isalnum((unsigned char)p[0]) || !isalnum((unsigned char)p[n - 1]) || strstr(p, ".."))
        return false;
    for (; *p; p++)
        if ((!isalnum((unsigned char)*p) && !strchr("._-/+", *p)) || (*p == '/' && (p[1] == '.' || p[1] == '/'))) return false;
    return true;
}

bool snc_hub_name_read(snc_hub_name *out, const char *text)
{
    size_t n = strcspn(text, "@");
    if (!is_id(text, n) || (text[n] && !is_revision(text + n + 1))) return false;
    snprintf(out->id, sizeof out->id, "%.*s", (int)n, text);
    snprintf(out->revision, sizeof out->revision, "%s", text[n] ? text + n + 1 : "main");
    return true;
}

bool snc_hub_is_name(const char *text)
{
    snc_hub_name name;
    return snc_hub_name_read(&name, text);
}

bool snc_hub_is_commit(const char *text)
{
    return strlen(text) == SNC_HUB_COMMIT - 1 && strspn(text, "0123456789abcdef") == SNC_HUB_COMMIT - 1;
}

bool snc_hub_is_file_name(const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || n >= SNC_HUB_FILE || text[0] == '.' || text[0] == '-') return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("._-+=", text[i])) return false;
    return true;
}

/* ---- places --------------------------------------------------------------------------------------------------------------- */

static const char *set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value ? value : NULL;
}

static snc_err find_root(char root[SNC_HUB_PATH])
{
    static const struct {
        const char *variable, *below;
    } places[] = {{"HF_HUB_CACHE", ""}, {"HF_HOME", "/hub"}, {"XDG_CACHE_HOME", "/huggingface/hub"}, {"HOME", "/.cache/huggingface/hub"}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *value = set(places[i].variable);
        if (!value) continue;
        int n = snprintf(root, SNC_HUB_PATH, "%s%s", value, places[i].below);
        SNC_CHECK(n > 0 && n < SNC_HUB_PATH, SNC_E_ARG, "%s: path too long", places[i].variable);
        return SNC_OK;
    }
    return snc_err_set(SNC_E_ARG, "no folder for the Hub's cache: neither HF_HUB_CACHE, HF_HOME nor HOME is set");
}

snc_err snc_hub_cache_find(snc_hub_cache *out, const snc_hub_name *name)
{
    char root[SNC_HUB_PATH], folder[SNC_HUB_ID + 16];
    const char *slash = strchr(name->id, '/');
    int owner = slash ? (int)(slash - name->id) : 0;
    SNC_TRY(find_root(root));
    snprintf(folder, sizeof folder, "models--%.*s%s%s", owner, name->id, slash ? "--" : "", slash ? slash + 1 : name->id);
    SNC_TRY(snc_path_join(out->repo, sizeof out->repo, root, folder));
    SNC_TRY(snc_path_join(out->locks, sizeof out->locks, root, ".locks"));
    snprintf(root, sizeof root, "%s", out->locks);
    return snc_path_join(out->locks, sizeof out->locks, root, folder);
}

snc_err snc_hub_cache_path(char *buf, size_t size, const snc_hub_cache *c, const char *a, const char *b)
{
    int n = snprintf(buf, size, "%s/%s%s%s", c->repo, a, b ? "/" : "", b ? b : "");
    SNC_CHECK(n > 0 && (size_t)n < size, SNC_E_ARG, "path too long: %.80s...", c->repo);
    return SNC_OK;
}

bool snc_hub_cache_commit(char out[SNC_HUB_COMMIT], const snc_hub_cache *c, const char *revision)
{
    char path[SNC_HUB_PATH], *text = NULL;
    size_t n = 0;
    snprintf(out, SNC_HUB_COMMIT, "%s", snc_hub_is_commit(revision) ? revision : "");
    if (*out) return true;
    if (snc_hub_cache_path(path, sizeof path, c, "refs", revision) || !snc_is_file(path) || snc_file_read(&text, &n, path)) return false;
    snprintf(out, SNC_HUB_COMMIT, "%.40s", text);
    snc_free(text);
    return snc_hub_is_commit(out);
}

/* ---- what a model needs ------------------------------------------------------------------------------------------------------ */

/* The vocabularies come first: one of them has to be there. */
static const char *const small[] = {
    "vocab.txt",          "tokenizer.json", "vocab.json", "spiece.model",          "sentencepiece.bpe.model", "spm.model",
    "tokenizer.model",    "config.json",    "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "adapter_config.json"};
enum { VOCABULARIES = 7 };

const char *snc_hub_small(int i) { return i < (int)(sizeof small / sizeof *small) ? small[i] : NULL; }

snc_hub_weights snc_hub_weights_of(bool (*has)(const void *user, const char *file), const void *user)
{
    static const snc_hub_weights order[] = {{"model.safetensors", false},
                                            {"model.safetensors.index.json", true},
                                            {"pytorch_model.bin", false},
                                            {"pytorch_model.bin.index.json", true}};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (has(user, order[i].file)) return order[i];
    return (snc_hub_weights){NULL, false};
}

static bool holds(const cJSON *list, const char *text)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, list) if (strcmp(it->valuestring, text) == 0) return true;
    return false;
}

snc_err snc_hub_shards(cJSON *list, const char *index)
{
    enum { MOST = 1024 };
    cJSON *j = NULL;
    const cJSON *it;
    snc_err err = SNC_OK;
    SNC_TRY(snc_json_load(&j, index));
    cJSON_ArrayForEach(it, snc_json_at(j, "weight_map"))
    {
        const char *name = cJSON_GetStringValue(it);
        if (!name || !snc_hub_is_file_name(name) || cJSON_GetArraySize(list) == MOST)
            err = snc_err_set(SNC_E_FORMAT, "%s: '%.80s' is no name of a shard, or one of too many", index, name ? name : "");
        if (err) break;
        if (!holds(list, name)) cJSON_AddItemToArray(list, cJSON_CreateString(name));
    }
    if (!err && cJSON_GetArraySize(list) == 0) err = snc_err_set(SNC_E_FORMAT, "%s: names no shards", index);
    cJSON_Delete(j);
    return err;
}

static bool has_file(const void *user, const char *file)
{
    char path[SNC_HUB_PATH];
    return snc_path_join(path, sizeof path, user, file) == SNC_OK && snc_is_file(path);
}

bool snc_hub_cache_whole(const char *snapshot)
{
    char path[SNC_HUB_PATH];
    const cJSON *it;
    snc_hub_weights w = snc_hub_weights_of(has_file, snapshot);
    bool vocabulary = false, whole = true;
    for (int i = 0; i < VOCABULARIES; i++) vocabulary = vocabulary || has_file(snapshot, small[i]);
    if (!w.file || !vocabulary || !has_file(snapshot, "config.json")) return false;
    if (!w.index) return true;
    cJSON *shards = cJSON_CreateArray();
    if (snc_path_join(path, sizeof path, snapshot, w.file) || snc_hub_shards(shards, path)) whole = false;
    cJSON_ArrayForEach(it, shards) whole = whole && has_file(snapshot, it->valuestring);
    cJSON_Delete(shards);
    return whole;
}
