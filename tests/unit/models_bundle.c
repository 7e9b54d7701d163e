/* Several nets in one file: each of them is the file that it came from. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp, in files.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/isa.h"
#include "check.h"
#include "core/seal.h"
#include "files.h"
#include "models/bundle.h"
#include "models/export.h"
#include "models/family/family.h"
#include "unit/models_nano.h"

enum { B = 7, K = NANO_CLASSES, NETS = 3 };

static scratch s;
static snc_ctx ctx = SNC_CTX_INIT;

static int begin(void **state)
{
    (void)state;
    scratch_init(&s, "models_bundle");
    return 0;
}

static const char *names[NETS] = {"a.snc", "b.snc", "c.snc"};

/* Widths that every dtype takes, cut in every direction; from the second on with an odd number of INT4's groups. */
static snc_arch net_of(const snc_model *m, int which)
{
    static const int hidden[NETS] = {64, 48, 16}, heads[NETS] = {4, 4, 4}, ffn[NETS] = {80, 48, 16};
    snc_arch a = m->arch;
    a.hidden = hidden[which];
    a.layers = NETS - which;
    for (int l = 0; l < a.layers; l++) {
        a.source[l] = which == 1 ? 2 * l : l + which; /* 0 1 2, 0 2, 2 */
        a.heads[l] = heads[which];
        a.ffn[l] = ffn[which];
    }
    return a;
}

static void logits_of(float *out, snc_weights *w, const snc_tokens *x)
{
    snc_net *n;
    assert_ok(snc_net_create(&n, &ctx, w, NULL, NULL, &(snc_net_opts)SNC_NET_OPTS_INIT));
    assert_ok(snc_net_run(out, n, x));
    snc_net_free(n);
}

static void write_net(const snc_model *m, int which, const snc_arch *a, const snc_policy *p)
{
    cJSON *meta = cJSON_CreateObject();
    cJSON_AddNumberToObject(meta, "max_length", 40);
    cJSON_AddNumberToObject(meta, "which", which);
    snc_weights *w;
    assert_ok(snc_weights_from_model(&w, &ctx, m));
    const snc_export_info info = {.has_head = true, .meta = meta};
    assert_ok(snc_export(scratch_path(&s, names[which]), w, a, p, &info));
    snc_weights_free(w);
    cJSON_Delete(meta);
}

/* The largest of them, dense. */
static snc_model *base_of(const snc_family *family)
{
    snc_model *m = nano_family_make(SNC_ACT_GELU, family), *cut;
    snc_arch a = net_of(m, 0);
    assert_ok(snc_model_extract(&cut, m, &a));
    snc_model_free(m);
    return cut;
}

/* A file of each net, of one model, or (apart) of a model of its own. */
static void write_nets(const snc_family *family, const snc_policy *p, bool apart)
{
    for (int k = 0; k < NETS; k++) {
        snc_model *m = base_of(family);
        for (int i = 0; apart && i < m->params.n; i++) snc_params_w(&m->params, i)[0] += 0.01f * (float)k;
        snc_arch a = net_of(m, k);
        write_net(m, k, &a, p);
        snc_model_free(m);
    }
}

static snc_err save(const char *to, const char *const *name, int n)
{
    snc_sncfile *f[SNC_NETS_MOST + 1] = {NULL};
    char path[SNC_NETS_MOST + 1][sizeof s.path];
    const char *at[SNC_NETS_MOST + 1];
    for (int i = 0; i < n; i++) {
        snprintf(path[i], sizeof path[i], "%s", scratch_path(&s, name[i]));
        at[i] = path[i];
        assert_ok(snc_sncfile_open(&f[i], path[i]));
    }
    snc_err err = snc_bundle_save(scratch_path(&s, to), (const snc_sncfile *const *)f, at, n, NULL);
    for (int i = 0; i < n; i++) snc_sncfile_close(f[i]);
    return err;
}

static uint64_t hash_of(const char *name)
{
    uint64_t h;
    assert_ok(snc_file_hash(&h, scratch_path(&s, name)));
    return h;
}

static size_t own_tensors(const snc_sncfile *f, int k)
{
    const snc_st *st = snc_sncfile_tensors(f);
    char prefix[16];
    size_t own = 0, n = (size_t)snprintf(prefix, sizeof prefix, "net.%d.", k);
    for (int i = 0; i < snc_st_count(st); i++) own += strncmp(snc_st_tensors_view(st)[i].name, prefix, n) == 0;
    return own;
}

