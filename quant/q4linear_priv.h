/* quant/q4linear_priv.h: expanding packed INT4 blocks into the INT8 blocks of a kernel. */
#ifndef SNC_QUANT_Q4LINEAR_PRIV_H
#define SNC_QUANT_Q4LINEAR_PRIV_H

#include "quant/int4.h"
#include "quant/qlinear_priv.h"

enum {
    SNC_Q4LINES = SNC_QTILE / 64,                   /* lines of 64 bytes in an INT8 block */
    SNC_Q4GROUPS = SNC_QBLOCK / SNC_INT4_GROUP,     /* groups of inputs in a block */
    SNC_Q4NIBBLES = SNC_QTILE / 2,
    SNC_Q4TILE = SNC_Q4NIBBLES + SNC_Q4GROUPS * SNC_QPANEL
};

/* to [blocks * 1024] from [blocks * 576]. */
typedef void (*snc_q4expand_fn)(int8_t *to, const uint8_t *from, int blocks);

/* The expansion for a kernel's order inside a block. */
snc_q4expand_fn snc_q4expand__get(const snc_qkernel *kernel);

#endif
