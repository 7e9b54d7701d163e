/* Files read whole, and written so that either all is there or nothing. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* madvise */
#include "base/fmap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"

enum { MOST_PID = 1 << 22 }; /* as the kernel has it */

/* ---- what is read -------------------------------------------------------------------------------------------------------- */

/* Where in an open file what is to be read begins, and how much of it there is: all, or what a program carries. */
static snc_err find_content(size_t *from, size_t *size, int fd, size_t all, const char *path)
{
    unsigned char head[4] = {0}, tail[SNC_CARRIED_TAIL] = {0};
    uint64_t n = 0;
    *from = 0;
    *size = all;
    if (all < sizeof head + sizeof tail || pread(fd, head, sizeof head, 0) != sizeof head || memcmp(head, "\177ELF", sizeof head) != 0 ||
        pread(fd, tail, sizeof tail, (off_t)(all - sizeof tail)) != sizeof tail || memcmp(tail + 8, SNC_CARRIED_MARK, 8) != 0)
        return SNC_OK;
    for (int i = 7; i >= 0; i--) n = n << 8 | tail[i];
    SNC_CHECK(n < all - sizeof tail && (all - sizeof tail - n) % SNC_CARRIED_ALIGN == 0, SNC_E_FORMAT,
              "%s: the file that this program carries is damaged", path);
    *from = all - sizeof tail - (size_t)n;
    *size = (size_t)n;
    return SNC_OK;
}

static snc_err read_pages(void *p, size_t from, size_t size, int fd, const char *path)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = pread(fd, (unsigned char *)p + at, size - at, (off_t)(from + at));
        if (n < 0 && errno == EINTR) continue;
        SNC_CHECK(n >= 0, SNC_E_IO, "%s: read failed: %s", path, strerror(errno));
        SNC_CHECK(n > 0, SNC_E_IO, "%s: became shorter while it was read", path);
        at += (size_t)n;
    }
    return SNC_OK;
}

/* Pages of the file itself, or fresh ones with what it holds now. */
static snc_err fill(snc_fmap *m, int fd, size_t from, bool copy, const char *path)
{
    if (m->size == 0) return SNC_OK;
    void *p = copy ? mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                   : mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, fd, (off_t)from);
    SNC_CHECK(p != MAP_FAILED, SNC_E_IO, "%s: cannot map: %s", path, strerror(errno));
    m->data = p;
    if (!copy) return SNC_OK;
    snc_advise_huge(p, m->size);
    return read_pages(p, from, m->size, fd, path);
}

const char *snc_program_path(void)
{
    const unsigned long at = getauxval(AT_EXECFN);
    const char *path;
    memcpy(&path, &at, sizeof path);
    return path;
}

/* The program that runs cannot be written to: what it carries is mapped where others are copied. */
static bool is_running(const struct stat *file)
{
    const char *path = snc_program_path();
    struct stat own;
    return path && stat(path, &own) == 0 && own.st_dev == file->st_dev && own.st_ino == file->st_ino;
}

/* What git leaves in place of a large file that was not fetched; whoever reads the file would find nonsense in it. */
static snc_err check_pointer(const snc_fmap *m, const char *path)
{
    static const char start[] = "version https://git-lfs.github.com/spec/";
    enum { LONGEST = 1024 };
    size_t n = sizeof start - 1;
    SNC_CHECK(m->size < n || m->size >= LONGEST || memcmp(m->data, start, n) != 0, SNC_E_FORMAT,
              "%s: a Git LFS pointer, not the file itself: run 'git lfs pull' in its folder", path);
    return SNC_OK;
}

static snc_err map_file(snc_fmap **out, const char *path, bool copy)
{
    snc_fmap *m = NULL;
    snc_err err = SNC_OK;
    struct stat st;
    size_t from;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for its writer */
    SNC_CHECK(fd >= 0, SNC_E_IO, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        err = snc_err_set(SNC_E_IO, "%s: not a regular file", path);
        goto out;
    }
    SNC_GOTO(snc_alloc(&m, 1, sizeof *m));
    SNC_GOTO(find_content(&from, &m->size, fd, (size_t)st.st_size, path));
    SNC_GOTO(fill(m, fd, from, copy && !(from > 0 && is_running(&st)), path));
    SNC_GOTO(check_pointer(m, path));
    *out = m;
    m = NULL;
out:
    close(fd);
    snc_fmap_close(m);
    return err;
}

