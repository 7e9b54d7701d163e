/* search/journal.h: every evaluation of a search, in SQLite, written before the next one starts.
 *
 *   meta        key TEXT PRIMARY KEY, value TEXT
 *                 schema      "2"
 *                 model, teacher, task, rank rows, space, ...   hashes of what the evaluations depend on
 *                 genes       JSON: [{"gene":"depth","options":[3,4]}, {"gene":"ffn","layer":0,"options":[384,448]}, ...]
 *   evaluation  id INTEGER PRIMARY KEY, config TEXT UNIQUE, loss REAL, metric REAL, latency_us REAL, bytes REAL, macs REAL, source TEXT
 *                 id counts in the order of evaluation; config is the option index of each gene ("3.0.11..."); loss and metric
 *                 on the rank split; latency by the table of the last run; source is the searcher's name, or "warm start"
 *   note        kind TEXT, at INTEGER, value TEXT, PRIMARY KEY(kind, at)
 *                 JSON that a search left after `at` evaluations. Kind "predictor", after each round of one that learns:
 *                 {"round":1,"told":50,"hypervolume":...,"predictors":[{"objective":"loss","model":"ridge","mape":4.1,"tau":0.91}]}
 *                 Kind "end", at 0, of a whole job: {"digest":"xxh3-64:...","made":{stamp},"table":"xxh3-64:...",...}: the file that it
 *                 ended in
 *
 * NULL stands for NaN. One process at a time: the file is locked while open. A journal of another model, task, space or
 * workload is refused by the name of what differs.
 */
#ifndef SNC_SEARCH_JOURNAL_H
#define SNC_SEARCH_JOURNAL_H

#include "search/search.h"

enum { SNC_JOURNAL_SCHEMA = 2 };

typedef struct snc_journal snc_journal;

typedef struct snc_journal_key {
    const char *name, *value; /* what the evaluations depend on: {"model", "1f3a..."} */
} snc_journal_key;

/* Makes the file, or opens it and compares the keys. SNC_E_FORMAT: another search's; SNC_E_IO: locked or unreadable. */
snc_err snc_journal_open(snc_journal **out, const char *path, const snc_space *space, const snc_journal_key *keys, int n_keys) SNC_MUST_USE;
void snc_journal_close(snc_journal *j);
const char *snc_journal_library(void); /* SQLite's version */
/* Who makes the evaluations that are put from now on. Borrowed. */
void snc_journal_source(snc_journal *j, const char *name);
/* Durable on return. */
snc_err snc_journal_put(snc_journal *j, const snc_obs *o) SNC_MUST_USE;
/* *found = false: never evaluated. Fills loss, metric and costs; `point` is the caller's. */
snc_err snc_journal_get(snc_obs *o, bool *found, snc_journal *j, const snc_cfg *cfg) SNC_MUST_USE;
snc_err snc_journal_count(int *out, snc_journal *j) SNC_MUST_USE;
/* All rows in the order they were evaluated; freed with snc_free. */
snc_err snc_journal_all(snc_obs **out, int *n, snc_journal *j) SNC_MUST_USE;
/* Writes the costs of these evaluations anew: of another latency table. */
snc_err snc_journal_recost(snc_journal *j, const snc_obs *o, int n) SNC_MUST_USE;
/* A note replaces one of its kind at the same place, so that a resumed search says everything once. value: JSON. */
snc_err snc_journal_note(snc_journal *j, const char *kind, int at, const cJSON *value) SNC_MUST_USE;

/* ---- reading a journal without its space ---------------------------------------------------------------------------- */

typedef struct snc_journal_row {
    snc_obs o; /* cfg and point are empty */
    char *config, *source;
    bool front; /* no other has less loss, latency and bytes */
} snc_journal_row;

/* What the journal calls a snc_gene_kind; NULL past the last. */
const char *snc_journal_gene(int kind);

typedef struct snc_journal_file {
    cJSON *meta;  /* {"schema":"2","model":"1f3a...",...,"genes":[...]} */
    cJSON *notes; /* [{"kind":"predictor","at":100,"value":...}, ...] in order */
    snc_journal_row *row;
    int n;
} snc_journal_file;

/* SNC_E_IO: not there, locked, no database; SNC_E_FORMAT: another schema. One that was only begun is empty, meta too. */
snc_err snc_journal_read(snc_journal_file *out, const char *path) SNC_MUST_USE;
void snc_journal_file_dispose(snc_journal_file *f);
/* SNC_E_FORMAT: of another search, by the name of what differs; `path` is for the message. */
snc_err snc_journal_matches(const snc_journal_file *f, const char *path, const snc_journal_key *keys, int n_keys) SNC_MUST_USE;
/* Takes the evaluations of a journal that matches over, after those that are there and without their doubles. */
snc_err snc_journal_import(snc_journal *j, const snc_journal_file *f) SNC_MUST_USE;

#endif
