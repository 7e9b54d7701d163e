/* cli/options.h: one table of options, read by the parser and by --help. */
#ifndef SNC_CLI_OPTIONS_H
#define SNC_CLI_OPTIONS_H

#include "snc.h"

typedef struct snc_verb {
    const char *name;
    const char *usage;   /* after "compress" */
    const char *summary; /* one line */
    const char *detail;  /* paragraphs of --help, or NULL */
    unsigned bit;        /* which options it takes */
    int all_cores;       /* works on every core unless told otherwise */
} snc_verb;

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
snc_err snc_args_help_about(const char *what /* NULL, a verb, or --json: verbs and options as one JSON list */) SNC_MUST_USE;

#endif
