/* Linears and tables of a file, by form: f32 values, or the file's own integers. */
#include "interop/onnx_net_priv.h"

#ifdef SNC_WITH_ONNX

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "quant/int4.h"

/* Of a matrix: which rows of it, turned or as they are, as what. */
typedef struct view {
    snc_matrix_view m;
    int row, step;
} view;

static bool has_integers(const snc_matrix_view *m) { return m->dtype == SNC_I8 || m->dtype == SNC_I4; }

/* The first k integers of a row. */
static void integers_of(int8_t *to, const snc_matrix_view *m, int row, int k)
{
    const size_t ld = (size_t)m->ld, r = (size_t)row;
    if (m->dtype == SNC_I8) memcpy(to, (const int8_t *)m->data + r * ld, (size_t)k);
    else snc_int4_expand(to, (const uint8_t *)m->data + r * snc_int4_data_bytes(m->ld), m->group + r * snc_int4_group_bytes(m->ld), k);
}

/* Columns [begin, begin + n) of a row, in f32. */
static void values_of(float *to, const snc_matrix_view *m, int row, int begin, int n, int8_t *room /* [m->ld] */)
{
    const size_t at = (size_t)row * (size_t)m->ld + (size_t)begin;
    if (has_integers(m)) {
        integers_of(room, m, row, m->dtype == SNC_I8 ? begin + n : m->cols);
        for (int i = 0; i < n; i++) to[i] = (float)room[begin + i] * m->scale[row];
    } else if (m->dtype == SNC_BF16) {
        for (int i = 0; i < n; i++) to[i] = snc_bf16_to_f32(((const snc_bf16 *)m->data)[at + (size_t)i]);
    } else {
        memcpy(to, (const float *)m->data + at, (size_t)n * sizeof *to);
    }
}

/* Rows of a table. */
static snc_err fill_rows(void *to, const void *payload, int64_t row, int64_t rows)
{
    view v;
    int8_t *room = NULL;
    memcpy(&v, payload, sizeof v);
    SNC_TRY(snc_alloc(&room, (size_t)v.m.ld, 1));
    for (int64_t r = 0; r < rows; r++) values_of((float *)to + r * v.m.cols, &v.m, (int)(row + r), 0, v.m.cols, room);
    snc_free(room);
    return SNC_OK;
}

static snc_err fill_integers(void *to, const void *payload, int64_t row, int64_t rows)
{
    view v;
    memcpy(&v, payload, sizeof v);
    for (int64_t r = 0; r < rows; r++) integers_of((int8_t *)to + r * v.m.cols, &v.m, (int)(row + r), v.m.cols);
    return SNC_OK;
}

static int outputs_of(const view *v) { return (v->m.rows - v->row + v->step - 1) / v->step; }

/* A linear's columns [row, row + rows) as rows: ONNX multiplies by [inputs, outputs]. */
static snc_err fill_turned(void *to, const void *payload, int64_t row, int64_t rows)
{
    view v;
    float *line = NULL;
    int8_t *room = NULL;
    snc_err err = SNC_OK;
    memcpy(&v, payload, sizeof v);
    const int N = outputs_of(&v);
    SNC_GOTO(snc_alloc(&line, (size_t)rows, sizeof *line));
    SNC_GOTO(snc_alloc(&room, (size_t)v.m.ld, 1));
    for (int o = 0; o < N; o++) {
        values_of(line, &v.m, v.row + o * v.step, (int)row, (int)rows, room);
        for (int64_t k = 0; k < rows; k++) ((float *)to)[k * N + o] = line[k];
    }
out:
    snc_free(line);
    snc_free(room);
    return err;
}

static snc_err fill_integers_turned(void *to, const void *payload, int64_t row, int64_t rows)
{
    view v;
    int8_t *room = NULL;
    memcpy(&v, payload, sizeof v);
    const int N = outputs_of(&v);
    SNC_TRY(snc_alloc(&room, (size_t)v.m.ld, 1));
    for (int o = 0; o < N; o++) {
        integers_of(room, &v.m, v.row + o * v.step, v.m.cols);
        for (int64_t k = 0; k < rows; k++) ((int8_t *)to)[k * N + o] = room[row + k];
    }
    snc_free(room);
    return SNC_OK;
}

/* Scales, or a bias, of the rows of a view. */
static snc_err fill_every(void *to, const void *payload, int64_t row, int64_t rows)
{
    struct {
        const float *v;
        int row, step;
    } p;
    memcpy(&p, payload, sizeof p);
    for (int64_t r = 0; r < rows; r++) ((float *)to)[r] = p.v[p.row + (row + r) * p.step];
    return SNC_OK;
}

static snc_value every(snc_onnx__net *n, const char *name, const char *suffix, const float *v, const view *of, bool column)
{
    struct {
        const float *v;
        int row, step;
    } p;
    char text[SNC_PARAM_NAME + 32];
    const int64_t dims[] = {outputs_of(of), 1};
    memset(&p, 0, sizeof p);
    p.v = v;
    p.row = of->row;
    p.step = of->step;
    snprintf(text, sizeof text, "%s%s%s", name, suffix, of->row ? ".gate" : "");
    return snc_onnx_tensor(n->g, text, SNC_ONNX_F32, column ? 2 : 1, dims, fill_every, &p, sizeof p);
}

/* ---- reading the file --------------------------------------------------------------------------------------------- */

