/* f32 products through OpenBLAS; threads are those of the context. */
#include "base/par.h"
#include "core/gemm_priv.h"

#ifdef SNC_WITH_OPENBLAS
#include <cblas.h>
#include <string.h>

const char *snc_gemm_blas_version(void) { return openblas_get_config(); }

static snc_err blas_open(snc_gemm *g)
{
    (void)g;
    return SNC_OK;
}

/* C = bias or C += bias, so that sgemm only adds. */
static void add_bias(const snc_gemm__job *j)
{
    for (int m = 0; m < j->M; m++) {
        float *y = j->C + m * j->ldc;
        if (!j->accumulate) memcpy(y, j->bias, (size_t)j->N * sizeof *y);
        else
            for (int n = 0; n < j->N; n++) y[n] += j->bias[n];
    }
}

static snc_err blas_run(snc_gemm *g, const snc_gemm__job *j)
{
    if (j->bias) add_bias(j);
    int before = snc_par_lend(snc_par_team(g->ctx->threads));
    bool ta = j->product == GEMM_BACKWARD_W, tb = j->product == GEMM_FORWARD;
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, j->M, j->N, j->K, 1.0f, j->A,
                (int)(ta ? j->a_col : j->a_row), j->B, (int)(tb ? j->b_col : j->b_row), j->accumulate || j->bias ? 1.0f : 0.0f, j->C,
                (int)j->ldc);
    snc_par_return(before);
    return SNC_OK;
}

const snc_gemm__ops *snc_gemm__blas(snc_compute compute)
{
    static const snc_gemm__ops ops = {.backend = SNC_BACKEND_BLAS, .open = blas_open, .run = blas_run};
    return compute == SNC_COMPUTE_F32 ? &ops : NULL;
}
#else
const char *snc_gemm_blas_version(void) { return NULL; }

const snc_gemm__ops *snc_gemm__blas(snc_compute compute)
{
    (void)compute;
    return NULL;
}
#endif
