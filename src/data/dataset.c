/* Chunks of rows are tokenized in parallel into buffers of their own and joined in order: the thread count changes nothing. */
#include "data/dataset.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/minmax.h"
#include "base/par.h"
#include "data/splits_priv.h"
#include "data/texts.h"
#include "tokenizer/words.h"

enum {
    GRAIN = 512, /* rows a chunk of tokenization */
    FEW = 50     /* held-out rows that call for a warning */
};

void snc_dataset_free(snc_dataset *d)
{
    if (!d) return;
    snc_free(d->start);
    snc_free(d->ids);
    snc_free(d->types);
    snc_free(d->target);
    snc_free(d->answers);
    snc_free(d->read);
    snc_sets_free(d->sets);
    snc_free(d->line);
    snc_free(d->text);
    snc_dataset_free(d->second);
    cJSON_Delete(d->source);
    snc_free(d);
}

snc_dataset snc_dataset_labelled_view(const snc_dataset *d)
{
    snc_dataset view = *d;
    while (view.n > 0 && isnan((double)view.target[snc_dataset_answer(d, view.n) - 1])) view.n--;
    return view;
}

snc_dataset snc_dataset_answers_view(const snc_dataset *d)
{
    return d->answers ? (snc_dataset){.n = (int)snc_dataset_answers(d), .target = d->target} : *d;
}

snc_dataset snc_dataset_rows_view(const snc_dataset *d, int from, int to)
{
    return (snc_dataset){.n = to - from,
                         .start = d->start + from,
                         .ids = d->ids,
                         .types = d->types,
                         .target = d->target + snc_dataset_answer(d, from),
                         .answers = d->answers ? d->answers + from : NULL,
                         .read = d->answers ? d->read + snc_dataset_answer(d, from) : NULL,
                         .sets = d->sets,
                         .line = d->line + from,
                         .max_len = d->max_len};
}

uint64_t snc_dataset_hash(const snc_dataset *d)
{
    size_t n = (size_t)d->start[d->n];
    uint64_t h = snc_bytes_hash(0, d->start, ((size_t)d->n + 1) * sizeof *d->start);
    h = snc_bytes_hash(h, d->ids, n * sizeof *d->ids);
    h = snc_bytes_hash(h, d->types, n * sizeof *d->types);
    if (d->second) h ^= snc_dataset_hash(d->second);
    if (d->sets) h = snc_bytes_hash(h, d->sets->has, (size_t)d->sets->n * (size_t)d->sets->K);
    if (d->answers) h = snc_bytes_hash(h, d->read, (size_t)snc_dataset_answers(d) * sizeof *d->read);
    return snc_bytes_hash(h, d->target, (size_t)snc_dataset_answers(d) * sizeof *d->target);
}

/* ---- tokenization --------------------------------------------------------------------------------------------------- */

/* The tokens of GRAIN rows; joined in order, so that the dataset does not depend on the thread count. */
typedef struct chunk {
    int32_t *ids, *types;
    size_t n, ids_cap, types_cap;
    snc_err err;
    char why[240]; /* the error text is per thread */
} chunk;

typedef struct encode_job {
    const snc_ctx *ctx;
    const snc_row *const *row;
    const snc_tok *tok;
    snc_tok_scratch **scratch; /* one a worker */
    chunk *chunks;
    int32_t *len; /* [n] tokens of a row, with CUT when it was cut */
    int max_length;
} encode_job;

enum { CUT = 1 << 30 };

