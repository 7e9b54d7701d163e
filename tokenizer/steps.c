/* Each step reads one of two texts and writes the other; one that changes nothing leaves the text where it is. */
#include "tokenizer/steps_priv.h"

#include <string.h>

#include "tokenizer/compose_priv.h"
#include "tokenizer/forms_priv.h"

typedef snc_err (*step_fn)(snc_bytes *out, const snc_steps *s, const snc_step *step, snc_steps_work *w, const unsigned char *text,
                           size_t n);

struct snc_step {
    step_fn run;
    snc_norm norm;                 /* of those that it does */
    const char *pattern, *content; /* Replace */
    size_t pattern_n, content_n;
    bool left, right; /* Strip */
    bool expand, compose;
};

/* ---- the steps -------------------------------------------------------------------------------------------------- */

static snc_err run_map(snc_bytes *out, const snc_steps *s, const snc_step *step, snc_steps_work *w, const unsigned char *text, size_t n)
{
    (void)step, (void)w;
    return snc_charsmap__run(out, &s->map, text, n);
}

static snc_err run_norm(snc_bytes *out, const snc_steps *s, const snc_step *step, snc_steps_work *w, const unsigned char *text, size_t n)
{
    uint32_t cp;
    (void)s;
    if (n > 0) {
        SNC_TRY(snc_norm__run(&w->norm, &step->norm, text, snc_utf8__get(&cp, text)));
        w->cut = w->cut || w->norm.n == 0;
    }
    SNC_TRY(snc_norm__run(&w->norm, &step->norm, text, n));
    return snc_bytes__add(out, w->norm.text, w->norm.n);
}

static snc_err run_form(snc_bytes *out, const snc_steps *s, const snc_step *step, snc_steps_work *w, const unsigned char *text, size_t n)
{
    snc_bytes wide = {.p = NULL};
    snc_err err = SNC_OK;
    size_t i = 0;
    while (i < n && text[i] < 0x80) i++;
    if (i == n) return snc_bytes__add(out, text, n);
    if (step->expand) {
        SNC_GOTO(snc_forms__expand(&wide, text, n));
        text = wide.p;
        n = wide.n;
    }
    SNC_GOTO((step->compose ? snc_compose__run : snc_norm__run)(&w->norm, &step->norm, text, n));
    SNC_GOTO(snc_bytes__add(out, w->norm.text, w->norm.n));
    (void)s;
out:
    snc_free(wide.p);
    return err;
}

static snc_err run_replace(snc_bytes *out, const snc_steps *s, const snc_step *step, snc_steps_work *w, const unsigned char *text, size_t n)
{
    (void)s;
    size_t copied = 0;
    for (size_t i = 0; i + step->pattern_n <= n;) {
        const unsigned char *p = memchr(text + i, step->pattern[0], n - step->pattern_n + 1 - i);
        if (!p) break;
        i = (size_t)(p - text);
        if (memcmp(p, step->pattern, step->pattern_n) != 0) {
            i++;
            continue;
        }
        w->cut = w->cut || (i == 0 && step->content_n == 0);
        SNC_TRY(snc_bytes__add(out, text + copied, i - copied));
        SNC_TRY(snc_bytes__add(out, step->content, step->content_n));
        copied = i += step->pattern_n;
    }
    return snc_bytes__add(out, text + copied, n - copied);
}

/* " {2,}" */
static snc_err run_spaces(snc_bytes *out, const snc_steps *s, const snc_step *step, snc_steps_work *w, const unsigned char *text, size_t n)
{
    (void)s;
    size_t copied = 0;
    for (size_t i = 0; i < n;) {
        const unsigned char *p = memchr(text + i, ' ', n - i);
        if (!p) break;
        size_t start = (size_t)(p - text);
        for (i = start; i < n && text[i] == ' '; i++) {}
        if (i - start < 2) continue;
        w->cut = w->cut || (start == 0 && step->content_n == 0);
        SNC_TRY(snc_bytes__add(out, text + copied, start - copied));
        SNC_TRY(snc_bytes__add(out, step->content, step->content_n));
        copied = i;
    }
    return snc_bytes__add(out, text + copied, n - copied);
}

static bool is_space(const snc_steps *s, uint32_t cp) { return snc_uni__flags(s->uni, cp) & SNC_UNI_SPACE; }

/* "\s{2,}|[\n\r\t]" */
static snc_err run_blanks(snc_bytes *out, const snc_steps *s, const snc_step *step, snc_steps_work *w, const unsigned char *text, size_t n)
{
    size_t copied = 0;
    uint32_t cp, first;
    for (size_t i = 0; i < n;) {
        size_t start = i, end = i + snc_utf8__get(&first, text + i), run = 0;
        i = end;
        if (!is_space(s, first)) continue;
        for (; i < n; i += run) {
            run = snc_utf8__get(&cp, text + i);
            if (!is_space(s, cp)) break;
        }
        if (i == end && first != '\n' && first != '\r' && first != '\t') continue;
        w->cut = w->cut || (start == 0 && step->content_n == 0);
        SNC_TRY(snc_bytes__add(out, text + copied, start - copied));
        SNC_TRY(snc_bytes__add(out, step->content, step->content_n));
        copied = i;
    }
    return snc_bytes__add(out, text + copied, n - copied);
}

