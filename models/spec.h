/* models/spec.h: every parameter that a model of ours can have, a row each: its name, axes, start values, decay, quantization.
 *
 * Whoever does something to all parameters (tables, extraction, importance order, cost, files, import) walks this table; a
 * parameter more is a row more. The order of the rows is the order in memory: what stands before the layers, the rows of a
 * layer for each layer in turn, what stands behind. A bias follows its weight: its role is the weight's + 1.
 *
 * snc_param.row is the role and snc_param.layer the layer (0 outside of layers):
 *
 *     for (int i = 0; i < ps.n; i++)
 *         if (snc_spec_of(&ps.p[i])->cols == SNC_AXIS_FFN) ...
 */
#ifndef SNC_MODELS_SPEC_H
#define SNC_MODELS_SPEC_H

#include "core/params.h"
#include "models/arch.h"

/* What a parameter is to the network. The embedding tables come first. */
typedef enum snc_role {
    SNC_ROLE_WORD,
    SNC_ROLE_POSITION,
    SNC_ROLE_TYPE,
    SNC_ROLE_DISTANCE,
    SNC_ROLE_EMBED_NORM,
    SNC_ROLE_EMBED_NORM_BIAS,
    SNC_ROLE_DISTANCE_NORM,
    SNC_ROLE_DISTANCE_NORM_BIAS,
    SNC_ROLE_PROJECTION,
    SNC_ROLE_PROJECTION_BIAS,
    SNC_ROLE_Q,
    SNC_ROLE_Q_BIAS,
    SNC_ROLE_K,
    SNC_ROLE_K_BIAS,
    SNC_ROLE_V,
    SNC_ROLE_V_BIAS,
    SNC_ROLE_O,
    SNC_ROLE_O_BIAS,
    SNC_ROLE_RELATIVE,
    SNC_ROLE_ATTENTION_NORM,
    SNC_ROLE_ATTENTION_NORM_BIAS,
    SNC_ROLE_FFN_IN,
    SNC_ROLE_FFN_IN_BIAS,
    SNC_ROLE_FFN_OUT,
    SNC_ROLE_FFN_OUT_BIAS,
    SNC_ROLE_FFN_NORM,
    SNC_ROLE_FFN_NORM_BIAS,
    SNC_ROLE_POOLER,
    SNC_ROLE_POOLER_BIAS,
    SNC_ROLE_POOLER_NORM,
    SNC_ROLE_POOLER_NORM_BIAS,
    SNC_ROLE_CLASSIFIER,
    SNC_ROLE_CLASSIFIER_BIAS,
    SNC_ROLE_MIXTURE, /* experts and routers (mixture.h), many to a layer: no row of it makes them */
    SNC_ROLE_MIXTURE_VECTOR,
    SNC_ROLES
} snc_role;

enum { SNC_TABLES = SNC_ROLE_DISTANCE + 1 };

/* What rows or columns count. Units of one axis are cut off and permuted together wherever it stands; SNC_AXIS_HEAD, of a
 * unit of head_width, SNC_AXIS_RELATIVE, of SNC_RELATIVE_BUCKETS (core/relative.h) a head, SNC_AXIS_FFN and SNC_AXIS_FFN_IN,
 * of two rows a neuron where it is gated (its own, and its gate's behind it), belong to their layer. The pooler's outputs are as many as
 * hidden channels, in an order of their own. Columns of the tables are the hidden channels, or where a projection leads to these the
 * FACTOR ones, of which none is cut off: snc_family_axis tells. Rows of the
 * table of distances are buckets, as many to either side. Of MIXTURE there is none that a table counts or an order moves. */
typedef enum snc_axis {
    SNC_AXIS_ONE, /* the row of a vector */
    SNC_AXIS_VOCAB,
    SNC_AXIS_POSITION,
    SNC_AXIS_TYPE,
    SNC_AXIS_EMBED,
    SNC_AXIS_FACTOR,
    SNC_AXIS_HIDDEN,
    SNC_AXIS_HEAD,
    SNC_AXIS_FFN,
    SNC_AXIS_POOLED,
    SNC_AXIS_CLASS,
    SNC_AXIS_RELATIVE,
    SNC_AXIS_FFN_IN,
    SNC_AXIS_DISTANCE,
    SNC_AXIS_MIXTURE,
    SNC_AXES
} snc_axis;

