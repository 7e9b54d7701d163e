/* core/tensor.h: a named, shaped, read-only run of numbers inside a file that somebody else keeps open.
 *
 * What the readers of safetensors and PyTorch files give out and what the safetensors writer takes. Row-major and dense.
 * `data` need not be aligned for its type: read it with memcpy or snc_tensor_to_f32.
 */
#ifndef SNC_CORE_TENSOR_H
#define SNC_CORE_TENSOR_H

#include <stdbool.h>

#include "core/dtype.h"

enum { SNC_TENSOR_RANK = 8, SNC_SHAPE_TEXT = 192 };

typedef struct snc_tensor {
    const char *name;
    snc_dtype dtype;        /* SNC_DTYPES: one that we do not compute with */
    const char *dtype_name; /* as safetensors spells it: "F32", "BOOL"; ignored by the writer */
    int rank;
    int64_t shape[SNC_TENSOR_RANK];
    const void *data;
    size_t bytes;
} snc_tensor;

/* rank 1 compares d0 alone. */
bool snc_tensor_is(const snc_tensor *t, int rank, int64_t d0, int64_t d1);
/* "[2, 3]" into buf, which is returned. */
const char *snc_shape_text(char buf[SNC_SHAPE_TEXT], const int64_t *shape, int rank);
/* The product of shape times `width` bytes; false when it does not fit in 2^62. */
bool snc_shape_bytes(size_t *out, const int64_t *shape, int rank, size_t width);
bool snc_tensor_is_float(const snc_tensor *t); /* F32, F16, BF16 or F64 */
/* out [count]; from such a one, F64 rounded. SNC_E_UNSUPPORTED: another dtype. SNC_E_FORMAT: NaN or infinity in it. */
snc_err snc_tensor_to_f32(float *out, const snc_tensor *t) SNC_MUST_USE;

/* By name; find wants a sorted list and gives NULL when the name is not in it. */
void snc_tensors_sort(snc_tensor *list, int n);
const snc_tensor *snc_tensors_find(const snc_tensor *list, int n, const char *name);

#endif