snc_err snc_fmap_open(snc_fmap **out, const char *path) { return map_file(out, path, false); }
snc_err snc_fmap_read(snc_fmap **out, const char *path) { return map_file(out, path, true); }

void snc_fmap_close(snc_fmap *m)
{
    if (!m) return;
    if (m->data) {
        void *p;
        memcpy(&p, &m->data, sizeof p);
        munmap(p, m->size);
    }
    snc_free(m);
}

bool snc_is_carrier(const char *path)
{
    struct stat st;
    size_t from = 0, size;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool yes = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
               find_content(&from, &size, fd, (size_t)st.st_size, path) == SNC_OK && from > 0;
    if (fd >= 0) close(fd);
    return yes;
}

bool snc_file_begins(const char *path, const char *with_file)
{
    unsigned char a[4096], b[4096];
    FILE *f = fopen(path, "rbe"), *g = fopen(with_file, "rbe");
    bool same = f && g;
    for (size_t n = 1; same && n > 0;) {
        n = fread(b, 1, sizeof b, g);
        same = !ferror(g) && fread(a, 1, n, f) == n && memcmp(a, b, n) == 0;
    }
    if (g) fclose(g);
    if (f) fclose(f);
    return same;
}

snc_err snc_file_read(char **out, size_t *size, const char *path)
{
    snc_fmap *m = NULL;
    SNC_TRY(snc_fmap_open(&m, path));
    snc_err err = snc_alloc(out, m->size + 1, 1);
    if (!err) {
        if (m->size) memcpy(*out, m->data, m->size);
        if (size) *size = m->size;
    }
    snc_fmap_close(m);
    return err;
}

/* ---- where a write goes ---------------------------------------------------------------------------------------------- */

static const char *kind_of(mode_t m)
{
    if (S_ISDIR(m)) return "a folder";
    if (S_ISFIFO(m)) return "a FIFO";
    if (S_ISSOCK(m)) return "a socket";
    return "a device";
}

/* One step along a symbolic link; false when the path is none. */
static snc_err follow(bool *link, char *buf, size_t size, const char *path)
{
    char to[4096];
    struct stat st;
    *link = lstat(buf, &st) == 0 && S_ISLNK(st.st_mode);
    if (!*link) return SNC_OK;
    ssize_t n = readlink(buf, to, sizeof to);
    const char *slash = strrchr(buf, '/');
    size_t dir = n > 0 && to[0] == '/' ? 0 : slash ? (size_t)(slash + 1 - buf) : 0;
    SNC_CHECK(n > 0 && dir + (size_t)n < size && (size_t)n < sizeof to, SNC_E_IO, "%s: a symbolic link that leads nowhere", path);
    memcpy(buf + dir, to, (size_t)n);
    buf[dir + (size_t)n] = 0;
    return SNC_OK;
}

snc_err snc_link_target(char *buf, size_t size, const char *path)
{
    enum { MOST_LINKS = 40 };
    bool link = true;
    SNC_CHECK(strlen(path) < size, SNC_E_ARG, "path too long: %.80s...", path);
    memcpy(buf, path, strlen(path) + 1);
    for (int i = 0; i < MOST_LINKS && link; i++) SNC_TRY(follow(&link, buf, size, path));
    SNC_CHECK(!link, SNC_E_IO, "%s: too many symbolic links", path);
    return SNC_OK;
}

snc_err snc_write_target(char *buf, size_t size, const char *path)
{
    struct stat st;
    SNC_TRY(snc_link_target(buf, size, path));
    if (stat(buf, &st) != 0) return SNC_OK;
    SNC_CHECK(S_ISREG(st.st_mode), SNC_E_IO, "%s: is %s, expected a file or a name that is free", path, kind_of(st.st_mode));
    SNC_CHECK(access(buf, W_OK) == 0, SNC_E_IO, "%s: cannot write: %s", path, strerror(errno));
    return SNC_OK;
}

