/* What a pickle that was read holds: the dict of tensors is at the top or one wrapper down, and storages are sorted to have each once. */
#include <stdlib.h>

#include "core/unpickle_priv.h"

/* The last entry of that name, as in Python. */
static const snc_pkl_value *dict_get(const snc_pkl_value *dict, const char *key)
{
    for (size_t i = dict->u.seq.n; i >= 2; i -= 2)
        if (snc_pkl__is(dict->u.seq.v[i - 2], key)) return dict->u.seq.v[i - 1];
    return NULL;
}

static size_t count_tensors(const snc_pkl_value *dict)
{
    size_t n = 0;
    for (size_t i = 1; i < dict->u.seq.n; i += 2) n += dict->u.seq.v[i]->kind == V_TENSOR;
    return n;
}

static const snc_pkl_value *find_state_dict(const snc_pkl_value *top)
{
    static const char *const wrappers[] = {"state_dict", "model_state_dict", "model"};
    if (top->kind != V_DICT) return NULL;
    if (count_tensors(top)) return top;
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++) {
        const snc_pkl_value *v = dict_get(top, wrappers[i]);
        if (v && v->kind == V_DICT && count_tensors(v)) return v;
    }
    return NULL;
}

static snc_err collect(snc_pkl *out, snc_pkl_machine *m, const snc_pkl_value *top)
{
    const snc_pkl_value *dict = find_state_dict(top);
    SNC_CHECK(dict, SNC_E_FORMAT, "%s: holds no dict of tensors", m->where);
    snc_pkl_tensor *list = NULL;
    SNC_TRY(snc_arena_alloc(&list, m->arena, count_tensors(dict) * sizeof *list));
    out->n = 0;
    for (size_t i = 0; i < dict->u.seq.n; i += 2) {
        const snc_pkl_value *k = dict->u.seq.v[i], *v = dict->u.seq.v[i + 1];
        if (v->kind != V_TENSOR) continue;
        if (k->kind != V_STR || memchr(k->u.str.s, 0, k->u.str.n)) return snc_pkl__damaged(m, "a tensor without a name");
        char *name = NULL;
        SNC_TRY(snc_arena_strndup(&name, m->arena, k->u.str.s, k->u.str.n));
        list[out->n] = *v->u.tensor;
        list[out->n++].name = name;
    }
    out->tensor = list;
    return SNC_OK;
}

static int by_key(const void *a, const void *b)
{
    const snc_pkl_tensor *x = a, *y = b;
    return strcmp(x->storage, y->storage);
}

/* Each storage once. The same key for two sizes or types would mean two different runs of numbers. */
static snc_err collect_storages(snc_pkl *out, snc_pkl_machine *m)
{
    snc_pkl_tensor *s = m->storages;
    size_t n = 0;
    if (m->n_storages > 1) qsort(s, m->n_storages, sizeof *s, by_key);
    for (size_t i = 0; i < m->n_storages; i++) {
        bool again = n > 0 && strcmp(s[n - 1].storage, s[i].storage) == 0;
        if (again && (s[n - 1].numel != s[i].numel || s[n - 1].width != s[i].width)) return snc_pkl__damaged(m, "a storage of two sizes");
        if (!again) s[n++] = s[i];
    }
    snc_pkl_tensor *list = NULL;
    SNC_TRY(snc_arena_alloc(&list, m->arena, (n + 1) * sizeof *list));
    if (n) memcpy(list, s, n * sizeof *list);
    out->storage = list;
    out->n_storages = (int)n;
    return SNC_OK;
}

static snc_pkl_machine machine_of(snc_arena *arena, const unsigned char *data, size_t size, const char *where)
{
    return (snc_pkl_machine){.p = data, .end = data + size, .size = size, .where = where, .arena = arena};
}

snc_err snc_unpickle_tensors(snc_pkl *out, snc_arena *arena, const unsigned char *data, size_t size, const char *where)
{
    snc_pkl_machine m = machine_of(arena, data, size, where);
    snc_pkl_value *top = NULL;
    *out = (snc_pkl){0};
    snc_err err = snc_pkl__run(&top, &m);
    if (!err) err = collect(out, &m, top);
    if (!err) err = collect_storages(out, &m);
    out->used = (size_t)(m.p - data);
    snc_pkl__dispose(&m);
    return err;
}

static snc_err collect_strings(const char *const **out, int *n, snc_pkl_machine *m, const snc_pkl_value *list)
{
    const char **text = NULL;
    if (list->kind != V_LIST && list->kind != V_TUPLE) return snc_pkl__damaged(m, "no list of storages");
    SNC_TRY(snc_arena_alloc(&text, m->arena, (list->u.seq.n + 1) * sizeof *text));
    for (size_t i = 0; i < list->u.seq.n; i++) {
        const snc_pkl_value *v = list->u.seq.v[i];
        char *copy = NULL;
        if (v->kind != V_STR) return snc_pkl__damaged(m, "a storage without a name");
        SNC_TRY(snc_arena_strndup(&copy, m->arena, v->u.str.s, v->u.str.n));
        text[i] = copy;
    }
    *out = text;
    *n = (int)list->u.seq.n;
    return SNC_OK;
}

snc_err snc_unpickle_strings(const char *const **out, int *n, size_t *used, snc_arena *arena, const unsigned char *data, size_t size,
                             const char *where)
{
    snc_pkl_machine m = machine_of(arena, data, size, where);
    snc_pkl_value *top = NULL;
    snc_err err = snc_pkl__run(&top, &m);
    if (!err) err = collect_strings(out, n, &m, top);
    *used = (size_t)(m.p - data);
    snc_pkl__dispose(&m);
    return err;
}

snc_err snc_unpickle_number(int64_t *out, size_t *used, const char *key, snc_arena *arena, const unsigned char *data, size_t size,
                            const char *where)
{
    snc_pkl_machine m = machine_of(arena, data, size, where);
    snc_pkl_value *top = NULL;
    snc_err err = snc_pkl__run(&top, &m);
    const snc_pkl_value *v = !err && top->kind == V_DICT && key ? dict_get(top, key) : top;
    if (!err && v && v->kind == V_INT) *out = v->u.i;
    else if (!err) err = snc_pkl__damaged(&m, "no number where one is expected");
    *used = (size_t)(m.p - data);
    snc_pkl__dispose(&m);
    return err;
}
