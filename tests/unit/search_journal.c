/* The journal: what it keeps through interruptions, failures and other journals, and what it refuses. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "check.h"
#include "search/runner.h"
#include "unit/search_support.h"

static const snc_encoder_config nano = {
    .vocab = 50, .positions = 20, .types = 2, .hidden = 32, .layers = 2, .heads = 4, .head_width = 8, .ffn = 64, .classes = 2};

typedef struct toy {
    snc_space *space;
    int scored, limit;   /* after `limit` scores it is interrupted */
    int nan_every;       /* every so many scores are no number; 0: none */
    int best_nan, bests; /* seen by the hook */
    bool hears;
    int n_heard;
    snc_evaluation heard[128]; /* objectives NULL */
} toy;

/* Costs rise with every option, the loss falls with it, some genes more than others. */
static void toy_cost(void *user, snc_obs *o)
{
    const toy *t = user;
    o->latency_us = 10;
    for (int i = 0; i < t->space->genes; i++) o->latency_us += (1 + i % 5) * o->cfg.o[i];
    o->bytes = o->macs = 3 * o->latency_us + o->cfg.o[2];
}

static snc_err toy_score_one(void *user, snc_obs *o)
{
    toy *t = user;
    SNC_CHECK(t->scored < t->limit, SNC_E_CANCELLED, "stopped by the test");
    t->scored++;
    o->loss = 20;
    for (int i = 0; i < t->space->genes; i++) o->loss -= 0.1 * (1 + i % 3) * o->cfg.o[i];
    o->metric = 1 / o->loss;
    if (t->nan_every && t->scored % t->nan_every == 0) o->loss = o->metric = (double)NAN;
    return SNC_OK;
}

static snc_err toy_score(void *user, snc_obs *const *o, int n, snc_err (*scored)(void *run), void *run)
{
    for (int i = 0; i < n; i++) {
        SNC_TRY(toy_score_one(user, o[i]));
        SNC_TRY(scored(run));
    }
    return SNC_OK;
}

static snc_err toy_best(void *user, const snc_obs *o)
{
    toy *t = user;
    t->bests++;
    t->best_nan += isnan(o->loss);
    return SNC_OK;
}

static void hear(void *user, const snc_evaluation *e)
{
    toy *t = user;
    assert_string_equal(e->objectives, "loss,latency");
    t->heard[t->n_heard] = *e;
    t->heard[t->n_heard++].objectives = NULL;
}

static snc_err run_toy(toy *t, const char *path, const char *searcher, int evals)
{
    snc_search *s = NULL;
    snc_journal *j = NULL;
    snc_err err = SNC_OK;
    snc_ctx ctx = SNC_CTX_INIT;
    snc_run_report report;
    const snc_journal_key key = {"model", "toy"};
    const snc_run_opts o = {.limits = {.latency_us = 120}, .evals = evals, .objectives = 2};
    const snc_run_hooks h = {t, toy_cost, toy_score, toy_best};
    const snc_problem p = {.space = t->space, .objectives = 2, .seed = 7};
    ctx.level = SNC_LOG_ERROR;
    ctx.user = t;
    if (t->hears) ctx.evaluation = hear;
    SNC_GOTO(snc_search_create(&s, searcher, NULL, &p));
    SNC_GOTO(snc_journal_open(&j, path, t->space, &key, 1));
    snc_journal_source(j, searcher);
    err = snc_run_search(&report, &ctx, s, j, &o, &h);
out:
    snc_search_free(s);
    snc_journal_close(j);
    return err;
}

static void fresh_path(char path[64], const char *name)
{
    snprintf(path, 64, "/tmp/snc_journal_%s_%d.sqlite", name, (int)getpid());
    remove(path);
}

