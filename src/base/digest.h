/* base/digest.h: 64 bits of some bytes that tell a damaged file, or another one, from the file that was written.
 *
 * XXH3, at the speed of memory; no protection from someone who forges. The bytes may lie in pieces:
 *
 *     char text[SNC_DIGEST_TEXT];
 *     snc_digest_text(text, snc_digest((snc_digest_part[]){{head, n}, {rest, m}}, 2));      "xxh3-64:2d06800538d394c2"
 */
#ifndef SNC_BASE_DIGEST_H
#define SNC_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define SNC_DIGEST_KIND "xxh3-64:"
enum { SNC_DIGEST_DIGITS = 16, SNC_DIGEST_TEXT = sizeof SNC_DIGEST_KIND + SNC_DIGEST_DIGITS };

typedef struct snc_digest_part {
    const void *p;
    size_t n;
} snc_digest_part;

uint64_t snc_digest(const snc_digest_part *parts, int n); /* of the parts one after the other */
void snc_digest_text(char out[SNC_DIGEST_TEXT], uint64_t digest);

#endif
