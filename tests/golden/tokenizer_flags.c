/* Folders whose tokenizer.json, tokenizer_config.json and class say different things, against what two versions of Hugging Face's
 * library make of them (tests/ref/tokenizer_flags.py): ids and segments are equal, every one. */

#include "base/fmap.h"
#include "base/json.h"
#include "base/mem.h"
#include "check.h"
#include "files.h"
#include "tokenizer/tokenizer.h"

#define DIR   "scratch.tokenizer_flags"
#define AGAIN "scratch.tokenizer_flags.again"

enum { WRITTEN = 11 }; /* of so many rows one is also written as a folder, which syncs two files */

static const cJSON *get(const cJSON *j, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);
    assert_non_null(v);
    return v;
}

static const char *text_at(const cJSON *list, int i)
{
    const char *s = cJSON_GetStringValue(cJSON_GetArrayItem(list, i));
    return s ? s : "";
}

static int number_at(const cJSON *list, int i)
{
    const cJSON *v = cJSON_GetArrayItem(list, i);
    assert_true(cJSON_IsNumber(v));
    return (int)v->valuedouble;
}

/* Without a sync to disk, unlike snc_file_write: there are thousands. A NULL text removes the file. */
static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, DIR "/%s", name);
    remove(path);
    if (!text) return;
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    fclose(f);
}

static void put_json(const char *name, cJSON *j)
{
    char *text = j ? cJSON_PrintUnformatted(j) : NULL;
    put(name, text);
    cJSON_free(text);
    cJSON_Delete(j);
}

static void put_vocab(const cJSON *vocab)
{
    char text[8192];
    size_t n = 0;
    const cJSON *v;
    cJSON_ArrayForEach(v, vocab) n += (size_t)snprintf(text + n, sizeof text - n, "%s\n", v->valuestring);
    assert_true(n < sizeof text);
    put("vocab.txt", text);
}

/* The file of that name with the vocabulary in it; NULL: a folder without tokenizer.json. */
static cJSON *tokenizer_of(const cJSON *all, const char *name)
{
    cJSON *j = cJSON_Duplicate(get(get(all, "files"), name), true), *vocab = cJSON_CreateObject();
    const cJSON *v;
    int id = 0;
    if (cJSON_IsNull(j)) {
        cJSON_Delete(vocab);
        cJSON_Delete(j);
        return NULL;
    }
    cJSON_ArrayForEach(v, get(all, "vocab")) cJSON_AddNumberToObject(vocab, v->valuestring, id++);
    cJSON_ReplaceItemInObject(cJSON_GetObjectItem(j, "model"), "vocab", vocab);
    return j;
}

static cJSON *config_of(const cJSON *all, const char *name, const char *class)
{
    cJSON *j = cJSON_Duplicate(get(get(all, "configs"), name), true);
    if (cJSON_IsNull(j)) {
        cJSON_Delete(j);
        return NULL;
    }
    if (*class) cJSON_AddStringToObject(j, "tokenizer_class", class);
    return j;
}

/* Every text's ids and types as [[ids, types], ...]; NULL: the folder is refused. again: of the folder that is written of it. */
static cJSON *answers(const cJSON *texts, bool again)
{
    snc_tok_assets a = {0};
    snc_tok *t = NULL;
    snc_tok_scratch *s = NULL;
    const cJSON *text;
    if (snc_tok_assets_load(&a, DIR)) return NULL;
    if (again) {
        assert_ok(snc_tok_assets_save(AGAIN, &a, 64, true));
        snc_tok_assets_dispose(&a);
        assert_ok(snc_tok_assets_load(&a, AGAIN));
    }
    assert_ok(snc_tok_new(&t, &a));
    assert_ok(snc_tok_scratch_new(&s));
    cJSON *all = cJSON_CreateArray();
    cJSON_ArrayForEach(text, texts)
    {
        snc_encoding e;
        bool pair = cJSON_GetArraySize(text) == 2;
        const char *x = text_at(text, 0), *y = pair ? text_at(text, 1) : NULL;
        assert_ok(snc_tok_encode(&e, t, s, x, strlen(x), y, y ? strlen(y) : 0, 0));
        cJSON *one = cJSON_CreateArray();
        cJSON_AddItemToArray(one, cJSON_CreateIntArray(e.ids, e.n));
        cJSON_AddItemToArray(one, cJSON_CreateIntArray(e.types, e.n));
        cJSON_AddItemToArray(all, one);
    }
    snc_tok_scratch_free(s);
    snc_tok_free(t);
    snc_tok_assets_dispose(&a);
    return all;
}

/* Folders that the library refuses are left out: what we make of one is ours alone. */
static int check(const cJSON *all, const cJSON *row, int outcome, const char *version, bool again)
{
    const cJSON *want = cJSON_GetArrayItem(get(all, "outcomes"), outcome);
    char text[128];
    if (cJSON_IsNull(want)) return 0;
    snprintf(text, sizeof text, "{\"model_type\":\"bert\"%s%s%s}", version ? ",\"transformers_version\":\"" : "", version ? version : "",
             version ? "\"" : "");
    put("config.json", text);
    cJSON *got = answers(get(all, "texts"), again);
    if (!cJSON_Compare(got, want, true)) {
        char *a = got ? cJSON_PrintUnformatted(got) : NULL, *b = cJSON_PrintUnformatted(want);
        fail_msg("tokenizer.json '%s', class '%s', tokenizer_config.json '%s', version %s%s:\n%s\nexpected\n%s", text_at(row, 0),
                 text_at(row, 1), text_at(row, 2), version ? version : "not said", again ? ", written again" : "", a ? a : snc_err_text(),
                 b);
    }
    cJSON_Delete(got);
    return 1;
}

static void flags_are_the_librarys(void **state)
{
    (void)state;
    cJSON *all = NULL;
    const cJSON *row;
    int checks = 0, rows = 0;
    assert_ok(snc_json_load(&all, SNC_TEST_DIR "/golden/tokenizer_flags.json"));
    assert_ok(snc_mkdir(DIR));
    assert_ok(snc_mkdir(AGAIN));
    const char *old = cJSON_GetStringValue(get(cJSON_GetArrayItem(get(all, "versions"), 0), "transformers"));
    const char *new = cJSON_GetStringValue(get(cJSON_GetArrayItem(get(all, "versions"), 1), "transformers"));
    cJSON_ArrayForEach(row, get(all, "rows"))
    {
        cJSON *tokenizer = tokenizer_of(all, text_at(row, 0));
        if (tokenizer) put("vocab.txt", NULL);
        else put_vocab(get(all, "vocab"));
        put_json("tokenizer.json", tokenizer);
        put_json("tokenizer_config.json", config_of(all, text_at(row, 2), text_at(row, 1)));
        checks += check(all, row, number_at(row, 3), old, false);
        checks += check(all, row, number_at(row, 4), new, false);
        if (number_at(row, 3) != number_at(row, 4)) checks += check(all, row, number_at(row, 4), NULL, false);
        if (rows++ % WRITTEN == 0) checks += check(all, row, number_at(row, 4), new, true);
    }
    assert_true(checks > 500);
    print_message("%d folders\n", checks);
    cJSON_Delete(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_the_librarys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
