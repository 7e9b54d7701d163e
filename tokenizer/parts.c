/* Steps, added tokens, white space, U+2581 and texts that stand alone, in this order. */
#include "tokenizer/parts_priv.h"

#include <stdio.h>
#include <string.h>

enum { SPACE_BYTES = sizeof SNC_PARTS_SPACE - 1 };

int snc_parts__byte_name(char name[SNC_BYTE_NAME], unsigned byte) { return snprintf(name, SNC_BYTE_NAME, "<0x%02X>", byte & 0xff); }

/* ---- of flags --------------------------------------------------------------------------------------------------- */

static snc_err read_prepend(snc_prepend *out, const cJSON *flags, const char *where)
{
    static const char *const names[] = {
        [SNC_PREPEND_ALWAYS] = "always", [SNC_PREPEND_FIRST] = "first", [SNC_PREPEND_NEVER] = "never", [SNC_PREPEND_NONE] = "none"};
    const char *name;
    SNC_TRY(snc_json_str(&name, flags, "prepend", "always", where));
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (snc_prepend)i;
            return SNC_OK;
        }
    return snc_err_set(SNC_E_FORMAT, "%s: 'prepend' is '%.64s': expected always, first, never or none", where, name);
}

static snc_err read_alone(snc_parts *p, const cJSON *list, snc_arena *a, const char *where)
{
    const cJSON *it;
    SNC_CHECK(!list || cJSON_IsArray(list), SNC_E_FORMAT, "%s: 'alone' must be a list", where);
    cJSON_ArrayForEach(it, list)
    {
        char *copy;
        SNC_CHECK(cJSON_IsString(it) && it->valuestring[0], SNC_E_FORMAT, "%s: 'alone' must be a list of texts", where);
        size_t n = strlen(it->valuestring);
        SNC_CHECK(snc_utf8__valid((const unsigned char *)it->valuestring, n) == n, SNC_E_FORMAT, "%s: 'alone' is not valid UTF-8", where);
        SNC_TRY(snc_arena_strndup(&copy, a, it->valuestring, n));
        SNC_TRY(snc_added__add(&p->alone, &(snc_added){.text = (const unsigned char *)copy, .n = n}));
    }
    snc_added__sort(&p->alone);
    return SNC_OK;
}

snc_err snc_parts__init(snc_parts *p, const snc_tok *t, const cJSON *flags, const snc_tok_blob *map, const char *where)
{
    *p = (snc_parts){.split = true};
    snc_added__init(&p->normalized);
    snc_added__init(&p->alone);
    SNC_TRY(snc_json_bool(&p->whitespace_split, flags, "whitespace_split", true, where));
    SNC_TRY(snc_json_bool(&p->split, flags, "split", true, where));
    SNC_TRY(read_prepend(&p->prepend, flags, where));
    SNC_TRY(read_alone(p, cJSON_GetObjectItemCaseSensitive(flags, "alone"), t->arena, where));
    return snc_steps__init(&p->steps, cJSON_GetObjectItemCaseSensitive(flags, "normalizer"), map->data, map->bytes, &t->uni, t->arena,
                           where);
}

void snc_parts__dispose(snc_parts *p)
{
    snc_steps__dispose(&p->steps);
    snc_added__dispose(&p->normalized);
    snc_added__dispose(&p->alone);
}

void snc_parts__work_dispose(snc_parts_work *w)
{
    snc_steps__work_dispose(&w->steps);
    snc_free(w->part.p);
}