static bool same_number(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

static void assert_same_rows(const snc_journal_file *a, const snc_journal_file *b)
{
    assert_int_equal(a->n, b->n);
    for (int i = 0; i < a->n; i++) {
        assert_string_equal(a->row[i].config, b->row[i].config);
        assert_true(same_number(a->row[i].o.loss, b->row[i].o.loss));
        assert_int_equal(a->row[i].front, b->row[i].front);
    }
}

enum { EVALS = CHECK_EVERY > 1 ? 56 : 75 }; /* a population, and rounds of what has learnt from it */

/* Every point: before the first evaluation, at the edges of a batch and of a generation, and within. */
static void interrupted_anywhere_it_proposes_the_same(void **state)
{
    (void)state;
    static const int points[] = {0, 1, 7, 8, 9, 49, 50, 51, 63, 74};
    snc_space *s = space_of_shape(&nano, NULL);
    char whole[64], cut[64];
    for (int k = 0; snc_search_name(k); k++) {
        const char *name = snc_search_name(k);
        toy t = {.space = s, .limit = 1000, .nan_every = 9};
        snc_journal_file a = {0}, b = {0};
        fresh_path(whole, "whole");
        assert_int_equal(run_toy(&t, whole, name, EVALS), SNC_OK);
        assert_int_equal(snc_journal_read(&a, whole), SNC_OK);
        fresh_path(cut, "cut");
        int done = 0;
        /* one journal, interrupted at each of them */
        for (size_t i = 0; i < sizeof points / sizeof points[0] && points[i] < a.n; i += CHECK_EVERY) {
            toy part = {.space = s, .scored = done, .limit = points[i], .nan_every = 9};
            assert_int_equal(run_toy(&part, cut, name, EVALS), SNC_E_CANCELLED);
            done = part.scored;
            assert_int_equal(done, points[i]);
        }
        toy rest = {.space = s, .scored = done, .limit = 1000, .nan_every = 9};
        assert_int_equal(run_toy(&rest, cut, name, EVALS), SNC_OK);
        assert_int_equal(snc_journal_read(&b, cut), SNC_OK);
        assert_same_rows(&a, &b);
        snc_journal_file_dispose(&a);
        snc_journal_file_dispose(&b);
        remove(whole);
        remove(cut);
    }
    snc_space_free(s);
}

/* In the order of the journal; one that goes on begins with what is there. */
static void a_host_hears_of_every_evaluation(void **state)
{
    (void)state;
    char path[64];
    toy t = {.space = space_of_shape(&nano, NULL), .limit = 20, .nan_every = 3, .hears = true};
    snc_journal_file f;
    fresh_path(path, "heard");
    assert_int_equal(run_toy(&t, path, "random", 30), SNC_E_CANCELLED);
    assert_int_equal(t.n_heard, 20);
    toy rest = {.space = t.space, .scored = 20, .limit = 1000, .nan_every = 3, .hears = true};
    assert_int_equal(run_toy(&rest, path, "random", 30), SNC_OK);
    assert_int_equal(rest.n_heard, 30);
    assert_int_equal(snc_journal_read(&f, path), SNC_OK);
    assert_int_equal(f.n, 30);
    for (int i = 0; i < f.n; i++) {
        const snc_evaluation *e = &rest.heard[i];
        const snc_obs *o = &f.row[i].o;
        assert_int_equal(e->id, i + 1);
        assert_true(same_number(e->loss, o->loss) && same_number(e->score, o->metric));
        assert_true(e->latency_us == o->latency_us && e->bytes == o->bytes && e->macs == o->macs);
        if (i < t.n_heard) assert_true(t.heard[i].id == i + 1 && same_number(t.heard[i].loss, e->loss));
    }
    snc_journal_file_dispose(&f);
    snc_space_free(t.space);
    remove(path);
}

static void no_number_is_recorded_and_never_best(void **state)
{
    (void)state;
    char path[64];
    toy t = {.space = space_of_shape(&nano, NULL), .limit = 1000, .nan_every = 3};
    snc_journal_file f;
    int nan = 0, front = 0;
    fresh_path(path, "nan");
    assert_int_equal(run_toy(&t, path, "nsga2", 90), SNC_OK);
    assert_int_equal(snc_journal_read(&f, path), SNC_OK);
    for (int i = 0; i < f.n; i++) {
        nan += isnan(f.row[i].o.loss);
        front += f.row[i].front;
        assert_false(isnan(f.row[i].o.loss) && f.row[i].front);
    }
    assert_int_equal(f.n, 90);
    assert_int_equal(nan, 30);
    assert_true(front > 0 && t.bests > 0 && t.best_nan == 0);
    snc_journal_file_dispose(&f);
    remove(path);
    snc_space_free(t.space);
}

static void notes_are_kept_once(void **state)
{
    (void)state;
    char path[64];
    snc_space *s = space_of_shape(&nano, NULL);
    snc_journal *j = NULL;
    snc_journal_file f;
    const snc_journal_key key = {"model", "toy"};
    cJSON *one = cJSON_Parse("{\"round\":1}"), *two = cJSON_Parse("{\"round\":2}");
    fresh_path(path, "notes");
    assert_int_equal(snc_journal_open(&j, path, s, &key, 1), SNC_OK);
    assert_int_equal(snc_journal_note(j, "predictor", 100, two), SNC_OK);
    assert_int_equal(snc_journal_note(j, "predictor", 50, two), SNC_OK);
    assert_int_equal(snc_journal_note(j, "predictor", 50, one), SNC_OK);
    snc_journal_close(j);
    assert_int_equal(snc_journal_read(&f, path), SNC_OK);
    assert_int_equal(cJSON_GetArraySize(f.notes), 2);
    const cJSON *first = cJSON_GetArrayItem(f.notes, 0);
    assert_int_equal(cJSON_GetObjectItem(first, "at")->valueint, 50);
    assert_true(cJSON_Compare(cJSON_GetObjectItem(first, "value"), one, 1));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(f.meta, "genes")), s->genes);
    snc_journal_file_dispose(&f);
    cJSON_Delete(one);
    cJSON_Delete(two);
    remove(path);
    snc_space_free(s);
}

