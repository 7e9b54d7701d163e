/* Byte-level BPE: what is read of a folder and what is refused, merges by either way, words that a cache holds, fewer pieces. */
#include "base/json.h"
#include "base/rng.h"
#include "files.h"
#include "tokenizer/bpe_priv.h"
#include "tokenizer/tokenizer_priv.h"
#include "wordpieces.h"

static scratch dir;
static const char *const names[] = {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "config.json", "vocab.json",
                                    "merges.txt"};
enum { TOKENIZER, CONFIG, SPECIAL, MODEL, VOCAB, MERGES, N_NAMES };

static void put(int file, const char *text) { (void)scratch_write(&dir, names[file], text, strlen(text)); }

static int clear(void **state)
{
    (void)state;
    for (int i = 0; i < N_NAMES; i++) remove(scratch_path(&dir, names[i]));
    return 0;
}

/* A tokenizer.json: what the model has beside its pieces, and what there is beside the model. */
#define PIECES                                                                                                                           \
    "{\"a\":0,\"b\":1,\"c\":2,\"\u0120\":3,\"ab\":4,\"\u0120a\":5,\"abc\":6,\"<u>\":7,\"bc\":8,\"#\":9,\"##\":10,\"cab\":11,\"<s>\":12," \
    "\"</s>\":13}"
#define PAIRS               "[\"a b\",\"\u0120 a\",[\"ab\",\"c\"],\"b c\",\"# #\"]"
#define FILE_OF(m, v, p, r) "{\"model\":{\"type\":\"BPE\"," m "\"vocab\":" v ",\"merges\":" p "}," r "}"
#define LEVEL               "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"
#define SPACED              "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true}"
enum { A, B, C, SPACE, AB, SPACE_A, ABC, UNK, BC, HASH, HASHES, CAB, START, END, PIECE_COUNT };

static void load(snc_tok_assets *a) { assert_ok(snc_tok_assets_load(a, dir.dir)); }

static void check_ids(const snc_tok *t, snc_tok_scratch *s, const char *text, const int32_t *want, int n)
{
    snc_encoding e;
    for (int again = 0; again < 2; again++) { /* from the cache, too */
        assert_ok(snc_tok_encode(&e, t, s, text, strlen(text), NULL, 0, 0));
        assert_int_equal(e.n, n);
        for (int i = 0; i < n; i++)
            if (e.ids[i] != want[i]) fail_msg("'%s': id %d is %d, expected %d", text, i, e.ids[i], want[i]);
    }
}

static void check_folder(const char *file, const char *text, const int32_t *want, int n)
{
    snc_tok_assets a;
    snc_tok *t = NULL;
    snc_tok_scratch *s = NULL;
    put(TOKENIZER, file);
    load(&a);
    assert_ok(snc_tok_new(&t, &a));
    assert_ok(snc_tok_scratch_new(&s));
    check_ids(t, s, text, want, n);
    snc_tok_scratch_free(s);
    snc_tok_free(t);
    snc_tok_assets_dispose(&a);
}

#define IDS(...) (const int32_t[]){__VA_ARGS__}, (int)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void words_are_merged_by_rank(void **state)
{
    (void)state;
    const char *file = FILE_OF("", PIECES, PAIRS, LEVEL);
    check_folder(file, "abc", IDS(ABC));
    check_folder(file, "abc abc bc", IDS(ABC, SPACE, ABC, SPACE, BC)); /* "a b" comes before " a" */
    check_folder(file, " ac", IDS(SPACE_A, C));
    check_folder(file, "cab###", IDS(C, AB, HASHES, HASH));
    check_folder(file, "a  bc", IDS(A, SPACE, SPACE, BC));
    check_folder(FILE_OF("", PIECES, PAIRS, SPACED), "ac", IDS(SPACE_A, C));
    check_folder(FILE_OF("", PIECES, PAIRS, SPACED), " ac", IDS(SPACE_A, C));
    check_folder(FILE_OF("\"ignore_merges\":true,", PIECES, PAIRS, LEVEL), "cab", IDS(CAB));
    check_folder("{\"model\":{\"vocab\":" PIECES ",\"merges\":" PAIRS "}," LEVEL "}", "abc", IDS(ABC)); /* of old versions: no type */
    check_folder(FILE_OF("", PIECES, "[\"a b\",\"b c\",\"a b\"]", LEVEL), "abc", IDS(A, BC)); /* the last of a pair's merges holds */
}

