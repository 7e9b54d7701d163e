/* Checkpoints load to the same model in every form, and one that is no model, broken, or short of a tensor is refused by name. */

#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "models_support.h"
#include "wordpieces.h"

/* ---- what must load -------------------------------------------------------------------------------------------------- */

/* Names, shapes and numbers as PyTorch had them. */
static void every_tensor_lands_under_its_name(void **state)
{
    (void)state;
    snc_model *m = load(GOLDEN "hf");
    cJSON *j = NULL;
    assert_ok(snc_json_load(&j, GOLDEN "expected.json"));
    const cJSON *params = cJSON_GetObjectItem(j, "params"), *e;
    assert_int_equal(cJSON_GetArraySize(params), m->params.n);
    cJSON_ArrayForEach(e, params)
    {
        int i = snc_params_find(&m->params, e->string);
        if (i < 0) fail_msg("no parameter %s", e->string);
        const snc_param *p = &m->params.p[i];
        const cJSON *shape = cJSON_GetObjectItem(e, "shape");
        bool vector = cJSON_GetArraySize(shape) == 1;
        assert_int_equal(p->rows, vector ? 1 : (int)shape->child->valuedouble);
        assert_int_equal(p->cols, (int)cJSON_GetArrayItem(shape, vector ? 0 : 1)->valuedouble);
        const float *w = snc_params_w(&m->params, i);
        size_t n = (size_t)p->rows * (size_t)p->cols;
        double sum = 0;
        for (size_t k = 0; k < n; k++) sum += (double)w[k];
        assert_true((double)w[0] == cJSON_GetObjectItem(e, "first")->valuedouble);
        assert_true((double)w[1] == cJSON_GetObjectItem(e, "second")->valuedouble);
        assert_true((double)w[n - 1] == cJSON_GetObjectItem(e, "last")->valuedouble);
        assert_true(sum == cJSON_GetObjectItem(e, "sum")->valuedouble); /* multiples of 1/256: exact in any order */
    }
    cJSON_Delete(j);
    assert_int_equal(m->cfg.act, SNC_ACT_GELU_TANH);
    assert_true(m->cfg.norm_eps == 1e-7f);
    assert_int_equal(m->cfg.head_width, 8);
    assert_int_equal(m->cfg.classes, 3);
    assert_false(m->cfg.regression);
    assert_true(m->has_head);
    assert_string_equal(m->labels[0], "negative");
    assert_string_equal(m->labels[2], "positive");
    assert_non_null(m->tokenizer.kind);
    assert_int_equal(logs, 0);
    snc_model_free(m);
}

static void all_forms_of_a_checkpoint_are_one_model(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "hf/model.safetensors", "f16",    "bf16", "sharded", "sharded/model.safetensors.index.json", "torch", "torch/pytorch_model.bin",
        "wrapped/bert.bin",     "legacy", "hf/"};
    snc_model *m = load(GOLDEN "hf");
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char path[512];
        snprintf(path, sizeof path, GOLDEN "%s", forms[i]);
        snc_model *x = load(path);
        assert_same_params(m, x, true);
        assert_true(x->has_head);
        assert_string_equal(x->labels[1], "neutral");
        snc_model_free(x);
    }
    snc_model_free(m);
}

static void an_old_checkpoint_gets_a_seeded_pooler_and_head(void **state)
{
    (void)state;
    snc_model *m = load(GOLDEN "hf"), *x = load(GOLDEN "old"), *y = NULL;
    assert_same_params(m, x, false); /* gamma and beta, no prefix */
    assert_false(x->has_head);
    assert_int_equal(x->cfg.classes, 3);
    assert_int_equal(logs, 3); /* pooler, classifier, tokenizer: each said once; position_ids and cls.* are not worth a word */
    const float *w = snc_params_w(&x->params, snc_model_at(x, SNC_ROLE_POOLER, 0));
    double sum = 0, square = 0;
    for (int i = 0; i < 256; i++) {
        sum += (double)w[i];
        square += (double)w[i] * (double)w[i];
    }
    assert_true(fabs(sum / 256) < 0.005 && fabs(sqrt(square / 256) - 0.02) < 0.005);
    assert_ok(snc_model_load(&y, &ctx, GOLDEN "old", 5, SNC_MEANS_CLASSES));
    assert_int_equal(y->cfg.classes, 5);
    assert_null(y->labels);
    assert_memory_equal(w, snc_params_w(&y->params, snc_model_at(y, SNC_ROLE_POOLER, 0)), 256 * sizeof *w);
    snc_model_free(y);
    assert_ok(snc_model_load(&y, &ctx, GOLDEN "old", 1, true));
    assert_true(y->cfg.regression);
    snc_model_free(y);
    snc_model_free(x);
    snc_model_free(m);
}

