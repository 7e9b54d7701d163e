/* A kind of tokenizer that is not WordPiece, served by what all kinds share: letters and pairs merged of them, <s> A </s></s> B </s>. */
#include <string.h>

#include "check.h"
#include "tokenizer/tokenizer_priv.h"

/* "letters" [n]: their ids are 3, 4, ...; "pairs" [2 m]: two letters of each pair, ids after the letters'. */
enum { START, END, MASK, FIRST, LETTERS = 0, PAIRS = 1 };

static int letter(const snc_tok_assets *a, char c)
{
    const char *at = memchr(a->blob[LETTERS].data, c, a->blob[LETTERS].bytes);
    return at ? FIRST + (int)(at - a->blob[LETTERS].data) : -1;
}

static int ids(const snc_tok_assets *a) { return FIRST + (int)a->blob[LETTERS].bytes + (int)a->blob[PAIRS].bytes / 2; }

static snc_err create(snc_tok *t, const snc_tok_assets *a)
{
    static const unsigned char mask[] = "<mask>";
    t->ids = ids(a);
    t->around = (snc_tok_template){.first = {{START}, 1}, .between = {{END, END}, 2}, .last = {{END}, 1}};
    SNC_TRY(snc_added__add(&t->raw, &(snc_added){.text = mask, .n = sizeof mask - 1, .id = MASK, .lstrip = true}));
    SNC_TRY(snc_alloc(&t->state, 1, sizeof *a));
    return snc_tok_assets_dup(t->state, a);
}

static void destroy(void *state)
{
    snc_tok_assets_dispose(state);
    snc_free(state);
}

static const char *piece(const snc_tok *t, int32_t id)
{
    const snc_tok_assets *a = t->state;
    size_t i = (size_t)(id - FIRST);
    if (id < FIRST) return "";
    return i < a->blob[LETTERS].bytes ? a->blob[LETTERS].data + i : a->blob[PAIRS].data + 2 * (i - a->blob[LETTERS].bytes);
}

static snc_err cut(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    const snc_tok_assets *a = t->state;
    for (size_t i = 0; i < n; i++) {
        int id = letter(a, (char)text[i]), pair = -1;
        for (size_t k = 0; k + 1 < a->blob[PAIRS].bytes && i + 1 < n; k += 2)
            if (memcmp(a->blob[PAIRS].data + k, text + i, 2) == 0) pair = FIRST + (int)a->blob[LETTERS].bytes + (int)k / 2;
        if (pair >= 0) i++;
        if (pair >= 0 || id >= 0) SNC_TRY(snc_tok__push(s, pair >= 0 ? pair : id));
    }
    return SNC_OK;
}

/* The specials, and the letters of every pair that stays. */
static snc_err need(bool *keep, int n, const snc_tok_assets *a)
{
    for (int i = 0; i < FIRST; i++) keep[i] = true;
    for (int i = FIRST + (int)a->blob[LETTERS].bytes; i < n; i++) {
        const char *pair = a->blob[PAIRS].data + 2 * (i - FIRST - (int)a->blob[LETTERS].bytes);
        if (keep[i]) keep[letter(a, pair[0])] = keep[letter(a, pair[1])] = true;
    }
    return SNC_OK;
}

static const snc_tok_kind kind_letters = {.name = "letters",
                                          .blob = {"letters", "pairs"},
                                          .create = create,
                                          .destroy = destroy,
                                          .piece = piece,
                                          .cut = cut,
                                          .ids = ids,
                                          .need = need};

static snc_tok_assets assets(void)
{
    static char letters[] = "abc", pairs[] = "abca";
    return (snc_tok_assets){.kind = &kind_letters, .blob = {{letters, 3}, {pairs, 4}}};
}
enum { A = FIRST, B, C, AB, CA };

static void check(const char *a, const char *b, int max_length, const int32_t *want, int n, int dropped)
{
    snc_tok_assets x = assets();
    snc_tok *t = NULL;
    snc_tok_scratch *s = NULL;
    snc_encoding e;
    assert_int_equal(snc_tok_new(&t, &x), SNC_OK);
    assert_int_equal(snc_tok_scratch_new(&s), SNC_OK);
    assert_int_equal(snc_tok_encode(&e, t, s, a, strlen(a), b, b ? strlen(b) : 0, max_length), SNC_OK);
    assert_int_equal(e.n, n);
    assert_memory_equal(e.ids, want, (size_t)n * sizeof *want);
    for (int i = 0; i < n; i++) assert_int_equal(e.types[i], 0);
    assert_int_equal(e.dropped, dropped);
    snc_tok_scratch_free(s);
    snc_tok_free(t);
}

#define IDS(...) (const int32_t[]){__VA_ARGS__}, (int)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void special_tokens_stand_where_the_kind_says(void **state)
{
    (void)state;
    check("abc", NULL, 0, IDS(START, AB, C, END), 0);
    check("", NULL, 0, IDS(START, END), 0);
    check("ca", "b", 0, IDS(START, CA, END, END, B, END), 0);
    check("c", "", 0, IDS(START, C, END, END, END), 0);
    check("b <mask>c", NULL, 0, IDS(START, B, MASK, C, END), 0);
}

static void texts_give_way_and_special_tokens_do_not(void **state)
{
    (void)state;
    check("bbcb", NULL, 4, IDS(START, B, B, END), 2);
    check("bbbb", "cc", 8, IDS(START, B, B, END, END, C, C, END), 2);
    check("bbbb", "cc", 4, IDS(START, END, END, END), 6);
    snc_tok_assets x = assets();
    snc_tok *t = NULL;
    snc_tok_scratch *s = NULL;
    snc_encoding e;
    assert_int_equal(snc_tok_new(&t, &x), SNC_OK);
    assert_int_equal(snc_tok_scratch_new(&s), SNC_OK);
    assert_int_equal(snc_tok_encode(&e, t, s, "b", 1, "c", 1, 3), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), "a pair needs at least 4"));
    assert_int_equal(snc_tok_vocab_size(t), 8);
    assert_memory_equal(snc_tok_piece_view(t, CA), "ca", 2);
    assert_null(snc_tok_piece_view(t, 8));
    snc_tok_scratch_free(s);
    snc_tok_free(t);
}

static void a_merge_keeps_its_parts(void **state)
{
    (void)state;
    snc_tok_assets x = assets();
    bool keep[8] = {[CA] = true};
    assert_int_equal(x.kind->need(keep, x.kind->ids(&x), &x), SNC_OK);
    assert_true(keep[START] && keep[END] && keep[MASK] && keep[A] && keep[C] && keep[CA]);
    assert_false(keep[B] || keep[AB]);
}

static void a_name_that_is_no_kind_is_refused(void **state)
{
    (void)state;
    const snc_tok_kind *kind = NULL;
    assert_int_equal(snc_tok_kind_find(&kind, NULL), SNC_OK);
    assert_true(kind == &snc_tok_wordpiece && snc_tok_kind_is_implied(kind));
    assert_int_equal(snc_tok_kind_find(&kind, "letters"), SNC_E_UNSUPPORTED);
    assert_non_null(strstr(snc_err_text(), "tokenizer 'letters': expected wordpiece"));
    assert_false(snc_tok_kind_is_implied(&kind_letters));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_tokens_stand_where_the_kind_says),
        cmocka_unit_test(texts_give_way_and_special_tokens_do_not),
        cmocka_unit_test(a_merge_keeps_its_parts),
        cmocka_unit_test(a_name_that_is_no_kind_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
