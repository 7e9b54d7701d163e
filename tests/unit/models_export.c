/* An exported file gives the logits of the prefix net it was cut from. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fmap.h"
#include "base/isa.h"
#include "check.h"
#include "models/cost.h"
#include "models/export.h"
#include "models/snc_file.h"
#include "unit/models_nano.h"

enum { K = NANO_CLASSES, B = 9 };

static char folder[64], path[128];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/snc-export-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/net.snc", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    remove(path);
    return rmdir(folder);
}

static void run(float *logits, const snc_ctx *ctx, snc_weights *w, const snc_arch *a, const snc_policy *p, const snc_tokens *x)
{
    snc_net *n;
    assert_int_equal(snc_net_create(&n, ctx, w, a, p, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_OK);
    assert_int_equal(snc_net_run(logits, n, x), SNC_OK);
    snc_net_free(n);
}

enum { FULL, SUBNET, SKIPPING };

static snc_arch net_of(const snc_model *m, int which)
{
    return which == FULL ? m->arch : which == SUBNET ? nano_subnet(m) : nano_skipping(m, which - SKIPPING);
}

/* Cuts, exports, opens, runs: the same bits. */
static void check(snc_backend backend, const snc_policy *p, int which, const snc_family *family)
{
    if (backend == SNC_BACKEND_NATIVE && snc_isa_now() == SNC_ISA_SCALAR) return; /* there is no native f32 then */
    snc_model *m = nano_family_make(SNC_ACT_GELU, family);
    nano_batch x = nano_batch_make(B, 40, 1);
    snc_arch a = net_of(m, which);
    snc_ctx ctx = SNC_CTX_INIT;
    snc_weights *w, *opened;
    float prefix[B * K], exported[B * K];
    snc_export_info info = {.has_head = true};
    ctx.backend = backend;
    assert_int_equal(snc_weights_from_model(&w, &ctx, m), SNC_OK);
    run(prefix, &ctx, w, &a, p, &x.t);
    assert_int_equal(snc_export(path, w, &a, p, &info), SNC_OK);
    if (snc_weights_open(&opened, &ctx, path) != SNC_OK) fail_msg("%s", snc_err_text());
    run(exported, &ctx, opened, NULL, NULL, &x.t);
    assert_memory_equal(exported, prefix, sizeof prefix);
    const char *format = snc_st_metadata_view(snc_sncfile_tensors(snc_weights_file_view(opened)), "snc_format");
    if (which >= SKIPPING) assert_string_equal(format, "3"); /* older programs refuse it by name */
    else assert_true(strcmp(format, "3") < 0);

    /* and the copy of the copy is the same file */
    uint64_t first, second;
    assert_int_equal(snc_file_hash(&first, path), SNC_OK);
    assert_int_equal(snc_export(path, opened, NULL, NULL, &info), SNC_OK);
    assert_int_equal(snc_file_hash(&second, path), SNC_OK);
    if (which != SUBNET) assert_true(first == second); /* a subnet's file remembers which layers its parent had */
    snc_weights_free(opened);
    snc_weights_free(w);
    nano_batch_dispose(&x);
    snc_model_free(m);
}

static void exported_equals_prefix_bit_for_bit(void **state)
{
    (void)state;
    static const snc_dtype dtypes[] = {SNC_I8, SNC_F32, SNC_BF16};
    static const snc_backend backends[] = {SNC_BACKEND_REF, SNC_BACKEND_NATIVE};
    for (size_t d = 0; d < 3; d++)
        for (size_t b = 0; b < 2; b++) {
            snc_policy p = snc_policy_uniform(dtypes[d], dtypes[d]);
            for (int net = FULL; net < SKIPPING + NANO_SKIPPING; net++) check(backends[b], &p, net, &snc_family_bert);
            for (int f = 1; snc_family_at(f); f++) check(backends[b], &p, f % 2 ? SUBNET : SKIPPING, snc_family_at(f));
        }
}

static void mixed_policies_survive_export(void **state)
{
    (void)state;
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_I8);
    p.linear[0][SNC_SITE_O] = SNC_F32;
    p.linear[1][SNC_SITE_FFN_IN] = SNC_BF16;
    p.linear[1][SNC_SITE_Q] = p.linear[1][SNC_SITE_K] = p.linear[1][SNC_SITE_V] = SNC_F32;
    p.classifier = SNC_F32;
    p.embed = SNC_BF16;
    check(SNC_BACKEND_REF, &p, SUBNET, &snc_family_bert);
    check(SNC_BACKEND_NATIVE, &p, SUBNET, &snc_family_bert);
    check(SNC_BACKEND_NATIVE, &p, SKIPPING, &snc_family_bert);
}

