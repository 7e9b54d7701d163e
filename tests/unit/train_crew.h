/* A run of training on several ranks, which are threads: rank 0 starts it, the others are called to it. */
#ifndef SNC_TESTS_TRAIN_CREW_H
#define SNC_TESTS_TRAIN_CREW_H

#include "toy_ranks.h"
#include "train/importance.h"
#include "train/sweep.h"
#include "train/together.h"
#include "unit/train_toy.h"

typedef struct job job;
struct job {
    snc_model *m, *teacher;
    const snc_dataset *d;
    const snc_space *space;
    const snc_train_opts *o;
    const snc_ctx *ctx; /* of rank 0; NULL: the tests' own */
    bool half;
    snc_train_result r;
    snc_err err, others; /* of rank 0; of any other */
    size_t bytes;        /* of all messages */
    char text[SNC_ERR_TEXT];
    void (*what)(job *j, const snc_ctx *own); /* of rank 0; NULL: a run of training */
    void *user;
};

static inline void crew_train(job *j, const snc_ctx *own)
{
    j->err = snc_train_run(&j->r, own, j->m, j->teacher, j->d, j->space, j->o);
    if (j->err) snprintf(j->text, sizeof j->text, "%s", snc_err_text());
}

static inline void crew_work(snc_comm *c, void *user)
{
    static const snc_duty *const duties[] = {&snc_duty_train, &snc_duty_sweep, &snc_duty_importance};
    job *j = user;
    snc_ctx own = j->ctx && c->rank == 0 ? *j->ctx : ctx;
    own.comm = c->size > 1 ? c : NULL;
    c->half = j->half;
    if (c->rank > 0) {
        snc_err err = snc_duty_attend(&own, duties, sizeof duties / sizeof *duties);
        if (err) j->others = err;
        return;
    }
    (j->what ? j->what : crew_train)(j, &own);
    if (snc_duty_dismiss(c) != SNC_OK) j->others = SNC_E_IO;
}

/* The error of rank 0; no other has one, whatever the run ends in. */
static inline snc_err run_on(int ranks, job *j)
{
    toy_ranks_bytes(&j->bytes, ranks, crew_work, j);
    assert_int_equal(j->others, SNC_OK);
    return j->err;
}

#endif
