/* stage/pick.h: one supernet under search: how a config is scored, what it costs, and how the winner is chosen. */
#ifndef SNC_STAGE_PICK_H
#define SNC_STAGE_PICK_H

#include "models/trim.h"
#include "models/latency.h"
#include "search/runner.h"
#include "stage/steps.h"
#include "stage/target.h"
#include "stage/workload.h"

enum { SNC_METADATA_GUESS = 16384 }; /* bytes of what an exported file says about itself */

typedef struct snc_pick {
    const snc_ctx *ctx, *work; /* for scores: all cores; for latency: the workload's threads */
    const snc_options *o;
    const snc_inputs *in;
    snc_asked asked;
    snc_model *supernet;
    snc_space *space;
    snc_weights *weights;
    snc_latency *table;
    snc_net *net;             /* rebound to each candidate */
    float *teacher_rank, *teacher_select, *logits;
    double threshold; /* of a multilabel task: the teacher's, at which every net is scored; the file gets its own */
    double teacher_rank_score, teacher_select_score;
    uint64_t teacher_hash;
    size_t tokenizer_bytes;
    snc_trim trim;              /* --trim-vocab: what the exported file keeps; rows 0 without */
    double factor;              /* what nets near the latency limit take of what the table says; 1 without a limit */
    double full[SNC_COSTS];     /* of the full-size INT8 net, by the table and the cost formulas */
    snc_limits limits;          /* absolute, what the search keeps to */
    char best_path[4096];       /* best-so-far, rewritten whenever it changes */
} snc_pick;

/* The latency table of all nets of m's shapes on the options' workload: times depend on no weight, so it can be made before
 * anything is trained. Reused on the same host, shapes, space, workload and lengths. */
snc_err snc_step_profile(const snc_ctx *work, const snc_options *o, const snc_inputs *in, snc_model *m, const char *out) SNC_MUST_USE;
snc_err snc_step_profile_file(const snc_ctx *work, const snc_options *o, const snc_inputs *in, const char *supernet, const char *out) SNC_MUST_USE;

/* Space, searcher, warm start and repair of the options, before any work is done for them; dir: where the journal is. */
snc_err snc_pick_check(const snc_options *o, const snc_inputs *in, const snc_model *m, const char *dir) SNC_MUST_USE;

/* Opens everything; teacher logits are computed once. `table` is read from the file that profile wrote. */
snc_err snc_pick_open(snc_pick *out, const snc_ctx *ctx, const snc_ctx *work, const snc_options *o, const snc_inputs *in,
                      const char *teacher, const char *supernet, const char *table, const char *dir) SNC_MUST_USE;
void    snc_pick_close(snc_pick *p);

/* Loss and score of a config on a split, against the teacher's logits there; NaN when its logits are not finite. */
snc_err snc_pick_look(double *loss, double *score, snc_pick *p, const snc_cfg *cfg, const snc_dataset *d, const float *teacher) SNC_MUST_USE;
/* The same for a net that need not be of the space. The logits [d->n, K] stay in p->logits. */
snc_err snc_pick_look_at(double *loss, double *score, snc_pick *p, const snc_arch *a, const snc_policy *policy, const snc_dataset *d,
                         const float *teacher) SNC_MUST_USE;
/* Costs and scores of one config, outside the search. */
snc_err snc_pick_observe(snc_obs *out, snc_pick *p, const snc_cfg *cfg) SNC_MUST_USE;

void    snc_pick_cost(const snc_pick *p, snc_obs *o);
/* Times a few nets of even widths against the table: [[predicted us, measured us, share of the full-size INT8 net], ...]. */
snc_err snc_pick_calibrate(cJSON **out, snc_pick *p) SNC_MUST_USE;
/* By how much nets near a limit take more than predicted; probes near the limit weigh most. 1 without probes. */
double  snc_pick_factor(const cJSON *probed, double limit_us, bool relative, double full_us);

/* Microseconds of a config as it will be delivered. */
double  snc_pick_predicted(const snc_pick *p, const snc_obs *o);

/* A finalist after a second look: on the select split and on the clock. */
typedef struct snc_finalist {
    snc_obs o;
    double select_loss, select_score;
    double us, ratio; /* measured in this process, interleaved with the full-size INT8 net */
    double miss;      /* by how much the limits are missed as measured, in shares of them; 0: every one holds */
    bool meets;
    bool tied;        /* no different in loss from the best of those that meet every limit */
} snc_finalist;

/* What --batch, --seq-len and the rank rows say. */
snc_err snc_pick_workload(snc_workload *out, const snc_ctx *ctx, const snc_options *o, const snc_dataset *rank,
                          const snc_bert_config *c) SNC_MUST_USE;
/* The options alone: one batch, one length, within the model's positions; *seq 0: data. */
snc_err snc_pick_workload_check(int *batch, int *seq, const snc_options *o, const snc_bert_config *c) SNC_MUST_USE;

enum { SNC_FINALISTS = 5 };
/* What a finalist has of each target. */
void    snc_found_in_search(snc_found_of found[SNC_TARGETS], const snc_pick *p, const snc_finalist *f);

/* Up to 5 finalists, the chosen one first; those that miss a limit last, the nearest of them first. When nothing is within
 * the limits by its costs: the smallest net of the space, not meeting them.
 *
 * Two finalists differ in loss when a paired bootstrap over the rows of select says so at 95%. Of those that do not differ
 * from the best, the faster one is chosen (the smaller one when size alone is limited), and of equally fast ones the smaller. */
snc_err snc_pick_choose(snc_finalist out[SNC_FINALISTS], int *n, snc_pick *p, snc_obs *obs, int n_obs) SNC_MUST_USE;

/* ---- the whole of it: search, second look, front -------------------------------------------------------------------- */

typedef struct snc_found {
    snc_obs *obs; /* every evaluation of the journal */
    int n;
    snc_finalist f[SNC_FINALISTS]; /* the chosen one first */
    int n_f;
    snc_run_report report;
} snc_found;

/* The search alone: fills obs, in the order of evaluation, and report. Goes on with the journal when it is there. */
snc_err snc_pick_search(snc_found *out, snc_pick *p, const char *journal) SNC_MUST_USE;
/* Searches, or goes on with the journal in dir (--journal: elsewhere), chooses, and writes dir/front.json and dir/config.json.
 * SNC_E_DIVERGED: no evaluation gave a number. */
snc_err snc_pick_find(snc_found *out, snc_pick *p, const char *dir) SNC_MUST_USE;
void    snc_found_dispose(snc_found *f);
/* Before a search: the supernet m (its path for messages) was trained for what it would be asked for, and the journal, if there is one, is
 * of the same search. */
snc_err snc_pick_journal_fits(const char *journal, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher,
                              const snc_model *m, const char *supernet) SNC_MUST_USE;
/* What a whole job ended in, kept in its journal: note and read back. *out NULL: no end yet. */
snc_err snc_pick_note_end(const snc_pick *p, const char *journal, const cJSON *end) SNC_MUST_USE;
snc_err snc_pick_read_end(cJSON **out, const char *journal) SNC_MUST_USE;
/* The journal that --journal names, or dir/search.sqlite. */
snc_err snc_pick_journal_path(char *buf, size_t size, const snc_options *o, const char *dir) SNC_MUST_USE;
/* The front for people: at most 12 rows of it, the finalists after the second look, and what misses a limit. */
void    snc_found_say(const snc_host *h, const snc_pick *p, const snc_found *f);
/* {"config","arch","policy","loss","metric","latency_us","bytes","macs"} */
cJSON  *snc_pick_obs_json(const snc_pick *p, const snc_obs *o);

#endif
