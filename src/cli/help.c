/* What the program says of itself, for people and, by help --json, for programs. */
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/options.h"

enum { TEXT = 512 };

static const char *name = "compress";

void snc_args_called(const char *argv0)
{
    const char *slash = strrchr(argv0, '/');
    name = strcmp(slash ? slash + 1 : argv0, "snc") == 0 ? "snc" : "compress";
}

const char *snc_args_name(void) { return name; }

/* What every verb takes besides the table's, for help in both forms. */
static const snc_option everywhere[] = {
    {.name = "--quiet", .brief = "-q", .kind = SNC_OPTION_FLAG, .help = "errors only, and where --watch listens"},
    {.name = "--log-json", .kind = SNC_OPTION_STRING, .value = "FILE", .help = "progress and metrics as JSON lines"},
};

const snc_option *snc_args_everywhere(int *n)
{
    *n = (int)(sizeof everywhere / sizeof *everywhere);
    return everywhere;
}

const char *snc_args_example(size_t *n, const char **at)
{
    const char *line = *at;
    if (!*line) return NULL;
    *n = strcspn(line, "\n");
    *at = line + *n + (line[*n] == '\n');
    return line;
}

/* 5e-5, not 5e-05. */
static void number_text(char *buf, size_t size, double v)
{
    snprintf(buf, size, "%g", v);
    char *zero = strstr(buf, "e-0");
    if (zero) memmove(zero + 2, zero + 3, strlen(zero + 3) + 1);
}

/* What the field is when nobody sets it, else what that comes to; "" where there is nothing to say. */
static void default_text(char *buf, size_t size, const snc_option *op)
{
    snc_options o;
    snc_options_init(&o);
    const char *field = (const char *)&o + op->offset, *text = NULL;
    double v = 0;
    int whole;
    int64_t wide;
    buf[0] = 0;
    if (!op->group || op->kind == SNC_OPTION_FLAG) return;
    switch (op->kind) {
    case SNC_OPTION_STRING: memcpy(&text, field, sizeof text); break;
    case SNC_OPTION_REAL: memcpy(&v, field, sizeof v); break;
    case SNC_OPTION_SEED:
        memcpy(&wide, field, sizeof wide);
        v = (double)wide;
        break;
    default: memcpy(&whole, field, sizeof whole); v = whole;
    }
    if (text || (op->kind == SNC_OPTION_STRING && op->otherwise)) snprintf(buf, size, "%s", text ? text : op->otherwise);
    else if (op->kind != SNC_OPTION_STRING && v >= op->min && v <= op->max) number_text(buf, size, v);
    else if (op->otherwise) snprintf(buf, size, "%s", op->otherwise);
}

/* "what FP means in a policy: auto, f32 or bf16 [auto]". */
void snc_args_help_text(char *buf, size_t size, const snc_option *op)
{
    char words[128], otherwise[128];
    snc_option_words(words, sizeof words, op);
    default_text(otherwise, sizeof otherwise, op);
    snprintf(buf, size, "%s%s%s%s%s%s", op->help, *words ? ": " : "", words, *otherwise ? " [" : "", otherwise, *otherwise ? "]" : "");
}

static void print_option(const snc_option *op)
{
    char left[64], right[TEXT];
    snprintf(left, sizeof left, "%s%s%s%s%s", op->brief ? op->brief : "", op->brief ? ", " : "", op->name, op->value ? " " : "",
             op->value ? op->value : "");
    snc_args_help_text(right, sizeof right, op);
    printf("  %-26s %s\n", left, right);
}

void snc_args_help(const snc_verb *verb)
{
    if (!verb) {
        printf("%s %s: a pretrained BERT in, one fast INT8 classifier file out\n\n", name, SNC_VERSION);
        int verbs;
        for (const snc_verb *v = snc_verb_table(&verbs), *end = v + verbs; v < end; v++) printf("  %-9s  %s\n", v->name, v->summary);
        printf("\n%s VERB --help shows the options of a verb; README.md and docs have the guide.\n", name);
        return;
    }
    printf("usage: %s %s\n\n%s.\n", name, verb->usage, verb->summary);
    if (verb->detail) printf("%s\n", verb->detail);
    printf("\n");
    size_t bytes;
    for (const char *at = verb->examples, *line; (line = snc_args_example(&bytes, &at));) printf("  %s %.*s\n", name, (int)bytes, line);
    printf("\n");
    int n;
    const snc_option *table = snc_option_table(&n);
    for (int i = 0; i < n; i++)
        if (table[i].verbs & verb->bit) print_option(&table[i]);
    for (size_t i = 0; i < sizeof everywhere / sizeof everywhere[0]; i++) print_option(&everywhere[i]);
}

