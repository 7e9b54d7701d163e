/* artifact/cascaded.h: what each net of a file says of each row of a split, and which of them a cascade or a budget lets answer: what
 * snc_classify and predict deliver, without running it (a row's logits depend neither on its neighbours nor on what was asked before).
 *
 *     SNC_TRY(snc_cascaded_answer(&a, ctx, &loaded, d, "eval"));   snc_cascaded_pick(logits, by, &a, cascade);   ..._dispose(&a);
 */
#ifndef SNC_ARTIFACT_CASCADED_H
#define SNC_ARTIFACT_CASCADED_H

#include "artifact/load.h"

typedef struct snc_cascaded {
    int nets, n, K;
    const snc_dataset *d;    /* borrowed */
    float *z[SNC_NETS_MOST]; /* of each net [n, K], classes as the file has them */
} snc_cascaded;

typedef struct snc_cascaded_share {
    int rows, agree; /* that it answers, and of these those that the largest net answers alike */
} snc_cascaded_share;

/* l: behind snc_loaded_open_nets. As snc_loaded_answer of each net. */
snc_err snc_cascaded_answer(snc_cascaded *out, const snc_ctx *ctx, const snc_loaded *l, const snc_dataset *d,
                            const char *what) SNC_MUST_USE;
/* logits [n, K] that are delivered, and by [n] whose they are. */
void snc_cascaded_pick(float *logits, uint8_t *by, const snc_cascaded *a, const snc_cascade *c);
/* share [nets] */
void snc_cascaded_shares(snc_cascaded_share *share, const snc_cascaded *a, const uint8_t *by);
void snc_cascaded_dispose(snc_cascaded *a);
/* All of it by l's cascade or budget, by its net where it has neither: logits [n, K] as delivered; share [nets], of a cascade or budget
 * alone, or NULL. Of pairs whose vectors are compared: their cosines [n], and no shares. */
snc_err snc_cascaded_deliver(float *logits, snc_cascaded_share *share, const snc_ctx *ctx, const snc_loaded *l, const snc_dataset *d,
                             const char *what) SNC_MUST_USE;

#endif
