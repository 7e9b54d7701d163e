/* An ONNX file read back by its schema and computed in double precision, node by node: a second reading of what src/interop writes.
 * It knows the operations that are written, by ONNX's own description of them, and ends the test on any other.
 */
#ifndef SNC_TESTS_ONNX_EVAL_H
#define SNC_TESTS_ONNX_EVAL_H

#include <math.h>
#include <onnx/onnx.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"

enum { ONNX_RANK = 4, ONNX_VALUES = 8192 };

typedef struct onnx_value {
    const char *name;
    int rank, type; /* of TensorProto.DataType; 0: made by a node */
    int64_t dims[ONNX_RANK];
    double *v;
} onnx_value;

typedef struct onnx_eval {
    Onnx__ModelProto *model;
    const Onnx__NodeProto *node; /* the present one */
    char *beside;                /* bytes of the file of large tensors, or NULL */
    onnx_value value[ONNX_VALUES];
    int n, constants;
} onnx_eval;

#define ONNX_MUST(cond, ...)              \
    do {                                  \
        if (!(cond)) {                    \
            fprintf(stderr, __VA_ARGS__); \
            fprintf(stderr, " (onnx)\n"); \
            abort();                      \
        }                                 \
    } while (0)

static inline int64_t onnx_size(const onnx_value *x)
{
    int64_t n = 1;
    for (int i = 0; i < x->rank; i++) n *= x->dims[i];
    return n;
}

static inline onnx_value *onnx_add(onnx_eval *e, const char *name, int rank, const int64_t *dims)
{
    ONNX_MUST(e->n < ONNX_VALUES && rank <= ONNX_RANK, "%s: rank %d", name, rank);
    onnx_value *x = &e->value[e->n++];
    *x = (onnx_value){.name = name, .rank = rank};
    for (int i = 0; i < rank; i++) x->dims[i] = dims[i];
    x->v = calloc((size_t)onnx_size(x) + 1, sizeof *x->v);
    return x;
}

static inline const onnx_value *onnx_find(const onnx_eval *e, const char *name)
{
    int i = e->n - 1;
    while (i >= 0 && strcmp(e->value[i].name, name) != 0) i--;
    ONNX_MUST(i >= 0, "no value '%s'", name);
    return &e->value[i];
}

static inline const onnx_value *onnx_in(const onnx_eval *e, size_t i)
{
    ONNX_MUST(i < e->node->n_input, "%s has no input %zu", e->node->op_type, i);
    return onnx_find(e, e->node->input[i]);
}

static inline onnx_value *onnx_out(onnx_eval *e, size_t i, int rank, const int64_t *dims)
{
    return onnx_add(e, e->node->output[i], rank, dims);
}

static inline const Onnx__AttributeProto *onnx_attribute_of(const onnx_eval *e, const char *name)
{
    for (size_t i = 0; i < e->node->n_attribute; i++)
        if (strcmp(e->node->attribute[i]->name, name) == 0) return e->node->attribute[i];
    return NULL;
}

static inline int onnx_int(const onnx_eval *e, const char *name, int otherwise)
{
    const Onnx__AttributeProto *a = onnx_attribute_of(e, name);
    return a ? (int)a->i : otherwise;
}

/* An axis from the front. */
static inline int onnx_axis(const onnx_eval *e, int otherwise, int rank)
{
    int axis = onnx_int(e, "axis", otherwise);
    return axis < 0 ? axis + rank : axis;
}

/* Elements before and behind an axis. */
static inline void onnx_around(int64_t *before, int64_t *behind, const onnx_value *x, int axis)
{
    *before = *behind = 1;
    for (int i = 0; i < axis; i++) *before *= x->dims[i];
    for (int i = axis + 1; i < x->rank; i++) *behind *= x->dims[i];
}

/* ---- elementwise -------------------------------------------------------------------------------------------------- */

static inline double onnx_of_one(const char *op, double x)
{
    if (strcmp(op, "Erf") == 0) return erf(x);
    if (strcmp(op, "Tanh") == 0) return tanh(x);
    if (strcmp(op, "Relu") == 0) return x > 0 ? x : 0;
    return strcmp(op, "Abs") == 0 ? fabs(x) : x; /* Cast, Identity */
}

