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
#define SNC_API      __attribute__((visibility("default"))) /* the libraries give out these names and no others */
#else
#define SNC_MUST_USE
#define SNC_API
#endif

#define SNC_VERSION_MAJOR 0
#define SNC_VERSION_MINOR 1
#define SNC_VERSION_PATCH 0
#define SNC_VERSION       "0.1.0"
SNC_API const char *snc_version(void); /* of the library that runs, where SNC_VERSION is of this header */

/* Every call that can fail returns one of these; the sentence for people is in snc_err_text(). */
typedef enum snc_err {
    SNC_OK = 0,
    SNC_E_ARG = -1, /* an argument or option makes no sense */
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
    const char *label; /* borrowed from the classifier; NULL where there are no classes */
    int index;         /* class index; 0 for regression and vectors; of any number of labels the most probable, there or not */
    float score; /* softmax probability of that class, sigmoid of that label; the value of a regression, be it a score; 0 of a vector */
    const float *logits; /* [classes], borrowed from the session until its next call */
} snc_result;

/* path: a .snc with a tokenizer and labels. The file is read into memory: once this returns it may be replaced, cut or deleted.
 * SNC_E_IO, SNC_E_FORMAT, SNC_E_NOTFOUND (no tokenizer inside, or no trained classifier). */
SNC_API snc_err snc_classifier_open(snc_classifier **out, const char *path) SNC_MUST_USE;
SNC_API void snc_classifier_close(snc_classifier *c);        /* sessions still open keep what they need; NULL is fine */
SNC_API int snc_classifier_classes(const snc_classifier *c); /* 1 for regression, numbers of a vector; 0 for NULL */
SNC_API int snc_classifier_nets(const snc_classifier *c); /* of how many speeds it is: nets in the file, the largest first; most have one */
SNC_API int snc_classifier_regression(const snc_classifier *c);           /* a value in place of classes */
SNC_API int snc_classifier_multilabel(const snc_classifier *c);           /* any number of labels a text: snc_result_labels */
SNC_API int snc_classifier_tags(const snc_classifier *c);                 /* a class for each word of a text: snc_tag */
SNC_API int snc_classifier_vectors(const snc_classifier *c);              /* embeddings: logits [classes] are the vector, of length 1 */
SNC_API const char *snc_classifier_label(const snc_classifier *c, int k); /* NULL out of range, and where the file has none */

/* threads: how many this session may use for one call, 1 to 1024; more than the machine has count as all of them. The program's
 * own OpenMP settings stay as they are. After fork both processes may go on; the child's calls use one thread. */
SNC_API snc_err snc_session_new(snc_session **out, snc_classifier *c, int threads) SNC_MUST_USE;
SNC_API void snc_session_free(snc_session *s); /* NULL is fine */

/* Which net of the file answers from here on, 0 (the largest; at the beginning) to snc_classifier_nets - 1: takes less than a microsecond
 * and allocates nothing. Turns a cascade and a budget off. SNC_E_ARG: the file has no such net; the one before stays. */
SNC_API snc_err snc_session_set_net(snc_session *s, int net) SNC_MUST_USE;
SNC_API int snc_session_net(const snc_session *s);

/* Whether the nets of the file escalate: the smallest answers, where it is not sure enough the next larger one does, and so on, by the
 * thresholds that the file has. A session of a file with a cascade begins with it on; snc_session_set_net turns it off, and off the net
 * that was set last answers. Takes less than a microsecond and allocates nothing. SNC_E_ARG: on, and the file has none. */
SNC_API snc_err snc_session_set_cascade(snc_session *s, int on) SNC_MUST_USE;
SNC_API int snc_session_cascade(const snc_session *s);
/* From here on each text is answered by the largest net whose time the file's table has at no more than `us` microseconds: the 90th
 * percentile of a text of as many tokens by itself, without what it takes to tokenize it. Where no net is as fast the fastest answers, and
 * snc_session_over_budget says so. Of a call with several texts each has that budget for itself: who answers it does not depend on the
 * others, and the call takes about as long as all of them. us 0: off, and the net that was set last answers, as snc_session_set_net does.
 * Takes less than a microsecond and allocates nothing: a server may lower it from call to call. SNC_E_ARG: us is no number of at least
 * 0, the file has no table (export --measure), or a cascade is on, as snc_session_set_cascade fails while there is a budget. */
