/* JSON files read strictly, and values with their ranges. */
#include "base/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/utf8.h"

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* By sorting: a vocabulary is an object of some ten thousand keys. */
static snc_err check_object(const cJSON *j, const char *where)
{
    enum { FEW = 32 };
    const char *few[FEW], **key = few;
    const cJSON *it;
    int n = cJSON_GetArraySize(j), k = 0, twice = 0;
    if (n > FEW) SNC_TRY(snc_alloc(&key, (size_t)n, sizeof *key));
    cJSON_ArrayForEach(it, j) key[k++] = it->string;
    if (n > 1) qsort(key, (size_t)n, sizeof *key, by_text);
    for (int i = 1; i < n && !twice; i++)
        if (strcmp(key[i - 1], key[i]) == 0) twice = i;
    snc_err err = twice ? snc_err_set(SNC_E_FORMAT, "%s: key '%.80s' appears twice", where, key[twice]) : SNC_OK;
    if (key != few) snc_free(key);
    return err;
}

/* cJSON has bounded the depth. */
static snc_err check_keys_differ(const cJSON *j, const char *where)
{
    const cJSON *it;
    if (cJSON_IsObject(j)) SNC_TRY(check_object(j, where));
    cJSON_ArrayForEach(it, j) if (it->child) SNC_TRY(check_keys_differ(it, where));
    return SNC_OK;
}

/* cJSON's texts end at a NUL, so that one with it inside would be cut without a word. Backslashes stand in texts alone. */
static snc_err check_nul(const char *text, size_t n, const char *where)
{
    const char *end = text + n;
    for (const char *p = text; (p = memchr(p, '\\', (size_t)(end - p))) && end - p >= 2; p += 2)
        SNC_CHECK(end - p < 6 || memcmp(p, "\\u0000", 6) != 0, SNC_E_FORMAT, "%s: the NUL character \\u0000 in a text at byte %ld", where,
                  (long)(p - text));
    return SNC_OK;
}

snc_err snc_json_parse(cJSON **out, const char *text, size_t n, const char *where)
{
    SNC_TRY(check_nul(text, n, where));
    const char *end = NULL;
    cJSON *j = cJSON_ParseWithLengthOpts(text, n, &end, 0);
    if (!j) {
        long at = end ? (long)(end - text) : 0;
        bool escape = end && end + 6 <= text + n && end[0] == '\\' && end[1] == 'u';
        return snc_err_set(SNC_E_FORMAT, "%s: not valid JSON at byte %ld%s%.*s%s", where, at, escape ? ": the escape " : "", escape ? 6 : 0,
                           escape ? end : "", escape ? " is no character" : "");
    }
    while (end < text + n && (*end == 0 || strchr(" \t\r\n", *end))) end++;
    if (end < text + n) {
        cJSON_Delete(j);
        return snc_err_set(SNC_E_FORMAT, "%s: text after the JSON value at byte %ld", where, (long)(end - text));
    }
    snc_err err = check_keys_differ(j, where);
    if (err) cJSON_Delete(j);
    else *out = j;
    return err;
}

snc_err snc_json_load(cJSON **out, const char *path)
{
    char *text = NULL;
    size_t n = 0;
    SNC_TRY(snc_file_read(&text, &n, path));
    snc_err err = snc_json_parse(out, text, n, path);
    snc_free(text);
    return err;
}

snc_err snc_json_save(const cJSON *j, const char *path)
{
    char *text = cJSON_Print(j);
    SNC_CHECK(text, SNC_E_NOMEM, "%s: out of memory while printing JSON", path);
    size_t n = strlen(text);
    text[n] = '\n'; /* over the NUL: the length is passed along */
    snc_err err = snc_file_write(path, text, n + 1);
    cJSON_free(text);
    return err;
}

const cJSON *snc_json_at(const cJSON *obj, const char *key) { return cJSON_GetObjectItemCaseSensitive(obj, key); }

double snc_json_number(const cJSON *obj, const char *key) { return cJSON_GetNumberValue(snc_json_at(obj, key)); }

const char *snc_json_text(const cJSON *obj, const char *key) { return cJSON_GetStringValue(snc_json_at(obj, key)); }

cJSON *snc_json_list(cJSON *obj, const char *key)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(obj, key);
    return list ? list : cJSON_AddArrayToObject(obj, key);
}

void snc_json_warn(cJSON *obj, const char *name, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    cJSON *w = cJSON_CreateObject();
    cJSON_AddStringToObject(w, "name", name);
    cJSON_AddStringToObject(w, "text", text);
    cJSON_AddItemToArray(snc_json_list(obj, "warnings"), w);
}

uint64_t snc_json_hash(uint64_t h, cJSON *j)
{
    char *text = cJSON_PrintUnformatted(j);
    if (text) h = snc_bytes_hash(h, text, strlen(text));
    cJSON_free(text);
    cJSON_Delete(j);
    return h;
}

