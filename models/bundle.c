/* Tensors of a file are dense copies of views; of a bundle those alone that the first net's do not begin with. */
#include "models/bundle.h"

#include <stdio.h>
#include <stdlib.h>

#include "models/cost.h"
#include "models/mixture.h"
#include "models/snc_file_priv.h"
#include "quant/int4.h"
#include "tokenizer/kind.h"

enum { BY_PARAM = 3 }; /* tensors: values, multipliers, scales */

/* The k-th net as the reader's own arrays say it, before it stands in a file with others. */
typedef struct net {
    const snc_sncfile *f;
    const char *path;
    double macs;
    int from[SNC_MAX_LAYERS];
} net;

typedef struct bundle {
    net v[SNC_NETS_MOST];
    int n;
    snc_tensor *tensor;
    char (*name)[SNC_FILE__NAME];
    void **data;
    int used;
    cJSON *list;          /* of the nets beside the first */
    const cJSON *cascade; /* NULL: they do not escalate */
} bundle;

/* ---- tensors ------------------------------------------------------------------------------------------------------------ */

static size_t row_bytes(snc_dtype t, int cols)
{
    return t == SNC_I4 ? snc_int4_data_bytes(cols) : (size_t)cols * (size_t)snc_dtype_get(t)->bits / 8;
}

/* Of a row, for its first `cols` numbers: what lies beyond them in the last byte is none of theirs. */
static uint8_t last_group(const uint8_t *group, int cols)
{
    uint8_t g = group[snc_int4_group_bytes(cols) - 1];
    return cols / SNC_INT4_GROUP % 2 ? g & 15 : g;
}

static snc_err add(void **to, bundle *b, const char *name, snc_dtype stored, int rank, int64_t d0, int64_t d1)
{
    snc_tensor *t = &b->tensor[b->used];
    size_t bytes = (size_t)d0 * (size_t)(rank == 2 ? d1 : 1) * (size_t)snc_dtype_get(stored)->bits / 8;
    SNC_TRY(snc_alloc(to, bytes, 1));
    b->data[b->used] = *to;
    snprintf(b->name[b->used], sizeof b->name[0], "%s", name);
    *t = (snc_tensor){.name = b->name[b->used], .dtype = stored, .rank = rank, .shape = {d0, d1}, .data = *to, .bytes = bytes};
    b->used++;
    return SNC_OK;
}

static snc_err add_group(bundle *b, const char *name, const snc_matrix_view *v)
{
    const size_t bytes = snc_int4_group_bytes(v->cols), stride = snc_int4_group_bytes(v->ld);
    void *to;
    SNC_TRY(add(&to, b, name, SNC_U8, 2, v->rows, (int64_t)bytes));
    for (int r = 0; r < v->rows; r++) {
        uint8_t *row = (uint8_t *)to + (size_t)r * bytes;
        memcpy(row, v->group + (size_t)r * stride, bytes);
        row[bytes - 1] = last_group(v->group + (size_t)r * stride, v->cols);
    }
    return SNC_OK;
}

/* A parameter of net `index` (0: under its plain name). */
static snc_err add_param(bundle *b, int index, const snc_param *p, const snc_matrix_view *v)
{
    char name[SNC_FILE__NAME];
    const size_t bytes = row_bytes(v->dtype, v->cols), stride = row_bytes(v->dtype, v->ld);
    int64_t shape[2];
    const int rank = snc_spec_shape(shape, p);
    void *to;
    if (v->dtype == SNC_I4) shape[1] /= 2;
    SNC_TRY(add(&to, b, snc_file__name(name, index, p->name, ""), v->dtype == SNC_I4 ? SNC_U8 : v->dtype, rank, shape[0], shape[1]));
    for (int r = 0; r < v->rows; r++) memcpy((char *)to + (size_t)r * bytes, (const char *)v->data + (size_t)r * stride, bytes);
    if (v->dtype == SNC_I4) SNC_TRY(add_group(b, snc_file__name(name, index, p->name, ".group"), v));
    if (!v->scale) return SNC_OK;
    SNC_TRY(add(&to, b, snc_file__name(name, index, p->name, ".scale"), SNC_F32, 1, v->rows, 0));
    memcpy(to, v->scale, (size_t)v->rows * sizeof(float));
    return SNC_OK;
}

static snc_err make_room(bundle *b)
{
    size_t most = 0;
    for (int i = 0; i < b->n; i++) most += BY_PARAM * (size_t)b->v[i].f->table.n;
    SNC_TRY(snc_alloc(&b->tensor, most, sizeof *b->tensor));
    SNC_TRY(snc_alloc(&b->name, most, sizeof *b->name));
    return snc_alloc(&b->data, most, sizeof *b->data);
}

