/* The digest is of the file with its own digits as zeros, so it can stand inside, and is found without parsing the header. */
#include "core/seal.h"

#include <string.h>

/* With the colon and the quote: inside a JSON string the quote would follow a backslash, so this is a value of the header's own. */
static const char mark[] = ":\"" SNC_DIGEST_KIND;
enum { MARK = sizeof mark - 1 };

size_t snc_seal_find(const unsigned char *header, size_t n)
{
    for (size_t i = 0; n >= MARK + SNC_DIGEST_DIGITS && i <= n - MARK - SNC_DIGEST_DIGITS; i++) {
        const unsigned char *p = memchr(header + i, mark[0], n - MARK - SNC_DIGEST_DIGITS - i + 1);
        if (!p) return 0;
        i = (size_t)(p - header);
        if (memcmp(p, mark, MARK) == 0) return i + MARK;
    }
    return 0;
}

void snc_seal_set(unsigned char *digits, const snc_digest_part *parts, int n)
{
    char text[SNC_DIGEST_TEXT];
    memset(digits, '0', SNC_DIGEST_DIGITS);
    snc_digest_text(text, snc_digest(parts, n));
    memcpy(digits, text + sizeof SNC_DIGEST_KIND - 1, SNC_DIGEST_DIGITS);
}

snc_err snc_seal_check(bool *sealed, const unsigned char *data, size_t size, const char *where)
{
    size_t header = 0;
    for (int i = 7; i >= 0; i--) header = header << 8 | data[i];
    size_t at = snc_seal_find(data + 8, header);
    *sealed = at > 0;
    if (!at) return SNC_OK;
    at += 8;
    char is[SNC_DIGEST_TEXT];
    static const char zeros[SNC_DIGEST_DIGITS + 1] = "0000000000000000";
    const unsigned char *after = data + at + SNC_DIGEST_DIGITS;
    snc_digest_text(is, snc_digest((snc_digest_part[]){{data, at}, {zeros, SNC_DIGEST_DIGITS}, {after, size - at - SNC_DIGEST_DIGITS}}, 3));
    const unsigned char *says = data + at - (sizeof SNC_DIGEST_KIND - 1);
    SNC_CHECK(memcmp(is, says, SNC_DIGEST_TEXT - 1) == 0, SNC_E_FORMAT, "%s: damaged: its digest is %s, the file says %.*s", where, is,
              (int)SNC_DIGEST_TEXT - 1, (const char *)says);
    return SNC_OK;
}
