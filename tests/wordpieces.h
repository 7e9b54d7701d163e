/* WordPiece tokenizers of a test's own texts. */
#ifndef SNC_TESTS_WORDPIECES_H
#define SNC_TESTS_WORDPIECES_H

#include <string.h>

#include "tokenizer/kind.h"

/* Borrows both texts: not to be disposed of. */
static inline snc_tok_assets wordpieces(char *vocab, size_t bytes, char *config)
{
    return (snc_tok_assets){.kind = &snc_tok_wordpiece, .blob = {{vocab, bytes}, {config, strlen(config)}}};
}

static inline snc_err wordpieces_new(snc_tok **out, char *vocab, size_t bytes, char *config)
{
    snc_tok_assets a = wordpieces(vocab, bytes, config);
    return snc_tok_new(out, &a);
}

static inline char *blob_text(const snc_tok_assets *a, const char *name) { return snc_tok_blob_view(a, name)->data; }

#endif
