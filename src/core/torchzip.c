/* The directory is found from the back and checked before it is followed; stored records are views, deflated and strided ones copies. */
#include "core/torchzip.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "core/unpickle.h"

enum { EOCD = 22, EOCD64 = 56, LOCATOR64 = 20, CENTRAL = 46, LOCAL = 30, COMMENT_MAX = 65535, PICKLE_MAX = 64 << 20 };

typedef struct record {
    const unsigned char *name; /* [name_len] in the central directory */
    size_t name_len;
    int method; /* 0 stored, 8 deflated */
    uint32_t crc;
    uint64_t packed, size, local; /* bytes in the file, bytes unpacked, offset of the local header */
    const unsigned char *data;    /* unpacked and verified; NULL: not asked for yet */
} record;

struct snc_torchzip {
    snc_fmap *map;
    const unsigned char *p;
    size_t size;
    const char *where;
    snc_arena *arena; /* names and copies */
    record *r;        /* [n_records], in archive order until sorted by name */
    int n_records;
    uint64_t inflated, copied; /* bytes made so far, bounded by the size of the file */
    snc_tensor *t;
    int n;
};

static uint64_t le(const unsigned char *p, int bytes)
{
    uint64_t v = 0;
    for (int i = bytes - 1; i >= 0; i--) v = v << 8 | p[i];
    return v;
}

bool snc_pickle_sniff(const unsigned char *data, size_t size) { return size >= 2 && data[0] == 0x80 && data[1] >= 2 && data[1] <= 5; }

