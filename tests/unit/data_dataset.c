/* Files become datasets: the tokens of rows, splits that depend on the seed alone, unlabelled text beside train. */
#include "unit/data_support.h"

#include "data/dataset.h"
#include "wordpieces.h"

static const char task_text[] =
    "{\"name\":\"t\",\"files\":{\"train\":\"train.tsv\",\"dev\":\"dev.tsv\",\"test\":\"test.tsv\"},\"text_a\":\"a\",%s"
    "\"label\":\"y\",\"labels\":[\"n\",\"p\"],\"metrics\":[\"accuracy\"],\"max_length\":%d}";
static const char folder[] = "data_dataset_files";

/* [PAD] [UNK] [CLS] [SEP] [MASK] w0 .. w(words - 1); w9 and up may be missing from a small vocabulary. */
static snc_tok *make_tok(int words)
{
    static char vocab[4096], config[] = "{\"lowercase\":true,\"strip_accents\":null,\"tokenize_chinese_chars\":true,"
                                        "\"clean_text\":true,\"max_chars\":100,\"unk\":\"[UNK]\",\"cls\":\"[CLS]\","
                                        "\"sep\":\"[SEP]\",\"pad\":\"[PAD]\",\"mask\":\"[MASK]\",\"added\":[]}";
    size_t at = (size_t)snprintf(vocab, sizeof vocab, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    for (int i = 0; i < words; i++) at += (size_t)snprintf(vocab + at, sizeof vocab - at, "w%d\n", i);
    snc_tok *tok = NULL;
    OK(wordpieces_new(&tok, vocab, at, config));
    return tok;
}

static snc_task *make_task(const char *more, int max_length)
{
    char text[512];
    snc_task *t = NULL;
    snprintf(text, sizeof text, task_text, more, max_length);
    OK(snc_task_parse(&t, text, strlen(text), "task.json"));
    return t;
}

static void assert_row(const snc_dataset *d, int i, const int32_t *ids, const int32_t *types, int n)
{
    assert_int_equal(snc_dataset_len(d, i), n);
    assert_memory_equal(d->ids + d->start[i], ids, (size_t)n * sizeof *ids);
    assert_memory_equal(d->types + d->start[i], types, (size_t)n * sizeof *types);
}

static void rows_become_tokens(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    snc_tok *tok = make_tok(9);
    snc_task *single = make_task("", 128), *pair = make_task("\"text_b\":\"b\",", 8);
    snc_dataset *d;
    write_text(folder, "dev.tsv", "a\tb\ty\nW0 w1\tw2\tp\n\tw3\tn\nw1 w2 w3 w4\tw5 w6 w7\tp\n");
    write_text(folder, "test.tsv", "a\tb\nw8\tw8\n");
    OK(snc_dataset_load(&d, &ctx, single, tok, folder, "dev", 0));
    assert_int_equal(d->n, 3);
    assert_row(d, 0, (int32_t[]){2, 5, 6, 3}, (int32_t[]){0, 0, 0, 0}, 4);
    assert_row(d, 1, (int32_t[]){2, 3}, (int32_t[]){0, 0}, 2);
    assert_true(d->target[0] == 1.0f && d->target[1] == 0.0f && d->line[2] == 4);
    assert_true(d->max_len == 6 && d->truncated == 0);
    snc_dataset_free(d);
    OK(snc_dataset_load(&d, &ctx, pair, tok, folder, "dev", 0));
    assert_row(d, 0, (int32_t[]){2, 5, 6, 3, 7, 3}, (int32_t[]){0, 0, 0, 0, 1, 1}, 6);
    assert_row(d, 1, (int32_t[]){2, 3, 8, 3}, (int32_t[]){0, 0, 1, 1}, 4);
    assert_true(d->max_len == 8 && d->truncated == 1);
    snc_dataset_free(d);
    OK(snc_dataset_load(&d, &ctx, pair, tok, folder, "test", 0));
    assert_true(d->n == 1 && isnan(d->target[0]));
    snc_dataset_free(d);
    OK(snc_dataset_load(&d, &ctx, single, tok, folder, "dev", 2));
    assert_int_equal(d->n, 2);
    assert_true(d->line[0] < d->line[1]);
    snc_dataset_free(d);
    FAILS(SNC_E_NOTFOUND, "no split 'eval'", snc_dataset_load(&d, &ctx, single, tok, folder, "eval", 0));
    snc_dataset_free(NULL);
    snc_task_close(single);
    snc_task_close(pair);
    snc_tok_free(tok);
}

/* 2,000 rows "wA wB wC wD"; every tenth is a run of words of the row before it. */
static void write_train(void)
{
    static char text[2000 * 32];
    size_t at = (size_t)snprintf(text, sizeof text, "a\ty\n");
    for (int i = 0; i < 2000; i++) {
        int k = i % 10 == 9 ? i - 1 : i;
        at += (size_t)snprintf(text + at, sizeof text - at, k < i ? "w%d w%d" : "w%d w%d w%d", k % 7, k, k % 5);
        at += (size_t)snprintf(text + at, sizeof text - at, "\t%s\n", i % 3 ? "n" : "p");
    }
    write_text(folder, "train.tsv", text);
}

static bool same_rows(const snc_dataset *x, const snc_dataset *y)
{
    return x->n == y->n && memcmp(x->line, y->line, (size_t)x->n * sizeof *x->line) == 0;
}

static bool same_tokens(const snc_dataset *x, const snc_dataset *y)
{
    size_t bytes = (size_t)x->start[x->n] * sizeof *x->ids;
    return same_rows(x, y) && memcmp(x->start, y->start, ((size_t)x->n + 1) * sizeof *x->start) == 0 &&
           memcmp(x->ids, y->ids, bytes) == 0 && memcmp(x->types, y->types, bytes) == 0;
}

/* As many rows drawn of a set are those that a file gives when it is asked for no more. */
static void drawn_rows_are_those_of_a_sample(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    snc_tok *tok = make_tok(400);
    snc_task *t = make_task("", 128);
    snc_dataset *all, *some, *drawn;
    write_train();
    OK(snc_dataset_load(&all, &ctx, t, tok, folder, "train", 0));
    for (int n = 1; n <= 2000; n = 3 * n + 1) {
        OK(snc_dataset_load(&some, &ctx, t, tok, folder, "train", n));
        OK(snc_dataset_draw(&drawn, all, n, ctx.seed));
        assert_true(drawn->n == n && same_tokens(drawn, some) && drawn->max_len == some->max_len);
        assert_true(snc_dataset_hash(drawn) == snc_dataset_hash(some));
        snc_dataset_free(some);
        snc_dataset_free(drawn);
    }
    OK(snc_dataset_draw(&drawn, all, all->n + 1, 7));
    assert_true(same_tokens(drawn, all));
    snc_dataset_free(drawn);
    snc_dataset_free(all);
    snc_task_close(t);
    snc_tok_free(tok);
}

static void splits_depend_on_the_seed_alone(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT, two = SNC_CTX_INIT, seeded = SNC_CTX_INIT;
    snc_tok *tok = make_tok(400), *other = make_tok(5);
    snc_task *t = make_task("", 128);
    snc_splits a, b, c;
    two.threads = 2;
    seeded.seed = 43;
    write_train();
    OK(snc_splits_load(&a, &ctx, t, tok, folder, &(snc_splits_ask){SNC_HOLD_OUT, 0, NULL, NULL, NULL}));
    OK(snc_splits_load(&b, &two, t, tok, folder, &(snc_splits_ask){SNC_HOLD_OUT, 0, NULL, NULL, NULL}));
    assert_int_equal(a.rank->n, 200);
    assert_int_equal(a.select->n, 200);
    assert_true(a.removed > 0);
    assert_int_equal(a.train->n, 2000 - 400 - a.removed);
    assert_true(same_tokens(a.train, b.train) && same_tokens(a.rank, b.rank) && same_tokens(a.select, b.select));
    snc_splits_dispose(&b);
    OK(snc_splits_load(&b, &ctx, t, other, folder, &(snc_splits_ask){SNC_HOLD_OUT, 0, NULL, NULL, NULL}));
    OK(snc_splits_load(&c, &seeded, t, tok, folder, &(snc_splits_ask){SNC_HOLD_OUT, 0, NULL, NULL, NULL}));
    assert_true(same_rows(a.train, b.train) && same_rows(a.rank, b.rank) && same_rows(a.select, b.select));
    assert_false(same_rows(a.rank, c.rank));
    snc_splits_dispose(&a);
    snc_splits_dispose(&b);
    snc_splits_dispose(&c);
    snc_task_close(t);
    snc_tok_free(tok);
    snc_tok_free(other);
}

static void without_hold_out_every_row_trains(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    snc_tok *tok = make_tok(9);
    snc_task *t = make_task("", 128);
    snc_splits s;
    write_train();
    OK(snc_splits_load(&s, &ctx, t, tok, folder, &(snc_splits_ask){SNC_HOLD_NOTHING, 0, NULL, NULL, NULL}));
    assert_int_equal(s.train->n, 2000);
    assert_null(s.rank);
    assert_null(s.select);
    snc_splits_dispose(&s);
    write_text(folder, "train.tsv", "a\ty\nw1\tp\n");
    FAILS(SNC_E_FORMAT, "train.tsv: 1 rows, too few",
          snc_splits_load(&s, &ctx, t, tok, folder, &(snc_splits_ask){SNC_HOLD_OUT, 0, NULL, NULL, NULL}));
    assert_null(s.train);
    snc_task_close(t);
    snc_tok_free(tok);
}

/* What a teacher learns that nothing is held out from, beside the splits of one that something is. */
static void all_rows_stand_beside_the_splits(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    snc_tok *tok = make_tok(9);
    snc_task *t = make_task("", 128);
    snc_splits whole, held;
    write_train();
    write_text(folder, "more.txt", "only here\n");
    for (int most = 0; most <= 100; most += 100) {
        OK(snc_splits_load(&whole, &ctx, t, tok, folder,
                           &(snc_splits_ask){SNC_HOLD_NOTHING, most, "data_dataset_files/more.txt", NULL, NULL}));
        OK(snc_splits_load(&held, &ctx, t, tok, folder,
                           &(snc_splits_ask){SNC_HOLD_OUT_BESIDE_ALL, most, "data_dataset_files/more.txt", NULL, NULL}));
        assert_int_equal(held.all->n, (most ? most : 2000) + 1);
        assert_true(same_rows(whole.train, held.all));
        assert_true(most || held.train->n < whole.train->n);
        assert_null(whole.all);
        snc_splits_dispose(&whole);
        snc_splits_dispose(&held);
    }
    snc_task_close(t);
    snc_tok_free(tok);
}

/* Files of their own in place of what would be carved: train keeps every row, and has none of theirs. */
static void rank_and_select_may_be_files(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    snc_tok *tok = make_tok(9);
    snc_task *t = make_task("", 128);
    snc_splits s;
    const snc_splits_ask ask = {SNC_HOLD_OUT_BESIDE_ALL, 0, NULL, "rank.tsv", "select.tsv"};
    ctx.level = SNC_LOG_ERROR;
    write_train();
    write_text(folder, "rank.tsv", "a\ty\nfresh w1\tp\nfresh w2\tn\n");
    write_text(folder, "select.tsv", "a\ty\nfresh w3\tn\n");
    OK(snc_splits_load(&s, &ctx, t, tok, folder, &ask));
    assert_true(s.train->n == 2000 && s.removed == 0 && s.rank->n == 2 && s.select->n == 1);
    assert_true(same_rows(s.train, s.all));
    assert_true(s.rank->target[0] == 1 && s.rank->source && s.select->source);
    snc_splits_dispose(&s);
    write_text(folder, "select.tsv", "a\ty\nfresh w3\tn\nw1 w1 w1\tp\n");
    FAILS(SNC_E_FORMAT, "select.tsv:3: the same text stands in train", snc_splits_load(&s, &ctx, t, tok, folder, &ask));
    write_text(folder, "select.tsv", "a\ty\nfresh w2\tn\n");
    FAILS(SNC_E_FORMAT, "select.tsv:2: the same text stands in rank.tsv", snc_splits_load(&s, &ctx, t, tok, folder, &ask));
    assert_null(s.train);
    snc_task_close(t);
    snc_tok_free(tok);
}

static void unlabelled_text_joins_train(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    snc_tok *tok = make_tok(400);
    snc_task *t = make_task("", 128);
    snc_splits s;
    ctx.level = SNC_LOG_ERROR;
    write_train();
    OK(snc_splits_load(&s, &ctx, t, tok, folder, &(snc_splits_ask){SNC_HOLD_OUT, 0, NULL, NULL, NULL}));
    int first_held = (int)s.rank->line[0] - 2;
    snc_splits_dispose(&s);
    char text[128];
    snprintf(text, sizeof text, "only here\n\nw%d w%d\n", first_held % 7, first_held); /* the second is in a held-out row */
    write_text(folder, "more.txt", text);
    OK(snc_splits_load(&s, &ctx, t, tok, folder, &(snc_splits_ask){SNC_HOLD_OUT, 100, "data_dataset_files/more.txt", NULL, NULL}));
    assert_int_equal(s.train->n, 101);
    assert_int_equal(s.train->line[100], 1);
    assert_true(isnan(s.train->target[100]) && !isnan(s.train->target[99]));
    snc_splits_dispose(&s);
    OK(snc_splits_load(&s, &ctx, t, tok, folder, &(snc_splits_ask){SNC_HOLD_NOTHING, 0, "data_dataset_files/more.txt", NULL, NULL}));
    assert_int_equal(s.train->n, 2002);
    snc_splits_dispose(&s);
    FAILS(SNC_E_IO, "nothing.txt",
          snc_splits_load(&s, &ctx, t, tok, folder, &(snc_splits_ask){SNC_HOLD_OUT, 0, "data_dataset_files/nothing.txt", NULL, NULL}));
    snc_task_close(t);
    snc_tok_free(tok);
}

static int remove_files(void **state)
{
    (void)state;
    remove("data_dataset_files/train.tsv");
    remove("data_dataset_files/dev.tsv");
    remove("data_dataset_files/test.tsv");
    remove("data_dataset_files/more.txt");
    remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_tokens),
        cmocka_unit_test(drawn_rows_are_those_of_a_sample),
        cmocka_unit_test(splits_depend_on_the_seed_alone),
        cmocka_unit_test(without_hold_out_every_row_trains),
        cmocka_unit_test(all_rows_stand_beside_the_splits),
        cmocka_unit_test(rank_and_select_may_be_files),
        cmocka_unit_test(unlabelled_text_joins_train),
    };
    return cmocka_run_group_tests(tests, NULL, remove_files);
}
