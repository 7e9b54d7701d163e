/* core/params.h: a model's parameters: one table, one f32 block, one gradient block.
 *
 *   w  [pad64(p0) | pad64(p1) | ...]   every parameter starts on a 64-byte boundary, row-major
 *   g  the same layout, or NULL while not training
 *
 * Optimiser, save, clone and norm are loops over two flat arrays. The owner disposes.
 */
#ifndef SNC_CORE_PARAMS_H
#define SNC_CORE_PARAMS_H

#include "base/error.h"

enum { SNC_PARAM_NAME = 64 };

typedef enum snc_param_flag {
    SNC_PARAM_DECAY = 1, /* weight decay applies (matrices; not biases, not LayerNorm) */
    SNC_PARAM_ROWS = 2   /* an embedding table: a step touches few rows */
} snc_param_flag;

typedef struct snc_param {
    char name[SNC_PARAM_NAME];
    int rows, cols; /* a vector has rows = 1 */
    unsigned flags;
    size_t offset;  /* in floats, into w and g */
    int row, layer; /* whose table it is from tells; a table by hand leaves them 0 */
} snc_param;

typedef struct snc_params {
    int n;
    snc_param *p;
    size_t cap;
    size_t total; /* floats, padding included */
    float *w, *g;
} snc_params;

/* Adds a row to the table; `out` is its index. All rows are added before alloc. */
snc_err snc_params_add(int *out, snc_params *ps, int rows, int cols, unsigned flags, const char *fmt, ...) SNC_MUST_USE
    __attribute__((format(printf, 6, 7)));
snc_err snc_params_alloc(snc_params *ps) SNC_MUST_USE;      /* w, zeroed */
snc_err snc_params_alloc_grad(snc_params *ps) SNC_MUST_USE; /* g, zeroed; fine to call twice */
void snc_params_zero_grad(snc_params *ps);
int snc_params_find(const snc_params *ps, const char *name); /* index or -1 */
size_t snc_params_count(const snc_params *ps);               /* without padding */
void snc_params_dispose(snc_params *ps);

static inline float *snc_params_w(const snc_params *ps, int i) { return ps->w + ps->p[i].offset; }
static inline float *snc_params_g(const snc_params *ps, int i) { return ps->g + ps->p[i].offset; }

#endif
