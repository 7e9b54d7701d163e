/* data/task_priv.h: the inside of a task, for the readers of this folder. */
#ifndef SNC_DATA_TASK_PRIV_H
#define SNC_DATA_TASK_PRIV_H

#include "base/mem.h"
#include "data/task.h"

enum { SNC_TASK__MAX_LABELS = 1000 };

typedef enum snc_format { SNC_FORMAT_TSV, SNC_FORMAT_CSV, SNC_FORMAT_JSONL, SNC_FORMAT_AUTO } snc_format;
typedef enum snc_quoting { SNC_QUOTING_AUTO, SNC_QUOTING_NONE, SNC_QUOTING_CSV } snc_quoting;

typedef struct snc_strings {
    char **v; /* [n] */
    int n;
} snc_strings;

typedef struct snc_column {
    snc_strings names;
    bool has_index;
    int index; /* -1: the last column */
} snc_column;

typedef struct snc_split_file {
    char *split;
    snc_strings files; /* the first that exists is read */
    bool header;
} snc_split_file;

struct snc_task {
    snc_arena *arena; /* owns every string */
    char *name, *folder;
    snc_format format;
    snc_quoting quoting;
    snc_split_file *files; /* [n_files] */
    int n_files;
    snc_column text_a, text_b, label;
    bool pair, auto_pair /* not known yet */, regression, score, multilabel, vectors, tags, any_tags /* sequences that are no BIO too */,
        auto_labels, skip_short_rows, phrases;
    snc_strings labels, label_names; /* both empty for regression, and for auto until they are known */
    char label_separator;            /* of multilabel */
    snc_strings metrics;
    int max_length;
    snc_long long_texts; /* of tags */
    int width;           /* of vectors; 0 until the model is known */
    uint64_t hash;
};

/* Takes copies of the labels and refreshes the hash. SNC_E_FORMAT: fewer than two, a duplicate, f1 with more than two. */
snc_err snc_task__set_labels(snc_task *t, const char *const *labels, int n, const char *where) SNC_MUST_USE;
snc_err snc_task__hash(snc_task *t) SNC_MUST_USE;

#endif
