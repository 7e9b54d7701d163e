/* Strict reading: what is not known is refused, so that a misspelt key does not pass for one that is not given. */
#include "serve/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "base/utf8.h"
#include "models/cutoff.h"

static const char WHERE[] = "body";

/* ---- what is asked ---------------------------------------------------------------------------------------------------------- */

static snc_err check_utf8(const char *body, size_t bytes)
{
    const unsigned char *p = (const unsigned char *)body;
    for (size_t i = 0, n; i < bytes; i += n) {
        n = snc_utf8_sequence(p + i, bytes - i);
        SNC_CHECK(n > 0 && p[i] != 0, SNC_E_FORMAT, "body: byte %zu is no UTF-8", i);
    }
    return SNC_OK;
}

static snc_err text_of(const char **out, const cJSON *j, const char *what, int i)
{
    SNC_CHECK(cJSON_IsString(j), SNC_E_FORMAT, "body: '%s'[%d]: expected a text", what, i);
    *out = j->valuestring;
    return SNC_OK;
}

/* A text, or a pair of them. */
static snc_err read_text(snc_text *out, const cJSON *j, bool pairs, int i)
{
    *out = (snc_text){0};
    if (!pairs || !cJSON_IsArray(j)) {
        SNC_CHECK(cJSON_IsString(j), SNC_E_FORMAT, "body: 'input'[%d]: expected a text%s", i, pairs ? " or a pair of texts" : "");
        out->a = j->valuestring;
        return SNC_OK;
    }
    SNC_CHECK(cJSON_GetArraySize(j) == 2, SNC_E_FORMAT, "body: 'input'[%d]: a list of %d, expected a pair of texts", i,
              cJSON_GetArraySize(j));
    SNC_TRY(text_of(&out->a, j->child, "input", i));
    return text_of(&out->b, j->child->next, "input", i);
}

static snc_err read_inputs(snc_request *r, bool pairs)
{
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(r->json, "input"), *one;
    int n = cJSON_IsArray(input) ? cJSON_GetArraySize(input) : 1;
    SNC_CHECK(cJSON_IsString(input) || cJSON_IsArray(input), SNC_E_FORMAT, "body: 'input': expected a text or a list of texts");
    SNC_CHECK(n > 0, SNC_E_FORMAT, "body: 'input': an empty list, expected a text in it at least");
    SNC_TRY(snc_alloc(&r->text, (size_t)n, sizeof *r->text));
    r->ask.n = n;
    if (cJSON_IsString(input)) {
        r->text[0].a = input->valuestring;
        return SNC_OK;
    }
    int i = 0;
    cJSON_ArrayForEach(one, input)
    {
        SNC_TRY(read_text(&r->text[i], one, pairs, i));
        i++;
    }
    return SNC_OK;
}

/* The query with each document: a text, or an object with one. */
static snc_err read_documents(snc_request *r)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(r->json, "documents"), *one;
    const char *query;
    SNC_TRY(snc_json_str(&query, r->json, "query", NULL, WHERE));
    SNC_CHECK(query, SNC_E_FORMAT, "body: 'query': expected a text");
    SNC_CHECK(cJSON_IsArray(list) && list->child, SNC_E_FORMAT, "body: 'documents': expected a list of texts, one at least");
    r->ask.n = cJSON_GetArraySize(list);
    SNC_TRY(snc_alloc(&r->text, (size_t)r->ask.n, sizeof *r->text));
    int i = 0;
    cJSON_ArrayForEach(one, list)
    {
        r->text[i].a = query;
        SNC_TRY(text_of(&r->text[i].b, cJSON_IsObject(one) ? cJSON_GetObjectItemCaseSensitive(one, "text") : one, "documents", i));
        i++;
    }
    return SNC_OK;
}

static snc_err read_classify(snc_request *r)
{
    static const char *const keys[] = {"model", "input", "top_k", "logits", "user", NULL};
    SNC_TRY(snc_json_check_keys(r->json, keys, WHERE));
    SNC_TRY(snc_json_int(&r->top_k, r->json, "top_k", 0, 0, 1000000, WHERE));
    SNC_TRY(snc_json_bool(&r->logits, r->json, "logits", false, WHERE));
    return read_inputs(r, true);
}

static snc_err read_embeddings(snc_request *r)
{
    static const char *const keys[] = {"model", "input", "encoding_format", "user", NULL};
    const char *form;
    SNC_TRY(snc_json_check_keys(r->json, keys, WHERE));
    SNC_TRY(snc_json_str(&form, r->json, "encoding_format", "float", WHERE));
    r->base64 = strcmp(form, "base64") == 0;
    SNC_CHECK(r->base64 || strcmp(form, "float") == 0, SNC_E_FORMAT, "body: 'encoding_format': expected \"float\" or \"base64\"");
    return read_inputs(r, false);
}

