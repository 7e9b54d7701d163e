/* zip_make.h: small zip archives and pickles, made byte by byte, so that tests can make them wrong.
 *
 *     zip_make z = {0};
 *     zip_add(&z, "a/data.pkl", p, n, 0);  zip_add(&z, "a/data/0", x, 8, 0);  zip_finish(&z);   z.out[0 .. z.n)
 */
#ifndef SNC_TESTS_ZIP_MAKE_H
#define SNC_TESTS_ZIP_MAKE_H

#include <string.h>
#include <zlib.h>

enum { ZIP_MAX = 1 << 16, ZIP_DEFLATE = 1, ZIP_64 = 2, ZIP_BAD_CRC = 4, ZIP_CRYPT = 8, ZIP_BZIP = 16 };

typedef struct zip_make {
    unsigned char out[ZIP_MAX], dir[ZIP_MAX];
    size_t n, n_dir, entries;
} zip_make;

static inline void put(unsigned char *b, size_t *n, unsigned long long v, int bytes)
{
    for (int i = 0; i < bytes; i++) b[(*n)++] = i < 8 ? (unsigned char)(v >> (8 * i)) : 0;
}

/* packed [4096]: raw deflate data; how many bytes of it. */
static inline size_t zip_deflated(unsigned char *packed, const void *data, size_t n)
{
    union {
        const void *in;
        Bytef *out;
    } u = {.in = data}; /* zlib's next_in is not const by default */
    z_stream s = {.next_in = u.out, .avail_in = (uInt)n, .next_out = packed, .avail_out = 4096};
    deflateInit2(&s, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    deflate(&s, Z_FINISH);
    deflateEnd(&s);
    return s.total_out;
}

/* What both headers of a record say. */
typedef struct zip_record {
    const char *name;
    size_t n, packed, at; /* bytes unpacked, bytes in the archive, offset */
    unsigned long crc;
    int method;
} zip_record;

static inline void zip_local(zip_make *z, const zip_record *r, const void *data)
{
    size_t len = strlen(r->name);
    put(z->out, &z->n, 0x04034b50, 4);
    put(z->out, &z->n, 20, 2);
    put(z->out, &z->n, 0, 2);
    put(z->out, &z->n, (unsigned long long)r->method, 2);
    put(z->out, &z->n, 0, 4);
    put(z->out, &z->n, r->crc, 4);
    put(z->out, &z->n, r->packed, 4);
    put(z->out, &z->n, r->n, 4);
    put(z->out, &z->n, len, 2);
    put(z->out, &z->n, 0, 2);
    memcpy(z->out + z->n, r->name, len);
    z->n += len;
    memcpy(z->out + z->n, data, r->packed);
    z->n += r->packed;
}

static inline void zip_central(zip_make *z, const zip_record *r, int flags)
{
    size_t len = strlen(r->name);
    int wide = flags & ZIP_64;
    put(z->dir, &z->n_dir, 0x02014b50, 4);
    put(z->dir, &z->n_dir, 20, 2);
    put(z->dir, &z->n_dir, 20, 2);
    put(z->dir, &z->n_dir, flags & ZIP_CRYPT ? 1 : 0, 2);
    put(z->dir, &z->n_dir, (unsigned long long)r->method, 2);
    put(z->dir, &z->n_dir, 0, 4);
    put(z->dir, &z->n_dir, r->crc, 4);
    put(z->dir, &z->n_dir, wide ? 0xffffffffu : r->packed, 4);
    put(z->dir, &z->n_dir, wide ? 0xffffffffu : r->n, 4);
    put(z->dir, &z->n_dir, len, 2);
    put(z->dir, &z->n_dir, wide ? 4 + 24 + 5 : 0, 2);
    put(z->dir, &z->n_dir, 0, 10);
    put(z->dir, &z->n_dir, wide ? 0xffffffffu : r->at, 4);
    memcpy(z->dir + z->n_dir, r->name, len);
    z->n_dir += len;
    if (!wide) return;
    put(z->dir, &z->n_dir, 0x5455, 2); /* some other field first */
    put(z->dir, &z->n_dir, 1, 2);
    put(z->dir, &z->n_dir, 0, 1);
    put(z->dir, &z->n_dir, 1, 2);
    put(z->dir, &z->n_dir, 24, 2);
    put(z->dir, &z->n_dir, r->n, 8);
    put(z->dir, &z->n_dir, r->packed, 8);
    put(z->dir, &z->n_dir, r->at, 8);
}

static inline void zip_add(zip_make *z, const char *name, const void *data, size_t n, int flags)
{
    unsigned char packed[4096];
    zip_record r = {.name = name, .n = n, .packed = n, .at = z->n};
    r.crc = crc32(0, data, (uInt)n) ^ (flags & ZIP_BAD_CRC ? 1u : 0u);
    r.method = flags & ZIP_BZIP ? 12 : flags & ZIP_DEFLATE ? 8 : 0;
    if (flags & ZIP_DEFLATE) r.packed = zip_deflated(packed, data, n);
    zip_local(z, &r, flags & ZIP_DEFLATE ? packed : data);
    zip_central(z, &r, flags);
    z->entries++;
}

static inline void zip_finish(zip_make *z, int wide, const char *comment)
{
    size_t at = z->n;
    memcpy(z->out + z->n, z->dir, z->n_dir);
    z->n += z->n_dir;
    if (wide) {
        size_t at64 = z->n;
        put(z->out, &z->n, 0x06064b50, 4);
        put(z->out, &z->n, 44, 8);
        put(z->out, &z->n, 45, 2);
        put(z->out, &z->n, 45, 2);
        put(z->out, &z->n, 0, 8);
        put(z->out, &z->n, z->entries, 8);
        put(z->out, &z->n, z->entries, 8);
        put(z->out, &z->n, z->n_dir, 8);
        put(z->out, &z->n, at, 8);
        put(z->out, &z->n, 0x07064b50, 4);
        put(z->out, &z->n, 0, 4);
        put(z->out, &z->n, at64, 8);
        put(z->out, &z->n, 1, 4);
    }
    put(z->out, &z->n, 0x06054b50, 4);
    put(z->out, &z->n, 0, 4);
    put(z->out, &z->n, wide ? 0xffff : z->entries, 2);
    put(z->out, &z->n, wide ? 0xffff : z->entries, 2);
    put(z->out, &z->n, wide ? 0xffffffffu : z->n_dir, 4);
    put(z->out, &z->n, wide ? 0xffffffffu : at, 4);
    put(z->out, &z->n, strlen(comment), 2);
    memcpy(z->out + z->n, comment, strlen(comment));
    z->n += strlen(comment);
}

/* Pieces of pickles. A string literal with zeros in it: P("...") is its pointer and length. */
#define P(s)                     s, sizeof(s) - 1
#define PKL_STORAGE(cls, key, n) "(X\x07\0\0\0storagectorch\n" cls "\nX\x01\0\0\0" key "X\x03\0\0\0cpuK" n "tQ"
/* {name: tensor of the storage}; size and stride are what lies between the marks: "K\2K\3" */
#define PKL_TENSOR(name1, storage, offset, size, stride)                                                       \
    "X\x01\0\0\0" name1 "ctorch._utils\n_rebuild_tensor_v2\n(" storage "K" offset "(" size "t(" stride "t\x89" \
    "ccollections\nOrderedDict\n)RtR"

/* The form before 1.6 of {"a": floats of the storage "0", rows by 2}, in pieces that a test can put together with one of them changed. */
#define OLD_MAGIC                "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
#define OLD_VERSION              "\x80\2M\xe9\3."
#define OLD_SYSTEM(little)       "\x80\2}(X\x10\0\0\0protocol_versionM\xe9\3X\x0d\0\0\0little_endian" little "u."
#define OLD_STORAGE(cls, key, n) "(X\x07\0\0\0storagectorch\n" cls "\nX\x01\0\0\0" key "X\x03\0\0\0cpuK" n "NtQ"
#define OLD_DICT                 "\x80\2}(" PKL_TENSOR("a", OLD_STORAGE("FloatStorage", "0", "\4"), "\0", "K\2K\2", "K\2K\1") "u."
#define OLD_KEYS                 "\x80\2]X\1\0\0\0000a."
#define OLD_NUMBERS              "\4\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40" /* 4 elements: 1, 2, 3, 4 */
#define OLD_FILE                 OLD_MAGIC OLD_VERSION OLD_SYSTEM("\x88") OLD_DICT OLD_KEYS OLD_NUMBERS

#endif
