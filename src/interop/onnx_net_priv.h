/* interop/onnx_net_priv.h: what the files that make a net's graph share. Values are names that the graph owns. */
#ifndef SNC_INTEROP_ONNX_NET_PRIV_H
#define SNC_INTEROP_ONNX_NET_PRIV_H

#include "interop/onnx_net.h"

typedef const char *snc_value;

typedef struct snc_onnx__net {
    snc_onnx *g;
    const snc_sncfile *f;
    const snc_encoder_config *c;
    const snc_arch *a;
    const snc_family *family;
    snc_onnx_form form;
    snc_value ids, mask, types; /* inputs; types NULL: the family has none */
    snc_value seen;             /* [batch, 1, 1, sequence] 0 for tokens, SNC_ONNX__NEVER for padding: added to scores */
    snc_value length;           /* [1] int64: tokens of a row */
    snc_value apart;            /* [sequence, sequence] int64: key less query, where the family asks; else NULL */
    snc_value quantized[4];     /* of the last input that was quantized: itself, its integers, their scale and zero point */
} snc_onnx__net;

#define SNC_ONNX__NEVER (-1e30f) /* of several the sum is finite, too */

/* ---- nodes: sugar ---- */
#define SNC_OP1(n, op, a)       snc_onnx_node((n)->g, op, SNC_ONNX_PLAIN, 1, 1, (const char *const[]){a})
#define SNC_OP2(n, op, a, b)    snc_onnx_node((n)->g, op, SNC_ONNX_PLAIN, 1, 2, (const char *const[]){a, b})
#define SNC_OP3(n, op, a, b, c) snc_onnx_node((n)->g, op, SNC_ONNX_PLAIN, 1, 3, (const char *const[]){a, b, c})
#define SNC_WITH_INT(key, v)    ((snc_onnx_attributes){.a = {{.name = key, .i = v}}})

snc_value snc_onnx__reshape(snc_onnx__net *n, snc_value x, int rank, const int64_t *shape);
snc_value snc_onnx__transpose(snc_onnx__net *n, snc_value x, int a, int b, int c, int d); /* d < 0: three dimensions */
/* x[begin:end) of one axis; `end` is a value [1]. */
snc_value snc_onnx__slice(snc_onnx__net *n, snc_value x, int axis, int64_t begin, snc_value end);
snc_value snc_onnx__first(snc_onnx__net *n, snc_value x, int axis); /* x[0:1) */
snc_value snc_onnx__cast(snc_onnx__net *n, snc_value x, snc_onnx_type t);
snc_value snc_onnx__scaled(snc_onnx__net *n, snc_value x, float by);
snc_value snc_onnx__norm(snc_onnx__net *n, snc_value x, snc_role role, int layer);
snc_value snc_onnx__act(snc_onnx__net *n, snc_value x, snc_act act);

/* ---- parameters (onnx_weights.c) ---- */
/* The whole vector. */
snc_value snc_onnx__vector(snc_onnx__net *n, snc_role role, int layer);
/* x W^T + b of a linear; every `step`-th row of it from `row` on. */
snc_value snc_onnx__linear(snc_onnx__net *n, snc_value x, snc_role role, int layer, int row, int step);
/* Rows `at` of a table, in f32, or all of them: at NULL. */
snc_value snc_onnx__rows(snc_onnx__net *n, snc_role table, snc_value at);
/* Rows base .. base + length. */
snc_value snc_onnx__rows_from(snc_onnx__net *n, snc_role table, int base);

/* ---- attention (onnx_attention.c) ---- */
/* m [batch, sequence, A], or [batch, 1, A] of the first tokens: of x, normalized. */
snc_value snc_onnx__attention(snc_onnx__net *n, snc_value x, int l, bool first);

#endif