static void a_trained_head_wins_over_the_hint(void **state)
{
    (void)state;
    snc_model *m = NULL;
    assert_ok(snc_model_load(&m, &ctx, GOLDEN "hf", 2, SNC_MEANS_CLASSES));
    assert_int_equal(m->cfg.classes, 3);
    assert_true(m->has_head);
    snc_model_free(m);
}

/* ---- tensors that are not right -------------------------------------------------------------------------------------- */

/* Loads the golden tensors after one was dropped (rename NULL), renamed or given another dtype. */
static snc_err load_edited(scratch *s, const char *victim, const char *rename, const char *dtype)
{
    snc_st *f = NULL;
    snc_tensor list[64];
    float zeros[1024] = {0};
    int n = 0;
    assert_ok(snc_st_open(&f, GOLDEN "hf/model.safetensors"));
    for (int i = 0; i < snc_st_count(f); i++) {
        list[n] = snc_st_tensors_view(f)[i];
        if (strcmp(list[n].name, victim) == 0) {
            if (!rename && !dtype) continue;
            if (rename) list[n].name = rename;
            if (dtype) {
                assert_ok(snc_dtype_from_safetensors(&list[n].dtype, dtype));
                assert_true(snc_shape_bytes(&list[n].bytes, list[n].shape, list[n].rank, (size_t)snc_dtype_get(list[n].dtype)->bits / 8));
                list[n].data = zeros;
            }
        }
        n++;
    }
    char path[512];
    with_config(s, "unused", NULL);
    snprintf(path, sizeof path, "%s/conf/model.safetensors", s->dir);
    snc_st *keep = f; /* the list borrows from it, and the file below is another one */
    assert_ok(snc_st_save(path, NULL, list, n));
    snc_st_close(keep);
    snc_model *m = NULL;
    logs = 0;
    snc_err err = snc_model_load(&m, &ctx, path, 0, SNC_MEANS_CLASSES);
    snc_model_free(m);
    return err;
}

static void a_tensor_that_is_absent_or_of_another_type_is_named(void **state)
{
    scratch *s = *state;
    assert_fails(load_edited(s, "bert.encoder.layer.1.output.dense.bias", NULL, NULL), SNC_E_FORMAT,
                 "conf/model.safetensors: tensor 'bert.encoder.layer.1.output.dense.bias' is missing");
    assert_fails(load_edited(s, "bert.embeddings.word_embeddings.weight", NULL, NULL), SNC_E_FORMAT,
                 "tensor 'embeddings.word_embeddings.weight' is missing");
    assert_fails(load_edited(s, "bert.pooler.dense.bias", NULL, NULL), SNC_E_FORMAT, "'bert.pooler.dense.bias' is missing");
    assert_fails(load_edited(s, "classifier.bias", NULL, NULL), SNC_E_FORMAT, "'classifier.bias' is missing");
    assert_fails(load_edited(s, "classifier.weight", NULL, NULL), SNC_E_FORMAT, "'classifier.weight' is missing");
    assert_fails(load_edited(s, "classifier.bias", NULL, "I64"), SNC_E_UNSUPPORTED,
                 "tensor 'classifier.bias' has dtype I64, expected F32, F16, BF16 or F64");
    assert_ok(load_edited(s, "nothing", NULL, NULL));
    assert_int_equal(logs, 1); /* no tokenizer */
}

