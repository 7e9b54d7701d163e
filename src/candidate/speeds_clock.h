/* candidate/speeds_clock.h: the table of times of a file's nets (models/speeds.h) by the clock. */
#ifndef SNC_CANDIDATE_SPEEDS_CLOCK_H
#define SNC_CANDIDATE_SPEEDS_CLOCK_H

#include "artifact/load.h"

/* What nets take behind each other: where one goes on from the hidden state of another (models/bundle.h). */
typedef struct snc_steps {
    int from[SNC_NETS_MOST][SNC_NETS_MOST]; /* by net and the one behind which it is asked: the layer it begins with; 0: it starts anew */
    int row[SNC_NETS_MOST][SNC_NETS_MOST];  /* where it does not: which `net` of rest the rest of it is */
    snc_speeds rest;
} snc_steps;

/* Length by length all nets beside each other, a text of seeded ids at a time: half a second of each, or a thousand runs. l: behind
 * snc_loaded_open_nets. steps: what goes on is measured beside them, nets that it goes on from with what it costs them to leave their
 * state, up to SNC_MEASURED_MOST in all, the nearest nets first: of others it is taken to start anew. NULL: not asked for. */
snc_err snc_speeds_clock(snc_speeds *out, snc_steps *steps, const snc_ctx *ctx, const snc_loaded *l) SNC_MUST_USE;
/* The same of the file at path, of which l is, where this process measures; where hosts are named, by the first rank of the first. */
snc_err snc_speeds_measure(snc_speeds *out, snc_steps *steps, const snc_ctx *ctx, const snc_loaded *l, const char *path) SNC_MUST_USE;
/* The median of net k behind net `before` (< 0: it is the first one). */
double snc_steps_median(const snc_speeds *s, const snc_steps *steps, int k, int before, int tokens);
/* Measures the file of several nets at path, into which they go, and with them what they were measured on where `inputs` says it.
 * Warns where the machine was busy; name: of the file, as its user knows it. */
snc_err snc_speeds_put(snc_speeds *out, const snc_ctx *ctx, const char *path, const char *name, const cJSON *inputs) SNC_MUST_USE;

#endif