SNC_API snc_err snc_session_set_budget_us(snc_session *s, double us) SNC_MUST_USE;
SNC_API double snc_session_budget_us(const snc_session *s); /* 0: there is none */
/* Whether text i of the last call was one that by the table even the fastest net takes longer for; -1: as of snc_session_answered_by. */
SNC_API int snc_session_over_budget(const snc_session *s, int i);
/* Whether the table was measured on a CPU of this name, with this instruction set and as many threads; of another its times are of use to
 * tell nets apart, and no promise. -1: the file has none. */
SNC_API int snc_session_times_fit(const snc_session *s);
/* Which net answered text i of the last call; -1: there is none, or the call failed. */
SNC_API int snc_session_answered_by(const snc_session *s, int i);

/* Classifies n texts; results [n], untouched on failure. An empty text is [CLS] [SEP]. Longer than the model's positions or its
 * max length: cut, longest first. n = 0 does nothing. Any n works; memory is bounded by running it in pieces. SNC_E_DIVERGED:
 * the logits of a text, which is named by its place in texts, are not finite. */
SNC_API snc_err snc_classify(snc_result *results, snc_session *s, const snc_text *texts, int n) SNC_MUST_USE;

/* Tags the n words of a text, a sentence best: results [n], each as of snc_classify, untouched on failure. Words beyond the model's max
 * length are read in further parts of the text, of which none knows the others; where the file says that long texts are cut they are not
 * read, and their results have index -1, no label, score 0 and no logits. SNC_E_ARG: a model that answers whole texts, as those
 * that tag words are refused by snc_classify. SNC_E_DIVERGED: the logits of a word are not finite. */
SNC_API snc_err snc_tag(snc_result *results, snc_session *s, const char *const *words, int n) SNC_MUST_USE;

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

/* One evaluation of a search, as its journal has it; what is not known is NaN. Strings are borrowed for the call. */
typedef struct snc_evaluation {
    int id; /* in the order of the journal, from 1; what went before in a search that goes on is told again. 1: another search, or again */
    const char *objectives;                      /* of this search: "loss,latency", the quality first */
    double loss, score, latency_us, bytes, macs; /* the latency by the table */
} snc_evaluation;

/* What the log's line begins with that says where the page of snc_job_opts.watch is: for whoever hides the others. */
#define SNC_WATCH_AT "watch: http://"

/* Processes that work on one job, this one among them. */
typedef struct snc_comm snc_comm;

/* What a stage may do to the outside. Any callback may be NULL. Made by snc_host_init.
 * A signal handler of the process needs a stack of its own (sigaltstack, SA_ONSTACK): below the stack pointer, where its frame would
 * lie otherwise, kernels of vendor libraries keep data. That holds of snc_classify as well. */
typedef struct snc_host {
    size_t size;
    void *user;
    void (*log)(void *user, snc_level level, const char *line);
    void (*progress)(void *user, const char *what, double done, double total, const char *note);
    void (*result)(void *user, const char *line);                   /* one line of the stage's answer, no newline */
    snc_err (*input)(void *user, const char **line, size_t *bytes); /* next input line, *line NULL at the end */
    volatile int *cancel;                                           /* set by a signal handler */
    const char *program;                                            /* the compress program, for measurements in fresh
                                                                          processes; NULL: the one beside this library */
    void (*status)(void *user, const snc_status *s);                /* progress and more, at least every two seconds */
    int (*ready)(void *user);                                       /* whether `input` would answer without waiting; what came
                                                                          before is answered then. NULL: always */
    volatile int *reload;                                           /* set by a signal handler: serve reads its models again, and
                                                                          puts it back to 0 */
    void (*evaluation)(void *user, const snc_evaluation *e);        /* a search has evaluated a net */
    snc_comm *ranks;                                                /* snc_ranks_open; NULL: this process alone */
} snc_host;

/* Fills in size, and nothing else. */
#define snc_host_init(h) snc_host_init_sized((h), sizeof *(h))
SNC_API void snc_host_init_sized(snc_host *h, size_t size);

/* ---- options ------------------------------------------------------------------------------------------------------- */

/* What people may set, a struct a subject; the table of options below has a row for each field that an option sets. Strings are
 * borrowed; NULL is "not given", and means the default where the struct has one.
 *
 *     SNC_X_OPTS_INIT    the defaults, for C and for C++ from 20 on
 *     snc_x_opts_check   SNC_E_ARG names the option and what was expected of it; every stage asks it first
 *
 * `spare` is where the fields of later versions will be: the size of a struct and the place of a field stay as they are. */
