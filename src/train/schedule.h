/* train/schedule.h: learning rate by step: linear warm-up, then linear decay to zero at the last step.
 *
 *   lr(s) = lr * s / w                     s < w         (so the first step moves nothing, as in Hugging Face)
 *   lr(s) = lr * (total - s) / (total - w) w <= s <= total,   0 afterwards;   w = warmup * total, not rounded
 *
 * A schedule that is shortened on the way goes on from the rate it has, in a straight line to zero at its new end; one that is still
 * warming up becomes what it would have been with that end from the beginning.
 */
#ifndef SNC_TRAIN_SCHEDULE_H
#define SNC_TRAIN_SCHEDULE_H

#include "base/error.h"

typedef struct snc_schedule {
    double lr;     /* the peak */
    int64_t total; /* steps */
    double warmup; /* share of total, 0..1 */
    int64_t from;  /* shortened at this step, where the rate was `at`; 0: never */
    double at;
} snc_schedule;

snc_err snc_schedule_check(const snc_schedule *s) SNC_MUST_USE; /* SNC_E_ARG names the field */
double snc_schedule_lr(const snc_schedule *s, int64_t step);    /* step counts from 0 */
/* Before step `step`: the last one is total - 1, with step < total <= s->total. Of the steps before nothing is said any more. */
void snc_schedule_shorten(snc_schedule *s, int64_t step, int64_t total);

#endif