static snc_err read_rerank(snc_request *r)
{
    static const char *const keys[] = {"model", "query", "documents", "top_n", "return_documents", "user", NULL};
    SNC_TRY(snc_json_check_keys(r->json, keys, WHERE));
    SNC_TRY(snc_json_int(&r->top_k, r->json, "top_n", 1000000, 1, 1000000, WHERE));
    SNC_TRY(snc_json_bool(&r->documents, r->json, "return_documents", false, WHERE));
    return read_documents(r);
}

snc_err snc_request_parse(snc_request *r, snc_route route, const char *body, size_t bytes)
{
    static snc_err (*const readers[SNC_ROUTES])(snc_request *) = {read_classify, read_embeddings, read_rerank};
    const char *model;
    *r = (snc_request){.route = route};
    SNC_TRY(check_utf8(body, bytes));
    snc_err err = snc_json_parse(&r->json, body, bytes, WHERE);
    if (!err && !cJSON_IsObject(r->json)) err = snc_err_set(SNC_E_FORMAT, "body: expected an object");
    if (!err) err = snc_json_str(&model, r->json, "model", NULL, WHERE);
    if (!err) err = readers[route](r);
    if (err) snc_request_dispose(r);
    return err;
}

const char *snc_request_model(const snc_request *r) { return snc_json_text(r->json, "model"); }

snc_err snc_request_bind(snc_request *r, snc_served *model)
{
    const snc_classifier *c = model->model;
    const bool vectors = snc_classifier_vectors(c), tags = snc_classifier_tags(c);
    r->ask.model = snc_served_hold(model);
    r->ask.text = r->text;
    SNC_CHECK(vectors == (r->route == SNC_ROUTE_EMBEDDINGS), SNC_E_UNSUPPORTED, "model '%s' %s", model->name,
              vectors ? "makes vectors: /v1/embeddings asks for them" : "makes no vectors");
    SNC_CHECK(r->route != SNC_ROUTE_RERANK || (snc_classifier_regression(c) && !vectors), SNC_E_UNSUPPORTED,
              "model '%s' gives no value of a pair, which is what documents are put in order by", model->name);
    for (int i = 0; tags && i < r->ask.n; i++)
        SNC_CHECK(!r->text[i].b, SNC_E_FORMAT, "body: 'input'[%d]: a pair, but model '%s' tags the words of one text", i, model->name);
    return SNC_OK;
}

void snc_request_dispose(snc_request *r)
{
    snc_ask_dispose(&r->ask);
    snc_served_drop(r->ask.model);
    cJSON_Delete(r->json);
    snc_free(r->text);
    *r = (snc_request){0};
}

/* ---- what is answered --------------------------------------------------------------------------------------------------------- */

static void put_numbers(snc_textbuf *d, const float *v, int n)
{
    snc_textbuf_text(d, "[");
    for (int k = 0; k < n; k++) snc_textbuf_put(d, k ? ",%.9g" : "%.9g", (double)v[k]);
    snc_textbuf_text(d, "]");
}

/* Little-endian, as NumPy's frombuffer has them. */
static void put_base64(snc_textbuf *d, const float *v, int n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)v;
    const size_t bytes = (size_t)n * sizeof *v;
    snc_textbuf_text(d, "\"");
    for (size_t i = 0; i < bytes; i += 3) {
        const size_t left = bytes - i;
        const unsigned x = (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
        const char four[4] = {digits[x >> 18], digits[x >> 12 & 63], left > 1 ? digits[x >> 6 & 63] : '=', left > 2 ? digits[x & 63] : '='};
        snc_textbuf_bytes(d, four, sizeof four);
    }
    snc_textbuf_text(d, "\"");
}

typedef struct ranked {
    int index;
    double value;
} ranked;

/* The highest first, equals in their order. */
static int compare(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->value != y->value) return x->value > y->value ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Classes by their probabilities: all of them, of a multilabel model each by itself. */
static void rank_classes(ranked *of, const snc_classifier *c, const float *z)
{
    const int K = snc_classifier_classes(c);
    for (int k = 0; k < K; k++)
        of[k] = (ranked){k, snc_classifier_multilabel(c) ? snc_label_probability((double)z[k]) : 1 / snc_class_sum(z, K, k)};
    qsort(of, (size_t)K, sizeof *of, compare);
}

/* Labels are said with as many digits as tell two floats apart. */
static void put_scores(snc_textbuf *d, const snc_served *m, const char *key, const ranked *of, int n)
{
    snc_textbuf_put(d, ",\"%s\":[", key);
    for (int k = 0; k < n; k++) {
        snc_textbuf_text(d, k ? ",{\"label\":" : "{\"label\":");
        snc_textbuf_text(d, m->label[of[k].index]);
        snc_textbuf_put(d, ",\"score\":%.9g}", of[k].value);
    }
    snc_textbuf_text(d, "]");
}

