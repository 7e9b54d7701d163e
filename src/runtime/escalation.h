/* runtime/escalation.h: a batch through the nets of a cascade (models/cascade.h), the smallest first: texts whose answer stands leave it,
 * the rest is regrouped for the next net that takes part.
 *
 *     SNC_TRY(snc_escalation_new(&e, nets, &cascade, K, max_tokens, max_seqs));   SNC_TRY(snc_escalation_run(logits, by, e, &batch));
 *
 * Where the net that is asked next begins with the layers of this one (models/bundle.h: snc_bundle_handover), texts go on from the hidden
 * state that this one has left, which moves with them, instead of starting anew: early exit. Answers are the same bits; only time differs.
 *
 * Nets and cascade are borrowed. Running allocates nothing. A text's answer does not depend on the others of its batch, as a net's does
 * not. One thread of control.
 */
#ifndef SNC_RUNTIME_ESCALATION_H
#define SNC_RUNTIME_ESCALATION_H

#include "models/cascade.h"
#include "models/runtime.h"

typedef struct snc_escalation snc_escalation;

/* nets [c->nets], the largest first, each planned for as much. */
snc_err snc_escalation_new(snc_escalation **out, snc_net *const *nets, const snc_cascade *c, int K, int max_tokens,
                           int max_seqs) SNC_MUST_USE;
void snc_escalation_free(snc_escalation *e);
/* logits [B, K] and which net said them, by [B], in the order of x. A net whose logits of a text are not finite is not sure of it.
 * SNC_E_DIVERGED: not even the largest one's are; all are written. */
snc_err snc_escalation_run(float *logits, uint8_t *by, snc_escalation *e, const snc_tokens *x) SNC_MUST_USE;

#endif
