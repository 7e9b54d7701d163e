/* candidate/cascade_choice.h: temperatures and thresholds of a cascade (models/cascade.h) from what its nets say of rows.
 *
 * A temperature of each net by the likelihood of the labels (Guo et al. 2017), in one dimension; then for either rule the thresholds, on
 * a grid of the confidences that were seen, that take the least time in the mean while the share of rows that the largest net alone has
 * right is at most so much larger, by an upper bound at 95 % of that difference (base/stats.h). Every combination is looked at of up to
 * three nets; of more one threshold at a time, in turn, until none gets better. A net that is in the way takes no part.
 *
 * Where times are limited, of their mean or of so many of a hundred texts, what breaks a limit is not looked at; with `most_right` what
 * is left is chosen by right answers, and by time among equals.
 *
 * What is found is the best of these very rows, so that others will be kinder to it less often than the bound says.
 */
#ifndef SNC_CANDIDATE_CASCADE_CHOICE_H
#define SNC_CANDIDATE_CASCADE_CHOICE_H

#include "models/cascade.h"

/* Of a text's time: its mean over rows, or what so large a share of rows keeps. */
enum { SNC_CASCADE_LIMITS = 4 };
typedef struct snc_cascade_limit {
    double share; /* 0.99; 0: the mean */
    double us;
} snc_cascade_limit;

typedef struct snc_cascade_rows {
    int nets, n, K;
    const float *const *z;   /* [nets] of logits [n, K], the largest net first */
    const float *label;      /* [n] class of each row: the right one, or that of the largest net where agreement is what counts */
    const double *const *us; /* [nets] of times [n] of each row by this net alone */
    /* The same by net and the one behind which it is asked, where it goes on from that one's hidden state; NULL: it starts anew. */
    const double *behind[SNC_NETS_MOST][SNC_NETS_MOST];
    int limits;
    snc_cascade_limit limit[SNC_CASCADE_LIMITS];
    bool most_right;
} snc_cascade_rows;

typedef struct snc_cascade_choice {
    snc_cascade c;           /* nets 0: the largest one alone is all that keeps the limits, or nothing does */
    double us, bound;        /* mean time of a text; of the share of rows that it loses, at 95 % */
    int rows[SNC_NETS_MOST]; /* that each net answers */
    int worse, better;       /* rows that the largest net alone, and that the cascade alone has right */
} snc_cascade_choice;

/* share: that may be lost, of all rows. SNC_E_NOMEM. */
snc_err snc_cascade_choose(snc_cascade_choice *out, const snc_cascade_rows *r, double share) SNC_MUST_USE;
/* Times [n] that a row takes with each net that reads it, behind those that are asked before it; NULL: it takes no part. */
void snc_cascade_steps(const double *us[SNC_NETS_MOST], const snc_cascade_rows *r, const snc_cascade *c);
/* The temperature of logits z [n, K] for these labels: four digits behind the point, 0.05 to 20. */
double snc_cascade_temperature(const float *z, const float *label, int n, int K);

#endif
