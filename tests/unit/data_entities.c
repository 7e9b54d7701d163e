/* Spans of tagged words: by hand, against seqeval's own figures on drawn sentences, and found as they are counted. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "files.h"
#include "data/entities.h"

static const char *const labels[] = {"O", "B-PER", "I-PER", "B-LOC", "I-LOC", "E-LOC", "S-PER"};
enum { K = 7, MOST = 16 };

static int fill(float *out, const char *tags)
{
    int n = 0;
    for (const char *p = tags; *p; p += strcspn(p, " "), p += *p == ' ', n++) {
        size_t m = strcspn(p, " ");
        int k = 0;
        while (strlen(labels[k]) != m || memcmp(labels[k], p, m) != 0) k++;
        out[n] = (float)k;
    }
    return n;
}

static void spans_of_a_sentence(void **state)
{
    static const struct {
        const char *said, *is;
        int right, n_said, n_is;
    } cases[] = {
        {"B-PER I-PER O B-LOC", "B-PER I-PER O B-LOC", 2, 2, 2},
        {"B-PER I-PER O B-LOC", "B-PER O O B-LOC", 1, 2, 2},
        {"I-PER I-PER O", "B-PER I-PER O", 1, 1, 1},         /* begins without a B */
        {"B-PER I-LOC I-LOC", "B-PER B-LOC I-LOC", 2, 2, 2}, /* another kind is another span */
        {"B-PER B-PER", "B-PER I-PER", 0, 2, 1},
        {"B-LOC E-LOC I-LOC", "B-LOC E-LOC B-LOC", 2, 2, 2},
        {"S-PER S-PER", "S-PER B-PER", 2, 2, 2},
        {"O O", "B-PER O", 0, 0, 1},
        {"B-PER O", "O O", 0, 1, 0},
    };
    snc_entity_tags *t;
    (void)state;
    assert_ok(snc_entity_tags_new(&t, labels, K));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float said[MOST], is[MOST];
        snc_entities c = {0};
        const int n = fill(said, cases[i].said);
        assert_int_equal(n, fill(is, cases[i].is));
        snc_entities_count(&c, t, said, is, n);
        if (c.right != cases[i].right || c.said != cases[i].n_said || c.is != cases[i].n_is)
            fail_msg("'%s' against '%s': %d of %d and %d", cases[i].said, cases[i].is, (int)c.right, (int)c.said, (int)c.is);
    }
    snc_entity_tags_free(t);
}

static uint32_t state_of_draws;
static int draw(int n)
{
    state_of_draws = (state_of_draws * 1103515245u + 12345u) & 0x7fffffffu;
    return (int)((state_of_draws >> 16) % (uint32_t)n);
}

/* seqeval 1.2.2 on the same sentences (tests/ref/README). */
static void scores_are_seqevals(void **state)
{
    static const struct {
        int tags;
        double f1, precision, recall;
    } want[] = {{5, 0.7075084049308928, 0.7061894108873975, 0.7088323353293413},
                {7, 0.7501626545217956, 0.7472456254050551, 0.7531025473546702}};
    snc_entity_tags *t;
    (void)state;
    assert_ok(snc_entity_tags_new(&t, labels, K));
    state_of_draws = 12345;
    for (int w = 0; w < 2; w++) {
        snc_entities c = {0};
        for (int i = 0; i < 400; i++) {
            float said[MOST], is[MOST];
            const int n = 1 + draw(9);
            for (int k = 0; k < n; k++) is[k] = (float)draw(want[w].tags);
            for (int k = 0; k < n; k++) said[k] = draw(3) ? is[k] : (float)draw(want[w].tags);
            const snc_entities before = c;
            snc_entities_count(&c, t, said, is, n);
            snc_entity found[MOST];
            const int m = snc_entities_find(found, t, said, n);
            assert_int_equal(m, c.said - before.said);
            for (int k = 0; k < m; k++) assert_true(found[k].first < found[k].end && found[k].end <= n);
        }
        assert_true(fabs(snc_entities_score(&c, "entity_f1") - want[w].f1) < 1e-12);
        assert_true(fabs(snc_entities_score(&c, "entity_precision") - want[w].precision) < 1e-12);
        assert_true(fabs(snc_entities_score(&c, "entity_recall") - want[w].recall) < 1e-12);
    }
    snc_entity_tags_free(t);
}

static void nothing_divided_by_nothing_is_nothing(void **state)
{
    const snc_entities none = {0};
    (void)state;
    assert_true(snc_entities_score(&none, "entity_f1") == 0 && snc_entities_score(&none, "entity_recall") == 0);
    assert_true(snc_metric_of_entities("entity_precision") && !snc_metric_of_entities("f1"));
    assert_string_equal(snc_entity_kind("B-PER"), "PER");
    assert_string_equal(snc_entity_kind("B-MISC-1"), "MISC-1");
    assert_string_equal(snc_entity_kind("O"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_of_a_sentence),
        cmocka_unit_test(scores_are_seqevals),
        cmocka_unit_test(nothing_divided_by_nothing_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
