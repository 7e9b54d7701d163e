/* oneDNN behind the same seam: s8 x s8 -> s32 matmul, our own epilogue, so the sums are the ones of every other kernel and
 * versions 2 and 3 of the library differ only in how descriptors are made.
 *
 * Its packed weights cannot be cut, so each (T, n, k) has a primitive, T rounded up to a bucket, and each (n, k) its own
 * packed copy. Entries form a list that only grows until the layer is freed; one call owns an entry by its flag, and a
 * second thread that finds it taken makes another. No lock, and no creation once every shape was seen. */
#include "quant/qlinear_priv.h"

#ifdef SNC_WITH_ONEDNN
#include <dnnl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"

typedef struct entry {
    struct entry *next;
    atomic_flag taken;
    int T, n, k, ldq, team; /* team: a primitive is made for so many threads */
    dnnl_primitive_t matmul;
    dnnl_stream_t stream;
    dnnl_memory_t x, w, y, scratch;
    void *packed, *scratch_data; /* packed: NULL when w lies in another entry's copy */
} entry;

struct snc_qdnnl {
    int N, K;
    int8_t *q; /* [N, K] */
    dnnl_engine_t engine;
    _Atomic(entry *) head;
};

#define DNN(call)                                                                         \
    do {                                                                                  \
        dnnl_status_t status_ = (call);                                                   \
        if (status_ != dnnl_success) {                                                    \
            err = snc_err_set(SNC_E_BACKEND, "oneDNN %s: status %d", what, (int)status_); \
            goto out;                                                                     \
        }                                                                                 \
    } while (0)

/* ---- descriptors, the part that differs between versions ------------------------------------------------------------- */
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t md_view;
static md_view view(const dnnl_memory_desc_t *d) { return *d; }
static void md_drop(dnnl_memory_desc_t *d)
{
    if (*d) dnnl_memory_desc_destroy(*d);
}
static dnnl_status_t md_strided(dnnl_memory_desc_t *d, const dnnl_dims_t dims, dnnl_data_type_t t, const dnnl_dims_t strides)
{
    return dnnl_memory_desc_create_with_strides(d, 2, dims, t, strides);
}
static dnnl_status_t md_any(dnnl_memory_desc_t *d, const dnnl_dims_t dims, dnnl_data_type_t t)
{
    return dnnl_memory_desc_create_with_tag(d, 2, dims, t, dnnl_format_tag_any);
}
static dnnl_status_t matmul_desc(dnnl_primitive_desc_t *pd, dnnl_engine_t e, md_view x, md_view w, md_view y,
                                 const_dnnl_primitive_attr_t attr)
{
    return dnnl_matmul_primitive_desc_create(pd, e, x, w, NULL, y, attr);
}
#else
typedef const dnnl_memory_desc_t *md_view;
static md_view view(const dnnl_memory_desc_t *d) { return d; }
static void md_drop(dnnl_memory_desc_t *d) { (void)d; }
static dnnl_status_t md_strided(dnnl_memory_desc_t *d, const dnnl_dims_t dims, dnnl_data_type_t t, const dnnl_dims_t strides)
{
    return dnnl_memory_desc_init_by_strides(d, 2, dims, t, strides);
}
static dnnl_status_t md_any(dnnl_memory_desc_t *d, const dnnl_dims_t dims, dnnl_data_type_t t)
{
    return dnnl_memory_desc_init_by_tag(d, 2, dims, t, dnnl_format_tag_any);
}
static dnnl_status_t matmul_desc(dnnl_primitive_desc_t *pd, dnnl_engine_t e, md_view x, md_view w, md_view y,
                                 const_dnnl_primitive_attr_t attr)
{
    dnnl_matmul_desc_t d;
    dnnl_status_t s = dnnl_matmul_desc_init(&d, x, w, NULL, y);
    return s != dnnl_success ? s : dnnl_primitive_desc_create(pd, &d, attr, e, NULL);
}
#endif

/* ---- entries -------------------------------------------------------------------------------------------------------- */

