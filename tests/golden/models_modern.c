/* Families whose layers do what BERT's do not, against PyTorch in float64 (tests/ref/modern_golden.py): texts long enough for every
 * distance to count. Import, engine, runtime and, where a family brings its own, the tokenizer. SNC_TEST_MODERN names another folder of
 * such models, of any shapes. */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "against.h"
#include "base/isa.h"
#include "files.h"
#include "golden.h"
#include "models/engine.h"
#include "models/hf_priv.h"
#include "models/runtime.h"
#include "tokenizer/tokenizer.h"

/* f32: the largest difference over the largest value, or 1; bf16: root mean squares of both; INT8: correlation with what PyTorch says.
 * Measured: 1.5e-6, 1.2e-6, 0.013, 0.9996; of 40 nets of drawn shapes, whose 15 logits may lie close together, INT8 0.9979. */
static const double LOGITS = 1e-4, GRADIENTS = 1e-5, BF16 = 0.06, CORRELATION = 0.999, DRAWN = 0.997;

enum { B = 5, K = CLASSES, ALL = B * K, MOST = 256, ROOM = 1 << 18, BATCH = 4 /* tensors of a golden beside its gradients */ };

enum { FAMILIES = 128, NAME = 64 };
static char families[FAMILIES][NAME]; /* folders */
static int count;

static void add_family(void *user, const char *name)
{
    (void)user;
    if (name[0] != '.' && count < FAMILIES) snprintf(families[count++], NAME, "%s", name);
}

static const char *root(void)
{
    const char *given = getenv("SNC_TEST_MODERN");
    return given ? given : SNC_TEST_DIR "/golden/modern";
}

static char *path_of(const char *family, const char *file)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s/%s", root(), family, file);
    return path;
}

typedef struct subject {
    const char *name;
    snc_model *m;
    snc_st *golden;
    int32_t ids[MOST], types[MOST], offsets[B + 1];
    snc_tokens x;
    float want[ALL];
} subject;

static void fetch(void *to, const subject *s, const char *name, size_t most)
{
    const snc_tensor *t = golden_tensor(s->golden, name, "", "");
    assert_true(t->bytes <= most);
    memcpy(to, t->data, t->bytes);
}

static void open_subject(subject *s, const char *name)
{
    snc_ctx ctx = SNC_CTX_INIT;
    ctx.level = SNC_LOG_ERROR;
    *s = (subject){.name = name};
    assert_ok(snc_model_load(&s->m, &ctx, path_of(name, "model.safetensors"), 0, SNC_MEANS_CLASSES));
    assert_true(s->m->has_head);
    assert_ok(snc_st_open(&s->golden, path_of(name, "golden.safetensors")));
    fetch(s->ids, s, "ids", sizeof s->ids);
    fetch(s->offsets, s, "offsets", sizeof s->offsets);
    fetch(s->want, s, "logits", sizeof s->want);
    s->x = (snc_tokens){.B = B, .T = s->offsets[B], .ids = s->ids, .types = s->types, .offsets = s->offsets};
}

static void close_subject(subject *s)
{
    snc_model_free(s->m);
    snc_st_close(s->golden);
}

static void within(const subject *s, const char *what, double d, double limit)
{
    if (!(d <= limit)) fail_msg("%s: %s differs by %.3g", s->name, what, d);
}

/* ---- engine ------------------------------------------------------------------------------------------------------------- */

/* Of parameter i; where layers share it, of all of them together, at the first. */
static void check_gradient(const subject *s, int i, bool bf16)
{
    static float want[ROOM], sum[ROOM];
    const snc_model *m = s->m;
    const snc_param *p = &m->params.p[i];
    size_t n = (size_t)p->rows * (size_t)p->cols;
    char name[SNC_FAMILY_NAME];
    bool shared = snc_spec_of(p)->layer && !strstr(m->cfg.family->name[p->row], "{N");
    if ((shared && p->layer) || (bf16 && p->row == SNC_ROLE_K_BIAS)) return; /* the latter is 0 in exact arithmetic */
    assert_true(n <= ROOM);
    snc_family_name_in(name, sizeof name, &m->cfg, p->row, p->layer);
    char in_golden[SNC_FAMILY_NAME + 2];
    snprintf(in_golden, sizeof in_golden, "g.%s", name);
    if (m->cfg.family->no_bias && !snc_st_find(s->golden, in_golden)) return; /* which the model has not */
    assert_ok(snc__hf_read(want, p, golden_tensor(s->golden, "g.", name, ""), m->cfg.family));
    memset(sum, 0, n * sizeof *sum);
    for (int l = p->layer; l <= (shared ? m->arch.layers - 1 : p->layer); l++)
        for (size_t k = 0; k < n; k++) sum[k] += snc_params_g(&m->params, snc_model_at(m, p->row, l))[k];
    within(s, name, against_distance(sum, want, n, bf16), bf16 ? BF16 : GRADIENTS);
}

