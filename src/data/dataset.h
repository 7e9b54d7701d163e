/* data/dataset.h: rows of a split, tokenized once; and the four disjoint splits.
 *
 * Splits: `train`; `rank` and `select`, carved from the train file by seed and never trained on; `dev`, the task's own file.
 * A row is contained in another when its words are a run of the other's words (of both texts, for a pair). Candidates for
 * rank and select are rows contained in no other row; rows of train contained in a chosen one leave train.
 * Tasks whose rows are phrases of one another ("phrases": true, SST-2): candidates have at least 8 words, a row's double
 * counts as another row; 1,000 + 1,000 by seed. Other tasks: 10 % each, at least 50, at most 1,000 rows; the first of
 * equal rows stands for all of them. Never more than a quarter of the file each. Without rank and select train is every row.
 *
 * Of tags a sentence is a row, or several where it is longer than the task's max_length: none of its words is lost.
 *
 * Of a task of vectors train is the texts of its file, each a row by itself and without a label; dev, and any other file, has pairs.
 * It needs a dev file.
 *
 * A task without a dev file has its dev rows from the train file, before the others: a tenth, 50 to 1,000, stratified by class and
 * contained in no other row; rows contained in them leave train. They are drawn by their own text, whatever the seed, so that training,
 * resuming and scoring agree on them.
 */
#ifndef SNC_DATA_DATASET_H
#define SNC_DATA_DATASET_H

#include "base/json.h"
#include "core/tokens.h"
#include "data/sets.h"
#include "base/rng.h"
#include "data/task.h"
#include "tokenizer/tokenizer.h"

typedef struct snc_dataset {
    int n;
    int64_t *start; /* [n+1] offsets into ids and types */
    int32_t *ids, *types;
    float *target;  /* [answers] class index, value, or number of a set of labels; NaN for an unlabelled row */
    snc_sets *sets; /* of a multilabel task: what target numbers; NULL otherwise */
    int64_t *line;  /* [n] line number in the file, for messages */
    int max_len;    /* the longest row, in tokens */
    int truncated;  /* rows that were cut */
    /* Of tags, whose answers are of words: those of row i are answers[i] .. answers[i+1], less answers[0] of what there is one for each,
     * and read says at which of the row's tokens. A long sentence is several rows in a row, of one line. Else NULL: one answer a row. */
    int64_t *answers;           /* [n+1] */
    int32_t *read;              /* [answers] */
    struct snc_dataset *second; /* of pairs whose vectors are compared: their second texts, as rows of their own; else NULL */
    uint64_t *text;             /* [n] of each row's texts, equal for equal ones, 0 for an empty row; NULL for made rows */
    cJSON *source;              /* of which file, and how it was read: data/source_priv.h; NULL where another dataset has it */
} snc_dataset;

static inline int snc_dataset_len(const snc_dataset *d, int i) { return (int)(d->start[i + 1] - d->start[i]); }
/* How many targets, or rows of logits, belong to the first i rows; and to all. */
static inline int64_t snc_dataset_answer(const snc_dataset *d, int i) { return d->answers ? d->answers[i] - d->answers[0] : i; }
static inline int64_t snc_dataset_answers(const snc_dataset *d) { return snc_dataset_answer(d, d->n); }
/* Of the n rows given. */
int64_t snc_dataset_answers_of(const snc_dataset *d, const int32_t *rows, int n);
/* Numbers of logits of K outputs. */
static inline size_t snc_dataset_logits(const snc_dataset *d, int K) { return (size_t)snc_dataset_answers(d) * (size_t)K; }
void snc_dataset_free(snc_dataset *d);
/* The rows of a train split that have a label, which stand first. Borrows d's arrays: not to be freed. */
snc_dataset snc_dataset_labelled_view(const snc_dataset *d);
/* Rows from..to. Borrows likewise, and knows texts and sources of none. */
snc_dataset snc_dataset_rows_view(const snc_dataset *d, int from, int to);
/* n of d's rows, drawn by seed, in d's order; texts and sources of none. */
snc_err snc_dataset_draw(snc_dataset **out, const snc_dataset *d, int n, uint64_t seed) SNC_MUST_USE;
/* The answers as rows: n and target alone, of a set whose answers are one a row all that it has. Borrows likewise. */
snc_dataset snc_dataset_answers_view(const snc_dataset *d);
/* Identity of the rows as they reach a model: tokens, segments and targets, in order. */
uint64_t snc_dataset_hash(const snc_dataset *d);

