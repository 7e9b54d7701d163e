/* Content decides, not the name: magic bytes, then a scan for broken UTF-8, eight bytes of ASCII at a time; gzip grows one block. */
#include "data/textfile_priv.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/room.h"
#include "base/utf8.h"

/* ---- what is no text ------------------------------------------------------------------------------------------------ */

/* A command is three parts with the file between the first two, and what it is to be called between the last two. */
typedef struct command {
    const char *before, *middle, *after;
} command;
#define PANDAS(read)                                                                            \
    {                                                                                           \
        "python3 -c \"import pandas; pandas." read "('", "').to_csv('", ".csv', index=False)\"" \
    }
#define ICONV(from)                                      \
    {                                                    \
        "iconv -f " from " -t UTF-8 '", "' >'", ".utf8'" \
    }

static const struct {
    const char *magic;
    size_t n;
    const char *name;
    command how;
} others[] = {
    {"PAR1", 4, "Parquet", PANDAS("read_parquet")},     {"PK\x03\x04", 4, "a spreadsheet or a zip file", PANDAS("read_excel")},
    {"ARROW1", 6, "Arrow", PANDAS("read_feather")},     {"\xff\xfe\x00\x00", 4, "UTF-32", ICONV("UTF-32")},
    {"\x00\x00\xfe\xff", 4, "UTF-32", ICONV("UTF-32")}, {"\xff\xfe", 2, "UTF-16", ICONV("UTF-16")},
    {"\xfe\xff", 2, "UTF-16", ICONV("UTF-16")},
};
enum { OTHERS = sizeof others / sizeof *others };

static snc_err refuse(const char *path, const char *name, command how)
{
    return snc_err_set(SNC_E_UNSUPPORTED, "%s: is %s, expected UTF-8 text: %s%s%s%s%s", path, name, how.before, path, how.middle, path,
                       how.after);
}

static snc_err check_magic(const char *path, const char *p, size_t n)
{
    for (int i = 0; i < OTHERS; i++)
        if (n >= others[i].n && memcmp(p, others[i].magic, others[i].n) == 0) return refuse(path, others[i].name, others[i].how);
    /* UTF-16 without a mark: every second byte of Western text is zero. */
    for (size_t first = 0; first < 2 && n >= 16; first++) {
        size_t k = first;
        while (k < 16 && p[k] == 0 && p[k ^ 1] != 0) k += 2;
        if (k >= 16) return refuse(path, "UTF-16", first ? (command)ICONV("UTF-16LE") : (command)ICONV("UTF-16BE"));
    }
    return SNC_OK;
}

snc_err snc_textfile__refuse_other(const char *dir, const char *stem)
{
    static const struct {
        const char *end;
        int as;
    } ends[] = {{".parquet", 0}, {".xlsx", 1}, {".arrow", 2}, {".feather", 2}};
    char name[512], path[4096];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(name, sizeof name, "%.480s%s", stem, ends[i].end);
        SNC_TRY(snc_path_join(path, sizeof path, dir, name));
        if (snc_is_file(path)) return refuse(path, others[ends[i].as].name, others[ends[i].as].how);
    }
    return SNC_OK;
}

/* Lines that end with CR alone, as old Macs and some spreadsheets write them: all is one line to everybody else. */
static snc_err check_line_ends(const snc_textfile *f, const char *path)
{
    if (!f->size || *f->data == '[' || *f->data == '{' || memchr(f->data, '\n', f->size) || !memchr(f->data, '\r', f->size - 1))
        return SNC_OK;
    return refuse(path, "a file whose lines end with CR alone", (command){"tr '\\r' '\\n' <'", "' >'", ".utf8'"});
}

/* ---- UTF-8 ---------------------------------------------------------------------------------------------------------- */

/* Letters above ASCII alone and not one valid sequence: a file of one byte a letter. */
static snc_err check_utf8(snc_textfile *f, const char *path)
{
    const unsigned char *p = (const unsigned char *)f->data;
    int64_t valid = 0, line = 1, first = 0;
    for (size_t i = 0; i < f->size;) {
        uint64_t eight;
        if (i + 8 <= f->size && (memcpy(&eight, p + i, 8), (eight & 0x8080808080808080u) == 0) && !first) {
            i += 8;
            continue;
        }
        size_t n = snc_utf8_sequence(p + i, f->size - i);
        valid += n > 1;
        if (n == 0) {
            f->broken++;
            if (!first) first = (int64_t)i + 1;
            n = 1;
        }
        i += n;
    }
    if (f->broken == 0 || valid > 0) return SNC_OK;
    for (const char *c = f->data; c < f->data + first - 1; c++) line += *c == '\n';
    char where[80];
    snprintf(where, sizeof where, "no UTF-8 from line %lld on, Latin-1 by its looks", (long long)line);
    return refuse(path, where, (command)ICONV("LATIN1"));
}

