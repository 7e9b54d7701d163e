/* Rows by their length, ties by number: a total order. */
#include "artifact/batches.h"

#include <stdlib.h>

#include "base/mem.h"

typedef struct row_length {
    int32_t row, length;
} row_length;

static int by_length(const void *a, const void *b)
{
    const row_length *x = a, *y = b;
    return x->length != y->length ? (x->length < y->length ? -1 : 1) : (x->row > y->row) - (x->row < y->row);
}

snc_err snc_batches_open(snc_batches *out, const snc_dataset *d, int K, int size)
{
    snc_err err = SNC_OK;
    row_length *order = NULL;
    *out = (snc_batches){.d = d, .K = K, .size = size, .n = (d->n + size - 1) / size};
    SNC_GOTO(snc_batcher_new(&out->batcher, d, size));
    SNC_GOTO(snc_alloc(&order, (size_t)d->n, sizeof *order));
    SNC_GOTO(snc_alloc(&out->rows, (size_t)d->n, sizeof *out->rows));
    SNC_GOTO(snc_alloc(&out->out, (size_t)snc_batcher_max_answers(out->batcher) * (size_t)K, sizeof *out->out));
    for (int i = 0; i < d->n; i++) order[i] = (row_length){i, snc_dataset_len(d, i)};
    qsort(order, (size_t)d->n, sizeof *order, by_length);
    for (int i = 0; i < d->n; i++) out->rows[i] = order[i].row;
out:
    snc_free(order);
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
    size_t answers = 0;
    const int32_t *rows = snc_batches_rows(&n, b, from, end);
    for (int i = 0; i < n; i++) answers += (size_t)(snc_dataset_answer(b->d, rows[i] + 1) - snc_dataset_answer(b->d, rows[i]));
    return answers;
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