static inline double onnx_of_two(const char *op, double a, double b)
{
    switch (*op) {
    case 'A': return a + b;
    case 'S': return a - b;
    case 'M': return a * b;
    case 'D': return a / b;
    default: return a > b; /* Greater */
    }
}

static inline void onnx_map(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0);
    onnx_value *y = onnx_out(e, 0, x->rank, x->dims);
    for (int64_t i = 0; i < onnx_size(x); i++) y->v[i] = onnx_of_one(e->node->op_type, x->v[i]);
}

/* Where element `at` of a larger shape stands in x, whose dimensions of 1 are repeated. */
static inline int64_t onnx_place(const onnx_value *x, const onnx_value *of, int64_t at)
{
    int64_t place = 0, step = 1;
    for (int i = of->rank - 1, k = x->rank - 1; i >= 0; i--, k--) {
        int64_t c = at % of->dims[i];
        at /= of->dims[i];
        if (k < 0) continue;
        ONNX_MUST(x->dims[k] == 1 || x->dims[k] == of->dims[i], "%s: %s does not spread", x->name, of->name);
        if (x->dims[k] > 1) place += c * step;
        step *= x->dims[k];
    }
    return place;
}

static inline void onnx_pairs(onnx_eval *e)
{
    const onnx_value *a = onnx_in(e, 0), *b = onnx_in(e, 1);
    int64_t dims[ONNX_RANK];
    int rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 0; i < rank; i++) {
        int ia = i - (rank - a->rank), ib = i - (rank - b->rank);
        int64_t da = ia < 0 ? 1 : a->dims[ia], db = ib < 0 ? 1 : b->dims[ib];
        dims[i] = da > db ? da : db;
    }
    onnx_value *y = onnx_out(e, 0, rank, dims);
    for (int64_t i = 0; i < onnx_size(y); i++)
        y->v[i] = onnx_of_two(e->node->op_type, a->v[onnx_place(a, y, i)], b->v[onnx_place(b, y, i)]);
}

/* ---- shapes ------------------------------------------------------------------------------------------------------- */

static inline void onnx_same_values(onnx_eval *e, int rank, const int64_t *dims)
{
    const onnx_value *x = onnx_in(e, 0);
    onnx_value *y = onnx_out(e, 0, rank, dims);
    ONNX_MUST(onnx_size(x) == onnx_size(y), "%s: of another size", e->node->name);
    memcpy(y->v, x->v, (size_t)onnx_size(x) * sizeof *x->v);
}

static inline void onnx_reshape(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0), *to = onnx_in(e, 1);
    int64_t dims[ONNX_RANK];
    for (int i = 0; i < (int)to->dims[0]; i++) dims[i] = to->v[i] == 0 ? x->dims[i] : (int64_t)to->v[i];
    onnx_same_values(e, (int)to->dims[0], dims);
}

static inline void onnx_squeeze(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0);
    int64_t dims[ONNX_RANK];
    int axis = (int)onnx_in(e, 1)->v[0], rank = 0;
    ONNX_MUST(onnx_size(onnx_in(e, 1)) == 1 && x->dims[axis] == 1, "%s: not of 1", e->node->name);
    for (int i = 0; i < x->rank; i++)
        if (i != axis) dims[rank++] = x->dims[i];
    onnx_same_values(e, rank, dims);
}

static inline void onnx_unsqueeze(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0), *axes = onnx_in(e, 1);
    int64_t dims[ONNX_RANK];
    int rank = x->rank + (int)onnx_size(axes);
    for (int i = 0, from = 0; i < rank; i++) {
        bool added = false;
        for (int64_t k = 0; k < onnx_size(axes); k++) added = added || (int)axes->v[k] == i;
        dims[i] = added ? 1 : x->dims[from++];
    }
    onnx_same_values(e, rank, dims);
}

