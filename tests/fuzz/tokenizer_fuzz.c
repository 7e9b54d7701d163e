/* Seeded abuse of everything that reads foreign bytes: texts, vocabularies, the config, Hugging Face folders.
 *
 * Each round either fails with a sentence or leaves a tokenizer whose output keeps its promises: ids in range, segments
 * 0 then 1, the length limit held. The texts below are the corpus; rounds change, cut and join them. */
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "wordpieces.h"

enum { SEED = 7, TEXT_ROUNDS = 30000, ASSET_ROUNDS = 4000, FOLDER_ROUNDS = 600, BPE_ROUNDS = 1500, MAX = 1 << 12 };

static const char *const texts[] = {
    "",
    " ",
    "the unaffable words",
    "[CLS] a [SEP][MASK]",
    "na\xc3\xafve caf\xc3\xa9",
    "\xe4\xb8\xad\xe6\x96\x87\xed\x95\x9c\xea\xb5\xad",
    "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xf0\x9f\x8f\xbd",
    "\xd7\xa9\xd6\xb8\xd7\x81\xd7\x9c",
    "e\xcc\x81\xcc\xa7\xe3\x80\xae\xe3\x80\xaa\xcc\x95",
    "\xf0\x9d\x85\x9e\xf0\x9d\x85\xa0\xf0\x9d\x85\xad",
    "\xc4\xb0\xce\xa3\xc7\x84",
    "\xff\xfe\xed\xa0\x80\xf4\x90\x80\x80\xc0\x80",
    "a\xe2\x80\xa8\xc2\x85z\x7f\x01",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};
static const char *const vocabs[] = {
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nun\n##aff\n##able\nword\n##s\na\n##a\n##"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
    "caf\xc3\xa9\ncafe\n\xe4\xb8\xad\n[\n]\n##\n\n.\n##\xe3\x80\xae\n##\xe3\x80\xaa\n",
    "[UNK]\n[CLS]\n[SEP]\nx\n a\n",
};
static const char *const configs[] = {
    "{}",
    "{\"lowercase\":true,\"strip_accents\":null,\"tokenize_chinese_chars\":true,\"clean_text\":true,\"max_chars\":100,"
    "\"unk\":\"[UNK]\",\"cls\":\"[CLS]\","
    "\"sep\":\"[SEP]\",\"pad\":\"[PAD]\",\"mask\":\"[MASK]\",\"added\":[{\"content\":\"[CLS]\",\"normalized\":false,"
    "\"single_word\":true,\"lstrip\":true,"
    "\"rstrip\":true},{\"content\":\"[SEP]\",\"normalized\":true,\"rstrip\":true},{\"content\":\" a\",\"id\":4}]}",
    "{\"lowercase\":false,\"strip_accents\":true,\"clean_text\":false,\"max_chars\":3}",
    "{\"lowercase\":true,\"strip_accents\":false,\"tokenize_chinese_chars\":false}",
    "{\"lowercase\":true,\"accents\":\"nfd\",\"pre_tokenizer\":\"whitespace\"}",
    "{\"lowercase\":false,\"accents\":\"nfd-strip\",\"pre_tokenizer\":\"whitespace-split\",\"clean_text\":false}",
    "{\"accents\":\"strip\"}",
};
static const char *const files[] = {
    ("{\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_"
     "per_word\":100,\"vocab\":{\"[UNK]\":0,"
     "\"[CLS]\":1,\"[SEP]\":2,\"a\":3,\"##b\":4}},\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"BertNormalizer\","
     "\"strip_accents\":null,"
     "\"lowercase\":true},{\"type\":\"Lowercase\"}]},\"pre_tokenizer\":"
     "{\"type\":\"BertPreTokenizer\"},\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",2],\"cls\":[\"["
     "CLS]\",1]},\"added_tokens\":[{\"id\":5,"
     "\"content\":\"new\",\"special\":true},{\"id\":1,\"content\":\"[CLS]\",\"lstrip\":true}]}"),
    ("{\"do_lower_case\":false,\"tokenizer_class\":\"BertTokenizer\",\"cls_token\":{\"content\":\"[CLS]\"},\"added_"
     "tokens_decoder\":{\"3\":{\"content\":\"x\"}}}"),
    "{\"sep_token\":\"[SEP]\",\"unk_token\":\"[UNK]\",\"additional_special_tokens\":[\"y\",{\"content\":\"z\"}]}",
    "[UNK]\r\n[CLS]\r\n[SEP]\r\na\r\n##b",
    "{\"model_type\":\"bert\",\"transformers_version\":\"4.30.0\",\"tokenizer_class\":\"PreTrainedTokenizerFast\"}",
};
static const char *const file_names[] = {"tokenizer_fuzz_tmp/tokenizer.json", "tokenizer_fuzz_tmp/tokenizer_config.json",
                                         "tokenizer_fuzz_tmp/special_tokens_map.json", "tokenizer_fuzz_tmp/vocab.txt",
                                         "tokenizer_fuzz_tmp/config.json"};
