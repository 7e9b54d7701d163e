/* One lock over a list of asks; nothing is computed under it. */
#define _POSIX_C_SOURCE 200809L
#include "serve/queue.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/blanks.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/minmax.h"

typedef struct slice { /* texts [first, first + n) of an ask, in a batch from `at` on */
    snc_ask *ask;
    int first, n, at;
} slice;

typedef struct worker {
    snc_queue *q;
    pthread_t thread;
    int id;
    snc_text *text; /* [batch] */
    snc_result *result;
    slice *part;
    int parts, n;
} worker;

struct snc_queue {
    snc_queue_opts o;
    pthread_mutex_t lock;
    pthread_cond_t came;
    snc_ask *first, **last; /* with texts that nobody has taken */
    snc_queue_counts counts;
    bool stopping, busy; /* busy: the batch before was of several requests */
    worker *worker;      /* [o.workers] */
    int started;
};

void snc_ask_dispose(snc_ask *ask)
{
    for (int i = 0; ask->answer && i < ask->n; i++) {
        snc_free(ask->answer[i].tag);
        snc_free(ask->answer[i].sure);
    }
    snc_free(ask->answer);
    snc_free(ask->logits);
    ask->answer = NULL;
    ask->logits = NULL;
}

/* ---- answers -------------------------------------------------------------------------------------------------------------- */

/* The first failure counts: several workers may have texts of an ask. */
static void fail(const worker *w, snc_ask *ask, snc_err err)
{
    pthread_mutex_lock(&w->q->lock);
    if (!ask->failed) {
        ask->err = err;
        snprintf(ask->why, sizeof ask->why, "%s", snc_err_text());
    }
    ask->failed = true;
    pthread_mutex_unlock(&w->q->lock);
}

/* The words of a text, each of which gets a tag. */
static snc_err tag(snc_answer *out, snc_session *s, const char *text)
{
    const size_t bytes = strlen(text), most = bytes / 2 + 1;
    const char *at, *end, *w, **word = NULL;
    char *copy = NULL;
    snc_result *r = NULL;
    snc_err err = SNC_OK;
    size_t n, words = 0;
    SNC_GOTO(snc_strndup(&copy, text, bytes));
    SNC_GOTO(snc_alloc(&word, most, sizeof *word));
    for (at = copy, end = copy + bytes; w = snc_next_word(&n, &at, end), n;) {
        char *behind = copy + (at - copy);
        if (at < end) at++;
        *behind = 0;
        word[words++] = w;
    }
    SNC_GOTO(snc_alloc(&r, words, sizeof *r));
    SNC_GOTO(snc_alloc(&out->tag, words, sizeof *out->tag));
    SNC_GOTO(snc_alloc(&out->sure, words, sizeof *out->sure));
    SNC_GOTO(snc_tag(r, s, word, (int)words));
    for (size_t i = 0; i < words; i++) {
        out->tag[i] = r[i].index;
        out->sure[i] = r[i].score;
    }
    out->words = (int)words;
out:
    snc_free(copy);
    snc_free(word);
    snc_free(r);
    return err;
}

static void keep(snc_ask *ask, int i, const snc_result *r, int net, int K)
{
    ask->answer[i].index = r->index;
    ask->answer[i].score = r->score;
    ask->answer[i].net = net;
    memcpy(ask->logits + (size_t)i * (size_t)K, r->logits, (size_t)K * sizeof(float));
}

/* A text that fails takes its request with it, and no other: the rest of the batch is asked one by one then. */
static void answer_apart(worker *w, const slice *p, snc_session *s, int K)
{
    for (int i = 0; i < p->n && !p->ask->failed; i++) {
        snc_err err = snc_classify(w->result, s, &p->ask->text[p->first + i], 1);
        if (err) fail(w, p->ask, err);
        else keep(p->ask, p->first + i, w->result, snc_session_answered_by(s, 0), K);
    }
}

