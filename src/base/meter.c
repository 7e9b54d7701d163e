/* The pace is taken from a mark half a minute to a minute back: it follows a job that gets slower, and does not jump with every note. */
#include "base/meter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double PACE_AFTER = 2, PACE_OVER = 30; /* seconds: before, the plan is believed; how old the pace may be */

void snc_meter_plan(snc_meter *m, const char *name, double seconds)
{
    if (m->n >= SNC_METER_PARTS) return;
    snprintf(m->part[m->n].name, SNC_METER_NAME, "%s", name);
    m->part[m->n++].seconds = seconds;
}

static void begin(snc_meter *m, const char *what, double done, double now)
{
    snprintf(m->what, sizeof m->what, "%s", what);
    m->at[0] = m->at[1] = now;
    m->had[0] = m->had[1] = done;
    for (int i = 0; i < m->n; i++)
        if (strcmp(m->part[i].name, m->what) == 0) m->now = i + 1;
}

void snc_meter_note(snc_meter *m, const char *what, double done, double total, const char *note, double now)
{
    if (strncmp(m->what, what, sizeof m->what - 1) != 0 || done < m->done) begin(m, what, done, now);
    m->done = done;
    m->total = total;
    snprintf(m->note, sizeof m->note, "%s", note);
    if (now - m->at[1] < PACE_OVER) return;
    m->at[0] = m->at[1];
    m->had[0] = m->had[1];
    m->at[1] = now;
    m->had[1] = done;
}

void snc_meter_read(snc_status *out, const snc_meter *m, double now)
{
    const double elapsed = now - m->at[0], made = m->done - m->had[0], share = m->total > 0 ? fmin(m->done / m->total, 1) : 0;
    const bool planned = m->now > 0 && strcmp(m->part[m->now - 1].name, m->what) == 0;
    double all = 0, past = 0, left = 0;
    *out = (snc_status){.what = m->what,
                        .note = m->note,
                        .done = m->done,
                        .total = m->total,
                        .parts = m->n,
                        .part = m->now,
                        .per_second = NAN,
                        .left_s = NAN,
                        .share = NAN,
                        .all_left_s = NAN};
    if (elapsed > 0 && made > 0) out->per_second = made / elapsed;
    if (elapsed >= PACE_AFTER && made > 0) out->left_s = (m->total - m->done) / out->per_second;
    else if (planned) out->left_s = m->part[m->now - 1].seconds * (1 - share);
    if (m->done >= m->total) out->left_s = 0;
    for (int i = 0; i < m->n; i++) {
        double s = m->part[i].seconds;
        all += s;
        if (i < m->now - 1) past += s;
        if (i > m->now - 1) left += s;
    }
    if (!(all > 0)) return;
    if (planned) past += m->part[m->now - 1].seconds * share;
    out->share = past / all;
    out->all_left_s = left + (isnan(out->left_s) ? 0 : out->left_s);
}
