/* compress serve: options into a service's, and signals while it lasts. */
#include <string.h>

#include "artifact/context.h"
#include "artifact/parse.h"
#include "base/clock.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "serve/service.h"
#include "stage/verbs.h"

/* What files hold, and what the service is given. */
typedef struct server {
    char *token, *cert, *key;
    snc_service_opts o;
} server;

/* A line of a file, without blanks around it. */
static snc_err read_token(server *s, const char *path)
{
    size_t n;
    SNC_TRY(snc_file_read(&s->token, &n, path));
    s->token[strcspn(s->token, "\r\n")] = 0;
    n = strlen(s->token);
    SNC_CHECK(n > 0 && strcspn(s->token, " \t") == n, SNC_E_FORMAT, "--token-file %s: expected a token without blanks in the first line",
              path);
    s->o.token = s->token;
    return SNC_OK;
}

static snc_err read_tls(server *s, const snc_serve_opts *o)
{
    size_t n;
    SNC_CHECK(!o->tls_cert == !o->tls_key, SNC_E_ARG, "--tls-%s: --tls-%s is missing", o->tls_cert ? "cert" : "key",
              o->tls_cert ? "key" : "cert");
    if (!o->tls_cert) return SNC_OK;
    SNC_TRY(snc_file_read(&s->cert, &n, o->tls_cert));
    SNC_TRY(snc_file_read(&s->key, &n, o->tls_key));
    s->o.listener.cert = s->cert;
    s->o.listener.key = s->key;
    return SNC_OK;
}

static snc_err read_pace(snc_pace *out, const snc_options *o)
{
    const char *budget = o->predict.budget, *busy = o->serve.busy_budget;
    if (budget) SNC_TRY(snc_parse_us(&out->budget_us, "--budget", budget));
    if (busy) SNC_TRY(snc_parse_us(&out->busy_us, "--busy-budget", busy));
    SNC_CHECK(!budget || out->busy_us < out->budget_us, SNC_E_ARG, "--busy-budget %s: expected less than --budget, which is %s", busy,
              budget);
    return SNC_OK;
}

static snc_err prepare(server *s, const snc_options *o, const snc_ctx *ctx)
{
    const snc_serve_opts *v = &o->serve;
    double wait_us = 0, timeout, body;
    SNC_CHECK(o->input.n_models > 0, SNC_E_ARG, "serve: a model is missing: serve [NAME=]FILE.snc");
    if (v->batch_wait) SNC_TRY(snc_parse_us(&wait_us, "--batch-wait", v->batch_wait));
    SNC_CHECK(wait_us <= 1e6, SNC_E_ARG, "--batch-wait %s: expected a second at most", v->batch_wait);
    SNC_TRY(snc_parse_seconds(&timeout, "--timeout", v->timeout));
    SNC_CHECK(timeout >= 1 && timeout <= 86400, SNC_E_ARG, "--timeout %s: expected 1s to 24h", v->timeout);
    SNC_TRY(snc_parse_bytes(&body, "--max-body", v->max_body));
    SNC_CHECK(body >= 1 && body <= 1e9, SNC_E_ARG, "--max-body %s: expected 1B to 1GB", v->max_body);
    s->o.models = o->input.models;
    s->o.n_models = o->input.n_models;
    SNC_TRY(read_pace(&s->o.pace, o));
    s->o.queue =
        (snc_queue_opts){.places = ctx->threads, .batch = v->max_batch, .room = v->queue, .wait_s = wait_us / 1e6, .patience_s = timeout};
    s->o.listener = (snc_listener_opts){
        .host = v->host, .port = v->port, .connections = v->connections, .timeout_s = (int)timeout, .max_body = (size_t)body};
    if (v->token_file) SNC_TRY(read_token(s, v->token_file));
    return read_tls(s, v);
}

static void say_reload(void *user, bool fine, const char *line) { snc_log(user, fine ? SNC_LOG_INFO : SNC_LOG_WARN, "%s", line); }

/* Signals are looked for ten times a second. */
static void run(snc_service *s, snc_ctx *ctx, const snc_host *h)
{
    while (!snc_cancelled(ctx)) {
        if (h->reload && *h->reload) {
            *h->reload = 0;
            snc_service_reload(s, say_reload, ctx);
        }
        snc_sleep(0.1);
    }
}

snc_err snc_verb_serve(const snc_options *o, const snc_host *h)
{
    server s = {0};
    snc_service *service = NULL;
    snc_err err = SNC_OK;
    snc_ctx ctx;
    SNC_TRY(snc_context_init(&ctx, o, h, o->job.threads, 0));
    SNC_GOTO(prepare(&s, o, &ctx));
    SNC_GOTO(snc_service_start(&service, &s.o));
    snc_log(&ctx, SNC_LOG_INFO, "serve: http%s://%s:%d, %d model%s, %d thread%s", s.cert ? "s" : "", o->serve.host,
            snc_service_port(service), s.o.n_models, s.o.n_models == 1 ? "" : "s", ctx.threads, ctx.threads == 1 ? "" : "s");
    run(service, &ctx, h);
    snc_log(&ctx, SNC_LOG_INFO, "serve: all that came in is answered, then it ends");
out:
    snc_service_stop(service);
    snc_free(s.token);
    snc_free(s.cert);
    snc_free(s.key);
    return err;
}
