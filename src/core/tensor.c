/* Sizes that come from files are multiplied under a bound; lists are sorted by name once and searched by bisection. */
#include "core/tensor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

bool snc_tensor_is(const snc_tensor *t, int rank, int64_t d0, int64_t d1)
{
    return t->rank == rank && t->shape[0] == d0 && (rank < 2 || t->shape[1] == d1);
}

const char *snc_shape_text(char buf[SNC_SHAPE_TEXT], const int64_t *shape, int rank)
{
    size_t n = (size_t)snprintf(buf, SNC_SHAPE_TEXT, "[");
    for (int i = 0; i < rank; i++) n += (size_t)snprintf(buf + n, SNC_SHAPE_TEXT - n, "%s%" PRId64, i ? ", " : "", shape[i]);
    snprintf(buf + n, SNC_SHAPE_TEXT - n, "]");
    return buf;
}

bool snc_shape_bytes(size_t *out, const int64_t *shape, int rank, size_t width)
{
    const uint64_t limit = (uint64_t)1 << 62;
    uint64_t n = width;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0) return false;
        uint64_t d = (uint64_t)shape[i];
        if (d != 0 && n > limit / d) return false;
        n *= d;
    }
    *out = (size_t)n;
    return true;
}

bool snc_tensor_is_float(const snc_tensor *t)
{
    return t->dtype == SNC_F32 || t->dtype == SNC_F16 || t->dtype == SNC_BF16 || t->dtype == SNC_F64;
}

static void from_half(float *out, const snc_tensor *t, size_t n)
{
    const unsigned char *p = t->data;
    for (size_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, p + 2 * i, sizeof h);
        out[i] = t->dtype == SNC_F16 ? snc_f16_to_f32(h) : snc_bf16_to_f32(h);
    }
}

static void from_double(float *out, const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double d;
        memcpy(&d, p + 8 * i, sizeof d);
        out[i] = (float)d;
    }
}

snc_err snc_tensor_to_f32(float *out, const snc_tensor *t)
{
    SNC_CHECK(snc_tensor_is_float(t), SNC_E_UNSUPPORTED, "tensor '%s' has dtype %s, expected F32, F16, BF16 or F64", t->name,
              t->dtype_name);
    size_t n = t->bytes / (size_t)(snc_dtype_get(t->dtype)->bits / 8);
    if (t->dtype == SNC_F64) from_double(out, t->data, n);
    else if (t->dtype != SNC_F32) from_half(out, t, n);
    else if (n) memcpy(out, t->data, n * sizeof(float));
    uint32_t bad = 0; /* becomes 1 for an exponent of all ones */
    for (size_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, &out[i], sizeof u);
        bad |= (u & 0x7f800000u) == 0x7f800000u;
    }
    SNC_CHECK(!bad, SNC_E_FORMAT, "tensor '%s' holds NaN or infinity", t->name);
    return SNC_OK;
}

static int by_name(const void *a, const void *b)
{
    const snc_tensor *x = a, *y = b;
    return strcmp(x->name, y->name);
}

void snc_tensors_sort(snc_tensor *list, int n)
{
    if (n > 1) qsort(list, (size_t)n, sizeof *list, by_name);
}

const snc_tensor *snc_tensors_find(const snc_tensor *list, int n, const char *name)
{
    snc_tensor key = {.name = name};
    return n > 0 ? bsearch(&key, list, (size_t)n, sizeof *list, by_name) : NULL;
}
