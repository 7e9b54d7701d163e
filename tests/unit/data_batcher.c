/* An epoch hands out every row once, in batches of like length, in an order that seed and epoch decide. */
#include "unit/data_support.h"

#include "base/rng.h"
#include "data/dataset.h"

/* n rows of 3 to 62 tokens; token k of row i is i * 100 + k, so that a gathered batch tells where it came from. */
static void fill(snc_dataset *d, int n)
{
    snc_rng rng;
    snc_rng_init(&rng, 9, 9);
    *d = (snc_dataset){.n = n};
    OK(snc_alloc(&d->start, (size_t)n + 1, sizeof *d->start));
    OK(snc_alloc(&d->ids, (size_t)n * 62, sizeof *d->ids));
    OK(snc_alloc(&d->types, (size_t)n * 62, sizeof *d->types));
    for (int i = 0; i < n; i++) {
        int len = 3 + (int)snc_rng_below(&rng, 60);
        d->start[i + 1] = d->start[i] + len;
        if (len > d->max_len) d->max_len = len;
        for (int k = 0; k < len; k++) {
            d->ids[d->start[i] + k] = i * 100 + k;
            d->types[d->start[i] + k] = k > 5;
        }
    }
}

static void dispose(snc_dataset *d)
{
    snc_free(d->start);
    snc_free(d->ids);
    snc_free(d->types);
}

static void assert_batch(const snc_tokens *x, const int32_t *rows, const snc_dataset *d)
{
    assert_int_equal(x->offsets[0], 0);
    assert_int_equal(x->offsets[x->B], x->T);
    for (int b = 0; b < x->B; b++) {
        assert_int_equal(x->offsets[b + 1] - x->offsets[b], snc_dataset_len(d, rows[b]));
        for (int k = x->offsets[b]; k < x->offsets[b + 1]; k++) {
            assert_int_equal(x->ids[k], rows[b] * 100 + k - x->offsets[b]);
            assert_int_equal(x->types[k], k - x->offsets[b] > 5);
        }
    }
}

static void an_epoch_hands_out_every_row_once(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 4}, {7, 7}, {8, 7}, {1000, 1}, {1003, 8}, {30, 64}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        snc_dataset d;
        snc_batcher *b;
        int n = sizes[k][0], size = sizes[k][1], *seen = calloc((size_t)n, sizeof *seen);
        fill(&d, n);
        OK(snc_batcher_new(&b, &d, size));
        assert_int_equal(snc_batcher_count(b), (n + size - 1) / size);
        for (int epoch = 0; epoch < 2; epoch++) {
            snc_batcher_epoch(b, 42, epoch);
            for (int i = 0; i < snc_batcher_count(b); i++) {
                snc_tokens x;
                const int32_t *rows;
                snc_batcher_get(&x, &rows, b, i);
                assert_true(x.B >= 1 && x.B <= size && x.T <= snc_batcher_max_tokens(b));
                assert_batch(&x, rows, &d);
                for (int r = 0; r < x.B; r++) assert_int_equal(seen[rows[r]]++, epoch);
            }
        }
        for (int i = 0; i < n; i++) assert_int_equal(seen[i], 2);
        free(seen);
        snc_batcher_free(b);
        dispose(&d);
    }
}

/* Tokens that padding to the longest row of each batch would add, over the tokens there are. */
static double padding(snc_batcher *b, const snc_dataset *d)
{
    int64_t padded = 0;
    for (int i = 0; i < snc_batcher_count(b); i++) {
        snc_tokens x;
        const int32_t *rows;
        int longest = 0;
        snc_batcher_get(&x, &rows, b, i);
        for (int r = 0; r < x.B; r++)
            if (snc_dataset_len(d, rows[r]) > longest) longest = snc_dataset_len(d, rows[r]);
        padded += (int64_t)longest * x.B;
    }
    return (double)padded / (double)d->start[d->n] - 1.0;
}

static void epochs_are_bucketed_shuffled_and_repeatable(void **state)
{
    (void)state;
    snc_dataset d;
    snc_batcher *b, *c;
    fill(&d, 5000);
    OK(snc_batcher_new(&b, &d, 32));
    OK(snc_batcher_new(&c, &d, 32));
    assert_true(padding(b, &d) > 0.5); /* in file order */
    snc_batcher_epoch(b, 1, 0);
    assert_true(padding(b, &d) < 0.05);
    snc_batcher_epoch(c, 1, 5);
    snc_batcher_epoch(c, 1, 0); /* what came before does not matter */
    int equal_next = 0, equal_seed = 0;
    for (int pass = 0; pass < 3; pass++) {
        if (pass == 1) snc_batcher_epoch(c, 1, 1);
        if (pass == 2) snc_batcher_epoch(c, 2, 0);
        for (int i = 0; i < snc_batcher_count(b); i++) {
            snc_tokens x, y;
            const int32_t *r, *s;
            snc_batcher_get(&x, &r, b, i);
            snc_batcher_get(&y, &s, c, i);
            int same = x.B == y.B && memcmp(r, s, (size_t)x.B * sizeof *r) == 0;
            if (pass == 0) assert_true(same);
            else *(pass == 1 ? &equal_next : &equal_seed) += same;
        }
    }
    assert_true(equal_next < 5 && equal_seed < 5);
    snc_batcher_free(b);
    snc_batcher_free(c);
    dispose(&d);
}

static void given_rows_come_in_the_given_order(void **state)
{
    (void)state;
    snc_dataset d;
    snc_batcher *b;
    static const int32_t rows[] = {9, 0, 9, 4};
    snc_tokens x;
    fill(&d, 10);
    OK(snc_batcher_new(&b, &d, 4));
    snc_batcher_rows(&x, b, rows, 4);
    assert_int_equal(x.B, 4);
    assert_batch(&x, rows, &d);
    snc_batcher_rows(&x, b, rows, 0);
    assert_int_equal(x.T, 0);
    snc_batcher_free(b);
    FAILS(SNC_E_ARG, "batch size 0", snc_batcher_new(&b, &d, 0));
    FAILS(SNC_E_ARG, "batch size 1073741824", snc_batcher_new(&b, &d, 1 << 30));
    dispose(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_hands_out_every_row_once),
        cmocka_unit_test(epochs_are_bucketed_shuffled_and_repeatable),
        cmocka_unit_test(given_rows_come_in_the_given_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
