/* Computed from the step alone, so that a resumed run goes on with the very rates of one that was not cut short. */
#include "train/schedule.h"

#include <math.h>

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
    if (at < w) return s->lr * at / w;
    return at < total ? s->lr * (total - at) / (total - w) : 0.0;
}
