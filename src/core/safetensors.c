/* Tensors are views into the file: sorted by place they have to tile its data, sorted by name they are found by bisection. */
#include "core/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/fmap.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/seal.h"

enum { HEADER_MAX = 100 << 20 };

struct snc_st {
    snc_fmap *map; /* NULL: borrowed memory */
    snc_digest_part bytes;
    cJSON *header; /* owns the names */
    const cJSON *metadata;
    snc_tensor *t; /* [n] */
    int n;
};

/* Dtypes that safetensors knows and that take whole bytes. */
static const struct {
    const char *name;
    size_t width;
} widths[] = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8},  {"I32", 4}, {"I16", 2},     {"I8", 1},
              {"U64", 8}, {"U32", 4}, {"U16", 2}, {"U8", 1},   {"BOOL", 1}, {"C64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};

static size_t dtype_width(const char *name)
{
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (strcmp(widths[i].name, name) == 0) return widths[i].width;
    return 0;
}

bool snc_st_sniff(const unsigned char *data, size_t size)
{
    if (size < 9 || data[8] != '{') return false;
    for (int i = 0; i < 8; i++) /* a text may have its ninth byte there, too */
        if (data[i] < ' ' || data[i] > '~') return true;
    return false;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* A JSON number that is a whole number, exact in a double. */
static bool whole(int64_t *out, const cJSON *v)
{
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= 9007199254740991.0)) return false;
    if (floor(v->valuedouble) != v->valuedouble) return false;
    *out = (int64_t)v->valuedouble;
    return true;
}

static snc_err read_shape(snc_tensor *t, const cJSON *shape, const char *where)
{
    const cJSON *v;
    SNC_CHECK(cJSON_IsArray(shape), SNC_E_FORMAT, "%s: tensor '%s': no 'shape' list", where, t->name);
    cJSON_ArrayForEach(v, shape)
    {
        SNC_CHECK(t->rank < SNC_TENSOR_RANK, SNC_E_FORMAT, "%s: tensor '%s': more than %d dimensions", where, t->name, SNC_TENSOR_RANK);
        SNC_CHECK(whole(&t->shape[t->rank], v), SNC_E_FORMAT, "%s: tensor '%s': 'shape' must hold whole numbers", where, t->name);
        t->rank++;
    }
    return SNC_OK;
}

/* One entry of the header; `data` is where offset 0 lies, `size` the bytes from there to the end of the file. */
static snc_err read_entry(snc_tensor *t, const cJSON *e, const unsigned char *data, size_t size, const char *where)
{
    t->name = e->string;
    SNC_CHECK(cJSON_IsObject(e) && cJSON_GetArraySize(e) == 3, SNC_E_FORMAT, "%s: tensor '%s': expected dtype, shape and data_offsets",
              where, t->name);
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(e, "dtype");
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(e, "data_offsets");
    SNC_CHECK(cJSON_IsString(dtype), SNC_E_FORMAT, "%s: tensor '%s': no 'dtype' string", where, t->name);
    t->dtype_name = dtype->valuestring;
    size_t width = dtype_width(t->dtype_name), need = 0;
    SNC_CHECK(width, SNC_E_FORMAT, "%s: tensor '%s': unknown dtype '%s'", where, t->name, t->dtype_name);
    if (snc_dtype_from_safetensors(&t->dtype, t->dtype_name) != SNC_OK) t->dtype = SNC_DTYPES;
    SNC_TRY(read_shape(t, cJSON_GetObjectItemCaseSensitive(e, "shape"), where));

    int64_t begin = 0, end = 0;
    SNC_CHECK(cJSON_IsArray(offsets) && cJSON_GetArraySize(offsets) == 2 && whole(&begin, offsets->child) &&
                  whole(&end, offsets->child->next),
              SNC_E_FORMAT, "%s: tensor '%s': 'data_offsets' must be two whole numbers", where, t->name);
    SNC_CHECK(begin <= end && (uint64_t)end <= size, SNC_E_FORMAT,
              "%s: tensor '%s': data_offsets [%" PRId64 ", %" PRId64 "] out of range, the file holds %zu bytes of data", where, t->name,
              begin, end, size);
    char text[SNC_SHAPE_TEXT];
    SNC_CHECK(snc_shape_bytes(&need, t->shape, t->rank, width) && need == (size_t)(end - begin), SNC_E_FORMAT,
              "%s: tensor '%s': %" PRId64 " bytes contradict dtype %s and shape %s", where, t->name, end - begin, t->dtype_name,
              snc_shape_text(text, t->shape, t->rank));
    t->data = data + begin;
    t->bytes = need;
    return SNC_OK;
}

