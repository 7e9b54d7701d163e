/* quant/embed.h: embedding tables as F32, BF16, INT8 or INT4, read a row at a time as f32.
 *
 *   data  [V, C]  f32 | bf16 | int8   dense; a narrower net reads the first c columns of each row
 *         [V, C/2] and group [V, ceil(C/32)]   INT4, as quant/int4.h draws them; C and c multiples of 16
 *   sw    [V]     f32                 INT8 and INT4: scale of a row (INT8: absmax/127 over the full row)
 *
 * A table from f32 owns its converted copy (F32 borrows W); a view borrows all it is given, such as a mapped file. Reading
 * is thread-safe and has the same bits on every ISA.
 *
 *     snc_embed_row(x, words, id, c);            x  = word
 *     snc_embed_add_row(x, positions, pos, c);   x += position
 */
#ifndef SNC_QUANT_EMBED_H
#define SNC_QUANT_EMBED_H

#include "core/dtype.h"

typedef struct snc_embed snc_embed;

/* SNC_E_UNSUPPORTED: another dtype; SNC_E_SHAPE: V or C below 1, or INT4 with C no multiple of 16. W [V, C], ld. */
snc_err snc_embed_create(snc_embed **out, snc_dtype dtype, const float *W, int ldw, int V, int C) SNC_MUST_USE;
/* data as drawn; sw NULL unless dtype is SNC_I8 or SNC_I4; group NULL unless it is SNC_I4. */
snc_err snc_embed_view(snc_embed **out, snc_dtype dtype, const void *data, const uint8_t *group, const float *sw, int V,
                       int C) SNC_MUST_USE;
void snc_embed_free(snc_embed *e);

void snc_embed_row(float *y /* [c] */, const snc_embed *e, int id, int c);     /* 0 <= id < V, c <= C */
void snc_embed_add_row(float *y /* [c] */, const snc_embed *e, int id, int c); /* y += row */
size_t snc_embed_bytes(const snc_embed *e, int c); /* what the first c columns of all rows take in a file, scales included */
/* The stored form of the first c columns, dense, for export: data as drawn with c for C, group (INT4) and sw (INT8 and
 * INT4); what a dtype has not got is left untouched and may be NULL. */
void snc_embed_unpack(void *data, uint8_t *group, float *sw, const snc_embed *e, int c);

#endif