/* Which entry of a policy chooses the dtype. The projection is a linear of the tables' dtype. */
typedef enum snc_slot { SNC_SLOT_NONE, SNC_SLOT_EMBED, SNC_SLOT_PROJECTION, SNC_SLOT_SITE, SNC_SLOT_POOLER, SNC_SLOT_CLASSIFIER } snc_slot;

typedef enum snc_init { SNC_INIT_ZERO, SNC_INIT_ONE, SNC_INIT_NORMAL } snc_init;

typedef struct snc_spec {
    const char *name; /* in our files; {N} stands for the layer */
    bool layer;       /* one for each layer */
    snc_axis half;    /* a layer without heads, or without FFN neurons, has no parameter of HEAD, or FFN, a net without a projection
                       * none of FACTOR, one without a table of distances none of DISTANCE; ONE: always there */
    snc_axis rows, cols;
    snc_slot slot;
    snc_site site;   /* of SNC_SLOT_SITE */
    const char *key; /* of the slot, in a policy's JSON */
    snc_init init;
    unsigned flags; /* of snc_param */
} snc_spec;

extern const snc_spec snc_spec_rows[SNC_ROLES]; /* by snc_role */

static inline const snc_spec *snc_spec_of(const snc_param *p) { return &snc_spec_rows[p->row]; }
snc_role snc_spec_site(snc_site s); /* the matrix of a site */
static inline const char *snc_spec_key(snc_site s) { return snc_spec_rows[snc_spec_site(s)].key; }

/* Columns of the tables. */
static inline int snc_spec_embed_width(const snc_encoder_config *c, const snc_arch *a) { return c->embedding ? c->embedding : a->hidden; }
/* How many rows or columns of each axis a layer of `a` has (any layer for what stands outside). */
void snc_spec_sizes(int size[SNC_AXES], const snc_encoder_config *c, const snc_arch *a, int layer);
/* Whether a layer of these sizes has the parameter. */
static inline bool snc_spec_present(snc_role role, const int size[SNC_AXES]) { return size[snc_spec_rows[role].half] > 0; }
/* Names and shapes of what family and layers have, nothing allocated for weights; ps is empty before and disposed by the caller.
 * cfg.classes >= 1. */
snc_err snc_spec_table(snc_params *ps, const snc_encoder_config *c, const snc_arch *a) SNC_MUST_USE;
/* `pattern` with the number of the layer in place of {N}. */
void snc_spec_expand(char *out, size_t size, const char *pattern, int layer);
/* A matrix or table in a message: "layer 3 ffn.in", "pooler". */
const char *snc_spec_text(char buf[SNC_PARAM_NAME], snc_role role, int layer);

/* A matrix has two dimensions even with one row (a regression head), a vector one. Returns the rank. */
int snc_spec_shape(int64_t shape[2], const snc_param *p);
static inline bool snc_spec_matrix(const snc_param *p) { return snc_spec_of(p)->rows != SNC_AXIS_ONE; }
/* A linear's weight: what a source gives (models/source.h). */
static inline bool snc_spec_linear(const snc_param *p)
{
    return snc_spec_matrix(p) && snc_spec_of(p)->slot != SNC_SLOT_EMBED && snc_spec_of(p)->slot != SNC_SLOT_NONE;
}
/* The bias of one: which the same source gives. */
static inline bool snc_spec_bias(const snc_param *p)
{
    const snc_spec *before = p->row > 0 ? &snc_spec_rows[p->row - 1] : NULL;
    return !snc_spec_matrix(p) && before && before->rows != SNC_AXIS_ONE && before->slot != SNC_SLOT_EMBED && before->slot != SNC_SLOT_NONE;
}
/* What a policy makes of a parameter of kept layer `layer`; vectors are always F32. */
snc_dtype snc_spec_dtype(const snc_policy *p, snc_role role, int layer);

#endif
