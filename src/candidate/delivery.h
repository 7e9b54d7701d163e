/* candidate/delivery.h: the chosen nets, trained once more, as the file that is delivered.
 *
 * One net is distilled from the teachers of all rows under fake quantization. Several, each a part of the one before it, are one model:
 * either they are distilled together, every step training all of them on the same rows (the sandwich of a chain: Yu and Huang 2019), and
 * share integers, row scales, head and norms, so that the file is as large as its largest net; or each is distilled alone, and they lie
 * beside each other (models/bundle.h). Rows with labels have been learnt from by then: what decides is the loss to the teacher on fresh
 * rows (candidate/evaluator.h).
 */
#ifndef SNC_CANDIDATE_DELIVERY_H
#define SNC_CANDIDATE_DELIVERY_H

#include "artifact/distillation.h"
#include "candidate/finalists.h"

/* What chosen nets are trained on last, filled where that is done; the caller disposes of the set. */
typedef struct snc_refit {
    const snc_dataset *rows; /* those of rank and select with them, where nothing is judged on these any more */
    snc_teachers teachers;   /* which have seen those rows */
    snc_distillation_set set;
} snc_refit;

/* A net that was chosen. */
typedef struct snc_chosen {
    snc_finalist f;
    snc_arch arch; /* of the supernet */
    snc_policy policy;
} snc_chosen;
snc_chosen snc_chosen_of(const snc_space *s, const snc_finalist *f);

/* Of several nets the last step is what --cascade asks for, how they escalate (candidate/cascade_fit.h), and --measure, how long each
 * takes (candidate/speeds_clock.h): to whom that is said, and the threads that nets are timed with. */
typedef struct snc_delivery_clock {
    const snc_host *h;
    const snc_ctx *ctx;
} snc_delivery_clock;

/* --share. */
typedef enum snc_share_how { SNC_SHARE_AUTO, SNC_SHARE_ON, SNC_SHARE_OFF } snc_share_how;
snc_share_how snc_share(const snc_options *o);

/* Writes `out`: net [n], the largest first, each of the others within the one before it (models/arch.h). They are as searched or, with
 * --repair, after that training. said: what came of it. stamp: what the file is made of and with, kept inside. The file gets its name
 * when it is whole and final: one that is there under that name stays until then. */
enum { SNC_SENTENCE = 512 };
snc_err snc_deliver(char said[SNC_SENTENCE], snc_evaluator *e, const snc_options *o, const snc_chosen *net, int n, snc_refit *refit,
                    const snc_delivery_clock *clock, const cJSON *stamp, const char *out) SNC_MUST_USE;

#endif