static int by_place(const void *a, const void *b)
{
    const snc_tensor *x = a, *y = b;
    const unsigned char *p = x->data, *q = y->data;
    if (p != q) return p < q ? -1 : 1;
    return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

/* The tensors must cover the data one after the other. */
static snc_err check_tiling(snc_st *f, const unsigned char *data, size_t size, const char *where)
{
    if (f->n > 1) qsort(f->t, (size_t)f->n, sizeof *f->t, by_place);
    const unsigned char *at = data;
    for (int i = 0; i < f->n; i++) {
        const unsigned char *p = f->t[i].data;
        SNC_CHECK(p >= at, SNC_E_FORMAT, "%s: tensors '%s' and '%s' overlap", where, f->t[i - 1].name, f->t[i].name);
        SNC_CHECK(p == at, SNC_E_FORMAT, "%s: a hole of %zu bytes before tensor '%s'", where, (size_t)(p - at), f->t[i].name);
        at = p + f->t[i].bytes;
    }
    SNC_CHECK(at == data + size, SNC_E_FORMAT, "%s: %zu bytes after the last tensor", where, (size_t)(data + size - at));
    return SNC_OK;
}

static snc_err read_metadata(snc_st *f, const cJSON *e, const char *where)
{
    const cJSON *v;
    SNC_CHECK(cJSON_IsObject(e), SNC_E_FORMAT, "%s: __metadata__ must be an object of strings", where);
    cJSON_ArrayForEach(v, e) SNC_CHECK(cJSON_IsString(v), SNC_E_FORMAT, "%s: __metadata__ '%s' must be a string", where, v->string);
    f->metadata = e;
    return SNC_OK;
}

static snc_err read_header(snc_st *f, const unsigned char *p, size_t size, const char *where)
{
    uint64_t n = 0;
    SNC_CHECK(size >= 8, SNC_E_FORMAT, "%s: %zu bytes are too few for a safetensors file", where, size);
    for (int i = 7; i >= 0; i--) n = n << 8 | p[i];
    SNC_CHECK(n >= 2 && n <= HEADER_MAX, SNC_E_FORMAT, "%s: safetensors header length %" PRIu64 ", expected 2 to %d", where, n, HEADER_MAX);
    SNC_CHECK(n <= size - 8, SNC_E_FORMAT, "%s: truncated: safetensors header length %" PRIu64 ", but %zu bytes follow", where, n,
              size - 8);
    const unsigned char *data = p + 8 + n;
    size -= 8 + (size_t)n;
    SNC_CHECK(p[8] == '{', SNC_E_FORMAT, "%s: safetensors header does not start with '{'", where);
    const void *text = p + 8;
    SNC_TRY(snc_json_parse(&f->header, text, (size_t)n, where));
    SNC_CHECK(cJSON_IsObject(f->header), SNC_E_FORMAT, "%s: safetensors header is no JSON object", where);
    SNC_TRY(snc_alloc(&f->t, (size_t)cJSON_GetArraySize(f->header), sizeof *f->t));
    const cJSON *e;
    cJSON_ArrayForEach(e, f->header)
    {
        if (strcmp(e->string, "__metadata__") == 0) SNC_TRY(read_metadata(f, e, where));
        else SNC_TRY(read_entry(&f->t[f->n++], e, data, size, where));
    }
    SNC_TRY(check_tiling(f, data, size, where));
    snc_tensors_sort(f->t, f->n);
    return SNC_OK;
}

snc_err snc_st_open_mem(snc_st **out, const unsigned char *data, size_t size, const char *where)
{
    snc_st *f = NULL;
    SNC_TRY(snc_alloc(&f, 1, sizeof *f));
    f->bytes = (snc_digest_part){data, size};
    snc_err err = read_header(f, data, size, where);
    if (err) snc_st_close(f);
    else *out = f;
    return err;
}

/* Takes map over. */
static snc_err open_map(snc_st **out, snc_fmap *map, const char *path)
{
    snc_err err = snc_st_open_mem(out, map->data, map->size, path);
    if (err) snc_fmap_close(map);
    else (*out)->map = map;
    return err;
}

snc_err snc_st_open(snc_st **out, const char *path)
{
    snc_fmap *map = NULL;
    SNC_TRY(snc_fmap_open(&map, path));
    return open_map(out, map, path);
}

snc_err snc_st_read(snc_st **out, const char *path)
{
    snc_fmap *map = NULL;
    SNC_TRY(snc_fmap_read(&map, path));
    return open_map(out, map, path);
}

void snc_st_close(snc_st *f)
{
    if (!f) return;
    snc_fmap_close(f->map);
    cJSON_Delete(f->header);
    snc_free(f->t);
    snc_free(f);
}

int snc_st_count(const snc_st *f) { return f->n; }

const snc_tensor *snc_st_tensors_view(const snc_st *f) { return f->t; }

const snc_tensor *snc_st_find(const snc_st *f, const char *name) { return snc_tensors_find(f->t, f->n, name); }

const char *snc_st_metadata_view(const snc_st *f, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(f->metadata, key));
}

