/* A model from whatever its path holds: a .snc, a bare file or a folder. */
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "models/hf_priv.h"
#include "models/snc_file.h"
#include "models/source_mos.h"

enum { PATH_SIZE = 4096 };

/* ---- .snc -------------------------------------------------------------------------------------------------------------- */

static snc_err fill(snc_model *m, const snc_sncfile *f)
{
    for (int i = 0; i < m->params.n; i++) SNC_TRY(snc_sncfile_param_read(snc_params_w(&m->params, i), f, m->params.p[i].name));
    m->has_head = snc_sncfile_has_head(f);
    const char *const *labels = snc_sncfile_labels_view(f);
    if (labels) SNC_TRY(snc_model_set_labels(m, labels));
    SNC_TRY(snc_sncfile_tokenizer_dup(&m->tokenizer, f));
    cJSON_Delete(m->meta);
    m->meta = cJSON_Duplicate(snc_sncfile_meta_view(f), true);
    SNC_CHECK(m->meta, SNC_E_NOMEM, "out of memory");
    return SNC_OK;
}

static snc_err load_snc(snc_model **out, const snc_ctx *ctx, const char *path, int classes_hint, snc_meaning meaning_hint)
{
    snc_sncfile *f = NULL;
    snc_model *m = NULL;
    snc_err err = SNC_OK;
    SNC_GOTO(snc_sncfile_open(&f, path));
    if (snc_sncfile_nets(f) > 1) snc_log(ctx, SNC_LOG_INFO, "%s: the largest of its %d nets is taken", path, snc_sncfile_nets(f));
    SNC_GOTO(snc_model_new(&m, snc_sncfile_config(f), snc_sncfile_arch(f)));
    err = fill(m, f);
    if (err) {
        err = snc_err_prefix(err, path);
        goto out;
    }
    if (snc_mixture_any(&m->cfg) && !m->has_head)
        SNC_GOTO(snc_err_set(SNC_E_FORMAT, "%s: a supernet with experts, but without a trained classifier", path));
    SNC_GOTO(snc_mos_attach(m, ctx));
    if (!m->has_head && classes_hint > 0 && (m->cfg.classes != classes_hint || snc_meaning_of(&m->cfg) != meaning_hint))
        SNC_GOTO(snc_model_set_head(m, classes_hint, meaning_hint, NULL, ctx->seed));
    *out = m;
    m = NULL;
out:
    snc_model_free(m);
    snc_sncfile_close(f);
    return err;
}

snc_err snc_model_save(const snc_model *m, const char *path)
{
    snc_policy policy = snc_policy_uniform(SNC_F32, SNC_F32);
    snc_tensor *t = NULL;
    SNC_TRY(snc_alloc(&t, (size_t)m->params.n, sizeof *t));
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        t[i] = (snc_tensor){.name = p->name,
                            .dtype = SNC_F32,
                            .data = snc_params_w(&m->params, i),
                            .bytes = (size_t)p->rows * (size_t)p->cols * sizeof(float)};
        t[i].rank = snc_spec_shape(t[i].shape, p);
    }
    snc_sncfile_desc d = {.cfg = &m->cfg,
                          .arch = &m->arch,
                          .policy = &policy,
                          .labels = m->labels,
                          .has_head = m->has_head,
                          .tokenizer = &m->tokenizer,
                          .meta = m->meta};
    snc_err err = snc_sncfile_save(path, &d, t, m->params.n);
    snc_free(t);
    return err;
}

/* ---- anything ---------------------------------------------------------------------------------------------------------- */

/* The weights of a folder. */
static snc_err find_weights(char *out, size_t size, const char *folder)
{
    static const char *const names[] = {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                        "pytorch_model.bin.index.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        SNC_TRY(snc_path_join(out, size, folder, names[i]));
        if (snc_is_file(out)) return SNC_OK;
    }
    SNC_TRY(snc__hf_name_folder(folder));
    return snc_err_set(SNC_E_NOTFOUND, "%s: no model.safetensors, model.safetensors.index.json or pytorch_model.bin in it", folder);
}

static snc_err folder_of(char *out, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    SNC_CHECK(n + 2 <= size, SNC_E_ARG, "path too long: %.80s...", path);
    if (!slash) memcpy(out, ".", 2);
    else if (n == 0) memcpy(out, "/", 2);
    else {
        memcpy(out, path, n);
        out[n] = 0;
    }
    return SNC_OK;
}

/* The file of the weights, what it is, and the folder of what stands beside it. */
static snc_err locate(char file[PATH_SIZE], char folder[PATH_SIZE], snc_hf_kind *kind, const char *path)
{
    if (snc_is_dir(path)) {
        SNC_TRY(snc__hf_name_adapter(path));
        SNC_TRY(find_weights(file, PATH_SIZE, path));
        SNC_TRY(snc_path_join(folder, PATH_SIZE, path, ""));
        folder[strlen(folder) - 1] = 0;
    } else {
        SNC_CHECK(strlen(path) < PATH_SIZE, SNC_E_ARG, "path too long: %.80s...", path);
        memcpy(file, path, strlen(path) + 1);
        SNC_TRY(folder_of(folder, PATH_SIZE, path));
    }
    return snc__hf_kind(kind, file);
}

snc_err snc_model_load(snc_model **out, const snc_ctx *ctx, const char *path, int classes_hint, snc_meaning meaning_hint)
{
    char file[PATH_SIZE], folder[PATH_SIZE];
    snc_hf_kind kind;
    SNC_CHECK(classes_hint <= SNC_MAX_CLASSES, SNC_E_ARG, "%d classes, expected at most %d", classes_hint, SNC_MAX_CLASSES);
    SNC_TRY(locate(file, folder, &kind, path));
    if (kind == SNC_HF_SNC) return load_snc(out, ctx, file, classes_hint, meaning_hint);
    return snc__hf_import(out, ctx, file, folder, kind, classes_hint, meaning_hint);
}

snc_err snc_model_locate(const char *path)
{
    char file[PATH_SIZE], folder[PATH_SIZE];
    snc_hf_kind kind;
    return locate(file, folder, &kind, path);
}

snc_err snc_model_config(snc_encoder_config *out, const char *path)
{
    char file[PATH_SIZE], folder[PATH_SIZE];
    snc_hf_kind kind;
    snc_sncfile *f = NULL;
    snc_hf_config c;
    SNC_TRY(locate(file, folder, &kind, path));
    if (kind == SNC_HF_SNC) {
        SNC_TRY(snc_sncfile_open(&f, file));
        *out = *snc_sncfile_config(f);
        snc_sncfile_close(f);
        return SNC_OK;
    }
    SNC_TRY(snc_path_join(file, PATH_SIZE, folder, "config.json"));
    SNC_TRY(snc__hf_config_load(&c, file));
    *out = c.cfg;
    snc__hf_config_dispose(&c);
    return SNC_OK;
}

snc_err snc_model_vector_width(int *out, const char *path)
{
    char file[PATH_SIZE], folder[PATH_SIZE];
    snc_hf_kind kind;
    snc_encoder_config c;
    snc_hf_vector v = {0};
    SNC_TRY(locate(file, folder, &kind, path));
    SNC_TRY(snc_model_config(&c, path));
    if (kind != SNC_HF_SNC) SNC_TRY(snc__hf_vector_load(&v, folder));
    *out = c.vector ? c.classes : v.width ? v.width : c.hidden;
    SNC_CHECK(*out <= SNC_MAX_CLASSES, SNC_E_UNSUPPORTED, "%s: vectors of %d numbers, expected at most %d", path, *out, SNC_MAX_CLASSES);
    return SNC_OK;
}
