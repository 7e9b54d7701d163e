/* Verbs are a table here, options one of the library: parser, --help and help --json walk both, so none of them can forget an option. */
#include "cli/options.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const snc_verb verbs[] = {
    {"compress", "[compress] --pretrained P --task T --data DIR --target-latency L --output OUT",
     "the whole job: fine-tune, supernet, search, export, proof",
     "Leaves OUT/compressed.snc and OUT/report.{json,md,csv}. Stages that are there with the same inputs are skipped, so the same\n"
     "command resumes a killed run. Exit code 0: every target holds; 3: a target was missed (the nearest result is kept); 2: bad\n"
     "input; 130: interrupted.",
     SNC_VERB_COMPRESS, 1},
    {"suite", "suite glue|quick|folders|FILE --pretrained P --data DIR --output OUT [--target-latency L --seeds 3]",
     "the whole job over many tasks and seeds, in one report",
     "Leaves OUT/report.{json,md,csv,html}: a row a task with the scores of teacher, full INT8 and file, the drop paired by rows and "
     "pooled\n"
     "over seeds, latency, size and seconds. The jobs are folders of their own, OUT/TASK/seed-N; those that are done are skipped, so the\n"
     "same command goes on. Everything that can be refused is refused before the first job; one that fails later costs its row alone.\n"
     "Exit code 0: every target of every job holds; 3: one was missed; 2: bad input, or a job failed; 130: interrupted.",
     SNC_VERB_SUITE, 1},
    {"import", "import --pretrained P[,P2...] [--output model.snc | --task T --data DIR]",
     "a Hugging Face or PyTorch model to one .snc; without --output what models would cost",
     "Without --output nothing is written: what each model is, its parameters, multiply-adds, and bytes and latency by policy, measured "
     "on\n"
     "the workload (128 tokens, or the task's lengths). With --task each is fine-tuned for a while on the same rows (2,000 unless\n"
     "--max-train-samples says otherwise; --epochs 0: not at all), and several are put in order by their score on rank. One that cannot "
     "be\n"
     "had is a row that says why; the exit code is then 2.",
     SNC_VERB_IMPORT, 0},
    {"finetune", "finetune --pretrained P --task T --data DIR --output teacher.snc", "fine-tune a teacher on a task",
     "AdamW with linear warm-up and decay, clip 1.0, length-bucketed unpadded batches. A checkpoint stands beside the output while it\n"
     "runs; the same command resumes from it to the same bits.",
     SNC_VERB_FINETUNE, 1},
    {"supernet", "supernet --teacher teacher.snc --task T --data DIR --output supernet.snc",
     "order a teacher by importance and train it elastic", NULL, SNC_VERB_SUPERNET, 1},
    {"profile", "profile supernet.snc --output latency.json", "measure the kernel times a search may ask for", NULL, SNC_VERB_PROFILE, 0},
    {"search", "search supernet.snc --teacher teacher.snc --task T --data DIR --target-latency L --output DIR",
     "search subnet and INT8/FP policy together",
     "Leaves DIR/search.sqlite (every evaluation), front.json, config.json and report.html. The same command goes on where a killed one\n"
     "stopped. `search --export csv --journal DIR/search.sqlite` prints the evaluations. Exit code 0: the chosen net meets every\n"
     "target as measured here; 3: it is the nearest; 2: bad input; 130: interrupted.",
     SNC_VERB_SEARCH, 1},
    {"export", "export M | --pretrained P  --policy int8|int4|bf16|f32|FILE --output F [--config FILE]", "write a deployable .snc",
     "Full width unless --config names a subnet. A model without a trained classifier is refused, and with --seeded-head gets a random\n"
     "one of 2 classes; one without a tokenizer makes a file for `bench` only, which is said.",
     SNC_VERB_EXPORT, 0},
    {"bench", "bench M [M2 ...] [-b 1,8 -s 16,128,data -t 1,2] [--tasks sst2,mrpc --data DIR] [-o md|json|csv]",
     "latency, and scores on tasks",
     "A row a model and cell; with --tasks a row a model, task and metric, with the latency of one dev sentence at a time. What one of "
     "the\n"
     "models cannot do is a row that says why; the others are made all the same, and the exit code is 2.",
     SNC_VERB_BENCH, 0},
    {"predict", "predict M [--logits] [--format text|jsonl] < lines", "label TAB probability for each input line",
     "A TAB splits a line into a pair; on a model for single sentences the text after the TAB is a second segment too. An empty line is\n"
     "an empty text and gets an answer. Lines are answered together, and as soon as no more of them wait. Regression prints the value\n"
     "alone. --logits adds every logit. --format jsonl: an object a line, {\"line\",\"label\",\"probability\",\"probabilities\",\"cut\",\n"
     "\"invalid_utf8\"}, the probabilities by the names of all classes.",
     SNC_VERB_PREDICT, 0},
    {"eval", "eval M --task T --data DIR [--split dev] [--json]", "score a .snc or a Hugging Face folder on a split", NULL, SNC_VERB_EVAL,
     1},
    {"info", "info M [--json]", "what is inside a model file", NULL, SNC_VERB_INFO, 0},
    {"verify", "verify F.snc|DIR ...", "whether files are as they were written",
     "Reads each whole and compares it with the digest inside it, as every verb does that opens one; the folder of a run is compared with\n"
     "its report. Exit code 2 for a damaged file, or one that the report does not speak of.",
     SNC_VERB_VERIFY, 0},
    {"study",
     "study --tabular DIR | study supernet.snc --teacher M --task T --data DIR --protocols P --output DIR"
     " | study --ablate quick|recipe|plugins|FILE --pretrained P --data DIR --output DIR",
     "searches against each other and against chance; recipes against each other",
     "--tabular: NAS-Bench-Macro, mean rank of the best network found, over seeds. --protocols: on a real supernet; hypervolume at equal\n"
     "evaluations, relative improvement over random nets (needs --target-latency), Kendall's tau of scores inside the supernet and\n"
     "alone, joint search against one after the other. Journals and study.json stay in DIR; the same command goes on.\n"
     "--ablate: a supernet by each recipe of the file for every task and seed; one table of what its nets are worth\n"
     "before and after repair, DIR/report.md. A cell that fails costs itself alone (exit code 2); the same command goes on.",
     SNC_VERB_STUDY, 0},
    {"tokenize", "tokenize --pretrained P [--max-length N] < lines", "word piece ids with [CLS] and [SEP], space-separated",
     "A TAB makes a pair. Never padded; cut only by --max-length.", SNC_VERB_TOKENIZE, 0},
};
enum { VERBS = sizeof verbs / sizeof verbs[0], TEXT = 512 };

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
    size_t i = (size_t)(op - snc_option_table(NULL));
    o->given[i / 64] |= (uint64_t)1 << i % 64;
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

