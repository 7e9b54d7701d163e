/* A session on a file of several nets: which of them answers, what switching leaves alone, how they escalate, and what a budget takes. */
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

/* ---- a budget ------------------------------------------------------------------------------------------------------------ */

/* timed.snc: family.snc with a table by which net k takes 8 us a token, a half and a quarter of it. */
static void write_times(const char *from, int threads)
{
    const snc_ctx ctx = {.threads = threads, .backend = SNC_BACKEND_AUTO};
    snc_speeds s;
    snc_sncfile *f;
    snc_speeds_begin(&s, NETS, NANO_P, &ctx);
    for (int k = 0; k < NETS; k++)
        for (int i = 0; i < s.lengths; i++) snc_speeds_add(&s, k, i, 1, s.tokens[i] * 8.0 / (1 << k));
    cJSON *j = snc_speeds_json(&s);
    assert_ok(snc_sncfile_open(&f, scratch_path(&dir, from)));
    assert_null(snc_sncfile_speeds(f));
    assert_ok(snc_bundle_set_speeds(scratch_path(&dir, "timed.snc"), f, j));
    cJSON_Delete(j);
    snc_sncfile_close(f);
}

/* By the file's own tokenizer. */
static void count_tokens(int tokens[TEXTS])
{
    snc_sncfile *f;
    snc_tok_assets a = {0};
    snc_tok *tok;
    snc_tok_scratch *room;
    snc_encoding e;
    assert_ok(snc_sncfile_open(&f, scratch_path(&dir, "family.snc")));
    assert_ok(snc_sncfile_tokenizer_dup(&a, f));
    assert_ok(snc_tok_new(&tok, &a));
    assert_ok(snc_tok_scratch_new(&room));
    for (int i = 0; i < TEXTS; i++) {
        const char *b = texts[i].b;
        assert_ok(snc_tok_encode(&e, tok, room, texts[i].a, strlen(texts[i].a), b, b ? strlen(b) : 0, NANO_P));
        tokens[i] = e.n;
    }
    snc_tok_scratch_free(room);
    snc_tok_free(tok);
    snc_tok_assets_dispose(&a);
    snc_sncfile_close(f);
}

/* Each text as the net alone says that its own length asks for, whatever other texts are asked with one. */
static void a_budget_is_each_texts_own(void **state)
{
    static const double budget[] = {1e6, 100, 60, 40, 17, 1e-3};
    static float alone[NETS][TEXTS][NANO_K], got[TEXTS][NANO_K];
    int tokens[TEXTS], mixed = 0;
    snc_classifier *m;
    snc_session *s;
    snc_result r;
    (void)state;
    count_tokens(tokens);
    write_times("family.snc", 1);
    assert_ok(snc_classifier_open(&m, scratch_path(&dir, "timed.snc")));
    for (int threads = 1; threads <= 2; threads++) {
        assert_ok(snc_session_new(&s, m, threads));
        if (threads == 1) assert_int_equal(snc_session_times_fit(s), 1);
        assert_true(snc_session_budget_us(s) == 0);
        for (int k = 0; k < NETS; k++) {
            assert_ok(snc_session_set_net(s, k));
            answers_of(alone[k], s);
        }
        for (size_t b = 0; b < sizeof budget / sizeof *budget; b += threads == 1 ? 1 : 2) {
            int count[NETS] = {0};
            assert_ok(snc_session_set_budget_us(s, budget[b]));
            assert_true(snc_session_budget_us(s) == budget[b]);
            answers_of(got, s);
            for (int i = 0; i < TEXTS; i++) {
                const double us = 8.0 * (tokens[i] > 8 ? tokens[i] : 8); /* of the largest; shorter ones as the shortest */
                const int k = us <= budget[b] ? 0 : us / 2 <= budget[b] ? 1 : 2;
                assert_int_equal(snc_session_answered_by(s, i), k);
                assert_int_equal(snc_session_over_budget(s, i), us / 4 > budget[b]);
                assert_memory_equal(got[i], alone[k][i], sizeof got[i]);
                count[k]++;
            }
            mixed += count[0] && count[1] ? 1 : 0;
            mixed += count[1] && count[2] ? 1 : 0;
            assert_int_equal(snc_session_over_budget(s, TEXTS), -1);
            for (int i = 0; i < TEXTS && threads == 1; i++) {
                assert_ok(snc_classify(&r, s, &texts[i], 1));
                assert_memory_equal(r.logits, got[i], sizeof got[i]);
            }
        }
        assert_ok(snc_session_set_budget_us(s, 0)); /* the net that was set last */
        assert_true(snc_session_budget_us(s) == 0);
        answers_of(got, s);
        assert_memory_equal(got, alone[NETS - 1], sizeof got);
        assert_int_equal(snc_session_over_budget(s, 0), 0);
        assert_ok(snc_session_set_budget_us(s, 1e6));
        assert_ok(snc_session_set_net(s, 1)); /* turns it off */
        assert_true(snc_session_budget_us(s) == 0);
        answers_of(got, s);
        assert_memory_equal(got, alone[1], sizeof got);
        snc_session_free(s);
    }
    assert_true(mixed > 0); /* calls that are parted */
    snc_classifier_close(m);
}

