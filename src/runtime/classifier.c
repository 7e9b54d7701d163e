/* The embeddable runtime of snc.h: text in, label out. */
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/isa.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/par.h"
#include "models/mixture.h"
#include "models/cutoff.h"
#include "runtime/tagger.h"
#include "runtime/text_batch.h"

enum { CHUNK = 32 }; /* texts in one run */

struct snc_classifier {
    atomic_int users; /* the caller, until it closes it, and each session */
    snc_ctx ctx;
    char *path; /* for messages */
    snc_weights *weights[SNC_NETS_MOST];
    int nets;
    const snc_cascade *cascade; /* NULL: the file has none */
    const snc_speeds *speeds;   /* the same */
    snc_tok *tok;
    const char *const *labels; /* [classes] or NULL */
    int classes, max_length;   /* max_length: what the model was trained for, else its positions */
    snc_meaning meaning;
    double threshold;    /* of multilabel */
    snc_long long_texts; /* of tags */
};

struct snc_session {
    snc_ctx ctx;
    snc_classifier *c;
    snc_text_batch *batch; /* NULL of a model that tags words */
    snc_tagger *tagger;    /* NULL of any other */
    int net;               /* which answers, where they do not escalate and there is no budget */
    bool cascade;          /* they do */
    double budget;         /* us of a text; 0: there is none */
    float *logits;         /* [cap, K] */
    uint8_t *by;           /* [answers of by_cap] which net said the last call's */
    bool *over;            /* [answers of over_cap] which takes longer than the budget */
    size_t cap, by_cap, over_cap;
    int answers;
};

#define GIVEN(p) SNC_CHECK((p) != NULL, SNC_E_ARG, "%s: %s is NULL", __func__, #p)

const char *snc_version(void) { return SNC_VERSION; }

static snc_err read_tokenizer(snc_classifier *c, const char *path)
{
    snc_tok_assets assets = {0};
    SNC_TRY(snc_sncfile_tokenizer_dup(&assets, snc_weights_file_view(c->weights[0])));
    snc_err err = assets.kind ? snc_tok_new(&c->tok, &assets) : snc_err_set(SNC_E_NOTFOUND, "%s: has no tokenizer inside", path);
    snc_tok_assets_dispose(&assets);
    return err;
}

static snc_err read_model(snc_classifier *c, const char *path)
{
    snc_isa isa;
    SNC_TRY(snc_strdup(&c->path, path));
    SNC_TRY(snc_isa_detect(&isa));
    SNC_TRY(snc_weights_open(&c->weights[c->nets++], &c->ctx, path));
    const snc_sncfile *f = snc_weights_file_view(c->weights[0]);
    const snc_encoder_config *cfg = snc_weights_config(c->weights[0]);
    SNC_CHECK(!snc_mixture_any(cfg), SNC_E_UNSUPPORTED, "%s: " SNC_MIXTURE_REFUSED, path);
    SNC_CHECK(snc_sncfile_has_head(f), SNC_E_NOTFOUND, "%s: has no trained classifier and would answer at random", path);
    c->cascade = snc_sncfile_cascade(f);
    c->speeds = snc_sncfile_speeds(f);
    c->labels = snc_sncfile_labels_view(f);
    c->classes = cfg->classes;
    c->meaning = snc_meaning_of(cfg);
    SNC_TRY(snc_long_of(&c->long_texts, snc_sncfile_meta_view(f), path));
    SNC_TRY(snc_threshold_of(&c->threshold, snc_sncfile_meta_view(f), path));
    SNC_TRY(snc_json_int(&c->max_length, snc_sncfile_meta_view(f), "max_length", snc_family_length(cfg), 3, 65536, path));
    if (c->max_length > snc_family_length(cfg)) c->max_length = snc_family_length(cfg);
    SNC_TRY(read_tokenizer(c, path));
    for (; c->nets < snc_sncfile_nets(f); c->nets++) SNC_TRY(snc_weights_open_net(&c->weights[c->nets], c->weights[0], c->nets));
    for (int k = 0; k < c->nets; k++)
        SNC_TRY(snc_weights_prepare(c->weights[k], NULL, NULL)); /* so that sessions of other threads only read */
    return SNC_OK;
}

