/* A net written as ONNX, read back by the schema and computed node by node, answers what the net answers: every family, nets of several
 * widths, every form. */
#include "files.h"

#ifndef SNC_WITH_ONNX

int main(void)
{
    puts("skipped: built without ONNX");
    return 77;
}

#else

#include "interop/onnx_net.h"
#include "models/bundle.h"
#include "models/export.h"
#include "models_nano.h"
#include "onnx_eval.h"

enum { ROWS = 3, LONGEST = 9, ALL = ROWS * NANO_CLASSES };
/* Of logits of order 1: what is seen is up to 5e-7, and 0.12 where activations have one scale a tensor. */
static const double F32_NEAR = 1e-5, INT8_NEAR = 0.25;

static const snc_ctx ctx = {.threads = 1, .seed = 42, .level = SNC_LOG_ERROR};

static double *fresh(onnx_eval *e, const char *name, int rows, int cols)
{
    const int64_t dims[] = {rows, cols};
    return onnx_add(e, name, 2, dims)->v;
}

/* Logits of a batch, padded on the right with an id that would be seen. */
static void answer(double *logits, onnx_eval *e, const snc_tokens *x)
{
    int len = 0;
    for (int b = 0; b < x->B; b++) len = x->offsets[b + 1] - x->offsets[b] > len ? x->offsets[b + 1] - x->offsets[b] : len;
    len++; /* the longest is padded as well */
    double *ids = fresh(e, "input_ids", x->B, len), *mask = fresh(e, "attention_mask", x->B, len);
    double *types = e->model->graph->n_input > 2 ? fresh(e, "token_type_ids", x->B, len) : NULL;
    for (int b = 0; b < x->B; b++)
        for (int i = 0; i < len; i++) {
            bool there = i < x->offsets[b + 1] - x->offsets[b];
            ids[b * len + i] = there ? x->ids[x->offsets[b] + i] : 7;
            mask[b * len + i] = there;
            if (types) types[b * len + i] = there ? x->types[x->offsets[b] + i] : 1;
        }
    const onnx_value *y = onnx_run(e);
    assert_int_equal(y->rank, 2);
    assert_int_equal(y->dims[0], x->B);
    assert_int_equal(y->dims[1], NANO_CLASSES);
    memcpy(logits, y->v, (size_t)(x->B * NANO_CLASSES) * sizeof *logits);
    onnx_forget(e);
}

static double farthest(const double *a, const double *b)
{
    double most = 0;
    for (int i = 0; i < ALL; i++) most = fmax(most, fabs(a[i] - b[i]));
    return most;
}

static snc_sncfile *exported(scratch *s, const snc_model *m, const snc_arch *a, const snc_policy *p)
{
    snc_sncfile *f = NULL;
    const char *path = scratch_path(s, "net.snc");
    assert_ok(snc_export_model(path, &ctx, m, a, p));
    assert_ok(snc_sncfile_open(&f, path));
    return f;
}

static void answer_of(double *logits, scratch *s, const snc_sncfile *f, snc_onnx_form form, int64_t most, const snc_tokens *x)
{
    const char *path = scratch_path(s, "net.onnx");
    remove("scratch.interop_onnx/net.onnx_data");
    assert_ok(snc_onnx_net_save(path, f, form, most));
    onnx_eval *e = onnx_open(path);
    answer(logits, e, x);
    onnx_close(e);
}

/* Of the file's own values in f32, in double precision. */
static void reference(double *logits, scratch *s, const snc_tokens *x)
{
    snc_model *m = NULL;
    assert_ok(snc_model_load(&m, &ctx, scratch_path(s, "net.snc"), 0, SNC_MEANS_CLASSES));
    nano_forward(logits, m, &m->arch, x);
    snc_model_free(m);
}

static void assert_net(scratch *s, const snc_model *m, const snc_arch *a, const char *what)
{
    double want[ALL], got[ALL];
    nano_batch b = nano_batch_make(ROWS, LONGEST, 4);
    snc_policy f32 = snc_policy_uniform(SNC_F32, SNC_F32), int8 = snc_policy_int8();
    snc_sncfile *f = exported(s, m, a, &f32);
    nano_forward(want, m, a, &b.t);
    answer_of(got, s, f, SNC_ONNX_FORM_F32, SNC_ONNX_MOST, &b.t);
    if (!(farthest(want, got) < F32_NEAR)) fail_msg("%s: f32 is %g off", what, farthest(want, got));
    snc_sncfile_close(f);
    f = exported(s, m, a, &int8);
    reference(want, s, &b.t);
    for (int form = 0; form < SNC_ONNX_FORMS; form++) {
        double near = form == SNC_ONNX_FORM_INT8 ? INT8_NEAR : F32_NEAR;
        answer_of(got, s, f, (snc_onnx_form)form, SNC_ONNX_MOST, &b.t);
        if (!(farthest(want, got) < near)) fail_msg("%s: %s of INT8 is %g off", what, snc_onnx_form_name(form), farthest(want, got));
        if (form == SNC_ONNX_FORM_INT8) assert_true(farthest(want, got) > 1e-5); /* activations are integers, too */
    }
    snc_sncfile_close(f);
    nano_batch_dispose(&b);
}

