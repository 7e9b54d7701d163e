/* A line is put together from logits; classes of one name are told apart once, at the start. */
#include "report/answer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "models/cutoff.h"

/* Labels have no control characters: they were looked at where they came from. */
static snc_err quote(char **out, const char *s)
{
    size_t n = 0;
    SNC_TRY(snc_alloc(out, 2 * strlen(s) + 3, 1));
    (*out)[n++] = '"';
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') (*out)[n++] = '\\';
        (*out)[n++] = *s;
    }
    (*out)[n] = '"';
    return SNC_OK;
}

static snc_err name_class(snc_answers *a, int k)
{
    const char *label = a->l->labels ? a->l->labels[k] : NULL;
    size_t room = (label ? strlen(label) : 0) + 24;
    char *key = NULL;
    bool taken = false;
    SNC_TRY(snc_alloc(&a->name[k], room, 1));
    if (label) snprintf(a->name[k], room, "%s", label);
    else snprintf(a->name[k], room, "%d", k);
    for (int j = 0; j < k; j++) taken = taken || strcmp(a->name[j], a->name[k]) == 0;
    if (!taken) return quote(&a->key[k], a->name[k]);
    SNC_TRY(snc_alloc(&key, room, 1));
    snprintf(key, room, "%s#%d", label, k);
    snc_err err = quote(&a->key[k], key);
    snc_free(key);
    return err;
}

snc_err snc_answers_init(snc_answers *a, const snc_loaded *l, const snc_predict_opts *o)
{
    *a = (snc_answers){.l = l, .logits = o->logits, .jsonl = strcmp(o->format, "jsonl") == 0};
    SNC_TRY(snc_alloc(&a->order, (size_t)l->classes, sizeof *a->order));
    if (l->problem == SNC_MEANS_TAGS) SNC_TRY(snc_entity_tags_new(&a->tags, l->labels, l->classes));
    SNC_TRY(snc_alloc(&a->unit, (size_t)l->classes, sizeof *a->unit));
    SNC_TRY(snc_alloc(&a->name, (size_t)l->classes, sizeof *a->name));
    SNC_TRY(snc_alloc(&a->key, (size_t)l->classes, sizeof *a->key));
    for (int k = 0; k < l->classes; k++) SNC_TRY(name_class(a, k));
    return SNC_OK;
}

static void put_vector(snc_answers *a, const float *z, const char *comma)
{
    snc_vector_unit(a->unit, z, a->l->classes);
    for (int k = 0; k < a->l->classes; k++) snc_textbuf_put(&a->line, "%s%.7g", k ? comma : "", (double)a->unit[k]);
}

static void put_text(snc_answers *a, const float *z)
{
    int K = a->l->classes, best = snc_class_best(z, K);
    if (a->l->problem == SNC_MEANS_VECTOR) put_vector(a, z, "\t");
    else if (a->l->regression) {
        snc_textbuf_put(&a->line, "%.6f", snc_value_of(a->l->problem, z));
    } else if (a->l->problem == SNC_MEANS_MULTILABEL) {
        int n = snc_labels_there(a->order, z, K, a->l->threshold);
        snc_textbuf_put(&a->line, "%d", n);
        for (int i = 0; i < n; i++) {
            snc_textbuf_text(&a->line, "\t");
            snc_textbuf_text(&a->line, a->name[a->order[i]]);
            snc_textbuf_put(&a->line, "\t%.6f", snc_label_probability((double)z[a->order[i]]));
        }
    } else {
        snc_textbuf_text(&a->line, a->name[best]);
        snc_textbuf_put(&a->line, "\t%.6f", 1 / snc_class_sum(z, K, best));
    }
    for (int k = 0; k < K && a->logits; k++) snc_textbuf_put(&a->line, "\t%.9g", (double)z[k]);
}

static void put_bool(snc_answers *a, const char *key, bool yes) { snc_textbuf_put(&a->line, ",\"%s\":%s", key, yes ? "true" : "false"); }

