/* Attention of one layer: what positions and distances do to it by family, softmax, the values. */
#include "interop/onnx_net_priv.h"

#ifdef SNC_WITH_ONNX

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "core/distance.h"
#include "core/relative.h"

/* [batch, tokens, heads D] to [batch, heads, tokens, D], or with `turned` [batch, heads, D, tokens]. */
static snc_value split(snc_onnx__net *n, snc_value x, int heads, bool turned)
{
    const int64_t shape[] = {0, 0, heads, n->c->head_width};
    x = snc_onnx__reshape(n, x, 4, shape);
    return turned ? snc_onnx__transpose(n, x, 0, 2, 3, 1) : snc_onnx__transpose(n, x, 0, 2, 1, 3);
}

/* ---- turned positions --------------------------------------------------------------------------------------------- */

/* cos or sin of the angles of all positions, as core/rotary.h has them. */
static snc_value angles(snc_onnx__net *n, bool local, bool cosine)
{
    const int len = snc_family_length(n->c), half = n->c->head_width / 2;
    const int64_t dims[] = {len, half};
    const double theta = (double)(local ? n->c->local_theta : n->c->theta);
    char name[64];
    float *v = NULL;
    snprintf(name, sizeof name, "%s%s", local ? "local." : "", cosine ? "cos" : "sin");
    if (snc_alloc(&v, (size_t)len * (size_t)half, sizeof *v) != SNC_OK) return snc_onnx_failed(n->g, SNC_E_NOMEM);
    for (int d = 0; d < half; d++) {
        const float frequency = 1.0f / (float)pow(theta, 2.0 * d / n->c->head_width);
        for (int t = 0; t < len; t++) {
            const double angle = (double)((float)t * frequency);
            v[t * half + d] = (float)(cosine ? cos(angle) : sin(angle));
        }
    }
    snc_value all = snc_onnx_copy(n->g, name, SNC_ONNX_F32, 2, dims, v);
    snc_free(v);
    return snc_onnx__slice(n, all, 0, 0, n->length);
}

/* x [batch, heads, sequence, D] by the angle of each position. */
static snc_value turn(snc_onnx__net *n, snc_value x, bool local)
{
    const int64_t half = n->c->head_width / 2, whole = n->c->head_width;
    snc_value cosine = angles(n, local, true), sine = angles(n, local, false);
    snc_value a = snc_onnx__slice(n, x, 3, 0, snc_onnx_ints(n->g, 1, &half));
    snc_value b = snc_onnx__slice(n, x, 3, half, snc_onnx_ints(n->g, 1, &whole));
    const char *const both[] = {SNC_OP2(n, "Sub", SNC_OP2(n, "Mul", a, cosine), SNC_OP2(n, "Mul", b, sine)),
                                SNC_OP2(n, "Add", SNC_OP2(n, "Mul", b, cosine), SNC_OP2(n, "Mul", a, sine))};
    return snc_onnx_node(n->g, "Concat", SNC_WITH_INT("axis", -1), 1, 2, both);
}

/* ---- what distances add ------------------------------------------------------------------------------------------- */

static snc_value apart(snc_onnx__net *n, bool first) { return first ? snc_onnx__first(n, n->apart, 0) : n->apart; }

/* table[key - query + len - 1] of every pair: which bucket that is. */
static snc_value buckets(snc_onnx__net *n, const char *name, const int64_t *of, bool first)
{
    const int len = snc_family_length(n->c);
    const int64_t dims = 2 * len - 1;
    snc_value all = snc_onnx_copy(n->g, name, SNC_ONNX_I64, 1, &dims, of);
    return SNC_OP2(n, "Gather", all, SNC_OP2(n, "Add", apart(n, first), snc_onnx_whole(n->g, len - 1)));
}

/* Biases by distance, [heads, queries, keys]. */
static snc_value relative(snc_onnx__net *n, int l, bool first)
{
    const int len = snc_family_length(n->c);
    const int64_t shape[] = {n->a->heads[l], SNC_RELATIVE_BUCKETS};
    uint8_t *small = NULL;
    int64_t *of = NULL;
    snc_err err = SNC_OK;
    snc_value at = "";
    SNC_GOTO(snc_alloc(&small, 2 * (size_t)len, sizeof *small));
    SNC_GOTO(snc_alloc(&of, 2 * (size_t)len, sizeof *of));
    snc_relative_buckets(small, len);
    for (int i = 0; i < 2 * len - 1; i++) of[i] = small[i];
    at = buckets(n, "relative.buckets", of, first);
out:
    snc_free(small);
    snc_free(of);
    if (err) return snc_onnx_failed(n->g, err);
    const char *const in[] = {snc_onnx__reshape(n, snc_onnx__vector(n, SNC_ROLE_RELATIVE, l), 2, shape), at};
    return snc_onnx_node(n->g, "Gather", SNC_WITH_INT("axis", 1), 1, 2, in);
}

