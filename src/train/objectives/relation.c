/* Relations of the last layer with heads: of queries to keys, which is attention, of keys to keys and of values to values, each as the
 * KL to the teacher's, its mean over heads and tokens that ask, times a weight of its own (`relations`). {"qk":1,"vv":1} is MiniLM's
 * (Wang et al. 2020, arXiv 2002.10957); MiniLMv2 (2021, arXiv 2012.15828) and AutoDistil (Xu et al. 2022, arXiv 2201.12507) relate
 * queries, keys and values each to themselves. As everywhere in that layer only the first token of a sequence asks by its query: of
 * queries to queries there is nothing, and "kk" and "vv" are what is left of those two; every token asks by its key and its value. A
 * net's heads are the first of the teacher's: their relations are compared one by one, where MiniLMv2 and AutoDistil cut both sides anew
 * into as many relation heads. KL as MiniLM takes it, where AutoDistil has the mean squared difference. Off by default. */
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

static const char *const relates[] = {"qk", "kk", "vv"};

const char *snc_relate_name(int i) { return i >= 0 && i < SNC_RELATES ? relates[i] : NULL; }

static snc_err check(const snc_train_opts *o, const snc_model *m, const snc_model *teacher)
{
    SNC_CHECK(teacher, SNC_E_ARG, "relation weight %g: relations need a teacher", o->relation_weight);
    SNC_CHECK(snc_reads_first(&m->cfg) && snc_reads_first(&teacher->cfg), SNC_E_UNSUPPORTED,
              "relation weight %g: relations are of first tokens, and the model reads all", o->relation_weight);
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
                 row = (size_t)first * lds + at, trow = (size_t)first * ldt + at;
    double sum = 0;
    for (int i = 0; i < SNC_RELATES; i++) {
        const bool queries = i == SNC_RELATE_QK;
        const double share = j->n->o->relations[i] / j->s.heads / (queries ? j->n->x->B / j->n->of_texts : j->n->x->T / j->n->of_tokens);
        const float *of = i == SNC_RELATE_VV ? j->s.v : j->s.k, *teachers = i == SNC_RELATE_VV ? j->t.v : j->t.k;
        const size_t ask = queries ? (size_t)b * lds + at : row, task = queries ? (size_t)b * ldt + at : trow;
        const snc_relation r = {.a = (queries ? j->s.q : of) + ask,
                                .b = of + row,
                                .t = (queries ? j->t.q : teachers) + task,
                                .u = teachers + trow,
                                .da = d[queries ? 0 : i] + ask,
                                .db = d[queries ? 1 : i] + row,
                                .lda = (int)lds,
                                .ldt = (int)ldt,
                                .m = queries ? 1 : len,
                                .n = len,
                                .width = width};
        if (share > 0) sum += share * snc_loss_relation(&r, scratch, share * j->scale);
    }
    return sum;
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

const snc_objective snc_objective_relation = {
    .name = "relations", .key = "relation_weight", .reads = SNC_READS_ATTENTION, .weight = weight, .loss = loss, .check = check};
