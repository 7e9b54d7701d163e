/* base/blanks.h: what parts the words of a text: the white space of ASCII. */
#ifndef SNC_BASE_BLANKS_H
#define SNC_BASE_BLANKS_H

#include <stdbool.h>
#include <stddef.h>

static inline bool snc_is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The next word of *at .. end, of n bytes, behind which *at is then. n 0: there is none. */
static inline const char *snc_next_word(size_t *n, const char **at, const char *end)
{
    while (*at < end && snc_is_blank(**at)) ++*at;
    const char *word = *at;
    while (*at < end && !snc_is_blank(**at)) ++*at;
    *n = (size_t)(*at - word);
    return word;
}

#endif
