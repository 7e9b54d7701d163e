/* The embeddable runtime of snc.h: text in, label out. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "stage/load.h"

enum { CHUNK = 32 }; /* texts in one run */

struct snc_classifier {
    snc_ctx ctx;
    snc_loaded l;
};

struct snc_session {
    snc_ctx ctx;
    const snc_classifier *c;
    snc_tok_scratch *scratch;
    snc_net *net;
    int32_t *ids, *types, offsets[CHUNK + 1];
    float *logits; /* [cap, K] */
    size_t cap;
};

snc_err snc_classifier_open(snc_classifier **out, const char *path)
{
    snc_classifier *c = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&c, 1, sizeof *c));
    c->ctx = (snc_ctx)SNC_CTX_INIT;
    SNC_GOTO(snc_loaded_open(&c->l, &c->ctx, path, 0, false));
    if (!c->l.tok) err = snc_err_set(SNC_E_NOTFOUND, "%s: has no tokenizer inside", path);
    else err = snc_weights_prepare(c->l.weights, NULL, NULL); /* so that sessions of other threads only read */
out:
    if (err) snc_classifier_close(c);
    else *out = c;
    return err;
}

void snc_classifier_close(snc_classifier *c)
{
    if (!c) return;
    snc_loaded_close(&c->l);
    snc_free(c);
}

int snc_classifier_classes(const snc_classifier *c) { return c->l.classes; }
int snc_classifier_regression(const snc_classifier *c) { return c->l.regression; }

const char *snc_classifier_label(const snc_classifier *c, int k)
{
    return k >= 0 && k < c->l.classes && c->l.labels ? c->l.labels[k] : NULL;
}

snc_err snc_session_new(snc_session **out, snc_classifier *c, int threads)
{
    snc_session *s = NULL;
    snc_err err = SNC_OK;
    size_t tokens = (size_t)CHUNK * (size_t)c->l.max_length;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    s->c = c;
    s->ctx = c->ctx;
    s->ctx.threads = threads;
    SNC_GOTO(snc_ctx_check(&s->ctx));
    SNC_GOTO(snc_tok_scratch_new(&s->scratch));
    SNC_GOTO(snc_alloc(&s->ids, tokens, sizeof *s->ids));
    SNC_GOTO(snc_alloc(&s->types, tokens, sizeof *s->types));
    snc_net_opts o = {.max_tokens = (int)tokens, .max_seqs = CHUNK, .max_len = c->l.max_length};
    SNC_GOTO(snc_net_create(&s->net, &s->ctx, c->l.weights, NULL, NULL, &o));
out:
    if (err) snc_session_free(s);
    else *out = s;
    return err;
}

void snc_session_free(snc_session *s)
{
    if (!s) return;
    snc_net_free(s->net);
    snc_tok_scratch_free(s->scratch);
    snc_free(s->ids);
    snc_free(s->types);
    snc_free(s->logits);
    snc_free(s);
}

/* texts: n of them, the first of which is the caller's text `first`. */
static snc_err run_chunk(float *logits, snc_session *s, const snc_text *texts, int n, int first)
{
    int T = 0;
    for (int i = 0; i < n; i++) {
        const char *b = texts[i].b;
        snc_encoding e;
        SNC_TRY(snc_tok_encode(&e, s->c->l.tok, s->scratch, texts[i].a, strlen(texts[i].a), b, b ? strlen(b) : 0, s->c->l.max_length));
        memcpy(s->ids + T, e.ids, (size_t)e.n * sizeof *e.ids);
        memcpy(s->types + T, e.types, (size_t)e.n * sizeof *e.types);
        s->offsets[i] = T;
        T += e.n;
    }
    s->offsets[n] = T;
    snc_tokens x = {.B = n, .T = T, .ids = s->ids, .types = s->types, .offsets = s->offsets};
    snc_err err = snc_net_run(logits, s->net, &x);
    if (err == SNC_E_DIVERGED)
        err = snc_err_set(err, "%s: text %d: its logits are not finite", s->c->l.path, first + snc_logits_bad(logits, n, s->c->l.classes));
    return err;
}

static void decide(snc_result *r, const snc_classifier *c, const float *z)
{
    double sum = 0;
    *r = (snc_result){.logits = z};
    if (c->l.regression) {
        r->score = z[0];
        return;
    }
    for (int k = 1; k < c->l.classes; k++)
        if (z[k] > z[r->index]) r->index = k;
    for (int k = 0; k < c->l.classes; k++) sum += exp((double)z[k] - (double)z[r->index]);
    r->score = (float)(1 / sum);
    r->label = snc_classifier_label(c, r->index);
}

snc_err snc_classify(snc_result *results, snc_session *s, const snc_text *texts, int n)
{
    int K = s->c->l.classes;
    SNC_CHECK(n >= 0, SNC_E_ARG, "%d texts", n);
    SNC_TRY(snc_grow(&s->logits, &s->cap, (size_t)n * (size_t)K, sizeof *s->logits));
    for (int i = 0; i < n; i += CHUNK)
        SNC_TRY(run_chunk(s->logits + (size_t)i * (size_t)K, s, texts + i, n - i < CHUNK ? n - i : CHUNK, i));
    for (int i = 0; i < n; i++) decide(&results[i], s->c, s->logits + (size_t)i * (size_t)K);
    return SNC_OK;
}
