/* files.h: scratch files and checked failures for tests of readers and writers.
 *
 * A scratch folder lies in the working directory and is named after the test program; files in it are overwritten.
 */
#ifndef SNC_TESTS_FILES_H
#define SNC_TESTS_FILES_H

#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "check.h"

/* The call must fail with this code and a line that holds this fragment. */
#define assert_fails(call, code, fragment)                                                                                \
    do {                                                                                                                  \
        snc_err err_ = (call);                                                                                            \
        if (err_ != (code) || !strstr(snc_err_text(), (fragment)))                                                        \
            fail_msg("%s gave %d \"%s\", expected %d \"%s\"", #call, err_, err_ ? snc_err_text() : "", (code), fragment); \
    } while (0)

#define assert_ok(call)                                                                 \
    do {                                                                                \
        snc_err err_ = (call);                                                          \
        if (err_ != SNC_OK) fail_msg("%s gave %d \"%s\"", #call, err_, snc_err_text()); \
    } while (0)

typedef struct scratch {
    char dir[256], path[512];
} scratch;

/* "scratch.NAME" exists afterwards. */
static inline void scratch_init(scratch *s, const char *name)
{
    snprintf(s->dir, sizeof s->dir, "scratch.%s", name);
    assert_ok(snc_mkdir(s->dir));
}

/* The path of a file or folder in it, kept until the next call. */
static inline const char *scratch_path(scratch *s, const char *name)
{
    assert_ok(snc_path_join(s->path, sizeof s->path, s->dir, name));
    return s->path;
}

static inline const char *scratch_write(scratch *s, const char *name, const void *data, size_t n)
{
    const char *path = scratch_path(s, name);
    assert_ok(snc_file_write(path, data, n));
    return path;
}

static inline void copy_file(const char *to, const char *from)
{
    char *data = NULL;
    size_t n = 0;
    assert_ok(snc_file_read(&data, &n, from));
    assert_ok(snc_file_write(to, data, n));
    snc_free(data);
}

#endif
