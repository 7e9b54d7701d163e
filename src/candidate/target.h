/* candidate/target.h: what may be asked of the file: one table, a row a target.
 *
 *     asked    read from its option; a share ("0.5x") is of the full-size INT8 model
 *     limit    of the search, where it is a cost of a config
 *     found    what a net has of it: a finalist by the second look, the file by the proof
 *     judged   found against asked
 *     said     for people and as JSON
 *
 * Whoever deals with targets walks 0 ... SNC_TARGETS - 1. A new target is a row, its place in snc_target_kind, and a line where
 * finalists and the file say what they have of it (snc_finalist_attained, snc_proof_attained).
 */
#ifndef SNC_CANDIDATE_TARGET_H
#define SNC_CANDIDATE_TARGET_H

#include <stdbool.h>

#include "base/json.h"
#include "base/stats.h"
#include "search/runner.h"

typedef enum snc_target_kind { /* the costs of a config first, in the order of snc_cost_kind */
                               SNC_TARGET_LATENCY = SNC_COST_LATENCY,
                               SNC_TARGET_SIZE = SNC_COST_SIZE,
                               SNC_TARGET_MACS = SNC_COST_MACS,
                               SNC_TARGET_DROP = SNC_COSTS,
                               SNC_TARGETS
} snc_target_kind;

/* Absolute (us, bytes, multiply-adds, points), or a share of the full-size INT8 model. */
typedef struct snc_target {
    bool given, relative;
    double value;
} snc_target;
static inline double snc_target_value(const snc_target *t, double full) { return t->relative ? t->value * full : t->value; }

enum { SNC_LATENCIES = 8 }; /* that may be asked for at once */

/* Several latencies are asked of as many nets of one file, each faster than the one before; all else is asked of the first. */
typedef struct snc_targets {
    snc_target of[SNC_TARGETS];
    int n_faster;
    snc_target faster[SNC_LATENCIES - 1]; /* latencies beside of[SNC_TARGET_LATENCY], falling */
} snc_targets;

/* SNC_E_ARG: names the option and what was expected, or the options of which one is needed. Several latencies are for compress. */
snc_err snc_targets_parse(snc_targets *out, const snc_target_opts *o, const char *verb) SNC_MUST_USE;
/* With the least latency as the only one: what no net keeps, the last of several cannot. */
snc_targets snc_targets_least(const snc_targets *a);
/* The first cost that is asked for; -1: none is. */
int snc_targets_cost(const snc_targets *a);

/* "latency", and a number of it with its unit: "1.500 ms". */
const char *snc_target_name(snc_target_kind kind);
const char *snc_target_option(snc_target_kind kind); /* "--target-latency" */
const char *snc_target_key(snc_target_kind kind);    /* "latency", "max_drop": in JSON */
const char *snc_target_number(char buf[32], snc_target_kind kind, double v);
/* What the search keeps to when `t` is asked for, and the full-size INT8 net has `full`: a little under a latency, for the table
 * and the clock differ by a few percent. kind: a cost. */
double snc_target_limit(snc_target_kind kind, const snc_target *t, double full);

/* What the second look holds a finalist to, as the target is put (a share, or us, bytes, points): under a latency by what the proof's
 * interval will need. */
double snc_target_inner(snc_target_kind kind, const snc_target *t);

/* What a net has: an interval where it is measured; `share` of what the full-size INT8 model has. */
typedef struct snc_attained {
    snc_interval value, share;
} snc_attained;
snc_attained snc_attained_exactly(double value, double full);

/* The interval that a target is judged by. */
snc_interval snc_target_judged(const snc_target *t, const snc_attained *f);
/* Not asked for, or: the upper end is within the target. Of a drop that is its bound at 95 %, one-sided. */
bool snc_target_holds(const snc_target *t, const snc_attained *f);
/* By which share of it a target is missed; 0: it holds. By the value, and with what the proof's interval will need above it; a drop by
 * its bound. */
double snc_target_miss(snc_target_kind kind, const snc_target *t, const snc_attained *f);

/* "0.630x (0.363 ms) with upper bound 0.655x, asked 0.700x of the full-size INT8 model". */
void snc_target_say(char *buf, size_t size, snc_target_kind kind, const snc_target *t, const snc_attained *f, const char *where);
/* {"share_of_full_int8": 0.7, "found": 0.63, "bound": 0.655, "holds": true} */
cJSON *snc_target_json(const snc_target *t, const snc_attained *f);
/* {"latency": {"share_of_full_int8": 0.7, "found": 0.63, "bound": 0.655, "holds": true}, ..., "all": true}: those asked for. */
cJSON *snc_targets_json(const snc_targets *a, const snc_attained found[SNC_TARGETS]);
bool snc_targets_hold(const snc_targets *a, const snc_attained found[SNC_TARGETS]); /* all of them */

#endif
