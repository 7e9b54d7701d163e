/* A .snc comes back to the bit in every dtype; metadata, tensors and bytes that were damaged are refused by name. */

#include "check.h"
#include "files.h"
#include "nano.h"
#include "reseal.h"
#include "snc_make.h"
#include "wordpieces.h"

static const snc_ctx ctx = {.threads = 1, .seed = 42, .level = SNC_LOG_ERROR};

static snc_model *full_nano(void)
{
    snc_model *m = NULL;
    const char *labels[] = {"bad, \"very\"", "g\xc3\xb6\xc3\xb6"
                                             "d"};
    assert_ok(nano_model(&m, 11));
    assert_ok(nano_assets(&m->tokenizer));
    assert_ok(snc_model_set_labels(m, labels));
    cJSON_AddStringToObject(m->meta, "note", "line\none");
    return m;
}

static void assert_same(const snc_model *a, const snc_model *b)
{
    assert_int_equal(a->params.total, b->params.total);
    for (int i = 0; i < a->params.n; i++)
        assert_memory_equal(snc_params_w(&a->params, i), snc_params_w(&b->params, i),
                            (size_t)a->params.p[i].rows * (size_t)a->params.p[i].cols * sizeof(float));
}

static void a_saved_model_is_loaded_to_the_bit(void **state)
{
    scratch *s = *state;
    snc_model *m = full_nano(), *x = NULL;
    const char *path = scratch_path(s, "full.bin"); /* the name says nothing */
    assert_ok(snc_model_save(m, path));
    assert_ok(snc_model_load(&x, &ctx, path, 5, SNC_MEANS_CLASSES));
    assert_same(m, x);
    assert_int_equal(x->cfg.classes, 2);
    assert_string_equal(x->labels[0], m->labels[0]);
    assert_string_equal(x->labels[1], m->labels[1]);
    assert_string_equal(blob_text(&x->tokenizer, "vocab"), blob_text(&m->tokenizer, "vocab"));
    assert_string_equal(blob_text(&x->tokenizer, "config"), blob_text(&m->tokenizer, "config"));
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(x->meta, "note")), "line\none");
    assert_true(x->has_head);
    assert_true(snc_arch_equal(&x->arch, &m->arch));
    assert_true(x->cfg.norm_eps == m->cfg.norm_eps);
    snc_model_free(x);
    snc_model_free(m);
}

static void a_subnet_keeps_its_shapes(void **state)
{
    scratch *s = *state;
    snc_model *m = full_nano(), *x = NULL, *y = NULL;
    snc_arch a = {.layers = 2, .hidden = 20, .source = {0, 2}, .heads = {3, 1}, .ffn = {40, 17}};
    assert_ok(snc_model_extract(&x, m, &a));
    const char *path = scratch_path(s, "sub.snc");
    assert_ok(snc_model_save(x, path));
    assert_ok(snc_model_load(&y, &ctx, path, 0, SNC_MEANS_CLASSES));
    assert_same(x, y);
    assert_true(snc_arch_equal(&x->arch, &y->arch));
    assert_int_equal(y->cfg.layers, NANO_L); /* of the family */
    snc_model_free(y);
    snc_model_free(x);
    snc_model_free(m);
}

static void a_seeded_head_gives_way_to_the_hint(void **state)
{
    scratch *s = *state;
    snc_model *m = full_nano(), *x = NULL;
    assert_ok(snc_model_set_head(m, 2, false, NULL, 1));
    const char *path = scratch_path(s, "headless.snc");
    assert_ok(snc_model_save(m, path));
    assert_ok(snc_model_load(&x, &ctx, path, 4, SNC_MEANS_CLASSES));
    assert_int_equal(x->cfg.classes, 4);
    assert_false(x->has_head);
    snc_model_free(x);
    assert_ok(snc_model_load(&x, &ctx, path, 0, SNC_MEANS_CLASSES));
    assert_int_equal(x->cfg.classes, 2);
    snc_model_free(x);
    snc_model_free(m);
}

static snc_policy mixed(void)
{
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_I8);
    p.linear[1][SNC_SITE_O] = SNC_F32;
    p.linear[2][SNC_SITE_FFN_IN] = SNC_BF16;
    p.classifier = SNC_F32;
    return p;
}

