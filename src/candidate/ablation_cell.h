/* candidate/ablation_cell.h: one cell of an ablation: a supernet by a variant's recipe, and what its nets are worth on select.
 *
 * The ground is what all variants of one task and seed stand on: rows, teacher, the layers that shallower nets keep, the fixed nets,
 * the rows and answers that repair learns from. A cell is an object:
 *
 *   {"steps":63,"seconds":4.1,"memory_mb":812,"loss":0.31,"largest":[KL, score],"smallest":[KL, score],
 *    "nets":[{"share":0.25,"macs":...,"kl":0.1,"score":0.9,"kl_repaired":null,"score_repaired":null},...],"tau":0.6}
 *
 * KL is to the teacher, score the task's; both by the training engine in its arithmetic, on select. A fixed net is, of TRIES random ones
 * of the space, the one nearest to its share of the largest net's multiply-adds; the draws depend on its number alone. tau is Kendall's
 * tau-b between the KL of nets of one latency inside the supernet and that of the same nets distilled alone, as repair does it, from the
 * teacher's weights: nothing of the supernet is in these, so they serve all variants (the band, an object that the caller keeps).
 */
#ifndef SNC_CANDIDATE_ABLATION_CELL_H
#define SNC_CANDIDATE_ABLATION_CELL_H

#include "artifact/distillation.h"
#include "candidate/ablation.h"
#include "models/space.h"

typedef struct snc_ablation_ground {
    const snc_ctx *ctx; /* whose seed is the cell's */
    const snc_ablation *a;
    const snc_options *o; /* of what all share */
    const snc_inputs *in;
    const char *teacher; /* path */
    const char *logits;  /* where what it says of the rows that supernets learn is kept, for the next variant that learns the same */
    snc_compute compute;
    snc_model *ordered; /* the teacher, units by importance */
    float *answers;     /* its logits on select */
    double threshold;
    char rule[8];
    snc_space *space;
    snc_arch net[SNC_ABLATION_NETS], band[SNC_ABLATION_NETS];
    double share[SNC_ABLATION_NETS], alone[SNC_ABLATION_NETS]; /* alone: KL of the band's */
    int banded;
    snc_distillation_set refit; /* train, made rows, the teacher's logits; filled where something is repaired */
} snc_ablation_ground;

/* out: ctx, a, o, in, teacher and logits are filled in, the rest zero. */
snc_err snc_ablation_ground_open(snc_ablation_ground *out) SNC_MUST_USE;
void snc_ablation_ground_close(snc_ablation_ground *g);
/* The nets of one latency by the table at `table`, and what they are worth alone: from the band, or made and put there. Of 2,000 random
 * nets, those within 5 % under the latency that is nearest to the one asked for and has so many. Fewer than three give no tau, with a
 * warning. work: the workload's threads. */
snc_err snc_ablation_band(snc_ablation_ground *g, cJSON *band, const snc_ctx *work, const char *table) SNC_MUST_USE;
/* o: the variant's. steps or seconds: what its training is given, 0: as its recipe says. steps_asked goes into the cell before the
 * work, the rest after it. SNC_E_DIVERGED: so did training, or a net says nothing finite. */
snc_err snc_ablation_cell(cJSON *cell, snc_ablation_ground *g, const snc_options *o, double steps, double seconds) SNC_MUST_USE;

#endif
