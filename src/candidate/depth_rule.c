/* Each rule's nets are scored before any training; how many rows and depths is a matter of work, not of time. */
#include "candidate/depth_rule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "candidate/evaluator.h"
#include "models/cost.h"
#include "models/elastic.h"
#include "train/evaluate.h"

enum { RULES = 3, RULE_ROWS = 128 };
static const double RULE_MACS = 4e12; /* of all forward passes that choose a rule for depth */

/* Mean KL to the teacher on the rows of d when the net keeps `depth` layers by the rule, before any training. */
static snc_err rule_loss(double *loss, const snc_ctx *ctx, snc_model *m, const snc_dataset *d, snc_compute compute, const float *teacher,
                         const char *rule, int depth)
{
    snc_arch arch = m->arch;
    float *z = NULL;
    arch.layers = depth;
    SNC_TRY(snc_elastic_keep(arch.source, rule, depth, m->arch.layers));
    SNC_TRY(snc_alloc(&z, snc_dataset_logits(d, m->cfg.classes), sizeof *z));
    snc_err err = snc_train_eval_model(z, ctx, m, &arch, compute, d, SNC_RULE_BATCH, NULL);
    if (!err) *loss = snc_loss_to_teacher(z, teacher, (int)snc_dataset_answers(d), m->cfg.classes, snc_meaning_of(&m->cfg));
    snc_free(z);
    return err;
}

/* Every depth of a small model, three of a large one. */
static int depth_stride(int layers) { return layers > 8 ? (layers + 4) / 6 : 1; }

/* Full nets' worth of a rule's loss, by which rows are counted. */
static double rule_passes(int layers)
{
    double sum = layers;
    for (int d = (layers + 1) / 2; d < layers; d += depth_stride(layers)) sum += RULES * d;
    return sum / layers;
}

int snc_depth_rule_rows(const snc_model *m, const snc_dataset *select)
{
    double row =
        (double)select->start[select->n] / select->n * (double)snc_cost_encoder_macs(&m->cfg, &m->arch, 1) * rule_passes(m->arch.layers);
    return (int)fmin(select->n, fmax(RULE_MACS / row, RULE_ROWS));
}

double snc_depth_rule_tokens(const snc_model *m, const snc_dataset *select)
{
    return (double)select->start[select->n] / select->n * snc_depth_rule_rows(m, select) * rule_passes(m->arch.layers);
}

snc_err snc_depth_rule_find(char rule[8], const snc_ctx *ctx, snc_model *m, const snc_inputs *in, snc_compute compute, const char *wanted)
{
    static const char *const rules[RULES] = {"even", "first", "last"};
    const int L = m->arch.layers, least = (L + 1) / 2, stride = depth_stride(L), all = RULES * ((L - least + stride - 1) / stride);
    int nets = 0;
    float *teacher = NULL;
    double best = 0;
    snc_err err = SNC_OK;
    if (wanted && strcmp(wanted, "auto") != 0) {
        int kept[SNC_MAX_LAYERS];
        SNC_TRY(snc_elastic_keep(kept, wanted, 1, m->arch.layers)); /* is it a rule? */
        snprintf(rule, 8, "%s", wanted);
        return SNC_OK;
    }
    snprintf(rule, 8, "%s", rules[0]);
    if (!in->splits.select || L < 2) return SNC_OK;
    snc_dataset d = *in->splits.select;
    d.n = snc_depth_rule_rows(m, &d);
    SNC_GOTO(snc_alloc(&teacher, snc_dataset_logits(&d, m->cfg.classes), sizeof *teacher));
    snc_progress(ctx, "depth rule", 0, all, "%s", "");
    SNC_GOTO(snc_train_eval_model(teacher, ctx, m, &m->arch, compute, &d, SNC_RULE_BATCH, NULL));
    for (int i = 0; i < RULES; i++) {
        double sum = 0, one = 0;
        for (int depth = least; depth < L; depth += stride) {
            SNC_GOTO(rule_loss(&one, ctx, m, &d, compute, teacher, rules[i], depth));
            snc_progress(ctx, "depth rule", ++nets, all, "%s", rules[i]);
            sum += one;
        }
        snc_log(ctx, SNC_LOG_INFO, "depth rule %s: loss %.4f on select, summed over depths, untrained", rules[i], sum);
        if (i > 0 && sum >= best) continue;
        best = sum;
        snprintf(rule, 8, "%s", rules[i]);
    }
out:
    snc_free(teacher);
    return err;
}
