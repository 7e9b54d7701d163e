/* train/budgets.h: nets by what they cost, as a share of the largest net's multiply-adds in layers; and draws at a share.
 *
 * Uniform options make few nets that cost little or much: their costs are sums of many. A range of costs is drawn with options whose odds
 * grow or shrink evenly from the first to the last of a gene (exp(tilt * place), place 0 to 1), the tilt such that the mean cost is the
 * middle of the range: the flattest odds with this mean. Then one is drawn until it is inside, or of TRIES the nearest.
 */
#ifndef SNC_TRAIN_BUDGETS_H
#define SNC_TRAIN_BUDGETS_H

#include "models/space.h"

typedef struct snc_budget { /* borrows both */
    const snc_encoder_config *cfg;
    const snc_space *space;
    double full; /* multiply-adds of the largest */
} snc_budget;

typedef struct snc_budget_range {
    double low, high; /* shares */
    double tilt;
} snc_budget_range;

snc_budget snc_budget_of(const snc_space *s, const snc_encoder_config *cfg);
double snc_budget_share(const snc_budget *b, const snc_arch *a);
/* The same bits for the same space. */
snc_budget_range snc_budget_fit(const snc_budget *b, double low, double high);
void snc_budget_draw(snc_arch *out, const snc_budget *b, const snc_budget_range *r, snc_rng *rng);

/* From the smallest net to the largest, in ranges of equal width: for samplers that learn of each by itself. */
enum { SNC_BUDGETS_MOST = 32 };
typedef struct snc_budgets {
    snc_budget budget;
    int n;
    snc_budget_range range[SNC_BUDGETS_MOST];
} snc_budgets;

void snc_budgets_init(snc_budgets *b, const snc_space *s, const snc_encoder_config *cfg, int n);
int snc_budgets_find(const snc_budgets *b, const snc_arch *a); /* whose range it is in, or the first or last */

#endif
