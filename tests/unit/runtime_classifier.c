/* The C API of snc.h: answers, their independence of company and threads, regression, and what cannot be opened. */
#define _POSIX_C_SOURCE 200809L /* fork */
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "check.h"
#include "files.h"
#include "models/source_mos.h"
#include "nano.h"
#include "snc.h"
#include "snc_make.h"

enum { MANY = 70, ROUNDS = 20 }; /* MANY: more than two of the chunks that a call is cut into */

/* Of logits around 1, by file: an f32 product may add up in another order at another number of rows, integers may not. */
static const double COMPANY_TOL[] = {4e-6, 0}; /* measured 5e-7, and equal bits */

static scratch dir;
static const char *const labels[] = {"negative", "positive"};
static char words[MANY][80];
static snc_text texts[MANY];

static void write_model(const char *name, snc_model *m, const snc_policy *policy)
{
    const char *path = scratch_path(&dir, name);
    if (policy) assert_ok(snc_make_file(path, m, policy));
    else assert_ok(snc_model_save(m, path));
}

static void make_texts(void)
{
    static const char *const some[] = {"good", "bad", "film", "the movie", "very", "is not", "!"};
    snc_rng rng;
    snc_rng_init(&rng, 1, 1);
    for (int i = 0; i < MANY; i++) {
        for (int k = (int)snc_rng_below(&rng, 7); k >= 0; k--) {
            strcat(words[i], some[snc_rng_below(&rng, 7)]);
            strcat(words[i], " ");
        }
        texts[i] = (snc_text){.a = words[i], .b = i % 5 == 0 ? words[i / 2] : NULL};
    }
}

static void open_named(snc_classifier **c, snc_session **s, const char *name)
{
    assert_ok(snc_classifier_open(c, scratch_path(&dir, name)));
    assert_ok(snc_session_new(s, *c, 1));
}

static void close_both(snc_classifier *c, snc_session *s)
{
    snc_session_free(s);
    snc_classifier_close(c);
}

/* A seeded head prefers one class whatever the text; the bias that parts the answers in two halves. */
static void even_out(snc_model *m)
{
    snc_classifier *c = NULL;
    snc_session *s = NULL;
    snc_result r[MANY];
    double low = INFINITY, high = -INFINITY;
    write_model("f32.snc", m, NULL);
    open_named(&c, &s, "f32.snc");
    assert_ok(snc_classify(r, s, texts, MANY));
    for (int i = 0; i < MANY; i++) {
        low = fmin(low, (double)r[i].logits[1] - (double)r[i].logits[0]);
        high = fmax(high, (double)r[i].logits[1] - (double)r[i].logits[0]);
    }
    snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_CLASSIFIER_BIAS, 0))[1] -= (float)((low + high) / 2);
    close_both(c, s);
}

static int setup(void **state)
{
    snc_model *m = NULL, *r = NULL, *v = NULL;
    snc_encoder_config cfg = nano_config();
    snc_policy int8 = snc_policy_uniform(SNC_I8, SNC_I8);
    (void)state;
    scratch_init(&dir, "runtime_classifier");
    make_texts();
    assert_ok(nano_model(&m, 3));
    write_model("no_tokenizer.snc", m, NULL);
    assert_ok(nano_assets(&m->tokenizer));
    write_model("no_labels.snc", m, NULL);
    m->has_head = false;
    write_model("no_head.snc", m, NULL);
    m->has_head = true;
    assert_ok(snc_model_set_labels(m, labels));
    even_out(m);
    write_model("f32.snc", m, NULL);
    int8.classifier = SNC_F32;
    write_model("int8.snc", m, &int8);
    assert_non_null(cJSON_AddNumberToObject(m->meta, "max_length", 8));
    write_model("short.snc", m, NULL);
    cJSON_DeleteItemFromObjectCaseSensitive(m->meta, "max_length");
    const snc_param *positions = &m->params.p[snc_params_find(&m->params, "embeddings.position.weight")];
    m->params.w[positions->offset + (size_t)positions->cols * (NANO_P - 1)] = NAN;
    write_model("nan.snc", m, NULL);
    const snc_ctx ctx = SNC_CTX_INIT;
    assert_ok(snc_model_mix(m, &ctx, &(snc_mixture){.experts = 2}, 1));
    write_model("mixed.snc", m, NULL);
    assert_ok(nano_model(&v, 4));
    assert_ok(nano_assets(&v->tokenizer));
    assert_ok(snc_model_set_head(v, v->arch.hidden, SNC_MEANS_VECTOR, NULL, 1));
    write_model("vector.snc", v, NULL);
    write_model("vector8.snc", v, &int8);
    snc_model_free(v);
    cfg.classes = 1;
    cfg.regression = true;
    assert_ok(nano_model_of(&r, &cfg, 4));
    assert_ok(nano_assets(&r->tokenizer));
    write_model("regression.snc", r, NULL);
    snc_model_free(r);
    cfg.classes = 3;
    cfg.regression = false;
    cfg.multilabel = true;
    assert_ok(nano_model_of(&r, &cfg, 4));
    assert_ok(nano_assets(&r->tokenizer));
    write_model("multilabel.snc", r, NULL);
    cJSON_AddNumberToObject(r->meta, "threshold", 0.999);
    write_model("strict.snc", r, NULL);
    snc_model_free(m);
    snc_model_free(r);
    return 0;
}