static void every_dtype_is_viewed_as_written(void **state)
{
    scratch *s = *state;
    snc_model *m = full_nano();
    snc_policy p = mixed();
    const char *path = scratch_path(s, "mixed.snc");
    assert_ok(snc_make_file(path, m, &p));
    snc_sncfile *f = NULL;
    assert_ok(snc_sncfile_open(&f, path));
    assert_memory_equal(snc_sncfile_policy(f)->linear, p.linear, NANO_L * SNC_SITES);
    assert_int_equal(snc_sncfile_policy(f)->embed, SNC_I8);
    assert_string_equal(snc_sncfile_version_view(f), SNC_VERSION);
    static snc_make k;
    assert_ok(snc_make_tensors(&k, m, &p));
    snc_matrix_view v = {0};
    for (int i = 0; i < k.n; i++) {
        size_t len = strlen(k.t[i].name);
        if (len > 6 && strcmp(k.t[i].name + len - 6, ".scale") == 0) {
            assert_memory_equal(v.scale, k.t[i].data, k.t[i].bytes);
            continue;
        }
        assert_ok(snc_sncfile_matrix_view(&v, f, k.t[i].name));
        assert_int_equal(v.dtype, k.t[i].dtype);
        assert_int_equal((uintptr_t)v.data % (uintptr_t)(snc_dtype_get(v.dtype)->bits / 8), 0);
        assert_memory_equal(v.data, k.t[i].data, k.t[i].bytes);
        assert_int_equal(v.scale != NULL, v.dtype == SNC_I8);
    }
    snc_arena_free(k.arena);
    const float *b = NULL;
    assert_ok(snc_sncfile_vector_view(&b, f, "layer.0.ffn.in.bias", NANO_F));
    assert_memory_equal(b, snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_FFN_IN_BIAS, 0)), NANO_F * sizeof *b);
    assert_fails(snc_sncfile_vector_view(&b, f, "layer.0.ffn.in.bias", 3), SNC_E_SHAPE, "no F32 vector of 3");
    assert_fails(snc_sncfile_matrix_view(&v, f, "layer.9.ffn.in.bias"), SNC_E_NOTFOUND, "no parameter 'layer.9");
    snc_sncfile_close(f);
    snc_model_free(m);
}

static void int8_files_load_dequantized(void **state)
{
    scratch *s = *state;
    snc_model *m = full_nano(), *x = NULL;
    snc_policy p = mixed();
    const char *path = scratch_path(s, "int8.snc");
    assert_ok(snc_make_file(path, m, &p));
    assert_ok(snc_model_load(&x, &ctx, path, 0, SNC_MEANS_CLASSES));
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *q = &m->params.p[i];
        const float *a = snc_params_w(&m->params, i), *b = snc_params_w(&x->params, i);
        snc_dtype t = snc_spec_dtype(&p, q->row, q->layer);
        for (int r = 0; r < q->rows; r++) {
            float top = 0;
            for (int c = 0; c < q->cols; c++) top = fmaxf(top, fabsf(a[r * q->cols + c]));
            float bound = t == SNC_I8 ? top / 254.0f * 1.001f : t == SNC_BF16 ? top / 256.0f : 0.0f;
            for (int c = 0; c < q->cols; c++) assert_true(fabsf(a[r * q->cols + c] - b[r * q->cols + c]) <= bound);
        }
    }
    snc_model_free(x);
    snc_model_free(m);
}

static void the_writer_refuses_what_a_reader_would(void **state)
{
    scratch *s = *state;
    snc_model *m = full_nano();
    snc_policy p = snc_policy_uniform(SNC_F32, SNC_F32), i8 = snc_policy_uniform(SNC_I8, SNC_F32);
    static snc_make k;
    assert_ok(snc_make_tensors(&k, m, &p));
    snc_sncfile_desc d = {.cfg = &m->cfg, .arch = &m->arch, .policy = &p, .labels = m->labels};
    const char *path = scratch_path(s, "refused.snc");
    assert_fails(snc_sncfile_save(path, &d, k.t, k.n - 1), SNC_E_FORMAT, "tensor 'classifier.bias' is missing");
    assert_fails(snc_sncfile_save(path, &d, k.t, 0), SNC_E_ARG, "no tensors");
    k.t[k.n] = k.t[0];
    assert_fails(snc_sncfile_save(path, &d, k.t, k.n + 1), SNC_E_ARG, "tensor 'embeddings.word.weight' given twice");
    d.policy = &i8;
    assert_fails(snc_sncfile_save(path, &d, k.t, k.n), SNC_E_FORMAT, "has dtype F32, expected I8 by the policy");
    assert_false(snc_is_file(path));
    snc_arena_free(k.arena);
    snc_model_free(m);
}

/* ---- damaged files --------------------------------------------------------------------------------------------------- */

