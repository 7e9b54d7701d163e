/* Row blocks by groups of panels; a product is one cell of y, so the cut never changes a result. */
#include "base/minmax.h"
#include "base/par.h"
#include "quant/qlinear_priv.h"

typedef struct grid {
    const snc_qjob *jobs;
    const snc_qkernel *kernel;
    snc_cut_work work;
    snc_cut cut;
    int T, panels;
} grid;

enum { ROWS = 16, PANELS = 4 }; /* of a unit */

#define STREAM_BYTES 30e3 /* a core reads from the last-level cache in a microsecond, about */

/* Rows of a cell that stay in a cache go through all its panels before the next. */
static void run_cell(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const grid *g = payload;
    (void)chunk;
    for (int64_t i = begin; i < end; i++) {
        snc_cut_cell c = snc_cut_at(&g->cut, &g->work, (int)i);
        int t1 = snc_min(c.r1 * ROWS, g->T), p0 = c.c0 * PANELS, p1 = snc_min(c.c1 * PANELS, g->panels);
        snc_qjob j = g->jobs[c.product];
        snc_qjob__on(&j, worker);
        for (int t = c.r0 * ROWS; t < t1; t += g->kernel->rows) g->kernel->run(&j, t, snc_min(t + g->kernel->rows, t1), p0, p1);
    }
}

snc_cut_work snc_qgrid__work(const snc_qkernel *kernel, int T, int n, int kb, int count, int threads)
{
    int panels = (n + SNC_QPANEL - 1) / SNC_QPANEL;
    return (snc_cut_work){.rows = (T + ROWS - 1) / ROWS,
                          .cols = (panels + PANELS - 1) / PANELS,
                          .count = count,
                          .pairs = kernel->pairs,
                          .cell = ROWS * PANELS * kb / kernel->blocks_us,
                          .row = ROWS * kb * SNC_QBLOCK / STREAM_BYTES,
                          .col = PANELS * kb * SNC_QTILE / STREAM_BYTES,
                          .fork = 1.6 + 0.2 * threads};
}

/* What takes microseconds is not shared: that is what a fork and a join cost. */
void snc_qgrid__run(const snc_ctx *ctx, const snc_qkernel *kernel, const snc_qjob *jobs, int count, int T)
{
    grid g = {.jobs = jobs, .kernel = kernel, .T = T, .panels = (jobs->n + SNC_QPANEL - 1) / SNC_QPANEL};
    g.work = snc_qgrid__work(kernel, T, jobs->n, jobs->kb, count, ctx->threads);
    g.cut = snc_cut_plan(&g.work, ctx->threads);
    snc_par_for(ctx, g.cut.cells, g.cut.shared ? 1 : g.cut.cells, run_cell, &g);
}
