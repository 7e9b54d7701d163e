/* hub/cache.h: names of the Hub, and where in the cache what stands. */
#ifndef SNC_HUB_CACHE_H
#define SNC_HUB_CACHE_H

#include <stdbool.h>

#include "base/json.h"

enum { SNC_HUB_ID = 97, SNC_HUB_REVISION = 129, SNC_HUB_COMMIT = 41, SNC_HUB_FILE = 200, SNC_HUB_PATH = 4096 };

typedef struct snc_hub_name {
    char id[SNC_HUB_ID];             /* "google-bert/bert-base-uncased" */
    char revision[SNC_HUB_REVISION]; /* "main" where nothing is said */
} snc_hub_name;

/* false: no name of the Hub (hub.h); out is then not set. */
bool snc_hub_name_read(snc_hub_name *out, const char *text);
bool snc_hub_is_commit(const char *text); /* 40 hexadecimal digits */
/* A name that is safe as a file's: no folder in it, not hidden. */
bool snc_hub_is_file_name(const char *text);

typedef struct snc_hub_cache {
    char repo[SNC_HUB_PATH], locks[SNC_HUB_PATH]; /* .../models--OWNER--NAME */
} snc_hub_cache;

/* SNC_E_ARG: no home folder. Nothing is made. */
snc_err snc_hub_cache_find(snc_hub_cache *out, const snc_hub_name *name) SNC_MUST_USE;
/* REPO/a/b, or REPO/a where b is NULL. */
snc_err snc_hub_cache_path(char *buf, size_t size, const snc_hub_cache *c, const char *a, const char *b) SNC_MUST_USE;
/* The commit that a revision was when it was fetched. false: never. */
bool snc_hub_cache_commit(char out[SNC_HUB_COMMIT], const snc_hub_cache *c, const char *revision);
bool snc_hub_cache_whole(const char *snapshot); /* config, tokenizer and weights are there */

/* The weights that are taken, of what a list of names has: their file, and whether it is the index of several. NULL: none. */
typedef struct snc_hub_weights {
    const char *file;
    bool index;
} snc_hub_weights;
snc_hub_weights snc_hub_weights_of(bool (*has)(const void *user, const char *file), const void *user);
/* Appends the shards that an index names to list, each once. SNC_E_FORMAT: it names none, or no file names. */
snc_err snc_hub_shards(cJSON *list, const char *index) SNC_MUST_USE;
/* What is fetched besides the weights where the model has it; the i-th, NULL past the last. */
const char *snc_hub_small(int i);

#endif
