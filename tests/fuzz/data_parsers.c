/* The parsers of tasks, TSV, JSONL and CoNLL under a fixed corpus and its seeded mutations: no input may crash, leak or fail without
 * a sentence, and what is accepted holds what the headers say. Arguments are files to try as well, each as all four kinds. */
#include <math.h>

#include "unit/data_support.h"

#include "base/rng.h"
#include "data/splits_priv.h"

enum { ROUNDS = 4000, SIZE = 4096 };

static const char *const task_corpus[] = {
    "{\"name\":\"t\",\"files\":{\"train\":\"a.tsv\"},\"text_a\":\"s\",\"label\":\"l\",\"labels\":[\"0\",\"1\"],\"metrics\":[\"f1\"]}",
    "{\"name\":\"c\",\"folder\":\"C\",\"format\":\"tsv\",\"header\":{\"train\":false,\"dev\":true},\"files\":{\"train\":[\"a\",\"b\"],"
    "\"dev\":\"d\"},\"text_a\":[\"s\",3],\"text_b\":[\"t\",-1],\"label\":[\"l\",1],\"labels\":[\"a\",\"b\",\"c\"],\"label_names\":"
    "[\"x\",\"y\",\"z\"],\"metrics\":[\"accuracy\",\"matthews\"],\"max_length\":64,\"skip_short_rows\":true,\"phrases\":true}",
    "{\"name\":\"r\",\"files\":{\"train\":\"a\"},\"header\":false,\"text_a\":0,\"label\":-1,\"type\":\"regression\","
    "\"metrics\":[\"pearson\",\"spearman\"]}",
    "{\"name\":\"a\",\"format\":\"auto\",\"files\":{\"train\":\"a\"},\"text_a\":\"s\",\"label\":\"l\",\"labels\":\"auto\","
    "\"metrics\":[\"accuracy\"]}",
    "{\"name\":\"m\",\"format\":\"jsonl\",\"files\":{\"train\":\"a\"},\"text_a\":\"s\",\"label\":\"l\",\"type\":\"multilabel\",\"label_"
    "separator\":\";\","
    "\"labels\":[\"a\",\"b\"],\"metrics\":[\"micro_f1\",\"macro_f1\"]}",
    "{\"name\":\"v\",\"format\":\"auto\",\"files\":{\"train\":\"a\",\"dev\":\"d\"},\"text_a\":\"s\",\"text_b\":\"t\",\"label\":\"l\","
    "\"type\":\"embedding\",\"metrics\":[\"spearman\"]}",
    "{\"name\":\"n\",\"files\":{\"train\":\"a\"},\"text_a\":0,\"label\":-1,\"type\":\"tags\",\"tags\":\"any\",\"labels\":[\"O\",\"B-X\","
    "\"I-X\"],\"metrics\":[\"entity_f1\",\"accuracy\"]}",
    "{\"name\":\"\\u0041\\ud83d\\ude00\",\"files\":[],\"labels\":{},\"metrics\":null}",
    "[[[[[[[[",
    "",
};

static const char *const tsv_corpus[] = {
    "s\tt\tl\none two\tthree\t0\nfour\t\t1\n",
    "\xef\xbb\xbfl\tt\ts\r\n0\ta b\tc d\r\n\r\n1\tc\ta b c d\r\n",
    "0\t1\t2\t3\n1\t0\tx y z\t-1.5\n",
    "s\tt\tl\n\"a\t\"\"\t0\n\xff\xfe\t\x08\t1",
    "s\tl\tt\na\n\t\t\n\n",
    "s\tl\na\t0,1\nb\t\nc\t 1 ,true\n",
    "\n\n\n",
    "",
};

static const char *const jsonl_corpus[] = {
    "{\"s\":\"a b\",\"t\":\"c\",\"l\":\"0\"}\n{\"s\":\"a\",\"t\":\"\",\"l\":1}\n",
    "{\"s\":\"\\u00e9\\ud83d\\ude00\",\"t\":\"\\\\u0000\",\"l\":true}\r\n\n{\"s\":\"x\",\"t\":\"y\",\"l\":-2.5e-3}",
    "{\"s\":\"a\",\"l\":[]}\n{\"s\":\"b\",\"l\":[0,\"1\"]}\n{\"s\":\"c\",\"l\":\"true,0\"}\n",
    "{\"s\":[[[[{}]]]],\"l\":null}\n[]\n7\n\"s\"\n",
    "{\"s\":\"\\u0000\"}\n{\"s\":\"\\ud800\"}\n{",
    "",
};