static void bytes_without_a_piece_are_unknown_or_nothing(void **state)
{
    (void)state;
    check_folder(FILE_OF("", PIECES, PAIRS, LEVEL), "xbxxc", IDS(BC));
    check_folder(FILE_OF("\"unk_token\":\"<u>\",", PIECES, PAIRS, LEVEL), "bxxc", IDS(B, UNK, UNK, C));
    check_folder(FILE_OF("\"unk_token\":\"<u>\",\"fuse_unk\":true,", PIECES, PAIRS, LEVEL), "xxbxxcx", IDS(UNK, B, UNK, C, UNK));
}

static void specials_stand_as_the_file_says(void **state)
{
    (void)state;
    const char *bert =
        FILE_OF("", PIECES, PAIRS, LEVEL ",\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"<s>\",12],\"sep\":[\"</s>\",13]}");
    check_folder(bert, "a", IDS(START, A, END));
    check_folder(
        FILE_OF("", PIECES, PAIRS,
                LEVEL ",\"post_processor\":{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\"},{\"type\":"
                      "\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{\"SpecialToken\":{\"id\":\"</s>\","
                      "\"type_id\":0}}],\"pair\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{\"Sequence\":{\"id\":\"B\",\"type_id\":1}},"
                      "{\"SpecialToken\":{\"id\":\"</s>\",\"type_id\":1}}],\"special_tokens\":{\"</s>\":{\"ids\":[13]}}}]}"),
        "b", IDS(B, END));
    check_folder(
        FILE_OF("", PIECES, PAIRS,
                LEVEL
                ",\"added_tokens\":[{\"id\":14,\"content\":\"a\\nb\",\"special\":true},{\"id\":7,\"content\":\"<u>\",\"lstrip\":true}]"),
        "a a\nb <u>a", IDS(A, SPACE, PIECE_COUNT, UNK, A));
}

static void what_is_not_known_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        snc_err code;
        const char *said;
    } cases[] = {
        {FILE_OF("\"dropout\":0.1,", PIECES, PAIRS, LEVEL), SNC_E_UNSUPPORTED, "tokenizer.json: dropout 0.1"},
        {FILE_OF("\"continuing_subword_prefix\":\"##\",", PIECES, PAIRS, LEVEL), SNC_E_UNSUPPORTED, "continuing_subword_prefix '##'"},
        {FILE_OF("\"end_of_word_suffix\":\"</w>\",", PIECES, PAIRS, LEVEL), SNC_E_UNSUPPORTED, "end_of_word_suffix '</w>'"},
        {FILE_OF("\"byte_fallback\":true,", PIECES, PAIRS, LEVEL), SNC_E_UNSUPPORTED, "byte_fallback"},
        {FILE_OF("", PIECES, PAIRS, "\"pre_tokenizer\":{\"type\":\"Whitespace\"}"), SNC_E_UNSUPPORTED, "'Whitespace'"},
        {FILE_OF("", PIECES, PAIRS, "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"use_regex\":false}"), SNC_E_UNSUPPORTED,
         "use_regex false"},
        {FILE_OF("", PIECES, PAIRS, LEVEL ",\"normalizer\":{\"type\":\"Lowercase\"}"), SNC_E_UNSUPPORTED, "normalizer 'Lowercase'"},
        {FILE_OF("", PIECES, PAIRS,
                 LEVEL ",\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"NFKC\"}]}"),
         SNC_E_UNSUPPORTED, "normalizer 'NFKC'"},
        {FILE_OF("", PIECES, PAIRS, LEVEL ",\"post_processor\":{\"type\":\"Other\"}"), SNC_E_UNSUPPORTED, "post_processor 'Other'"},
        {FILE_OF("", PIECES, PAIRS, LEVEL ",\"post_processor\":{\"type\":\"RobertaProcessing\",\"cls\":[\"<s>\",0],\"sep\":[\"</s>\",13]}"),
         SNC_E_FORMAT, "'<s>' is not the token of the id"},
        {FILE_OF("", PIECES, "[\"a b\",\"a x\"]", LEVEL), SNC_E_FORMAT, "merge 2: its part 'x' is not in the vocabulary"},
        {FILE_OF("", PIECES, "[\"x b\"]", LEVEL), SNC_E_FORMAT, "merge 1: its part 'x' is not in the vocabulary"},
        {FILE_OF("", PIECES, "[\"a c\"]", LEVEL), SNC_E_FORMAT, "merge 1 makes 'ac', which is not in the vocabulary"},
        {FILE_OF("", PIECES, "[\"a b c\"]", LEVEL), SNC_E_FORMAT, "merge 1: 'a b c' is not two parts"},
        {FILE_OF("", PIECES, "[\"ab\"]", LEVEL), SNC_E_FORMAT, "merge 1: 'ab' is not two parts"},
        {FILE_OF("", PIECES, "[\" b\"]", LEVEL), SNC_E_FORMAT, "merge 1: its part '' is not in the vocabulary"},
        {FILE_OF("", PIECES, "[5]", LEVEL), SNC_E_FORMAT, "merge 1 must be"},
        {FILE_OF("", PIECES, "[[\"a\",5]]", LEVEL), SNC_E_FORMAT, "merge 1 must be"},
        {FILE_OF("", PIECES, "[[\"a\",\"b\",\"c\"]]", LEVEL), SNC_E_FORMAT, "merge 1 must be"},
        {FILE_OF("", PIECES, "{}", LEVEL), SNC_E_FORMAT, "'model.merges' must be a list"},
        {FILE_OF("", "{\"a\":\"0\"}", "[]", LEVEL), SNC_E_FORMAT, "the id of 'a' must be a number"},
    };
    snc_tok_assets a;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(TOKENIZER, cases[i].file);
        assert_fails(snc_tok_assets_load(&a, dir.dir), cases[i].code, cases[i].said);
        assert_null(strchr(snc_err_text(), '\n'));
    }
}

