/* Mean squared error to the teacher's hidden states, over the net's first channels: embedding with embedding, a kept layer with its
 * source, the last with the last. The mean over states; those between the last layer with heads and the last have first tokens alone, which
 * the teacher's have not, and count as 0. */
#include "train/objective.h"
#include "train/trainer.h"

static double weight(const snc_train_opts *o, bool soft)
{
    (void)soft;
    return o->hidden_weight;
}

static snc_err check(const snc_train_opts *o, const snc_model *m, const snc_model *teacher)
{
    SNC_CHECK(teacher, SNC_E_ARG, "hidden weight %g: hidden states need a teacher", o->hidden_weight);
    SNC_CHECK(teacher->arch.layers == m->arch.layers && teacher->arch.hidden >= m->arch.hidden, SNC_E_SHAPE,
              "hidden states: the teacher has %d layers of width %d, the model %d of %d", teacher->arch.layers, teacher->arch.hidden,
              m->arch.layers, m->arch.hidden);
    return SNC_OK;
}

/* Which of the teacher's goes with the student's state i. */
static int teacher_state(const snc_objective_net *n, int i)
{
    if (i == 0) return 0;
    return i == n->arch->layers ? n->teacher_arch->layers : n->arch->source[i - 1] + 1;
}

static double loss(snc_objective_net *n, double scale)
{
    int layers = n->arch->layers, width = n->arch->hidden;
    double sum = 0;
    for (int i = 0; i <= layers; i++) {
        int T = i == layers ? n->x->B : n->x->T; /* the last layer has first tokens alone */
        if (i < layers && i > snc_arch_last_heads(n->arch)) continue;
        sum += snc_loss_hidden(snc_objective_dhidden(n, i), snc_engine_hidden_view(n->student, i), width,
                               snc_engine_hidden_view(n->teacher, teacher_state(n, i)), n->teacher_arch->hidden, T, width,
                               scale / (layers + 1));
    }
    return sum / (layers + 1);
}

const snc_objective snc_objective_hidden = {.name = "hidden states", .hidden_states = true, .weight = weight, .loss = loss, .check = check};
