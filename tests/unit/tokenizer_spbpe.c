/* SentencePiece's BPE: which files are of that kind, what is refused and how it is said, unknowns among bytes, fewer pieces. */
#include "files.h"
#include "tokenizer/kind.h"

static scratch dir;
static const char *const names[] = {"tokenizer.json", "tokenizer_config.json", "config.json", "added_tokens.json", "tokenizer.model"};
enum { TOKENIZER, CONFIG, MODEL, ADDED, SPM, N_NAMES };

static void put(int file, const char *text) { (void)scratch_write(&dir, names[file], text, strlen(text)); }

static int clear(void **state)
{
    (void)state;
    for (int i = 0; i < N_NAMES; i++) remove(scratch_path(&dir, names[i]));
    return 0;
}

#define BLOCK "\xe2\x96\x81"
#define PIECES                                                                                                                    \
    "{\"<unk>\":0,\"<s>\":1,\"</s>\":2,\"" BLOCK "\":3,\"a\":4,\"b\":5,\"ab\":6,\"" BLOCK "a\":7,\"" BLOCK "ab\":8,\"<0xC3>\":9," \
    "\"<0xA9>\":10,\"\\n\":11,\"\\n\\n\":12,\"ba\":13}"
#define PAIRS         "[\"a b\",[\"" BLOCK "\",\"ab\"],[\"\\n\",\"\\n\"],\"" BLOCK " a\",\"b a\",\"" BLOCK "a b\"]"
#define FILE_OF(m, r) "{\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\"," m "\"vocab\":" PIECES ",\"merges\":" PAIRS "}" r "}"
#define META          ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"first\",\"split\":false}"
#define BYTES         "\"byte_fallback\":true,"
enum { UNK, START, END, SPACE, A, B, AB, SPACE_A, SPACE_AB, BYTE_C3, BYTE_A9, LINE, LINES, BA, PIECE_COUNT };

static void check_ids(const char *text, const int32_t *want, int n)
{
    snc_tok_assets a;
    snc_tok *t = NULL;
    snc_tok_scratch *s = NULL;
    snc_encoding e;
    assert_ok(snc_tok_assets_load(&a, dir.dir));
    assert_ptr_equal(a.kind, &snc_tok_spbpe);
    assert_ok(snc_tok_new(&t, &a));
    assert_ok(snc_tok_scratch_new(&s));
    assert_ok(snc_tok_encode(&e, t, s, text, strlen(text), NULL, 0, 0));
    assert_int_equal(e.n, n);
    for (int i = 0; i < n; i++)
        if (e.ids[i] != want[i]) fail_msg("'%s': id %d is %d, expected %d", text, i, e.ids[i], want[i]);
    snc_tok_scratch_free(s);
    snc_tok_free(t);
    snc_tok_assets_dispose(&a);
}

#define IDS(...) (const int32_t[]){__VA_ARGS__}, (int)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void characters_are_merged_and_others_are_bytes(void **state)
{
    (void)state;
    put(TOKENIZER, FILE_OF("", META));
    check_ids("ab ab\n\n\n", IDS(SPACE_AB, SPACE_AB, LINES, LINE));
    check_ids("a\xc3\xa9", IDS(SPACE_A, UNK));
    put(TOKENIZER, FILE_OF(BYTES, META));
    check_ids("a\xc3\xa9 b", IDS(SPACE_A, BYTE_C3, BYTE_A9, SPACE, B));
    check_ids("\xc3\xa8\xc3\xa9"
              "b\xc3\xa8\xc3\xa8",
              IDS(SPACE, BYTE_C3, BYTE_A9, UNK, B, UNK, UNK)); /* the bytes come first */
    put(TOKENIZER, FILE_OF(BYTES "\"fuse_unk\":true,", META));
    check_ids("\xc3\xa8\xc3\xa9\xc3\xa8"
              "b",
              IDS(SPACE, BYTE_C3, BYTE_A9, UNK, B));
    put(TOKENIZER, FILE_OF("\"ignore_merges\":true,", ",\"pre_tokenizer\":null"));
    check_ids("ba", IDS(BA));
    check_ids("bab", IDS(B, AB));
}

