/* runtime/text_batch.h: texts in, logits out: the one loop behind snc_classify and the program's predict.
 *
 *     SNC_TRY(snc_text_batch_new(&b, ctx, &weights, 1, tok, max_length, most));
 *     SNC_TRY(snc_text_batch_add(&facts, b, text, bytes, NULL, 0));     as often as `most`
 *     SNC_TRY(snc_text_batch_run(logits, NULL, NULL, b));               and the batch is empty again
 *
 * A text is tokenized when it is added, and may go then. Context, weights and tokenizer are borrowed; one batch serves one thread of
 * control.
 */
#ifndef SNC_RUNTIME_TEXT_BATCH_H
#define SNC_RUNTIME_TEXT_BATCH_H

#include <stdbool.h>

#include "models/runtime.h"
#include "runtime/escalation.h"
#include "runtime/pacing.h"

typedef struct snc_text_batch snc_text_batch;

/* What is known of a text beside its logits. */
typedef struct snc_text_facts {
    bool cut, broken; /* it was longer than the model takes; bytes of it were no UTF-8 */
} snc_text_facts;

/* At most `most` texts of max_length tokens, longer ones cut. weights: of the nets that may answer, at most SNC_NETS_MOST of one
 * tokenizer; the first does. */
snc_err snc_text_batch_new(snc_text_batch **out, const snc_ctx *ctx, snc_weights *const *weights, int nets, const snc_tok *tok,
                           int max_length, int most) SNC_MUST_USE;
/* Which of them answers from here on, the texts that wait included: nothing is allocated, nothing can fail. 0 <= k < nets. */
void snc_text_batch_use(snc_text_batch *b, int k);
/* Prepares for all of them to answer by a cascade and by a table of times of as many nets, borrowed; NULL: not by that. Once, after new. */
snc_err snc_text_batch_prepare(snc_text_batch *b, const snc_cascade *c, const snc_speeds *s) SNC_MUST_USE;
/* They do by the cascade from here on, or each text by the largest that takes at most `us`, until another of these three is called.
 * Prepared: as snc_text_batch_use, nothing can fail. */
void snc_text_batch_escalate(snc_text_batch *b);
void snc_text_batch_pace(snc_text_batch *b, double us);
void snc_text_batch_free(snc_text_batch *b);

/* pair NULL: a single text. facts may be NULL. */
snc_err snc_text_batch_add(snc_text_facts *facts, snc_text_batch *b, const char *text, size_t bytes, const char *pair,
                           size_t pair_bytes) SNC_MUST_USE;
int snc_text_batch_waiting(const snc_text_batch *b); /* texts that were added since the last run */
void snc_text_batch_clear(snc_text_batch *b);
/* logits [waiting, classes] in the order of adding, which net said them, by [waiting] or NULL, and whether it takes longer than was
 * allowed, over [waiting] or NULL; none waiting: nothing. SNC_E_DIVERGED: those of some text are not finite; all are written. */
snc_err snc_text_batch_run(float *logits, uint8_t *by, bool *over, snc_text_batch *b) SNC_MUST_USE;

#endif
