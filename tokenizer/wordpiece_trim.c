/* WordPiece with fewer pieces: which have to stay, and the blobs of those that do. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tokenizer/wordpiece_priv.h"

static const char WHERE[] = "tokenizer.config";

/* ---- which pieces ----------------------------------------------------------------------------------------------- */

static const char *line_end(const char *p, const char *end)
{
    const char *nl = memchr(p, '\n', (size_t)(end - p));
    return nl ? nl : end;
}

static size_t utf8_bytes(unsigned char first) { return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4; }

static bool one_character(const char *p, size_t n)
{
    if (n > 2 && p[0] == '#' && p[1] == '#') p += 2, n -= 2;
    return n > 0 && n == utf8_bytes((unsigned char)*p);
}

/* Pieces that the flags name: unk, cls, sep, pad, mask, and the added tokens; sorted. */
typedef struct names {
    const char **v;
    size_t n;
} names;

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void add_name(names *out, const cJSON *name)
{
    if (cJSON_IsString(name)) out->v[out->n++] = name->valuestring;
}

static snc_err names_of(names *out, const cJSON *flags)
{
    static const char *const keys[] = {"unk", "cls", "sep", "pad", "mask"};
    enum { ROLES = sizeof keys / sizeof *keys };
    const cJSON *added = cJSON_GetObjectItemCaseSensitive(flags, "added"), *it;
    SNC_TRY(snc_alloc(&out->v, (size_t)cJSON_GetArraySize(added) + ROLES, sizeof *out->v));
    for (size_t i = 0; i < ROLES; i++) add_name(out, cJSON_GetObjectItemCaseSensitive(flags, keys[i]));
    cJSON_ArrayForEach(it, added) add_name(out, cJSON_GetObjectItemCaseSensitive(it, "content"));
    qsort(out->v, out->n, sizeof *out->v, by_text);
    return SNC_OK;
}

typedef struct piece {
    const char *p;
    size_t n;
} piece;

static int piece_to_name(const void *key, const void *name)
{
    const piece *k = key;
    const char *s = *(const char *const *)name;
    int order = strncmp(k->p, s, k->n);
    return order ? order : s[k->n] ? -1 : 0;
}

static bool named(const names *all, const char *p, size_t n)
{
    return bsearch(&(piece){p, n}, all->v, all->n, sizeof *all->v, piece_to_name) != NULL;
}

static snc_err mark(bool *keep, int n, const snc_tok_blob *vocab, const cJSON *flags)
{
    const char *end = vocab->data + vocab->bytes;
    const cJSON *it;
    names special = {0};
    snc_err err = SNC_OK;
    SNC_GOTO(names_of(&special, flags));
    int id = 0;
    for (const char *p = vocab->data; p < end && id < n; id++) {
        const char *e = line_end(p, end);
        if (one_character(p, (size_t)(e - p)) || named(&special, p, (size_t)(e - p))) keep[id] = true;
        p = e + 1;
    }
    cJSON_ArrayForEach(it, cJSON_GetObjectItemCaseSensitive(flags, "added"))
    {
        int line;
        SNC_GOTO(snc_json_int(&line, it, "id", -1, 0, n - 1, WHERE));
        if (line >= 0) keep[line] = true;
    }
out:
    snc_free(special.v);
    return err;
}

snc_err snc_wordpiece__need(bool *keep, int n, const snc_tok_assets *a)
{
    const snc_tok_blob *config = &a->blob[SNC_WORDPIECE_CONFIG];
    cJSON *flags = NULL;
    SNC_TRY(snc_json_parse(&flags, config->data, config->bytes, WHERE));
    snc_err err = mark(keep, n, &a->blob[SNC_WORDPIECE_VOCAB], flags);
    cJSON_Delete(flags);
    return err;
}

/* ---- the blobs -------------------------------------------------------------------------------------------------- */

/* Copies kept lines to `to` (NULL: counts bytes); rows beyond the last line are padding and end with it. */
static size_t copy_lines(char *to, int *lines, const snc_tok_blob *vocab, const bool *keep, int rows)
{
    const char *end = vocab->data + vocab->bytes;
    size_t n = 0;
    int id = 0;
    *lines = 0;
    for (const char *p = vocab->data; p < end && id < rows; id++) {
        const char *e = line_end(p, end);
        size_t bytes = (size_t)(e - p) + 1;
        if (keep[id]) {
            if (to) memcpy(to + n, p, bytes - 1), to[n + bytes - 1] = '\n';
            n += bytes;
            ++*lines;
        }
        p = e + 1;
    }
    return n;
}

size_t snc_wordpiece__trimmed_bytes(const snc_tok_assets *a, const bool *keep, int n)
{
    int lines; /* of the flags only the numbers of added tokens change */
    return copy_lines(NULL, &lines, &a->blob[SNC_WORDPIECE_VOCAB], keep, n) + a->blob[SNC_WORDPIECE_CONFIG].bytes;
}

/* The lines that added tokens claim by number, in the new numbers. */
static snc_err renumber(cJSON *added, const bool *keep, int n)
{
    cJSON *it;
    int *to = NULL, id;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&to, (size_t)n + 1, sizeof *to));
    for (int i = 0; i < n; i++) to[i + 1] = to[i] + keep[i];
    cJSON_ArrayForEach(it, added)
    {
        cJSON *line = cJSON_GetObjectItemCaseSensitive(it, "id");
        if (!line || cJSON_IsNull(line)) continue;
        SNC_GOTO(snc_json_whole(&id, line, 0, n - 1, "id", WHERE));
        cJSON_SetNumberValue(line, to[id]);
    }
out:
    snc_free(to);
    return err;
}

static snc_err trim_vocab(snc_tok_blob *out, const snc_tok_blob *vocab, const bool *keep, int n)
{
    int lines, kept = 0;
    for (int i = 0; i < n; i++) kept += keep[i];
    size_t bytes = copy_lines(NULL, &lines, vocab, keep, n);
    SNC_CHECK(lines == kept, SNC_E_SHAPE, "trim keeps %d pieces of a vocabulary that has %d of them", kept, lines);
    SNC_TRY(snc_alloc(&out->data, bytes + 1, 1));
    out->bytes = copy_lines(out->data, &lines, vocab, keep, n);
    return SNC_OK;
}

static snc_err trim_config(snc_tok_blob *out, const snc_tok_blob *config, const bool *keep, int n)
{
    cJSON *flags = NULL;
    SNC_TRY(snc_json_parse(&flags, config->data, config->bytes, WHERE));
    snc_err err = renumber(cJSON_GetObjectItemCaseSensitive(flags, "added"), keep, n);
    if (!err) err = snc_wordpiece__print(out, flags);
    cJSON_Delete(flags);
    return err;
}

snc_err snc_wordpiece__trim(snc_tok_assets *out, const snc_tok_assets *a, const bool *keep, int n)
{
    SNC_TRY(trim_vocab(&out->blob[SNC_WORDPIECE_VOCAB], &a->blob[SNC_WORDPIECE_VOCAB], keep, n));
    return trim_config(&out->blob[SNC_WORDPIECE_CONFIG], &a->blob[SNC_WORDPIECE_CONFIG], keep, n);
}