/* "\A +| +\z": at both ends, each replaced once. */
static snc_err run_edges(snc_bytes *out, const snc_steps *s, const snc_step *step, snc_steps_work *w, const unsigned char *text, size_t n)
{
    (void)s;
    size_t first = 0, last = n;
    while (first < n && text[first] == ' ') first++;
    while (last > first && text[last - 1] == ' ') last--;
    w->cut = w->cut || (first > 0 && step->content_n == 0);
    if (first > 0) SNC_TRY(snc_bytes__add(out, step->content, step->content_n));
    SNC_TRY(snc_bytes__add(out, text + first, last - first));
    return last < n ? snc_bytes__add(out, step->content, step->content_n) : SNC_OK;
}

static snc_err run_prepend(snc_bytes *out, const snc_steps *s, const snc_step *step, snc_steps_work *w, const unsigned char *text, size_t n)
{
    (void)s, (void)w;
    if (n > 0) SNC_TRY(snc_bytes__add(out, step->content, step->content_n));
    return snc_bytes__add(out, text, n);
}

static const char LOWER_BLOCK[] = "\xe2\x96\x81"; /* U+2581 */
enum { BLOCK_BYTES = 3 };

/* "\A▁" */
static snc_err run_begin(snc_bytes *out, const snc_steps *s, const snc_step *step, snc_steps_work *w, const unsigned char *text, size_t n)
{
    (void)s, (void)w;
    bool has = n >= BLOCK_BYTES && memcmp(text, LOWER_BLOCK, BLOCK_BYTES) == 0;
    if (has) SNC_TRY(snc_bytes__add(out, step->content, step->content_n));
    return snc_bytes__add(out, text + (has ? BLOCK_BYTES : 0), n - (has ? BLOCK_BYTES : 0));
}

static snc_err run_strip(snc_bytes *out, const snc_steps *s, const snc_step *step, snc_steps_work *w, const unsigned char *text, size_t n)
{
    size_t first = 0, last = n;
    uint32_t cp;
    while (step->left && first < n) {
        size_t bytes = snc_utf8__get(&cp, text + first);
        if (!is_space(s, cp)) break;
        first += bytes;
    }
    w->cut = w->cut || first > 0;
    while (step->right && last > first) {
        size_t at = last - 1;
        while (at > first && (text[at] & 0xc0) == 0x80) at--;
        (void)snc_utf8__get(&cp, text + at);
        if (!is_space(s, cp)) break;
        last = at;
    }
    return snc_bytes__add(out, text + first, last - first);
}

/* ---- making a list ---------------------------------------------------------------------------------------------- */

static const struct {
    const char *regex;
    step_fn run;
} regexes[] = {{" {2,}", run_spaces}, {"\\s{2,}|[\\n\\r\\t]", run_blanks}, {"\\A +| +\\z", run_edges}, {"\\A\xe2\x96\x81", run_begin}};

/* What Replace and Prepend put in. */
static snc_err read_content(snc_step *t, const cJSON *part, const char *key, snc_arena *a, const char *where)
{
    const char *content;
    char *copy;
    SNC_TRY(snc_json_str(&content, part, key, "", where));
    t->content_n = strlen(content);
    SNC_CHECK(snc_utf8__valid((const unsigned char *)content, t->content_n) == t->content_n && t->content_n < SNC_CHARSMAP_TEXT,
              SNC_E_FORMAT, "%s: a normalizer's '%s' has %zu bytes: at most %d of valid UTF-8 are taken", where, key, t->content_n,
              SNC_CHARSMAP_TEXT - 1);
    SNC_TRY(snc_arena_strndup(&copy, a, content, t->content_n));
    t->content = copy;
    return SNC_OK;
}

static snc_err read_replace(snc_step *t, const cJSON *part, snc_arena *a, const char *where)
{
    const cJSON *pattern = cJSON_GetObjectItemCaseSensitive(part, "pattern");
    const char *text, *regex;
    char *copy;
    SNC_TRY(read_content(t, part, "content", a, where));
    SNC_TRY(snc_json_str(&text, pattern, "String", NULL, where));
    SNC_TRY(snc_json_str(&regex, pattern, "Regex", NULL, where));
    for (size_t i = 0; regex && i < sizeof regexes / sizeof *regexes; i++)
        if (strcmp(regex, regexes[i].regex) == 0) t->run = regexes[i].run;
    if (t->run) return SNC_OK;
    SNC_CHECK(!regex, SNC_E_UNSUPPORTED, "%s: normalizer 'Replace' of the regular expression '%.64s' is not known", where, regex);
    SNC_CHECK(text && *text, SNC_E_FORMAT, "%s: normalizer 'Replace' has no pattern", where);
    t->pattern_n = strlen(text);
    SNC_TRY(snc_arena_strndup(&copy, a, text, t->pattern_n));
    t->pattern = copy;
    t->run = run_replace;
    return SNC_OK;
}

