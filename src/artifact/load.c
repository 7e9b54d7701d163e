/* A .snc is opened in its own dtypes, all else goes through a model in F32; both answer in batches of like length. */
#include "artifact/load.h"

#include <string.h>

#include "artifact/batches.h"
#include "artifact/class_names.h"
#include "artifact/parse.h"
#include "base/fmap.h"
#include "base/isa.h"
#include "base/mem.h"
#include "models/bundle.h"
#include "models/cutoff.h"
#include "models/mixture.h"

bool snc_path_is_snc(const char *path)
{
    static const char mark[] = "\"snc_format\"";
    snc_fmap *m = NULL;
    bool found = false;
    if (!snc_is_file(path) || snc_fmap_open(&m, path) != SNC_OK) return false;
    size_t head = m->size < 1 << 20 ? m->size : 1 << 20; /* our writer puts __metadata__ first */
    for (size_t i = 0; i + sizeof mark <= head && !found; i++) found = m->data[i] == '"' && memcmp(m->data + i, mark, sizeof mark - 1) == 0;
    snc_fmap_close(m);
    return found;
}

/* The folder of a path, "." for a bare name. */
static snc_err folder_of(char *buf, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    SNC_CHECK(n < size, SNC_E_ARG, "path too long: %.80s...", path);
    memcpy(buf, path, n);
    buf[n] = 0;
    if (n == 0) memcpy(buf, slash ? "/" : ".", 2);
    return SNC_OK;
}

/* Where there is no vocabulary, what the path is (an adapter, say) tells more than what it lacks. */
static snc_err folder_tokenizer(snc_tok_assets *out, const char *path)
{
    char folder[4096];
    if (!snc_is_dir(path) && !snc_is_file(path)) SNC_TRY(snc_model_locate(path));
    if (!snc_is_dir(path)) SNC_TRY(folder_of(folder, sizeof folder, path));
    const char *dir = snc_is_dir(path) ? path : folder;
    snc_err err = snc_tok_assets_load(out, dir);
    if (err != SNC_E_NOTFOUND) return err;
    SNC_TRY(snc_model_locate(path));
    return snc_tok_assets_load(out, dir);
}

snc_err snc_load_tokenizer(snc_tok_assets *out, const char *path)
{
    if (!snc_path_is_snc(path)) return folder_tokenizer(out, path);
    snc_sncfile *f = NULL;
    SNC_TRY(snc_sncfile_open(&f, path));
    snc_err err = snc_sncfile_tokenizer_dup(out, f);
    snc_sncfile_close(f);
    if (!err && !out->kind) err = snc_err_set(SNC_E_NOTFOUND, "%s: has no tokenizer inside", path);
    return err;
}

/* A .snc says it itself; whether it says the truth is checked when it is opened. */
static snc_err hash_file(uint64_t *out, const char *path)
{
    char digest[SNC_DIGEST_TEXT] = "";
    if (snc_path_is_snc(path)) SNC_TRY(snc_sncfile_digest_read(digest, path));
    if (!*digest) return snc_file_hash(out, path);
    *out = snc_bytes_hash(0, digest, strlen(digest));
    return SNC_OK;
}

snc_err snc_path_hash(uint64_t *out, const char *path)
{
    static const char *const parts[] = {"config.json",
                                        "model.safetensors",
                                        "model.safetensors.index.json",
                                        "pytorch_model.bin",
                                        "pytorch_model.bin.index.json",
                                        "vocab.txt",
                                        "tokenizer.json",
                                        "tokenizer_config.json",
                                        "special_tokens_map.json",
                                        "added_tokens.json",
                                        "vocab.json",
                                        "merges.txt",
                                        "sentencepiece.bpe.model",
                                        "spiece.model",
                                        "spm.model",
                                        "tokenizer.model",
                                        "modules.json",
                                        "1_Pooling/config.json",
                                        "2_Dense/config.json",
                                        "2_Dense/model.safetensors"};
    char file[4096];
    uint64_t one, h = 0;
    if (!snc_is_dir(path)) return hash_file(out, path);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        SNC_TRY(snc_path_join(file, sizeof file, path, parts[i]));
        if (!snc_is_file(file)) continue;
        SNC_TRY(snc_file_hash(&one, file));
        h = snc_bytes_hash(h, &one, sizeof one);
    }
    *out = h;
    return SNC_OK;
}