static void another_journal_is_taken_over_when_it_is_of_the_same_search(void **state)
{
    (void)state;
    char from[64], to[64];
    toy t = {.space = space_of_shape(&nano, NULL), .limit = 1000};
    snc_journal *j = NULL;
    snc_journal_file f, g;
    const snc_journal_key mine = {"model", "toy"}, other = {"model", "else"};
    fresh_path(from, "from");
    fresh_path(to, "to");
    assert_int_equal(run_toy(&t, from, "random", 40), SNC_OK);
    assert_int_equal(run_toy(&t, to, "random", 10), SNC_OK); /* the first ten of them */
    assert_int_equal(snc_journal_read(&f, from), SNC_OK);
    assert_int_equal(snc_journal_open(&j, to, t.space, &mine, 1), SNC_OK);
    assert_int_equal(snc_journal_import(j, &f), SNC_OK);
    assert_int_equal(snc_journal_import(j, &f), SNC_OK); /* again changes nothing */
    snc_journal_close(j);
    assert_int_equal(snc_journal_read(&g, to), SNC_OK);
    assert_same_rows(&f, &g);
    assert_string_equal(g.row[9].source, "random");
    assert_string_equal(g.row[10].source, "warm start");
    assert_int_equal(snc_journal_matches(&f, from, &mine, 1), SNC_OK);
    assert_int_equal(snc_journal_matches(&f, from, &other, 1), SNC_E_FORMAT);
    assert_non_null(strstr(snc_err_text(), from));
    assert_non_null(strstr(snc_err_text(), "model is toy there and else here"));
    snc_journal_file_dispose(&f);
    snc_journal_file_dispose(&g);
    remove(from);
    remove(to);
    snc_space_free(t.space);
}

static void costs_of_a_new_table_replace_the_old(void **state)
{
    (void)state;
    char path[64];
    toy t = {.space = space_of_shape(&nano, NULL), .limit = 1000};
    snc_journal *j = NULL;
    snc_obs *o = NULL;
    snc_journal_file f;
    int n = 0;
    const snc_journal_key key = {"model", "toy"};
    fresh_path(path, "recost");
    assert_int_equal(run_toy(&t, path, "random", 20), SNC_OK);
    assert_int_equal(snc_journal_open(&j, path, t.space, &key, 1), SNC_OK);
    assert_int_equal(snc_journal_all(&o, &n, j), SNC_OK);
    for (int i = 0; i < n; i++) o[i].latency_us = 1000 + i;
    assert_int_equal(snc_journal_recost(j, o, n), SNC_OK);
    snc_journal_close(j);
    assert_int_equal(snc_journal_read(&f, path), SNC_OK);
    assert_int_equal(f.n, 20);
    for (int i = 0; i < f.n; i++) {
        assert_true(f.row[i].o.latency_us == 1000 + i);
        assert_true(f.row[i].o.loss == o[i].loss);
    }
    snc_journal_file_dispose(&f);
    snc_free(o);
    remove(path);
    snc_space_free(t.space);
}

