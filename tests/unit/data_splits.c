/* Held-out rows share no text with train: containment against string search, sizes, a dev of every class, samples that nest. */
#include "unit/data_support.h"

#include "base/rng.h"
#include "data/contain_priv.h"
#include "data/splits_priv.h"

enum { MANY = 600, TEXT = 80 };

static snc_span span(const char *s) { return (snc_span){s, strlen(s)}; }

/* Random short texts over few words: plenty of runs, doubles and empty rows. */
static void random_rows(snc_row *row, char (*text)[TEXT], int n, bool pairs, uint64_t seed)
{
    static const char *const words[] = {"a", "b", "c", "dd", "e", "f"};
    snc_rng rng;
    snc_rng_init(&rng, seed, 1);
    for (int i = 0; i < n; i++) {
        for (int s = 0; s < 2; s++) {
            char *t = text[2 * i + s];
            int len = (int)snc_rng_below(&rng, pairs ? 4 : 9);
            *t = 0;
            for (int k = 0; k < len; k++) {
                if (k) strcat(t, snc_rng_below(&rng, 8) ? " " : "  ");
                strcat(t, words[snc_rng_below(&rng, 6)]);
            }
        }
        row[i] = (snc_row){.a = span(text[2 * i]), .line = i + 1};
        if (pairs) row[i].b = span(text[2 * i + 1]);
    }
}

/* " w1 w2 " within " v1 w1 w2 v2 ": the rule by string search, after blanks are made single. */
static void pad(char *out, snc_span s)
{
    size_t at = 0;
    out[at++] = ' ';
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ' || out[at - 1] != ' ') out[at++] = s.p[i];
    if (out[at - 1] != ' ') out[at++] = ' ';
    out[at] = 0;
}

static bool text_in(snc_span x, snc_span y)
{
    char a[TEXT + 3], b[TEXT + 3];
    pad(a, x);
    pad(b, y);
    return strcmp(a, " ") == 0 || strstr(b, a) != NULL;
}

static bool row_in(const snc_row *x, const snc_row *y) { return text_in(x->a, y->a) && text_in(x->b, y->b); }

static void containment_equals_string_search(void **state)
{
    (void)state;
    static snc_row row[MANY];
    static char text[2 * MANY][TEXT];
    static int32_t some[MANY];
    for (int round = 0; round < 4; round++) {
        snc_contain *c;
        int n = 0;
        random_rows(row, text, MANY, round % 2, (uint64_t)round);
        OK(snc_contain__new(&c));
        OK(snc_contain__add(c, row, 100));
        OK(snc_contain__add(c, row + 100, MANY - 100));
        for (int i = 0; i < MANY; i++)
            if (round < 2 || i % 3 == 0) some[n++] = i;
        OK(snc_contain__index(c, some, n));
        for (int i = 0; i < MANY; i++) {
            bool in = false, in_first = false;
            for (int k = 0; k < n; k++) {
                int j = some[k];
                if (j == i || !row_in(&row[i], &row[j])) continue;
                in = true;
                in_first |= j < i || !row_in(&row[j], &row[i]);
            }
            assert_int_equal(snc_contain__in(c, i, false), in);
            if (snc_contain__words(c, i)) assert_int_equal(snc_contain__in(c, i, true), in_first);
        }
        snc_contain__free(c);
    }
}

static void assert_split_holds(const snc_carve *c, const snc_row *row, int n)
{
    static unsigned char place[MANY];
    const int32_t *part[] = {c->train, c->rank, c->select};
    int count[] = {c->n_train, c->n_rank, c->n_select};
    memset(place, 0, sizeof place);
    for (int p = 0; p < 3; p++)
        for (int i = 0; i < count[p]; i++) {
            assert_int_equal(place[part[p][i]], 0);
            assert_true(i == 0 || part[p][i] > part[p][i - 1]);
            place[part[p][i]] = (unsigned char)(p + 1);
        }
    assert_int_equal(c->n_train + c->n_rank + c->n_select + c->removed, n);
    for (int i = 0; i < n; i++) {
        if (place[i] < 2) continue; /* i is held out: it shares nothing with any other part */
        for (int j = 0; j < n; j++)
            if (j != i && place[j]) assert_false(row_in(&row[i], &row[j]) || row_in(&row[j], &row[i]));
    }
}