/* Byte-level BPE: the blobs, and a folder's files. */
static const char *const bpe_vocabs[] = {
    "<s>\n</s>\na\nb\nc\n\xc4\xa0\nab\n\xc4\xa0"
    "a\nabc\n<mask>\n\xc3\x83\n\xc2\xa9\n\xc3\x83\xc2\xa9\n",
    "a\nb\nab\nabab\nabababab\n",
};
static const char *const bpe_merges[] = {"\x0c\x01\x01\x02", "\x0c\x01\x01\x02\x01\x02\x06\x02", "", "\x04\x01\x01\x02\x01\x04"};
static const char *const bpe_flags[] = {
    "{\"nfc\":true,\"prefix_space\":true,\"unk\":\"<mask>\",\"fuse_unk\":true,\"added\":[{\"content\":\"<mask>\",\"lstrip\":true,"
    "\"normalized\":true},"
    "{\"content\":\"a\\nb\",\"id\":3}],\"template\":{\"first\":[\"<s>\"],\"between\":[\"</s>\",\"</s>\"],\"last\":[\"</"
    "s>\"],\"second_type\":0}}",
    "{\"ignore_merges\":true,\"nfc\":false}",
};
/* SentencePiece's BPE: a letter in place of NUL, which ends a piece. */
static const char *const sp_vocabs[] = {"<u>|\xe2\x96\x81|a|b|\xc3\xa9|ab|\xe2\x96\x81"
                                        "a|<0xC3>|<0xA9>|<0x0A>|new|",
                                        "a|b|ab|\xe2\x96\x81|aba|"};
static const char *const sp_merges[] = {"\x0c\x03\x03\x01", "\x04\x01\x02\x02", ""};
static const char *const sp_flags[] = {
    "{\"unk\":\"<u>\",\"fuse_unk\":true,\"byte_fallback\":true,\"normalizer\":[{\"type\":\"Prepend\",\"prepend\":\"\xe2\x96\x81\"},"
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\xe2\x96\x81\"}],\"whitespace_split\":false,\"prepend\":\"none\","
    "\"split\":false,\"alone\":[\"ab\",\"\xc3\xa9\"],\"added\":[{\"content\":\"new\",\"id\":10,\"normalized\":true}],\"template\":{"
    "\"first\":"
    "[\"a\"],\"between\":[\"b\",\"a\"],\"last\":[\"b\"],\"second_type\":1,\"between_second\":1}}",
    "{\"ignore_merges\":true,\"prepend\":\"first\",\"whitespace_split\":true}",
    "{\"prepend\":\"always\",\"split\":true}",
};
static const char *const bpe_files[] = {
    "{\"model\":{\"type\":\"BPE\",\"unk_token\":\"<s>\",\"fuse_unk\":true,\"vocab\":{\"<s>\":0,\"a\":1,\"b\":2,\"ab\":3,\"\xc4\xa0\":4,"
    "\"\xc4\xa0"
    "a\":5},\"merges\":["
    "\"a "
    "b\",[\"\xc4\xa0\",\"a\"]]},\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"}]},\"pre_tokenizer\":{\"type\":"
    "\"ByteLevel\","
    "\"add_prefix_space\":true},\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_"
    "id\":0}},{\"Sequence\":{"
    "\"id\":\"A\",\"type_id\":0}}],\"pair\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},"
    "{\"Sequence\":{\"id\":"
    "\"B\",\"type_id\":1}}],\"special_tokens\":{\"<s>\":{\"ids\":[0]}}},\"added_tokens\":[{\"id\":6,\"content\":\"new\",\"normalized\":"
    "true}]}",
    "{\"tokenizer_class\":\"RobertaTokenizer\",\"add_prefix_space\":true,\"mask_token\":\"<s>\"}",
    "{\"sep_token\":\"a\",\"cls_token\":\"b\"}",
    "{\"<s>\":0,\"</s>\":1,\"a\":2,\"b\":3,\"ab\":4,\"abab\":5}",
    "{\"model_type\":\"roberta\",\"transformers_version\":\"4.30.0\"}",
    "#version: 0.2\na b\nab ab\n",
};
static const char *const bpe_names[] = {
    "tokenizer_fuzz_tmp/tokenizer.json", "tokenizer_fuzz_tmp/tokenizer_config.json", "tokenizer_fuzz_tmp/special_tokens_map.json",
    "tokenizer_fuzz_tmp/vocab.json",     "tokenizer_fuzz_tmp/config.json",           "tokenizer_fuzz_tmp/merges.txt"};