static bool flag_of(const snc_tok_assets *a, const char *key)
{
    cJSON *j = NULL;
    const snc_tok_blob *config = snc_tok_blob_view(a, "config");
    assert_ok(snc_json_parse(&j, config->data, config->bytes, "config"));
    bool on = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(j, key));
    const cJSON *it;
    if (strcmp(key, "lstrip") == 0)
        cJSON_ArrayForEach(it, cJSON_GetObjectItemCaseSensitive(j, "added")) on =
            on || cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(it, key));
    cJSON_Delete(j);
    return on;
}

static void expect_flag(const char *key, bool want)
{
    snc_tok_assets a;
    load(&a);
    assert_int_equal(flag_of(&a, key), want);
    snc_tok_assets_dispose(&a);
}

static void classes_and_versions_say_whose_word_holds(void **state)
{
    (void)state;
    put(TOKENIZER, FILE_OF("", PIECES, PAIRS, SPACED));
    expect_flag("prefix_space", true);
    put(CONFIG, "{\"tokenizer_class\":\"PreTrainedTokenizerFast\",\"add_prefix_space\":false}");
    expect_flag("prefix_space", true);
    put(CONFIG, "{\"tokenizer_class\":\"RobertaTokenizerFast\"}"); /* built anew: its own default */
    expect_flag("prefix_space", false);
    put(CONFIG, "{\"tokenizer_class\":\"PreTrainedTokenizerFast\"}");
    put(MODEL, "{\"transformers_version\":\"4.40.0\"}"); /* before 5 the config's flag, false where it has none */
    expect_flag("prefix_space", false);
    put(CONFIG, "{\"tokenizer_class\":\"PreTrainedTokenizerFast\",\"add_prefix_space\":true}");
    expect_flag("prefix_space", true);
    clear(state);
    put(MERGES, "#version: 0.2\na b\nab c\r\n");
    put(VOCAB, "{\"a\":0,\"b\":1,\"c\":2,\"ab\":3,\"abc\":4,\"<s>\":5,\"</s>\":6,\"<mask>\":7}");
    expect_flag("lstrip", false);
    put(MODEL, "{\"model_type\":\"roberta\",\"transformers_version\":\"4.40.0\"}");
    expect_flag("lstrip", true); /* <mask> of the class before 5 */
    put(SPECIAL, "{\"mask_token\":{\"content\":\"<mask>\",\"lstrip\":false}}");
    expect_flag("lstrip", false);
    put(CONFIG, "{\"tokenizer_class\":\"CTRLTokenizer\"}");
    snc_tok_assets a;
    assert_fails(snc_tok_assets_load(&a, dir.dir), SNC_E_UNSUPPORTED, "tokenizer_class 'CTRLTokenizer'");
    put(CONFIG, "{}");
    put(MERGES, "a b\n\nab c\n");
    assert_fails(snc_tok_assets_load(&a, dir.dir), SNC_E_FORMAT, "merges.txt: merge 2: '' is not two parts");
    put(MERGES, "a b\na b c\n");
    assert_fails(snc_tok_assets_load(&a, dir.dir), SNC_E_FORMAT, "merges.txt: merge 2: 'a b c' is not two parts");
}

