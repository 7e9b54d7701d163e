/* report/plan.h: what a whole job does of what it would like to do, so that it ends in time: from measured rates, no clock in it.
 *
 * Where the time does not suffice the job gives up what is expected to cost the least, rung by rung and only as much of a rung as it must;
 * what people asked for by name is kept. The order, and the numbers it is from (tests/bench/RESULTS.md, MiniLM, SST-2):
 *
 *   evaluations to 200            the front's hypervolume has 94 % of that of 400; they and the second look are a sixth of the time
 *   supernet epochs to 0.5        with the rows made for it the largest part (46 %); repair trains the net that is chosen again, alone,
 *                                 to a KL of 0.060 where the supernet has 0.076
 *   made rows to 1 a row          KL 0.087 against 0.076 of three and 0.103 of none
 *   teacher epochs to 2, rounds of proof to 9, repair to 0.5
 *   evaluations to 100            83 % of the hypervolume
 *   supernet to 0.25, teacher to 1, repair to 0.25
 *   half of the rows that candidates are compared on: finalists are judged again on rows that no search has seen
 *   no made rows, 50 evaluations, a quarter of the rows, no repair, then as many steps of teacher and supernet as LEAST says
 *
 * Where few rows need more epochs or made rows than the ladder begins with, its numbers of that knob are so many times as large.
 *
 * A job that asks for more than the defaults (--effort thorough) comes down to the defaults first, in the same order.
 */
#ifndef SNC_REPORT_PLAN_H
#define SNC_REPORT_PLAN_H

#include <stdbool.h>
#include <stddef.h>

typedef enum snc_knob {
    SNC_KNOB_EPOCHS,
    SNC_KNOB_SUPERNET,
    SNC_KNOB_MADE,
    SNC_KNOB_EVALS,
    SNC_KNOB_REPAIR,
    SNC_KNOB_ROUNDS,
    SNC_KNOB_RANK,
    SNC_KNOBS
} snc_knob;

const char *snc_knob_option(snc_knob k); /* "--evals"; NULL: no option says it */
const char *snc_knob_why(snc_knob k);    /* why it may go, in a few words */

typedef struct snc_plan {
    double v[SNC_KNOBS];
} snc_plan;

/* In the order of the work. */
typedef enum snc_job_part {
    SNC_JOB_TABLE,
    SNC_JOB_CALIBRATION,
    SNC_JOB_FINETUNE,
    SNC_JOB_BASELINE,
    SNC_JOB_LOGITS,
    SNC_JOB_IMPORTANCE,
    SNC_JOB_RULE,
    SNC_JOB_SUPERNET,
    SNC_JOB_SEARCH,
    SNC_JOB_LOOK,
    SNC_JOB_FINALISTS,
    SNC_JOB_REFIT_LOGITS,
    SNC_JOB_REPAIR,
    SNC_JOB_SCORES,
    SNC_JOB_PROOF,
    SNC_JOB_PARTS
} snc_job_part;

const char *snc_job_part_name(snc_job_part p); /* as progress calls it */

#define SNC_FORWARD 0.35 /* of a step: its forward pass */

/* What a job is made of: seconds as measured on its own model, rows and workload, and how much of each there is. */
typedef struct snc_pace {
    double step;              /* one of training, of the full net */
    double call;              /* of the workload, of full-size INT8, on its threads */
    double token;             /* scored in INT8 on all cores */
    double full;              /* times that in F32, as training has shown it; 0: not known */
    double pack;              /* a net, from its weights to the first answer */
    double importance, rule;  /* rows and tokens that these are found by */
    double rule_rows;         /* that each net of the depth rule is asked */
    double rows, tokens;      /* of train */
    double taught;            /* rows that the teacher is fine-tuned on */
    double all, baselines;    /* rows that nothing is held out of, and how many are fine-tuned on them beside the teacher */
    double teachers;          /* of the net that is chosen */
    double rank, scored;      /* tokens */
    double ranked;            /* rows of rank */
    double batch, elastic;    /* sentences of a step, and of one of the supernet or of repair */
    double nets;              /* a step of the supernet, in steps of the full net on as many rows */
    double last;              /* of such a step, what its last net takes */
    double hosts;             /* that measure, one after the other; 0: one */
    double faster;            /* nets of the file beside the first, each with a search of its own */
    bool both;                /* they are trained together and apart */
    double search;            /* most seconds of the search itself; 0: no limit of its own */
    double need[SNC_KNOBS];   /* what few rows make of the recipe's least numbers (artifact/settle.h); 0: nothing */
    bool mixed;               /* a net that is looked at is packed first: no two have the same matrices */
    bool repairs, must;       /* repair is not off; it is on, not auto */
    bool done[SNC_JOB_PARTS]; /* there already */
} snc_pace;

/* Seconds by part; returns the sum. */
double snc_plan_seconds(double part[SNC_JOB_PARTS], const snc_pace *p, const snc_plan *plan);
/* Seconds of an evaluation: what the search itself takes, asking the net, and packing it first. */
typedef struct snc_look {
    double own, rows, pack;
} snc_look;
snc_look snc_plan_look(const snc_pace *p, const snc_plan *plan);
/* Of the finalists' seconds, those on rows that are made for them. */
double snc_plan_fresh(const snc_pace *p, const snc_plan *plan);
/* Steps of training by part; 0 of parts that make none, or are there. */
void snc_plan_steps(double steps[SNC_JOB_PARTS], const snc_pace *p, const snc_plan *plan);
/* plan: what is wanted, and what of it fits in `seconds`. kept: knobs that stay as they are. false: the least of it does not fit; the
 * plan is that. */
bool snc_plan_fit(snc_plan *plan, const snc_pace *p, const bool kept[SNC_KNOBS], double seconds);

/* What a plan may still have of what is wanted, once more: all but what is there, or kept. */
void snc_plan_restore(snc_plan *plan, const snc_plan *wanted, const snc_pace *p, const bool kept[SNC_KNOBS]);

/* "200 evaluations instead of 400, ..."; "" where nothing differs. */
void snc_plan_words(char *buf, size_t size, const snc_plan *wanted, const snc_plan *plan);
/* "45s", "3m40s", "1h05m". */
enum { SNC_CLOCK = 24 };
const char *snc_clock_words(char buf[SNC_CLOCK], double seconds);

#endif
