/* models/latency_priv.h: the table behind models/latency.h. */
#ifndef SNC_MODELS_LATENCY_PRIV_H
#define SNC_MODELS_LATENCY_PRIV_H

#include "models/latency.h"

enum { LATENCY_FORMAT = 1, LATENCY_DTYPES = 4 };

/* The measured widths of one gene, ascending. */
typedef struct snc_latency__axis {
    int n, v[SNC_MAX_OPTIONS];
} snc_latency__axis;

struct snc_latency {
    char host[256];
    snc_latency__axis hidden, heads, ffn;
    snc_dtype linear[LATENCY_DTYPES], embed[LATENCY_DTYPES];
    int n_linear, n_embed;
    double *part[SNC_PARTS];  /* [linear][hidden][heads or ffn][2] */
    double *embedding, *head; /* [embed][hidden], [linear][hidden] */
    double fixed, factor;     /* microseconds; of the sum of cells */
    int head_width;
    double hot_mb, hot_us; /* below so many MB of linears each MB less saves so many microseconds */
};

snc_err snc_latency__alloc(snc_latency *t) SNC_MUST_USE; /* the cells, by the axes */
double snc_latency__weight_mb(const snc_latency *t, const snc_arch *a, const snc_policy *p);
void snc_latency__host(char host[256], const snc_ctx *ctx, const snc_comm_host *on /* NULL: this one */);

static inline const snc_latency__axis *snc_latency__axis_of(const snc_latency *t, int part)
{
    return part == SNC_PART_FFN_IN || part == SNC_PART_FFN_OUT ? &t->ffn : &t->heads;
}
static inline size_t snc_latency__cells(const snc_latency *t, int part)
{
    return (size_t)t->n_linear * (size_t)t->hidden.n * (size_t)snc_latency__axis_of(t, part)->n * 2;
}
static inline size_t snc_latency__cell(const snc_latency *t, int part, int dtype, int hidden, int width, bool last)
{
    return (((size_t)dtype * (size_t)t->hidden.n + (size_t)hidden) * (size_t)snc_latency__axis_of(t, part)->n + (size_t)width) * 2 + last;
}

#endif
