/* report/scale_clock.h: the rates of report/scale.h, from some seconds of work on this machine.
 *
 *   s       steps on one core beside steps on all of them; where there is one core, SNC_SCALE_ASSUMED
 *   f       steps of some rows beside steps of a quarter of them
 *   o       the optimiser over the model's own parameters, on one core and on all; the bytes that it moves a second are `memory`
 *   sum     a block of the gradient's size, copied and added to another
 *   bytes   parameters that are no table, by layers, and of tables the distinct rows of a batch, whose numbers all ranks know
 *   turns   words, norms, gradients of no layer by runs of them, rows there and back, weights by runs between tables
 */
#ifndef SNC_REPORT_SCALE_CLOCK_H
#define SNC_REPORT_SCALE_CLOCK_H

#include "artifact/inputs.h"
#include "report/scale.h"

#define SNC_SCALE_ASSUMED 0.05

/* Fills in what a step sends of a model: layers and turns, bytes by what they are of. half: gradients travel as bf16. */
snc_err snc_scale_count(snc_scale *out, const snc_ctx *ctx, const snc_dataset *rows, const snc_model *m, int batch, bool half) SNC_MUST_USE;
/* Fills in all but the network. m's weights change. */
snc_err snc_scale_measure(snc_scale *out, const snc_ctx *ctx, const snc_options *o, const snc_dataset *rows, snc_model *m,
                          bool half) SNC_MUST_USE;

#endif
