/* Checkpoints of every family, as Transformers writes them, against its logits and gradients in float64 (tests/ref/families_golden.py):
 * import, engine and runtime. SNC_TEST_FAMILIES names another folder of such ones. */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "against.h"
#include "base/isa.h"
#include "files.h"
#include "golden.h"
#include "models/engine.h"
#include "models/runtime.h"

/* Logits of order 1, f32 sums in other orders; gradients relative to a tensor's largest value, or 1. bf16 products: root mean squares of
 * both. INT8 and F32: correlation of logits; of 42 drawn shapes the median is 0.9996, the lowest 0.994 (48 channels), BERT's own 0.998. */
static const double LOGITS = 1e-4, GRADIENTS = 1e-5, BF16 = 0.06, CORRELATION = 0.999, CORRELATION_DRAWN = 0.99;

enum { B = 6, K = CLASSES, ALL = B * K, MAX_FOLDERS = 256, PATH = 512 };

#define ELSEWHERE "SNC_TEST_FAMILIES"

typedef struct checkpoint {
    char path[PATH];
    snc_model *m;
    snc_st *golden, *file;
    int32_t ids[64], types[64], offsets[B + 1];
    snc_tokens x;
    float want[ALL];
} checkpoint;

typedef struct folders {
    char name[MAX_FOLDERS][64];
    int n;
} folders;

static folders all;

static void add_folder(void *user, const char *name)
{
    folders *f = user;
    if (name[0] != '.' && f->n < MAX_FOLDERS) snprintf(f->name[f->n++], sizeof f->name[0], "%s", name);
}

static const char *root(void)
{
    const char *given = getenv(ELSEWHERE);
    return given ? given : SNC_TEST_DIR "/golden/families";
}

static void read_ints(int32_t *to, const snc_st *f, const char *name)
{
    memcpy(to, golden_tensor(f, name, "", "")->data, golden_tensor(f, name, "", "")->bytes);
}

static void open_checkpoint(checkpoint *c, int i)
{
    snc_ctx ctx = SNC_CTX_INIT;
    char path[PATH + 32];
    ctx.level = SNC_LOG_ERROR;
    snprintf(c->path, sizeof c->path, "%s/%s", root(), all.name[i]);
    if (snc_model_load(&c->m, &ctx, c->path, 0, SNC_MEANS_CLASSES)) fail_msg("%s", snc_err_text());
    assert_true(c->m->has_head);
    snprintf(path, sizeof path, "%s/golden.safetensors", c->path);
    assert_ok(snc_st_open(&c->golden, path));
    snprintf(path, sizeof path, "%s/model.safetensors", c->path);
    assert_ok(snc_st_open(&c->file, path));
    read_ints(c->ids, c->golden, "ids");
    read_ints(c->types, c->golden, "types");
    read_ints(c->offsets, c->golden, "offsets");
    c->x = (snc_tokens){.B = B, .T = c->offsets[B], .ids = c->ids, .types = c->types, .offsets = c->offsets};
    memcpy(c->want, golden_tensor(c->golden, "logits", "", "")->data, sizeof c->want);
}

static void close_checkpoint(checkpoint *c)
{
    snc_model_free(c->m);
    snc_st_close(c->golden);
    snc_st_close(c->file);
}

static void each_checkpoint(void (*check)(checkpoint *c))
{
    for (int i = 0; i < all.n; i++) {
        checkpoint c;
        open_checkpoint(&c, i);
        check(&c);
        close_checkpoint(&c);
    }
}

/* ---- names and shapes ------------------------------------------------------------------------------------------------- */

