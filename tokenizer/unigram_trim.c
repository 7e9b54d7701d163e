/* A unigram model with fewer pieces: which have to stay, and the blobs of those that do. */
#include <string.h>

#include "tokenizer/special_priv.h"
#include "tokenizer/unigram_priv.h"

static const char WHERE[] = "tokenizer.config";

/* ---- which pieces ----------------------------------------------------------------------------------------------- */

static size_t utf8_bytes(unsigned char first) { return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4; }

bool snc_unigram__is_character(const char *p, size_t n) { return n > 0 && n == utf8_bytes((unsigned char)*p); }

bool snc_unigram__is_character_or_byte(const char *p, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";
    bool byte = n == 6 && memcmp(p, "<0x", 3) == 0 && strchr(hex, p[3]) && strchr(hex, p[4]) && p[5] == '>';
    return byte || snc_unigram__is_character(p, n);
}

static snc_err mark(bool *keep, int n, const snc_tok_blob *vocab, const cJSON *flags)
{
    static const char *const no_roles[] = {NULL};
    bool bytes;
    int unk;
    SNC_TRY(snc_json_int(&unk, flags, "unk", 0, 0, n - 1, WHERE));
    SNC_TRY(snc_json_bool(&bytes, flags, "byte_fallback", false, WHERE));
    keep[unk] = true;
    return snc_special__mark(keep, n, vocab, 0, flags, no_roles, bytes ? snc_unigram__is_character_or_byte : snc_unigram__is_character);
}

snc_err snc_unigram__need(bool *keep, int n, const snc_tok_assets *a)
{
    const snc_tok_blob *config = &a->blob[SNC_UNIGRAM_CONFIG];
    cJSON *flags = NULL;
    SNC_TRY(snc_json_parse(&flags, config->data, config->bytes, WHERE));
    snc_err err = mark(keep, n, &a->blob[SNC_UNIGRAM_VOCAB], flags);
    cJSON_Delete(flags);
    return err;
}

/* ---- the blobs -------------------------------------------------------------------------------------------------- */

static int kept_of(const bool *keep, int n)
{
    int kept = 0;
    for (int i = 0; i < n; i++) kept += keep[i];
    return kept;
}

size_t snc_unigram__trimmed_bytes(const snc_tok_assets *a, const bool *keep, int n)
{
    int pieces = 0, lines;
    size_t each = 0, bytes = snc_special__keep_lines(NULL, &lines, &a->blob[SNC_UNIGRAM_VOCAB], keep, n, 0);
    if (snc_unigram__count(&pieces, &each, a)) return snc_tok_assets_bytes(a);
    return bytes + each * (size_t)kept_of(keep, pieces < n ? pieces : n) + a->blob[SNC_UNIGRAM_CHARSMAP].bytes +
           a->blob[SNC_UNIGRAM_CONFIG].bytes;
}

static snc_err trim_scores(snc_tok_blob *out, const snc_tok_assets *a, size_t each, const bool *keep, int pieces)
{
    const char *from = a->blob[SNC_UNIGRAM_SCORES].data;
    out->bytes = each * (size_t)kept_of(keep, pieces);
    SNC_TRY(snc_alloc(&out->data, out->bytes + 1, 1));
    char *to = out->data;
    for (int i = 0; i < pieces; i++)
        if (keep[i]) {
            memcpy(to, from + each * (size_t)i, each);
            to += each;
        }
    return SNC_OK;
}

/* The score of unknowns stays: it is below that of pieces that are gone, too. */
static snc_err trim_config(snc_tok_blob *out, const snc_tok_blob *config, const bool *keep, int n, int pieces)
{
    snc_tok_blob renamed = {0};
    cJSON *flags = NULL;
    int unk;
    snc_err err = SNC_OK;
    SNC_TRY(snc_json_parse(&flags, config->data, config->bytes, WHERE));
    SNC_GOTO(snc_json_int(&unk, flags, "unk", 0, 0, pieces - 1, WHERE));
    cJSON_SetNumberValue(cJSON_GetObjectItemCaseSensitive(flags, "unk"), kept_of(keep, unk));
    cJSON_SetNumberValue(cJSON_GetObjectItemCaseSensitive(flags, "pieces"), kept_of(keep, pieces));
    SNC_GOTO(snc_special__print(&renamed, flags));
    SNC_GOTO(snc_special__trim_flags(out, &renamed, keep, n));
out:
    snc_free(renamed.data);
    cJSON_Delete(flags);
    return err;
}

snc_err snc_unigram__trim(snc_tok_assets *out, const snc_tok_assets *a, const bool *keep, int n)
{
    const snc_tok_blob *map = &a->blob[SNC_UNIGRAM_CHARSMAP];
    int pieces, ids = snc_unigram__ids(a);
    size_t each;
    SNC_TRY(snc_unigram__count(&pieces, &each, a));
    SNC_CHECK(ids <= n, SNC_E_SHAPE, "trim of %d pieces of a vocabulary that has %d", n, ids);
    SNC_TRY(snc_special__trim_lines(&out->blob[SNC_UNIGRAM_VOCAB], &a->blob[SNC_UNIGRAM_VOCAB], keep, n, 0));
    SNC_TRY(trim_scores(&out->blob[SNC_UNIGRAM_SCORES], a, each, keep, pieces));
    out->blob[SNC_UNIGRAM_CHARSMAP].bytes = map->bytes;
    SNC_TRY(snc_strndup(&out->blob[SNC_UNIGRAM_CHARSMAP].data, map->data, map->bytes));
    return trim_config(&out->blob[SNC_UNIGRAM_CONFIG], &a->blob[SNC_UNIGRAM_CONFIG], keep, n, pieces);
}