static void every_family_answers_as_its_net_does(void **state)
{
    char what[128];
    for (int i = 0; snc_family_at(i); i++) {
        snc_model *m = nano_family_make(i % 2 ? SNC_ACT_GELU_TANH : SNC_ACT_GELU, snc_family_at(i));
        snc_arch a = nano_subnet(m);
        assert_net(*state, m, &m->arch, snc_family_at(i)->type);
        snprintf(what, sizeof what, "%s, a subnet", snc_family_at(i)->type);
        assert_net(*state, m, &a, what);
        for (int k = 0; k < NANO_SKIPPING && (i == 0 || snc_family_at(i)->pre_norm); k++) {
            snprintf(what, sizeof what, "%s, skipping %d", snc_family_at(i)->type, k);
            a = nano_skipping(m, k);
            assert_net(*state, m, &a, what);
        }
        if (m->cfg.theta > 0) {
            m->cfg.mean = true;
            assert_net(*state, m, &m->arch, "the mean of all tokens");
        }
        snc_model_free(m);
    }
}

static void other_dtypes_are_their_values(void **state)
{
    double want[ALL], got[ALL];
    nano_batch b = nano_batch_make(ROWS, LONGEST, 4);
    snc_model *whole = nano_model_make(SNC_ACT_RELU), *m = NULL;
    snc_arch a = {.layers = 2, .hidden = 64, .source = {0, 2}, .heads = {4, 4}, .ffn = {48, 80}};
    assert_ok(snc_model_extract(&m, whole, &a));
    snc_model_free(whole);
    static const snc_dtype dtypes[] = {SNC_BF16, SNC_I4};
    for (int i = 0; i < 2; i++) {
        snc_policy p = snc_policy_uniform(dtypes[i], dtypes[i] == SNC_BF16 ? SNC_F32 : dtypes[i]);
        snc_sncfile *f = exported(*state, m, NULL, &p);
        reference(want, *state, &b.t);
        answer_of(got, *state, f, SNC_ONNX_FORM_F32, SNC_ONNX_MOST, &b.t);
        assert_true(farthest(want, got) < F32_NEAR);
        answer_of(got, *state, f, SNC_ONNX_FORM_QDQ, SNC_ONNX_MOST, &b.t);
        assert_true(farthest(want, got) < F32_NEAR);
        answer_of(got, *state, f, SNC_ONNX_FORM_INT8, SNC_ONNX_MOST, &b.t);
        assert_true(farthest(want, got) < (dtypes[i] == SNC_BF16 ? F32_NEAR : INT8_NEAR));
        snc_sncfile_close(f);
    }
    snc_model_free(m);
    nano_batch_dispose(&b);
}

/* The very integers and scales: nothing is quantized anew. */
static void integers_are_the_files(void **state)
{
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    snc_policy int8 = snc_policy_int8();
    snc_arch a = nano_subnet(m);
    snc_sncfile *f = exported(*state, m, &a, &int8);
    snc_matrix_view v;
    assert_ok(snc_sncfile_matrix_view(&v, f, "layer.1.ffn.out.weight"));
    assert_ok(snc_onnx_net_save(scratch_path(*state, "net.onnx"), f, SNC_ONNX_FORM_INT8, SNC_ONNX_MOST));
    onnx_eval *e = onnx_open(scratch_path(*state, "net.onnx"));
    const onnx_value *w = onnx_find(e, "layer.1.ffn.out.weight.integers"), *scale = onnx_find(e, "layer.1.ffn.out.weight.scale");
    assert_int_equal(w->type, ONNX__TENSOR_PROTO__DATA_TYPE__INT8);
    assert_int_equal(w->dims[0], v.cols);
    assert_int_equal(w->dims[1], v.rows);
    for (int r = 0; r < v.rows; r++) {
        assert_true(scale->v[r] == (double)v.scale[r]);
        for (int c = 0; c < v.cols; c++) assert_int_equal((int)w->v[c * v.rows + r], ((const int8_t *)v.data)[r * v.ld + c]);
    }
    assert_int_equal(onnx_count(e, "MatMulInteger"), 2 * 6 + 1);
    assert_int_equal(onnx_count(e, "DynamicQuantizeLinear"), 2 * 4 + 1 + 1); /* Q, K and V read one; the last layer's Q first tokens */
    assert_int_equal(onnx_count(e, "MatMul"), 2 * 2 + 1);                    /* attention's own, and the classifier */
    assert_int_equal(e->model->opset_import[0]->version, SNC_ONNX_OPSET);
    onnx_close(e);
    snc_sncfile_close(f);
    snc_model_free(m);
}

