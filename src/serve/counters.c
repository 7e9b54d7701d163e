/* Sums are kept by path, and cumulative only when they are printed. */
#define _POSIX_C_SOURCE 200809L
#include "serve/counters.h"

#include <pthread.h>

#include "base/mem.h"

enum { CODES = 600, EDGES = 13 };

static const double edge[EDGES] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5}; /* seconds */

typedef struct path_counts {
    long of[CODES];    /* by status */
    long below[EDGES]; /* and not below the edge before */
    long all;
    double seconds;
} path_counts;

struct snc_counters {
    pthread_mutex_t lock;
    const char *const *names;
    int n;
    path_counts *path; /* [n + 1] */
};

snc_err snc_counters_new(snc_counters **out, const char *const *names, int n)
{
    snc_counters *c;
    SNC_TRY(snc_alloc(&c, 1, sizeof *c));
    c->names = names;
    c->n = n;
    pthread_mutex_init(&c->lock, NULL);
    snc_err err = snc_alloc(&c->path, (size_t)n + 1, sizeof *c->path);
    if (err) snc_counters_free(c);
    else *out = c;
    return err;
}

void snc_counters_free(snc_counters *c)
{
    if (!c) return;
    pthread_mutex_destroy(&c->lock);
    snc_free(c->path);
    snc_free(c);
}

void snc_counters_add(snc_counters *c, int name, int status, double seconds)
{
    path_counts *p = &c->path[name];
    int i = 0;
    while (i < EDGES && seconds > edge[i]) i++;
    pthread_mutex_lock(&c->lock);
    p->of[status]++;
    if (i < EDGES) p->below[i]++;
    p->all++;
    p->seconds += seconds;
    pthread_mutex_unlock(&c->lock);
}

static void about(snc_textbuf *d, const char *name, const char *kind, const char *help)
{
    snc_textbuf_put(d, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static const char *name_of(const snc_counters *c, int i) { return i < c->n ? c->names[i] : "other"; }

static void print_requests(snc_textbuf *d, const snc_counters *c)
{
    about(d, "snc_requests_total", "counter", "Requests that were answered.");
    for (int i = 0; i <= c->n; i++)
        for (int code = 0; code < CODES; code++)
            if (c->path[i].of[code])
                snc_textbuf_put(d, "snc_requests_total{path=\"%s\",code=\"%d\"} %ld\n", name_of(c, i), code, c->path[i].of[code]);
    about(d, "snc_request_seconds", "histogram", "From the first line of a request to its answer.");
    for (int i = 0; i <= c->n; i++) {
        const path_counts *p = &c->path[i];
        long sum = 0;
        for (int k = 0; k < EDGES && p->all; k++)
            snc_textbuf_put(d, "snc_request_seconds_bucket{path=\"%s\",le=\"%g\"} %ld\n", name_of(c, i), edge[k], sum += p->below[k]);
        if (p->all)
            snc_textbuf_put(d,
                            "snc_request_seconds_bucket{path=\"%s\",le=\"+Inf\"} %ld\nsnc_request_seconds_sum{path=\"%s\"} %.6f\n"
                            "snc_request_seconds_count{path=\"%s\"} %ld\n",
                            name_of(c, i), p->all, name_of(c, i), p->seconds, name_of(c, i), p->all);
    }
}

static void print_queue(snc_textbuf *d, const snc_queue_counts *q)
{
    long sum = 0;
    about(d, "snc_queue_texts", "gauge", "Texts that wait to be answered.");
    snc_textbuf_put(d, "snc_queue_texts %ld\n", q->waiting);
    about(d, "snc_lowered_texts_total", "counter", "Texts that --busy-budget was for.");
    snc_textbuf_put(d, "snc_lowered_texts_total %ld\n", q->lowered);
    about(d, "snc_batch_texts", "histogram", "Texts that were answered together.");
    for (int i = 0; i < SNC_QUEUE_SIZES; i++) {
        sum += q->batches[i];
        if (i < SNC_QUEUE_SIZES - 1) snc_textbuf_put(d, "snc_batch_texts_bucket{le=\"%d\"} %ld\n", 1 << i, sum);
    }
    snc_textbuf_put(d, "snc_batch_texts_bucket{le=\"+Inf\"} %ld\nsnc_batch_texts_sum %ld\nsnc_batch_texts_count %ld\n", sum, q->texts, sum);
}

void snc_counters_print(snc_textbuf *out, snc_counters *c, const snc_queue_counts *q)
{
    pthread_mutex_lock(&c->lock);
    print_requests(out, c);
    pthread_mutex_unlock(&c->lock);
    print_queue(out, q);
}
