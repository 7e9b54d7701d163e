/* The files of a folder, one after another. Where: as Transformers, Optimum and transformers.js look for them. */
#include "stage/export_folder.h"

#include <string.h>

#include "artifact/option.h"
#include "base/fmap.h"
#include "interop/folder_out.h"
#include "interop/onnx_net.h"
#include "models/bundle.h"
#include "models/hf_out.h"

#define ONNX "onnx"

static const char *const file_of[] = {[SNC_ONNX_FORM_F32] = ONNX "/model.onnx",
                                      [SNC_ONNX_FORM_INT8] = ONNX "/model_quantized.onnx",
                                      [SNC_ONNX_FORM_QDQ] = ONNX "/model_qdq.onnx"};
static const char *const folders[] = {ONNX, SNC_HF_POOLING, SNC_HF_DENSE, NULL};
static const char *const files[] = {"config.json",
                                    "model.safetensors",
                                    "tokenizer.json",
                                    "tokenizer_config.json",
                                    ONNX "/model.onnx",
                                    ONNX "/model.onnx_data",
                                    ONNX "/model_quantized.onnx",
                                    ONNX "/model_qdq.onnx",
                                    ONNX "/model_quantized.onnx_data",
                                    ONNX "/model_qdq.onnx_data",
                                    "modules.json",
                                    SNC_HF_POOLING "/config.json",
                                    SNC_HF_DENSE "/config.json",
                                    SNC_HF_DENSE "/model.safetensors",
                                    NULL};

static bool is_onnx(const snc_options *o) { return strcmp(o->exporting.to, "onnx") == 0; }
bool snc_is_folder_asked(const snc_options *o) { return o->exporting.to && (is_onnx(o) || strcmp(o->exporting.to, "hf") == 0); }

/* ---- what is asked for -------------------------------------------------------------------------------------------- */

/* Of a comma list. */
static snc_err read_forms(bool form[SNC_ONNX_FORMS], const char *list)
{
    memset(form, 0, SNC_ONNX_FORMS * sizeof *form);
    for (const char *p = list;;) {
        size_t n = strcspn(p, ",");
        int k = 0;
        while (k < SNC_ONNX_FORMS && (strlen(snc_onnx_form_name(k)) != n || memcmp(snc_onnx_form_name(k), p, n) != 0)) k++;
        SNC_CHECK(k < SNC_ONNX_FORMS, SNC_E_ARG, "--form '%.*s': expected a comma list of f32, int8 and qdq", n < 40 ? (int)n : 40, p);
        form[k] = true;
        if (!p[n]) return SNC_OK;
        p += n + 1;
    }
}

snc_err snc_folder_need(const snc_options *o)
{
    bool form[SNC_ONNX_FORMS];
    SNC_CHECK(!o->exporting.cascade, SNC_E_ARG, "--to %s: a cascade is several nets, and a folder is one: export each with --net",
              o->exporting.to);
    SNC_CHECK(!o->exporting.measure, SNC_E_ARG, "--to %s: without --measure: times are those of several nets here", o->exporting.to);
    SNC_CHECK(o->input.n_models <= 1, SNC_E_ARG, "--to %s: expected one model", o->exporting.to);
    SNC_TRY(snc_option_need("export", "--output", o->output.path));
    if (is_onnx(o) && o->exporting.form) SNC_TRY(read_forms(form, o->exporting.form));
    if (is_onnx(o) && snc_onnx_here() != SNC_OK) return snc_err_prefix(SNC_E_UNSUPPORTED, "--to onnx");
    return snc_folder_out_check(o->output.path);
}

/* ---- the files ---------------------------------------------------------------------------------------------------- */

/* Gives j away. */
static snc_err write_json(const snc_folder_out *f, const char *name, cJSON *j)
{
    char path[SNC_FOLDER_PATH];
    snc_err err = snc_folder_out_path(path, f, name);
    if (!err) err = snc_json_save(j, path);
    cJSON_Delete(j);
    return err;
}

static snc_err write_tokenizer(const snc_folder_out *f, const snc_sncfile *net, const snc_tok_assets *a)
{
    const snc_encoder_config *c = snc_sncfile_config(net);
    int length = snc_family_length(c);
    double said = snc_json_number(snc_sncfile_meta_view(net), "max_length");
    if (said >= 1 && said < length) length = (int)said;
    return snc_tok_assets_save(f->draft, a, length, c->types > 1);
}

static snc_err write_config(const snc_folder_out *f, const snc_sncfile *file, const snc_sncfile *net, const snc_tok_assets *a)
{
    cJSON *config = NULL;
    SNC_TRY(snc_hf_config_json(&config, net, snc_sncfile_labels_view(file), snc_tok_pad(a)));
    return write_json(f, "config.json", config);
}

