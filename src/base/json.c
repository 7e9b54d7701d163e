#include "base/json.h"

#include <math.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"

snc_err snc_json_parse(cJSON **out, const char *text, size_t n, const char *where)
{
    const char *end = NULL;
    cJSON *j = cJSON_ParseWithLengthOpts(text, n, &end, 0);
    if (!j) {
        long at = end ? (long)(end - text) : 0;
        return snc_err_set(SNC_E_FORMAT, "%s: not valid JSON at byte %ld", where, at);
    }
    while (end < text + n && (*end == 0 || strchr(" \t\r\n", *end))) end++;
    if (end < text + n) {
        cJSON_Delete(j);
        return snc_err_set(SNC_E_FORMAT, "%s: text after the JSON value at byte %ld", where, (long)(end - text));
    }
    *out = j;
    return SNC_OK;
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

snc_err snc_json_double(double *out, const cJSON *obj, const char *key, double def, double min, double max,
                        const char *where)
{
    const cJSON *v = get(obj, key);
    *out = def;
    if (!v) return SNC_OK;
    SNC_CHECK(cJSON_IsNumber(v) && v->valuedouble >= min && v->valuedouble <= max, SNC_E_FORMAT,
              "%s: '%s' must be a number from %g to %g", where, key, min, max);
    *out = v->valuedouble;
    return SNC_OK;
}

snc_err snc_json_int(int *out, const cJSON *obj, const char *key, int def, int min, int max, const char *where)
{
    double d = 0;
    const cJSON *v = get(obj, key);
    SNC_CHECK(!v || (cJSON_IsNumber(v) && floor(v->valuedouble) == v->valuedouble && v->valuedouble >= min &&
                     v->valuedouble <= max),
              SNC_E_FORMAT, "%s: '%s' must be a whole number from %d to %d", where, key, min, max);
    SNC_TRY(snc_json_double(&d, obj, key, def, -2147483648.0, 2147483647.0, where));
    *out = (int)d;
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

snc_err snc_json_check_line(const char *s, const char *what, const char *where)
{
    const char *p = s;
    while (*p && (unsigned char)*p >= 0x20 && *p != 0x7f) p++;
    SNC_CHECK(!*p, SNC_E_FORMAT, "%s: %s '%.*s...' goes on with the control character 0x%02x: it has to fit into a line of an answer", where, what,
              (int)(p - s > 60 ? 60 : p - s), s, (unsigned char)*p);
    return SNC_OK;
}
