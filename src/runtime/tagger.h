/* runtime/tagger.h: words in, logits of each out: behind snc_tag and the program's predict, for models that tag words.
 *
 *     SNC_TRY(snc_tagger_new(&t, ctx, &weights, 1, tok, max_length, SNC_LONG_PARTS));
 *     SNC_TRY(snc_tagger_begin(t));   SNC_TRY(snc_tagger_add(t, "Ekeus", 5)); ...   snc_tagger_end(t);      a text, or more of them
 *     SNC_TRY(snc_tagger_run(logits, t));          [snc_tagger_waiting(t), classes], and it is empty again
 *
 * Context, weights and tokenizer are borrowed; one serves one thread of control. Texts are cut and windowed as tokenizer/words.h says.
 */
#ifndef SNC_RUNTIME_TAGGER_H
#define SNC_RUNTIME_TAGGER_H

#include "models/runtime.h"
#include "tokenizer/words.h"

typedef struct snc_tagger snc_tagger;

/* weights: of the nets that may answer, the first does. */
snc_err snc_tagger_new(snc_tagger **out, const snc_ctx *ctx, snc_weights *const *weights, int nets, const snc_tok *tok, int max_length,
                       snc_long long_texts) SNC_MUST_USE;
void snc_tagger_use(snc_tagger *t, int net);
void snc_tagger_free(snc_tagger *t);

snc_err snc_tagger_begin(snc_tagger *t) SNC_MUST_USE;
snc_err snc_tagger_add(snc_tagger *t, const char *word, size_t bytes) SNC_MUST_USE;
void snc_tagger_end(snc_tagger *t);
int snc_tagger_waiting(const snc_tagger *t);                /* words that have a place: with SNC_LONG_CUT the first ones of a text */
const snc_tok_words *snc_tagger_words(const snc_tagger *t); /* of the texts that wait: what was cut or broken */
void snc_tagger_clear(snc_tagger *t);
/* SNC_E_DIVERGED: logits of some word are not finite; all are written. */
snc_err snc_tagger_run(float *logits, snc_tagger *t) SNC_MUST_USE;

#endif
