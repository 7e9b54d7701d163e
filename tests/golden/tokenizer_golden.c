/* Ids of the `tokenizers` package, recorded by tests/ref/tokenizer_golden.py and bpe_golden.py: sweeps over the code points as hashes,
 * and nasty texts over small vocabularies. With SNC_TEST_MODEL naming a folder with MiniLM's tokenizer, also a hash
 * over its real vocabulary. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "check.h"
#include "wordpieces.h"

#define GOLDEN(name) SNC_TEST_DIR "/golden/" name
#define FNV_BASIS    UINT64_C(0xcbf29ce484222325)
enum { FLAGS = 6, CONTEXTS = 3, FOLDERS = 2, BPE_CONTEXTS = 4, BPE_BLOCKS = 32, BLOCK = 4096, MAX_TEXT = 4096, MAX_IDS = 4096 };

static uint64_t fold(uint64_t h, uint64_t v) { return (h ^ v) * UINT64_C(0x100000001b3); }

static size_t put(char *p, uint32_t cp)
{
    if (cp < 0x80) return p[0] = (char)cp, 1;
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; cp >>= 6) p[i] = (char)(0x80 | (cp & 63));
    p[0] = (char)(lead[n] | cp);
    return n;
}

/* ---- the sweep -------------------------------------------------------------------------------------------------- */

static bool surrogate(uint32_t c) { return c >= 0xd800 && c <= 0xdfff; }

/* Planes 0 to 2 but NUL and LF: each character as a piece that starts a word, then each as one that continues it. */
static char *all_characters(size_t *bytes)
{
    char *v;
    assert_int_equal(snc_alloc(&v, 0x30000 * 12 + 64, 1), SNC_OK);
    size_t n = (size_t)sprintf(v, "[UNK]\n[CLS]\n[SEP]\n");
    for (int cont = 0; cont < 2; cont++) {
        for (uint32_t c = 1; c < 0x30000; c++) {
            if (c == '\n' || surrogate(c)) continue;
            if (cont) v[n++] = '#', v[n++] = '#';
            n += put(v + n, c);
            v[n++] = '\n';
        }
    }
    *bytes = n;
    return v;
}

static uint32_t *swept(size_t *count)
{
    uint32_t *cps;
    assert_int_equal(snc_alloc(&cps, 0x32000, sizeof *cps), SNC_OK);
    *count = 0;
    for (uint32_t c = 0; c < 0x30000; c++)
        if (!surrogate(c)) cps[(*count)++] = c;
    for (uint32_t c = 0xe0000; c < 0xe1000; c++) cps[(*count)++] = c;
    for (uint32_t c = 0xf0000; c < 0xf0100; c++) cps[(*count)++] = c;
    for (uint32_t c = 0x10ff00; c < 0x110000; c++) cps[(*count)++] = c;
    return cps;
}

static uint64_t hash_block(const snc_tok *t, snc_tok_scratch *s, const uint32_t *cps, size_t n, int context)
{
    static const char *const before[] = {"", "a", "x \xe3\x80\xae", "1"}, *const after[] = {"", "b", "\xcc\xa7\xe3\x80\xaa", "."};
    uint64_t h = FNV_BASIS;
    for (size_t i = 0; i < n; i++) {
        char text[64];
        size_t k = strlen(before[context]);
        memcpy(text, before[context], k);
        k += put(text + k, cps[i]);
        memcpy(text + k, after[context], strlen(after[context]));
        k += strlen(after[context]);
        if (context >= 2) {
            k += put(text + k, cps[i]);
            text[k++] = 'e';
        }
        snc_encoding e;
        assert_int_equal(snc_tok_encode(&e, t, s, text, k, NULL, 0, 0), SNC_OK);
        h = fold(h, (uint64_t)e.n);
        for (int j = 0; j < e.n; j++) h = fold(h, (uint64_t)e.ids[j]);
    }
    return h;
}

