/* f32 and bf16 products through oneDNN's matmul (C API of 2.x and 3.x).
 *
 * f32 reads the master through its strides. bf16 rounds the activations into row-major scratch, once per call, and keeps a
 * row-major bf16 copy of the weight, whose prefixes are views. Primitives are made once per shape and kept in a table with
 * one slot per hash: a colliding shape takes the slot over.
 */
#include "core/gemm_priv.h"

#ifdef SNC_WITH_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#include "base/fmap.h"

enum { SLOTS = 512, OPERANDS = 4 }; /* A, B, C, bias */

typedef struct shape_key {
    int64_t ldc, a_row, a_col, b_row, b_col;
    int32_t M, N, K, bias, accumulate, team; /* team: a primitive is made for so many threads */
} shape_key;

typedef struct slot {
    shape_key key;
    dnnl_primitive_t primitive; /* NULL: empty */
    dnnl_memory_t memory[OPERANDS];
} slot;

struct snc_gemm__dnnl {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    slot slots[SLOTS];
};

#define DNNL_TRY(call)                                                                                                        \
    do {                                                                                                                      \
        dnnl_status_t status_ = (call);                                                                                       \
        if (status_ != dnnl_success) return snc_err_set(SNC_E_BACKEND, "oneDNN status %d in gemm (%s)", (int)status_, #call); \
    } while (0)

static void slot_dispose(slot *s)
{
    if (s->primitive) dnnl_primitive_destroy(s->primitive);
    for (int i = 0; i < OPERANDS; i++)
        if (s->memory[i]) dnnl_memory_destroy(s->memory[i]);
    memset(s, 0, sizeof *s);
}

static void dnnl_close(snc_gemm *g)
{
    struct snc_gemm__dnnl *d = g->dnnl;
    if (!d) return;
    for (int i = 0; i < SLOTS; i++) slot_dispose(&d->slots[i]);
    if (d->stream) dnnl_stream_destroy(d->stream);
    if (d->engine) dnnl_engine_destroy(d->engine);
    snc_free(d);
}

static snc_err dnnl_open(snc_gemm *g)
{
    SNC_TRY(snc_alloc(&g->dnnl, 1, sizeof *g->dnnl));
    DNNL_TRY(dnnl_engine_create(&g->dnnl->engine, dnnl_cpu, 0));
    DNNL_TRY(dnnl_stream_create(&g->dnnl->stream, g->dnnl->engine, dnnl_stream_default_flags));
    if (g->compute == SNC_COMPUTE_F32) return SNC_OK;
    size_t size = (size_t)g->max_tokens * (size_t)g->max_width;
    SNC_TRY(snc_alloc(&g->a, size, sizeof(snc_bf16)));
    return snc_alloc(&g->b, size, sizeof(snc_bf16));
}

/* ---- primitives ---- */

typedef struct matrix {
    int64_t rows, cols, row_step, col_step;
    dnnl_data_type_t type;
} matrix;

static snc_err matmul_create(slot *s, struct snc_gemm__dnnl *d, const matrix m[OPERANDS], bool bias, dnnl_primitive_attr_t attr)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status = dnnl_success;
    dnnl_dims_t dims[OPERANDS], steps[OPERANDS];
    for (int i = 0; i < OPERANDS; i++) {
        dims[i][0] = m[i].rows, dims[i][1] = m[i].cols;
        steps[i][0] = m[i].row_step, steps[i][1] = m[i].col_step;
    }
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_t md[OPERANDS] = {NULL};
    for (int i = 0; i < OPERANDS && status == dnnl_success; i++)
        status = dnnl_memory_desc_create_with_strides(&md[i], 2, dims[i], m[i].type, steps[i]);
    if (status == dnnl_success) status = dnnl_matmul_primitive_desc_create(&pd, d->engine, md[0], md[1], bias ? md[3] : NULL, md[2], attr);
    for (int i = 0; i < OPERANDS && status == dnnl_success; i++)
        status = dnnl_memory_create(&s->memory[i], md[i], d->engine, DNNL_MEMORY_NONE);
    for (int i = 0; i < OPERANDS; i++)
        if (md[i]) dnnl_memory_desc_destroy(md[i]);
#else
    dnnl_memory_desc_t md[OPERANDS];
    dnnl_matmul_desc_t desc;
    for (int i = 0; i < OPERANDS && status == dnnl_success; i++)
        status = dnnl_memory_desc_init_by_strides(&md[i], 2, dims[i], m[i].type, steps[i]);
    if (status == dnnl_success) status = dnnl_matmul_desc_init(&desc, &md[0], &md[1], bias ? &md[3] : NULL, &md[2]);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&pd, &desc, attr, d->engine, NULL);
    for (int i = 0; i < OPERANDS && status == dnnl_success; i++)
        status = dnnl_memory_create(&s->memory[i], &md[i], d->engine, DNNL_MEMORY_NONE);