static inline void onnx_shape(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0);
    int begin = onnx_int(e, "start", 0), end = onnx_int(e, "end", x->rank);
    int64_t n = end - begin;
    onnx_value *y = onnx_out(e, 0, 1, &n);
    for (int i = begin; i < end; i++) y->v[i - begin] = (double)x->dims[i];
}

static inline void onnx_transpose(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0);
    const Onnx__AttributeProto *perm = onnx_attribute_of(e, "perm");
    int64_t dims[ONNX_RANK], step[ONNX_RANK];
    for (int i = x->rank - 1; i >= 0; i--) step[i] = i == x->rank - 1 ? 1 : step[i + 1] * x->dims[i + 1];
    for (int i = 0; i < x->rank; i++) dims[i] = x->dims[perm->ints[i]];
    onnx_value *y = onnx_out(e, 0, x->rank, dims);
    for (int64_t i = 0; i < onnx_size(y); i++) {
        int64_t at = i, from = 0;
        for (int k = x->rank - 1; k >= 0; at /= dims[k], k--) from += at % dims[k] * step[perm->ints[k]];
        y->v[i] = x->v[from];
    }
}

static inline void onnx_slice(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0);
    int64_t dims[ONNX_RANK], before, behind, begin = (int64_t)onnx_in(e, 1)->v[0], end = (int64_t)onnx_in(e, 2)->v[0];
    int axis = (int)onnx_in(e, 3)->v[0];
    memcpy(dims, x->dims, sizeof dims);
    if (end > x->dims[axis]) end = x->dims[axis];
    dims[axis] = end - begin;
    onnx_around(&before, &behind, x, axis);
    onnx_value *y = onnx_out(e, 0, x->rank, dims);
    for (int64_t b = 0; b < before; b++)
        memcpy(y->v + b * dims[axis] * behind, x->v + (b * x->dims[axis] + begin) * behind, (size_t)(dims[axis] * behind) * sizeof *x->v);
}

static inline void onnx_concat(onnx_eval *e)
{
    const onnx_value *a = onnx_in(e, 0), *b = onnx_in(e, 1);
    int64_t dims[ONNX_RANK], before, na, nb;
    int axis = onnx_axis(e, 0, a->rank);
    ONNX_MUST(axis == a->rank - 1, "%s: axis %d", e->node->name, axis);
    memcpy(dims, a->dims, sizeof dims);
    na = a->dims[axis], nb = b->dims[axis];
    dims[axis] = na + nb;
    onnx_value *y = onnx_out(e, 0, a->rank, dims);
    before = onnx_size(y) / (na + nb);
    for (int64_t i = 0; i < before; i++) {
        memcpy(y->v + i * (na + nb), a->v + i * na, (size_t)na * sizeof *a->v);
        memcpy(y->v + i * (na + nb) + na, b->v + i * nb, (size_t)nb * sizeof *b->v);
    }
}

static inline void onnx_range(onnx_eval *e)
{
    int64_t n = (int64_t)(onnx_in(e, 1)->v[0] - onnx_in(e, 0)->v[0]);
    ONNX_MUST(onnx_in(e, 1)->rank == 0 && onnx_in(e, 2)->v[0] == 1, "%s", e->node->name);
    onnx_value *y = onnx_out(e, 0, 1, &n);
    for (int64_t i = 0; i < n; i++) y->v[i] = onnx_in(e, 0)->v[0] + (double)i;
}

static inline void onnx_expand(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0), *shape = onnx_in(e, 1);
    int64_t dims[ONNX_RANK];
    for (int64_t i = 0; i < onnx_size(shape); i++) dims[i] = (int64_t)shape->v[i];
    onnx_value *y = onnx_out(e, 0, (int)onnx_size(shape), dims);
    for (int64_t i = 0; i < onnx_size(y); i++) y->v[i] = x->v[onnx_place(x, y, i)];
}

/* ---- lookups ------------------------------------------------------------------------------------------------------ */

