/* artifact/latency_table.h: a latency table as a file: whether it is of this machine and of what is asked, and how whole nets compare. */
#ifndef SNC_ARTIFACT_LATENCY_TABLE_H
#define SNC_ARTIFACT_LATENCY_TABLE_H

#include "artifact/stamp.h"
#include "base/ctx.h"
#include "base/digest.h"

/* The latency table at path: stamp and digest are in "path.inputs" beside it. One of another machine counts as damaged. */
snc_state snc_latency_table_state(char why[SNC_WHY], const char *path, const cJSON *stamp, const snc_ctx *work);
/* Of the table's bytes and of its calibration. */
snc_err snc_latency_table_digest(char out[SNC_DIGEST_TEXT], const char *path, const cJSON *calibration) SNC_MUST_USE;
snc_err snc_latency_table_inputs_path(char *buf, size_t size, const char *path) SNC_MUST_USE;
/* By how much nets near a limit take more than predicted; probes near the limit weigh most. 1 without probes. */
double snc_latency_table_factor(const cJSON *probed, double limit_us, bool relative, double full_us);

#endif
