/* base/utf8.h: which bytes are UTF-8 (RFC 3629: no surrogates, nothing longer than it need be). */
#ifndef SNC_BASE_UTF8_H
#define SNC_BASE_UTF8_H

#include <stddef.h>

/* Bytes of the valid sequence at p, 1 to 4; 0: there is none. n >= 1: bytes that there are. */
static inline size_t snc_utf8_sequence(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80) return 1;
    size_t len = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (len == 0 || len > n) return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
        return 0;
    return len;
}

#endif
