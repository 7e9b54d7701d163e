/* A session on a file of several nets: which of them answers, and what switching leaves alone. */
#define _POSIX_C_SOURCE 200809L /* nano.h */
#include <string.h>

#include "check.h"
#include "files.h"
#include "models/bundle.h"
#include "models/export.h"
#include "nano.h"
#include "snc.h"

enum { NETS = 3, TEXTS = 40 }; /* TEXTS: more than the chunk that a call is cut into */

static scratch dir;
static const char *const name[NETS] = {"0.snc", "1.snc", "2.snc"};
static snc_text texts[TEXTS];

/* family.snc: nets of one model, each a layer and some channels less. */
static int setup(void **state)
{
    static const char *const some[] = {"good", "a bad film", "the movie is not very good", "!", ""};
    const snc_ctx ctx = SNC_CTX_INIT;
    const snc_policy int8 = snc_policy_int8();
    char path[NETS][sizeof dir.path];
    const char *at[] = {path[0], path[1], path[2]};
    snc_sncfile *f[NETS];
    snc_model *m;
    (void)state;
    for (int i = 0; i < TEXTS; i++) texts[i] = (snc_text){.a = some[i % 5], .b = i % 4 == 3 ? some[i % 3] : NULL};
    scratch_init(&dir, "runtime_speeds");
    assert_ok(nano_model(&m, 3));
    assert_ok(nano_assets(&m->tokenizer));
    for (int k = 0; k < NETS; k++) {
        snc_arch a = m->arch;
        a.layers -= k;
        a.hidden -= 8 * k;
        strcpy(path[k], scratch_path(&dir, name[k]));
        assert_ok(snc_export_model(path[k], &ctx, m, &a, &int8));
        assert_ok(snc_sncfile_open(&f[k], path[k]));
    }
    assert_ok(snc_bundle_save(scratch_path(&dir, "family.snc"), (const snc_sncfile *const *)f, at, NETS));
    for (int k = 0; k < NETS; k++) snc_sncfile_close(f[k]);
    snc_model_free(m);
    return 0;
}

static void answers_of(float out[TEXTS][NANO_K], snc_session *s)
{
    snc_result r[TEXTS];
    assert_ok(snc_classify(r, s, texts, TEXTS));
    for (int i = 0; i < TEXTS; i++) memcpy(out[i], r[i].logits, sizeof out[i]);
}

/* Each answers as its file alone, whichever answered before; a session beside it, of the same classifier, keeps its own. */
static void a_session_changes_its_speed(void **state)
{
    static const int order[] = {2, 0, 1, 1, 2, 0};
    static float alone[NETS][TEXTS][NANO_K], got[TEXTS][NANO_K];
    snc_classifier *c;
    snc_session *s, *other;
    (void)state;
    for (int k = 0; k < NETS; k++) {
        assert_ok(snc_classifier_open(&c, scratch_path(&dir, name[k])));
        assert_int_equal(snc_classifier_nets(c), 1);
        assert_ok(snc_session_new(&s, c, 1));
        answers_of(alone[k], s);
        assert_fails(snc_session_set_net(s, 1), SNC_E_ARG, "net 1: expected 0 to 0");
        snc_session_free(s);
        snc_classifier_close(c);
    }
    assert_memory_not_equal(alone[0], alone[1], sizeof got);
    assert_ok(snc_classifier_open(&c, scratch_path(&dir, "family.snc")));
    assert_ok(snc_session_new(&s, c, 1));
    assert_ok(snc_session_new(&other, c, 2));
    snc_classifier_close(c); /* a session keeps what it needs */
    assert_int_equal(snc_classifier_nets(c), NETS);
    assert_int_equal(snc_session_net(s), 0);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const int k = order[i];
        assert_ok(snc_session_set_net(s, k));
        answers_of(got, s);
        assert_memory_equal(got, alone[k], sizeof got);
        assert_fails(snc_session_set_net(s, NETS), SNC_E_ARG, "net 3: expected 0 to 2");
        assert_fails(snc_session_set_net(s, -1), SNC_E_ARG, "net -1: expected 0 to 2");
        assert_int_equal(snc_session_net(s), k);
        assert_int_equal(snc_session_net(other), 0);
    }
    answers_of(got, other);
    assert_memory_equal(got, alone[0], sizeof got);
    snc_session_free(other);
    snc_session_free(s);
}

static void null_is_an_error(void **state)
{
    (void)state;
    assert_fails(snc_session_set_net(NULL, 0), SNC_E_ARG, "s is NULL");
    assert_int_equal(snc_session_net(NULL), 0);
    assert_int_equal(snc_classifier_nets(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_changes_its_speed),
        cmocka_unit_test(null_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
