/* The queue of a server: each text has the answer that it has alone, in whatever batch it is; what is full, old or ended is refused. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "base/clock.h"
#include "serve_support.h"

enum { MANY = 60, ASKS = 24 };

static scratch dir;
static char words[MANY][40];
static snc_text texts[MANY];
static float want[MANY][NANO_K];

/* Where a batch is held before it is answered, as long as it is shut. */
typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int inside;
    bool shut;
} gate;

static void gate_init(gate *g, bool shut)
{
    *g = (gate){.shut = shut};
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->moved, NULL);
}

static void at_gate(void *user)
{
    gate *g = user;
    pthread_mutex_lock(&g->lock);
    g->inside++;
    pthread_cond_broadcast(&g->moved);
    while (g->shut) pthread_cond_wait(&g->moved, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void wait_inside(gate *g, int n)
{
    pthread_mutex_lock(&g->lock);
    while (g->inside < n) pthread_cond_wait(&g->moved, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void open_gate(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->shut = false;
    pthread_cond_broadcast(&g->moved);
    pthread_mutex_unlock(&g->lock);
}

/* Somebody who asks, on a thread of his own. */
typedef struct client {
    snc_queue *q;
    snc_ask ask;
    snc_err err;
    char why[256];
    pthread_t thread;
} client;

static void *work(void *user)
{
    client *c = user;
    c->err = snc_queue_ask(c->q, &c->ask);
    if (c->err) snprintf(c->why, sizeof c->why, "%s", snc_err_text());
    return NULL;
}

static void ask(client *c, snc_queue *q, snc_served *m, const snc_text *text, int n)
{
    *c = (client){.q = q, .ask = {.model = m, .text = text, .n = n}};
    assert_int_equal(pthread_create(&c->thread, NULL, work, c), 0);
}

static void join(client *c) { assert_int_equal(pthread_join(c->thread, NULL), 0); }

static snc_queue *start(int places, int batch, int room, double wait_s, double patience_s, gate *g)
{
    snc_queue *q = NULL;
    const snc_queue_opts o = {
        .places = places, .batch = batch, .room = room, .wait_s = wait_s, .patience_s = patience_s, .taken = at_gate, .user = g};
    assert_ok(snc_queue_new(&q, &o));
    return q;
}

/* Until so many texts wait. */
static void wait_for_texts(snc_queue *q, long n)
{
    snc_queue_counts counts;
    do {
        snc_queue_count(&counts, q);
        if (counts.waiting != n) snc_sleep(0.001);
    } while (counts.waiting != n);
}

static int setup(void **state)
{
    snc_classifier *c = NULL;
    snc_session *s = NULL;
    (void)state;
    scratch_init(&dir, "serve_queue");
    serve_model(&dir, "m.snc", false);
    serve_model(&dir, "nan.snc", true);
    assert_ok(snc_classifier_open(&c, scratch_path(&dir, "m.snc")));
    assert_ok(snc_session_new(&s, c, 1));
    for (int i = 0; i < MANY; i++) {
        snc_result r;
        snprintf(words[i], sizeof words[i], "%s %s movie %s", i % 2 ? "good" : "bad", i % 3 ? "very" : "not", i % 7 ? "film" : "");
        texts[i] = (snc_text){.a = words[i], .b = i % 5 ? NULL : words[i / 2]};
        assert_ok(snc_classify(&r, s, &texts[i], 1));
        memcpy(want[i], r.logits, sizeof want[i]);
    }
    snc_session_free(s);
    snc_classifier_close(c);
    return 0;
}

static snc_served *served(const char *name, int places)
{
    snc_served *m = NULL;
    assert_ok(snc_served_open(&m, "m", scratch_path(&dir, name), places, NULL));
    return m;
}

/* 24 ask for 1 to 24 texts at once, in two places and batches of 8: every text has its own answer's bits. */
static void check_answers(double wait_s)
{
    static client c[ASKS];
    snc_served *m = served("m.snc", 2);
    snc_queue_counts counts;
    gate g;
    gate_init(&g, false);
    snc_queue *q = start(2, 8, 10000, wait_s, 0, &g);
    long all = 0, batches = 0;
    for (int i = 0; i < ASKS; i++) {
        ask(&c[i], q, m, texts + i, i + 1);
        all += i + 1;
    }
    for (int i = 0; i < ASKS; i++) {
        join(&c[i]);
        assert_int_equal(c[i].err, SNC_OK);
        for (int k = 0; k < c[i].ask.n; k++) {
            assert_memory_equal(c[i].ask.logits + (size_t)k * NANO_K, want[i + k], sizeof want[0]);
            assert_int_equal(c[i].ask.answer[k].index, want[i + k][1] > want[i + k][0]);
            assert_int_equal(c[i].ask.answer[k].net, 0);
        }
        snc_ask_dispose(&c[i].ask);
    }
    snc_queue_count(&counts, q);
    for (int i = 0; i < SNC_QUEUE_SIZES; i++) batches += counts.batches[i];
    assert_int_equal(counts.texts, all);
    assert_int_equal(counts.waiting, 0);
    assert_true(batches >= all / 8 && batches <= all && batches == g.inside);
    for (int i = 4; i < SNC_QUEUE_SIZES; i++) assert_int_equal(counts.batches[i], 0); /* none of more than 8 */
    snc_queue_end(q);
    snc_queue_free(q);
    snc_served_drop(m);
}

static void test_answers(void **state)
{
    (void)state;
    check_answers(0);
    check_answers(0.002);
}

/* While the one place is taken texts wait, as many as there is room for; then they are answered together. */
static void test_room(void **state)
{
    client first, second, third;
    snc_served *m = served("m.snc", 1);
    snc_queue_counts counts;
    gate g;
    (void)state;
    gate_init(&g, true);
    snc_queue *q = start(1, 16, 10, 0, 0, &g);
    snc_ask over = {.model = m, .text = texts, .n = 1};
    ask(&first, q, m, texts, 1);
    wait_inside(&g, 1);
    ask(&second, q, m, texts + 1, 6);
    wait_for_texts(q, 6);
    ask(&third, q, m, texts + 7, 4);
    wait_for_texts(q, 10);
    assert_fails(snc_queue_ask(q, &over), SNC_E_NOMEM, "10 texts wait already");
    snc_ask_dispose(&over);
    open_gate(&g);
    join(&first);
    join(&second);
    join(&third);
    snc_queue_count(&counts, q);
    assert_int_equal(counts.batches[0], 1);
    assert_int_equal(counts.batches[4], 1); /* both in one batch */
    assert_memory_equal(third.ask.logits + 3 * NANO_K, want[10], sizeof want[0]);
    snc_queue_end(q);
    assert_fails(snc_queue_ask(q, &over), SNC_E_CANCELLED, "stops");
    snc_ask_dispose(&over);
    snc_ask_dispose(&first.ask);
    snc_ask_dispose(&second.ask);
    snc_ask_dispose(&third.ask);
    snc_queue_free(q);
    snc_served_drop(m);
}

/* What waited for longer than it may is told so. */
static void test_age(void **state)
{
    client first, old;
    snc_served *m = served("m.snc", 1);
    gate g;
    (void)state;
    gate_init(&g, true);
    snc_queue *q = start(1, 16, 10, 0, 0.5, &g);
    ask(&first, q, m, texts, 1);
    wait_inside(&g, 1);
    ask(&old, q, m, texts + 1, 2);
    wait_for_texts(q, 2);
    snc_sleep(0.6);
    open_gate(&g);
    join(&first);
    join(&old);
    assert_int_equal(first.err, SNC_OK);
    assert_int_equal(old.err, SNC_E_CANCELLED);
    assert_non_null(strstr(old.why, "waited for more than 0.5 s"));
    snc_ask_dispose(&first.ask);
    snc_ask_dispose(&old.ask);
    snc_queue_free(q);
    snc_served_drop(m);
}

/* A text without finite logits fails its own request; others of the batch have their answers. The end waits for all of them. */
static void test_failure(void **state)
{
    char longest[NANO_P * 5] = "";
    const snc_text bad = {.a = longest};
    client first, fine, broken;
    snc_served *m = served("nan.snc", 1);
    snc_queue_counts counts;
    gate g;
    (void)state;
    gate_init(&g, true);
    for (int i = 0; i < NANO_P; i++) strcat(longest, "bad ");
    snc_queue *q = start(1, 16, 10, 0, 0, &g);
    ask(&first, q, m, texts, 1);
    wait_inside(&g, 1);
    ask(&fine, q, m, texts + 1, 3);
    wait_for_texts(q, 3);
    ask(&broken, q, m, &bad, 1);
    wait_for_texts(q, 4);
    open_gate(&g);
    snc_queue_end(q);
    snc_queue_count(&counts, q);
    assert_int_equal(counts.texts, 5);
    join(&first);
    join(&fine);
    join(&broken);
    assert_int_equal(fine.err, SNC_OK);
    assert_int_equal(broken.err, SNC_E_DIVERGED);
    assert_non_null(strstr(broken.why, "finite"));
    assert_int_equal(fine.ask.answer[2].index, want[3][1] > want[3][0]);
    snc_ask_dispose(&first.ask);
    snc_ask_dispose(&fine.ask);
    snc_ask_dispose(&broken.ask);
    snc_queue_free(q);
    snc_served_drop(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers), cmocka_unit_test(test_room), cmocka_unit_test(test_age),
                                       cmocka_unit_test(test_failure)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