const char *snc_qlinear_library(void)
{
    static _Thread_local char name[40];
    const dnnl_version_t *v = dnnl_version();
    snprintf(name, sizeof name, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
    return name;
}

bool snc_qdnnl__usable(void) { return snc_isa_covers(snc_isa_hardware(), SNC_ISA_VNNI); }

const int8_t *snc_qdnnl__weights(const snc_qdnnl *d) { return d->q; }

snc_err snc_qdnnl__create(snc_qdnnl **out, const int8_t *q, int N, int K)
{
    static const char what[] = "engine";
    snc_err err = SNC_OK;
    snc_qdnnl *d = NULL;
    SNC_GOTO(snc_alloc(&d, 1, sizeof *d));
    d->N = N;
    d->K = K;
    SNC_GOTO(snc_alloc(&d->q, (size_t)N * (size_t)K, 1));
    memcpy(d->q, q, (size_t)N * (size_t)K);
    DNN(dnnl_engine_create(&d->engine, dnnl_cpu, 0));
out:
    if (err != SNC_OK) {
        snc_qdnnl__free(d);
        d = NULL;
    }
    *out = d;
    return err;
}

static void entry_free(entry *e)
{
    if (e->matmul) dnnl_primitive_destroy(e->matmul);
    if (e->x) dnnl_memory_destroy(e->x);
    if (e->w) dnnl_memory_destroy(e->w);
    if (e->y) dnnl_memory_destroy(e->y);
    if (e->scratch) dnnl_memory_destroy(e->scratch);
    if (e->stream) dnnl_stream_destroy(e->stream);
    snc_free(e->packed);
    snc_free(e->scratch_data);
    snc_free(e);
}

void snc_qdnnl__free(snc_qdnnl *d)
{
    if (!d) return;
    for (entry *e = atomic_load(&d->head), *next; e; e = next) {
        next = e->next;
        entry_free(e);
    }
    if (d->engine) dnnl_engine_destroy(d->engine);
    snc_free(d->q);
    snc_free(d);
}

/* Two buckets an octave and more when small: at most a third of the rows are idle. */
static int bucket(int T)
{
    int b = 1;
    while (b < T) b *= 2;
    return b >= 8 && b / 4 * 3 >= T ? b / 4 * 3 : b;
}

/* The packed weights for a primitive that wants them as `want`: another entry's, if it has them so, else a new copy. */
static snc_err weights_for(entry *e, const snc_qdnnl *d, md_view want)
{
    static const char what[] = "weight reorder";
    snc_err err = SNC_OK;
    dnnl_memory_desc_t plain;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_memory_t from = NULL;
    int8_t *dense = NULL;
    memset(&plain, 0, sizeof plain);
    for (const entry *o = atomic_load(&d->head); o; o = o->next) {
#if DNNL_VERSION_MAJOR >= 3
        const_dnnl_memory_desc_t have = NULL;
#else
        const dnnl_memory_desc_t *have = NULL;
#endif
        if (o->n != e->n || o->k != e->k || dnnl_memory_get_memory_desc(o->w, &have) != dnnl_success) continue;
        void *data;
        if (!dnnl_memory_desc_equal(have, want) || dnnl_memory_get_data_handle(o->w, &data) != dnnl_success) continue;
        DNN(dnnl_memory_create(&e->w, want, d->engine, data));
        return SNC_OK;
    }
    /* A dense copy of the prefix: not every packing can start from rows that are longer than they look. */
    dnnl_dims_t dims = {e->k, e->n}, strides = {1, e->k};
    SNC_GOTO(snc_alloc(&dense, (size_t)e->n * (size_t)e->k, 1));
    for (int i = 0; i < e->n; i++) memcpy(dense + (size_t)i * (size_t)e->k, d->q + (size_t)i * (size_t)d->K, (size_t)e->k);
    SNC_GOTO(snc_alloc(&e->packed, dnnl_memory_desc_get_size(want), 1));
    DNN(md_strided(&plain, dims, dnnl_s8, strides));
    DNN(dnnl_memory_create(&from, view(&plain), d->engine, dense));
    DNN(dnnl_memory_create(&e->w, want, d->engine, e->packed));
    DNN(dnnl_reorder_primitive_desc_create(&pd, view(&plain), d->engine, want, d->engine, NULL));
    DNN(dnnl_primitive_create(&reorder, pd));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, e->w}};
    DNN(dnnl_primitive_execute(reorder, e->stream, 2, args));
    DNN(dnnl_stream_wait(e->stream));
out:
    if (reorder) dnnl_primitive_destroy(reorder);
    if (pd) dnnl_primitive_desc_destroy(pd);
    if (from) dnnl_memory_destroy(from);
    md_drop(&plain);
    snc_free(dense);
    return err;
}

