/* Lists and amounts, refused by the option's name and the item. */
#include "artifact/parse.h"

#include <stdlib.h>
#include <string.h>

snc_err snc_parse_list(snc_int_list *out, const char *option, const char *text, bool data_allowed)
{
    const char *p = text;
    out->n = 0;
    for (;;) {
        size_t len = strcspn(p, ",");
        char *end = NULL;
        SNC_CHECK(out->n < SNC_LIST_MAX, SNC_E_ARG, "%s: more than %d items", option, SNC_LIST_MAX);
        long v = strtol(p, &end, 10);
        bool data = data_allowed && len == 4 && memcmp(p, "data", 4) == 0;
        SNC_CHECK(data || (end == p + len && len > 0 && v >= 1 && v <= 1 << 20), SNC_E_ARG, "%s '%.*s': expected a number of at least 1%s",
                  option, (int)(len < 40 ? len : 40), p, data_allowed ? " or data" : "");
        out->v[out->n++] = data ? 0 : (int)v;
        if (!p[len]) return SNC_OK;
        p += len + 1;
    }
}

const snc_unit snc_units_time[] = {{"x", 1, true}, {"us", 1, false}, {"ms", 1e3, false}, {"s", 1e6, false}, {NULL, 0, false}};

snc_err snc_parse_unit(double *out, bool *relative, const char *option, const char *text, const snc_unit *units, const char *expected)
{
    char *end = NULL;
    double v = strtod(text, &end);
    for (const snc_unit *u = units; u->name; u++)
        if (end != text && strcmp(end, u->name) == 0 && v > 0 && v < 1e15) {
            *out = v * u->factor;
            *relative = u->relative;
            return SNC_OK;
        }
    return snc_err_set(SNC_E_ARG, "%s '%.40s': expected %s", option, text, expected);
}

snc_err snc_parse_us(double *out, const char *option, const char *text)
{
    bool relative;
    return snc_parse_unit(out, &relative, option, text, snc_units_time + 1, "a time such as 800us or 1.5ms");
}

snc_err snc_parse_bytes(double *out, const char *option, const char *text)
{
    static const snc_unit units[] = {{"B", 1, false}, {"KB", 1e3, false}, {"MB", 1e6, false}, {"GB", 1e9, false}, {NULL, 0, false}};
    bool relative;
    return snc_parse_unit(out, &relative, option, text, units, "a size such as 64KB or 1MB");
}

snc_err snc_parse_seconds(double *out, const char *option, const char *text)
{
    static const struct {
        char name;
        double seconds;
    } units[] = {{'h', 3600}, {'m', 60}, {'s', 1}};
    const char *p = text;
    double sum = 0;
    for (size_t u = 0; *p && u < sizeof units / sizeof *units; u++) {
        char *end = NULL;
        double v = strtod(p, &end);
        bool bare = *end == 0 && p == text; /* seconds */
        if (end == p || (!bare && *end != units[u].name)) continue;
        if (!(v >= 0 && v < 1e15)) break;
        sum += v * (bare ? 1 : units[u].seconds);
        p = bare ? end : end + 1;
    }
    SNC_CHECK(*p == 0 && sum > 0, SNC_E_ARG, "%s '%.40s': expected a time such as 90s, 5m or 1h", option, text);
    *out = sum;
    return SNC_OK;
}
