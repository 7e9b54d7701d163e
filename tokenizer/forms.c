/* Expansions are found by bisection; what lies between them is copied as it is. */
#include "tokenizer/forms_priv.h"

#include <stdlib.h>
#include <string.h>

#include "tokenizer/forms_unicode_tables.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int by_code_point(const void *key, const void *row)
{
    const uint32_t *cp = key;
    const form_compat *c = row;
    return *cp < c->cp ? -1 : *cp > c->cp;
}

static snc_err put(snc_bytes *out, uint32_t cp)
{
    unsigned char utf8[4];
    return snc_bytes__add(out, utf8, snc_utf8__put(utf8, cp));
}

snc_err snc_forms__expand(snc_bytes *out, const unsigned char *text, size_t n)
{
    size_t copied = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        size_t bytes = snc_utf8__get(&cp, text + i);
        const form_compat *c =
            cp < form_compats[0].cp ? NULL : bsearch(&cp, form_compats, COUNT(form_compats), sizeof *form_compats, by_code_point);
        if (c) {
            SNC_TRY(snc_bytes__add(out, text + copied, i - copied));
            for (int k = 0; k < c->n; k++) SNC_TRY(put(out, form_compat_to[c->at + k]));
            copied = i + bytes;
        }
        i += bytes;
    }
    return snc_bytes__add(out, text + copied, n - copied);
}
