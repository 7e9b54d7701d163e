/* snc.h: the one public header of the supernet compressor (C and C++).
 *
 * The first half is the embeddable runtime, libsnc: open a compressed model, classify texts, close it. The second half is
 * libsnc-tool, on top of it: a stage is one function, files in, one artifact out, no shared memory between stages.
 *
 *     snc_classifier *m; snc_session *s; snc_result r;
 *     if (snc_classifier_open(&m, "compressed.snc")) die(snc_err_text());
 *     if (snc_session_new(&s, m, 1)) die(snc_err_text());
 *     if (snc_classify(&r, s, &(snc_text){.a = "a fine film"}, 1)) die(snc_err_text());
 *     printf("%s %.3f\n", r.label, r.score);
 *     snc_session_free(s); snc_classifier_close(m);
 *
 * Ownership: a pointer-to-pointer first argument is given to the caller, who frees it, once; on failure it is NULL. Returned
 * strings are borrowed from their parent. Threads: a classifier is immutable and may be shared; a session belongs to one thread
 * at a time. Arguments: a NULL that a comment does not allow is SNC_E_ARG; an object that was freed is not noticed.
 */
#ifndef SNC_H
#define SNC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SNC_MUST_USE __attribute__((warn_unused_result))
#define SNC_API __attribute__((visibility("default"))) /* the libraries give out these names and no others */
#else
#define SNC_MUST_USE
#define SNC_API
#endif

#define SNC_VERSION_MAJOR 0
#define SNC_VERSION_MINOR 1
#define SNC_VERSION_PATCH 0
#define SNC_VERSION "0.1.0"
SNC_API const char *snc_version(void); /* of the library that runs, where SNC_VERSION is of this header */

/* Every call that can fail returns one of these; the sentence for people is in snc_err_text(). */
typedef enum snc_err {
    SNC_OK = 0,
    SNC_E_ARG = -1,         /* an argument or option makes no sense */
    SNC_E_NOMEM = -2,
    SNC_E_IO = -3,          /* open, read, write, rename */
    SNC_E_FORMAT = -4,      /* a file is not what it says it is */
    SNC_E_SHAPE = -5,       /* sizes that do not fit together */
    SNC_E_NOTFOUND = -6,    /* a name that is not there */
    SNC_E_UNSUPPORTED = -7, /* understood, but not built or not possible here */
    SNC_E_BACKEND = -8,     /* a library below us failed */
    SNC_E_DIVERGED = -9,    /* a loss or weight is not finite */
    SNC_E_CANCELLED = -10   /* interrupted; what was saved is usable */
} snc_err;

/* One line about the last failure on this thread; "" when there was none. Kept until the next failure. */
SNC_API const char *snc_err_text(void);

/* ---- the embeddable runtime ---------------------------------------------------------------------------------------- */

typedef struct snc_classifier snc_classifier; /* weights, tokenizer and labels of one .snc; immutable */
typedef struct snc_session snc_session;       /* workspace of one thread of control */

typedef struct snc_text {
    const char *a, *b; /* NUL-terminated UTF-8; b: the second text of a pair, NULL for a single one */
} snc_text;

typedef struct snc_result {
    const char *label;   /* borrowed from the classifier; NULL for a regression model */
    int index;           /* class index; 0 for regression; of any number of labels the most probable, there or not */
    float score;         /* softmax probability of that class, sigmoid of that label; the value itself for regression */
    const float *logits; /* [classes], borrowed from the session until its next call */
} snc_result;

/* path: a .snc with a tokenizer and labels. The file is read into memory: once this returns it may be replaced, cut or deleted.
 * SNC_E_IO, SNC_E_FORMAT, SNC_E_NOTFOUND (no tokenizer inside, or no trained classifier). */
