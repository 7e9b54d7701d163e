/* artifact/latency_table.h: a latency table as a file: whether it is of this machine and of what is asked, and how whole nets compare.
 *
 * Where other hosts measure (base/hosts.h) there is a table for each kind of them, of CPU and instruction set, beside where the one would
 * be: latency-1a2b3c4d.json. Hosts of one kind have one file. `path` is that of the one in what follows, `table` that of one of them.
 */
#ifndef SNC_ARTIFACT_LATENCY_TABLE_H
#define SNC_ARTIFACT_LATENCY_TABLE_H

#include "artifact/stamp.h"
#include "base/ctx.h"
#include "base/digest.h"

enum { SNC_TABLE_PATH = 4096 };
/* The table of who measures k-th. */
snc_err snc_latency_table_of(char table[SNC_TABLE_PATH], const char *path, const snc_ctx *work, int k) SNC_MUST_USE;
/* Of it: stamp and digest are in "table.inputs" beside it. One of another machine counts as damaged. */
snc_state snc_latency_table_state(char why[SNC_WHY], const char *table, const cJSON *stamp, const snc_ctx *work, int k);
/* Of all of them, the gravest. */
snc_state snc_latency_tables_state(char why[SNC_WHY], const char *path, const cJSON *stamp, const snc_ctx *work);
void snc_latency_tables_drop(const char *path, const snc_ctx *work);
/* Of the table's bytes and of its calibration; of all tables. */
snc_err snc_latency_table_digest(char out[SNC_DIGEST_TEXT], const char *table, const cJSON *calibration) SNC_MUST_USE;
snc_err snc_latency_tables_digest(char out[SNC_DIGEST_TEXT], const char *path, const snc_ctx *work) SNC_MUST_USE;
snc_err snc_latency_table_inputs_path(char *buf, size_t size, const char *table) SNC_MUST_USE;
/* By how much nets near a limit take more than predicted; probes near the limit weigh most. 1 without probes. */
double snc_latency_table_factor(const cJSON *probed, double limit_us, bool relative, double full_us);

#endif