static snc_err encode_row(chunk *c, int32_t *len, const encode_job *job, int i, int worker)
{
    const snc_row *r = job->row[i];
    snc_encoding e;
    SNC_CHECK(!snc_cancelled(job->ctx), SNC_E_CANCELLED, "interrupted");
    SNC_TRY(snc_tok_encode(&e, job->tok, job->scratch[worker], r->a.p, r->a.n, r->b.p, r->b.n, job->max_length));
    SNC_TRY(snc_grow(&c->ids, &c->ids_cap, c->n + (size_t)e.n, sizeof *c->ids));
    SNC_TRY(snc_grow(&c->types, &c->types_cap, c->n + (size_t)e.n, sizeof *c->types));
    memcpy(c->ids + c->n, e.ids, (size_t)e.n * sizeof *e.ids);
    memcpy(c->types + c->n, e.types, (size_t)e.n * sizeof *e.types);
    c->n += (size_t)e.n;
    *len = e.dropped ? e.n | CUT : e.n;
    return SNC_OK;
}

static void encode_chunk(void *payload, int64_t begin, int64_t end, int64_t at, int worker)
{
    encode_job *job = payload;
    chunk *c = &job->chunks[at];
    for (int64_t i = begin; i < end && c->err == SNC_OK; i++) c->err = encode_row(c, &job->len[i], job, (int)i, worker);
    if (c->err != SNC_OK) snprintf(c->why, sizeof c->why, "%s", snc_err_text());
}

static snc_err join(snc_dataset *d, const encode_job *job, int64_t chunks)
{
    for (int i = 0; i < d->n; i++) {
        int len = job->len[i] & ~CUT;
        d->truncated += (job->len[i] & CUT) != 0;
        d->start[i + 1] = d->start[i] + len;
        if (len > d->max_len) d->max_len = len;
        d->target[i] = job->row[i]->target;
        d->line[i] = job->row[i]->line;
        d->text[i] = snc_row__is_empty(job->row[i]) ? 0 : snc_row__digest(job->row[i]);
    }
    SNC_TRY(snc_alloc(&d->ids, (size_t)d->start[d->n], sizeof *d->ids));
    SNC_TRY(snc_alloc(&d->types, (size_t)d->start[d->n], sizeof *d->types));
    for (int64_t k = 0; k < chunks; k++) {
        const chunk *c = &job->chunks[k];
        if (c->n == 0) continue;
        memcpy(d->ids + d->start[k * GRAIN], c->ids, c->n * sizeof *c->ids);
        memcpy(d->types + d->start[k * GRAIN], c->types, c->n * sizeof *c->types);
    }
    return SNC_OK;
}

static snc_err encode(snc_dataset *d, encode_job *job, const snc_ctx *ctx)
{
    int64_t chunks = (d->n + GRAIN - 1) / GRAIN;
    size_t n = (size_t)d->n;
    SNC_TRY(snc_alloc(&d->start, n + 1, sizeof *d->start));
    SNC_TRY(snc_alloc(&d->target, n, sizeof *d->target));
    SNC_TRY(snc_alloc(&d->line, n, sizeof *d->line));
    SNC_TRY(snc_alloc(&d->text, n, sizeof *d->text));
    SNC_TRY(snc_alloc(&job->len, n, sizeof *job->len));
    SNC_TRY(snc_alloc(&job->chunks, (size_t)chunks, sizeof *job->chunks));
    SNC_TRY(snc_alloc(&job->scratch, (size_t)ctx->threads, sizeof(snc_tok_scratch *)));
    for (int w = 0; w < ctx->threads; w++) SNC_TRY(snc_tok_scratch_new(&job->scratch[w]));
    snc_par_for(ctx, d->n, GRAIN, encode_chunk, job);
    for (int64_t k = 0; k < chunks; k++)
        if (job->chunks[k].err != SNC_OK) return snc_err_set(job->chunks[k].err, "%s", job->chunks[k].why);
    return join(d, job, chunks);
}

