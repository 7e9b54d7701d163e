/* candidate/needs.h: memory and disk of a job, against what the machine has left, before the work.
 *
 * Memory is the largest sum of blocks that live at one time, each counted as whoever allocates it does:
 *
 *   fine-tuning   model, gradients, optimiser, engine (packed weights, activations of batch size x longest row)
 *   supernet      the same and a frozen teacher, the rows made for distillation, the engine that asks the teacher
 *   clock         of a profile's end and a search's: supernet with its packed matrices, and a few nets up to the full one, each with
 *                 its own
 *   repair        supernet with its packed matrices, teacher, and a fine-tuning of a net up to the full one on a rounded copy
 *
 * Of several ranks each computes a share of a step's rows, and has gradients of others on their way to be summed; its moments are a share
 * of all until a checkpoint gathers them, which repair does not. The other ranks are sent what they work on, the model too, and have no
 * part in the clock but the search's supernet. Ranks of one machine have one memory: what they take together has to fit in it.
 *
 * What does not fit is refused; where something is trained, only what does not fit with a row of a step at a time, whose activations are
 * computed twice unless the context says no, as the trainer does (train/trainer.h). Within a quarter of the peak as measured
 * (tests/bench/RESULTS.md).
 */
#ifndef SNC_CANDIDATE_NEEDS_H
#define SNC_CANDIDATE_NEEDS_H

#include "artifact/inputs.h"

typedef struct snc_needs {
    const snc_ctx *ctx;
    const snc_options *o;
    const snc_inputs *in;
    snc_model *m;  /* any model of the shapes; its parameters are memory that the job has already */
    unsigned verb; /* one of SNC_VERB_FINETUNE, SUPERNET, COMPRESS, SEARCH, PROFILE, STUDY */
    int ranks;     /* that share the work; 0: those of the context */
} snc_needs;

/* What lives at different times. */
typedef enum snc_need { SNC_NEED_FINETUNE, SNC_NEED_SUPERNET, SNC_NEED_CLOCK, SNC_NEED_REPAIR, SNC_NEEDS } snc_need;

/* Bytes beside what the process has now, of each part that the verb has; 0 of the others. No more than so many rows of a step are computed
 * at once, activations kept or twice. */
snc_err snc_needs_parts(double out[SNC_NEEDS], const snc_needs *n, int at_once, bool twice) SNC_MUST_USE;
/* The same of another rank, in all: it has nothing before. */
snc_err snc_needs_others(double out[SNC_NEEDS], const snc_needs *n, int at_once, bool twice) SNC_MUST_USE;
/* The largest sum at one time of rank 0 and of so many others of its machine. */
snc_err snc_needs_machine(double *out, const snc_needs *n, int others, int at_once, bool twice) SNC_MUST_USE;
/* The same of rank 0 alone. */
snc_err snc_needs_memory(double *out, const snc_needs *n, int at_once, bool twice) SNC_MUST_USE;
/* Bytes of what the verb writes, unfinished state included. */
snc_err snc_needs_disk(double *out, const snc_needs *n) SNC_MUST_USE;
/* SNC_E_NOMEM: more memory than free_bytes, of rank 0 and so many others, in the smallest parts and with a tenth to spare. free_bytes 0:
 * not known. */
snc_err snc_needs_fit(const snc_needs *n, int others, double free_bytes) SNC_MUST_USE;
/* Of this process in what it may take, and with the other ranks of its machine in what that has. */
snc_err snc_needs_here(const snc_needs *n) SNC_MUST_USE;
/* Both of the machine: for files in `output`, or in its folder, less `there` bytes that are written already. */
snc_err snc_needs_check(const snc_needs *n, const char *output, double there) SNC_MUST_USE;

#endif
