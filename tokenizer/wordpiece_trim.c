/* WordPiece with fewer pieces: which have to stay, and the blobs of those that do. */
#include <string.h>

#include "tokenizer/special_priv.h"
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

static const char *const roles[] = {"unk", "cls", "sep", "pad", "mask", NULL};

static snc_err mark(bool *keep, int n, const snc_tok_blob *vocab, const cJSON *flags)
{
    const char *end = vocab->data + vocab->bytes;
    snc_special_names special = {0};
    snc_err err = SNC_OK;
    SNC_GOTO(snc_special__names(&special, flags, roles));
    int id = 0;
    for (const char *p = vocab->data; p < end && id < n; id++) {
        const char *e = line_end(p, end);
        if (one_character(p, (size_t)(e - p)) || snc_special__named(&special, p, (size_t)(e - p))) keep[id] = true;
        p = e + 1;
    }
    SNC_GOTO(snc_special__apart(keep, flags, n));
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

size_t snc_wordpiece__trimmed_bytes(const snc_tok_assets *a, const bool *keep, int n)
{
    int lines; /* of the flags only the numbers of added tokens change */
    return snc_special__keep_lines(NULL, &lines, &a->blob[SNC_WORDPIECE_VOCAB], keep, n) + a->blob[SNC_WORDPIECE_CONFIG].bytes;
}

snc_err snc_wordpiece__trim(snc_tok_assets *out, const snc_tok_assets *a, const bool *keep, int n)
{
    SNC_TRY(snc_special__trim_lines(&out->blob[SNC_WORDPIECE_VOCAB], &a->blob[SNC_WORDPIECE_VOCAB], keep, n));
    return snc_special__trim_flags(&out->blob[SNC_WORDPIECE_CONFIG], &a->blob[SNC_WORDPIECE_CONFIG], keep, n);
}
