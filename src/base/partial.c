/* Opened to append, so that a piece lies behind the last one whatever a killed process left. */
#define _POSIX_C_SOURCE 200809L
#include "base/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmap.h"
#include "base/mem.h"

struct snc_partial {
    FILE *f;
    char *path;
    bool nameless; /* nobody finds it after a crash */
};

static snc_err failed(const snc_partial *p) { return snc_err_set(SNC_E_IO, "%s: write failed: %s", p->path, strerror(errno)); }

/* Takes the descriptor, whatever comes of it. */
static snc_err adopt(snc_partial **out, struct stat *st, int fd, const char *path, bool nameless)
{
    snc_partial *p = NULL;
    snc_err err = snc_alloc(&p, 1, sizeof *p);
    if (!err) err = snc_strdup(&p->path, path);
    if (!err && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) err = snc_err_set(SNC_E_IO, "%s: not a regular file", path);
    if (!err && !(p->f = fdopen(fd, "ab"))) err = failed(p);
    if (err) {
        close(fd);
        if (p) snc_free(p->path);
        snc_free(p);
        return err;
    }
    p->nameless = nameless;
    *out = p;
    return SNC_OK;
}

snc_err snc_partial_open(snc_partial **out, double *had, const char *path)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    SNC_CHECK(fd >= 0, SNC_E_IO, "%s: cannot write: %s", path, strerror(errno));
    SNC_TRY(adopt(out, &st, fd, path, false));
    *had = (double)st.st_size;
    return SNC_OK;
}

snc_err snc_partial_nameless(snc_partial **out, char path[SNC_NAMELESS])
{
    const char *dir = getenv("TMPDIR");
    char name[4096];
    struct stat st;
    SNC_TRY(snc_path_join(name, sizeof name, dir && *dir ? dir : "/tmp",
                          "compress-"
                          "XX"
                          "XX"
                          "XX" /* mkstemp's six */));
    const int fd = mkstemp(name);
    SNC_CHECK(fd >= 0 && unlink(name) == 0, SNC_E_IO, "%s: cannot write: %s", name, strerror(errno));
    SNC_TRY(adopt(out, &st, fd, name, true));
    setvbuf((*out)->f, NULL, _IONBF, 0);
    snprintf(path, SNC_NAMELESS, "/proc/self/fd/%d", fd);
    return SNC_OK;
}

snc_err snc_partial_write(snc_partial *p, const void *data, size_t n) { return fwrite(data, 1, n, p->f) == n ? SNC_OK : failed(p); }

snc_err snc_partial_empty(snc_partial *p) { return fflush(p->f) == 0 && ftruncate(fileno(p->f), 0) == 0 ? SNC_OK : failed(p); }

snc_err snc_partial_close(snc_partial *p)
{
    snc_err err = SNC_OK;
    if (!p) return SNC_OK;
    if (fflush(p->f) != 0 || (!p->nameless && fsync(fileno(p->f)) != 0)) err = failed(p);
    if (fclose(p->f) != 0 && !err) err = failed(p);
    snc_free(p->path);
    snc_free(p);
    return err;
}

snc_err snc_link_make(const char *path, const char *to)
{
    char draft[4096];
    int n = snprintf(draft, sizeof draft, "%s.tmp.%ld", path, (long)getpid());
    SNC_CHECK(n > 0 && (size_t)n < sizeof draft, SNC_E_ARG, "path too long: %.80s...", path);
    unlink(draft);
    SNC_CHECK(symlink(to, draft) == 0, SNC_E_IO, "%s: cannot make the link: %s", path, strerror(errno));
    if (rename(draft, path) == 0) return SNC_OK;
    snc_err err = snc_err_set(SNC_E_IO, "%s: cannot make the link: %s", path, strerror(errno));
    unlink(draft);
    return err;
}