#endif
    if (status == dnnl_success) status = dnnl_primitive_create(&s->primitive, pd);
    if (pd) dnnl_primitive_desc_destroy(pd);
    DNNL_TRY(status);
    return SNC_OK;
}

static snc_err attr_create(dnnl_primitive_attr_t *attr, bool accumulate)
{
    DNNL_TRY(dnnl_primitive_attr_create(attr));
    if (!accumulate) return SNC_OK;
    dnnl_post_ops_t ops;
    DNNL_TRY(dnnl_post_ops_create(&ops));
#if DNNL_VERSION_MAJOR >= 3
    dnnl_status_t status = dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_f32);
#else
    dnnl_status_t status = dnnl_post_ops_append_sum(ops, 1.0f);
#endif
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    dnnl_post_ops_destroy(ops);
    DNNL_TRY(status);
    return SNC_OK;
}

static snc_err slot_get(slot **out, snc_gemm *g, const shape_key *key)
{
    struct snc_gemm__dnnl *d = g->dnnl;
    slot *s = &d->slots[snc_bytes_hash(0, key, sizeof *key) % SLOTS];
    *out = s;
    if (s->primitive && memcmp(&s->key, key, sizeof *key) == 0) return SNC_OK;
    slot_dispose(s);
    dnnl_data_type_t in = g->compute == SNC_COMPUTE_BF16 ? dnnl_bf16 : dnnl_f32;
    const matrix m[OPERANDS] = {{key->M, key->K, key->a_row, key->a_col, in},
                                {key->K, key->N, key->b_row, key->b_col, in},
                                {key->M, key->N, key->ldc, 1, dnnl_f32},
                                {1, key->N, key->N, 1, dnnl_f32}};
    dnnl_primitive_attr_t attr = NULL;
    snc_err err = attr_create(&attr, key->accumulate);
    if (err == SNC_OK) err = matmul_create(s, d, m, key->bias, attr);
    if (attr) dnnl_primitive_attr_destroy(attr);
    if (err == SNC_OK) s->key = *key;
    else slot_dispose(s);
    return err;
}

/* ---- bf16 operands ---- */

typedef struct round_run {
    snc_bf16 *dst; /* [rows, cols], dense */
    const float *src;
    int64_t ld;
    int cols;
} round_run;

static void round_rows(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const round_run *r = payload;
    (void)chunk;
    (void)worker;
    for (int64_t i = begin; i < end; i++)
        for (int c = 0; c < r->cols; c++) r->dst[i * r->cols + c] = snc_bf16_from_f32(r->src[i * r->ld + c]);
}

static void round_matrix(const snc_gemm *g, void *dst, const float *src, int64_t ld, int rows, int cols)
{
    round_run r = {dst, src, ld, cols};
    snc_par_for(g->ctx, rows, 32, round_rows, &r);
}

static size_t dnnl_weight_bytes(int N, int K) { return (size_t)N * (size_t)K * sizeof(snc_bf16); }

static void dnnl_sync_rows(const snc_gemm *g, snc_gemm_weight *w, int n0, int n1)
{
    (void)g;
    round_run r = {w->packed, w->W, w->ldw, w->K};
    round_rows(&r, n0, n1, 0, 0);
}