snc_err snc_classifier_open(snc_classifier **out, const char *path)
{
    snc_classifier *c = NULL;
    GIVEN(out);
    *out = NULL;
    GIVEN(path);
    SNC_TRY(snc_alloc(&c, 1, sizeof *c));
    atomic_init(&c->users, 1);
    c->ctx = (snc_ctx)SNC_CTX_INIT;
    c->ctx.level = SNC_LOG_ERROR; /* the streams are the caller's */
    snc_err err = read_model(c, path);
    if (err) snc_classifier_close(c);
    else *out = c;
    return err;
}

void snc_classifier_close(snc_classifier *c)
{
    if (!c || atomic_fetch_sub(&c->users, 1) != 1) return;
    while (c->nets > 0) snc_weights_free(c->weights[--c->nets]); /* the first one last: the others borrow of it */
    snc_tok_free(c->tok);
    snc_free(c->path);
    snc_free(c);
}

int snc_classifier_classes(const snc_classifier *c) { return c ? c->classes : 0; }
int snc_classifier_nets(const snc_classifier *c) { return c ? c->nets : 0; }
int snc_classifier_regression(const snc_classifier *c) { return c && snc_means_value(c->meaning); }
int snc_classifier_multilabel(const snc_classifier *c) { return c && c->meaning == SNC_MEANS_MULTILABEL; }

int snc_classifier_tags(const snc_classifier *c) { return c && c->meaning == SNC_MEANS_TAGS; }
int snc_classifier_vectors(const snc_classifier *c) { return c && c->meaning == SNC_MEANS_VECTOR; }

const char *snc_classifier_label(const snc_classifier *c, int k)
{
    return c && c->labels && k >= 0 && k < c->classes ? c->labels[k] : NULL;
}

snc_err snc_session_new(snc_session **out, snc_classifier *c, int threads)
{
    snc_session *s = NULL;
    snc_err err = SNC_OK;
    GIVEN(out);
    *out = NULL;
    GIVEN(c);
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    s->c = c;
    atomic_fetch_add(&c->users, 1);
    s->ctx = c->ctx;
    s->ctx.threads = threads;
    SNC_GOTO(snc_ctx_check(&s->ctx));
    if (threads > snc_par_cores()) s->ctx.threads = snc_par_cores(); /* more would take memory and give nothing */
    if (c->meaning == SNC_MEANS_TAGS) {
        SNC_GOTO(snc_tagger_new(&s->tagger, &s->ctx, c->weights, c->nets, c->tok, c->max_length, c->long_texts));
        goto out;
    }
    SNC_GOTO(snc_text_batch_new(&s->batch, &s->ctx, c->weights, c->nets, c->tok, c->max_length, CHUNK));
    SNC_GOTO(snc_text_batch_prepare(s->batch, c->cascade, c->speeds));
    if (c->cascade) SNC_GOTO(snc_session_set_cascade(s, 1));
out:
    if (err) snc_session_free(s);
    else *out = s;
    return err;
}

void snc_session_free(snc_session *s)
{
    if (!s) return;
    snc_text_batch_free(s->batch);
    snc_tagger_free(s->tagger);
    snc_free(s->logits);
    snc_free(s->by);
    snc_free(s->over);
    snc_classifier_close(s->c);
    snc_free(s);
}

snc_err snc_session_set_net(snc_session *s, int net)
{
    GIVEN(s);
    SNC_CHECK(net >= 0 && net < s->c->nets, SNC_E_ARG, "%s: net %d: expected 0 to %d", s->c->path, net, s->c->nets - 1);
    if (s->tagger) snc_tagger_use(s->tagger, net);
    else snc_text_batch_use(s->batch, net);
    s->net = net;
    s->cascade = false;
    s->budget = 0;
    return SNC_OK;
}

