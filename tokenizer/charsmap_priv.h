/* tokenizer/charsmap_priv.h: SentencePiece's compiled map of characters, the `precompiled_charsmap` of a model.
 *
 *   u32 bytes of the array | units u32 [n]: a double array of Darts-clone | NUL-ended texts in UTF-8
 *
 * A unit has a label in bits 0-7 and 31, "a text ends here" in bit 8, its children's place in bits 10-30 (times 256 with bit 9). A key
 * leads to the place of its text. Little-endian.
 *
 * Applied as the `tokenizers` crate does (normalizers/precompiled, crate spm_precompiled): a grapheme cluster of fewer than 6 bytes as
 * a whole becomes what its shortest beginning in the map maps to, all else goes character by character.
 */
#ifndef SNC_TOKENIZER_CHARSMAP_PRIV_H
#define SNC_TOKENIZER_CHARSMAP_PRIV_H

#include "tokenizer/graphemes_priv.h"

/* A text in bytes that grows; from snc_alloc. */
typedef struct snc_bytes {
    unsigned char *p;
    size_t n, cap;
} snc_bytes;

snc_err snc_bytes__add(snc_bytes *b, const void *p, size_t n) SNC_MUST_USE;

enum { SNC_CHARSMAP_TEXT = 256 }; /* the longest text a map may have: Unicode's longest is 33 bytes */

typedef struct snc_charsmap {
    unsigned char *units; /* [4 n_units], a copy, then the texts */
    uint32_t n_units;
    const unsigned char *texts;
    size_t n_texts;
    const snc_graphemes *graphemes;
    uint8_t ascii[128]; /* what each becomes alone; KEEP says itself, DROP nothing, LOOK anything else */
} snc_charsmap;

/* SNC_E_FORMAT: no such map, or one that points outside of itself. */
snc_err snc_charsmap__init(snc_charsmap *m, const void *blob, size_t n, const snc_graphemes *g) SNC_MUST_USE;
void snc_charsmap__dispose(snc_charsmap *m);
/* Appends what n bytes of valid UTF-8 become. */
snc_err snc_charsmap__run(snc_bytes *out, const snc_charsmap *m, const unsigned char *text, size_t n) SNC_MUST_USE;

#endif