static void dispose(bundle *b)
{
    for (int i = 0; i < b->used; i++) snc_free(b->data[i]);
    snc_free(b->tensor);
    snc_free(b->name);
    snc_free(b->data);
    cJSON_Delete(b->list);
}

/* ---- what a net has of the first one's ----------------------------------------------------------------------------------- */

/* Whether v is the beginning of w, number for number. */
static bool begins(const snc_matrix_view *w, const snc_matrix_view *v)
{
    const size_t bytes = row_bytes(v->dtype, v->cols);
    if (v->dtype != w->dtype || v->rows > w->rows || v->cols > w->cols) return false;
    if (v->scale && memcmp(v->scale, w->scale, (size_t)v->rows * sizeof *v->scale) != 0) return false;
    for (int r = 0; r < v->rows; r++) {
        const char *a = (const char *)v->data + (size_t)r * row_bytes(v->dtype, v->ld);
        if (memcmp(a, (const char *)w->data + (size_t)r * row_bytes(w->dtype, w->ld), bytes) != 0) return false;
        if (v->dtype != SNC_I4) continue;
        const uint8_t *g = v->group + (size_t)r * snc_int4_group_bytes(v->ld), *h = w->group + (size_t)r * snc_int4_group_bytes(w->ld);
        if (memcmp(g, h, snc_int4_group_bytes(v->cols) - 1) != 0 || last_group(g, v->cols) != last_group(h, v->cols)) return false;
    }
    return true;
}

static const snc_matrix_view *view_at(const snc_sncfile *f, snc_role role, int layer)
{
    char name[SNC_PARAM_NAME];
    snc_spec_expand(name, sizeof name, snc_spec_rows[role].name, layer);
    int i = snc_params_find(&f->table, name);
    return i < 0 ? NULL : &f->view[i];
}

/* Whether parameter p of the net need not lie in the file. */
static bool is_first_ones(const net *n, const snc_sncfile *first, const snc_param *p)
{
    const int layer = snc_spec_of(p)->layer ? n->from[p->layer] : 0;
    const snc_matrix_view *w = layer < 0 ? NULL : view_at(first, p->row, layer), *v = view_at(n->f, p->row, p->layer);
    return w && snc_file__can_lead(w, p, v->dtype) && begins(w, v);
}

/* A linear and its bias are both the first net's or neither: they are packed together. */
static bool is_shared(const net *n, const snc_sncfile *first, const snc_param *p)
{
    const snc_param *end = n->f->table.p + n->f->table.n;
    if (snc_spec_linear(p) && p + 1 < end && snc_spec_bias(p + 1) && !is_first_ones(n, first, p + 1)) return false;
    if (snc_spec_bias(p) && !is_first_ones(n, first, p - 1)) return false;
    return is_first_ones(n, first, p);
}

/* How many parameters of the net's layer are those of the first one's layer `at`. */
static int alike(net *n, const snc_sncfile *first, int layer, int at)
{
    int shared = 0;
    n->from[layer] = at;
    for (int i = 0; i < n->f->table.n; i++) {
        const snc_param *p = &n->f->table.p[i];
        if (snc_spec_of(p)->layer && p->layer == layer) shared += is_shared(n, first, p);
    }
    return shared;
}

/* Layer by layer, the first of those behind the last one's that has the most of it. */
static void find_layers(net *n, const snc_sncfile *first)
{
    int last = -1;
    for (int l = 0; l < n->f->arch.layers; l++) {
        int best = -1, most = 0;
        for (int at = last + 1; at < first->arch.layers; at++) {
            int shared = alike(n, first, l, at);
            if (shared > most) {
                most = shared;
                best = at;
            }
        }
        n->from[l] = best;
        if (best >= 0) last = best;
    }
}

/* ---- early exit ---------------------------------------------------------------------------------------------------------- */

/* Whether parameter p of a net has a part in the hidden state before layer `at`: what closes the layer before it stands behind that. */
static bool leads_to(const snc_param *p, int at)
{
    const bool closing = p->row == SNC_ROLE_FFN_NORM || p->row == SNC_ROLE_FFN_NORM_BIAS;
    return snc_spec_of(p)->layer ? p->layer < at - closing : p->row < SNC_ROLE_POOLER;
}

static bool same_numbers(const snc_matrix_view *w, const snc_matrix_view *v)
{
    if (!w || w->rows != v->rows || w->cols != v->cols) return false;
    return (w->data == v->data && w->scale == v->scale && w->ld == v->ld && w->dtype == v->dtype) || begins(w, v);
}