/* Every net of bundle.snc, from the smallest on, answers as its file, cut out is it, and reads as it. */
static void check_nets(void)
{
    nano_batch x = nano_batch_make(B, 40, 3);
    snc_weights *first;
    assert_ok(snc_weights_open(&first, &ctx, scratch_path(&s, "bundle.snc")));
    const snc_sncfile *f = snc_weights_file_view(first);
    assert_int_equal(snc_sncfile_nets(f), NETS);
    for (int k = NETS - 1; k >= 0; k--) {
        float want[B * K], got[B * K];
        snc_weights *alone, *w = first;
        assert_ok(snc_weights_open(&alone, &ctx, scratch_path(&s, names[k])));
        if (k) assert_ok(snc_weights_open_net(&w, first, k));
        logits_of(want, alone, &x.t);
        logits_of(got, w, &x.t);
        assert_memory_equal(got, want, sizeof want);

        const snc_sncfile *own = snc_weights_file_view(alone), *part = snc_sncfile_net_view(f, k);
        snc_params table = {0};
        assert_ok(snc_spec_table(&table, snc_sncfile_config(own), snc_sncfile_arch(own)));
        for (int i = 0; i < table.n; i++) {
            static float a[97 * 128], b[97 * 128];
            assert_true((size_t)table.p[i].rows * (size_t)table.p[i].cols <= sizeof a / sizeof *a);
            assert_ok(snc_sncfile_param_read(a, own, table.p[i].name));
            assert_ok(snc_sncfile_param_read(b, part, table.p[i].name));
            assert_memory_equal(a, b, (size_t)table.p[i].rows * (size_t)table.p[i].cols * sizeof *a);
        }
        snc_params_dispose(&table);
        assert_int_equal(cJSON_GetObjectItem(snc_sncfile_meta_view(part), "which")->valueint, k);

        assert_ok(snc_bundle_cut(scratch_path(&s, "cut.snc"), f, k));
        assert_true(hash_of("cut.snc") == hash_of(names[k]));
        if (k) snc_weights_free(w);
        snc_weights_free(alone);
    }
    snc_weights_free(first);
    nano_batch_dispose(&x);
}

static snc_policy mixed(void)
{
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_I8);
    p.linear[0][SNC_SITE_O] = SNC_F32;
    p.linear[0][SNC_SITE_FFN_OUT] = SNC_I4;
    p.linear[1][SNC_SITE_FFN_IN] = SNC_BF16;
    p.linear[1][SNC_SITE_Q] = p.linear[1][SNC_SITE_K] = p.linear[1][SNC_SITE_V] = SNC_F32;
    p.classifier = SNC_F32;
    p.embed = SNC_BF16;
    return p;
}

/* One refit of one supernet: all that a smaller net computes with lies in the largest one's rows already. */
static void nested_nets_share_their_numbers(void **state)
{
    (void)state;
    static const snc_dtype dtypes[] = {SNC_I8, SNC_I4, SNC_BF16, SNC_F32};
    static const snc_backend backends[] = {SNC_BACKEND_REF, SNC_BACKEND_NATIVE};
    for (size_t d = 0; d < 4; d++)
        for (size_t b = 0; b < 2; b++) {
            snc_sncfile *f;
            snc_policy p = snc_policy_uniform(dtypes[d], dtypes[d]);
            if (backends[b] == SNC_BACKEND_NATIVE && snc_isa_now() == SNC_ISA_SCALAR) continue;
            ctx.backend = backends[b];
            write_nets(dtypes[d] == SNC_I4 ? snc_family_find("electra") : &snc_family_bert, &p, false); /* its tables take INT4 */
            assert_ok(save("bundle.snc", names, NETS));
            check_nets();
            assert_ok(snc_sncfile_open(&f, scratch_path(&s, "bundle.snc")));
            assert_string_equal(snc_st_metadata_view(snc_sncfile_tensors(f), "snc_format"), "5");
            for (int k = 1; k < NETS; k++) assert_int_equal(own_tensors(f, k), 0);
            assert_true(snc_file_size(scratch_path(&s, "bundle.snc")) < snc_file_size(scratch_path(&s, names[0])) + 4000);
            snc_sncfile_close(f);
        }
}