#define COUNT(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))

/* A corpus entry with a few bytes changed, cut out, doubled, or another one put in. */
static size_t mutate(char *out, snc_rng *r, const char *const *corpus, uint32_t n_corpus, uint32_t edits)
{
    const char *base = corpus[snc_rng_below(r, n_corpus)];
    size_t n = strlen(base);
    memcpy(out, base, n);
    for (uint32_t k = snc_rng_below(r, edits + 1); k > 0; k--) {
        size_t at = snc_rng_below(r, (uint32_t)n + 1);
        const char *other = corpus[snc_rng_below(r, n_corpus)];
        size_t len = snc_rng_below(r, (uint32_t)strlen(other) + 1);
        switch (snc_rng_below(r, 4)) {
        case 0:
            if (at < n) out[at] = (char)snc_rng_below(r, 256);
            break;
        case 1:
            if (at < n) {
                size_t cut = 1 + snc_rng_below(r, (uint32_t)(n - at));
                memmove(out + at, out + at + cut, n - at - cut);
                n -= cut;
            }
            break;
        case 2:
            if (n + len < MAX) {
                memmove(out + at + len, out + at, n - at);
                memcpy(out + at, other, len);
                n += len;
            }
            break;
        default:
            if (at < n) out[at] = "{}[]\",:0n-"[snc_rng_below(r, 10)];
        }
    }
    out[n] = 0;
    return n;
}

static void check_encoding(const snc_tok *t, snc_tok_scratch *s, snc_rng *r)
{
    static char a[MAX + 1], b[MAX + 1];
    snc_encoding e;
    size_t na = mutate(a, r, texts, COUNT(texts), 6), nb = mutate(b, r, texts, COUNT(texts), 6);
    bool pair = snc_rng_below(r, 2);
    int max = snc_rng_below(r, 2) ? (int)snc_rng_below(r, 12) : 0;
    snc_err err = snc_tok_encode(&e, t, s, a, na, pair ? b : NULL, nb, max);
    if (max != 0 && max < (pair ? 3 : 2)) {
        assert_int_equal(err, SNC_E_ARG);
        return;
    }
    assert_int_equal(err, SNC_OK);
    assert_true(e.n >= (pair ? 3 : 2) && e.dropped >= 0 && (max == 0 || e.n <= max));
    assert_true(max > 0 || e.dropped == 0);
    for (int i = 0; i < e.n; i++) {
        assert_non_null(snc_tok_piece_view(t, e.ids[i]));
        assert_true(e.types[i] == 0 || (pair && e.types[i] == 1));
        assert_true(i == 0 || e.types[i] >= e.types[i - 1]);
    }
    assert_int_equal(e.types[e.n - 1], pair);
}

static snc_tok *try_tokenizer(char *vocab, size_t n, char *config)
{
    snc_tok *t = NULL;
    snc_tok_assets a = wordpieces(vocab, n, config);
    if (snc_tok_new(&t, &a) == SNC_OK) return t;
    assert_true(strlen(snc_err_text()) > 0);
    return NULL;
}

static void texts_never_break_it(void **state)
{
    (void)state;
    snc_rng r;
    snc_tok_scratch *s;
    assert_int_equal(snc_tok_scratch_new(&s), SNC_OK);
    snc_rng_init(&r, SEED, 0);
    for (uint32_t v = 0; v < COUNT(vocabs); v++) {
        for (uint32_t c = 0; c < COUNT(configs); c++) {
            char vocab[MAX], config[MAX];
            snprintf(vocab, sizeof vocab, "%s", vocabs[v]);
            snprintf(config, sizeof config, "%s", configs[c]);
            snc_tok *t = try_tokenizer(vocab, strlen(vocab), config);
            assert_non_null(t);
            for (int i = 0; i < TEXT_ROUNDS / 8; i++) check_encoding(t, s, &r);
            snc_tok_free(t);
        }
    }
    snc_tok_scratch_free(s);
}

