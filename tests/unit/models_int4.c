/* INT4 in models: export and prefix agree, the file holds what it says and refuses what it must, sizes are known. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdlib.h>

#include "base/fmap.h"
#include "base/isa.h"
#include "check.h"
#include "files.h"
#include "models/cost.h"
#include "models/export.h"
#include "models/snc_file.h"
#include "nano.h"

enum { B = 5 };

/* Squared error of a row of normal weights in INT4, relative: 0.0064 to 0.0085 measured (two rows alone). */
#define INT4_ERROR 0.009

static snc_model *full_nano(void)
{
    snc_model *m = NULL;
    assert_ok(nano_model(&m, 11));
    return m;
}

static snc_arch subnet(void) { return (snc_arch){.layers = 2, .hidden = 16, .source = {0, 2}, .heads = {4, 2}, .ffn = {48, 16}}; }

static snc_policy int4(void)
{
    snc_policy p = snc_policy_uniform(SNC_I4, SNC_I4);
    p.classifier = SNC_F32;
    return p;
}

static void run(float *logits, const snc_ctx *ctx, snc_weights *w, const snc_arch *a, const snc_policy *p, const snc_tokens *x)
{
    snc_net *n = NULL;
    assert_ok(snc_net_create(&n, ctx, w, a, p, &(snc_net_opts)SNC_NET_OPTS_INIT));
    assert_ok(snc_net_run(logits, n, x));
    snc_net_free(n);
}

static void check(const char *path, snc_backend backend, const snc_arch *a, const snc_policy *p)
{
    static const int lens[B] = {7, 1, 12, 3, 20};
    snc_model *m = full_nano();
    snc_ctx ctx = SNC_CTX_INIT;
    snc_weights *w = NULL, *opened = NULL;
    snc_export_info info = {.has_head = true};
    float prefix[B * NANO_K], exported[B * NANO_K];
    nano_batch x;
    nano_batch_make(&x, lens, B, NANO_V, 3);
    ctx.backend = backend;
    assert_ok(snc_weights_from_model(&w, &ctx, m));
    run(prefix, &ctx, w, a, p, &x.x);
    assert_ok(snc_export(path, w, a, p, &info));
    assert_ok(snc_weights_open(&opened, &ctx, path));
    run(exported, &ctx, opened, NULL, NULL, &x.x);
    assert_memory_equal(prefix, exported, sizeof prefix);
    snc_weights_free(opened);
    snc_weights_free(w);
    snc_model_free(m);
}

static void an_exported_int4_net_has_the_bits_of_its_prefix(void **state)
{
    scratch *s = *state;
    const char *path = scratch_path(s, "int4.snc");
    snc_policy p = int4(), mixed = snc_policy_uniform(SNC_I8, SNC_I4);
    snc_arch a = subnet();
    mixed.linear[0][SNC_SITE_FFN_IN] = mixed.linear[1][SNC_SITE_FFN_OUT] = mixed.linear[1][SNC_SITE_K] = SNC_I4;
    mixed.linear[0][SNC_SITE_O] = SNC_BF16;
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        assert_int_equal(setenv("SNC_ISA", snc_isa_name((snc_isa)isa), 1), 0);
        check(path, SNC_BACKEND_AUTO, NULL, &p);
        check(path, SNC_BACKEND_AUTO, &a, &p);
        check(path, SNC_BACKEND_AUTO, &a, &mixed);
    }
    assert_int_equal(unsetenv("SNC_ISA"), 0);
    check(path, SNC_BACKEND_REF, &a, &p);
}

static void an_int4_file_loads_as_f32_within_its_error(void **state)
{
    scratch *s = *state;
    snc_model *m = full_nano(), *x = NULL;
    snc_ctx ctx = SNC_CTX_INIT;
    snc_policy p = int4();
    const char *path = scratch_path(s, "load.snc");
    assert_ok(snc_export_model(path, &ctx, m, NULL, &p));
    assert_ok(snc_model_load(&x, &ctx, path, 0, SNC_MEANS_CLASSES));
    for (int i = 0; i < m->params.n; i++) {
        const float *a = snc_params_w(&m->params, i), *b = snc_params_w(&x->params, i);
        double e = 0, all = 0;
        int n = m->params.p[i].rows * m->params.p[i].cols;
        for (int k = 0; k < n; k++) e += pow((double)a[k] - (double)b[k], 2), all += (double)a[k] * (double)a[k];
        assert_true(e <= (snc_spec_dtype(&p, m->params.p[i].row, m->params.p[i].layer) == SNC_I4 ? INT4_ERROR * all : 0));
    }
    snc_model_free(x);
    snc_model_free(m);
}

static void cost_knows_the_bytes_of_an_int4_file(void **state)
{
    scratch *s = *state;
    snc_model *m = full_nano();
    snc_ctx ctx = SNC_CTX_INIT;
    snc_policy p = int4();
    snc_arch a[] = {m->arch, subnet()};
    const char *path = scratch_path(s, "cost.snc");
    for (int i = 0; i < 2; i++) {
        snc_bytes want;
        snc_sncfile *f = NULL;
        int64_t data = 0;
        assert_ok(snc_export_model(path, &ctx, m, &a[i], &p));
        assert_ok(snc_sncfile_open(&f, path));
        for (int k = 0; k < snc_st_count(snc_sncfile_tensors(f)); k++)
            data += (int64_t)snc_st_tensors_view(snc_sncfile_tensors(f))[k].bytes;
        snc_cost_bytes(&want, &m->cfg, &a[i], &p, 0, 1000);
        assert_int_equal(want.total - want.header, data);
        snc_sncfile_close(f);
    }
    snc_model_free(m);
}

