/* Requests come on the listener's thread, answers on those of the queue; models are looked up and replaced under one lock. */
#define _POSIX_C_SOURCE 200809L
#include "serve/service.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "serve/counters.h"
#include "serve/request.h"

static const double LAST_ANSWERS = 10; /* seconds for those that are being sent when it stops */

struct snc_service {
    snc_service_opts o;
    pthread_mutex_t lock;
    snc_served **model; /* [o.n_models], as they are now */
    snc_queue *queue;
    snc_counters *counters;
    snc_listener *listener;
    atomic_bool stopping;
};

enum { HEALTH, METRICS, MODELS, POSTS, PATHS = POSTS + SNC_ROUTES };
static const char *const path_names[PATHS] = {"/health", "/metrics", "/v1/models", "/v1/classify", "/v1/embeddings", "/v1/rerank"};

/* ---- answers ---------------------------------------------------------------------------------------------------------------- */

static int path_of(const snc_exchange *x)
{
    int i = 0;
    while (i < PATHS && strcmp(x->path, path_names[i]) != 0) i++;
    return i;
}

static void reply(snc_service *s, snc_exchange *x, const snc_reply *r)
{
    snc_counters_add(s->counters, path_of(x), r->status, snc_now() - x->came);
    snc_exchange_answer(x, r);
}

static void reply_json(snc_service *s, snc_exchange *x, snc_textbuf *body)
{
    reply(s, x, &(snc_reply){.status = 200, .type = "application/json", .body = *body});
}

static void refuse(snc_service *s, snc_exchange *x, int status, const char *why, const char *header, const char *value)
{
    snc_reply r = {.status = status, .type = "application/json", .header = header, .value = value};
    snc_textbuf_text(&r.body, "{\"error\":{\"message\":");
    snc_request_put_string(&r.body, why);
    snc_textbuf_put(&r.body, ",\"code\":%d}}", status);
    reply(s, x, &r);
}

static int status_of(snc_err err)
{
    switch (err) {
    case SNC_E_FORMAT:
    case SNC_E_ARG:
    case SNC_E_UNSUPPORTED: return 400;
    case SNC_E_NOTFOUND: return 404;
    case SNC_E_NOMEM:
    case SNC_E_CANCELLED: return 503;
    default: return 500;
    }
}

static void refuse_by(snc_service *s, snc_exchange *x, snc_err err, const char *why)
{
    const int status = status_of(err);
    refuse(s, x, status, why, status == 503 ? "Retry-After" : NULL, "1");
}

/* ---- models ------------------------------------------------------------------------------------------------------------------ */

static void name_of(char out[256], const char *given)
{
    const char *equals = strchr(given, '='), *slash = strrchr(given, '/'), *file = slash ? slash + 1 : given;
    const size_t n = strlen(file);
    const bool snc = n > 4 && strcmp(file + n - 4, ".snc") == 0;
    if (equals) snprintf(out, 256, "%.*s", (int)(equals - given), given);
    else snprintf(out, 256, "%.*s", (int)(snc ? n - 4 : n), file);
}

static const char *file_of(const char *given)
{
    const char *equals = strchr(given, '=');
    return equals ? equals + 1 : given;
}

/* Held by the caller. */
static snc_err find_model(snc_served **out, snc_service *s, const char *name)
{
    *out = NULL;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->o.n_models && !*out; i++)
        if (!name || strcmp(s->model[i]->name, name) == 0) *out = snc_served_hold(s->model[i]);
    pthread_mutex_unlock(&s->lock);
    SNC_CHECK(*out, SNC_E_NOTFOUND, "model '%.200s': none of that name is served", name);
    return SNC_OK;
}

static const char *kind_of(const snc_classifier *c)
{
    if (snc_classifier_vectors(c)) return "embedding";
    if (snc_classifier_tags(c)) return "tags";
    if (snc_classifier_multilabel(c)) return "multilabel";
    return snc_classifier_regression(c) ? "regression" : "classes";
}

