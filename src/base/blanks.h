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

/* Parts a text in place into words that end with a NUL, of which it has at most half its bytes and one; how many there are. */
static inline size_t snc_part_words(const char **word, char *text, size_t bytes)
{
    const char *at = text, *end = text + bytes, *w;
    size_t n, words = 0;
    while (w = snc_next_word(&n, &at, end), n) {
        char *behind = text + (at - text);
        if (at < end) at++;
        *behind = 0;
        word[words++] = w;
    }
    return words;
}

#endif