/* Hashes of a file, each over a block of code points; how many of these there were. */
static size_t check_sweep(const char *path, int flags, int contexts, void (*make)(snc_tok **t, int flag))
{
    size_t count, checked = 0;
    char line[256];
    uint32_t *cps = swept(&count);
    snc_tok *t = NULL;
    snc_tok_scratch *s;
    int made = -1, flag, context, block;
    unsigned long long want;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(snc_tok_scratch_new(&s), SNC_OK);
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#') continue;
        assert_int_equal(sscanf(line, "%d %d %d %llx", &flag, &context, &block, &want), 4);
        assert_true(flag >= 0 && flag < flags && context >= 0 && context < contexts && block >= 0);
        if (flag != made) {
            snc_tok_free(t);
            make(&t, flag);
            made = flag;
        }
        size_t at = (size_t)block * BLOCK, n = count - at < BLOCK ? count - at : BLOCK;
        assert_true(at < count);
        if (hash_block(t, s, cps + at, n, context) != want) fail_msg("flags %d context %d from U+%04X", flag, context, cps[at]);
        checked += n;
    }
    fclose(f);
    snc_tok_free(t);
    snc_tok_scratch_free(s);
    snc_free(cps);
    return checked;
}

static void make_wordpieces(snc_tok **t, int flag)
{
    static const char *const flags[FLAGS] = {
        "{\"lowercase\":true}",  "{\"lowercase\":true,\"strip_accents\":true}",  "{\"lowercase\":true,\"strip_accents\":false}",
        "{\"lowercase\":false}", "{\"lowercase\":false,\"strip_accents\":true}", "{\"lowercase\":false,\"strip_accents\":false}"};
    size_t bytes;
    char *vocab = all_characters(&bytes), config[128];
    snprintf(config, sizeof config, "%s", flags[flag]);
    assert_int_equal(wordpieces_new(t, vocab, bytes, config), SNC_OK);
    snc_free(vocab);
}

/* By way of the folder that is written of it. */
static void open_folder(snc_tok **t, const char *name)
{
    static const char again[] = "scratch.tokenizer_golden";
    char path[512];
    snc_tok_assets a;
    snprintf(path, sizeof path, "%s%.64s", GOLDEN("bpe/"), name);
    if (snc_tok_assets_load(&a, path) != SNC_OK) fail_msg("%s", snc_err_text());
    assert_int_equal(snc_mkdir(again), SNC_OK);
    assert_int_equal(snc_tok_assets_save(again, &a, 64, false), SNC_OK);
    snc_tok_assets_dispose(&a);
    if (snc_tok_assets_load(&a, again) != SNC_OK) fail_msg("%s", snc_err_text());
    assert_int_equal(snc_tok_new(t, &a), SNC_OK);
    snc_tok_assets_dispose(&a);
}

static void make_bpe(snc_tok **t, int flag)
{
    static const char *const names[FOLDERS] = {"roberta", "modern"};
    open_folder(t, names[flag]);
}

static void every_code_point_as_in_the_package(void **state)
{
    (void)state;
    size_t count;
    snc_free(swept(&count));
    assert_int_equal(check_sweep(GOLDEN("tokenizer_sweep.txt"), FLAGS, CONTEXTS, make_wordpieces), count * FLAGS * CONTEXTS);
    assert_int_equal(check_sweep(GOLDEN("bpe_sweep.txt"), FOLDERS, BPE_CONTEXTS, make_bpe),
                     BPE_BLOCKS * BLOCK * FOLDERS * (BPE_CONTEXTS - 1));
}

/* ---- nasty texts ------------------------------------------------------------------------------------------------ */

/* "." is empty; returns the bytes of a hex word. */
static size_t unhex(char *out, const char *hex)
{
    size_t n = 0;
    if (hex[0] == '.') return 0;
    for (; hex[2 * n]; n++) {
        unsigned v = 0;
        assert_true(n < MAX_TEXT && sscanf(hex + 2 * n, "%2x", &v) == 1);
        out[n] = (char)v;
    }
    return n;
}

