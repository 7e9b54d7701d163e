/* One table, a row a target; every function walks or reads it. */
#include "candidate/target.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/parse.h"
#include "base/names.h"

static const snc_unit sizes[] = {{"MB", 1e6, false}, {"KB", 1e3, false}, {"B", 1, false}, {"x", 1, true}, {NULL, 0, false}};
static const snc_unit shares[] = {{"x", 1, true}, {NULL, 0, false}};

#define AT(field) offsetof(snc_target_opts, field)
static const struct row {
    const char *option;
    size_t at; /* in snc_target_opts: a text in units, or a number that is negative where it was not given */
    const snc_unit *units;
    const char *expected;
    double most_share;       /* 0: any */
    const char *name, *json; /* in sentences, in report.json */
    const char *asked;       /* how a sentence puts it */
    double unit;             /* one of what people read */
    int digits;
    const char *unit_name;
    double margin, sure; /* shares of it that the search and the second look keep to */
    double least;        /* a miss is a share of at least so much */
    bool by_bound;       /* what the second look has is judged as the proof's is, by the upper end of its interval */
} table[SNC_TARGETS] = {
    {"--target-latency", AT(latency), snc_units_time, "a time such as 1.5ms or 800us, or a share such as 0.5x", 2, "latency", "latency",
     "asked", 1e3, 3, "ms", 0.95, 0.96, 0, false},
    {"--target-size", AT(size), sizes, "a size such as 12MB or 800KB, or a share such as 0.5x", 0, "size", "size", "asked", 1e6, 3, "MB", 1,
     1, 0, false},
    {"--target-macs", AT(macs), shares, "a share such as 0.5x", 0, "multiply-adds", "macs", "asked", 1e6, 1, "M", 1, 1, 0, false},
    {"--max-drop", AT(max_drop), NULL, NULL, 0, "drop", "max_drop", "asked at most", 1, 2, "points", 1, 1, 1, true},
};

/* ---- asked ---------------------------------------------------------------------------------------------------------- */

static snc_err parse(snc_target *out, const struct row *r, const snc_target_opts *o)
{
    const char *field = (const char *)o + r->at, *text;
    *out = (snc_target){0};
    if (!r->units) {
        memcpy(&out->value, field, sizeof out->value);
        out->given = out->value >= 0;
        return SNC_OK;
    }
    memcpy(&text, field, sizeof text);
    if (!text) return SNC_OK;
    out->given = true;
    SNC_TRY(snc_parse_unit(&out->value, &out->relative, r->option, text, r->units, r->expected));
    SNC_CHECK(!out->relative || r->most_share <= 0 || out->value <= r->most_share, SNC_E_ARG,
              "%s %gx: more than %g times the full-size INT8 model", r->option, out->value, r->most_share);
    return SNC_OK;
}

/* "0.6x,0.4x": one after the other, each a part of the text of its own. */
static snc_err parse_latencies(snc_targets *out, const snc_target_opts *o, const char *verb)
{
    const struct row *r = &table[SNC_TARGET_LATENCY];
    snc_target_opts one = *o;
    char part[64];
    *out = (snc_targets){.n_faster = -1};
    for (const char *p = o->latency; p; p = snc_list_next(p)) {
        const size_t n = strcspn(p, ",");
        snc_target *t = out->n_faster < 0 ? &out->of[SNC_TARGET_LATENCY] : &out->faster[out->n_faster];
        const snc_target *before = out->n_faster > 0 ? t - 1 : &out->of[SNC_TARGET_LATENCY];
        SNC_CHECK(out->n_faster + 1 < SNC_LATENCIES, SNC_E_ARG, "%s '%.60s': more than %d", r->option, o->latency, SNC_LATENCIES);
        SNC_CHECK(n > 0 && n < sizeof part, SNC_E_ARG, "%s '%.60s': expected %s", r->option, o->latency, r->expected);
        snprintf(part, sizeof part, "%.*s", (int)n, p);
        one.latency = part;
        SNC_TRY(parse(t, r, &one));
        SNC_CHECK(++out->n_faster == 0 || t->relative == before->relative, SNC_E_ARG, "%s '%.60s': expected times alone or shares alone",
                  r->option, o->latency);
        SNC_CHECK(out->n_faster == 0 || t->value < before->value, SNC_E_ARG, "%s '%.60s': expected each to be less than the one before",
                  r->option, o->latency);
    }
    if (out->n_faster < 0) out->n_faster = 0;
    SNC_CHECK(out->n_faster == 0 || strcmp(verb, "compress") == 0, SNC_E_ARG, "%s '%.60s': %s takes one; compress takes several", r->option,
              o->latency, verb);
    return SNC_OK;
}

