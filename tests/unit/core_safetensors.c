/* The reader believes no length, offset or shape; what the writer made is read back aligned, and nothing is left where it failed. */

#include "check.h"
#include "core/safetensors.h"
#include "files.h"

/* A file in memory: this header, then `data` bytes of zeros. */
static snc_err open_text(snc_st **out, const char *header, size_t data)
{
    static unsigned char buf[4096];
    size_t n = strlen(header);
    memset(buf, 0, sizeof buf);
    buf[0] = (unsigned char)n;
    buf[1] = (unsigned char)(n >> 8);
    memcpy(buf + 8, header, n);
    return snc_st_open_mem(out, buf, 8 + n + data, "f");
}

static void refuses(const char *header, size_t data, const char *fragment)
{
    snc_st *f = NULL;
    assert_fails(open_text(&f, header, data), SNC_E_FORMAT, fragment);
    assert_null(f);
    assert_int_equal(strncmp(snc_err_text(), "f: ", 3), 0);
}

#define T(name, dtype, shape, offsets) "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void header_errors_name_file_and_tensor(void **state)
{
    (void)state;
    refuses("{" T("a", "F32", "[2]", "[0,8]"), 8, "not valid JSON");
    refuses("{" T("a", "F32", "[2]", "[0,8]") "} x", 8, "after the JSON value");
    refuses("[1]", 0, "does not start with '{'");
    refuses("{\"a\":3}", 0, "tensor 'a': expected dtype, shape and data_offsets");
    refuses("{" T("a", "F31", "[2]", "[0,8]") "}", 8, "tensor 'a': unknown dtype 'F31'");
    refuses("{" T("a", "F32", "2", "[0,8]") "}", 8, "tensor 'a': no 'shape' list");
    refuses("{" T("a", "F32", "[-2]", "[0,8]") "}", 8, "whole numbers");
    refuses("{" T("a", "F32", "[1.5]", "[0,8]") "}", 8, "whole numbers");
    refuses("{" T("a", "F32", "[9007199254740993]", "[0,8]") "}", 8, "whole numbers");
    refuses("{" T("a", "F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]") "}", 8, "more than 8 dimensions");
    refuses("{" T("a", "F32", "[2]", "[0]") "}", 8, "'data_offsets' must be two whole numbers");
    refuses("{" T("a", "F32", "[2]", "[0,1e400]") "}", 8, "'data_offsets' must be two whole numbers");
    refuses("{" T("a", "F32", "[2]", "[8,0]") "}", 8, "out of range");
    refuses("{" T("a", "F32", "[2]", "[0,8]") "}", 7, "tensor 'a': data_offsets [0, 8] out of range, the file holds 7 bytes");
    refuses("{" T("a", "F32", "[3]", "[0,8]") "}", 8, "8 bytes contradict dtype F32 and shape [3]");
    refuses("{" T("a", "F32", "[4294967296,4294967296,2]", "[0,8]") "}", 8, "contradict");
    refuses("{" T("a", "F32", "[2]", "[0,8]") "," T("b", "F32", "[2]", "[4,12]") "}", 12, "'a' and 'b' overlap");
    refuses("{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[8,12]") "}", 12, "a hole of 4 bytes before tensor 'b'");
    refuses("{" T("a", "F32", "[2]", "[4,12]") "}", 12, "a hole of 4 bytes before tensor 'a'");
    refuses("{" T("a", "F32", "[2]", "[0,8]") "}", 9, "1 bytes after the last tensor");
    refuses("{" T("a", "F32", "[1]", "[0,4]") "," T("a", "F32", "[1]", "[4,8]") "}", 8, "key 'a' appears twice");
    refuses("{\"__metadata__\":{\"k\":1}}", 0, "__metadata__ 'k' must be a string");
    refuses("{\"__metadata__\":3}", 0, "__metadata__ must be an object");
    refuses("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "appears twice");
}

static void lengths_are_checked_before_use(void **state)
{
    (void)state;
    snc_st *f = NULL;
    unsigned char b[16] = {0};
    assert_fails(snc_st_open_mem(&f, b, 7, "f"), SNC_E_FORMAT, "too few");
    assert_fails(snc_st_open_mem(&f, NULL, 0, "f"), SNC_E_FORMAT, "too few");
    assert_fails(snc_st_open_mem(&f, b, sizeof b, "f"), SNC_E_FORMAT, "header length 0");
    b[0] = 200;
    assert_fails(snc_st_open_mem(&f, b, sizeof b, "f"), SNC_E_FORMAT, "truncated: safetensors header length 200, but 8 bytes");
    memset(b, 255, 8);
    assert_fails(snc_st_open_mem(&f, b, sizeof b, "f"), SNC_E_FORMAT, "header length 18446744073709551615, expected 2 to");
    assert_fails(snc_st_open(&f, "scratch.none"), SNC_E_IO, "scratch.none: No such file");
}

static void odd_but_legal_headers_are_read(void **state)
{
    (void)state;
    snc_st *f = NULL;
    assert_ok(open_text(&f, "{}", 0));
    assert_int_equal(snc_st_count(f), 0);
    assert_null(snc_st_find(f, "a"));
    assert_null(snc_st_metadata_view(f, "k"));
    snc_st_close(f);
    assert_ok(
        open_text(&f, "{" T("e", "F32", "[0,3]", "[8,8]") "," T("d", "F64", "[]", "[0,8]") "," T("u", "BOOL", "[0]", "[8,8]") "}   ", 8));
    assert_int_equal(snc_st_count(f), 3);
    assert_int_equal(snc_st_find(f, "d")->dtype, SNC_F64);
    assert_int_equal(snc_st_find(f, "u")->dtype, SNC_DTYPES);
    assert_string_equal(snc_st_find(f, "u")->dtype_name, "BOOL");
    assert_int_equal(snc_st_find(f, "d")->rank, 0);
    assert_true(snc_tensor_is(snc_st_find(f, "e"), 2, 0, 3));
    snc_st_close(f);
}

