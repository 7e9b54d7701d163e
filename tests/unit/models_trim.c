/* A trimmed file: the same ids by name and the same logits for texts of kept pieces, no new unknown words, less bytes. */

#include "check.h"
#include "files.h"
#include "models/export.h"
#include "models/trim.h"
#include "nano.h"

static const snc_ctx ctx = {.threads = 1, .seed = 42, .level = SNC_LOG_ERROR};

/* One file with its tokenizer, opened to run. */
typedef struct opened {
    snc_sncfile *f;
    snc_tok *tok;
    snc_tok_scratch *scratch;
    snc_weights *w;
    snc_net *n;
} opened;

static opened open_net(const char *path)
{
    opened o = {0};
    snc_tok_assets a = {0};
    assert_ok(snc_sncfile_open(&o.f, path));
    assert_ok(snc_sncfile_tokenizer_dup(&a, o.f));
    assert_ok(snc_tok_new(&o.tok, &a));
    snc_tok_assets_dispose(&a);
    assert_ok(snc_tok_scratch_new(&o.scratch));
    assert_ok(snc_weights_open(&o.w, &ctx, path));
    assert_ok(snc_net_create(&o.n, &ctx, o.w, NULL, NULL, &(snc_net_opts)SNC_NET_OPTS_INIT));
    return o;
}

static void close_net(opened *o)
{
    snc_net_free(o->n);
    snc_weights_free(o->w);
    snc_tok_scratch_free(o->scratch);
    snc_tok_free(o->tok);
    snc_sncfile_close(o->f);
}

/* Pieces joined by spaces, and the logits. */
static void run(char pieces[256], float logits[NANO_K], opened *o, const char *text)
{
    snc_encoding e;
    size_t at = 0;
    assert_ok(snc_tok_encode(&e, o->tok, o->scratch, text, strlen(text), NULL, 0, 0));
    pieces[0] = 0;
    for (int i = 0; i < e.n; i++) at += (size_t)snprintf(pieces + at, 256 - at, "%s ", snc_tok_piece_view(o->tok, e.ids[i]));
    const int32_t offsets[] = {0, e.n};
    snc_tokens x = {.B = 1, .T = e.n, .ids = e.ids, .types = e.types, .offsets = offsets};
    assert_ok(snc_net_run(logits, o->n, &x));
}

/* Letters, words of merges, <s> A </s></s> B </s>: fewer pieces than the model has rows. */
static snc_err byte_assets(snc_tok_assets *out, scratch *s)
{
    static const char merges[] = "t h\nth e\n\u0120 the\nf i\nl m\nfi lm\ng oo\no o\n\u0120 film\n";
    static const char words[] =
        "\"th\":30,\"the\":31,\"\u0120the\":32,\"fi\":33,\"lm\":34,\"film\":35,\"goo\":36,\"oo\":37,\"\u0120film\":38,\"</s>\":28,"
        "\"\u0120\":29,\"<pad>\":1,\"<s>\":0";
    char vocab[1024], dir[512];
    size_t n = (size_t)snprintf(vocab, sizeof vocab, "{%s", words);
    for (int c = 'a'; c <= 'z'; c++) n += (size_t)snprintf(vocab + n, sizeof vocab - n, ",\"%c\":%d", c, 2 + c - 'a');
    n += (size_t)snprintf(vocab + n, sizeof vocab - n, "}");
    (void)scratch_write(s, "vocab.json", vocab, n);
    (void)scratch_write(s, "merges.txt", merges, sizeof merges - 1);
    snprintf(dir, sizeof dir, "%s", s->dir);
    return snc_tok_assets_load(out, dir);
}

/* The same letters and words with scores, and a map of no characters. */
static snc_err unigram_assets(snc_tok_assets *out, scratch *s)
{
    char json[4096], dir[512];
    size_t n = (size_t)snprintf(
        json, sizeof json,
        "{\"added_tokens\":[{\"id\":0,\"content\":\"<s>\",\"special\":true},{\"id\":2,\"content\":\"</s>\",\"special\":true}],"
        "\"normalizer\":{\"type\":\"Lowercase\"},\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"always\"},"
        "\"post_processor\":{\"type\":\"RobertaProcessing\",\"cls\":[\"<s>\",0],\"sep\":[\"</s>\",2]},"
        "\"model\":{\"type\":\"Unigram\",\"unk_id\":1,\"vocab\":[[\"<s>\",0],[\"<unk>\",0],[\"</s>\",0],[\"\u2581\",-2.5],"
        "[\"\u2581the\",-3.25],[\"th\",-5],[\"\u2581film\",-4.125],[\"goo\",-6],[\"\u2581goo\",-5.1]");
    for (int c = 'a'; c <= 'z'; c++) n += (size_t)snprintf(json + n, sizeof json - n, ",[\"%c\",-9.%d]", c, c);
    n += (size_t)snprintf(json + n, sizeof json - n, "]}}");
    (void)scratch_write(s, "tokenizer.json", json, n);
    snprintf(dir, sizeof dir, "%s", s->dir);
    snc_err err = snc_tok_assets_load(out, dir);
    remove(scratch_path(s, "tokenizer.json"));
    return err;
}

