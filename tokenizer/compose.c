/* Decomposed text is composed in place: what is written never overtakes what is read, as a pair takes no less room than its composite. */
#include "tokenizer/compose_priv.h"

#include <string.h>

#include "base/mem.h"

enum { FIRST_MARKED = 0xcc }; /* the first byte of U+0300, below which nothing composes */

static bool is_composed(const unsigned char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] >= FIRST_MARKED) return false;
    return true;
}

/* The last starter of what is written, and the class of what was written behind it; nothing: -1. */
typedef struct starter {
    size_t at, bytes; /* bytes 0: none yet */
    uint32_t cp;
    int last;
} starter;

static void replace(snc_norm_buf *b, starter *s, uint32_t cp)
{
    unsigned char text[4];
    size_t bytes = snc_utf8__put(text, cp), end = s->at + s->bytes;
    memmove(b->text + s->at + bytes, b->text + end, b->n - end);
    memcpy(b->text + s->at, text, bytes);
    b->n = b->n - s->bytes + bytes;
    s->cp = cp;
    s->bytes = bytes;
}

static void compose(snc_norm_buf *b, size_t n)
{
    starter s = {.last = -1};
    b->n = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp, to;
        unsigned k = snc_utf8__get(&cp, b->text + i);
        int class = (int)snc_uni__class(cp);
        bool free = s.bytes && (s.last < 0 || (s.last < class && s.last > 0));
        i += k;
        if (free && snc_uni__compose(&to, s.cp, cp)) {
            replace(b, &s, to);
            continue;
        }
        if (class == 0) s = (starter){.at = b->n, .bytes = k, .cp = cp, .last = -1};
        else s.last = class;
        b->n += snc_utf8__put(b->text + b->n, cp);
    }
}

snc_err snc_compose__run(snc_norm_buf *out, const snc_norm *decompose, const unsigned char *s, size_t n)
{
    if (is_composed(s, n)) {
        SNC_TRY(snc_grow(&out->text, &out->cap, n + SNC_NORM_PAD, 1));
        memcpy(out->text, s, n);
        out->n = n;
    } else {
        SNC_TRY(snc_norm__run(out, decompose, s, n));
        compose(out, out->n);
    }
    memset(out->text + out->n, 0, SNC_NORM_PAD);
    return SNC_OK;
}
