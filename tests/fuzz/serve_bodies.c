/* Bodies of requests under a fixed corpus and its seeded mutations: none may crash, leak or be refused without a sentence, and what is read
 * holds texts alone. */
#include <stdio.h>

#include "check.h"
#include "files.h"
#include "mutate.h"
#include "serve/request.h"

enum { ROUNDS = 60000 };

static const char *const corpus[] = {
    "{\"input\":\"good film\",\"model\":\"m\",\"top_k\":2,\"logits\":true,\"user\":\"u\"}",
    "{\"input\":[\"a\",[\"b\",\"c\"],\"\\u00e9\\ud83d\\ude00\",\"\"]}",
    "{\"input\":[\"a\"],\"encoding_format\":\"base64\",\"model\":null}",
    "{\"query\":\"q\",\"documents\":[\"a\",{\"text\":\"b\",\"x\":[1,2,{}]}],\"top_n\":1,\"return_documents\":true}",
    "[[[[[[[[",
    "",
};

static void check_read(const snc_request *r)
{
    assert_true(r->ask.n > 0);
    for (int i = 0; i < r->ask.n; i++) {
        assert_non_null(r->text[i].a);
        assert_true(strlen(r->text[i].a) + (r->text[i].b ? strlen(r->text[i].b) : 0) < 4096);
    }
}

static void test_bodies(void **state)
{
    snc_rng rng;
    long read = 0;
    (void)state;
    snc_rng_init(&rng, 5, 1);
    for (int round = 0; round < ROUNDS / CHECK_EVERY; round++) {
        const char *from = corpus[(size_t)round % (sizeof corpus / sizeof *corpus)];
        mutant m = mutate((const unsigned char *)from, strlen(from), &rng, 0, strlen(from));
        for (snc_route route = 0; route < SNC_ROUTES; route++) {
            snc_request r;
            snc_err err = snc_request_parse(&r, route, (const char *)m.p, m.n);
            if (err) assert_true(*snc_err_text() != 0);
            if (err) continue;
            read++;
            check_read(&r);
            snc_request_dispose(&r);
        }
        free(m.p);
    }
    if (read < 100) fail_msg("%ld of the bodies were read", read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bodies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