static void put_tags(snc_textbuf *d, const snc_served *m, const snc_answer *a)
{
    snc_textbuf_text(d, ",\"tags\":[");
    for (int k = 0; k < a->words; k++) {
        snc_textbuf_text(d, k ? "," : "");
        snc_textbuf_text(d, a->tag[k] < 0 ? "null" : m->label[a->tag[k]]);
    }
    snc_textbuf_text(d, "],\"scores\":[");
    for (int k = 0; k < a->words; k++) {
        snc_textbuf_text(d, k ? "," : "");
        if (a->tag[k] < 0) snc_textbuf_text(d, "null");
        else snc_textbuf_put(d, "%.9g", (double)a->sure[k]);
    }
    snc_textbuf_text(d, "]");
}

/* What stands in an answer of one text, but its place. of, label: [classes] scratch. */
static snc_err put_classes(snc_textbuf *d, const snc_request *r, int i, ranked *of, int *label)
{
    const snc_served *m = r->ask.model;
    const snc_answer *a = &r->ask.answer[i];
    const bool value = snc_classifier_regression(m->model);
    const int K = snc_classifier_classes(m->model);
    const snc_result result = {.logits = r->ask.logits + (size_t)i * (size_t)K};
    if (!value) rank_classes(of, m->model, result.logits);
    if (snc_classifier_multilabel(m->model)) {
        int n;
        SNC_TRY(snc_result_labels(label, NULL, &n, m->model, &result));
        put_scores(d, m, "labels", of, n); /* the first ones of them */
    } else if (!value) {
        snc_textbuf_text(d, ",\"label\":");
        snc_textbuf_text(d, m->label[a->index]);
    }
    if (!snc_classifier_multilabel(m->model)) snc_textbuf_put(d, ",\"score\":%.9g", (double)a->score);
    if (r->top_k && !value) put_scores(d, m, "scores", of, snc_min(r->top_k, K));
    if (r->logits) {
        snc_textbuf_text(d, ",\"logits\":");
        put_numbers(d, result.logits, K);
    }
    if (snc_classifier_nets(m->model) > 1) snc_textbuf_put(d, ",\"net\":%d", a->net);
    if (a->lowered) snc_textbuf_text(d, ",\"lowered\":true");
    return SNC_OK;
}

static snc_err answer_classify(snc_textbuf *d, const snc_request *r)
{
    const snc_served *m = r->ask.model;
    const size_t K = (size_t)snc_classifier_classes(m->model);
    ranked *of = NULL;
    int *label = NULL;
    snc_err err = SNC_OK;
    SNC_GOTO(snc_alloc(&of, K, sizeof *of));
    SNC_GOTO(snc_alloc(&label, K, sizeof *label));
    for (int i = 0; i < r->ask.n; i++) {
        snc_textbuf_put(d, "%s{\"index\":%d", i ? "," : "", i);
        if (snc_classifier_tags(m->model)) put_tags(d, m, &r->ask.answer[i]);
        else SNC_GOTO(put_classes(d, r, i, of, label));
        snc_textbuf_text(d, "}");
    }
out:
    snc_free(of);
    snc_free(label);
    return err;
}

static snc_err answer_embeddings(snc_textbuf *d, const snc_request *r)
{
    const int K = snc_classifier_classes(r->ask.model->model);
    for (int i = 0; i < r->ask.n; i++) {
        const float *v = r->ask.logits + (size_t)i * (size_t)K;
        snc_textbuf_put(d, "%s{\"object\":\"embedding\",\"index\":%d,\"embedding\":", i ? "," : "", i);
        if (r->base64) put_base64(d, v, K);
        else put_numbers(d, v, K);
        snc_textbuf_text(d, "}");
    }
    return SNC_OK;
}

static snc_err answer_rerank(snc_textbuf *d, const snc_request *r)
{
    ranked *of;
    SNC_TRY(snc_alloc(&of, (size_t)r->ask.n, sizeof *of));
    for (int i = 0; i < r->ask.n; i++) of[i] = (ranked){i, (double)r->ask.answer[i].score};
    qsort(of, (size_t)r->ask.n, sizeof *of, compare);
    for (int i = 0; i < snc_min(r->ask.n, r->top_k); i++) {
        snc_textbuf_put(d, "%s{\"index\":%d,\"relevance_score\":%.9g", i ? "," : "", of[i].index, of[i].value);
        if (r->documents) {
            snc_textbuf_text(d, ",\"document\":{\"text\":");
            snc_textbuf_json(d, r->text[of[i].index].b);
            snc_textbuf_text(d, "}");
        }
        snc_textbuf_text(d, "}");
    }
    snc_free(of);
    return SNC_OK;
}

snc_err snc_request_answer(snc_textbuf *out, const snc_request *r)
{
    static snc_err (*const writers[SNC_ROUTES])(snc_textbuf *, const snc_request *) = {answer_classify, answer_embeddings, answer_rerank};
    snc_textbuf_text(out, "{\"object\":\"list\",\"model\":");
    snc_textbuf_json(out, r->ask.model->name);
    snc_textbuf_text(out, r->route == SNC_ROUTE_RERANK ? ",\"results\":[" : ",\"data\":[");
    SNC_TRY(writers[r->route](out, r));
    snc_textbuf_text(out, "]}");
    return out->err;
}
