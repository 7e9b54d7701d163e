/* report/bench_rows.h: what bench found, a row a measurement: of one kind in JSON, one rectangular table in CSV, tables to read in md, of
 * several models and tasks with a matrix of their scores.
 *
 *   model  batch seq threads      the workload; of a task: 1, data (the lengths of its dev rows), 1
 *   p50_ms ... batches_timed      its latency; null where there is none
 *   task rows metric value        of a task: what was scored on how many dev rows
 *   error                         why this row has no numbers
 *   kernel_peak_tops profile      with --profile: where the time goes, by part
 *   host                          who measured
 *
 * CSV has the same columns in this order, those inside another as PROFILE_PART_SHARE, and nothing where JSON has null.
 */
#ifndef SNC_REPORT_BENCH_ROWS_H
#define SNC_REPORT_BENCH_ROWS_H

#include "base/ctx.h"
#include "base/json.h"
#include "models/measure.h"

/* The kinds of a net's parts: those of snc_net_part, then what is outside the layers. */
enum { SNC_BENCH_EMBED = SNC_PARTS, SNC_BENCH_HEAD, SNC_BENCH_KINDS };

typedef struct snc_bench_row {
    const char *model;         /* borrowed */
    int batch, seq, threads;   /* seq 0: data */
    snc_timing t;              /* samples 0: not timed */
    char task[64], metric[32]; /* "": latency alone */
    int n;                     /* dev rows */
    double value;
    char error[256];               /* "": none */
    double share[SNC_BENCH_KINDS]; /* --profile: of the time of a run */
    double tops[SNC_BENCH_KINDS];  /* 10^12 multiplies and adds a second; 0 for embed and head */
} snc_bench_row;

typedef struct snc_bench_rows {
    snc_bench_row *v;
    size_t n, cap, failed; /* failed: rows with an error */
    bool profile;
    double peak; /* with profile: TOPS of one thread's INT8 kernel on data in L1 */
    cJSON *host;
} snc_bench_rows;

/* A copy of the row goes to the end. */
snc_err snc_bench_add(snc_bench_rows *t, const snc_bench_row *row) SNC_MUST_USE;
/* The same with the last failure of this thread as its error. */
snc_err snc_bench_add_failure(snc_bench_rows *t, snc_bench_row row) SNC_MUST_USE;
/* format: md, csv or json. */
snc_err snc_bench_say(const snc_bench_rows *t, const snc_host *h, const char *format) SNC_MUST_USE;
void snc_bench_dispose(snc_bench_rows *t);

#endif
