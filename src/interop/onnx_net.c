/* Embeddings, layers and head as nodes, in the order of models/MODEL.md. */
#include "interop/onnx_net_priv.h"

#include <math.h>

static const char *const names[] = {"f32", "int8", "qdq"};
const char *snc_onnx_form_name(int form) { return form >= 0 && form < SNC_ONNX_FORMS ? names[form] : NULL; }

#ifdef SNC_WITH_ONNX

/* ---- sugar -------------------------------------------------------------------------------------------------------- */

snc_value snc_onnx__reshape(snc_onnx__net *n, snc_value x, int rank, const int64_t *shape)
{
    return SNC_OP2(n, "Reshape", x, snc_onnx_ints(n->g, rank, shape));
}

snc_value snc_onnx__transpose(snc_onnx__net *n, snc_value x, int a, int b, int c, int d)
{
    const int64_t perm[] = {a, b, c, d};
    snc_onnx_attributes at = {.a = {{.name = "perm", .ints = perm, .n = d < 0 ? 3 : 4}}};
    return snc_onnx_node(n->g, "Transpose", at, 1, 1, &x);
}

snc_value snc_onnx__slice(snc_onnx__net *n, snc_value x, int axis, int64_t begin, snc_value end)
{
    const int64_t axes = axis;
    const char *const in[] = {x, snc_onnx_ints(n->g, 1, &begin), end, snc_onnx_ints(n->g, 1, &axes)};
    return snc_onnx_node(n->g, "Slice", SNC_ONNX_PLAIN, 1, 4, in);
}

snc_value snc_onnx__first(snc_onnx__net *n, snc_value x, int axis)
{
    const int64_t one = 1;
    return snc_onnx__slice(n, x, axis, 0, snc_onnx_ints(n->g, 1, &one));
}

snc_value snc_onnx__cast(snc_onnx__net *n, snc_value x, snc_onnx_type t)
{
    return snc_onnx_node(n->g, "Cast", SNC_WITH_INT("to", (int64_t)t), 1, 1, &x);
}

snc_value snc_onnx__scaled(snc_onnx__net *n, snc_value x, float by) { return SNC_OP2(n, "Mul", x, snc_onnx_float(n->g, by)); }

snc_value snc_onnx__norm(snc_onnx__net *n, snc_value x, snc_role role, int layer)
{
    const char *const in[] = {x, snc_onnx__vector(n, role, layer), snc_onnx__vector(n, role + 1, layer)};
    snc_onnx_attributes at = {.a = {{.name = "axis", .i = -1}, {.name = "epsilon", .real = true, .f = n->c->norm_eps}}};
    return snc_onnx_node(n->g, "LayerNormalization", at, 1, 3, in);
}

/* GELU in the order of operations that ONNX Runtime knows as one. */
snc_value snc_onnx__act(snc_onnx__net *n, snc_value x, snc_act act)
{
    if (act == SNC_ACT_RELU) return SNC_OP1(n, "Relu", x);
    if (act == SNC_ACT_GELU) {
        snc_value erf = SNC_OP1(n, "Erf", SNC_OP2(n, "Div", x, snc_onnx_float(n->g, 1.41421356237309515f)));
        snc_value one = SNC_OP2(n, "Add", erf, snc_onnx_float(n->g, 1.0f));
        return snc_onnx__scaled(n, SNC_OP2(n, "Mul", x, one), 0.5f);
    }
    snc_value cube = SNC_OP2(n, "Mul", SNC_OP2(n, "Mul", x, x), x);
    snc_value inner = SNC_OP2(n, "Add", x, snc_onnx__scaled(n, cube, 0.044715f));
    snc_value tanh = SNC_OP1(n, "Tanh", snc_onnx__scaled(n, inner, 0.79788456080286536f));
    return SNC_OP2(n, "Mul", snc_onnx__scaled(n, x, 0.5f), SNC_OP2(n, "Add", tanh, snc_onnx_float(n->g, 1.0f)));
}

