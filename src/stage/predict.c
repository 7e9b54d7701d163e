/* compress predict: a label and its probability for each line, as soon as no more lines wait. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "stage/answer.h"
#include "stage/verbs.h"

enum { LINES = 64 }; /* answered together at most; order is kept */

typedef struct batch {
    int32_t *ids, *types, offsets[LINES + 1];
    float *logits;
    snc_asked asked[LINES];
    int n;
} batch;

typedef struct predictor {
    const snc_options *o;
    const snc_host *h;
    snc_loaded l;
    snc_tok_scratch *scratch;
    snc_net *net;
    snc_answers answers;
    batch b;
    long lines, cut, broken, failed; /* taken in; of these cut, not UTF-8, and without an answer */
} predictor;

static bool is_finite(const float *z, int K)
{
    int k = 0;
    while (k < K && isfinite(z[k])) k++;
    return k == K;
}

/* A label cannot say that there is none: there the run ends. */
static snc_err say(predictor *p, const snc_asked *q, const float *z)
{
    static const char why[] = "its logits are not finite";
    const char *line = NULL;
    bool fine = is_finite(z, p->l.classes);
    SNC_CHECK(fine || p->answers.jsonl, SNC_E_DIVERGED, "%s: line %ld: %s", p->l.path, q->line, why);
    if (fine) SNC_TRY(snc_answers_say(&line, &p->answers, q, z));
    else SNC_TRY(snc_answers_fail(&line, &p->answers, q, why));
    p->failed += !fine;
    snc_stage_say_text(p->h, line);
    return SNC_OK;
}

static snc_err flush(predictor *p)
{
    batch *b = &p->b;
    if (b->n == 0) return SNC_OK;
    snc_tokens x = {.B = b->n, .T = b->offsets[b->n], .ids = b->ids, .types = b->types, .offsets = b->offsets};
    snc_err err = snc_net_run(b->logits, p->net, &x);
    if (err && (err != SNC_E_DIVERGED || snc_logits_bad(b->logits, b->n, p->l.classes) < 0)) return err; /* one line's fault is not the others' */
    for (int i = 0; i < b->n; i++) SNC_TRY(say(p, &b->asked[i], b->logits + (size_t)i * (size_t)p->l.classes));
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
    b->asked[b->n] = (snc_asked){.line = ++p->lines, .cut = e.dropped > 0, .broken = e.broken};
    p->cut += e.dropped > 0;
    p->broken += e.broken;
    memcpy(b->ids + b->offsets[b->n], e.ids, (size_t)e.n * sizeof *e.ids);
    memcpy(b->types + b->offsets[b->n], e.types, (size_t)e.n * sizeof *e.types);
    b->offsets[b->n + 1] = b->offsets[b->n] + e.n;
    b->n++;
    return SNC_OK;
}

/* Whether the lines that are there are answered now: there are enough, or none comes at once. */
static bool is_time(const predictor *p)
{
    return p->b.n == LINES || (p->b.n > 0 && p->h->ready && !p->h->ready(p->h->user));
}

static snc_err open_predictor(predictor *p, const snc_ctx *ctx)
{
    SNC_TRY(snc_loaded_open(&p->l, ctx, p->o->models[0], 0, SNC_MEANS_CLASSES));
    SNC_TRY(snc_loaded_check(&p->l, ctx, p->o, NULL));
    SNC_TRY(snc_answers_init(&p->answers, &p->l, p->o));
    size_t tokens = (size_t)LINES * (size_t)p->l.max_length;
    snc_net_opts o = {.max_tokens = (int)tokens, .max_seqs = LINES, .max_len = p->l.max_length};
    SNC_TRY(snc_tok_scratch_new(&p->scratch));
    SNC_TRY(snc_alloc(&p->b.ids, tokens, sizeof *p->b.ids));
    SNC_TRY(snc_alloc(&p->b.types, tokens, sizeof *p->b.types));
    SNC_TRY(snc_alloc(&p->b.logits, (size_t)LINES * (size_t)p->l.classes, sizeof *p->b.logits));
    return snc_net_create(&p->net, ctx, p->l.weights, NULL, NULL, &o);
}

static void say_counts(const predictor *p, const snc_ctx *ctx)
{
    if (p->cut) snc_log(ctx, SNC_LOG_WARN, "%ld %s cut to %d tokens", p->cut, p->cut == 1 ? "text was" : "texts were", p->l.max_length);
    if (p->broken) snc_log(ctx, SNC_LOG_WARN, "%ld %s no UTF-8: bytes that are none were read as U+FFFD", p->broken, p->broken == 1 ? "text was" : "texts were");
}

snc_err snc_verb_predict(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx;
    predictor p = {.o = o, .h = h};
    bool jsonl;
    SNC_TRY(snc_stage_need("predict", "a model", o->n_models ? o->models[0] : NULL));
    SNC_TRY(snc_answers_format(&jsonl, o)); /* before the model is read */
    SNC_TRY(snc_stage_ctx(&ctx, o, h, 1));
    SNC_GOTO(open_predictor(&p, &ctx));
    for (;;) {
        const char *line = NULL;
        size_t bytes = 0;
        SNC_GOTO(h->input(h->user, &line, &bytes));
        if (!line) break;
        SNC_GOTO(add(&p, line, bytes));
        if (is_time(&p)) SNC_GOTO(flush(&p));
    }
    SNC_GOTO(flush(&p));
    say_counts(&p, &ctx);
    if (p.failed) err = snc_err_set(SNC_E_DIVERGED, "%s: %ld of %ld lines have no answer: their logits are not finite", p.l.path, p.failed, p.lines);
out:
    snc_answers_dispose(&p.answers);
    snc_net_free(p.net);
    snc_tok_scratch_free(p.scratch);
    snc_free(p.b.ids);
    snc_free(p.b.types);
    snc_free(p.b.logits);
    snc_loaded_close(&p.l);
    return err;
}