SNC_API snc_err snc_classifier_open(snc_classifier **out, const char *path) SNC_MUST_USE;
SNC_API void snc_classifier_close(snc_classifier *c); /* sessions still open keep what they need; NULL is fine */
SNC_API int snc_classifier_classes(const snc_classifier *c); /* 1 for regression; 0 for NULL */
SNC_API int snc_classifier_regression(const snc_classifier *c);
SNC_API int snc_classifier_multilabel(const snc_classifier *c); /* any number of labels a text: snc_result_labels */
SNC_API const char *snc_classifier_label(const snc_classifier *c, int k); /* NULL out of range, and where the file has none */

/* threads: how many this session may use for one call, 1 to 1024; more than the machine has count as all of them. The program's
 * own OpenMP settings stay as they are. After fork both processes may go on; the child's calls use one thread. */
SNC_API snc_err snc_session_new(snc_session **out, snc_classifier *c, int threads) SNC_MUST_USE;
SNC_API void snc_session_free(snc_session *s); /* NULL is fine */

/* Classifies n texts; results [n], untouched on failure. An empty text is [CLS] [SEP]. Longer than the model's positions or its
 * max length: cut, longest first. n = 0 does nothing. Any n works; memory is bounded by running it in pieces. SNC_E_DIVERGED:
 * the logits of a text, which is named by its place in texts, are not finite. */
SNC_API snc_err snc_classify(snc_result *results, snc_session *s, const snc_text *texts, int n) SNC_MUST_USE;

/* The labels of a text, the most probable first: *n of them, from the file's threshold on (chosen in training; 0.5 where the file has
 * none). label [classes] are indices, probability [classes] or NULL their sigmoids. r: a result of this classifier, whose logits are
 * still there. SNC_E_ARG: the model gives one class or a value. */
SNC_API snc_err snc_result_labels(int *label, float *probability, int *n, const snc_classifier *c, const snc_result *r) SNC_MUST_USE;

/* ---- stages -------------------------------------------------------------------------------------------------------- */

typedef enum snc_level { SNC_LEVEL_ERROR, SNC_LEVEL_WARN, SNC_LEVEL_INFO, SNC_LEVEL_DEBUG } snc_level;

/* How far a stage is; what is not known is NaN. Strings are borrowed for the call. */
typedef struct snc_status {
    const char *what, *note;   /* the part under way, and a short extra such as "loss 0.31" */
    double done, total;        /* of the part, in units of its own */
    double per_second, left_s; /* its pace, and the time it still takes */
    int part, parts;           /* which of the job's planned parts it is, from 1; 0 of 0: nothing was planned */
    double share, all_left_s;  /* of the whole job: what is done, 0 to 1, and the time that is left */
} snc_status;

/* What a stage may do to the outside. Any callback may be NULL. Made by snc_host_init.
 * A signal handler of the process needs a stack of its own (sigaltstack, SA_ONSTACK): below the stack pointer, where its frame would
 * lie otherwise, kernels of vendor libraries keep data. That holds of snc_classify as well. */
typedef struct snc_host {
    size_t size;
    void *user;
    void (*log)(void *user, snc_level level, const char *line);
    void (*progress)(void *user, const char *what, double done, double total, const char *note);
    void (*result)(void *user, const char *line);                      /* one line of the stage's answer, no newline */
    snc_err (*input)(void *user, const char **line, size_t *bytes);    /* next input line, *line NULL at the end */
    volatile int *cancel;                                              /* set by a signal handler */
    const char *program;                                               /* the compress program, for measurements in fresh
                                                                          processes; NULL: the one beside this library */
    void (*status)(void *user, const snc_status *s);                   /* progress and more, at least every two seconds */
    int (*ready)(void *user);                                          /* whether `input` would answer without waiting; what came
                                                                          before is answered then. NULL: always */
} snc_host;

/* Fills in size, and nothing else. */
#define snc_host_init(h) snc_host_init_sized((h), sizeof *(h))
SNC_API void snc_host_init_sized(snc_host *h, size_t size);

