/* serve/request.h: what a body asks for, and what is answered, as JSON. */
#ifndef SNC_SERVE_REQUEST_H
#define SNC_SERVE_REQUEST_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/textbuf.h"
#include "serve/queue.h"

typedef enum snc_route { SNC_ROUTE_CLASSIFY, SNC_ROUTE_EMBEDDINGS, SNC_ROUTE_RERANK, SNC_ROUTES } snc_route;

/* A body that was read, and its answers as they are made. The texts are of its JSON. */
typedef struct snc_request {
    snc_route route;
    cJSON *json;
    snc_text *text;
    int top_k; /* classify: so many classes with their scores, 0: none; rerank: so many documents, all where there is no top_n */
    bool logits, base64, documents; /* classify: raw ones too; embeddings: numbers in that form; rerank: with their texts */
    snc_ask ask;
} snc_request;

/* SNC_E_FORMAT: what of it is not as it must be. No model is asked for yet. */
snc_err snc_request_parse(snc_request *r, snc_route route, const char *body, size_t bytes) SNC_MUST_USE;
/* The name of the model that it asks for; NULL: of none. */
const char *snc_request_model(const snc_request *r);
/* Whether this model, which the request holds from here on, answers such requests. SNC_E_UNSUPPORTED, SNC_E_FORMAT. */
snc_err snc_request_bind(snc_request *r, snc_served *model) SNC_MUST_USE;
/* Once the queue has answered r->ask. */
snc_err snc_request_answer(snc_textbuf *out, const snc_request *r) SNC_MUST_USE;
void snc_request_dispose(snc_request *r);

#endif