/* Trained apart they have nothing in common but what training left alone; the order that they are given in does not matter. */
static void nets_that_do_not_nest_lie_beside_each_other(void **state)
{
    (void)state;
    static const char *const shuffled[NETS] = {"c.snc", "a.snc", "b.snc"};
    const snc_policy p = mixed();
    for (int f = 0; snc_family_at(f); f++) {
        snc_sncfile *file;
        const snc_policy int8 = snc_policy_int8();
        ctx.backend = f % 2 ? SNC_BACKEND_REF : SNC_BACKEND_NATIVE;
        if (snc_isa_now() == SNC_ISA_SCALAR) ctx.backend = SNC_BACKEND_REF;
        write_nets(snc_family_at(f), f ? &int8 : &p, f % 3 != 2);
        assert_ok(save("bundle.snc", shuffled, NETS));
        check_nets();
        assert_ok(snc_sncfile_open(&file, scratch_path(&s, "bundle.snc")));
        assert_true(f % 3 == 2 || own_tensors(file, 1) > 10);
        snc_sncfile_close(file);
    }
}

/* The nets of one model, the second with one matrix in F32 and one in INT4. */
static void write_another_dtype(void)
{
    snc_policy p = snc_policy_int8();
    write_nets(&snc_family_bert, &p, false);
    p.linear[0][SNC_SITE_O] = SNC_F32;
    p.linear[0][SNC_SITE_FFN_OUT] = SNC_I4;
    snc_model *m = base_of(&snc_family_bert);
    snc_arch a = net_of(m, 1);
    write_net(m, 1, &a, &p);
    snc_model_free(m);
    assert_ok(save("bundle.snc", names, NETS));
}

static void only_what_differs_is_written_again(void **state)
{
    (void)state;
    ctx.backend = SNC_BACKEND_REF;
    write_another_dtype();
    check_nets();
    snc_sncfile *f;
    assert_ok(snc_sncfile_open(&f, scratch_path(&s, "bundle.snc")));
    assert_int_equal(own_tensors(f, 1), 6); /* the matrices with what belongs to them and, packed with them, their biases */
    assert_non_null(snc_st_find(snc_sncfile_tensors(f), "net.1.layer.0.attention.o.weight"));
    assert_int_equal(own_tensors(f, 2), 0);
    snc_sncfile_close(f);
}

static void refuses(const char *const *name, int n, snc_err code, const char *text)
{
    remove(scratch_path(&s, "refused.snc"));
    assert_int_equal(save("refused.snc", name, n), code);
    if (!strstr(snc_err_text(), text)) fail_msg("'%s' lacks '%s'", snc_err_text(), text);
    assert_true(snc_file_size(scratch_path(&s, "refused.snc")) == 0);
}

static void what_is_no_family_is_named(void **state)
{
    (void)state;
    const snc_policy p = snc_policy_int8();
    const char *many[SNC_NETS_MOST + 1];
    ctx.backend = SNC_BACKEND_REF;
    write_nets(&snc_family_bert, &p, false);
    assert_ok(save("bundle.snc", names, NETS));
    for (int i = 0; i <= SNC_NETS_MOST; i++) many[i] = "a.snc";
    refuses(names, 1, SNC_E_ARG, "1 files: a bundle is of 2 to 16");
    refuses(many, SNC_NETS_MOST + 1, SNC_E_ARG, "17 files");
    refuses(many, 2, SNC_E_ARG, "compute as much as each other");
    refuses((const char *[]){"b.snc", "bundle.snc"}, 2, SNC_E_ARG, "bundle.snc: expected a file of one net");

    snc_model *m = nano_model_make(SNC_ACT_GELU);
    snc_arch a = net_of(m, 1);
    m->has_head = true;
    assert_ok(snc_model_set_labels(m, (const char *const[]){"x", "y", "z"}));
    assert_ok(snc_export_model(scratch_path(&s, "labels.snc"), &ctx, m, &a, &p));
    snc_model_free(m);
    refuses((const char *[]){"a.snc", "labels.snc"}, 2, SNC_E_SHAPE, "labels.snc: other classes than");
    m = nano_family_make(SNC_ACT_GELU, snc_family_find("roberta"));
    a = net_of(m, 1);
    m->has_head = true;
    assert_ok(snc_export_model(scratch_path(&s, "roberta.snc"), &ctx, m, &a, &p));
    snc_model_free(m);
    refuses((const char *[]){"a.snc", "roberta.snc"}, 2, SNC_E_SHAPE, "roberta.snc: another family than");
}