static void answer(worker *w)
{
    const snc_served *m = w->part[0].ask->model;
    snc_session *s = m->session[w->id];
    const int K = snc_classifier_classes(m->model);
    if (snc_classifier_tags(m->model)) {
        for (slice *p = w->part; p < w->part + w->parts; p++)
            for (int i = p->first; i < p->first + p->n && !p->ask->failed; i++) {
                snc_err err = tag(&p->ask->answer[i], s, p->ask->text[i].a);
                if (err) fail(w, p->ask, err);
            }
        return;
    }
    for (slice *p = w->part; p < w->part + w->parts; p++) memcpy(w->text + p->at, p->ask->text + p->first, (size_t)p->n * sizeof *w->text);
    const snc_err err = snc_classify(w->result, s, w->text, w->n);
    for (slice *p = w->part; p < w->part + w->parts; p++) {
        if (err) answer_apart(w, p, s, K);
        for (int i = 0; i < p->n && !err; i++) keep(p->ask, p->first + i, &w->result[p->at + i], snc_session_answered_by(s, p->at + i), K);
    }
}

/* ---- batches, under the lock ------------------------------------------------------------------------------------------------ */

static void append(snc_queue *q, snc_ask *ask)
{
    ask->next = NULL;
    *q->last = ask;
    q->last = &ask->next;
}

/* Texts of asks of one model from the front on; what is left of an ask goes to the end. */
static void take(worker *w, snc_queue *q)
{
    const snc_served *m = q->first->model;
    snc_ask *left = NULL, **at = &q->first;
    w->parts = w->n = 0;
    while (*at && w->n < q->o.batch) {
        snc_ask *a = *at;
        if (a->model != m) {
            at = &a->next;
            continue;
        }
        const int n = snc_min(a->n - a->taken, q->o.batch - w->n);
        w->part[w->parts++] = (slice){a, a->taken, n, w->n};
        a->taken += n;
        w->n += n;
        *at = a->next;
        if (!*at) q->last = at;
        if (a->taken < a->n) left = a; /* the last one, which fills the batch */
    }
    if (left) append(q, left);
    q->counts.waiting -= w->n;
    q->counts.texts += w->n;
    int size = 0;
    while (size < SNC_QUEUE_SIZES - 1 && w->n > 1 << size) size++;
    q->counts.batches[size]++;
    q->busy = w->parts > 1;
}

/* Whether a batch is worth waiting for, and until when. */
static bool wait_for_more(double *until, const snc_queue *q)
{
    *until = q->first ? q->first->came + q->o.wait_s : 0;
    return q->first && q->o.wait_s > 0 && q->busy && !q->stopping && q->counts.waiting < q->o.batch && snc_now() < *until;
}

static void wait_until(snc_queue *q, double until)
{
    struct timespec t;
    double whole;
    t.tv_nsec = (long)(1e9 * modf(until, &whole));
    t.tv_sec = (time_t)whole;
    pthread_cond_timedwait(&q->came, &q->lock, &t);
}

/* Of what is too old the rest is not answered, be it one slice or more. */
static void look_at_age(worker *w)
{
    const double now = snc_now(), patience = w->q->o.patience_s;
    for (slice *p = w->part; p < w->part + w->parts && patience > 0; p++)
        if (now - p->ask->came > patience && !p->ask->failed)
            fail(w, p->ask, snc_err_set(SNC_E_CANCELLED, "waited for more than %g s behind others", patience));
}

/* Asks whose texts have all come back. Their owners may free them. */
static void hand_back(worker *w)
{
    for (slice *p = w->part; p < w->part + w->parts; p++) {
        pthread_mutex_lock(&w->q->lock);
        const bool whole = (p->ask->answered += p->n) == p->ask->n;
        pthread_mutex_unlock(&w->q->lock);
        if (whole) p->ask->done(p->ask);
    }
}

