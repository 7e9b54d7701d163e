/* stage/verbs.h: the verbs as they stand behind snc.h: a function each, with structs of our own size and arguments that were
 * looked at. verbs.c has what lies between.
 */
#ifndef SNC_STAGE_VERBS_H
#define SNC_STAGE_VERBS_H

#include "artifact/named.h"
#include "report/watch.h"

/* Copies of a caller's structs. SNC_E_ARG: a NULL, a struct of another library's size, a number out of its option's range. */
typedef struct snc_call {
    snc_options o;
    snc_host h;
    snc_named named; /* what options of o name */
    snc_watch *watch;
} snc_call;
snc_err snc_call_take(snc_call *out, const snc_options *o, const snc_host *h) SNC_MUST_USE;
/* A program for measurements in fresh processes: the host's, or the one installed beside this library; asked for its version.
 * Never the running one, unless the host names it: it would begin its own work again. */
snc_err snc_call_find_program(snc_call *c) SNC_MUST_USE;

snc_err snc_verb_compress(const snc_options *o, const snc_host *h, int *missed) SNC_MUST_USE;
/* The same; estimate: seconds of what was still to do when it began, 0 where it did not come so far. */
snc_err snc_compress_job(double *estimate, int *missed, const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_suite(const snc_options *o, const snc_host *h, int *missed) SNC_MUST_USE;
snc_err snc_verb_search(const snc_options *o, const snc_host *h, int *missed) SNC_MUST_USE;
snc_err snc_verb_import(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_finetune(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_supernet(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_profile(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_study(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_ablate_run(const snc_options *o, const snc_host *h) SNC_MUST_USE; /* its --ablate */
snc_err snc_verb_export(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_bench(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_predict(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_eval(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_info(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_tokenize(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_verify(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_plan(const snc_options *o, const snc_host *h) SNC_MUST_USE;
snc_err snc_verb_serve(const snc_options *o, const snc_host *h) SNC_MUST_USE;

#endif