/* bundle.snc with other `nets`, or without a tensor. */
static void damaged(const char *nets, const char *without, snc_err code, const char *text)
{
    static const char *const keys[] = {"snc_format", "snc_version", "config", "arch", "policy", "meta", "has_head"};
    snc_st *f;
    snc_sncfile *opened;
    assert_ok(snc_st_open(&f, scratch_path(&s, "bundle.snc")));
    cJSON *meta = cJSON_CreateObject();
    snc_tensor *list = calloc((size_t)snc_st_count(f), sizeof *list);
    int n = 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) cJSON_AddStringToObject(meta, keys[i], snc_st_metadata_view(f, keys[i]));
    cJSON_AddStringToObject(meta, "nets", nets ? nets : snc_st_metadata_view(f, "nets"));
    for (int i = 0; i < snc_st_count(f); i++)
        if (!without || strcmp(snc_st_tensors_view(f)[i].name, without) != 0) list[n++] = snc_st_tensors_view(f)[i];
    assert_ok(snc_st_save(scratch_path(&s, "damaged.snc"), meta, list, n));
    if (code == SNC_OK) {
        assert_ok(snc_sncfile_open(&opened, scratch_path(&s, "damaged.snc")));
        snc_sncfile_close(opened);
    } else assert_fails(snc_sncfile_open(&opened, scratch_path(&s, "damaged.snc")), code, text);
    free(list);
    cJSON_Delete(meta);
    snc_st_close(f);
}

/* `nets` as it is, with one key of the first entry replaced; value NULL: dropped. */
static char *with(const char *key, const char *value)
{
    snc_st *f;
    assert_ok(snc_st_open(&f, scratch_path(&s, "bundle.snc")));
    cJSON *j = cJSON_Parse(snc_st_metadata_view(f, "nets"));
    cJSON *e = cJSON_GetArrayItem(j, 0);
    cJSON_DeleteItemFromObject(e, key);
    if (value) cJSON_AddItemToObject(e, key, cJSON_Parse(value));
    char *text = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    snc_st_close(f);
    return text;
}

static void damaged_key(const char *key, const char *value, snc_err code, const char *text)
{
    char *nets = with(key, value);
    damaged(nets, NULL, code, text);
    free(nets);
}

static void damage_is_named(void **state)
{
    (void)state;
    const snc_policy p = snc_policy_int8();
    ctx.backend = SNC_BACKEND_REF;
    write_nets(&snc_family_bert, &p, true);
    assert_ok(save("bundle.snc", names, NETS));
    damaged(NULL, NULL, SNC_OK, "");
    damaged("[]", NULL, SNC_E_FORMAT, "nets: expected a list of 1 to 15");
    damaged("{", NULL, SNC_E_FORMAT, "nets: not valid JSON");
    damaged("[1]", NULL, SNC_E_FORMAT, "net 1 has no 'config'");
    for (const char *const *key = (const char *const[]){"config", "arch", "policy", "meta", NULL}; *key; key++) {
        char text[64];
        snprintf(text, sizeof text, "net 1 has no '%s'", *key);
        damaged_key(*key, NULL, SNC_E_FORMAT, text);
    }
    damaged_key("meta", "[]", SNC_E_FORMAT, "net 1: meta: expected a JSON object");
    damaged_key("from", "[0]", SNC_E_FORMAT, "net 1: from: expected a list of 2 layers");
    damaged_key("from", "[2,0]", SNC_E_FORMAT, "in ascending order");
    damaged_key("from", "[0,3]", SNC_E_FORMAT, "from");
    damaged(NULL, "net.2.layer.0.ffn.in.weight", SNC_E_FORMAT,
            "tensor 'net.2.layer.0.ffn.in.weight' is missing, and the first net's does not hold it");
    damaged(NULL, "net.1.layer.0.ffn.in.weight.scale", SNC_E_FORMAT, "tensor 'net.1.layer.0.ffn.in.weight.scale' is missing");
    damaged_key("from", "[-1,-1]", SNC_OK, ""); /* all of its layers are its own */
    write_another_dtype();
    damaged(NULL, "net.1.layer.0.attention.o.bias", SNC_E_FORMAT, "net 1: of 'layer.0.attention.o.weight' and its bias one is the first");
    damaged(NULL, "net.1.layer.0.attention.o.weight", SNC_E_FORMAT, "'net.1.layer.0.attention.o.weight' is missing, and the first");
    damaged_key("from", "[-1,2]", SNC_E_FORMAT, "is missing, and the first net's does not hold it");
    damaged_key("arch", "{\"hidden\":72,\"layers\":[{\"heads\":4,\"ffn\":48},{\"heads\":4,\"ffn\":48}]}", SNC_E_FORMAT,
                "tensor 'net.1.embeddings.word.weight' is missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_nets_share_their_numbers),
        cmocka_unit_test(nets_that_do_not_nest_lie_beside_each_other),
        cmocka_unit_test(only_what_differs_is_written_again),
        cmocka_unit_test(what_is_no_family_is_named),
        cmocka_unit_test(damage_is_named),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
