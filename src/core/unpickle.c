/* A stack machine for the opcodes of state dicts: globals are looked up in a table and nothing is ever called, so no file can run code. */
#include "core/unpickle_priv.h"

#include <inttypes.h>

typedef snc_pkl_value value;
typedef snc_pkl_machine machine;
typedef snc_pkl_kind kind;

typedef enum role { G_DICT, G_TENSOR, G_PARAMETER, G_STORAGE } role;

typedef struct snc_pkl_global {
    const char *module, *name;
    role role;
    snc_dtype dtype;
    const char *dtype_name;
    int width;
} global;

static const global globals[] = {
    {"collections", "OrderedDict", G_DICT, 0, NULL, 0},
    {"torch._utils", "_rebuild_tensor_v2", G_TENSOR, 0, NULL, 0},
    {"torch._utils", "_rebuild_tensor", G_TENSOR, 0, NULL, 0}, /* of the first versions */
    {"torch._utils", "_rebuild_parameter", G_PARAMETER, 0, NULL, 0},
    {"torch", "FloatStorage", G_STORAGE, SNC_F32, "F32", 4},
    {"torch", "HalfStorage", G_STORAGE, SNC_F16, "F16", 2},
    {"torch", "BFloat16Storage", G_STORAGE, SNC_BF16, "BF16", 2},
    {"torch", "DoubleStorage", G_STORAGE, SNC_F64, "F64", 8},
    {"torch", "LongStorage", G_STORAGE, SNC_I64, "I64", 8},
    {"torch", "IntStorage", G_STORAGE, SNC_I32, "I32", 4},
    {"torch", "ShortStorage", G_STORAGE, SNC_DTYPES, "I16", 2},
    {"torch", "CharStorage", G_STORAGE, SNC_I8, "I8", 1},
    {"torch", "ByteStorage", G_STORAGE, SNC_U8, "U8", 1},
    {"torch", "BoolStorage", G_STORAGE, SNC_DTYPES, "BOOL", 1},
};

/* A hostile pickle makes a value of every byte; a state dict of the largest BERT makes some 20,000. */
enum { VALUES_MAX = 4 << 20 };

snc_err snc_pkl__damaged(const machine *m, const char *what)
{
    return snc_err_set(SNC_E_FORMAT, "%s: damaged pickle at byte %zu: %s", m->where, m->size - (size_t)(m->end - m->p), what);
}

static snc_err push(machine *m, value *v)
{
    SNC_TRY(snc_grow(&m->stack, &m->stack_cap, m->n + 1, sizeof *m->stack));
    m->stack[m->n++] = v;
    return SNC_OK;
}

static snc_err make(value **out, machine *m, kind k)
{
    if (++m->values > VALUES_MAX) return snc_pkl__damaged(m, "too many objects");
    SNC_TRY(snc_arena_alloc(out, m->arena, sizeof **out));
    (*out)->kind = k;
    return SNC_OK;
}

static snc_err push_new(value **out, machine *m, kind k)
{
    SNC_TRY(make(out, m, k));
    return push(m, *out);
}

/* Never takes what lies under the last mark. */
static snc_err pop(value **out, machine *m)
{
    size_t floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;
    if (m->n <= floor) return snc_pkl__damaged(m, "the stack is empty");
    *out = m->stack[--m->n];
    return SNC_OK;
}

static snc_err pop_mark(size_t *height, machine *m)
{
    if (!m->n_marks) return snc_pkl__damaged(m, "no mark");
    *height = m->marks[--m->n_marks];
    return SNC_OK;
}

static snc_err seq_add(machine *m, value *list, value **items, size_t n)
{
    size_t need = list->u.seq.n + n;
    if (need > list->u.seq.cap) {
        size_t cap = need < 4 ? 4 : 2 * need;
        value **v = NULL;
        SNC_TRY(snc_arena_alloc(&v, m->arena, cap * sizeof *v));
        if (list->u.seq.n) memcpy(v, list->u.seq.v, list->u.seq.n * sizeof *v);
        list->u.seq.v = v;
        list->u.seq.cap = cap;
    }
    if (n) memcpy(list->u.seq.v + list->u.seq.n, items, n * sizeof *items);
    list->u.seq.n = need;
    return SNC_OK;
}

/* ---- reading bytes ------------------------------------------------------------------------------------------------ */

