#include "base/par.h"
#include "quant/qlinear_priv.h"

/* A grid of row blocks by groups of panels; a product is one cell of y, so the cut never changes a result. */
typedef struct grid {
    const snc_qjob *job;
    void (*run)(const snc_qjob *j, int t0, int t1, int p0, int p1);
    int T, panels, rows, group, groups;
} grid;

static void run_cells(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const grid *g = payload;
    (void)chunk;
    (void)worker;
    for (int64_t c = begin; c < end; c++) {
        int t0 = (int)(c / g->groups) * g->rows, p0 = (int)(c % g->groups) * g->group;
        int t1 = t0 + g->rows < g->T ? t0 + g->rows : g->T, p1 = p0 + g->group < g->panels ? p0 + g->group : g->panels;
        g->run(g->job, t0, t1, p0, p1);
    }
}

static int round_up(int a, int b) { return (a + b - 1) / b * b; }

/* Few rows are shared between threads by outputs, many by rows; what takes microseconds is not shared at all. */
void snc_qgrid__run(const snc_ctx *ctx, const snc_qkernel *kernel, const snc_qjob *job, int T)
{
    grid g = {.job = job, .run = kernel->run, .T = T, .panels = (job->n + SNC_QPANEL - 1) / SNC_QPANEL, .rows = kernel->rows};
    double us = (double)round_up(T, 16) * job->n * job->kb / kernel->blocks_us / SNC_QPANEL;
    int threads = us < 4.0 ? 1 : ctx->threads, blocks = (T + g.rows - 1) / g.rows;
    g.group = g.panels;
    if (threads > 1 && blocks < 4 * threads) g.group = round_up((g.panels + threads - 1) / threads, 4);
    g.groups = (g.panels + g.group - 1) / g.group;
    int64_t cells = (int64_t)blocks * g.groups;
    snc_par_for(ctx, cells, threads > 1 ? 1 : cells, run_cells, &g);
}
