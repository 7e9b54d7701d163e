/* What a tokenizer does with small vocabularies: every rule once, ids written out. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "wordpieces.h"

/* Line numbers are ids. */
static char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\nword\n##s\na\n##"
                      "a\nb\ncafe\ncafé\n中\n文\n!\n.\n,\ni\n##\u0307\nA\n";
enum { PAD, UNK, CLS, SEP, MASK, UN, AFF, ABLE, WORD, S, A, A2, B, CAFE, CAFE_ACCENT, ZHONG, WEN, BANG, DOT, COMMA, I, DOT_ABOVE, UPPER_A };

#define SPECIAL                                                                                                    \
    "\"added\":[{\"content\":\"[PAD]\"},{\"content\":\"[UNK]\"},{\"content\":\"[CLS]\"},{\"content\":\"[SEP]\"},{" \
    "\"content\":\"[MASK]\"}]"

typedef struct bench {
    snc_tok *t;
    snc_tok_scratch *s;
    snc_encoding e;
} bench;

static bench make(const char *config)
{
    char copy[2048];
    snprintf(copy, sizeof copy, "%s", config);
    snc_tok_assets a = wordpieces(vocab, sizeof vocab - 1, copy);
    bench b;
    assert_int_equal(snc_tok_new(&b.t, &a), SNC_OK);
    assert_int_equal(snc_tok_scratch_new(&b.s), SNC_OK);
    return b;
}

static void done(bench *b)
{
    snc_tok_free(b->t);
    snc_tok_scratch_free(b->s);
}

static void check_n(bench *b, const char *text, size_t n, const int32_t *ids, int count)
{
    assert_int_equal(snc_tok_encode(&b->e, b->t, b->s, text, n, NULL, 0, 0), SNC_OK);
    assert_int_equal(b->e.n, count + 2);
    assert_int_equal(b->e.dropped, 0);
    assert_int_equal(b->e.ids[0], CLS);
    assert_int_equal(b->e.ids[count + 1], SEP);
    if (count) assert_memory_equal(b->e.ids + 1, ids, (size_t)count * sizeof *ids);
    for (int i = 0; i < b->e.n; i++) assert_int_equal(b->e.types[i], 0);
}

#define CHECK(b, text, ...) \
    check_n(b, text, sizeof(text) - 1, (const int32_t[]){__VA_ARGS__}, (int)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)))

static void longest_pieces_are_taken_from_the_left(void **state)
{
    (void)state;
    bench b = make("{" SPECIAL "}");
    CHECK(&b, "unaffable words", UN, AFF, ABLE, WORD, S);
    CHECK(&b, "unaffablx word", UNK, WORD); /* a word is known as a whole or not at all */
    CHECK(&b, "aaaa", A, A2, A2, A2);
    check_n(&b, "", 0, NULL, 0);
    check_n(&b, " \t\n ", 4, NULL, 0);
    done(&b);
}

static void text_is_cleaned_as_bert_does(void **state)
{
    (void)state;
    bench b = make("{" SPECIAL "}");
    CHECK(&b, "Caf\xc3\xa9 cafe\xcc\x81 CAF\xc3\x89", CAFE, CAFE, CAFE);
    CHECK(&b,
          "a\xe4\xb8\xad\xe6\x96\x87"
          "b",
          A, ZHONG, WEN, B);
    CHECK(&b,
          "a\x00"
          "a\xe2\x80\x8b"
          "a",
          A, A2, A2); /* NUL and a zero-width space vanish */
    CHECK(&b,
          "a\xc2\xa0"
          "b\xe3\x80\x80"
          "a\x0b"
          "a",
          A, B, A, A2); /* U+000B is a control character, not a space */
    CHECK(&b, "a,b!word.", A, COMMA, B, BANG, WORD, DOT);
    CHECK(&b, "\xc4\xb0", I); /* U+0130 loses its dot with the accents */
    done(&b);
}