static void assets_fail_or_work(void **state)
{
    (void)state;
    static char vocab[MAX + 1], config[MAX + 1];
    int made = 0;
    snc_rng r;
    snc_tok_scratch *s;
    assert_int_equal(snc_tok_scratch_new(&s), SNC_OK);
    snc_rng_init(&r, SEED, 1);
    for (int i = 0; i < ASSET_ROUNDS; i++) {
        size_t n = mutate(vocab, &r, vocabs, COUNT(vocabs), 3);
        mutate(config, &r, configs, COUNT(configs), 2);
        snc_tok *t = try_tokenizer(vocab, n, config);
        made += t != NULL;
        for (int k = 0; t && k < 4; k++) check_encoding(t, s, &r);
        snc_tok_free(t);
    }
    snc_tok_scratch_free(s);
    assert_true(made > ASSET_ROUNDS / 20 && made < ASSET_ROUNDS);
}

/* No sync to disk, unlike snc_file_write: there are many rounds. */
static void write_mutated(const char *path, snc_rng *r, const char *seed, int times)
{
    static char text[MAX + 1];
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    size_t n = mutate(text, r, &seed, 1, times);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
}

static void folders_fail_or_work(void **state)
{
    (void)state;
    int made = 0;
    snc_rng r;
    snc_tok_scratch *s;
    assert_int_equal(snc_tok_scratch_new(&s), SNC_OK);
    assert_int_equal(snc_mkdir("tokenizer_fuzz_tmp"), SNC_OK);
    snc_rng_init(&r, SEED, 2);
    for (int i = 0; i < FOLDER_ROUNDS; i++) {
        snc_tok_assets a;
        for (uint32_t k = 0; k < COUNT(files); k++) {
            remove(file_names[k]);
            if (snc_rng_below(&r, 3) > 0) write_mutated(file_names[k], &r, files[k], 2);
        }
        if (snc_tok_assets_load(&a, "tokenizer_fuzz_tmp") != SNC_OK) {
            assert_true(strlen(snc_err_text()) > 0);
            continue;
        }
        snc_tok *t = try_tokenizer(blob_text(&a, "vocab"), snc_tok_blob_view(&a, "vocab")->bytes, blob_text(&a, "config"));
        assert_non_null(t); /* what was loaded is usable */
        for (int k = 0; k < 4; k++) check_encoding(t, s, &r);
        snc_tok_free(t);
        snc_tok_assets_dispose(&a);
        made++;
    }
    for (uint32_t k = 0; k < COUNT(files); k++) remove(file_names[k]);
    remove("tokenizer_fuzz_tmp");
    snc_tok_scratch_free(s);
    assert_true(made > FOLDER_ROUNDS / 20 && made < FOLDER_ROUNDS);
}

/* Whatever stands around its texts: ids of the vocabulary, and the limit is held. */
static void check_any(const snc_tok *t, snc_tok_scratch *s, snc_rng *r)
{
    static char a[MAX + 1], b[MAX + 1];
    snc_encoding e;
    size_t na = mutate(a, r, texts, COUNT(texts), 6), nb = mutate(b, r, texts, COUNT(texts), 6);
    bool pair = snc_rng_below(r, 2);
    int max = snc_rng_below(r, 2) ? (int)snc_rng_below(r, 12) : 0;
    if (snc_tok_encode(&e, t, s, a, na, pair ? b : NULL, nb, max) != SNC_OK) {
        assert_true(max > 0 && max < 12);
        return;
    }
    assert_true(e.n >= 0 && e.dropped >= 0 && (max == 0 || e.n <= max));
    for (int i = 0; i < e.n; i++) assert_non_null(snc_tok_piece_view(t, e.ids[i]));
}

/* A tokenizer that could be made can be made with fewer pieces, too. */
static void check_trimmed(const snc_tok_assets *a, snc_tok_scratch *s, snc_rng *r)
{
    bool keep[MAX] = {false};
    int n = a->kind->ids(a), kept = 0;
    snc_tok *t = NULL;
    snc_tok_assets cut = {.kind = a->kind};
    assert_true(n < MAX);
    for (int i = 0; i < n; i++) keep[i] = snc_rng_below(r, 3) == 0;
    assert_int_equal(a->kind->need(keep, n, a), SNC_OK);
    for (int i = 0; i < n; i++) kept += keep[i];
    if (kept > 0) {
        assert_int_equal(a->kind->trim(&cut, a, keep, n), SNC_OK);
        if (snc_tok_new(&t, &cut) != SNC_OK) fail_msg("%s", snc_err_text());
        assert_int_equal(snc_tok_vocab_size(t), kept);
        check_any(t, s, r);
    }
    snc_tok_free(t);
    snc_tok_assets_dispose(&cut);
}

