/* core/glu.h: gated neurons: a = act(u) g, whose u and g lie beside each other, so that a prefix of neurons is one of rows and columns.
 *
 *   h [rows, 2n]   u0 g0 u1 g1 ...      a [rows, n]
 */
#ifndef SNC_CORE_GLU_H
#define SNC_CORE_GLU_H

#include "core/ops.h"

/* d [rows, 2n], or NULL: what the gradient of a is times to be that of each u and g; d may be h. */
void snc_glu_forward(float *a, float *d, snc_ops *o, const float *h, int rows, int n, snc_ops_act act);
/* dh [rows, 2n] of da [rows, n]; dbias [2n] += column sums. */
void snc_glu_backward(float *dh, float *dbias, snc_ops *o, const float *da, const float *d, int rows, int n);

/* The same on parts of a product, as snc_act_rows has them, of which n is the number of neurons: forward takes h and writes a [rows, n]
 * and d [rows, 2n]; backward takes da, reads d and writes dh [rows, 2n] to `a`; snc_act_end(dbias, o, rows, 2n) follows. */
snc_gemm_sink snc_glu_forward_sink(snc_act_rows *b);
snc_gemm_sink snc_glu_backward_sink(snc_act_rows *b);

#endif