/* The tensors of a good INT8 file with one metadata value replaced (NULL: removed) or one tensor edited. */
typedef struct edit {
    const char *key, *value;     /* of __metadata__ */
    const char *victim, *rename; /* rename NULL: dropped */
    snc_dtype dtype;             /* with `retype` */
    bool retype;
    float scale; /* first scale of the victim, unless 0 */
} edit;

#define META(k, v) \
    (edit) { .key = k, .value = v }

static const char *edited(scratch *s, const edit *e)
{
    static const char *const keys[] = {"digest", "snc_format", "snc_version", "config", "arch", "policy", "labels", "meta", "has_head"};
    snc_model *m = full_nano();
    snc_policy p = mixed();
    assert_ok(snc_make_file(scratch_path(s, "good.snc"), m, &p));
    snc_model_free(m);
    snc_st *f = NULL;
    static snc_tensor list[SNC_MAKE_MAX];
    static float scale[NANO_V];
    int n = 0;
    assert_ok(snc_st_open(&f, scratch_path(s, "good.snc")));
    cJSON *meta = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!e->key || strcmp(e->key, keys[i]) != 0) cJSON_AddStringToObject(meta, keys[i], snc_st_metadata_view(f, keys[i]));
        else if (e->value) cJSON_AddStringToObject(meta, keys[i], e->value);
    for (int i = 0; i < snc_st_count(f); i++) {
        list[n] = snc_st_tensors_view(f)[i];
        if (e->victim && strcmp(list[n].name, e->victim) == 0) {
            if (e->scale != 0.0f) {
                memcpy(scale, list[n].data, list[n].bytes);
                scale[0] = e->scale;
                list[n].data = scale;
            } else if (e->retype) {
                list[n].dtype = e->dtype;
                list[n].bytes /= 4 / (size_t)(snc_dtype_get(e->dtype)->bits / 8);
            } else if (e->rename) {
                list[n].name = e->rename;
            } else {
                continue;
            }
        }
        n++;
    }
    static char path[512];
    snprintf(path, sizeof path, "%s/edited.snc", s->dir);
    assert_ok(snc_st_save(path, meta, list, n));
    cJSON_Delete(meta);
    snc_st_close(f);
    return path;
}

static void refuses(scratch *s, const edit *e, snc_err code, const char *fragment)
{
    snc_sncfile *f = NULL;
    snc_model *m = NULL;
    const char *path = edited(s, e);
    assert_fails(snc_sncfile_open(&f, path), code, fragment);
    assert_non_null(strstr(snc_err_text(), "edited.snc: "));
    if (!e->key || strcmp(e->key, "snc_format") != 0 || e->value)
        assert_fails(snc_model_load(&m, &ctx, path, 0, SNC_MEANS_CLASSES), code, fragment);
}

static void damaged_metadata_is_named(void **state)
{
    scratch *s = *state;
    refuses(s, &META("snc_format", "6"), SNC_E_UNSUPPORTED, ".snc format 6 is newer than this program reads (5)");
    refuses(s, &META("snc_format", "one"), SNC_E_FORMAT, "snc_format 'one', expected a number");
    refuses(s, &META("snc_format", NULL), SNC_E_FORMAT, "without snc_format: not a .snc");
    refuses(s, &META("config", NULL), SNC_E_FORMAT, "__metadata__ has no 'config'");
    refuses(s, &META("config", "{"), SNC_E_FORMAT, "__metadata__ config: not valid JSON");
    refuses(s, &META("config", "{}"), SNC_E_FORMAT, "config: missing key 'vocab'");
    refuses(s, &META("arch", "{\"hidden\":64,\"layers\":[{\"heads\":4,\"ffn\":64}]}"), SNC_E_SHAPE, "hidden size 64, expected 1 to 32");
    refuses(s, &META("arch", "{\"hidden\":32,\"layers\":[{\"heads\":4,\"ffn\":64}]}"), SNC_E_SHAPE, "policy of 3 layers, expected 1");
    refuses(s, &META("policy", "[]"), SNC_E_FORMAT, "policy: expected a JSON object");
    refuses(s, &META("labels", "[\"a\"]"), SNC_E_FORMAT, "labels: expected a list of 2 strings");
    refuses(s, &META("labels", "[1,2]"), SNC_E_FORMAT, "label 0 is no string");
    refuses(s, &META("meta", "[]"), SNC_E_FORMAT, "meta: expected a JSON object");
    refuses(s, &META("has_head", "yes"), SNC_E_FORMAT, "'has_head' must be");
}