snc_err snc_stream_open(FILE **out, const char *path)
{
    char to[4096];
    struct stat st;
    SNC_TRY(snc_write_target(to, sizeof to, path));
    int fd = open(to, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    SNC_CHECK(fd >= 0, SNC_E_IO, "%s: cannot write: %s", path, strerror(errno));
    FILE *f = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(fd, 0) == 0 ? fdopen(fd, "w") : NULL;
    if (f) *out = f;
    else close(fd);
    SNC_CHECK(f, SNC_E_IO, "%s: cannot write: %s", path, strerror(errno));
    return SNC_OK;
}

/* ---- writes that finish or leave nothing ------------------------------------------------------------------------------- */

struct snc_fout {
    FILE *f;
    char *path, *to, *tmp; /* as given; the file it leads to; what is written until the end */
};

static void fout_free(snc_fout *f)
{
    snc_free(f->path);
    snc_free(f->to);
    snc_free(f->tmp);
    snc_free(f);
}

/* Whether a file's name is NAME[.word].tmp.PID, of a process that no longer lives. */
static bool is_stale(const char *file, const char *name)
{
    size_t n = strlen(name);
    char *end = NULL;
    if (strncmp(file, name, n) != 0) return false;
    const char *tmp = strstr(file + n, ".tmp.");
    if (!tmp || (tmp > file + n && file[n] != '.') || memchr(file + n + 1, '.', tmp > file + n ? (size_t)(tmp - file) - n - 1 : 0))
        return false;
    long pid = strtol(tmp + 5, &end, 10);
    return end > tmp + 5 && !*end && pid > 0 && pid <= MOST_PID && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* What a killed writer of this file or of one beside it left. */
static void remove_stale(const char *path)
{
    char dir[4096], file[8192];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash + 1 - path) : 2, slash ? path : "./");
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!is_stale(e->d_name, name)) continue;
        snprintf(file, sizeof file, "%s%s", dir, e->d_name);
        remove(file);
    }
    if (d) closedir(d);
}

snc_err snc_fout_name(char *buf, size_t size, const char *path)
{
    char to[4096];
    SNC_TRY(snc_write_target(to, sizeof to, path));
    int n = snprintf(buf, size, "%s.tmp.%ld", to, (long)getpid());
    SNC_CHECK(n > 0 && (size_t)n < size, SNC_E_ARG, "path too long: %.80s...", path);
    return SNC_OK;
}

snc_err snc_fout_open(snc_fout **out, const char *path)
{
    snc_fout *f = NULL;
    char to[4096], tmp[4096];
    SNC_TRY(snc_write_target(to, sizeof to, path));
    SNC_TRY(snc_fout_name(tmp, sizeof tmp, path));
    snc_err err = SNC_OK;
    remove_stale(to);
    SNC_TRY(snc_alloc(&f, 1, sizeof *f));
    SNC_GOTO(snc_strdup(&f->path, path));
    SNC_GOTO(snc_strdup(&f->to, to));
    SNC_GOTO(snc_strdup(&f->tmp, tmp));
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd >= 0) f->f = fdopen(fd, "wb");
    if (!f->f) {
        err = snc_err_set(SNC_E_IO, "%s: cannot write: %s", path, strerror(errno));
        goto out;
    }
    *out = f;
    return SNC_OK;
out:
    fout_free(f);
    return err;
}

snc_err snc_fout_write(snc_fout *f, const void *data, size_t n)
{
    SNC_CHECK(n == 0 || fwrite(data, 1, n, f->f) == n, SNC_E_IO, "%s: write failed: %s", f->path, strerror(errno));
    return SNC_OK;
}

snc_err snc_fout_executable(snc_fout *f)
{
    struct stat st;
    int fd = fileno(f->f);
    SNC_CHECK(fstat(fd, &st) == 0 && fchmod(fd, (st.st_mode & 0777) | (st.st_mode & 0444) >> 2) == 0, SNC_E_IO,
              "%s: cannot be made executable: %s", f->path, strerror(errno));
    return SNC_OK;
}

int snc_fout_descriptor(const snc_fout *f) { return fcntl(fileno(f->f), F_DUPFD_CLOEXEC, 0); }

snc_err snc_fout_commit(snc_fout *f)
{
    snc_err err = SNC_OK;
    bool ok = fflush(f->f) == 0 && fsync(fileno(f->f)) == 0;
    if (fclose(f->f) != 0) ok = false;
    if (!ok) err = snc_err_set(SNC_E_IO, "%s: write failed: %s", f->path, strerror(errno));
    else if (rename(f->tmp, f->to) != 0) err = snc_err_set(SNC_E_IO, "%s: cannot rename: %s", f->path, strerror(errno));
    if (err) remove(f->tmp);
    fout_free(f);
    return err;
}

void snc_fout_abort(snc_fout *f)
{
    if (!f) return;
    fclose(f->f);
    remove(f->tmp);
    fout_free(f);
}

