/* The .snc file: its header read and checked, its tensors found, its digest kept; and what nets beside the first have of it. */
#include <assert.h>
#include <stdio.h>

#include "base/fmap.h"
#include "base/number.h"
#include "core/seal.h"
#include "models/mixture.h"
#include "models/snc_file_priv.h"
#include "quant/int4.h"
#include "tokenizer/kind.h"

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static snc_err read_json(cJSON **out, const snc_sncfile *f, const char *key, const char *where)
{
    char place[512];
    if (f->first) {
        *out = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(f->entry, key), true);
        SNC_CHECK(*out, SNC_E_FORMAT, "%s has no '%s'", where, key);
        return SNC_OK;
    }
    const char *text = snc_st_metadata_view(f->st, key);
    SNC_CHECK(text, SNC_E_FORMAT, "%s: __metadata__ has no '%s'", where, key);
    snprintf(place, sizeof place, "%.400s: __metadata__ %s", where, key);
    return snc_json_parse(out, text, strlen(text), place);
}

static snc_err check_version(const snc_sncfile *f, const char *where)
{
    const char *text = snc_st_metadata_view(f->st, "snc_format");
    int version = 0;
    SNC_CHECK(text, SNC_E_FORMAT, "%s: a safetensors file without snc_format: not a .snc", where);
    SNC_CHECK(snc_int_read(&version, text, NULL) && version >= 1, SNC_E_FORMAT, "%s: snc_format '%s', expected a number", where, text);
    SNC_CHECK(version <= SNC_FORMAT_VERSION, SNC_E_UNSUPPORTED, "%s: .snc format %d is newer than this program reads (%d)", where, version,
              SNC_FORMAT_VERSION);
    return SNC_OK;
}

static snc_err read_shapes(snc_sncfile *f, const char *where)
{
    cJSON *j = NULL;
    char place[512];
    SNC_TRY(read_json(&j, f, "config", where));
    snprintf(place, sizeof place, "%.400s: config", where);
    snc_err err = snc_encoder_config_from_json(&f->cfg, j, place);
    cJSON_Delete(j);
    SNC_TRY(err);
    SNC_CHECK(f->cfg.classes >= 1, SNC_E_FORMAT, "%s: 'classes' must be at least 1", place);

    SNC_TRY(read_json(&j, f, "arch", where));
    snprintf(place, sizeof place, "%.400s: arch", where);
    err = snc_arch_from_json(&f->arch, j, place);
    cJSON_Delete(j);
    SNC_TRY(err);
    f->said = f->arch;
    for (int i = 0; i < f->arch.layers; i++) f->arch.source[i] = i;
    snc_arch full = snc_arch_full(&f->cfg);
    err = snc_arch_check(&f->arch, &full);
    if (err) return snc_err_prefix(err, where);

    SNC_TRY(read_json(&j, f, "policy", where));
    snprintf(place, sizeof place, "%.400s: policy", where);
    err = snc_policy_from_json(&f->policy, j, f->arch.layers, place);
    cJSON_Delete(j);
    if (!err) err = snc_policy_check(&f->policy, &f->arch, &f->cfg);
    if (err || !snc_policy_uses(&f->policy, &f->arch, SNC_I4)) return err ? snc_err_prefix(err, where) : SNC_OK;
    const char *group = f->first ? snc_json_text(f->entry, SNC_FILE__INT4) : snc_st_metadata_view(f->st, SNC_FILE__INT4);
    SNC_CHECK(group && strcmp(group, SNC_FILE__INT4_GROUP) == 0, SNC_E_UNSUPPORTED,
              "%s: int4 in groups of %s, expected " SNC_FILE__INT4_GROUP, where, group ? group : "no stated size");
    return SNC_OK;
}

static snc_err read_labels(snc_sncfile *f, const char *where)
{
    if (!snc_st_metadata_view(f->st, "labels")) return SNC_OK;
    SNC_TRY(read_json(&f->label_list, f, "labels", where));
    SNC_CHECK(cJSON_IsArray(f->label_list) && cJSON_GetArraySize(f->label_list) == f->cfg.classes, SNC_E_FORMAT,
              "%s: labels: expected a list of %d strings", where, f->cfg.classes);
    SNC_TRY(snc_alloc(&f->labels, (size_t)f->cfg.classes, sizeof *f->labels));
    const cJSON *v;
    int i = 0;
    cJSON_ArrayForEach(v, f->label_list)
    {
        SNC_CHECK(cJSON_IsString(v), SNC_E_FORMAT, "%s: label %d is no string", where, i);
        SNC_TRY(snc_json_check_line(v->valuestring, "label", where));
        f->labels[i++] = v->valuestring;
    }
    return SNC_OK;
}

