/* SentencePiece's models by every class and form of tokenizer.json, and folders of every kind with added_tokens.json, against what
 * Hugging Face's libraries make of them (tests/ref/tokenizer_unigram_golden.py, tokenizer_spbpe_golden.py): ids are equal, every one;
 * trimmed, texts whose pieces were kept give the same pieces; damaged, each is refused in a line or gives ids that exist. */
#include "base/json.h"
#include "files.h"
#include "mutate.h"
#include "tokenizer/kind.h"

enum { SEED = 5, DAMAGED = 40, DAMAGED_BPE = 8, KEPT_TEXTS = 50 };

static cJSON *all;
static int damaged; /* of a folder */
static scratch dir;

static const cJSON *get(const cJSON *j, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);
    assert_non_null(v);
    return v;
}

static unsigned char *bytes_of(size_t *n, const cJSON *file)
{
    const char *text = file->valuestring, *dot = strrchr(file->string, '.');
    unsigned char *p = NULL;
    unsigned v;
    *n = strlen(text);
    if (strcmp(dot, ".model") != 0) {
        assert_ok(snc_strndup((char **)&p, text, *n));
        return p;
    }
    *n /= 2;
    assert_ok(snc_alloc(&p, *n, 1));
    for (size_t i = 0; i < *n; i++) {
        assert_int_equal(sscanf(text + 2 * i, "%2x", &v), 1);
        p[i] = (unsigned char)v;
    }
    return p;
}