static snc_err take(const unsigned char **out, machine *m, uint64_t n)
{
    if (n > (uint64_t)(m->end - m->p)) return snc_pkl__damaged(m, "it ends too early");
    *out = m->p;
    m->p += n;
    return SNC_OK;
}

static snc_err take_uint(uint64_t *out, machine *m, int bytes)
{
    const unsigned char *p = NULL;
    SNC_TRY(take(&p, m, (uint64_t)bytes));
    *out = 0;
    for (int i = bytes - 1; i >= 0; i--) *out = *out << 8 | p[i];
    return SNC_OK;
}

static snc_err take_line(const char **s, size_t *n, machine *m)
{
    const unsigned char *nl = memchr(m->p, '\n', (size_t)(m->end - m->p));
    if (!nl) return snc_pkl__damaged(m, "it ends too early");
    const void *text = m->p;
    *s = text;
    *n = (size_t)(nl - m->p);
    m->p = nl + 1;
    return SNC_OK;
}

static snc_err push_int(machine *m, int64_t i)
{
    value *v = NULL;
    SNC_TRY(push_new(&v, m, V_INT));
    v->u.i = i;
    return SNC_OK;
}

/* Little-endian, two's complement, as many bytes as given. */
static snc_err op_signed(machine *m, uint64_t bytes)
{
    uint64_t u = 0;
    if (bytes > 8) return snc_pkl__damaged(m, "an integer of more than 64 bits");
    SNC_TRY(take_uint(&u, m, (int)bytes));
    if (bytes > 0 && bytes < 8 && (u >> (8 * bytes - 1) & 1)) u |= UINT64_MAX << (8 * bytes);
    int64_t i;
    memcpy(&i, &u, sizeof i);
    return push_int(m, i);
}

static snc_err op_unsigned(machine *m, int bytes)
{
    uint64_t u = 0;
    SNC_TRY(take_uint(&u, m, bytes));
    return push_int(m, (int64_t)u);
}

static snc_err op_str(machine *m, int length_bytes)
{
    uint64_t n = 0;
    const unsigned char *p = NULL;
    value *v = NULL;
    SNC_TRY(take_uint(&n, m, length_bytes));
    SNC_TRY(take(&p, m, n));
    SNC_TRY(push_new(&v, m, V_STR));
    const void *text = p;
    v->u.str.s = text;
    v->u.str.n = (size_t)n;
    return SNC_OK;
}

static snc_err op_float(machine *m)
{
    const unsigned char *p = NULL;
    value *v = NULL;
    SNC_TRY(take(&p, m, 8));
    return push_new(&v, m, V_FLOAT); /* no part of a tensor is a float: the value is not kept */
}

/* ---- memo, containers --------------------------------------------------------------------------------------------- */

static snc_err memo_put(machine *m, uint64_t at)
{
    if (m->n == 0) return snc_pkl__damaged(m, "the stack is empty");
    if (at >= m->size) return snc_pkl__damaged(m, "a memo number out of range"); /* each takes at least a byte to make */
    SNC_TRY(snc_grow(&m->memo, &m->memo_cap, (size_t)at + 1, sizeof *m->memo));
    if (at >= m->n_memo) m->n_memo = (size_t)at + 1;
    m->memo[at] = m->stack[m->n - 1];
    return SNC_OK;
}

static snc_err op_put(machine *m, int bytes)
{
    uint64_t at = 0;
    SNC_TRY(take_uint(&at, m, bytes));
    return memo_put(m, at);
}

static snc_err op_get(machine *m, int bytes)
{
    uint64_t at = 0;
    SNC_TRY(take_uint(&at, m, bytes));
    if (at >= m->n_memo || !m->memo[at]) return snc_pkl__damaged(m, "a memo number that was never stored");
    return push(m, m->memo[at]);
}

/* The last n values become a tuple. */
static snc_err op_tuple(machine *m, size_t n)
{
    size_t floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;
    if (m->n < floor + n) return snc_pkl__damaged(m, "the stack is empty");
    value *v = NULL;
    SNC_TRY(make(&v, m, V_TUPLE));
    if (n > 0) SNC_TRY(seq_add(m, v, m->stack + (m->n - n), n)); /* an empty tuple may come before there is a stack */
    m->n -= n;
    return push(m, v);
}