/* A file that was tuned for more than there is still answers alike. */
static void warn_isa(const snc_loaded *l, const snc_ctx *ctx, const char *path)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(l->meta, "isa"));
    snc_isa isa;
    if (!name || snc_isa_parse(&isa, name) != SNC_OK || snc_isa_covers(snc_isa_now(), isa)) return;
    snc_log(ctx, SNC_LOG_WARN, "%s: tuned for %s, but %s is what there is: labels hold, latency does not", path, name,
            snc_isa_name(snc_isa_now()));
}

static snc_err open_snc(snc_loaded *l, snc_tok_assets *assets, const snc_ctx *ctx, const char *path)
{
    SNC_TRY(snc_weights_open(&l->net[0], ctx, path));
    l->weights = l->net[0];
    l->file = snc_weights_file_view(l->weights);
    SNC_TRY(snc_sncfile_tokenizer_dup(assets, l->file));
    l->labels = snc_sncfile_labels_view(l->file);
    l->has_head = snc_sncfile_has_head(l->file);
    l->meta = cJSON_Duplicate(snc_sncfile_meta_view(l->file), 1);
    warn_isa(l, ctx, path);
    return SNC_OK;
}

/* What its meta says of the net. */
static snc_err read_meta(snc_loaded *l)
{
    const int longest = snc_family_length(snc_weights_config(l->weights));
    SNC_TRY(snc_threshold_of(&l->threshold, l->meta, l->path));
    SNC_TRY(snc_long_of(&l->long_texts, l->meta, l->path));
    SNC_TRY(snc_json_int(&l->max_length, l->meta, "max_length", longest, 3, 65536, l->path));
    if (l->max_length > longest) l->max_length = longest;
    return SNC_OK;
}

int snc_loaded_nets(const snc_loaded *l) { return l->file ? snc_sncfile_nets(l->file) : 1; }

static snc_err make_ready(snc_loaded *l, int k) { return l->net[k] ? SNC_OK : snc_weights_open_net(&l->net[k], l->net[0], k); }

snc_err snc_loaded_use_net(snc_loaded *l, int k)
{
    SNC_TRY(snc_bundle_need_net(k, snc_loaded_nets(l), l->path));
    if (k == 0) return SNC_OK;
    SNC_TRY(make_ready(l, k));
    l->weights = l->net[k];
    l->file = snc_weights_file_view(l->weights);
    cJSON_Delete(l->meta);
    l->meta = cJSON_Duplicate(snc_sncfile_meta_view(l->file), 1);
    return read_meta(l);
}

snc_err snc_loaded_open_nets(snc_loaded *l)
{
    for (int k = 1; k < snc_loaded_nets(l); k++) SNC_TRY(make_ready(l, k));
    return SNC_OK;
}

snc_err snc_loaded_use(snc_loaded *l, int net)
{
    if (net >= 0) return snc_loaded_use_net(l, net);
    if (!l->file || !snc_sncfile_cascade(l->file)) return SNC_OK;
    l->cascade = snc_sncfile_cascade(l->file);
    return snc_loaded_open_nets(l);
}

snc_err snc_loaded_pace(snc_loaded *l, const snc_ctx *ctx, double us)
{
    char why[256];
    const snc_speeds *s = l->file ? snc_sncfile_speeds(l->file) : NULL;
    SNC_CHECK(l->problem != SNC_MEANS_TAGS, SNC_E_UNSUPPORTED, "--budget: %s tags words, and a budget is of whole texts", l->path);
    SNC_CHECK(s, SNC_E_ARG, "--budget: %s: " SNC_SPEEDS_MISSING, l->path);
    if (snc_speeds_differ(why, sizeof why, s, ctx)) snc_log(ctx, SNC_LOG_WARN, "%s: %s: a budget may not be kept", l->path, why);
    l->speeds = s;
    l->budget = us;
    return snc_loaded_open_nets(l);
}

snc_err snc_loaded_obey(snc_loaded *l, const snc_ctx *ctx, const snc_options *o, int threads, const char *verb)
{
    double us;
    snc_ctx by = *ctx;
    if (!o->predict.budget) return snc_loaded_use(l, o->input.net);
    by.threads = threads;
    SNC_TRY(snc_parse_us(&us, "--budget", o->predict.budget));
    SNC_CHECK(o->input.net < 0, SNC_E_ARG, "%s --budget: without --net: the budget says which one answers", verb);
    return snc_loaded_pace(l, &by, us);
}

