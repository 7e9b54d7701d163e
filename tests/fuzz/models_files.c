/* The .snc reader, config.json and the index of shards under seeded mutations: no input may crash, leak or fail without a
 * sentence, and what is accepted can be read whole. Arguments are .snc files to try as well. */

#include "check.h"
#include "files.h"
#include "mutate.h"
#include "nano.h"
#include "reseal.h"
#include "snc_make.h"

#define GOLDEN SNC_TEST_DIR "/golden/checkpoints/"
enum { SNC_ROUNDS = 3000, JSON_ROUNDS = 600 };

static void silent(void *user, snc_log_level level, const char *line)
{
    (void)user;
    (void)level;
    (void)line;
}
static const snc_ctx ctx = {.threads = 1, .seed = 42, .level = SNC_LOG_WARN, .log = silent};

static void try_snc(const unsigned char *p, size_t n)
{
    snc_sncfile *f = NULL;
    if (snc_sncfile_open_mem(&f, p, n, "f") != SNC_OK) {
        assert_true(*snc_err_text());
        return;
    }
    snc_params table = {0};
    float *w = NULL;
    assert_ok(snc_spec_table(&table, snc_sncfile_config(f), snc_sncfile_arch(f)));
    for (int i = 0; i < table.n; i++) {
        assert_ok(snc_alloc(&w, (size_t)table.p[i].rows * (size_t)table.p[i].cols, sizeof *w));
        snc_err err = snc_sncfile_param_read(w, f, table.p[i].name);
        assert_true(err == SNC_OK || err == SNC_E_FORMAT); /* NaN */
        snc_free(w);
    }
    snc_tok_assets a;
    assert_ok(snc_sncfile_tokenizer_dup(&a, f));
    snc_tok_assets_dispose(&a);
    snc_params_dispose(&table);
    snc_sncfile_close(f);
}

static void snc_files_survive_damage(void **state)
{
    scratch *s = *state;
    snc_encoder_config c = {.vocab = 24,
                            .positions = 6,
                            .types = 2,
                            .hidden = 8,
                            .layers = 2,
                            .heads = 2,
                            .head_width = 4,
                            .ffn = 12,
                            .classes = 2,
                            .norm_eps = 1e-12f};
    const snc_arch halves = {.layers = 2, .hidden = 8, .source = {0, 1}, .heads = {0, 2}, .ffn = {12, 0}};
    snc_model *m = NULL, *half = NULL;
    const char *labels[] = {"a", "b"};
    assert_ok(nano_model_of(&m, &c, 1));
    assert_ok(snc_model_set_labels(m, labels));
    assert_ok(snc_model_extract(&half, m, &halves));
    for (int k = 0; k < 4; k++) {
        snc_policy p = snc_policy_uniform(k == 0 ? SNC_F32 : k == 1 ? SNC_BF16 : SNC_I8, k >= 2 ? SNC_I8 : SNC_F32);
        const char *path = scratch_path(s, "f.snc");
        assert_ok(snc_make_file(path, k < 3 ? m : half, &p));
        char *data = NULL;
        size_t n = 0;
        assert_ok(snc_file_read(&data, &n, path));
        size_t header = (size_t)(unsigned char)data[0] + 256 * (size_t)(unsigned char)data[1];
        snc_rng r;
        snc_rng_init(&r, (uint64_t)k, 3);
        try_snc((unsigned char *)data, n);
        for (int i = 0; i < SNC_ROUNDS; i++) {
            /* Half of the damage to the metadata, which stands first. */
            mutant x = mutate((unsigned char *)data, n, &r, 8, i % 2 ? 1100 : 8 + header);
            if (i % 8) reseal(x.p, x.n);
            try_snc(x.p, x.n);
            free(x.p);
        }
        snc_free(data);
    }
    snc_model_free(half);
    snc_model_free(m);
}

/* Folder `from` in the scratch, with these files of the golden folder of that name in `root`. */
static void copy_folder(scratch *s, const char *root, const char *from, const char *const *files)
{
    char to[512], path[512];
    snprintf(path, sizeof path, "%s/%s", s->dir, from);
    assert_ok(snc_mkdir(path));
    for (; *files; files++) {
        snprintf(to, sizeof to, "%s/%s/%s", s->dir, from, *files);
        snprintf(path, sizeof path, "%s%s/%s", root, from, *files);
        copy_file(to, path);
    }
}