static snc_matrix_view matrix_of(char name[SNC_PARAM_NAME], const snc_onnx__net *n, snc_role role, int layer)
{
    snc_matrix_view m = {.rows = 0};
    snc_spec_expand(name, SNC_PARAM_NAME, snc_spec_rows[role].name, layer);
    snc_err err = snc_sncfile_matrix_view(&m, n->f, name); /* checked when the file was opened: what the arch has is there */
    (void)err;
    return m;
}

snc_value snc_onnx__vector(snc_onnx__net *n, snc_role role, int layer)
{
    char name[SNC_PARAM_NAME];
    view v = {.m = matrix_of(name, n, role, layer), .step = 1};
    const float *at = v.m.data;
    v.m.rows = v.m.cols;
    return every(n, name, "", at, &v, false);
}

static snc_value put(snc_onnx__net *n, const char *name, const char *suffix, const view *v, snc_onnx_type t, bool turned)
{
    char text[SNC_PARAM_NAME + 32];
    const int64_t table[] = {v->m.rows, v->m.cols}, linear[] = {v->m.cols, outputs_of(v)};
    snprintf(text, sizeof text, "%s%s%s", name, suffix, v->row ? ".gate" : "");
    snc_onnx_fill fill = t == SNC_ONNX_F32 ? (turned ? fill_turned : fill_rows) : turned ? fill_integers_turned : fill_integers;
    return snc_onnx_tensor(n->g, text, t, 2, turned ? linear : table, fill, v, sizeof *v);
}

/* ---- linears ------------------------------------------------------------------------------------------------------ */

/* x as integers, once for all linears that read it one after another. */
static void quantize(snc_onnx__net *n, snc_value x)
{
    if (n->quantized[0] && strcmp(n->quantized[0], x) == 0) return;
    n->quantized[0] = x;
    n->quantized[1] = snc_onnx_node(n->g, "DynamicQuantizeLinear", SNC_ONNX_PLAIN, 3, 1, &x);
    n->quantized[2] = snc_onnx_also(n->g, n->quantized[1], 1);
    n->quantized[3] = snc_onnx_also(n->g, n->quantized[1], 2);
}

static snc_value product(snc_onnx__net *n, snc_value x, const char *name, const view *v)
{
    if (!has_integers(&v->m) || n->form == SNC_ONNX_FORM_F32) return SNC_OP2(n, "MatMul", x, put(n, name, "", v, SNC_ONNX_F32, true));
    snc_value w = put(n, name, ".integers", v, SNC_ONNX_I8, true), scale = every(n, name, ".scale", v->m.scale, v, false);
    if (n->form == SNC_ONNX_FORM_QDQ) {
        const char *const in[] = {w, scale};
        return SNC_OP2(n, "MatMul", x, snc_onnx_node(n->g, "DequantizeLinear", SNC_WITH_INT("axis", 1), 1, 2, in));
    }
    quantize(n, x);
    snc_value sums = SNC_OP3(n, "MatMulInteger", n->quantized[1], w, n->quantized[3]);
    return SNC_OP2(n, "Mul", snc_onnx__cast(n, sums, SNC_ONNX_F32), SNC_OP2(n, "Mul", n->quantized[2], scale));
}

snc_value snc_onnx__linear(snc_onnx__net *n, snc_value x, snc_role role, int layer, int row, int step)
{
    char name[SNC_PARAM_NAME], bias[SNC_PARAM_NAME];
    view v = {.m = matrix_of(name, n, role, layer), .row = row, .step = step};
    snc_matrix_view b = matrix_of(bias, n, role + 1, layer);
    return SNC_OP2(n, "Add", product(n, x, name, &v), every(n, bias, "", b.data, &v, false));
}

/* ---- tables ------------------------------------------------------------------------------------------------------- */

typedef struct rows_of {
    snc_value values, scale; /* [rows, columns]; [rows, 1], NULL: values are f32 */
} rows_of;

static rows_of table(snc_onnx__net *n, snc_role role)
{
    char name[SNC_PARAM_NAME];
    view v = {.m = matrix_of(name, n, role, 0), .step = 1};
    if (!has_integers(&v.m) || n->form == SNC_ONNX_FORM_F32) return (rows_of){put(n, name, "", &v, SNC_ONNX_F32, false), NULL};
    return (rows_of){put(n, name, ".integers", &v, SNC_ONNX_I8, false), every(n, name, ".scale", v.m.scale, &v, true)};
}

static snc_value unscaled(snc_onnx__net *n, rows_of r)
{
    return r.scale ? SNC_OP2(n, "Mul", snc_onnx__cast(n, r.values, SNC_ONNX_F32), r.scale) : r.values;
}

snc_value snc_onnx__rows(snc_onnx__net *n, snc_role role, snc_value at)
{
    rows_of r = table(n, role);
    if (at) r.values = SNC_OP2(n, "Gather", r.values, at);
    if (at && r.scale) r.scale = SNC_OP2(n, "Gather", r.scale, at);
    return unscaled(n, r);
}

snc_value snc_onnx__rows_from(snc_onnx__net *n, snc_role role, int base)
{
    const int64_t from = base;
    rows_of r = table(n, role);
    snc_value end = base ? SNC_OP2(n, "Add", n->length, snc_onnx_ints(n->g, 1, &from)) : n->length;
    r.values = snc_onnx__slice(n, r.values, 0, base, end);
    if (r.scale) r.scale = snc_onnx__slice(n, r.scale, 0, base, end);
    return unscaled(n, r);
}

#endif