static inline void onnx_gather(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0), *at = onnx_in(e, 1);
    int axis = onnx_axis(e, 0, x->rank), rank = 0;
    int64_t dims[2 * ONNX_RANK], before, behind, n = onnx_size(at);
    for (int i = 0; i < axis; i++) dims[rank++] = x->dims[i];
    for (int i = 0; i < at->rank; i++) dims[rank++] = at->dims[i];
    for (int i = axis + 1; i < x->rank; i++) dims[rank++] = x->dims[i];
    onnx_around(&before, &behind, x, axis);
    onnx_value *y = onnx_out(e, 0, rank, dims);
    for (int64_t b = 0; b < before; b++)
        for (int64_t i = 0; i < n; i++) {
            ONNX_MUST(at->v[i] >= 0 && at->v[i] < (double)x->dims[axis], "%s: index %g", e->node->name, at->v[i]);
            memcpy(y->v + (b * n + i) * behind, x->v + (b * x->dims[axis] + (int64_t)at->v[i]) * behind, (size_t)behind * sizeof *x->v);
        }
}

static inline void onnx_gather_elements(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0), *at = onnx_in(e, 1);
    int axis = onnx_axis(e, 0, x->rank), most = x->rank - 1;
    onnx_value *y = onnx_out(e, 0, at->rank, at->dims);
    for (int64_t i = 0; i < onnx_size(y); i++) {
        int64_t c[ONNX_RANK], rest = i, from = 0;
        for (int k = most; k >= 0; rest /= at->dims[k], k--) c[k] = rest % at->dims[k];
        c[axis] = (int64_t)at->v[i];
        for (int k = 0; k <= most; k++) {
            int64_t place = x->dims[k] == 1 ? 0 : c[k];
            ONNX_MUST(place < x->dims[k], "%s: index %lld", e->node->name, (long long)place);
            from = from * x->dims[k] + place;
        }
        y->v[i] = x->v[from];
    }
}

/* ---- products and norms ------------------------------------------------------------------------------------------- */

/* Batches of the second are as many as those of the first, or one for all. */
static inline void onnx_matmul(onnx_eval *e, double zero)
{
    const onnx_value *a = onnx_in(e, 0), *b = onnx_in(e, 1), *of = a->rank >= b->rank ? a : b;
    int64_t dims[ONNX_RANK], M = a->dims[a->rank - 2], K = a->dims[a->rank - 1], N = b->dims[b->rank - 1];
    memcpy(dims, of->dims, sizeof dims);
    for (int i = 0; i < of->rank - 2; i++) { /* one batch, or as many as the other has */
        int ia = i - (of->rank - a->rank), ib = i - (of->rank - b->rank);
        if (ia >= 0 && a->dims[ia] > dims[i]) dims[i] = a->dims[ia];
        if (ib >= 0 && b->dims[ib] > dims[i]) dims[i] = b->dims[ib];
    }
    dims[of->rank - 2] = M;
    dims[of->rank - 1] = N;
    ONNX_MUST(K == b->dims[b->rank - 2], "%s: %lld inputs", e->node->name, (long long)K);
    onnx_value *y = onnx_out(e, 0, of->rank, dims);
    int64_t batches = onnx_size(y) / (M * N), of_a = onnx_size(a) / (M * K), of_b = onnx_size(b) / (K * N);
    for (int64_t i = 0; i < batches; i++) {
        const double *x = a->v + i % of_a * M * K, *w = b->v + i % of_b * K * N;
        double *to = y->v + i * M * N;
        for (int64_t m = 0; m < M; m++)
            for (int64_t k = 0; k < K; k++)
                for (int64_t n = 0; n < N; n++) to[m * N + n] += (x[m * K + k] - zero) * w[k * N + n];
    }
}

static inline void onnx_softmax(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0);
    onnx_value *y = onnx_out(e, 0, x->rank, x->dims);
    int64_t n = x->dims[x->rank - 1];
    for (int64_t r = 0; r < onnx_size(x); r += n) {
        double max = x->v[r], sum = 0;
        for (int64_t i = 0; i < n; i++) max = fmax(max, x->v[r + i]);
        for (int64_t i = 0; i < n; i++) sum += y->v[r + i] = exp(x->v[r + i] - max);
        for (int64_t i = 0; i < n; i++) y->v[r + i] /= sum;
    }
}

