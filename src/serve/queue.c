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

/* What the queue knows of an ask, on its owner's stack. Under the lock, but for `failed`. */
typedef struct snc_ask_state {
    snc_ask *ask;
    struct snc_ask_state *next;
    pthread_cond_t turn; /* its texts are done, or a place is free for it */
    double came;
    int taken, done;
    bool waiting; /* its owner is, and leads nobody */
    atomic_bool failed;
    snc_err err; /* of the first text that failed */
    char why[256];
} asked;

typedef struct slice { /* texts [first, first + n) of an ask, in a batch from `at` on */
    asked *of;
    int first, n, at;
} slice;

typedef struct place {
    int id;
    bool busy;
    snc_text *text; /* [batch] */
    snc_result *result;
    slice *part;
    int parts, n;
    bool lowered;
} place;

struct snc_queue {
    snc_queue_opts o;
    pthread_mutex_t lock;
    pthread_condattr_t monotonic; /* the clock of snc_now */
    pthread_cond_t left;          /* somebody has the answers */
    asked *first, **last;         /* with texts that nobody has taken */
    asked *gathering;             /* whose owner waits for a fuller batch */
    place *place;                 /* [o.places] */
    snc_queue_counts counts;
    int asking;
    bool ended, several; /* several: the batch before was of several requests */
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

/* The first failure counts: several places may have texts of an ask. */
static void fail(snc_queue *q, asked *a, snc_err err)
{
    pthread_mutex_lock(&q->lock);
    if (!a->failed) {
        a->err = err;
        snprintf(a->why, sizeof a->why, "%s", snc_err_text());
    }
    a->failed = true;
    pthread_mutex_unlock(&q->lock);
}

/* The words of a text, each of which gets a tag. */
static snc_err tag(snc_answer *out, snc_session *s, const char *text)
{
    const size_t bytes = strlen(text), most = bytes / 2 + 1;
    const char **word = NULL;
    char *copy = NULL;
    snc_result *r = NULL;
    snc_err err = SNC_OK;
    size_t words;
    SNC_GOTO(snc_strndup(&copy, text, bytes));
    SNC_GOTO(snc_alloc(&word, most, sizeof *word));
    words = snc_part_words(word, copy, bytes);
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

static void keep(snc_ask *ask, int i, const snc_result *r, int net, bool lowered, int K)
{
    ask->answer[i].index = r->index;
    ask->answer[i].score = r->score;
    ask->answer[i].net = net;
    ask->answer[i].lowered = lowered;
    memcpy(ask->logits + (size_t)i * (size_t)K, r->logits, (size_t)K * sizeof(float));
}

static void tag_all(snc_queue *q, const place *p, snc_session *s)
{
    for (const slice *l = p->part; l < p->part + p->parts; l++)
        for (int i = l->first; i < l->first + l->n && !l->of->failed; i++) {
            snc_err err = tag(&l->of->ask->answer[i], s, l->of->ask->text[i].a);
            if (err) fail(q, l->of, err);
        }
}

/* A text that fails takes its request with it, and no other: the rest of the batch is asked one by one then. */
static void answer_apart(snc_queue *q, const place *p, const slice *l, snc_session *s, int K)
{
    for (int i = 0; i < l->n && !l->of->failed; i++) {
        snc_err err = snc_classify(p->result, s, &l->of->ask->text[l->first + i], 1);
        if (err) fail(q, l->of, err);
        else keep(l->of->ask, l->first + i, p->result, snc_session_answered_by(s, 0), p->lowered, K);
    }
}

/* What has waited for too long is not answered, be it one slice or more. */
static void look_at_age(snc_queue *q, const place *p)
{
    const double now = snc_now(), patience = q->o.patience_s;
    for (const slice *l = p->part; l < p->part + p->parts && patience > 0; l++)
        if (now - l->of->came > patience && !l->of->failed)
            fail(q, l->of, snc_err_set(SNC_E_CANCELLED, "waited for more than %g s behind others", patience));
}

static void answer(snc_queue *q, const place *p)
{
    snc_served *m = p->part[0].of->ask->model;
    snc_session *s = m->session[p->id];
    const int K = snc_classifier_classes(m->model);
    look_at_age(q, p);
    snc_served_lower(m, p->id, p->lowered);
    if (q->o.taken) q->o.taken(q->o.user);
    if (snc_classifier_tags(m->model)) {
        tag_all(q, p, s);
        return;
    }
    for (const slice *l = p->part; l < p->part + p->parts; l++)
        memcpy(p->text + l->at, l->of->ask->text + l->first, (size_t)l->n * sizeof *p->text);
    const snc_err err = snc_classify(p->result, s, p->text, p->n);
    for (const slice *l = p->part; l < p->part + p->parts; l++) {
        if (err) answer_apart(q, p, l, s, K);
        for (int i = 0; i < l->n && !err; i++)
            keep(l->of->ask, l->first + i, &p->result[l->at + i], snc_session_answered_by(s, l->at + i), p->lowered, K);
    }
}

/* ---- batches, under the lock ------------------------------------------------------------------------------------------------ */

static void append(snc_queue *q, asked *a)
{
    a->next = NULL;
    *q->last = a;
    q->last = &a->next;
}

/* Texts of asks of one model from the front on; what is left of an ask goes to the end. */
static void take(place *p, snc_queue *q)
{
    const snc_served *m = q->first->ask->model;
    asked *left = NULL, **at = &q->first;
    p->parts = p->n = 0;
    while (*at && p->n < q->o.batch) {
        asked *a = *at;
        if (a->ask->model != m) {
            at = &a->next;
            continue;
        }
        const int n = snc_min(a->ask->n - a->taken, q->o.batch - p->n);
        p->part[p->parts++] = (slice){a, a->taken, n, p->n};
        a->taken += n;
        p->n += n;
        *at = a->next;
        if (!*at) q->last = at;
        if (a->taken < a->ask->n) left = a; /* the last one, which fills the batch */
    }
    if (left) append(q, left);
    q->counts.waiting -= p->n;
    q->counts.texts += p->n;
    p->lowered = m->pace.busy_us > 0 && q->counts.waiting >= q->o.batch;
    if (p->lowered) q->counts.lowered += p->n;
    int size = 0;
    while (size < SNC_QUEUE_SIZES - 1 && p->n > 1 << size) size++;
    q->counts.batches[size]++;
    q->several = p->parts > 1;
}

static place *free_place(snc_queue *q)
{
    for (int i = 0; i < q->o.places; i++)
        if (!q->place[i].busy) return &q->place[i];
    return NULL;
}

/* Until there are enough texts, or nobody may wait any longer. */
static void wait_for_more(snc_queue *q, asked *own)
{
    while (q->first && q->o.wait_s > 0 && q->several && !q->ended && q->counts.waiting < q->o.batch) {
        const double until = q->first->came + q->o.wait_s;
        struct timespec t;
        double whole;
        if (snc_now() >= until) return;
        t.tv_nsec = (long)(1e9 * modf(until, &whole));
        t.tv_sec = (time_t)whole;
        q->gathering = own;
        pthread_cond_timedwait(&own->turn, &q->lock, &t);
        q->gathering = NULL;
    }
}

/* Whoever waits the longest may take a place that is free. */
static void pass_on(snc_queue *q)
{
    asked *a = free_place(q) ? q->first : NULL;
    while (a && !a->waiting) a = a->next;
    if (!a) return;
    a->waiting = false;
    pthread_cond_signal(&a->turn);
}

/* With a place of its own. Comes back under the lock. */
static void lead(snc_queue *q, place *p, asked *own)
{
    p->busy = true;
    wait_for_more(q, own);
    if (q->first) {
        take(p, q);
        pass_on(q);
        pthread_mutex_unlock(&q->lock);
        answer(q, p);
        pthread_mutex_lock(&q->lock);
        for (const slice *l = p->part; l < p->part + p->parts; l++) {
            l->of->done += l->n;
            if (l->of->done == l->of->ask->n) pthread_cond_signal(&l->of->turn);
        }
    }
    p->busy = false;
}

static snc_err wait_for_answers(snc_queue *q, asked *a)
{
    pthread_mutex_lock(&q->lock);
    const bool ended = q->ended, room = !ended && q->counts.waiting + a->ask->n <= q->o.room;
    if (!room) {
        pthread_mutex_unlock(&q->lock);
        SNC_CHECK(!ended, SNC_E_CANCELLED, "the server stops");
        return snc_err_set(SNC_E_NOMEM, "%d texts wait already: try again later", q->o.room);
    }
    a->came = snc_now();
    q->asking++;
    q->counts.waiting += a->ask->n;
    append(q, a);
    if (q->gathering) pthread_cond_signal(&q->gathering->turn);
    while (a->done < a->ask->n) {
        place *p = q->first ? free_place(q) : NULL;
        a->waiting = !p;
        if (p) lead(q, p, a);
        else pthread_cond_wait(&a->turn, &q->lock);
    }
    pass_on(q);
    q->asking--;
    pthread_cond_signal(&q->left);
    pthread_mutex_unlock(&q->lock);
    return SNC_OK;
}

snc_err snc_queue_ask(snc_queue *q, snc_ask *ask)
{
    asked a = {.ask = ask};
    const int K = snc_classifier_tags(ask->model->model) ? 0 : snc_classifier_classes(ask->model->model);
    SNC_TRY(snc_alloc(&ask->answer, (size_t)ask->n, sizeof *ask->answer));
    SNC_TRY(snc_alloc(&ask->logits, (size_t)ask->n * (size_t)K, sizeof *ask->logits));
    pthread_cond_init(&a.turn, &q->monotonic);
    snc_err err = wait_for_answers(q, &a);
    pthread_cond_destroy(&a.turn);
    return !err && a.failed ? snc_err_set(a.err, "%s", a.why) : err;
}

/* ---- the queue ------------------------------------------------------------------------------------------------------------ */

static snc_err make_place(place *p, int id, size_t batch)
{
    p->id = id;
    SNC_TRY(snc_alloc(&p->text, batch, sizeof *p->text));
    SNC_TRY(snc_alloc(&p->result, batch, sizeof *p->result));
    return snc_alloc(&p->part, batch, sizeof *p->part);
}

snc_err snc_queue_new(snc_queue **out, const snc_queue_opts *o)
{
    snc_queue *q = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&q, 1, sizeof *q));
    q->o = *o;
    q->last = &q->first;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&q->monotonic);
    pthread_condattr_setclock(&q->monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&q->left, &q->monotonic);
    SNC_GOTO(snc_alloc(&q->place, (size_t)o->places, sizeof *q->place));
    for (int i = 0; i < o->places; i++) SNC_GOTO(make_place(&q->place[i], i, (size_t)o->batch));
    *out = q;
    q = NULL;
out:
    snc_queue_free(q);
    return err;
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
    q->ended = true;
    while (q->asking > 0) pthread_cond_wait(&q->left, &q->lock);
    pthread_mutex_unlock(&q->lock);
}

void snc_queue_free(snc_queue *q)
{
    if (!q) return;
    for (int i = 0; i < q->o.places && q->place; i++) {
        snc_free(q->place[i].text);
        snc_free(q->place[i].result);
        snc_free(q->place[i].part);
    }
    pthread_cond_destroy(&q->left);
    pthread_condattr_destroy(&q->monotonic);
    pthread_mutex_destroy(&q->lock);
    snc_free(q->place);
    snc_free(q);
}
