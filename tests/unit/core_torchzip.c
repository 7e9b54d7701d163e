/* PyTorch archives, zip and old: records, strides and offsets are read right; code, broken and hostile files are refused by name. */

#include "check.h"
#include "core/torchzip.h"
#include "files.h"
#include "zip_make.h"

#define GOLDEN SNC_TEST_DIR "/golden/checkpoints/"

static const float six[6] = {0, 1, 2, 3, 4, 5};
static zip_make z;

/* An archive of this pickle and the storage "0" of six floats. */
static snc_err open_pickle(snc_torchzip **out, const char *pickle, size_t n, int flags)
{
    memset(&z, 0, sizeof z);
    zip_add(&z, "m/data.pkl", pickle, n, flags);
    zip_add(&z, "m/byteorder", "little", 6, 0);
    zip_add(&z, "m/data/0", six, sizeof six, flags);
    zip_finish(&z, flags & ZIP_64, "");
    return snc_torchzip_open_mem(out, z.out, z.n, "f.bin");
}

#define GOOD "\x80\2}(" PKL_TENSOR("a", PKL_STORAGE("FloatStorage", "0", "\6"), "\0", "K\2K\3", "K\3K\1") "u."

static void refuses(const char *pickle, size_t n, int flags, snc_err code, const char *fragment)
{
    snc_torchzip *f = NULL;
    assert_fails(open_pickle(&f, pickle, n, flags), code, fragment);
    assert_null(f);
    assert_int_equal(strncmp(snc_err_text(), "f.bin: ", 7), 0);
}

static void stored_deflated_and_zip64_records_are_the_same(void **state)
{
    (void)state;
    static const int flags[] = {0, ZIP_DEFLATE, ZIP_64, ZIP_64 | ZIP_DEFLATE};
    for (int i = 0; i < 4; i++) {
        snc_torchzip *f = NULL;
        assert_ok(open_pickle(&f, P(GOOD), flags[i]));
        assert_int_equal(snc_torchzip_count(f), 1);
        const snc_tensor *t = snc_torchzip_find(f, "a");
        assert_non_null(t);
        assert_true(snc_tensor_is(t, 2, 2, 3));
        assert_memory_equal(t->data, six, sizeof six);
        assert_null(snc_torchzip_find(f, "b"));
        snc_torchzip_close(f);
    }
}

static void strides_and_offsets_are_honoured(void **state)
{
    (void)state;
    snc_torchzip *f = NULL;
    const float transposed[6] = {0, 3, 1, 4, 2, 5}, corner[2] = {1, 4};
    assert_ok(open_pickle(&f,
                          P("\x80\2}(" PKL_TENSOR("t", PKL_STORAGE("FloatStorage", "0", "\6"), "\0", "K\3K\2", "K\1K\3")
                                PKL_TENSOR("c", PKL_STORAGE("FloatStorage", "0", "\6"), "\1", "K\2K\1", "K\3K\1")
                                    PKL_TENSOR("e", PKL_STORAGE("FloatStorage", "0", "\6"), "\6", "K\0K\x09", "K\x09K\1")
                                        PKL_TENSOR("s", PKL_STORAGE("FloatStorage", "0", "\6"), "\5", "", "") "u."),
                          0));
    assert_memory_equal(snc_torchzip_find(f, "t")->data, transposed, sizeof transposed);
    assert_memory_equal(snc_torchzip_find(f, "c")->data, corner, sizeof corner);
    assert_int_equal(snc_torchzip_find(f, "e")->bytes, 0);
    assert_int_equal(snc_torchzip_find(f, "s")->rank, 0);
    assert_memory_equal(snc_torchzip_find(f, "s")->data, &six[5], 4);
    snc_torchzip_close(f);
}

static void a_comment_may_follow_the_archive(void **state)
{
    (void)state;
    snc_torchzip *f = NULL;
    memset(&z, 0, sizeof z);
    zip_add(&z, "data.pkl", P(GOOD), 0);
    zip_add(&z, "data/0", six, sizeof six, 0);
    zip_finish(&z, 0, "PK\5\6 a comment");
    assert_ok(snc_torchzip_open_mem(&f, z.out, z.n, "f.bin"));
    assert_int_equal(snc_torchzip_count(f), 1);
    snc_torchzip_close(f);
}