snc_err snc_json_check_keys(const cJSON *obj, const char *const *keys, const char *where)
{
    SNC_CHECK(cJSON_IsObject(obj), SNC_E_FORMAT, "%s: expected a JSON object", where);
    const cJSON *it;
    cJSON_ArrayForEach(it, obj)
    {
        bool known = false;
        for (int i = 0; keys[i] && !known; i++) known = strcmp(keys[i], it->string) == 0;
        SNC_CHECK(known, SNC_E_FORMAT, "%s: unknown key '%s'", where, it->string);
    }
    return SNC_OK;
}

static const cJSON *get(const cJSON *obj, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(obj, key);
    return cJSON_IsNull(v) ? NULL : v;
}

snc_err snc_json_double(double *out, const cJSON *obj, const char *key, double def, double min, double max, const char *where)
{
    const cJSON *v = get(obj, key);
    *out = def;
    if (!v) return SNC_OK;
    SNC_CHECK(cJSON_IsNumber(v) && v->valuedouble >= min && v->valuedouble <= max, SNC_E_FORMAT, "%s: '%s' must be a number from %g to %g",
              where, key, min, max);
    *out = v->valuedouble;
    return SNC_OK;
}

static bool whole(int *out, const cJSON *v, int min, int max)
{
    bool ok = cJSON_IsNumber(v) && v->valuedouble >= min && v->valuedouble <= max && floor(v->valuedouble) == v->valuedouble;
    if (ok) *out = (int)v->valuedouble;
    return ok;
}

snc_err snc_json_whole(int *out, const cJSON *v, int min, int max, const char *what, const char *where)
{
    SNC_CHECK(whole(out, v, min, max), SNC_E_FORMAT, "%s: '%s' must be a whole number from %d to %d", where, what, min, max);
    return SNC_OK;
}

snc_err snc_json_int(int *out, const cJSON *obj, const char *key, int def, int min, int max, const char *where)
{
    const cJSON *v = get(obj, key);
    *out = def;
    return v ? snc_json_whole(out, v, min, max, key, where) : SNC_OK;
}

snc_err snc_json_ints(int *out, int *n, int most, const cJSON *obj, const char *key, int min, int max, const char *where)
{
    const cJSON *list = get(obj, key), *v;
    if (!list) return SNC_OK;
    int size = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0, i = 0;
    SNC_CHECK(size >= 1 && size <= most, SNC_E_FORMAT, "%s: '%s' must be a list of 1 to %d whole numbers", where, key, most);
    cJSON_ArrayForEach(v, list)
        SNC_CHECK(whole(&out[i++], v, min, max), SNC_E_FORMAT, "%s: '%s' must hold whole numbers from %d to %d", where, key, min, max);
    *n = size;
    return SNC_OK;
}

snc_err snc_json_bool(bool *out, const cJSON *obj, const char *key, bool def, const char *where)
{
    const cJSON *v = get(obj, key);
    *out = def;
    if (!v) return SNC_OK;
    SNC_CHECK(cJSON_IsBool(v), SNC_E_FORMAT, "%s: '%s' must be true or false", where, key);
    *out = cJSON_IsTrue(v);
    return SNC_OK;
}

snc_err snc_json_str(const char **out, const cJSON *obj, const char *key, const char *def, const char *where)
{
    const cJSON *v = get(obj, key);
    *out = def;
    if (!v) return SNC_OK;
    SNC_CHECK(cJSON_IsString(v), SNC_E_FORMAT, "%s: '%s' must be a string", where, key);
    *out = v->valuestring;
    return SNC_OK;
}

/* C0, DEL and C1, and the two of Unicode that part lines and paragraphs. */
static bool parts_lines(const unsigned char *p, size_t n)
{
    if (n == 1) return *p < 0x20 || *p == 0x7f;
    if (n == 2) return p[0] == 0xc2 && p[1] < 0xa0;
    return n == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9);
}

snc_err snc_json_check_line(const char *s, const char *what, const char *where)
{
    size_t n = strlen(s), at = 0, one = 1;
    const unsigned char *p = (const unsigned char *)s;
    while (at < n && (one = snc_utf8_sequence(p + at, n - at)) > 0 && !parts_lines(p + at, one)) at += one;
    int shown = at > 60 ? 60 : (int)at;
    SNC_CHECK(one > 0, SNC_E_FORMAT, "%s: %s '%.*s...' goes on with the byte 0x%02x, which is no UTF-8", where, what, shown, s, p[at]);
    unsigned code = at == n ? 0 : one == 1 ? p[at] : one == 2 ? p[at + 1] : 0x2000u + (p[at + 2] & 0x3fu);
    SNC_CHECK(at == n, SNC_E_FORMAT, "%s: %s '%.*s...' goes on with the control character 0x%02x: it has to fit into a line of an answer",
              where, what, shown, s, code);
    return SNC_OK;
}