static void answers_hold_together(void **state)
{
    static const char *const files[] = {"f32.snc", "int8.snc"};
    (void)state;
    for (int f = 0; f < 2; f++) {
        snc_classifier *c = NULL;
        snc_session *s = NULL;
        snc_result r[MANY];
        int seen[2] = {0};
        open_named(&c, &s, files[f]);
        assert_int_equal(snc_classifier_classes(c), 2);
        assert_false(snc_classifier_regression(c));
        assert_string_equal(snc_classifier_label(c, 1), "positive");
        assert_null(snc_classifier_label(c, 2));
        assert_null(snc_classifier_label(c, -1));
        assert_ok(snc_classify(r, s, texts, MANY));
        for (int i = 0; i < MANY; i++) {
            double a = (double)r[i].logits[0], b = (double)r[i].logits[1];
            assert_int_equal(r[i].index, b > a);
            assert_ptr_equal(r[i].label, snc_classifier_label(c, r[i].index));
            assert_true(fabs((double)r[i].score - 1 / (1 + exp(-fabs(a - b)))) < 1e-6);
            seen[r[i].index]++;
        }
        assert_true(seen[0] > 0 && seen[1] > 0); /* a model that always says the same would prove nothing */
        close_both(c, s);
    }
}

static void an_answer_does_not_depend_on_its_company(void **state)
{
    static const char *const files[] = {"f32.snc", "int8.snc"};
    (void)state;
    for (int f = 0; f < 2; f++) {
        snc_classifier *c = NULL;
        snc_session *s = NULL;
        snc_result all[MANY], one;
        float logits[MANY][2];
        double worst = 0;
        open_named(&c, &s, files[f]);
        assert_ok(snc_classify(all, s, texts, MANY));
        for (int i = 0; i < MANY; i++) memcpy(logits[i], all[i].logits, sizeof logits[i]);
        for (int i = 0; i < MANY; i++) {
            assert_ok(snc_classify(&one, s, &texts[i], 1));
            for (int k = 0; k < 2; k++) worst = fmax(worst, fabs((double)one.logits[k] - (double)logits[i][k]));
        }
        assert_true(worst <= COMPANY_TOL[f]);
        close_both(c, s);
    }
}

static void empty_pair_and_long_texts_are_defined(void **state)
{
    snc_classifier *c = NULL;
    snc_session *s = NULL;
    char longer[4000] = "", cut[64] = "";
    snc_result r[6];
    (void)state;
    open_named(&c, &s, "short.snc");
    for (int i = 0; i < 700; i++) strcat(longer, "good ");
    for (int i = 0; i < 6; i++) strcat(cut, "good "); /* [CLS] 6 words [SEP]: the model's 8 tokens */
    const snc_text t[] = {{"", NULL}, {"", ""}, {"good", "bad"}, {"bad", "good"}, {longer, NULL}, {cut, NULL}};
    assert_ok(snc_classify(r, s, t, 6));
    for (int i = 0; i < 6; i++) assert_true(isfinite((double)r[i].logits[0]) && isfinite((double)r[i].logits[1]));
    assert_memory_not_equal(r[0].logits, r[1].logits, 2 * sizeof(float)); /* a pair has one [SEP] more */
    assert_memory_not_equal(r[2].logits, r[3].logits, 2 * sizeof(float));
    assert_memory_equal(r[4].logits, r[5].logits, 2 * sizeof(float));
    close_both(c, s);
}

