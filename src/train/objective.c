/* The list of objectives, and the walk over it. */
#include "train/objective.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A new objective is a file that defines snc_objective_NAME, and its NAME here. The order is that of the sums. */
/* clang-format off */
#define OBJECTIVES(X) \
    X(hard) \
    X(soft) \
    X(hidden) \
    X(relation) \
    X(consistency) \
    X(momentum) \
    X(group)
/* clang-format on */

#define DECLARE(name) extern const snc_objective snc_objective_##name;
#define ROW(name)     &snc_objective_##name,
OBJECTIVES(DECLARE)
const snc_objective *const snc_objectives[] = {OBJECTIVES(ROW) NULL};

/* Whether it has a share in any net's loss. */
static bool in_use(const snc_objective *f, const struct snc_train_opts *o) { return f->weight(o, false) > 0 || f->weight(o, true) > 0; }

snc_err snc_objectives_check(const snc_objective *const *list, const struct snc_train_opts *o, const snc_model *m, const snc_model *teacher)
{
    for (; *list; list++)
        if ((*list)->check && in_use(*list, o)) SNC_TRY((*list)->check(o, m, teacher));
    return SNC_OK;
}

unsigned snc_objectives_reads(const snc_objective *const *list, const struct snc_train_opts *o)
{
    unsigned reads = 0;
    for (; *list; list++)
        if (in_use(*list, o)) reads |= (*list)->reads;
    return reads;
}

/* Of the whole batch's loss. 0: no share, or no answer. */
static double share(const snc_objective *f, const snc_objective_net *n)
{
    const double weight = f->loss ? f->weight(n->o, n->soft != NULL) : 0;
    return f->reads & (SNC_READS_HIDDEN | SNC_READS_ATTENTION) ? weight : weight * n->of_answers;
}

double snc_objectives_loss(const snc_objective *const *list, snc_objective_net *n, double scale)
{
    double loss = 0;
    for (; *list; list++) {
        const double weight = share(*list, n);
        if (weight > 0) loss += weight * (*list)->loss(n, weight * scale);
    }
    return loss;
}

double snc_objectives_of_weights(bool *any, const char **broken, const snc_objective *const *list, const struct snc_train_opts *o,
                                 const snc_ctx *ctx, snc_model *m)
{
    double sum = 0;
    *any = false;
    *broken = NULL;
    for (; *list; list++) {
        const double weight = (*list)->of_weights ? (*list)->weight(o, false) : 0,
                     loss = weight > 0 ? (*list)->of_weights(ctx, m, weight) : 0;
        *any = *any || weight > 0;
        if (!isfinite(loss)) *broken = (*list)->name;
        sum += weight * loss;
    }
    return sum;
}

void snc_objectives_broken(char *out, size_t size, const snc_objective *const *list, snc_objective_net *n)
{
    const char *between = " of ";
    snprintf(out, size, "the loss");
    for (; *list; list++) {
        const double weight = share(*list, n);
        const size_t at = strlen(out);
        if (!(weight > 0) || isfinite(weight * (*list)->loss(n, 0))) continue;
        snprintf(out + at, size - at, "%s'%s'", between, (*list)->name);
        between = ", ";
    }
}

float *snc_objective_dhidden(snc_objective_net *n, int i)
{
    assert(n->block && i >= 0 && i <= n->arch->layers);
    size_t size = (size_t)n->x->T * (size_t)n->arch->hidden;
    float *d = n->block + (size_t)i * size;
    if (!n->dhidden[i]) memset(d, 0, size * sizeof *d);
    n->dhidden[i] = d;
    return d;
}
