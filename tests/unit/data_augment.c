/* data/augment: made rows stand on the dataset's own pieces, keep its form, and depend on the seed alone. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "data/augment.h"

enum { CLS = 1, SEP = 2 };
static const snc_augment usual = {.rows = 3, .join = 0.5, .replace = 0.15};

/* Of pairs, how the texts are parted: BERT's two segments, or one and two separators between, as RoBERTa's. */
typedef enum form { SINGLE, PAIR, PAIR_IN_ONE, FORMS } form;

static void row(snc_dataset *d, const int32_t *a, int na, const int32_t *b, int nb, form f)
{
    const int32_t second = f == PAIR;
    int64_t at = d->start[d->n];
    d->ids[at++] = CLS;
    for (int i = 0; i < na; i++) d->ids[at++] = a[i];
    d->ids[at++] = SEP;
    if (f == PAIR_IN_ONE) d->ids[at++] = SEP;
    for (int i = 0; i < nb; i++) d->types[at] = second, d->ids[at++] = b[i];
    if (nb) d->types[at] = second, d->ids[at++] = SEP;
    d->target[d->n] = (float)(d->n % 2);
    d->line[d->n] = d->n + 1;
    d->start[++d->n] = at;
    if (at - d->start[d->n - 1] > d->max_len) d->max_len = (int)(at - d->start[d->n - 1]);
}