/* Rewrites a job on f32 strides to one on the bf16 copies; returns where B is. */
static const void *to_bf16(shape_key *key, snc_gemm *g, const snc_gemm__job *j)
{
    if (j->product == GEMM_BACKWARD_W) {
        round_matrix(g, g->a, j->A, j->a_col, j->K, j->M);
        round_matrix(g, g->b, j->B, j->b_row, j->K, j->N);
        key->a_row = 1, key->a_col = j->M;
        key->b_row = j->N;
        return g->b;
    }
    round_matrix(g, g->a, j->A, j->a_row, j->M, j->K);
    key->a_row = j->K;
    if (j->product == GEMM_FORWARD) key->b_col = j->w->K;
    else key->b_row = j->w->K;
    return j->w->packed;
}

/* ---- run ---- */

static snc_err bind(dnnl_exec_arg_t *arg, int name, dnnl_memory_t memory, const void *data)
{
    void *p;
    memcpy(&p, &data, sizeof p); /* the API takes no const pointers, and only C is written */
    DNNL_TRY(dnnl_memory_set_data_handle(memory, p));
    *arg = (dnnl_exec_arg_t){name, memory};
    return SNC_OK;
}

static snc_err run_with(snc_gemm *g, const snc_gemm__job *j, int team)
{
    shape_key key;
    memset(&key, 0, sizeof key);
    key.M = j->M, key.N = j->N, key.K = j->K, key.bias = j->bias != NULL, key.accumulate = j->accumulate, key.team = team;
    key.ldc = j->ldc, key.a_row = j->a_row, key.a_col = j->a_col, key.b_row = j->b_row, key.b_col = j->b_col;
    const void *A = j->A, *B = j->B;
    if (g->compute == SNC_COMPUTE_BF16) {
        B = to_bf16(&key, g, j);
        A = g->a;
    }
    slot *s;
    SNC_TRY(slot_get(&s, g, &key));
    dnnl_exec_arg_t args[OPERANDS];
    SNC_TRY(bind(&args[0], DNNL_ARG_SRC, s->memory[0], A));
    SNC_TRY(bind(&args[1], DNNL_ARG_WEIGHTS, s->memory[1], B));
    SNC_TRY(bind(&args[2], DNNL_ARG_DST, s->memory[2], j->C));
    if (j->bias) SNC_TRY(bind(&args[3], DNNL_ARG_BIAS, s->memory[3], j->bias));
    DNNL_TRY(dnnl_primitive_execute(s->primitive, g->dnnl->stream, j->bias ? 4 : 3, args));
    DNNL_TRY(dnnl_stream_wait(g->dnnl->stream));
    return SNC_OK;
}

static snc_err dnnl_run(snc_gemm *g, const snc_gemm__job *j)
{
    int team = snc_par_team(g->ctx->threads), before = snc_par_lend(team);
    snc_err err = run_with(g, j, team);
    snc_par_return(before);
    return err;
}

const snc_gemm__ops *snc_gemm__dnnl(snc_compute compute)
{
    static const snc_gemm__ops f32 = {.backend = SNC_BACKEND_ONEDNN, .open = dnnl_open, .close = dnnl_close, .run = dnnl_run};
    static const snc_gemm__ops bf16 = {.backend = SNC_BACKEND_ONEDNN,
                                       .open = dnnl_open,
                                       .close = dnnl_close,
                                       .weight_bytes = dnnl_weight_bytes,
                                       .sync_rows = dnnl_sync_rows,
                                       .run = dnnl_run};
    /* Below AVX-512 version 2.x has no bf16 kernels; the native f32 ones on rounded operands serve there. */
    if (compute == SNC_COMPUTE_BF16) return snc_isa_covers(snc_isa_hardware(), SNC_ISA_AVX512) ? &bf16 : NULL;
    return &f32;
}
#else
const snc_gemm__ops *snc_gemm__dnnl(snc_compute compute)
{
    (void)compute;
    return NULL;
}
#endif
