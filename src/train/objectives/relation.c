/* Relations of the last layer with heads, MiniLM's and MiniLMv2's (Wang et al. 2020, arXiv 2002.10957; 2021, arXiv 2012.15828): of queries
 * to keys, which is attention, and of values to values; each as the KL to the teacher's, its mean over heads and tokens that ask. As
 * everywhere in that layer only the first token of a sequence asks by its query; every token asks by its value. A net's heads are the
 * first of the teacher's: their relations are compared one by one, where MiniLMv2 cuts both sides anew into as many relation heads. */
#include <string.h>

#include "base/par.h"
#include "train/objective.h"
#include "train/trainer.h"

enum { GRAIN = 4 };

static double weight(const snc_train_opts *o, bool soft)
{
    (void)soft;
    return o->relation_weight;
}

static snc_err check(const snc_train_opts *o, const snc_model *m, const snc_model *teacher)
{
    SNC_CHECK(teacher, SNC_E_ARG, "relation weight %g: relations need a teacher", o->relation_weight);
    SNC_CHECK(!m->cfg.mean && !teacher->cfg.mean, SNC_E_UNSUPPORTED,
              "relation weight %g: relations are of first tokens, and the model pools the mean of all", o->relation_weight);
    SNC_CHECK(teacher->arch.layers == m->arch.layers && teacher->cfg.head_width == m->cfg.head_width, SNC_E_SHAPE,
              "relations: the teacher has %d layers and heads of width %d, the model %d and %d", teacher->arch.layers,
              teacher->cfg.head_width, m->arch.layers, m->cfg.head_width);
    return SNC_OK;
}

typedef struct job {
    const snc_objective_net *n;
    snc_engine_attention s, t;
    double scale;
} job;

/* One head of one sequence: what it adds to the loss. */
static double relate(const job *j, int b, int head, double *scratch)
{
    float *const *d = j->n->attention->d;
    const int first = j->n->x->offsets[b], len = j->n->x->offsets[b + 1] - first, width = j->s.width;
    const size_t lds = (size_t)j->s.heads * (size_t)width, ldt = (size_t)j->t.heads * (size_t)width, at = (size_t)head * (size_t)width,
                 ask = (size_t)b * lds + at, row = (size_t)first * lds + at, trow = (size_t)first * ldt + at;
    const double of_sequence = 1.0 / j->s.heads / j->n->x->B, of_token = 1.0 / j->s.heads / j->n->x->T;
    const snc_relation qk = {.a = j->s.q + ask,
                             .b = j->s.k + row,
                             .t = j->t.q + (size_t)b * ldt + at,
                             .u = j->t.k + trow,
                             .da = d[0] + ask,
                             .db = d[1] + row,
                             .lda = (int)lds,
                             .ldt = (int)ldt,
                             .m = 1,
                             .n = len,
                             .width = width};
    snc_relation vv = qk;
    vv.a = vv.b = j->s.v + row;
    vv.t = vv.u = j->t.v + trow;
    vv.da = vv.db = d[2] + row;
    vv.m = len;
    return of_sequence * snc_loss_relation(&qk, scratch, of_sequence * j->scale) +
           of_token * snc_loss_relation(&vv, scratch, of_token * j->scale);
}

static void relate_all(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk;
    const job *j = payload;
    const snc_objective_attention *a = j->n->attention;
    for (int64_t i = begin; i < end; i++)
        a->sums[i] = relate(j, (int)(i / j->s.heads), (int)(i % j->s.heads), a->scratch + (size_t)worker * 2 * (size_t)a->longest);
}

static double loss(snc_objective_net *n, double scale)
{
    job j = {.n = n, .s = snc_engine_attention_view(n->student), .t = snc_engine_attention_view(n->teacher), .scale = scale};
    const size_t attn = (size_t)j.s.heads * (size_t)j.s.width, sizes[] = {(size_t)n->x->B, (size_t)n->x->T, (size_t)n->x->T};
    const int64_t all = (int64_t)n->x->B * j.s.heads;
    double sum = 0;
    if (j.s.heads == 0 || j.s.heads > j.t.heads) return 0; /* a net without heads has no relations */
    for (int i = 0; i < 3; i++) memset(n->attention->d[i], 0, sizes[i] * attn * sizeof(float));
    snc_par_for(n->ctx, all, GRAIN, relate_all, &j);
    for (int64_t i = 0; i < all; i++) sum += n->attention->sums[i];
    n->attention->asked = true;
    return sum;
}

const snc_objective snc_objective_relation = {.name = "relations", .attention = true, .weight = weight, .loss = loss, .check = check};