/* ---- the net ------------------------------------------------------------------------------------------------------ */

static void inputs(snc_onnx__net *n)
{
    static const char *const dims[] = {"batch", "sequence"};
    const int64_t axes[] = {1, 2};
    snc_onnx_attributes one = {.a = {{.name = "start", .i = 1}, {.name = "end", .i = 2}}};
    n->ids = snc_onnx_input(n->g, "input_ids", SNC_ONNX_I64, 2, dims);
    n->mask = snc_onnx_input(n->g, "attention_mask", SNC_ONNX_I64, 2, dims);
    if (n->c->types > 1) n->types = snc_onnx_input(n->g, "token_type_ids", SNC_ONNX_I64, 2, dims);
    n->length = snc_onnx_node(n->g, "Shape", one, 1, 1, &n->ids);
    snc_value mask = SNC_OP2(n, "Unsqueeze", snc_onnx__cast(n, n->mask, SNC_ONNX_F32), snc_onnx_ints(n->g, 2, axes));
    n->seen = snc_onnx__scaled(n, SNC_OP2(n, "Sub", snc_onnx_float(n->g, 1.0f), mask), SNC_ONNX__NEVER);
    if (!n->c->local && !n->c->buckets && !snc_family_has(n->family, SNC_ROLE_RELATIVE)) return;
    const int64_t first = 0, second = 1;
    snc_value end = SNC_OP2(n, "Squeeze", n->length, snc_onnx_ints(n->g, 1, &first));
    snc_value at = SNC_OP3(n, "Range", snc_onnx_whole(n->g, 0), end, snc_onnx_whole(n->g, 1));
    n->apart = SNC_OP2(n, "Sub", SNC_OP2(n, "Unsqueeze", at, snc_onnx_ints(n->g, 1, &first)),
                       SNC_OP2(n, "Unsqueeze", at, snc_onnx_ints(n->g, 1, &second)));
}

static snc_value embeddings(snc_onnx__net *n)
{
    snc_value x = snc_onnx__rows(n, SNC_ROLE_WORD, n->ids);
    if (n->c->types == 1) x = SNC_OP2(n, "Add", x, snc_onnx__rows(n, SNC_ROLE_TYPE, snc_onnx_whole(n->g, 0)));
    if (n->c->types > 1) x = SNC_OP2(n, "Add", x, snc_onnx__rows(n, SNC_ROLE_TYPE, n->types));
    if (snc_family_has(n->family, SNC_ROLE_POSITION))
        x = SNC_OP2(n, "Add", x, snc_onnx__rows_from(n, SNC_ROLE_POSITION, n->family->position_base));
    x = snc_onnx__norm(n, x, SNC_ROLE_EMBED_NORM, 0);
    return n->c->embedding ? snc_onnx__linear(n, x, SNC_ROLE_PROJECTION, 0, 0, 1) : x;
}

static snc_value ffn(snc_onnx__net *n, snc_value x, int l)
{
    int step = snc_family_neuron(n->family);
    snc_value y = snc_onnx__act(n, snc_onnx__linear(n, x, SNC_ROLE_FFN_IN, l, 0, step), n->c->act);
    if (n->family->gated) y = SNC_OP2(n, "Mul", y, snc_onnx__linear(n, x, SNC_ROLE_FFN_IN, l, 1, step));
    return snc_onnx__linear(n, y, SNC_ROLE_FFN_OUT, l, 0, 1);
}