/* The golden tensors widened to F64 are the same model; what does not fit into an f32 is no number of it. */
static void doubles_are_read(void **state)
{
    scratch *s = *state;
    snc_st *f = NULL;
    snc_tensor list[64];
    static double wide[64][2048];
    char path[512];
    assert_ok(snc_st_open(&f, GOLDEN "hf/model.safetensors"));
    int n = snc_st_count(f);
    for (int i = 0; i < n; i++) {
        list[i] = snc_st_tensors_view(f)[i];
        size_t count = list[i].bytes / sizeof(float);
        const unsigned char *p = list[i].data;
        assert_true(count <= 2048);
        for (size_t k = 0; k < count; k++) {
            float x;
            memcpy(&x, p + k * sizeof x, sizeof x);
            wide[i][k] = (double)x;
        }
        list[i].dtype = SNC_F64;
        list[i].data = wide[i];
        list[i].bytes = count * sizeof(double);
    }
    with_config(s, "unused", NULL);
    snprintf(path, sizeof path, "%s/conf/model.safetensors", s->dir);
    assert_ok(snc_st_save(path, NULL, list, n));
    snc_model *a = load(GOLDEN "hf"), *b = load(path);
    assert_same_params(a, b, true);
    snc_model_free(a);
    snc_model_free(b);
    wide[0][0] = 1e39;
    assert_ok(snc_st_save(path, NULL, list, n));
    snc_st_close(f);
    assert_fails(snc_model_load(&b, &ctx, path, 0, SNC_MEANS_CLASSES), SNC_E_FORMAT, "holds NaN or infinity");
}

static void numbers_that_are_not_finite_are_refused(void **state)
{
    scratch *s = *state;
    char *data = NULL;
    size_t n = 0;
    with_config(s, "unused", NULL);
    assert_ok(snc_file_read(&data, &n, GOLDEN "hf/model.safetensors"));
    memset(data + n - 4, 0xff, 4);
    char path[512];
    snprintf(path, sizeof path, "%s/conf/model.safetensors", s->dir);
    assert_ok(snc_file_write(path, data, n));
    snc_free(data);
    snc_model *m = NULL;
    assert_fails(snc_model_load(&m, &ctx, path, 0, SNC_MEANS_CLASSES), SNC_E_FORMAT, "holds NaN or infinity");
    assert_non_null(strstr(snc_err_text(), "conf/model.safetensors: tensor '"));
}

static void extra_tensors_are_counted_once(void **state)
{
    (void)state;
    snc_model *m = NULL;
    scratch *s = *state;
    snc_st *f = NULL;
    snc_tensor list[64];
    const int64_t ids[2] = {0, 1};
    const float x = 1;
    assert_ok(snc_st_open(&f, GOLDEN "hf/model.safetensors"));
    int n = snc_st_count(f);
    memcpy(list, snc_st_tensors_view(f), (size_t)n * sizeof *list);
    list[n++] = (snc_tensor){.name = "bert.embeddings.position_ids", .dtype = SNC_I64, .rank = 1, .shape = {2}, .data = ids, .bytes = 16};
    list[n++] = (snc_tensor){.name = "cls.predictions.bias", .dtype = SNC_F32, .rank = 1, .shape = {1}, .data = &x, .bytes = 4};
    list[n++] = (snc_tensor){.name = "my.extra", .dtype = SNC_F32, .rank = 1, .shape = {1}, .data = &x, .bytes = 4};
    list[n++] = (snc_tensor){.name = "my.other", .dtype = SNC_F32, .rank = 1, .shape = {1}, .data = &x, .bytes = 4};
    with_config(s, "unused", NULL);
    char path[512];
    snprintf(path, sizeof path, "%s/conf/model.safetensors", s->dir);
    assert_ok(snc_st_save(path, NULL, list, n));
    snc_st_close(f);
    char vocab[512];
    snprintf(vocab, sizeof vocab, "%s/conf/vocab.txt", s->dir);
    copy_file(vocab, GOLDEN "hf/vocab.txt");
    logs = 0;
    assert_ok(snc_model_load(&m, &ctx, path, 0, SNC_MEANS_CLASSES));
    assert_int_equal(logs, 1);
    assert_non_null(strstr(last_log, "2 tensors are not used, such as 'my.extra'"));
    snc_model_free(m);
    remove(vocab);
}

/* ---- files that are not right ---------------------------------------------------------------------------------------- */

static void file_fails(const char *path, snc_err code, const char *fragment)
{
    snc_model *m = NULL;
    assert_fails(snc_model_load(&m, &ctx, path, 0, SNC_MEANS_CLASSES), code, fragment);
    assert_null(m);
}