static void a_budget_allocates_nothing(void **state)
{
    snc_classifier *m;
    snc_session *s;
    snc_result r[TEXTS];
    (void)state;
    write_times("family.snc", 1);
    assert_ok(snc_classifier_open(&m, scratch_path(&dir, "timed.snc")));
    assert_ok(snc_session_new(&s, m, 1));
    assert_ok(snc_classify(r, s, texts, TEXTS));
    const size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 10; i++) {
        assert_ok(snc_session_set_budget_us(s, i * 20));
        assert_ok(snc_classify(r, s, texts, i % 2 ? TEXTS : 1));
    }
    assert_int_equal(mallinfo2().uordblks, before);
    snc_session_free(s);
    snc_classifier_close(m);
}

static void what_a_budget_is_not_is_named(void **state)
{
    static float alone[NETS][TEXTS][NANO_K];
    snc_classifier *m;
    snc_session *s;
    (void)state;
    assert_ok(snc_classifier_open(&m, scratch_path(&dir, "family.snc")));
    assert_ok(snc_session_new(&s, m, 1));
    assert_fails(snc_session_set_budget_us(s, 100), SNC_E_ARG, "family.snc: has no times of its nets: `compress export FILE --measure");
    assert_ok(snc_session_set_budget_us(s, 0));
    assert_int_equal(snc_session_times_fit(s), -1);
    snc_session_free(s);
    snc_classifier_close(m);
    write_cascade(alone, SNC_CASCADE_MARGIN, true);
    write_times("cascade.snc", 3); /* both; of a machine with other threads */
    assert_ok(snc_classifier_open(&m, scratch_path(&dir, "timed.snc")));
    assert_ok(snc_session_new(&s, m, 1));
    assert_int_equal(snc_session_times_fit(s), 0);
    assert_fails(snc_session_set_budget_us(s, 100), SNC_E_ARG, "timed.snc: a budget has no use for a cascade: turn that off first");
    assert_ok(snc_session_set_budget_us(s, 0));
    assert_int_equal(snc_session_cascade(s), 1);
    assert_ok(snc_session_set_cascade(s, 0));
    assert_ok(snc_session_set_budget_us(s, 100));
    assert_ok(snc_session_set_cascade(s, 0)); /* it is off, and changes nothing */
    assert_true(snc_session_budget_us(s) == 100);
    assert_fails(snc_session_set_cascade(s, 1), SNC_E_ARG, "timed.snc: a cascade has no use for a budget: set that to 0 first");
    for (int i = 0; i < 3; i++)
        assert_fails(snc_session_set_budget_us(s, (const double[]){-1, NAN, INFINITY}[i]), SNC_E_ARG, "us: expected 0 or more");
    assert_true(snc_session_budget_us(s) == 100);
    snc_session_free(s);
    snc_classifier_close(m);
}

/* With a table and without it again a file is what it was; what a reader would refuse is not written. */
static void a_table_is_all_that_changes(void **state)
{
    snc_sncfile *f;
    uint64_t was, is;
    (void)state;
    write_times("family.snc", 1);
    assert_ok(snc_sncfile_open(&f, scratch_path(&dir, "timed.snc")));
    assert_non_null(snc_sncfile_speeds(f));
    assert_ok(snc_bundle_set_speeds(scratch_path(&dir, "bare.snc"), f, NULL));
    assert_ok(snc_file_hash(&was, scratch_path(&dir, "family.snc")));
    assert_ok(snc_file_hash(&is, scratch_path(&dir, "bare.snc")));
    assert_true(was == is);
    assert_ok(snc_bundle_cut(scratch_path(&dir, "cut.snc"), f, 1));
    assert_ok(snc_file_hash(&was, scratch_path(&dir, name[1])));
    assert_ok(snc_file_hash(&is, scratch_path(&dir, "cut.snc")));
    assert_true(was == is);
    cJSON *j = cJSON_Duplicate(snc_sncfile_speeds_view(f), true);
    cJSON_DeleteItemFromObjectCaseSensitive(j, "p90");
    assert_fails(snc_bundle_set_speeds(scratch_path(&dir, "x.snc"), f, j), SNC_E_FORMAT, "x.snc: speeds: p90: expected a list of 3 nets");
    cJSON_Delete(j);
    snc_sncfile_close(f);
}

static void null_is_an_error(void **state)
{
    (void)state;
    assert_fails(snc_session_set_budget_us(NULL, 1), SNC_E_ARG, "s is NULL");
    assert_true(snc_session_budget_us(NULL) == 0);
    assert_int_equal(snc_session_over_budget(NULL, 0), -1);
    assert_int_equal(snc_session_times_fit(NULL), -1);
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
        cmocka_unit_test(a_budget_is_each_texts_own),
        cmocka_unit_test(a_budget_allocates_nothing),
        cmocka_unit_test(what_a_budget_is_not_is_named),
        cmocka_unit_test(a_table_is_all_that_changes),
        cmocka_unit_test(null_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