static void no_texts_are_no_error(void **state)
{
    snc_classifier *c = NULL;
    snc_session *s = NULL;
    snc_result r;
    (void)state;
    open_named(&c, &s, "f32.snc");
    assert_ok(snc_classify(NULL, s, NULL, 0));
    assert_ok(snc_classify(&r, s, texts, 1));
    assert_ok(snc_classify(NULL, s, NULL, 0));
    assert_fails(snc_classify(&r, s, texts, -1), SNC_E_ARG, "-1");
    close_both(c, s);
    snc_session_free(NULL);
    snc_classifier_close(NULL);
}

static void regression_prints_its_value(void **state)
{
    snc_classifier *c = NULL;
    snc_session *s = NULL;
    snc_result r[2];
    (void)state;
    open_named(&c, &s, "regression.snc");
    assert_true(snc_classifier_regression(c));
    assert_int_equal(snc_classifier_classes(c), 1);
    assert_ok(snc_classify(r, s, texts, 2));
    for (int i = 0; i < 2; i++) {
        assert_null(r[i].label);
        assert_int_equal(r[i].index, 0);
        assert_true(r[i].score == r[i].logits[0]);
    }
    assert_true(r[0].score != r[1].score);
    close_both(c, s);
}

/* Of length 1, with the same bits alone and in company; those of INT8 point where those of F32 do. */
static void vectors_are_as_long_as_one(void **state)
{
    static float full[MANY * NANO_C];
    (void)state;
    for (int f = 0; f < 2; f++) {
        snc_classifier *c = NULL;
        snc_session *s = NULL;
        snc_result r[MANY], alone;
        open_named(&c, &s, f ? "vector8.snc" : "vector.snc");
        assert_true(snc_classifier_vectors(c) && !snc_classifier_regression(c) && !snc_classifier_multilabel(c));
        assert_int_equal(snc_classifier_classes(c), NANO_C);
        assert_ok(snc_classify(r, s, texts, MANY));
        for (int i = 0; i < MANY; i++) {
            double length = 0, cosine = 0;
            assert_true(!r[i].label && r[i].score == 0 && r[i].index == 0);
            for (int k = 0; k < NANO_C; k++) {
                length += (double)r[i].logits[k] * (double)r[i].logits[k];
                if (f) cosine += (double)r[i].logits[k] * (double)full[i * NANO_C + k];
                else full[i * NANO_C + k] = r[i].logits[k];
            }
            assert_true(fabs(length - 1) < 1e-6 && (!f || cosine > 0.99));
        }
        assert_ok(snc_classify(&alone, s, texts, 1));
        for (int k = 0; k < NANO_C && !f; k++) assert_true(fabs((double)alone.logits[k] - (double)full[k]) <= 1e-6);
        close_both(c, s);
    }
    assert_false(snc_classifier_vectors(NULL));
}

static void labels_are_there_from_the_threshold_on(void **state)
{
    static const char *const files[] = {"multilabel.snc", "strict.snc"};
    static const double thresholds[] = {0.5, 0.999};
    int seen = 0;
    (void)state;
    for (int f = 0; f < 2; f++) {
        snc_classifier *c = NULL;
        snc_session *s = NULL;
        snc_result r[MANY];
        int label[3], n;
        float probability[3];
        open_named(&c, &s, files[f]);
        assert_true(snc_classifier_multilabel(c) && !snc_classifier_regression(c));
        assert_ok(snc_classify(r, s, texts, MANY));
        for (int i = 0; i < MANY; i++) {
            int there = 0;
            assert_ok(snc_result_labels(label, probability, &n, c, &r[i]));
            for (int k = 0; k < 3; k++) there += 1 / (1 + exp(-(double)r[i].logits[k])) >= thresholds[f];
            assert_int_equal(n, there);
            for (int k = 0; k < n; k++) {
                assert_true(fabs((double)probability[k] - 1 / (1 + exp(-(double)r[i].logits[label[k]]))) < 1e-6);
                assert_true(k == 0 || probability[k] <= probability[k - 1]);
            }
            if (n) assert_true(label[0] == r[i].index && probability[0] == r[i].score);
            assert_true(fabs((double)r[i].score - 1 / (1 + exp(-(double)r[i].logits[r[i].index]))) < 1e-6);
            seen |= 1 << n;
        }
        assert_ok(snc_result_labels(label, NULL, &n, c, &r[0]));
        assert_fails(snc_result_labels(NULL, NULL, &n, c, &r[0]), SNC_E_ARG, "label is NULL");
        assert_fails(snc_result_labels(label, NULL, &n, c, &(snc_result){0}), SNC_E_ARG, "without logits");
        close_both(c, s);
        open_named(&c, &s, "f32.snc");
        assert_false(snc_classifier_multilabel(c));
        assert_fails(snc_result_labels(label, NULL, &n, c, &r[0]), SNC_E_ARG, "gives one answer a text");
        close_both(c, s);
    }
    assert_true(seen & (seen - 1)); /* not the same number of them everywhere */
    assert_false(snc_classifier_multilabel(NULL));
}