typedef struct snc_input_opts {
    const char *pretrained; /* HF folder or name on the Hub, .safetensors, PyTorch .bin or .snc */
    const char *teacher;    /* a fine-tuned model: skips finetune */
    const char *const *models;
    int n_models; /* positional .snc files */
    int net;      /* which one of a file that has several; < 0: not given, the first */
    void *spare[8];
} snc_input_opts;

typedef struct snc_rows_opts {
    const char *task;                     /* shipped name or a JSON file */
    const char *data;                     /* folder with SST-2/ MRPC/ ..., or the task's own files; or one file of train rows */
    const char *text, *text_pair, *label; /* columns, in place of the task's; with one of them `task` is "custom" where it is not given */
    const char *quoting;                  /* auto | none | csv; NULL: the task's */
    const char *split;                    /* train | rank | select | dev | another file of the task */
    const char *unlabeled;                /* text file learnt by distillation alone */
    int max_train_samples, max_length;    /* 0: all; the task's */
    int hold_out;
    const char *rank, *select; /* files of labelled rows that nets are judged on while one is found; NULL: carved from train */
    const char *eval;          /* labelled rows that the proof scores: splits and files, a comma list; NULL: dev */
    const char *long_texts;    /* parts | cut, of tags; NULL: the task's, or the file's */
    void *spare[4];
} snc_rows_opts;

typedef struct snc_target_opts {
    const char *latency; /* 1.5ms | 800us | 0.5x */
    const char *size;    /* 12MB | 0.5x */
    const char *macs;    /* 0.5x of the full encoder's at 128 tokens */
    double max_drop;     /* points; < 0: not given */
    double margin;       /* points of non-inferiority that the report judges; < 0: not given */
    void *spare[7];
} snc_target_opts;

typedef struct snc_workload_opts { /* what latency means */
    const char *batch, *threads;   /* numbers */
    const char *seq_len;           /* number, or data: the task's real lengths */
    double percentile;
    const char *profile_on; /* hosts of ranks, a comma list, on whose first ranks latencies are measured; NULL: where rank 0 is */
    void *spare[7];
} snc_workload_opts;

typedef struct snc_job_opts {
    const char *backend; /* auto | ref | blas | onednn | native */
    const char *fp;      /* auto | f32 | bf16: what FP means in policies */
    const char *compute; /* auto | bf16 | f32: training arithmetic; auto is bf16 where it is the faster on this CPU */
    const char *threads; /* number, of a verb without a workload; NULL: all cores, one to predict */
    int64_t seed;
    int dry_run, verbose;
    const char *effort;       /* quick | normal | thorough: what a whole job does where nothing else is said */
    const char *time_limit;   /* 20m: of a whole job, which gives up what does not fit; NULL: none */
    const char *max_memory;   /* 8GB: of the process; steps of training are computed in parts that fit; NULL: what the machine has */
    const char *watch;        /* port of 127.0.0.1 where a page shows the run while it lasts, 0 one that is free; NULL: none */
    const char *recompute;    /* auto | on | off: activations of training are computed twice and not kept; auto where that pays */
    const char *exchange;     /* f32 | bf16: gradients between ranks */
    const char *rank_timeout; /* 5m: how long a rank waits for another in an exchange; NULL: 10m */
    void *spare[1];
} snc_job_opts;

typedef struct snc_output_opts {
    const char *path; /* file, or folder for compress and search */
    int overwrite, json;
    const char *format; /* md | json | csv */
    void *spare[8];
} snc_output_opts;

/* What a recipe says as well has no default here: a number below its option's range, or NULL, is what the recipe says. */
typedef struct snc_training_opts {
    double epochs, lr; /* of fine-tuning */
    double weight_decay, warmup;
    int batch_size, checkpoint_every;
    int max_steps;             /* 0: all; stops early with a checkpoint, for tests of resume */
    const char *class_weights; /* none | balanced */
    const char *recipe;        /* shipped name, a JSON file, or JSON; what it does not say, configs/recipes/default.json does */
    int teachers;              /* of all rows, by whose mean the chosen net is trained last */
    void *spare[7];
} snc_training_opts;

typedef struct snc_supernet_opts {
    double epochs, lr, augment, alpha, temperature, hidden_weight;
    const char *sampler; /* sandwich | instatune | near | full */
    int inplace_teacher, batch_size;
    const char *depth_rule; /* auto | first | last | even */
    const char *weights;    /* dense | mos: whether nets mix their matrices of experts */
    int experts;            /* of each mixed matrix; 0: the recipe's */
    void *spare[6];
} snc_supernet_opts;

