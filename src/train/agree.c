/* Said before a step is made: a training loop indexes by what it is given. */
#include "train/agree.h"

#include <math.h>

static snc_err check_teacher(const snc_model *m, const snc_model *teacher, const snc_train_opts *o)
{
    if (!teacher) {
        SNC_CHECK(!o->teacher_logits || !o->checkpoint, SNC_E_ARG, "a checkpoint would not know whose the teacher's logits are");
        return SNC_OK;
    }
    SNC_CHECK(teacher->cfg.classes == m->cfg.classes && snc_meaning_of(&teacher->cfg) == snc_meaning_of(&m->cfg), SNC_E_SHAPE,
              "the teacher has %d classes, the model %d", teacher->cfg.classes, m->cfg.classes);
    return SNC_OK;
}

static snc_err check_data(const snc_dataset *d, const snc_model *m)
{
    SNC_CHECK(d->n >= 1, SNC_E_ARG, "no rows to train on");
    int V = m->cfg.vocab, P = snc_family_length(&m->cfg), types = m->cfg.types;
    SNC_CHECK(d->max_len <= P, SNC_E_SHAPE, "a row of %d tokens: the model has %d positions", d->max_len, P);
    for (int64_t i = 0; i < d->start[d->n]; i++)
        SNC_CHECK(d->ids[i] >= 0 && d->ids[i] < V && d->types[i] >= 0 && (d->types[i] < types || types == 0), SNC_E_SHAPE,
                  "token id %d, type %d: the model has %d words and %d types", (int)d->ids[i], (int)d->types[i], V, types);
    SNC_CHECK(!m->cfg.multilabel == !d->sets && (!d->sets || d->sets->K == m->cfg.classes), SNC_E_SHAPE,
              "rows of %d labels, the model has %d%s", d->sets ? d->sets->K : 1, m->cfg.classes, m->cfg.multilabel ? "" : " classes");
    SNC_CHECK(m->cfg.tags == (d->answers != NULL), SNC_E_SHAPE, "rows whose answers are %s, the model's are %s",
              d->answers ? "of words" : "one each", m->cfg.tags ? "of words" : "one each");
    for (int i = 0; i < snc_dataset_answers(d) && !m->cfg.regression && !m->cfg.vector; i++)
        SNC_CHECK(isnan((double)d->target[i]) || (d->target[i] >= 0 && d->target[i] < (float)(d->sets ? d->sets->n : m->cfg.classes)),
                  SNC_E_SHAPE, "row %d: class %g, the model has %d classes", i, (double)d->target[i], m->cfg.classes);
    return SNC_OK;
}

snc_err snc_train_agree(const snc_model *m, const snc_model *teacher, const snc_dataset *d, const snc_train_opts *o)
{
    SNC_TRY(check_teacher(m, teacher, o));
    return check_data(d, m);
}
