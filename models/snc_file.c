/* The .snc file: its header read and checked, its tensors found, its digest kept. */
#include "models/snc_file.h"

#include <stdio.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/number.h"
#include "core/seal.h"
#include "models/mixture.h"
#include "quant/int4.h"
#include "tokenizer/kind.h"

struct snc_sncfile {
    snc_st *st;
    snc_encoder_config cfg;
    snc_arch arch;
    snc_policy policy;
    bool has_head;
    snc_params table; /* names and shapes; no weights */
    cJSON *label_list, *meta;
    const char **labels;
    const char *version, *digest;
    snc_matrix_view *view; /* [table.n] */
    snc_arena *arena;      /* tensors that were not aligned in the file */
};

enum { SCALE_NAME = SNC_PARAM_NAME + 8, BLOB_NAME = 64 };

/* Which kind of tokenizer the blobs are of; the implied one without it. */
#define TOKENIZER_KEY "tokenizer"

#define INT4_GROUP_TEXT "16"
_Static_assert(SNC_INT4_GROUP == 16, "the text in the file is the size in the code");

static const char *scale_name(char buf[SCALE_NAME], const char *name)
{
    snprintf(buf, SCALE_NAME, "%s.scale", name);
    return buf;
}

static const char *group_name(char buf[SCALE_NAME], const char *name)
{
    snprintf(buf, SCALE_NAME, "%s.group", name);
    return buf;
}

static const char *blob_name(char buf[BLOB_NAME], const char *blob)
{
    snprintf(buf, BLOB_NAME, "tokenizer.%s", blob);
    return buf;
}

static bool scaled(snc_dtype t) { return t == SNC_I8 || t == SNC_I4; }

/* ---- what a reader wants and a writer must give --------------------------------------------------------------------- */

static snc_err check_param(const snc_tensor *t, const snc_param *p, snc_dtype dtype, const char *where)
{
    char have[SNC_SHAPE_TEXT], want[SNC_SHAPE_TEXT];
    int64_t shape[2];
    int rank = snc_spec_shape(shape, p);
    if (dtype == SNC_I4) shape[1] /= 2;
    snc_dtype stored = dtype == SNC_I4 ? SNC_U8 : dtype;
    SNC_CHECK(t, SNC_E_FORMAT, "%s: tensor '%s' is missing", where, p->name);
    SNC_CHECK(t->dtype == stored, SNC_E_FORMAT, "%s: tensor '%s' has dtype %s, expected %s by the policy", where, p->name,
              t->dtype < SNC_DTYPES ? snc_dtype_get(t->dtype)->safetensors : t->dtype_name, snc_dtype_get(stored)->safetensors);
    SNC_CHECK(snc_tensor_is(t, rank, shape[0], shape[1]), SNC_E_SHAPE, "%s: tensor '%s' is %s, expected %s", where, p->name,
              snc_shape_text(have, t->shape, t->rank), snc_shape_text(want, shape, rank));
    return SNC_OK;
}

static snc_err check_scale(const snc_tensor *t, const char *name, int rows, const char *where)
{
    SNC_CHECK(t, SNC_E_FORMAT, "%s: tensor '%s' is missing", where, name);
    SNC_CHECK(t->dtype == SNC_F32 && snc_tensor_is(t, 1, rows, 0), SNC_E_SHAPE, "%s: tensor '%s': expected dtype F32 and shape [%d]", where,
              name, rows);
    const unsigned char *p = t->data;
    for (int i = 0; i < rows; i++) {
        float f;
        memcpy(&f, p + (size_t)i * sizeof f, sizeof f);
        SNC_CHECK(f >= 0.0f && f <= 3.4e38f, SNC_E_FORMAT, "%s: tensor '%s': scale %d is %g", where, name, i, (double)f);
    }
    return SNC_OK;
}