static snc_err op_tuple_mark(machine *m)
{
    size_t height = 0;
    SNC_TRY(pop_mark(&height, m));
    return op_tuple(m, m->n - height);
}

/* Adds the values above `height` to the list or dict right under them. */
static snc_err add_above(machine *m, size_t height, kind k)
{
    size_t n = m->n - height;
    if (height == 0 || m->stack[height - 1]->kind != k) return snc_pkl__damaged(m, "items for something that takes none");
    if (k == V_DICT && n % 2) return snc_pkl__damaged(m, "a key without a value");
    SNC_TRY(seq_add(m, m->stack[height - 1], m->stack + height, n));
    m->n = height;
    return SNC_OK;
}

static snc_err op_add_mark(machine *m, kind k)
{
    size_t height = 0;
    SNC_TRY(pop_mark(&height, m));
    return add_above(m, height, k);
}

static snc_err op_add(machine *m, size_t n, kind k)
{
    size_t floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;
    if (m->n < floor + n + 1) return snc_pkl__damaged(m, "the stack is empty");
    return add_above(m, m->n - n, k);
}

/* ---- what the globals do ------------------------------------------------------------------------------------------ */

bool snc_pkl__is(const value *v, const char *s)
{
    return v->kind == V_STR && v->u.str.n == strlen(s) && memcmp(v->u.str.s, s, v->u.str.n) == 0;
}

static snc_err push_global(machine *m, const char *module, size_t n_module, const char *name, size_t n_name)
{
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
        const global *g = &globals[i];
        if (strlen(g->module) != n_module || memcmp(g->module, module, n_module) != 0) continue;
        if (strlen(g->name) != n_name || memcmp(g->name, name, n_name) != 0) continue;
        value *v = NULL;
        SNC_TRY(push_new(&v, m, V_GLOBAL));
        v->u.global = g;
        return SNC_OK;
    }
    return snc_err_set(SNC_E_UNSUPPORTED, "%s: refused: it asks for '%.*s.%.*s', and only tensors are rebuilt", m->where,
                       (int)(n_module < 100 ? n_module : 100), module, (int)(n_name < 100 ? n_name : 100), name);
}

static snc_err op_global(machine *m)
{
    const char *module = NULL, *name = NULL;
    size_t n_module = 0, n_name = 0;
    SNC_TRY(take_line(&module, &n_module, m));
    SNC_TRY(take_line(&name, &n_name, m));
    return push_global(m, module, n_module, name, n_name);
}

static snc_err op_stack_global(machine *m)
{
    value *module = NULL, *name = NULL;
    SNC_TRY(pop(&name, m));
    SNC_TRY(pop(&module, m));
    if (module->kind != V_STR || name->kind != V_STR) return snc_pkl__damaged(m, "a global without a name");
    return push_global(m, module->u.str.s, module->u.str.n, name->u.str.s, name->u.str.n);
}

/* ('storage', class, key, location, elements[, part of another storage: None since 0.4]) */
static snc_err op_persid(machine *m)
{
    value *pid = NULL, *v = NULL;
    SNC_TRY(pop(&pid, m));
    value **a = pid->u.seq.v;
    if (pid->kind != V_TUPLE || pid->u.seq.n < 5 || !snc_pkl__is(a[0], "storage") || a[1]->kind != V_GLOBAL ||
        a[1]->u.global->role != G_STORAGE || a[2]->kind != V_STR || a[4]->kind != V_INT || a[4]->u.i < 0)
        return snc_pkl__damaged(m, "a storage of an unknown form");
    SNC_CHECK(pid->u.seq.n < 6 || a[5]->kind == V_NONE, SNC_E_UNSUPPORTED, "%s: refused: a storage that is a part of another one",
              m->where);
    SNC_TRY(push_new(&v, m, V_STORAGE));
    SNC_TRY(snc_arena_alloc(&v->u.tensor, m->arena, sizeof *v->u.tensor));
    snc_pkl_tensor *t = v->u.tensor;
    char *key = NULL;
    SNC_TRY(snc_arena_strndup(&key, m->arena, a[2]->u.str.s, a[2]->u.str.n));
    t->storage = key;
    t->dtype = a[1]->u.global->dtype;
    t->dtype_name = a[1]->u.global->dtype_name;
    t->width = a[1]->u.global->width;
    t->numel = a[4]->u.i;
    SNC_TRY(snc_grow(&m->storages, &m->storages_cap, m->n_storages + 1, sizeof *m->storages));
    m->storages[m->n_storages++] = *t;
    return SNC_OK;
}

