/* Mean squared error to the teacher's hidden states, over the net's first channels: embedding with embedding, the last with the last, and
 * of l kept layers the i-th with one of the teacher's L by a map (`hidden_map`):
 *
 *   source    the layer that it was (a kept layer starts as that one: nothing to learn in the teacher itself)
 *   uniform   i L / l, rounded down: TinyBERT's (Jiao et al. 2020, arXiv 1909.10351) and AutoDistil's
 *   top       L - l + i: the last of them, PKD-Last (Sun et al. 2019, arXiv 1908.09355)
 *   last      of the last layer alone
 *
 * The mean over the states that are compared; those between the last layer with heads and the last have first tokens alone, which the
 * teacher's have not, and count as 0. Others learn a matrix between widths, or compare vectors of length 1: here channels are the teacher's
 * in its own order, so that there is nothing to map. Off by default. */
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

static const char *const maps[] = {"source", "uniform", "top", "last"};

const char *snc_hidden_map_name(int i) { return i >= 0 && i <= SNC_HIDDEN_LAST ? maps[i] : NULL; }

/* Which of the teacher's goes with the student's state i; -1: none. */
static int teacher_state(const snc_objective_net *n, int i)
{
    const int l = n->arch->layers, L = n->teacher_arch->layers;
    if (i == l) return L;
    switch (n->o->hidden_map) {
    case SNC_HIDDEN_LAST: return -1;
    case SNC_HIDDEN_UNIFORM: return i * L / l;
    case SNC_HIDDEN_TOP: return i == 0 ? 0 : L - l + i;
    default: return i == 0 ? 0 : n->arch->source[i - 1] + 1;
    }
}

static double loss(snc_objective_net *n, double scale)
{
    const int layers = n->arch->layers, width = n->arch->hidden, states = n->o->hidden_map == SNC_HIDDEN_LAST ? 1 : layers + 1;
    double sum = 0;
    for (int i = 0; i <= layers; i++) {
        const int of = teacher_state(n, i), T = snc_engine_hidden_rows(n->student, i);
        if (of < 0 || T != snc_engine_hidden_rows(n->teacher, of)) continue; /* of first tokens alone, and of all */
        const double part = T == n->x->T ? n->of_tokens : n->of_texts;
        sum += part * snc_loss_hidden(snc_objective_dhidden(n, i), snc_engine_hidden_view(n->student, i), width,
                                      snc_engine_hidden_view(n->teacher, of), n->teacher_arch->hidden, T, width, scale * part / states);
    }
    return sum / states;
}

const snc_objective snc_objective_hidden = {
    .name = "hidden states", .key = "hidden_weight", .reads = SNC_READS_HIDDEN, .weight = weight, .loss = loss, .check = check};