static const char *const conll_corpus[] = {
    "-DOCSTART- -X- O\n\none NN B-X\ntwo NN I-X\nthree NN O\n\nfour NN B-Y\n",
    "a O\nb B-X\nc I-X\n\n\n \t\nd I-Y\r\n",
    "\xef\xbb\xbfone\ttwo\tO\r\n\r\nI-X I-X\n",
    "B-X\n",
    "",
};

static const char *const kinds[] = {"f.tsv", "f.jsonl", "f.conll"};

enum { TASKS = 7 };
static snc_task *tasks[TASKS];

static void try_task(const char *text, size_t n)
{
    snc_task *t, *again;
    char *json;
    if (snc_task_parse(&t, text, n, "f.json") != SNC_OK) {
        assert_true(*snc_err_text());
        return;
    }
    OK(snc_task_json(&json, t));
    OK(snc_task_parse(&again, json, strlen(json), "again"));
    assert_true(snc_task_hash(t) == snc_task_hash(again));
    snc_free(json);
    snc_task_close(again);
    snc_task_close(t);
}

static void check_words(const snc_rows *r, const snc_row *row, int classes)
{
    assert_true(row->words > 0 && row->first + row->words <= r->words);
    for (int i = row->first; i < row->first + row->words; i++)
        assert_true(r->word[i].text.n > 0 && (isnan(r->word[i].target) || r->word[i].target < (float)classes));
}

static void check_row(const snc_rows *r, const snc_row *row, const snc_task *t)
{
    int classes = r->sets ? r->sets->n : snc_task_classes(t);
    /* Texts of which vectors are learnt stand alone. */
    assert_true(row->a.p && (row->b.p != NULL) == (snc_task_pair(t) && !snc_task_vectors(t)));
    if (snc_task_tags(t)) check_words(r, row, classes);
    else assert_true(snc_task_regression(t) || row->target < (float)classes);
}

static void try_rows(const char *text, size_t n, const char *path)
{
    for (int k = 0; k < TASKS; k++) {
        snc_rows *r;
        snc_carve c;
        if (snc_rows__parse(&r, tasks[k], "train", path, text, n) != SNC_OK) {
            assert_true(*snc_err_text());
            continue;
        }
        assert_true(r->n > 0);
        for (int i = 0; i < r->n; i++) check_row(r, &r->row[i], tasks[k]);
        if (snc_carve__make(&c, r, r, false, 1) == SNC_OK) snc_carve__dispose(&c);
        snc_rows__free(r);
    }
}

/* An exact-size copy, so that a sanitizer sees every read past its end. */
static void try_all(const char *text, size_t n)
{
    char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    if (n) memcpy(copy, text, n);
    try_task(copy, n);
    for (int k = 0; k < 3; k++) try_rows(copy, n, kinds[k]);
    free(copy);
}

static size_t mutate(char *buf, size_t n, snc_rng *rng)
{
    static const char *const bits[] = {"\t",   "\n",  "\"", "{",     "}",    "[",    ",",    ":",  "\\u0000",
                                       "\r\n", "nan", "-1", "1e999", "auto", "null", "\xff", "\\", " "};
    int edits = 1 + (int)snc_rng_below(rng, 4);
    for (int i = 0; i < edits; i++) {
        size_t at = snc_rng_below(rng, (uint32_t)n + 1), len = snc_rng_below(rng, 12);
        const char *bit = bits[snc_rng_below(rng, sizeof bits / sizeof *bits)];
        size_t m = strlen(bit);
        switch (snc_rng_below(rng, 5)) {
        case 0: /* change a byte */
            if (at < n) buf[at] = (char)snc_rng_below(rng, 256);
            break;
        case 1: /* cut some out */
            if (at + len > n) len = n - at;
            memmove(buf + at, buf + at + len, n - at - len);
            n -= len;
            break;
        case 2: /* put something in */
            if (n + m > SIZE) break;
            memmove(buf + at + m, buf + at, n - at);
            memcpy(buf + at, bit, m);
            n += m;
            break;
        case 3: /* say it twice */
            if (at + len > n || n + len > SIZE) break;
            memmove(buf + at + len, buf + at, n - at);
            n += len;
            break;
        default: /* stop early */ n = at;
        }
    }
    return n;
}

