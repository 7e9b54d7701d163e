/* A walk over the table of parameters: packed matrices are unpacked to their prefix, so a file has the very integers that were scored. */
#include "models/export.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "models/runtime_priv.h"
#include "quant/int4.h"

enum { NAME = SNC_PARAM_NAME + 8 };

/* Tensors of the file with their bytes; room for three per parameter. */
typedef struct bundle {
    snc_weights *w;
    const snc_arch *arch;
    const snc_policy *policy;
    snc_params table;
    snc_tensor *tensor;
    char (*name)[NAME];
    void **data;
    int n;
} bundle;

static snc_err add(void *out /* T ** */, bundle *b, const char *name, snc_dtype t, int rows, int cols)
{
    size_t width = (size_t)snc_dtype_get(t)->bits / 8, bytes = (rows ? (size_t)rows : 1) * (size_t)cols * width;
    snc_tensor *x = &b->tensor[b->n];
    SNC_TRY(snc_alloc(&b->data[b->n], bytes, 1));
    snprintf(b->name[b->n], NAME, "%s", name);
    *x = (snc_tensor){.name = b->name[b->n], .dtype = t, .rank = rows ? 2 : 1, .data = b->data[b->n], .bytes = bytes};
    x->shape[0] = rows ? rows : cols;
    x->shape[1] = rows ? cols : 0;
    memcpy(out, &b->data[b->n], sizeof(void *));
    b->n++;
    return SNC_OK;
}

/* A vector's leading values. */
static snc_err add_vector(bundle *b, const snc_param *p, const float *v)
{
    float *to = NULL;
    SNC_TRY(add(&to, b, p->name, SNC_F32, 0, p->cols));
    memcpy(to, v, (size_t)p->cols * sizeof *to);
    return SNC_OK;
}

static snc_err add_scale(float **out, bundle *b, const char *name, int rows)
{
    char scale[NAME];
    snprintf(scale, sizeof scale, "%s.scale", name);
    return add(out, b, scale, SNC_F32, 0, rows);
}

static snc_err add_group(uint8_t **out, bundle *b, const snc_param *p)
{
    char group[NAME];
    snprintf(group, sizeof group, "%s.group", p->name);
    return add(out, b, group, SNC_U8, p->rows, (int)snc_int4_group_bytes(p->cols));
}

/* A matrix's own tensor; INT4 lies two to a byte. */
static snc_err add_matrix(void *out, bundle *b, const snc_param *p, snc_dtype t)
{
    return t == SNC_I4 ? add(out, b, p->name, SNC_U8, p->rows, p->cols / 2) : add(out, b, p->name, t, p->rows, p->cols);
}

/* `m`: the matrix that p is cut out of. */
static snc_err add_linear(bundle *b, const snc_param *p, const snc_rt__matrix *m, snc_dtype t)
{
    void *to = NULL;
    uint8_t *group = NULL;
    float *scale = NULL;
    SNC_TRY(add_matrix(&to, b, p, t));
    if (t == SNC_I4) SNC_TRY(add_group(&group, b, p));
    if (t == SNC_I8 || t == SNC_I4) SNC_TRY(add_scale(&scale, b, p->name, p->rows));
    if (t == SNC_I4) snc_q4linear_unpack(to, group, scale, m->i4, p->rows, p->cols);
    else if (t == SNC_I8) snc_qlinear_unpack(to, scale, m->i8, p->rows, p->cols);
    else if (t == SNC_BF16) snc_bf16linear_unpack(to, m->bf16, p->rows, p->cols);
    else
        for (int r = 0; r < p->rows; r++)
            memcpy((float *)to + (size_t)r * (size_t)p->cols, m->W + (size_t)r * (size_t)m->ld, (size_t)p->cols * sizeof(float));
    return SNC_OK;
}

static snc_err add_table(bundle *b, const snc_param *p, const snc_embed *e, snc_dtype t)
{
    void *to = NULL;
    uint8_t *group = NULL;
    float *scale = NULL;
    SNC_TRY(add_matrix(&to, b, p, t));
    if (t == SNC_I4) SNC_TRY(add_group(&group, b, p));
    if (t == SNC_I8 || t == SNC_I4) SNC_TRY(add_scale(&scale, b, p->name, p->rows));
    snc_embed_unpack(to, group, scale, e, p->cols);
    return SNC_OK;
}

static snc_err add_all(bundle *b)
{
    for (int i = 0; i < b->table.n; i++) {
        const snc_param *p = &b->table.p[i];
        snc_dtype t = snc_spec_dtype(b->policy, p->row, p->layer);
        int from = snc_family_source(snc_family_of(&b->w->cfg), p, b->arch, b->w->arch.layers); /* its layer among the weights */
        const snc_rt__matrix *m = snc_rt__matrix_at(b->w, p->row, from);
        if (m) SNC_TRY(add_linear(b, p, m, t));
        else if (snc_spec_of(p)->slot == SNC_SLOT_EMBED) SNC_TRY(add_table(b, p, b->w->embed[p->row][t], t));
        else if (snc_spec_bias(p)) SNC_TRY(add_vector(b, p, snc_rt__matrix_at(b->w, p->row - 1, from)->b));
        else SNC_TRY(add_vector(b, p, b->w->f32[from][p->row]));
    }
    return SNC_OK;
}

snc_err snc_export(const char *path, snc_weights *w, const snc_arch *arch, const snc_policy *policy, const snc_export_info *info)
{
    snc_err err = SNC_OK;
    bundle b = {.w = w, .arch = arch ? arch : &w->arch, .policy = policy ? policy : &w->policy};
    SNC_TRY(snc_weights_prepare(w, b.arch, b.policy));
    SNC_GOTO(snc_spec_table(&b.table, &w->cfg, b.arch));
    size_t room = 3 * (size_t)b.table.n;
    SNC_GOTO(snc_alloc(&b.tensor, room, sizeof *b.tensor));
    SNC_GOTO(snc_alloc(&b.name, room, sizeof *b.name));
    SNC_GOTO(snc_alloc(&b.data, room, sizeof *b.data));
    SNC_GOTO(add_all(&b));
    snc_encoder_config cfg = snc_config_cut(&w->cfg, b.arch);
    snc_sncfile_desc d = {.cfg = &cfg,
                          .arch = b.arch,
                          .policy = b.policy,
                          .labels = info->labels,
                          .has_head = info->has_head,
                          .tokenizer = info->tokenizer,
                          .meta = info->meta};
    SNC_GOTO(snc_sncfile_save(path, &d, b.tensor, b.n));
out:
    for (int i = 0; i < b.n; i++) snc_free(b.data[i]);
    snc_free(b.tensor);
    snc_free(b.name);
    snc_free(b.data);
    snc_params_dispose(&b.table);
    return err;
}

snc_err snc_export_model(const char *path, const snc_ctx *ctx, const snc_model *m, const snc_arch *arch, const snc_policy *policy)
{
    snc_weights *w = NULL;
    snc_export_info info = {.labels = m->labels, .has_head = m->has_head, .tokenizer = &m->tokenizer, .meta = m->meta};
    SNC_TRY(snc_weights_from_model(&w, ctx, m));
    snc_err err = snc_export(path, w, arch, policy, &info);
    snc_weights_free(w);
    return err;
}
