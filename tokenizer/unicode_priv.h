/* tokenizer/unicode_priv.h: what a code point is, and UTF-8.
 *
 *   page   [0x1100]      uint16   which row of `flags` holds the 256 code points cp >> 8
 *   flags  [rows][256]   uint8    SNC_UNI_* bits; equal neighbours share a row (about 160 rows)
 *
 * Text inside the folder is valid UTF-8: snc_utf8__repair runs first. A table is immutable and shared by threads.
 */
#ifndef SNC_TOKENIZER_UNICODE_PRIV_H
#define SNC_TOKENIZER_UNICODE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum {
    SNC_UNI_SPACE = 1,
    SNC_UNI_PUNCT = 2,
    SNC_UNI_REMOVED = 4, /* by clean_text */
    SNC_UNI_CJK = 8,
    SNC_UNI_MN = 16,     /* nonspacing mark */
    SNC_UNI_MARK = 32,   /* combining class not 0 */
    SNC_UNI_MAPPED = 64, /* has a decomposition or a lower case */
    SNC_UNI_WORD = 128   /* \w */
};

typedef struct snc_uni {
    uint16_t page[0x1100];
    uint8_t (*flags)[256];
} snc_uni;

/* Another table of the same shape: what the pattern of byte-level BPE asks; all else is 0. */
enum { SNC_LEVEL_SPACE = 1, SNC_LEVEL_LETTER = 2, SNC_LEVEL_NUMBER = 4 };

snc_err snc_uni__init(snc_uni *u) SNC_MUST_USE;
snc_err snc_uni__init_level(snc_uni *u) SNC_MUST_USE; /* SNC_LEVEL_* in place of SNC_UNI_* */
void snc_uni__dispose(snc_uni *u);

static inline unsigned snc_uni__flags(const snc_uni *u, uint32_t cp) { return u->flags[u->page[cp >> 8]][cp & 255]; }

int snc_uni__decompose(uint32_t to[4], uint32_t cp);                  /* canonical, full; 1 and cp itself where there is none */
int snc_uni__lower(uint32_t to[2], uint32_t cp);                      /* one character at a time: no final sigma */
bool snc_uni__is_accent(uint32_t cp);                                 /* any mark: what the crate's StripAccents drops */
unsigned snc_uni__class(uint32_t cp);                                 /* canonical combining class */
bool snc_uni__compose(uint32_t *to, uint32_t first, uint32_t second); /* one step of NFC; false: the pair stays */

/* Reads the character at p, which must be valid, and returns its bytes. */
static inline unsigned snc_utf8__get(uint32_t *cp, const unsigned char *p)
{
    if (p[0] < 0x80) {
        *cp = p[0];
        return 1;
    }
    if (p[0] < 0xe0) {
        *cp = (uint32_t)(p[0] & 31) << 6 | (p[1] & 63);
        return 2;
    }
    if (p[0] < 0xf0) {
        *cp = (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63);
        return 3;
    }
    *cp = (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 63) << 12 | (uint32_t)(p[2] & 63) << 6 | (p[3] & 63);
    return 4;
}

unsigned snc_utf8__put(unsigned char *p /* room for 4 */, uint32_t cp);

/* Bytes of the longest valid prefix of s, in whole characters; n when all is valid. */
size_t snc_utf8__valid(const unsigned char *s, size_t n);

/* Copies s to out (room for 3 n bytes) with one U+FFFD for each maximal ill-formed part, as Unicode recommends (3.9,
 * U+FFFD substitution of maximal subparts); returns the bytes written. */
size_t snc_utf8__repair(unsigned char *out, const unsigned char *s, size_t n);

#endif
