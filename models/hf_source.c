/* The tensors of a checkpoint, from safetensors or PyTorch files, in one piece or in shards. */
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "models/hf_priv.h"

enum { PATH_SIZE = 4096 };

/* ---- what a file is ------------------------------------------------------------------------------------------------ */

static snc_err kind_of(snc_hf_kind *out, const unsigned char *p, size_t n, const char *path)
{
    SNC_CHECK(n > 0, SNC_E_FORMAT, "%s: the file is empty", path);
    if (snc_torchzip_sniff(p, n)) {
        *out = SNC_HF_TORCH;
        return SNC_OK;
    }
    if (snc_st_sniff(p, n)) {
        snc_st *st = NULL;
        SNC_TRY(snc_st_open_mem(&st, p, n, path));
        *out = snc_st_metadata_view(st, "snc_format") ? SNC_HF_SNC : SNC_HF_SAFETENSORS;
        snc_st_close(st);
        return SNC_OK;
    }
    SNC_CHECK(!snc_pickle_sniff(p, n), SNC_E_UNSUPPORTED,
              "%s: a bare pickle that torch.save has not written: load it in Python and torch.save its state dict", path);
    size_t at = 0;
    while (at < n && strchr(" \t\r\n", p[at]) && p[at]) at++;
    if (at < n && p[at] == '{') {
        *out = SNC_HF_INDEX;
        return SNC_OK;
    }
    SNC_TRY(snc__hf_name_bytes(p, n, path));
    return snc_err_set(SNC_E_FORMAT, "%s: not a model: expected safetensors, .snc, a PyTorch checkpoint or an index of shards", path);
}

snc_err snc__hf_kind(snc_hf_kind *out, const char *path)
{
    snc_fmap *map = NULL;
    SNC_TRY(snc_fmap_open(&map, path));
    snc_err err = kind_of(out, map->data, map->size, path);
    snc_fmap_close(map);
    return err;
}

/* ---- files ---------------------------------------------------------------------------------------------------------- */

static int file_tensors(const snc_tensor **out, const snc_hf_file *f)
{
    *out = f->st ? snc_st_tensors_view(f->st) : snc_torchzip_tensors_view(f->zip);
    return f->st ? snc_st_count(f->st) : snc_torchzip_count(f->zip);
}

static snc_err open_file(int *index, snc_hf_source *s, const char *path, snc_hf_kind kind)
{
    SNC_TRY(snc_grow(&s->file, &s->files_cap, (size_t)s->n_files + 1, sizeof *s->file));
    snc_hf_file *f = &s->file[s->n_files];
    *index = s->n_files++;
    SNC_TRY(snc_strdup(&f->path, path));
    s->format = kind == SNC_HF_TORCH ? "PyTorch" : "safetensors";
    return kind == SNC_HF_TORCH ? snc_torchzip_open(&f->zip, f->path) : snc_st_open(&f->st, f->path);
}

static int by_name(const void *a, const void *b)
{
    const snc_hf_tensor *x = a, *y = b;
    return strcmp(x->t.name, y->t.name);
}

/* ---- shards --------------------------------------------------------------------------------------------------------- */

/* The shard of that name, opened on first use. */
static snc_err get_shard(int *out, snc_hf_source *s, const char *name, const char *folder, const char *index_path)
{
    char path[PATH_SIZE];
    SNC_CHECK(name[0] && !strchr(name, '/') && strcmp(name, "..") != 0, SNC_E_FORMAT,
              "%s: shard '%s': expected the name of a file beside it", index_path, name);
    SNC_TRY(snc_path_join(path, sizeof path, folder, name));
    for (int i = 0; i < s->n_files; i++)
        if (strcmp(s->file[i].path, path) == 0) {
            *out = i;
            return SNC_OK;
        }
    snc_hf_kind kind;
    SNC_TRY(snc__hf_kind(&kind, path));
    SNC_CHECK(kind == SNC_HF_SAFETENSORS || kind == SNC_HF_TORCH, SNC_E_FORMAT, "%s: shard '%s' is no checkpoint", index_path, name);
    return open_file(out, s, path, kind);
}

static snc_err open_index(snc_hf_source *s, const char *path, const char *folder)
{
    SNC_TRY(snc_json_load(&s->index, path));
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(s->index, "weight_map"), *v;
    SNC_CHECK(cJSON_IsObject(map) && map->child, SNC_E_FORMAT,
              "%s: no 'weight_map': expected an index of shards; for a model give its folder or its weights", path);
    SNC_TRY(snc_alloc(&s->list, (size_t)cJSON_GetArraySize(map), sizeof *s->list));
    cJSON_ArrayForEach(v, map)
    {
        int at = 0;
        SNC_CHECK(cJSON_IsString(v), SNC_E_FORMAT, "%s: weight_map '%s' must be a file name", path, v->string);
        SNC_TRY(get_shard(&at, s, v->valuestring, folder, path));
        const snc_tensor *list = NULL;
        int n = file_tensors(&list, &s->file[at]);
        const snc_tensor *t = snc_tensors_find(list, n, v->string);
        SNC_CHECK(t, SNC_E_FORMAT, "%s: tensor '%s' is not in shard '%s'", path, v->string, v->valuestring);
        s->list[s->n++] = (snc_hf_tensor){.t = *t, .path = s->file[at].path};
    }
    qsort(s->list, (size_t)s->n, sizeof *s->list, by_name);
    for (int i = 1; i < s->n; i++)
        SNC_CHECK(by_name(&s->list[i - 1], &s->list[i]) != 0, SNC_E_FORMAT, "%s: tensor '%s' appears twice", path, s->list[i].t.name);
    return SNC_OK;
}

snc_err snc__hf_source_open(snc_hf_source *s, const char *path, const char *folder, snc_hf_kind kind)
{
    if (kind == SNC_HF_INDEX) return open_index(s, path, folder);
    int at = 0;
    const snc_tensor *list = NULL;
    SNC_TRY(open_file(&at, s, path, kind));
    s->n = file_tensors(&list, &s->file[at]);
    SNC_TRY(snc_alloc(&s->list, (size_t)s->n, sizeof *s->list));
    for (int i = 0; i < s->n; i++) s->list[i] = (snc_hf_tensor){.t = list[i], .path = s->file[at].path};
    return SNC_OK;
}

void snc__hf_source_dispose(snc_hf_source *s)
{
    for (int i = 0; i < s->n_files; i++) {
        snc_st_close(s->file[i].st);
        snc_torchzip_close(s->file[i].zip);
        snc_free(s->file[i].path);
    }
    snc_free(s->file);
    snc_free(s->list);
    cJSON_Delete(s->index);
    *s = (snc_hf_source){0};
}

snc_hf_tensor *snc__hf_source_find(snc_hf_source *s, const char *name)
{
    snc_hf_tensor key = {.t = {.name = name}};
    return s->n > 0 ? bsearch(&key, s->list, (size_t)s->n, sizeof *s->list, by_name) : NULL;
}