static void put_labels(snc_answers *a, const float *z)
{
    int K = a->l->classes, n = snc_labels_there(a->order, z, K, a->l->threshold);
    snc_textbuf *d = &a->line;
    snc_textbuf_text(d, ",\"labels\":[");
    for (int i = 0; i < n; i++) {
        snc_textbuf_text(d, i ? "," : "");
        snc_textbuf_text(d, a->key[a->order[i]]);
    }
    snc_textbuf_text(d, "],\"probabilities\":");
    for (int k = 0; k < K; k++) {
        snc_textbuf_text(d, k ? "," : "{");
        snc_textbuf_text(d, a->key[k]);
        snc_textbuf_put(d, ":%.6g", snc_label_probability((double)z[k]));
    }
    snc_textbuf_text(d, "}");
}

static void put_json(snc_answers *a, const snc_asked_line *q, const float *z)
{
    int K = a->l->classes, best = snc_class_best(z, K);
    double sum = snc_class_sum(z, K, best);
    snc_textbuf *d = &a->line;
    snc_textbuf_put(d, "{\"line\":%ld", q->line);
    if (a->l->problem == SNC_MEANS_VECTOR) {
        snc_textbuf_text(d, ",\"vector\":[");
        put_vector(a, z, ",");
        snc_textbuf_text(d, "]");
    } else if (a->l->regression) {
        snc_textbuf_put(d, ",\"value\":%.9g", snc_value_of(a->l->problem, z));
    } else if (a->l->problem == SNC_MEANS_MULTILABEL) {
        put_labels(a, z);
    } else {
        snc_textbuf_text(d, ",\"label\":");
        snc_textbuf_text(d, a->key[best]);
        snc_textbuf_put(d, ",\"probability\":%.6g,\"probabilities\":", 1 / sum);
        for (int k = 0; k < K; k++) {
            snc_textbuf_text(d, k ? "," : "{");
            snc_textbuf_text(d, a->key[k]);
            snc_textbuf_put(d, ":%.6g", exp((double)z[k] - (double)z[best]) / sum);
        }
        snc_textbuf_text(d, "}");
    }
    for (int k = 0; k < K && a->logits; k++) {
        snc_textbuf_text(d, k ? "," : ",\"logits\":{");
        snc_textbuf_text(d, a->key[k]);
        snc_textbuf_put(d, ":%.9g%s", (double)z[k], k == K - 1 ? "}" : "");
    }
    put_bool(a, "cut", q->cut);
    put_bool(a, "invalid_utf8", q->broken);
    if (q->net >= 0) snc_textbuf_put(d, ",\"net\":%d", q->net);
    if (q->over >= 0) put_bool(a, "over_budget", q->over);
    snc_textbuf_text(d, "}");
}

/* ---- words ----------------------------------------------------------------------------------------------------------------- */

snc_err snc_tagged_add(snc_tagged *t, const char *word, size_t bytes)
{
    SNC_TRY(snc_grow(&t->word, &t->cap, (size_t)t->n + 1, sizeof *t->word));
    t->word[t->n++] = (struct snc_tagged_word){word, bytes};
    return SNC_OK;
}

static void put_words(snc_textbuf *d, const snc_tagged *w, int first, int end)
{
    snc_textbuf text = {0};
    for (int i = first; i < end; i++) {
        if (i > first) snc_textbuf_text(&text, " ");
        snc_textbuf_bytes(&text, w->word[i].p, w->word[i].n);
    }
    snc_textbuf_json(d, text.p ? text.p : "");
    snc_free(text.p);
}