/* ---- refusals ------------------------------------------------------------------------------------------------------- */

static const char *const meta_keys[] = {"snc_format", "snc_version", "config", "arch", "policy", "meta", "has_head", "int4_group"};

/* A good INT4 file with one metadata value replaced (NULL: left out), or one tensor left out, cut by a column or with a
 * first scale of `scale`. */
static const char *edited(scratch *s, const char *key, const char *value, const char *victim, bool cut, float scale)
{
    static char path[512];
    static snc_tensor list[256];
    static float scales[NANO_V];
    snc_model *m = full_nano();
    snc_ctx ctx = SNC_CTX_INIT;
    snc_policy p = int4();
    snc_st *f = NULL;
    int n = 0;
    assert_ok(snc_export_model(scratch_path(s, "good.snc"), &ctx, m, NULL, &p));
    snc_model_free(m);
    assert_ok(snc_st_open(&f, scratch_path(s, "good.snc")));
    assert_string_equal(snc_st_metadata_view(f, "snc_format"), "2");
    cJSON *meta = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof meta_keys / sizeof *meta_keys; i++) {
        const char *v = key && strcmp(key, meta_keys[i]) == 0 ? value : snc_st_metadata_view(f, meta_keys[i]);
        if (v) cJSON_AddStringToObject(meta, meta_keys[i], v);
    }
    for (int i = 0; i < snc_st_count(f); i++) {
        list[n] = snc_st_tensors_view(f)[i];
        bool hit = victim && strcmp(list[n].name, victim) == 0;
        if (hit && scale != 0.0f) {
            memcpy(scales, list[n].data, list[n].bytes);
            scales[0] = scale;
            list[n].data = scales;
        } else if (hit && cut) {
            list[n].shape[1]--;
            list[n].bytes = (size_t)(list[n].shape[0] * list[n].shape[1]);
        } else if (hit) {
            continue;
        }
        n++;
    }
    snprintf(path, sizeof path, "%s/edited.snc", s->dir);
    assert_ok(snc_st_save(path, meta, list, n));
    cJSON_Delete(meta);
    snc_st_close(f);
    return path;
}

static void refuses(const char *path, snc_err code, const char *fragment)
{
    snc_sncfile *f = NULL;
    assert_fails(snc_sncfile_open(&f, path), code, fragment);
    assert_non_null(strstr(snc_err_text(), "edited.snc"));
}

static void damaged_int4_files_are_refused_by_name(void **state)
{
    scratch *s = *state;
    const char *name = "layer.1.ffn.in.weight.scale";
    snc_sncfile *f = NULL;
    assert_ok(snc_sncfile_open(&f, edited(s, NULL, NULL, NULL, false, 0)));
    snc_sncfile_close(f);
    refuses(edited(s, "int4_group", "32", NULL, false, 0), SNC_E_UNSUPPORTED, "int4 in groups of 32, expected 16");
    refuses(edited(s, "int4_group", NULL, NULL, false, 0), SNC_E_UNSUPPORTED, "groups of no stated size");
    refuses(edited(s, NULL, NULL, name, false, -1), SNC_E_FORMAT, "'layer.1.ffn.in.weight.scale': scale 0 is -1");
    refuses(edited(s, NULL, NULL, name, false, (float)NAN), SNC_E_FORMAT, "scale 0 is");
    refuses(edited(s, NULL, NULL, name, false, 0), SNC_E_FORMAT, "'layer.1.ffn.in.weight.scale' is missing");
    refuses(edited(s, NULL, NULL, "embeddings.word.weight.group", false, 0), SNC_E_FORMAT, "'embeddings.word.weight.group' is missing");
    refuses(edited(s, NULL, NULL, "layer.0.ffn.out.weight.group", true, 0), SNC_E_SHAPE, "expected dtype U8 and shape [32, 2]");
    refuses(edited(s, NULL, NULL, "layer.0.ffn.out.weight", true, 0), SNC_E_SHAPE, "is [32, 31], expected [32, 32]");
}

static void a_width_that_int4_cannot_have_is_named(void **state)
{
    scratch *s = *state;
    snc_model *m = full_nano();
    snc_ctx ctx = SNC_CTX_INIT;
    snc_policy p = int4();
    snc_arch a = m->arch;
    const char *path = scratch_path(s, "refused.snc");
    a.ffn[1] = 40;
    assert_fails(snc_export_model(path, &ctx, m, &a, &p), SNC_E_SHAPE, "layer 1 ffn_out: int4 on 40 inputs, expected a multiple of 16");
    p.linear[1][SNC_SITE_FFN_OUT] = SNC_I8;
    a.heads[2] = 3;
    assert_fails(snc_export_model(path, &ctx, m, &a, &p), SNC_E_SHAPE, "layer 2 o: int4 on 24 inputs");
    p = snc_policy_uniform(SNC_I8, SNC_I4);
    a.hidden = 24;
    assert_fails(snc_export_model(path, &ctx, m, &a, &p), SNC_E_SHAPE, "embed: int4 on rows of 24");
    assert_false(snc_is_file(path));
    snc_model_free(m);
}

int main(void)
{
    static scratch s;
    scratch_init(&s, "models_int4");
    void *state = &s;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(an_exported_int4_net_has_the_bits_of_its_prefix, state),
        cmocka_unit_test_prestate(an_int4_file_loads_as_f32_within_its_error, state),
        cmocka_unit_test_prestate(cost_knows_the_bytes_of_an_int4_file, state),
        cmocka_unit_test_prestate(damaged_int4_files_are_refused_by_name, state),
        cmocka_unit_test_prestate(a_width_that_int4_cannot_have_is_named, state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