typedef struct snc_search_opts {
    const char *space, *searcher, *journal;
    const char *objectives; /* "loss,latency" ... */
    const char *warm_start; /* another search's journal */
    const char *export_as;  /* csv | json: print the journal and stop */
    int evals;
    const char *time_budget; /* 90s | 5m | 1h */
    int hf_compatible;       /* nets alone that a Hugging Face folder can say */
    double rank_share;       /* of the rows of rank, which candidates are compared on */
    const char *nest;        /* any | depth: what the smaller nets of several latencies are of the larger one */
    void *spare[5];
} snc_search_opts;

typedef struct snc_export_opts {
    const char *policy; /* int8 | int4 | bf16 | f32 | FILE */
    const char *config; /* FILE with {"arch":...,"policy":...} */
    const char *to;     /* snc | onnx | hf | exe */
    const char *repair; /* auto | on | off */
    double repair_epochs;
    int trim_vocab;             /* keep the word pieces seen in train and unlabeled text alone */
    int seeded_head;            /* a model without a trained classifier answers by a seeded one: for timing */
    int cascade;                /* several models: the smaller ones answer what they are sure of */
    int measure;                /* the same, one of several nets, or several latencies: how long they take here goes into the file */
    const char *share;          /* auto | on | off: of several latencies; NULL: auto */
    const char *form;           /* of onnx, a comma list: f32,int8,qdq; NULL: f32, and int8 where the net has integers */
    const char *cascade_limits; /* comma list of mean=L and pQ=L */
    void *spare[4];
} snc_export_opts;

typedef struct snc_bench_opts {
    const char *batch, *seq_len, *threads; /* comma lists of a workload's */
    const char *tasks;                     /* comma list of what `task` takes */
    const char *time_budget;               /* of a measurement */
    int repeats;                           /* 0: by time */
    int profile;                           /* where the time goes */
    const char *net;                       /* which nets of files that have several: all, or a comma list; NULL: the first */
    const char *budget;                    /* 800us: each text by the largest net that it allows */
    void *spare[6];
} snc_bench_opts;

typedef struct snc_predict_opts {
    const char *format; /* text | jsonl */
    int logits;
    const char *budget; /* 800us: each text by the largest net that it allows */
    void *spare[7];
} snc_predict_opts;

typedef struct snc_study_opts {
    const char *tabular, *searchers, *protocols;
    int seeds;          /* 0: 200 on a table, 5 on a supernet */
    const char *ablate; /* shipped name or a JSON file: recipes against each other */
    void *spare[7];
} snc_study_opts;

typedef struct snc_suite_opts {
    const char *tasks;       /* comma list of names of the suite's tasks: those alone; NULL: all */
    const char *predictions; /* NAME=DIR,...: other programs' answers on dev, a TSV a task */
    const char *models;      /* FILE or TASK=FILE,...: other files */
    int seeds;               /* jobs a task, from job.seed on; 0: as the suite says */
    void *spare[8];
} snc_suite_opts;

typedef struct snc_serve_opts {
    const char *host, *token_file, *tls_cert, *tls_key; /* NULL: 127.0.0.1; no token; no TLS */
    const char *batch_wait, *max_body, *timeout;        /* 500us, NULL: none; 1MB; 30s */
    int port, max_batch, queue, connections;
    const char *busy_budget; /* 500us: as predict.budget, of texts that a whole batch waits behind; NULL: the same as of others */
    void *spare[7];
} snc_serve_opts;

/* On paper: how long a whole job takes on so many ranks with so many cores each. */
typedef struct snc_plan_opts {
    const char *ranks, *cores;    /* comma lists; NULL: 1, and the cores of this machine */
    const char *network;          /* 10gbit | 25gbit/20us | shared; NULL: 10gbit/50us */
    const char *memory_bandwidth; /* 40GB: bytes a second of a machine; NULL: as measured */
    int rows;                     /* of workload.seq_len tokens each, in place of a task and its data; 0: those of the task */
    void *spare[8];
} snc_plan_opts;

/* The defaults. */
/* clang-format off */
#define SNC_INPUT_OPTS_INIT    {.n_models = 0, .net = -1}
#define SNC_ROWS_OPTS_INIT     {.split = "dev", .hold_out = 1}
#define SNC_TARGET_OPTS_INIT   {.max_drop = -1, .margin = -1}
#define SNC_WORKLOAD_OPTS_INIT {.batch = "1", .threads = "1", .seq_len = "data", .percentile = 50}
#define SNC_JOB_OPTS_INIT      {.backend = "auto", .fp = "auto", .compute = "auto", .seed = 42, .effort = "normal", .recompute = "auto", \
                                .exchange = "f32"}