/* The numbers of meta that the program itself reads are right before anybody does. */
static snc_err read_meta(snc_sncfile *f, const char *where)
{
    const cJSON *lengths, *it;
    int n;
    SNC_TRY(read_json(&f->meta, f, "meta", where));
    SNC_CHECK(cJSON_IsObject(f->meta), SNC_E_FORMAT, "%s: meta: expected a JSON object", where);
    SNC_TRY(snc_json_int(&n, f->meta, "max_length", 3, 3, 65536, where));
    lengths = cJSON_GetObjectItemCaseSensitive(f->meta, "lengths");
    SNC_CHECK(!lengths || cJSON_IsArray(lengths), SNC_E_FORMAT, "%s: 'lengths' must be a list", where);
    cJSON_ArrayForEach(it, lengths) SNC_TRY(snc_json_whole(&n, it, 1, snc_family_length(&f->cfg), "lengths", where));
    return SNC_OK;
}

/* The tensor's numbers, moved when the writer did not align them. */
static snc_err aligned(const void **out, snc_sncfile *f, const snc_tensor *t)
{
    size_t width = (size_t)snc_dtype_get(t->dtype)->bits / 8;
    if ((uintptr_t)t->data % width == 0) {
        *out = t->data;
        return SNC_OK;
    }
    void *copy = NULL;
    SNC_TRY(snc_arena_alloc(&copy, f->arena, t->bytes));
    memcpy(copy, t->data, t->bytes);
    *out = copy;
    return SNC_OK;
}

/* ---- what a net beside the first has of it ---------------------------------------------------------------------------- */

static bool is_own(const snc_sncfile *f, const snc_param *p)
{
    char name[SNC_FILE__NAME];
    return snc_st_find(f->st, snc_file__name(name, f->index, p->name, "")) != NULL;
}

/* The first net's parameter of the same role, in the layer that this one's was cut out of; -1: there is none. */
static int model_of(const snc_sncfile *f, const snc_param *p)
{
    char name[SNC_PARAM_NAME];
    int layer = snc_spec_of(p)->layer ? f->from[p->layer] : 0;
    if (layer < 0) return -1;
    snc_spec_expand(name, sizeof name, snc_spec_of(p)->name, layer);
    return snc_params_find(&f->first->table, name);
}

bool snc_file__can_lead(const snc_matrix_view *v, const snc_param *p, snc_dtype dtype)
{
    const bool prefix = snc_spec_linear(p) || !snc_spec_matrix(p), table = snc_spec_of(p)->slot == SNC_SLOT_EMBED;
    return v->dtype == dtype && (prefix ? p->rows <= v->rows : p->rows == v->rows) &&
           (prefix || table ? p->cols <= v->cols : p->cols == v->cols);
}

static snc_err check_leading(const snc_sncfile *f, const snc_param *p, const char *where)
{
    const int i = model_of(f, p);
    const snc_dtype dtype = snc_spec_dtype(&f->policy, p->row, p->layer);
    SNC_CHECK(i >= 0 && snc_file__can_lead(&f->first->view[i], p, dtype), SNC_E_FORMAT,
              "%s: tensor '" SNC_FILE__NET_PREFIX "%d.%s' is missing, and the first net's does not hold it", where, f->index, p->name);
    return SNC_OK;
}

static snc_err check_net_params(const snc_sncfile *f, const char *where)
{
    for (int i = 0; i < f->table.n; i++) {
        const snc_param *p = &f->table.p[i];
        if (!is_own(f, p)) SNC_TRY(check_leading(f, p, where));
        else
            SNC_TRY(snc_file__check_param(snc_st_tensors_view(f->st), snc_st_count(f->st), f->index, p,
                                          snc_spec_dtype(&f->policy, p->row, p->layer), where));
        /* a packed matrix has its bias with it */
        SNC_CHECK(!snc_spec_linear(p) || i + 1 == f->table.n || !snc_spec_bias(p + 1) || is_own(f, p) == is_own(f, p + 1), SNC_E_FORMAT,
                  "%s: of '%s' and its bias one is the first net's", where, p->name);
    }
    return SNC_OK;
}

