/* report/scale_table.h: what a plan for ranks and cores says: tables to read, CSV, or JSON.
 *
 *   {"rows","tokens_per_row","batch_size","--epochs",... (what the estimate counts by),
 *    "rates":{"cores","step_s","serial","serial_assumed","fixed","optimiser_one_core_s","optimiser_s","memory_bytes_per_s",
 *             "sum_bytes_per_s","exchanged_bytes","layered_bytes" (of them, those that a backward pass may hide)},
 *    "network":{"shared","bytes_per_s" (where it is not),"latency_s"},
 *    "plans":[{"ranks","cores","parts_s":{"latency table",...},"all_s","exchange_s","step_s","speed_up",
 *              "rows_at_once","memory_bytes":{"finetune","supernet","search","repair","most","other","machine"}}],"host"}
 *
 * CSV has a line a plan: ranks, cores, the parts, all_s to rows_at_once, the memory.
 */
#ifndef SNC_REPORT_SCALE_TABLE_H
#define SNC_REPORT_SCALE_TABLE_H

#include "base/ctx.h"
#include "base/json.h"
#include "candidate/needs.h"
#include "report/scale.h"

/* Of so many ranks with so many cores each. */
typedef struct snc_scale_row {
    int ranks, cores;
    double part[SNC_JOB_PARTS], all, exchange, step; /* seconds; step: of fine-tuning */
    int at_once;                                     /* rows of a step that are computed at once, of a rank's share */
    double memory[SNC_NEEDS], most;                  /* bytes of rank 0's process */
    double other, machine;                           /* of another rank's, 0: there is none; of all that share a machine with rank 0 */
} snc_scale_row;

typedef struct snc_scale_table {
    const snc_scale *scale;
    const snc_pace *pace;
    const snc_plan *plan;
    double here; /* seconds of all parts by the estimate: what speed_up is against */
    snc_scale_row *row;
    int n;
} snc_scale_table;

/* format: md, csv or json. */
snc_err snc_scale_say(const snc_scale_table *t, const snc_ctx *ctx, const snc_host *h, const char *format) SNC_MUST_USE;

#endif
