/* Arguments by the tables of verbs and options. */
#include "cli/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"

/* Both --max-seq-length and --max_seq_length spellings are known to people; underscores count as dashes. */
static int same_name(const char *arg, const char *name)
{
    for (; *name; arg++, name++)
        if (*arg != *name && !(*arg == '_' && *name == '-')) return 0;
    return *arg == 0 || *arg == '=';
}

/* The verb's row of that name, else the row of another verb. */
static const snc_option *find_option(const char *arg, unsigned verb)
{
    int n;
    const snc_option *row = snc_option_table(&n), *found = NULL;
    for (; n--; row++)
        if ((same_name(arg, row->name) || (row->brief && strcmp(arg, row->brief) == 0)) && (!found || (row->verbs & verb))) found = row;
    return found;
}

static void mark_given(snc_options *o, const snc_option *op)
{
    const size_t i = (size_t)(op - snc_option_table(NULL)), first = 8 * sizeof o->given;
    (i < first ? o->given : o->given_more)[i % first / 64] |= (uint64_t)1 << i % 64;
}

static snc_err store(snc_options *o, const snc_option *op, const char *value)
{
    char *field = (char *)o + op->offset, *end = NULL;
    if (op->kind == SNC_OPTION_STRING) {
        SNC_CHECK(*value, SNC_E_ARG, "%s: empty value", op->name);
        memcpy(field, &value, sizeof value);
        return SNC_OK;
    }
    double v = strtod(value, &end);
    SNC_CHECK(end != value && *end == 0 && v >= op->min && v <= op->max, SNC_E_ARG, "%s '%s': expected a number from %g to %g", op->name,
              value, op->min, op->max);
    if (op->kind == SNC_OPTION_REAL) {
        memcpy(field, &v, sizeof v);
        return SNC_OK;
    }
    SNC_CHECK(v == floor(v), SNC_E_ARG, "%s '%s': expected a whole number", op->name, value);
    int64_t wide = (int64_t)v;
    int narrow = (int)v;
    if (op->kind == SNC_OPTION_SEED) memcpy(field, &wide, sizeof wide);
    else memcpy(field, &narrow, sizeof narrow);
    return SNC_OK;
}

/* Handles argv[*i], an argument that begins with '-'. */
static snc_err no_verb(const char *name)
{
    const char *near = snc_names_nearest(snc_verb_name, name);
    return snc_err_set(SNC_E_ARG, "unknown verb '%.60s'%s%s%s (compress --help lists them)", name, near ? "; nearest is '" : "",
                       near ? near : "", near ? "'" : "");
}

static _Thread_local unsigned asked; /* the verb whose options are named */

static const char *option_name(int i)
{
    int n;
    const snc_option *row = snc_option_table(&n);
    for (int k = 0; k < n; k++)
        if ((row[k].verbs & asked) && i-- == 0) return row[k].name;
    return NULL;
}

static snc_err no_option(const char *arg, const snc_verb *verb)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(arg, "="), arg);
    asked = verb->bit;
    const char *near = snc_names_nearest(option_name, name);
    return snc_err_set(SNC_E_ARG, "unknown option '%.80s'%s%s (compress %s --help lists them)", arg, near ? "; nearest is " : "",
                       near ? near : "", verb->name);
}

static snc_err parse_option(snc_args *a, int argc, char **argv, int *i)
{
    const char *arg = argv[*i], *eq = strchr(arg, '=');
    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
        a->help = 1;
        return SNC_OK;
    }
    if (strcmp(arg, "--quiet") == 0 || strcmp(arg, "-q") == 0) {
        a->quiet = 1;
        return SNC_OK;
    }
    if (same_name(arg, "--log-json")) {
        SNC_CHECK(eq ? eq[1] : *i + 1 < argc, SNC_E_ARG, "--log-json: a file name is missing");
        a->log_json = eq ? eq + 1 : argv[++*i];
        return SNC_OK;
    }
    const snc_option *op = find_option(arg, a->verb->bit);
    if (!op) return no_option(arg, a->verb);
    SNC_CHECK(op->verbs & a->verb->bit, SNC_E_ARG, "%s is not an option of '%s' (compress %s --help lists them)", op->name, a->verb->name,
              a->verb->name);
    mark_given(&a->o, op);
    if (op->kind == SNC_OPTION_FLAG) {
        int on = 1;
        SNC_CHECK(!eq, SNC_E_ARG, "%s takes no value", op->name);
        memcpy((char *)&a->o + op->offset, &on, sizeof on);
        return SNC_OK;
    }
    if (eq && arg[1] == '-') return store(&a->o, op, eq + 1);
    SNC_CHECK(*i + 1 < argc, SNC_E_ARG, "%s: a value is missing", op->name);
    return store(&a->o, op, argv[++*i]);
}

snc_err snc_args_parse(snc_args *out, int argc, char **argv)
{
    memset(out, 0, sizeof *out);
    snc_options_init(&out->o);
    out->o.input.models = out->models;
    out->verb = snc_verb_find("compress");
    int i = 1;
    if (argc > 1 && argv[1][0] != '-') {
        const snc_verb *verb = snc_verb_find(argv[1]);
        if (!verb) return no_verb(argv[1]);
        out->verb = verb;
        i = 2;
    }
    for (; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1]) {
            SNC_TRY(parse_option(out, argc, argv, &i));
            continue;
        }
        SNC_CHECK(out->o.input.n_models < SNC_MAX_MODELS, SNC_E_ARG, "more than %d models", SNC_MAX_MODELS);
        out->models[out->o.input.n_models++] = argv[i];
    }
    unsigned takes = SNC_VERB_PROFILE | SNC_VERB_SEARCH | SNC_VERB_STUDY | SNC_VERB_EXPORT | SNC_VERB_BENCH | SNC_VERB_PREDICT |
                     SNC_VERB_EVAL | SNC_VERB_INFO | SNC_VERB_VERIFY | SNC_VERB_SUITE | SNC_VERB_SERVE;
    SNC_CHECK(out->help || !out->o.input.n_models || (out->verb->bit & takes), SNC_E_ARG, "unexpected argument '%.80s'", out->models[0]);
    SNC_CHECK(out->help || out->o.input.n_models <= 1 ||
                  (out->verb->bit & (SNC_VERB_BENCH | SNC_VERB_VERIFY | SNC_VERB_EXPORT | SNC_VERB_SERVE)),
              SNC_E_ARG, "unexpected argument '%.80s'", out->models[1]);
    return SNC_OK;
}