snc_err snc_parts__normalize(snc_norm_buf *out, const snc_parts *p, const unsigned char *text, size_t n)
{
    snc_steps_work w = {.norm = {.text = NULL}};
    snc_err err = snc_steps__run(&text, &n, &p->steps, &w);
    if (!err) err = snc_grow(&out->text, &out->cap, n + SNC_NORM_PAD, 1);
    if (!err && n) memcpy(out->text, text, n);
    if (!err) out->n = n;
    snc_steps__work_dispose(&w);
    return err;
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

/* A text that is being made into parts, and where they go. */
typedef struct job {
    snc_tok_scratch *s;
    const snc_tok *t;
    const snc_parts *p;
    snc_parts_work *w;
    snc_parts_push push;
} job;

static bool is_block(const unsigned char *p, const unsigned char *end)
{
    return end - p >= SPACE_BYTES && memcmp(p, SNC_PARTS_SPACE, SPACE_BYTES) == 0;
}

/* Around the texts that stand alone. */
static snc_err push_around(const job *j, const unsigned char *text, size_t n)
{
    snc_added_match m = {0};
    if (j->p->alone.count == 0) return j->push(j->s, j->t, text, n);
    do {
        snc_added__next(&m, &j->p->alone, &j->t->uni, text, n);
        if (m.start > m.gap) SNC_TRY(j->push(j->s, j->t, text + m.gap, m.start - m.gap));
        if (m.id >= 0) SNC_TRY(j->push(j->s, j->t, text + m.start, m.done - m.start));
    } while (m.id >= 0);
    return SNC_OK;
}

/* A part with its blocks in place, parted before each of them. */
static snc_err push_part(const job *j)
{
    if (j->w->part.n == 0) return SNC_OK; /* and no memory yet */
    const unsigned char *start = j->w->part.p, *end = start + j->w->part.n;
    for (const unsigned char *p = start + 1; j->p->split && p < end; p++)
        if (*p == (unsigned char)SNC_PARTS_SPACE[0] && is_block(p, end)) {
            SNC_TRY(push_around(j, start, (size_t)(p - start)));
            start = p;
        }
    return push_around(j, start, (size_t)(end - start));
}

static snc_err make_part(const job *j, const unsigned char *text, size_t n, bool first)
{
    static const unsigned char pad[SNC_NORM_PAD];
    snc_bytes *part = &j->w->part;
    bool add = j->p->prepend == SNC_PREPEND_ALWAYS || (j->p->prepend == SNC_PREPEND_FIRST && first);
    part->n = 0;
    if (n == 0) return SNC_OK;
    if (add && *text != ' ' && !is_block(text, text + n)) SNC_TRY(snc_bytes__add(part, SNC_PARTS_SPACE, SPACE_BYTES));
    for (size_t i = 0; i < n;) {
        const unsigned char *p = j->p->prepend == SNC_PREPEND_NONE ? NULL : memchr(text + i, ' ', n - i);
        size_t end = p ? (size_t)(p - text) : n;
        SNC_TRY(snc_bytes__add(part, text + i, end - i));
        if (p) SNC_TRY(snc_bytes__add(part, SNC_PARTS_SPACE, SPACE_BYTES));
        i = end + (p ? 1 : 0);
    }
    SNC_TRY(snc_bytes__add(part, pad, sizeof pad));
    part->n -= sizeof pad;
    return SNC_OK;
}

/* Normalized text without added tokens. */
static snc_err push_parts(const job *j, const unsigned char *text, size_t n, bool first)
{
    size_t start = 0;
    for (size_t i = 0; j->p->whitespace_split && i < n;) {
        uint32_t cp;
        size_t bytes = snc_utf8__get(&cp, text + i);
        if (snc_uni__flags(&j->t->uni, cp) & SNC_UNI_SPACE) {
            SNC_TRY(make_part(j, text + start, i - start, first));
            SNC_TRY(push_part(j));
            start = i + bytes;
        }
        i += bytes;
    }
    SNC_TRY(make_part(j, text + start, n - start, first));
    return push_part(j);
}

snc_err snc_parts__cut(snc_tok_scratch *s, const snc_tok *t, const snc_parts *p, snc_parts_work *w, const unsigned char *text, size_t n,
                       snc_parts_push push)
{
    const job j = {.s = s, .t = t, .p = p, .w = w, .push = push};
    SNC_TRY(snc_steps__run(&text, &n, &p->steps, &w->steps));
    bool first = s->at_start && !w->steps.cut;
    snc_added_match m = {0};
    do {
        snc_added__next(&m, &p->normalized, &t->uni, text, n);
        if (m.start > m.gap) SNC_TRY(push_parts(&j, text + m.gap, m.start - m.gap, first && m.gap == 0));
        if (m.id >= 0) SNC_TRY(snc_tok__push(s, m.id));
    } while (m.id >= 0);
    return SNC_OK;
}
