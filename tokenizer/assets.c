/* The registry of kinds, and assets of any of them: read, copied, freed. */
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/names.h"
#include "tokenizer/kind.h"

static const snc_tok_kind *const registry[] = {&snc_tok_wordpiece, &snc_tok_bpe, &snc_tok_unigram, &snc_tok_spbpe};
enum { KINDS = sizeof registry / sizeof registry[0] };

static const char *kind_name(int i) { return i >= 0 && i < KINDS ? registry[i]->name : NULL; }

snc_err snc_tok_kind_find(const snc_tok_kind **out, const char *name)
{
    char names[128];
    int i = name ? snc_names_find(kind_name, name) : 0;
    snc_names_join(names, sizeof names, kind_name, ", ");
    SNC_CHECK(i >= 0, SNC_E_UNSUPPORTED, "tokenizer '%.64s': expected %s", name, names);
    *out = registry[i];
    return SNC_OK;
}

bool snc_tok_kind_is_implied(const snc_tok_kind *k) { return k == registry[0]; }

/* ---- a Hugging Face folder -------------------------------------------------------------------------------------- */

static snc_err load_optional(cJSON **out, const char *dir, const char *name)
{
    char path[1024];
    SNC_TRY(snc_path_join(path, sizeof path, dir, name));
    if (!snc_is_file(path)) return SNC_OK;
    SNC_TRY(snc_json_load(out, path));
    SNC_CHECK(cJSON_IsObject(*out), SNC_E_FORMAT, "%s: expected a JSON object", path);
    return SNC_OK;
}

/* The types of models that are read, each once. */
static void known_types(char *out, size_t size)
{
    size_t n = 0;
    for (int i = 0; i < KINDS; i++) {
        bool twice = false;
        for (int k = 0; k < i; k++) twice = twice || strcmp(registry[k]->model_type, registry[i]->model_type) == 0;
        if (!twice) n += (size_t)snprintf(out + n, size - n, "%s%s", i ? " or " : "", registry[i]->model_type);
    }
}

/* By tokenizer.json's model; where no kind of its type claims it, the last of them says what it is that it cannot read. */
static snc_err kind_of_model(const snc_tok_kind **out, const snc_tok_folder *f)
{
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(f->tokenizer, "model");
    const char *type, *implied = "";
    char path[1024], known[128];
    SNC_TRY(snc_path_join(path, sizeof path, f->dir, "tokenizer.json"));
    SNC_CHECK(cJSON_IsObject(model), SNC_E_FORMAT, "%s: no 'model' object", path);
    for (int i = 0; i < KINDS; i++)
        if (cJSON_GetObjectItemCaseSensitive(model, registry[i]->model_key)) implied = registry[i]->model_type;
    SNC_TRY(snc_json_str(&type, model, "type", implied, path));
    *out = NULL;
    for (int i = 0; i < KINDS; i++) {
        if (strcmp(type, registry[i]->model_type) != 0) continue;
        *out = registry[i];
        if (!registry[i]->claims || registry[i]->claims(f->tokenizer)) return SNC_OK;
    }
    known_types(known, sizeof known);
    SNC_CHECK(*out, SNC_E_UNSUPPORTED, "%s: model type '%.64s': only %s is read", path, type, known);
    return SNC_OK;
}

/* By the vocabulary that is there; the first kind says what is missing where none is. */
static snc_err kind_of_files(const snc_tok_kind **out, const snc_tok_folder *f)
{
    char path[1024];
    *out = registry[0];
    for (int i = 0; i < KINDS; i++)
        for (int k = 0; registry[i]->file[k]; k++) {
            SNC_TRY(snc_path_join(path, sizeof path, f->dir, registry[i]->file[k]));
            if (!snc_is_file(path)) continue;
            *out = registry[i];
            return SNC_OK;
        }
    return SNC_OK;
}

static snc_err read_folder(snc_tok_assets *out, snc_tok_folder *f)
{
    SNC_TRY(load_optional(&f->config, f->dir, "tokenizer_config.json"));
    SNC_TRY(load_optional(&f->special, f->dir, "special_tokens_map.json"));
    SNC_TRY(load_optional(&f->model, f->dir, "config.json"));
    SNC_TRY(load_optional(&f->added, f->dir, "added_tokens.json"));
    SNC_TRY(load_optional(&f->tokenizer, f->dir, "tokenizer.json"));
    SNC_TRY(f->tokenizer ? kind_of_model(&out->kind, f) : kind_of_files(&out->kind, f));
    return out->kind->read(out, f);
}

snc_err snc_tok_assets_load(snc_tok_assets *out, const char *dir)
{
    snc_tok_folder f = {.dir = dir};
    snc_tok *probe = NULL;
    *out = (snc_tok_assets){.kind = NULL};
    SNC_CHECK(snc_is_dir(dir), SNC_E_NOTFOUND, "%s: not a folder", dir);
    snc_err err = read_folder(out, &f);
    if (!err) { /* what a tokenizer would refuse is refused here, where the folder can be named */
        err = snc_tok_new(&probe, out);
        if (err) err = snc_err_prefix(err, dir);
    }
    snc_tok_free(probe);
    if (err) snc_tok_assets_dispose(out);
    cJSON_Delete(f.tokenizer);
    cJSON_Delete(f.config);
    cJSON_Delete(f.special);
    cJSON_Delete(f.model);
    cJSON_Delete(f.added);
    return err;
}

/* ---- blobs ------------------------------------------------------------------------------------------------------ */

snc_err snc_tok_assets_dup(snc_tok_assets *out, const snc_tok_assets *a)
{
    snc_err err = SNC_OK;
    *out = (snc_tok_assets){.kind = a->kind};
    for (int i = 0; i < SNC_TOK_BLOBS && !err; i++) {
        if (!a->blob[i].data) continue;
        out->blob[i].bytes = a->blob[i].bytes;
        err = snc_strndup(&out->blob[i].data, a->blob[i].data, a->blob[i].bytes);
    }
    if (err) snc_tok_assets_dispose(out);
    return err;
}

void snc_tok_assets_dispose(snc_tok_assets *a)
{
    if (!a) return;
    for (int i = 0; i < SNC_TOK_BLOBS; i++) snc_free(a->blob[i].data);
    *a = (snc_tok_assets){.kind = NULL};
}

size_t snc_tok_assets_bytes(const snc_tok_assets *a)
{
    size_t n = 0;
    for (int i = 0; i < SNC_TOK_BLOBS; i++) n += a->blob[i].bytes;
    return n;
}

const snc_tok_blob *snc_tok_blob_view(const snc_tok_assets *a, const char *name)
{
    for (int i = 0; a->kind && a->kind->blob[i]; i++)
        if (strcmp(a->kind->blob[i], name) == 0) return &a->blob[i];
    return NULL;
}
