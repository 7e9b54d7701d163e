/* artifact/batches.h: rows of a split in batches of like length, for nets that answer them once or again and again.
 *
 *     SNC_TRY(snc_batches_open(&b, d, K, 64));
 *     for (int i = 0; i < b.n; i++) SNC_GOTO(snc_batches_run(logits, &b, net, i));
 *     snc_batches_close(&b);
 *
 * Batch i is the same rows wherever the split is the same. The net is planned for `size` x d->max_len. One thread at a time.
 */
#ifndef SNC_ARTIFACT_BATCHES_H
#define SNC_ARTIFACT_BATCHES_H

#include "data/dataset.h"
#include "models/runtime.h"

typedef struct snc_batches {
    const snc_dataset *d; /* borrowed */
    int K, size, n;       /* logits of an answer; rows of a batch, the last may have fewer; batches */
    snc_batcher *batcher;
    int32_t *rows; /* [d->n], the shortest first */
    float *out;    /* logits of a batch */
} snc_batches;

snc_err snc_batches_open(snc_batches *out, const snc_dataset *d, int K, int size) SNC_MUST_USE;
void snc_batches_close(snc_batches *b);
/* The rows of batches [from, end): *n of them. */
const int32_t *snc_batches_rows(int *n, const snc_batches *b, int from, int end);
/* Their answers. */
size_t snc_batches_answers(const snc_batches *b, int from, int end);
/* Batch i by net, into the logits of all answers of the split [snc_dataset_answers(d), K]. Errors are snc_net_run's; SNC_E_DIVERGED names
 * the row of one that is not finite. */
snc_err snc_batches_run(float *logits, snc_batches *b, snc_net *net, int i) SNC_MUST_USE;

#endif
