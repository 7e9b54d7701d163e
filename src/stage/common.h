/* stage/common.h: what every stage does first and last: context from options, answer lines, small parsers. */
#ifndef SNC_STAGE_COMMON_H
#define SNC_STAGE_COMMON_H

#include <stdbool.h>

#include "base/ctx.h"
#include "base/json.h"

extern const snc_options snc_options_defaults; /* what snc_options_init gives */

/* Threads: --threads where given (a single number), else `threads_default`; 0 means all cores. Checks SNC_ISA, backend, and that
 * --output and --journal destroy nothing (snc_output_check): every stage begins with it. */
snc_err snc_stage_ctx(snc_ctx *out, const snc_options *o, const snc_host *h, int threads_default) SNC_MUST_USE;
/* One formatted line of the answer. */
void snc_stage_say(const snc_host *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* SNC_E_ARG: "finetune: --task is missing". */
snc_err snc_stage_need(const char *verb, const char *option, const void *value) SNC_MUST_USE;
/* The file of --output can be written: found out before the work, not after it. */
snc_err snc_stage_need_output(const char *verb, const snc_options *o) SNC_MUST_USE;
/* JSON text of any size as answer lines. */
void snc_stage_say_text(const snc_host *h, const char *text);
/* j as such text, pretty or on one line; j is deleted. SNC_E_NOMEM names the verb. */
snc_err snc_stage_say_json(const snc_host *h, cJSON *j, bool pretty, const char *verb) SNC_MUST_USE;

/* "1,8,32" -> numbers >= 1; "data" (where allowed) becomes 0. SNC_E_ARG names option and item. */
enum { SNC_LIST_MAX = 32 };
typedef struct snc_int_list {
    int n, v[SNC_LIST_MAX];
} snc_int_list;
snc_err snc_parse_list(snc_int_list *out, const char *option, const char *text, bool data_allowed) SNC_MUST_USE;

/* A positive number with one of the units, the last of which has no name. SNC_E_ARG: "OPTION 'TEXT': expected EXPECTED". */
typedef struct snc_unit {
    const char *name;
    double factor;
    bool relative; /* a share, not an amount */
} snc_unit;
snc_err snc_parse_unit(double *out, bool *relative, const char *option, const char *text, const snc_unit *units, const char *expected) SNC_MUST_USE;
/* "90s", "5m", "1h", "45" (seconds). */
snc_err snc_parse_seconds(double *out, const char *option, const char *text) SNC_MUST_USE;

/* {"cpu","isa","threads","backend","onednn","openblas","compiler","snc"}: who measured. */
cJSON *snc_host_json(const snc_ctx *ctx);

#endif
