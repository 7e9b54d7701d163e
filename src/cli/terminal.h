/* cli/terminal.h: what people see while a verb works: log lines and progress on standard error, and all of it as JSON lines in a
 * file where that is asked for (docs/reference.md lists the fields). */
#ifndef SNC_CLI_TERMINAL_H
#define SNC_CLI_TERMINAL_H

#include <stdio.h>

#include "snc.h"

typedef struct snc_terminal {
    int redraws, quiet;    /* redraws: standard error is a terminal that can take a line back */
    int drawn;             /* columns of the line that may be redrawn; 0: none */
    int over;              /* the part was shown at its end */
    double started, began; /* the program; the part */
    double shown, written; /* when progress went to standard error, and to the file */
    char what[32];
    FILE *json;
} snc_terminal;

/* log_json NULL: no file. SNC_E_IO. */
snc_err snc_terminal_open(snc_terminal *t, const char *log_json, int quiet) SNC_MUST_USE;
void snc_terminal_close(snc_terminal *t);
void snc_terminal_end_line(snc_terminal *t); /* before anything else is printed */

/* How it ended: "compress: text". */
void snc_terminal_error(snc_terminal *t, const char *text);

/* For snc_host; user is the terminal. */
void snc_terminal_log(void *user, snc_level level, const char *line);
void snc_terminal_status(void *user, const snc_status *s);

#endif