static void code_in_a_pickle_is_refused_by_name(void **state)
{
    (void)state;
    refuses(P("\x80\2cos\nsystem\nX\4\0\0\0true\x85R."), 0, SNC_E_UNSUPPORTED, "refused: it asks for 'os.system', and only tensors");
    refuses(P("\x80\4\x8c\2os\x8c\6system\x93."), 0, SNC_E_UNSUPPORTED, "refused: it asks for 'os.system'");
    refuses(P("\x80\2cbuiltins\neval\n."), 0, SNC_E_UNSUPPORTED, "'builtins.eval'");
    refuses(P("\x80\2ctorch._utils\n_rebuild_tensor_v3\n."), 0, SNC_E_UNSUPPORTED, "'torch._utils._rebuild_tensor_v3'");
    refuses(P("\x80\2(ios\nsystem\n."), 0, SNC_E_UNSUPPORTED, "pickle instruction 0x69 at byte 3");
    refuses(P("\x80\2ccollections\nOrderedDict\n)\x81."), 0, SNC_E_UNSUPPORTED, "pickle instruction 0x81");
    snc_torchzip *f = NULL;
    assert_fails(snc_torchzip_open(&f, GOLDEN "refused/module.bin"), SNC_E_UNSUPPORTED,
                 "module.bin: refused: it asks for 'torch.nn.modules.linear.Linear'");
}

static void broken_pickles_are_refused(void **state)
{
    (void)state;
    refuses(P(""), 0, SNC_E_FORMAT, "damaged pickle at byte 0: it ends too early");
    refuses(P("\x80\2}"), 0, SNC_E_FORMAT, "it ends too early");
    refuses(P("\x80\1}."), 0, SNC_E_UNSUPPORTED, "pickle protocol 1");
    refuses(P("\x80\2."), 0, SNC_E_FORMAT, "the stack is empty");
    refuses(P("\x80\2t."), 0, SNC_E_FORMAT, "no mark");
    refuses(P("\x80\2h\7."), 0, SNC_E_FORMAT, "never stored");
    refuses(P("\x80\2}r\xff\xff\xff\x7f."), 0, SNC_E_FORMAT, "a memo number out of range");
    refuses(P("\x80\2}(K\1u."), 0, SNC_E_FORMAT, "a key without a value");
    refuses(P("\x80\2](K\1K\2u."), 0, SNC_E_FORMAT, "takes none");
    refuses(P("\x80\2X\xff\xff\xff\xffzz."), 0, SNC_E_FORMAT, "it ends too early");
    refuses(P("\x80\2\x8a\x09\1\1\1\1\1\1\1\1\1."), 0, SNC_E_FORMAT, "more than 64 bits");
    refuses(P("\x80\2K\1)R."), 0, SNC_E_FORMAT, "no function");
    refuses(P("\x80\2K\1)b."), 0, SNC_E_FORMAT, "no dict");
    refuses(P("\x80\2K\1Q."), 0, SNC_E_FORMAT, "a storage of an unknown form");
    refuses(P("\x80\2K\1."), 0, SNC_E_FORMAT, "holds no dict of tensors");
    refuses(P("\x80\2}X\1\0\0\0aK\1s."), 0, SNC_E_FORMAT, "holds no dict of tensors");
    refuses(P("\x80\2]q\0h\0a."), 0, SNC_E_FORMAT, "holds no dict of tensors"); /* a list in itself */
}