static void a_model_without_labels_gives_indices(void **state)
{
    snc_classifier *c = NULL;
    snc_session *s = NULL;
    snc_result r;
    (void)state;
    open_named(&c, &s, "no_labels.snc");
    assert_null(snc_classifier_label(c, 0));
    assert_ok(snc_classify(&r, s, texts, 1));
    assert_null(r.label);
    assert_true(r.index == 0 || r.index == 1);
    close_both(c, s);
}

/* A weight that only the longest text reads: others are answered, and it is named, in whatever chunk it is. */
static void logits_that_are_no_numbers_are_an_error(void **state)
{
    snc_classifier *c = NULL;
    snc_session *s = NULL;
    char longer[300] = "";
    snc_text some[MANY];
    snc_result r[MANY];
    (void)state;
    memcpy(some, texts, sizeof some);
    open_named(&c, &s, "nan.snc");
    assert_ok(snc_classify(r, s, some, MANY));
    for (int i = 0; i < NANO_P; i++) strcat(longer, "good ");
    some[50].a = longer;
    some[50].b = NULL;
    assert_fails(snc_classify(r, s, some, MANY), SNC_E_DIVERGED, "nan.snc: text 50: its logits are not finite");
    assert_ok(snc_classify(r, s, some, 50));
    close_both(c, s);
}

static void what_is_no_classifier_is_refused_by_name(void **state)
{
    static const char junk[] = "no model at all, but long enough for a header";
    snc_classifier *c = NULL;
    snc_session *s = NULL;
    char *data = NULL;
    size_t n = 0;
    (void)state;
    assert_fails(snc_classifier_open(&c, scratch_path(&dir, "none.snc")), SNC_E_IO, "none.snc");
    assert_fails(snc_classifier_open(&c, scratch_path(&dir, "mixed.snc")), SNC_E_UNSUPPORTED, "mixed.snc: a supernet whose matrices");
    assert_fails(snc_classifier_open(&c, scratch_path(&dir, "no_tokenizer.snc")), SNC_E_NOTFOUND, "no_tokenizer.snc");
    assert_fails(snc_classifier_open(&c, scratch_path(&dir, "no_head.snc")), SNC_E_NOTFOUND, "no_head.snc: has no trained classifier");
    assert_fails(snc_classifier_open(&c, scratch_write(&dir, "junk.snc", junk, sizeof junk)), SNC_E_FORMAT, "junk.snc");
    assert_ok(snc_file_read(&data, &n, scratch_path(&dir, "f32.snc")));
    assert_fails(snc_classifier_open(&c, scratch_write(&dir, "cut.snc", data, n / 2)), SNC_E_FORMAT, "cut.snc");
    assert_fails(snc_classifier_open(&c, scratch_write(&dir, "cut.snc", data, 0)), SNC_E_FORMAT, "cut.snc");
    snc_free(data);
    assert_null(c);
    assert_ok(snc_classifier_open(&c, scratch_path(&dir, "f32.snc")));
    assert_fails(snc_session_new(&s, c, 0), SNC_E_ARG, "threads 0");
    assert_null(s);
    snc_classifier_close(c);
}

/* ---- arguments and lives ------------------------------------------------------------------------------------------- */

