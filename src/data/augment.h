/* data/augment.h: unlabelled rows made of a dataset's own, for distillation: a teacher can label what no person wrote.
 *
 * Distilled students learn little from rows that the teacher knows by heart; TinyBERT (Jiao et al. 2020, section 4.4) found
 * augmented text worth as much as its distillation losses. A made row is
 *
 *   one text     a row, or two rows strung together     [CLS] a [SEP]  or  [CLS] a b [SEP]
 *   a pair       a row: texts of two rows would nearly always be unlike, and teach just that
 *
 * with single pieces replaced by pieces drawn from the dataset as often as they stand there. Special tokens stay.
 *
 *   whole_words   words are replaced by words, however many pieces either has: no made row has half a word
 *   neighbours    a word of one piece (without whole_words, any piece) is replaced by one of so many of the dataset's pieces that lie
 *                 nearest to it in the model's own word table by cosine, of those that stand in the same place of a word. TinyBERT
 *                 takes words that a masked language model or GloVe finds near; the table is what we have of either
 */
#ifndef SNC_DATA_AUGMENT_H
#define SNC_DATA_AUGMENT_H

#include "base/json.h"
#include "data/dataset.h"

typedef struct snc_augment {
    double rows;    /* made rows for one row of the dataset; 0: none */
    double join;    /* share of made rows of one text that join two rows */
    double replace; /* share of pieces, or words, replaced */
    bool whole_words;
    int neighbours; /* 0: none */
} snc_augment;

/* What it has to know of pieces. */
typedef struct snc_augment_pieces {
    int V, C;
    const uint8_t *continues; /* [V], 1: goes on with a word; for both of the above */
    const float *table;       /* [V, C]; for neighbours */
} snc_augment_pieces;

/* Keys as in the struct; absent ones are 0. */
snc_err snc_augment_from_json(snc_augment *a, const cJSON *j, const char *where) SNC_MUST_USE;
cJSON *snc_augment_to_json(const snc_augment *a);

/* A dataset of d's rows followed by the made ones (target NaN, line 0), none longer than d's longest. Same seed of ctx, same rows.
 * p may be NULL where neither whole_words nor neighbours are asked for. */
snc_err snc_dataset_augment(snc_dataset **out, const snc_ctx *ctx, const snc_dataset *d, const snc_augment *a,
                            const snc_augment_pieces *p) SNC_MUST_USE;

#endif