static snc_err tokenize(snc_dataset **out, const snc_ctx *ctx, const snc_task *t, const snc_tok *tok, const snc_row *const *row, int n)
{
    snc_err err = SNC_OK;
    snc_dataset *d = NULL;
    encode_job job = {.ctx = ctx, .row = row, .tok = tok, .max_length = t->max_length};
    SNC_GOTO(snc_alloc(&d, 1, sizeof *d));
    d->n = n;
    SNC_GOTO(encode(d, &job, ctx));
    *out = d;
    d = NULL;
out:
    for (int64_t k = 0; job.chunks && k < (n + GRAIN - 1) / GRAIN; k++) {
        snc_free(job.chunks[k].ids);
        snc_free(job.chunks[k].types);
    }
    for (int w = 0; job.scratch && w < ctx->threads; w++) snc_tok_scratch_free(job.scratch[w]);
    snc_free(job.scratch);
    snc_free(job.chunks);
    snc_free(job.len);
    snc_dataset_free(d);
    return err;
}

/* ---- words ----------------------------------------------------------------------------------------------------------- */

static snc_err cut_words(snc_tok_words *w, const snc_rows *const *from, const snc_row *const *row, int n)
{
    for (int i = 0; i < n; i++) {
        SNC_TRY(snc_tok_words_begin(w));
        for (int k = 0; k < row[i]->words; k++) {
            const snc_span word = from[i]->word[row[i]->first + k].text;
            SNC_TRY(snc_tok_words_add(w, word.p, word.n));
        }
        snc_tok_words_end(w);
    }
    return SNC_OK;
}

static snc_err allocate_words(snc_dataset *d, const snc_tok_words *w)
{
    const size_t n = (size_t)w->windows, tokens = (size_t)w->start[w->windows];
    d->n = w->windows;
    SNC_TRY(snc_alloc(&d->start, n + 1, sizeof *d->start));
    SNC_TRY(snc_alloc(&d->answers, n + 1, sizeof *d->answers));
    SNC_TRY(snc_alloc(&d->line, n, sizeof *d->line));
    SNC_TRY(snc_alloc(&d->text, n, sizeof *d->text));
    SNC_TRY(snc_alloc(&d->ids, tokens, sizeof *d->ids));
    SNC_TRY(snc_alloc(&d->types, tokens, sizeof *d->types));
    SNC_TRY(snc_alloc(&d->target, (size_t)w->words, sizeof *d->target));
    return snc_alloc(&d->read, (size_t)w->words, sizeof *d->read);
}

/* How many of the words of row i have a place; the first of them is word k of all. */
static int placed(const snc_tok_words *w, int i, int k, int words)
{
    int n = 0;
    if (w->long_texts == SNC_LONG_PARTS) return words;
    while (n < words && k + n < w->words && w->window[k + n] == i) n++;
    return n;
}

/* Rows are windows, of which a sentence has one or more; its words are in them one after the other. */
static void place_words(snc_dataset *d, const snc_tok_words *w, const snc_rows *const *from, const snc_row *const *row, int n)
{
    memcpy(d->ids, w->ids, (size_t)w->start[w->windows] * sizeof *d->ids);
    for (int i = 0; i <= w->windows; i++) d->start[i] = w->start[i];
    for (int i = 0; i < w->windows; i++) d->max_len = snc_max(d->max_len, snc_dataset_len(d, i));
    for (int i = 0, k = 0; i < n; i++) {
        const int first = w->window[k], words = placed(w, i, k, row[i]->words);
        for (int word = 0; word < words; word++, k++) {
            const int window = w->window[k];
            d->target[k] = from[i]->word[row[i]->first + word].target;
            d->read[k] = w->read[k] - w->start[window];
            d->answers[window + 1] = k + 1;
            d->line[window] = row[i]->line;
            d->text[window] = snc_row__digest(row[i]) + (uint64_t)(window - first); /* no two of a sentence are the same */
        }
    }
}

/* Sentences of one window that has all of their words. */
static int whole_ones(const snc_tok_words *w, const snc_row *const *row, int n)
{
    int whole = 0;
    for (int i = 0, k = 0, words; i < n; i++, k += words) {
        words = placed(w, i, k, row[i]->words);
        whole += words == row[i]->words && w->window[k] == w->window[k + words - 1];
    }
    return whole;
}

