/* core/unpickle_priv.h: the values of a pickle while it is read, and the machine that makes them. */
#ifndef SNC_CORE_UNPICKLE_PRIV_H
#define SNC_CORE_UNPICKLE_PRIV_H

#include "core/unpickle.h"

typedef enum snc_pkl_kind { V_NONE, V_INT, V_FLOAT, V_STR, V_TUPLE, V_LIST, V_DICT, V_GLOBAL, V_STORAGE, V_TENSOR } snc_pkl_kind;

typedef struct snc_pkl_value snc_pkl_value;
struct snc_pkl_value {
    snc_pkl_kind kind;
    union {
        int64_t i;
        struct {
            const char *s;
            size_t n;
        } str; /* not NUL-terminated */
        struct {
            snc_pkl_value **v;
            size_t n, cap;
        } seq; /* a dict: key, value, key, value ... */
        const struct snc_pkl_global *global;
        snc_pkl_tensor *tensor; /* also a storage: shape not yet set */
    } u;
};

typedef struct snc_pkl_machine {
    const unsigned char *p, *end;
    size_t size;
    const char *where;
    snc_arena *arena;
    snc_pkl_value **stack;
    size_t n, stack_cap;
    size_t *marks; /* stack heights */
    size_t n_marks, marks_cap;
    snc_pkl_value **memo; /* NULL: not stored yet */
    size_t n_memo, memo_cap;
    size_t values;
    snc_pkl_tensor *storages; /* every one that was named, by any key as often as it was */
    size_t n_storages, storages_cap;
} snc_pkl_machine;

/* One pickle; m->p is behind it afterwards. The value lives in the arena, m's own lists until dispose. */
snc_err snc_pkl__run(snc_pkl_value **out, snc_pkl_machine *m) SNC_MUST_USE;
snc_err snc_pkl__damaged(const snc_pkl_machine *m, const char *what);
bool snc_pkl__is(const snc_pkl_value *v, const char *text); /* a string, and that one */
void snc_pkl__dispose(snc_pkl_machine *m);

#endif
