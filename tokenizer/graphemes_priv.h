/* tokenizer/graphemes_priv.h: where grapheme clusters end (Unicode's UAX 29, extended), and decomposition by compatibility.
 *
 *   page   [0x1100]      uint16   which row holds the 256 code points cp >> 8
 *   klass  [rows][256]   uint8    snc_grapheme_class
 *
 * Immutable and shared by threads.
 */
#ifndef SNC_TOKENIZER_GRAPHEMES_PRIV_H
#define SNC_TOKENIZER_GRAPHEMES_PRIV_H

#include "tokenizer/unicode_priv.h"

typedef enum snc_grapheme_class {
    SNC_GR_OTHER,
    SNC_GR_CR,
    SNC_GR_LF,
    SNC_GR_CONTROL,
    SNC_GR_EXTEND,
    SNC_GR_JOINING, /* Extend that may stand inside a conjunct */
    SNC_GR_LINKER,  /* Extend that makes one */
    SNC_GR_ZWJ,     /* extends, and joins pictures */
    SNC_GR_SPACING,
    SNC_GR_PREPEND,
    SNC_GR_PICTURE,
    SNC_GR_CONSONANT,
    SNC_GR_L, /* Hangul */
    SNC_GR_V,
    SNC_GR_T,
    SNC_GR_LV,
    SNC_GR_LVT
} snc_grapheme_class;

typedef struct snc_graphemes {
    uint16_t page[0x1100];
    uint8_t (*klass)[256];
} snc_graphemes;

snc_err snc_graphemes__init(snc_graphemes *g) SNC_MUST_USE;
void snc_graphemes__dispose(snc_graphemes *g);
/* Bytes of the cluster that n >= 1 bytes of valid UTF-8 begin with. Two regional indicators count as two clusters: of 4 bytes each,
 * which no map can tell from one of 8. */
size_t snc_graphemes__next(const snc_graphemes *g, const unsigned char *text, size_t n);

#endif
