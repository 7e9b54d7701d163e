/* Hugging Face folders, whole and broken: what is read from which file. Folders are made in the working directory and
 * removed. */
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/json.h"
#include "check.h"
#include "wordpieces.h"

#define DIR "tokenizer_assets_tmp"
static const char *const names[] = {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "vocab.json"};
enum { TOKENIZER, CONFIG, SPECIAL, VOCAB, OTHER, N_NAMES };

static void put(int file, const char *text)
{
    char path[256];
    assert_int_equal(snc_mkdir(DIR), SNC_OK);
    assert_int_equal(snc_path_join(path, sizeof path, DIR, names[file]), SNC_OK);
    assert_int_equal(snc_file_write(path, text, strlen(text)), SNC_OK);
}

static int clear(void **state)
{
    (void)state;
    for (int i = 0; i < N_NAMES; i++) {
        char path[256];
        snprintf(path, sizeof path, DIR "/%s", names[i]);
        remove(path);
    }
    remove(DIR);
    return 0;
}

#define MODEL(type, vocab)        \
    "\"model\":{\"type\":\"" type \
    "\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":90,\"vocab\":" vocab "}"
#define VOCAB5 "{\"[UNK]\":0,\"[CLS]\":2,\"[SEP]\":1,\"a\":4,\"##b\":6}"
#define NORM                                                                                                  \
    "\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":false,\"strip_" \
    "accents\":true,\"lowercase\":false},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}"
#define TEMPLATE                                                                                                       \
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"[CLS]\",\"type_id\":" \
    "0}},{\"Sequence\":{\"id\":\"A\","                                                                                 \
    "\"type_id\":0}},{\"SpecialToken\":{\"id\":\"[SEP]\",\"type_id\":0}}],\"pair\":[{\"SpecialToken\":{\"id\":\"[CLS]" \
    "\",\"type_id\":0}},"                                                                                              \
    "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{\"SpecialToken\":{\"id\":\"[SEP]\",\"type_id\":0}},{\"Sequence\":{"  \
    "\"id\":\"B\",\"type_id\":%s}},"                                                                                   \
    "{\"SpecialToken\":{\"id\":\"[SEP]\",\"type_id\":1}}]}"

static void load(snc_tok_assets *a)
{
    if (snc_tok_assets_load(a, DIR) != SNC_OK) fail_msg("%s", snc_err_text());
}

static void refused(snc_err code, const char *said)
{
    snc_tok_assets a = {.kind = NULL};
    assert_int_equal(snc_tok_assets_load(&a, DIR), code);
    if (!strstr(snc_err_text(), said)) fail_msg("'%s' does not say '%s'", snc_err_text(), said);
    assert_null(a.kind);
    snc_tok_assets_dispose(&a);
}

static cJSON *config_of(const snc_tok_assets *a)
{
    cJSON *j = NULL;
    assert_int_equal(snc_json_parse(&j, blob_text(a, "config"), strlen(blob_text(a, "config")), "config"), SNC_OK);
    return j;
}

static const cJSON *get(const cJSON *j, const char *key) { return cJSON_GetObjectItemCaseSensitive(j, key); }

static void tokenizer_json_comes_first(void **state)
{
    (void)state;
    char text[4096], post[2048];
    snprintf(post, sizeof post, TEMPLATE, "1");
    snprintf(text, sizeof text,
             "{\"truncation\":{\"max_length\":2},\"padding\":{\"strategy\":{\"Fixed\":128}},%s,%s,%s,\"added_tokens\":["
             "{\"id\":0,"
             "\"content\":\"[UNK]\",\"special\":true,\"normalized\":false},{\"id\":9,\"content\":\"new\",\"special\":"
             "false,\"normalized\":true,"
             "\"single_word\":true}]}",
             MODEL("WordPiece", VOCAB5), NORM, post);
    put(TOKENIZER, text);
    put(CONFIG, "{\"do_lower_case\":true,\"strip_accents\":false,\"tokenizer_class\":\"Whatever\"}");
    put(VOCAB, "only\nread\nwithout tokenizer.json\n");
    snc_tok_assets a, b;
    load(&a);
    assert_string_equal(blob_text(&a, "vocab"), "[UNK]\n[SEP]\n[CLS]\n\na\n\n##b\n\n\nnew\n"); /* holes are empty lines */
    cJSON *j = config_of(&a);
    assert_true(cJSON_IsFalse(get(j, "lowercase")));
    assert_true(cJSON_IsTrue(get(j, "strip_accents")));
    assert_true(cJSON_IsFalse(get(j, "tokenize_chinese_chars")));
    assert_int_equal(get(j, "max_chars")->valueint, 90);
    assert_int_equal(cJSON_GetArraySize(get(j, "added")), 2);
    assert_int_equal(get(cJSON_GetArrayItem(get(j, "added"), 1), "id")->valueint, 9);
    cJSON_Delete(j);
    assert_int_equal(snc_tok_assets_dup(&b, &a), SNC_OK);
    assert_string_equal(blob_text(&a, "vocab"), blob_text(&b, "vocab"));
    assert_string_equal(blob_text(&a, "config"), blob_text(&b, "config"));
    snc_tok_assets_dispose(&b);
    const snc_tok_assets nothing = {.kind = NULL};
    assert_int_equal(snc_tok_assets_dup(&b, &nothing), SNC_OK); /* a model without a tokenizer */
    assert_null(b.kind);
    assert_int_equal(snc_tok_assets_bytes(&b), 0);
    snc_tok *t;
    snc_tok_scratch *s;
    snc_encoding e;
    assert_int_equal(snc_tok_new(&t, &a), SNC_OK);
    assert_int_equal(snc_tok_scratch_new(&s), SNC_OK);
    static const int32_t want[] = {2, 4, 6, 9, 0, 1}; /* "new" is a token of its own, not a piece of "newb" */
    assert_int_equal(snc_tok_encode(&e, t, s, "ab new newb", 11, NULL, 0, 0), SNC_OK);
    assert_int_equal(e.n, 6);
    assert_memory_equal(e.ids, want, sizeof want);
    snc_tok_scratch_free(s);
    snc_tok_free(t);
    snc_tok_assets_dispose(&a);
}