static void put_model(snc_textbuf *d, const snc_served *m)
{
    const snc_classifier *c = m->model;
    const bool labels = !snc_classifier_vectors(c) && !snc_classifier_regression(c);
    snc_textbuf_text(d, "{\"id\":");
    snc_request_put_string(d, m->name);
    snc_textbuf_put(d, ",\"object\":\"model\",\"kind\":\"%s\",\"nets\":%d,", kind_of(c), snc_classifier_nets(c));
    if (!labels) snc_textbuf_put(d, "\"outputs\":%d}", snc_classifier_classes(c));
    if (labels) snc_textbuf_text(d, "\"labels\":[");
    for (int k = 0; labels && k < snc_classifier_classes(c); k++) {
        snc_textbuf_text(d, k ? "," : "");
        snc_textbuf_text(d, m->label[k]);
    }
    if (labels) snc_textbuf_text(d, "]}");
}

static void answer_models(snc_service *s, snc_exchange *x)
{
    snc_textbuf d = {0};
    snc_textbuf_text(&d, "{\"object\":\"list\",\"data\":[");
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->o.n_models; i++) {
        snc_textbuf_text(&d, i ? "," : "");
        put_model(&d, s->model[i]);
    }
    pthread_mutex_unlock(&s->lock);
    snc_textbuf_text(&d, "]}");
    reply_json(s, x, &d);
}

/* ---- questions ----------------------------------------------------------------------------------------------------------------- */

typedef struct question {
    snc_request r; /* first: its ask is what the queue gives back */
    snc_service *s;
    snc_exchange *x;
} question;

static void on_answers(snc_ask *ask)
{
    question *q = ask->user;
    snc_textbuf d = {0};
    snc_err err = ask->err;
    if (!err) {
        err = snc_request_answer(&d, &q->r);
        if (err) snprintf(ask->why, sizeof ask->why, "%s", snc_err_text());
    }
    if (err) {
        snc_free(d.p);
        refuse_by(q->s, q->x, err, ask->why);
    } else {
        reply_json(q->s, q->x, &d);
    }
    snc_request_dispose(&q->r);
    snc_free(q);
}

static snc_err bind_model(question *q)
{
    snc_served *m;
    SNC_TRY(find_model(&m, q->s, snc_request_model(&q->r)));
    snc_err err = snc_request_bind(&q->r, m);
    snc_served_drop(m); /* the request holds it by itself */
    return err;
}

static void ask(snc_service *s, snc_exchange *x, snc_route route)
{
    question *q;
    if (snc_alloc(&q, 1, sizeof *q) != SNC_OK) {
        refuse_by(s, x, SNC_E_NOMEM, snc_err_text());
        return;
    }
    q->s = s;
    q->x = x;
    snc_err err = snc_request_parse(&q->r, route, x->body, x->bytes);
    int status = 0;
    if (!err && q->r.ask.n > s->o.queue.room) {
        err = snc_err_set(SNC_E_ARG, "%d texts in a request: this server's queue has room for %d", q->r.ask.n, s->o.queue.room);
        status = 413;
    }
    if (!err) err = bind_model(q);
    if (!err) {
        q->r.ask.done = on_answers;
        q->r.ask.user = q;
        err = snc_queue_put(s->queue, &q->r.ask); /* from here on q may be gone */
        if (!err) return;
    }
    if (status) refuse(s, x, status, snc_err_text(), NULL, NULL);
    else refuse_by(s, x, err, snc_err_text());
    snc_request_dispose(&q->r);
    snc_free(q);
}

/* ---- requests ------------------------------------------------------------------------------------------------------------------- */

/* In a time that does not tell how much of it is right. */
static bool is_token(const char *given, const char *token)
{
    static const char scheme[] = "Bearer ";
    if (!given || strncasecmp(given, scheme, sizeof scheme - 1) != 0) return false;
    given += sizeof scheme - 1;
    const size_t n = strlen(given), m = strlen(token);
    unsigned differ = n != m;
    for (size_t i = 0; i < n; i++) differ |= (unsigned char)given[i] ^ (unsigned char)token[m ? i % m : 0];
    return !differ;
}

static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    const size_t n = sizeof json - 1;
    return !type || (strncasecmp(type, json, n) == 0 && strchr("; \t", type[n]));
}

static void answer_metrics(snc_service *s, snc_exchange *x)
{
    snc_queue_counts q;
    snc_reply r = {.status = 200, .type = "text/plain; version=0.0.4"};
    snc_queue_count(&q, s->queue);
    snc_counters_print(&r.body, s->counters, &q);
    reply(s, x, &r);
}

static void answer_health(snc_service *s, snc_exchange *x)
{
    snc_textbuf d = {0};
    snc_textbuf_text(&d, "{\"status\":\"ok\"}");
    reply_json(s, x, &d);
}

