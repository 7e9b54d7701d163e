/* quant/qpending_amx.h: an epilogue that runs a few rows at a time between the tile steps of the block after it, for the kernels
 * that inline it: the tile unit and the vector units work side by side. */
#ifndef SNC_QUANT_QPENDING_AMX_H
#define SNC_QUANT_QPENDING_AMX_H

#include "quant/qlinear_priv.h"

#define SNC_TAMX       __attribute__((target("amx-tile,amx-int8,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl")))
#define SNC_AMX_INLINE static inline SNC_TAMX __attribute__((always_inline))

/* Sums that wait for their epilogue, `step` rows at a time. */
typedef struct pending {
    const int32_t *s;
    int lds, t, rows, p, np, step;
} pending;

/* Between two tile steps. */
SNC_AMX_INLINE void advance(const snc_qjob *j, pending *w)
{
    if (w->rows <= 0) return;
    int n = w->rows < w->step ? w->rows : w->step;
    snc_qjob__finish(j, w->s, w->lds, w->t, n, w->p, w->np);
    w->s += n * w->lds;
    w->t += n;
    w->rows -= n;
}

SNC_AMX_INLINE void drain(const snc_qjob *j, pending *w)
{
    if (w->rows > 0) snc_qjob__finish(j, w->s, w->lds, w->t, w->rows, w->p, w->np);
    w->rows = 0;
}

/* The sums s [rows, 16 np] are next; `steps` tile steps follow. */
SNC_AMX_INLINE void await(const snc_qjob *j, pending *w, const int32_t *s, int t, int rows, int p, int np, int steps)
{
    drain(j, w);
    *w = (pending){s, np * SNC_QPANEL, t, rows, p, np, ((rows + steps - 1) / steps + 1) / 2 * 2};
}

#endif
