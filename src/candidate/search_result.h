/* candidate/search_result.h: what a search ended in: its evaluations, the finalists, the front as a file and for people. */
#ifndef SNC_CANDIDATE_SEARCH_RESULT_H
#define SNC_CANDIDATE_SEARCH_RESULT_H

#include "candidate/finalists.h"

typedef struct snc_search_result {
    snc_evaluations all;
    snc_finalist f[SNC_FINALISTS]; /* the chosen one first */
    int n_f;
} snc_search_result;

/* Searches, or goes on with the journal in dir (--journal: elsewhere), chooses, and writes dir/front.json and dir/config.json.
 * read: what was read, for the front. SNC_E_DIVERGED: no evaluation gave a number. */
snc_err snc_search_result_find(snc_search_result *out, const snc_search_run *r, const char *dir, const cJSON *read) SNC_MUST_USE;
void snc_search_result_dispose(snc_search_result *f);
/* The front for people: at most 12 rows of it, the finalists after the second look, and what misses a limit. */
void snc_search_result_say(const snc_host *h, const snc_search_run *r, const snc_search_result *f);

#endif