static void each_flag_has_its_effect(void **state)
{
    (void)state;
    bench cased = make("{\"lowercase\":false," SPECIAL "}");
    CHECK(&cased, "A caf\xc3\xa9", UPPER_A, CAFE_ACCENT); /* strip_accents follows lowercase */
    done(&cased);
    bench accents = make("{\"strip_accents\":false," SPECIAL "}");
    CHECK(&accents, "CAF\xc3\x89 \xc4\xb0", CAFE_ACCENT, I, DOT_ABOVE); /* U+0130 becomes two characters */
    done(&accents);
    bench strip = make("{\"lowercase\":false,\"strip_accents\":true," SPECIAL "}");
    CHECK(&strip, "caf\xc3\xa9 A", CAFE, UPPER_A);
    done(&strip);
    bench plain = make("{\"tokenize_chinese_chars\":false,\"clean_text\":false," SPECIAL "}");
    CHECK(&plain,
          "\xe4\xb8\xad\xe6\x96\x87 a\x00"
          "a \xe4\xb8\xad",
          UNK, UNK, ZHONG);
    done(&plain);
}

static void words_over_the_limit_are_unknown(void **state)
{
    (void)state;
    char text[512];
    bench b = make("{" SPECIAL "}");
    memset(text, 'a', 101);
    assert_int_equal(snc_tok_encode(&b.e, b.t, b.s, text, 100, NULL, 0, 0), SNC_OK);
    assert_int_equal(b.e.n, 102);
    assert_int_equal(snc_tok_encode(&b.e, b.t, b.s, text, 101, NULL, 0, 0), SNC_OK);
    assert_int_equal(b.e.n, 3);
    assert_int_equal(b.e.ids[1], UNK);
    for (int i = 0; i < 101; i++) memcpy(text + 2 * i, "\xc3\xa0", 2); /* characters count, not bytes */
    assert_int_equal(snc_tok_encode(&b.e, b.t, b.s, text, 200, NULL, 0, 0), SNC_OK);
    assert_int_equal(b.e.n, 102);
    done(&b);
    bench three = make("{\"max_chars\":3," SPECIAL "}");
    CHECK(&three, "aaa aaaa", A, A2, A2, UNK);
    done(&three);
}

static void special_tokens_are_found_in_text(void **state)
{
    (void)state;
    bench b = make("{" SPECIAL "}");
    CHECK(&b, "a[SEP]b [MASK].", A, SEP, B, MASK, DOT);
    CHECK(&b, "[sep]", UNK, UNK, UNK);
    CHECK(&b, "[[CLS]", UNK, CLS);
    CHECK(&b, "\xff[SEP]", SEP);
    done(&b);
}

static void added_tokens_obey_their_flags(void **state)
{
    (void)state;
    bench b = make("{\"added\":[{\"content\":\"WORD\",\"id\":8,\"normalized\":true,\"single_word\":true},{\"content\":"
                   "\"[MASK]\",\"lstrip\":true,"
                   "\"rstrip\":true},{\"content\":\"un\",\"single_word\":true},{\"content\":\"A\",\"id\":22}]}");
    CHECK(&b, "Word words", WORD, UNK); /* a line that an entry claims by id is no piece of other words */
    CHECK(&b, "un unaffable", UN, UN, AFF, ABLE);
    CHECK(&b, "a  [MASK]\xc2\xa0 a", A, MASK, A);
    CHECK(&b, "bAb", B, UPPER_A, B);
    done(&b);
}

static void ill_formed_bytes_are_replacement_characters(void **state)
{
    (void)state;
    bench clean = make("{" SPECIAL "}");
    CHECK(&clean,
          "a\xff\xc3 a\xed\xa0\x80"
          "a\xf0\x9f\x98",
          A, A, A2); /* U+FFFD is cleaned away */
    done(&clean);
    bench plain = make("{\"clean_text\":false,\"max_chars\":3," SPECIAL "}");
    CHECK(&plain, "\xff\xfe", UNK);
    done(&plain);
}

