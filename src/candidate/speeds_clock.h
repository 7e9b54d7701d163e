/* candidate/speeds_clock.h: the table of times of a file's nets (models/speeds.h) by the clock. */
#ifndef SNC_CANDIDATE_SPEEDS_CLOCK_H
#define SNC_CANDIDATE_SPEEDS_CLOCK_H

#include "artifact/load.h"

/* Length by length all nets beside each other, a text of seeded ids at a time: half a second of each, or a thousand runs. l: behind
 * snc_loaded_open_nets. */
snc_err snc_speeds_clock(snc_speeds *out, const snc_ctx *ctx, const snc_loaded *l) SNC_MUST_USE;
/* The same of the file at path, of which l is, where this process measures; where hosts are named, by the first rank of the first. */
snc_err snc_speeds_measure(snc_speeds *out, const snc_ctx *ctx, const snc_loaded *l, const char *path) SNC_MUST_USE;
/* Measures the file of several nets at path, into which they go, and with them what they were measured on where `inputs` says it.
 * Warns where the machine was busy; name: of the file, as its user knows it. */
snc_err snc_speeds_put(snc_speeds *out, const snc_ctx *ctx, const char *path, const char *name, const cJSON *inputs) SNC_MUST_USE;

#endif
