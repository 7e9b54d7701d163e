/* Makes what the command line tests work on.
 *
 *   make_nano FOLDER [FAMILY]  nano.snc (a nano BERT from a seed, or one of another family, without a head) and a generated two-class
 *                              task: sentences with more good words than bad ones are positive
 *   make_nano --hf M FOLDER    a fine-tuned .snc of the task as a Hugging Face folder, its two classes the other way round
 *   make_nano --weights FOLDER [K [NAME]]
 *                              random weights of the shape that FOLDER/config.json says, with a classifier of K classes (2) under that name
 *                              ("classifier"), and a vocabulary of 30522 lines, the nano one's pieces first
 *   make_nano --reseal FILE    puts the right digest into a .snc that a test changed in place
 *   make_nano --set FILE KEY TEXT, --meta FILE KEY JSON
 *                              gives a key of a .snc's metadata another text, or a key of its meta another value, whatever a
 *                              reader may think of them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ctx.h"
#include "base/fmap.h"
#include "core/safetensors.h"
#include "nano.h"
#include "reseal.h"

static const char *const neutral[] = {"the", "film", "is", "it", "was", "movie", "of", "very", "a", "i", "2", "9"};

static snc_err rows(const char *path, int n, uint64_t seed)
{
    snc_rng r;
    snc_fout *f = NULL;
    snc_rng_init(&r, seed, 11);
    SNC_TRY(snc_fout_open(&f, path));
    snc_err err = snc_fout_write(f, "sentence\tlabel\n", 15);
    for (int i = 0; i < n && !err; i++) {
        char line[512] = "";
        size_t at = 0;
        int words = 4 + (int)snc_rng_below(&r, 8), good = 0;
        for (int w = 0; w < words; w++) {
            int kind = (int)snc_rng_below(&r, 4);
            const char *word = kind == 0 ? "good" : kind == 1 ? "bad" : neutral[snc_rng_below(&r, 12)];
            good += kind == 0 ? 1 : kind == 1 ? -1 : 0;
            at += (size_t)snprintf(line + at, sizeof line - at, "%s%s", w ? " " : "", word);
        }
        if (good == 0) at += (size_t)snprintf(line + at, sizeof line - at, " good");
        at += (size_t)snprintf(line + at, sizeof line - at, "\t%s\n", good >= 0 ? "positive" : "negative");
        err = snc_fout_write(f, line, at);
    }
    if (err) {
        snc_fout_abort(f);
        return err;
    }
    return snc_fout_commit(f);
}

static snc_err make(const char *folder, const snc_family *family)
{
    static const char task[] =
        "{\"name\":\"nano\",\"files\":{\"train\":\"train.tsv\",\"dev\":\"dev.tsv\"},\"text_a\":\"sentence\",\"label\":\"label\","
        "\"labels\":[\"negative\",\"positive\"],\"metrics\":[\"accuracy\"],\"max_length\":32}\n";
    char path[4096];
    const snc_encoder_config cfg = nano_family_config(family);
    snc_model *m = NULL;
    snc_err err = SNC_OK;
    SNC_GOTO(snc_mkdir(folder));
    SNC_GOTO(nano_model_of(&m, &cfg, 5));
    SNC_GOTO(nano_assets(&m->tokenizer));
    m->has_head = false;
    SNC_GOTO(snc_path_join(path, sizeof path, folder, "nano.snc"));
    SNC_GOTO(snc_model_save(m, path));
    SNC_GOTO(snc_path_join(path, sizeof path, folder, "train.tsv"));
    SNC_GOTO(rows(path, 1200, 1));
    SNC_GOTO(snc_path_join(path, sizeof path, folder, "dev.tsv"));
    SNC_GOTO(rows(path, 200, 2));
    SNC_GOTO(snc_path_join(path, sizeof path, folder, "task.json"));
    SNC_GOTO(snc_file_write(path, task, sizeof task - 1));
out:
    snc_model_free(m);
    return err;
}

static snc_err reseal_file(const char *path)
{
    char *data = NULL;
    size_t n = 0;
    SNC_TRY(snc_file_read(&data, &n, path));
    snc_err err = reseal((unsigned char *)data, n) ? snc_file_write(path, data, n) : snc_err_set(SNC_E_FORMAT, "%s: has no digest", path);
    snc_free(data);
    return err;
}

/* ---- a Hugging Face folder ------------------------------------------------------------------------------------------- */

static void swap_rows(float *w, int cols)
{
    for (int i = 0; i < cols; i++) {
        float x = w[i];
        w[i] = w[cols + i];
        w[cols + i] = x;
    }
}

