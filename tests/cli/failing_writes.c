/* A disk that fails once, for any program: preloaded, it lets the k-th write to a regular file fail with ENOSPC, and no other.
 *
 *     SNC_FAIL_AT=17 SNC_FAIL_LOG=log LD_PRELOAD=./failing_writes.so compress ...
 *
 * Counted are write, pwrite, fwrite, fflush, ftruncate, fsync, fdatasync and rename; standard streams and pipes are no files. The log
 * gets a line "17 fsync /tmp/job/run.json" for the one that fails, or for every one with SNC_FAIL_AT=0, which fails none. With
 * SNC_FAIL_ON=1 all that come after it fail too. Processes that the program starts are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long fail_at, count;
static int from_there_on, log_fd = -1;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("SNC_FAIL_AT"), *log = getenv("SNC_FAIL_LOG"), *on = getenv("SNC_FAIL_ON");
    fail_at = at ? atol(at) : 0;
    from_there_on = on && strcmp(on, "1") == 0;
    log_fd = log ? (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    unsetenv("LD_PRELOAD");
}

static void note(const char *what, const char *path)
{
    char line[4200];
    int k = snprintf(line, sizeof line, "%ld %s %s\n", count, what, path);
    if (log_fd >= 0 && syscall(SYS_write, log_fd, line, (size_t)k) < 0) log_fd = -1;
}

/* One more; whether it is to fail. */
static int fails(const char *what, const char *path)
{
    count++;
    if (fail_at == 0 || count == fail_at) note(what, path);
    if (fail_at == 0 || (from_there_on ? count < fail_at : count != fail_at)) return 0;
    errno = ENOSPC;
    return 1;
}

static int fd_fails(const char *what, int fd)
{
    struct stat st;
    char link[64], path[4096];
    if (fd <= 2 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    return fails(what, path);
}

#define REAL(name, type) __extension__(type) dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *p, size_t n)
{
    if (fd_fails("write", fd)) return -1;
    return syscall(SYS_write, fd, p, n);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    if (fd_fails("pwrite", fd)) return -1;
    return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at) { return pwrite64(fd, p, n, at); }

int ftruncate64(int fd, off64_t n)
{
    if (fd_fails("ftruncate", fd)) return -1;
    return (int)syscall(SYS_ftruncate, fd, n);
}

int ftruncate(int fd, off_t n) { return ftruncate64(fd, n); }

int fsync(int fd)
{
    if (fd_fails("fsync", fd)) return -1;
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    if (fd_fails("fdatasync", fd)) return -1;
    return (int)syscall(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
    if (fails("rename", to)) return -1;
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

size_t fwrite(const void *p, size_t size, size_t n, FILE *f)
{
    static size_t (*real)(const void *, size_t, size_t, FILE *);
    if (!real) real = REAL("fwrite", size_t(*)(const void *, size_t, size_t, FILE *));
    if (fd_fails("fwrite", fileno(f))) return 0;
    return real(p, size, n, f);
}

int fflush(FILE *f)
{
    static int (*real)(FILE *);
    if (!real) real = REAL("fflush", int (*)(FILE *));
    if (f && fd_fails("fflush", fileno(f))) return EOF;
    return real(f);
}
