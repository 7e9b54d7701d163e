/* serve/service.h: models behind HTTP: paths, what each does, and how a server begins, reads its models again, and ends.
 *
 *     SNC_TRY(snc_service_start(&s, &opts));
 *     snc_service_reload(s, say, user)       the files again; one that cannot be read leaves the model that was there
 *     snc_service_stop(s);                   all that came in is answered before
 *
 *     GET  /health             200 while it serves, without a token
 *     GET  /metrics            Prometheus' text (serve/counters.h)
 *     GET  /v1/models          {"object":"list","data":[{"id":"NAME","object":"model","kind":"classes","labels":[...],"nets":1}]}
 *     POST /v1/classify        {"input":TEXT or [TEXT or [TEXT,TEXT],...],"model":NAME,"top_k":N,"logits":false}
 *     POST /v1/embeddings      {"input":TEXT or [TEXT,...],"model":NAME,"encoding_format":"float" or "base64"}
 *     POST /v1/rerank          {"query":TEXT,"documents":[TEXT or {"text":TEXT},...],"model":NAME,"top_n":N,"return_documents":false}
 *
 * Without "model" the first one answers. What fails is {"error":{"message":...,"code":STATUS}}; configs/openapi.json has all of it.
 */
#ifndef SNC_SERVE_SERVICE_H
#define SNC_SERVE_SERVICE_H

#include "http/listener.h"
#include "serve/queue.h"

typedef struct snc_service_opts {
    const char *const *models; /* [n_models] PATH or NAME=PATH; without a name it is the file's, less .snc */
    int n_models;
    snc_pace pace;     /* of every model */
    const char *token; /* that requests have to name; NULL: none */
    snc_queue_opts queue;
    snc_listener_opts listener;
} snc_service_opts;

typedef struct snc_service snc_service;
/* Strings are borrowed until it stops. SNC_E_ARG: two models of one name. */
snc_err snc_service_start(snc_service **out, const snc_service_opts *o) SNC_MUST_USE;
int snc_service_port(const snc_service *s);
/* Says a line of each model: what was read, or why it was not. */
void snc_service_reload(snc_service *s, void (*say)(void *user, bool fine, const char *line), void *user);
void snc_service_stop(snc_service *s); /* NULL is fine */

#endif
