/* cli/options.h: the program's verbs, and what it is called with. */
#ifndef SNC_CLI_OPTIONS_H
#define SNC_CLI_OPTIONS_H

#include "snc.h"

typedef struct snc_verb {
    const char *name;
    const char *usage;    /* after "compress" */
    const char *summary;  /* one line */
    const char *detail;   /* paragraphs of --help, or NULL */
    const char *examples; /* three, a line each, after "compress" */
    unsigned bit;         /* which options it takes */
    int all_cores;        /* works on every core unless told otherwise */
} snc_verb;

const snc_verb *snc_verb_table(int *n);
const snc_verb *snc_verb_find(const char *name); /* NULL: no verb */
const char *snc_verb_name(int i);                /* NULL past the last */

enum { SNC_MAX_MODELS = 64 };

typedef struct snc_args {
    const snc_verb *verb;
    snc_options o;
    const char *models[SNC_MAX_MODELS];
    const char *log_json; /* file for metrics as JSON lines */
    int quiet, help;
} snc_args;

/* Fills args from argv (borrowed). Without a verb the verb is `compress`. SNC_E_ARG: one line that names the option. */
snc_err snc_args_parse(snc_args *out, int argc, char **argv) SNC_MUST_USE;
void snc_args_help(const snc_verb *verb /* NULL: the overview */);
/* what: NULL; a verb; --json: verbs and options as one JSON list; --man: the manual page of the program or of verb `of`; --completion: what
 * shell `of` reads. `of` may be NULL where none is asked for. SNC_E_ARG. */
snc_err snc_args_help_about(const char *what, const char *of) SNC_MUST_USE;

/* What people call the program: compress, or snc where its file has that name. */
void snc_args_called(const char *argv0);
const char *snc_args_name(void);
/* What every verb takes besides the library's table. */
const snc_option *snc_args_everywhere(int *n);
/* "what FP means in a policy: auto, f32 or bf16 [auto]". */
void snc_args_help_text(char *buf, size_t size, const snc_option *op);
/* The next line of a verb's examples: *n bytes, and *at is behind it; NULL: that was all. */
const char *snc_args_example(size_t *n, const char **at);
void snc_args_manual(const snc_verb *verb /* NULL: the program's own page */);
snc_err snc_args_completion(const char *shell /* bash, zsh or fish */) SNC_MUST_USE;

#endif
