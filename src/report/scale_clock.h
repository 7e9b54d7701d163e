/* report/scale_clock.h: the rates of report/scale.h, from some seconds of work on this machine.
 *
 *   s       steps on one core beside steps on all of them; where there is one core, SNC_SCALE_ASSUMED
 *   f       steps of some rows beside steps of a quarter of them
 *   o       the optimiser over the model's own parameters, on one core and on all; the bytes that it moves a second are `memory`
 *   sum     a block of the gradient's size, copied and added to another
 *   bytes   parameters that are no table, and of tables the distinct rows of a batch, with their numbers
 */
#ifndef SNC_REPORT_SCALE_CLOCK_H
#define SNC_REPORT_SCALE_CLOCK_H

#include "artifact/inputs.h"
#include "report/scale.h"

#define SNC_SCALE_ASSUMED 0.05

/* Fills in all but the network. m's weights change. half: gradients travel as bf16. */
snc_err snc_scale_measure(snc_scale *out, const snc_ctx *ctx, const snc_options *o, const snc_dataset *rows, snc_model *m,
                          bool half) SNC_MUST_USE;

#endif
