/* Windows are run a few at a time; the words that are read lie in their order. */
#include "runtime/tagger.h"

#include <assert.h>

#include "base/mem.h"
#include "base/minmax.h"

enum { TOGETHER = 32 }; /* windows of a run */

struct snc_tagger {
    snc_net *net[SNC_NETS_MOST];
    int nets, now, K;
    snc_tok_words *w;
    int32_t *types, *offsets, *read; /* of a run: [tokens] zeros, [TOGETHER + 1], [tokens] */
};

snc_err snc_tagger_new(snc_tagger **out, const snc_ctx *ctx, snc_weights *const *weights, int nets, const snc_tok *tok, int max_length,
                       snc_long long_texts)
{
    const size_t tokens = (size_t)TOGETHER * (size_t)max_length;
    const snc_net_opts o = {.max_tokens = (int)tokens, .max_seqs = TOGETHER, .max_len = max_length};
    snc_tagger *t = NULL;
    snc_err err = SNC_OK;
    assert(nets >= 1 && nets <= SNC_NETS_MOST);
    SNC_TRY(snc_alloc(&t, 1, sizeof *t));
    t->K = snc_weights_config(weights[0])->classes;
    SNC_GOTO(snc_tok_words_new(&t->w, tok, max_length, long_texts));
    SNC_GOTO(snc_alloc(&t->types, tokens, sizeof *t->types));
    SNC_GOTO(snc_alloc(&t->offsets, TOGETHER + 1, sizeof *t->offsets));
    SNC_GOTO(snc_alloc(&t->read, tokens, sizeof *t->read));
    for (; t->nets < nets; t->nets++) SNC_GOTO(snc_net_create(&t->net[t->nets], ctx, weights[t->nets], NULL, NULL, &o));
    *out = t;
    t = NULL;
out:
    snc_tagger_free(t);
    return err;
}

void snc_tagger_free(snc_tagger *t)
{
    if (!t) return;
    for (int k = 0; k < t->nets; k++) snc_net_free(t->net[k]);
    snc_tok_words_free(t->w);
    snc_free(t->types);
    snc_free(t->offsets);
    snc_free(t->read);
    snc_free(t);
}

void snc_tagger_use(snc_tagger *t, int net) { t->now = net; }
snc_err snc_tagger_begin(snc_tagger *t) { return snc_tok_words_begin(t->w); }
snc_err snc_tagger_add(snc_tagger *t, const char *word, size_t bytes) { return snc_tok_words_add(t->w, word, bytes); }
void snc_tagger_end(snc_tagger *t) { snc_tok_words_end(t->w); }
int snc_tagger_waiting(const snc_tagger *t) { return t->w->words; }
const snc_tok_words *snc_tagger_words(const snc_tagger *t) { return t->w; }
void snc_tagger_clear(snc_tagger *t) { snc_tok_words_clear(t->w); }

/* Windows [first, end); word: the first of theirs, and behind them the first of the next. */
static snc_err run_windows(float *logits, int *word, const snc_tagger *t, int first, int end)
{
    const snc_tok_words *w = t->w;
    const int32_t at = w->start[first];
    const int from = *word;
    for (int i = first; i <= end; i++) t->offsets[i - first] = w->start[i] - at;
    snc_tokens x = {.B = end - first, .T = w->start[end] - at, .ids = w->ids + at, .types = t->types, .offsets = t->offsets};
    for (; *word < w->words && w->window[*word] < end; ++*word) t->read[x.R++] = w->read[*word] - at;
    x.read = t->read;
    return x.R ? snc_net_run(logits + (size_t)from * (size_t)t->K, t->net[t->now], &x) : SNC_OK;
}

snc_err snc_tagger_run(float *logits, snc_tagger *t)
{
    snc_err bad = SNC_OK;
    int word = 0;
    for (int i = 0; i < t->w->windows; i += TOGETHER) {
        snc_err err = run_windows(logits, &word, t, i, snc_min(i + TOGETHER, t->w->windows));
        if (err == SNC_E_DIVERGED) bad = err;
        else SNC_TRY(err);
    }
    snc_tagger_clear(t);
    return bad;
}
