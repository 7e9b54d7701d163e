/* data/task.h: what a task is: a JSON file that says where text, label and splits stand, and how it is scored.
 *
 *   {"name":"mrpc","folder":"MRPC","format":"tsv","header":true,"files":{"train":"train.tsv","dev":"dev.tsv","test":"test.tsv"},
 *    "text_a":"#1 String","text_b":"#2 String","label":"Quality","labels":["0","1"],"label_names":["not_equivalent","equivalent"],
 *    "metrics":["f1","accuracy"],"max_length":128}
 *
 *   key              default        meaning
 *   name             (needed)       letters, digits, '.', '_' and '-'
 *   folder           ""             the task's folder in the data folder; its files may also stand in the data folder itself
 *   files            (needed)       split -> file name, or a list of names of which the first that exists is read
 *   format           "tsv"          "tsv", "csv", "jsonl", or "auto": by the end of the name, see below
 *   header           true           the TSV's first line names the columns; or an object, split -> true or false
 *   text_a, label    (needed)       a column, see below
 *   text_b           none           second text: makes it a task of pairs
 *   pair             none           "auto": it is one where the train file has a column of text_b
 *   type             "classes"      or "regression": label is a finite number; or "score": one between 0 and 1; or "multilabel": any
 *                                   number of labels a row, none too, as a list in JSON, elsewhere as a text parted by label_separator,
 *                                   with blanks around each dropped; or "embedding": texts become vectors. train is read for its texts
 *                                   alone, of a pair both, each a row; other splits have pairs, whose label is how much they mean the
 *                                   same, as any finite number: what the metrics compare with the cosine of both vectors; or "tags": each
 *                                   word of a text has one of the labels; files are CoNLL's (data/conll_priv.h), columns go by index
 *   tags             "bio"          of "type": "tags": an I-X stands behind a B-X or I-X alone; or "any": as it comes
 *   long_texts       "parts"        of "type": "tags": texts of more than max_length tokens are read in parts, or "cut" behind the first
 *   label_separator  ","            one character that no label holds
 *   labels           (classes)      strings as they stand in the file, k-th = class k; or "auto": those of the train file, in
 *                                   sorted order (numbers by value, otherwise bytes)
 *   label_names      labels         what people see; in the order of labels
 *   metrics          (needed)       classes: "accuracy", "f1" (two classes), "micro_f1", "macro_f1", "balanced_accuracy", "matthews";
 *                                   tags: those of classes, over words, and "entity_f1", "entity_precision", "entity_recall"
 *                                   (data/entities.h); regression, score, embedding: "pearson", "spearman"; multilabel: "micro_f1",
 *                                   "macro_f1", "accuracy" (the whole set is right); their mean is the score
 *   max_length       128            tokens, 8 to 8192
 *   quoting          "auto"         quotes around fields of CSV and TSV: "none" are text, "csv" are undone (RFC 4180), "auto" as below
 *   skip_short_rows  false          rows with too few columns are skipped and counted instead of refused
 *   phrases          false          train rows are phrases of one another: see data/dataset.h
 *
 * A column is a name, an index from 0 (-1 is the last), or a list of them. With a header, or in jsonl, the names are tried
 * in order and indices count only if there is no name; without a header the first index counts. The splits `train` and
 * `dev...` must have labels; any other may come without a label column. Unknown keys are errors.
 *
 * All is UTF-8, with or without a BOM, also inside .gz (a file that is absent is looked for with .gz behind its name).
 * "tsv": rows end with LF (a CR before it is dropped), no quoting, empty lines are skipped. "csv": RFC 4180, quotes and line
 * feeds inside them; every row is as wide as the header, or all blank and passed over. "jsonl": one object a line; texts are strings,
 * a label may be a string, a number, true or false. "auto": .csv is CSV; .jsonl, .ndjson JSON lines; .json a list of objects or JSON
 * lines, whichever it begins as; anything else TSV, quoted where the file reads as quoted and some text needs it (pandas), and as wide
 * as its header. A file whose first line has no TAB (or comma) is parted by the comma, TAB, semicolon or bar that the line has most
 * of. Names of columns are matched exactly first, then without regard to case and surrounding blanks.
 */
