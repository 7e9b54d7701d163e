/* The readers of safetensors, PyTorch archives and pickles under a fixed corpus and its seeded mutations: no input may crash,
 * leak or fail without a sentence, and every tensor that is given out can be read whole. Arguments are files to try as well,
 * each as all three kinds. */

#include "check.h"
#include "core/safetensors.h"
#include "core/torchzip.h"
#include "core/unpickle.h"
#include "files.h"
#include "mutate.h"
#include "zip_make.h"

#define GOLDEN SNC_TEST_DIR "/golden/checkpoints/"
enum { ROUNDS = 6000 };

static volatile unsigned sink;

static void read_whole(const snc_tensor *t, int n)
{
    unsigned sum = 0;
    for (int i = 0; i < n; i++) {
        const unsigned char *p = t[i].data;
        assert_true(i == 0 || strcmp(t[i - 1].name, t[i].name) < 0);
        for (size_t k = 0; k < t[i].bytes; k++) sum += p[k];
    }
    sink = sum;
}

static void try_safetensors(const unsigned char *p, size_t n)
{
    snc_st *f = NULL;
    sink = snc_st_sniff(p, n);
    if (snc_st_open_mem(&f, p, n, "f") == SNC_OK) read_whole(snc_st_tensors_view(f), snc_st_count(f));
    else assert_true(*snc_err_text());
    snc_st_close(f);
}

static void try_zip(const unsigned char *p, size_t n)
{
    snc_torchzip *f = NULL;
    sink = snc_torchzip_sniff(p, n) + snc_pickle_sniff(p, n);
    if (snc_torchzip_open_mem(&f, p, n, "f") == SNC_OK) read_whole(snc_torchzip_tensors_view(f), snc_torchzip_count(f));
    else assert_true(*snc_err_text());
    snc_torchzip_close(f);
}

static void try_pickle(const unsigned char *p, size_t n)
{
    snc_arena *a = NULL;
    snc_pkl pkl;
    assert_ok(snc_arena_new(&a));
    if (snc_unpickle_tensors(&pkl, a, p, n, "f") == SNC_OK) {
        const snc_pkl_tensor *t = pkl.tensor;
        assert_true(pkl.used <= n);
        for (int i = 1; i < pkl.n_storages; i++) assert_true(strcmp(pkl.storage[i - 1].storage, pkl.storage[i].storage) < 0);
        for (int i = 0; i < pkl.n; i++) {
            int64_t last = t[i].offset;
            bool empty = false;
            for (int d = 0; d < t[i].rank; d++) {
                empty = empty || t[i].shape[d] == 0;
                last += (t[i].shape[d] - 1) * t[i].stride[d];
            }
            assert_true(empty || (last >= 0 && last < t[i].numel));
            sink = (unsigned)strlen(t[i].name) + (unsigned)strlen(t[i].storage);
        }
    } else {
        assert_true(*snc_err_text());
    }
    snc_arena_free(a);
}

typedef void (*try_fn)(const unsigned char *, size_t);

/* The input itself, then its damaged copies. */
static void torment(try_fn fn, const unsigned char *p, size_t n, size_t from, size_t to, int rounds, uint64_t seed)
{
    snc_rng r;
    snc_rng_init(&r, seed, 1);
    fn(p, n);
    for (int i = 0; i < rounds; i++) {
        mutant m = mutate(p, n, &r, from, to);
        fn(m.p, m.n);
        free(m.p);
    }
}

static void safetensors_survive_damage(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{}",
        ("{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
         "\"b\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[24,26]},\"c\":{\"dtype\":\"I8\",\"shape\":[0],\"data_offsets\":[26,26]}"
         "}"),
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[13],\"data_offsets\":[0,13]},\"b\":{\"dtype\":\"U8\",\"shape\":[13],\"data_offsets\":[13,26]}"
        "}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        unsigned char buf[512] = {0};
        size_t n = strlen(headers[i]);
        buf[0] = (unsigned char)n;
        memcpy(buf + 8, headers[i], n);
        torment(try_safetensors, buf, 8 + n + (i ? 26 : 0), 0, 8 + n, ROUNDS, i);
    }
    char *data = NULL;
    size_t n = 0;
    assert_ok(snc_file_read(&data, &n, GOLDEN "hf/model.safetensors"));
    torment(try_safetensors, (unsigned char *)data, n, 0, 4000, 1500, 9);
    snc_free(data);
}