static inline void onnx_norm(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0), *g = onnx_in(e, 1), *b = onnx_in(e, 2);
    const double eps = (double)onnx_attribute_of(e, "epsilon")->f;
    onnx_value *y = onnx_out(e, 0, x->rank, x->dims);
    int64_t n = x->dims[x->rank - 1];
    for (int64_t r = 0; r < onnx_size(x); r += n) {
        double mean = 0, var = 0;
        for (int64_t i = 0; i < n; i++) mean += x->v[r + i] / (double)n;
        for (int64_t i = 0; i < n; i++) var += (x->v[r + i] - mean) * (x->v[r + i] - mean) / (double)n;
        for (int64_t i = 0; i < n; i++) y->v[r + i] = (x->v[r + i] - mean) / sqrt(var + eps) * g->v[i] + b->v[i];
    }
}

static inline void onnx_sum(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0);
    int axis = (int)onnx_in(e, 1)->v[0], rank = 0;
    int64_t dims[ONNX_RANK], before, behind;
    ONNX_MUST(onnx_int(e, "keepdims", 1) == 0, "%s: keepdims", e->node->name);
    for (int i = 0; i < x->rank; i++)
        if (i != axis) dims[rank++] = x->dims[i];
    onnx_around(&before, &behind, x, axis);
    onnx_value *y = onnx_out(e, 0, rank, dims);
    for (int64_t i = 0; i < before * x->dims[axis]; i++)
        for (int64_t k = 0; k < behind; k++) y->v[i / x->dims[axis] * behind + k] += x->v[i * behind + k];
}

/* To bytes 0 .. 255, which 0 is among. */
static inline void onnx_quantize(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0);
    double min = 0, max = 0;
    for (int64_t i = 0; i < onnx_size(x); i++) min = fmin(min, x->v[i]), max = fmax(max, x->v[i]);
    onnx_value *y = onnx_out(e, 0, x->rank, x->dims), *scale = onnx_out(e, 1, 0, NULL), *zero = onnx_out(e, 2, 0, NULL);
    scale->v[0] = (double)(float)((max - min) / 255);
    zero->v[0] = fmin(255, fmax(0, nearbyint(-min / scale->v[0])));
    for (int64_t i = 0; i < onnx_size(x); i++) y->v[i] = fmin(255, fmax(0, nearbyint(x->v[i] / scale->v[0]) + zero->v[0]));
}

/* A column has a scale. */
static inline void onnx_dequantize(onnx_eval *e)
{
    const onnx_value *x = onnx_in(e, 0), *scale = onnx_in(e, 1);
    ONNX_MUST(onnx_int(e, "axis", 1) == 1 && x->rank == 2 && scale->dims[0] == x->dims[1], "%s", e->node->name);
    onnx_value *y = onnx_out(e, 0, 2, x->dims);
    for (int64_t i = 0; i < onnx_size(x); i++) y->v[i] = x->v[i] * scale->v[i % x->dims[1]];
}

/* ---- the graph ---------------------------------------------------------------------------------------------------- */

static inline void onnx_dispatch(onnx_eval *e)
{
    static const struct {
        const char *op;
        void (*fn)(onnx_eval *e);
    } table[] = {{"Add", onnx_pairs},
                 {"Sub", onnx_pairs},
                 {"Mul", onnx_pairs},
                 {"Div", onnx_pairs},
                 {"Greater", onnx_pairs},
                 {"Erf", onnx_map},
                 {"Tanh", onnx_map},
                 {"Relu", onnx_map},
                 {"Abs", onnx_map},
                 {"Cast", onnx_map},
                 {"Identity", onnx_map},
                 {"Reshape", onnx_reshape},
                 {"Squeeze", onnx_squeeze},
                 {"Unsqueeze", onnx_unsqueeze},
                 {"Shape", onnx_shape},
                 {"Transpose", onnx_transpose},
                 {"Slice", onnx_slice},
                 {"Concat", onnx_concat},
                 {"Range", onnx_range},
                 {"Expand", onnx_expand},
                 {"Gather", onnx_gather},
                 {"GatherElements", onnx_gather_elements},
                 {"Softmax", onnx_softmax},
                 {"LayerNormalization", onnx_norm},
                 {"ReduceSum", onnx_sum},
                 {"DynamicQuantizeLinear", onnx_quantize},
                 {"DequantizeLinear", onnx_dequantize}};
    const char *op = e->node->op_type;
    if (strcmp(op, "MatMul") == 0) onnx_matmul(e, 0);
    else if (strcmp(op, "MatMulInteger") == 0) onnx_matmul(e, onnx_in(e, 2)->v[0]);
    else {
        size_t i = 0, n = sizeof table / sizeof *table;
        while (i < n && strcmp(table[i].op, op) != 0) i++;
        ONNX_MUST(i < n, "unknown operation %s", op);
        table[i].fn(e);
    }
}

