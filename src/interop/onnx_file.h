/* interop/onnx_file.h: an ONNX model, put together node by node and written tensor by tensor.
 *
 * The messages are those of ONNX's own schema (onnx.proto), packed by protobuf-c as soon as they are whole. ModelProto and GraphProto,
 * which hold all others, are never whole in memory: their fields are framed here. So is `raw_data` of a tensor, whose bytes (little
 * endian) are asked for some rows at a time while the file is written: beside what the caller has, a model takes its nodes and
 * one stretch of rows.
 *
 *   ModelProto   ir_version, producer, opset | graph: nodes | name | tensors | inputs | outputs
 *   tensor       name, type, dims | raw_data; or, of a model that protobuf cannot hold (2 GB), where it lies in PATH_data
 *
 * The first failure sticks: what follows it does nothing and gives names that are not used, and snc_onnx_save returns it.
 *
 *     SNC_TRY(snc_onnx_new(&g));
 *     const char *x = snc_onnx_input(g, "x", SNC_ONNX_F32, 2, (const char *const[]){"batch", "width"});
 *     x = snc_onnx_node(g, "Mul", SNC_ONNX_PLAIN, 1, 2, (const char *const[]){x, snc_onnx_float(g, 0.5f)});
 *     snc_onnx_output(g, "y", x, ...);   SNC_GOTO(snc_onnx_save(g, "model.onnx", SNC_ONNX_MOST));   snc_onnx_free(g);
 */
#ifndef SNC_INTEROP_ONNX_FILE_H
#define SNC_INTEROP_ONNX_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { SNC_ONNX_OPSET = 17, SNC_ONNX_RANK = 4, SNC_ONNX_ATTRIBUTES = 3, SNC_ONNX_INPUTS = 5 };
#define SNC_ONNX_MOST ((int64_t)INT32_MAX) /* bytes that protobuf can hold */

/* Numbers of TensorProto.DataType. */
typedef enum snc_onnx_type { SNC_ONNX_F32 = 1, SNC_ONNX_I8 = 3, SNC_ONNX_I64 = 7 } snc_onnx_type;

/* Of a node: whole numbers (ints NULL: one, else a list of n) or a float. name NULL: behind the last. */
typedef struct snc_onnx_attribute {
    const char *name;
    const int64_t *ints;
    int n;
    int64_t i;
    float f;
    bool real;
} snc_onnx_attribute;

typedef struct snc_onnx_attributes {
    snc_onnx_attribute a[SNC_ONNX_ATTRIBUTES];
} snc_onnx_attributes;
#define SNC_ONNX_PLAIN ((snc_onnx_attributes){.a = {{.name = NULL}}})

typedef struct snc_onnx snc_onnx;

/* SNC_E_UNSUPPORTED: built without protobuf-c or the schema. */
snc_err snc_onnx_here(void) SNC_MUST_USE;
snc_err snc_onnx_new(snc_onnx **out) SNC_MUST_USE;
void snc_onnx_free(snc_onnx *g);

/* Each returns the name of a value, which g owns. dims: names of dynamic ones, or NULL for 1. */
const char *snc_onnx_input(snc_onnx *g, const char *name, snc_onnx_type t, int rank, const char *const *dims);
/* in [n]; "" leaves one out. The first of `outputs`; of the others snc_onnx_also tells the names. */
const char *snc_onnx_node(snc_onnx *g, const char *op, snc_onnx_attributes a, int outputs, int n, const char *const *in);
const char *snc_onnx_also(snc_onnx *g, const char *first, int k);
/* `value` under the name of the graph's one output [batch, width], or of tokens [batch, sequence, width], of f32. */
void snc_onnx_output(snc_onnx *g, const char *name, const char *value, bool of_tokens, int width);

/* Writes rows [row, row + rows) of a tensor to `to`. */
typedef snc_err (*snc_onnx_fill)(void *to, const void *payload, int64_t row, int64_t rows);
/* A constant that is asked for while the file is written; payload [bytes] is copied, what it points to is borrowed until then. One of a
 * name that is there already is that one. */
const char *snc_onnx_tensor(snc_onnx *g, const char *name, snc_onnx_type t, int rank, const int64_t *dims, snc_onnx_fill fill,
                            const void *payload, size_t bytes);
/* Small ones, copied, that are called by what they hold. */
const char *snc_onnx_float(snc_onnx *g, float v);                /* a scalar */
const char *snc_onnx_whole(snc_onnx *g, int64_t v);              /* a scalar */
const char *snc_onnx_ints(snc_onnx *g, int n, const int64_t *v); /* [n] */
/* A failure of the caller's own on the way to a value: it sticks. */
const char *snc_onnx_failed(snc_onnx *g, snc_err err);
/* Of this name, copied: a table that was made. */
const char *snc_onnx_copy(snc_onnx *g, const char *name, snc_onnx_type t, int rank, const int64_t *dims, const void *data);

/* Where the file would have more than `most` bytes, the tensors lie in PATH_data beside it. Each of the two is all or nothing. */
snc_err snc_onnx_save(snc_onnx *g, const char *path, int64_t most) SNC_MUST_USE;

#endif
