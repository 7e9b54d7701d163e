/* base/meter.h: how far a job is, and how long it still takes: the part under way by its own pace, the parts to come by plan.
 *
 *     snc_meter_plan(&m, "finetune", 120);  snc_meter_plan(&m, "search", 60);      seconds, in the order of the work
 *     snc_meter_note(&m, "finetune", 40, 100, "loss 0.3");                         40 of 100 are done
 *     snc_meter_read(&status, &m);                                                 what the host is told
 *
 * A part begins with the first note of its name, at whatever it has done by then (a resumed training run does not begin at 0), and
 * all parts before it are over. A part that was not planned has a pace and no place in the whole. One thread at a time.
 */
#ifndef SNC_BASE_METER_H
#define SNC_BASE_METER_H

#include <stdbool.h>

#include "base/error.h"

enum { SNC_METER_PARTS = 16, SNC_METER_NAME = 32, SNC_METER_NOTE = 256 };

typedef struct snc_meter {
    int n, now; /* planned parts; the one under way, counted from 1, 0: none yet */
    struct {
        char name[SNC_METER_NAME];
        double seconds;
    } part[SNC_METER_PARTS];
    char what[SNC_METER_NAME], note[SNC_METER_NOTE]; /* of the latest note; "": none */
    double done, total;
    double at[2], had[2]; /* two moments of this part and what was done by then: the pace is measured from the older one */
    double shown;         /* when the host was told last */
} snc_meter;

/* Appends a part; more than SNC_METER_PARTS are ignored. */
void snc_meter_plan(snc_meter *m, const char *name, double seconds);
void snc_meter_note(snc_meter *m, const char *what, double done, double total, const char *note, double now);
void snc_meter_read(snc_status *out, const snc_meter *m, double now);

#endif