/* Of TensorProto.DataType FLOAT, INT8 and INT64, little endian. */
static inline double onnx_number(const unsigned char *p, int type, int64_t i)
{
    float f;
    int64_t whole;
    if (type == ONNX__TENSOR_PROTO__DATA_TYPE__INT8) return (signed char)p[i];
    if (type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT) return memcpy(&f, p + 4 * i, sizeof f), (double)f;
    ONNX_MUST(type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64, "data type %d", type);
    return memcpy(&whole, p + 8 * i, sizeof whole), (double)whole;
}

static inline void onnx_constant(onnx_eval *e, const Onnx__TensorProto *t)
{
    onnx_value *x = onnx_add(e, t->name, (int)t->n_dims, t->dims);
    const unsigned char *p = t->raw_data.data;
    x->type = t->data_type;
    size_t width = t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ? 4 : t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT8 ? 1 : 8;
    if (t->n_external_data) {
        ONNX_MUST(e->beside && strcmp(t->external_data[1]->key, "offset") == 0, "%s lies elsewhere", t->name);
        p = (unsigned char *)e->beside + atoll(t->external_data[1]->value);
    } else {
        ONNX_MUST(t->raw_data.len == (size_t)onnx_size(x) * width, "%s has %zu bytes", t->name, t->raw_data.len);
    }
    for (int64_t i = 0; i < onnx_size(x); i++) x->v[i] = onnx_number(p, t->data_type, i);
}

static inline onnx_eval *onnx_open(const char *path)
{
    onnx_eval *e = calloc(1, sizeof *e);
    char *bytes, beside[1024];
    size_t n;
    ONNX_MUST(snc_file_read(&bytes, &n, path) == SNC_OK, "%s", path);
    e->model = onnx__model_proto__unpack(NULL, n, (uint8_t *)bytes);
    snc_free(bytes);
    ONNX_MUST(e->model && e->model->graph, "%s is no model", path);
    snprintf(beside, sizeof beside, "%s_data", path);
    if (snc_is_file(beside)) ONNX_MUST(snc_file_read(&e->beside, &n, beside) == SNC_OK, "%s", beside);
    for (size_t i = 0; i < e->model->graph->n_initializer; i++) onnx_constant(e, e->model->graph->initializer[i]);
    e->constants = e->n;
    return e;
}

/* Values of the inputs were added by name; the graph's first output. */
static inline const onnx_value *onnx_run(onnx_eval *e)
{
    for (size_t i = 0; i < e->model->graph->n_node; i++) {
        e->node = e->model->graph->node[i];
        onnx_dispatch(e);
    }
    return onnx_find(e, e->model->graph->output[0]->name);
}

/* Constants stay. */
static inline void onnx_forget(onnx_eval *e)
{
    while (e->n > e->constants) free(e->value[--e->n].v);
}

static inline void onnx_close(onnx_eval *e)
{
    e->constants = 0;
    onnx_forget(e);
    onnx__model_proto__free_unpacked(e->model, NULL);
    snc_free(e->beside);
    free(e);
}

/* How many nodes of the graph are of an operation. */
static inline int onnx_count(const onnx_eval *e, const char *op)
{
    int n = 0;
    for (size_t i = 0; i < e->model->graph->n_node; i++) n += strcmp(e->model->graph->node[i]->op_type, op) == 0;
    return n;
}

#endif