snc_err snc_file_write(const char *path, const void *data, size_t n)
{
    snc_fout *f = NULL;
    SNC_TRY(snc_fout_open(&f, path));
    snc_err err = snc_fout_write(f, data, n);
    if (err) {
        snc_fout_abort(f);
        return err;
    }
    return snc_fout_commit(f);
}

snc_err snc_file_move(const char *to, const char *from)
{
    char target[4096];
    SNC_TRY(snc_write_target(target, sizeof target, to));
    SNC_CHECK(rename(from, target) == 0, SNC_E_IO, "%s: cannot rename %s to it: %s", to, from, strerror(errno));
    return SNC_OK;
}

double snc_file_size(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode) ? (double)s.st_size : 0;
}

bool snc_is_there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool snc_is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool snc_is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool snc_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void snc_dir_each(const char *path, void (*fn)(void *user, const char *name), void *user)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) fn(user, e->d_name);
    if (d) closedir(d);
}

bool snc_dir_is_empty(const char *path)
{
    DIR *d = opendir(path);
    if (!d) return false;
    int entries = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) entries += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return entries == 0;
}

snc_err snc_mkdir(const char *path)
{
    char buf[4096];
    size_t n = strlen(path);
    SNC_CHECK(n > 0 && n < sizeof buf, SNC_E_ARG, "folder name of %zu bytes", n);
    memcpy(buf, path, n + 1);
    for (char *p = buf + 1;; p++) {
        if (*p != '/' && *p != 0) continue;
        char c = *p;
        *p = 0;
        SNC_CHECK(mkdir(buf, 0777) == 0 || snc_is_dir(buf), SNC_E_IO, "%s: cannot make the folder: %s", buf, strerror(errno));
        *p = c;
        if (c == 0) return SNC_OK;
    }
}

snc_err snc_path_join(char *buf, size_t size, const char *dir, const char *name)
{
    size_t n = strlen(dir);
    const char *sep = n > 0 && dir[n - 1] == '/' ? "" : "/";
    int k = snprintf(buf, size, "%s%s%s", dir, sep, name);
    SNC_CHECK(k > 0 && (size_t)k < size, SNC_E_ARG, "path too long: %.80s...", dir);
    return SNC_OK;
}

uint64_t snc_bytes_hash(uint64_t h, const void *p, size_t n)
{
    const unsigned char *b = p;
    if (h == 0) h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++) h = (h ^ b[i]) * 0x100000001b3u;
    return h;
}

snc_err snc_file_hash(uint64_t *out, const char *path)
{
    snc_fmap *m = NULL;
    SNC_TRY(snc_fmap_open(&m, path));
    *out = snc_digest(&(snc_digest_part){m->data, m->size}, 1);
    snc_fmap_close(m);
    return SNC_OK;
}

void snc_advise_huge(void *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t page = (uintptr_t)2 << 20;
    uintptr_t from = ((uintptr_t)p + page - 1) / page * page, to = ((uintptr_t)p + bytes) / page * page;
    int saved = errno;
    if (to > from) (void)madvise((unsigned char *)p + (from - (uintptr_t)p), to - from, MADV_HUGEPAGE);
    errno = saved;
#else
    (void)p;
    (void)bytes;
#endif
}

void snc_clear_block(void *p, size_t bytes)
{
    unsigned char *at = p;
#ifdef __linux__
    const uintptr_t page = (uintptr_t)2 << 20, start = (uintptr_t)p;
    uintptr_t from = (start + page - 1) / page * page, to = (start + bytes) / page * page;
    int saved = errno;
    if (to > from) {
        volatile unsigned char *told = at + (from - start);
        *told = 1; /* what takes the call for a hint leaves it so */
        if (madvise(at + (from - start), to - from, MADV_DONTNEED) == 0 && *told == 0) {
            memset(at, 0, from - start);
            at += to - start;
            bytes -= to - start;
        }
    }
    errno = saved;
#endif
    memset(at, 0, bytes);
}

void *snc_pages_map(size_t bytes)
{
    const uintptr_t page = (uintptr_t)2 << 20;
    if (bytes > SIZE_MAX - page) return NULL;
    unsigned char *p = mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    size_t before = (size_t)(((uintptr_t)p + page - 1) / page * page - (uintptr_t)p);
    if (before) munmap(p, before);
    if (page - before) munmap(p + before + bytes, page - before);
    snc_advise_huge(p + before, bytes);
    return p + before;
}

void snc_pages_unmap(void *p, size_t bytes) { munmap(p, bytes); }
