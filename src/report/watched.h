/* report/watched.h: what a run has shown of itself so far: the part under way, the front as it grows, the last lines of the log. It is
 * told by the thread that works and read by others; memory is bounded, however long the run.
 *
 *     SNC_TRY(snc_watched_new(&w, "search"));
 *     snc_watched_status(w, &s);  snc_watched_evaluation(w, &e);  snc_watched_line(w, "info", "round 1: ...");
 *     snc_watched_json(&buf, w);      any thread:
 *
 *     {"verb":"search","seconds":12.3,"ended":null,                               or {"exit_code":0,"text":""}
 *      "stage":{"name":"search","note":"best loss 0.3","done":20,"total":90,"per_second":8.1,"left_s":8.6,"age_s":0.2,
 *               "part":3,"parts":15,"share":0.4,"all_left_s":60},                 null before the first
 *      "search":{"objectives":["loss","latency"],"evaluations":20,                null before the first
 *                "front":[[7,0.31,820.5],...],"others":[[1,0.4,1200],...]},       id, then a value an objective, as snc_evaluation has it
 *      "log":[{"id":1,"seconds":0.1,"level":"info","line":"..."},...]}            the last SNC_WATCHED_LINES
 *
 * "others" are the latest SNC_WATCHED_OTHERS that are not on the front; an evaluation without a number is counted alone. A number that
 * is not known is null.
 */
#ifndef SNC_REPORT_WATCHED_H
#define SNC_REPORT_WATCHED_H

#include "base/textbuf.h"

enum { SNC_WATCHED_LINES = 100, SNC_WATCHED_OTHERS = 2000, SNC_WATCHED_FRONT = 500 };

typedef struct snc_watched snc_watched;
snc_err snc_watched_new(snc_watched **out, const char *verb) SNC_MUST_USE;
void snc_watched_free(snc_watched *w); /* NULL is fine */
/* level: "error", "warning", "info", "debug", or "result", a line of the answer. */
void snc_watched_line(snc_watched *w, const char *level, const char *line);
void snc_watched_status(snc_watched *w, const snc_status *s);
void snc_watched_evaluation(snc_watched *w, const snc_evaluation *e);
/* As the program ends; text: why, where it failed. */
void snc_watched_end(snc_watched *w, int exit_code, const char *text);
/* A failure is in the buffer. */
void snc_watched_json(snc_textbuf *out, snc_watched *w);

#endif