/* A text is cut before a U+2581 where nothing is merged across it, which takes that no piece has one inside and no character vanishes. */
static void merges_across_words_and_beside_what_is_dropped_hold(void **state)
{
    (void)state;
    enum { U, BLOCK_ID, A_ID, B_ID, A_BLOCK, TWO };
#define SMALL(unk, merges)                                                                                                       \
    "{\"model\":{\"type\":\"BPE\"," unk "\"vocab\":{\"<unk>\":0,\"" BLOCK "\":1,\"a\":2,\"b\":3,\"a" BLOCK "\":4,\"" BLOCK BLOCK \
    "\":5},\"merges\":[" merges "]}" META "}"
    const char *words = "a b a b a  b"; /* the second of each is one that was cut before */
    put(TOKENIZER, SMALL("\"unk_token\":\"<unk>\",", "[\"" BLOCK "\",\"" BLOCK "\"]"));
    check_ids(words, IDS(BLOCK_ID, A_ID, BLOCK_ID, B_ID, BLOCK_ID, A_ID, BLOCK_ID, B_ID, BLOCK_ID, A_ID, TWO, B_ID));
    check_ids("a \xc3\xa8 b", IDS(BLOCK_ID, A_ID, BLOCK_ID, U, BLOCK_ID, B_ID));
    put(TOKENIZER, SMALL("", "[\"" BLOCK "\",\"" BLOCK "\"]"));
    check_ids("a \xc3\xa8 b", IDS(BLOCK_ID, A_ID, TWO, B_ID));
    put(TOKENIZER, SMALL("\"unk_token\":\"<unk>\",", "[\"a\",\"" BLOCK "\"],[\"" BLOCK "\",\"" BLOCK "\"]"));
    check_ids(words, IDS(BLOCK_ID, A_BLOCK, B_ID, BLOCK_ID, A_BLOCK, B_ID, BLOCK_ID, A_BLOCK, BLOCK_ID, B_ID));
}

/* Words that a scratch keeps are one tokenizer's. */
static void a_scratch_serves_two_tokenizers_in_turn(void **state)
{
    (void)state;
    snc_tok_assets a[2];
    snc_tok *t[2];
    snc_tok_scratch *s = NULL;
    assert_ok(snc_tok_scratch_new(&s));
    for (int i = 0; i < 2; i++) {
        put(TOKENIZER, i ? SMALL("", "") : SMALL("", "[\"a\",\"" BLOCK "\"],[\"" BLOCK "\",\"" BLOCK "\"]"));
        assert_ok(snc_tok_assets_load(&a[i], dir.dir));
        assert_ok(snc_tok_new(&t[i], &a[i]));
    }
    for (int i = 0; i < 6; i++) {
        snc_encoding e;
        assert_ok(snc_tok_encode(&e, t[i % 2], s, "a  ", 3, NULL, 0, 0));
        assert_int_equal(e.n, i % 2 ? 4 : 3);
    }
    for (int i = 0; i < 2; i++) {
        snc_tok_free(t[i]);
        snc_tok_assets_dispose(&a[i]);
    }
    snc_tok_scratch_free(s);
}

/* From 5 on Llama's class gives merges and pieces of the file a pre-tokenizer and a model of its own; before, a template. */
static void classes_and_versions_say_whose_word_holds(void **state)
{
    (void)state;
    put(TOKENIZER, FILE_OF("", ",\"pre_tokenizer\":null"));
    check_ids("ab \xc3\xa8", IDS(AB, UNK, UNK));
    put(CONFIG, "{\"tokenizer_class\":\"LlamaTokenizerFast\"}");
    check_ids("ab \xc3\xa9", IDS(SPACE_AB, SPACE, BYTE_C3, BYTE_A9));
    put(CONFIG, "{\"tokenizer_class\":\"LlamaTokenizerFast\",\"add_prefix_space\":false,\"add_bos_token\":true}");
    check_ids("ab \xc3\xa8", IDS(AB, SPACE)); /* an unknown is nothing, and a file's template holds, or none */
    put(MODEL, "{\"model_type\":\"llama\",\"transformers_version\":\"4.40.0\"}");
    put(CONFIG, "{\"tokenizer_class\":\"LlamaTokenizerFast\",\"add_eos_token\":true}");
    check_ids("ab \xc3\xa8", IDS(START, AB, UNK, UNK, END));
}

