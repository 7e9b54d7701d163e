/* artifact/evaluations.h: a search's journal as an artifact: where it is, what its evaluations depend on, what the job ended in. */
#ifndef SNC_ARTIFACT_EVALUATIONS_H
#define SNC_ARTIFACT_EVALUATIONS_H

#include "artifact/inputs.h"
#include "models/latency.h"
#include "search/journal.h"

enum { SNC_SEARCH_KEYS = 6 };

/* What evaluations depend on. */
typedef struct snc_search_identity {
    char value[SNC_SEARCH_KEYS][20];
    snc_journal_key key[SNC_SEARCH_KEYS];
} snc_search_identity;

/* The rows of rank that candidates are compared on. */
uint64_t snc_evaluations_rows(const snc_options *o, const snc_inputs *in);
void snc_search_identity_of(snc_search_identity *id, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in,
                            const snc_model *supernet, uint64_t teacher, const snc_space *space);

/* The journal that --journal names, or dir/search.sqlite. */
snc_err snc_evaluations_path(char *buf, size_t size, const snc_options *o, const char *dir) SNC_MUST_USE;
/* The space of a search of supernet m (its path for messages). Where it is open whether that has INT4, a journal's says, the one named
 * or else the one to start from; and where there is none yet the table: INT4 stays if it pays. table NULL: it does. */
snc_err snc_evaluations_space(snc_space **out, const snc_ctx *ctx, const snc_options *o, const snc_model *m, const char *supernet,
                              const snc_latency *table, const char *journal) SNC_MUST_USE;
/* Before a search: the supernet m (its path for messages) was trained for what it would be asked for, and the journal, if there is one, is
 * of the same search. */
snc_err snc_evaluations_fit(const char *journal, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher,
                            const snc_model *m, const char *supernet) SNC_MUST_USE;
/* What a whole job noted at its end; *out NULL: no end yet. */
snc_err snc_evaluations_end(cJSON **out, const char *journal) SNC_MUST_USE;

#endif