static snc_err open_other(snc_loaded *l, snc_tok_assets *assets, const snc_ctx *ctx, const char *path, int classes, snc_meaning problem)
{
    SNC_TRY(snc_model_load(&l->model, ctx, path, classes, problem));
    SNC_TRY(snc_weights_from_model(&l->net[0], ctx, l->model));
    l->weights = l->net[0];
    SNC_TRY(snc_tok_assets_dup(assets, &l->model->tokenizer));
    l->labels = (const char *const *)l->model->labels;
    l->has_head = l->model->has_head;
    l->meta = cJSON_Duplicate(l->model->meta, 1);
    return SNC_OK;
}

static snc_err open_any(snc_loaded *out, const snc_ctx *ctx, const char *path, int classes_hint, snc_meaning meaning_hint)
{
    snc_err err = SNC_OK;
    snc_tok_assets assets = {0};
    *out = (snc_loaded){0};
    SNC_GOTO(snc_strdup(&out->path, path));
    if (snc_path_is_snc(path)) SNC_GOTO(open_snc(out, &assets, ctx, path));
    else SNC_GOTO(open_other(out, &assets, ctx, path, classes_hint, meaning_hint));
    if (assets.kind) SNC_GOTO(snc_tok_new(&out->tok, &assets));
    const snc_encoder_config *c = snc_weights_config(out->weights);
    out->classes = c->classes;
    out->regression = c->regression;
    out->problem = snc_meaning_of(c);
    SNC_GOTO(read_meta(out));
out:
    snc_tok_assets_dispose(&assets);
    if (err) snc_loaded_close(out);
    return err;
}

snc_err snc_loaded_look(snc_loaded *out, const snc_ctx *ctx, const char *path) { return open_any(out, ctx, path, 0, SNC_MEANS_CLASSES); }

snc_err snc_need_plain(const snc_encoder_config *c, const char *path)
{
    SNC_CHECK(!snc_mixture_any(c), SNC_E_UNSUPPORTED, "%s: " SNC_MIXTURE_REFUSED, path);
    return SNC_OK;
}

snc_err snc_loaded_open(snc_loaded *out, const snc_ctx *ctx, const char *path, int classes_hint, snc_meaning meaning_hint)
{
    SNC_TRY(open_any(out, ctx, path, classes_hint, meaning_hint));
    snc_err err = snc_need_plain(snc_weights_config(out->weights), path);
    if (err) snc_loaded_close(out);
    return err;
}

snc_err snc_loaded_call(snc_loaded *l, const char *path)
{
    snc_free(l->path);
    l->path = NULL;
    return snc_strdup(&l->path, path);
}

void snc_loaded_close(snc_loaded *l)
{
    snc_free(l->path);
    for (int k = SNC_NETS_MOST - 1; k >= 0; k--) snc_weights_free(l->net[k]); /* they borrow of the first */
    snc_model_free(l->model);
    snc_tok_free(l->tok);
    cJSON_Delete(l->meta);
    *l = (snc_loaded){0};
}

snc_err snc_loaded_fit(snc_task *t, const snc_loaded *l)
{
    snc_task_set_width(t, l->classes);
    return l->max_length < snc_task_max_length(t) ? snc_task_set_max_length(t, l->max_length) : SNC_OK;
}

void snc_loaded_say_cut(const snc_loaded *l, const snc_ctx *ctx, const snc_task *t, const snc_dataset *d)
{
    if (d->truncated)
        snc_log(ctx, SNC_LOG_WARN, "%s: %d of %d rows were cut to %d tokens", l->path, d->truncated, d->n, snc_task_max_length(t));
}

snc_err snc_need_head(const snc_ctx *ctx, const snc_options *o, const char *path, bool has_head)
{
    if (has_head) return SNC_OK;
    SNC_CHECK(
        o->exporting.seeded_head, SNC_E_NOTFOUND,
        "%s: has no trained classifier and would answer at random: finetune gives it one, --seeded-head takes a random one for timing",
        path);
    if (snc_path_is_snc(path)) /* other readers have said it */
        snc_log(ctx, SNC_LOG_WARN, "%s: no classifier was trained: a seeded one answers, at random", path);
    return SNC_OK;
}