/* Without a sync to disk, unlike snc_file_write. */
static void put(const char *name, const void *data, size_t n)
{
    FILE *f = fopen(scratch_path(&dir, name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    fclose(f);
}

static void clean(void)
{
    static const char *const names[] = {"tokenizer.json",
                                        "tokenizer_config.json",
                                        "special_tokens_map.json",
                                        "added_tokens.json",
                                        "config.json",
                                        "sentencepiece.bpe.model",
                                        "spiece.model",
                                        "spm.model",
                                        "vocab.txt",
                                        "tokenizer.model",
                                        "vocab.json",
                                        "merges.txt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) remove(scratch_path(&dir, names[i]));
}

static void put_folder(const cJSON *folder)
{
    const cJSON *file;
    clean();
    cJSON_ArrayForEach(file, get(folder, "files"))
    {
        size_t n;
        unsigned char *p = bytes_of(&n, file);
        put(file->string, p, n);
        snc_free(p);
    }
}

static const char *text_at(int i) { return cJSON_GetArrayItem(get(all, "texts"), i)->valuestring; }

static void check_answer(const snc_tok *t, snc_tok_scratch *s, const char *a, const char *b, const cJSON *want, const char *what)
{
    snc_encoding e;
    const cJSON *ids = cJSON_GetArrayItem(want, 0), *id;
    int i = 0, second = 0;
    assert_ok(snc_tok_encode(&e, t, s, a, strlen(a), b, b ? strlen(b) : 0, 0));
    cJSON_ArrayForEach(id, ids)
    {
        if (i >= e.n || e.ids[i] != (int)id->valuedouble)
            fail_msg("%s: '%s' '%s': token %d is not %g", what, a, b ? b : "", i, id->valuedouble);
        second += e.types[i++];
    }
    assert_int_equal(i, e.n);
    assert_int_equal(second, (int)cJSON_GetArrayItem(want, 1)->valuedouble);
}

static void check_folder(const char *path, const cJSON *folder, const char *what)
{
    int texts = cJSON_GetArraySize(get(all, "texts"));
    snc_tok_assets a;
    snc_tok *t;
    snc_tok_scratch *s;
    if (snc_tok_assets_load(&a, path)) fail_msg("%s: %s", what, snc_err_text());
    assert_ok(snc_tok_new(&t, &a));
    assert_ok(snc_tok_scratch_new(&s));
    const cJSON *want = get(folder, "answers")->child;
    for (int i = 0; i < texts; i++, want = want->next) check_answer(t, s, text_at(i), NULL, want, what);
    for (int i = 0; i + 1 < texts; i += 7, want = want->next) check_answer(t, s, text_at(i), text_at(i + 1), want, what);
    assert_null(want);
    snc_tok_scratch_free(s);
    snc_tok_free(t);
    snc_tok_assets_dispose(&a);
}

/* Written as a folder and read again. */
static void check_written(const cJSON *folder, const char *what)
{
    snc_tok_assets a;
    assert_ok(snc_tok_assets_load(&a, dir.dir));
    const bool alone = strstr(snc_tok_blob_view(&a, "config")->data, "\"alone\"") != NULL;
    clean();
    if (alone) assert_fails(snc_tok_assets_save(dir.dir, &a, 64, false), SNC_E_UNSUPPORTED, "user-defined");
    else {
        assert_ok(snc_tok_assets_save(dir.dir, &a, 64, false));
        check_folder(dir.dir, folder, what);
    }
    snc_tok_assets_dispose(&a);
}

static void ids_are_the_librarys(void **state)
{
    (void)state;
    const cJSON *folder;
    int number = 0;
    cJSON_ArrayForEach(folder, get(all, "folders"))
    {
        char what[96];
        snprintf(what, sizeof what, "folder %d (%s)", number++, get(folder, "files")->child->string);
        put_folder(folder);
        check_folder(dir.dir, folder, what);
        strcat(what, ", written again");
        check_written(folder, what);
    }
    assert_true(number > 12);
}

/* ---- fewer pieces ----------------------------------------------------------------------------------------------- */

static void encode(snc_encoding *e, const snc_tok *t, snc_tok_scratch *s, int i)
{
    assert_ok(snc_tok_encode(e, t, s, text_at(i), strlen(text_at(i)), NULL, 0, 0));
}

static void check_trimmed(const snc_tok_assets *a, const snc_tok *t, bool *keep)
{
    snc_tok_assets small = {.kind = a->kind};
    snc_tok *u;
    snc_tok_scratch *s, *r;
    snc_encoding x, y;
    int n = snc_tok_vocab_size(t), kept = 0;
    assert_ok(snc_tok_scratch_new(&s));
    assert_ok(snc_tok_scratch_new(&r));
    for (int i = 0; i < KEPT_TEXTS; i++) {
        encode(&x, t, s, i);
        for (int k = 0; k < x.n; k++) keep[x.ids[k]] = true;
    }
    assert_ok(a->kind->need(keep, n, a));
    for (int i = 0; i < n; i++) kept += keep[i];
    assert_true(kept < n);
    assert_ok(a->kind->trim(&small, a, keep, n));
    assert_ok(snc_tok_new(&u, &small));
    assert_int_equal(snc_tok_vocab_size(u), kept);
    assert_in_range(a->kind->trimmed_bytes(a, keep, n), snc_tok_assets_bytes(&small), snc_tok_assets_bytes(&small) + 200);
    for (int i = 0; i < KEPT_TEXTS; i++) {
        encode(&x, t, s, i);
        encode(&y, u, r, i);
        assert_int_equal(x.n, y.n);
        for (int k = 0; k < x.n; k++) assert_string_equal(snc_tok_piece_view(t, x.ids[k]), snc_tok_piece_view(u, y.ids[k]));
    }
    snc_tok_scratch_free(s);
    snc_tok_scratch_free(r);
    snc_tok_free(u);
    snc_tok_assets_dispose(&small);
}

static void kept_texts_are_cut_as_before(void **state)
{
    (void)state;
    const cJSON *folder;
    cJSON_ArrayForEach(folder, get(all, "folders"))
    {
        snc_tok_assets a;
        snc_tok *t;
        bool *keep;
        put_folder(folder);
        assert_ok(snc_tok_assets_load(&a, dir.dir));
        assert_ok(snc_tok_new(&t, &a));
        assert_ok(snc_alloc(&keep, (size_t)snc_tok_vocab_size(t), 1));
        check_trimmed(&a, t, keep);
        snc_free(keep);
        snc_tok_free(t);
        snc_tok_assets_dispose(&a);
    }
}

/* ---- damage ----------------------------------------------------------------------------------------------------- */

static int refused(void)
{
    assert_true(strlen(snc_err_text()) > 0 && !strchr(snc_err_text(), '\n'));
    return 0;
}

/* 1: what the tokenizer gives for some texts exists. */
static int try_assets(const snc_tok_assets *a)
{
    snc_tok *t;
    snc_tok_scratch *s;
    snc_encoding e;
    if (snc_tok_new(&t, a)) return refused();
    assert_ok(snc_tok_scratch_new(&s));
    for (int i = 0; i < KEPT_TEXTS; i += 9) {
        encode(&e, t, s, i);
        for (int k = 0; k < e.n; k++) assert_non_null(snc_tok_piece_view(t, e.ids[k]));
    }
    snc_tok_scratch_free(s);
    snc_tok_free(t);
    return 1;
}

static int try_folder(void)
{
    snc_tok_assets a;
    if (snc_tok_assets_load(&a, dir.dir)) return refused();
    assert_int_equal(try_assets(&a), 1);
    snc_tok_assets_dispose(&a);
    return 1;
}

/* A tokenizer that was made is trimmed, too. */
static int try_trimmed(const snc_tok_assets *a)
{
    snc_tok_assets small = {.kind = a->kind};
    bool *keep;
    int n = a->kind->ids(a), made = try_assets(a);
    if (!made) return 0;
    assert_ok(snc_alloc(&keep, (size_t)n, 1));
    if (a->kind->need(keep, n, a)) {
        made = refused();
    } else {
        assert_true(a->kind->trimmed_bytes(a, keep, n) > 0);
        if (!a->kind->trim(&small, a, keep, n)) (void)try_assets(&small);
        else made = refused();
    }
    snc_tok_assets_dispose(&small);
    snc_free(keep);
    return made;
}

static int blobs_of(const snc_tok_kind *kind)
{
    int n = 0;
    while (kind->blob[n]) n++;
    return n;
}

static void damaged_blobs_fail_or_work(void **state)
{
    (void)state;
    const cJSON *folder;
    int made = 0, tried = 0;
    snc_rng r;
    snc_rng_init(&r, SEED, 1);
    cJSON_ArrayForEach(folder, get(all, "folders"))
    {
        snc_tok_assets a, b;
        put_folder(folder);
        assert_ok(snc_tok_assets_load(&a, dir.dir));
        for (int i = 0; i < damaged; i++, tried++) {
            int which = i % blobs_of(a.kind);
            const snc_tok_blob *from = &a.blob[which];
            mutant m = mutate((const unsigned char *)from->data, from->bytes, &r, 0, from->bytes);
            assert_ok(snc_tok_assets_dup(&b, &a));
            snc_tok_blob *to = &b.blob[which];
            snc_free(to->data);
            to->bytes = m.n;
            assert_ok(snc_strndup(&to->data, (const char *)m.p, m.n));
            made += try_trimmed(&b);
            snc_tok_assets_dispose(&b);
            free(m.p);
        }
        snc_tok_assets_dispose(&a);
    }
    assert_in_range(made, tried / 50, tried - tried / 10);
}

static void damaged_files_fail_or_work(void **state)
{
    (void)state;
    const cJSON *folder;
    int read = 0, tried = 0;
    snc_rng r;
    snc_rng_init(&r, SEED, 0);
    cJSON_ArrayForEach(folder, get(all, "folders"))
    {
        size_t n;
        const cJSON *file = get(folder, "files")->child;
        unsigned char *p = bytes_of(&n, file);
        put_folder(folder);
        for (int i = 0; i < damaged; i++, tried++) {
            mutant m = mutate(p, n, &r, 0, n);
            put(file->string, m.p, m.n);
            read += try_folder();
            free(m.p);
        }
        snc_free(p);
    }
    assert_in_range(read, tried / 50, tried - tried / 10);
}

static void refused_model(const void *data, size_t n, const char *fragment)
{
    static const char config[] = "{\"tokenizer_class\":\"AlbertTokenizer\"}";
    snc_tok_assets a;
    clean();
    put("tokenizer_config.json", config, sizeof config - 1);
    put("spiece.model", data, n);
    assert_fails(snc_tok_assets_load(&a, dir.dir), SNC_E_FORMAT, fragment);
}

static void models_that_lie_are_refused(void **state)
{
    (void)state;
    static const unsigned char wraps[] = {0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x0a, 0x01, 'a'};
    static const unsigned char endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
    static const unsigned char group[] = {0x0b, 0x0b, 0x0b, 0x0b};
    static const unsigned char nan[] = {0x0a, 0x08, 0x0a, 0x01, 'a', 0x15, 0x00, 0x00, 0xc0, 0x7f};
    static const unsigned char cut[] = {0x0a, 0x04, 0x0a, 0x09, 'a', 'b'};
    static const unsigned char odd[] = {0x0a, 0x03, 0x0a, 0x01, 0xff};
    /* Pieces a and b, and a map of one unit whose text is far away. */
    static const unsigned char far[] = {0x0a, 0x03, 0x0a, 0x01, 'a',  0x0a, 0x03, 0x0a, 0x01, 'b',  0x1a, 0x0b,
                                        0x12, 0x09, 0x04, 0x00, 0x00, 0x00, 0x00, 0xff, 0x0f, 0x00, 0x00};
    refused_model(wraps, sizeof wraps, "cut or damaged");
    refused_model(endless, sizeof endless, "cut or damaged");
    refused_model(group, sizeof group, "cut or damaged");
    refused_model(cut, sizeof cut, "cut or damaged");
    refused_model(nan, sizeof nan, "score of piece 0 is no finite number");
    refused_model(odd, sizeof odd, "piece 0 is not valid UTF-8");
    refused_model(far, sizeof far, "points outside");
    refused_model("", 0, "no pieces");
    char *long_piece;
    assert_ok(snc_alloc(&long_piece, 6000, 1));
    memset(long_piece, 'a', 6000);
    memcpy(long_piece, "\x0a\x03\x0a\x01z\x0a\x8b\x27\x0a\x88\x27", 11); /* 5003 and 5000 bytes */
    refused_model(long_piece, 5 + 3 + 5003, "has 5000 bytes");
    snc_free(long_piece);
}

static int setup_unigram(void **state)
{
    (void)state;
    scratch_init(&dir, "tokenizer_unigram");
    damaged = DAMAGED;
    return snc_json_load(&all, SNC_TEST_DIR "/golden/tokenizer_unigram.json");
}

static int setup_bpe(void **state)
{
    (void)state;
    scratch_init(&dir, "tokenizer_spbpe_golden");
    damaged = DAMAGED_BPE;
    return snc_json_load(&all, SNC_TEST_DIR "/golden/tokenizer_spbpe.json");
}

static int teardown(void **state)
{
    (void)state;
    clean();
    cJSON_Delete(all);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_the_librarys),        cmocka_unit_test(kept_texts_are_cut_as_before),
        cmocka_unit_test(damaged_files_fail_or_work),  cmocka_unit_test(damaged_blobs_fail_or_work),
        cmocka_unit_test(models_that_lie_are_refused),
    };
    int failed = cmocka_run_group_tests_name("unigram", tests, setup_unigram, teardown);
    return failed + cmocka_run_group_tests_name("BPE", tests, setup_bpe, teardown);
}