static void handle(void *user, snc_exchange *x)
{
    snc_service *s = user;
    const int path = path_of(x);
    const bool post = path >= POSTS, get = strcmp(x->method, "GET") == 0 || strcmp(x->method, "HEAD") == 0;
    char why[128];
    snprintf(why, sizeof why, "a body of more than %zu bytes", s->o.listener.max_body);
    if (x->too_large) refuse(s, x, 413, why, "Connection", "close");
    else if (path == PATHS) refuse(s, x, 404, "no such path", NULL, NULL);
    else if (s->stopping) refuse(s, x, 503, "the server stops", "Connection", "close");
    else if (s->o.token && path != HEALTH && !is_token(x->authorization, s->o.token))
        refuse(s, x, 401, "expected the server's token in 'Authorization: Bearer ...'", "WWW-Authenticate", "Bearer");
    else if (post ? strcmp(x->method, "POST") != 0 : !get) refuse(s, x, 405, "not by this method", "Allow", post ? "POST" : "GET, HEAD");
    else if (post && !is_json(x->content_type)) refuse(s, x, 415, "expected 'Content-Type: application/json'", NULL, NULL);
    else if (post) ask(s, x, (snc_route)(path - POSTS));
    else if (path == METRICS) answer_metrics(s, x);
    else if (path == MODELS) answer_models(s, x);
    else answer_health(s, x);
}

/* ---- the service ---------------------------------------------------------------------------------------------------------------- */

static snc_err open_models(snc_service *s)
{
    char name[256];
    SNC_TRY(snc_alloc(&s->model, (size_t)s->o.n_models, sizeof *s->model));
    for (int i = 0; i < s->o.n_models; i++) {
        name_of(name, s->o.models[i]);
        SNC_CHECK(*name, SNC_E_ARG, "serve: '%s': expected FILE or NAME=FILE", s->o.models[i]);
        for (int k = 0; k < i; k++)
            SNC_CHECK(strcmp(s->model[k]->name, name) != 0, SNC_E_ARG, "serve: two models are called '%s': NAME=FILE gives a name", name);
        SNC_TRY(snc_served_open(&s->model[i], name, file_of(s->o.models[i]), s->o.queue.workers, s->o.budget_us));
    }
    return SNC_OK;
}

snc_err snc_service_start(snc_service **out, const snc_service_opts *o)
{
    snc_service *s = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    s->o = *o;
    pthread_mutex_init(&s->lock, NULL);
    SNC_GOTO(open_models(s));
    SNC_GOTO(snc_counters_new(&s->counters, path_names, PATHS));
    SNC_GOTO(snc_queue_new(&s->queue, &o->queue));
    SNC_GOTO(snc_listener_start(&s->listener, &o->listener, handle, s));
    *out = s;
    s = NULL;
out:
    snc_service_stop(s);
    return err;
}

int snc_service_port(const snc_service *s) { return snc_listener_port(s->listener); }

void snc_service_reload(snc_service *s, void (*say)(void *user, bool fine, const char *line), void *user)
{
    for (int i = 0; i < s->o.n_models; i++) {
        char line[SNC_ERR_TEXT + 64];
        snc_served *now = NULL, *before = s->model[i]; /* this thread alone replaces them */
        snc_err err = snc_served_open(&now, before->name, before->path, s->o.queue.workers, s->o.budget_us);
        if (err) {
            snprintf(line, sizeof line, "%s; the model that was there stays", snc_err_text());
        } else {
            snprintf(line, sizeof line, "%s: read again", before->path);
            pthread_mutex_lock(&s->lock);
            s->model[i] = now;
            pthread_mutex_unlock(&s->lock);
            snc_served_drop(before);
        }
        say(user, !err, line);
    }
}

void snc_service_stop(snc_service *s)
{
    if (!s) return;
    s->stopping = true;
    if (s->listener) snc_listener_quiesce(s->listener);
    snc_queue_end(s->queue);
    snc_listener_stop(s->listener, LAST_ANSWERS);
    snc_queue_free(s->queue);
    snc_counters_free(s->counters);
    for (int i = 0; s->model && i < s->o.n_models; i++) snc_served_drop(s->model[i]);
    pthread_mutex_destroy(&s->lock);
    snc_free(s->model);
    snc_free(s);
}
