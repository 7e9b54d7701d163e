/* The queue of a server: each text has the answer that it has alone, in whatever batch it is; what is full, old or stopped is refused. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "base/clock.h"
#include "serve_support.h"

enum { MANY = 60, ASKS = 24 };

static scratch dir;
static char words[MANY][40];
static snc_text texts[MANY];
static float want[MANY][NANO_K];

/* done counts, or holds its worker at a gate. */
typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int done, inside;
    bool shut;
} gate;

static void gate_init(gate *g)
{
    *g = (gate){0};
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->moved, NULL);
}

static void on_done(snc_ask *ask)
{
    gate *g = ask->user;
    pthread_mutex_lock(&g->lock);
    g->inside++;
    pthread_cond_broadcast(&g->moved);
    while (g->shut) pthread_cond_wait(&g->moved, &g->lock);
    g->done++;
    pthread_cond_broadcast(&g->moved);
    pthread_mutex_unlock(&g->lock);
}

static void wait_inside(gate *g, int n)
{
    pthread_mutex_lock(&g->lock);
    while (g->inside < n) pthread_cond_wait(&g->moved, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void wait_done(gate *g, int n)
{
    pthread_mutex_lock(&g->lock);
    while (g->done < n) pthread_cond_wait(&g->moved, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void open_gate(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->shut = false;
    pthread_cond_broadcast(&g->moved);
    pthread_mutex_unlock(&g->lock);
}

static snc_ask ask_of(snc_served *m, int first, int n, gate *g)
{
    return (snc_ask){.model = m, .text = texts + first, .n = n, .done = on_done, .user = g};
}

static snc_queue *start(int workers, int batch, int room, double wait_s, double patience_s)
{
    snc_queue *q = NULL;
    assert_ok(snc_queue_new(&q, &(snc_queue_opts){workers, batch, room, wait_s, patience_s}));
    return q;
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

/* Asks of 1 to 24 texts on two workers, batches of 8: every text has its own answer's bits. */
static void check_answers(double wait_s)
{
    snc_served *m = NULL;
    snc_ask ask[ASKS];
    snc_queue_counts counts;
    gate g;
    gate_init(&g);
    assert_ok(snc_served_open(&m, "m", scratch_path(&dir, "m.snc"), 2, 0));
    snc_queue *q = start(2, 8, 10000, wait_s, 0);
    long all = 0, batches = 0;
    for (int i = 0; i < ASKS; i++) {
        ask[i] = ask_of(m, i, i + 1, &g);
        assert_ok(snc_queue_put(q, &ask[i]));
        all += i + 1;
    }
    wait_done(&g, ASKS);
    for (int i = 0; i < ASKS; i++) {
        assert_int_equal(ask[i].err, SNC_OK);
        for (int k = 0; k < ask[i].n; k++) {
            assert_memory_equal(ask[i].logits + (size_t)k * NANO_K, want[i + k], sizeof want[0]);
            assert_int_equal(ask[i].answer[k].index, want[i + k][1] > want[i + k][0]);
            assert_int_equal(ask[i].answer[k].net, 0);
        }
        snc_ask_dispose(&ask[i]);
    }
    snc_queue_count(&counts, q);
    for (int i = 0; i < SNC_QUEUE_SIZES; i++) batches += counts.batches[i];
    assert_int_equal(counts.texts, all);
    assert_int_equal(counts.waiting, 0);
    assert_true(batches >= all / 8 && batches <= all);
    assert_int_equal(counts.batches[SNC_QUEUE_SIZES - 1] + counts.batches[5] + counts.batches[4], 0); /* none of more than 8 */
    snc_queue_free(q);
    snc_served_drop(m);
}

static void test_answers(void **state)
{
    (void)state;
    check_answers(0);
    check_answers(0.002);
}

/* While the one worker stands in `done`, texts wait, as many as there is room for; then they are answered together. */
static void test_room(void **state)
{
    snc_served *m = NULL;
    snc_ask first, second, third, over;
    snc_queue_counts counts;
    gate g;
    (void)state;
    gate_init(&g);
    g.shut = true;
    assert_ok(snc_served_open(&m, "m", scratch_path(&dir, "m.snc"), 1, 0));
    snc_queue *q = start(1, 16, 10, 0, 0);
    first = ask_of(m, 0, 1, &g);
    assert_ok(snc_queue_put(q, &first));
    wait_inside(&g, 1);
    second = ask_of(m, 1, 6, &g);
    third = ask_of(m, 7, 4, &g);
    over = ask_of(m, 11, 1, &g);
    assert_ok(snc_queue_put(q, &second));
    assert_ok(snc_queue_put(q, &third));
    assert_fails(snc_queue_put(q, &over), SNC_E_NOMEM, "10 texts wait already");
    snc_ask_dispose(&over);
    snc_queue_count(&counts, q);
    assert_int_equal(counts.waiting, 10);
    open_gate(&g);
    wait_done(&g, 3);
    snc_queue_count(&counts, q);
    assert_int_equal(counts.batches[0], 1);
    assert_int_equal(counts.batches[4], 1); /* both asks in one batch */
    assert_memory_equal(third.logits + 3 * NANO_K, want[10], sizeof want[0]);
    snc_queue_end(q);
    assert_fails(snc_queue_put(q, &over), SNC_E_CANCELLED, "stops");
    snc_ask_dispose(&over);
    snc_ask_dispose(&first);
    snc_ask_dispose(&second);
    snc_ask_dispose(&third);
    snc_queue_free(q);
    snc_served_drop(m);
}

/* What waited for longer than it may is told so, and costs nothing. */
static void test_age(void **state)
{
    snc_served *m = NULL;
    snc_ask first, old;
    gate g;
    (void)state;
    gate_init(&g);
    g.shut = true;
    assert_ok(snc_served_open(&m, "m", scratch_path(&dir, "m.snc"), 1, 0));
    snc_queue *q = start(1, 16, 10, 0, 0.05);
    first = ask_of(m, 0, 1, &g);
    assert_ok(snc_queue_put(q, &first));
    wait_inside(&g, 1);
    old = ask_of(m, 1, 2, &g);
    assert_ok(snc_queue_put(q, &old));
    snc_sleep(0.1);
    open_gate(&g);
    wait_done(&g, 2);
    assert_int_equal(first.err, SNC_OK);
    assert_int_equal(old.err, SNC_E_CANCELLED);
    assert_non_null(strstr(old.why, "waited"));
    snc_ask_dispose(&first);
    snc_ask_dispose(&old);
    snc_queue_free(q);
    snc_served_drop(m);
}

/* A text without finite logits fails its own request; others of the batch have their answers. Ending answers what waits. */
static void test_failure(void **state)
{
    char longest[NANO_P * 5] = "";
    const snc_text bad = {.a = longest};
    snc_served *m = NULL;
    snc_ask first, fine, broken;
    gate g;
    (void)state;
    gate_init(&g);
    g.shut = true;
    for (int i = 0; i < NANO_P; i++) strcat(longest, "bad ");
    assert_ok(snc_served_open(&m, "m", scratch_path(&dir, "nan.snc"), 1, 0));
    snc_queue *q = start(1, 16, 10, 0, 0);
    first = ask_of(m, 0, 1, &g);
    assert_ok(snc_queue_put(q, &first));
    wait_inside(&g, 1);
    fine = ask_of(m, 1, 3, &g);
    broken = (snc_ask){.model = m, .text = &bad, .n = 1, .done = on_done, .user = &g};
    assert_ok(snc_queue_put(q, &fine));
    assert_ok(snc_queue_put(q, &broken));
    open_gate(&g);
    snc_queue_end(q);
    assert_int_equal(g.done, 3);
    assert_int_equal(fine.err, SNC_OK);
    assert_int_equal(broken.err, SNC_E_DIVERGED);
    assert_non_null(strstr(broken.why, "finite"));
    assert_int_equal(fine.answer[2].index, want[3][1] > want[3][0]);
    snc_ask_dispose(&first);
    snc_ask_dispose(&fine);
    snc_ask_dispose(&broken);
    snc_queue_free(q);
    snc_served_drop(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers), cmocka_unit_test(test_room), cmocka_unit_test(test_age),
                                       cmocka_unit_test(test_failure)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
