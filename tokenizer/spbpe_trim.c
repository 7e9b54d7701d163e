/* SentencePiece's BPE with fewer pieces: the parts of what stays, and the blobs of that alone. */
#include "base/mem.h"
#include "tokenizer/bpe_priv.h"
#include "tokenizer/spbpe_priv.h"
#include "tokenizer/special_priv.h"
#include "tokenizer/unigram_priv.h"

static const char WHERE[] = SNC_SPECIAL_WHERE;
static const char *const roles[] = {"unk", NULL};

snc_err snc_spbpe__need(bool *keep, int n, const snc_tok_assets *a)
{
    const snc_tok_blob *config = &a->blob[SNC_SPBPE_CONFIG], *vocab = &a->blob[SNC_SPBPE_VOCAB];
    cJSON *flags = NULL;
    bool bytes = false;
    SNC_TRY(snc_json_parse(&flags, config->data, config->bytes, WHERE));
    snc_err err = snc_json_bool(&bytes, flags, "byte_fallback", false, WHERE);
    if (!err)
        err = snc_special__mark(keep, n, vocab, 0, flags, roles, bytes ? snc_unigram__is_character_or_byte : snc_unigram__is_character);
    cJSON_Delete(flags);
    return err ? err : snc_bpe__close(keep, n, vocab, 0, &a->blob[SNC_SPBPE_MERGES], config);
}

size_t snc_spbpe__trimmed_bytes(const snc_tok_assets *a, const bool *keep, int n)
{
    const snc_tok_blob *vocab = &a->blob[SNC_SPBPE_VOCAB];
    int lines;
    return snc_special__keep_lines(NULL, &lines, vocab, keep, n, 0) +
           snc_bpe__trimmed_merges(vocab, 0, &a->blob[SNC_SPBPE_MERGES], &a->blob[SNC_SPBPE_CONFIG], keep, n) +
           a->blob[SNC_SPBPE_CHARSMAP].bytes + a->blob[SNC_SPBPE_CONFIG].bytes;
}

snc_err snc_spbpe__trim(snc_tok_assets *out, const snc_tok_assets *a, const bool *keep, int n)
{
    const snc_tok_blob *map = &a->blob[SNC_SPBPE_CHARSMAP], *vocab = &a->blob[SNC_SPBPE_VOCAB];
    SNC_TRY(snc_special__trim_lines(&out->blob[SNC_SPBPE_VOCAB], vocab, keep, n, 0));
    SNC_TRY(snc_bpe__trim_merges(&out->blob[SNC_SPBPE_MERGES], vocab, 0, &a->blob[SNC_SPBPE_MERGES], &a->blob[SNC_SPBPE_CONFIG], keep, n));
    out->blob[SNC_SPBPE_CHARSMAP].bytes = map->bytes;
    SNC_TRY(snc_strndup(&out->blob[SNC_SPBPE_CHARSMAP].data, map->data, map->bytes));
    return snc_special__trim_flags(&out->blob[SNC_SPBPE_CONFIG], &a->blob[SNC_SPBPE_CONFIG], keep, n);
}
