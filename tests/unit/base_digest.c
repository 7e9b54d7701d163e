/* Digests are XXH3's to the last digit, as files keep them, and do not depend on how the bytes are cut. */

#include <string.h>

#include "base/digest.h"
#include "check.h"

static void digests_are_xxh3_to_the_last_digit(void **state)
{
    (void)state;
    char text[SNC_DIGEST_TEXT];
    snc_digest_text(text, snc_digest(NULL, 0)); /* XXH3 of nothing, as its specification has it */
    assert_string_equal(text, "xxh3-64:2d06800538d394c2");
    snc_digest_text(text, 0xab);
    assert_string_equal(text, "xxh3-64:00000000000000ab");
}

static void pieces_do_not_matter_and_order_does(void **state)
{
    (void)state;
    static unsigned char p[5000];
    for (size_t i = 0; i < sizeof p; i++) p[i] = (unsigned char)(i * 7 + i / 251);
    uint64_t whole = snc_digest(&(snc_digest_part){p, sizeof p}, 1);
    for (size_t cut = 0; cut <= sizeof p; cut += 499) {
        snc_digest_part two[] = {{p, cut}, {NULL, 0}, {p + cut, sizeof p - cut}}, turned[] = {two[2], two[0]};
        assert_true(snc_digest(two, 3) == whole);
        if (cut > 0 && cut < sizeof p) assert_true(snc_digest(turned, 2) != whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_xxh3_to_the_last_digit),
        cmocka_unit_test(pieces_do_not_matter_and_order_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