/* All elements must lie in the storage. */
static bool view_fits(const snc_pkl_tensor *t)
{
    uint64_t last = (uint64_t)t->offset, limit = (uint64_t)t->numel;
    for (int i = 0; i < t->rank; i++)
        if (t->shape[i] == 0) return last <= limit;
    for (int i = 0; i < t->rank; i++) {
        uint64_t steps = (uint64_t)t->shape[i] - 1, stride = (uint64_t)t->stride[i];
        if (steps && stride && stride > limit / steps) return false;
        last += steps * stride;
        if (last >= limit) return false;
    }
    return last < limit;
}

/* (storage, offset, size, stride, requires_grad, hooks ...) */
static snc_err rebuild_tensor(value **out, machine *m, const value *args)
{
    value **a = args->u.seq.v;
    if (args->u.seq.n < 4 || a[0]->kind != V_STORAGE || a[1]->kind != V_INT || a[1]->u.i < 0 || a[2]->kind != V_TUPLE ||
        a[3]->kind != V_TUPLE || a[2]->u.seq.n != a[3]->u.seq.n || a[2]->u.seq.n > SNC_TENSOR_RANK)
        return snc_pkl__damaged(m, "a tensor of an unknown form");
    SNC_TRY(make(out, m, V_TENSOR));
    snc_pkl_tensor *t = NULL;
    SNC_TRY(snc_arena_alloc(&t, m->arena, sizeof *t));
    *t = *a[0]->u.tensor;
    (*out)->u.tensor = t;
    t->offset = a[1]->u.i;
    t->rank = (int)a[2]->u.seq.n;
    for (int i = 0; i < t->rank; i++) {
        const value *d = a[2]->u.seq.v[i], *s = a[3]->u.seq.v[i];
        if (d->kind != V_INT || s->kind != V_INT || d->u.i < 0 || s->u.i < 0) return snc_pkl__damaged(m, "a tensor of an unknown shape");
        t->shape[i] = d->u.i;
        t->stride[i] = s->u.i;
    }
    if (!view_fits(t)) return snc_pkl__damaged(m, "a tensor reaches past its storage");
    return SNC_OK;
}

/* OrderedDict() or OrderedDict([(key, value), ...]) */
static snc_err rebuild_dict(value **out, machine *m, const value *args)
{
    SNC_TRY(make(out, m, V_DICT));
    if (args->u.seq.n == 0) return SNC_OK;
    const value *list = args->u.seq.v[0];
    if (args->u.seq.n != 1 || (list->kind != V_LIST && list->kind != V_TUPLE)) return snc_pkl__damaged(m, "a dict of an unknown form");
    for (size_t i = 0; i < list->u.seq.n; i++) {
        const value *pair = list->u.seq.v[i];
        if ((pair->kind != V_LIST && pair->kind != V_TUPLE) || pair->u.seq.n != 2) return snc_pkl__damaged(m, "a dict of an unknown form");
        SNC_TRY(seq_add(m, *out, pair->u.seq.v, 2));
    }
    return SNC_OK;
}

static snc_err op_reduce(machine *m)
{
    value *args = NULL, *f = NULL, *v = NULL;
    SNC_TRY(pop(&args, m));
    SNC_TRY(pop(&f, m));
    if (f->kind != V_GLOBAL || args->kind != V_TUPLE) return snc_pkl__damaged(m, "a call of something that is no function");
    switch (f->u.global->role) {
    case G_DICT: SNC_TRY(rebuild_dict(&v, m, args)); break;
    case G_TENSOR: SNC_TRY(rebuild_tensor(&v, m, args)); break;
    case G_PARAMETER:
        if (args->u.seq.n < 1 || args->u.seq.v[0]->kind != V_TENSOR) return snc_pkl__damaged(m, "a parameter of an unknown form");
        v = args->u.seq.v[0];
        break;
    case G_STORAGE: return snc_pkl__damaged(m, "a storage outside the archive");
    }
    return push(m, v);
}

/* The attributes of a state dict (its _metadata) are of no use here; nothing else may be given any. */
static snc_err op_build(machine *m)
{
    value *state = NULL, *target = NULL;
    SNC_TRY(pop(&state, m));
    SNC_TRY(pop(&target, m));
    if (target->kind != V_DICT) return snc_pkl__damaged(m, "attributes for something that is no dict");
    return push(m, target);
}

