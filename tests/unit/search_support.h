/* The space of a small or larger BERT shape, for tests of searches. */
#ifndef SNC_TESTS_SEARCH_SUPPORT_H
#define SNC_TESTS_SEARCH_SUPPORT_H

#include "models/space.h"

/* path: a space file, or NULL for what the shape implies. */
static inline snc_space *space_of_shape(const snc_encoder_config *c, const char *path)
{
    snc_arch full = snc_arch_full(c);
    snc_space_opts o = {.path = path, .depth_rule = "even", .fp = SNC_F32};
    snc_space *s = NULL;
    assert_int_equal(snc_space_new(&s, c, &full, &o), SNC_OK);
    return s;
}

#endif
