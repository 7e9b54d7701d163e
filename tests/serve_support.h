/* serve_support.h: a nano classifier as a file, for tests of the server. */
#ifndef SNC_TESTS_SERVE_SUPPORT_H
#define SNC_TESTS_SERVE_SUPPORT_H

#include <math.h>

#include "files.h"
#include "nano.h"
#include "serve/queue.h"
#include "snc_make.h"

/* INT8, so that answers do not depend on their company; with `bad` the longest text has no finite logits. */
static inline void serve_model(scratch *dir, const char *name, bool bad)
{
    static const char *const labels[] = {"negative", "positive \"so\""};
    snc_policy policy = snc_policy_uniform(SNC_I8, SNC_I8);
    snc_model *m = NULL;
    policy.classifier = SNC_F32;
    assert_ok(nano_model(&m, 3));
    assert_ok(nano_assets(&m->tokenizer));
    assert_ok(snc_model_set_labels(m, labels));
    const snc_param *positions = &m->params.p[snc_params_find(&m->params, "embeddings.position.weight")];
    if (bad) m->params.w[positions->offset + (size_t)positions->cols * (NANO_P - 1)] = NAN;
    if (bad) assert_ok(snc_model_save(m, scratch_path(dir, name)));
    else assert_ok(snc_make_file(scratch_path(dir, name), m, &policy));
    snc_model_free(m);
}

#endif
