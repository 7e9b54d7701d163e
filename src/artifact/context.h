/* artifact/context.h: what every stage begins with: its context from the options, and an output that can be written. */
#ifndef SNC_ARTIFACT_CONTEXT_H
#define SNC_ARTIFACT_CONTEXT_H

#include "base/ctx.h"

/* threads: the text of a --threads, a single number; NULL: `otherwise`, of which 0 means all cores. Checks SNC_ISA, backend, and that
 * --output and --journal destroy nothing (snc_output_check): every stage begins with it. */
snc_err snc_context_init(snc_ctx *out, const snc_options *o, const snc_host *h, const char *threads, int otherwise) SNC_MUST_USE;
/* Warns of more threads than CPUs that may be used; where `all` of them were taken, says what makes them fewer than the machine's. */
void snc_threads_say(const snc_ctx *ctx, int threads, bool all);
/* The file of --output can be written: found out before the work, not after it. */
snc_err snc_output_need(const char *verb, const snc_options *o) SNC_MUST_USE;

#endif