static bool has_integers(const snc_sncfile *net)
{
    const snc_policy *p = snc_sncfile_policy(net);
    const snc_arch *a = snc_sncfile_arch(net);
    return snc_policy_uses(p, a, SNC_I8) || snc_policy_uses(p, a, SNC_I4);
}

static snc_err write_onnx(const snc_ctx *ctx, const snc_options *o, const snc_folder_out *f, const snc_sncfile *net, const char *from)
{
    char path[SNC_FOLDER_PATH];
    bool form[SNC_ONNX_FORMS] = {[SNC_ONNX_FORM_F32] = true, [SNC_ONNX_FORM_INT8] = has_integers(net)};
    if (o->exporting.form) SNC_TRY(read_forms(form, o->exporting.form));
    for (int i = 0; i < SNC_ONNX_FORMS; i++)
        SNC_CHECK(!form[i] || i == SNC_ONNX_FORM_F32 || has_integers(net), SNC_E_ARG,
                  "--form %s: no matrix of %s is INT8 or INT4; --policy int8 makes such", snc_onnx_form_name(i), from);
    SNC_TRY(snc_folder_out_mkdir(f, ONNX));
    for (int i = 0; i < SNC_ONNX_FORMS; i++) {
        if (!form[i]) continue;
        SNC_TRY(snc_folder_out_path(path, f, file_of[i]));
        SNC_TRY(snc_onnx_net_save(path, net, (snc_onnx_form)i, SNC_ONNX_MOST));
        SNC_TRY(snc_go_on(ctx));
    }
    return SNC_OK;
}

static snc_err write_modules(const snc_folder_out *f, const snc_sncfile *net)
{
    char path[SNC_FOLDER_PATH];
    SNC_TRY(snc_folder_out_mkdir(f, SNC_HF_POOLING));
    SNC_TRY(snc_folder_out_mkdir(f, SNC_HF_DENSE));
    SNC_TRY(write_json(f, "modules.json", snc_hf_modules_json()));
    SNC_TRY(write_json(f, SNC_HF_POOLING "/config.json", snc_hf_pooling_json(net)));
    SNC_TRY(write_json(f, SNC_HF_DENSE "/config.json", snc_hf_dense_json(net)));
    SNC_TRY(snc_folder_out_path(path, f, SNC_HF_DENSE "/model.safetensors"));
    return snc_hf_dense_save(path, net);
}

static snc_err write_weights(const snc_folder_out *f, const snc_sncfile *net)
{
    char path[SNC_FOLDER_PATH];
    SNC_TRY(snc_folder_out_path(path, f, "model.safetensors"));
    SNC_TRY(snc_hf_weights_save(path, net));
    return snc_sncfile_config(net)->vector ? write_modules(f, net) : SNC_OK;
}

static snc_err write_all(const snc_ctx *ctx, const snc_options *o, const snc_sncfile *file, const snc_sncfile *net, const char *from)
{
    snc_folder_out f = {.draft = ""};
    snc_tok_assets a = {.kind = NULL};
    snc_err err = SNC_OK;
    SNC_GOTO(snc_sncfile_tokenizer_dup(&a, file));
    if (!is_onnx(o)) SNC_GOTO(snc_hf_check(net, snc_tok_pad(&a), from));
    SNC_GOTO(snc_folder_out_open(&f, o->output.path, folders, files));
    SNC_GOTO(write_config(&f, file, net, &a));
    if (a.kind) SNC_GOTO(write_tokenizer(&f, net, &a));
    else snc_log(ctx, SNC_LOG_WARN, "%s: no tokenizer inside: the folder has none", from);
    SNC_GOTO(is_onnx(o) ? write_onnx(ctx, o, &f, net, from) : write_weights(&f, net));
    SNC_GOTO(snc_folder_out_commit(&f));
out:
    snc_folder_out_dispose(&f);
    snc_tok_assets_dispose(&a);
    return err;
}

static snc_err export_net(const snc_ctx *ctx, const snc_options *o, const snc_sncfile *f, const char *from)
{
    const int n = snc_sncfile_nets(f), k = o->input.net;
    SNC_CHECK(k >= 0 || n == 1, SNC_E_ARG, "%s has %d nets, and a folder is one: --net says which, 0 the largest", from, n);
    const int net = k < 0 ? 0 : k;
    SNC_TRY(snc_bundle_need_net(net, n, from));
    SNC_TRY(snc_need_plain(snc_sncfile_config(f), from));
    return write_all(ctx, o, f, snc_sncfile_net_view(f, net), from);
}

snc_err snc_folder_export(const snc_ctx *ctx, const snc_options *o, const char *file, const char *from)
{
    snc_sncfile *f = NULL;
    SNC_TRY(snc_sncfile_open(&f, file));
    snc_err err = snc_need_head(ctx, o, from, snc_sncfile_has_head(f));
    if (!err) err = export_net(ctx, o, f, from);
    snc_sncfile_close(f);
    return err;
}
