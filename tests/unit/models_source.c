/* A source that owns its matrices (toy_source.h) in the place of the dense one: the same logits, gradients and files, bit for bit. What
 * it makes for each arch is packed anew by the engine and by the runtime, and only then. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fmap.h"
#include "base/isa.h"
#include "check.h"
#include "models/engine.h"
#include "models/export.h"
#include "toy_source.h"
#include "unit/models_nano.h"

enum { K = NANO_CLASSES, B = 6, LEN = 20, LINEARS = 3 * SNC_SITES + 2, SUB_LINEARS = 2 * SNC_SITES + 2 };

/* Two models alike, one dense. */
typedef struct pair {
    snc_model *dense, *toy;
    toy_source *source;
    nano_batch x;
    snc_arch sub;
} pair;

static void pair_open(pair *p, bool slice)
{
    p->dense = nano_model_make(SNC_ACT_GELU);
    p->toy = nano_model_make(SNC_ACT_GELU);
    p->source = toy_source_set(p->toy, slice);
    p->x = nano_batch_make(B, LEN, 1);
    p->sub = nano_subnet(p->dense);
}

static void pair_close(pair *p)
{
    nano_batch_dispose(&p->x);
    snc_model_free(p->dense);
    snc_model_free(p->toy);
}

/* ---- the engine ---------------------------------------------------------------------------------------------------- */

static snc_err engine(snc_engine **e, const snc_ctx *ctx, snc_model *m, snc_compute compute)
{
    snc_engine_opts o = {.compute = compute, .max_tokens = B * LEN, .max_seqs = B, .max_len = LEN, .train = true, .first_only = true};
    return snc_engine_create(e, ctx, m, &o);
}

static void run_net(float logits[B * K], snc_engine *e, const snc_arch *a, const snc_tokens *x)
{
    float dlogits[B * K];
    assert_int_equal(snc_engine_forward(e, logits, a, x, NULL), SNC_OK);
    for (int i = 0; i < B * K; i++) dlogits[i] = logits[i] - (float)(i % 3);
    assert_int_equal(snc_engine_backward(e, dlogits, NULL, 0), SNC_OK);
}

/* As a number: -0 beside 0 is a sum begun with zero. */
static void assert_same_gradients(const snc_model *a, const snc_model *b)
{
    for (size_t i = 0; i < a->params.total; i++) assert_true(a->params.g[i] == b->params.g[i]);
}

static void scale(snc_model *m, float by)
{
    for (size_t i = 0; i < m->params.total; i++) m->params.w[i] *= by;
}

/* Steps of two nets, each in the order of the engine's own work, and a change of the weights between them. */
static void check_engine(snc_backend backend, snc_compute compute)
{
    snc_ctx ctx = SNC_CTX_INIT;
    snc_engine *a = NULL, *b = NULL;
    float za[B * K], zb[B * K];
    pair p;
    ctx.backend = backend;
    if (snc_ctx_check(&ctx) != SNC_OK) return;
    pair_open(&p, true);
    if (engine(&a, &ctx, p.dense, compute) == SNC_OK) { /* else it is not built in */
        assert_int_equal(engine(&b, &ctx, p.toy, compute), SNC_OK);
        assert_int_equal(p.source->made, LINEARS);
        for (int step = 0; step < 2; step++) {
            snc_params_zero_grad(&p.dense->params);
            snc_params_zero_grad(&p.toy->params);
            snc_engine_start_grads(a);
            snc_engine_start_grads(b);
            for (int net = 0; net < 3; net++) {
                const snc_arch *arch = net == 1 ? &p.sub : &p.dense->arch;
                run_net(za, a, arch, &p.x.t);
                run_net(zb, b, arch, &p.x.t);
                assert_memory_equal(za, zb, sizeof za);
            }
            assert_same_gradients(p.dense, p.toy);
            scale(p.dense, 1.1f);
            scale(p.toy, 1.1f);
            snc_engine_sync(a);
            snc_engine_sync(b);
        }
        /* all with the engine and when the weights have changed; those of the subnet for it, and for the whole net after it */
        assert_int_equal(p.source->made, 2 * LINEARS + 4 * SUB_LINEARS);
        assert_int_equal(p.source->returned, 2 * (LINEARS + SUB_LINEARS + LINEARS));
        snc_engine_free(b);
    }
    snc_engine_free(a);
    pair_close(&p);
}