/* The letters and words of byte_assets behind U+2581, cut before it. */
static snc_err sp_assets(snc_tok_assets *out, scratch *s)
{
    char json[4096], dir[512];
    size_t n = (size_t)snprintf(
        json, sizeof json,
        "{\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"always\"},"
        "\"post_processor\":{\"type\":\"RobertaProcessing\",\"cls\":[\"<s>\",0],\"sep\":[\"</s>\",2]},"
        "\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"merges\":[\"t h\",\"th e\",\"\u2581 the\",\"f i\",\"l m\",\"fi lm\",\"g "
        "oo\","
        "\"o o\",\"\u2581 film\"],\"vocab\":{\"<s>\":0,\"<unk>\":1,\"</s>\":2,\"\u2581\":3,\"th\":30,\"the\":31,\"\u2581the\":32,\"fi\":33,"
        "\"lm\":34,\"film\":35,\"goo\":36,\"oo\":37,\"\u2581"
        "film\":38");
    for (int c = 'a'; c <= 'z'; c++) n += (size_t)snprintf(json + n, sizeof json - n, ",\"%c\":%d", c, 4 + c - 'a');
    n += (size_t)snprintf(json + n, sizeof json - n, "}}}");
    (void)scratch_write(s, "tokenizer.json", json, n);
    snprintf(dir, sizeof dir, "%s", s->dir);
    snc_err err = snc_tok_assets_load(out, dir);
    remove(scratch_path(s, "tokenizer.json"));
    return err;
}

static snc_err word_assets(snc_tok_assets *out, scratch *s)
{
    (void)s;
    return nano_assets(out);
}

typedef snc_err (*make_assets)(snc_tok_assets *out, scratch *s);

static const char *export_of(scratch *s, snc_dtype embed, make_assets make)
{
    snc_model *m = NULL;
    snc_policy p = snc_policy_uniform(SNC_I8, embed);
    const char *labels[] = {"bad", "good"};
    assert_ok(nano_model(&m, 11));
    assert_ok(make(&m->tokenizer, s));
    assert_ok(snc_model_set_labels(m, labels));
    const char *path = scratch_path(s, "full.snc");
    snc_arch a = {.layers = 2, .hidden = NANO_C, .source = {0, 2}, .heads = {4, 4}, .ffn = {64, 64}};
    assert_ok(snc_export_model(path, &ctx, m, &a, &p));
    snc_model_free(m);
    return path;
}

static const char *export_nano(scratch *s, snc_dtype embed) { return export_of(s, embed, word_assets); }

/* Keeps the pieces of one text. */
static snc_trim trim_for(const char *path, const char *text)
{
    snc_trim t;
    snc_encoding e;
    snc_tok_assets a = {0};
    opened o = open_net(path);
    assert_ok(snc_sncfile_tokenizer_dup(&a, o.f));
    assert_ok(snc_trim_new(&t, &a, NANO_V));
    assert_ok(snc_tok_encode(&e, o.tok, o.scratch, text, strlen(text), NULL, 0, 0));
    int64_t before = snc_trim_lost(&t, e.ids, e.n);
    assert_true(before > 0);
    assert_ok(snc_trim_see(&t, e.ids, e.n));
    assert_int_equal(snc_trim_lost(&t, e.ids, e.n), 0);
    snc_tok_assets_dispose(&a);
    close_net(&o);
    return t;
}

static void kept_pieces_give_the_same_bits(void **state)
{
    scratch *s = *state;
    static const snc_dtype embeds[] = {SNC_F32, SNC_BF16, SNC_I8, SNC_I4};
    static const char *const kept[] = {"the good film", "film filmed the", "a b7 [MASK] xyz", "", "good!"};
    for (size_t d = 0; d < 4; d++) {
        char full_path[512], cut_path[512], a[256], b[256];
        float x[NANO_K], y[NANO_K];
        snprintf(full_path, sizeof full_path, "%s", export_nano(s, embeds[d]));
        snprintf(cut_path, sizeof cut_path, "%s", scratch_path(s, "cut.snc"));
        snc_trim t = trim_for(full_path, "the good film filmed");
        assert_ok(snc_trim_file(cut_path, full_path, &t, cJSON_CreateString("note")));
        opened full = open_net(full_path), cut = open_net(cut_path);
        assert_int_equal(snc_tok_vocab_size(cut.tok), t.kept);
        assert_true(t.kept < NANO_V && t.kept > 5 + 26 * 2 + 10 * 2 + 6);
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
            run(a, x, &full, kept[i]);
            run(b, y, &cut, kept[i]);
            assert_string_equal(a, b);
            assert_memory_equal(x, y, sizeof x);
        }
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(snc_sncfile_meta_view(cut.f), "trim")), "note");
        assert_string_equal(snc_sncfile_labels_view(cut.f)[1], "good");
        const char *const arch[] = {snc_st_metadata_view(snc_sncfile_tensors(full.f), "arch"),
                                    snc_st_metadata_view(snc_sncfile_tensors(cut.f), "arch")};
        assert_string_equal(arch[0], arch[1]);
        close_net(&full);
        close_net(&cut);
        snc_trim_dispose(&t);
    }
}