static void null_is_an_error_everywhere(void **state)
{
    snc_classifier *c = NULL;
    snc_session *s = NULL;
    snc_result r = {.index = 77};
    snc_text t[2] = {{"good", NULL}, {NULL, NULL}};
    (void)state;
    assert_fails(snc_classifier_open(NULL, "x"), SNC_E_ARG, "out is NULL");
    assert_fails(snc_classifier_open(&c, NULL), SNC_E_ARG, "path is NULL");
    c = (snc_classifier *)(void *)&r; /* what stood there before is not left there */
    assert_fails(snc_classifier_open(&c, scratch_path(&dir, "none.snc")), SNC_E_IO, "none.snc");
    assert_null(c);
    assert_int_equal(snc_classifier_classes(NULL), 0);
    assert_false(snc_classifier_regression(NULL));
    assert_null(snc_classifier_label(NULL, 0));
    assert_fails(snc_session_new(&s, NULL, 1), SNC_E_ARG, "c is NULL");
    open_named(&c, &s, "f32.snc");
    assert_fails(snc_session_new(NULL, c, 1), SNC_E_ARG, "out is NULL");
    assert_fails(snc_classify(&r, NULL, t, 1), SNC_E_ARG, "s is NULL");
    assert_fails(snc_classify(NULL, s, t, 1), SNC_E_ARG, "results is NULL");
    assert_fails(snc_classify(&r, s, NULL, 1), SNC_E_ARG, "texts is NULL");
    assert_fails(snc_classify(&r, s, t, 2), SNC_E_ARG, "text 1 is NULL");
    assert_int_equal(r.index, 77);
    close_both(c, s);
}

static void a_session_keeps_what_it_needs(void **state)
{
    snc_classifier *c = NULL;
    snc_session *s = NULL;
    snc_result before, after;
    (void)state;
    open_named(&c, &s, "int8.snc");
    assert_ok(snc_classify(&before, s, texts, 1));
    float score = before.score;
    snc_classifier_close(c);
    assert_ok(snc_classify(&after, s, texts, 1));
    assert_true(after.score == score);
    assert_non_null(after.label);
    snc_session_free(s);
}

static void write_over(const char *path, const char *mode, size_t n)
{
    char z[4096];
    memset(z, 0x7f, sizeof z);
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    for (size_t at = 0; at < n; at += sizeof z) assert_int_equal(fwrite(z, 1, sizeof z, f), sizeof z);
    assert_int_equal(fclose(f), 0);
}

/* The file is overwritten in place, cut, deleted: neither sessions that are there nor new ones notice. */
static void the_file_may_change_once_it_is_open(void **state)
{
    static const char *const files[] = {"f32.snc", "int8.snc"};
    (void)state;
    for (int f = 0; f < 2; f++) {
        char path[512], from[512];
        snc_classifier *c = NULL;
        snc_session *s = NULL, *later = NULL;
        snc_result r[MANY];
        float before[MANY];
        snprintf(from, sizeof from, "%s", scratch_path(&dir, files[f]));
        snprintf(path, sizeof path, "%s", scratch_path(&dir, "changing.snc"));
        copy_file(path, from);
        open_named(&c, &s, "changing.snc");
        assert_ok(snc_classify(r, s, texts, MANY));
        for (int i = 0; i < MANY; i++) before[i] = r[i].logits[0];
        for (int change = 0; change < 3; change++) {
            if (change == 0) write_over(path, "r+b", 200000);
            else if (change == 1) write_over(path, "wb", 4096);
            else assert_int_equal(remove(path), 0);
            assert_ok(snc_session_new(&later, c, 1));
            for (int k = 0; k < 2; k++) {
                assert_ok(snc_classify(r, k ? later : s, texts, MANY));
                for (int i = 0; i < MANY; i++) assert_true(r[i].logits[0] == before[i]);
                assert_string_equal(r[0].label, labels[r[0].index]);
            }
            snc_session_free(later);
        }
        close_both(c, s);
    }
}

/* ---- beside a program's own threads and processes -------------------------------------------------------------------- */

static void the_programs_thread_count_is_its_own(void **state)
{
#ifdef _OPENMP
    static const char *const files[] = {"f32.snc", "int8.snc"};
    (void)state;
    int before = omp_get_max_threads();
    for (int set = 1; set <= 3; set++)
        for (int f = 0; f < 2; f++) {
            snc_classifier *c = NULL;
            snc_session *s = NULL;
            snc_result r[MANY];
            omp_set_num_threads(set);
            assert_ok(snc_classifier_open(&c, scratch_path(&dir, files[f])));
            assert_ok(snc_session_new(&s, c, 2));
            assert_int_equal(omp_get_max_threads(), set);
            assert_ok(snc_classify(r, s, texts, MANY));
            assert_int_equal(omp_get_max_threads(), set);
            close_both(c, s);
        }
    omp_set_num_threads(before);
#else
    (void)state;
    skip();
#endif
}

