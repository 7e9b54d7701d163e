/* A decoder for each dtype, chosen at creation; INT4 rows are expanded piece by piece on the stack and go through the decoder of INT8. */
#include "quant/embed.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "quant/int4.h"
#include "quant/qlinear.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

struct snc_embed {
    snc_dtype dtype;
    int V, C;
    size_t ld; /* bytes from row to row */
    const void *data;
    const uint8_t *group; /* INT4 */
    const float *sw;
    void *own;
    uint8_t *own_group;
    float *own_sw;
    void (*decode)(float *y, const void *row, float scale, int c, bool add); /* INT4: of the expanded row */
};

/* y (+)= row * scale: one multiply and one add an element, so the vector form has the same bits. The compiler vectorizes
 * the loops of f32 and bf16; int8 needs its widening spelled out. */
static void decode_f32(float *y, const void *row, float scale, int c, bool add)
{
    const float *r = row;
    (void)scale;
    if (!add) memcpy(y, r, (size_t)c * sizeof *y);
    else
        for (int i = 0; i < c; i++) y[i] += r[i];
}

static void decode_bf16(float *y, const void *row, float scale, int c, bool add)
{
    const snc_bf16 *r = row;
    (void)scale;
    if (add)
        for (int i = 0; i < c; i++) y[i] += snc_bf16_to_f32(r[i]);
    else
        for (int i = 0; i < c; i++) y[i] = snc_bf16_to_f32(r[i]);
}

static void decode_i8(float *y, const void *row, float scale, int c, bool add)
{
    const int8_t *r = row;
    for (int i = 0; i < c; i++) {
        float v = (float)r[i] * scale;
        y[i] = add ? y[i] + v : v;
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void decode_i8_avx2(float *y, const void *row, float scale, int c, bool add)
{
    const int8_t *r = row;
    __m256 s = _mm256_set1_ps(scale);
    int i = 0;
    for (; i + 8 <= c; i += 8) {
        __m256i q = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(r + i)));
        __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(q), s);
        if (add) v = _mm256_add_ps(_mm256_loadu_ps(y + i), v);
        _mm256_storeu_ps(y + i, v);
    }
    decode_i8(y + i, r + i, scale, c - i, add);
}
#endif

static size_t row_bytes(snc_dtype t, int c) { return (size_t)c * (size_t)snc_dtype_get(t)->bits / 8; }

static snc_err init(snc_embed **out, snc_dtype dtype, int V, int C)
{
    *out = NULL;
    SNC_CHECK(V >= 1 && C >= 1, SNC_E_SHAPE, "embedding table [%d, %d]: expected sizes of 1 and more", V, C);
    SNC_CHECK(dtype == SNC_F32 || dtype == SNC_BF16 || dtype == SNC_I8 || dtype == SNC_I4, SNC_E_UNSUPPORTED,
              "embedding table of %s: expected f32, bf16, int8 or int4", snc_dtype_get(dtype)->name);
    SNC_CHECK(dtype != SNC_I4 || C % SNC_INT4_GROUP == 0, SNC_E_SHAPE, "embedding table [%d, %d]: int4 needs rows of a multiple of %d", V,
              C, SNC_INT4_GROUP);
    snc_embed *e;
    SNC_TRY(snc_alloc(&e, 1, sizeof *e));
    e->dtype = dtype;
    e->V = V;
    e->C = C;
    e->ld = row_bytes(dtype, C);
    e->decode = dtype == SNC_F32 ? decode_f32 : dtype == SNC_BF16 ? decode_bf16 : decode_i8;
#if defined(__x86_64__)
    if (e->decode == decode_i8 && snc_isa_covers(snc_isa_now(), SNC_ISA_AVX2)) e->decode = decode_i8_avx2;
#endif
    *out = e;
    return SNC_OK;
}