static void held_out_rows_share_no_text_with_train(void **state)
{
    (void)state;
    static snc_row row[MANY];
    static char text[2 * MANY][TEXT];
    for (int round = 0; round < 2; round++) {
        random_rows(row, text, MANY, round, 7);
        snc_rows rows = {.row = row, .n = MANY, .path = (char[]){"f"}};
        snc_carve c, again, other;
        OK(snc_carve__make(&c, &rows, &rows, false, 42));
        OK(snc_carve__make(&again, &rows, NULL, false, 42));
        OK(snc_carve__make(&other, &rows, NULL, false, 43));
        assert_int_equal(c.n_rank, 60);
        assert_int_equal(c.n_select, 60);
        assert_true(c.removed > 0);
        assert_split_holds(&c, row, MANY);
        assert_memory_equal(c.rank, again.rank, 60 * sizeof *c.rank);
        assert_memory_equal(c.select, again.select, 60 * sizeof *c.select);
        assert_memory_not_equal(c.rank, other.rank, 60 * sizeof *c.rank);
        /* The same rows as unlabelled text: what is left is exactly train, and the doubles of held-out rows are gone. */
        assert_int_equal(c.n_extra, c.n_train);
        assert_memory_equal(c.extra, c.train, (size_t)c.n_train * sizeof *c.train);
        snc_carve__dispose(&c);
        snc_carve__dispose(&again);
        snc_carve__dispose(&other);
    }
}

static void phrases_leave_and_doubles_are_no_candidates(void **state)
{
    (void)state;
    static char text[40][64];
    snc_row row[40];
    for (int i = 0; i < 40; i++) {
        snprintf(text[i], sizeof text[i], i < 20 ? "w%d b c d e f g h" : i < 30 ? "w%d b c" : "h w%d", i % 20);
        row[i] = (snc_row){.a = span(text[i])};
    }
    row[1] = row[0]; /* doubles: neither is a candidate, both may train */
    snc_rows rows = {.row = row, .n = 40, .path = (char[]){"f"}};
    snc_carve c;
    OK(snc_carve__make(&c, &rows, NULL, true, 1));
    assert_int_equal(c.n_rank, 9); /* half of 18 candidates */
    assert_int_equal(c.n_select, 9);
    for (int i = 0; i < 9; i++) assert_true(c.rank[i] >= 2 && c.rank[i] < 20 && c.select[i] >= 2 && c.select[i] < 20);
    assert_int_equal(c.removed, 8); /* "wK b c" of rows 22 to 29; 20 and 21 hold words of rows that are not held out */
    snc_carve__dispose(&c);
}

static void sizes_follow_the_rule(void **state)
{
    (void)state;
    static char text[12000][16];
    static snc_row row[12000];
    static const int sizes[][2] = {{8, 2}, {100, 25}, {300, 50}, {635, 63}, {12000, 1000}};
    for (int i = 0; i < 12000; i++) {
        snprintf(text[i], sizeof text[i], "w%d", i);
        row[i] = (snc_row){.a = span(text[i])};
    }
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        snc_rows rows = {.row = row, .n = sizes[k][0], .path = (char[]){"f"}};
        snc_carve c;
        OK(snc_carve__make(&c, &rows, NULL, false, 5));
        assert_int_equal(c.n_rank, sizes[k][1]);
        assert_int_equal(c.n_select, sizes[k][1]);
        assert_int_equal(c.n_train, sizes[k][0] - 2 * sizes[k][1]);
        snc_carve__dispose(&c);
    }
    snc_rows few = {.row = row, .n = 3, .path = (char[]){"f"}};
    snc_carve c;
    FAILS(SNC_E_FORMAT, "f: 3 rows, too few that no other row contains", snc_carve__make(&c, &few, NULL, false, 5));
    for (int i = 1; i < 12000; i++) row[i] = row[0];
    snc_rows equal = {.row = row, .n = 12000, .path = (char[]){"f"}};
    FAILS(SNC_E_FORMAT, "f: 12000 rows, too few", snc_carve__make(&c, &equal, NULL, false, 5));
}