snc_err snc_loaded_check(const snc_loaded *l, const snc_ctx *ctx, const snc_options *o, const snc_task *t)
{
    SNC_CHECK(l->tok, SNC_E_NOTFOUND, "%s: has no tokenizer inside", l->path);
    SNC_TRY(snc_need_head(ctx, o, l->path, l->has_head));
    if (!t) return SNC_OK;
    const bool vectors = l->problem == SNC_MEANS_VECTOR, tags = l->problem == SNC_MEANS_TAGS;
    SNC_CHECK(tags == snc_task_tags(t), SNC_E_SHAPE, "%s: tags %s, but task %s asks for answers of %s", l->path,
              tags ? "words" : "no words", snc_task_name(t), tags ? "whole texts" : "words");
    SNC_CHECK(vectors == snc_task_vectors(t), SNC_E_SHAPE, "%s: gives %s, but task %s asks for %s", l->path,
              vectors ? "vectors" : "no vectors", snc_task_name(t), vectors ? "classes or numbers" : "them");
    if (vectors) return SNC_OK;
    SNC_CHECK(l->regression == snc_task_regression(t), SNC_E_SHAPE, "%s: %s, but task %s %s", l->path,
              l->regression ? "gives a number" : "tells classes apart", snc_task_name(t),
              l->regression ? "has classes" : "asks for a number");
    SNC_CHECK(l->problem == snc_task_meaning(t) || !l->regression, SNC_E_SHAPE, "%s: gives %s, but task %s has \"type\": \"%s\"", l->path,
              l->problem == SNC_MEANS_SCORE ? "a score between 0 and 1" : "a value of any size", snc_task_name(t),
              l->problem == SNC_MEANS_SCORE ? "regression" : "score");
    SNC_CHECK(l->problem == snc_task_meaning(t), SNC_E_SHAPE, "%s: gives %s, but task %s has %s", l->path,
              l->problem == SNC_MEANS_MULTILABEL ? "any number of labels" : "one class", snc_task_name(t),
              l->problem == SNC_MEANS_MULTILABEL ? "one a row" : "any number of labels a row");
    SNC_CHECK(l->classes == snc_task_classes(t), SNC_E_SHAPE, "%s: has %d classes, task %s has %d", l->path, l->classes, snc_task_name(t),
              snc_task_classes(t));
    return SNC_OK;
}

void snc_loaded_say_labels(const snc_loaded *l, const snc_ctx *ctx, const snc_task *t)
{
    if (l->has_head) snc_class_names_warn(ctx, l->path, l->labels, l->classes, t);
}

void snc_loaded_order_classes(float *logits, const snc_loaded *l, const snc_task *t, int n)
{
    int from[SNC_MAX_CLASSES];
    float row[SNC_MAX_CLASSES];
    if (l->regression || !l->labels || !snc_class_names_match(from, l->labels, l->classes, t)) return;
    for (int i = 0; i < n; i++) {
        float *z = logits + (size_t)i * (size_t)l->classes;
        memcpy(row, z, (size_t)l->classes * sizeof *z);
        for (int k = 0; k < l->classes; k++) z[k] = row[from[k]];
    }
}

void snc_loaded_cut(float *logits, const snc_loaded *l, int n)
{
    float cut = (float)snc_threshold_logit(l->threshold);
    for (int64_t i = 0; i < (int64_t)n * l->classes && l->problem == SNC_MEANS_MULTILABEL; i++) logits[i] -= cut;
}

snc_err snc_loaded_logits(float *logits, snc_net *net, int K, const snc_dataset *d, int batch, const snc_ctx *ctx, const char *what)
{
    snc_batches b;
    snc_err err = SNC_OK;
    SNC_TRY(snc_batches_open(&b, d, K, batch));
    for (int i = 0; i < b.n && !err; i++) {
        int end = i + 1 < b.n ? (i + 1) * batch : d->n;
        err = snc_batches_run(logits, &b, net, i);
        if (!err && what) snc_progress(ctx, what, end, d->n, "%s", "");
    }
    snc_batches_close(&b);
    return err;
}

snc_err snc_loaded_answer(float *logits, const snc_ctx *ctx, const snc_loaded *l, const snc_dataset *d, const char *what)
{
    enum { BATCH = 64 };
    snc_net *net = NULL;
    snc_net_opts o = {.max_tokens = BATCH * d->max_len, .max_seqs = BATCH, .max_len = d->max_len};
    SNC_TRY(snc_net_create(&net, ctx, l->weights, NULL, NULL, &o));
    snc_err err = snc_loaded_logits(logits, net, l->classes, d, BATCH, ctx, what);
    snc_net_free(net);
    return err == SNC_E_DIVERGED ? snc_err_prefix(err, l->path) : err;
}
