/* core/meaning.h: what the outputs of a classifier mean. */
#ifndef SNC_CORE_MEANING_H
#define SNC_CORE_MEANING_H

typedef enum snc_meaning {
    SNC_MEANS_CLASSES,    /* one of K: softmax */
    SNC_MEANS_REGRESSION, /* a value */
    SNC_MEANS_MULTILABEL  /* any of K, each by itself: sigmoid, there from a threshold on */
} snc_meaning;

#endif