static snc_dataset *make(form f)
{
    static const int32_t word[] = {10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
    snc_dataset *d;
    assert_int_equal(snc_alloc(&d, 1, sizeof *d), SNC_OK);
    assert_int_equal(snc_alloc(&d->start, 33, sizeof *d->start), SNC_OK);
    assert_int_equal(snc_alloc(&d->ids, 1024, sizeof *d->ids), SNC_OK);
    assert_int_equal(snc_alloc(&d->types, 1024, sizeof *d->types), SNC_OK);
    assert_int_equal(snc_alloc(&d->target, 32, sizeof *d->target), SNC_OK);
    assert_int_equal(snc_alloc(&d->line, 32, sizeof *d->line), SNC_OK);
    for (int i = 0; i < 32; i++) row(d, word + i % 4, 1 + i % 5, word + 5, f == SINGLE ? 0 : 1 + i % 4, f);
    return d;
}

/* By seed, without what words need. */
static snc_err augment(snc_dataset **out, const snc_dataset *d, const snc_augment *a, uint64_t seed)
{
    snc_ctx ctx = SNC_CTX_INIT;
    ctx.seed = seed;
    return snc_dataset_augment(out, &ctx, d, a, NULL);
}

/* One row: special tokens where they belong and nowhere else, pieces of the dataset between them. */
static void check_form(const snc_dataset *d, int i, form f)
{
    const int32_t *ids = d->ids + d->start[i], *types = d->types + d->start[i];
    int n = snc_dataset_len(d, i), seps = 0;
    assert_true(n >= 2 && n <= d->max_len);
    assert_int_equal(ids[0], CLS);
    assert_int_equal(ids[n - 1], SEP);
    for (int j = 1; j < n; j++) {
        assert_true(ids[j] == SEP || (ids[j] >= 10 && ids[j] <= 19));
        assert_int_equal(types[j], f == PAIR_IN_ONE ? 0 : seps);
        if (f == PAIR_IN_ONE && ids[j] == SEP && seps == 0) assert_int_equal(ids[++j], SEP);
        seps += ids[j] == SEP;
    }
    assert_int_equal(seps, f == SINGLE ? 1 : 2);
}

static void made_rows_have_the_form_of_real_ones(void **state)
{
    (void)state;
    for (form f = SINGLE; f < FORMS; f++) {
        snc_dataset *d = make(f), *x = NULL;
        snc_augment a = usual;
        a.rows = 10;
        assert_int_equal(augment(&x, d, &a, 42), SNC_OK);
        assert_int_equal(x->n, 11 * d->n);
        assert_int_equal(x->max_len, d->max_len);
        assert_memory_equal(x->ids, d->ids, (size_t)d->start[d->n] * sizeof *d->ids);
        assert_memory_equal(x->target, d->target, (size_t)d->n * sizeof *d->target);
        const snc_dataset made = snc_dataset_rows_view(x, d->n, x->n - 1);
        assert_int_equal(made.n, 10 * d->n - 1);
        assert_memory_equal(made.ids + made.start[3], x->ids + x->start[d->n + 3], (size_t)snc_dataset_len(&made, 3) * sizeof *x->ids);
        for (int i = 0; i < made.n; i++) {
            assert_true(isnan((double)made.target[i]));
            check_form(&made, i, f);
        }
        snc_dataset_free(x);
        snc_dataset_free(d);
    }
}

/* Without joining and replacing a made row is a row; with joining alone it is one or two of them. */
static void nothing_is_changed_that_was_not_asked_for(void **state)
{
    (void)state;
    snc_dataset *d = make(SINGLE), *x = NULL;
    snc_augment a = {.rows = 4, .join = 0, .replace = 0};
    assert_int_equal(augment(&x, d, &a, 7), SNC_OK);
    for (int i = d->n; i < x->n; i++) {
        int n = snc_dataset_len(x, i), found = 0;
        for (int j = 0; j < d->n; j++)
            found |= snc_dataset_len(d, j) == n && memcmp(d->ids + d->start[j], x->ids + x->start[i], (size_t)n * sizeof *d->ids) == 0;
        assert_true(found);
    }
    snc_dataset_free(x);
    a.join = 1;
    assert_int_equal(augment(&x, d, &a, 7), SNC_OK);
    int longer = 0;
    for (int i = d->n; i < x->n; i++) longer += snc_dataset_len(x, i) > 5;
    assert_true(longer > d->n);
    snc_dataset_free(x);
    snc_dataset_free(d);
}

static void the_seed_decides(void **state)
{
    (void)state;
    snc_dataset *d = make(PAIR), *x[3];
    snc_augment a = usual;
    for (int i = 0; i < 3; i++) assert_int_equal(augment(&x[i], d, &a, i < 2 ? 1 : 2), SNC_OK);
    size_t bytes = (size_t)x[0]->start[x[0]->n] * sizeof *x[0]->ids;
    assert_int_equal(x[0]->start[x[0]->n], x[1]->start[x[1]->n]);
    assert_memory_equal(x[0]->ids, x[1]->ids, bytes);
    assert_true(x[2]->start[x[2]->n] != x[0]->start[x[0]->n] || memcmp(x[0]->ids, x[2]->ids, bytes) != 0);
    for (int i = 0; i < 3; i++) snc_dataset_free(x[i]);
    a.replace = 2;
    assert_int_equal(augment(&x[0], d, &a, 1), SNC_E_ARG);
    snc_dataset_free(d);
}

/* ---- words and neighbours ------------------------------------------------------------------------------------------------ */

enum { V = 24, C = 4 };

/* Pieces 15 to 19 go on with a word. */
static const uint8_t *continuing(void)
{
    static uint8_t continues[V];
    for (int id = 15; id < 20; id++) continues[id] = 1;
    return continues;
}

/* Each piece that goes on follows one that it follows in some real row: rows of `make` are runs of numbers, so the one before it. */
static void check_words(const snc_dataset *x, int i)
{
    const int32_t *ids = x->ids + x->start[i];
    for (int j = 1; j < snc_dataset_len(x, i); j++)
        if (ids[j] >= 15 && ids[j] <= 19) assert_true(ids[j - 1] == ids[j] - 1);
}

static void half_a_word_is_never_replaced(void **state)
{
    (void)state;
    const snc_augment_pieces p = {.V = V, .C = C, .continues = continuing()};
    static const int32_t text[] = {13, 14, 15, 16, 12, 14, 15, 11, 14, 15, 16, 17};
    snc_dataset *d = make(SINGLE), *x = NULL;
    for (int i = 0; i < 32; i++) { /* words of one to four pieces */
        int n = snc_dataset_len(d, i) - 2;
        memcpy(d->ids + d->start[i] + 1, text + (n == 4 ? 8 : 0), (size_t)n * sizeof *text);
    }
    snc_ctx ctx = SNC_CTX_INIT;
    int words = 0, pieces = 0;
    for (int whole = 1; whole >= 0; whole--) {
        snc_augment a = {.rows = 20, .join = 0.3, .replace = 0.5, .whole_words = whole};
        assert_int_equal(snc_dataset_augment(&x, &ctx, d, &a, &p), SNC_OK);
        for (int i = d->n; i < x->n; i++) {
            const int32_t *ids = x->ids + x->start[i];
            assert_true(snc_dataset_len(x, i) <= d->max_len && ids[0] == CLS && ids[snc_dataset_len(x, i) - 1] == SEP);
            if (whole) check_words(x, i);
            for (int j = 1; j < snc_dataset_len(x, i); j++) {
                const bool broken = ids[j] >= 15 && ids[j] <= 19 && ids[j - 1] != ids[j] - 1;
                *(whole ? &words : &pieces) += broken;
            }
        }
        snc_dataset_free(x);
    }
    assert_true(words == 0 && pieces > 20); /* which pieces one by one are */
    snc_dataset_free(d);
}

/* Two by two they lie beside each other: 10 and 11, 12 and 13 ..., the odd one a little longer. */
static void a_piece_is_replaced_by_what_lies_beside_it(void **state)
{
    (void)state;
    float table[V * C] = {0};
    for (int id = 10; id < 20; id++) {
        table[id * C + id / 2 % 3] = 1;
        table[id * C + 3] = id / 2 >= 8 ? -1.0f : 0.5f; /* 16 to 19 apart from 10 to 15 */
        for (int c = 0; c < C; c++) table[id * C + c] *= id % 2 ? 1.5f : 1.0f;
    }
    const snc_augment_pieces p = {.V = V, .C = C, .continues = continuing(), .table = table};
    snc_augment a = {.rows = 10, .join = 0, .replace = 1, .neighbours = 1};
    snc_dataset *d = make(SINGLE), *x = NULL, *y = NULL;
    snc_ctx ctx = SNC_CTX_INIT;
    assert_int_equal(snc_dataset_augment(&x, &ctx, d, &a, &p), SNC_OK);
    /* every row is a real one, each piece in its neighbour's place: of 14 and 15 that is of the other kind, and they have another */
    int swapped = 0;
    for (int i = d->n; i < x->n; i++)
        for (int j = 0; j < d->n; j++) {
            const int n = snc_dataset_len(d, j);
            bool is = snc_dataset_len(x, i) == n;
            for (int k = 1; k < n - 1 && is; k++) {
                const int32_t was = d->ids[d->start[j] + k], now = x->ids[x->start[i] + k];
                is = was < 14 || was > 15 ? now == (was ^ 1) : now != was && p.continues[now] == p.continues[was];
            }
            if (is) {
                swapped++;
                break;
            }
        }
    assert_int_equal(swapped, x->n - d->n);
    ctx.threads = 4;
    assert_int_equal(snc_dataset_augment(&y, &ctx, d, &a, &p), SNC_OK);
    assert_memory_equal(x->ids, y->ids, (size_t)x->start[x->n] * sizeof *x->ids);
    snc_dataset_free(x);
    snc_dataset_free(y);
    snc_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_rows_have_the_form_of_real_ones),
        cmocka_unit_test(nothing_is_changed_that_was_not_asked_for),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(half_a_word_is_never_replaced),
        cmocka_unit_test(a_piece_is_replaced_by_what_lies_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
