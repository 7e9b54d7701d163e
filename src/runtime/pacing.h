/* runtime/pacing.h: each text of a batch by the largest net whose time at its length is within a budget (models/speeds.h); those of one
 * net are regrouped for it.
 *
 *     SNC_TRY(snc_pacing_new(&p, nets, &speeds, K, max_tokens, max_seqs));   SNC_TRY(snc_pacing_run(logits, by, over, p, 800, &batch));
 *
 * The budget is that of a text by itself, whatever else is in the batch, so that its answer does not depend on the others. Nets and
 * speeds are borrowed. Running allocates nothing. One thread of control.
 */
#ifndef SNC_RUNTIME_PACING_H
#define SNC_RUNTIME_PACING_H

#include "models/runtime.h"
#include "models/speeds.h"

typedef struct snc_pacing snc_pacing;

/* nets [s->nets], the largest first, each planned for as much. */
snc_err snc_pacing_new(snc_pacing **out, snc_net *const *nets, const snc_speeds *s, int K, int max_tokens, int max_seqs) SNC_MUST_USE;
void snc_pacing_free(snc_pacing *p);
/* logits [B, K], which net said them, by [B], and whether even the fastest takes longer than `us`, over [B], in the order of x.
 * SNC_E_DIVERGED: those of some text are not finite; all are written. */
snc_err snc_pacing_run(float *logits, uint8_t *by, bool *over, snc_pacing *p, double us, const snc_tokens *x) SNC_MUST_USE;

#endif