static const struct {
    const char *type;
    snc_norm norm;
    bool form, expand, compose;
} forms[] = {
    {.type = "Lowercase", .norm = {.lower = true}},
    {.type = "StripAccents", .norm = {.drop = SNC_NORM_MARKS}},
    {.type = "NFD", .norm = {.decompose = true}, .form = true},
    {.type = "NFKD", .norm = {.decompose = true}, .form = true, .expand = true},
    {.type = "NFC", .norm = {.decompose = true}, .form = true, .compose = true},
    {.type = "NFKC", .norm = {.decompose = true}, .form = true, .expand = true, .compose = true},
};

static snc_err read_bert(snc_norm *m, const cJSON *part, const char *where)
{
    bool strip;
    SNC_TRY(snc_json_bool(&m->clean, part, "clean_text", true, where));
    SNC_TRY(snc_json_bool(&m->cjk, part, "handle_chinese_chars", true, where));
    SNC_TRY(snc_json_bool(&m->lower, part, "lowercase", true, where));
    SNC_TRY(snc_json_bool(&strip, part, "strip_accents", m->lower, where));
    m->decompose = strip;
    m->drop = strip ? SNC_NORM_MN : SNC_NORM_KEEP;
    return SNC_OK;
}

static snc_err read_step(snc_step *t, const cJSON *part, const snc_steps *s, snc_arena *a, const char *where)
{
    const char *type;
    SNC_TRY(snc_json_str(&type, part, "type", "", where));
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(type, forms[i].type) == 0) {
            *t = (snc_step){
                .run = forms[i].form ? run_form : run_norm, .norm = forms[i].norm, .expand = forms[i].expand, .compose = forms[i].compose};
            snc_norm__init(&t->norm, s->uni);
            return SNC_OK;
        }
    if (strcmp(type, "Replace") == 0) return read_replace(t, part, a, where);
    if (strcmp(type, "Prepend") == 0) {
        t->run = run_prepend;
        return read_content(t, part, "prepend", a, where);
    }
    if (strcmp(type, "Strip") == 0) {
        t->run = run_strip;
        SNC_TRY(snc_json_bool(&t->left, part, "strip_left", true, where));
        return snc_json_bool(&t->right, part, "strip_right", true, where);
    }
    if (strcmp(type, "BertNormalizer") == 0) {
        t->run = run_norm;
        SNC_TRY(read_bert(&t->norm, part, where));
        snc_norm__init(&t->norm, s->uni);
        return SNC_OK;
    }
    SNC_CHECK(
        strcmp(type, "Precompiled") == 0, SNC_E_UNSUPPORTED,
        "%s: normalizer '%.64s': only Precompiled, Replace, Prepend, Strip, Lowercase, NFD, NFC, NFKD, NFKC, StripAccents, BertNormalizer "
        "and a Sequence of these are known",
        where, type);
    SNC_CHECK(s->map.units, SNC_E_FORMAT, "%s: normalizer 'Precompiled' has no map", where);
    t->run = run_map;
    return SNC_OK;
}

snc_err snc_steps__init(snc_steps *s, const cJSON *list, const void *map, size_t map_bytes, const snc_uni *uni, snc_arena *a,
                        const char *where)
{
    const cJSON *it;
    *s = (snc_steps){.uni = uni};
    SNC_CHECK(!list || cJSON_IsArray(list), SNC_E_FORMAT, "%s: 'normalizer' must be a list", where);
    if (map) {
        SNC_TRY(snc_graphemes__init(&s->graphemes));
        SNC_TRY(snc_charsmap__init(&s->map, map, map_bytes, &s->graphemes));
    }
    SNC_TRY(snc_arena_alloc(&s->step, a, ((size_t)cJSON_GetArraySize(list) + 1) * sizeof *s->step));
    cJSON_ArrayForEach(it, list) SNC_TRY(read_step(&s->step[s->n++], it, s, a, where));
    return SNC_OK;
}

void snc_steps__dispose(snc_steps *s)
{
    snc_charsmap__dispose(&s->map);
    snc_graphemes__dispose(&s->graphemes);
}

/* ---- running it ------------------------------------------------------------------------------------------------- */

snc_err snc_steps__run(const unsigned char **text, size_t *n, const snc_steps *s, snc_steps_work *w)
{
    w->cut = false;
    for (size_t i = 0; i < s->n; i++) {
        snc_bytes *out = &w->text[i % 2];
        out->n = 0;
        SNC_TRY(snc_bytes__add(out, NULL, 0)); /* a place, whatever the step adds */
        SNC_TRY(s->step[i].run(out, s, &s->step[i], w, *text, *n));
        *text = out->p;
        *n = out->n;
    }
    return SNC_OK;
}

void snc_steps__work_dispose(snc_steps_work *w)
{
    for (int i = 0; i < 2; i++) snc_free(w->text[i].p);
    snc_norm__buf_dispose(&w->norm);
}
