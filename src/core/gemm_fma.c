/* Native f32 products for CPUs without AMX (and f32 on those with it): the cut into cells; see gemm_fma_vec.h for their insides.
 * SNC_COMPUTE_BF16 rounds the operands; bf16 products are exact in f32, so only the sums round. */
#include "base/cut.h"
#include "core/gemm_fma_priv.h"

enum { PANEL = 32 }; /* columns */

typedef void fma_kernel(const snc_gemm__cell *c, const snc_gemm__job *j);

static fma_kernel *kernel_for(snc_isa isa)
{
#if defined(__x86_64__)
    if (snc_isa_covers(isa, SNC_ISA_AVX512)) return snc_gemm__fma_avx512;
    if (snc_isa_covers(isa, SNC_ISA_AVX2)) return snc_gemm__fma_avx2;
#elif defined(__aarch64__)
    if (snc_isa_covers(isa, SNC_ISA_NEON)) return snc_gemm__fma_neon;
#endif
    (void)isa;
    return NULL;
}

typedef struct fma_run {
    const snc_gemm *g;
    const snc_gemm__job *j;
    fma_kernel *kernel;
    snc_cut_work work; /* in strips of rows by panels of columns */
    snc_cut cut;
} fma_run;

static void cell(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const fma_run *r = payload;
    const snc_gemm__job *j = r->j;
    snc_cut_cell at = snc_cut_at(&r->cut, &r->work, (int)begin);
    (void)end, (void)chunk;
    snc_gemm__cell c = {.scratch = r->g->panel + (size_t)worker * r->g->panel_size,
                        .m0 = at.r0 * SNC_FMA_ROWS,
                        .m1 = snc_min(at.r1 * SNC_FMA_ROWS, j->M),
                        .n0 = at.c0 * PANEL,
                        .n1 = snc_min(at.c1 * PANEL, j->N),
                        .bf16 = r->g->compute == SNC_COMPUTE_BF16};
    r->kernel(&c, j);
}

static snc_err fma_open(snc_gemm *g)
{
    g->panel_size = SNC_FMA_SCRATCH;
    return snc_alloc(&g->panel, (size_t)g->ctx->threads * g->panel_size, sizeof(float));
}

/* In cycles for one step of the reduction: twelve a cell of one strip by one panel, as many to pack a panel's row. */
static snc_err fma_run_job(snc_gemm *g, const snc_gemm__job *j)
{
    fma_run r = {.g = g, .j = j, .kernel = kernel_for(g->isa)};
    r.work = (snc_cut_work){.rows = (j->M + SNC_FMA_ROWS - 1) / SNC_FMA_ROWS, .cols = (j->N + PANEL - 1) / PANEL, .count = 1};
    r.work.cell = r.work.col = 12;
    r.work.row = 2;
    r.work.fork = 5000.0 / j->K;
    r.cut = snc_cut_plan(&r.work, g->ctx->threads);
    snc_par_for(g->ctx, r.cut.cells, 1, cell, &r);
    return SNC_OK;
}

const snc_gemm__ops *snc_gemm__fma(snc_isa isa)
{
    static const snc_gemm__ops ops = {.backend = SNC_BACKEND_NATIVE, .open = fma_open, .run = fma_run_job};
    return kernel_for(isa) ? &ops : NULL;
}