snc_digest_part snc_st_bytes_view(const snc_st *f) { return f->bytes; }

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static int by_width(const void *a, const void *b)
{
    const snc_tensor *x = a, *y = b;
    int wx = snc_dtype_get(x->dtype)->bits, wy = snc_dtype_get(y->dtype)->bits;
    return wx != wy ? (wx < wy) - (wx > wy) : strcmp(x->name, y->name);
}

static bool add_entry(cJSON *header, const snc_tensor *t, size_t begin)
{
    cJSON *e = cJSON_AddObjectToObject(header, t->name);
    cJSON_AddStringToObject(e, "dtype", snc_dtype_get(t->dtype)->safetensors);
    cJSON *shape = cJSON_AddArrayToObject(e, "shape");
    for (int i = 0; i < t->rank; i++) cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)t->shape[i]));
    cJSON *offsets = cJSON_AddArrayToObject(e, "data_offsets");
    cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)begin));
    cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)(begin + t->bytes)));
    return cJSON_GetArraySize(offsets) == 2;
}

/* The header of `t` in the given order, padded with spaces until 8 + n is a multiple of 64. */
static snc_err make_header(char **out, size_t *n, const cJSON *metadata, const snc_tensor *t, int count, const char *path)
{
    snc_err err = SNC_OK;
    char *text = NULL;
    cJSON *header = cJSON_CreateObject();
    bool ok = header != NULL;
    if (metadata) ok = ok && cJSON_AddItemToObject(header, "__metadata__", cJSON_Duplicate(metadata, true));
    for (size_t i = 0, begin = 0; ok && i < (size_t)count; begin += t[i++].bytes) ok = add_entry(header, &t[i], begin);
    if (ok) text = cJSON_PrintUnformatted(header);
    if (!text) SNC_GOTO(snc_err_set(SNC_E_NOMEM, "%s: out of memory while writing the header", path));
    size_t used = strlen(text);
    *n = snc_align_up(8 + used, SNC_ALIGN) - 8;
    if (*n > HEADER_MAX) SNC_GOTO(snc_err_set(SNC_E_ARG, "%s: a header of %zu bytes is too long", path, *n));
    SNC_GOTO(snc_alloc(out, *n, 1));
    memset(*out, ' ', *n);
    memcpy(*out, text, used);
out:
    cJSON_free(text);
    cJSON_Delete(header);
    return err;
}

/* Fills an open digest in; without one there is nothing to do. */
static snc_err seal(char *header, size_t size, const unsigned char length[8], const snc_tensor *t, int n)
{
    snc_digest_part *parts = NULL;
    size_t at = snc_seal_find((const unsigned char *)header, size);
    if (!at) return SNC_OK;
    SNC_TRY(snc_alloc(&parts, (size_t)n + 2, sizeof *parts));
    parts[0] = (snc_digest_part){length, 8};
    parts[1] = (snc_digest_part){header, size};
    for (int i = 0; i < n; i++) parts[2 + i] = (snc_digest_part){t[i].data, t[i].bytes};
    snc_seal_set((unsigned char *)header + at, parts, n + 2);
    snc_free(parts);
    return SNC_OK;
}

static snc_err check_tensor(const snc_tensor *t, const char *path)
{
    size_t need = 0;
    SNC_CHECK(t->name && t->dtype < SNC_DTYPES && t->dtype != SNC_I4 && t->rank >= 0 && t->rank <= SNC_TENSOR_RANK &&
                  snc_shape_bytes(&need, t->shape, t->rank, (size_t)snc_dtype_get(t->dtype)->bits / 8) && need == t->bytes,
              SNC_E_ARG, "%s: tensor '%s': %zu bytes contradict its dtype and shape", path, t->name ? t->name : "", t->bytes);
    return SNC_OK;
}

snc_err snc_st_save(const char *path, const cJSON *metadata, const snc_tensor *tensors, int n)
{
    snc_err err = SNC_OK;
    snc_tensor *t = NULL;
    char *header = NULL;
    size_t size = 0;
    snc_fout *f = NULL;
    for (int i = 0; i < n; i++) SNC_TRY(check_tensor(&tensors[i], path));
    SNC_TRY(snc_alloc(&t, (size_t)n, sizeof *t));
    if (n > 0) memcpy(t, tensors, (size_t)n * sizeof *t);
    if (n > 1) qsort(t, (size_t)n, sizeof *t, by_width);
    SNC_GOTO(make_header(&header, &size, metadata, t, n, path));
    unsigned char length[8];
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)size >> (8 * i));
    SNC_GOTO(seal(header, size, length, t, n));
    SNC_GOTO(snc_fout_open(&f, path));
    SNC_GOTO(snc_fout_write(f, length, sizeof length));
    SNC_GOTO(snc_fout_write(f, header, size));
    for (int i = 0; i < n; i++) SNC_GOTO(snc_fout_write(f, t[i].data, t[i].bytes));
    err = snc_fout_commit(f);
    f = NULL;
out:
    snc_fout_abort(f);
    snc_free(header);
    snc_free(t);
    return err;
}
