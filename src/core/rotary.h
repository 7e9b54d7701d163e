/* core/rotary.h: positions that turn queries and keys: dims d and d + D/2 of a head are a point that token t turns by the angle
 * t * theta^(-2 d / D), so that a product of two depends on how far they stand from each other.
 *
 *     snc_rotary_new(&r, 512, 64, 10000);
 *     snc_rotary_turn(x, ld, r, len, false);      rows 0 .. len-1 of one head, in place; back: by the negative angle, which is also
 *                                                 what the gradient wants
 */
#ifndef SNC_CORE_ROTARY_H
#define SNC_CORE_ROTARY_H

#include <stdbool.h>

#include "base/ctx.h"
#include "core/tokens.h"

typedef struct snc_rotary snc_rotary;

/* For positions 0 .. len-1 and an even width. */
snc_err snc_rotary_new(snc_rotary **out, int len, int width, float theta) SNC_MUST_USE;
void snc_rotary_free(snc_rotary *r);
/* The same bits on every machine and thread count. */
void snc_rotary_turn(float *x, int ld, const snc_rotary *r, int len, bool back);
/* x [T, heads * width]: every head of every sequence. */
void snc_rotary_turn_all(float *x, const snc_ctx *ctx, const snc_rotary *r, const snc_tokens *batch, int heads, bool back);

#endif
