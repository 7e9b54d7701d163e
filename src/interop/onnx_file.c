/* Messages packed by protobuf-c, framed and streamed here. */
#include "interop/onnx_file.h"

#ifndef SNC_WITH_ONNX

snc_err snc_onnx_here(void)
{
    return snc_err_set(
        SNC_E_UNSUPPORTED,
        "built without ONNX: its schema and protobuf-c were not found (libonnx-dev, libprotobuf-c-dev, protobuf-c-compiler)");
}

#else

#include <onnx/onnx.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"

enum {
    VARINT = 10,        /* bytes at most */
    NAME = 96,          /* of a value */
    SMALL = 1024,       /* bytes of a tensor that stays in the file itself */
    STRETCH = 4 << 20,  /* bytes that are asked for at once */
    GRAPH_IN_MODEL = 7, /* numbers of fields in the schema, which the frames need */
    NODE_IN_GRAPH = 1,
    NAME_IN_GRAPH = 2,
    TENSOR_IN_GRAPH = 5,
    INPUT_IN_GRAPH = 11,
    OUTPUT_IN_GRAPH = 12,
    RAW_IN_TENSOR = 9
};
#define PAGE 4096 /* where a tensor of its own file begins, so that it can be mapped */

typedef struct bytes {
    uint8_t *p;
    size_t n, cap;
} bytes;

typedef struct tensor {
    const char *name;
    snc_onnx_type type;
    int rank;
    int64_t dims[SNC_ONNX_RANK];
    snc_onnx_fill fill;
    void *payload;
    int64_t rows, row_bytes;
    int64_t at; /* in the file of its own; -1: in the model's */
} tensor;

struct snc_onnx {
    snc_arena *arena;
    bytes nodes, ends; /* ends: inputs and outputs */
    tensor *t;
    size_t n, cap;
    int made;    /* nodes so far */
    snc_err err; /* the first */
};

snc_err snc_onnx_here(void) { return SNC_OK; }

snc_err snc_onnx_new(snc_onnx **out)
{
    snc_onnx *g = NULL;
    SNC_TRY(snc_alloc(&g, 1, sizeof *g));
    snc_err err = snc_arena_new(&g->arena);
    if (err) snc_free(g);
    else *out = g;
    return err;
}

void snc_onnx_free(snc_onnx *g)
{
    if (!g) return;
    snc_free(g->nodes.p);
    snc_free(g->ends.p);
    snc_free(g->t);
    snc_arena_free(g->arena);
    snc_free(g);
}

/* ---- frames ------------------------------------------------------------------------------------------------------- */

static size_t varint(uint8_t to[VARINT], uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) to[n++] = (uint8_t)(v | 0x80);
    to[n++] = (uint8_t)v;
    return n;
}

/* What stands before `size` bytes of a field. */
static size_t frame(uint8_t to[2 * VARINT], int field, uint64_t size)
{
    size_t n = varint(to, (uint64_t)field << 3 | 2);
    return n + varint(to + n, size);
}

static size_t framed(int field, uint64_t size)
{
    uint8_t room[2 * VARINT];
    return frame(room, field, size) + size;
}

static snc_err put_message(bytes *b, int field, const ProtobufCMessage *m)
{
    size_t size = protobuf_c_message_get_packed_size(m);
    SNC_TRY(snc_grow(&b->p, &b->cap, b->n + framed(field, size), 1));
    b->n += frame(b->p + b->n, field, size);
    b->n += protobuf_c_message_pack(m, b->p + b->n);
    return SNC_OK;
}

/* ---- names and values --------------------------------------------------------------------------------------------- */

/* Remembers the first failure. */
static bool keep(snc_onnx *g, snc_err err)
{
    if (!g->err) g->err = err;
    return !err;
}

const char *snc_onnx_failed(snc_onnx *g, snc_err err)
{
    keep(g, err);
    return "";
}

