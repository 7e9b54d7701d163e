/* The .snc file: what must be in it, and its writer. */
#include <stdio.h>

#include "core/seal.h"
#include "models/mixture.h"
#include "models/snc_file_priv.h"
#include "quant/int4.h"
#include "tokenizer/kind.h"

_Static_assert(SNC_INT4_GROUP == 16, "the text in the file is the size in the code");

const char *snc_file__name(char buf[SNC_FILE__NAME], int net, const char *name, const char *suffix)
{
    if (net) snprintf(buf, SNC_FILE__NAME, SNC_FILE__NET_PREFIX "%d.%s%s", net, name, suffix);
    else snprintf(buf, SNC_FILE__NAME, "%s%s", name, suffix);
    return buf;
}

const char *snc_file__blob(char buf[SNC_FILE__BLOB], const char *blob)
{
    snprintf(buf, SNC_FILE__BLOB, "tokenizer.%s", blob);
    return buf;
}

/* ---- what a reader wants and a writer must give --------------------------------------------------------------------- */

static snc_err check_tensor(const snc_tensor *t, const char *name, const snc_param *p, snc_dtype dtype, const char *where)
{
    char have[SNC_SHAPE_TEXT], want[SNC_SHAPE_TEXT];
    int64_t shape[2];
    int rank = snc_spec_shape(shape, p);
    if (dtype == SNC_I4) shape[1] /= 2;
    snc_dtype stored = dtype == SNC_I4 ? SNC_U8 : dtype;
    SNC_CHECK(t, SNC_E_FORMAT, "%s: tensor '%s' is missing", where, name);
    SNC_CHECK(t->dtype == stored, SNC_E_FORMAT, "%s: tensor '%s' has dtype %s, expected %s by the policy", where, name,
              t->dtype < SNC_DTYPES ? snc_dtype_get(t->dtype)->safetensors : t->dtype_name, snc_dtype_get(stored)->safetensors);
    SNC_CHECK(snc_tensor_is(t, rank, shape[0], shape[1]), SNC_E_SHAPE, "%s: tensor '%s' is %s, expected %s", where, name,
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

snc_err snc_file__check_param(const snc_tensor *list, int n, int net, const snc_param *p, snc_dtype dtype, const char *where)
{
    char name[SNC_FILE__NAME];
    snc_file__name(name, net, p->name, "");
    SNC_TRY(check_tensor(snc_tensors_find(list, n, name), name, p, dtype, where));
    if (!snc_file__scaled(dtype)) return SNC_OK;
    snc_file__name(name, net, p->name, ".scale");
    SNC_TRY(check_scale(snc_tensors_find(list, n, name), name, p->rows, where));
    if (dtype != SNC_I4) return SNC_OK;
    snc_file__name(name, net, p->name, ".group");
    return check_group(snc_tensors_find(list, n, name), name, p, where);
}

snc_err snc_file__check_params(const snc_tensor *list, int n, const snc_params *table, const snc_policy *policy, const char *where)
{
    for (int i = 0; i < table->n; i++) {
        const snc_param *p = &table->p[i];
        SNC_TRY(snc_file__check_param(list, n, 0, p, snc_spec_dtype(policy, p->row, p->layer), where));
    }
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
 * third WordPiece alone, the fourth one net. */
static int format_of(const snc_sncfile_desc *d)
{
    int format = snc_policy_uses(d->policy, d->arch, SNC_I4) ? 2 : 1;
    for (int l = 0; l < d->arch->layers; l++) {
        const uint8_t *t = d->policy->linear[l];
        if (format < 2 && (t[SNC_SITE_Q] != t[SNC_SITE_K] || t[SNC_SITE_K] != t[SNC_SITE_V])) format = 2;
        if (d->arch->heads[l] == 0 || d->arch->ffn[l] == 0) format = 3;
    }
    if (d->tokenizer && d->tokenizer->kind && !snc_tok_kind_is_implied(d->tokenizer->kind)) format = 4;
    return d->nets ? 5 : format;
}

static cJSON *make_metadata(const snc_sncfile_desc *d)
{
    cJSON *m = cJSON_CreateObject();
    char version[16];
    bool int4 = snc_policy_uses(d->policy, d->arch, SNC_I4);
    snprintf(version, sizeof version, "%d", format_of(d));
    bool ok = m && cJSON_AddStringToObject(m, SNC_SEAL_KEY, SNC_SEAL_OPEN) &&
              (!int4 || cJSON_AddStringToObject(m, SNC_FILE__INT4, SNC_FILE__INT4_GROUP)) &&
              cJSON_AddStringToObject(m, "snc_format", version) && cJSON_AddStringToObject(m, "snc_version", SNC_VERSION) &&
              cJSON_AddStringToObject(m, "has_head", d->has_head ? "true" : "false") &&
              add_json(m, "config", snc_encoder_config_to_json(d->cfg)) && add_json(m, "arch", snc_arch_to_json(d->arch)) &&
              add_json(m, "policy", snc_policy_to_json(d->policy, d->arch->layers)) &&
              (!d->tokenizer || !d->tokenizer->kind || snc_tok_kind_is_implied(d->tokenizer->kind) ||
               cJSON_AddStringToObject(m, SNC_FILE__TOKENIZER, d->tokenizer->kind->name)) &&
              (!d->nets || add_json(m, SNC_FILE__NETS, cJSON_Duplicate(d->nets, true))) &&
              (!d->cascade || add_json(m, SNC_FILE__CASCADE, cJSON_Duplicate(d->cascade, true))) &&
              (!d->speeds || add_json(m, SNC_FILE__SPEEDS, cJSON_Duplicate(d->speeds, true))) &&
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

/* What is said of all nets together. */
static snc_err check_said(const snc_sncfile_desc *d, const char *path)
{
    const int n = 1 + cJSON_GetArraySize(d->nets);
    char place[512];
    snc_cascade c;
    snc_speeds s;
    snprintf(place, sizeof place, "%.400s: " SNC_FILE__CASCADE, path);
    if (d->cascade) SNC_TRY(snc_cascade_read(&c, d->cascade, n, d->cfg, place));
    snprintf(place, sizeof place, "%.400s: " SNC_FILE__SPEEDS, path);
    return d->speeds ? snc_speeds_read(&s, d->speeds, n, d->cfg, d->meta, place) : SNC_OK;
}

snc_err snc_sncfile_save(const char *path, const snc_sncfile_desc *d, const snc_tensor *tensors, int n)
{
    snc_err err = SNC_OK;
    snc_params table = {0};
    snc_tensor *all = NULL;
    cJSON *metadata = NULL;
    const snc_tok_kind *kind = d->tokenizer ? d->tokenizer->kind : NULL;
    char name[SNC_TOK_BLOBS][SNC_FILE__BLOB];
    SNC_CHECK(n > 0, SNC_E_ARG, "%s: no tensors to write", path);
    for (int i = 0; d->labels && i < d->cfg->classes; i++) SNC_TRY(snc_json_check_line(d->labels[i], "label", path));
    SNC_GOTO(check_said(d, path));
    SNC_GOTO(snc_policy_check(d->policy, d->arch, d->cfg));
    SNC_GOTO(snc_spec_table(&table, d->cfg, d->arch));
    SNC_GOTO(snc_mixture_add(NULL, &table, d->cfg, d->arch));
    SNC_GOTO(snc_alloc(&all, (size_t)n + SNC_TOK_BLOBS, sizeof *all));
    memcpy(all, tensors, (size_t)n * sizeof *all);
    for (int i = 0; kind && kind->blob[i]; i++) all[n++] = blob_tensor(snc_file__blob(name[i], kind->blob[i]), &d->tokenizer->blob[i]);
    snc_tensors_sort(all, n);
    for (int i = 1; i < n; i++)
        if (strcmp(all[i - 1].name, all[i].name) == 0) SNC_GOTO(snc_err_set(SNC_E_ARG, "%s: tensor '%s' given twice", path, all[i].name));
    SNC_GOTO(snc_file__check_params(all, n, &table, d->policy, path));
    metadata = make_metadata(d);
    if (!metadata) SNC_GOTO(snc_err_set(SNC_E_NOMEM, "%s: out of memory while writing the header", path));
    SNC_GOTO(snc_st_save(path, metadata, all, n));
out:
    cJSON_Delete(metadata);
    snc_free(all);
    snc_params_dispose(&table);
    return err;
}