static void check_names(checkpoint *c)
{
    const snc_family *f = snc_family_of(&c->m->cfg);
    int named = 0;
    for (int i = 0; i < c->m->params.n; i++) {
        const snc_param *p = &c->m->params.p[i];
        char name[SNC_FAMILY_NAME];
        snc_role role;
        int layer;
        snc_family_name(name, sizeof name, f, p->row, p->layer);
        const snc_tensor *t = snc_st_find(c->file, name);
        if (!t) fail_msg("%s: no tensor %s", c->path, name);
        int64_t shape[2];
        int rank = snc_spec_shape(shape, p);
        assert_true(snc_tensor_is(t, rank, shape[0], shape[1]));
        assert_true(snc_family_role(&role, &layer, f, name));
        bool shared = snc_spec_of(p)->layer && !strstr(f->name[p->row], "{N}");
        assert_int_equal(role, p->row);
        assert_int_equal(layer, shared ? 0 : p->layer);
        named += !shared || p->layer == 0;
    }
    assert_int_equal(named, snc_st_count(c->file)); /* nothing is left over */
}

static void names_lead_there_and_back_and_leave_nothing_over(void **state)
{
    (void)state;
    each_checkpoint(check_names);
}

/* ---- engine ----------------------------------------------------------------------------------------------------------- */

typedef struct setting {
    snc_backend backend;
    snc_compute compute;
    bool first_only;
} setting;

/* Layers that share a parameter share its gradient. */
static void check_gradient(const checkpoint *c, const snc_tensor *t, bool bf16)
{
    const snc_model *m = c->m;
    size_t n = t->bytes / sizeof(float);
    float *sum = NULL, *want = NULL;
    snc_role role;
    int layer;
    assert_true(snc_family_role(&role, &layer, snc_family_of(&m->cfg), t->name + 2));
    if (bf16 && role == SNC_ROLE_K_BIAS) return; /* 0 in exact arithmetic */
    assert_ok(snc_alloc(&sum, n, sizeof *sum));
    assert_ok(snc_alloc(&want, n, sizeof *want));
    memcpy(want, t->data, t->bytes);
    bool shared = snc_spec_rows[role].layer && !strstr(snc_family_of(&m->cfg)->name[role], "{N}");
    for (int l = layer; l <= (shared ? m->arch.layers - 1 : layer); l++) {
        const float *g = snc_params_g(&m->params, snc_model_at(m, role, l));
        for (size_t k = 0; k < n; k++) sum[k] += g[k];
    }
    double d = against_distance(sum, want, n, bf16);
    if (!(d <= (bf16 ? BF16 : GRADIENTS))) fail_msg("%s: %s: gradient differs by %.3g", c->path, t->name, d);
    snc_free(sum);
    snc_free(want);
}

static void check_engine(checkpoint *c, const setting *s)
{
    snc_ctx ctx = SNC_CTX_INIT;
    snc_engine_opts o = {.compute = s->compute, .max_tokens = 60, .max_seqs = B, .max_len = 20, .train = true, .first_only = s->first_only};
    snc_engine *e;
    float logits[ALL], dlogits[ALL];
    bool bf16 = s->compute == SNC_COMPUTE_BF16;
    ctx.backend = s->backend;
    ctx.threads = 2;
    snc_err err = snc_engine_create(&e, &ctx, c->m, &o);
    if (err == SNC_E_UNSUPPORTED) return;
    assert_int_equal(err, SNC_OK);
    assert_ok(snc_engine_forward(e, logits, &c->m->arch, &c->x, NULL));
    double d = against_distance(logits, c->want, ALL, bf16);
    if (!(d <= (bf16 ? BF16 : LOGITS))) fail_msg("%s: logits differ by %.3g", c->path, d);
    memcpy(dlogits, golden_tensor(c->golden, "dlogits", "", "")->data, sizeof dlogits);
    snc_params_zero_grad(&c->m->params);
    assert_ok(snc_engine_backward(e, dlogits, NULL, 0));
    for (int i = 0; i < snc_st_count(c->golden); i++) {
        const snc_tensor *t = &snc_st_tensors_view(c->golden)[i];
        if (strncmp(t->name, "g.", 2) == 0) check_gradient(c, t, bf16);
    }
    snc_engine_free(e);
}

static void check_f32(checkpoint *c)
{
    for (int b = SNC_BACKEND_AUTO; b <= SNC_BACKEND_NATIVE; b++)
        for (int first_only = 0; first_only < 2; first_only++) check_engine(c, &(setting){(snc_backend)b, SNC_COMPUTE_F32, first_only});
}