static const char *named(snc_onnx *g, const char *name)
{
    char *copy = NULL;
    return !g->err && keep(g, snc_arena_strndup(&copy, g->arena, name, strlen(name))) ? copy : "";
}

/* protobuf-c wants strings that may be written to, and writes to none. */
static char *text(const char *s)
{
    char *p;
    memcpy(&p, &s, sizeof p);
    return p;
}

const char *snc_onnx_also(snc_onnx *g, const char *first, int k)
{
    char name[NAME];
    snprintf(name, sizeof name, "%.80s.%d", first, k);
    return named(g, name);
}

static void fill_attribute(Onnx__AttributeProto *to, const snc_onnx_attribute *a)
{
    *to = (Onnx__AttributeProto)ONNX__ATTRIBUTE_PROTO__INIT;
    to->name = text(a->name);
    to->has_type = true;
    if (a->real) {
        to->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
        to->has_f = true;
        to->f = a->f;
    } else if (a->ints) {
        to->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        to->n_ints = (size_t)a->n;
        memcpy(&to->ints, &a->ints, sizeof to->ints);
    } else {
        to->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
        to->has_i = true;
        to->i = a->i;
    }
}

const char *snc_onnx_node(snc_onnx *g, const char *op, snc_onnx_attributes a, int outputs, int n, const char *const *in)
{
    Onnx__NodeProto m = ONNX__NODE_PROTO__INIT;
    Onnx__AttributeProto attribute[SNC_ONNX_ATTRIBUTES], *list[SNC_ONNX_ATTRIBUTES];
    char *inputs[SNC_ONNX_INPUTS], *out[3], name[NAME];
    snprintf(name, sizeof name, "%.64s_%d", op, g->made++);
    const char *first = named(g, name);
    out[0] = text(first);
    for (int k = 1; k < outputs; k++) out[k] = text(snc_onnx_also(g, first, k));
    for (int k = 0; k < n; k++) inputs[k] = text(in[k]);
    if (g->err) return first;
    m.op_type = text(op);
    m.name = out[0];
    m.n_input = (size_t)n;
    m.input = inputs;
    m.n_output = (size_t)outputs;
    m.output = out;
    m.attribute = list;
    for (int k = 0; k < SNC_ONNX_ATTRIBUTES && a.a[k].name; k++) {
        fill_attribute(&attribute[k], &a.a[k]);
        list[k] = &attribute[k];
        m.n_attribute++;
    }
    keep(g, put_message(&g->nodes, NODE_IN_GRAPH, &m.base));
    return first;
}

