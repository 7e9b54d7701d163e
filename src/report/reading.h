/* report/reading.h: what was read: for people before the work, and for every report.
 *
 *   {"splits":[{"name":"train","rows":1600,"classes":{"neg":533,...},"majority":0.34,"cut":12,"empty":0,"duplicate":3},...],
 *    "max_length":128,"shared":0,"sources":[{"split":"train","file":...}],"warnings":[{"name":"few-rows","text":"..."},...]}
 *
 *   classes    rows of each; of a regression "low" and "high" stand in their place
 *   cut        rows cut at max_length tokens
 *   duplicate  rows whose text an earlier row of the split has
 *   shared     dev rows whose text is learnt from: in train, rank, select or all rows
 *   sources    data/source_priv.h, each with its split; train's says "dev" where that is made of its rows
 *   warnings   those of the sources, few-rows (a class of fewer than 8 to learn from), shared-rows (of other rows that are scored),
 *              no-label (-1, nan, None ... among the classes); in a job's report also memorised (a teacher that came with it has likely
 *              learnt rank and select) and generator (a supernet's experts are of no use)
 */
#ifndef SNC_REPORT_READING_H
#define SNC_REPORT_READING_H

#include "artifact/inputs.h"
#include "base/textbuf.h"

/* dev, rank and select where they are there. Freed with cJSON_Delete. */
snc_err snc_reading_new(cJSON **out, const snc_inputs *in) SNC_MUST_USE;
/* Other rows that are scored, under their name, and a warning (shared-rows) where some of their texts are learnt from. */
snc_err snc_reading_add(cJSON *reading, const snc_inputs *in, const char *name, const snc_dataset *d) SNC_MUST_USE;
/* The block: a line a file and a line a split, each begun by `indent`; without the warnings. */
void snc_reading_put(snc_textbuf *t, const cJSON *reading, const char *indent);
/* The block, a line of the log each, and every warning. */
snc_err snc_reading_log(const snc_ctx *ctx, const snc_inputs *in) SNC_MUST_USE;
/* The warning that was added last, during the work. */
void snc_reading_log_last(const snc_ctx *ctx, const cJSON *reading);
/* The block as answer lines, and every warning to the log. */
snc_err snc_reading_say(const snc_host *h, const snc_ctx *ctx, const cJSON *reading) SNC_MUST_USE;

#endif