/* Every knob of every stage, made by snc_options_init. Strings are borrowed, NULL is "not given". */
typedef struct snc_options {
    size_t size;
    /* inputs and outputs */
    const char *pretrained; /* HF folder, .safetensors, PyTorch .bin or .snc */
    const char *teacher;    /* a fine-tuned model: skips finetune */
    const char *const *models; int n_models; /* positional .snc files */
    const char *task;       /* shipped name or a JSON file */
    const char *tasks;      /* comma list, for bench */
    const char *data;       /* folder with SST-2/ MRPC/ ..., or the task's own files; or one file of train rows */
    const char *split;      /* train | rank | select | dev | test; default dev */
    const char *unlabeled;  /* text file learnt by distillation alone */
    int trim_vocab;         /* keep the word pieces seen in train and unlabeled text alone */
    const char *output;     /* file, or folder for compress */
    int overwrite;
    /* targets */
    const char *target_latency; /* 1.5ms | 800us | 0.5x */
    const char *target_size;    /* 12MB | 0.5x */
    const char *target_macs;    /* 0.5x of the full encoder's at 128 tokens */
    double max_drop;            /* points; < 0: not given */
    /* workload */
    const char *batch;      /* number, or a comma list for bench; default 1 */
    const char *seq_len;    /* number or "data"; a comma list for bench; default data */
    const char *threads;    /* number; a comma list for bench; default 1 for the workload, all cores elsewhere */
    double percentile;      /* default 50 */
    int repeats;            /* 0: by time */
    int profile;            /* bench: where the time goes */
    /* run */
    const char *backend;    /* auto | ref | blas | onednn | native */
    const char *fp;         /* auto | f32 | bf16: what FP means in policies */
    const char *compute;    /* bf16 | f32: training arithmetic; default bf16 where the CPU has it */
    int64_t seed;
    int dry_run, json, logits, verbose;
    const char *format;     /* md | json | csv; predict: text | jsonl */
    /* fine-tuning */
    double epochs, lr, weight_decay, warmup;
    int batch_size, max_train_samples, max_length, hold_out, checkpoint_every;
    int max_steps;          /* 0: all; stops early with a checkpoint, for tests of resume */
    /* supernet */
    double supernet_epochs, supernet_lr, augment, alpha, temperature, hidden_weight;
    const char *sampler;    /* sandwich | instatune | full */
    int inplace_teacher;
    const char *depth_rule; /* auto | first | last | even */
    /* search */
    const char *space, *searcher, *journal;
    const char *objectives;  /* "loss,latency" ... */
    const char *warm_start;  /* another search's journal */
    const char *export_as;   /* csv | json: print the journal and stop */
    int evals;
    const char *tabular, *searchers, *protocols; int seeds; /* study; seeds 0: 200 on a table, 5 on a supernet */
    const char *time_budget; /* 90s | 5m | 1h */
    /* export */
    const char *policy;     /* int8 | bf16 | f32 | FILE */
    const char *config;     /* FILE with {"arch":...,"policy":...} */
    const char *to;         /* snc */
    const char *repair;     /* auto | on | off */
    double repair_epochs;
    int seeded_head;        /* a model without a trained classifier answers by a seeded one: for timing */
    /* rows, in place of a task file or of what it says */
    const char *text, *text_pair, *label; /* columns; with one of them `task` is "custom" where it is not given */
    const char *quoting;    /* auto | none | csv */
    const char *class_weights; /* none | balanced */
} snc_options;

/* Fills in size and the defaults. New fields go to the end: a library takes the structs of programs that were built with an
 * older header, and refuses those of a newer one (SNC_E_UNSUPPORTED) and bare ones (SNC_E_ARG). */
#define snc_options_init(o) snc_options_init_sized((o), sizeof *(o))
SNC_API void snc_options_init_sized(snc_options *o, size_t size);

/* The table of options: a row for each field of snc_options that people set, for parsers, help, stamps and reports. */
typedef enum snc_option_kind {
    SNC_OPTION_STRING,  /* const char * */
    SNC_OPTION_INTEGER, /* int */
    SNC_OPTION_SEED,    /* int64_t */
    SNC_OPTION_REAL,    /* double */
    SNC_OPTION_FLAG     /* int, 0 or 1 */
} snc_option_kind;