static void corpus_and_mutations(const char *const *corpus, size_t count, uint64_t stream)
{
    static char buf[SIZE];
    snc_rng rng;
    snc_rng_init(&rng, 7, stream);
    for (size_t i = 0; i < count; i++) try_all(corpus[i], strlen(corpus[i]));
    for (int i = 0; i < ROUNDS; i++) {
        const char *seed = corpus[snc_rng_below(&rng, (uint32_t)count)];
        size_t n = strlen(seed);
        memcpy(buf, seed, n);
        try_all(buf, mutate(buf, n, &rng));
    }
}

static void task_files(void **state)
{
    (void)state;
    corpus_and_mutations(task_corpus, sizeof task_corpus / sizeof *task_corpus, 0);
}

static void tsv_files(void **state)
{
    (void)state;
    corpus_and_mutations(tsv_corpus, sizeof tsv_corpus / sizeof *tsv_corpus, 1);
}

static void jsonl_files(void **state)
{
    (void)state;
    corpus_and_mutations(jsonl_corpus, sizeof jsonl_corpus / sizeof *jsonl_corpus, 2);
}

static void conll_files(void **state)
{
    (void)state;
    corpus_and_mutations(conll_corpus, sizeof conll_corpus / sizeof *conll_corpus, 3);
}

static int open_tasks(void **state)
{
    (void)state;
    static const char *const text[TASKS] = {
        "{\"name\":\"s\",\"format\":\"auto\",\"files\":{\"train\":\"f\"},\"text_a\":\"s\",\"label\":\"l\",\"labels\":[\"0\",\"1\"],"
        "\"metrics\":[\"f1\"]}",
        "{\"name\":\"p\",\"format\":\"auto\",\"files\":{\"train\":\"f\"},\"text_a\":\"s\",\"text_b\":\"t\",\"label\":[\"l\"],"
        "\"labels\":[\"0\",\"1\",\"true\"],\"metrics\":[\"accuracy\"],\"skip_short_rows\":true}",
        "{\"name\":\"r\",\"format\":\"auto\",\"files\":{\"train\":\"f\"},\"text_a\":\"s\",\"label\":\"l\",\"type\":\"regression\","
        "\"metrics\":[\"pearson\"]}",
        "{\"name\":\"n\",\"header\":false,\"files\":{\"train\":\"f\"},\"text_a\":2,\"label\":-1,\"type\":\"regression\","
        "\"metrics\":[\"spearman\"]}",
        "{\"name\":\"m\",\"format\":\"auto\",\"files\":{\"train\":\"f\"},\"text_a\":\"s\",\"label\":\"l\",\"type\":\"multilabel\","
        "\"labels\":[\"0\",\"1\",\"true\"],"
        "\"metrics\":[\"micro_f1\"]}",
        "{\"name\":\"v\",\"format\":\"auto\",\"files\":{\"train\":\"f\"},\"text_a\":\"s\",\"text_b\":\"t\",\"label\":\"l\","
        "\"type\":\"embedding\",\"metrics\":[\"spearman\"]}",
        "{\"name\":\"g\",\"files\":{\"train\":\"f\"},\"text_a\":0,\"label\":-1,\"type\":\"tags\",\"labels\":[\"O\",\"B-X\",\"I-X\","
        "\"B-Y\",\"I-Y\"],\"metrics\":[\"entity_f1\"]}"};
    for (int k = 0; k < TASKS; k++)
        if (snc_task_parse(&tasks[k], text[k], strlen(text[k]), "task") != SNC_OK) return -1;
    return 0;
}

static int close_tasks(void **state)
{
    (void)state;
    for (int k = 0; k < TASKS; k++) snc_task_close(tasks[k]);
    return 0;
}

static char **files;

static void given_files(void **state)
{
    (void)state;
    for (; *files; files++) {
        snc_fmap *m;
        OK(snc_fmap_open(&m, *files));
        try_all((const char *)m->data, m->size);
        snc_fmap_close(m);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    files = argv + 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(task_files), cmocka_unit_test(tsv_files), cmocka_unit_test(jsonl_files),
                                       cmocka_unit_test(conll_files), cmocka_unit_test(given_files)};
    return cmocka_run_group_tests(tests, open_tasks, close_tasks);
}
