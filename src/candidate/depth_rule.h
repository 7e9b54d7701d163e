/* candidate/depth_rule.h: which layers a net of less depth keeps. */
#ifndef SNC_CANDIDATE_DEPTH_RULE_H
#define SNC_CANDIDATE_DEPTH_RULE_H

#include "artifact/inputs.h"

enum { SNC_RULE_BATCH = 64 };

/* `wanted` when it is a rule; for NULL or "auto" the rule whose untrained nets stay nearest to the full one on select, or on so many
 * of its rows, and every depth or three of them, as 4e12 multiply-adds allow (128 rows at least): by work, not by time, so that the
 * rule is the same on every machine. */
snc_err snc_depth_rule_find(char rule[8], const snc_ctx *ctx, snc_model *m, const snc_inputs *in, snc_compute compute,
                            const char *wanted) SNC_MUST_USE;
int snc_depth_rule_rows(const snc_model *m, const snc_dataset *select);
double snc_depth_rule_tokens(const snc_model *m, const snc_dataset *select); /* through the full net, as much work as finding the rule */

#endif