snc_err snc_session_set_cascade(snc_session *s, int on)
{
    GIVEN(s);
    if (!on) return s->cascade ? snc_session_set_net(s, s->net) : SNC_OK;
    SNC_CHECK(s->c->cascade, SNC_E_ARG, "%s: has no cascade", s->c->path);
    SNC_CHECK(s->budget == 0, SNC_E_ARG, "%s: a cascade has no use for a budget: set that to 0 first", s->c->path);
    snc_text_batch_escalate(s->batch);
    s->cascade = true;
    return SNC_OK;
}

snc_err snc_session_set_budget_us(snc_session *s, double us)
{
    GIVEN(s);
    SNC_CHECK(isfinite(us) && us >= 0, SNC_E_ARG, "%s: a budget of %g us: expected 0 or more", s->c->path, us);
    if (us == 0) return s->budget > 0 ? snc_session_set_net(s, s->net) : SNC_OK;
    SNC_CHECK(!s->tagger, SNC_E_UNSUPPORTED, "%s: tags words, and a budget is of whole texts", s->c->path);
    SNC_CHECK(s->c->speeds, SNC_E_ARG, "%s: " SNC_SPEEDS_MISSING, s->c->path);
    SNC_CHECK(!s->cascade, SNC_E_ARG, "%s: a budget has no use for a cascade: turn that off first", s->c->path);
    snc_text_batch_pace(s->batch, us);
    s->budget = us;
    return SNC_OK;
}

double snc_session_budget_us(const snc_session *s) { return s ? s->budget : 0; }
int snc_session_over_budget(const snc_session *s, int i) { return s && i >= 0 && i < s->answers ? s->over[i] : -1; }

int snc_session_times_fit(const snc_session *s) { return s && s->c->speeds ? !snc_speeds_differ(NULL, 0, s->c->speeds, &s->ctx) : -1; }

int snc_session_cascade(const snc_session *s) { return s && s->cascade; }
int snc_session_answered_by(const snc_session *s, int i) { return s && i >= 0 && i < s->answers ? s->by[i] : -1; }

int snc_session_net(const snc_session *s) { return s ? s->net : 0; }

/* texts: n of them, the first of which is the caller's text `first`. */
static snc_err run_chunk(snc_session *s, const snc_text *texts, int n, size_t first)
{
    float *logits = s->logits + first * (size_t)s->c->classes;
    snc_text_batch_clear(s->batch); /* of a call that failed half-way */
    for (int i = 0; i < n; i++) {
        const char *a = texts[i].a, *b = texts[i].b;
        SNC_TRY(snc_text_batch_add(NULL, s->batch, a, strlen(a), b, b ? strlen(b) : 0));
    }
    snc_err err = snc_text_batch_run(logits, s->by + first, s->over + first, s->batch);
    if (err == SNC_E_DIVERGED)
        err = snc_err_set(err, "%s: text %zu: its logits are not finite", s->c->path,
                          first + (size_t)snc_logits_bad(logits, n, s->c->classes));
    return err;
}

static void decide(snc_result *r, const snc_classifier *c, float *z)
{
    *r = (snc_result){.logits = z};
    if (c->meaning == SNC_MEANS_VECTOR) {
        snc_vector_unit(z, z, c->classes);
        return;
    }
    if (snc_means_value(c->meaning)) {
        r->score = (float)snc_value_of(c->meaning, z);
        return;
    }
    r->index = snc_class_best(z, c->classes);
    r->score = (float)(c->meaning == SNC_MEANS_MULTILABEL ? snc_label_probability((double)z[r->index])
                                                          : 1 / snc_class_sum(z, c->classes, r->index));
    r->label = snc_classifier_label(c, r->index);
}

