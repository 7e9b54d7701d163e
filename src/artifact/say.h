/* artifact/say.h: a stage's answer, line by line to the host's result, and who measured. */
#ifndef SNC_ARTIFACT_SAY_H
#define SNC_ARTIFACT_SAY_H

#include <stdbool.h>

#include "base/ctx.h"
#include "base/json.h"

/* One formatted line of the answer. */
void snc_say(const snc_host *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* JSON text of any size as answer lines. */
void snc_say_text(const snc_host *h, const char *text);
/* j as such text, pretty or on one line; j is deleted. SNC_E_NOMEM names the verb. */
snc_err snc_say_json(const snc_host *h, cJSON *j, bool pretty, const char *verb) SNC_MUST_USE;

/* {"cpu","isa","threads","backend","onednn","openblas","compiler","snc"}: who measured. */
cJSON *snc_host_json(const snc_ctx *ctx);

#endif
