/* models/space_priv.h: the lists of options that a space is laid out from. */
#ifndef SNC_MODELS_SPACE_PRIV_H
#define SNC_MODELS_SPACE_PRIV_H

#include "models/space.h"

typedef struct snc_space__lists {
    snc_gene depth, hidden, heads, ffn, linear, pooler, classifier, embed;
    bool apart;                  /* Q, K and V have a gene each */
    bool single;                 /* and so has each layer */
    bool hf;                     /* nets that a Hugging Face folder can say, alone */
    bool always[SNC_MAX_LAYERS]; /* see snc_space */
} snc_space__lists;

/* Whether a file's object asks for the wide lists; false for NULL. */
snc_err snc_space__reach(bool *wide, const cJSON *j, const char *where) SNC_MUST_USE;
/* Puts the lists of a file's object in place of those that are there. */
snc_err snc_space__read(snc_space__lists *t, const cJSON *j, const snc_arch *full, const char *where) SNC_MUST_USE;
/* s->kept of a depth option: the object's own list, or the rule's. j may be NULL. */
snc_err snc_space__read_kept(snc_space *s, int option, const cJSON *j, const char *where) SNC_MUST_USE;
/* Whether every net of a depth option has a layer with heads. */
bool snc_space__works(const snc_space *s, int depth);

#endif