static snc_err entry_new(entry **out, const snc_qdnnl *d, int team, int T, int n, int k)
{
    static const char what[] = "int8 matmul";
    snc_err err = SNC_OK;
    entry *e = NULL;
    dnnl_memory_desc_t x, w, y;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    memset(&x, 0, sizeof x);
    memset(&w, 0, sizeof w);
    memset(&y, 0, sizeof y);
    SNC_GOTO(snc_alloc(&e, 1, sizeof *e));
    e->team = team;
    e->T = T;
    e->n = n;
    e->k = k;
    e->ldq = (k + SNC_QBLOCK - 1) / SNC_QBLOCK * SNC_QBLOCK;
    dnnl_dims_t dx = {T, k}, sx = {e->ldq, 1}, dw = {k, n}, dy = {T, n}, sy = {n, 1};
    DNN(md_strided(&x, dx, dnnl_s8, sx));
    DNN(md_any(&w, dw, dnnl_s8));
    DNN(md_strided(&y, dy, dnnl_s32, sy));
    DNN(dnnl_primitive_attr_create(&attr));
    DNN(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
    DNN(matmul_desc(&pd, d->engine, view(&x), view(&w), view(&y), attr));
    DNN(dnnl_primitive_create(&e->matmul, pd));
    DNN(dnnl_stream_create(&e->stream, d->engine, dnnl_stream_default_flags));
    SNC_GOTO(weights_for(e, d, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0)));
    md_view scratch = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    SNC_GOTO(snc_alloc(&e->scratch_data, dnnl_memory_desc_get_size(scratch), 1));
    DNN(dnnl_memory_create(&e->x, view(&x), d->engine, DNNL_MEMORY_NONE));
    DNN(dnnl_memory_create(&e->y, view(&y), d->engine, DNNL_MEMORY_NONE));
    DNN(dnnl_memory_create(&e->scratch, scratch, d->engine, e->scratch_data));
out:
    if (attr) dnnl_primitive_attr_destroy(attr);
    if (pd) dnnl_primitive_desc_destroy(pd);
    md_drop(&x);
    md_drop(&w);
    md_drop(&y);
    if (err != SNC_OK && e) {
        entry_free(e);
        e = NULL;
    }
    *out = e;
    return err;
}

/* An entry of this shape that is ours until its flag is cleared. */
static snc_err acquire(entry **out, snc_qdnnl *d, int team, int T, int n, int k)
{
    for (entry *e = atomic_load(&d->head); e; e = e->next)
        if (e->team == team && e->T == T && e->n == n && e->k == k && !atomic_flag_test_and_set(&e->taken)) {
            *out = e;
            return SNC_OK;
        }
    entry *e;
    SNC_TRY(entry_new(&e, d, team, T, n, k));
    (void)atomic_flag_test_and_set(&e->taken);
    e->next = atomic_load(&d->head);
    while (!atomic_compare_exchange_weak(&d->head, &e->next, e)) continue;
    *out = e;
    return SNC_OK;
}

static size_t copy_bytes(const snc_qdnnl *d, int T)
{
    return (size_t)bucket(T) * (size_t)((d->K + SNC_QBLOCK - 1) / SNC_QBLOCK) * SNC_QBLOCK;
}

size_t snc_qdnnl__workspace_size(const snc_qdnnl *d, int T)
{
    return copy_bytes(d, T) + snc_align_up((size_t)bucket(T) * (size_t)d->N * sizeof(int32_t), SNC_ALIGN);
}

static snc_err run_with(const int32_t **sums, snc_qdnnl *d, int team, const int8_t *xq, int ldq, int T, int n, int k, void *workspace)
{
    static const char what[] = "int8 matmul run";
    snc_err err = SNC_OK;
    entry *e;
    SNC_TRY(acquire(&e, d, team, bucket(T), n, k));
    int8_t *copy = workspace;
    void *y = copy + copy_bytes(d, T);
    const int8_t *x = xq;
    if (e->T != T || e->ldq != ldq) {
        for (int t = 0; t < T; t++) memcpy(copy + (size_t)t * (size_t)e->ldq, xq + (size_t)t * (size_t)ldq, (size_t)e->ldq);
        x = copy;
    }
    void *handle;
    memcpy(&handle, &x, sizeof handle); /* the library reads through it only */
    DNN(dnnl_memory_set_data_handle(e->x, handle));
    DNN(dnnl_memory_set_data_handle(e->y, y));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, e->x}, {DNNL_ARG_WEIGHTS, e->w}, {DNNL_ARG_DST, e->y}, {DNNL_ARG_SCRATCHPAD, e->scratch}};
    DNN(dnnl_primitive_execute(e->matmul, e->stream, 4, args));
    DNN(dnnl_stream_wait(e->stream));
    *sums = y;
out:
    atomic_flag_clear(&e->taken);
    return err;
}

snc_err snc_qdnnl__run(const int32_t **sums, snc_qdnnl *d, const snc_ctx *ctx, const int8_t *xq, int ldq, int T, int n, int k,
                       void *workspace)
{
    int team = snc_par_team(ctx->threads), before = snc_par_lend(team);
    snc_err err = run_with(sums, d, team, xq, ldq, T, n, k, workspace);
    snc_par_return(before);
    return err;
}
#else
const char *snc_qlinear_library(void) { return NULL; }
#endif
