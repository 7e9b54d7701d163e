/* data/augment: made rows stand on the dataset's own pieces, keep its form, and depend on the seed alone. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "data/augment.h"

enum { CLS = 1, SEP = 2 };
static const snc_augment usual = {.rows = 3, .join = 0.5, .replace = 0.15};

static void row(snc_dataset *d, const int32_t *a, int na, const int32_t *b, int nb)
{
    int64_t at = d->start[d->n];
    d->ids[at++] = CLS;
    for (int i = 0; i < na; i++) d->ids[at++] = a[i];
    d->ids[at++] = SEP;
    for (int i = 0; i < nb; i++) d->types[at] = 1, d->ids[at++] = b[i];
    if (nb) d->types[at] = 1, d->ids[at++] = SEP;
    d->target[d->n] = (float)(d->n % 2);
    d->line[d->n] = d->n + 1;
    d->start[++d->n] = at;
    if (at - d->start[d->n - 1] > d->max_len) d->max_len = (int)(at - d->start[d->n - 1]);
}

static snc_dataset *make(bool pairs)
{
    static const int32_t word[] = {10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
    snc_dataset *d;
    assert_int_equal(snc_alloc(&d, 1, sizeof *d), SNC_OK);
    assert_int_equal(snc_alloc(&d->start, 33, sizeof *d->start), SNC_OK);
    assert_int_equal(snc_alloc(&d->ids, 1024, sizeof *d->ids), SNC_OK);
    assert_int_equal(snc_alloc(&d->types, 1024, sizeof *d->types), SNC_OK);
    assert_int_equal(snc_alloc(&d->target, 32, sizeof *d->target), SNC_OK);
    assert_int_equal(snc_alloc(&d->line, 32, sizeof *d->line), SNC_OK);
    for (int i = 0; i < 32; i++) row(d, word + i % 4, 1 + i % 5, word + 5, pairs ? 1 + i % 4 : 0);
    return d;
}

/* One row: special tokens where they belong and nowhere else, pieces of the dataset between them. */
static void check_form(const snc_dataset *d, int i, bool pair)
{
    const int32_t *ids = d->ids + d->start[i], *types = d->types + d->start[i];
    int n = snc_dataset_len(d, i), seps = 0;
    assert_true(n >= 2 && n <= d->max_len);
    assert_int_equal(ids[0], CLS);
    assert_int_equal(ids[n - 1], SEP);
    for (int j = 1; j < n; j++) {
        assert_true(ids[j] == SEP || (ids[j] >= 10 && ids[j] <= 19));
        assert_int_equal(types[j], seps);
        seps += ids[j] == SEP;
    }
    assert_int_equal(seps, pair ? 2 : 1);
}

static void made_rows_have_the_form_of_real_ones(void **state)
{
    (void)state;
    for (int pair = 0; pair < 2; pair++) {
        snc_dataset *d = make(pair), *x = NULL;
        snc_augment a = usual;
        a.rows = 10;
        assert_int_equal(snc_dataset_augment(&x, d, &a, 42), SNC_OK);
        assert_int_equal(x->n, 11 * d->n);
        assert_int_equal(x->max_len, d->max_len);
        assert_memory_equal(x->ids, d->ids, (size_t)d->start[d->n] * sizeof *d->ids);
        assert_memory_equal(x->target, d->target, (size_t)d->n * sizeof *d->target);
        const snc_dataset made = snc_dataset_rows_view(x, d->n, x->n - 1);
        assert_int_equal(made.n, 10 * d->n - 1);
        assert_memory_equal(made.ids + made.start[3], x->ids + x->start[d->n + 3], (size_t)snc_dataset_len(&made, 3) * sizeof *x->ids);
        for (int i = 0; i < made.n; i++) {
            assert_true(isnan((double)made.target[i]));
            check_form(&made, i, pair);
        }
        snc_dataset_free(x);
        snc_dataset_free(d);
    }
}

/* Without joining and replacing a made row is a row; with joining alone it is one or two of them. */
static void nothing_is_changed_that_was_not_asked_for(void **state)
{
    (void)state;
    snc_dataset *d = make(false), *x = NULL;
    snc_augment a = {.rows = 4, .join = 0, .replace = 0};
    assert_int_equal(snc_dataset_augment(&x, d, &a, 7), SNC_OK);
    for (int i = d->n; i < x->n; i++) {
        int n = snc_dataset_len(x, i), found = 0;
        for (int j = 0; j < d->n; j++)
            found |= snc_dataset_len(d, j) == n && memcmp(d->ids + d->start[j], x->ids + x->start[i], (size_t)n * sizeof *d->ids) == 0;
        assert_true(found);
    }
    snc_dataset_free(x);
    a.join = 1;
    assert_int_equal(snc_dataset_augment(&x, d, &a, 7), SNC_OK);
    int longer = 0;
    for (int i = d->n; i < x->n; i++) longer += snc_dataset_len(x, i) > 5;
    assert_true(longer > d->n);
    snc_dataset_free(x);
    snc_dataset_free(d);
}

static void the_seed_decides(void **state)
{
    (void)state;
    snc_dataset *d = make(true), *x[3];
    snc_augment a = usual;
    for (int i = 0; i < 3; i++) assert_int_equal(snc_dataset_augment(&x[i], d, &a, i < 2 ? 1 : 2), SNC_OK);
    size_t bytes = (size_t)x[0]->start[x[0]->n] * sizeof *x[0]->ids;
    assert_int_equal(x[0]->start[x[0]->n], x[1]->start[x[1]->n]);
    assert_memory_equal(x[0]->ids, x[1]->ids, bytes);
    assert_true(x[2]->start[x[2]->n] != x[0]->start[x[0]->n] || memcmp(x[0]->ids, x[2]->ids, bytes) != 0);
    for (int i = 0; i < 3; i++) snc_dataset_free(x[i]);
    a.replace = 2;
    assert_int_equal(snc_dataset_augment(&x[0], d, &a, 1), SNC_E_ARG);
    snc_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_rows_have_the_form_of_real_ones),
        cmocka_unit_test(nothing_is_changed_that_was_not_asked_for),
        cmocka_unit_test(the_seed_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