static snc_err tokenize_words(snc_dataset **out, const snc_ctx *ctx, const snc_task *t, const snc_tok *tok, const snc_rows *const *from,
                              const snc_row *const *row, int n)
{
    snc_tok_words *w = NULL;
    snc_dataset *d = NULL;
    snc_err err = SNC_OK;
    SNC_GOTO(snc_tok_words_new(&w, tok, t->max_length, t->long_texts));
    SNC_GOTO(cut_words(w, from, row, n));
    SNC_GOTO(snc_alloc(&d, 1, sizeof *d));
    SNC_GOTO(allocate_words(d, w));
    place_words(d, w, from, row, n);
    const int whole = whole_ones(w, row, n);
    d->truncated = t->long_texts == SNC_LONG_CUT ? n - whole : w->cut;
    if (w->left_out)
        snc_log(ctx, SNC_LOG_INFO, "%s: %d sentences of more than %d tokens are cut: %d words of theirs are left out", t->name, n - whole,
                t->max_length, w->left_out);
    else if (whole < n)
        snc_log(ctx, SNC_LOG_INFO, "%s: sentences of more than %d tokens are read in parts: %d of them in %d", t->name, t->max_length,
                n - whole, w->windows - whole);
    *out = d;
    d = NULL;
out:
    snc_tok_words_free(w);
    snc_dataset_free(d);
    return err;
}

/* ---- pairs ----------------------------------------------------------------------------------------------------------- */

/* Both texts of each pair by themselves. */
static snc_err tokenize_apart(snc_dataset **out, const snc_ctx *ctx, const snc_task *t, const snc_tok *tok, const snc_row *const *pair,
                              int n)
{
    snc_err err = SNC_OK;
    snc_row *half = NULL;
    const snc_row **row = NULL;
    snc_dataset *d = NULL;
    SNC_GOTO(snc_alloc(&half, (size_t)n, sizeof *half));
    SNC_GOTO(snc_alloc(&row, (size_t)n, sizeof *row));
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < n; i++) {
            half[i] = (snc_row){.a = side ? pair[i]->b : pair[i]->a, .target = pair[i]->target, .line = pair[i]->line};
            row[i] = &half[i];
        }
        SNC_GOTO(tokenize(side ? &d->second : &d, ctx, t, tok, row, n));
    }
    for (int i = 0; i < n; i++) d->text[i] = snc_row__is_empty(pair[i]) ? 0 : snc_row__digest(pair[i]);
    d->truncated += d->second->truncated;
    *out = d;
    d = NULL;
out:
    snc_dataset_free(d);
    snc_free(row);
    snc_free(half);
    return err;
}

/* ---- loading -------------------------------------------------------------------------------------------------------- */

/* Tokenizes rows[pick[0..n)] followed by extra[pick_extra[0..n_extra)]. */
static snc_err build(snc_dataset **out, const snc_ctx *ctx, const snc_task *t, const snc_tok *tok, const snc_rows *rows,
                     const int32_t *pick, int n, const snc_rows *extra, const int32_t *pick_extra, int n_extra)
{
    const int all = n + n_extra;
    const snc_row **row = NULL;
    const snc_rows **from = NULL;
    snc_err err = snc_alloc(&row, (size_t)all, sizeof *row);
    if (!err) err = snc_alloc(&from, (size_t)all, sizeof *from);
    for (int i = 0; i < all && !err; i++) {
        from[i] = i < n ? rows : extra;
        row[i] = i < n ? &rows->row[pick[i]] : &extra->row[pick_extra[i - n]];
    }
    if (!err && t->tags) err = tokenize_words(out, ctx, t, tok, from, row, all);
    else if (!err && t->vectors && n > 0 && row[0]->b.p) err = tokenize_apart(out, ctx, t, tok, row, all);
    else if (!err) err = tokenize(out, ctx, t, tok, row, all);
    snc_free(from);
    snc_free(row);
    if (err || !rows->sets) return err;
    err = snc_sets_dup(&(*out)->sets, rows->sets);
    if (err) snc_dataset_free(*out);
    if (err) *out = NULL;
    return err;
}