static snc_err write_weights(const snc_model *m, const char *folder, const char *classifier)
{
    enum { MOST = 128 };
    static char name[MOST][160];
    snc_tensor t[MOST];
    char path[4096];
    int n = m->params.n;
    if (n > MOST) return SNC_E_SHAPE;
    for (int i = 0; i < n; i++) {
        const snc_param *p = &m->params.p[i];
        bool matrix = p->flags & SNC_PARAM_DECAY;
        snc_family_name(name[i], sizeof name[i], snc_family_of(&m->cfg), p->row, p->layer);
        if (classifier && i >= n - 2) snprintf(name[i], sizeof name[i], "%s.%s", classifier, i == n - 2 ? "weight" : "bias");
        t[i] = (snc_tensor){.name = name[i],
                            .dtype = SNC_F32,
                            .rank = matrix ? 2 : 1,
                            .shape = {matrix ? p->rows : p->cols, matrix ? p->cols : 0},
                            .data = snc_params_w(&m->params, i),
                            .bytes = (size_t)p->rows * (size_t)p->cols * sizeof(float)};
    }
    SNC_TRY(snc_path_join(path, sizeof path, folder, "model.safetensors"));
    return snc_st_save(path, NULL, t, n);
}

/* The keys that the family reads. */
static snc_err write_config(const snc_model *m, const char *folder)
{
    char path[4096];
    const snc_encoder_config *c = &m->cfg;
    const snc_family *f = snc_family_of(c);
    const snc_family_keys *k = &f->keys;
    const struct {
        const char *key;
        int value;
    } sizes[] = {{k->vocab, c->vocab},   {k->positions, c->positions}, {k->types, c->types}, {k->embedding, c->embedding},
                 {k->hidden, c->hidden}, {k->layers, c->layers},       {k->heads, c->heads}, {k->ffn, c->ffn}};
    cJSON *j = cJSON_CreateObject(), *labels;
    cJSON_AddStringToObject(j, "model_type", f->type);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].key) cJSON_AddNumberToObject(j, sizes[i].key, sizes[i].value);
    for (int i = 0; i < SNC_FAMILY_FIXED && f->fixed[i].key; i++) cJSON_AddNumberToObject(j, f->fixed[i].key, f->fixed[i].value);
    cJSON_AddStringToObject(j, k->act, "gelu");
    if (k->norm_eps) cJSON_AddNumberToObject(j, k->norm_eps, 1e-12);
    labels = cJSON_AddObjectToObject(j, "id2label");
    cJSON_AddStringToObject(labels, "0", "POSITIVE");
    cJSON_AddStringToObject(labels, "1", "NEGATIVE");
    char *text = cJSON_PrintUnformatted(j); /* in one line, which scripts change by sed */
    snc_err err = snc_path_join(path, sizeof path, folder, "config.json");
    if (!err) err = snc_file_write(path, text, strlen(text));
    cJSON_free(text);
    cJSON_Delete(j);
    return err;
}

static snc_err write_hf(const snc_model *m, const char *folder)
{
    char path[4096];
    SNC_TRY(snc_mkdir(folder));
    SNC_TRY(write_weights(m, folder, NULL));
    SNC_TRY(write_config(m, folder));
    SNC_TRY(snc_path_join(path, sizeof path, folder, "vocab.txt"));
    const snc_tok_blob *vocab = snc_tok_blob_view(&m->tokenizer, "vocab");
    return snc_file_write(path, vocab->data, vocab->bytes);
}

static snc_err to_hf(const char *from, const char *folder)
{
    snc_ctx ctx = SNC_CTX_INIT;
    snc_model *m = NULL;
    SNC_TRY(snc_model_load(&m, &ctx, from, 0, SNC_MEANS_CLASSES));
    swap_rows(snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_CLASSIFIER, 0)), m->cfg.hidden);
    swap_rows(snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_CLASSIFIER_BIAS, 0)), 1);
    snc_err err = write_hf(m, folder);
    snc_model_free(m);
    return err;
}

/* ---- weights for a config.json ----------------------------------------------------------------------------------------- */

static snc_err read_shape(snc_encoder_config *c, const char *folder)
{
    char path[4096];
    cJSON *j = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_path_join(path, sizeof path, folder, "config.json"));
    SNC_TRY(snc_json_load(&j, path));
    SNC_GOTO(snc_json_int(&c->vocab, j, "vocab_size", 30522, 1, 1 << 20, path));
    SNC_GOTO(snc_json_int(&c->hidden, j, "hidden_size", 768, 1, 4096, path));
    SNC_GOTO(snc_json_int(&c->layers, j, "num_hidden_layers", 12, 1, 12, path));
    SNC_GOTO(snc_json_int(&c->heads, j, "num_attention_heads", 12, 1, 64, path));
    SNC_GOTO(snc_json_int(&c->ffn, j, "intermediate_size", 3072, 1, 16384, path));
    SNC_GOTO(snc_json_int(&c->positions, j, "max_position_embeddings", 512, 1, 4096, path));
    c->head_width = c->hidden / c->heads;