static void tensors_stay_inside_their_storage(void **state)
{
    (void)state;
    refuses(P("\x80\2}(" PKL_TENSOR("a", PKL_STORAGE("FloatStorage", "0", "\6"), "\1", "K\2K\3", "K\3K\1") "u."), 0, SNC_E_FORMAT,
            "a tensor reaches past its storage");
    refuses(P("\x80\2}(" PKL_TENSOR("a", PKL_STORAGE("FloatStorage", "0", "\6"), "\0", "J\xff\xff\xff\xffK\3", "K\3K\1") "u."), 0,
            SNC_E_FORMAT, "a tensor of an unknown shape");
    refuses(P("\x80\2}(" PKL_TENSOR("a", PKL_STORAGE("FloatStorage", "0", "\6"), "\0", "J\xff\xff\xff\x7f", "J\xff\xff\xff\x7f") "u."), 0,
            SNC_E_FORMAT, "a tensor reaches past its storage");
    refuses(P("\x80\2}(" PKL_TENSOR("a", PKL_STORAGE("FloatStorage", "0", "\6"), "\0", "J\xff\xff\xff\x7f", "K\0") "u."), 0,
            SNC_E_UNSUPPORTED, "tensor 'a': shape [2147483647] is larger than its storage");
    refuses(P("\x80\2}(" PKL_TENSOR("a", PKL_STORAGE("FloatStorage", "1", "\6"), "\0", "K\6", "K\1") "u."), 0, SNC_E_FORMAT,
            "tensor 'a': record 'data/1' is missing");
    refuses(P("\x80\2}(" PKL_TENSOR("a", PKL_STORAGE("FloatStorage", "0", "\7"), "\0", "K\6", "K\1") "u."), 0, SNC_E_FORMAT,
            "record 'data/0' has 24 bytes, expected 7 of F32");
    refuses(P("\x80\2}(" PKL_TENSOR("a", PKL_STORAGE("LongStorage", "0", "\6"), "\0", "K\6", "K\1") "u."), 0, SNC_E_FORMAT,
            "expected 6 of I64");
    refuses(P("\x80\2}(" PKL_TENSOR("a", PKL_STORAGE("FloatStorage", "0", "\6"), "\0", "K\6", "K\1")
                  PKL_TENSOR("a", PKL_STORAGE("FloatStorage", "0", "\6"), "\0", "K\6", "K\1") "u."),
            0, SNC_E_FORMAT, "tensor 'a' appears twice");
}

static void broken_archives_are_refused(void **state)
{
    (void)state;
    snc_torchzip *f = NULL;
    refuses(P(GOOD), ZIP_BAD_CRC, SNC_E_FORMAT, "record 'm/data.pkl': wrong checksum");
    refuses(P(GOOD), ZIP_CRYPT, SNC_E_UNSUPPORTED, "encrypted");
    refuses(P(GOOD), ZIP_BZIP, SNC_E_UNSUPPORTED, "compression method 12");
    memset(&z, 0, sizeof z);
    zip_add(&z, "m/other", "x", 1, 0);
    zip_finish(&z, 0, "");
    assert_fails(snc_torchzip_open_mem(&f, z.out, z.n, "f"), SNC_E_FORMAT, "without data.pkl: not a PyTorch checkpoint");
    assert_fails(snc_torchzip_open_mem(&f, z.out, z.n - 1, "f"), SNC_E_FORMAT, "no end record");
    memset(&z, 0, sizeof z);
    zip_add(&z, "m/data.pkl", P(GOOD), 0);
    zip_add(&z, "m/data.pkl", P(GOOD), 0);
    zip_finish(&z, 0, "");
    assert_fails(snc_torchzip_open_mem(&f, z.out, z.n, "f"), SNC_E_FORMAT, "two records of one name");
    memset(&z, 0, sizeof z);
    zip_add(&z, "m/data.pkl", P(GOOD), 0);
    zip_add(&z, "m/byteorder", "big", 3, 0);
    zip_finish(&z, 0, "");
    assert_fails(snc_torchzip_open_mem(&f, z.out, z.n, "f"), SNC_E_UNSUPPORTED, "big-endian");
    assert_fails(snc_torchzip_open_mem(&f, NULL, 0, "f"), SNC_E_FORMAT, "no end record");
}

static snc_err open_old(snc_torchzip **out, const char *file, size_t n)
{
    return snc_torchzip_open_mem(out, (const unsigned char *)file, n, "f.bin");
}

static void old_refuses(const char *file, size_t n, snc_err code, const char *fragment)
{
    snc_torchzip *f = NULL;
    assert_true(snc_torchzip_sniff((const unsigned char *)file, n));
    assert_fails(open_old(&f, file, n), code, fragment);
    assert_null(f);
    assert_int_equal(strncmp(snc_err_text(), "f.bin: ", 7), 0);
}

static void the_form_before_1_6_is_read(void **state)
{
    (void)state;
    snc_torchzip *f = NULL;
    static const char transposed[] = OLD_MAGIC OLD_VERSION OLD_SYSTEM("\x88") "\x80\2}(" PKL_TENSOR(
        "t", OLD_STORAGE("FloatStorage", "0", "\4"), "\0", "K\2K\2", "K\1K\2") "u." OLD_KEYS OLD_NUMBERS;
    const float four[] = {1, 2, 3, 4}, turned[] = {1, 3, 2, 4};
    assert_ok(open_old(&f, P(OLD_FILE)));
    const snc_tensor *t = snc_torchzip_find(f, "a");
    assert_int_equal(snc_torchzip_count(f), 1);
    assert_true(t && snc_tensor_is(t, 2, 2, 2));
    assert_memory_equal(t->data, four, sizeof four);
    snc_torchzip_close(f);
    assert_ok(open_old(&f, P(transposed)));
    t = snc_torchzip_find(f, "t");
    assert_non_null(t);
    assert_memory_equal(t->data, turned, sizeof turned);
    snc_torchzip_close(f);
    assert_ok(snc_torchzip_open(&f, GOLDEN "legacy/pytorch_model.bin"));
    assert_int_equal(snc_torchzip_count(f), 41);
    snc_torchzip_close(f);
}