/* ---- merges ----------------------------------------------------------------------------------------------------- */

/* Random merges over four letters, in a random order. */
static void random_table(snc_bpe_table *t, snc_rng *r)
{
    enum { SLOTS = 4096, PAIR_COUNT = 300 };
    int32_t next = 4;
    assert_ok(snc_alloc(&t->pair, SLOTS, sizeof *t->pair));
    t->mask = SLOTS - 1;
    for (int i = 0; i < SLOTS; i++) t->pair[i].rank = -1;
    for (int i = 0; i < PAIR_COUNT; i++) {
        int32_t left = (int32_t)snc_rng_below(r, (uint32_t)next), right = (int32_t)snc_rng_below(r, i < 16 ? 4 : (uint32_t)next);
        snc_bpe__add(t, (snc_bpe_pair){.left = left, .right = right, .to = next, .rank = (int32_t)snc_rng_below(r, 1000000)});
        next++;
    }
}

static void both_ways_merge_alike(void **state)
{
    (void)state;
    snc_rng r;
    snc_bpe_heap heap = {.entry = NULL};
    snc_rng_init(&r, 11, 0);
    for (int round = 0; round < 40; round++) {
        snc_bpe_table t;
        int32_t a[SNC_BPE_SHORT], b[SNC_BPE_SHORT];
        random_table(&t, &r);
        for (int word = 0; word < 100; word++) {
            int n = 1 + (int)snc_rng_below(&r, SNC_BPE_SHORT);
            size_t m = (size_t)n;
            for (int i = 0; i < n; i++) a[i] = b[i] = (int32_t)snc_rng_below(&r, 4);
            n = snc_bpe__merge_short(a, n, &t);
            assert_ok(snc_bpe__merge_long(b, &m, &t, &heap));
            assert_int_equal(m, n);
            assert_memory_equal(a, b, m * sizeof *a);
        }
        snc_bpe__table_dispose(&t);
    }
    snc_bpe__heap_dispose(&heap);
}

