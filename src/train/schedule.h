/* train/schedule.h: learning rate by step: linear warm-up, then linear decay to zero at the last step.
 *
 *   lr(s) = lr * s / w                     s < w         (so the first step moves nothing, as in Hugging Face)
 *   lr(s) = lr * (total - s) / (total - w) w <= s <= total,   0 afterwards;   w = warmup * total, not rounded
 */
#ifndef SNC_TRAIN_SCHEDULE_H
#define SNC_TRAIN_SCHEDULE_H

#include "base/error.h"

typedef struct snc_schedule {
    double lr;     /* the peak */
    int64_t total; /* steps */
    double warmup; /* share of total, 0..1 */
} snc_schedule;

snc_err snc_schedule_check(const snc_schedule *s) SNC_MUST_USE; /* SNC_E_ARG names the field */
double snc_schedule_lr(const snc_schedule *s, int64_t step);    /* step counts from 0 */

#endif
