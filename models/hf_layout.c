/* As ours lie in memory, but for a bias by distance: there a row a bucket, here the buckets of a head behind each other. */
#include "base/mem.h"
#include "core/relative.h"
#include "models/hf_priv.h"

static bool is_turned(const snc_param *p) { return snc_spec_of(p)->cols == SNC_AXIS_RELATIVE; }

int snc__hf_shape(int64_t shape[2], const snc_param *p)
{
    if (!is_turned(p)) return snc_spec_shape(shape, p);
    shape[0] = SNC_RELATIVE_BUCKETS;
    shape[1] = p->cols / SNC_RELATIVE_BUCKETS;
    return 2;
}

snc_err snc__hf_read(float *w, const snc_param *p, const snc_tensor *t)
{
    float *rows = NULL;
    int heads = p->cols / SNC_RELATIVE_BUCKETS;
    if (!is_turned(p)) return snc_tensor_to_f32(w, t);
    SNC_TRY(snc_alloc(&rows, (size_t)p->cols, sizeof *rows));
    snc_err err = snc_tensor_to_f32(rows, t);
    for (int i = 0; i < p->cols && !err; i++) w[i] = rows[i % SNC_RELATIVE_BUCKETS * heads + i / SNC_RELATIVE_BUCKETS];
    snc_free(rows);
    return err;
}