static void old_files_that_are_broken_are_refused(void **state)
{
    (void)state;
    snc_torchzip *f = NULL;
    for (size_t n = 0; n + 1 < sizeof OLD_FILE; n++) assert_int_not_equal(open_old(&f, OLD_FILE, n), SNC_OK);
    old_refuses(P(OLD_MAGIC "\x80\2M\xe8\3."), SNC_E_UNSUPPORTED, "protocol 1000 of a PyTorch file, expected 1001");
    old_refuses(P(OLD_MAGIC OLD_VERSION OLD_SYSTEM("\x89")), SNC_E_UNSUPPORTED, "big-endian");
    old_refuses(P(OLD_MAGIC OLD_VERSION "\x80\2}."), SNC_E_FORMAT, "no number where one is expected");
    old_refuses(P(OLD_MAGIC OLD_VERSION OLD_SYSTEM("\x88") "\x80\2cos\nsystem\nX\2\0\0\0ls\x85R."), SNC_E_UNSUPPORTED,
                "it asks for 'os.system'");
    old_refuses(P(OLD_MAGIC OLD_VERSION OLD_SYSTEM("\x88") OLD_DICT "\x80\2]." OLD_NUMBERS), SNC_E_FORMAT, "'data/0' is missing");
    old_refuses(P(OLD_MAGIC OLD_VERSION OLD_SYSTEM("\x88") OLD_DICT "\x80\2]X\1\0\0\0001a." OLD_NUMBERS), SNC_E_FORMAT,
                "storage '1' is of nothing that the file names");
    old_refuses(P(OLD_MAGIC OLD_VERSION OLD_SYSTEM("\x88") OLD_DICT OLD_KEYS "\5\0\0\0\0\0\0\0aaaaaaaaaaaaaaaaaaaa"), SNC_E_FORMAT,
                "storage '0' has 5 elements, expected 4");
    old_refuses(P(OLD_MAGIC OLD_VERSION OLD_SYSTEM("\x88") OLD_DICT OLD_KEYS "\4\0\0\0\0\0\0\0aaaaaaaaaaaaaaa"), SNC_E_FORMAT,
                "storage '0' is cut off");
}

static void what_pytorch_writes_is_read(void **state)
{
    (void)state;
    static const char *const files[] = {GOLDEN "torch/pytorch_model.bin", GOLDEN "wrapped/bert.bin"};
    static const char *const names[] = {"classifier.weight", "module.classifier.weight"};
    for (int i = 0; i < 2; i++) {
        snc_torchzip *f = NULL;
        assert_ok(snc_torchzip_open(&f, files[i]));
        assert_int_equal(snc_torchzip_count(f), 41);
        const snc_tensor *t = snc_torchzip_find(f, names[i]);
        assert_non_null(t);
        assert_true(snc_tensor_is(t, 2, 3, 16));
        assert_int_equal(t->dtype, SNC_F32);
        snc_torchzip_close(f);
    }
    assert_true(snc_pickle_sniff((const unsigned char *)"\x80\2", 2));
    assert_false(snc_pickle_sniff((const unsigned char *)"PK", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_deflated_and_zip64_records_are_the_same),
        cmocka_unit_test(strides_and_offsets_are_honoured),
        cmocka_unit_test(a_comment_may_follow_the_archive),
        cmocka_unit_test(code_in_a_pickle_is_refused_by_name),
        cmocka_unit_test(broken_pickles_are_refused),
        cmocka_unit_test(tensors_stay_inside_their_storage),
        cmocka_unit_test(broken_archives_are_refused),
        cmocka_unit_test(the_form_before_1_6_is_read),
        cmocka_unit_test(old_files_that_are_broken_are_refused),
        cmocka_unit_test(what_pytorch_writes_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