static void a_child_of_fork_answers_after_calls_with_two_threads(void **state)
{
    static const char *const files[] = {"f32.snc", "int8.snc"};
    snc_text long_ones[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++) long_ones[i] = (snc_text){.a = "good film very bad the movie was it is"}; /* work for two */
    for (int f = 0; f < 2; f++) {
        snc_classifier *c = NULL;
        snc_session *s = NULL;
        snc_result r[MANY];
        float before[MANY];
        int status = 0;
        assert_ok(snc_classifier_open(&c, scratch_path(&dir, files[f])));
        assert_ok(snc_session_new(&s, c, 2));
        assert_ok(snc_classify(r, s, long_ones, MANY));
        for (int i = 0; i < MANY; i++) before[i] = r[i].logits[0];
        pid_t child = fork();
        if (child == 0) {
            alarm(20); /* a hang is a failure, not a wait */
            bool same = snc_classify(r, s, long_ones, MANY) == SNC_OK;
            for (int i = 0; i < MANY && same; i++) same = fabs((double)r[i].logits[0] - (double)before[i]) <= COMPANY_TOL[f];
            _exit(same ? 0 : 1);
        }
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_ok(snc_classify(r, s, long_ones, MANY));
        close_both(c, s);
    }
}

/* ---- one model, two threads ---------------------------------------------------------------------------------------- */

typedef struct job {
    snc_classifier *c;
    int first;
    float sum[ROUNDS][2]; /* of the logits of each round's texts, in their order */
    snc_err err;
} job;

static void *work(void *payload)
{
    job *j = payload;
    snc_session *s = NULL;
    snc_result r[MANY];
    j->err = snc_session_new(&s, j->c, 1);
    for (int k = 0; k < ROUNDS && !j->err; k++) {
        int at = (j->first + 11 * k) % MANY, n = 1 + (7 * k) % (MANY - at);
        j->err = snc_classify(r, s, texts + at, n);
        for (int i = 0; i < n && !j->err; i++) {
            j->sum[k][0] += r[i].logits[0];
            j->sum[k][1] += r[i].logits[1];
        }
    }
    snc_session_free(s);
    return NULL;
}

static void two_threads_share_a_model(void **state)
{
    static const char *const files[] = {"f32.snc", "int8.snc"};
    (void)state;
    for (int f = 0; f < 2; f++) {
        snc_classifier *c = NULL;
        pthread_t id[2];
        assert_ok(snc_classifier_open(&c, scratch_path(&dir, files[f])));
        job alone[2] = {{.c = c}, {.c = c, .first = 31}}, beside[2] = {{.c = c}, {.c = c, .first = 31}};
        for (int t = 0; t < 2; t++) work(&alone[t]);
        for (int t = 0; t < 2; t++) assert_int_equal(pthread_create(&id[t], NULL, work, &beside[t]), 0);
        for (int t = 0; t < 2; t++) assert_int_equal(pthread_join(id[t], NULL), 0);
        for (int t = 0; t < 2; t++) {
            assert_int_equal(alone[t].err, SNC_OK);
            assert_int_equal(beside[t].err, SNC_OK);
            assert_memory_equal(beside[t].sum, alone[t].sum, sizeof alone[t].sum);
        }
        snc_classifier_close(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_hold_together),
        cmocka_unit_test(an_answer_does_not_depend_on_its_company),
        cmocka_unit_test(empty_pair_and_long_texts_are_defined),
        cmocka_unit_test(no_texts_are_no_error),
        cmocka_unit_test(regression_prints_its_value),
        cmocka_unit_test(vectors_are_as_long_as_one),
        cmocka_unit_test(labels_are_there_from_the_threshold_on),
        cmocka_unit_test(a_model_without_labels_gives_indices),
        cmocka_unit_test(logits_that_are_no_numbers_are_an_error),
        cmocka_unit_test(what_is_no_classifier_is_refused_by_name),
        cmocka_unit_test(null_is_an_error_everywhere),
        cmocka_unit_test(a_session_keeps_what_it_needs),
        cmocka_unit_test(the_file_may_change_once_it_is_open),
        cmocka_unit_test(the_programs_thread_count_is_its_own),
        cmocka_unit_test(a_child_of_fork_answers_after_calls_with_two_threads),
        cmocka_unit_test(two_threads_share_a_model),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