static void check_engine(const subject *s, snc_backend backend, bool bf16, bool first_only)
{
    snc_ctx ctx = SNC_CTX_INIT;
    snc_engine_opts o = SNC_ENGINE_OPTS_INIT;
    snc_engine *e;
    float logits[ALL], dlogits[ALL];
    ctx.backend = backend;
    ctx.threads = 2;
    o.compute = bf16 ? SNC_COMPUTE_BF16 : SNC_COMPUTE_F32;
    o.max_tokens = MOST;
    o.max_seqs = B;
    o.first_only = first_only;
    snc_err err = snc_engine_create(&e, &ctx, s->m, &o);
    if (err == SNC_E_UNSUPPORTED) return;
    assert_ok(err);
    assert_ok(snc_engine_forward(e, logits, &s->m->arch, &s->x, NULL));
    within(s, "logits", against_distance(logits, s->want, ALL, bf16), bf16 ? BF16 : LOGITS);
    fetch(dlogits, s, "dlogits", sizeof dlogits);
    snc_params_zero_grad(&s->m->params);
    assert_ok(snc_engine_backward(e, dlogits, NULL, 0));
    bool gradients = snc_st_count(s->golden) > BATCH;
    for (int i = 0; i < s->m->params.n && gradients; i++) check_gradient(s, i, bf16);
    snc_engine_free(e);
}

static void engines_equal_transformers(void **state)
{
    (void)state;
    for (int f = 0; f < count; f++) {
        subject s;
        open_subject(&s, families[f]);
        for (int b = SNC_BACKEND_AUTO; b <= SNC_BACKEND_NATIVE; b++)
            for (int first_only = 0; first_only < 2; first_only++) check_engine(&s, (snc_backend)b, false, first_only);
        check_engine(&s, SNC_BACKEND_AUTO, true, true);
        check_engine(&s, SNC_BACKEND_REF, true, false);
        close_subject(&s);
    }
}

/* ---- runtime ------------------------------------------------------------------------------------------------------------ */

static void check_isa(const subject *s, const char *isa)
{
    const snc_policy f32 = snc_policy_uniform(SNC_F32, SNC_F32), int8 = snc_policy_int8(), bf16 = snc_policy_uniform(SNC_BF16, SNC_BF16);
    float got[ALL], again[ALL];
    setenv("SNC_ISA", isa, 1);
    against_run(got, s->m, &s->x, SNC_BACKEND_AUTO, &f32, 1);
    within(s, isa, against_distance(got, s->want, ALL, false), LOGITS);
    for (int i = 0; i < 2; i++) {
        against_run(got, s->m, &s->x, SNC_BACKEND_AUTO, i ? &bf16 : &int8, 1);
        double r = against_correlation(got, s->want, ALL);
        if (!(r >= (getenv("SNC_TEST_MODERN") ? DRAWN : CORRELATION)))
            fail_msg("%s: %s on %s: correlation %.5f", s->name, i ? "BF16" : "INT8", isa, r);
    }
    against_run(got, s->m, &s->x, SNC_BACKEND_AUTO, &int8, 1);
    against_run(again, s->m, &s->x, SNC_BACKEND_AUTO, &int8, 2);
    assert_memory_equal(again, got, sizeof got);
    unsetenv("SNC_ISA");
}

static void the_runtime_equals_transformers_on_every_isa(void **state)
{
    const snc_policy f32 = snc_policy_uniform(SNC_F32, SNC_F32);
    (void)state;
    for (int f = 0; f < count; f++) {
        subject s;
        float got[ALL];
        open_subject(&s, families[f]);
        against_run(got, s.m, &s.x, SNC_BACKEND_REF, &f32, 1);
        within(&s, "ref", against_distance(got, s.want, ALL, false), LOGITS);
        for (int isa = SNC_ISA_SCALAR; isa < SNC_ISA_COUNT; isa = snc_isa_next(isa)) check_isa(&s, snc_isa_name((snc_isa)isa));
        close_subject(&s);
    }
}

/* ---- tokenizer ---------------------------------------------------------------------------------------------------------- */

static const char *string(const cJSON *j, const char *key) { return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j, key)); }

/* In the tokenizer's own words, as files of ours keep it. */
static void check_ids(const cJSON *want)
{
    const char *a = string(want, "a"), *b = string(want, "b");
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(want, "ids"), *types = cJSON_GetObjectItemCaseSensitive(want, "types");
    snc_tok_assets assets;
    snc_tok *t;
    snc_tok_scratch *room;
    snc_encoding e;
    assert_ok(snc_tok_assets_load(&assets, path_of("mpnet", string(want, "folder"))));
    assert_ok(snc_tok_new(&t, &assets));
    assert_ok(snc_tok_scratch_new(&room));
    assert_ok(snc_tok_encode(&e, t, room, a, strlen(a), b, b ? strlen(b) : 0,
                             (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(want, "max"))));
    assert_int_equal(e.n, cJSON_GetArraySize(ids));
    for (int i = 0; i < e.n; i++) {
        assert_int_equal(e.ids[i], (int)cJSON_GetNumberValue(cJSON_GetArrayItem(ids, i)));
        assert_int_equal(e.types[i], (int)cJSON_GetNumberValue(cJSON_GetArrayItem(types, i)));
    }
    snc_tok_scratch_free(room);
    snc_tok_free(t);
    snc_tok_assets_dispose(&assets);
}

static void two_separators_stand_between_texts_of_mpnet(void **state)
{
    cJSON *all;
    const cJSON *it;
    (void)state;
    if (getenv("SNC_TEST_MODERN")) skip();
    assert_ok(snc_json_load(&all, path_of("mpnet", "ids.json")));
    assert_true(cJSON_GetArraySize(all) > 40);
    cJSON_ArrayForEach(it, all) check_ids(it);
    cJSON_Delete(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engines_equal_transformers),
        cmocka_unit_test(the_runtime_equals_transformers_on_every_isa),
        cmocka_unit_test(two_separators_stand_between_texts_of_mpnet),
    };
    snc_dir_each(root(), add_family, NULL);
    if (count == 0) fprintf(stderr, "no models in %s\n", root());
    return count == 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
