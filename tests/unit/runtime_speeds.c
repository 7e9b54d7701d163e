/* A session on a file of several nets: which of them answers, what switching leaves alone, and how they escalate. */
#define _POSIX_C_SOURCE 200809L /* nano.h */
#include <malloc.h>
#include <math.h>
#include <string.h>

#include "base/stats.h"
#include "check.h"
#include "files.h"
#include "models/bundle.h"
#include "models/export.h"
#include "nano.h"
#include "snc.h"

enum { NETS = 3, SOME = 23, TEXTS = 75 }; /* TEXTS: more than two of the chunks that a call is cut into */

static scratch dir;
static const char *const name[NETS] = {"0.snc", "1.snc", "2.snc"};
static snc_text texts[TEXTS];

static void bundle(const char *to, const cJSON *cascade)
{
    char path[NETS][sizeof dir.path];
    const char *at[] = {path[0], path[1], path[2]};
    snc_sncfile *f[NETS];
    for (int k = 0; k < NETS; k++) {
        strcpy(path[k], scratch_path(&dir, name[k]));
        assert_ok(snc_sncfile_open(&f[k], path[k]));
    }
    assert_ok(snc_bundle_save(scratch_path(&dir, to), (const snc_sncfile *const *)f, at, NETS, cascade));
    for (int k = 0; k < NETS; k++) snc_sncfile_close(f[k]);
}

/* family.snc: nets of one model, each a layer and some channels less. */
static int setup(void **state)
{
    static const char *const words[] = {"good", "a", "bad", "film", "the", "movie", "is", "not", "very", "!"};
    static char some[SOME][64];
    const snc_ctx ctx = SNC_CTX_INIT;
    const snc_policy int8 = snc_policy_int8();
    snc_model *m;
    (void)state;
    for (int i = 1; i < SOME; i++) /* the first is empty */
        for (int w = 0; w <= i % 6; w++) strcat(strcat(some[i], words[(i * 7 + w * (i % 4 + 1)) % 10]), " ");
    for (int i = 0; i < TEXTS; i++) texts[i] = (snc_text){.a = some[i % SOME], .b = i % 4 == 3 ? some[i % 3] : NULL};
    scratch_init(&dir, "runtime_speeds");
    assert_ok(nano_model(&m, 3));
    assert_ok(nano_assets(&m->tokenizer));
    for (int k = 0; k < NETS; k++) {
        snc_arch a = m->arch;
        a.layers -= k;
        a.hidden -= 8 * k;
        assert_ok(snc_export_model(scratch_path(&dir, name[k]), &ctx, m, &a, &int8));
    }
    bundle("family.snc", NULL);
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

/* ---- a cascade ----------------------------------------------------------------------------------------------------------- */

/* cascade.snc with thresholds that a share of the texts reaches. alone: what each net says by itself. */
static snc_cascade write_cascade(float alone[NETS][TEXTS][NANO_K], snc_cascade_rule rule, bool middle)
{
    static const double share[NETS] = {0, 0.7, 0.6};
    snc_cascade c = {.nets = NETS, .rule = rule, .temperature = {1, 0.7, 2.5}};
    snc_classifier *m;
    snc_session *s;
    assert_ok(snc_classifier_open(&m, scratch_path(&dir, "family.snc")));
    assert_ok(snc_session_new(&s, m, 1));
    assert_int_equal(snc_session_cascade(s), 0);
    assert_fails(snc_session_set_cascade(s, 1), SNC_E_ARG, "family.snc: has no cascade");
    for (int k = 0; k < NETS; k++) {
        double sure[TEXTS];
        assert_ok(snc_session_set_net(s, k));
        answers_of(alone[k], s);
        for (int i = 0; i < TEXTS; i++) {
            assert_int_equal(snc_session_answered_by(s, i), k);
            sure[i] = snc_cascade_sure(rule, alone[k][i], NANO_K, c.temperature[k]);
        }
        snc_sort(sure, TEXTS);
        if (k) c.threshold[k] = floor(sure[(int)(share[k] * TEXTS)] * 1e6) / 1e6; /* as a file can say it */
    }
    if (!middle) c.threshold[1] = (double)INFINITY;
    snc_session_free(s);
    snc_classifier_close(m);
    cJSON *j = snc_cascade_json(&c);
    bundle("cascade.snc", j);
    cJSON_Delete(j);
    return c;
}

/* What a plain loop over texts and nets says, whatever other texts are asked with one: a chunk, one at a time, several threads. */
static void the_answers_are_those_of_a_plain_loop(void **state)
{
    static float alone[NETS][TEXTS][NANO_K], want[TEXTS][NANO_K], got[TEXTS][NANO_K];
    (void)state;
    for (int which = 0; which < 4; which++) {
        const snc_cascade c = write_cascade(alone, which % 2 ? SNC_CASCADE_ENTROPY : SNC_CASCADE_MARGIN, which < 2);
        int by[TEXTS], count[NETS] = {0};
        snc_classifier *m;
        snc_session *s;
        snc_result r;
        for (int i = 0; i < TEXTS; i++) {
            by[i] = NETS - 1;
            while (by[i] && !(snc_cascade_sure(c.rule, alone[by[i]][i], NANO_K, c.temperature[by[i]]) >= c.threshold[by[i]])) by[i]--;
            memcpy(want[i], alone[by[i]][i], sizeof want[i]);
            count[by[i]]++;
        }
        assert_true(count[0] > 0 && count[2] > 0 && (count[1] > 0) == (which < 2));
        assert_ok(snc_classifier_open(&m, scratch_path(&dir, "cascade.snc")));
        for (int threads = 1; threads <= 2; threads++) {
            assert_ok(snc_session_new(&s, m, threads));
            assert_int_equal(snc_session_cascade(s), 1);
            assert_int_equal(snc_session_answered_by(s, 0), -1);
            answers_of(got, s);
            assert_memory_equal(got, want, sizeof got);
            for (int i = 0; i < TEXTS; i++) assert_int_equal(snc_session_answered_by(s, i), by[i]);
            assert_int_equal(snc_session_answered_by(s, TEXTS), -1);
            for (int i = 0; i < TEXTS; i++) {
                assert_ok(snc_classify(&r, s, &texts[i], 1));
                assert_memory_equal(r.logits, want[i], sizeof want[i]);
                assert_int_equal(snc_session_answered_by(s, 0), by[i]);
            }
            assert_ok(snc_session_set_net(s, 1)); /* turns it off, and on again it is the same */
            assert_int_equal(snc_session_cascade(s), 0);
            answers_of(got, s);
            assert_memory_equal(got, alone[1], sizeof got);
            assert_ok(snc_session_set_cascade(s, 1));
            answers_of(got, s);
            assert_memory_equal(got, want, sizeof got);
            assert_ok(snc_session_set_cascade(s, 0)); /* the net that was set last */
            answers_of(got, s);
            assert_memory_equal(got, alone[1], sizeof got);
            snc_session_free(s);
        }
        snc_classifier_close(m);
    }
}

/* Once a call of a size was made. */
static void running_allocates_nothing(void **state)
{
    static float alone[NETS][TEXTS][NANO_K];
    snc_classifier *m;
    snc_session *s;
    snc_result r[TEXTS];
    (void)state;
    write_cascade(alone, SNC_CASCADE_MARGIN, true);
    assert_ok(snc_classifier_open(&m, scratch_path(&dir, "cascade.snc")));
    assert_ok(snc_session_new(&s, m, 1));
    assert_ok(snc_classify(r, s, texts, TEXTS));
    const size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 10; i++) {
        assert_ok(snc_session_set_cascade(s, i % 3 != 0));
        assert_ok(snc_classify(r, s, texts, i % 2 ? TEXTS : 1));
    }
    assert_int_equal(mallinfo2().uordblks, before);
    snc_session_free(s);
    snc_classifier_close(m);
}

