/* quant/q4linear_priv.h: the kernels over INT4 blocks. */
#ifndef SNC_QUANT_Q4LINEAR_PRIV_H
#define SNC_QUANT_Q4LINEAR_PRIV_H

#include "quant/qlinear_priv.h"

/* The expansion for an INT8 kernel's order inside a block. */
snc_q4expand_fn snc_q4expand__get(const snc_qkernel *wide);
/* The INT4 kernel of the instruction set of `wide`. */
snc_qkernel snc_q4kernel__of(const snc_qkernel *wide);

/* snc_qkernel.run by way of j->expanded and j->wide: any number of rows. */
void snc_q4kernel__expanding(const snc_qjob *j, int t0, int t1, int p0, int p1);
#if defined(__x86_64__)
void snc_q4kernel__amx(const snc_qjob *j, int t0, int t1, int p0, int p1);
void snc_q4kernel__vnni(const snc_qjob *j, int t0, int t1, int p0, int p1);
#elif defined(__aarch64__)
void snc_q4expand__pairs_neon(int8_t *to, size_t step, const uint8_t *from, int count);
void snc_q4expand__quads_neon(int8_t *to, size_t step, const uint8_t *from, int count);
void snc_q4expand__octets_neon(int8_t *to, size_t step, const uint8_t *from, int count);
#endif

#endif
