/* The tensors of a folder: each parameter in the shape of the widest layer, zeros behind what its own layer has. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "core/relative.h"
#include "models/hf_out.h"
#include "models/hf_priv.h"

enum { NAME = 256 };

/* A tensor of the file while it is filled. */
typedef struct file_tensor {
    char name[NAME];
    float *data;
    int64_t shape[2];
    int rank, filled; /* filled: of biases by distance, how many are there */
} file_tensor;

typedef struct files {
    const snc_sncfile *net;
    const snc_family *family;
    snc_encoder_config cfg;
    snc_arch wide; /* all layers as wide as the widest */
    file_tensor *t;
    int n;
} files;

/* ---- what a folder cannot say ------------------------------------------------------------------------------------- */

snc_err snc_hf_check(const snc_sncfile *net, int pad, const char *from)
{
    const snc_encoder_config *c = snc_sncfile_config(net);
    const snc_arch *a = snc_sncfile_arch(net);
    const snc_family *f = snc_family_of(c);
    const int D = c->head_width;
    SNC_CHECK(a->hidden % D == 0, SNC_E_UNSUPPORTED,
              "--to hf: %s: heads of %d do not fill its hidden size %d, and %s has as many as do; --to onnx has no such rule", from, D,
              a->hidden, f->type);
    for (int l = 0; l < a->layers; l++)
        SNC_CHECK(a->heads[l] * D <= a->hidden, SNC_E_UNSUPPORTED,
                  "--to hf: %s: layer %d has %d heads of %d, and for %s its hidden size %d has room for %d; --to onnx has no such rule",
                  from, l, a->heads[l], D, f->type, a->hidden, a->hidden / D);
    SNC_CHECK(!c->embedding || c->embedding != a->hidden || f->always_projects, SNC_E_UNSUPPORTED,
              "--to hf: %s: its tables are as wide as its hidden size, %d, and %s has no projection then; --to onnx has it", from,
              a->hidden, f->type);
    SNC_CHECK(!f->position_base || pad < 0 || pad == f->position_base - 1, SNC_E_UNSUPPORTED,
              "--to hf: %s: its padding is token %d, and %s counts positions from behind token %d", from, pad, f->type,
              f->position_base - 1);
    return SNC_OK;
}

/* ---- one parameter ------------------------------------------------------------------------------------------------ */

/* Its values, rows and columns that its layer lacks 0; w [p->rows, p->cols]. *have: columns that are there, 0: it is not. */
static snc_err read_padded(float *w, int *have, const files *x, const snc_param *p)
{
    snc_matrix_view m;
    float *own = NULL;
    *have = 0;
    if (snc_sncfile_matrix_view(&m, x->net, p->name) != SNC_OK) return SNC_OK; /* of a half that is skipped */
    SNC_TRY(snc_alloc(&own, (size_t)m.rows * (size_t)m.cols, sizeof *own));
    snc_err err = snc_sncfile_param_read(own, x->net, p->name);
    for (int r = 0; r < m.rows && !err; r++)
        memcpy(w + (size_t)r * (size_t)p->cols, own + (size_t)r * (size_t)m.cols, (size_t)m.cols * sizeof *w);
    *have = m.cols;
    snc_free(own);
    return err;
}

static file_tensor *tensor_of(files *x, const snc_param *p)
{
    char name[NAME];
    int i = 0;
    snc_family_name_in(name, sizeof name, &x->cfg, p->row, p->layer);
    while (i < x->n && strcmp(x->t[i].name, name) != 0) i++;
    if (i == x->n) snprintf(x->t[x->n++].name, NAME, "%s", name);
    return &x->t[i];
}

static snc_err another(const files *x, const snc_param *p)
{
    return snc_err_set(SNC_E_UNSUPPORTED, "--to hf: %s is not that of the layers before, and %s has one for all; --to onnx can", p->name,
                       x->family->type);
}

/* Biases by distance: a row a bucket, a column a head. Layers without a head say nothing of it. */
static snc_err put_relative(file_tensor *t, const files *x, const snc_param *p, const float *w, int have)
{
    const int heads = p->cols / SNC_RELATIVE_BUCKETS;
    for (int i = 0; i < have; i++) {
        float *to = &t->data[i % SNC_RELATIVE_BUCKETS * heads + i / SNC_RELATIVE_BUCKETS];
        if (i < t->filled && *to != w[i]) return another(x, p);
        *to = w[i];
    }
    if (have > t->filled) t->filled = have;
    return SNC_OK;
}