snc_err snc_embed_create(snc_embed **out, snc_dtype dtype, const float *W, int ldw, int V, int C)
{
    snc_err err = SNC_OK;
    SNC_TRY(init(out, dtype, V, C));
    snc_embed *e = *out;
    if (dtype == SNC_F32) {
        e->data = W;
        e->ld = (size_t)ldw * sizeof(float);
        return SNC_OK;
    }
    SNC_GOTO(snc_alloc(&e->own, (size_t)V, e->ld));
    e->data = e->own;
    if (dtype == SNC_I8 || dtype == SNC_I4) SNC_GOTO(snc_alloc(&e->own_sw, (size_t)V, sizeof(float)));
    e->sw = e->own_sw;
    if (dtype == SNC_I8) {
        snc_quantize_weight(e->own, e->own_sw, W, ldw, V, C);
    } else if (dtype == SNC_I4) {
        SNC_GOTO(snc_alloc(&e->own_group, (size_t)V, snc_int4_group_bytes(C)));
        e->group = e->own_group;
        snc_int4_quantize(e->own, e->own_group, e->own_sw, W, ldw, V, C);
    } else {
        snc_bf16 *to = e->own;
        for (int v = 0; v < V; v++)
            for (int i = 0; i < C; i++) to[(size_t)v * (size_t)C + (size_t)i] = snc_bf16_from_f32(W[(size_t)v * (size_t)ldw + (size_t)i]);
    }
out:
    if (err != SNC_OK) {
        snc_embed_free(e);
        *out = NULL;
    }
    return err;
}

snc_err snc_embed_view(snc_embed **out, snc_dtype dtype, const void *data, const uint8_t *group, const float *sw, int V, int C)
{
    SNC_TRY(init(out, dtype, V, C));
    (*out)->data = data;
    (*out)->group = group;
    (*out)->sw = sw;
    return SNC_OK;
}

void snc_embed_free(snc_embed *e)
{
    if (!e) return;
    snc_free(e->own);
    snc_free(e->own_group);
    snc_free(e->own_sw);
    snc_free(e);
}

static const char *row_of(const snc_embed *e, int id) { return (const char *)e->data + (size_t)id * e->ld; }

static const uint8_t *group_of(const snc_embed *e, int id) { return e->group + (size_t)id * snc_int4_group_bytes(e->C); }

static void read_row(float *y, const snc_embed *e, int id, int c, bool add)
{
    assert(id >= 0 && id < e->V && c >= 1 && c <= e->C);
    enum { PIECE = 512 }; /* expanded at a time: a whole number of bytes of multipliers */
    float scale = e->sw ? e->sw[id] : 1.0f;
    if (e->dtype != SNC_I4) {
        e->decode(y, row_of(e, id), scale, c, add);
        return;
    }
    int8_t q[PIECE];
    const uint8_t *data = (const uint8_t *)row_of(e, id), *group = group_of(e, id);
    for (int i = 0; i < c; i += PIECE) {
        int n = c - i < PIECE ? c - i : PIECE;
        snc_int4_expand(q, data + snc_int4_data_bytes(i), group + i / (2 * SNC_INT4_GROUP), n);
        e->decode(y + i, q, scale, n, add);
    }
}

void snc_embed_row(float *y, const snc_embed *e, int id, int c) { read_row(y, e, id, c, false); }

void snc_embed_add_row(float *y, const snc_embed *e, int id, int c) { read_row(y, e, id, c, true); }

size_t snc_embed_bytes(const snc_embed *e, int c)
{
    size_t row = row_bytes(e->dtype, c);
    if (e->dtype == SNC_I8 || e->dtype == SNC_I4) row += sizeof(float);
    if (e->dtype == SNC_I4) row += snc_int4_group_bytes(c);
    return (size_t)e->V * row;
}

void snc_embed_unpack(void *data, uint8_t *group, float *sw, const snc_embed *e, int c)
{
    assert(c >= 1 && c <= e->C);
    size_t bytes = row_bytes(e->dtype, c), groups = snc_int4_group_bytes(c);
    for (int v = 0; v < e->V; v++) memcpy((char *)data + (size_t)v * bytes, row_of(e, v), bytes);
    if (e->dtype == SNC_I8 || e->dtype == SNC_I4) memcpy(sw, e->sw, (size_t)e->V * sizeof *sw);
    for (int v = 0; v < e->V && e->dtype == SNC_I4; v++) {
        memcpy(group + (size_t)v * groups, group_of(e, v), groups);
        if (c / SNC_INT4_GROUP % 2) group[(size_t)(v + 1) * groups - 1] &= 15; /* no multiplier of a column that is cut off */
    }
}