static void what_is_no_journal_is_named(void **state)
{
    (void)state;
    char path[64];
    snc_journal_file f;
    fresh_path(path, "none");
    assert_int_equal(snc_journal_read(&f, path), SNC_E_IO);
    assert_non_null(strstr(snc_err_text(), path));
    assert_false(snc_is_file(path));
    assert_int_equal(snc_file_write(path, "some words that are certainly no database", 41), SNC_OK);
    assert_int_equal(snc_journal_read(&f, path), SNC_E_IO);
    remove(path);
}

static void journals_refuse_strangers_and_company(void **state)
{
    (void)state;
    char path[64];
    snc_space *s = space_of_shape(&nano, NULL);
    snc_journal *j = NULL, *k = NULL;
    const snc_journal_key mine = {"model", "toy"}, other = {"model", "other"};
    fresh_path(path, "lock");
    assert_int_equal(snc_journal_open(&j, path, s, &mine, 1), SNC_OK);
    assert_int_equal(snc_journal_open(&k, path, s, &mine, 1), SNC_E_IO);
    assert_non_null(strstr(snc_err_text(), "another search"));
    snc_journal_close(j);
    assert_int_equal(snc_journal_open(&k, path, s, &other, 1), SNC_E_FORMAT);
    assert_non_null(strstr(snc_err_text(), "model is toy there and other here"));
    assert_int_equal(snc_file_write(path, "not a database at all, only text of some length to look at", 58), SNC_OK);
    assert_int_equal(snc_journal_open(&k, path, s, &mine, 1), SNC_E_IO);
    remove(path);
    snc_space_free(s);
}

/* Killed, or on a full disk, before the first transaction: a database without a table. Reading it finds nothing, opening it begins. */
static void one_that_was_only_begun_is_empty(void **state)
{
    (void)state;
    char path[64];
    sqlite3 *db = NULL;
    snc_journal_file f;
    snc_journal *j = NULL;
    snc_space *s = space_of_shape(&nano, NULL);
    const snc_journal_key mine = {"model", "toy"};
    snprintf(path, sizeof path, "/tmp/snc_begun_%d.sqlite", (int)getpid());
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(snc_journal_read(&f, path), SNC_OK);
    assert_int_equal(f.n, 0);
    assert_null(f.meta->child);
    assert_int_equal(snc_journal_matches(&f, path, &mine, 1), SNC_E_FORMAT); /* nothing to warm-start from */
    snc_journal_file_dispose(&f);
    assert_int_equal(snc_journal_open(&j, path, s, &mine, 1), SNC_OK);
    snc_journal_close(j);
    assert_int_equal(snc_journal_read(&f, path), SNC_OK);
    assert_non_null(f.meta->child);
    snc_journal_file_dispose(&f);
    remove(path);
    snc_space_free(s);
}

/* Bytes of a file, to tell that nothing of it was touched. */
static void a_database_of_others_stays_as_it_is(void **state)
{
    (void)state;
    char path[64];
    snc_space *s = space_of_shape(&nano, NULL);
    snc_journal *j = NULL;
    sqlite3 *db = NULL;
    uint64_t before, after;
    const snc_journal_key mine = {"model", "toy"};
    fresh_path(path, "foreign");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA journal_mode=DELETE; CREATE TABLE meta(key TEXT, value TEXT); INSERT INTO meta VALUES('a', 'b')",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(snc_file_hash(&before, path), SNC_OK);
    assert_int_equal(snc_journal_open(&j, path, s, &mine, 1), SNC_E_FORMAT);
    assert_non_null(strstr(snc_err_text(), "a database of another program, expected a search's journal"));
    assert_null(j);
    assert_int_equal(snc_file_hash(&after, path), SNC_OK);
    assert_true(before == after);
    remove(path);
    snc_space_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted_anywhere_it_proposes_the_same),
        cmocka_unit_test(a_host_hears_of_every_evaluation),
        cmocka_unit_test(journals_refuse_strangers_and_company),
        cmocka_unit_test(no_number_is_recorded_and_never_best),
        cmocka_unit_test(notes_are_kept_once),
        cmocka_unit_test(another_journal_is_taken_over_when_it_is_of_the_same_search),
        cmocka_unit_test(costs_of_a_new_table_replace_the_old),
        cmocka_unit_test(what_is_no_journal_is_named),
        cmocka_unit_test(one_that_was_only_begun_is_empty),
        cmocka_unit_test(a_database_of_others_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