snc_err snc_targets_parse(snc_targets *out, const snc_target_opts *o, const char *verb)
{
    char options[160] = "";
    bool any = false;
    SNC_TRY(parse_latencies(out, o, verb));
    for (int k = 0; k < SNC_TARGETS; k++) {
        size_t at = strlen(options);
        if (k != SNC_TARGET_LATENCY) SNC_TRY(parse(&out->of[k], &table[k], o));
        any = any || out->of[k].given;
        snprintf(options + at, sizeof options - at, "%s%s", k == 0 ? "" : k + 1 < SNC_TARGETS ? ", " : " or ", table[k].option);
    }
    SNC_CHECK(any, SNC_E_ARG, "%s: no target: give %s", verb, options);
    return SNC_OK;
}

snc_targets snc_targets_least(const snc_targets *a)
{
    snc_targets least = *a;
    if (a->n_faster) least.of[SNC_TARGET_LATENCY] = a->faster[a->n_faster - 1];
    least.n_faster = 0;
    return least;
}

int snc_targets_cost(const snc_targets *a)
{
    for (int k = 0; k < SNC_COSTS; k++)
        if (a->of[k].given) return k;
    return -1;
}

const char *snc_target_name(snc_target_kind kind) { return table[kind].name; }

const char *snc_target_key(snc_target_kind kind) { return table[kind].json; }

const char *snc_target_option(snc_target_kind kind) { return table[kind].option; }

const char *snc_target_number(char buf[32], snc_target_kind kind, double v)
{
    const struct row *r = &table[kind];
    snprintf(buf, 32, "%.*f %s", r->digits, v / r->unit, r->unit_name);
    return buf;
}

double snc_target_limit(snc_target_kind kind, const snc_target *t, double full) { return table[kind].margin * snc_target_value(t, full); }

double snc_target_inner(snc_target_kind kind, const snc_target *t) { return table[kind].sure * t->value; }

/* ---- found and judged ----------------------------------------------------------------------------------------------- */

snc_attained snc_attained_exactly(double value, double full)
{
    double share = value / full;
    return (snc_attained){{value, value, value}, {share, share, share}};
}

snc_interval snc_target_judged(const snc_target *t, const snc_attained *f) { return t->relative ? f->share : f->value; }

bool snc_target_holds(const snc_target *t, const snc_attained *f)
{
    snc_interval i = snc_target_judged(t, f);
    return !t->given || i.high <= t->value;
}

double snc_target_miss(snc_target_kind kind, const snc_target *t, const snc_attained *f)
{
    const struct row *r = &table[kind];
    const snc_interval i = snc_target_judged(t, f);
    double v = r->by_bound ? i.high : i.value, most = snc_target_inner(kind, t);
    if (!t->given || v <= most) return 0;
    return isnan(v) ? (double)INFINITY : (v - most) / fmax(most, r->least); /* NaN: nothing is said */
}

bool snc_targets_hold(const snc_targets *a, const snc_attained found[SNC_TARGETS])
{
    for (int k = 0; k < SNC_TARGETS; k++)
        if (!snc_target_holds(&a->of[k], &found[k])) return false;
    return true;
}

/* ---- said ----------------------------------------------------------------------------------------------------------- */

void snc_target_say(char *buf, size_t size, snc_target_kind kind, const snc_target *t, const snc_attained *f, const char *where)
{
    const struct row *r = &table[kind];
    snc_interval i = snc_target_judged(t, f);
    char v[32], abs[40] = "", bound[64] = "", asked[32], upper[32];
    if (t->relative) {
        snprintf(v, sizeof v, "%.3fx", i.value);
        snprintf(upper, sizeof upper, "%.3fx", i.high);
        snprintf(asked, sizeof asked, "%.3fx", t->value);
        char number[32];
        snprintf(abs, sizeof abs, " (%s)", snc_target_number(number, kind, f->value.value));
    } else {
        snc_target_number(v, kind, i.value);
        snc_target_number(upper, kind, i.high);
        snc_target_number(asked, kind, t->value);
    }
    if (i.high > i.value) snprintf(bound, sizeof bound, " with upper bound %s", upper);
    snprintf(buf, size, "%s%s%s%s, %s %s%s", v, abs, where, bound, r->asked, asked, t->relative ? " of the full-size INT8 model" : "");
}

cJSON *snc_target_json(const snc_target *t, const snc_attained *f)
{
    const snc_interval i = snc_target_judged(t, f);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, t->relative ? "share_of_full_int8" : "value", t->value);
    cJSON_AddNumberToObject(o, "found", i.value);
    cJSON_AddNumberToObject(o, "bound", i.high);
    cJSON_AddBoolToObject(o, "holds", snc_target_holds(t, f));
    return o;
}

cJSON *snc_targets_json(const snc_targets *a, const snc_attained found[SNC_TARGETS])
{
    cJSON *j = cJSON_CreateObject();
    for (int k = 0; k < SNC_TARGETS; k++)
        if (a->of[k].given) cJSON_AddItemToObject(j, table[k].json, snc_target_json(&a->of[k], &found[k]));
    cJSON_AddBoolToObject(j, "all", snc_targets_hold(a, found));
    return j;
}