static void files_that_are_no_models_are_refused_by_content(void **state)
{
    scratch *s = *state;
    file_fails("scratch.absent", SNC_E_IO, "scratch.absent: No such file");
    file_fails(scratch_write(s, "empty", "", 0), SNC_E_FORMAT, "empty: the file is empty");
    file_fails(scratch_write(s, "text", "hello, model", 12), SNC_E_FORMAT, "text: not a model: expected safetensors");
    file_fails(scratch_write(s, "a.safetensors", "{\"a\":1}", 7), SNC_E_FORMAT, "no 'weight_map'");
    file_fails(GOLDEN "hf/config.json", SNC_E_FORMAT, "config.json: no 'weight_map'");
    file_fails(GOLDEN "refused/pickle.bin", SNC_E_UNSUPPORTED, "pickle.bin: a bare pickle that torch.save has not written");
    file_fails(GOLDEN "refused", SNC_E_NOTFOUND, "refused: no model.safetensors, model.safetensors.index.json or pytorch_model.bin");
    char path[512];
    snprintf(path, sizeof path, "%s/lone", s->dir);
    assert_ok(snc_mkdir(path));
    snprintf(path, sizeof path, "%s/lone/x.bin", s->dir);
    copy_file(path, GOLDEN "torch/pytorch_model.bin");
    char config[512];
    snprintf(config, sizeof config, "%s/lone/config.json", s->dir);
    remove(config); /* of a run before */
    file_fails(path, SNC_E_NOTFOUND, "lone/config.json: missing");
    assert_ok(snc_file_write(config, "{\"model_type\":", 14));
    file_fails(path, SNC_E_FORMAT, "config.json: not valid JSON");
    copy_file(path, GOLDEN "refused/module.bin");
    file_fails(path, SNC_E_UNSUPPORTED, "x.bin: refused: it asks for 'torch.nn.modules.linear.Linear'");
}

/* A folder of the scratch with these files in it, each of a few bytes. */
static const char *folder_of(scratch *s, const char *name, const char *const *files)
{
    char path[1024];
    for (; *files; files++) {
        snprintf(path, sizeof path, "%s/%s/%s", s->dir, name, *files);
        *strrchr(path, '/') = 0;
        assert_ok(snc_mkdir(path));
        path[strlen(path)] = '/';
        assert_ok(snc_file_write(path, "{}\n", 3));
    }
    return scratch_path(s, name);
}

#define FOLDER(name, ...) folder_of(s, name, (const char *const[]){__VA_ARGS__, NULL})

static void what_people_give_for_a_model_is_named(void **state)
{
    scratch *s = *state;
    file_fails("./none", SNC_E_IO, "./none: No such file");
    file_fails(FOLDER("lora", "adapter_config.json", "adapter_model.safetensors"), SNC_E_UNSUPPORTED, "lora: a PEFT (LoRA) adapter");
    file_fails(FOLDER("run", "checkpoint-900/config.json", "checkpoint-1000/config.json", "checkpoint-x/config.json"), SNC_E_UNSUPPORTED,
               "run: no weights in it, but checkpoints of a training run: give one of them (checkpoint-900, checkpoint-1000)");
    file_fails(FOLDER("models--a--b", "snapshots/0123/config.json", "blobs/1"), SNC_E_UNSUPPORTED,
               "give the snapshot in it (snapshots/0123)");
    file_fails(FOLDER("tf", "tf_model.h5", "config.json"), SNC_E_UNSUPPORTED,
               "no weights in it but tf_model.h5, which is TensorFlow weights");
    file_fails(FOLDER("ckpt", "bert_model.ckpt.index"), SNC_E_UNSUPPORTED, "a TensorFlow checkpoint");
    file_fails(FOLDER("saved", "saved_model.pb"), SNC_E_UNSUPPORTED, "a TensorFlow SavedModel");
    file_fails(FOLDER("flax", "flax_model.msgpack"), SNC_E_UNSUPPORTED, "Flax weights");
    file_fails(FOLDER("job", "compressed.snc"), SNC_E_UNSUPPORTED, "job/compressed.snc");
    file_fails(FOLDER("begun", "teacher.snc"), SNC_E_UNSUPPORTED, "begun/teacher.snc");
    file_fails(FOLDER("some", "mine.snc"), SNC_E_UNSUPPORTED, "but mine.snc, which is a model by itself");
    file_fails(FOLDER("gguf", "b-q8.gguf", "a-q4.gguf"), SNC_E_UNSUPPORTED, "no weights in it but a-q4.gguf, which is a GGUF file");
    file_fails(FOLDER("onnx", "model.onnx"), SNC_E_UNSUPPORTED, "an ONNX model");
    file_fails(scratch_write(s, "m.gguf", "GGUF\3\0\0\0", 8), SNC_E_UNSUPPORTED, "m.gguf: a GGUF file of llama.cpp");
    file_fails(scratch_write(s, "w.h5", "\x89HDF\r\n\x1a\n\0", 9), SNC_E_UNSUPPORTED, "w.h5: TensorFlow weights");
    file_fails(scratch_write(s, "m.tgz", "\x1f\x8b\10\0", 4), SNC_E_UNSUPPORTED, "m.tgz: a packed archive");
    file_fails(scratch_write(s, "m.bin", "<!DOCTYPE html>", 15), SNC_E_UNSUPPORTED, "m.bin: a web page");
    assert_fails(snc_model_locate(scratch_path(s, "m.bin")), SNC_E_UNSUPPORTED, "a web page");
    assert_ok(snc_model_locate(GOLDEN "hf"));
}

