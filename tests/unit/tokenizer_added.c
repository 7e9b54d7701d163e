/* The longest added token wins at each place: against a search that tries them all. */

#include <string.h>

#include "base/rng.h"
#include "check.h"
#include "files.h"
#include "tokenizer/added_priv.h"

enum { TOKENS = 40, LONGEST = 6, TEXT = 64 };

/* The longest of the tokens that stand at p, the first of equal ones; -1: none. */
static int naive(char tokens[TOKENS][LONGEST + 1], int n, const char *p)
{
    int best = -1;
    for (int i = 0; i < n; i++) {
        size_t len = strlen(tokens[i]);
        if (strncmp(p, tokens[i], len) == 0 && (best < 0 || len > strlen(tokens[best]))) best = i;
    }
    return best;
}

/* Tokens over two letters: nearly all begin with others. */
static void the_longest_token_wins_at_each_place(void **state)
{
    (void)state;
    snc_uni u;
    snc_rng r;
    snc_rng_init(&r, 3, 4);
    assert_ok(snc_uni__init(&u));
    for (int round = 0; round < 300; round++) {
        char tokens[TOKENS][LONGEST + 1] = {{0}}, text[TEXT + 1] = {0};
        int n = 1 + (int)snc_rng_below(&r, TOKENS);
        snc_added_set s;
        snc_added__init(&s);
        for (int i = 0; i < n; i++) {
            size_t len = 1 + snc_rng_below(&r, LONGEST);
            for (size_t k = 0; k < len; k++) tokens[i][k] = (char)('a' + snc_rng_below(&r, round % 2 ? 2 : 3));
            assert_ok(snc_added__add(&s, &(snc_added){.text = (unsigned char *)tokens[i], .n = len, .id = i}));
        }
        snc_added__sort(&s);
        for (int i = 0; i < TEXT; i++) text[i] = (char)('a' + snc_rng_below(&r, 4));
        snc_added_match m = {0};
        size_t at = 0;
        do {
            snc_added__next(&m, &s, &u, (unsigned char *)text, TEXT);
            while (at < TEXT && naive(tokens, n, text + at) < 0) at++;
            int want = at < TEXT ? naive(tokens, n, text + at) : -1;
            assert_int_equal(m.id, want);
            if (want >= 0) assert_int_equal(m.start, at);
            if (want >= 0) at += strlen(tokens[want]);
        } while (m.id >= 0);
        snc_added__dispose(&s);
    }
    snc_uni__dispose(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_longest_token_wins_at_each_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