/* One line: a b limit dropped second-segment-tokens ids. */
static void check_case(const snc_tok *t, snc_tok_scratch *s, char *line)
{
    static char a[MAX_TEXT], b[MAX_TEXT];
    char *ha = strtok(line, " "), *hb = strtok(NULL, " ");
    int limit = atoi(strtok(NULL, " ")), dropped = atoi(strtok(NULL, " ")), second = atoi(strtok(NULL, " ")), n = 0;
    bool pair = hb[0] != '-';
    size_t na = unhex(a, ha), nb = pair ? unhex(b, hb) : 0;
    snc_encoding e;
    assert_int_equal(snc_tok_encode(&e, t, s, a, na, pair ? b : NULL, nb, limit), SNC_OK);
    for (char *p = strtok(NULL, ",\n"); p; p = strtok(NULL, ",\n"), n++)
        if (n >= e.n || e.ids[n] != atoi(p)) fail_msg("text %s %s limit %d: token %d is not %s", ha, hb, limit, n, p);
    assert_int_equal(e.n, n);
    assert_int_equal(e.dropped, dropped);
    for (int i = 0; i < n; i++) second -= e.types[i];
    assert_int_equal(second, 0);
}

/* Over the real vocabulary all ids fold into one hash: the vocabulary itself is not ours to keep here. */
static void check_model(FILE *f, snc_tok_scratch *s, const char *dir, uint64_t want_vocab, uint64_t want_ids)
{
    static char line[3 * MAX_TEXT], text[MAX_TEXT];
    snc_tok_assets a;
    snc_tok *t;
    uint64_t vocab = FNV_BASIS, ids = FNV_BASIS;
    if (snc_tok_assets_load(&a, dir) != SNC_OK) fail_msg("%s", snc_err_text());
    assert_int_equal(snc_tok_new(&t, &a), SNC_OK);
    const snc_tok_blob *lines = snc_tok_blob_view(&a, "vocab");
    for (size_t i = 0; i < lines->bytes; i++) vocab = fold(vocab, (unsigned char)lines->data[i]);
    if (vocab != want_vocab) fail_msg("%s: not MiniLM's vocabulary", dir);
    while (fgets(line, sizeof line, f)) {
        snc_encoding e;
        line[strcspn(line, "\n")] = 0;
        size_t n = unhex(text, line);
        assert_int_equal(snc_tok_encode(&e, t, s, text, n, NULL, 0, 0), SNC_OK);
        for (int j = 0; j < e.n; j++) ids = fold(ids, (uint64_t)e.ids[j]);
    }
    assert_true(ids == want_ids);
    snc_tok_free(t);
    snc_tok_assets_dispose(&a);
}

static void run_nasty(const char *path, bool real)
{
    static char line[16 * MAX_IDS];
    char *vocab;
    size_t bytes, cases = 0;
    snc_tok *t = NULL;
    snc_tok_scratch *s;
    unsigned long long want_vocab, want_ids;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(snc_file_read(&vocab, &bytes, GOLDEN("tokenizer_nasty_vocab.txt")), SNC_OK);
    assert_int_equal(snc_tok_scratch_new(&s), SNC_OK);
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#') continue;
        if (sscanf(line, "model %llx %llx", &want_vocab, &want_ids) == 2) {
            if (real) check_model(f, s, getenv("SNC_TEST_MODEL"), want_vocab, want_ids);
            break;
        }
        if (real) continue;
        if (strncmp(line, "folder ", 7) == 0) {
            line[strcspn(line, "\n")] = 0;
            snc_tok_free(t);
            open_folder(&t, line + 7);
        } else if (strncmp(line, "config ", 7) == 0) {
            snc_tok_free(t);
            assert_int_equal(wordpieces_new(&t, vocab, bytes, line + 7), SNC_OK);
        } else {
            assert_non_null(t);
            check_case(t, s, line);
            cases++;
        }
    }
    assert_true(real || cases > 500);
    fclose(f);
    snc_tok_free(t);
    snc_tok_scratch_free(s);
    snc_free(vocab);
}

static void nasty_texts_as_in_the_package(void **state)
{
    (void)state;
    run_nasty(GOLDEN("tokenizer_nasty.txt"), false);
    run_nasty(GOLDEN("bpe_nasty.txt"), false);
}

static void real_vocabulary_as_in_the_package(void **state)
{
    (void)state;
    if (!getenv("SNC_TEST_MODEL")) {
        print_message("skipped: SNC_TEST_MODEL does not name a folder with MiniLM's tokenizer\n");
        skip();
    }
    run_nasty(GOLDEN("tokenizer_nasty.txt"), true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_as_in_the_package),
        cmocka_unit_test(nasty_texts_as_in_the_package),
        cmocka_unit_test(real_vocabulary_as_in_the_package),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
