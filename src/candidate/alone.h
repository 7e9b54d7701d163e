/* candidate/alone.h: nets of a supernet distilled by themselves, and what they then score on select as the files that they would be.
 *
 * By the same steps, rows and fake quantization (that of a repair): from the supernet's weights, as a job delivers a net, or from those
 * of the teacher in importance order, which the supernet itself began from: then nothing of the supernet's training is in it.
 */
#ifndef SNC_CANDIDATE_ALONE_H
#define SNC_CANDIDATE_ALONE_H

#include "candidate/delivery.h"

typedef struct snc_alone {
    snc_evaluator *e; /* borrowed */
    const snc_options *o;
    const char *folder; /* where a net lies while it is scored */
    snc_refit refit;    /* train and its teacher: select judges */
    snc_model *ordered; /* the teacher in importance order, once it is asked for */
} snc_alone;

typedef struct snc_alone_score {
    double loss, score; /* to the teacher, of the task; on select */
} snc_alone_score;

/* Cut out of the supernet and repaired. */
snc_err snc_alone_repaired(snc_alone_score *out, snc_alone *a, const snc_cfg *cfg) SNC_MUST_USE;
/* From the teacher's weights. */
snc_err snc_alone_taught(snc_alone_score *out, snc_alone *a, const snc_cfg *cfg) SNC_MUST_USE;
void snc_alone_dispose(snc_alone *a);

#endif
