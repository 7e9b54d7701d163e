/* compress predict: a label and its probability for each line. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "stage/load.h"
#include "stage/verbs.h"

enum { LINES = 64 }; /* answered together; order is kept */

typedef struct batch {
    int32_t *ids, *types, offsets[LINES + 1];
    float *logits;
    int n;
} batch;

typedef struct predictor {
    const snc_options *o;
    const snc_host *h;
    snc_loaded l;
    snc_tok_scratch *scratch;
    snc_net *net;
    batch b;
    long lines, truncated; /* answered; cut */
} predictor;

static void say_line(const predictor *p, const float *z)
{
    char text[32 * SNC_MAX_CLASSES];
    size_t at = 0;
    int K = p->l.classes, best = 0;
    double sum = 0;
    for (int k = 1; k < K; k++)
        if (z[k] > z[best]) best = k;
    for (int k = 0; k < K; k++) sum += exp((double)z[k] - (double)z[best]);
    if (p->l.regression) at += (size_t)snprintf(text, sizeof text, "%.6f", (double)z[0]);
    else if (p->l.labels) at += (size_t)snprintf(text, sizeof text, "%.200s\t%.6f", p->l.labels[best], 1 / sum);
    else at += (size_t)snprintf(text, sizeof text, "%d\t%.6f", best, 1 / sum);
    for (int k = 0; k < K && p->o->logits && at < sizeof text; k++)
        at += (size_t)snprintf(text + at, sizeof text - at, "\t%.9g", (double)z[k]);
    snc_stage_say_text(p->h, text);
}

static snc_err flush(predictor *p)
{
    batch *b = &p->b;
    if (b->n == 0) return SNC_OK;
    snc_tokens x = {.B = b->n, .T = b->offsets[b->n], .ids = b->ids, .types = b->types, .offsets = b->offsets};
    snc_err err = snc_net_run(b->logits, p->net, &x);
    if (err == SNC_E_DIVERGED)
        return snc_err_set(err, "%s: line %ld: its logits are not finite", p->o->models[0], p->lines + snc_logits_bad(b->logits, b->n, p->l.classes) + 1);
    SNC_TRY(err);
    for (int i = 0; i < b->n; i++) say_line(p, b->logits + (size_t)i * (size_t)p->l.classes);
    p->lines += b->n;
    b->n = 0;
    return SNC_OK;
}

static snc_err add(predictor *p, const char *line, size_t bytes)
{
    batch *b = &p->b;
    const char *tab = memchr(line, '\t', bytes);
    size_t a = tab ? (size_t)(tab - line) : bytes;
    snc_encoding e;
    SNC_TRY(snc_tok_encode(&e, p->l.tok, p->scratch, line, a, tab ? tab + 1 : NULL, tab ? bytes - a - 1 : 0, p->l.max_length));
    p->truncated += e.dropped > 0;
    memcpy(b->ids + b->offsets[b->n], e.ids, (size_t)e.n * sizeof *e.ids);
    memcpy(b->types + b->offsets[b->n], e.types, (size_t)e.n * sizeof *e.types);
    b->offsets[b->n + 1] = b->offsets[b->n] + e.n;
    return ++b->n == LINES ? flush(p) : SNC_OK;
}

static snc_err open_predictor(predictor *p, const snc_ctx *ctx)
{
    SNC_TRY(snc_loaded_open(&p->l, ctx, p->o->models[0], 0, false));
    SNC_TRY(snc_loaded_check(&p->l, ctx, p->o, NULL));
    size_t tokens = (size_t)LINES * (size_t)p->l.max_length;
    snc_net_opts o = {.max_tokens = (int)tokens, .max_seqs = LINES, .max_len = p->l.max_length};
    SNC_TRY(snc_tok_scratch_new(&p->scratch));
    SNC_TRY(snc_alloc(&p->b.ids, tokens, sizeof *p->b.ids));
    SNC_TRY(snc_alloc(&p->b.types, tokens, sizeof *p->b.types));
    SNC_TRY(snc_alloc(&p->b.logits, (size_t)LINES * (size_t)p->l.classes, sizeof *p->b.logits));
    return snc_net_create(&p->net, ctx, p->l.weights, NULL, NULL, &o);
}

snc_err snc_verb_predict(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx;
    predictor p = {.o = o, .h = h};
    SNC_TRY(snc_stage_need("predict", "a model", o->n_models ? o->models[0] : NULL));
    SNC_TRY(snc_stage_ctx(&ctx, o, h, 1));
    SNC_GOTO(open_predictor(&p, &ctx));
    for (;;) {
        const char *line = NULL;
        size_t bytes = 0;
        SNC_GOTO(h->input(h->user, &line, &bytes));
        if (!line) break;
        SNC_GOTO(add(&p, line, bytes));
    }
    SNC_GOTO(flush(&p));
    if (p.truncated) snc_log(&ctx, SNC_LOG_WARN, "%ld %s cut to %d tokens", p.truncated, p.truncated == 1 ? "text was" : "texts were", p.l.max_length);
out:
    snc_net_free(p.net);
    snc_tok_scratch_free(p.scratch);
    snc_free(p.b.ids);
    snc_free(p.b.types);
    snc_free(p.b.logits);
    snc_loaded_close(&p.l);
    return err;
}