static bool same_math(const snc_encoder_config *c, const snc_encoder_config *d, int at)
{
    for (int l = 0; l < at; l++)
        if (snc_is_local(c, l) != snc_is_local(d, l)) return false;
    return c->family == d->family && c->embedding == d->embedding && c->head_width == d->head_width && c->act == d->act &&
           c->norm_eps == d->norm_eps && c->theta == d->theta && c->local_theta == d->local_theta && c->window == d->window &&
           c->buckets == d->buckets;
}

int snc_bundle_handover(const snc_sncfile *small, const snc_sncfile *large)
{
    const int at = snc_arch_handover(&small->cfg, &small->arch, &small->policy, &large->arch, &large->policy);
    if (!same_math(&small->cfg, &large->cfg, at)) return 0;
    for (int i = 0; at && i < small->table.n; i++) {
        const snc_param *p = &small->table.p[i];
        if (leads_to(p, at) && !same_numbers(view_at(large, p->row, p->layer), &small->view[i])) return 0;
    }
    return at;
}

/* ---- a bundle ------------------------------------------------------------------------------------------------------------ */

static int by_macs(const void *a, const void *b)
{
    const net *x = a, *y = b;
    return (x->macs < y->macs) - (x->macs > y->macs);
}

static bool same_labels(const snc_sncfile *a, const snc_sncfile *b)
{
    if (!a->labels || !b->labels) return !a->labels && !b->labels;
    for (int i = 0; i < a->cfg.classes; i++)
        if (strcmp(a->labels[i], b->labels[i]) != 0) return false;
    return true;
}

static snc_err check_same(const net *n, const net *first, const snc_tok_assets *tok)
{
    const snc_encoder_config *c = &n->f->cfg, *d = &first->f->cfg;
    snc_tok_assets own = {0};
    SNC_CHECK(c->family == d->family, SNC_E_SHAPE, "%s: another family than %s", n->path, first->path);
    SNC_CHECK(c->classes == d->classes && snc_meaning_of(c) == snc_meaning_of(d) && n->f->has_head == first->f->has_head &&
                  same_labels(n->f, first->f),
              SNC_E_SHAPE, "%s: other classes than %s", n->path, first->path);
    SNC_CHECK(cJSON_Compare(snc_json_at(n->f->meta, "max_length"), snc_json_at(first->f->meta, "max_length"), true) ||
                  !(snc_json_at(n->f->meta, "max_length") || snc_json_at(first->f->meta, "max_length")),
              SNC_E_SHAPE, "%s: cuts texts at another length than %s", n->path, first->path);
    SNC_TRY(snc_sncfile_tokenizer_dup(&own, n->f));
    bool same = c->vocab == d->vocab && own.kind == tok->kind;
    for (int i = 0; same && own.kind && own.kind->blob[i]; i++)
        same = own.blob[i].bytes == tok->blob[i].bytes && memcmp(own.blob[i].data, tok->blob[i].data, own.blob[i].bytes) == 0;
    snc_tok_assets_dispose(&own);
    SNC_CHECK(same, SNC_E_SHAPE, "%s: another tokenizer or vocabulary than %s", n->path, first->path);
    return SNC_OK;
}

static snc_err check_nets(const bundle *b, const snc_tok_assets *tok)
{
    for (int i = 0; i < b->n; i++)
        SNC_CHECK(!b->v[i].f->others && !snc_mixture_any(&b->v[i].f->cfg), SNC_E_ARG, "%s: expected a file of one net", b->v[i].path);
    for (int i = 1; i < b->n; i++) {
        SNC_CHECK(b->v[i].macs < b->v[i - 1].macs, SNC_E_ARG, "%s and %s compute as much as each other: expected nets of several speeds",
                  b->v[i - 1].path, b->v[i].path);
        SNC_TRY(check_same(&b->v[i], &b->v[0], tok));
    }
    return SNC_OK;
}

static cJSON *entry_of(const net *n)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddItemToObject(j, "config", snc_encoder_config_to_json(&n->f->cfg));
    cJSON_AddItemToObject(j, "arch", snc_arch_to_json(&n->f->said));
    cJSON_AddItemToObject(j, "policy", snc_policy_to_json(&n->f->policy, n->f->arch.layers));
    if (snc_policy_uses(&n->f->policy, &n->f->arch, SNC_I4)) cJSON_AddStringToObject(j, SNC_FILE__INT4, SNC_FILE__INT4_GROUP);
    cJSON_AddItemToObject(j, "meta", cJSON_Duplicate(n->f->meta, true));
    cJSON_AddItemToObject(j, "from", cJSON_CreateIntArray(n->from, n->f->arch.layers));
    return j;
}