/* One file of the task as it stands. split: "train", "dev", "test" or another key of "files", or the path of a file that is none, from here
 * or from the task's folder, whose rows have labels as those of dev do. dir holds the task's folder
 * (GLUE layout) or the files themselves. max_samples 0: all rows, otherwise the first max_samples after a seeded shuffle,
 * in file order. SNC_E_NOTFOUND: no such split or file; SNC_E_FORMAT: a bad row, with its line. */
snc_err snc_dataset_load(snc_dataset **out, const snc_ctx *ctx, const snc_task *t, const snc_tok *tok, const char *dir, const char *split,
                         int max_samples) SNC_MUST_USE;

typedef struct snc_splits {
    snc_dataset *train, *rank, *select; /* rank and select NULL where nothing is held out */
    snc_dataset *all; /* what train is where nothing is held out; NULL unless asked for; train itself where nothing left it */
    int removed;      /* train rows dropped by the containment rule */
    int dev;          /* rows of the train file that are dev, which has no file of its own */
} snc_splits;
typedef enum snc_hold_out { SNC_HOLD_NOTHING, SNC_HOLD_OUT, SNC_HOLD_OUT_BESIDE_ALL } snc_hold_out;
typedef struct snc_splits_ask {
    snc_hold_out hold_out;
    int max_train_samples;     /* of the labelled rows; 0: all. Those of `all` are drawn from all */
    const char *unlabeled;     /* a text file, one row a line, a TAB makes a pair; NULL: none */
    const char *rank, *select; /* files of labelled rows that the task reads as it does dev's; NULL: they are carved from train */
} snc_splits_ask;
/* Carves the train file with ctx->seed; unlabeled text is appended to train with target NaN, but for the rows that rank or select
 * contain. Where rank and select are files of their own, both, nothing leaves train. Rows equal for equal seed, whatever the tokenizer.
 * SNC_E_FORMAT: beside what reading says, a row of such a file that stands in train or in the other one. */
snc_err snc_splits_load(snc_splits *out, const snc_ctx *ctx, const snc_task *t, const snc_tok *tok, const char *dir,
                        const snc_splits_ask *ask) SNC_MUST_USE;
/* SNC_E_FORMAT: a row of d, whose file is `path`, has the text of one of other, which is `what`. */
snc_err snc_dataset_apart(const snc_dataset *d, const char *path, const snc_dataset *other, const char *what) SNC_MUST_USE;
void snc_splits_dispose(snc_splits *s);

/* Rows with met set, *n of them, NULL: all; the shortest first, equal ones in their order. The caller frees them. */
snc_err snc_dataset_by_length(int32_t **out, int *n, const snc_dataset *d, const uint8_t *met /* [d->n] */) SNC_MUST_USE;

/* ---- batches ------------------------------------------------------------------------------------------------------ */

/* Length-bucketed batches for one epoch: a seeded shuffle, chunks of 50 batches sorted by length, batches shuffled.
 * Borrows the dataset; one thread at a time. */
typedef struct snc_batcher snc_batcher;
snc_err snc_batcher_new(snc_batcher **out, const snc_dataset *d, int batch_size) SNC_MUST_USE;
void snc_batcher_free(snc_batcher *b);
int snc_batcher_count(const snc_batcher *b);                      /* batches an epoch, the last may be small */
int snc_batcher_max_tokens(const snc_batcher *b);                 /* bound over all epochs: batch_size * longest */
int snc_batcher_max_answers(const snc_batcher *b);                /* the same of its answers */
void snc_batcher_epoch(snc_batcher *b, uint64_t seed, int epoch); /* same arguments, same batches; before the first
                                                                          call, batches are in file order */
/* Batches that are sorted together, 50 or all of an epoch, and how many rows those have. */
int snc_batcher_chunk(int *rows, const snc_batcher *b);
/* As many rows that were drawn otherwise, each any number of times, in place of an epoch's: batches 0 to chunk - 1 until the next call. */
void snc_batcher_take(snc_batcher *b, const int32_t *drawn, snc_rng *rng);
/* Gathers batch i; x and rows [B] (indices into the dataset) are borrowed until the next call. */
void snc_batcher_get(snc_tokens *x, const int32_t **rows, snc_batcher *b, int i);
/* Of what there is K numbers of for each answer of the dataset, all [answers, K], those of a batch's rows, one after the other: how many
 * answers; and the way back. */
int snc_batcher_gather(float *out, const float *all, const snc_dataset *d, const int32_t *rows, int n, int K);
void snc_batcher_scatter(float *all, const float *in, const snc_dataset *d, const int32_t *rows, int n, int K);
/* Gathers the given rows in the given order (evaluation: any order the caller likes). */
void snc_batcher_rows(snc_tokens *x, snc_batcher *b, const int32_t *rows, int n /* <= batch_size */);

#endif