static void leading_view(snc_matrix_view *v, const snc_sncfile *f, const snc_param *p)
{
    *v = f->first->view[model_of(f, p)];
    v->rows = p->rows;
    v->cols = p->cols;
    v->shared = true;
    v->layer = snc_spec_of(p)->layer ? f->from[p->layer] : 0;
}

/* Of a tensor of its own, that is there as it has to be. */
static snc_err own_view(snc_matrix_view *v, snc_sncfile *f, const snc_param *p)
{
    char name[SNC_FILE__NAME];
    const void *scale = NULL;
    *v = (snc_matrix_view){.dtype = snc_spec_dtype(&f->policy, p->row, p->layer), .rows = p->rows, .cols = p->cols, .ld = p->cols};
    SNC_TRY(aligned(&v->data, f, snc_st_find(f->st, snc_file__name(name, f->index, p->name, ""))));
    if (v->dtype == SNC_I4) v->group = snc_st_find(f->st, snc_file__name(name, f->index, p->name, ".group"))->data;
    if (!snc_file__scaled(v->dtype)) return SNC_OK;
    SNC_TRY(aligned(&scale, f, snc_st_find(f->st, snc_file__name(name, f->index, p->name, ".scale"))));
    v->scale = scale;
    return SNC_OK;
}

static snc_err make_views(snc_sncfile *f)
{
    SNC_TRY(snc_arena_new(&f->arena));
    SNC_TRY(snc_alloc(&f->view, (size_t)f->table.n, sizeof *f->view));
    for (int i = 0; i < f->table.n; i++)
        if (!f->first || is_own(f, &f->table.p[i])) SNC_TRY(own_view(&f->view[i], f, &f->table.p[i]));
        else leading_view(&f->view[i], f, &f->table.p[i]);
    return SNC_OK;
}

/* A kind's blobs are all there or none is. */
static snc_err check_blobs(const snc_sncfile *f, const snc_tok_kind *kind, const char *where)
{
    char name[SNC_FILE__BLOB], missing[SNC_FILE__BLOB] = "";
    bool any = false;
    for (int i = 0; kind->blob[i]; i++) {
        const snc_tensor *t = snc_st_find(f->st, snc_file__blob(name, kind->blob[i]));
        any = any || t;
        if (!t) memcpy(missing, name, sizeof missing);
        SNC_CHECK(!t || (t->dtype == SNC_U8 && t->rank == 1), SNC_E_FORMAT, "%s: '%s' must be a U8 list", where, name);
    }
    SNC_CHECK(!any || !missing[0], SNC_E_FORMAT, "%s: tensor '%s' is missing", where, missing);
    return SNC_OK;
}

static snc_err check_tokenizer(const snc_sncfile *f, const char *where)
{
    const snc_tok_kind *kind;
    snc_err err = snc_tok_kind_find(&kind, snc_st_metadata_view(f->st, SNC_FILE__TOKENIZER));
    if (err) return snc_err_prefix(err, where);
    SNC_TRY(check_blobs(f, kind, where));
    snc_tok_assets a = {0};
    int pieces = 0;
    SNC_TRY(snc_sncfile_tokenizer_dup(&a, f));
    bool fits = snc_vocab_fits(&a, f->cfg.vocab, &pieces);
    snc_tok_assets_dispose(&a);
    SNC_CHECK(fits, SNC_E_SHAPE, "%s: a vocabulary of %d pieces, expected at most %d", where, pieces, f->cfg.vocab);
    return SNC_OK;
}

/* The key and its text each tell of the other: damage to one is not taken for a file without a digest. */
static snc_err check_digest(snc_sncfile *f, const char *where)
{
    bool sealed;
    snc_digest_part all = snc_st_bytes_view(f->st);
    const char *says = snc_st_metadata_view(f->st, SNC_SEAL_KEY);
    SNC_TRY(snc_seal_check(&sealed, all.p, all.n, where));
    SNC_CHECK(sealed == !!says, SNC_E_FORMAT, "%s: damaged: its digest is not written as \"" SNC_SEAL_KEY "\":\"" SNC_DIGEST_KIND "...\"",
              where);
    f->digest = says ? says : "";
    return SNC_OK;
}

/* ---- the others ---------------------------------------------------------------------------------------------------------- */

