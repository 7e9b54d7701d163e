/* A net written as Hugging Face's folder and read again is that net: every family, layers of several widths, skipped halves; what a folder
 * has no place for is refused by name. */
#include "files.h"
#include "models/export.h"
#include "models/hf_out.h"
#include "models_nano.h"

static const snc_ctx ctx = {.threads = 1, .seed = 42, .level = SNC_LOG_ERROR};
static scratch dir;

/* Three heads of 20 fill 60. */
static snc_arch fitting(const snc_model *m, bool skips)
{
    snc_arch a = m->arch;
    static const int heads[2][3] = {{3, 1, 2}, {3, 0, 2}}, ffn[2][3] = {{40, 88, 33}, {0, 24, 70}};
    a.hidden = 60;
    memcpy(a.heads, heads[skips], sizeof heads[skips]);
    memcpy(a.ffn, ffn[skips], sizeof ffn[skips]);
    return a;
}

static snc_sncfile *cut(const snc_model *m, const snc_arch *a)
{
    snc_sncfile *f = NULL;
    snc_policy f32 = snc_policy_uniform(SNC_F32, SNC_F32);
    const char *path = scratch_path(&dir, "net.snc");
    assert_ok(snc_export_model(path, &ctx, m, a, &f32));
    assert_ok(snc_sncfile_open(&f, path));
    return f;
}

static snc_err write(const snc_sncfile *f)
{
    cJSON *config = NULL;
    SNC_TRY(snc_hf_check(f, -1, "net.snc"));
    SNC_TRY(snc_hf_config_json(&config, f, NULL, -1));
    assert_ok(snc_json_save(config, scratch_path(&dir, "config.json")));
    cJSON_Delete(config);
    return snc_hf_weights_save(scratch_path(&dir, "model.safetensors"), f);
}

static void assert_comes_back(const snc_model *m, const snc_arch *a, const char *what)
{
    double want[4 * NANO_CLASSES], got[4 * NANO_CLASSES];
    nano_batch b = nano_batch_make(4, 9, 6);
    snc_model *x = NULL;
    snc_sncfile *f = cut(m, a);
    if (write(f)) fail_msg("%s: %s", what, snc_err_text());
    snc_sncfile_close(f);
    if (snc_model_load(&x, &ctx, dir.dir, 0, SNC_MEANS_CLASSES)) fail_msg("%s: %s", what, snc_err_text());
    nano_forward(want, m, a, &b.t);
    nano_forward(got, x, &x->arch, &b.t);
    for (int i = 0; i < 4 * NANO_CLASSES; i++)
        if (!(fabs(want[i] - got[i]) < 1e-9)) fail_msg("%s: logit %d is %g, expected %g", what, i, got[i], want[i]);
    assert_true(x->has_head);
    assert_true(x->cfg.family == m->cfg.family);
    assert_true(x->cfg.norm_eps == m->cfg.norm_eps);
    snc_model_free(x);
    nano_batch_dispose(&b);
}

/* What a family has once for all layers is the first one's in each. */
static void share(snc_model *m, bool relative)
{
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        bool is_relative = snc_spec_of(p)->cols == SNC_AXIS_RELATIVE;
        if (snc_spec_of(p)->layer && p->layer > 0 && is_relative == relative)
            memcpy(snc_params_w(&m->params, i), snc_params_w(&m->params, snc_model_at(m, p->row, 0)),
                   (size_t)p->rows * (size_t)p->cols * sizeof(float));
    }
}

static void every_family_comes_back(void **state)
{
    (void)state;
    for (int i = 0; snc_family_at(i); i++) {
        const snc_family *family = snc_family_at(i);
        snc_model *m = nano_family_make(SNC_ACT_GELU, family);
        m->cfg.family = family;
        snc_arch wide = fitting(m, false), skips = fitting(m, true);
        if (snc_family_has(family, SNC_ROLE_RELATIVE)) share(m, true);
        if (family->fixed[0].key && strcmp(family->fixed[0].key, "num_hidden_groups") == 0) {
            snc_sncfile *f = cut(m, &wide);
            assert_fails(write(f), SNC_E_UNSUPPORTED, "layer.1.attention.q.weight is not that of the layers before, and albert has one");
            snc_sncfile_close(f);
            share(m, false);
            for (int l = 0; l < 3; l++) wide.heads[l] = 2, wide.ffn[l] = 40;
            skips = wide;
        }
        assert_comes_back(m, &wide, family->type);
        assert_comes_back(m, &skips, family->type);
        snc_model_free(m);
    }
}

static void what_has_no_place_is_refused(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_RELU);
    snc_sncfile *f = cut(m, &m->arch);
    assert_fails(write(f), SNC_E_UNSUPPORTED, "--to hf: net.snc: heads of 20 do not fill its hidden size 72, and bert has as many as do");
    snc_sncfile_close(f);
    snc_arch a = fitting(m, false);
    a.heads[1] = 4;
    f = cut(m, &a);
    assert_fails(write(f), SNC_E_UNSUPPORTED, "layer 1 has 4 heads of 20, and for bert its hidden size 60 has room for 3");
    snc_sncfile_close(f);
    snc_model_free(m);

    m = nano_family_make(SNC_ACT_GELU, snc_family_find("mpnet"));
    a = fitting(m, false);
    f = cut(m, &a);
    assert_fails(write(f), SNC_E_UNSUPPORTED, "layer.1.attention.relative is not that of the layers before");
    assert_fails(snc_hf_check(f, 0, "net.snc"), SNC_E_UNSUPPORTED,
                 "its padding is token 0, and mpnet counts positions from behind token 1");
    assert_ok(snc_hf_check(f, 1, "net.snc"));
    snc_sncfile_close(f);
    snc_model_free(m);
}

static void config_says_what_is_meant(void **state)
{
    (void)state;
    static const char *const labels[] = {"no", "yes", "both"};
    static const char *const said[] = {"single_label_classification", "regression", "multi_label_classification"};
    for (int i = 0; i < 3; i++) {
        snc_model *m = nano_model_make(SNC_ACT_GELU_TANH);
        cJSON *j = NULL;
        snc_arch a = fitting(m, false);
        m->cfg.regression = i == 1;
        m->cfg.multilabel = i == 2;
        snc_sncfile *f = cut(m, &a);
        assert_ok(snc_hf_config_json(&j, f, labels, 7));
        assert_string_equal(snc_json_text(j, "problem_type"), said[i]);
        assert_string_equal(snc_json_text(snc_json_at(j, "id2label"), "2"), "both");
        assert_true(snc_json_number(snc_json_at(j, "label2id"), "yes") == 1);
        assert_true(snc_json_number(j, "pad_token_id") == 7);
        assert_true(snc_json_number(j, "num_attention_heads") == 3);
        assert_true(snc_json_number(j, "intermediate_size") == 88);
        assert_string_equal(snc_json_text(j, "hidden_act"), "gelu_new");
        cJSON_Delete(j);
        snc_sncfile_close(f);
        snc_model_free(m);
    }
}

static int setup(void **state)
{
    (void)state;
    scratch_init(&dir, "models_hf_out");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_comes_back),
        cmocka_unit_test(what_has_no_place_is_refused),
        cmocka_unit_test(config_says_what_is_meant),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