static void what_is_not_known_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        snc_err code;
        const char *said;
    } cases[] = {
        {FILE_OF("\"dropout\":0.5,", META), SNC_E_UNSUPPORTED, "tokenizer.json: dropout 0.5"},
        {FILE_OF("\"end_of_word_suffix\":\"</w>\",", META), SNC_E_UNSUPPORTED, "end_of_word_suffix '</w>'"},
        {FILE_OF("", ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\"}"), SNC_E_UNSUPPORTED, "'_' in place of spaces"},
        {FILE_OF("", ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"none\"}"), SNC_E_FORMAT, "prepend_scheme 'none'"},
        {FILE_OF("", ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"some\"}"), SNC_E_FORMAT, "'prepend' is 'some'"},
        {FILE_OF("", ",\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"String\":\" \"}}"), SNC_E_UNSUPPORTED, "pre_tokenizer 'Split'"},
        {FILE_OF("", ",\"normalizer\":{\"type\":\"Nmt\"}"), SNC_E_UNSUPPORTED, "normalizer 'Nmt'"},
        {"{\"model\":{\"type\":\"BPE\",\"unk_token\":\"<u>\",\"vocab\":{\"a\":0},\"merges\":[]}}", SNC_E_FORMAT, "unknown token '<u>'"},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b\"]}}", SNC_E_FORMAT, "merge 1: its part 'b'"},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":[\"a\"],\"merges\":[]}}", SNC_E_FORMAT, "'model.vocab' must be an object"},
    };
    snc_tok_assets a;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(TOKENIZER, cases[i].file);
        assert_fails(snc_tok_assets_load(&a, dir.dir), cases[i].code, cases[i].said);
        assert_null(strchr(snc_err_text(), '\n'));
    }
}

/* ---- a .model --------------------------------------------------------------------------------------------------- */

typedef struct proto {
    unsigned char p[4096];
    size_t n;
} proto;

static void add_byte(proto *m, size_t v) { m->p[m->n++] = (unsigned char)v; }

/* Of at most 600 bytes. */
static void add_piece(proto *m, const char *text, int type)
{
    size_t n = strlen(text), in = n + (n < 128 ? 2 : 3) + 2;
    add_byte(m, 0x0a);
    if (in > 127) add_byte(m, 128 | (in & 127));
    add_byte(m, in > 127 ? in >> 7 : in);
    add_byte(m, 0x0a);
    if (n > 127) add_byte(m, 128 | (n & 127));
    add_byte(m, n > 127 ? n >> 7 : n);
    memcpy(m->p + m->n, text, n);
    m->n += n;
    add_byte(m, 0x18);
    add_byte(m, (size_t)type);
}

/* A trainer that says which model it is. */
static proto model_of(int type)
{
    static const char *const pieces[] = {"<unk>", "<s>", "</s>", BLOCK, "a", "b", "ab", BLOCK "ab"};
    proto m = {.p = {0x12, 2, 0x18, (unsigned char)type}, .n = 4};
    for (int i = 0; i < 8; i++) add_piece(&m, pieces[i], i == 0 ? 2 : i < 3 ? 3 : 1);
    return m;
}

static void put_model(const proto *m) { (void)scratch_write(&dir, names[SPM], m->p, m->n); }

static void refused(const char *class, snc_err code, const char *said)
{
    char config[128];
    snc_tok_assets a;
    snprintf(config, sizeof config, "{\"tokenizer_class\":\"%s\"}", class);
    put(CONFIG, config);
    assert_fails(snc_tok_assets_load(&a, dir.dir), code, said);
}