out:
    cJSON_Delete(j);
    return err;
}

static snc_err write_vocab(const char *folder)
{
    enum { LINES = 30522, LONGEST = 24 };
    char path[4096], *text = NULL;
    snc_tok_assets a = {0};
    snc_err err = SNC_OK;
    size_t n = 0;
    int lines = 0;
    SNC_TRY(snc_path_join(path, sizeof path, folder, "vocab.txt"));
    SNC_GOTO(nano_assets(&a));
    SNC_GOTO(snc_alloc(&text, LINES * LONGEST, 1));
    const snc_tok_blob *vocab = snc_tok_blob_view(&a, "vocab");
    memcpy(text, vocab->data, vocab->bytes);
    for (; n < vocab->bytes; n++) lines += text[n] == '\n';
    for (; lines < LINES; lines++) n += (size_t)snprintf(text + n, LONGEST, "[unused%d]\n", lines);
    SNC_GOTO(snc_file_write(path, text, n));
out:
    snc_tok_assets_dispose(&a);
    snc_free(text);
    return err;
}

static snc_err weights_for(const char *folder, int classes, const char *classifier)
{
    snc_model *m = NULL;
    snc_encoder_config c = nano_config();
    c.classes = classes;
    SNC_TRY(read_shape(&c, folder));
    SNC_TRY(nano_model_of(&m, &c, 7));
    snc_err err = write_weights(m, folder, classifier);
    snc_model_free(m);
    return err ? err : write_vocab(folder);
}

static const char *const keys[] = {"digest", "snc_format", "snc_version", "config", "arch",    "policy",
                                   "labels", "meta",       "has_head",    "nets",   "cascade", "speeds"};

/* All tensors, and the metadata with one text changed. */
static snc_err set_text(const char *path, const char *key, const char *text)
{
    snc_st *st = NULL;
    SNC_TRY(snc_st_open(&st, path));
    cJSON *m = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = strcmp(keys[i], key) == 0 ? text : snc_st_metadata_view(st, keys[i]);
        if (value) cJSON_AddStringToObject(m, keys[i], value);
    }
    snc_err err = snc_st_save(path, m, snc_st_tensors_view(st), snc_st_count(st));
    cJSON_Delete(m);
    snc_st_close(st);
    return err;
}

static snc_err set_meta(const char *path, const char *key, const char *text)
{
    snc_st *st = NULL;
    SNC_TRY(snc_st_open(&st, path));
    cJSON *meta = cJSON_Parse(snc_st_metadata_view(st, "meta"));
    snc_st_close(st);
    cJSON_DeleteItemFromObjectCaseSensitive(meta, key);
    cJSON_AddItemToObject(meta, key, cJSON_CreateRaw(text));
    char *all = cJSON_PrintUnformatted(meta);
    cJSON_Delete(meta);
    snc_err err = all ? set_text(path, "meta", all) : snc_err_set(SNC_E_NOMEM, "out of memory");
    cJSON_free(all);
    return err;
}

int main(int argc, char **argv)
{
    snc_err err = SNC_OK;
    const snc_family *family = argc == 3 ? snc_family_find(argv[2]) : &snc_family_bert;
    if (argc == 2 || (argc == 3 && family)) err = make(argv[1], family);
    else if (argc == 4 && strcmp(argv[1], "--hf") == 0) err = to_hf(argv[2], argv[3]);
    else if (argc >= 3 && argc <= 5 && strcmp(argv[1], "--weights") == 0)
        err = weights_for(argv[2], argc > 3 ? (int)strtol(argv[3], NULL, 10) : 2, argc > 4 ? argv[4] : "classifier");
    else if (argc == 3 && strcmp(argv[1], "--reseal") == 0) err = reseal_file(argv[2]);
    else if (argc == 5 && strcmp(argv[1], "--set") == 0) err = set_text(argv[2], argv[3], argv[4]);
    else if (argc == 5 && strcmp(argv[1], "--meta") == 0) err = set_meta(argv[2], argv[3], argv[4]);
    else
        err = snc_err_set(SNC_E_ARG, "usage: FOLDER [FAMILY] | --hf MODEL FOLDER | --weights FOLDER [K [NAME]] | --reseal FILE | --set "
                                     "FILE KEY TEXT | --meta FILE KEY JSON");
    if (!err) return 0;
    fprintf(stderr, "make_nano: %s\n", snc_err_text());
    return 2;
}
