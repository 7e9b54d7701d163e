/* Computed from the step alone, so that a resumed run goes on with the very rates of one that was not cut short. */
#include "train/schedule.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

snc_err snc_schedule_check(const snc_schedule *s)
{
    SNC_CHECK(isfinite(s->lr) && s->lr >= 0, SNC_E_ARG, "lr %g: expected a finite number, at least 0", s->lr);
    SNC_CHECK(s->total >= 1, SNC_E_ARG, "%lld training steps: expected at least 1", (long long)s->total);
    SNC_CHECK(s->warmup >= 0 && s->warmup <= 1, SNC_E_ARG, "warmup %g: expected a share from 0 to 1", s->warmup);
    return SNC_OK;
}

double snc_schedule_lr(const snc_schedule *s, int64_t step)
{
    double total = (double)s->total, w = s->warmup * total, at = (double)step;
    if (s->from > 0 && step >= s->from) return step < s->total ? s->at * (total - at) / (total - (double)s->from) : 0.0;
    if (at < w) return s->lr * at / w;
    return at < total ? s->lr * (total - at) / (total - w) : 0.0;
}

void snc_schedule_shorten(snc_schedule *s, int64_t step, int64_t total)
{
    assert(step < total && total <= s->total);
    double rate = snc_schedule_lr(s, step);
    bool warm = (double)step >= s->warmup * (double)s->total;
    if (warm) {
        s->from = step;
        s->at = rate;
    }
    s->total = total;
}