static void damaged_merges_are_refused(void **state)
{
    (void)state;
    static char vocab[] = "a\nb\nab\n", flags[] = "{}";
    static const struct {
        const char *bytes;
        size_t n;
        const char *said;
    } cases[] = {
        {"\x04\x00", 2, "merge 1 makes 'ab' of parts"},
        {"\x04\x02", 2, "merge 1 makes 'ab' of parts"},
        {"\x04", 1, "cut short"},
        {"\x06\x01", 2, "makes no piece"},
        {"\x01\x01", 2, "makes no piece"},
        {"\xff\xff\xff\xff\xff\x01\x01", 7, "cut short"},
        {"\x80\x80\x80\x80\x80\x80", 6, "cut short"},
        {"\x04\x81\x80\x80\x80\x70", 6, "cut short"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char bytes[16] = {0};
        snc_tok *t;
        memcpy(bytes, cases[i].bytes, cases[i].n);
        snc_tok_assets a = {.kind = &snc_tok_bpe, .blob = {{vocab, sizeof vocab - 1}, {bytes, cases[i].n}, {flags, sizeof flags - 1}}};
        assert_fails(snc_tok_new(&t, &a), SNC_E_FORMAT, cases[i].said);
    }
}

static void a_scratch_serves_tokenizers_of_other_merges(void **state)
{
    (void)state;
    snc_tok *t[3] = {NULL};
    snc_tok_scratch *s;
    static const char *const files[] = {FILE_OF("", PIECES, PAIRS, LEVEL), FILE_OF("", PIECES, "[\"b c\"]", LEVEL),
                                        FILE_OF("", PIECES, PAIRS, SPACED)};
    static char words[] = "[UNK]\n[CLS]\n[SEP]\nabc\n", flags[] = "{}";
    snc_tok *other;
    assert_ok(wordpieces_new(&other, words, sizeof words - 1, flags));
    assert_ok(snc_tok_scratch_new(&s));
    for (int i = 0; i < 3; i++) {
        snc_tok_assets a;
        put(TOKENIZER, files[i]);
        load(&a);
        assert_ok(snc_tok_new(&t[i], &a));
        snc_tok_assets_dispose(&a);
    }
    for (int round = 0; round < 2; round++) {
        check_ids(t[0], s, "abc", IDS(ABC));
        check_ids(t[1], s, "abc", IDS(A, BC));
        check_ids(t[2], s, "abc", IDS(SPACE, ABC));
        check_ids(other, s, "abc", IDS(1, 3, 2)); /* and one of another kind, which has no cache */
    }
    snc_tok_free(other);
    for (int i = 0; i < 3; i++) snc_tok_free(t[i]);
    snc_tok_scratch_free(s);
}

/* ---- trim ------------------------------------------------------------------------------------------------------- */

static void fewer_pieces_cut_what_they_hold_as_before(void **state)
{
    (void)state;
    snc_tok_assets a, cut = {.kind = &snc_tok_bpe};
    bool keep[PIECE_COUNT + 1] = {[ABC] = true, [PIECE_COUNT] = false};
    int number[PIECE_COUNT + 2] = {0};
    snc_tok *t;
    snc_tok_scratch *s;
    put(TOKENIZER, FILE_OF("\"unk_token\":\"<u>\",", PIECES, PAIRS,
                           LEVEL ",\"added_tokens\":[{\"id\":14,\"content\":\"a\\nb\",\"special\":true}],"
                                 "\"post_processor\":{\"type\":\"RobertaProcessing\",\"cls\":[\"<s>\",12],\"sep\":[\"</s>\",13]}"));
    load(&a);
    assert_int_equal(a.kind->ids(&a), PIECE_COUNT + 1);
    assert_ok(a.kind->need(keep, PIECE_COUNT + 1, &a));
    static const bool want[PIECE_COUNT + 1] = {
        [A] = 1, [B] = 1, [C] = 1, [SPACE] = 1, [AB] = 1, [ABC] = 1, [UNK] = 1, [HASH] = 1, [START] = 1, [END] = 1, [PIECE_COUNT] = 1};
    assert_memory_equal(keep, want, sizeof want);
    for (int i = 0; i <= PIECE_COUNT; i++) number[i + 1] = number[i] + keep[i];
    assert_ok(a.kind->trim(&cut, &a, keep, PIECE_COUNT + 1));
    size_t told = a.kind->trimmed_bytes(&a, keep, PIECE_COUNT + 1), is = snc_tok_assets_bytes(&cut);
    assert_true(told >= is && told <= is + 4);
    assert_int_equal(a.kind->ids(&cut), number[PIECE_COUNT + 1]);
    assert_ok(snc_tok_new(&t, &cut));
    assert_ok(snc_tok_scratch_new(&s));
    check_ids(t, s, "abc a\nbab", IDS(number[START], number[ABC], number[SPACE], number[PIECE_COUNT], number[AB], number[END]));
    check_ids(t, s, "bc", IDS(number[START], number[B], number[C], number[END])); /* a lost piece is its bytes */
    assert_string_equal(snc_tok_piece_view(t, number[ABC]), "abc");
    snc_tok_scratch_free(s);
    snc_tok_free(t);
    snc_tok_assets_dispose(&cut);
    snc_tok_assets_dispose(&a);
}

int main(void)
{
    scratch_init(&dir, "tokenizer_bpe");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(words_are_merged_by_rank, clear),
        cmocka_unit_test_setup(bytes_without_a_piece_are_unknown_or_nothing, clear),
        cmocka_unit_test_setup(specials_stand_as_the_file_says, clear),
        cmocka_unit_test_setup(what_is_not_known_is_refused_by_name, clear),
        cmocka_unit_test_setup(classes_and_versions_say_whose_word_holds, clear),
        cmocka_unit_test_setup(both_ways_merge_alike, clear),
        cmocka_unit_test_setup(damaged_merges_are_refused, clear),
        cmocka_unit_test_setup(a_scratch_serves_tokenizers_of_other_merges, clear),
        cmocka_unit_test_setup_teardown(fewer_pieces_cut_what_they_hold_as_before, clear, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