/* By its tensors, where the file is given alone. */
static void an_adapter_is_named_by_its_tensors(void **state)
{
    scratch *s = *state;
    float x = 0;
    snc_tensor t = {.name = "base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight",
                    .dtype = SNC_F32,
                    .rank = 1,
                    .shape = {1},
                    .data = &x,
                    .bytes = 4};
    const char *path = scratch_path(s, "adapter_model.safetensors");
    assert_ok(snc_st_save(path, NULL, &t, 1));
    file_fails(path, SNC_E_UNSUPPORTED,
               "adapter_model.safetensors: a PEFT (LoRA) adapter, not a whole model: merge it into its base first");
}

static void truncated_files_are_refused(void **state)
{
    scratch *s = *state;
    static const char *const from[] = {"hf/model.safetensors", "torch/pytorch_model.bin"};
    char path[512];
    for (int k = 0; k < 2; k++) {
        char *data = NULL;
        size_t n = 0;
        with_config(s, "unused", NULL);
        snprintf(path, sizeof path, GOLDEN "%s", from[k]);
        assert_ok(snc_file_read(&data, &n, path));
        snprintf(path, sizeof path, "%s/conf/model.safetensors", s->dir);
        for (size_t cut = 1; cut < n; cut += n / 37 + 1) {
            assert_ok(snc_file_write(path, data, cut));
            snc_model *m = NULL;
            snc_err err = snc_model_load(&m, &ctx, path, 0, SNC_MEANS_CLASSES);
            if (err != SNC_E_FORMAT || m) fail_msg("%s cut to %zu bytes gave %d \"%s\"", from[k], cut, err, snc_err_text());
        }
        snc_free(data);
    }
}

static const char *shard_index(scratch *s, const char *map)
{
    char path[512], text[1024];
    snprintf(path, sizeof path, "%s/shards", s->dir);
    assert_ok(snc_mkdir(path));
    snprintf(path, sizeof path, "%s/shards/config.json", s->dir);
    copy_file(path, GOLDEN "sharded/config.json");
    snprintf(path, sizeof path, "%s/shards/one.safetensors", s->dir);
    copy_file(path, GOLDEN "sharded/model-00001-of-00002.safetensors");
    snprintf(path, sizeof path, "%s/shards/model.safetensors.index.json", s->dir);
    snprintf(text, sizeof text, "{\"weight_map\":%s}", map);
    assert_ok(snc_file_write(path, text, strlen(text)));
    return scratch_path(s, "shards");
}

static void shards_that_do_not_fit_are_named(void **state)
{
    scratch *s = *state;
    file_fails(shard_index(s, "{\"bert.pooler.dense.bias\":\"one.safetensors\"}"), SNC_E_FORMAT,
               "index.json: tensor 'bert.pooler.dense.bias' is not in shard 'one.safetensors'");
    file_fails(shard_index(s, "{\"a\":\"two.safetensors\"}"), SNC_E_IO, "shards/two.safetensors: No such file");
    file_fails(shard_index(s, "{\"a\":\"../two.safetensors\"}"), SNC_E_FORMAT, "expected the name of a file beside it");
    file_fails(shard_index(s, "{\"a\":3}"), SNC_E_FORMAT, "weight_map 'a' must be a file name");
    file_fails(shard_index(s, "{\"a\":\"config.json\"}"), SNC_E_FORMAT, "shard 'config.json' is no checkpoint");
    file_fails(shard_index(s, "{}"), SNC_E_FORMAT, "no 'weight_map'");
}

