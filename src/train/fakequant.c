/* Blocks of 16 rows are the unit of work: kept as the master, quantized by the shipped code, and written back while in the cache. */
#include "train/fakequant.h"

#include <string.h>

#include "base/mem.h"
#include "base/par.h"
#include "quant/int4.h"
#include "quant/qlinear.h"

enum { BLOCK_ROWS = 16 };

typedef struct block { /* rows of one matrix */
    int param, r0, rows;
    snc_dtype dtype;
} block;

struct snc_fakequant {
    const snc_ctx *ctx;
    snc_model *m;
    float *master; /* in the layout of the parameters */
    int8_t *q;     /* [threads][BLOCK_ROWS, widest] */
    size_t stride;
    block *block;
    int blocks;
    bool applied;
};

static void add_matrix(snc_fakequant *f, int param, snc_dtype dtype)
{
    const snc_param *p = &f->m->params.p[param];
    for (int r = 0; r < p->rows; r += BLOCK_ROWS)
        f->block[f->blocks++] = (block){param, r, p->rows - r < BLOCK_ROWS ? p->rows - r : BLOCK_ROWS, dtype};
}

/* The linears: tables stay as they are. */
static void add_policy(snc_fakequant *f, const snc_policy *policy)
{
    for (int i = 0; i < f->m->params.n; i++) {
        const snc_param *p = &f->m->params.p[i];
        snc_dtype t = snc_spec_of(p)->slot == SNC_SLOT_EMBED ? SNC_F32 : snc_spec_dtype(policy, p->row, p->layer);
        if (t == SNC_I8 || t == SNC_I4) add_matrix(f, i, t);
    }
}

snc_err snc_fakequant_new(snc_fakequant **out, const snc_ctx *ctx, snc_model *m, const snc_policy *p)
{
    snc_fakequant *f = NULL;
    snc_err err = SNC_OK;
    size_t blocks = 0, widest = 0;
    for (int i = 0; i < m->params.n; i++) {
        blocks += (size_t)m->params.p[i].rows / BLOCK_ROWS + 1;
        if ((size_t)m->params.p[i].cols > widest) widest = (size_t)m->params.p[i].cols;
    }
    SNC_TRY(snc_alloc(&f, 1, sizeof *f));
    f->ctx = ctx;
    f->m = m;
    f->stride = snc_align_up((BLOCK_ROWS + 1) * widest, SNC_ALIGN); /* INT4 packs a row behind them */
    SNC_GOTO(snc_alloc(&f->block, blocks, sizeof *f->block));
    SNC_GOTO(snc_alloc(&f->master, m->params.total, sizeof *f->master));
    SNC_GOTO(snc_alloc(&f->q, (size_t)ctx->threads * f->stride, 1));
    add_policy(f, p);
    *out = f;
    return SNC_OK;
out:
    snc_fakequant_free(f);
    return err;
}

void snc_fakequant_free(snc_fakequant *f)
{
    if (!f) return;
    snc_free(f->block);
    snc_free(f->master);
    snc_free(f->q);
    snc_free(f);
}

/* The INT8 integers that the rows' four bits expand to. */
static void int4_rows(int8_t *q, float *scale, const float *w, int rows, int cols)
{
    uint8_t *data = (uint8_t *)q + (size_t)BLOCK_ROWS * (size_t)cols, *group = data + snc_int4_data_bytes(cols);
    for (int r = 0; r < rows; r++) {
        snc_int4_quantize(data, group, &scale[r], w + (size_t)r * (size_t)cols, cols, 1, cols);
        snc_int4_expand(q + (size_t)r * (size_t)cols, data, group, cols);
    }
}

static void round_rows(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk;
    snc_fakequant *f = payload;
    int8_t *q = f->q + (size_t)worker * f->stride;
    float scale[BLOCK_ROWS];
    for (int64_t i = begin; i < end; i++) {
        const block *b = &f->block[i];
        int cols = f->m->params.p[b->param].cols;
        size_t at = f->m->params.p[b->param].offset + (size_t)b->r0 * (size_t)cols;
        float *w = f->m->params.w + at;
        memcpy(f->master + at, w, (size_t)b->rows * (size_t)cols * sizeof *w);
        if (b->dtype == SNC_I4) int4_rows(q, scale, w, b->rows, cols);
        else snc_quantize_weight(q, scale, w, cols, b->rows, cols);
        for (int r = 0; r < b->rows; r++)
            for (int c = 0; c < cols; c++) w[(size_t)r * (size_t)cols + (size_t)c] = scale[r] * (float)q[r * cols + c];
    }
}

static void restore_rows(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk, (void)worker;
    snc_fakequant *f = payload;
    for (int64_t i = begin; i < end; i++) {
        const block *b = &f->block[i];
        int cols = f->m->params.p[b->param].cols;
        size_t at = f->m->params.p[b->param].offset + (size_t)b->r0 * (size_t)cols;
        memcpy(f->m->params.w + at, f->master + at, (size_t)b->rows * (size_t)cols * sizeof(float));
    }
}

void snc_fakequant_apply(snc_fakequant *f)
{
    if (!f || f->applied) return;
    snc_par_for(f->ctx, f->blocks, 1, round_rows, f);
    f->applied = true;
}

void snc_fakequant_restore(snc_fakequant *f)
{
    if (!f || !f->applied) return;
    snc_par_for(f->ctx, f->blocks, 1, restore_rows, f);
    f->applied = false;
}