static void pairs_have_segments(void **state)
{
    (void)state;
    bench b = make("{" SPECIAL "}");
    static const int32_t ids[] = {CLS, A, B, SEP, WORD, S, DOT, SEP}, types[] = {0, 0, 0, 0, 1, 1, 1, 1};
    assert_int_equal(snc_tok_encode(&b.e, b.t, b.s, "a b", 3, "words.", 6, 0), SNC_OK);
    assert_int_equal(b.e.n, 8);
    assert_memory_equal(b.e.ids, ids, sizeof ids);
    assert_memory_equal(b.e.types, types, sizeof types);
    assert_int_equal(snc_tok_encode(&b.e, b.t, b.s, "a", 1, "", 0, 0), SNC_OK); /* an empty second text is still a pair */
    assert_int_equal(b.e.n, 4);
    assert_int_equal(b.e.types[3], 1);
    done(&b);
}

static void check_cut(bench *b, int na, int nb, int max, int want_a, int want_b)
{
    char text[64], other[64];
    memset(text, '!', sizeof text);
    memset(other, '.', sizeof other);
    assert_int_equal(snc_tok_encode(&b->e, b->t, b->s, text, (size_t)na, other, (size_t)nb, max), SNC_OK);
    assert_int_equal(b->e.n, want_a + want_b + 3);
    assert_int_equal(b->e.dropped, na + nb - want_a - want_b);
    for (int i = 0; i < b->e.n; i++) {
        int want = i == 0 ? CLS : i <= want_a ? BANG : i == want_a + 1 ? SEP : i <= want_a + 1 + want_b ? DOT : SEP;
        assert_int_equal(b->e.ids[i], want);
        assert_int_equal(b->e.types[i], i >= want_a + 2);
    }
}

static void truncation_takes_from_the_longest_first(void **state)
{
    (void)state;
    bench b = make("{" SPECIAL "}");
    check_cut(&b, 2, 2, 7, 2, 2);
    check_cut(&b, 2, 8, 10, 2, 5);
    check_cut(&b, 8, 2, 10, 5, 2);
    check_cut(&b, 4, 8, 10, 3, 4); /* the odd token stays with the longer text */
    check_cut(&b, 8, 4, 10, 4, 3);
    check_cut(&b, 8, 8, 10, 3, 4);
    check_cut(&b, 8, 8, 3, 0, 0);
    check_cut(&b, 0, 8, 5, 0, 2);
    assert_int_equal(snc_tok_encode(&b.e, b.t, b.s, "!!!!", 4, NULL, 0, 4), SNC_OK);
    assert_int_equal(b.e.n, 4);
    assert_int_equal(b.e.dropped, 2);
    assert_int_equal(snc_tok_encode(&b.e, b.t, b.s, "!", 1, NULL, 0, 1), SNC_E_ARG);
    assert_int_equal(snc_tok_encode(&b.e, b.t, b.s, "!", 1, "!", 1, 2), SNC_E_ARG);
    assert_int_equal(snc_tok_encode(&b.e, b.t, b.s, "!", 1, "!", 1, -1), SNC_E_ARG);
    done(&b);
}

static void a_later_line_of_the_same_piece_wins(void **state)
{
    (void)state;
    char text[] = "[UNK]\n[CLS]\n[SEP]\nx\n\nx";
    char config[] = "{}";
    snc_tok_assets a = wordpieces(text, sizeof text - 1, config);
    bench b;
    assert_int_equal(snc_tok_new(&b.t, &a), SNC_OK);
    assert_int_equal(snc_tok_scratch_new(&b.s), SNC_OK);
    assert_int_equal(snc_tok_vocab_size(b.t), 6);
    assert_string_equal(snc_tok_piece_view(b.t, 3), "x");
    assert_string_equal(snc_tok_piece_view(b.t, 4), "");
    assert_null(snc_tok_piece_view(b.t, 6));
    assert_null(snc_tok_piece_view(b.t, -1));
    assert_int_equal(snc_tok_encode(&b.e, b.t, b.s, "x", 1, NULL, 0, 0), SNC_OK);
    assert_int_equal(b.e.ids[1], 5);
    done(&b);
}

