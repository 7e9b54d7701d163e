/* compress predict: a label and its probability for each line, as soon as no more lines wait. */
#include <string.h>

#include "artifact/context.h"
#include "artifact/option.h"
#include "artifact/say.h"
#include "base/mem.h"
#include "base/blanks.h"
#include "report/answer.h"
#include "runtime/tagger.h"
#include "runtime/text_batch.h"
#include "stage/verbs.h"

enum { LINES = 64 }; /* answered together at most; order is kept */

typedef struct predictor {
    const snc_options *o;
    const snc_host *h;
    snc_loaded l;
    snc_text_batch *batch;       /* NULL where words are tagged */
    snc_asked_line asked[LINES]; /* of the texts that wait in the batch */
    float *logits;               /* [LINES, classes], or of the words of a line */
    size_t logits_cap;
    uint8_t by[LINES]; /* which net said them */
    bool over[LINES];  /* which takes longer than the budget */
    snc_answers answers;
    long lines, cut, broken, late, failed; /* taken in; of these cut, not UTF-8, over the budget, and without an answer */
} predictor;

/* A label cannot say that there is none: there the run ends. */
static snc_err say(predictor *p, const snc_asked_line *q, const float *z)
{
    static const char why[] = "its logits are not finite";
    const char *line = NULL;
    bool fine = snc_logits_bad(z, 1, p->l.classes) < 0;
    SNC_CHECK(fine || p->answers.jsonl, SNC_E_DIVERGED, "%s: line %ld: %s", p->l.path, q->line, why);
    if (fine) SNC_TRY(snc_answers_say(&line, &p->answers, q, z));
    else SNC_TRY(snc_answers_fail(&line, &p->answers, q, why));
    p->failed += !fine;
    snc_say_text(p->h, line);
    return SNC_OK;
}

static snc_err flush(predictor *p)
{
    int n = snc_text_batch_waiting(p->batch), K = p->l.classes;
    snc_err err = snc_text_batch_run(p->logits, p->by, p->over, p->batch);
    if (err && (err != SNC_E_DIVERGED || snc_logits_bad(p->logits, n, K) < 0)) return err; /* one line's fault is not the others' */
    for (int i = 0; i < n; i++) {
        p->asked[i].net = p->l.cascade || p->l.speeds ? p->by[i] : -1;
        p->asked[i].over = p->l.speeds ? p->over[i] : -1;
        p->late += p->over[i];
        SNC_TRY(say(p, &p->asked[i], p->logits + (size_t)i * (size_t)K));
    }
    return SNC_OK;
}

static snc_err add(predictor *p, const char *line, size_t bytes)
{
    const char *tab = memchr(line, '\t', bytes);
    size_t a = tab ? (size_t)(tab - line) : bytes;
    snc_text_facts facts;
    int i = snc_text_batch_waiting(p->batch);
    SNC_TRY(snc_text_batch_add(&facts, p->batch, line, a, tab ? tab + 1 : NULL, tab ? bytes - a - 1 : 0));
    p->asked[i] = (snc_asked_line){.line = ++p->lines, .cut = facts.cut, .broken = facts.broken};
    p->cut += facts.cut;
    p->broken += facts.broken;
    return SNC_OK;
}

/* Whether the lines that are there are answered now: there are enough, or none comes at once. */
static bool is_time(const predictor *p)
{
    int n = snc_text_batch_waiting(p->batch);
    return n == LINES || (n > 0 && p->h->ready && !p->h->ready(p->h->user));
}

/* ---- words ------------------------------------------------------------------------------------------------------------ */

/* A line is a text, whose words stand between blanks. */
static snc_err tag(predictor *p, snc_tagger *t, const char *line, size_t bytes)
{
    const char *said = NULL, *end = line + bytes, *at = line, *word;
    size_t n;
    snc_asked_line q = {.line = ++p->lines, .net = -1, .over = -1};
    snc_tagged words = {0};
    snc_err err = SNC_OK;
    SNC_TRY(snc_tagger_begin(t));
    while (word = snc_next_word(&n, &at, end), n) {
        SNC_GOTO(snc_tagger_add(t, word, n));
        SNC_GOTO(snc_tagged_add(&words, word, n));
    }
    snc_tagger_end(t);
    words.read = snc_tagger_waiting(t);
    q.cut = snc_tagger_words(t)->cut > 0 || words.read < words.n;
    q.broken = snc_tagger_words(t)->broken > 0;
    p->cut += q.cut;
    p->broken += q.broken;
    SNC_GOTO(snc_grow(&p->logits, &p->logits_cap, (size_t)(words.n + 1) * (size_t)p->l.classes, sizeof *p->logits));
    err = snc_tagger_run(p->logits, t);
    if (err == SNC_E_DIVERGED) err = snc_err_set(err, "%s: line %ld: its logits are not finite", p->l.path, q.line);
    if (!err) err = snc_answers_tag(&said, &p->answers, &q, &words, p->logits);
    if (!err) snc_say_text(p->h, said);
out:
    snc_tagger_clear(t);
    snc_free(words.word);
    return err;
}

