/* train/data_sampler.h: which rows a training step meets: data samplers, and the registry of them.
 *
 * A data sampler is a file under data_samplers/ and a row of the registry in data_sampler.c. One without `draw` leaves the order to the
 * batcher: every row once an epoch. The others draw rows, with replacement, for as many batches at a time as the batcher sorts by length
 * (a chunk: 50, or an epoch where that has fewer), so that batches stay of about one length; an epoch is as many steps as before.
 *
 * What one has learnt is a flat block of floats, zeros at first. `draw` reads it, with a generator that depends on seed and chunk alone;
 * `tell` alone changes it, after a whole step. The block, with the rows of the chunk, is all that a resumed run needs.
 *
 *     SNC_TRY(snc_data_sampler_create(&s, kind, seed, batcher, &view, steps));
 *     snc_data_sampler_batch(&x, &rows, s, step);
 *     of each net, its gradient known:  snc_data_sampler_see(s, &seen);
 *     the step made:                    snc_data_sampler_tell(s);
 */
#ifndef SNC_TRAIN_DATA_SAMPLER_H
#define SNC_TRAIN_DATA_SAMPLER_H

#include "base/rng.h"
#include "data/dataset.h"
#include "train/checkpoint.h"
#include "train/loss.h"

typedef struct snc_data_view {
    const snc_dataset *d;
    const float *taught; /* [n, K] logits of the teacher, or NULL */
    int K;
    snc_meaning problem;
} snc_data_view;

/* What a step came to for its rows. */
typedef struct snc_data_told {
    const int32_t *rows; /* [B] */
    float *logits;       /* [B, K] of the largest net, or the first that the row met in the step */
    float *loss;         /* [B] of that net: by the label, else to the teacher, else 0 */
    float *gradient;     /* [B] length of the loss's gradient by the row's logits, summed over the nets of the step */
    int B;
} snc_data_told;

typedef struct snc_data_sampler_kind {
    const char *name;
    bool weighs; /* rows have weights, which their gradients are multiplied by */
    /* Whether it can do with rows of this kind; NULL: with any. */
    snc_err (*check)(snc_meaning problem);
    size_t (*floats)(int n, int K); /* of its state, for n rows */
    /* n rows, and of those that weigh the weight [v->d->n] of each row of the data; done: the part of the run that is made, from 0 to 1.
     * scratch [v->d->n + 1]. */
    void (*draw)(int32_t *rows, float *weight, const float *state, const snc_data_view *v, int n, double done, double *scratch,
                 snc_rng *rng);
    void (*tell)(float *state, const snc_data_view *v, const snc_data_told *t);
} snc_data_sampler_kind;

extern const snc_data_sampler_kind snc_data_sampler_shuffle; /* where nobody says */

const char *snc_data_sampler_name(int i); /* of the registry; NULL past the last */
/* SNC_E_ARG lists the names. */
snc_err snc_data_sampler_find(const snc_data_sampler_kind **out, const char *name) SNC_MUST_USE;
/* Whether it can do with rows of this kind. */
static inline snc_err snc_data_sampler_check(const snc_data_sampler_kind *kind, snc_meaning problem)
{
    SNC_CHECK(problem != SNC_MEANS_TAGS || kind == &snc_data_sampler_shuffle, SNC_E_ARG,
              "data sampler '%s': needs rows of one answer each, not of one a word", kind->name);
    return kind->check ? kind->check(problem) : SNC_OK;
}

typedef struct snc_data_sampler snc_data_sampler;

/* Borrows b and v, whose teacher may come later, before the first batch. steps: of the whole run. */
snc_err snc_data_sampler_create(snc_data_sampler **out, const snc_data_sampler_kind *kind, uint64_t seed, snc_batcher *b,
                                const snc_data_view *v, int64_t steps) SNC_MUST_USE;
void snc_data_sampler_free(snc_data_sampler *s);
/* The batch of a step; x and rows [x->B] are borrowed until the next call. Steps follow one another, or a block that was written. */
void snc_data_sampler_batch(snc_tokens *x, const int32_t **rows, snc_data_sampler *s, int64_t step);
/* A net on rows of the batch from `first` on. */
typedef struct snc_data_seen {
    bool anew; /* the first net of the step that these rows meet */
    int first, B;
    float *dlogits;             /* [B, K] */
    const float *logits, *soft; /* [B, K]; soft NULL: it has no teacher */
    const snc_loss_labels *y;
} snc_data_seen;
/* Looks at it, then multiplies dlogits by the weights of the rows. */
void snc_data_sampler_see(snc_data_sampler *s, const snc_data_seen *n);
/* What it has seen of the step so far, where it draws rows: to be completed with what other ranks have seen, before it is told. */
snc_data_told snc_data_sampler_told(const snc_data_sampler *s);
void snc_data_sampler_tell(snc_data_sampler *s);
snc_block snc_data_sampler_block(snc_data_sampler *s); /* its state; 0 bytes: none */

/* For data samplers: n rows, row i with probability p_i = part * score_i / (sum of scores) + (1 - part) / rows, a row of score 0, which
 * was not met yet, as the mean of the others; weight NULL, or 1 / (rows p_i), at most SNC_DATA_WEIGHT_MOST, of each row. scratch
 * [rows + 1]. */
#define SNC_DATA_WEIGHT_MOST 10.0
void snc_data_draw_by(int32_t *rows, float *weight, double (*score)(float state), const float *state, int all, int n, double part,
                      double *scratch, snc_rng *rng);

#endif