static void the_engine_computes_the_same_from_any_source(void **state)
{
    (void)state;
    check_engine(SNC_BACKEND_REF, SNC_COMPUTE_F32);
    check_engine(SNC_BACKEND_REF, SNC_COMPUTE_BF16);
    check_engine(SNC_BACKEND_NATIVE, SNC_COMPUTE_F32); /* a library's order of sums may depend on strides */
    check_engine(SNC_BACKEND_NATIVE, SNC_COMPUTE_BF16);
}

/* ---- the runtime ----------------------------------------------------------------------------------------------------- */

/* One net, bound to one arch after the other, as a search does. */
static void check_runtime(snc_backend backend, const snc_policy *policy, bool slice)
{
    snc_ctx ctx = SNC_CTX_INIT;
    snc_weights *w[2];
    snc_net *n[2];
    float z[2][B * K];
    pair p;
    ctx.backend = backend;
    pair_open(&p, slice);
    const snc_arch *const archs[] = {&p.sub, &p.dense->arch, &p.dense->arch, &p.sub};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(snc_weights_from_model(&w[i], &ctx, i ? p.toy : p.dense), SNC_OK);
        assert_int_equal(snc_net_create(&n[i], &ctx, w[i], NULL, policy, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_OK);
    }
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < 2; i++) {
            assert_int_equal(snc_net_rebind(n[i], archs[k], policy), SNC_OK);
            assert_int_equal(snc_net_run(z[i], n[i], &p.x.t), SNC_OK);
        }
        assert_memory_equal(z[0], z[1], sizeof z[0]);
    }
    for (int i = 0; i < 2; i++) {
        snc_net_free(n[i]);
        snc_weights_free(w[i]);
    }
    pair_close(&p);
}

static void the_runtime_packs_what_the_source_makes(void **state)
{
    (void)state;
    const snc_dtype dtypes[] = {SNC_I8, SNC_BF16, SNC_F32};
    for (int i = 0; i < 3; i++)
        for (int slice = 0; slice < (dtypes[i] == SNC_I8 ? 1 : 2); slice++) { /* an INT8 scale is that of a whole row */
            snc_policy p = snc_policy_uniform(dtypes[i], dtypes[i]);
            check_runtime(SNC_BACKEND_REF, &p, slice);
            if (snc_isa_now() != SNC_ISA_SCALAR) check_runtime(SNC_BACKEND_NATIVE, &p, slice);
        }
}

/* ---- files and copies ------------------------------------------------------------------------------------------------ */

static void assert_same_file(const char *a, const char *b)
{
    uint64_t first, second;
    assert_int_equal(snc_file_hash(&first, a), SNC_OK);
    assert_int_equal(snc_file_hash(&second, b), SNC_OK);
    assert_true(first == second);
}

static void exported_files_are_the_same(void **state)
{
    (void)state;
    snc_ctx ctx = SNC_CTX_INIT;
    const snc_dtype dtypes[] = {SNC_I8, SNC_BF16, SNC_F32};
    char folder[] = "/tmp/snc-source-XXXXXX", a[64], b[64];
    assert_non_null(mkdtemp(folder));
    snprintf(a, sizeof a, "%s/a.snc", folder);
    snprintf(b, sizeof b, "%s/b.snc", folder);
    for (int i = 0; i < 3; i++)
        for (int slice = 0; slice < (dtypes[i] == SNC_I8 ? 1 : 2); slice++) {
            snc_policy policy = snc_policy_uniform(dtypes[i], dtypes[i]);
            pair p;
            pair_open(&p, slice);
            assert_int_equal(snc_export_model(a, &ctx, p.dense, &p.sub, &policy), SNC_OK);
            assert_int_equal(snc_export_model(b, &ctx, p.toy, &p.sub, &policy), SNC_OK);
            assert_same_file(a, b);
            pair_close(&p);
        }
    remove(a);
    remove(b);
    rmdir(folder);
}

static void an_extract_is_dense_and_the_same(void **state)
{
    (void)state;
    snc_model *a, *b;
    pair p;
    pair_open(&p, true);
    assert_int_equal(snc_model_extract(&a, p.dense, &p.sub), SNC_OK);
    assert_int_equal(snc_model_extract(&b, p.toy, &p.sub), SNC_OK);
    assert_ptr_equal(b->source.kind, &snc_source_dense);
    assert_memory_equal(a->params.w, b->params.w, a->params.total * sizeof(float));
    snc_model_free(a);
    snc_model_free(b);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_computes_the_same_from_any_source),
        cmocka_unit_test(the_runtime_packs_what_the_source_makes),
        cmocka_unit_test(exported_files_are_the_same),
        cmocka_unit_test(an_extract_is_dense_and_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
