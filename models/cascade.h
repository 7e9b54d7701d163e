/* models/cascade.h: escalation between the nets of a file: the smallest answers; where it is not sure enough the next larger one does,
 * and so on; the largest (net 0) answers all that reaches it.
 *
 *   cascade   JSON in __metadata__ beside `nets`: {"rule":"margin"|"entropy", "temperature":[T_0, ... T_n-1],
 *             "threshold":[t_1, ... t_n-1], ...}: a temperature of each net, a threshold of each but the largest; null: that net takes
 *             no part. Other keys say what it was chosen for and what was found, for people.
 *
 * p = softmax(z / T) of a net's logits z [K]; how sure it is lies in [0, 1]:
 *
 *   margin    p of the best class less p of the second
 *   entropy   1 + sum p log p / log K
 *
 * It answers where that is at least its threshold. Of one class in K alone: any number of labels, and values, know no such thing.
 */
#ifndef SNC_MODELS_CASCADE_H
#define SNC_MODELS_CASCADE_H

#include <stdbool.h>

#include "base/json.h"
#include "models/spec.h"

enum { SNC_NETS_MOST = 16 }; /* of a file */

typedef enum snc_cascade_rule { SNC_CASCADE_MARGIN, SNC_CASCADE_ENTROPY, SNC_CASCADE_RULES } snc_cascade_rule;

typedef struct snc_cascade {
    int nets; /* 0: there is none */
    snc_cascade_rule rule;
    double temperature[SNC_NETS_MOST], threshold[SNC_NETS_MOST]; /* by net; [0] of threshold is none; infinity: takes no part */
} snc_cascade;

const char *snc_cascade_rule_name(int i); /* NULL past the last */

/* How sure a net is that has said z [K]; NaN where a logit is not finite. K >= 2, temperature > 0. */
double snc_cascade_sure(snc_cascade_rule rule, const float *z, int K, double temperature);
/* Whether the answer of net k stands. */
bool snc_cascade_stands(const snc_cascade *c, int k, const float *z, int K);
static inline bool snc_cascade_asks(const snc_cascade *c, int k) { return k == 0 || c->threshold[k] <= 1; } /* takes part */
/* Of a net that takes part the one that is asked before it: the next smaller one that does; -1: it is the first. */
int snc_cascade_before(const snc_cascade *c, int k);

/* Of a model's n nets. SNC_E_FORMAT: a list of another length, a number out of its range, an unknown rule (the nearest is named), a file
 * of one net, or a model that does not give one class. */
snc_err snc_cascade_read(snc_cascade *out, const cJSON *j, int n, const snc_encoder_config *c, const char *where) SNC_MUST_USE;
/* The three keys of it. */
cJSON *snc_cascade_json(const snc_cascade *c);

#endif