/* ---- gzip ----------------------------------------------------------------------------------------------------------- */

/* What the last four bytes say of the text's size; no more than text is likely to have shrunk. */
static size_t said_size(const unsigned char *p, size_t n)
{
    enum { SHRUNK = 64 };
    size_t said = 0;
    for (size_t i = 1; i <= 4 && i <= n; i++) said = said << 8 | p[n - i];
    return said < SHRUNK * n ? said + 1 : SHRUNK * n;
}

/* Members may follow one another, as with cat a.gz b.gz. */
static snc_err inflate_all(snc_textfile *f, z_stream *s, const char *path)
{
    size_t cap = 0, used = 0;
    int rc = Z_OK;
    const double left = snc_room_memory();
    SNC_TRY(snc_grow(&f->inflated, &cap, said_size(f->map->data, f->map->size), 1));
    while (rc != Z_STREAM_END || s->avail_in > 0) {
        if (rc == Z_STREAM_END) SNC_CHECK(inflateReset(s) == Z_OK, SNC_E_FORMAT, "%s: damaged gzip data", path);
        SNC_CHECK(left == 0 || (double)used < left / 2, SNC_E_NOMEM, "%s: more than %.2f GB of text inside, %.2f GB of memory are free",
                  path, (double)used / 1e9, left / 1e9);
        if (used == cap) SNC_TRY(snc_grow(&f->inflated, &cap, used + (1 << 16), 1));
        uInt room = cap - used < 1u << 30 ? (uInt)(cap - used) : 1u << 30;
        s->next_out = (unsigned char *)f->inflated + used;
        s->avail_out = room;
        rc = inflate(s, Z_NO_FLUSH);
        used += room - s->avail_out;
        SNC_CHECK(rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR, SNC_E_FORMAT, "%s: damaged gzip data after %zu bytes of text",
                  path, used);
        SNC_CHECK(rc != Z_BUF_ERROR || s->avail_in > 0, SNC_E_FORMAT, "%s: the gzip data ends early, after %zu bytes of text", path, used);
    }
    f->data = f->inflated;
    f->size = used;
    return SNC_OK;
}

static snc_err gunzip(snc_textfile *f, const char *path)
{
    SNC_CHECK(f->map->size <= UINT_MAX, SNC_E_UNSUPPORTED, "%s: a .gz of more than 4 GB: unpack it", path);
    z_stream s = {.avail_in = (uInt)f->map->size};
    memcpy(&s.next_in, &f->map->data, sizeof s.next_in); /* zlib does not write to it */
    SNC_CHECK(inflateInit2(&s, 16 + MAX_WBITS) == Z_OK, SNC_E_NOMEM, "%s: out of memory", path);
    snc_err err = inflate_all(f, &s, path);
    inflateEnd(&s);
    return err;
}

/* ---- both ----------------------------------------------------------------------------------------------------------- */

static snc_err open_text(snc_textfile *f, const char *path)
{
    SNC_TRY(snc_fmap_open(&f->map, path));
    f->data = (const char *)f->map->data;
    f->size = f->map->size;
    if (f->size >= 2 && memcmp(f->data, "\x1f\x8b", 2) == 0) SNC_TRY(gunzip(f, path));
    SNC_TRY(check_magic(path, f->data, f->size));
    if (f->size >= 3 && memcmp(f->data, "\xef\xbb\xbf", 3) == 0) {
        f->data += 3;
        f->size -= 3;
    }
    SNC_TRY(check_line_ends(f, path));
    return check_utf8(f, path);
}

snc_err snc_textfile__open(snc_textfile *out, const char *path)
{
    *out = (snc_textfile){0};
    snc_err err = open_text(out, path);
    if (err) snc_textfile__close(out);
    return err;
}

void snc_textfile__close(snc_textfile *f)
{
    snc_fmap_close(f->map);
    snc_free(f->inflated);
    *f = (snc_textfile){0};
}