enum { /* which verbs take an option */
    SNC_VERB_COMPRESS = 1, SNC_VERB_IMPORT = 2, SNC_VERB_FINETUNE = 4, SNC_VERB_SUPERNET = 8, SNC_VERB_PROFILE = 16, SNC_VERB_SEARCH = 32,
    SNC_VERB_EXPORT = 64, SNC_VERB_BENCH = 128, SNC_VERB_PREDICT = 256, SNC_VERB_EVAL = 512, SNC_VERB_INFO = 1024, SNC_VERB_TOKENIZE = 2048,
    SNC_VERB_STUDY = 4096, SNC_VERB_VERIFY = 8192, SNC_VERB_ALL = 16383
};

enum { /* which artifacts an option's value decides; 0: none */
    SNC_DECIDES_TEACHER = 1, SNC_DECIDES_SUPERNET = 2, SNC_DECIDES_TABLE = 4, SNC_DECIDES_FILE = 8,
    SNC_DECIDES_BY_CONTENT = 16 /* what is behind it does, by a hash: rows, weights, a space */
};

typedef struct snc_option {
    const char *name, *brief; /* "--batch", "-b" or NULL */
    snc_option_kind kind;
    size_t offset;            /* in snc_options */
    unsigned verbs, decides;
    double min, max;          /* of numbers */
    const char *value, *help; /* "N", one line */
} snc_option;

SNC_API const snc_option *snc_option_table(int *n /* rows; may be NULL */);

/* Whether `path`, the value of `option`, may be written by a command with these options: every stage asks it for --output and
 * --journal. SNC_E_ARG: it is what another option names or among the files of one, or it is there and was not written by this
 * program, and `overwrite` is not set. SNC_E_IO: a device, FIFO or socket. */
SNC_API snc_err snc_output_check(const snc_options *o, const char *option, const char *path) SNC_MUST_USE;

/* Each does what the verb of its name does (README.md): files in, one artifact out, answer lines through host->result. They check
 * as the program does: SNC_E_ARG for a NULL or a number out of its option's range. The whole job measures in fresh processes of
 * a compress program (snc_host.program) and refuses before any work when there is none of this version; it never starts the
 * program that it runs in. */
SNC_API snc_err snc_stage_compress(const snc_options *o, const snc_host *h, int *missed /* 1: a target was missed */) SNC_MUST_USE;
SNC_API snc_err snc_stage_import(const snc_options *o, const snc_host *h) SNC_MUST_USE;
SNC_API snc_err snc_stage_finetune(const snc_options *o, const snc_host *h) SNC_MUST_USE;
SNC_API snc_err snc_stage_supernet(const snc_options *o, const snc_host *h) SNC_MUST_USE;
SNC_API snc_err snc_stage_profile(const snc_options *o, const snc_host *h) SNC_MUST_USE;
SNC_API snc_err snc_stage_search(const snc_options *o, const snc_host *h, int *missed /* 1: a target was missed */) SNC_MUST_USE;
SNC_API snc_err snc_stage_study(const snc_options *o, const snc_host *h) SNC_MUST_USE;
SNC_API snc_err snc_stage_export(const snc_options *o, const snc_host *h) SNC_MUST_USE;
SNC_API snc_err snc_stage_bench(const snc_options *o, const snc_host *h) SNC_MUST_USE;
SNC_API snc_err snc_stage_predict(const snc_options *o, const snc_host *h) SNC_MUST_USE;
SNC_API snc_err snc_stage_eval(const snc_options *o, const snc_host *h) SNC_MUST_USE;
SNC_API snc_err snc_stage_info(const snc_options *o, const snc_host *h) SNC_MUST_USE;
SNC_API snc_err snc_stage_tokenize(const snc_options *o, const snc_host *h) SNC_MUST_USE;
SNC_API snc_err snc_stage_verify(const snc_options *o, const snc_host *h) SNC_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
