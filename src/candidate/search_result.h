/* candidate/search_result.h: what a search ended in: its evaluations, the finalists, the front as a file and for people. */
#ifndef SNC_CANDIDATE_SEARCH_RESULT_H
#define SNC_CANDIDATE_SEARCH_RESULT_H

#include "candidate/finalists.h"

/* What it is worth that the chosen net had the lowest loss where it was looked for: its losses on rank, on select and on fresh rows,
 * and those of the full-size INT8 net of the supernet, which nobody looked for: how much harder those rows are by themselves. */
enum { SNC_ON_RANK, SNC_ON_SELECT, SNC_ON_FRESH, SNC_ON };
typedef struct snc_curse {
    double winner[SNC_ON], full[SNC_ON];
} snc_curse;

typedef struct snc_search_result {
    snc_evaluations all;
    snc_finalist f[SNC_FINALISTS]; /* the chosen one first */
    int n_f;
    double full_score; /* of the full-size INT8 net on rank */
    snc_curse curse;
} snc_search_result;

/* Searches, or goes on with the journal in dir (--journal: elsewhere), chooses, and writes dir/front.json and dir/config.json.
 * read: what was read, for the front. SNC_E_DIVERGED: no evaluation gave a number. */
snc_err snc_search_result_find(snc_search_result *out, const snc_search_run *r, const char *dir, const cJSON *read) SNC_MUST_USE;
/* {"winner":{"rank","select","fresh"},"full_int8":{...},"excess_on_select","excess_on_fresh"}: losses, and by which share the winner's are
 * above that on rank. */
cJSON *snc_curse_json(const snc_curse *c);
/* "loss of the chosen net 0.0210 on rank, 0.0220 on select (+4.8 %), ...": of what snc_curse_json gave. */
void snc_curse_say(char *buf, size_t size, const cJSON *curse);
void snc_search_result_dispose(snc_search_result *f);
/* The front for people: at most 12 rows of it, the finalists after the second look, and what misses a limit. */
void snc_search_result_say(const snc_host *h, const snc_search_run *r, const snc_search_result *f);

#endif