/* Whether a tokenizer can be made of them; one that can is tried, whole and with fewer pieces where that is asked. */
static bool try_assets(const snc_tok_assets *a, bool trim, snc_tok_scratch *s, snc_rng *r)
{
    snc_tok *t = NULL;
    if (snc_tok_new(&t, a) != SNC_OK) {
        assert_true(strlen(snc_err_text()) > 0);
        return false;
    }
    for (int k = 0; k < 4; k++) check_any(t, s, r);
    if (trim) check_trimmed(a, s, r);
    snc_tok_free(t);
    return true;
}

static void bpe_assets_fail_or_work(void **state)
{
    (void)state;
    static char vocab[MAX + 1], merges[MAX + 1], flags[MAX + 1];
    int made = 0;
    snc_rng r;
    snc_tok_scratch *s;
    assert_int_equal(snc_tok_scratch_new(&s), SNC_OK);
    snc_rng_init(&r, SEED, 3);
    for (int i = 0; i < BPE_ROUNDS; i++) {
        size_t v = mutate(vocab, &r, bpe_vocabs, COUNT(bpe_vocabs), 1), m = mutate(merges, &r, bpe_merges, COUNT(bpe_merges), 1);
        size_t f = mutate(flags, &r, bpe_flags, COUNT(bpe_flags), 1);
        snc_tok_assets a = {.kind = &snc_tok_bpe, .blob = {{vocab, v}, {merges, m}, {flags, f}}};
        made += try_assets(&a, true, s, &r);
    }
    snc_tok_scratch_free(s);
    assert_true(made > BPE_ROUNDS / 20 && made < BPE_ROUNDS);
}

static void sp_assets_fail_or_work(void **state)
{
    (void)state;
    static char vocab[MAX + 1], merges[MAX + 1], flags[MAX + 1], map[8] = {4};
    int made = 0;
    snc_rng r;
    snc_tok_scratch *s;
    assert_int_equal(snc_tok_scratch_new(&s), SNC_OK);
    snc_rng_init(&r, SEED, 5);
    for (int i = 0; i < BPE_ROUNDS; i++) {
        size_t v = mutate(vocab, &r, sp_vocabs, COUNT(sp_vocabs), 1), m = mutate(merges, &r, sp_merges, COUNT(sp_merges), 1);
        size_t f = mutate(flags, &r, sp_flags, COUNT(sp_flags), 1);
        for (size_t k = 0; k < v; k++) vocab[k] = vocab[k] == '|' ? 0 : vocab[k];
        snc_tok_assets a = {.kind = &snc_tok_spbpe, .blob = {{vocab, v}, {merges, m}, {map, sizeof map}, {flags, f}}};
        made += try_assets(&a, true, s, &r);
    }
    snc_tok_scratch_free(s);
    assert_true(made > BPE_ROUNDS / 20 && made < BPE_ROUNDS);
}

static void bpe_folders_fail_or_work(void **state)
{
    (void)state;
    int made = 0;
    snc_rng r;
    snc_tok_scratch *s;
    assert_int_equal(snc_tok_scratch_new(&s), SNC_OK);
    assert_int_equal(snc_mkdir("tokenizer_fuzz_tmp"), SNC_OK);
    snc_rng_init(&r, SEED, 4);
    for (int i = 0; i < FOLDER_ROUNDS; i++) {
        snc_tok_assets a;
        for (uint32_t k = 0; k < COUNT(bpe_files); k++) {
            remove(bpe_names[k]);
            if (snc_rng_below(&r, k ? 4 : 2) > 0) write_mutated(bpe_names[k], &r, bpe_files[k], 1);
        }
        if (snc_tok_assets_load(&a, "tokenizer_fuzz_tmp") != SNC_OK) {
            assert_true(strlen(snc_err_text()) > 0);
            continue;
        }
        bool bpe = a.kind == &snc_tok_bpe;
        if (!try_assets(&a, bpe, s, &r)) fail_msg("%s", snc_err_text()); /* what was loaded is usable */
        made += bpe;
        snc_tok_assets_dispose(&a);
    }
    for (uint32_t k = 0; k < COUNT(bpe_files); k++) remove(bpe_names[k]);
    remove("tokenizer_fuzz_tmp");
    snc_tok_scratch_free(s);
    assert_true(made > FOLDER_ROUNDS / 20 && made < FOLDER_ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_never_break_it),    cmocka_unit_test(assets_fail_or_work),      cmocka_unit_test(folders_fail_or_work),
        cmocka_unit_test(bpe_assets_fail_or_work), cmocka_unit_test(bpe_folders_fail_or_work), cmocka_unit_test(sp_assets_fail_or_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