/* 0 for keys of a window, else never: [queries, keys]. */
static snc_value window(snc_onnx__net *n, bool first)
{
    snc_value far = SNC_OP2(n, "Greater", SNC_OP1(n, "Abs", apart(n, first)), snc_onnx_whole(n->g, n->c->window));
    return snc_onnx__scaled(n, snc_onnx__cast(n, far, SNC_ONNX_F32), SNC_ONNX__NEVER);
}

/* The rows of the table of distances through a layer's own keys or queries: [heads, D, rows], or [heads, rows, D]. */
static snc_value of_distances(snc_onnx__net *n, snc_role role, int l, bool turned)
{
    const int64_t shape[] = {0, n->a->heads[l], n->c->head_width};
    snc_value r = snc_onnx__norm(n, snc_onnx__rows(n, SNC_ROLE_DISTANCE, NULL), SNC_ROLE_DISTANCE_NORM, 0);
    r = snc_onnx__reshape(n, snc_onnx__linear(n, r, role, l, 0, 1), 3, shape);
    return turned ? snc_onnx__transpose(n, r, 1, 2, 0, -1) : snc_onnx__transpose(n, r, 1, 0, 2, -1);
}

/* To scores [batch, heads, queries, keys] what a query finds in a distance and a distance asks of a key; q is scaled already. */
static snc_value distances(snc_onnx__net *n, snc_value scores, snc_value q, snc_value k, int l, bool first, float scale)
{
    const int len = snc_family_length(n->c), reach = n->c->buckets;
    int16_t *small = NULL;
    int64_t *of = NULL;
    snc_err err = SNC_OK;
    snc_value at = "";
    SNC_GOTO(snc_alloc(&small, 2 * (size_t)len, sizeof *small));
    SNC_GOTO(snc_alloc(&of, 2 * (size_t)len, sizeof *of));
    snc_distance_buckets(small, len, reach, n->c->positions);
    for (int i = 0; i < 2 * len - 1; i++) of[i] = reach + small[2 * len - 2 - i]; /* of query less key */
    at = SNC_OP2(n, "Expand", buckets(n, "distance.buckets", of, first), SNC_OP1(n, "Shape", scores));
out:
    snc_free(small);
    snc_free(of);
    if (err) return snc_onnx_failed(n->g, err);
    const char *const keys[] = {SNC_OP2(n, "MatMul", q, of_distances(n, SNC_ROLE_K, l, true)), at};
    snc_value asked = snc_onnx__scaled(n, of_distances(n, SNC_ROLE_Q, l, false), scale);
    const char *const queries[] = {SNC_OP2(n, "MatMul", asked, k), at};
    scores = SNC_OP2(n, "Add", scores, snc_onnx_node(n->g, "GatherElements", SNC_WITH_INT("axis", 3), 1, 2, keys));
    return SNC_OP2(n, "Add", scores, snc_onnx_node(n->g, "GatherElements", SNC_WITH_INT("axis", 2), 1, 2, queries));
}

/* ---- one layer ---------------------------------------------------------------------------------------------------- */

snc_value snc_onnx__attention(snc_onnx__net *n, snc_value x, int l, bool first)
{
    const int heads = n->a->heads[l], D = n->c->head_width;
    const bool local = snc_is_local(n->c, l), rotary = n->family->rotary;
    const float scale = 1.0f / sqrtf((float)(D * (n->c->buckets ? SNC_DISTANCE_PARTS : 1)));
    const int64_t shape[] = {0, 0, (int64_t)heads * D};
    snc_value k = split(n, snc_onnx__linear(n, x, SNC_ROLE_K, l, 0, 1), heads, !rotary);
    snc_value v = split(n, snc_onnx__linear(n, x, SNC_ROLE_V, l, 0, 1), heads, false);
    snc_value q = split(n, snc_onnx__linear(n, first ? snc_onnx__first(n, x, 1) : x, SNC_ROLE_Q, l, 0, 1), heads, false);
    if (rotary) k = snc_onnx__transpose(n, turn(n, k, local), 0, 1, 3, 2);
    if (rotary && !first) q = turn(n, q, local); /* a first token stays as it is */
    q = snc_onnx__scaled(n, q, scale);
    snc_value scores = SNC_OP2(n, "MatMul", q, k);
    if (n->c->buckets) scores = distances(n, scores, q, k, l, first, scale);
    if (snc_family_has(n->family, SNC_ROLE_RELATIVE)) scores = SNC_OP2(n, "Add", scores, relative(n, l, first));
    if (local) scores = SNC_OP2(n, "Add", scores, window(n, first));
    scores = SNC_OP2(n, "Add", scores, n->seen);
    snc_value p = snc_onnx_node(n->g, "Softmax", SNC_WITH_INT("axis", -1), 1, 1, &scores);
    return snc_onnx__reshape(n, snc_onnx__transpose(n, SNC_OP2(n, "MatMul", p, v), 0, 2, 1, 3), 3, shape);
}

#endif
