/* candidate/net_clock.h: nets of a supernet beside each other on the clock, each as it will be delivered: cut out and packed. */
#ifndef SNC_CANDIDATE_NET_CLOCK_H
#define SNC_CANDIDATE_NET_CLOCK_H

#include "base/ctx.h"
#include "data/dataset.h"
#include "models/config.h"
#include "models/model.h"

typedef struct snc_net_clock {
    const snc_ctx *work; /* the workload's threads */
    const snc_workload_opts *load;
    const snc_dataset *rank; /* whose lengths "data" means */
    const snc_model *supernet;
    const snc_space *space;
} snc_net_clock;

enum { SNC_CLOCKED = 5 }; /* at most, at a time */

typedef struct snc_clocked {
    snc_cfg cfg;
    double predicted_us; /* by the table */
    double us, ratio;    /* measured; to the full-size INT8 net */
} snc_clocked;

/* Fills us and ratio of n nets, which are timed beside each other and the full-size INT8 net. what: the part of the progress. */
snc_err snc_net_clock_run(snc_clocked *net, int n, const snc_net_clock *c, const char *what) SNC_MUST_USE;

#endif