#ifndef SNC_DATA_TASK_H
#define SNC_DATA_TASK_H

#include <stdbool.h>

#include "base/ctx.h"
#include "core/meaning.h"
#include "tokenizer/words.h"

typedef struct snc_task snc_task;

/* `name_or_path`: a JSON file if it holds a '/' or ends in .json; otherwise a shipped task ("sst2"), looked for as
 * tasks/NAME.json in the folders of the environment variable SNC_CONFIG_DIR (parted by ':'), then in the shipped ones beside
 * this code (base/place.h), then in ./configs. SNC_E_NOTFOUND, SNC_E_FORMAT. */
snc_err snc_task_open(snc_task **out, const char *name_or_path) SNC_MUST_USE;
/* The same from JSON text, such as snc_task_json wrote into an artifact; `where` names it in messages. */
snc_err snc_task_parse(snc_task **out, const char *text, size_t n, const char *where) SNC_MUST_USE;
void snc_task_close(snc_task *t);
/* Fills "labels":"auto" and "pair":"auto" from the train file; does nothing for a task that knows both. Before that,
 * snc_task_classes is 0 and no rows can be read. dir: a folder, or one file, whose rows are train. */
snc_err snc_task_discover(snc_task *t, const char *dir) SNC_MUST_USE;
/* Fills "labels":"auto" with the labels of a model that was trained before; nothing for a task that knows its labels. */
snc_err snc_task_set_labels(snc_task *t, const char *const *labels, int n) SNC_MUST_USE;

/* Another limit than the file's. SNC_E_ARG: not 8 to 8192. */
snc_err snc_task_set_max_length(snc_task *t, int tokens) SNC_MUST_USE;
/* "parts" or "cut". SNC_E_ARG: something else, or no task of tags. */
snc_err snc_task_set_long_texts(snc_task *t, const char *what) SNC_MUST_USE;
/* Other columns than the file's, by name; NULL: as they are. A text_a without a text_b is a task of single texts. */
snc_err snc_task_set_columns(snc_task *t, const char *text_a, const char *text_b, const char *label) SNC_MUST_USE;
/* How many numbers a model's vectors have; nothing for a task that asks for none. */
void snc_task_set_width(snc_task *t, int width);
/* "auto", "none" or "csv". SNC_E_ARG. */
snc_err snc_task_set_quoting(snc_task *t, const char *quoting) SNC_MUST_USE;

const char *snc_task_name(const snc_task *t);
bool snc_task_regression(const snc_task *t); /* a row's label is a number, also that of two vectors */
bool snc_task_multilabel(const snc_task *t);
bool snc_task_vectors(const snc_task *t);
bool snc_task_tags(const snc_task *t); /* its answers are of words */
snc_meaning snc_task_meaning(const snc_task *t);
int snc_task_classes(const snc_task *t);                           /* 1 for regression, numbers of a vector */
int snc_task_outputs(const snc_task *t);                           /* of a row that is scored: the same, but one cosine of two vectors */
const char *snc_task_label(const snc_task *t, int k);              /* the name people see; NULL out of range */
int snc_task_class(const snc_task *t, const char *text, size_t n); /* whose name that is, or whose label in the data; -1: none's */
int snc_task_max_length(const snc_task *t);                        /* 128 unless the file says so */
snc_long snc_task_long_texts(const snc_task *t);
bool snc_task_pair(const snc_task *t);
int snc_task_metrics(const snc_task *t);               /* number of metrics; their mean is the score */
const char *snc_task_metric(const snc_task *t, int i); /* a name of data/metrics.h */
int snc_task_splits(const snc_task *t);                /* keys of "files", in order */
const char *snc_task_split(const snc_task *t, int i);
snc_err snc_task_json(char **out, const snc_task *t) SNC_MUST_USE; /* effective JSON, one line; freed with snc_free */
uint64_t snc_task_hash(const snc_task *t);                         /* of the effective JSON */

#endif