static void *work(void *arg)
{
    worker *w = arg;
    snc_queue *q = w->q;
    for (;;) {
        double until;
        pthread_mutex_lock(&q->lock);
        while (!q->first && !q->stopping) pthread_cond_wait(&q->came, &q->lock);
        while (wait_for_more(&until, q)) wait_until(q, until);
        if (q->first) take(w, q);
        const bool more = q->first != NULL, end = !more && q->stopping && w->parts == 0;
        pthread_mutex_unlock(&q->lock);
        if (end) return NULL;
        if (w->parts == 0) continue; /* another worker had it */
        if (more) pthread_cond_signal(&q->came);
        look_at_age(w);
        answer(w);
        hand_back(w);
        w->parts = 0;
    }
}

/* ---- the queue ------------------------------------------------------------------------------------------------------------ */

static snc_err start(worker *w, snc_queue *q, int id)
{
    const size_t n = (size_t)q->o.batch;
    *w = (worker){.q = q, .id = id};
    SNC_TRY(snc_alloc(&w->text, n, sizeof *w->text));
    SNC_TRY(snc_alloc(&w->result, n, sizeof *w->result));
    SNC_TRY(snc_alloc(&w->part, n, sizeof *w->part));
    SNC_CHECK(pthread_create(&w->thread, NULL, work, w) == 0, SNC_E_BACKEND, "serve: cannot start a thread");
    return SNC_OK;
}

snc_err snc_queue_new(snc_queue **out, const snc_queue_opts *o)
{
    pthread_condattr_t monotonic;
    snc_queue *q = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&q, 1, sizeof *q));
    q->o = *o;
    q->last = &q->first;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* that of snc_now */
    pthread_cond_init(&q->came, &monotonic);
    pthread_condattr_destroy(&monotonic);
    SNC_GOTO(snc_alloc(&q->worker, (size_t)o->workers, sizeof *q->worker));
    for (; q->started < o->workers; q->started++) SNC_GOTO(start(&q->worker[q->started], q, q->started));
    *out = q;
    q = NULL;
out:
    snc_queue_free(q);
    return err;
}

snc_err snc_queue_put(snc_queue *q, snc_ask *ask)
{
    const size_t n = (size_t)ask->n;
    const int K = snc_classifier_tags(ask->model->model) ? 0 : snc_classifier_classes(ask->model->model);
    ask->err = SNC_OK;
    ask->failed = false;
    ask->taken = ask->answered = 0;
    SNC_TRY(snc_alloc(&ask->answer, n, sizeof *ask->answer));
    SNC_TRY(snc_alloc(&ask->logits, n * (size_t)K, sizeof *ask->logits));
    pthread_mutex_lock(&q->lock);
    const bool stopping = q->stopping, room = !stopping && q->counts.waiting + ask->n <= q->o.room;
    if (room) {
        ask->came = snc_now();
        q->counts.waiting += ask->n;
        append(q, ask);
    }
    pthread_mutex_unlock(&q->lock);
    if (room) pthread_cond_signal(&q->came);
    SNC_CHECK(!stopping, SNC_E_CANCELLED, "the server stops");
    return room ? SNC_OK : snc_err_set(SNC_E_NOMEM, "%d texts wait already: try again later", q->o.room);
}

void snc_queue_count(snc_queue_counts *out, snc_queue *q)
{
    pthread_mutex_lock(&q->lock);
    *out = q->counts;
    pthread_mutex_unlock(&q->lock);
}

void snc_queue_end(snc_queue *q)
{
    if (!q) return;
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    pthread_mutex_unlock(&q->lock);
    pthread_cond_broadcast(&q->came);
    while (q->started > 0) pthread_join(q->worker[--q->started].thread, NULL);
}

void snc_queue_free(snc_queue *q)
{
    if (!q) return;
    snc_queue_end(q);
    for (int i = 0; i < q->o.workers && q->worker; i++) {
        snc_free(q->worker[i].text);
        snc_free(q->worker[i].result);
        snc_free(q->worker[i].part);
    }
    pthread_cond_destroy(&q->came);
    pthread_mutex_destroy(&q->lock);
    snc_free(q->worker);
    snc_free(q);
}