/* Their texts too where these can be said: JSON is UTF-8. */
static snc_err put_entities(snc_answers *a, const snc_tagged *w, const float *said, bool texts)
{
    snc_textbuf *d = &a->line;
    snc_entity *found;
    SNC_TRY(snc_alloc(&found, (size_t)w->n + 1, sizeof *found));
    snc_textbuf_text(d, ",\"entities\":[");
    for (int i = 0, n = snc_entities_find(found, a->tags, said, w->read); i < n; i++) {
        char *kind = NULL;
        if (quote(&kind, snc_entity_kind(a->name[found[i].tag])) == SNC_OK)
            snc_textbuf_put(d, "%s{\"kind\":%s,\"first\":%d,\"end\":%d", i ? "," : "", kind, found[i].first, found[i].end);
        snc_free(kind);
        if (texts) snc_textbuf_text(d, ",\"text\":");
        if (texts) put_words(d, w, found[i].first, found[i].end);
        snc_textbuf_text(d, "}");
    }
    snc_textbuf_text(d, "]");
    snc_free(found);
    return SNC_OK;
}

static snc_err put_tags(snc_answers *a, const snc_asked_line *q, const snc_tagged *w, const float *z, const float *said)
{
    const int K = a->l->classes;
    snc_textbuf *d = &a->line;
    for (int i = 0; i < w->n && !a->jsonl; i++) {
        snc_textbuf_text(d, i ? " " : "");
        snc_textbuf_text(d, i < w->read ? a->name[(int)said[i]] : "-");
    }
    if (!a->jsonl) return SNC_OK;
    snc_textbuf_put(d, "{\"line\":%ld,\"tags\":[", q->line);
    for (int i = 0; i < w->n; i++) snc_textbuf_put(d, "%s%s", i ? "," : "", i < w->read ? a->key[(int)said[i]] : "null");
    snc_textbuf_text(d, "],\"probabilities\":[");
    for (int i = 0; i < w->read; i++)
        snc_textbuf_put(d, "%s%.6g", i ? "," : "", 1 / snc_class_sum(z + (size_t)i * (size_t)K, K, (int)said[i]));
    for (int i = w->read; i < w->n; i++) snc_textbuf_text(d, i ? ",null" : "null");
    snc_textbuf_text(d, "]");
    SNC_TRY(put_entities(a, w, said, !q->broken));
    put_bool(a, "cut", q->cut);
    put_bool(a, "invalid_utf8", q->broken);
    snc_textbuf_text(d, "}");
    return SNC_OK;
}

snc_err snc_answers_tag(const char **out, snc_answers *a, const snc_asked_line *q, const snc_tagged *w, const float *z)
{
    float *said;
    SNC_TRY(snc_alloc(&said, (size_t)w->n + 1, sizeof *said));
    for (int i = 0; i < w->read; i++) said[i] = (float)snc_class_best(z + (size_t)i * (size_t)a->l->classes, a->l->classes);
    a->line.n = 0;
    snc_textbuf_text(&a->line, "");
    snc_err err = put_tags(a, q, w, z, said);
    snc_free(said);
    *out = a->line.p;
    return err ? err : a->line.err;
}

snc_err snc_answers_say(const char **out, snc_answers *a, const snc_asked_line *q, const float *z)
{
    a->line.n = 0;
    if (a->jsonl) put_json(a, q, z);
    else put_text(a, z);
    *out = a->line.p;
    return a->line.err;
}

snc_err snc_answers_fail(const char **out, snc_answers *a, const snc_asked_line *q, const char *why)
{
    a->line.n = 0;
    snc_textbuf_put(&a->line, "{\"line\":%ld,\"error\":\"%s\"}", q->line, why);
    *out = a->line.p;
    return a->line.err;
}

void snc_answers_dispose(snc_answers *a)
{
    for (int k = 0; a->l && k < a->l->classes; k++) {
        if (a->name) snc_free(a->name[k]);
        if (a->key) snc_free(a->key[k]);
    }
    snc_free(a->order);
    snc_free(a->unit);
    snc_entity_tags_free(a->tags);
    snc_free(a->name);
    snc_free(a->key);
    snc_free(a->line.p);
    *a = (snc_answers){0};
}