int64_t snc_dataset_answers_of(const snc_dataset *d, const int32_t *rows, int n)
{
    int64_t all = 0;
    for (int i = 0; i < n; i++) all += snc_dataset_answer(d, rows[i] + 1) - snc_dataset_answer(d, rows[i]);
    return all;
}

static snc_err every_row(int32_t **out, int n)
{
    SNC_TRY(snc_alloc(out, (size_t)n, sizeof **out));
    for (int i = 0; i < n; i++) (*out)[i] = i;
    return SNC_OK;
}

/* The answers of the rows that are picked. */
static snc_err copy_answers(snc_dataset *to, const snc_dataset *d, const int32_t *pick, int n)
{
    const size_t all = (size_t)snc_dataset_answers_of(d, pick, n);
    SNC_TRY(snc_alloc(&to->target, all, sizeof *to->target));
    snc_batcher_gather(to->target, d->target, d, pick, n, 1);
    if (!d->answers) return SNC_OK;
    SNC_TRY(snc_alloc(&to->answers, (size_t)n + 1, sizeof *to->answers));
    SNC_TRY(snc_alloc(&to->read, all, sizeof *to->read));
    for (int i = 0; i < n; i++) {
        const int64_t from = snc_dataset_answer(d, pick[i]), have = snc_dataset_answer(d, pick[i] + 1) - from;
        memcpy(to->read + to->answers[i], d->read + from, (size_t)have * sizeof *to->read);
        to->answers[i + 1] = to->answers[i] + have;
    }
    return SNC_OK;
}

static snc_err copy_rows(snc_dataset *to, const snc_dataset *d, const int32_t *pick, int n)
{
    size_t tokens = 0;
    for (int i = 0; i < n; i++) tokens += (size_t)snc_dataset_len(d, pick[i]);
    to->n = n;
    SNC_TRY(snc_alloc(&to->start, (size_t)n + 1, sizeof *to->start));
    SNC_TRY(copy_answers(to, d, pick, n));
    SNC_TRY(snc_alloc(&to->line, (size_t)n, sizeof *to->line));
    SNC_TRY(snc_alloc(&to->ids, tokens, sizeof *to->ids));
    SNC_TRY(snc_alloc(&to->types, tokens, sizeof *to->types));
    for (int i = 0; i < n; i++) {
        const int len = snc_dataset_len(d, pick[i]);
        const int64_t from = d->start[pick[i]], at = to->start[i];
        memcpy(to->ids + at, d->ids + from, (size_t)len * sizeof *d->ids);
        memcpy(to->types + at, d->types + from, (size_t)len * sizeof *d->types);
        to->line[i] = d->line[pick[i]];
        to->start[i + 1] = at + len;
        to->max_len = snc_max(to->max_len, len);
    }
    return d->sets ? snc_sets_dup(&to->sets, d->sets) : SNC_OK;
}

snc_err snc_dataset_draw(snc_dataset **out, const snc_dataset *d, int n, uint64_t seed)
{
    snc_err err = SNC_OK;
    int32_t *pick = NULL;
    snc_dataset *some = NULL;
    int drawn = d->n;
    SNC_GOTO(every_row(&pick, d->n));
    SNC_GOTO(snc_carve__sample(pick, &drawn, n, seed));
    SNC_GOTO(snc_alloc(&some, 1, sizeof *some));
    SNC_GOTO(copy_rows(some, d, pick, drawn));
    *out = some;
    some = NULL;
out:
    snc_free(pick);
    snc_dataset_free(some);
    return err;
}