/* As a model of more than two gigabytes is. */
static void large_tensors_lie_beside_a_large_model(void **state)
{
    double want[ALL], got[ALL];
    nano_batch b = nano_batch_make(ROWS, LONGEST, 4);
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    snc_policy f32 = snc_policy_uniform(SNC_F32, SNC_F32);
    snc_sncfile *f = exported(*state, m, &m->arch, &f32);
    answer_of(want, *state, f, SNC_ONNX_FORM_F32, SNC_ONNX_MOST, &b.t);
    assert_false(snc_is_file(scratch_path(*state, "net.onnx_data")));
    double whole = snc_file_size(scratch_path(*state, "net.onnx"));
    answer_of(got, *state, f, SNC_ONNX_FORM_F32, (int64_t)whole - 1, &b.t);
    assert_true(snc_file_size(scratch_path(*state, "net.onnx")) < whole / 4);
    assert_true(snc_is_file(scratch_path(*state, "net.onnx_data")));
    assert_true(farthest(want, got) == 0);
    snc_sncfile_close(f);
    snc_model_free(m);
    nano_batch_dispose(&b);
}

/* A net that borrows what it has from the first of its file. */
static void a_net_of_several_is_that_net(void **state)
{
    double want[ALL], got[ALL];
    nano_batch b = nano_batch_make(ROWS, LONGEST, 4);
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    snc_policy int8 = snc_policy_int8();
    snc_arch a = nano_subnet(m);
    snc_sncfile *both[2], *f = NULL;
    const char *const paths[] = {"scratch.interop_onnx/whole.snc", "scratch.interop_onnx/part.snc"};
    assert_ok(snc_export_model(paths[0], &ctx, m, NULL, &int8));
    assert_ok(snc_export_model(paths[1], &ctx, m, &a, &int8));
    for (int i = 0; i < 2; i++) assert_ok(snc_sncfile_open(&both[i], paths[i]));
    const char *path = scratch_path(*state, "several.snc");
    assert_ok(snc_bundle_save(path, (const snc_sncfile *const *)both, paths, 2, NULL));
    assert_ok(snc_sncfile_open(&f, path));
    for (int i = 0; i < 2; i++) {
        answer_of(want, *state, both[i], SNC_ONNX_FORM_INT8, SNC_ONNX_MOST, &b.t);
        answer_of(got, *state, snc_sncfile_net_view(f, i), SNC_ONNX_FORM_INT8, SNC_ONNX_MOST, &b.t);
        assert_true(farthest(want, got) == 0);
        snc_sncfile_close(both[i]);
    }
    snc_sncfile_close(f);
    snc_model_free(m);
    nano_batch_dispose(&b);
}

static snc_err give_up(void *to, const void *payload, int64_t row, int64_t rows)
{
    (void)to, (void)payload, (void)row, (void)rows;
    return snc_err_set(SNC_E_IO, "no more");
}

static void a_failure_leaves_no_file(void **state)
{
    static const int64_t dims[] = {4, 4};
    snc_onnx *g = NULL;
    const char *path = scratch_path(*state, "failed.onnx");
    assert_ok(snc_onnx_new(&g));
    const char *w = snc_onnx_tensor(g, "w", SNC_ONNX_F32, 2, dims, give_up, "", 0);
    snc_onnx_output(g, "y", w, false, 4);
    assert_fails(snc_onnx_save(g, path, SNC_ONNX_MOST), SNC_E_IO, "no more");
    assert_false(snc_is_there(path));
    snc_onnx_failed(g, snc_err_set(SNC_E_NOMEM, "the first")); /* it sticks */
    snc_onnx_float(g, 1);
    assert_fails(snc_onnx_save(g, path, SNC_ONNX_MOST), SNC_E_NOMEM, "the first");
    snc_onnx_free(g);
}

static int setup(void **state)
{
    static scratch s;
    scratch_init(&s, "interop_onnx");
    *state = &s;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_answers_as_its_net_does),
        cmocka_unit_test(other_dtypes_are_their_values),
        cmocka_unit_test(integers_are_the_files),
        cmocka_unit_test(large_tensors_lie_beside_a_large_model),
        cmocka_unit_test(a_net_of_several_is_that_net),
        cmocka_unit_test(a_failure_leaves_no_file),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

#endif
