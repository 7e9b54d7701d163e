/* The list of objectives, and the walk over it. */
#include "train/objective.h"

#include <assert.h>
#include <string.h>

/* A new objective is a file that defines snc_objective_NAME, and its NAME here. The order is that of the sums. */
/* clang-format off */
#define OBJECTIVES(X) \
    X(hard) \
    X(soft) \
    X(hidden) \
    X(relation)
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

bool snc_objectives_read_hidden(const snc_objective *const *list, const struct snc_train_opts *o)
{
    for (; *list; list++)
        if ((*list)->hidden_states && in_use(*list, o)) return true;
    return false;
}

bool snc_objectives_read_attention(const snc_objective *const *list, const struct snc_train_opts *o)
{
    for (; *list; list++)
        if ((*list)->attention && in_use(*list, o)) return true;
    return false;
}

double snc_objectives_loss(const snc_objective *const *list, snc_objective_net *n, double scale)
{
    double loss = 0;
    for (; *list; list++) {
        double weight = (*list)->weight(n->o, n->soft != NULL);
        if (weight > 0) loss += weight * (*list)->loss(n, weight * scale);
    }
    return loss;
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
