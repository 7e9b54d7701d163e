/* WordPiece with fewer pieces: which have to stay, and the blobs of those that do. */
#include <string.h>

#include "tokenizer/special_priv.h"
#include "tokenizer/wordpiece_priv.h"

static const char WHERE[] = "tokenizer.config";

/* ---- which pieces ----------------------------------------------------------------------------------------------- */

static size_t utf8_bytes(unsigned char first) { return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4; }

static bool one_character(const char *p, size_t n)
{
    if (n > 2 && p[0] == '#' && p[1] == '#') p += 2, n -= 2;
    return n > 0 && n == utf8_bytes((unsigned char)*p);
}

static const char *const roles[] = {"unk", "cls", "sep", "pad", "mask", NULL};

snc_err snc_wordpiece__need(bool *keep, int n, const snc_tok_assets *a)
{
    const snc_tok_blob *config = &a->blob[SNC_WORDPIECE_CONFIG];
    cJSON *flags = NULL;
    SNC_TRY(snc_json_parse(&flags, config->data, config->bytes, WHERE));
    snc_err err = snc_special__mark(keep, n, &a->blob[SNC_WORDPIECE_VOCAB], '\n', flags, roles, one_character);
    cJSON_Delete(flags);
    return err;
}

/* ---- the blobs -------------------------------------------------------------------------------------------------- */

size_t snc_wordpiece__trimmed_bytes(const snc_tok_assets *a, const bool *keep, int n)
{
    int lines; /* of the flags only the numbers of added tokens change */
    return snc_special__keep_lines(NULL, &lines, &a->blob[SNC_WORDPIECE_VOCAB], keep, n, '\n') + a->blob[SNC_WORDPIECE_CONFIG].bytes;
}

snc_err snc_wordpiece__trim(snc_tok_assets *out, const snc_tok_assets *a, const bool *keep, int n)
{
    SNC_TRY(snc_special__trim_lines(&out->blob[SNC_WORDPIECE_VOCAB], &a->blob[SNC_WORDPIECE_VOCAB], keep, n, '\n'));
    return snc_special__trim_flags(&out->blob[SNC_WORDPIECE_CONFIG], &a->blob[SNC_WORDPIECE_CONFIG], keep, n);
}