static snc_err read_from(snc_sncfile *f, const char *where)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(f->entry, "from"), *it;
    int i = 0, last = -1;
    SNC_CHECK(cJSON_IsArray(list) && cJSON_GetArraySize(list) == f->arch.layers, SNC_E_FORMAT, "%s: from: expected a list of %d layers",
              where, f->arch.layers);
    cJSON_ArrayForEach(it, list)
    {
        int *from = &f->from[i++];
        SNC_TRY(snc_json_whole(from, it, -1, f->first->arch.layers - 1, "from", where));
        SNC_CHECK(*from < 0 || *from > last, SNC_E_FORMAT, "%s: from: expected the first net's layers in ascending order", where);
        if (*from >= 0) last = *from;
    }
    return SNC_OK;
}

static snc_err read_net(snc_sncfile *f, const char *where)
{
    const snc_encoder_config *c = &f->first->cfg;
    SNC_TRY(read_shapes(f, where));
    SNC_CHECK(f->cfg.family == c->family && f->cfg.classes == c->classes && snc_meaning_of(&f->cfg) == snc_meaning_of(c) &&
                  f->cfg.vocab == c->vocab && !snc_mixture_any(&f->cfg),
              SNC_E_FORMAT, "%s: config: expected the family, classes and vocabulary of the first net", where);
    SNC_TRY(read_meta(f, where));
    SNC_TRY(read_from(f, where));
    SNC_TRY(snc_spec_table(&f->table, &f->cfg, &f->arch));
    SNC_TRY(check_net_params(f, where));
    return make_views(f);
}

static snc_err read_others(snc_sncfile *f, const char *where)
{
    char place[512];
    const cJSON *it;
    if (!snc_st_metadata_view(f->st, SNC_FILE__NETS)) return SNC_OK;
    SNC_TRY(read_json(&f->net_list, f, SNC_FILE__NETS, where));
    const int n = cJSON_GetArraySize(f->net_list);
    SNC_CHECK(cJSON_IsArray(f->net_list) && n >= 1 && n < SNC_NETS_MOST, SNC_E_FORMAT, "%s: " SNC_FILE__NETS ": expected a list of 1 to %d",
              where, SNC_NETS_MOST - 1);
    SNC_TRY(snc_alloc(&f->other, (size_t)n, sizeof(snc_sncfile *)));
    cJSON_ArrayForEach(it, f->net_list)
    {
        snc_sncfile *o = NULL;
        SNC_TRY(snc_alloc(&o, 1, sizeof *o));
        f->other[f->others++] = o;
        *o = (snc_sncfile){
            .st = f->st, .first = f, .entry = it, .index = f->others, .has_head = f->has_head, .labels = f->labels, .version = f->version};
        snprintf(place, sizeof place, "%.400s: net %d", where, f->others);
        SNC_TRY(read_net(o, place));
    }
    return SNC_OK;
}

static snc_err read_cascade(snc_sncfile *f, const char *where)
{
    char place[512];
    if (!snc_st_metadata_view(f->st, SNC_FILE__CASCADE)) return SNC_OK;
    SNC_TRY(read_json(&f->cascade_said, f, SNC_FILE__CASCADE, where));
    snprintf(place, sizeof place, "%.400s: " SNC_FILE__CASCADE, where);
    return snc_cascade_read(&f->cascade, f->cascade_said, 1 + f->others, &f->cfg, place);
}

static snc_err read_speeds(snc_sncfile *f, const char *where)
{
    char place[512];
    if (!snc_st_metadata_view(f->st, SNC_FILE__SPEEDS)) return SNC_OK;
    SNC_TRY(read_json(&f->speeds_said, f, SNC_FILE__SPEEDS, where));
    snprintf(place, sizeof place, "%.400s: " SNC_FILE__SPEEDS, where);
    return snc_speeds_read(&f->speeds, f->speeds_said, 1 + f->others, &f->cfg, f->meta, place);
}

int snc_sncfile_nets(const snc_sncfile *f) { return 1 + f->others; }
const snc_cascade *snc_sncfile_cascade(const snc_sncfile *f) { return f->cascade_said ? &f->cascade : NULL; }
const cJSON *snc_sncfile_cascade_view(const snc_sncfile *f) { return f->cascade_said; }
const snc_speeds *snc_sncfile_speeds(const snc_sncfile *f) { return f->speeds_said ? &f->speeds : NULL; }
const cJSON *snc_sncfile_speeds_view(const snc_sncfile *f) { return f->speeds_said; }