static void archives_survive_damage(void **state)
{
    (void)state;
    static const char pickle[] = "\x80\2}(" PKL_TENSOR("a", PKL_STORAGE("FloatStorage", "0", "\6"), "\0", "K\3K\2", "K\1K\3") "u.";
    static zip_make z;
    static const int flags[] = {0, ZIP_DEFLATE, ZIP_64, ZIP_64 | ZIP_DEFLATE};
    for (int i = 0; i < 4; i++) {
        memset(&z, 0, sizeof z);
        zip_add(&z, "m/data.pkl", pickle, sizeof pickle - 1, flags[i]);
        zip_add(&z, "m/data/0", "0123456789abcdef01234567", 24, flags[i]);
        zip_finish(&z, flags[i] & ZIP_64, i & 1 ? "comment" : "");
        torment(try_zip, z.out, z.n, 0, z.n, ROUNDS, 20 + (uint64_t)i);
    }
    char *data = NULL;
    size_t n = 0;
    assert_ok(snc_file_read(&data, &n, GOLDEN "torch/pytorch_model.bin"));
    torment(try_zip, (unsigned char *)data, n, n - 4000, n, 1000, 29);
    snc_free(data);
}

/* The form before 1.6: its pickles, then the sizes of its storages. */
static void old_files_survive_damage(void **state)
{
    (void)state;
    char *data = NULL;
    size_t n = 0;
    torment(try_zip, (const unsigned char *)OLD_FILE, sizeof OLD_FILE - 1, 0, sizeof OLD_FILE - 1, ROUNDS, 60);
    assert_ok(snc_file_read(&data, &n, GOLDEN "legacy/pytorch_model.bin"));
    torment(try_zip, (unsigned char *)data, n, 0, 9000, 1500, 61);
    snc_free(data);
}

static void pickles_survive_damage(void **state)
{
    (void)state;
#define ONE PKL_TENSOR("a", PKL_STORAGE("FloatStorage", "0", "\6"), "\0", "K\3K\2", "K\1K\3")
    static const struct {
        const char *p;
        size_t n;
    } corpus[] = {
        {P("\x80\2}q\0(" ONE PKL_TENSOR("b", PKL_STORAGE("HalfStorage", "1", "\4"), "\1", "K\3", "K\1") "u.")},
        {P("\x80\2ccollections\nOrderedDict\nq\0)Rq\1(" ONE "u}X\x09\0\0\0_metadatah\1sb.")},
        {P("\x80\4\x95\1\0\0\0\0\0\0\0}\x94\x8c\nstate_dict\x94}\x94(" ONE "us\x8c\5"
           "epochK\3s.")},
        {P("\x80\2ccollections\nOrderedDict\n](X\1\0\0\0aK\1\x86]K\2aN\x86"
           "e\x85R.")},
        {P("\x80\3(NJ\xff\xff\xff\xff\x8a\2\xff\x7fM\1\2G\0\0\0\0\0\0\0\0\x88\x89t0].")},
    };
    for (size_t i = 0; i < sizeof corpus / sizeof *corpus; i++) {
        const void *p = corpus[i].p;
        torment(try_pickle, p, corpus[i].n, 0, corpus[i].n, ROUNDS, 40 + i);
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
        try_safetensors((unsigned char *)data, n);
        try_zip((unsigned char *)data, n);
        try_pickle((unsigned char *)data, n);
        snc_free(data);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safetensors_survive_damage),
        cmocka_unit_test(archives_survive_damage),
        cmocka_unit_test(old_files_survive_damage),
        cmocka_unit_test(pickles_survive_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