/* Dimensions have names; with width, the last is a number. */
static snc_err put_end(snc_onnx *g, int field, const char *name, snc_onnx_type t, int rank, const char *const *dims, int width)
{
    Onnx__ValueInfoProto m = ONNX__VALUE_INFO_PROTO__INIT;
    Onnx__TypeProto type = ONNX__TYPE_PROTO__INIT;
    Onnx__TypeProto__Tensor tensor_type = ONNX__TYPE_PROTO__TENSOR__INIT;
    Onnx__TensorShapeProto shape = ONNX__TENSOR_SHAPE_PROTO__INIT;
    Onnx__TensorShapeProto__Dimension dim[SNC_ONNX_RANK], *list[SNC_ONNX_RANK];
    for (int i = 0; i < rank; i++) {
        dim[i] = (Onnx__TensorShapeProto__Dimension)ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT;
        list[i] = &dim[i];
        if (dims[i]) {
            dim[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            dim[i].dim_param = text(dims[i]);
        } else {
            dim[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            dim[i].dim_value = width;
        }
    }
    shape.n_dim = (size_t)rank;
    shape.dim = list;
    tensor_type.has_elem_type = true;
    tensor_type.elem_type = (int32_t)t;
    tensor_type.shape = &shape;
    type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type.tensor_type = &tensor_type;
    m.name = text(name);
    m.type = &type;
    return put_message(&g->ends, field, &m.base);
}

const char *snc_onnx_input(snc_onnx *g, const char *name, snc_onnx_type t, int rank, const char *const *dims)
{
    if (!g->err) keep(g, put_end(g, INPUT_IN_GRAPH, name, t, rank, dims, 1));
    return named(g, name);
}

void snc_onnx_output(snc_onnx *g, const char *name, const char *value, bool of_tokens, int width)
{
    Onnx__NodeProto m = ONNX__NODE_PROTO__INIT;
    const char *const dims[] = {"batch", of_tokens ? "sequence" : NULL, NULL};
    char *in = text(value), *out = text(name), op[] = "Identity";
    if (g->err) return;
    m.op_type = op;
    m.name = out;
    m.n_input = m.n_output = 1;
    m.input = &in;
    m.output = &out;
    if (keep(g, put_message(&g->nodes, NODE_IN_GRAPH, &m.base)))
        keep(g, put_end(g, OUTPUT_IN_GRAPH, name, SNC_ONNX_F32, 2 + of_tokens, dims, width));
}

/* ---- tensors ------------------------------------------------------------------------------------------------------ */

static int64_t width_of(snc_onnx_type t) { return t == SNC_ONNX_F32 ? 4 : t == SNC_ONNX_I8 ? 1 : 8; }

const char *snc_onnx_tensor(snc_onnx *g, const char *name, snc_onnx_type t, int rank, const int64_t *dims, snc_onnx_fill fill,
                            const void *payload, size_t size)
{
    tensor *x;
    for (size_t i = 0; i < g->n; i++)
        if (strcmp(g->t[i].name, name) == 0) return g->t[i].name;
    const char *own = named(g, name);
    void *copy = NULL;
    if (g->err || !keep(g, snc_arena_alloc(&copy, g->arena, size + 1)) || !keep(g, snc_grow(&g->t, &g->cap, g->n + 1, sizeof *g->t)))
        return own;
    x = &g->t[g->n++];
    *x = (tensor){.name = own, .type = t, .rank = rank, .fill = fill, .payload = copy, .at = -1, .row_bytes = width_of(t)};
    memcpy(copy, payload, size);
    x->rows = rank ? dims[0] : 1;
    for (int i = 0; i < rank; i++) {
        x->dims[i] = dims[i];
        if (i) x->row_bytes *= dims[i];
    }
    return own;
}

/* payload: the size of a row, then the data. */
static snc_err fill_copy(void *to, const void *payload, int64_t row, int64_t rows)
{
    int64_t bytes_each;
    memcpy(&bytes_each, payload, sizeof bytes_each);
    memcpy(to, (const char *)payload + sizeof bytes_each + row * bytes_each, (size_t)(rows * bytes_each));
    return SNC_OK;
}

const char *snc_onnx_copy(snc_onnx *g, const char *name, snc_onnx_type t, int rank, const int64_t *dims, const void *data)
{
    int64_t row = width_of(t), rows = rank ? dims[0] : 1;
    char *payload = NULL;
    for (int i = 1; i < rank; i++) row *= dims[i];
    size_t size = (size_t)(row * rows);
    if (g->err || !keep(g, snc_alloc(&payload, size + sizeof row, 1))) return "";
    memcpy(payload, &row, sizeof row);
    memcpy(payload + sizeof row, data, size);
    const char *own = snc_onnx_tensor(g, name, t, rank, dims, fill_copy, payload, size + sizeof row);
    snc_free(payload);
    return own;
}

const char *snc_onnx_float(snc_onnx *g, float v)
{
    char name[NAME];
    snprintf(name, sizeof name, "float_%.9g", (double)v);
    return snc_onnx_copy(g, name, SNC_ONNX_F32, 0, NULL, &v);
}

const char *snc_onnx_whole(snc_onnx *g, int64_t v)
{
    char name[NAME];
    snprintf(name, sizeof name, "int_%lld", (long long)v);
    return snc_onnx_copy(g, name, SNC_ONNX_I64, 0, NULL, &v);
}

const char *snc_onnx_ints(snc_onnx *g, int n, const int64_t *v)
{
    char name[NAME] = "ints";
    const int64_t dims = n;
    for (int i = 0, at = 4; i < n; i++) at += snprintf(name + at, sizeof name - (size_t)at, "_%lld", (long long)v[i]);
    return snc_onnx_copy(g, name, SNC_ONNX_I64, 1, &dims, v);
}

/* ---- the file ----------------------------------------------------------------------------------------------------- */

static int64_t size_of(const tensor *t) { return t->rows * t->row_bytes; }

/* A tensor but for its bytes, which follow, or lie in `beside`. */
static snc_err pack_head(bytes *b, const tensor *t, const char *beside)
{
    enum { ENTRIES = 3 };
    Onnx__TensorProto m = ONNX__TENSOR_PROTO__INIT;
    Onnx__StringStringEntryProto entry[ENTRIES], *list[ENTRIES];
    static const char *const keys[ENTRIES] = {"location", "offset", "length"};
    char offset[32], length[32], *value[ENTRIES] = {text(beside), offset, length};
    int64_t dims[SNC_ONNX_RANK];
    memcpy(dims, t->dims, sizeof dims);
    m.name = text(t->name);
    m.has_data_type = true;
    m.data_type = (int32_t)t->type;
    m.n_dims = (size_t)t->rank;
    m.dims = dims;
    if (t->at >= 0) {
        snprintf(offset, sizeof offset, "%lld", (long long)t->at);
        snprintf(length, sizeof length, "%lld", (long long)size_of(t));
        for (int i = 0; i < ENTRIES; i++) {
            entry[i] = (Onnx__StringStringEntryProto)ONNX__STRING_STRING_ENTRY_PROTO__INIT;
            entry[i].key = text(keys[i]);
            entry[i].value = value[i];
            list[i] = &entry[i];
        }
        m.n_external_data = ENTRIES;
        m.external_data = list;
        m.has_data_location = true;
        m.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    }
    size_t size = onnx__tensor_proto__get_packed_size(&m);
    SNC_TRY(snc_grow(&b->p, &b->cap, size + 4 * VARINT, 1));
    b->n = onnx__tensor_proto__pack(&m, b->p);
    if (t->at < 0) b->n += frame(b->p + b->n, RAW_IN_TENSOR, (uint64_t)size_of(t));
    return SNC_OK;
}

static snc_err write_rows(snc_fout *f, const tensor *t, bytes *room)
{
    int64_t at_once = t->row_bytes ? STRETCH / t->row_bytes : 1;
    if (at_once < 1) at_once = 1;
    if (at_once > t->rows) at_once = t->rows;
    SNC_TRY(snc_grow(&room->p, &room->cap, (size_t)(at_once * t->row_bytes), 1));
    for (int64_t row = 0; row < t->rows; row += at_once) {
        int64_t rows = t->rows - row < at_once ? t->rows - row : at_once;
        SNC_TRY(t->fill(room->p, t->payload, row, rows));
        SNC_TRY(snc_fout_write(f, room->p, (size_t)(rows * t->row_bytes)));
    }
    return SNC_OK;
}

/* One pass that counts, with f NULL, and one that writes. */
static snc_err tensors(int64_t *size, snc_onnx *g, snc_fout *f, const char *beside, bytes *head, bytes *room)
{
    uint8_t before[2 * VARINT];
    *size = 0;
    for (size_t i = 0; i < g->n; i++) {
        const tensor *t = &g->t[i];
        SNC_TRY(pack_head(head, t, beside));
        uint64_t whole = head->n + (t->at < 0 ? (uint64_t)size_of(t) : 0);
        *size += (int64_t)framed(TENSOR_IN_GRAPH, whole);
        if (!f) continue;
        SNC_TRY(snc_fout_write(f, before, frame(before, TENSOR_IN_GRAPH, whole)));
        SNC_TRY(snc_fout_write(f, head->p, head->n));
        if (t->at < 0) SNC_TRY(write_rows(f, t, room));
    }
    return SNC_OK;
}

static snc_err write_model(snc_fout *f, snc_onnx *g, int64_t of_tensors, const char *beside, bytes *head, bytes *room)
{
    static const char name[] = "net";
    Onnx__ModelProto m = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
    char producer[] = "snc", version[] = SNC_VERSION, domain[] = "";
    uint8_t before[2 * VARINT];
    uint64_t graph = g->nodes.n + framed(NAME_IN_GRAPH, sizeof name - 1) + (uint64_t)of_tensors + g->ends.n;
    opset.domain = domain;
    opset.has_version = true;
    opset.version = SNC_ONNX_OPSET;
    m.has_ir_version = true;
    m.ir_version = ONNX__VERSION__IR_VERSION;
    m.producer_name = producer;
    m.producer_version = version;
    m.n_opset_import = 1;
    m.opset_import = &opsets;
    SNC_TRY(snc_grow(&head->p, &head->cap, onnx__model_proto__get_packed_size(&m), 1));
    SNC_TRY(snc_fout_write(f, head->p, onnx__model_proto__pack(&m, head->p)));
    SNC_TRY(snc_fout_write(f, before, frame(before, GRAPH_IN_MODEL, graph)));
    SNC_TRY(snc_fout_write(f, g->nodes.p, g->nodes.n));
    SNC_TRY(snc_fout_write(f, before, frame(before, NAME_IN_GRAPH, sizeof name - 1)));
    SNC_TRY(snc_fout_write(f, name, sizeof name - 1));
    SNC_TRY(tensors(&of_tensors, g, f, beside, head, room));
    return snc_fout_write(f, g->ends.p, g->ends.n);
}

/* Large tensors, each from a page on. */
static snc_err write_beside(snc_fout *f, snc_onnx *g, bytes *room)
{
    static const uint8_t zeros[PAGE];
    int64_t at = 0;
    for (size_t i = 0; i < g->n; i++) {
        tensor *t = &g->t[i];
        if (size_of(t) <= SMALL) continue;
        int64_t gap = (PAGE - at % PAGE) % PAGE;
        SNC_TRY(snc_fout_write(f, zeros, (size_t)gap));
        t->at = at + gap;
        at = t->at + size_of(t);
        SNC_TRY(write_rows(f, t, room));
    }
    return SNC_OK;
}

static snc_err finish(snc_fout *f, snc_err err)
{
    if (!err) return snc_fout_commit(f);
    snc_fout_abort(f);
    return err;
}

snc_err snc_onnx_save(snc_onnx *g, const char *path, int64_t most)
{
    snc_err err = SNC_OK;
    bytes head = {NULL, 0, 0}, room = {NULL, 0, 0};
    int64_t size;
    char beside[4096];
    const char *slash = strrchr(path, '/'), *base;
    snc_fout *f = NULL;
    if (g->err) return g->err;
    SNC_CHECK((size_t)snprintf(beside, sizeof beside, "%s_data", path) < sizeof beside, SNC_E_ARG, "%.80s...: the path is too long", path);
    base = slash ? beside + (slash - path) + 1 : beside;
    for (size_t i = 0; i < g->n; i++) g->t[i].at = -1;
    SNC_GOTO(tensors(&size, g, NULL, base, &head, &room));
    if (size + (int64_t)(g->nodes.n + g->ends.n) + 256 > most) { /* 256: what the model says of itself */
        SNC_GOTO(snc_fout_open(&f, beside));
        SNC_GOTO(finish(f, write_beside(f, g, &room)));
        SNC_GOTO(tensors(&size, g, NULL, base, &head, &room));
    }
    SNC_GOTO(snc_fout_open(&f, path));
    SNC_GOTO(finish(f, write_model(f, g, size, base, &head, &room)));
out:
    snc_free(head.p);
    snc_free(room.p);
    return err;
}

#endif