/* Tables of another width and the projection behind them: a policy for both, whose width is theirs. */
static void tables_and_their_projection_share_a_dtype(void **state)
{
    (void)state;
    static const snc_dtype dtypes[] = {SNC_I4, SNC_I8, SNC_BF16, SNC_F32};
    const snc_family *family = snc_family_find("electra");
    snc_model *m = nano_family_make(SNC_ACT_GELU, family);
    for (size_t d = 0; d < 4; d++) {
        snc_policy p = snc_policy_uniform(dtypes[(d + 1) % 4] == SNC_I4 ? SNC_I8 : dtypes[(d + 1) % 4], dtypes[d]);
        assert_int_equal(snc_spec_dtype(&p, SNC_ROLE_PROJECTION, 0), dtypes[d]);
        assert_int_equal(snc_policy_check(&p, &m->arch, &m->cfg), SNC_OK);
        if (dtypes[d] == SNC_I4) { /* in the layers, of 72 channels, INT4 cannot be */
            check(SNC_BACKEND_REF, &p, FULL, family);
            check(SNC_BACKEND_NATIVE, &p, SUBNET, family);
        } else check(SNC_BACKEND_NATIVE, &p, FULL, family);
        m->cfg.embedding = 90;
        assert_int_equal(snc_policy_check(&p, &m->arch, &m->cfg), dtypes[d] == SNC_I4 ? SNC_E_SHAPE : SNC_OK);
        if (dtypes[d] == SNC_I4) assert_string_equal(snc_err_text(), "policy: embed: int4 on rows of 90, expected a multiple of 16");
        m->cfg.embedding = NANO_EMBEDDING;
    }
    snc_model_free(m);
}

static void a_file_refuses_dtypes_it_does_not_hold(void **state)
{
    (void)state;
    snc_model *m = nano_model_make(SNC_ACT_GELU);
    snc_ctx ctx = SNC_CTX_INIT;
    snc_weights *w;
    snc_net *n;
    snc_policy i8 = snc_policy_uniform(SNC_I8, SNC_I8), f32 = snc_policy_uniform(SNC_F32, SNC_I8);
    assert_int_equal(snc_export_model(path, &ctx, m, NULL, &i8), SNC_OK);
    assert_int_equal(snc_weights_open(&w, &ctx, path), SNC_OK);
    assert_int_equal(snc_net_create(&n, &ctx, w, NULL, &f32, &(snc_net_opts)SNC_NET_OPTS_INIT), SNC_E_UNSUPPORTED);
    assert_non_null(strstr(snc_err_text(), "layer 0 attention.q"));
    snc_weights_free(w);
    snc_model_free(m);
}

/* The formulas against files: data to the byte, the header within its bound. */
static void check_bytes(const snc_family *family)
{
    snc_model *m = nano_family_make(SNC_ACT_GELU, family);
    snc_ctx ctx = SNC_CTX_INIT;
    static const snc_dtype dtypes[] = {SNC_I8, SNC_F32, SNC_BF16};
    for (size_t d = 0; d < 3; d++)
        for (int net = FULL; net < SKIPPING + NANO_SKIPPING; net++) {
            snc_policy p = snc_policy_uniform(dtypes[d], dtypes[(d + 1) % 3]);
            snc_arch a = net_of(m, net);
            snc_bytes want;
            snc_fmap *f;
            snc_sncfile *file;
            assert_int_equal(snc_export_model(path, &ctx, m, &a, &p), SNC_OK);
            assert_int_equal(snc_fmap_open(&f, path), SNC_OK);
            assert_int_equal(snc_sncfile_open(&file, path), SNC_OK);
            snc_cost_bytes(&want, &m->cfg, &a, &p, 0, 1000);
            int64_t data = 0;
            for (int i = 0; i < snc_st_count(snc_sncfile_tensors(file)); i++)
                data += (int64_t)snc_st_tensors_view(snc_sncfile_tensors(file))[i].bytes;
            assert_int_equal(want.total - want.header, data);
            int64_t header = (int64_t)f->size - data;
            assert_true(want.header >= header && want.header - header < 4096);
            snc_sncfile_close(file);
            snc_fmap_close(f);
        }
    snc_model_free(m);
}

static void cost_knows_the_bytes_of_a_file(void **state)
{
    (void)state;
    for (int f = 0; snc_family_at(f); f++) check_bytes(snc_family_at(f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exported_equals_prefix_bit_for_bit),
        cmocka_unit_test(mixed_policies_survive_export),
        cmocka_unit_test(tables_and_their_projection_share_a_dtype),
        cmocka_unit_test(a_file_refuses_dtypes_it_does_not_hold),
        cmocka_unit_test(cost_knows_the_bytes_of_a_file),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