static void add_words(cJSON *j, const snc_option *op)
{
    size_t n;
    if (!snc_option_word(&n, op, 0)) return;
    cJSON *values = cJSON_AddArrayToObject(j, "values");
    for (int i = 0; snc_option_word(&n, op, i); i++) {
        char word[32];
        const char *w = snc_option_word(&n, op, i);
        snprintf(word, sizeof word, "%.*s", (int)n, w);
        cJSON_AddItemToArray(values, cJSON_CreateString(word));
    }
}

static void add_option(cJSON *list, const snc_option *op)
{
    static const char *const kinds[] = {"string", "integer", "integer", "real", "flag"}; /* in the order of snc_option_kind */
    char text[TEXT];
    cJSON *j = cJSON_CreateObject();
    cJSON_AddItemToArray(list, j);
    cJSON_AddStringToObject(j, "name", op->name);
    if (op->brief) cJSON_AddStringToObject(j, "brief", op->brief);
    if (op->group) cJSON_AddStringToObject(j, "group", op->group);
    cJSON_AddStringToObject(j, "kind", kinds[op->kind]);
    if (op->value) cJSON_AddStringToObject(j, "value", op->value);
    if (op->kind == SNC_OPTION_INTEGER || op->kind == SNC_OPTION_SEED || op->kind == SNC_OPTION_REAL) {
        cJSON_AddNumberToObject(j, "min", op->min);
        cJSON_AddNumberToObject(j, "max", op->max);
    }
    add_words(j, op);
    default_text(text, sizeof text, op);
    if (*text) cJSON_AddStringToObject(j, "default", text);
    snc_args_help_text(text, sizeof text, op);
    cJSON_AddStringToObject(j, "help", text);
}

static void add_examples(cJSON *j, const snc_verb *v)
{
    cJSON *list = cJSON_AddArrayToObject(j, "examples");
    size_t n;
    for (const char *at = v->examples, *example; (example = snc_args_example(&n, &at));) {
        char line[256];
        snprintf(line, sizeof line, "compress %.*s", (int)n, example);
        cJSON_AddItemToArray(list, cJSON_CreateString(line));
    }
}

static snc_err print_json(void)
{
    int n, verbs;
    const snc_option *table = snc_option_table(&n);
    cJSON *all = cJSON_CreateArray();
    for (const snc_verb *v = snc_verb_table(&verbs), *end = v + verbs; v < end; v++) {
        cJSON *j = cJSON_CreateObject();
        cJSON_AddItemToArray(all, j);
        cJSON_AddStringToObject(j, "verb", v->name);
        cJSON_AddStringToObject(j, "usage", v->usage);
        cJSON_AddStringToObject(j, "summary", v->summary);
        if (v->detail) cJSON_AddStringToObject(j, "detail", v->detail);
        add_examples(j, v);
        cJSON *options = cJSON_AddArrayToObject(j, "options");
        for (int i = 0; i < n; i++)
            if (table[i].verbs & v->bit) add_option(options, &table[i]);
        for (size_t i = 0; i < sizeof everywhere / sizeof everywhere[0]; i++) add_option(options, &everywhere[i]);
    }
    char *text = cJSON_Print(all);
    cJSON_Delete(all);
    SNC_CHECK(text, SNC_E_NOMEM, "help: out of memory while printing");
    puts(text);
    cJSON_free(text);
    return SNC_OK;
}

snc_err snc_args_help_about(const char *what, const char *of)
{
    if (what && strcmp(what, "--json") == 0 && !of) return print_json();
    if (what && strcmp(what, "--completion") == 0) return snc_args_completion(of);
    const bool man = what && strcmp(what, "--man") == 0;
    const char *verb = man ? of : what;
    SNC_CHECK(!verb || snc_verb_find(verb), SNC_E_ARG,
              "help '%.60s': expected a verb, --json, --man [VERB] or --completion SHELL (compress --help lists the verbs)", verb);
    SNC_CHECK(man || !of, SNC_E_ARG, "help: unexpected argument '%.60s'", of);
    if (man) snc_args_manual(verb ? snc_verb_find(verb) : NULL);
    else snc_args_help(verb ? snc_verb_find(verb) : NULL);
    return SNC_OK;
}
