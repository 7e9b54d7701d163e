/* As ours lie in memory, but for three: biases by distance, of which files have a row a bucket; Q, K and V behind each other in one
 * tensor; and gated neurons, whose inputs stand before all gates. */
#include "base/mem.h"
#include "core/relative.h"
#include "models/hf_priv.h"

static bool is_turned(const snc_param *p) { return snc_spec_of(p)->cols == SNC_AXIS_RELATIVE; }

static bool is_gated(const snc_param *p, const snc_family *f)
{
    return f->gated && (p->row == SNC_ROLE_FFN_IN || p->row == SNC_ROLE_FFN_IN_BIAS);
}

int snc__hf_shape(int64_t shape[2], const snc_param *p, const snc_family *f)
{
    int rank = snc_spec_shape(shape, p);
    if (f->part[p->row]) shape[0] *= 3;
    if (!is_turned(p)) return rank;
    shape[0] = SNC_RELATIVE_BUCKETS;
    shape[1] = p->cols / SNC_RELATIVE_BUCKETS;
    return 2;
}

/* `all` is the file's tensor. */
static void place(float *w, const float *all, const snc_param *p, const snc_family *f)
{
    size_t n = (size_t)p->rows * (size_t)p->cols, row = snc_spec_matrix(p) ? (size_t)p->cols : 1, half = n / row / 2;
    size_t heads = (size_t)p->cols / SNC_RELATIVE_BUCKETS;
    if (f->part[p->row]) memcpy(w, all + (f->part[p->row] - 1U) * n, n * sizeof *w);
    else if (is_turned(p))
        for (size_t i = 0; i < n; i++) w[i] = all[i % SNC_RELATIVE_BUCKETS * heads + i / SNC_RELATIVE_BUCKETS];
    else
        for (size_t i = 0; i < n / row; i++) memcpy(w + i * row, all + (i / 2 + i % 2 * half) * row, row * sizeof *w);
}

snc_err snc__hf_read(float *w, const snc_param *p, const snc_tensor *t, const snc_family *f)
{
    int64_t shape[2];
    float *all = NULL;
    if (!f->part[p->row] && !is_turned(p) && !is_gated(p, f)) return snc_tensor_to_f32(w, t);
    size_t n = snc__hf_shape(shape, p, f) == 2 ? (size_t)shape[0] * (size_t)shape[1] : (size_t)shape[0];
    SNC_TRY(snc_alloc(&all, n, sizeof *all));
    snc_err err = snc_tensor_to_f32(all, t);
    if (!err) place(w, all, p, f);
    snc_free(all);
    return err;
}
