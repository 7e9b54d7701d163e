/* Stamps are compared key by key, and the first differences are put into words. */
#include "artifact/stamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/inputs.h"
#include "artifact/option.h"
#include "base/fmap.h"
#include "models/snc_file.h"

enum { MOST_SAID = 3 };

/* ---- making --------------------------------------------------------------------------------------------------------- */

/* A string's value in force: what auto comes to on this machine, and what is in a file rather than its name. */
static cJSON *string_value(const snc_option *row, const snc_options *o)
{
    const char *given = snc_option_text(o, row);
    char text[32];
    uint64_t h;
    if (strcmp(row->name, "--compute") == 0) return cJSON_CreateString(snc_inputs_compute(&o->job) == SNC_COMPUTE_BF16 ? "bf16" : "f32");
    if (strcmp(row->name, "--fp") == 0) return cJSON_CreateString(snc_dtype_get(snc_inputs_fp(&o->job))->name);
    if (!given) given = strcmp(row->name, "--objectives") == 0 ? "auto" : "none"; /* by the target that is asked for */
    if (strcmp(row->name, "--searcher") == 0 && strchr(given, '.') && snc_file_hash(&h, given) == SNC_OK) {
        snprintf(text, sizeof text, "file %016llx", (unsigned long long)h);
        given = text;
    }
    return cJSON_CreateString(given);
}

static cJSON *value_of(const snc_option *row, const snc_options *o)
{
    if (row->kind == SNC_OPTION_STRING) return string_value(row, o);
    double v = snc_option_number(o, row);
    return row->kind == SNC_OPTION_FLAG ? cJSON_CreateBool(v != 0) : cJSON_CreateNumber(v);
}

cJSON *snc_stamp_new(const char *step, unsigned artifact, const snc_options *o)
{
    int n;
    const snc_option *row = snc_option_table(&n);
    cJSON *j = cJSON_CreateObject(), *options;
    cJSON_AddStringToObject(j, "step", step);
    cJSON_AddStringToObject(j, "version", SNC_VERSION);
    options = cJSON_AddObjectToObject(j, "options");
    for (int i = 0; i < n; i++)
        if (row[i].decides & artifact) cJSON_AddItemToObject(options, row[i].name, value_of(&row[i], o));
    cJSON_AddObjectToObject(j, "inputs");
    return j;
}

void snc_stamp_renew(cJSON *stamp, unsigned artifact, const snc_options *o)
{
    int n;
    cJSON *options = cJSON_GetObjectItemCaseSensitive(stamp, "options");
    for (const snc_option *row = snc_option_table(&n); n--; row++)
        if ((row->decides & artifact) && cJSON_HasObjectItem(options, row->name))
            cJSON_ReplaceItemInObjectCaseSensitive(options, row->name, value_of(row, o));
}

static cJSON *part(const cJSON *stamp, const char *name) { return cJSON_GetObjectItemCaseSensitive(stamp, name); }

void snc_stamp_hash(cJSON *stamp, const char *input, uint64_t h)
{
    char text[20];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)h);
    cJSON_AddStringToObject(part(stamp, "inputs"), input, text);
}

void snc_stamp_note(cJSON *stamp, const char *option, const char *value) { cJSON_AddStringToObject(part(stamp, "options"), option, value); }

/* ---- comparing ------------------------------------------------------------------------------------------------------ */

typedef struct sentence {
    char *text;
    int said;
} sentence;

static void say(sentence *s, const char *text)
{
    size_t at = strlen(s->text);
    if (s->said++ >= MOST_SAID) return;
    snprintf(s->text + at, SNC_WHY - at, "%s %s", at ? "," : "was made", text);
}

static void print_value(char text[40], const cJSON *v)
{
    if (cJSON_IsString(v)) snprintf(text, 40, "%.39s", v->valuestring);
    else if (cJSON_IsNumber(v)) snprintf(text, 40, "%.12g", v->valuedouble);
    else if (cJSON_IsBool(v)) snprintf(text, 40, "%s", cJSON_IsTrue(v) ? "on" : "off");
    else snprintf(text, 40, "unknown");
}

static void compare_options(sentence *s, const cJSON *there, const cJSON *asked)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, asked)
    {
        const cJSON *was = part(there, it->string);
        char one[160], a[40], b[40];
        if (cJSON_Compare(was, it, 1)) continue;
        print_value(a, was);
        print_value(b, it);
        snprintf(one, sizeof one, "with %.40s %s, asked %s", it->string, a, b);
        say(s, one);
    }
}

static void compare_inputs(sentence *s, const cJSON *there, const cJSON *asked)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, asked)
    {
        char one[80];
        size_t n = strlen(it->string);
        bool many = n > 4 && strcmp(it->string + n - 4, "rows") == 0;
        snprintf(one, sizeof one, "of %s %.40s", many ? "other" : "another", it->string);
        if (!cJSON_Compare(part(there, it->string), it, 1)) say(s, one);
    }
}

bool snc_stamp_same(char why[SNC_WHY], const cJSON *there, const cJSON *asked)
{
    sentence s = {.text = why};
    const char *step = cJSON_GetStringValue(part(there, "step")), *version = cJSON_GetStringValue(part(there, "version"));
    const char *wanted = cJSON_GetStringValue(part(asked, "step"));
    why[0] = 0;
    if (!step || !version || !cJSON_IsObject(part(there, "options")) || !cJSON_IsObject(part(there, "inputs"))) {
        snprintf(why, SNC_WHY, "does not say what it was made of");
        return false;
    }
    if (strcmp(step, wanted) != 0) {
        snprintf(why, SNC_WHY, "was made by %.40s, not by %.40s", step, wanted);
        return false;
    }
    if (strcmp(version, SNC_VERSION) != 0) {
        snprintf(why, SNC_WHY, "was made by version %.20s, this is %s", version, SNC_VERSION);
        return false;
    }
    compare_options(&s, part(there, "options"), part(asked, "options"));
    compare_inputs(&s, part(there, "inputs"), part(asked, "inputs"));
    return s.said == 0;
}

snc_state snc_stamp_state(char why[SNC_WHY], const char *path, const cJSON *asked)
{
    snc_sncfile *f = NULL;
    why[0] = 0;
    if (snc_file_size(path) == 0) return SNC_ABSENT;
    if (snc_sncfile_open(&f, path) != SNC_OK) {
        snprintf(why, SNC_WHY, "is no .snc file that is whole");
        return SNC_DAMAGED;
    }
    bool same = snc_stamp_same(why, cJSON_GetObjectItemCaseSensitive(snc_sncfile_meta_view(f), "inputs"), asked);
    snc_sncfile_close(f);
    return same ? SNC_CURRENT : SNC_STALE;
}

snc_err snc_stamp_allow(bool *current, const char *path, snc_state state, const char *why, bool overwrite)
{
    const bool program = state == SNC_CURRENT && snc_is_carrier(path);
    *current = state == SNC_CURRENT && !program;
    SNC_CHECK(state == SNC_ABSENT || *current || overwrite, SNC_E_ARG, "--output %s: %s (--overwrite makes it anew)", path,
              program ? "is a program that carries it" : why);
    return SNC_OK;
}
