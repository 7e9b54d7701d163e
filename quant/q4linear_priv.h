/* quant/q4linear_priv.h: expanding packed INT4 blocks into the INT8 blocks of a kernel. */
#ifndef SNC_QUANT_Q4LINEAR_PRIV_H
#define SNC_QUANT_Q4LINEAR_PRIV_H

#include "quant/int4.h"
#include "quant/qlinear_priv.h"

enum {
    SNC_Q4LINES = SNC_QTILE / 64,               /* lines of 64 bytes in an INT8 block */
    SNC_Q4GROUPS = SNC_QBLOCK / SNC_INT4_GROUP, /* groups of inputs in a block */
    SNC_Q4NIBBLES = SNC_QTILE / 2,
    SNC_Q4TILE = SNC_Q4NIBBLES + SNC_Q4GROUPS * SNC_QPANEL,
    SNC_Q4PANELS = 4 /* panels whose blocks lie beside each other */
};

/* `count` consecutive blocks, each to its own place: to + i * step. */
typedef void (*snc_q4expand_fn)(int8_t *to, size_t step, const uint8_t *from, int count);

/* The expansion for a kernel's order inside a block. */
snc_q4expand_fn snc_q4expand__get(const snc_qkernel *kernel);

#if defined(__x86_64__)
/* Up to 32 rows by the four panels at `wq`, j->n of their outputs; expansion and tile products take turns, so that the
 * weights stream while the tiles multiply. */
void snc_q4amx__run(const snc_qjob *j, const uint8_t *wq, int T);
#elif defined(__aarch64__)
void snc_q4expand__pairs_neon(int8_t *to, size_t step, const uint8_t *from, int count);
void snc_q4expand__quads_neon(int8_t *to, size_t step, const uint8_t *from, int count);
void snc_q4expand__octets_neon(int8_t *to, size_t step, const uint8_t *from, int count);
#endif

#endif
