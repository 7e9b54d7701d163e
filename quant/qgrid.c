/* A grid of jobs by row blocks by groups of panels; a product is one cell of y, so the cut never changes a result. */
#include "base/par.h"
#include "quant/qlinear_priv.h"

typedef struct grid {
    const snc_qjob *jobs;
    void (*run)(const snc_qjob *j, int t0, int t1, int p0, int p1);
    int T, panels, rows, group, groups, blocks;
} grid;

/* Bytes a core reads from the last-level cache in a microsecond, about. */
#define STREAM_BYTES 30e3

static void run_cells(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const grid *g = payload;
    (void)chunk;
    (void)worker;
    for (int64_t c = begin; c < end; c++) {
        int cell = (int)(c % (g->blocks * g->groups)), t0 = cell / g->groups * g->rows, p0 = cell % g->groups * g->group;
        int t1 = t0 + g->rows < g->T ? t0 + g->rows : g->T, p1 = p0 + g->group < g->panels ? p0 + g->group : g->panels;
        g->run(&g->jobs[c / (g->blocks * g->groups)], t0, t1, p0, p1);
    }
}

static int round_up(int a, int b) { return (a + b - 1) / b * b; }

/* Few rows are shared between threads by outputs, many by rows; what takes microseconds is not shared at all. */
void snc_qgrid__run(const snc_ctx *ctx, const snc_qkernel *kernel, const snc_qjob *jobs, int count, int T)
{
    grid g = {.jobs = jobs, .run = kernel->run, .T = T, .panels = (jobs->n + SNC_QPANEL - 1) / SNC_QPANEL, .rows = kernel->rows};
    double weights = (double)count * jobs->n * jobs->kb; /* blocks of 64 bytes */
    double us = round_up(T, 16) * weights / kernel->blocks_us / SNC_QPANEL, stream = weights * SNC_QBLOCK / STREAM_BYTES;
    int threads = us + stream < 4.0 ? 1 : ctx->threads;
    g.blocks = (T + g.rows - 1) / g.rows;
    g.group = g.panels;
    if (threads > 1 && g.blocks < 4 * threads) g.group = round_up((g.panels + threads - 1) / threads, 4);
    g.groups = (g.panels + g.group - 1) / g.group;
    int64_t cells = (int64_t)count * g.blocks * g.groups;
    snc_par_for(ctx, cells, threads > 1 ? 1 : cells, run_cells, &g);
}