/* The length of the pickle of 0x1950a86a20f9469cfc6c, which such a file begins with; 0: it does not. */
static size_t magic_size(const unsigned char *p, size_t n)
{
    static const unsigned char number[] = {0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
    size_t at = 2;
    if (!snc_pickle_sniff(p, n)) return 0;
    if (n > at && p[at] == 0x95) at += 9; /* FRAME, of protocol 4 */
    if (n < at + sizeof number || memcmp(p + at, number, sizeof number) != 0) return 0;
    at += sizeof number;
    if (n > at && p[at] == 0x94) at++; /* MEMOIZE */
    return n > at && p[at] == '.' ? at + 1 : 0;
}

bool snc_torchzip_sniff(const unsigned char *data, size_t size)
{
    if (magic_size(data, size)) return true;
    return size >= 4 && data[0] == 'P' && data[1] == 'K' && (le(data + 2, 2) == 0x0403 || le(data + 2, 2) == 0x0605);
}

static snc_err damaged(const snc_torchzip *z, const char *what)
{
    return snc_err_set(SNC_E_FORMAT, "%s: damaged or truncated archive: %s", z->where, what);
}

/* ---- the directory ------------------------------------------------------------------------------------------------ */

typedef struct directory {
    uint64_t entries, size, offset;
} directory;

/* Where the end record is, searched from the back because a comment may follow it. */
static const unsigned char *find_end(const snc_torchzip *z)
{
    if (z->size < EOCD) return NULL;
    size_t floor = z->size > EOCD + COMMENT_MAX ? z->size - EOCD - COMMENT_MAX : 0;
    for (size_t at = z->size - EOCD + 1; at-- > floor;)
        if (le(z->p + at, 4) == 0x06054b50 && le(z->p + at + 20, 2) == z->size - at - EOCD) return z->p + at;
    return NULL;
}

static snc_err find_directory(directory *d, const snc_torchzip *z)
{
    const unsigned char *e = find_end(z);
    if (!e) return damaged(z, "no end record");
    *d = (directory){le(e + 10, 2), le(e + 12, 4), le(e + 16, 4)};
    if (d->entries == 0xffff || d->size == 0xffffffff || d->offset == 0xffffffff) {
        size_t at = (size_t)(e - z->p);
        if (at < LOCATOR64 || le(e - LOCATOR64, 4) != 0x07064b50) return damaged(z, "no zip64 locator");
        uint64_t at64 = le(e - LOCATOR64 + 8, 8);
        if (at64 > z->size || z->size - at64 < EOCD64 || le(z->p + at64, 4) != 0x06064b50) return damaged(z, "no zip64 end record");
        *d = (directory){le(z->p + at64 + 32, 8), le(z->p + at64 + 40, 8), le(z->p + at64 + 48, 8)};
    }
    if (d->offset > z->size || d->size > z->size - d->offset) return damaged(z, "the directory is out of range");
    if (d->entries > d->size / CENTRAL) return damaged(z, "more records than the directory has room for");
    return SNC_OK;
}

/* Sizes of 4 GB and more stand in an extra field, in this order and only where the short field is full. */
static snc_err read_extra64(record *r, const snc_torchzip *z, const unsigned char *x, size_t n)
{
    uint64_t *const fields[] = {&r->size, &r->packed, &r->local};
    bool need = false;
    for (int i = 0; i < 3; i++) need = need || *fields[i] == 0xffffffff;
    while (need && n >= 4) {
        size_t id = (size_t)le(x, 2), len = (size_t)le(x + 2, 2);
        if (len > n - 4) break;
        if (id == 1) {
            const unsigned char *p = x + 4;
            for (int i = 0; i < 3; i++) {
                if (*fields[i] != 0xffffffff) continue;
                if (len < 8) return damaged(z, "a short zip64 field");
                *fields[i] = le(p, 8);
                p += 8;
                len -= 8;
            }
            return SNC_OK;
        }
        x += 4 + len;
        n -= 4 + len;
    }
    return need ? damaged(z, "a missing zip64 field") : SNC_OK;
}

static int by_name(const void *a, const void *b)
{
    const record *x = a, *y = b;
    size_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
    int c = n ? memcmp(x->name, y->name, n) : 0;
    return c ? c : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

static snc_err sort_records(snc_torchzip *z)
{
    if (z->n_records > 1) qsort(z->r, (size_t)z->n_records, sizeof *z->r, by_name);
    for (int i = 1; i < z->n_records; i++)
        if (by_name(&z->r[i - 1], &z->r[i]) == 0) return damaged(z, "two records of one name");
    return SNC_OK;
}

static snc_err read_directory(snc_torchzip *z)
{
    directory d = {0};
    SNC_TRY(find_directory(&d, z));
    SNC_TRY(snc_alloc(&z->r, (size_t)d.entries, sizeof *z->r));
    const unsigned char *p = z->p + d.offset, *end = p + d.size;
    for (uint64_t i = 0; i < d.entries; i++) {
        if ((size_t)(end - p) < CENTRAL || le(p, 4) != 0x02014b50) return damaged(z, "a bad directory entry");
        size_t name = (size_t)le(p + 28, 2), extra = (size_t)le(p + 30, 2), comment = (size_t)le(p + 32, 2);
        if ((size_t)(end - p) - CENTRAL < name + extra + comment) return damaged(z, "a bad directory entry");
        record *r = &z->r[z->n_records++];
        *r = (record){.name = p + CENTRAL,
                      .name_len = name,
                      .method = (int)le(p + 10, 2),
                      .crc = (uint32_t)le(p + 16, 4),
                      .packed = le(p + 20, 4),
                      .size = le(p + 24, 4),
                      .local = le(p + 42, 4)};
        SNC_TRY(read_extra64(r, z, p + CENTRAL + name, extra));
        SNC_CHECK(!(le(p + 8, 2) & 1), SNC_E_UNSUPPORTED, "%s: encrypted zip archives are not supported", z->where);
        p += CENTRAL + name + extra + comment;
    }
    return sort_records(z);
}

/* ---- records ------------------------------------------------------------------------------------------------------ */

/* A deflated byte makes at most 1032; the archive as a whole may not claim more either. */
static snc_err inflate_record(record *r, snc_torchzip *z, const unsigned char *src)
{
    uint64_t limit = 1032 * (uint64_t)z->size + 64;
    if (r->size > limit - z->inflated || r->size > UINT32_MAX || r->packed > UINT32_MAX)
        return damaged(z, "a record is larger than its packed bytes can make");
    z->inflated += r->size;
    unsigned char *dst = NULL;
    SNC_TRY(snc_arena_alloc(&dst, z->arena, (size_t)r->size));
    z_stream s = {.next_in = src, .avail_in = (uInt)r->packed, .next_out = dst, .avail_out = (uInt)r->size};
    SNC_CHECK(inflateInit2(&s, -15) == Z_OK, SNC_E_NOMEM, "%s: out of memory", z->where);
    int rc = inflate(&s, Z_FINISH);
    bool ok = rc == Z_STREAM_END && s.avail_out == 0;
    inflateEnd(&s);
    if (!ok) return damaged(z, "a record does not unpack");
    r->data = dst;
    return SNC_OK;
}

/* Unpacks on first use. */
static snc_err open_record(record *r, snc_torchzip *z)
{
    if (r->data) return SNC_OK;
    if (r->local > z->size || z->size - r->local < LOCAL) return damaged(z, "a record is out of range");
    const unsigned char *h = z->p + r->local;
    if (le(h, 4) != 0x04034b50) return damaged(z, "a bad record header");
    uint64_t skip = LOCAL + le(h + 26, 2) + le(h + 28, 2), rest = z->size - r->local;
    if (skip > rest || r->packed > rest - skip) return damaged(z, "a record is out of range");
    if (r->method == 0) {
        if (r->packed != r->size) return damaged(z, "a stored record of two sizes");
        r->data = h + skip;
    } else if (r->method == Z_DEFLATED) {
        SNC_TRY(inflate_record(r, z, h + skip));
    } else {
        return snc_err_set(SNC_E_UNSUPPORTED, "%s: zip compression method %d, expected stored or deflated", z->where, r->method);
    }
    if (crc32_z(0, r->data, (size_t)r->size) == r->crc) return SNC_OK;
    r->data = NULL;
    return snc_err_set(SNC_E_FORMAT, "%s: record '%.*s': wrong checksum: damaged, or saved without checksums", z->where,
                       (int)(r->name_len < 200 ? r->name_len : 200), (const char *)r->name);
}

/* The record "prefix + a + b"; NULL: none. */
static record *find_record(const snc_torchzip *z, const unsigned char *prefix, size_t n_prefix, const char *a, const char *b)
{
    char name[1024];
    int n = snprintf(name, sizeof name, "%.*s%s%s", (int)n_prefix, (const char *)prefix, a, b);
    if (n_prefix > 512 || n < 0 || (size_t)n >= sizeof name || z->n_records == 0) return NULL;
    unsigned char key[1024];
    memcpy(key, name, (size_t)n);
    record k = {.name = key, .name_len = (size_t)n};
    return bsearch(&k, z->r, (size_t)z->n_records, sizeof *z->r, by_name);
}

/* The pickle that lies highest: "NAME/data.pkl". */
static record *find_pickle(const snc_torchzip *z)
{
    static const char suffix[] = "data.pkl";
    const size_t n = sizeof suffix - 1;
    record *best = NULL;
    for (int i = 0; i < z->n_records; i++) {
        record *r = &z->r[i];
        if (r->name_len < n || memcmp(r->name + r->name_len - n, suffix, n) != 0) continue;
        if (r->name_len > n && r->name[r->name_len - n - 1] != '/') continue;
        if (!best || r->name_len < best->name_len) best = r;
    }
    return best;
}

/* ---- tensors ------------------------------------------------------------------------------------------------------ */

static bool is_dense(const snc_pkl_tensor *p)
{
    int64_t step = 1;
    for (int i = p->rank - 1; i >= 0; i--) {
        if (p->shape[i] != 1 && p->stride[i] != step) return false;
        step *= p->shape[i];
    }
    return true;
}

/* Row-major copy of a strided view, counting like an odometer. */
static void copy_strided(unsigned char *dst, const unsigned char *src, const snc_pkl_tensor *p, size_t count)
{
    int64_t at[SNC_TENSOR_RANK] = {0}, place = p->offset;
    size_t width = (size_t)p->width;
    for (size_t k = 0; k < count; k++, dst += width) {
        memcpy(dst, src + (size_t)place * width, width);
        for (int i = p->rank - 1; i >= 0; i--) {
            place += p->stride[i];
            if (++at[i] < p->shape[i]) break;
            place -= p->stride[i] * at[i];
            at[i] = 0;
        }
    }
}

static snc_err make_tensor(snc_tensor *t, snc_torchzip *z, const snc_pkl_tensor *p, record *storage)
{
    size_t width = (size_t)p->width;
    SNC_CHECK(storage, SNC_E_FORMAT, "%s: tensor '%s': record 'data/%s' is missing", z->where, p->name, p->storage);
    SNC_TRY(open_record(storage, z));
    SNC_CHECK((uint64_t)p->numel <= storage->size / width && (uint64_t)p->numel * width == storage->size, SNC_E_FORMAT,
              "%s: tensor '%s': record 'data/%s' has %" PRIu64 " bytes, expected %" PRId64 " of %s", z->where, p->name, p->storage,
              storage->size, p->numel, p->dtype_name);
    *t = (snc_tensor){.name = p->name, .dtype = p->dtype, .dtype_name = p->dtype_name, .rank = p->rank};
    memcpy(t->shape, p->shape, sizeof t->shape);
    char text[SNC_SHAPE_TEXT];
    SNC_CHECK(snc_shape_bytes(&t->bytes, t->shape, t->rank, width) && t->bytes <= storage->size, SNC_E_UNSUPPORTED,
              "%s: tensor '%s': shape %s is larger than its storage", z->where, p->name, snc_shape_text(text, p->shape, p->rank));
    if (t->bytes == 0 || is_dense(p)) {
        t->data = storage->data + (t->bytes ? (size_t)p->offset * width : 0);
        return SNC_OK;
    }
    z->copied += t->bytes;
    SNC_CHECK(z->copied <= 4 * (z->size + z->inflated), SNC_E_UNSUPPORTED,
              "%s: tensor '%s': too many transposed views of the same storages", z->where, p->name);
    unsigned char *copy = NULL;
    SNC_TRY(snc_arena_alloc(&copy, z->arena, t->bytes));
    copy_strided(copy, storage->data, p, t->bytes / width);
    t->data = copy;
    return SNC_OK;
}

static snc_err sort_tensors(snc_torchzip *z)
{
    snc_tensors_sort(z->t, z->n);
    for (int i = 1; i < z->n; i++)
        SNC_CHECK(strcmp(z->t[i - 1].name, z->t[i].name) != 0, SNC_E_FORMAT, "%s: tensor '%s' appears twice", z->where, z->t[i].name);
    return SNC_OK;
}

static int by_storage(const void *a, const void *b)
{
    const snc_pkl_tensor *x = a, *y = b;
    return strcmp(x->storage, y->storage);
}

static snc_err read_tensors(snc_torchzip *z)
{
    record *pickle = find_pickle(z);
    SNC_CHECK(pickle, SNC_E_FORMAT, "%s: a zip archive without data.pkl: not a PyTorch checkpoint", z->where);
    SNC_CHECK(pickle->size <= PICKLE_MAX, SNC_E_FORMAT, "%s: data.pkl of %" PRIu64 " bytes is too large", z->where, pickle->size);
    SNC_TRY(open_record(pickle, z));
    const unsigned char *prefix = pickle->name;
    size_t n_prefix = pickle->name_len - strlen("data.pkl");
    record *order = find_record(z, prefix, n_prefix, "byteorder", "");
    if (order) {
        SNC_TRY(open_record(order, z));
        SNC_CHECK(order->size == 6 && memcmp(order->data, "little", 6) == 0, SNC_E_UNSUPPORTED,
                  "%s: big-endian checkpoints are not supported", z->where);
    }
    snc_pkl p;
    SNC_TRY(snc_unpickle_tensors(&p, z->arena, pickle->data, (size_t)pickle->size, z->where));
    SNC_TRY(snc_alloc(&z->t, (size_t)p.n, sizeof *z->t));
    for (int i = 0; i < p.n; i++)
        SNC_TRY(make_tensor(&z->t[z->n++], z, &p.tensor[i], find_record(z, prefix, n_prefix, "data/", p.tensor[i].storage)));
    return sort_tensors(z);
}

/* ---- before 1.6 ----------------------------------------------------------------------------------------------------- */

/* A storage of the file becomes a record that is unpacked already. */
static snc_err add_storage(size_t *at, snc_torchzip *z, const snc_pkl *p, const char *key)
{
    const snc_pkl_tensor want = {.storage = key};
    const snc_pkl_tensor *s = p->n_storages ? bsearch(&want, p->storage, (size_t)p->n_storages, sizeof want, by_storage) : NULL;
    SNC_CHECK(s, SNC_E_FORMAT, "%s: damaged: storage '%s' is of nothing that the file names", z->where, key);
    SNC_CHECK(z->size - *at >= 8, SNC_E_FORMAT, "%s: damaged or truncated: storage '%s' is cut off", z->where, key);
    uint64_t numel = le(z->p + *at, 8), room = z->size - *at - 8;
    SNC_CHECK(numel == (uint64_t)s->numel, SNC_E_FORMAT, "%s: damaged: storage '%s' has %" PRIu64 " elements, expected %" PRId64, z->where,
              key, numel, s->numel);
    SNC_CHECK(numel <= room / (uint64_t)s->width, SNC_E_FORMAT, "%s: damaged or truncated: storage '%s' is cut off", z->where, key);
    record *r = &z->r[z->n_records++];
    *r = (record){.size = numel * (uint64_t)s->width, .data = z->p + *at + 8};
    const void *name = key;
    r->name = name;
    r->name_len = strlen(key);
    *at += 8 + (size_t)r->size;
    return SNC_OK;
}

/* Pickles one behind the other: the magic number, 1001, what the writer's machine was, the object, the keys of its storages. */
static snc_err read_old(snc_torchzip *z)
{
    size_t at = magic_size(z->p, z->size), used = 0;
    int64_t version = 0, little = 0;
    const char *const *keys = NULL;
    int n = 0;
    snc_pkl p;
    SNC_TRY(snc_unpickle_number(&version, &used, NULL, z->arena, z->p + at, z->size - at, z->where));
    SNC_CHECK(version == 1001, SNC_E_UNSUPPORTED, "%s: protocol %" PRId64 " of a PyTorch file, expected 1001", z->where, version);
    at += used;
    SNC_TRY(snc_unpickle_number(&little, &used, "little_endian", z->arena, z->p + at, z->size - at, z->where));
    SNC_CHECK(little == 1, SNC_E_UNSUPPORTED, "%s: big-endian checkpoints are not supported", z->where);
    at += used;
    SNC_TRY(snc_unpickle_tensors(&p, z->arena, z->p + at, z->size - at, z->where));
    at += p.used;
    SNC_TRY(snc_unpickle_strings(&keys, &n, &used, z->arena, z->p + at, z->size - at, z->where));
    at += used;
    SNC_TRY(snc_alloc(&z->r, (size_t)n, sizeof *z->r));
    for (int i = 0; i < n; i++) SNC_TRY(add_storage(&at, z, &p, keys[i]));
    SNC_TRY(sort_records(z));
    SNC_TRY(snc_alloc(&z->t, (size_t)p.n, sizeof *z->t));
    for (int i = 0; i < p.n; i++) SNC_TRY(make_tensor(&z->t[z->n++], z, &p.tensor[i], find_record(z, NULL, 0, "", p.tensor[i].storage)));
    return sort_tensors(z);
}

static snc_err read_archive(snc_torchzip *z)
{
    SNC_TRY(snc_arena_new(&z->arena));
    if (magic_size(z->p, z->size)) return read_old(z);
    SNC_TRY(read_directory(z));
    return read_tensors(z);
}

snc_err snc_torchzip_open_mem(snc_torchzip **out, const unsigned char *data, size_t size, const char *where)
{
    snc_torchzip *z = NULL;
    SNC_TRY(snc_alloc(&z, 1, sizeof *z));
    z->p = data;
    z->size = size;
    z->where = where;
    snc_err err = read_archive(z);
    if (err) snc_torchzip_close(z);
    else *out = z;
    return err;
}

snc_err snc_torchzip_open(snc_torchzip **out, const char *path)
{
    snc_fmap *map = NULL;
    SNC_TRY(snc_fmap_open(&map, path));
    snc_err err = snc_torchzip_open_mem(out, map->data, map->size, path);
    if (err) snc_fmap_close(map);
    else (*out)->map = map;
    return err;
}

void snc_torchzip_close(snc_torchzip *z)
{
    if (!z) return;
    snc_fmap_close(z->map);
    snc_arena_free(z->arena);
    snc_free(z->r);
    snc_free(z->t);
    snc_free(z);
}

int snc_torchzip_count(const snc_torchzip *z) { return z->n; }

const snc_tensor *snc_torchzip_tensors_view(const snc_torchzip *z) { return z->t; }

const snc_tensor *snc_torchzip_find(const snc_torchzip *z, const char *name) { return snc_tensors_find(z->t, z->n, name); }