/* Where dev has no file, train gives its rows. */
static snc_err load_rows(snc_rows **out, const snc_ctx *ctx, const snc_task *t, const char *dir, const char *split)
{
    bool dev = strcmp(split, "dev") == 0, carved = !t->vectors && (dev || strcmp(split, "train") == 0); /* texts are no pairs */
    if (carved) SNC_TRY(snc_rows__absent(&carved, t, dir, "dev"));
    SNC_TRY(snc_rows__load(out, t, dir, carved ? "train" : split));
    if ((*out)->skipped) snc_log(ctx, SNC_LOG_WARN, "%s: %d rows with too few columns skipped", (*out)->path, (*out)->skipped);
    if ((*out)->file.size > SNC_ROWS__LARGE)
        snc_log(ctx, SNC_LOG_INFO, "%s: %.2f GB, %d rows: about %.2f GB of memory as rows and tokens", (*out)->path,
                (double)(*out)->file.size / 1e9, (*out)->n, snc_rows__memory((double)(*out)->file.size) / 1e9);
    if (!carved) return SNC_OK;
    int n = (*out)->n;
    SNC_TRY(snc_carve__dev(*out, dev, (*out)->sets ? (*out)->sets->n : t->tags ? 1 : snc_task_classes(t), t->phrases));
    SNC_CHECK((*out)->n > 0, SNC_E_FORMAT,
              "%s: %d rows, too few that no other row contains: cannot hold out dev, of which there is no file", (*out)->path, n);
    if ((*out)->dev) cJSON_AddNumberToObject((*out)->source, "dev", (*out)->dev);
    return SNC_OK;
}

static void give_source(snc_dataset *d, snc_rows *rows)
{
    d->source = rows->source;
    rows->source = NULL;
}

snc_err snc_dataset_load(snc_dataset **out, const snc_ctx *ctx, const snc_task *t, const snc_tok *tok, const char *dir, const char *split,
                         int max_samples)
{
    snc_err err = SNC_OK;
    snc_rows *rows = NULL;
    int32_t *pick = NULL;
    SNC_GOTO(load_rows(&rows, ctx, t, dir, split));
    SNC_GOTO(every_row(&pick, rows->n));
    int n = rows->n;
    SNC_GOTO(snc_carve__sample(pick, &n, max_samples, ctx->seed));
    SNC_GOTO(build(out, ctx, t, tok, rows, pick, n, NULL, NULL, 0));
    give_source(*out, rows);
out:
    snc_free(pick);
    snc_rows__free(rows);
    return err;
}

/* Where nothing is held out, everything is train. */
static snc_err carve_nothing(snc_carve *c, const snc_rows *rows, const snc_rows *extra)
{
    *c = (snc_carve){.n_train = rows->n, .n_extra = extra ? extra->n : 0};
    SNC_TRY(every_row(&c->train, c->n_train));
    return every_row(&c->extra, c->n_extra);
}

/* What rows are tokenized by. */
typedef struct reader {
    const snc_ctx *ctx;
    const snc_task *t;
    const snc_tok *tok;
    const char *dir;
} reader;

static snc_err build_train(snc_dataset **out, snc_carve *c, const reader *r, const snc_rows *rows, const snc_rows *extra,
                           int max_train_samples)
{
    SNC_TRY(snc_carve__sample(c->train, &c->n_train, max_train_samples, r->ctx->seed));
    return build(out, r->ctx, r->t, r->tok, rows, c->train, c->n_train, extra, c->extra, c->n_extra);
}

static snc_err build_all(snc_dataset **out, const reader *r, const snc_rows *rows, const snc_rows *extra, int max_train_samples)
{
    snc_carve c;
    snc_err err = carve_nothing(&c, rows, extra);
    if (!err) err = build_train(out, &c, r, rows, extra, max_train_samples);
    snc_carve__dispose(&c);
    return err;
}

snc_err snc_dataset_apart(const snc_dataset *d, const char *path, const snc_dataset *other, const char *what)
{
    uint64_t *text;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&text, (size_t)other->n, sizeof *text));
    memcpy(text, other->text, (size_t)other->n * sizeof *text);
    snc_texts_sort(text, (size_t)other->n);
    for (int i = 0; i < d->n && !err; i++)
        if (snc_texts_have(text, (size_t)other->n, d->text[i]))
            err = snc_err_set(SNC_E_FORMAT, "%s:%lld: the same text stands in %s: expected rows that nothing has learnt from", path,
                              (long long)d->line[i], what);
    snc_free(text);
    return err;
}