/* Folder `from` in the scratch, whose file `name` becomes damaged `text`; a vector's width is whatever the folder says. */
static void damage_text(scratch *s, const char *from, const char *name, const char *text, size_t n, snc_meaning meaning, int rounds)
{
    char to[512], path[512];
    snprintf(to, sizeof to, "%s/%s/%s", s->dir, from, name);
    snprintf(path, sizeof path, "%s/%s", s->dir, from);
    snc_rng r;
    snc_rng_init(&r, 5, 6);
    for (int i = 0; i < rounds; i++) {
        mutant x = mutate((const unsigned char *)text, n, &r, 0, n);
        FILE *f = fopen(to, "wb"); /* not snc_file_write: no need to sync 600 times */
        assert_non_null(f);
        assert_int_equal(fwrite(x.p, 1, x.n, f), x.n);
        fclose(f);
        snc_model *m = NULL;
        if (snc_model_load(&m, &ctx, path, 0, meaning) != SNC_OK) {
            assert_null(m);
            assert_true(*snc_err_text());
        }
        snc_model_free(m);
        free(x.p);
    }
}

/* The golden checkpoint in folder `from` of `root` with its file `name` damaged. */
static void damage_json(scratch *s, const char *root, const char *from, const char *name, const char *const *files, int rounds)
{
    char path[512], *data = NULL;
    size_t n = 0;
    copy_folder(s, root, from, files);
    snprintf(path, sizeof path, "%s%s/%s", root, from, name);
    assert_ok(snc_file_read(&data, &n, path));
    damage_text(s, from, name, data, n, SNC_MEANS_CLASSES, rounds);
    snc_free(data);
}

static void configs_survive_damage(void **state)
{
    static const char *const files[] = {"model.safetensors", "vocab.txt", "tokenizer_config.json", NULL};
    damage_json(*state, GOLDEN, "hf", "config.json", files, JSON_ROUNDS);
}

/* Of families whose keys and shapes are others. */
static void configs_of_families_survive_damage(void **state)
{
    static const char *const files[] = {"model.safetensors", NULL}, *const families[] = {"distilbert", "roberta", "electra", "albert"};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        damage_json(*state, SNC_TEST_DIR "/golden/families/", families[i], "config.json", files, JSON_ROUNDS / 4);
    damage_json(*state, SNC_TEST_DIR "/golden/modern/", "deberta", "config.json", files, JSON_ROUNDS / 4);
}

static void indexes_survive_damage(void **state)
{
    static const char *const files[] = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "config.json", NULL};
    damage_json(*state, GOLDEN, "sharded", "model.safetensors.index.json", files, JSON_ROUNDS);
}

/* A folder of Sentence Transformers: the list of its modules, then the pooling that it names. */
static void modules_survive_damage(void **state)
{
    scratch *s = *state;
    static const char *const files[] = {"config.json", "model.safetensors", NULL};
    static const char modules[] = "[{\"idx\":0,\"path\":\"\",\"type\":\"sentence_transformers.models.Transformer\"},"
                                  "{\"idx\":1,\"path\":\"1_Pooling\",\"type\":\"sentence_transformers.models.Pooling\"},"
                                  "{\"idx\":2,\"path\":\"2_Dense\",\"type\":\"sentence_transformers.models.Dense\"}]";
    static const char pooling[] = "{\"pooling_mode_cls_token\":false,\"pooling_mode_mean_tokens\":true,\"pooling_mode\":\"mean\"}";
    static const char dense[] = "{\"in_features\":16,\"out_features\":4,\"activation_function\":\"torch.nn.Identity\"}";
    static const struct {
        const char *name, *text;
    } damaged[] = {{"modules.json", modules}, {"1_Pooling/config.json", pooling}, {"2_Dense/config.json", dense}};
    char path[512];
    copy_folder(s, GOLDEN, "old", files);
    snprintf(path, sizeof path, "%s/old/1_Pooling", s->dir);
    assert_ok(snc_mkdir(path));
    snprintf(path, sizeof path, "%s/old/2_Dense", s->dir);
    assert_ok(snc_mkdir(path));
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) {
            snprintf(path, sizeof path, "%s/old/%s", s->dir, damaged[k].name);
            assert_ok(snc_file_write(path, damaged[k].text, strlen(damaged[k].text)));
        }
        damage_text(s, "old", damaged[i].name, damaged[i].text, strlen(damaged[i].text), SNC_MEANS_VECTOR, JSON_ROUNDS);
        damage_text(s, "old", damaged[i].name, "[true,[\"a\",{}],1e9]", 19, SNC_MEANS_VECTOR, JSON_ROUNDS); /* a list for an object */
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *data = NULL;
        size_t n = 0;
        if (snc_file_read(&data, &n, argv[i]) != SNC_OK) {
            fprintf(stderr, "%s\n", snc_err_text());
            return 1;
        }
        try_snc((unsigned char *)data, n);
        snc_free(data);
    }
    static scratch s;
    scratch_init(&s, "models_files");
    void *state = &s;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(snc_files_survive_damage, state),
        cmocka_unit_test_prestate(configs_survive_damage, state),
        cmocka_unit_test_prestate(configs_of_families_survive_damage, state),
        cmocka_unit_test_prestate(indexes_survive_damage, state),
        cmocka_unit_test_prestate(modules_survive_damage, state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