static void damaged_tensors_are_named(void **state)
{
    scratch *s = *state;
    refuses(s, &(edit){.victim = "pooler.bias"}, SNC_E_FORMAT, "tensor 'pooler.bias' is missing");
    refuses(s, &(edit){.victim = "pooler.weight.scale"}, SNC_E_FORMAT, "tensor 'pooler.weight.scale' is missing");
    refuses(s, &(edit){.victim = "classifier.weight", .retype = true, .dtype = SNC_BF16}, SNC_E_FORMAT,
            "tensor 'classifier.weight' has dtype BF16, expected F32 by the policy");
    refuses(s, &(edit){.victim = "pooler.weight.scale", .scale = -1.0f}, SNC_E_FORMAT, "'pooler.weight.scale': scale 0 is -1");
    refuses(s, &(edit){.victim = "pooler.weight.scale", .scale = (float)INFINITY}, SNC_E_FORMAT, "scale 0 is inf");
    refuses(s, &(edit){.victim = "pooler.weight.scale", .scale = (float)NAN}, SNC_E_FORMAT, "scale 0 is");
    refuses(s, &(edit){.victim = "tokenizer.config"}, SNC_E_FORMAT, "tensor 'tokenizer.config' is missing");
    refuses(s,
            &(edit){.key = "arch",
                    .value = "{\"hidden\":32,\"layers\":[{\"heads\":4,\"ffn\":64},{\"heads\":2,\"ffn\":64},"
                             "{\"heads\":4,\"ffn\":64}]}"},
            SNC_E_SHAPE, "tensor 'layer.1.attention.q.weight' is [32, 32], expected [16, 32]");
    snc_sncfile *f = NULL;
    assert_ok(snc_sncfile_open(&f, edited(s, &(edit){.victim = "nothing"})));
    snc_sncfile_close(f);
}

/* Another program may write the same file without our alignment. */
static void unaligned_files_are_moved(void **state)
{
    scratch *s = *state;
    snc_model *m = full_nano();
    snc_policy p = mixed();
    assert_ok(snc_make_file(scratch_path(s, "shift.snc"), m, &p));
    char *data = NULL, *moved = NULL;
    size_t n = 0;
    assert_ok(snc_file_read(&data, &n, s->path));
    assert_ok(snc_alloc(&moved, n + 1, 1));
    size_t header = (size_t)(unsigned char)data[0] + 256 * (size_t)(unsigned char)data[1] + 65536 * (size_t)(unsigned char)data[2];
    memcpy(moved, data, 8 + header);
    moved[8 + header] = ' ';
    memcpy(moved + 8 + header + 1, data + 8 + header, n - 8 - header);
    header++;
    moved[0] = (char)(header & 255);
    moved[1] = (char)(header >> 8 & 255);
    moved[2] = (char)(header >> 16);
    snc_sncfile *f = NULL;
    assert_fails(snc_sncfile_open_mem(&f, (const unsigned char *)moved, n + 1, "moved"), SNC_E_FORMAT,
                 "moved: damaged: its digest is xxh3-64:");
    assert_true(reseal((unsigned char *)moved, n + 1));
    assert_ok(snc_sncfile_open_mem(&f, (const unsigned char *)moved, n + 1, "moved"));
    snc_matrix_view v;
    assert_ok(snc_sncfile_matrix_view(&v, f, "classifier.weight"));
    assert_int_equal((uintptr_t)v.data % 4, 0);
    assert_memory_equal(v.data, snc_params_w(&m->params, snc_model_at(m, SNC_ROLE_CLASSIFIER, 0)), sizeof(float) * NANO_K * NANO_C);
    snc_sncfile_close(f);
    snc_free(moved);
    snc_free(data);
    snc_model_free(m);
}

/* Any byte: length, header with the digest's own key, padding, weights, tokenizer. */
static void every_flipped_byte_is_found(void **state)
{
    scratch *s = *state;
    snc_encoder_config c = {.vocab = 24,
                            .positions = 6,
                            .types = 2,
                            .hidden = 8,
                            .layers = 1,
                            .heads = 2,
                            .head_width = 4,
                            .ffn = 12,
                            .classes = 2,
                            .norm_eps = 1e-12f};
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_I8);
    snc_model *m = NULL;
    snc_sncfile *f = NULL;
    char *data = NULL, digest[SNC_DIGEST_TEXT];
    size_t n = 0;
    assert_ok(nano_model_of(&m, &c, 1));
    const char *path = scratch_path(s, "flip.snc");
    assert_ok(snc_make_file(path, m, &p));
    assert_ok(snc_file_read(&data, &n, path));
    assert_ok(snc_sncfile_open(&f, path));
    assert_ok(snc_sncfile_digest_read(digest, path));
    assert_string_equal(snc_sncfile_digest_view(f), digest);
    assert_int_equal(strlen(digest), SNC_DIGEST_TEXT - 1);
    snc_sncfile_close(f);
    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 8; bit += 5) {
            data[i] ^= (char)(1 << bit);
            f = NULL;
            if (snc_sncfile_open_mem(&f, (unsigned char *)data, n, "f") == SNC_OK) fail_msg("bit %d of byte %zu went unseen", bit, i);
            data[i] ^= (char)(1 << bit);
        }
    assert_ok(snc_sncfile_open_mem(&f, (unsigned char *)data, n, "f"));
    snc_sncfile_close(f);
    snc_free(data);
    snc_model_free(m);
}

