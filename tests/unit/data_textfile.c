/* Files of rows as people have them: compressed, marked, or in another encoding. */
#include "check.h"
#include "data/textfile_priv.h"

#include <string.h>
#include <zlib.h>

#include "files.h"

static const char path[] = "data_textfile.txt";

static void put(const char *data, size_t n) { assert_ok(snc_file_write(path, data, n)); }
#define PUT(text) put(text, sizeof(text) - 1)

static size_t gzip(char *out, size_t cap, const char *text)
{
    z_stream s = {0};
    char *copy = NULL;
    assert_ok(snc_strdup(&copy, text));
    assert_int_equal(deflateInit2(&s, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    s.next_in = (unsigned char *)copy;
    s.avail_in = (uInt)strlen(text);
    s.next_out = (unsigned char *)out;
    s.avail_out = (uInt)cap;
    assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
    deflateEnd(&s);
    snc_free(copy);
    return s.total_out;
}

static void reads(const char *text, int broken)
{
    snc_textfile f;
    assert_ok(snc_textfile__open(&f, path));
    assert_int_equal(f.size, strlen(text));
    assert_memory_equal(f.data, text, f.size);
    assert_int_equal(f.broken, broken);
    snc_textfile__close(&f);
}

static void refuses(snc_err code, const char *what)
{
    snc_textfile f;
    assert_fails(snc_textfile__open(&f, path), code, what);
}

static void gzip_is_inflated_and_a_cut_one_refused(void **state)
{
    (void)state;
    char z[400];
    size_t n = gzip(z, sizeof z, "text\tlabel\n"), more;
    put(z, n);
    reads("text\tlabel\n", 0);
    more = gzip(z + n, sizeof z - n, "a\tb\n"); /* members one after the other */
    put(z, n + more);
    reads("text\tlabel\na\tb\n", 0);
    for (size_t cut = 10; cut < n; cut += 5) {
        put(z, cut);
        refuses(SNC_E_FORMAT, "ends early");
    }
    z[12] ^= 0x55;
    put(z, n);
    refuses(SNC_E_FORMAT, "data_textfile.txt: ");
    remove(path);
}

static void marks_are_dropped_and_other_encodings_named(void **state)
{
    (void)state;
    PUT("\xef\xbb\xbfone");
    reads("one", 0);
    PUT("caf\xc3\xa9 \xff and \xc3"); /* text with broken bytes */
    reads("caf\xc3\xa9 \xff and \xc3", 2);
    PUT("\xff\xfet\0e\0");
    refuses(SNC_E_UNSUPPORTED, "is UTF-16, expected UTF-8 text: iconv -f UTF-16 -t UTF-8 'data_textfile.txt' >");
    PUT("t\0e\0x\0t\0,\0l\0a\0b\0e\0");
    refuses(SNC_E_UNSUPPORTED, "iconv -f UTF-16LE");
    PUT("\0t\0e\0x\0t\0,\0l\0a\0b\0e");
    refuses(SNC_E_UNSUPPORTED, "iconv -f UTF-16BE");
    PUT("text,label\ncaf\xe9,a\nna\xefve,b\n");
    refuses(SNC_E_UNSUPPORTED, "no UTF-8 from line 2 on, Latin-1 by its looks, expected UTF-8 text: iconv -f LATIN1");
    PUT("text,label\ra,x\rb,y\r");
    refuses(SNC_E_UNSUPPORTED, "is a file whose lines end with CR alone, expected UTF-8 text: tr '\\r' '\\n' <'data_textfile.txt' >");
    PUT("one line\r");
    reads("one line\r", 0);
    PUT("PAR1\x15\x04");
    refuses(SNC_E_UNSUPPORTED, "is Parquet, expected UTF-8 text: python3 -c");
    PUT("");
    reads("", 0);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gzip_is_inflated_and_a_cut_one_refused),
                                       cmocka_unit_test(marks_are_dropped_and_other_encodings_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
