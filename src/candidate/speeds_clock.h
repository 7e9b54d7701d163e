/* candidate/speeds_clock.h: the table of times of a file's nets (models/speeds.h) by the clock. */
#ifndef SNC_CANDIDATE_SPEEDS_CLOCK_H
#define SNC_CANDIDATE_SPEEDS_CLOCK_H

#include "artifact/load.h"

/* Length by length all nets beside each other, a text of seeded ids at a time: half a second of each, or a thousand runs. l: behind
 * snc_loaded_open_nets. */
snc_err snc_speeds_clock(snc_speeds *out, const snc_ctx *ctx, const snc_loaded *l) SNC_MUST_USE;

#endif