/* What programs wrote before files had one. */
static void a_file_without_a_digest_is_read(void **state)
{
    scratch *s = *state;
    char digest[SNC_DIGEST_TEXT];
    const char *path = edited(s, &META(SNC_SEAL_KEY, NULL));
    snc_sncfile *f = NULL;
    assert_ok(snc_sncfile_open(&f, path));
    assert_string_equal(snc_sncfile_digest_view(f), "");
    snc_sncfile_close(f);
    assert_ok(snc_sncfile_digest_read(digest, path));
    assert_string_equal(digest, "");
    refuses(s, &META(SNC_SEAL_KEY, "crc32:00000000"), SNC_E_FORMAT, "its digest is not written as");
}

static void a_tokenizer_of_another_kind_is_named_and_refused(void **state)
{
    static const snc_tok_kind other = {.name = "letters", .blob = {"model", "pairs"}};
    scratch *s = *state;
    snc_model *m = full_nano();
    snc_st *st = NULL;
    m->tokenizer.kind = &other;
    const char *path = scratch_path(s, "letters.snc");
    assert_ok(snc_model_save(m, path));
    assert_ok(snc_st_open(&st, path));
    assert_string_equal(snc_st_metadata_view(st, "tokenizer"), "letters");
    assert_string_equal(snc_st_metadata_view(st, "snc_format"), "4");
    assert_non_null(snc_st_find(st, "tokenizer.model"));
    assert_int_equal(snc_st_find(st, "tokenizer.pairs")->bytes, m->tokenizer.blob[1].bytes);
    assert_null(snc_st_find(st, "tokenizer.vocab"));
    snc_st_close(st);
    snc_sncfile *f = NULL;
    assert_fails(snc_sncfile_open(&f, path), SNC_E_UNSUPPORTED, "letters.snc: tokenizer 'letters': expected wordpiece");
    snc_model_free(m);
}

static void a_vocabulary_of_another_size_is_refused(void **state)
{
    scratch *s = *state;
    snc_model *m = full_nano();
    const snc_tok_blob *vocab = snc_tok_blob_view(&m->tokenizer, "vocab");
    vocab->data[vocab->bytes - 2] = '\n'; /* "o" and "" */
    const char *path = scratch_path(s, "vocab.snc");
    assert_ok(snc_model_save(m, path));
    snc_sncfile *f = NULL;
    assert_fails(snc_sncfile_open(&f, path), SNC_E_SHAPE, "vocab.snc: a vocabulary of 98 pieces, expected at most 97");
    snc_model_free(m);
}

int main(void)
{
    static scratch s;
    scratch_init(&s, "models_snc_file");
    void *state = &s;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_saved_model_is_loaded_to_the_bit, state),
        cmocka_unit_test_prestate(a_subnet_keeps_its_shapes, state),
        cmocka_unit_test_prestate(a_seeded_head_gives_way_to_the_hint, state),
        cmocka_unit_test_prestate(every_dtype_is_viewed_as_written, state),
        cmocka_unit_test_prestate(int8_files_load_dequantized, state),
        cmocka_unit_test_prestate(the_writer_refuses_what_a_reader_would, state),
        cmocka_unit_test_prestate(damaged_metadata_is_named, state),
        cmocka_unit_test_prestate(damaged_tensors_are_named, state),
        cmocka_unit_test_prestate(unaligned_files_are_moved, state),
        cmocka_unit_test_prestate(every_flipped_byte_is_found, state),
        cmocka_unit_test_prestate(a_file_without_a_digest_is_read, state),
        cmocka_unit_test_prestate(a_tokenizer_of_another_kind_is_named_and_refused, state),
        cmocka_unit_test_prestate(a_vocabulary_of_another_size_is_refused, state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
