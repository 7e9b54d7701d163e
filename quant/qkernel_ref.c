/* One dot product after the other, in the canonical order of the header's drawing. */
#include "quant/qlinear_priv.h"

static void run_ref(const snc_qjob *j, int t0, int t1, int p0, int p1)
{
    for (int t = t0; t < t1; t++)
        for (int p = p0; p < p1; p++) {
            int32_t s[SNC_QPANEL] = {0};
            for (int kb = 0; kb < j->kb; kb++) {
                const int8_t *w = j->wq + (size_t)p * j->panel + (size_t)kb * SNC_QTILE;
                const int8_t *x = j->xq + (size_t)t * (size_t)j->ldq + (size_t)kb * SNC_QBLOCK;
                for (int i = 0; i < SNC_QPANEL; i++)
                    for (int k = 0; k < SNC_QBLOCK; k++) s[i] += (int32_t)x[k] * w[i * SNC_QBLOCK + k];
            }
            snc_qjob__finish(j, s, SNC_QPANEL, t, 1, p, 1);
        }
}

const snc_qkernel snc_qkernel__ref = {.isa = SNC_ISA_SCALAR, .group = SNC_QBLOCK, .rows = 64, .blocks_us = 2, .run = run_ref};