static snc_err tag_lines(predictor *p, const snc_ctx *ctx)
{
    snc_tagger *t = NULL;
    snc_err err = SNC_OK;
    SNC_CHECK(!p->o->predict.logits, SNC_E_UNSUPPORTED, "predict --logits: %s tags words; --format jsonl says how sure it is", p->l.path);
    SNC_CHECK(!p->o->predict.budget, SNC_E_UNSUPPORTED, "predict --budget: %s tags words, and a budget is of whole texts", p->l.path);
    if (p->o->rows.long_texts) SNC_TRY(snc_long_option(&p->l.long_texts, p->o->rows.long_texts));
    SNC_TRY(snc_tagger_new(&t, ctx, &p->l.weights, 1, p->l.tok, p->l.max_length, p->l.long_texts));
    for (;;) {
        const char *line = NULL;
        size_t bytes = 0;
        SNC_GOTO(p->h->input(p->h->user, &line, &bytes));
        if (!line) break;
        SNC_GOTO(tag(p, t, line, bytes));
    }
out:
    snc_tagger_free(t);
    return err;
}

/* ---- whole texts ------------------------------------------------------------------------------------------------------ */

static snc_err open_predictor(predictor *p, const snc_ctx *ctx)
{
    SNC_TRY(snc_loaded_open(&p->l, ctx, p->o->input.models[0], 0, SNC_MEANS_CLASSES));
    SNC_TRY(snc_loaded_obey(&p->l, ctx, p->o, ctx->threads, "predict"));
    SNC_TRY(snc_loaded_check(&p->l, ctx, p->o, NULL));
    SNC_TRY(snc_answers_init(&p->answers, &p->l, &p->o->predict));
    if (p->l.problem == SNC_MEANS_TAGS) return SNC_OK;
    SNC_CHECK(!p->o->rows.long_texts, SNC_E_ARG, "--long-texts: %s answers whole texts, which are cut", p->l.path);
    SNC_TRY(snc_alloc(&p->logits, (size_t)LINES * (size_t)p->l.classes, sizeof *p->logits));
    if (!p->l.cascade && !p->l.speeds) return snc_text_batch_new(&p->batch, ctx, &p->l.weights, 1, p->l.tok, p->l.max_length, LINES);
    SNC_TRY(snc_text_batch_new(&p->batch, ctx, p->l.net, snc_loaded_nets(&p->l), p->l.tok, p->l.max_length, LINES));
    SNC_TRY(snc_text_batch_prepare(p->batch, p->l.cascade, p->l.speeds));
    if (p->l.cascade) snc_text_batch_escalate(p->batch);
    else snc_text_batch_pace(p->batch, p->l.budget);
    return SNC_OK;
}

static void say_counts(const predictor *p, const snc_ctx *ctx)
{
    if (p->cut) snc_log(ctx, SNC_LOG_WARN, "%ld %s cut to %d tokens", p->cut, p->cut == 1 ? "text was" : "texts were", p->l.max_length);
    if (p->broken)
        snc_log(ctx, SNC_LOG_WARN, "%ld %s no UTF-8: bytes that are none were read as U+FFFD", p->broken,
                p->broken == 1 ? "text was" : "texts were");
    if (p->late)
        snc_log(ctx, SNC_LOG_WARN, "%ld of %ld texts: by the file's times even the fastest net takes longer than %s", p->late, p->lines,
                p->o->predict.budget);
}

snc_err snc_verb_predict(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx;
    predictor p = {.o = o, .h = h};
    SNC_TRY(snc_option_need("predict", "a model", o->input.n_models ? o->input.models[0] : NULL));
    SNC_TRY(snc_context_init(&ctx, o, h, o->job.threads, 1));
    SNC_GOTO(open_predictor(&p, &ctx));
    if (p.l.problem == SNC_MEANS_TAGS) {
        SNC_GOTO(tag_lines(&p, &ctx));
        say_counts(&p, &ctx);
        goto out;
    }
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
    if (p.failed)
        err = snc_err_set(SNC_E_DIVERGED, "%s: %ld of %ld lines have no answer: their logits are not finite", p.l.path, p.failed, p.lines);
out:
    snc_answers_dispose(&p.answers);
    snc_text_batch_free(p.batch);
    snc_free(p.logits);
    snc_loaded_close(&p.l);
    return err;
}
