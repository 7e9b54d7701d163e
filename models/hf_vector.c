/* modules.json of Sentence Transformers: of which tokens a text's vector is made, and what it goes through behind that. */
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "models/hf_priv.h"

bool snc__hf_has_modules(const char *folder)
{
    char path[SNC_HF_PATH];
    return snc_path_join(path, sizeof path, folder, "modules.json") == SNC_OK && snc_is_file(path);
}

static snc_err load_json(cJSON **out, char path[SNC_HF_PATH], const char *folder, const char *name)
{
    *out = NULL;
    SNC_TRY(snc_path_join(path, SNC_HF_PATH, folder, name));
    return snc_json_load(out, path);
}

/* The last word of "sentence_transformers.models.Pooling", whatever package has it today. */
static const char *last_word(const char *type)
{
    const char *dot = type ? strrchr(type, '.') : NULL;
    return dot ? dot + 1 : type ? type : "";
}

/* One of the flags, or the name of one. */
static snc_err read_pooling(snc_hf_vector *v, const cJSON *j, const char *path)
{
    const char *mode = snc_json_text(j, "pooling_mode"), *said = NULL;
    const cJSON *it;
    SNC_CHECK(cJSON_IsObject(j), SNC_E_FORMAT, "%s: expected an object", path);
    cJSON_ArrayForEach(it, j)
    {
        if (strncmp(it->string, "pooling_mode_", 13) != 0 || !cJSON_IsTrue(it)) continue;
        SNC_CHECK(!said, SNC_E_UNSUPPORTED, "%s: %s beside %s: several poolings at once are not supported", path, it->string, said);
        said = it->string;
    }
    if (mode) said = mode;
    v->mean = said && (strcmp(said, "pooling_mode_mean_tokens") == 0 || strcmp(said, "mean") == 0);
    const bool first = said && (strcmp(said, "pooling_mode_cls_token") == 0 || strcmp(said, "cls") == 0);
    SNC_CHECK(v->mean || first, SNC_E_UNSUPPORTED, "%s: %.80s is not supported: the mean of all tokens or the first one", path,
              said ? said : "no pooling");
    return SNC_OK;
}

/* A linear map is the classifier of the vector. */
static snc_err read_dense(snc_hf_vector *v, const cJSON *j, const char *path, const char *folder)
{
    const char *act = last_word(snc_json_text(j, "activation_function"));
    SNC_CHECK(!*v->dense, SNC_E_UNSUPPORTED, "%s: a second Dense module is not supported", path);
    SNC_CHECK(strcmp(act, "Identity") == 0, SNC_E_UNSUPPORTED, "%s: activation_function '%.64s' is not supported, expected Identity", path,
              act);
    SNC_TRY(snc_json_int(&v->inputs, j, "in_features", 0, 1, 65536, path));
    SNC_TRY(snc_json_int(&v->width, j, "out_features", 0, 1, SNC_MAX_CLASSES, path));
    SNC_CHECK(v->inputs && v->width, SNC_E_FORMAT, "%s: in_features or out_features is missing", path);
    return snc_path_join(v->dense, sizeof v->dense, folder, "model.safetensors");
}

static snc_err read_module(snc_hf_vector *v, const cJSON *module, const char *folder, const char *where)
{
    const char *type = last_word(snc_json_text(module, "type")), *name = snc_json_text(module, "path");
    const bool pooling = strcmp(type, "Pooling") == 0, dense = strcmp(type, "Dense") == 0;
    char at[SNC_HF_PATH], path[SNC_HF_PATH];
    cJSON *j;
    if (strcmp(type, "Transformer") == 0 || strcmp(type, "Normalize") == 0 || strcmp(type, "Dropout") == 0) return SNC_OK;
    SNC_CHECK(pooling || dense, SNC_E_UNSUPPORTED, "%s: module '%.64s' is not supported: Transformer, Pooling, Dense, Normalize or Dropout",
              where, type);
    SNC_CHECK(name && *name && !strstr(name, "..") && *name != '/', SNC_E_FORMAT, "%s: module %s: 'path' must name a folder beside it",
              where, type);
    SNC_TRY(snc_path_join(at, sizeof at, folder, name));
    SNC_TRY(load_json(&j, path, at, "config.json"));
    snc_err err = pooling ? read_pooling(v, j, path) : read_dense(v, j, path, at);
    cJSON_Delete(j);
    return err;
}

snc_err snc__hf_vector_load(snc_hf_vector *v, const char *folder)
{
    char path[SNC_HF_PATH];
    cJSON *j;
    const cJSON *it;
    snc_err err = SNC_OK;
    *v = (snc_hf_vector){.mean = true};
    if (!snc__hf_has_modules(folder)) return SNC_OK;
    SNC_TRY(load_json(&j, path, folder, "modules.json"));
    v->named = true;
    if (!cJSON_IsArray(j)) err = snc_err_set(SNC_E_FORMAT, "%s: expected a list of modules", path);
    cJSON_ArrayForEach(it, j)
    {
        if (!err) err = read_module(v, it, folder, path);
    }
    cJSON_Delete(j);
    return err;
}

static snc_err read_tensor(float *to, const snc_st *f, const char *name, int rank, int rows, int cols, const char *path)
{
    char found[SNC_SHAPE_TEXT];
    const snc_tensor *t = snc_st_find(f, name);
    SNC_CHECK(t, SNC_E_FORMAT, "%s: tensor '%s' is missing", path, name);
    SNC_CHECK(snc_tensor_is_float(t) && snc_tensor_is(t, rank, rows, cols), SNC_E_SHAPE, "%s: tensor '%s' is %s %s, expected %d x %d", path,
              name, t->dtype_name, snc_shape_text(found, t->shape, t->rank), rows, cols);
    return snc_tensor_to_f32(to, t);
}

snc_err snc__hf_vector_fill(snc_model *m, const snc_hf_vector *v)
{
    const snc_lin head = snc_model_lin(m, SNC_ROLE_CLASSIFIER, 0);
    snc_st *f;
    if (!*v->dense) {
        snc_model_init_vector(m);
        return SNC_OK;
    }
    SNC_TRY(snc_st_open(&f, v->dense));
    snc_err err = read_tensor(snc_params_w(&m->params, head.w), f, "linear.weight", 2, v->width, v->inputs, v->dense);
    memset(snc_params_w(&m->params, head.b), 0, (size_t)v->width * sizeof(float));
    if (!err && snc_st_find(f, "linear.bias"))
        err = read_tensor(snc_params_w(&m->params, head.b), f, "linear.bias", 1, v->width, 0, v->dense);
    snc_st_close(f);
    m->has_head = !err;
    return err;
}