static void what_is_written_is_read_back_aligned(void **state)
{
    scratch *s = *state;
    const float a[6] = {1, -2, 3.5f, 0, 1e-30f, 6};
    const int8_t q[5] = {-128, 127, 0, 3, 4};
    const snc_bf16 h[3] = {0x3f80, 0x4000, 0xc040};
    const snc_tensor t[] = {{.name = "q", .dtype = SNC_I8, .rank = 1, .shape = {5}, .data = q, .bytes = sizeof q},
                            {.name = "h\"\\\xc3\xa9", .dtype = SNC_BF16, .rank = 1, .shape = {3}, .data = h, .bytes = sizeof h},
                            {.name = "none", .dtype = SNC_F32, .rank = 2, .shape = {0, 4}},
                            {.name = "a", .dtype = SNC_F32, .rank = 2, .shape = {2, 3}, .data = a, .bytes = sizeof a}};
    cJSON *meta = cJSON_CreateObject();
    cJSON_AddStringToObject(meta, "key", "line\nquote \"");
    const char *path = scratch_path(s, "w.safetensors");
    assert_ok(snc_st_save(path, meta, t, 4));
    cJSON_Delete(meta);
    snc_st *f = NULL;
    assert_ok(snc_st_open(&f, path));
    assert_int_equal(snc_st_count(f), 4);
    assert_string_equal(snc_st_metadata_view(f, "key"), "line\nquote \"");
    const snc_tensor *x = snc_st_find(f, "a");
    assert_int_equal((uintptr_t)x->data % SNC_ALIGN, 0);
    assert_memory_equal(x->data, a, sizeof a);
    assert_memory_equal(snc_st_find(f, "q")->data, q, sizeof q);
    x = snc_st_find(f, "h\"\\\xc3\xa9");
    assert_int_equal((uintptr_t)x->data % 2, 0);
    float back[3];
    assert_ok(snc_tensor_to_f32(back, x));
    assert_true(back[0] == 1.0f && back[1] == 2.0f && back[2] == -3.0f);
    assert_fails(snc_tensor_to_f32(back, snc_st_find(f, "q")), SNC_E_UNSUPPORTED, "tensor 'q' has dtype I8, expected F32");
    snc_st_close(f);
}

static void the_writer_leaves_nothing_when_it_fails(void **state)
{
    scratch *s = *state;
    const float a[2] = {1, 2};
    snc_tensor t = {.name = "a", .dtype = SNC_F32, .rank = 1, .shape = {3}, .data = a, .bytes = sizeof a};
    const char *path = scratch_path(s, "none.safetensors");
    assert_fails(snc_st_save(path, NULL, &t, 1), SNC_E_ARG, "tensor 'a': 8 bytes contradict");
    assert_false(snc_is_file(path));
    t.shape[0] = 2;
    assert_fails(snc_st_save("scratch.absent/x", NULL, &t, 1), SNC_E_IO, "cannot write");
}

static void numbers_that_are_not_finite_are_refused(void **state)
{
    (void)state;
    const uint16_t inf16 = 0x7c00, nan_bf = 0x7fc0;
    const uint32_t nan32[2] = {0, 0xff800000u};
    float out[2];
    snc_tensor t = {.name = "x", .dtype = SNC_F16, .rank = 1, .shape = {1}, .data = &inf16, .bytes = 2};
    assert_fails(snc_tensor_to_f32(out, &t), SNC_E_FORMAT, "tensor 'x' holds NaN or infinity");
    t.dtype = SNC_BF16;
    t.data = &nan_bf;
    assert_fails(snc_tensor_to_f32(out, &t), SNC_E_FORMAT, "NaN");
    t = (snc_tensor){.name = "x", .dtype = SNC_F32, .rank = 1, .shape = {2}, .data = nan32, .bytes = 8};
    assert_fails(snc_tensor_to_f32(out, &t), SNC_E_FORMAT, "NaN");
}

static void content_decides_not_the_name(void **state)
{
    (void)state;
    const unsigned char good[] = "\x10\0\0\0\0\0\0\0{", far[] = "\xff\xff\xff\xff\xff\xff\xff\x7f{", json[] = "{\"abcd\":{\"x\":1}}";
    assert_true(snc_st_sniff(good, 9));
    assert_true(snc_st_sniff(far, 9)); /* the reader says what is wrong with it */
    assert_false(snc_st_sniff(json, sizeof json - 1));
    assert_false(snc_st_sniff(good, 8));
}

int main(void)
{
    static scratch s;
    scratch_init(&s, "core_safetensors");
    void *state = &s;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_errors_name_file_and_tensor),
        cmocka_unit_test(lengths_are_checked_before_use),
        cmocka_unit_test(odd_but_legal_headers_are_read),
        cmocka_unit_test_prestate(what_is_written_is_read_back_aligned, state),
        cmocka_unit_test_prestate(the_writer_leaves_nothing_when_it_fails, state),
        cmocka_unit_test(numbers_that_are_not_finite_are_refused),
        cmocka_unit_test(content_decides_not_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
