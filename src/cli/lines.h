/* cli/lines.h: the lines of a descriptor, and whether the next one is there already, which no buffered stream tells.
 *
 *     snc_lines in = {.fd = 0};
 *     while (snc_lines_next(&in, &line, &bytes, &cancelled) == SNC_OK && line) ...
 *     free(in.data);
 */
#ifndef SNC_CLI_LINES_H
#define SNC_CLI_LINES_H

#include <stddef.h>

#include "base/error.h"

typedef struct snc_lines {
    int fd;
    char *data; /* [cap]; what was read and not given out: from `at` to `end`, the first `looked` bytes of it without a line feed */
    size_t cap, at, looked, end;
    int ended;
} snc_lines;

/* The next line without its end (LF, CR LF), borrowed until the next call; *line NULL at the end. SNC_E_IO; SNC_E_CANCELLED. */
snc_err snc_lines_next(snc_lines *l, const char **line, size_t *bytes, const volatile int *cancelled) SNC_MUST_USE;
/* Whether snc_lines_next has an answer without waiting: a whole line, the end, or a failure. Reads what there is. */
int snc_lines_ready(snc_lines *l);

#endif
