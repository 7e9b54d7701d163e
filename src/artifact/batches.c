/* Batches of rows that stand by their length, ties by number: a total order. */
#include "artifact/batches.h"

#include "base/mem.h"

snc_err snc_batches_open(snc_batches *out, const snc_dataset *d, int K, int size)
{
    snc_err err = SNC_OK;
    int rows;
    *out = (snc_batches){.d = d, .K = K, .size = size, .n = (d->n + size - 1) / size};
    SNC_GOTO(snc_batcher_new(&out->batcher, d, size));
    SNC_GOTO(snc_dataset_by_length(&out->rows, &rows, d, NULL));
    SNC_GOTO(snc_alloc(&out->out, (size_t)snc_batcher_max_answers(out->batcher) * (size_t)K, sizeof *out->out));
out:
    if (err) snc_batches_close(out);
    return err;
}

void snc_batches_close(snc_batches *b)
{
    snc_batcher_free(b->batcher);
    snc_free(b->rows);
    snc_free(b->out);
    *b = (snc_batches){0};
}

const int32_t *snc_batches_rows(int *n, const snc_batches *b, int from, int end)
{
    const int first = from * b->size;
    *n = (end * b->size < b->d->n ? end * b->size : b->d->n) - first;
    return b->rows + first;
}

size_t snc_batches_answers(const snc_batches *b, int from, int end)
{
    int n;
    const int32_t *rows = snc_batches_rows(&n, b, from, end);
    return (size_t)snc_dataset_answers_of(b->d, rows, n);
}

snc_err snc_batches_run(float *logits, snc_batches *b, snc_net *net, int i)
{
    snc_tokens x;
    int n;
    const int32_t *rows = snc_batches_rows(&n, b, i, i + 1);
    snc_batcher_rows(&x, b->batcher, rows, n);
    snc_err err = snc_net_run(b->out, net, &x);
    if (err == SNC_E_DIVERGED && !b->d->answers)
        return snc_err_set(err, "row %d of %d: its logits are not finite", rows[snc_logits_bad(b->out, n, b->K)] + 1, b->d->n);
    if (!err) snc_batcher_scatter(logits, b->out, b->d, rows, n, b->K);
    return err;
}