/* ---- the machine -------------------------------------------------------------------------------------------------- */

static snc_err op_frame(machine *m)
{
    uint64_t n = 0;
    return take_uint(&n, m, 8);
}

static snc_err op_proto(machine *m)
{
    uint64_t n = 0;
    SNC_TRY(take_uint(&n, m, 1));
    SNC_CHECK(n >= 2 && n <= 5, SNC_E_UNSUPPORTED, "%s: pickle protocol %d, expected 2 to 5", m->where, (int)n);
    return SNC_OK;
}

static snc_err op_long(machine *m, int length_bytes)
{
    uint64_t n = 0;
    SNC_TRY(take_uint(&n, m, length_bytes));
    return op_signed(m, n);
}

static snc_err op_mark(machine *m)
{
    SNC_TRY(snc_grow(&m->marks, &m->marks_cap, m->n_marks + 1, sizeof *m->marks));
    m->marks[m->n_marks++] = m->n;
    return SNC_OK;
}

static snc_err op_pop_mark(machine *m) { return pop_mark(&m->n, m); }

/* Opcodes of the pickle module, by their letters there. STOP is the caller's. */
static snc_err step(machine *m, unsigned char op)
{
    value *v = NULL;
    switch (op) {
    case 0x80: return op_proto(m);
    case 0x95: return op_frame(m);
    case '(': return op_mark(m);
    case '0': return pop(&v, m);
    case '1': return op_pop_mark(m);
    case 'N': return push_new(&v, m, V_NONE);
    case 0x88: return push_int(m, 1);
    case 0x89: return push_int(m, 0);
    case 'K': return op_unsigned(m, 1);
    case 'M': return op_unsigned(m, 2);
    case 'J': return op_signed(m, 4);
    case 0x8a: return op_long(m, 1);
    case 0x8b: return op_long(m, 4);
    case 'G': return op_float(m);
    case 0x8c: return op_str(m, 1); /* SHORT_BINUNICODE */
    case 'X': return op_str(m, 4);  /* BINUNICODE */
    case 0x8d: return op_str(m, 8); /* BINUNICODE8 */
    case 'U': return op_str(m, 1);  /* SHORT_BINSTRING */
    case 'T': return op_str(m, 4);  /* BINSTRING */
    case 'C': return op_str(m, 1);  /* SHORT_BINBYTES */
    case 'B': return op_str(m, 4);  /* BINBYTES */
    case 'q': return op_put(m, 1);
    case 'r': return op_put(m, 4);
    case 0x94: return memo_put(m, m->n_memo);
    case 'h': return op_get(m, 1);
    case 'j': return op_get(m, 4);
    case ')': return push_new(&v, m, V_TUPLE);
    case ']': return push_new(&v, m, V_LIST);
    case '}': return push_new(&v, m, V_DICT);
    case 't': return op_tuple_mark(m);
    case 0x85: return op_tuple(m, 1);
    case 0x86: return op_tuple(m, 2);
    case 0x87: return op_tuple(m, 3);
    case 'a': return op_add(m, 1, V_LIST);
    case 'e': return op_add_mark(m, V_LIST);
    case 's': return op_add(m, 2, V_DICT);
    case 'u': return op_add_mark(m, V_DICT);
    case 'c': return op_global(m);
    case 0x93: return op_stack_global(m);
    case 'Q': return op_persid(m);
    case 'R': return op_reduce(m);
    case 'b': return op_build(m);
    default: break;
    }
    m->p--;
    return snc_err_set(SNC_E_UNSUPPORTED, "%s: refused: pickle instruction 0x%02x at byte %zu, and only tensors are rebuilt", m->where, op,
                       m->size - (size_t)(m->end - m->p));
}

snc_err snc_pkl__run(value **out, machine *m)
{
    for (;;) {
        uint64_t op = 0;
        SNC_TRY(take_uint(&op, m, 1));
        if (op == '.') return pop(out, m);
        SNC_TRY(step(m, (unsigned char)op));
    }
}

void snc_pkl__dispose(machine *m)
{
    snc_free(m->stack);
    snc_free(m->marks);
    snc_free(m->memo);
    snc_free(m->storages);
}