static void a_vocabulary_of_more_pieces_than_rows_is_refused(void **state)
{
    scratch *s = *state;
    char vocab[512], *text = NULL;
    size_t n = 0;
    with_config(s, "unused", NULL);
    snprintf(vocab, sizeof vocab, "%s/conf/vocab.txt", s->dir);
    assert_ok(snc_file_read(&text, &n, GOLDEN "hf/vocab.txt"));
    assert_ok(snc_file_write(vocab, text, n - 5)); /* without "film" */
    snc_model *m = load(scratch_path(s, "conf"));
    assert_int_equal(m->cfg.vocab, 60);
    assert_int_equal(logs, 0); /* a row that stands for no piece is never looked up */
    snc_model_free(m);
    char *more = NULL;
    assert_ok(snc_alloc(&more, n + 8, 1));
    memcpy(more, text, n);
    memcpy(more + n, "extra\n", 6);
    assert_ok(snc_file_write(vocab, more, n + 6));
    file_fails(scratch_path(s, "conf"), SNC_E_SHAPE, "a vocabulary of 61 pieces");
    snc_free(more);
    snc_free(text);
    remove(vocab);
}

static void spare_embedding_rows_are_accepted(void **state)
{
    (void)state;
    char text[] = "a\nb\nc";
    char config[] = "{}";
    snc_tok_assets a = wordpieces(text, 5, config);
    int n = 0;
    assert_true(snc_vocab_fits(&a, 3, &n));
    assert_int_equal(n, 3);
    assert_true(snc_vocab_fits(&a, 8, &n));
    assert_true(snc_vocab_fits(&a, 4, &n));
    assert_false(snc_vocab_fits(&a, 2, &n));
    assert_true(snc_vocab_fits(&a, 31000, &n));
}

static void the_real_model_loads(void **state)
{
    (void)state;
    char path[512];
    const char *home = getenv("HOME");
    snprintf(path, sizeof path, "%s/.cache/snc-peers/minilm", home ? home : "");
    if (!snc_is_dir(path)) {
        print_message("MiniLM is not on this machine: skipped\n");
        skip();
    }
    snc_model *m = NULL;
    assert_ok(snc_model_load(&m, &ctx, path, 2, SNC_MEANS_CLASSES));
    assert_int_equal(m->cfg.layers, 6);
    assert_int_equal(m->cfg.hidden, 384);
    assert_int_equal(m->cfg.head_width, 32);
    assert_false(m->has_head);
    assert_int_equal(snc_params_count(&m->params), 22713216 + 2 * 384 + 2);
    snc_model_free(m);
}

int main(void)
{
    static scratch s;
    scratch_init(&s, "models_load");
    void *state = &s;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tensor_lands_under_its_name),
        cmocka_unit_test(all_forms_of_a_checkpoint_are_one_model),
        cmocka_unit_test(an_old_checkpoint_gets_a_seeded_pooler_and_head),
        cmocka_unit_test(a_trained_head_wins_over_the_hint),
        cmocka_unit_test_prestate(a_tensor_that_is_absent_or_of_another_type_is_named, state),
        cmocka_unit_test_prestate(doubles_are_read, state),
        cmocka_unit_test_prestate(numbers_that_are_not_finite_are_refused, state),
        cmocka_unit_test_prestate(extra_tensors_are_counted_once, state),
        cmocka_unit_test_prestate(files_that_are_no_models_are_refused_by_content, state),
        cmocka_unit_test_prestate(what_people_give_for_a_model_is_named, state),
        cmocka_unit_test_prestate(an_adapter_is_named_by_its_tensors, state),
        cmocka_unit_test_prestate(truncated_files_are_refused, state),
        cmocka_unit_test_prestate(shards_that_do_not_fit_are_named, state),
        cmocka_unit_test_prestate(a_vocabulary_of_more_pieces_than_rows_is_refused, state),
        cmocka_unit_test(spare_embedding_rows_are_accepted),
        cmocka_unit_test(the_real_model_loads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
