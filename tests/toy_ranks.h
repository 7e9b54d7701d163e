/* toy_ranks.h: ranks that are threads of one process, for tests: what a message holds is copied when both ends of it are there.
 *
 *     static void body(snc_comm *c, void *user) { ... }
 *     toy_ranks(3, body, user);        with each rank in a thread of its own, until all have returned
 */
#ifndef SNC_TESTS_TOY_RANKS_H
#define SNC_TESTS_TOY_RANKS_H

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/comm.h"

enum { TOY_RANKS_MOST = 8 };

typedef struct toy_mail { /* an end of a message */
    bool send, done;
    int from, to, tag;
    const void *out;
    void *in;
    size_t bytes;
    struct toy_mail *next;
} toy_mail;

typedef struct toy_post {
    pthread_mutex_t lock;
    toy_mail *first; /* ends that wait for their other ends, oldest first */
    int messages;
    size_t bytes; /* of all of them */
} toy_post;

typedef struct toy_rank {
    toy_post *post;
    int rank;
    snc_comm *c;
    void (*body)(snc_comm *c, void *user);
    void *user;
} toy_rank;

static bool toy_match(const toy_mail *a, const toy_mail *b)
{
    return a->send != b->send && a->from == b->from && a->to == b->to && a->tag == b->tag;
}

/* Joins the mail with the oldest that it matches, or leaves it in the queue. */
static void toy_join(toy_post *p, toy_mail *m)
{
    toy_mail **at = &p->first;
    pthread_mutex_lock(&p->lock);
    while (*at && !toy_match(*at, m)) at = &(*at)->next;
    toy_mail *other = *at;
    if (other) {
        const toy_mail *out = m->send ? m : other, *in = m->send ? other : m;
        assert(out->bytes == in->bytes); /* sizes are agreed on before */
        memcpy(in->in, out->out, out->bytes);
        m->done = other->done = true;
        *at = other->next;
        p->messages++;
        p->bytes += out->bytes;
    } else *at = m;
    pthread_mutex_unlock(&p->lock);
}

static snc_err toy_begin(void **request, toy_mail m, toy_post *p)
{
    toy_mail *mail = malloc(sizeof *mail);
    assert(mail);
    *mail = m;
    toy_join(p, mail);
    *request = mail;
    return SNC_OK;
}

static snc_err toy_send(void **request, void *state, int to, int tag, const void *data, size_t bytes)
{
    const toy_rank *r = state;
    return toy_begin(request, (toy_mail){.send = true, .from = r->rank, .to = to, .tag = tag, .out = data, .bytes = bytes}, r->post);
}

static snc_err toy_receive(void **request, void *state, int from, int tag, void *data, size_t bytes)
{
    const toy_rank *r = state;
    return toy_begin(request, (toy_mail){.from = from, .to = r->rank, .tag = tag, .in = data, .bytes = bytes}, r->post);
}

static snc_err toy_test(bool *done, void *state, void *request)
{
    toy_post *p = ((const toy_rank *)state)->post;
    toy_mail *m = request;
    pthread_mutex_lock(&p->lock);
    *done = m->done;
    pthread_mutex_unlock(&p->lock);
    if (*done) free(m);
    return SNC_OK;
}

static void toy_abandon(void *state, void *request)
{
    toy_post *p = ((const toy_rank *)state)->post;
    pthread_mutex_lock(&p->lock);
    toy_mail **at = &p->first;
    while (*at && *at != request) at = &(*at)->next;
    if (*at) *at = (*at)->next;
    pthread_mutex_unlock(&p->lock);
    free(request);
}

static void toy_nothing(void *state) { (void)state; }

/* toy-0.test, toy-1.test, ... */
static void toy_host(void *state, char name[SNC_COMM_NAME])
{
    snprintf(name, SNC_COMM_NAME, "toy-%d.test", ((const toy_rank *)state)->rank);
}

static const snc_comm_kind toy_kind = {"threads", toy_send, toy_receive, toy_test, toy_abandon, toy_nothing, toy_nothing, toy_host};

static void *toy_run(void *user)
{
    const toy_rank *r = user;
    r->body(r->c, r->user);
    return NULL;
}

/* Returns how many messages were sent, and their bytes, where they are asked for. */
static inline int toy_ranks_bytes(size_t *bytes, int size, void (*body)(snc_comm *c, void *user), void *user)
{
    toy_post post = {.lock = PTHREAD_MUTEX_INITIALIZER};
    toy_rank r[TOY_RANKS_MOST];
    pthread_t thread[TOY_RANKS_MOST];
    assert(size <= TOY_RANKS_MOST);
    for (int i = 0; i < size; i++) {
        r[i] = (toy_rank){.post = &post, .rank = i, .body = body, .user = user};
        assert(snc_comm_new(&r[i].c, &toy_kind, &r[i], i, size) == SNC_OK);
        r[i].c->host_ranks = r[i].c->neighbours = size;
    }
    for (int i = 1; i < size; i++) assert(pthread_create(&thread[i], NULL, toy_run, &r[i]) == 0);
    toy_run(&r[0]);
    for (int i = 1; i < size; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < size; i++) snc_comm_close(r[i].c);
    assert(!post.first); /* nothing was left behind */
    if (bytes) *bytes = post.bytes;
    return post.messages;
}

static inline int toy_ranks(int size, void (*body)(snc_comm *c, void *user), void *user) { return toy_ranks_bytes(NULL, size, body, user); }

#endif