/* Rows of files of their own, which nothing else has. */
static snc_err load_own(snc_splits *out, const reader *r, const snc_splits_ask *ask)
{
    SNC_TRY(snc_dataset_load(&out->rank, r->ctx, r->t, r->tok, r->dir, ask->rank, 0));
    SNC_TRY(snc_dataset_load(&out->select, r->ctx, r->t, r->tok, r->dir, ask->select, 0));
    SNC_TRY(snc_dataset_apart(out->rank, ask->rank, out->train, "train"));
    SNC_TRY(snc_dataset_apart(out->select, ask->select, out->train, "train"));
    return snc_dataset_apart(out->select, ask->select, out->rank, ask->rank);
}

static void log_splits(const snc_ctx *ctx, const snc_rows *rows, const snc_carve *c, const snc_splits *s, const char *unlabeled)
{
    if (s->rank && s->rank->n < FEW)
        snc_log(ctx, SNC_LOG_WARN, "%s: only %d rows each in rank and select: choices made on them are coarse", rows->path, s->rank->n);
    if (rows->dev)
        snc_log(ctx, SNC_LOG_INFO,
                "%s: no dev file: %d rows of it are dev, by class and the same for every --seed (%d contained in those left train)",
                rows->path, rows->dev, rows->left_out);
    if (c->removed_extra)
        snc_log(ctx, SNC_LOG_INFO, "%s: %d rows left out, contained in rows of rank or select", unlabeled, c->removed_extra);
}

snc_err snc_splits_load(snc_splits *out, const snc_ctx *ctx, const snc_task *t, const snc_tok *tok, const char *dir,
                        const snc_splits_ask *ask)
{
    const reader r = {ctx, t, tok, dir};
    const bool held = ask->hold_out != SNC_HOLD_NOTHING, carved = held && !ask->rank;
    snc_err err = SNC_OK;
    snc_rows *rows = NULL, *extra = NULL;
    snc_carve c = {0};
    *out = (snc_splits){0};
    assert(!ask->rank == !ask->select);
    SNC_GOTO(load_rows(&rows, ctx, t, dir, "train"));
    if (ask->unlabeled) SNC_GOTO(snc_rows__load_unlabeled(&extra, t, ask->unlabeled));
    SNC_GOTO(carved ? snc_carve__make(&c, rows, extra, t->phrases, ctx->seed) : carve_nothing(&c, rows, extra));
    SNC_GOTO(build_train(&out->train, &c, &r, rows, extra, ask->max_train_samples));
    give_source(out->train, rows);
    out->dev = rows->dev;
    out->removed = c.removed;
    if (carved) SNC_GOTO(build(&out->rank, ctx, t, tok, rows, c.rank, c.n_rank, NULL, NULL, 0));
    if (carved) SNC_GOTO(build(&out->select, ctx, t, tok, rows, c.select, c.n_select, NULL, NULL, 0));
    if (held && !carved) SNC_GOTO(load_own(out, &r, ask));
    if (ask->hold_out == SNC_HOLD_OUT_BESIDE_ALL && !carved) out->all = out->train;
    if (ask->hold_out == SNC_HOLD_OUT_BESIDE_ALL && carved) SNC_GOTO(build_all(&out->all, &r, rows, extra, ask->max_train_samples));
    log_splits(ctx, rows, &c, out, ask->unlabeled);
out:
    snc_carve__dispose(&c);
    snc_rows__free(extra);
    snc_rows__free(rows);
    if (err != SNC_OK) snc_splits_dispose(out);
    return err;
}

void snc_splits_dispose(snc_splits *s)
{
    if (s->all != s->train) snc_dataset_free(s->all);
    snc_dataset_free(s->train);
    snc_dataset_free(s->rank);
    snc_dataset_free(s->select);
    *s = (snc_splits){0};
}
