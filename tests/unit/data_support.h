/* tests/unit/data_support.h: files of a test in a folder of its own under the working folder. */
#ifndef SNC_TESTS_DATA_SUPPORT_H
#define SNC_TESTS_DATA_SUPPORT_H

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "check.h"

#define OK(call)                                                         \
    do {                                                                 \
        if ((call) != SNC_OK) fail_msg("%s: %s", #call, snc_err_text()); \
    } while (0)

/* The call fails with `code`, and its one line holds `part`. */
#define FAILS(code, part, call)                                                               \
    do {                                                                                      \
        assert_int_equal(call, code);                                                         \
        if (!strstr(snc_err_text(), part)) fail_msg("'%s' lacks '%s'", snc_err_text(), part); \
    } while (0)

/* Writes folder/name, making the folder. */
static inline void write_text(const char *folder, const char *name, const char *text)
{
    char path[512];
    OK(snc_mkdir(folder));
    OK(snc_path_join(path, sizeof path, folder, name));
    OK(snc_file_write(path, text, strlen(text)));
}

#endif