static void pieces_of_every_length_match(void **state)
{
    (void)state;
    char text[32768], word[160], config[] = "{\"max_chars\":200}";
    size_t n = (size_t)snprintf(text, sizeof text, "[UNK]\n[CLS]\n[SEP]\n");
    for (int len = 1; len <= 100; len++) {
        memset(word, 'q', sizeof word);
        n += (size_t)snprintf(text + n, sizeof text - n, "%.*s\n##%.*s\n", len, word, len, word);
    }
    snc_tok_assets a = wordpieces(text, n, config);
    bench b;
    assert_int_equal(snc_tok_new(&b.t, &a), SNC_OK);
    assert_int_equal(snc_tok_scratch_new(&b.s), SNC_OK);
    for (int len = 1; len <= 150; len++) {
        assert_int_equal(snc_tok_encode(&b.e, b.t, b.s, word, (size_t)len, NULL, 0, 0), SNC_OK);
        assert_int_equal(b.e.n, len > 100 ? 4 : 3);
        assert_int_equal(b.e.ids[1], 3 + 2 * ((len > 100 ? 100 : len) - 1));
        if (len > 100) assert_int_equal(b.e.ids[2], 4 + 2 * (len - 100 - 1));
    }
    done(&b);
}

static void bad_assets_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *vocab, *config, *said;
    } bad[] = {
        {"[UNK]\n[CLS]\n[SEP]\n", "{\"lowercase\":1}", "lowercase"},
        {"[UNK]\n[CLS]\n[SEP]\n", "{\"lower\":true}", "unknown key 'lower'"},
        {"[UNK]\n[CLS]\n[SEP]\n", "{\"max_chars\":0}", "max_chars"},
        {"[UNK]\n[CLS]\n[SEP]\n", "{", "not valid JSON"},
        {"[UNK]\n[CLS]\n[SEP]\n", "[]", "expected a JSON object"},
        {"[UNK]\n[CLS]\n[SEP]\n", "{\"added\":{}}", "must be a list"},
        {"[UNK]\n[CLS]\n[SEP]\n", "{\"added\":[{}]}", "no 'content'"},
        {"[UNK]\n[CLS]\n[SEP]\n", "{\"added\":[{\"content\":\"x\"}]}", "'x' is not in the vocabulary"},
        {"[UNK]\n[CLS]\n[SEP]\n", "{\"added\":[{\"content\":\"x\",\"id\":3}]}", "'id' must be"},
        {"[UNK]\n[CLS]\n", "{}", "'[SEP]'"},
        {"a\n[CLS]\n[SEP]\n", "{}", "'[UNK]'"},
        {"[UNK]\n\xff\n[SEP]\n", "{}", "line 2: not valid UTF-8"},
        {"", "{}", "empty"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[256], config[256];
        snprintf(text, sizeof text, "%s", bad[i].vocab);
        snprintf(config, sizeof config, "%s", bad[i].config);
        snc_tok_assets a = wordpieces(text, strlen(text), config);
        snc_tok *t = NULL;
        assert_int_equal(snc_tok_new(&t, &a), SNC_E_FORMAT);
        if (!strstr(snc_err_text(), bad[i].said)) fail_msg("'%s' does not say '%s'", snc_err_text(), bad[i].said);
    }
    snc_tok *t = NULL;
    assert_int_equal(snc_tok_new(&t, &(snc_tok_assets){.kind = NULL}), SNC_E_FORMAT);
    snc_tok_free(NULL);
    snc_tok_scratch_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longest_pieces_are_taken_from_the_left),
        cmocka_unit_test(text_is_cleaned_as_bert_does),
        cmocka_unit_test(each_flag_has_its_effect),
        cmocka_unit_test(words_over_the_limit_are_unknown),
        cmocka_unit_test(special_tokens_are_found_in_text),
        cmocka_unit_test(added_tokens_obey_their_flags),
        cmocka_unit_test(ill_formed_bytes_are_replacement_characters),
        cmocka_unit_test(pairs_have_segments),
        cmocka_unit_test(truncation_takes_from_the_longest_first),
        cmocka_unit_test(a_later_line_of_the_same_piece_wins),
        cmocka_unit_test(pieces_of_every_length_match),
        cmocka_unit_test(bad_assets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