static void a_lost_piece_becomes_shorter_ones(void **state)
{
    scratch *s = *state;
    char path[512], pieces[256];
    float z[NANO_K];
    snprintf(path, sizeof path, "%s", export_nano(s, SNC_I8));
    snc_trim t = trim_for(path, "the film");
    assert_ok(snc_trim_file(path, path, &t, NULL)); /* over itself */
    opened o = open_net(path);
    run(pieces, z, &o, "the movie films");
    assert_string_equal(pieces, "[CLS] the m ##o ##v ##i ##e film ##s [SEP] ");
    run(pieces, z, &o, "\xe4\xb8\xad");
    assert_string_equal(pieces, "[CLS] [UNK] [SEP] "); /* as before: no such character */
    close_net(&o);
    snc_trim_dispose(&t);
}

/* Trimmed for "good film", whose pieces are `kept`; "the film" is then `parted`. */
static void check_kind(scratch *s, make_assets make, const char *kind, int ids, int lost, const char *kept, const char *parted)
{
    char full_path[512], cut_path[512], a[256], b[256];
    float x[NANO_K], y[NANO_K];
    snprintf(full_path, sizeof full_path, "%s", export_of(s, SNC_I8, make));
    snprintf(cut_path, sizeof cut_path, "%s", scratch_path(s, "cut.snc"));
    snc_trim t = trim_for(full_path, "good film");
    assert_ok(snc_trim_file(cut_path, full_path, &t, NULL));
    opened full = open_net(full_path), cut = open_net(cut_path);
    assert_string_equal(snc_st_metadata_view(snc_sncfile_tensors(cut.f), "tokenizer"), kind);
    assert_int_equal(snc_tok_vocab_size(full.tok), ids);
    assert_int_equal(snc_tok_vocab_size(cut.tok), ids - lost);
    run(a, x, &full, "good film");
    run(b, y, &cut, "good film");
    assert_string_equal(a, kept);
    assert_string_equal(a, b);
    assert_memory_equal(x, y, sizeof x);
    run(b, y, &cut, "the film");
    assert_string_equal(b, parted);
    close_net(&full);
    close_net(&cut);
    snc_trim_dispose(&t);
}

/* "th" and what is made of it are in no text that was seen. */
static void byte_pieces_keep_the_parts_of_their_merges(void **state)
{
    check_kind(*state, byte_assets, "byte-level-bpe", 39, 3, "<s> goo d \u0120film </s> ", "<s> t h e \u0120film </s> ");
}

static void merged_pieces_keep_the_parts_of_their_merges(void **state)
{
    check_kind(*state, sp_assets, "sentencepiece-bpe", 39, 3, "<s> \u2581 goo d \u2581film </s> ", "<s> \u2581 t h e \u2581film </s> ");
}

static void unigram_pieces_keep_their_scores(void **state)
{
    check_kind(*state, unigram_assets, "unigram", 35, 3, "<s> \u2581goo d \u2581film </s> ", "<s> \u2581 t h e \u2581film </s> ");
}

static void a_file_of_another_vocabulary_is_refused(void **state)
{
    scratch *s = *state;
    char path[512];
    snprintf(path, sizeof path, "%s", export_nano(s, SNC_I8));
    snc_trim t = trim_for(path, "the film");
    assert_ok(snc_trim_file(path, path, &t, NULL));
    assert_fails(snc_trim_file(scratch_path(s, "twice.snc"), path, &t, NULL), SNC_E_SHAPE, "expected 97");
    assert_false(snc_is_file(s->path));
    snc_trim_dispose(&t);
    assert_fails(snc_trim_new(&t, &(snc_tok_assets){0}, 97), SNC_E_SHAPE, "has no tokenizer");
}

int main(void)
{
    static scratch s;
    scratch_init(&s, "models_trim");
    void *state = &s;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(kept_pieces_give_the_same_bits, state),
        cmocka_unit_test_prestate(byte_pieces_keep_the_parts_of_their_merges, state),
        cmocka_unit_test_prestate(merged_pieces_keep_the_parts_of_their_merges, state),
        cmocka_unit_test_prestate(unigram_pieces_keep_their_scores, state),
        cmocka_unit_test_prestate(a_lost_piece_becomes_shorter_ones, state),
        cmocka_unit_test_prestate(a_file_of_another_vocabulary_is_refused, state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