#define SNC_OUTPUT_OPTS_INIT   {.format = "md"}
#define SNC_TRAINING_OPTS_INIT {.epochs = -1, .lr = -1, .weight_decay = -1, .warmup = -1, .recipe = "default", .teachers = 1}
#define SNC_SUPERNET_OPTS_INIT {.epochs = -1, .lr = -1, .augment = -1, .alpha = -1, .temperature = -1, .hidden_weight = -1, \
                                .depth_rule = "auto"}
#define SNC_SEARCH_OPTS_INIT   {.searcher = "linas", .evals = 400, .rank_share = 1, .nest = "any"}
#define SNC_EXPORT_OPTS_INIT   {.repair = "auto", .repair_epochs = -1}
#define SNC_BENCH_OPTS_INIT    {.repeats = 0}
#define SNC_PREDICT_OPTS_INIT  {.format = "text"}
#define SNC_STUDY_OPTS_INIT    {.seeds = 0}
#define SNC_SUITE_OPTS_INIT    {.seeds = 0}
#define SNC_SERVE_OPTS_INIT    {.host = "127.0.0.1", .max_body = "1MB", .timeout = "30s", .port = 8080, \
                                .max_batch = 32, .queue = 4096, .connections = 1024}
#define SNC_PLAN_OPTS_INIT     {.rows = 0}
/* clang-format on */