static void a_vocabulary_alone_is_enough(void **state)
{
    (void)state;
    put(VOCAB, "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\na\r\n##b");
    snc_tok_assets a;
    load(&a);
    assert_string_equal(blob_text(&a, "vocab"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n");
    assert_int_equal(snc_tok_blob_view(&a, "vocab")->bytes, strlen(blob_text(&a, "vocab")));
    cJSON *j = config_of(&a);
    assert_true(cJSON_IsTrue(get(j, "lowercase")));
    assert_true(cJSON_IsNull(get(j, "strip_accents")));
    assert_int_equal(cJSON_GetArraySize(get(j, "added")), 5); /* the special tokens, found in text */
    cJSON_Delete(j);
    snc_tok_assets_dispose(&a);
}

static void tokenizer_config_fills_in(void **state)
{
    (void)state;
    put(VOCAB, "<unk>\n<s>\n</s>\na\n");
    put(CONFIG, "{\"do_lower_case\":false,\"tokenizer_class\":\"BertTokenizerFast\",\"unk_token\":\"<unk>\",\"cls_"
                "token\":{\"content\":\"<s>\",\"lstrip\":true},"
                "\"added_tokens_decoder\":{\"4\":{\"content\":\"<new>\",\"special\":true}}}");
    put(SPECIAL, "{\"sep_token\":\"</s>\",\"additional_special_tokens\":[\"<more>\"]}");
    snc_tok_assets a;
    load(&a);
    assert_string_equal(blob_text(&a, "vocab"), "<unk>\n<s>\n</s>\na\n<new>\n<more>\n");
    cJSON *j = config_of(&a);
    assert_true(cJSON_IsFalse(get(j, "lowercase")));
    assert_string_equal(get(j, "cls")->valuestring, "<s>");
    assert_string_equal(get(j, "sep")->valuestring, "</s>");
    assert_int_equal(cJSON_GetArraySize(get(j, "added")), 5);
    cJSON_Delete(j);
    snc_tok_assets_dispose(&a);
}

static void bert_processing_names_its_tokens(void **state)
{
    (void)state;
    put(TOKENIZER,
        "{" MODEL("WordPiece", "{\"[UNK]\":0,\"<c>\":1,\"<s>\":2}") "," NORM
                                                                    ",\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"<s>\",2],"
                                                                    "\"cls\":[\"<c>\",1]}}");
    snc_tok_assets a;
    load(&a);
    cJSON *j = config_of(&a);
    assert_string_equal(get(j, "cls")->valuestring, "<c>");
    assert_string_equal(get(j, "sep")->valuestring, "<s>");
    cJSON_Delete(j);
    snc_tok_assets_dispose(&a);
}

static void what_is_not_wordpiece_is_refused(void **state)
{
    (void)state;
    char text[4096], post[2048];
    refused(SNC_E_NOTFOUND, DIR);
    put(OTHER, "{}");
    refused(SNC_E_UNSUPPORTED, "vocab.json");
    put(TOKENIZER, "{" MODEL("WordLevel", VOCAB5) "," NORM "}");
    refused(SNC_E_UNSUPPORTED, "'WordLevel': only WordPiece or BPE");
    put(CONFIG, "{\"tokenizer_class\":\"PreTrainedTokenizerFast\"}"); /* BERT's own class would not look at what follows */
    put(TOKENIZER, "{" MODEL("WordPiece", VOCAB5) ",\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}}");
    refused(SNC_E_UNSUPPORTED, "'NFC'");
    put(TOKENIZER,
        "{" MODEL("WordPiece", VOCAB5) ",\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"StripAccents\"},{\"type\":"
                                       "\"NFD\"}]},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}}");
    refused(SNC_E_UNSUPPORTED, "normalizer 'NFD' stands after one that is done later here");
    put(TOKENIZER,
        "{" MODEL("WordPiece", VOCAB5) ",\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Lowercase\"},{\"type\":"
                                       "\"StripAccents\"}]},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}}");
    refused(SNC_E_UNSUPPORTED, "'StripAccents' after 'Lowercase' without 'NFD'");
    put(TOKENIZER,
        "{" MODEL("WordPiece", VOCAB5) ",\"normalizer\":{\"type\":\"Sequence\"},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}}");
    refused(SNC_E_FORMAT, "must have a list 'normalizers'");
    put(TOKENIZER, "{" MODEL("WordPiece", VOCAB5) ",\"normalizer\":{\"type\":\"BertNormalizer\"},\"pre_tokenizer\":{\"type\":\"Digits\"}}");
    refused(SNC_E_UNSUPPORTED, "'Digits'");
    snprintf(post, sizeof post, TEMPLATE, "0");
    snprintf(text, sizeof text, "{%s,%s,%s}", MODEL("WordPiece", VOCAB5), NORM, post);
    put(TOKENIZER, text);
    refused(SNC_E_UNSUPPORTED, "post_processor");
    clear(state);
    put(VOCAB, "[UNK]\n[CLS]\n[SEP]\n");
    put(CONFIG, "{\"tokenizer_class\":\"BertJapaneseTokenizer\"}");
    refused(SNC_E_UNSUPPORTED, "BertJapaneseTokenizer");
}

static void broken_files_name_file_and_field(void **state)
{
    (void)state;
    put(TOKENIZER, "{\"model\":");
    refused(SNC_E_FORMAT, "tokenizer.json: not valid JSON");
    put(TOKENIZER, "[]");
    refused(SNC_E_FORMAT, "tokenizer.json");
    put(TOKENIZER, "{}");
    refused(SNC_E_FORMAT, "no 'model'");
    put(TOKENIZER, "{" MODEL("WordPiece", "{}") "," NORM "}");
    refused(SNC_E_FORMAT, "empty");
    put(TOKENIZER, "{" MODEL("WordPiece", "[1]") "," NORM "}");
    refused(SNC_E_FORMAT, "model.vocab");
    put(TOKENIZER, "{" MODEL("WordPiece", "{\"a\":-1}") "," NORM "}");
    refused(SNC_E_FORMAT, "'a' has the id -1");
    put(TOKENIZER, "{" MODEL("WordPiece", "{\"a\":1e9}") "," NORM "}");
    refused(SNC_E_FORMAT, "'a' has the id");
    put(TOKENIZER, "{" MODEL("WordPiece", "{\"a\":\"x\"}") "," NORM "}");
    refused(SNC_E_FORMAT, "the id of 'a'");
    put(TOKENIZER, "{" MODEL("WordPiece", "{\"a\":0}") "," NORM "}");
    refused(SNC_E_FORMAT, "'[UNK]', which is not in the vocabulary");
    put(TOKENIZER, "{" MODEL("WordPiece", VOCAB5) "," NORM ",\"added_tokens\":[{\"id\":3}]}");
    refused(SNC_E_FORMAT, "no 'content'");
    clear(state);
    put(VOCAB, "");
    refused(SNC_E_FORMAT, "vocab.txt: the vocabulary is empty");
    put(VOCAB, "[UNK]\n[CLS]\n[SEP]\n");
    put(CONFIG, "{\"do_lower_case\":\"yes\"}");
    refused(SNC_E_FORMAT, "tokenizer_config.json: 'do_lower_case'");
    put(CONFIG, "{\"added_tokens_decoder\":{\"x\":{\"content\":\"y\"}}}");
    refused(SNC_E_FORMAT, "'x' is not an id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tokenizer_json_comes_first, clear, clear),
        cmocka_unit_test_setup_teardown(a_vocabulary_alone_is_enough, clear, clear),
        cmocka_unit_test_setup_teardown(tokenizer_config_fills_in, clear, clear),
        cmocka_unit_test_setup_teardown(bert_processing_names_its_tokens, clear, clear),
        cmocka_unit_test_setup_teardown(what_is_not_wordpiece_is_refused, clear, clear),
        cmocka_unit_test_setup_teardown(broken_files_name_file_and_field, clear, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
