/* artifact/load.h: any accepted model, ready to run: a .snc in its own dtypes, everything else in F32. */
#ifndef SNC_ARTIFACT_LOAD_H
#define SNC_ARTIFACT_LOAD_H

#include "base/json.h"
#include "data/dataset.h"
#include "models/runtime.h"
#include "models/snc_file.h"

typedef struct snc_loaded {
    char *path;
    snc_weights *weights;      /* which answer: of net[] */
    snc_model *model;          /* behind the weights when the input was no .snc */
    snc_tok *tok;              /* NULL: none inside */
    const char *const *labels; /* [classes] or NULL */
    int classes, max_length;   /* max_length: what the model was trained for, else its positions */
    bool regression, has_head;
    snc_meaning problem;
    snc_long long_texts;             /* of a model that tags words */
    double threshold;                /* multilabel: from which probability on a label is there */
    cJSON *meta;                     /* a copy */
    const snc_sncfile *file;         /* of a .snc: the weights' own, of a net of it where there are several */
    snc_weights *net[SNC_NETS_MOST]; /* of each net that is made ready, the first always */
    const snc_cascade *cascade;      /* by which they answer; NULL: weights alone do, or: */
    const snc_speeds *speeds;        /* by which they keep a budget; NULL: there is none */
    double budget;                   /* us of a text */
} snc_loaded;

/* A model without a head gets a seeded one of `classes_hint` classes, 2 when 0. */
snc_err snc_loaded_open(snc_loaded *out, const snc_ctx *ctx, const char *path, int classes_hint, snc_meaning meaning_hint) SNC_MUST_USE;
/* The same of any .snc, to look into: a supernet with experts, which open refuses, does not run by itself. */
snc_err snc_loaded_look(snc_loaded *out, const snc_ctx *ctx, const char *path) SNC_MUST_USE;
/* SNC_E_UNSUPPORTED: one of those, where a plain model is asked for. */
snc_err snc_need_plain(const snc_encoder_config *c, const char *path) SNC_MUST_USE;
/* What is said of it from now on is said of this file, which its user knows. */
snc_err snc_loaded_call(snc_loaded *l, const char *path) SNC_MUST_USE;
void snc_loaded_close(snc_loaded *l);
/* Net k of a file that has several (models/bundle.h) answers from here on: once, after open. SNC_E_ARG: it has no such net. */
snc_err snc_loaded_use_net(snc_loaded *l, int k) SNC_MUST_USE;
int snc_loaded_nets(const snc_loaded *l);
/* All nets of the file are made ready: once, after open, and not beside snc_loaded_use_net. */
snc_err snc_loaded_open_nets(snc_loaded *l) SNC_MUST_USE;
/* The net that is asked for answers from here on; none asked (< 0): the file's cascade, where it has one, else the first. */
snc_err snc_loaded_use(snc_loaded *l, int net) SNC_MUST_USE;
/* Each text is answered by the largest net that takes at most `us` from here on: in place of snc_loaded_use. Says where the file's times
 * are not those of ctx's machine. SNC_E_ARG: it has none. */
snc_err snc_loaded_pace(snc_loaded *l, const snc_ctx *ctx, double us) SNC_MUST_USE;
/* By --budget, of a text on `threads`, or by --net: once, after open. SNC_E_ARG: both are asked for, or `verb`'s --budget is no time. */
snc_err snc_loaded_obey(snc_loaded *l, const snc_ctx *ctx, const snc_options *o, int threads, const char *verb) SNC_MUST_USE;

/* What stands between a model and an answer. SNC_E_NOTFOUND: no tokenizer inside, or no classifier was trained, where --seeded-head
 * does not allow that; SNC_E_SHAPE: the task, where there is one, has other classes. */
snc_err snc_loaded_check(const snc_loaded *l, const snc_ctx *ctx, const snc_options *o, const snc_task *t) SNC_MUST_USE;
/* The same of the classifier alone. */
snc_err snc_need_head(const snc_ctx *ctx, const snc_options *o, const char *path, bool has_head) SNC_MUST_USE;
/* Logits [n, classes] into the task's class order, for a model that names the same classes in another one. */
void snc_loaded_order_classes(float *logits, const snc_loaded *l, const snc_task *t, int n);
/* Logits less what the threshold is as one: of a multilabel model, a label is there from 0 on (artifact/inputs.h). Nothing otherwise. */
void snc_loaded_cut(float *logits, const snc_loaded *l, int n);
/* A warning where a model's classes have other names than the task's, or none: they are taken in order. */
void snc_loaded_say_labels(const snc_loaded *l, const snc_ctx *ctx, const snc_task *t);
/* Texts of the task are cut where predict cuts them: at the model's own limit, where that is the smaller one. */
snc_err snc_loaded_fit(snc_task *t, const snc_loaded *l) SNC_MUST_USE;
/* "PATH: 12 of 300 rows were cut to 64 tokens", where any were. */
void snc_loaded_say_cut(const snc_loaded *l, const snc_ctx *ctx, const snc_task *t, const snc_dataset *d);

bool snc_path_is_snc(const char *path); /* by content */
/* Tokenizer files of a .snc, a Hugging Face folder, or of the folder a bare file is in. SNC_E_NOTFOUND: none. */
snc_err snc_load_tokenizer(snc_tok_assets *out, const char *path) SNC_MUST_USE;
/* Identity of a model file or of a folder's model and tokenizer files. */
snc_err snc_path_hash(uint64_t *out, const char *path) SNC_MUST_USE;

/* Logits [n, K] of a split, in batches of like length, through a net. The net must be planned for `batch` x d->max_len.
 * what: the name that ctx's progress is told by, or NULL. SNC_E_CANCELLED: between two layers, as snc_net_run. SNC_E_DIVERGED: names
 * the row whose logits are not finite. */
snc_err snc_loaded_logits(float *logits, snc_net *net, int K, const snc_dataset *d, int batch, const snc_ctx *ctx,
                          const char *what) SNC_MUST_USE;
/* The same of a whole model, by a net of its own; the message names the model's path. */
snc_err snc_loaded_answer(float *logits, const snc_ctx *ctx, const snc_loaded *l, const snc_dataset *d, const char *what) SNC_MUST_USE;

#endif
