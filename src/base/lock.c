/* flock(2) on the file that stands for a folder or a file. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* flock */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "base/number.h"

enum { TRIES = 100 };
static const double PAUSE = 0.05; /* seconds between two looks at a lock that is held */

struct snc_lock {
    char *path;
    int fd;
};

/* Who holds the lock of this file, by /proc/locks: "1: FLOCK ADVISORY WRITE 4711 08:01:1234 0 EOF". 0: not told. */
static int holder(const struct stat *st)
{
    char line[256], mine[32];
    int pid = 0, who;
    FILE *f = fopen("/proc/locks", "r");
    snprintf(mine, sizeof mine, "%lu", (unsigned long)st->st_ino);
    while (f && pid == 0 && fgets(line, sizeof line, f)) {
        char kind[16], number[16], inode[32];
        if (sscanf(line, "%*s %15s %*s %*s %15s %*[^:]:%*[^:]:%31s", kind, number, inode) != 3) continue;
        if (strcmp(kind, "FLOCK") == 0 && strcmp(inode, mine) == 0 && snc_int_read(&who, number, NULL) && who > 0) pid = who;
    }
    if (f) fclose(f);
    return pid;
}

static snc_err held(const char *busy, const struct stat *st)
{
    int pid = holder(st);
    if (pid > 0) return snc_err_set(SNC_E_IO, "%s (pid %d)", busy, pid);
    return snc_err_set(SNC_E_IO, "%s", busy);
}

/* The file may be replaced or removed by its holder between open and flock: what is locked has to be what the path names.
 * *others: whether it is another process that holds it. */
static snc_err lock_path(int *out, bool *others, const char *path, const char *busy)
{
    *others = false;
    for (int i = 0; i < TRIES; i++) {
        struct stat mine, there;
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        SNC_CHECK(fd >= 0, SNC_E_IO, "%s: cannot write: %s", path, strerror(errno));
        bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
        int why = locked ? 0 : errno;
        if (fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_dev == there.st_dev && mine.st_ino == there.st_ino) {
            *out = fd;
            if (locked) return SNC_OK;
            close(fd);
            *others = why == EWOULDBLOCK;
            return *others ? held(busy, &mine) : snc_err_set(SNC_E_IO, "%s: cannot lock: %s", path, strerror(why));
        }
        close(fd);
    }
    return snc_err_set(SNC_E_IO, "%s", busy);
}

/* ctx NULL: does not wait. */
static snc_err take(snc_lock **out, const snc_ctx *ctx, const char *path, const char *busy)
{
    snc_lock *l = NULL;
    snc_err err = SNC_OK;
    bool others, said = false;
    SNC_TRY(snc_alloc(&l, 1, sizeof *l));
    l->fd = -1;
    SNC_GOTO(snc_strdup(&l->path, path));
    while ((err = lock_path(&l->fd, &others, path, busy)) != SNC_OK && others && ctx) {
        if (!said) snc_log(ctx, SNC_LOG_INFO, "%s", snc_err_text());
        said = true;
        SNC_GOTO(snc_go_on(ctx));
        snc_sleep(PAUSE);
    }
    if (err) goto out;
    *out = l;
    return SNC_OK;
out:
    snc_lock_release(l);
    return err;
}

snc_err snc_lock_take(snc_lock **out, const char *path, const char *busy) { return take(out, NULL, path, busy); }
snc_err snc_lock_wait(snc_lock **out, const snc_ctx *ctx, const char *path, const char *busy) { return take(out, ctx, path, busy); }

snc_err snc_lock_write(snc_lock *l, const void *text, size_t n)
{
    snc_fout *f = NULL;
    SNC_TRY(snc_fout_open(&f, l->path));
    snc_err err = snc_fout_write(f, text, n);
    int fd = snc_fout_descriptor(f); /* locked before it has the name */
    if (!err && (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)) err = snc_err_set(SNC_E_IO, "%s: cannot lock: %s", l->path, strerror(errno));
    if (err) snc_fout_abort(f);
    else err = snc_fout_commit(f);
    if (err) {
        if (fd >= 0) close(fd);
        return err;
    }
    close(l->fd);
    l->fd = fd;
    return SNC_OK;
}

snc_err snc_lock_name(char *buf, size_t size, const char *path)
{
    char file[4096];
    SNC_TRY(snc_write_target(file, sizeof file, path));
    int n = snprintf(buf, size, "%s.lock", file);
    SNC_CHECK(n > 0 && (size_t)n < size, SNC_E_ARG, "path too long: %.80s...", path);
    return SNC_OK;
}

void snc_lock_release(snc_lock *l)
{
    struct stat st;
    if (!l) return;
    if (l->fd >= 0 && fstat(l->fd, &st) == 0 && st.st_size == 0) unlink(l->path);
    if (l->fd >= 0) close(l->fd);
    snc_free(l->path);
    snc_free(l);
}
