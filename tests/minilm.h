/* tests/minilm.h: the shape of MiniLM (6 x 384), for programs that time it with random weights. */
#ifndef SNC_TESTS_MINILM_H
#define SNC_TESTS_MINILM_H

#include "models/arch.h"

static inline snc_encoder_config minilm_config(void)
{
    return (snc_encoder_config){.vocab = 30522,
                                .positions = 512,
                                .types = 2,
                                .hidden = 384,
                                .layers = 6,
                                .heads = 12,
                                .head_width = 32,
                                .ffn = 1536,
                                .classes = 2,
                                .act = SNC_ACT_GELU,
                                .norm_eps = 1e-12f};
}

#endif
