/* core/unpickle.h: the part of Python's pickle that a PyTorch state dict needs, and nothing that could run code.
 *
 * A pickle is a program for a stack machine; its dangerous instruction is GLOBAL, which names any function of any module.
 * Here only collections.OrderedDict, torch._utils._rebuild_tensor(_v2), torch._utils._rebuild_parameter and the storage
 * classes (torch.FloatStorage ...) exist; any other name ends the reading with SNC_E_UNSUPPORTED and the name in the line.
 * The result is the list of tensors of the outermost dict, or, when that holds none, of its entry "state_dict", "model" or
 * "model_state_dict". Strings live in the arena. Protocols 2 to 5.
 */
#ifndef SNC_CORE_UNPICKLE_H
#define SNC_CORE_UNPICKLE_H

#include "base/mem.h"
#include "core/tensor.h"

typedef struct snc_pkl_tensor {
    const char *name;
    const char *storage; /* the record "data/STORAGE" of the archive holds the numbers */
    snc_dtype dtype;     /* as in snc_tensor */
    const char *dtype_name;
    int width;      /* bytes an element */
    int64_t numel;  /* elements of the storage */
    int64_t offset; /* first element */
    int rank;
    int64_t shape[SNC_TENSOR_RANK], stride[SNC_TENSOR_RANK]; /* in elements; all within the storage */
} snc_pkl_tensor;

typedef struct snc_pkl {
    const snc_pkl_tensor *tensor; /* [n] of the state dict */
    int n;
    const snc_pkl_tensor *storage; /* [n_storages] all that the pickle names, sorted by key, whoever uses them: type and elements alone */
    int n_storages;
    size_t used; /* bytes of the pickle: others may lie behind it */
} snc_pkl;

/* SNC_E_FORMAT: not a pickle, damaged, or no dict of tensors. `where` names the record in messages. */
snc_err snc_unpickle_tensors(snc_pkl *out, snc_arena *arena, const unsigned char *data, size_t size, const char *where) SNC_MUST_USE;
/* A pickle that is a list of strings. */
snc_err snc_unpickle_strings(const char *const **out, int *n, size_t *used, snc_arena *arena, const unsigned char *data, size_t size,
                             const char *where) SNC_MUST_USE;
/* A pickle that is a whole number or a truth value, or a dict with one under `key` (NULL: none). */
snc_err snc_unpickle_number(int64_t *out, size_t *used, const char *key, snc_arena *arena, const unsigned char *data, size_t size,
                            const char *where) SNC_MUST_USE;

#endif