snc_err snc_result_labels(int *label, float *probability, int *n, const snc_classifier *c, const snc_result *r)
{
    GIVEN(label);
    GIVEN(n);
    GIVEN(c);
    GIVEN(r);
    SNC_CHECK(c->meaning == SNC_MEANS_MULTILABEL, SNC_E_ARG, "%s: gives one answer a text, not any number of labels", c->path);
    SNC_CHECK(r->logits, SNC_E_ARG, "snc_result_labels: a result without logits");
    *n = snc_labels_there(label, r->logits, c->classes, c->threshold);
    for (int i = 0; probability && i < *n; i++) probability[i] = (float)snc_label_probability((double)r->logits[label[i]]);
    return SNC_OK;
}

static snc_err check_texts(const snc_result *results, const snc_text *texts, int n)
{
    SNC_CHECK(n >= 0, SNC_E_ARG, "snc_classify: %d texts", n);
    SNC_CHECK(n == 0 || (results && texts), SNC_E_ARG, "snc_classify: %s is NULL", results ? "texts" : "results");
    for (int i = 0; i < n; i++) SNC_CHECK(texts[i].a, SNC_E_ARG, "snc_classify: text %d is NULL", i);
    return SNC_OK;
}

snc_err snc_classify(snc_result *results, snc_session *s, const snc_text *texts, int n)
{
    GIVEN(s);
    SNC_CHECK(!s->tagger, SNC_E_ARG, "%s: tags words: snc_tag asks it", s->c->path);
    SNC_TRY(check_texts(results, texts, n));
    size_t K = (size_t)s->c->classes, N = (size_t)n;
    SNC_TRY(snc_grow(&s->logits, &s->cap, N * K, sizeof *s->logits));
    SNC_TRY(snc_grow(&s->by, &s->by_cap, N, sizeof *s->by));
    SNC_TRY(snc_grow(&s->over, &s->over_cap, N, sizeof *s->over));
    s->answers = 0;
    for (size_t i = 0; i < N; i += CHUNK) SNC_TRY(run_chunk(s, texts + i, N - i < CHUNK ? (int)(N - i) : CHUNK, i));
    s->answers = n;
    for (size_t i = 0; i < N; i++) decide(&results[i], s->c, s->logits + i * K);
    return SNC_OK;
}

snc_err snc_tag(snc_result *results, snc_session *s, const char *const *words, int n)
{
    GIVEN(s);
    SNC_CHECK(s->tagger, SNC_E_ARG, "%s: answers whole texts: snc_classify asks it", s->c->path);
    SNC_CHECK(n >= 0, SNC_E_ARG, "snc_tag: %d words", n);
    SNC_CHECK(n == 0 || (results && words), SNC_E_ARG, "snc_tag: %s is NULL", results ? "words" : "results");
    for (int i = 0; i < n; i++) SNC_CHECK(words[i], SNC_E_ARG, "snc_tag: word %d is NULL", i);
    const size_t K = (size_t)s->c->classes, N = (size_t)n;
    SNC_TRY(snc_grow(&s->logits, &s->cap, N * K, sizeof *s->logits));
    snc_tagger_clear(s->tagger);
    SNC_TRY(snc_tagger_begin(s->tagger));
    for (int i = 0; i < n; i++) SNC_TRY(snc_tagger_add(s->tagger, words[i], strlen(words[i])));
    snc_tagger_end(s->tagger);
    const int read = snc_tagger_waiting(s->tagger);
    snc_err err = snc_tagger_run(s->logits, s->tagger);
    if (err == SNC_E_DIVERGED)
        err = snc_err_set(err, "%s: word %d: its logits are not finite", s->c->path, snc_logits_bad(s->logits, read, s->c->classes));
    SNC_TRY(err);
    s->answers = 0;
    for (size_t i = (size_t)read; i < N; i++) results[i] = (snc_result){.index = -1};
    for (size_t i = 0; i < (size_t)read; i++) decide(&results[i], s->c, s->logits + i * K);
    return SNC_OK;
}