/* Neurons' inputs before all gates. */
static void put_gated(float *to, const snc_param *p, const float *w)
{
    size_t row = snc_spec_matrix(p) ? (size_t)p->cols : 1, n = (size_t)p->rows * (size_t)p->cols / row;
    for (size_t i = 0; i < n; i++) memcpy(to + (i / 2 + i % 2 * (n / 2)) * row, w + i * row, row * sizeof *w);
}

static snc_err put(files *x, const snc_param *p, const float *w, int have)
{
    const size_t n = (size_t)p->rows * (size_t)p->cols;
    const int part = x->family->part[p->row];
    file_tensor *t = tensor_of(x, p);
    const bool first = !t->data;
    if (first) {
        t->rank = snc__hf_shape(t->shape, p, x->family);
        SNC_TRY(snc_alloc(&t->data, n * (part ? 3 : 1), sizeof *t->data));
    }
    if (snc_spec_of(p)->cols == SNC_AXIS_RELATIVE) return put_relative(t, x, p, w, have);
    if (part) memcpy(t->data + (size_t)(part - 1) * n, w, n * sizeof *w);
    else if (x->family->gated && (p->row == SNC_ROLE_FFN_IN || p->row == SNC_ROLE_FFN_IN_BIAS)) put_gated(t->data, p, w);
    else if (first) memcpy(t->data, w, n * sizeof *w);
    else if (memcmp(t->data, w, n * sizeof *w) != 0) return another(x, p);
    return SNC_OK;
}

static snc_err fill(files *x, const snc_params *table)
{
    for (int i = 0; i < table->n; i++) {
        const snc_param *p = &table->p[i];
        float *w = NULL;
        int have;
        if (x->cfg.vector && (p->row == SNC_ROLE_CLASSIFIER || p->row == SNC_ROLE_CLASSIFIER_BIAS)) continue; /* elsewhere */
        SNC_TRY(snc_alloc(&w, (size_t)p->rows * (size_t)p->cols, sizeof *w));
        snc_err err = read_padded(w, &have, x, p);
        if (!err) err = put(x, p, w, have);
        snc_free(w);
        SNC_TRY(err);
    }
    return SNC_OK;
}

/* ---- the file ----------------------------------------------------------------------------------------------------- */

static snc_err save(const char *path, const files *x)
{
    snc_tensor *list = NULL;
    SNC_TRY(snc_alloc(&list, (size_t)x->n, sizeof *list));
    cJSON *metadata = cJSON_Parse("{\"format\":\"pt\"}");
    for (int i = 0; i < x->n; i++) {
        const file_tensor *t = &x->t[i];
        list[i] = (snc_tensor){.name = t->name, .dtype = SNC_F32, .rank = t->rank, .data = t->data, .bytes = sizeof(float)};
        for (int k = 0; k < t->rank; k++) {
            list[i].shape[k] = t->shape[k];
            list[i].bytes *= (size_t)t->shape[k];
        }
    }
    snc_err err = snc_st_save(path, metadata, list, x->n);
    cJSON_Delete(metadata);
    snc_free(list);
    return err;
}

snc_err snc_hf_weights_save(const char *path, const snc_sncfile *net)
{
    files x = {.net = net, .cfg = *snc_sncfile_config(net), .wide = *snc_sncfile_arch(net)};
    snc_params table = {0};
    snc_err err = SNC_OK;
    x.family = snc_family_of(&x.cfg);
    x.cfg.layers = x.wide.layers;
    for (int l = 0; l < x.wide.layers; l++) {
        x.wide.heads[l] = snc_hf_heads(net);
        x.wide.ffn[l] = snc_hf_ffn(net);
    }
    SNC_GOTO(snc_spec_table(&table, &x.cfg, &x.wide));
    SNC_GOTO(snc_alloc(&x.t, (size_t)table.n, sizeof *x.t));
    SNC_GOTO(fill(&x, &table));
    err = save(path, &x);
out:
    for (int i = 0; x.t && i < x.n; i++) snc_free(x.t[i].data);
    snc_free(x.t);
    snc_params_dispose(&table);
    return err;
}
