/* candidate/calibrate.h: how whole nets compare with what the latency table says of them. */
#ifndef SNC_CANDIDATE_CALIBRATE_H
#define SNC_CANDIDATE_CALIBRATE_H

#include "candidate/net_clock.h"
#include "models/latency.h"

/* Times a few nets of even widths: [[predicted us, measured us, share of the full-size INT8 net], ...]. */
snc_err snc_calibrate(cJSON **out, const snc_net_clock *c, const snc_latency *table) SNC_MUST_USE;

#endif