static void check_bf16(checkpoint *c)
{
    if (c->m->cfg.act == SNC_ACT_RELU || snc_family_of(&c->m->cfg)->head == SNC_HEAD_RELU)
        return; /* a sign that is rounded away moves all */
    check_engine(c, &(setting){SNC_BACKEND_AUTO, SNC_COMPUTE_BF16, true});
    check_engine(c, &(setting){SNC_BACKEND_REF, SNC_COMPUTE_BF16, false});
}

static void the_engine_equals_transformers(void **state)
{
    (void)state;
    each_checkpoint(check_f32);
}

static void bf16_products_stay_near(void **state)
{
    (void)state;
    each_checkpoint(check_bf16);
}

/* ---- runtime ---------------------------------------------------------------------------------------------------------- */

/* Both runtime and engine, in F32. */
static void check_one_type(checkpoint *c)
{
    const snc_policy f32 = snc_policy_uniform(SNC_F32, SNC_F32);
    float got[ALL];
    if (c->m->cfg.types != 1) return;
    for (int t = 0; t < c->x.T; t++) c->types[t] = t % 2;
    against_run(got, c->m, &c->x, SNC_BACKEND_REF, &f32, 1);
    assert_true(against_distance(got, c->want, ALL, false) <= LOGITS);
    check_engine(c, &(setting){SNC_BACKEND_REF, SNC_COMPUTE_F32, true});
}

static void segments_of_a_pair_read_the_one_row_that_there_is(void **state)
{
    (void)state;
    each_checkpoint(check_one_type);
}

static void check_runtime_f32(checkpoint *c)
{
    const snc_policy f32 = snc_policy_uniform(SNC_F32, SNC_F32);
    for (int ref = 0; ref < 2; ref++) {
        float got[ALL];
        against_run(got, c->m, &c->x, ref ? SNC_BACKEND_REF : SNC_BACKEND_AUTO, &f32, 1);
        double d = against_distance(got, c->want, ALL, false);
        if (!(d <= LOGITS)) fail_msg("%s: logits differ by %.3g", c->path, d);
    }
}

static void check_runtime_int8(checkpoint *c)
{
    const snc_policy int8 = snc_policy_int8(), bf16 = snc_policy_uniform(SNC_BF16, SNC_BF16);
    for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) {
        float got[ALL], again[ALL];
        setenv("SNC_ISA", snc_isa_name((snc_isa)isa), 1);
        against_run(got, c->m, &c->x, SNC_BACKEND_AUTO, &int8, 1);
        double r = against_correlation(got, c->want, ALL);
        if (getenv(ELSEWHERE)) print_message("%s: INT8 on %s: correlation %.5f\n", c->path, snc_isa_name((snc_isa)isa), r);
        if (!(r >= (getenv(ELSEWHERE) ? CORRELATION_DRAWN : CORRELATION)))
            fail_msg("%s: INT8 on %s: correlation %.5f", c->path, snc_isa_name((snc_isa)isa), r);
        against_run(again, c->m, &c->x, SNC_BACKEND_AUTO, &int8, 2);
        assert_memory_equal(again, got, sizeof got);
        against_run(got, c->m, &c->x, SNC_BACKEND_AUTO, &bf16, 1);
        assert_true(against_correlation(got, c->want, ALL) >= CORRELATION_DRAWN);
    }
    unsetenv("SNC_ISA");
}

static void the_runtime_equals_transformers(void **state)
{
    (void)state;
    each_checkpoint(check_runtime_f32);
}

static void int8_follows_f32_on_every_isa(void **state)
{
    (void)state;
    each_checkpoint(check_runtime_int8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_there_and_back_and_leave_nothing_over),
        cmocka_unit_test(the_engine_equals_transformers),
        cmocka_unit_test(bf16_products_stay_near),
        cmocka_unit_test(the_runtime_equals_transformers),
        cmocka_unit_test(segments_of_a_pair_read_the_one_row_that_there_is),
        cmocka_unit_test(int8_follows_f32_on_every_isa),
    };
    snc_dir_each(root(), add_folder, &all);
    if (all.n == 0) {
        fprintf(stderr, "no checkpoints in %s\n", root());
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