/* A net cut out is its file; bundled again the file is none of one net. */
static void a_net_cut_out_knows_no_cascade(void **state)
{
    static float alone[NETS][TEXTS][NANO_K];
    snc_sncfile *f;
    (void)state;
    write_cascade(alone, SNC_CASCADE_ENTROPY, true);
    assert_ok(snc_sncfile_open(&f, scratch_path(&dir, "cascade.snc")));
    assert_non_null(snc_sncfile_cascade(f));
    for (int k = 0; k < NETS; k++) {
        uint64_t was, is;
        assert_ok(snc_bundle_cut(scratch_path(&dir, "cut.snc"), f, k));
        assert_ok(snc_file_hash(&is, scratch_path(&dir, "cut.snc")));
        assert_ok(snc_file_hash(&was, scratch_path(&dir, name[k])));
        assert_true(is == was);
    }
    snc_sncfile *const both[] = {f, f};
    assert_fails(snc_bundle_save("x.snc", (const snc_sncfile *const *)both, (const char *const[]){"a.snc", "b.snc"}, 2, NULL), SNC_E_ARG,
                 "expected a file of one net");
    snc_sncfile_close(f);
}

static void what_is_no_cascade_is_named(void **state)
{
    static const char *const cases[][2] = {
        {"[]", "here: expected a JSON object"},
        {"{}", "here: has no 'rule'"},
        {"{\"rule\":\"margim\"}", "here: rule 'margim' is unknown: did you mean margin?"},
        {"{\"rule\":\"xyz\"}", "here: rule 'xyz': expected margin or entropy"},
        {"{\"rule\":\"margin\"}", "here: temperature: expected a list of 3"},
        {"{\"rule\":\"margin\",\"temperature\":[1,1,0]}", "here: temperature: expected numbers from 0.01 to 100"},
        {"{\"rule\":\"margin\",\"temperature\":[1,1,null]}", "here: temperature: expected numbers from 0.01 to 100"},
        {"{\"rule\":\"margin\",\"temperature\":[1,1,1],\"threshold\":[1,1,1]}", "here: threshold: expected a list of 2"},
        {"{\"rule\":\"margin\",\"temperature\":[1,1,1],\"threshold\":[0.5,1.01]}",
         "here: threshold: expected numbers from 0 to 1, or null"},
        {"{\"rule\":\"margin\",\"temperature\":[1,1,1],\"threshold\":[\"0.5\",1]}", "here: threshold: expected numbers from 0 to 1"},
    };
    snc_encoder_config cfg = nano_config();
    snc_cascade c;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cJSON *j = cJSON_Parse(cases[i][0]);
        assert_non_null(j);
        assert_fails(snc_cascade_read(&c, j, NETS, &cfg, "here"), SNC_E_FORMAT, cases[i][1]);
        cJSON_Delete(j);
    }
    cJSON *j = cJSON_Parse("{\"rule\":\"entropy\",\"temperature\":[1,2,100],\"threshold\":[null,0.25],\"for\":\"people\"}");
    assert_ok(snc_cascade_read(&c, j, NETS, &cfg, "here"));
    assert_true(c.rule == SNC_CASCADE_ENTROPY && !snc_cascade_asks(&c, 1) && c.threshold[2] == 0.25 && c.temperature[2] == 100);
    assert_fails(snc_cascade_read(&c, j, 1, &cfg, "here"), SNC_E_FORMAT, "here: there is one net");
    cfg.multilabel = true;
    assert_fails(snc_cascade_read(&c, j, NETS, &cfg, "here"), SNC_E_FORMAT, "the model gives any number of labels");
    cfg = nano_config();
    cfg.classes = 1;
    cfg.regression = true;
    assert_fails(snc_cascade_read(&c, j, NETS, &cfg, "here"), SNC_E_FORMAT, "the model gives a value");
    cJSON_Delete(j);
}

