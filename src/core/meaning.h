/* core/meaning.h: what the outputs of a classifier mean. */
#ifndef SNC_CORE_MEANING_H
#define SNC_CORE_MEANING_H

#include <stdbool.h>

typedef enum snc_meaning {
    SNC_MEANS_CLASSES,    /* one of K: softmax */
    SNC_MEANS_REGRESSION, /* a value */
    SNC_MEANS_SCORE,      /* a value between 0 and 1, the sigmoid of the one output: a cross-encoder's */
    SNC_MEANS_MULTILABEL, /* any of K, each by itself: sigmoid, there from a threshold on */
    SNC_MEANS_VECTOR,     /* all K together, by their direction alone: a text's embedding */
    SNC_MEANS_TAGS        /* one of K of each token: softmax */
} snc_meaning;

/* "gives a value" */
static inline const char *snc_meaning_says(snc_meaning m)
{
    static const char *const says[] = {"one class", "a value",     "a score between 0 and 1", "any number of labels",
                                       "a vector",  "a tag a word"};
    return says[m];
}

static inline bool snc_means_value(snc_meaning m) { return m == SNC_MEANS_REGRESSION || m == SNC_MEANS_SCORE; }

#endif