const snc_sncfile *snc_sncfile_net_view(const snc_sncfile *f, int k)
{
    assert(k >= 0 && k <= f->others);
    return k ? f->other[k - 1] : f;
}

static snc_err read_file(snc_sncfile *f, const char *where)
{
    SNC_TRY(check_version(f, where));
    SNC_TRY(read_shapes(f, where));
    SNC_TRY(read_labels(f, where));
    SNC_TRY(read_meta(f, where));
    const char *head = snc_st_metadata_view(f->st, "has_head"), *version = snc_st_metadata_view(f->st, "snc_version");
    SNC_CHECK(head && (strcmp(head, "true") == 0 || strcmp(head, "false") == 0), SNC_E_FORMAT,
              "%s: __metadata__ 'has_head' must be \"true\" or \"false\"", where);
    f->has_head = strcmp(head, "true") == 0;
    f->version = version ? version : "";
    SNC_TRY(snc_spec_table(&f->table, &f->cfg, &f->arch));
    SNC_TRY(snc_mixture_add(NULL, &f->table, &f->cfg, &f->arch));
    SNC_TRY(snc_file__check_params(snc_st_tensors_view(f->st), snc_st_count(f->st), &f->table, &f->policy, where));
    SNC_TRY(check_tokenizer(f, where));
    SNC_TRY(make_views(f));
    SNC_TRY(read_others(f, where));
    SNC_TRY(read_cascade(f, where));
    SNC_TRY(read_speeds(f, where));
    return check_digest(f, where); /* last: what is wrong is said more exactly above */
}

/* Takes over st, also on failure. */
static snc_err open_st(snc_sncfile **out, snc_st *st, const char *where)
{
    snc_sncfile *f = NULL;
    snc_err err = snc_alloc(&f, 1, sizeof *f);
    if (err) {
        snc_st_close(st);
        return err;
    }
    f->st = st;
    err = read_file(f, where);
    if (err) snc_sncfile_close(f);
    else *out = f;
    return err;
}

snc_err snc_sncfile_open(snc_sncfile **out, const char *path)
{
    snc_st *st = NULL;
    SNC_TRY(snc_st_read(&st, path));
    return open_st(out, st, path);
}

snc_err snc_sncfile_open_mem(snc_sncfile **out, const unsigned char *data, size_t size, const char *where)
{
    snc_st *st = NULL;
    SNC_TRY(snc_st_open_mem(&st, data, size, where));
    return open_st(out, st, where);
}

static void dispose(snc_sncfile *f)
{
    snc_params_dispose(&f->table);
    cJSON_Delete(f->meta);
    snc_free(f->view);
    snc_arena_free(f->arena);
}

void snc_sncfile_close(snc_sncfile *f)
{
    if (!f) return;
    for (int i = 0; i < f->others; i++) {
        dispose(f->other[i]);
        snc_free(f->other[i]);
    }
    dispose(f);
    snc_st_close(f->st);
    cJSON_Delete(f->label_list);
    cJSON_Delete(f->net_list);
    cJSON_Delete(f->cascade_said);
    cJSON_Delete(f->speeds_said);
    snc_free(f->labels);
    snc_free(f->other);
    snc_free(f);
}

const snc_encoder_config *snc_sncfile_config(const snc_sncfile *f) { return &f->cfg; }

const snc_arch *snc_sncfile_arch(const snc_sncfile *f) { return &f->arch; }

const snc_arch *snc_sncfile_arch_said(const snc_sncfile *f) { return &f->said; }

const snc_policy *snc_sncfile_policy(const snc_sncfile *f) { return &f->policy; }

bool snc_sncfile_has_head(const snc_sncfile *f) { return f->has_head; }

const char *const *snc_sncfile_labels_view(const snc_sncfile *f) { return (const char *const *)f->labels; }

const cJSON *snc_sncfile_meta_view(const snc_sncfile *f) { return f->meta; }

const char *snc_sncfile_version_view(const snc_sncfile *f) { return f->version; }

const char *snc_sncfile_digest_view(const snc_sncfile *f) { return f->first ? f->first->digest : f->digest; }

