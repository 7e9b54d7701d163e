/* search/journal.h: every evaluation of a search, in SQLite, written before the next one starts.
 *
 *   meta        key TEXT PRIMARY KEY, value TEXT        schema version, hashes of what was searched
 *   evaluation  id INTEGER PRIMARY KEY, config TEXT UNIQUE, loss REAL, metric REAL, latency_us REAL, bytes REAL, macs REAL
 *
 * A config is the space's option indices ("3.0.11..."). NULL stands for NaN. One process at a time: the file is locked while
 * open. A journal of another model, task, space or workload is refused by the name of what differs.
 */
#ifndef SNC_SEARCH_JOURNAL_H
#define SNC_SEARCH_JOURNAL_H

#include "search/search.h"

typedef struct snc_journal snc_journal;

typedef struct snc_journal_key {
    const char *name, *value; /* what the evaluations depend on: {"model", "1f3a..."} */
} snc_journal_key;

/* Makes the file, or opens it and compares the keys. SNC_E_FORMAT: another search's; SNC_E_IO: locked or unreadable. */
snc_err snc_journal_open(snc_journal **out, const char *path, const snc_space *space, const snc_journal_key *keys, int n_keys) SNC_MUST_USE;
void    snc_journal_close(snc_journal *j);
/* Durable on return. */
snc_err snc_journal_put(snc_journal *j, const snc_obs *o) SNC_MUST_USE;
/* *found = false: never evaluated. Fills loss, metric and costs; `point` is the caller's. */
snc_err snc_journal_get(snc_obs *o, bool *found, snc_journal *j, const snc_cfg *cfg) SNC_MUST_USE;
snc_err snc_journal_count(int *out, snc_journal *j) SNC_MUST_USE;
/* All rows in the order they were evaluated; freed with snc_free. */
snc_err snc_journal_all(snc_obs **out, int *n, snc_journal *j) SNC_MUST_USE;

#endif
