/* models/speeds.h: how long each net of a file takes on a text of so many tokens, and which of them a budget of time allows.
 *
 *   speeds    JSON in __metadata__ beside `nets`: {"cpu", "isa", "threads", "backend", "tokens":[t_1 < ... < t_m],
 *             "median":[[us, ...], ...], "p90":[[us, ...], ...]}: of each net a list of microseconds, one a length, of one text of so many
 *             tokens by itself, from its ids on; the last length is at least that at which texts are cut. The first four say what
 *             was measured on. Other keys are for people.
 *
 * A longer text never takes less than a shorter one: what the clock says of a length is at most what it says of those behind it, for what
 * disturbs a run only adds to it. What lies between two lengths is on the line between them, what is shorter than the first takes as long
 * as the first. A time is kept where the 90th percentile is within it: nine runs in ten are.
 */
#ifndef SNC_MODELS_SPEEDS_H
#define SNC_MODELS_SPEEDS_H

#include "base/ctx.h"
#include "models/cascade.h"

enum { SNC_SPEEDS_LENGTHS = 16 };

#define SNC_SPEEDS_MISSING "has no times of its nets: `compress export FILE --measure --output F` writes one that has" /* where asked */

typedef struct snc_speeds {
    int nets, lengths; /* nets 0: there are none */
    int tokens[SNC_SPEEDS_LENGTHS];
    double median[SNC_NETS_MOST][SNC_SPEEDS_LENGTHS], p90[SNC_NETS_MOST][SNC_SPEEDS_LENGTHS]; /* us, by net and length */
    const char *cpu, *isa, *backend;                                                          /* measured on: borrowed */
    int threads;
} snc_speeds;

/* Empty, of n nets on this machine by what ctx says, for the lengths 8, 16, 32 ... below `longest`, and that. */
void snc_speeds_begin(snc_speeds *out, int n, int longest, const snc_ctx *ctx);
/* What the clock says of a net at the i-th length: from the first length on. To the nanosecond. */
void snc_speeds_add(snc_speeds *s, int net, int i, double median, double p90);

/* The largest 90th percentile over its median, at least 1. */
double snc_speeds_spread(const snc_speeds *s);
/* The 90th percentile of a text, in us. 1 <= tokens <= the last length. */
double snc_speeds_us(const snc_speeds *s, int net, int tokens);
/* The median of a text alike. */
double snc_speeds_median(const snc_speeds *s, int net, int tokens);
/* The largest net that takes at most `us` for a text; *over: none does, and it is the fastest one. */
int snc_speeds_pick(bool *over, const snc_speeds *s, int tokens, double us);
/* Whether they are of another CPU, instruction set, number of threads or backend than ctx works with here; why, of at least 256
 * bytes or NULL, is of what and what there is. */
bool snc_speeds_differ(char *why, size_t size, const snc_speeds *s, const snc_ctx *ctx);

/* Of a model's n nets with the config and meta of the first; strings are borrowed from j. SNC_E_FORMAT: names what is missing, a list
 * of another length, a number out of its range, lengths or times that do not ascend, or a file of one net. */
snc_err snc_speeds_read(snc_speeds *out, const cJSON *j, int n, const snc_encoder_config *c, const cJSON *meta,
                        const char *where) SNC_MUST_USE;
cJSON *snc_speeds_json(const snc_speeds *s);

#endif