SNC_API snc_err snc_input_opts_check(const snc_input_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_rows_opts_check(const snc_rows_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_target_opts_check(const snc_target_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_workload_opts_check(const snc_workload_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_job_opts_check(const snc_job_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_output_opts_check(const snc_output_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_training_opts_check(const snc_training_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_supernet_opts_check(const snc_supernet_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_search_opts_check(const snc_search_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_export_opts_check(const snc_export_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_bench_opts_check(const snc_bench_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_predict_opts_check(const snc_predict_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_study_opts_check(const snc_study_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_suite_opts_check(const snc_suite_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_serve_opts_check(const snc_serve_opts *o) SNC_MUST_USE;
SNC_API snc_err snc_plan_opts_check(const snc_plan_opts *o) SNC_MUST_USE;

/* All of them: what a stage is given. Made by snc_options_init. */
typedef struct snc_options {
    size_t size;
    uint64_t given[2];     /* bit i % 64 of [i / 64]: row i of snc_option_table was asked for, be its value the default, and a recipe does
                          not replace it; set by parsers. Another value than the default counts as asked for without it. Rows from 128 on
                          have theirs in given_more */
    uint64_t by_recipe[2]; /* the same of rows whose value a recipe said: set by the stages */
    snc_input_opts input;
    snc_rows_opts rows;
    snc_target_opts targets;
    snc_workload_opts workload;
    snc_job_opts job;
    snc_output_opts output;
    snc_training_opts training;
    snc_supernet_opts supernet;
    snc_search_opts search;
    snc_export_opts exporting;
    snc_bench_opts bench;
    snc_predict_opts predict;
    snc_study_opts study;
    snc_suite_opts suite;
    snc_serve_opts serve;
    snc_plan_opts plan;
    uint64_t given_more[2], by_recipe_more[2]; /* both of rows from 128 on, in the same way */
} snc_options;

/* Fills in size and the defaults, of this library's version where it is newer than the header: a field that was added takes the
 * place of `spare`, a struct that was added goes to the end. So a library takes the structs of programs that were built with an
 * older header, and refuses those of a newer one (SNC_E_UNSUPPORTED) and bare ones (SNC_E_ARG). */
#define snc_options_init(o) snc_options_init_sized((o), sizeof *(o))
SNC_API void snc_options_init_sized(snc_options *o, size_t size);

/* The table of options: a row for each field that people set, for parsers, help, checks, stamps and reports. An option that two
 * verbs read differently has two rows of its name, for other verbs each. */
typedef enum snc_option_kind {
    SNC_OPTION_STRING,  /* const char * */
    SNC_OPTION_INTEGER, /* int */
    SNC_OPTION_SEED,    /* int64_t */
    SNC_OPTION_REAL,    /* double */
    SNC_OPTION_FLAG     /* int, 0 or 1 */
} snc_option_kind;

enum { /* which verbs take an option */
       SNC_VERB_COMPRESS = 1,
       SNC_VERB_IMPORT = 2,
       SNC_VERB_FINETUNE = 4,
       SNC_VERB_SUPERNET = 8,
       SNC_VERB_PROFILE = 16,
       SNC_VERB_SEARCH = 32,
       SNC_VERB_EXPORT = 64,
       SNC_VERB_BENCH = 128,
       SNC_VERB_PREDICT = 256,
       SNC_VERB_EVAL = 512,
       SNC_VERB_INFO = 1024,
       SNC_VERB_TOKENIZE = 2048,
       SNC_VERB_STUDY = 4096,
       SNC_VERB_VERIFY = 8192,
       SNC_VERB_SUITE = 16384,
       SNC_VERB_SERVE = 32768,
       SNC_VERB_PLAN = 65536,
       SNC_VERB_ALL = 131071
};

enum { /* which artifacts an option's value decides; 0: none */
       SNC_DECIDES_TEACHER = 1,
       SNC_DECIDES_SUPERNET = 2,
       SNC_DECIDES_TABLE = 4,
       SNC_DECIDES_FILE = 8,
       SNC_DECIDES_BY_CONTENT = 16 /* what is behind it does, by a hash: rows, weights, a space */
};

typedef struct snc_option {
    const char *name, *brief; /* "--batch", "-b" or NULL */
    snc_option_kind kind;
    const char *group; /* "workload": the struct in snc_options */
    size_t offset;     /* in snc_options; what snc_options_init puts there is the default */
    unsigned verbs, decides;
    double min, max;            /* of numbers */
    const char *value, *help;   /* "N", one line */
    const char *words;          /* named values: "auto|f32|bf16" one of them, "tau,joint" a list, one in capitals: and any other */
    const char *(*word)(int i); /* named values of a registry, which come before `words`; NULL past the last, or: there is none */
    const char *otherwise;      /* what a value that is not given comes to where the struct does not say; NULL: nothing */
} snc_option;

SNC_API const snc_option *snc_option_table(int *n /* rows; may be NULL */);
/* The i-th named value, *n bytes at what is returned; NULL past the last. */
SNC_API const char *snc_option_word(size_t *n, const snc_option *row, int i);
SNC_API void snc_option_words(char *buf, size_t size, const snc_option *row); /* "auto, f32 or bf16"; "" where none is named */

/* Whether `path`, the value of `option`, may be written by a command with these options: every stage asks it for --output and
 * --journal. SNC_E_ARG: it is what another option names or among the files of one, or it is there and was not written by this
 * program, and `overwrite` is not set. SNC_E_IO: a device, FIFO or socket. */
SNC_API snc_err snc_output_check(const snc_options *o, const char *option, const char *path) SNC_MUST_USE;

/* Each does what the verb of its name does (docs/reference.md): files in, one artifact out, answer lines through host->result. They check
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
/* The whole job over the tasks and seeds of a suite: input.models[0] is its name or JSON file. A job that fails costs its row: the others
 * are made and reported, and the error is that of the first. *missed: a target of any job was missed. */
SNC_API snc_err snc_stage_suite(const snc_options *o, const snc_host *h, int *missed) SNC_MUST_USE;
SNC_API snc_err snc_stage_plan(const snc_options *o, const snc_host *h) SNC_MUST_USE; /* trains and writes nothing */
/* Returns when *host->cancel is set, after the answers of all that came in before: SNC_OK. */
SNC_API snc_err snc_stage_serve(const snc_options *o, const snc_host *h) SNC_MUST_USE;

/* Where mpirun, or a scheduler that speaks PMIx, has started this process among others (Open MPI): ranks. Rank 0 then runs stages, whose
 * training and search the others share, with `ranks` in its host; the others call snc_ranks_attend, which returns when rank 0 has closed
 * its own. *out NULL: this process was started alone. SNC_E_UNSUPPORTED: it was not, and there is no Open MPI here; SNC_E_ARG, of rank 0,
 * whose *out is to be closed all the same: ranks that are not the same program. */
SNC_API snc_err snc_ranks_open(snc_comm **out) SNC_MUST_USE;
SNC_API int snc_ranks_rank(const snc_comm *c); /* from 0; 0 of NULL */
/* h: its log and program are used, the latter where this rank is to measure. threads: 0, this process's share of its processors. */
SNC_API snc_err snc_ranks_attend(snc_comm *c, const snc_host *h, int threads) SNC_MUST_USE;
/* failed: the others end at once, by force. c is freed; NULL is fine. */
SNC_API void snc_ranks_close(snc_comm *c, int failed);

#ifdef __cplusplus
}
#endif
#endif
