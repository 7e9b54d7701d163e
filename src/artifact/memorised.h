/* artifact/memorised.h: whether a teacher that came with a job has likely learnt the rows that nets are judged on.
 *
 * A model that was fine-tuned elsewhere has mostly seen all of train, rank and select with it: what it says of those is what it was told,
 * surer and more often right than what it says of other text. Its loss tells (Yeom et al. 2018): of the labels of select it is far under
 * that of dev's, which nobody trains on.
 */
#ifndef SNC_ARTIFACT_MEMORISED_H
#define SNC_ARTIFACT_MEMORISED_H

#include "artifact/inputs.h"

typedef struct snc_memorised {
    double select, dev; /* mean loss of the labels */
    bool likely;        /* that of select is less than half of dev's, by more than three standard errors of the difference */
} snc_memorised;

/* teacher: a model of the task; the first thousand rows of either split are asked. in->dev is there. */
snc_err snc_memorised_look(snc_memorised *out, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in,
                           const char *teacher) SNC_MUST_USE;

#endif