static void a_model_is_read_by_its_class(void **state)
{
    (void)state;
    proto m = model_of(2);
    put_model(&m);
    put(CONFIG, "{\"tokenizer_class\":\"LlamaTokenizerFast\",\"add_eos_token\":true}");
    check_ids("ab a", IDS(7, 3, 4, 2));
    refused("XLMRobertaTokenizer", SNC_E_UNSUPPORTED,
            "'XLMRobertaTokenizer': a .model of BPE pieces without tokenizer.json is read for Llama");
    put(CONFIG, "{\"tokenizer_class\":\"LlamaTokenizer\"}");
    put(MODEL, "{\"model_type\":\"modernbert\",\"tokenizer_class\":\"LlamaTokenizer\"}"); /* whose class is not believed */
    check_ids(" ab", IDS(7));
    put(ADDED, "{\"<pad>\":2}");
    refused("TokenizersBackend", SNC_E_UNSUPPORTED, "'<pad>' has the id of the piece '</s>'");
    put(ADDED, "{\"<pad>\":\"2\"}");
    refused("LlamaTokenizer", SNC_E_FORMAT, "added_tokens.json: the id of '<pad>' must be a number");
    remove(scratch_path(&dir, names[ADDED]));
    remove(scratch_path(&dir, names[MODEL]));
    m = model_of(1);
    put_model(&m);
    refused("LlamaTokenizer", SNC_E_UNSUPPORTED,
            "'LlamaTokenizer': a .model of unigram pieces without tokenizer.json is read for XLMRoberta");
    m = model_of(3);
    put_model(&m);
    refused("LlamaTokenizer", SNC_E_UNSUPPORTED, "of type 3: only unigram (1) and BPE (2) are read");
    char text[600];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    m = model_of(2);
    add_piece(&m, text, 1);
    put_model(&m);
    refused("LlamaTokenizer", SNC_E_UNSUPPORTED, "has 599 bytes: at most 512 are taken");
}

/* ---- fewer pieces ----------------------------------------------------------------------------------------------- */

/* Of a piece's two merges the one that makes it stays. */
static void what_stays_keeps_its_parts_and_bytes(void **state)
{
    (void)state;
    static const bool want[PIECE_COUNT] = {
        [UNK] = 1, [SPACE] = 1, [A] = 1, [B] = 1, [AB] = 1, [SPACE_AB] = 1, [BYTE_C3] = 1, [BYTE_A9] = 1, [LINE] = 1};
    bool keep[PIECE_COUNT] = {[SPACE_AB] = true};
    snc_tok_assets a, cut = {.kind = &snc_tok_spbpe};
    snc_tok *t;
    put(TOKENIZER, FILE_OF(BYTES, META));
    assert_ok(snc_tok_assets_load(&a, dir.dir));
    assert_int_equal(a.kind->ids(&a), PIECE_COUNT);
    assert_ok(a.kind->need(keep, PIECE_COUNT, &a));
    assert_memory_equal(keep, want, sizeof want);
    assert_ok(a.kind->trim(&cut, &a, keep, PIECE_COUNT));
    assert_ok(snc_tok_new(&t, &cut));
    assert_int_equal(snc_tok_vocab_size(t), 9);
    assert_string_equal(snc_tok_piece_view(t, 5), BLOCK "ab");
    snc_tok_free(t);
    snc_tok_assets_dispose(&cut);
    snc_tok_assets_dispose(&a);
}

int main(void)
{
    scratch_init(&dir, "tokenizer_spbpe");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(characters_are_merged_and_others_are_bytes, clear),
        cmocka_unit_test_setup(merges_across_words_and_beside_what_is_dropped_hold, clear),
        cmocka_unit_test_setup(a_scratch_serves_two_tokenizers_in_turn, clear),
        cmocka_unit_test_setup(classes_and_versions_say_whose_word_holds, clear),
        cmocka_unit_test_setup(what_is_not_known_is_refused_by_name, clear),
        cmocka_unit_test_setup(a_model_is_read_by_its_class, clear),
        cmocka_unit_test_setup_teardown(what_stays_keeps_its_parts_and_bytes, clear, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