static int find_row(const snc_rows *rows, const char *text)
{
    for (int i = 0; i < rows->n; i++)
        if (rows->row[i].a.n == strlen(text) && memcmp(rows->row[i].a.p, text, strlen(text)) == 0) return i;
    return -1;
}

/* Two classes of one to nine, every text twice: dev has of both, and nothing that train has; more rows move few of its own. */
static void dev_is_made_by_class_and_shares_nothing_with_train(void **state)
{
    (void)state;
    enum { N = 2000 };
    static char text[N][32];
    static snc_row row[N], dev_row[N], more_row[N];
    for (int i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "w%d x%d", i / 2, i / 2);
        row[i] = (snc_row){.a = span(text[i]), .target = i % 20 < 18 ? 0.0f : 1.0f};
    }
    memcpy(dev_row, row, sizeof row);
    memcpy(more_row, row, sizeof row);
    snc_rows train = {.row = row, .n = N, .path = (char[]){"f"}}, dev = {.row = dev_row, .n = N, .path = (char[]){"f"}};
    OK(snc_carve__dev(&dev, true, 2, false));
    OK(snc_carve__dev(&train, false, 2, false));
    assert_int_equal(dev.n, 200);
    assert_int_equal(train.dev, 200);
    assert_int_equal(train.left_out, 200); /* the doubles */
    assert_int_equal(train.n, N - 400);
    int rare = 0, same = 0;
    for (int i = 0; i < dev.n; i++) {
        char s[24];
        snprintf(s, sizeof s, "%.*s", (int)dev.row[i].a.n, dev.row[i].a.p);
        assert_int_equal(find_row(&train, s), -1);
        rare += dev.row[i].target == 1.0f;
    }
    assert_int_equal(rare, 20);
    snc_rows less = {.row = more_row, .n = N - 200, .path = (char[]){"f"}}; /* before the last rows came */
    OK(snc_carve__dev(&less, true, 2, false));
    for (int i = 0; i < less.n; i++) {
        char s[24];
        snprintf(s, sizeof s, "%.*s", (int)less.row[i].a.n, less.row[i].a.p);
        same += find_row(&dev, s) >= 0;
    }
    assert_true(less.n == 180 && same > 150);
    snc_rows few = {.row = row, .n = 3, .path = (char[]){"f"}};
    OK(snc_carve__dev(&few, true, 2, false));
    assert_int_equal(few.n, 0);
}

static void samples_are_nested_and_in_order(void **state)
{
    (void)state;
    int32_t small[100], large[100];
    int n = 100, m = 100;
    for (int i = 0; i < 100; i++) small[i] = large[i] = 3 * i;
    OK(snc_carve__sample(small, &n, 10, 42));
    OK(snc_carve__sample(large, &m, 50, 42));
    assert_int_equal(n, 10);
    assert_int_equal(m, 50);
    for (int i = 0; i < n; i++) {
        int k = 0;
        while (k < m && large[k] != small[i]) k++;
        assert_true(k < m && (i == 0 || small[i] > small[i - 1]));
    }
    OK(snc_carve__sample(small, &n, 0, 42));
    OK(snc_carve__sample(small, &n, 11, 42));
    assert_int_equal(n, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containment_equals_string_search),
        cmocka_unit_test(held_out_rows_share_no_text_with_train),
        cmocka_unit_test(phrases_leave_and_doubles_are_no_candidates),
        cmocka_unit_test(sizes_follow_the_rule),
        cmocka_unit_test(dev_is_made_by_class_and_shares_nothing_with_train),
        cmocka_unit_test(samples_are_nested_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
