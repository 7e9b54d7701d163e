/* Checkpoints as Hugging Face lays them out: the golden one, copies of it with one thing changed, and what loading them logs. */
#ifndef SNC_TESTS_MODELS_SUPPORT_H
#define SNC_TESTS_MODELS_SUPPORT_H

#include "base/json.h"
#include "core/safetensors.h"
#include "files.h"
#include "models/model.h"

#define GOLDEN SNC_TEST_DIR "/golden/checkpoints/"

static char last_log[1024];
static int logs;
static inline void keep_log(void *user, snc_log_level level, const char *line)
{
    (void)user;
    (void)level;
    logs++;
    snprintf(last_log, sizeof last_log, "%.*s", (int)sizeof last_log - 1, line);
}
static const snc_ctx ctx = {.threads = 1, .seed = 42, .level = SNC_LOG_INFO, .log = keep_log};

static inline snc_model *load(const char *path)
{
    snc_model *m = NULL;
    logs = 0;
    last_log[0] = 0;
    assert_ok(snc_model_load(&m, &ctx, path, 0, SNC_MEANS_CLASSES));
    return m;
}

static inline void assert_same_params(const snc_model *a, const snc_model *b, bool with_head)
{
    assert_int_equal(a->params.n, b->params.n);
    for (int i = 0; i < a->params.n - (with_head ? 0 : 4); i++) {
        const snc_param *p = &a->params.p[i], *q = &b->params.p[i];
        assert_string_equal(p->name, q->name);
        assert_int_equal(p->rows, q->rows);
        assert_int_equal(p->cols, q->cols);
        size_t bytes = (size_t)p->rows * (size_t)p->cols * sizeof(float);
        assert_memory_equal(snc_params_w(&a->params, i), snc_params_w(&b->params, i), bytes);
    }
}

/* A copy of the golden folder whose config.json has one key replaced (value NULL: removed). */
static inline const char *with_config(scratch *s, const char *key, const char *value)
{
    cJSON *j = NULL;
    assert_ok(snc_json_load(&j, GOLDEN "hf/config.json"));
    cJSON_DeleteItemFromObject(j, key);
    if (value) {
        cJSON *v = cJSON_Parse(value);
        assert_non_null(v);
        cJSON_AddItemToObject(j, key, v);
    }
    char path[512];
    snprintf(path, sizeof path, "%s/conf", s->dir);
    assert_ok(snc_mkdir(path));
    snprintf(path, sizeof path, "%s/conf/config.json", s->dir);
    assert_ok(snc_json_save(j, path));
    cJSON_Delete(j);
    snprintf(path, sizeof path, "%s/conf/model.safetensors", s->dir);
    copy_file(path, GOLDEN "hf/model.safetensors");
    return scratch_path(s, "conf");
}

#endif
