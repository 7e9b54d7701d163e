/* candidate/far_clock.h: how long things take where another rank is: it measures for rank 0 while all others sleep.
 *
 * Which ranks measure says base/hosts.h. Such a rank has none of rank 0's files: it is told shapes, space and workload, of which it makes
 * nets with seeded weights (times depend on none), and gets the bytes of files that it or fresh processes are to open, which lie there
 * without a name. From open to close it waits for questions and hears no other call; while it works on one it says how far it is, at least
 * every two seconds. An interruption of rank 0 ends its work.
 *
 *     for (int k = 0; k < snc_clocks(ctx->comm); k++) {
 *         SNC_TRY(snc_far_clock_open(&far, ctx, k));             NULL: it is this process, which measures by itself
 *         err = far ? snc_far_clock_nets(net, n, far, c, "finalists") : snc_net_clock_run(net, n, c, "finalists");
 *         snc_far_clock_close(far);
 *     }
 */
#ifndef SNC_CANDIDATE_FAR_CLOCK_H
#define SNC_CANDIDATE_FAR_CLOCK_H

#include "base/duty.h"
#include "candidate/net_clock.h"
#include "candidate/speeds_clock.h"
#include "models/latency.h"

typedef struct snc_far_clock snc_far_clock;

/* The k-th that measures, with ctx's threads; nothing else is asked of the other ranks until it is closed. */
snc_err snc_far_clock_open(snc_far_clock **out, const snc_ctx *ctx, int k) SNC_MUST_USE;
void snc_far_clock_close(snc_far_clock *f);
/* snc_profile_measure there, and snc_net_clock_run. */
snc_err snc_far_clock_table(snc_latency **t, cJSON **probed, snc_far_clock *f, const snc_net_clock *c) SNC_MUST_USE;
snc_err snc_far_clock_nets(snc_clocked *net, int n, snc_far_clock *f, const snc_net_clock *c, const char *what) SNC_MUST_USE;
/* snc_speeds_clock there, of the file at path. Strings are borrowed from the comm. */
snc_err snc_far_clock_speeds(snc_speeds *out, snc_steps *steps, snc_far_clock *f, const char *path) SNC_MUST_USE;
/* The file is there as well, until the end; f NULL: nothing. At most SNC_FAR_FILES. */
snc_err snc_far_clock_keep(snc_far_clock *f, const char *path) SNC_MUST_USE;
/* snc_proc_run of the compress program there, whose arguments that are paths of kept files name those. f NULL: here. */
snc_err snc_far_clock_run(char **text, snc_far_clock *f, const snc_ctx *ctx, const char *const *argv) SNC_MUST_USE;

/* ---- between the two (candidate/clock_duty.c) ----------------------------------------------------------------------- */

enum { SNC_FAR_TAG_ASK, SNC_FAR_TAG_WORD, SNC_FAR_TAG_STOP, SNC_FAR_FILES = 16, SNC_FAR_ARGUMENTS = 63 };

/* A question is an snc_far_ask and a parcel; its answer are words, of which the last has a parcel of so many bytes behind it. */
typedef enum snc_far_what { SNC_FAR_TABLE, SNC_FAR_NETS, SNC_FAR_FILE, SNC_FAR_SPEEDS, SNC_FAR_RUN, SNC_FAR_END } snc_far_what;
typedef struct snc_far_ask {
    snc_far_what what;
    uint64_t bytes;
} snc_far_ask;

typedef enum snc_far_kind { SNC_FAR_STATUS, SNC_FAR_LINE, SNC_FAR_LAST } snc_far_kind;
typedef struct snc_far_word {
    snc_far_kind kind;
    int code; /* level of a line; error of the last */
    uint64_t bytes;
    double done, total;
    char what[SNC_METER_NAME], text[SNC_ERR_TEXT];
} snc_far_word;

#define SNC_FAR_DUTY "clock"
extern const snc_duty snc_duty_clock;

#endif