/* Past: what goes by a half, x itself unless norms stand in front. */
static snc_value layers(snc_onnx__net *n, snc_value x)
{
    snc_value past = x;
    const bool pre = n->family->pre_norm;
    for (int l = 0; l < n->a->layers; l++) {
        bool first = snc_reads_first(n->c) && l == snc_arch_last_heads(n->a);
        if (n->a->heads[l] > 0) {
            snc_value m = snc_onnx__linear(n, snc_onnx__attention(n, x, l, first), SNC_ROLE_O, l, 0, 1);
            past = SNC_OP2(n, "Add", m, first ? snc_onnx__first(n, past, 1) : past);
        }
        x = snc_onnx__norm(n, past, SNC_ROLE_ATTENTION_NORM, l);
        if (!pre) past = x;
        if (n->a->ffn[l] > 0) past = SNC_OP2(n, "Add", ffn(n, x, l), past);
        x = snc_onnx__norm(n, past, SNC_ROLE_FFN_NORM, l);
        if (!pre) past = x;
    }
    return x;
}

/* [batch, hidden] of what is read of the last layer; of tags [batch, sequence, hidden]. */
static snc_value pooled(snc_onnx__net *n, snc_value x)
{
    const int64_t axis = 1, last = 2;
    if (n->c->tags) return x;
    snc_value at = snc_onnx_ints(n->g, 1, &axis);
    if (!n->c->mean) return SNC_OP2(n, "Squeeze", x, at);
    snc_value there = SNC_OP2(n, "Unsqueeze", snc_onnx__cast(n, n->mask, SNC_ONNX_F32), snc_onnx_ints(n->g, 1, &last));
    snc_onnx_attributes flat = SNC_WITH_INT("keepdims", 0);
    const char *const sum[] = {SNC_OP2(n, "Mul", x, there), at}, *const count[] = {there, at};
    return SNC_OP2(n, "Div", snc_onnx_node(n->g, "ReduceSum", flat, 1, 2, sum), snc_onnx_node(n->g, "ReduceSum", flat, 1, 2, count));
}

/* Of length 1. */
static snc_value unit(snc_onnx__net *n, snc_value x)
{
    const int64_t last = 1;
    const char *const squares[] = {SNC_OP2(n, "Mul", x, x), snc_onnx_ints(n->g, 1, &last)};
    snc_onnx_attributes kept = SNC_WITH_INT("keepdims", 1);
    return SNC_OP2(n, "Div", x, SNC_OP1(n, "Sqrt", snc_onnx_node(n->g, "ReduceSum", kept, 1, 2, squares)));
}

static snc_value head(snc_onnx__net *n, snc_value x)
{
    if (snc_config_head(n->c) != SNC_HEAD_NONE) {
        x = snc_onnx__linear(n, x, SNC_ROLE_POOLER, 0, 0, 1);
        if (snc_config_head(n->c) == SNC_HEAD_TANH) x = SNC_OP1(n, "Tanh", x);
        else x = snc_onnx__act(n, x, snc_config_head(n->c) == SNC_HEAD_RELU ? SNC_ACT_RELU : SNC_ACT_GELU);
        if (snc_family_has(n->family, SNC_ROLE_POOLER_NORM)) x = snc_onnx__norm(n, x, SNC_ROLE_POOLER_NORM, 0);
    }
    x = snc_onnx__linear(n, x, SNC_ROLE_CLASSIFIER, 0, 0, 1);
    return n->c->vector ? unit(n, x) : x;
}

snc_err snc_onnx_net_save(const char *path, const snc_sncfile *net, snc_onnx_form form, int64_t most)
{
    snc_onnx__net n = {.f = net, .c = snc_sncfile_config(net), .a = snc_sncfile_arch(net), .form = form};
    n.family = snc_family_of(n.c);
    SNC_TRY(snc_onnx_new(&n.g));
    inputs(&n);
    snc_onnx_output(n.g, n.c->vector ? "sentence_embedding" : "logits", head(&n, pooled(&n, layers(&n, embeddings(&n)))), n.c->tags,
                    n.c->classes);
    snc_err err = snc_onnx_save(n.g, path, most);
    snc_onnx_free(n.g);
    return err;
}

#else

snc_err snc_onnx_net_save(const char *path, const snc_sncfile *net, snc_onnx_form form, int64_t most)
{
    (void)path, (void)net, (void)form, (void)most;
    return snc_onnx_here();
}

#endif