snc_err snc_sncfile_digest_read(char out[SNC_DIGEST_TEXT], const char *path)
{
    snc_st *st = NULL;
    snc_fmap *m = NULL; /* of which the header's pages alone are touched */
    SNC_TRY(snc_fmap_open(&m, path));
    snc_err err = snc_st_open_mem(&st, m->data, m->size, path);
    const char *says = err ? NULL : snc_st_metadata_view(st, SNC_SEAL_KEY);
    if (!err) snprintf(out, SNC_DIGEST_TEXT, "%s", says ? says : "");
    snc_st_close(st);
    snc_fmap_close(m);
    return err;
}

const snc_st *snc_sncfile_tensors(const snc_sncfile *f) { return f->st; }

int snc_sncfile_tensor_net(const char *name)
{
    static const char prefix[] = SNC_FILE__NET_PREFIX;
    const char *end;
    int net;
    if (strncmp(name, prefix, sizeof prefix - 1) != 0) return 0;
    return snc_int_read(&net, name + sizeof prefix - 1, &end) && *end == '.' && net > 0 ? net : 0;
}

snc_err snc_sncfile_tokenizer_dup(snc_tok_assets *out, const snc_sncfile *f)
{
    const snc_tok_kind *kind;
    char name[SNC_FILE__BLOB];
    snc_err err = SNC_OK;
    *out = (snc_tok_assets){0};
    SNC_TRY(snc_tok_kind_find(&kind, snc_st_metadata_view(f->st, SNC_FILE__TOKENIZER)));
    if (!snc_st_find(f->st, snc_file__blob(name, kind->blob[0]))) return SNC_OK;
    out->kind = kind;
    for (int i = 0; kind->blob[i] && !err; i++) {
        const snc_tensor *t = snc_st_find(f->st, snc_file__blob(name, kind->blob[i]));
        out->blob[i].bytes = t->bytes;
        err = snc_strndup(&out->blob[i].data, t->data, t->bytes);
    }
    if (err) snc_tok_assets_dispose(out);
    return err;
}

snc_err snc_sncfile_matrix_view(snc_matrix_view *out, const snc_sncfile *f, const char *name)
{
    int i = snc_params_find(&f->table, name);
    SNC_CHECK(i >= 0, SNC_E_NOTFOUND, "no parameter '%s'", name);
    *out = f->view[i];
    return SNC_OK;
}

snc_err snc_sncfile_vector_view(const float **out, const snc_sncfile *f, const char *name, int n)
{
    snc_matrix_view v;
    SNC_TRY(snc_sncfile_matrix_view(&v, f, name));
    SNC_CHECK(v.dtype == SNC_F32 && v.rows == 1 && v.cols == n, SNC_E_SHAPE, "parameter '%s' is no F32 vector of %d", name, n);
    *out = v.data;
    return SNC_OK;
}

/* Of rows that may lie apart. */
static snc_err read_floats(float *out, const snc_matrix_view *v, const char *name)
{
    const size_t width = (size_t)snc_dtype_get(v->dtype)->bits / 8;
    for (int r = 0; r < v->rows; r++) {
        const snc_tensor row = {.name = name,
                                .dtype = v->dtype,
                                .rank = 1,
                                .shape = {v->cols},
                                .data = (const char *)v->data + (size_t)r * (size_t)v->ld * width,
                                .bytes = (size_t)v->cols * width};
        SNC_TRY(snc_tensor_to_f32(out + (size_t)r * (size_t)v->cols, &row));
    }
    return SNC_OK;
}

snc_err snc_sncfile_param_read(float *out, const snc_sncfile *f, const char *name)
{
    snc_matrix_view v;
    SNC_TRY(snc_sncfile_matrix_view(&v, f, name));
    if (!snc_file__scaled(v.dtype)) return read_floats(out, &v, name);
    int8_t *expanded = NULL;
    if (v.dtype == SNC_I4) SNC_TRY(snc_alloc(&expanded, (size_t)v.cols, 1));
    for (int r = 0; r < v.rows; r++) {
        const int8_t *q = expanded ? expanded : (const int8_t *)v.data + (size_t)r * (size_t)v.ld;
        float *to = out + (size_t)r * (size_t)v.cols;
        if (expanded)
            snc_int4_expand(expanded, (const uint8_t *)v.data + (size_t)r * snc_int4_data_bytes(v.ld),
                            v.group + (size_t)r * snc_int4_group_bytes(v.ld), v.cols);
        for (int c = 0; c < v.cols; c++) to[c] = (float)q[c] * v.scale[r];
    }
    snc_free(expanded);
    return SNC_OK;
}