static void confidence_is_that_of_the_formula(void **state)
{
    const float z[] = {1, 3, 2}, same[] = {0.5f, 0.5f}, far[] = {0, 1000}, none[] = {0, NAN};
    const double e[] = {exp(-1), 1, exp(-0.5)}, sum = e[0] + e[1] + e[2]; /* at a temperature of 2 */
    double entropy = 0;
    (void)state;
    for (int k = 0; k < 3; k++) entropy -= e[k] / sum * log(e[k] / sum);
    assert_true(fabs(snc_cascade_sure(SNC_CASCADE_MARGIN, z, 3, 2) - (e[1] - e[2]) / sum) < 1e-12);
    assert_true(fabs(snc_cascade_sure(SNC_CASCADE_ENTROPY, z, 3, 2) - (1 - entropy / log(3))) < 1e-12);
    for (int r = 0; r < SNC_CASCADE_RULES; r++) {
        assert_true(fabs(snc_cascade_sure((snc_cascade_rule)r, same, 2, 1)) < 1e-12);
        assert_true(snc_cascade_sure((snc_cascade_rule)r, far, 2, 0.01) == 1);
        assert_true(isnan(snc_cascade_sure((snc_cascade_rule)r, none, 2, 1)));
    }
}

static void null_is_an_error(void **state)
{
    (void)state;
    assert_fails(snc_session_set_cascade(NULL, 1), SNC_E_ARG, "s is NULL");
    assert_int_equal(snc_session_cascade(NULL), 0);
    assert_int_equal(snc_session_answered_by(NULL, 0), -1);
    assert_fails(snc_session_set_net(NULL, 0), SNC_E_ARG, "s is NULL");
    assert_int_equal(snc_session_net(NULL), 0);
    assert_int_equal(snc_classifier_nets(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_changes_its_speed),
        cmocka_unit_test(the_answers_are_those_of_a_plain_loop),
        cmocka_unit_test(running_allocates_nothing),
        cmocka_unit_test(a_net_cut_out_knows_no_cascade),
        cmocka_unit_test(what_is_no_cascade_is_named),
        cmocka_unit_test(confidence_is_that_of_the_formula),
        cmocka_unit_test(null_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