static snc_err check_group(const snc_tensor *t, const char *name, const snc_param *p, const char *where)
{
    int bytes = (int)snc_int4_group_bytes(p->cols);
    SNC_CHECK(t, SNC_E_FORMAT, "%s: tensor '%s' is missing", where, name);
    SNC_CHECK(t->dtype == SNC_U8 && snc_tensor_is(t, 2, p->rows, bytes), SNC_E_SHAPE,
              "%s: tensor '%s': expected dtype U8 and shape [%d, %d]", where, name, p->rows, bytes);
    return SNC_OK;
}

/* list is sorted by name. */
static snc_err check_params(const snc_tensor *list, int n, const snc_params *table, const snc_policy *policy, const char *where)
{
    char name[SCALE_NAME];
    for (int i = 0; i < table->n; i++) {
        const snc_param *p = &table->p[i];
        snc_dtype dtype = snc_spec_dtype(policy, p->row, p->layer);
        SNC_TRY(check_param(snc_tensors_find(list, n, p->name), p, dtype, where));
        if (!scaled(dtype)) continue;
        scale_name(name, p->name);
        SNC_TRY(check_scale(snc_tensors_find(list, n, name), name, p->rows, where));
        if (dtype != SNC_I4) continue;
        group_name(name, p->name);
        SNC_TRY(check_group(snc_tensors_find(list, n, name), name, p, where));
    }
    return SNC_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static snc_err read_json(cJSON **out, const snc_sncfile *f, const char *key, const char *where)
{
    char place[512];
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
    const char *group = snc_st_metadata_view(f->st, "int4_group");
    SNC_CHECK(group && strcmp(group, INT4_GROUP_TEXT) == 0, SNC_E_UNSUPPORTED, "%s: int4 in groups of %s, expected " INT4_GROUP_TEXT, where,
              group ? group : "no stated size");
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

static snc_err make_views(snc_sncfile *f)
{
    char name[SCALE_NAME];
    SNC_TRY(snc_arena_new(&f->arena));
    SNC_TRY(snc_alloc(&f->view, (size_t)f->table.n, sizeof *f->view));
    for (int i = 0; i < f->table.n; i++) {
        const snc_param *p = &f->table.p[i];
        snc_matrix_view *v = &f->view[i];
        const snc_tensor *t = snc_st_find(f->st, p->name);
        *v = (snc_matrix_view){.dtype = snc_spec_dtype(&f->policy, p->row, p->layer), .rows = p->rows, .cols = p->cols};
        SNC_TRY(aligned(&v->data, f, t));
        if (v->dtype == SNC_I4) v->group = snc_st_find(f->st, group_name(name, p->name))->data;
        if (!scaled(v->dtype)) continue;
        const void *scale = NULL;
        SNC_TRY(aligned(&scale, f, snc_st_find(f->st, scale_name(name, p->name))));
        v->scale = scale;
    }
    return SNC_OK;
}

/* A kind's blobs are all there or none is. */
static snc_err check_blobs(const snc_sncfile *f, const snc_tok_kind *kind, const char *where)
{
    char name[BLOB_NAME], missing[BLOB_NAME] = "";
    bool any = false;
    for (int i = 0; kind->blob[i]; i++) {
        const snc_tensor *t = snc_st_find(f->st, blob_name(name, kind->blob[i]));
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
    snc_err err = snc_tok_kind_find(&kind, snc_st_metadata_view(f->st, TOKENIZER_KEY));
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
    SNC_TRY(check_params(snc_st_tensors_view(f->st), snc_st_count(f->st), &f->table, &f->policy, where));
    SNC_TRY(check_tokenizer(f, where));
    SNC_TRY(check_digest(f, where)); /* last: what is wrong is said more exactly above */
    return make_views(f);
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

void snc_sncfile_close(snc_sncfile *f)
{
    if (!f) return;
    snc_st_close(f->st);
    snc_params_dispose(&f->table);
    cJSON_Delete(f->label_list);
    cJSON_Delete(f->meta);
    snc_free(f->labels);
    snc_free(f->view);
    snc_arena_free(f->arena);
    snc_free(f);
}

const snc_encoder_config *snc_sncfile_config(const snc_sncfile *f) { return &f->cfg; }

const snc_arch *snc_sncfile_arch(const snc_sncfile *f) { return &f->arch; }

const snc_policy *snc_sncfile_policy(const snc_sncfile *f) { return &f->policy; }

bool snc_sncfile_has_head(const snc_sncfile *f) { return f->has_head; }

const char *const *snc_sncfile_labels_view(const snc_sncfile *f) { return f->labels; }

const cJSON *snc_sncfile_meta_view(const snc_sncfile *f) { return f->meta; }

const char *snc_sncfile_version_view(const snc_sncfile *f) { return f->version; }

const char *snc_sncfile_digest_view(const snc_sncfile *f) { return f->digest; }

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

snc_err snc_sncfile_tokenizer_dup(snc_tok_assets *out, const snc_sncfile *f)
{
    const snc_tok_kind *kind;
    char name[BLOB_NAME];
    snc_err err = SNC_OK;
    *out = (snc_tok_assets){0};
    SNC_TRY(snc_tok_kind_find(&kind, snc_st_metadata_view(f->st, TOKENIZER_KEY)));
    if (!snc_st_find(f->st, blob_name(name, kind->blob[0]))) return SNC_OK;
    out->kind = kind;
    for (int i = 0; kind->blob[i] && !err; i++) {
        const snc_tensor *t = snc_st_find(f->st, blob_name(name, kind->blob[i]));
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

snc_err snc_sncfile_param_read(float *out, const snc_sncfile *f, const char *name)
{
    snc_matrix_view v;
    SNC_TRY(snc_sncfile_matrix_view(&v, f, name));
    if (!scaled(v.dtype)) return snc_tensor_to_f32(out, snc_st_find(f->st, name));
    int8_t *expanded = NULL;
    if (v.dtype == SNC_I4) SNC_TRY(snc_alloc(&expanded, (size_t)v.cols, 1));
    for (int r = 0; r < v.rows; r++) {
        const int8_t *q = expanded ? expanded : (const int8_t *)v.data + (size_t)r * (size_t)v.cols;
        float *to = out + (size_t)r * (size_t)v.cols;
        if (expanded)
            snc_int4_expand(expanded, (const uint8_t *)v.data + (size_t)r * snc_int4_data_bytes(v.cols),
                            v.group + (size_t)r * snc_int4_group_bytes(v.cols), v.cols);
        for (int c = 0; c < v.cols; c++) to[c] = (float)q[c] * v.scale[r];
    }
    snc_free(expanded);
    return SNC_OK;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* Takes j over. */
static bool add_json(cJSON *metadata, const char *key, cJSON *j)
{
    char *text = j ? cJSON_PrintUnformatted(j) : NULL;
    bool ok = text && cJSON_AddStringToObject(metadata, key, text);
    cJSON_free(text);
    cJSON_Delete(j);
    return ok;
}

/* The lowest format with what is in the file: the first ties Q, K and V and has no INT4, the second has both halves of every layer, the
 * third WordPiece alone. */
static int format_of(const snc_sncfile_desc *d)
{
    int format = snc_policy_uses(d->policy, d->arch, SNC_I4) ? 2 : 1;
    for (int l = 0; l < d->arch->layers; l++) {
        const uint8_t *t = d->policy->linear[l];
        if (format < 2 && (t[SNC_SITE_Q] != t[SNC_SITE_K] || t[SNC_SITE_K] != t[SNC_SITE_V])) format = 2;
        if (d->arch->heads[l] == 0 || d->arch->ffn[l] == 0) format = 3;
    }
    bool implied = !d->tokenizer || !d->tokenizer->kind || snc_tok_kind_is_implied(d->tokenizer->kind);
    return implied ? format : SNC_FORMAT_VERSION;
}

static cJSON *make_metadata(const snc_sncfile_desc *d)
{
    cJSON *m = cJSON_CreateObject();
    char version[16];
    bool int4 = snc_policy_uses(d->policy, d->arch, SNC_I4);
    snprintf(version, sizeof version, "%d", format_of(d));
    bool ok = m && cJSON_AddStringToObject(m, SNC_SEAL_KEY, SNC_SEAL_OPEN) &&
              (!int4 || cJSON_AddStringToObject(m, "int4_group", INT4_GROUP_TEXT)) && cJSON_AddStringToObject(m, "snc_format", version) &&
              cJSON_AddStringToObject(m, "snc_version", SNC_VERSION) &&
              cJSON_AddStringToObject(m, "has_head", d->has_head ? "true" : "false") &&
              add_json(m, "config", snc_encoder_config_to_json(d->cfg)) && add_json(m, "arch", snc_arch_to_json(d->arch)) &&
              add_json(m, "policy", snc_policy_to_json(d->policy, d->arch->layers)) &&
              (!d->tokenizer || !d->tokenizer->kind || snc_tok_kind_is_implied(d->tokenizer->kind) ||
               cJSON_AddStringToObject(m, TOKENIZER_KEY, d->tokenizer->kind->name)) &&
              add_json(m, "meta", d->meta ? cJSON_Duplicate(d->meta, true) : cJSON_CreateObject());
    if (ok && d->labels) {
        cJSON *list = cJSON_CreateArray();
        for (int i = 0; i < d->cfg->classes; i++) cJSON_AddItemToArray(list, cJSON_CreateString(d->labels[i]));
        ok = add_json(m, "labels", list);
    }
    if (ok) return m;
    cJSON_Delete(m);
    return NULL;
}

static snc_tensor blob_tensor(const char *name, const snc_tok_blob *b)
{
    return (snc_tensor){.name = name, .dtype = SNC_U8, .rank = 1, .shape = {(int64_t)b->bytes}, .data = b->data, .bytes = b->bytes};
}

snc_err snc_sncfile_save(const char *path, const snc_sncfile_desc *d, const snc_tensor *tensors, int n)
{
    snc_err err = SNC_OK;
    snc_params table = {0};
    snc_tensor *all = NULL;
    cJSON *metadata = NULL;
    const snc_tok_kind *kind = d->tokenizer ? d->tokenizer->kind : NULL;
    char name[SNC_TOK_BLOBS][BLOB_NAME];
    SNC_CHECK(n > 0, SNC_E_ARG, "%s: no tensors to write", path);
    for (int i = 0; d->labels && i < d->cfg->classes; i++) SNC_TRY(snc_json_check_line(d->labels[i], "label", path));
    SNC_GOTO(snc_policy_check(d->policy, d->arch, d->cfg));
    SNC_GOTO(snc_spec_table(&table, d->cfg, d->arch));
    SNC_GOTO(snc_mixture_add(NULL, &table, d->cfg, d->arch));
    SNC_GOTO(snc_alloc(&all, (size_t)n + SNC_TOK_BLOBS, sizeof *all));
    memcpy(all, tensors, (size_t)n * sizeof *all);
    for (int i = 0; kind && kind->blob[i]; i++) all[n++] = blob_tensor(blob_name(name[i], kind->blob[i]), &d->tokenizer->blob[i]);
    snc_tensors_sort(all, n);
    for (int i = 1; i < n; i++)
        if (strcmp(all[i - 1].name, all[i].name) == 0) SNC_GOTO(snc_err_set(SNC_E_ARG, "%s: tensor '%s' given twice", path, all[i].name));
    SNC_GOTO(check_params(all, n, &table, d->policy, path));
    metadata = make_metadata(d);
    if (!metadata) SNC_GOTO(snc_err_set(SNC_E_NOMEM, "%s: out of memory while writing the header", path));
    SNC_GOTO(snc_st_save(path, metadata, all, n));
out:
    cJSON_Delete(metadata);
    snc_free(all);
    snc_params_dispose(&table);
    return err;
}
