/* tests/golden.h: the nano BERT of tests/ref/bert_golden.py, whose logits and gradients PyTorch computed in float64. */
#ifndef SNC_TESTS_GOLDEN_H
#define SNC_TESTS_GOLDEN_H

#include <stdio.h>
#include <string.h>

#include "core/safetensors.h"
#include "models/model.h"

enum { LAYERS = 2, CLASSES = 3 };

static inline const snc_tensor *golden_tensor(const snc_st *f, const char *a, const char *b, const char *c)
{
    char name[300];
    snprintf(name, sizeof name, "%s%s%s", a, b, c);
    const snc_tensor *t = snc_st_find(f, name);
    if (!t) fail_msg("golden: no tensor %s", name);
    return t;
}

static inline snc_model *golden_model(const snc_st *f, snc_act act)
{
    snc_encoder_config c = {.vocab = 50,
                            .positions = 20,
                            .types = 2,
                            .hidden = 24,
                            .layers = LAYERS,
                            .heads = 3,
                            .head_width = 8,
                            .ffn = 40,
                            .classes = CLASSES,
                            .act = act,
                            .norm_eps = 1e-12f};
    snc_arch arch = snc_arch_full(&c);
    snc_model *m;
    assert_int_equal(snc_model_new(&m, &c, &arch), SNC_OK);
    for (int i = 0; i < m->params.n; i++) {
        const snc_tensor *t = golden_tensor(f, "w.", m->params.p[i].name, "");
        assert_int_equal(t->bytes / 4, (size_t)m->params.p[i].rows * (size_t)m->params.p[i].cols);
        memcpy(snc_params_w(&m->params, i), t->data, t->bytes);
    }
    return m;
}

#endif
