/* Closed formulas over the table of parameters. */
#include "models/cost.h"

#include "core/dtype.h"
#include "models/family/family.h"
#include "quant/int4.h"

/* The axes of each layer: a search asks for the costs of thousands of nets, so they are looked up once a net. */
typedef struct shapes {
    const snc_encoder_config *cfg;
    int layers, products, size[SNC_MAX_LAYERS][SNC_AXES];
} shapes;

static void make_shapes(shapes *x, const snc_encoder_config *c, const snc_arch *a)
{
    x->cfg = c;
    x->layers = a->layers;
    x->products = snc_cost_products(c);
    for (int l = 0; l < a->layers; l++) snc_spec_sizes(x->size[l], c, a, l);
}

/* How many parameters of one row a net has at the most: as many as it has layers. */
static int count_of(snc_role r, const shapes *x) { return !snc_config_has(x->cfg, r) ? 0 : snc_spec_rows[r].layer ? x->layers : 1; }
static bool has(snc_role r, const shapes *x, int layer) { return snc_spec_present(r, x->size[layer]); }

/* The numbers in all parameters of one row. */
static int64_t numbers_of(snc_role r, const shapes *x)
{
    const snc_spec *s = &snc_spec_rows[r];
    int64_t n = 0;
    for (int l = 0; l < count_of(r, x); l++) n += has(r, x, l) ? (int64_t)x->size[l][s->rows] * x->size[l][s->cols] : 0;
    return n;
}

int64_t snc_cost_params(const snc_encoder_config *c, const snc_arch *a)
{
    int64_t n = 0;
    shapes x;
    make_shapes(&x, c, a);
    for (int r = 0; r < SNC_ROLES; r++) n += numbers_of(r, &x);
    return n;
}

static int64_t encoder_macs(const shapes *x, int64_t S)
{
    int64_t n = 0;
    for (int r = 0; r < SNC_ROLES; r++)
        if (snc_spec_rows[r].slot == SNC_SLOT_SITE || snc_spec_rows[r].slot == SNC_SLOT_PROJECTION) n += S * numbers_of(r, x);
    for (int l = 0; l < x->layers; l++) n += x->products * S * S * x->size[l][SNC_AXIS_HEAD];
    return n;
}

int64_t snc_cost_encoder_macs(const snc_encoder_config *c, const snc_arch *a, int len)
{
    shapes x;
    make_shapes(&x, c, a);
    return encoder_macs(&x, len);
}

int64_t snc_cost_macs(const snc_encoder_config *c, const snc_arch *a, int len)
{
    shapes x;
    make_shapes(&x, c, a);
    int64_t S = len, n = encoder_macs(&x, S) + S;
    for (int r = 0; r < SNC_ROLES; r++) {
        const snc_spec *s = &snc_spec_rows[r];
        if (s->slot == SNC_SLOT_POOLER || s->slot == SNC_SLOT_CLASSIFIER) n += numbers_of(r, &x);
        if (s->init == SNC_INIT_ONE && s->half != SNC_AXIS_DISTANCE) n += S * numbers_of(r, &x); /* a LayerNorm, told by its gain */
    }
    return n;
}

/* What a matrix keeps beside its weights: a scale a row, and INT4's multipliers. */
static int64_t scale_bytes(snc_dtype t, int64_t N, int64_t K)
{
    return (t == SNC_I8 || t == SNC_I4 ? 4 * N : 0) + (t == SNC_I4 ? N * (int64_t)snc_int4_group_bytes((int)K) : 0);
}

/* Adds the tables or matrices of one row; returns their tensors. */
static int64_t add_matrices(snc_bytes *b, snc_role role, const shapes *x, const snc_policy *p)
{
    const snc_spec *s = &snc_spec_rows[role];
    int64_t weights = 0, scales = 0, tensors = 0;
    for (int l = 0; l < count_of(role, x); l++) {
        snc_dtype t = snc_spec_dtype(p, role, l);
        if (!has(role, x, l)) continue;
        int64_t N = x->size[l][s->rows], K = x->size[l][s->cols];
        weights += N * K * snc_dtype_get(t)->bits / 8;
        scales += scale_bytes(t, N, K);
        tensors += t == SNC_I4 ? 3 : t == SNC_I8 ? 2 : 1;
    }
    const bool embed = s->slot == SNC_SLOT_EMBED || s->slot == SNC_SLOT_PROJECTION;
    *(embed ? &b->embed : &b->linears) += weights;
    *(embed ? &b->embed : &b->scales) += scales;
    return tensors;
}

void snc_cost_bytes(snc_bytes *out, const snc_encoder_config *c, const snc_arch *a, const snc_policy *p, size_t tokenizer_bytes,
                    size_t metadata_bytes)
{
    enum { ENTRY = 104, FIXED = 1024 }; /* a tensor's line at its longest; brackets, padding, our own metadata keys */
    snc_bytes b = {.tokenizer = (int64_t)tokenizer_bytes};
    int64_t tensors = 2; /* the tokenizer's */
    shapes x;
    make_shapes(&x, c, a);
    for (int r = 0; r < SNC_ROLES; r++) {
        const snc_spec *s = &snc_spec_rows[r];
        if (s->slot != SNC_SLOT_NONE) tensors += add_matrices(&b, r, &x, p);
        else {
            b.vectors += 4 * numbers_of(r, &x);
            for (int l = 0; l < count_of(r, &x); l++) tensors += has(r, &x, l);
        }
    }
    b.header = ENTRY * tensors + FIXED + (int64_t)metadata_bytes;
    b.total = b.embed + b.linears + b.scales + b.vectors + b.tokenizer + b.header;
    *out = b;
}