static const snc_verb *find_verb(const char *name)
{
    for (int i = 0; i < VERBS; i++)
        if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
    return NULL;
}

/* Handles argv[*i], an argument that begins with '-'. */
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
    SNC_CHECK(op, SNC_E_ARG, "unknown option '%.80s' (compress %s --help lists them)", arg, a->verb->name);
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
    out->verb = &verbs[0];
    int i = 1;
    if (argc > 1 && argv[1][0] != '-') {
        out->verb = find_verb(argv[1]);
        if (!out->verb) out->verb = &verbs[0];
        SNC_CHECK(find_verb(argv[1]), SNC_E_ARG, "unknown verb '%.60s' (compress --help lists them)", argv[1]);
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
                     SNC_VERB_EVAL | SNC_VERB_INFO | SNC_VERB_VERIFY | SNC_VERB_SUITE;
    SNC_CHECK(out->help || !out->o.input.n_models || (out->verb->bit & takes), SNC_E_ARG, "unexpected argument '%.80s'", out->models[0]);
    SNC_CHECK(out->help || out->o.input.n_models <= 1 || (out->verb->bit & (SNC_VERB_BENCH | SNC_VERB_VERIFY | SNC_VERB_EXPORT)), SNC_E_ARG,
              "unexpected argument '%.80s'", out->models[1]);
    return SNC_OK;
}

/* What every verb takes besides the table's, for help in both forms. */
static const snc_option everywhere[] = {
    {.name = "--quiet", .brief = "-q", .kind = SNC_OPTION_FLAG, .help = "errors only"},
    {.name = "--log-json", .kind = SNC_OPTION_STRING, .value = "FILE", .help = "progress and metrics as JSON lines"},
};

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
static void help_text(char *buf, size_t size, const snc_option *op)
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
    help_text(right, sizeof right, op);
    printf("  %-26s %s\n", left, right);
}

void snc_args_help(const snc_verb *verb)
{
    if (!verb) {
        printf("compress %s: a pretrained BERT in, one fast INT8 classifier file out\n\n", SNC_VERSION);
        for (int i = 0; i < VERBS; i++) printf("  %-9s  %s\n", verbs[i].name, verbs[i].summary);
        printf("\ncompress VERB --help shows the options of a verb; README.md is the manual.\n");
        return;
    }
    printf("usage: compress %s\n\n%s.\n", verb->usage, verb->summary);
    if (verb->detail) printf("%s\n", verb->detail);
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
    help_text(text, sizeof text, op);
    cJSON_AddStringToObject(j, "help", text);
}

static snc_err print_json(void)
{
    int n;
    const snc_option *table = snc_option_table(&n);
    cJSON *all = cJSON_CreateArray();
    for (int v = 0; v < VERBS; v++) {
        cJSON *j = cJSON_CreateObject();
        cJSON_AddItemToArray(all, j);
        cJSON_AddStringToObject(j, "verb", verbs[v].name);
        cJSON_AddStringToObject(j, "usage", verbs[v].usage);
        cJSON_AddStringToObject(j, "summary", verbs[v].summary);
        cJSON *options = cJSON_AddArrayToObject(j, "options");
        for (int i = 0; i < n; i++)
            if (table[i].verbs & verbs[v].bit) add_option(options, &table[i]);
        for (size_t i = 0; i < sizeof everywhere / sizeof everywhere[0]; i++) add_option(options, &everywhere[i]);
    }
    char *text = cJSON_Print(all);
    cJSON_Delete(all);
    SNC_CHECK(text, SNC_E_NOMEM, "help: out of memory while printing");
    puts(text);
    cJSON_free(text);
    return SNC_OK;
}

snc_err snc_args_help_about(const char *what)
{
    if (what && strcmp(what, "--json") == 0) return print_json();
    SNC_CHECK(!what || find_verb(what), SNC_E_ARG, "help '%.60s': expected a verb or --json (compress --help lists the verbs)", what);
    snc_args_help(what ? find_verb(what) : NULL);
    return SNC_OK;
}
