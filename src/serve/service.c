/* A request is answered on its connection's thread; models are looked up and replaced under one lock. */
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

static void reply_json(snc_reply *r)
{
    r->status = 200;
    r->type = "application/json";
}

static void refuse(snc_reply *r, int status, const char *why, const char *header, const char *value)
{
    *r = (snc_reply){.status = status, .type = "application/json", .header = {{header, value}}};
    snc_textbuf_text(&r->body, "{\"error\":{\"message\":");
    snc_textbuf_json(&r->body, why);
    snc_textbuf_put(&r->body, ",\"code\":%d}}", status);
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

static void refuse_by(snc_reply *r, snc_err err)
{
    const int status = status_of(err);
    refuse(r, status, snc_err_text(), status == 503 ? "Retry-After" : NULL, "1");
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
    snc_textbuf_json(d, m->name);
    snc_textbuf_put(d, ",\"object\":\"model\",\"kind\":\"%s\",\"nets\":%d,", kind_of(c), snc_classifier_nets(c));
    if (!labels) snc_textbuf_put(d, "\"outputs\":%d}", snc_classifier_classes(c));
    if (labels) snc_textbuf_text(d, "\"labels\":[");
    for (int k = 0; labels && k < snc_classifier_classes(c); k++) {
        snc_textbuf_text(d, k ? "," : "");
        snc_textbuf_text(d, m->label[k]);
    }
    if (labels) snc_textbuf_text(d, "]}");
}

static void answer_models(snc_reply *r, snc_service *s)
{
    snc_textbuf_text(&r->body, "{\"object\":\"list\",\"data\":[");
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->o.n_models; i++) {
        snc_textbuf_text(&r->body, i ? "," : "");
        put_model(&r->body, s->model[i]);
    }
    pthread_mutex_unlock(&s->lock);
    snc_textbuf_text(&r->body, "]}");
    reply_json(r);
}

/* ---- questions ----------------------------------------------------------------------------------------------------------------- */

static snc_err bind_model(snc_request *r, snc_service *s)
{
    snc_served *m;
    SNC_TRY(find_model(&m, s, snc_request_model(r)));
    snc_err err = snc_request_bind(r, m);
    snc_served_drop(m); /* the request holds it by itself */
    return err;
}

static void ask(snc_reply *out, snc_service *s, const snc_exchange *x, snc_route route)
{
    snc_request r;
    char why[96];
    snc_err err = snc_request_parse(&r, route, x->body, x->bytes);
    if (err) {
        refuse_by(out, err);
        return;
    }
    if (r.ask.n > s->o.queue.room) {
        snprintf(why, sizeof why, "%d texts in a request: this server's queue has room for %d", r.ask.n, s->o.queue.room);
        refuse(out, 413, why, NULL, NULL);
        snc_request_dispose(&r);
        return;
    }
    err = bind_model(&r, s);
    if (!err) err = snc_queue_ask(s->queue, &r.ask);
    if (!err) err = snc_request_answer(&out->body, &r);
    if (err) {
        snc_free(out->body.p);
        refuse_by(out, err);
    } else {
        reply_json(out);
    }
    snc_request_dispose(&r);
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

static void answer_metrics(snc_reply *r, snc_service *s)
{
    snc_queue_counts q;
    snc_queue_count(&q, s->queue);
    r->status = 200;
    r->type = "text/plain; version=0.0.4";
    snc_counters_print(&r->body, s->counters, &q);
}

static void answer_health(snc_reply *r)
{
    snc_textbuf_text(&r->body, "{\"status\":\"ok\"}");
    reply_json(r);
}

static void decide(snc_reply *r, snc_service *s, const snc_exchange *x, int path)
{
    const bool post = path >= POSTS, get = strcmp(x->method, "GET") == 0 || strcmp(x->method, "HEAD") == 0;
    char why[128];
    snprintf(why, sizeof why, "a body of more than %zu bytes", s->o.listener.max_body);
    if (x->too_large) refuse(r, 413, why, "Connection", "close");
    else if (path == PATHS) refuse(r, 404, "no such path", NULL, NULL);
    else if (s->stopping) refuse(r, 503, "the server stops", "Connection", "close");
    else if (s->o.token && path != HEALTH && !is_token(x->authorization, s->o.token))
        refuse(r, 401, "expected the server's token in 'Authorization: Bearer ...'", "WWW-Authenticate", "Bearer");
    else if (post ? strcmp(x->method, "POST") != 0 : !get) refuse(r, 405, "not by this method", "Allow", post ? "POST" : "GET, HEAD");
    else if (post && !is_json(x->content_type)) refuse(r, 415, "expected 'Content-Type: application/json'", NULL, NULL);
    else if (post) ask(r, s, x, (snc_route)(path - POSTS));
    else if (path == METRICS) answer_metrics(r, s);
    else if (path == MODELS) answer_models(r, s);
    else answer_health(r);
}

static void handle(void *user, const snc_exchange *x, snc_reply *r)
{
    snc_service *s = user;
    const int path = path_of(x);
    decide(r, s, x, path);
    snc_counters_add(s->counters, path, r->status, snc_now() - x->came);
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
        SNC_TRY(snc_served_open(&s->model[i], name, file_of(s->o.models[i]), s->o.queue.places, &s->o.pace));
    }
    return SNC_OK;
}

static snc_err start_listener(snc_service *s)
{
    char where[300];
    snc_err err = snc_listener_start(&s->listener, &s->o.listener, handle, s);
    snprintf(where, sizeof where, "--host %.250s --port %d", s->o.listener.host, s->o.listener.port);
    return err == SNC_E_IO ? snc_err_prefix(err, where) : err;
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
    SNC_GOTO(start_listener(s));
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
        snc_err err = snc_served_open(&now, before->name, before->path, s->o.queue.places, &s->o.pace);
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