static snc_err add_net(bundle *b, int index)
{
    net *n = &b->v[index];
    const snc_sncfile *first = b->v[0].f;
    if (index) find_layers(n, first);
    if (index) cJSON_AddItemToArray(b->list, entry_of(n));
    for (int i = 0; i < n->f->table.n; i++)
        if (!index || !is_shared(n, first, &n->f->table.p[i])) SNC_TRY(add_param(b, index, &n->f->table.p[i], &n->f->view[i]));
    return SNC_OK;
}

/* What a file says whose first net is that of f. */
static snc_sncfile_desc desc_of(const snc_sncfile *f, const snc_tok_assets *tok, const cJSON *nets, const cJSON *cascade)
{
    return (snc_sncfile_desc){.cfg = &f->cfg,
                              .arch = &f->said,
                              .policy = &f->policy,
                              .labels = f->labels,
                              .has_head = f->has_head,
                              .tokenizer = tok,
                              .meta = f->meta,
                              .nets = nets,
                              .cascade = cascade};
}

static snc_err save(const char *to, const bundle *b, const snc_sncfile *f, const snc_tok_assets *tok)
{
    const snc_sncfile_desc d = desc_of(f, tok, b->list, b->cascade);
    return snc_sncfile_save(to, &d, b->tensor, b->used);
}

snc_err snc_bundle_save(const char *to, const snc_sncfile *const *files, const char *const *path, int n, const cJSON *cascade)
{
    snc_err err = SNC_OK;
    bundle b = {.n = n, .cascade = cascade};
    snc_tok_assets tok = {0};
    SNC_CHECK(n >= 2 && n <= SNC_NETS_MOST, SNC_E_ARG, "%d files: a bundle is of 2 to %d", n, SNC_NETS_MOST);
    for (int i = 0; i < n; i++)
        b.v[i] =
            (net){.f = files[i], .path = path[i], .macs = (double)snc_cost_encoder_macs(&files[i]->cfg, &files[i]->arch, SNC_MACS_TOKENS)};
    qsort(b.v, (size_t)n, sizeof b.v[0], by_macs);
    SNC_GOTO(snc_sncfile_tokenizer_dup(&tok, b.v[0].f));
    SNC_GOTO(check_nets(&b, &tok));
    SNC_GOTO(make_room(&b));
    b.list = cJSON_CreateArray();
    for (int i = 0; i < n; i++) SNC_GOTO(add_net(&b, i));
    SNC_GOTO(save(to, &b, b.v[0].f, &tok));
out:
    snc_tok_assets_dispose(&tok);
    dispose(&b);
    return err;
}

snc_err snc_bundle_need_net(int k, int nets, const char *path)
{
    SNC_CHECK(k >= 0 && k < nets, SNC_E_ARG, "--net %d: %s has %d net%s, from 0 on", k, path, nets, nets == 1 ? "" : "s");
    return SNC_OK;
}

snc_err snc_bundle_cut(const char *to, const snc_sncfile *f, int k)
{
    snc_err err = SNC_OK;
    bundle b = {.v = {{.f = snc_sncfile_net_view(f, k)}}, .n = 1};
    snc_tok_assets tok = {0};
    SNC_GOTO(snc_sncfile_tokenizer_dup(&tok, f));
    SNC_GOTO(make_room(&b));
    SNC_GOTO(add_net(&b, 0));
    SNC_GOTO(save(to, &b, b.v[0].f, &tok));
out:
    snc_tok_assets_dispose(&tok);
    dispose(&b);
    return err;
}

snc_err snc_bundle_set_speeds(const char *to, const snc_sncfile *f, const cJSON *speeds)
{
    static const char tokenizer[] = "tokenizer."; /* which the writer adds */
    snc_err err = SNC_OK;
    snc_tensor *list = NULL;
    snc_tok_assets tok = {0};
    int n = 0;
    SNC_GOTO(snc_sncfile_tokenizer_dup(&tok, f));
    SNC_GOTO(snc_alloc(&list, (size_t)snc_st_count(f->st), sizeof *list));
    for (int i = 0; i < snc_st_count(f->st); i++) {
        const snc_tensor *t = &snc_st_tensors_view(f->st)[i];
        if (strncmp(t->name, tokenizer, sizeof tokenizer - 1) != 0) list[n++] = *t;
    }
    snc_sncfile_desc d = desc_of(f, &tok, f->net_list, f->cascade_said);
    d.speeds = speeds;
    SNC_GOTO(snc_sncfile_save(to, &d, list, n));
out:
    snc_tok_assets_dispose(&tok);
    snc_free(list);
    return err;
}
