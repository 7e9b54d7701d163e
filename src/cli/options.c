#include "cli/options.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum {
    COMPRESS = 1, IMPORT = 2, FINETUNE = 4, SUPERNET = 8, PROFILE = 16, SEARCH = 32, EXPORT = 64, BENCH = 128, PREDICT = 256,
    EVAL = 512, INFO = 1024, TOKENIZE = 2048, STUDY = 4096,
    TRAINS = COMPRESS | FINETUNE | SUPERNET, WORKLOAD = COMPRESS | PROFILE | SEARCH | STUDY, ALL = 8191
};

static const snc_verb verbs[] = {
    {"compress", "[compress] --pretrained P --task T --data DIR --target-latency L --output OUT",
     "the whole job: fine-tune, supernet, search, export, proof",
     "Leaves OUT/compressed.snc and OUT/report.{json,md,csv}. Stages that are there with the same inputs are skipped, so the same\n"
     "command resumes a killed run. Exit code 0: every target holds; 3: a target was missed (the nearest result is kept); 2: bad\n"
     "input; 130: interrupted.", COMPRESS, 1},
    {"import", "import --pretrained P --output model.snc", "a Hugging Face or PyTorch model to one .snc", NULL, IMPORT, 0},
    {"finetune", "finetune --pretrained P --task T --data DIR --output teacher.snc", "fine-tune a teacher on a task",
     "AdamW with linear warm-up and decay, clip 1.0, length-bucketed unpadded batches. A checkpoint stands beside the output while it\n"
     "runs; the same command resumes from it to the same bits.", FINETUNE, 1},
    {"supernet", "supernet --teacher teacher.snc --task T --data DIR --output supernet.snc",
     "order a teacher by importance and train it elastic", NULL, SUPERNET, 1},
    {"profile", "profile supernet.snc --output latency.json", "measure the kernel times a search may ask for", NULL, PROFILE, 0},
    {"search", "search supernet.snc --teacher teacher.snc --task T --data DIR --target-latency L --output DIR",
     "search subnet and INT8/FP policy together",
     "Leaves DIR/search.sqlite (every evaluation), front.json, config.json and report.html. The same command goes on where a killed one\n"
     "stopped. `search --export csv --journal DIR/search.sqlite` prints the evaluations. Exit code 0: the chosen net meets every\n"
     "target as measured here; 3: it is the nearest; 2: bad input; 130: interrupted.", SEARCH, 1},
    {"export", "export M | --pretrained P  --policy int8|int4|bf16|f32|FILE --output F [--config FILE]", "write a deployable .snc",
     "Full width unless --config names a subnet. A model without a head gets a seeded 2-class one, one without a tokenizer makes a file\n"
     "for `bench` only; each is said once.", EXPORT, 0},
    {"bench", "bench M [M2 ...] [-b 1,8 -s 16,128,data -t 1,2] [--tasks sst2,mrpc --data DIR] [-o md|json|csv]",
     "latency, and scores on tasks", NULL, BENCH, 0},
    {"predict", "predict M [--logits] < lines", "label TAB probability for each input line",
     "A TAB splits a line into a pair; on a model for single sentences the text after the TAB is a second segment too. An empty line is\n"
     "an empty text and gets an answer. Regression prints the value alone. --logits adds every logit.", PREDICT, 0},
    {"eval", "eval M --task T --data DIR [--split dev] [--json]", "score a .snc or a Hugging Face folder on a split", NULL, EVAL, 1},
    {"info", "info M [--json]", "what is inside a model file", NULL, INFO, 0},
    {"study", "study --tabular DIR | study supernet.snc --teacher M --task T --data DIR --protocols P --output DIR",
     "searches against each other and against chance",
     "--tabular: NAS-Bench-Macro, mean rank of the best network found, over seeds. --protocols: on a real supernet; hypervolume at equal\n"
     "evaluations, relative improvement over random nets (needs --target-latency), Kendall's tau of scores inside the supernet and\n"
     "alone, joint search against one after the other. Journals and study.json stay in DIR; the same command goes on.", STUDY, 0},
    {"tokenize", "tokenize --pretrained P [--max-length N] < lines", "word piece ids with [CLS] and [SEP], space-separated",
     "A TAB makes a pair. Never padded; cut only by --max-length.", TOKENIZE, 0},
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

typedef enum kind { STRING, INTEGER, SEED, REAL, FLAG, NO_FLAG } kind;

typedef struct option {
    const char *name, *brief; /* brief: "-b" or NULL */
    kind kind;
    size_t offset; /* in snc_options */
    unsigned verbs;
    double min, max;
    const char *value, *help;
} option;

#define AT(field) offsetof(snc_options, field)
static const option table[] = {
    {"--pretrained", NULL, STRING, AT(pretrained), COMPRESS | IMPORT | FINETUNE | EXPORT | TOKENIZE | SUPERNET, 0, 0, "P", "Hugging Face folder, .safetensors, PyTorch .bin or .snc"},
    {"--teacher", NULL, STRING, AT(teacher), COMPRESS | SUPERNET | SEARCH | STUDY | EXPORT, 0, 0, "M", "a model fine-tuned on the task already; skips finetune"},
    {"--task", NULL, STRING, AT(task), TRAINS | WORKLOAD | EVAL | EXPORT, 0, 0, "T", "sst2 mrpc cola rte stsb wnli qnli mnli qqp, or a JSON file"},
    {"--tasks", NULL, STRING, AT(tasks), BENCH, 0, 0, "A,B", "tasks to score, each on its dev split"},
    {"--data", NULL, STRING, AT(data), TRAINS | WORKLOAD | EVAL | BENCH | EXPORT, 0, 0, "DIR", "folder with SST-2/ MRPC/ ... or the task's own files"},
    {"--split", NULL, STRING, AT(split), EVAL, 0, 0, "S", "train, rank, select, dev or another file of the task [dev]"},
    {"--unlabeled", NULL, STRING, AT(unlabeled), COMPRESS | SUPERNET | EXPORT, 0, 0, "FILE", "task text without labels, learnt by distillation alone"},
    {"--trim-vocab", NULL, FLAG, AT(trim_vocab), COMPRESS | SEARCH | EXPORT, 0, 0, NULL, "keep the word pieces of train and --unlabeled text alone"},
    {"--output", NULL, STRING, AT(output), ALL & ~(BENCH | PREDICT | EVAL | INFO | TOKENIZE), 0, 0, "F", "file to write; a folder for compress and search"},
    {"--overwrite", NULL, FLAG, AT(overwrite), ALL & ~(BENCH | PREDICT | EVAL | INFO | TOKENIZE | STUDY), 0, 0, NULL, "start anew over results of other inputs"},
    {"--target-latency", NULL, STRING, AT(target_latency), COMPRESS | SEARCH | STUDY, 0, 0, "L", "1.5ms, 800us, or 0.5x of the full-size INT8 model"},
    {"--target-size", NULL, STRING, AT(target_size), COMPRESS | SEARCH, 0, 0, "S", "12MB (10^6), 800KB, or 0.5x of the full-size INT8 file"},
    {"--target-macs", NULL, STRING, AT(target_macs), SEARCH, 0, 0, "M", "0.5x of the full encoder's multiply-adds at 128 tokens"},
    {"--max-drop", NULL, REAL, AT(max_drop), COMPRESS | SEARCH, 0, 100, "X", "points of score under the teacher that are allowed"},
    {"--batch", "-b", STRING, AT(batch), WORKLOAD | BENCH, 0, 0, "N", "sequences in a call [1]; a comma list for bench"},
    {"--seq-len", "-s", STRING, AT(seq_len), WORKLOAD | BENCH, 0, 0, "N|data", "tokens in a sequence, or the task's real lengths [data]"},
    {"--threads", "-t", STRING, AT(threads), ALL & ~(INFO | TOKENIZE | IMPORT), 0, 0, "N", "threads of the workload [1]; of training [all cores]"},
    {"--percentile", NULL, REAL, AT(percentile), WORKLOAD | BENCH, 1, 99.9, "P", "which latency the target means [50]"},
    {"--repeats", "-r", INTEGER, AT(repeats), BENCH, 1, 1e6, "N", "timed calls per cell [about a second of them]"},
    {"--profile", NULL, FLAG, AT(profile), BENCH, 0, 0, NULL, "share of the time, speed and share of the kernel's peak of each part"},
    {"--backend", NULL, STRING, AT(backend), ALL & ~(INFO | TOKENIZE | IMPORT), 0, 0, "B", "auto, ref, blas, onednn or native [auto]"},
    {"--fp", NULL, STRING, AT(fp), WORKLOAD | SUPERNET | EXPORT, 0, 0, "T", "what FP means in a policy: auto, f32 or bf16 [auto]"},
    {"--compute", NULL, STRING, AT(compute), TRAINS | STUDY, 0, 0, "T", "training arithmetic: auto, bf16 or f32 [auto]"},
    {"--seed", NULL, SEED, AT(seed), ALL & ~(INFO | TOKENIZE | PREDICT | BENCH), 0, 9e15, "N", "seed of splits, order, dropout, sampling and search [42]"},
    {"--dry-run", NULL, FLAG, AT(dry_run), COMPRESS, 0, 0, NULL, "print the estimate of the time needed and stop"},
    {"--json", NULL, FLAG, AT(json), EVAL | INFO, 0, 0, NULL, "answer as JSON"},
    {"--format", "-o", STRING, AT(format), BENCH | STUDY, 0, 0, "F", "md, json or csv [md]"},
    {"--logits", NULL, FLAG, AT(logits), PREDICT, 0, 0, NULL, "add every logit to the line"},
    {"--epochs", NULL, REAL, AT(epochs), COMPRESS | FINETUNE, 0, 1000, "X", "of fine-tuning [3]"},
    {"--lr", NULL, REAL, AT(lr), COMPRESS | FINETUNE, 0, 1, "X", "peak learning rate of fine-tuning [5e-5]"},
    {"--weight-decay", NULL, REAL, AT(weight_decay), TRAINS, 0, 1, "X", "of matrices; biases and LayerNorm have none [0.01]"},
    {"--warmup", NULL, REAL, AT(warmup), TRAINS, 0, 0.9, "X", "share of the steps [0.06]"},
    {"--batch-size", NULL, INTEGER, AT(batch_size), TRAINS, 1, 4096, "N", "sentences in a training step [32]"},
    {"--max-train-samples", NULL, INTEGER, AT(max_train_samples), TRAINS | SEARCH | STUDY, 1, 1e9, "N", "train on so many rows, drawn by seed"},
    {"--max-length", NULL, INTEGER, AT(max_length), TRAINS | WORKLOAD | EVAL | TOKENIZE, 3, 65536, "N", "tokens of a text or pair [the task's, 128]"},
    {"--hold-out", NULL, INTEGER, AT(hold_out), FINETUNE, 0, 1, "0|1", "0 trains on every row, without rank and select splits [1]"},
    {"--checkpoint-every", NULL, INTEGER, AT(checkpoint_every), TRAINS, 1, 1e9, "N", "steps between checkpoints [500]"},
    {"--max-steps", NULL, INTEGER, AT(max_steps), FINETUNE | SUPERNET, 1, 1e9, "N", "stop after so many steps and keep the checkpoint"},
    {"--supernet-epochs", NULL, REAL, AT(supernet_epochs), COMPRESS | SUPERNET, 0, 1000, "X", "of elastic training [1]"},
    {"--supernet-lr", NULL, REAL, AT(supernet_lr), COMPRESS | SUPERNET, 0, 1, "X", "its peak learning rate [5e-5]"},
    {"--alpha", NULL, REAL, AT(alpha), COMPRESS | SUPERNET, 0, 1, "X", "weight of the hard labels; the teacher has the rest [0.3]"},
    {"--temperature", NULL, REAL, AT(temperature), COMPRESS | SUPERNET, 0.01, 100, "X", "of the distillation [1]"},
    {"--augment", NULL, REAL, AT(augment), COMPRESS | SUPERNET | STUDY, 0, 100, "X", "rows made of each train row for distillation alone, up to 150,000 in all [3]"},
    {"--hidden-weight", NULL, REAL, AT(hidden_weight), COMPRESS | SUPERNET, 0, 100, "X", "of the hidden-state MSE to the teacher [0]"},
    {"--sampler", NULL, STRING, AT(sampler), COMPRESS | SUPERNET, 0, 0, "S", "sandwich, instatune or full [sandwich]"},
    {"--inplace-teacher", NULL, FLAG, AT(inplace_teacher), COMPRESS | SUPERNET, 0, 0, NULL, "subnets learn from the full net of the same step"},
    {"--depth-rule", NULL, STRING, AT(depth_rule), COMPRESS | SUPERNET | SEARCH | STUDY, 0, 0, "R", "kept layers: first, last, even, or auto: the best on select [auto]"},
    {"--space", NULL, STRING, AT(space), COMPRESS | SUPERNET | SEARCH | PROFILE | STUDY, 0, 0, "FILE", "search space as JSON [derived from the model]"},
    {"--searcher", NULL, STRING, AT(searcher), COMPRESS | SEARCH | STUDY, 0, 0, "S", "linas, nsga2, weaknas, evolution, mcts, greedy-bits, random, or a JSON file [linas]"},
    {"--objectives", NULL, STRING, AT(objectives), COMPRESS | SEARCH, 0, 0, "A,B", "loss or score, and one or two of latency, size, macs [loss,latency]"},
    {"--warm-start", NULL, STRING, AT(warm_start), COMPRESS | SEARCH, 0, 0, "FILE", "another journal of the same model, task and space: its best seed the search"},
    {"--journal", NULL, STRING, AT(journal), SEARCH, 0, 0, "FILE", "where the evaluations are [search.sqlite in the output folder]"},
    {"--export", NULL, STRING, AT(export_as), SEARCH, 0, 0, "F", "print a journal's evaluations as csv or json and stop"},
    {"--tabular", NULL, STRING, AT(tabular), STUDY, 0, 0, "DIR", "nas-bench-macro_cifar10.json or its folder"},
    {"--protocols", NULL, STRING, AT(protocols), STUDY, 0, 0, "LIST", "on a supernet: hypervolume, improvement, tau, joint"},
    {"--searchers", NULL, STRING, AT(searchers), STUDY, 0, 0, "LIST", "names and JSON files [all but greedy-bits; with --protocols nsga2,linas,random]"},
    {"--seeds", NULL, INTEGER, AT(seeds), STUDY, 1, 1e6, "N", "runs of each search, from --seed on [200; with --protocols 5]"},
    {"--evals", NULL, INTEGER, AT(evals), COMPRESS | SEARCH | STUDY, 1, 1e7, "N", "evaluations of the search [400]"},
    {"--time-budget", NULL, STRING, AT(time_budget), COMPRESS | SEARCH, 0, 0, "T", "of the search: 90s, 5m, 1h"},
    {"--policy", NULL, STRING, AT(policy), EXPORT, 0, 0, "P", "int8, int4, bf16, f32, or a JSON file"},
    {"--config", NULL, STRING, AT(config), EXPORT, 0, 0, "FILE", "a subnet: {\"arch\":...,\"policy\":...} as in front.json"},
    {"--to", NULL, STRING, AT(to), EXPORT, 0, 0, "F", "snc [snc]"},
    {"--repair", NULL, STRING, AT(repair), COMPRESS, 0, 0, "R", "distillation of the picked net under fake quantization: auto, on, off [auto]"},
    {"--repair-epochs", NULL, REAL, AT(repair_epochs), COMPRESS | STUDY, 0, 100, "X", "its length [1]"},
    {"--verbose", "-v", FLAG, AT(verbose), ALL, 0, 0, NULL, "say more"},
};
enum { OPTIONS = sizeof table / sizeof table[0] };

/* Both --max-seq-length and --max_seq_length spellings are known to people; underscores count as dashes. */
static int same_name(const char *arg, const char *name)
{
    for (; *name; arg++, name++)
        if (*arg != *name && !(*arg == '_' && *name == '-')) return 0;
    return *arg == 0 || *arg == '=';
}

static const option *find_option(const char *arg)
{
    for (int i = 0; i < OPTIONS; i++)
        if (same_name(arg, table[i].name) || (table[i].brief && strcmp(arg, table[i].brief) == 0)) return &table[i];
    return NULL;
}

static snc_err store(snc_options *o, const option *op, const char *value)
{
    char *field = (char *)o + op->offset, *end = NULL;
    if (op->kind == STRING) {
        SNC_CHECK(*value, SNC_E_ARG, "%s: empty value", op->name);
        memcpy(field, &value, sizeof value);
        return SNC_OK;
    }
    double v = strtod(value, &end);
    SNC_CHECK(end != value && *end == 0 && v >= op->min && v <= op->max, SNC_E_ARG, "%s '%s': expected a number from %g to %g", op->name,
              value, op->min, op->max);
    if (op->kind == REAL) {
        memcpy(field, &v, sizeof v);
        return SNC_OK;
    }
    SNC_CHECK(v == floor(v), SNC_E_ARG, "%s '%s': expected a whole number", op->name, value);
    int64_t wide = (int64_t)v;
    int narrow = (int)v;
    if (op->kind == SEED) memcpy(field, &wide, sizeof wide);
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
    if (strcmp(arg, "--log-json") == 0) {
        SNC_CHECK(*i + 1 < argc, SNC_E_ARG, "--log-json: a file name is missing");
        a->log_json = argv[++*i];
        return SNC_OK;
    }
    const option *op = find_option(arg);
    SNC_CHECK(op, SNC_E_ARG, "unknown option '%.80s' (compress %s --help lists them)", arg, a->verb->name);
    SNC_CHECK(op->verbs & a->verb->bit, SNC_E_ARG, "%s is not an option of '%s' (compress %s --help lists them)", op->name, a->verb->name,
              a->verb->name);
    if (op->kind == FLAG) {
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
    out->o = snc_options_defaults;
    out->o.models = out->models;
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
        SNC_CHECK(out->o.n_models < SNC_MAX_MODELS, SNC_E_ARG, "more than %d models", SNC_MAX_MODELS);
        out->models[out->o.n_models++] = argv[i];
    }
    unsigned takes = PROFILE | SEARCH | STUDY | EXPORT | BENCH | PREDICT | EVAL | INFO;
    SNC_CHECK(out->help || !out->o.n_models || (out->verb->bit & takes), SNC_E_ARG, "unexpected argument '%.80s'", out->models[0]);
    SNC_CHECK(out->help || out->o.n_models <= 1 || out->verb->bit == BENCH, SNC_E_ARG, "unexpected argument '%.80s'", out->models[1]);
    return SNC_OK;
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
    for (int i = 0; i < OPTIONS; i++) {
        const option *op = &table[i];
        char left[64];
        if (!(op->verbs & verb->bit)) continue;
        snprintf(left, sizeof left, "%s%s%s%s%s", op->brief ? op->brief : "", op->brief ? ", " : "", op->name, op->value ? " " : "",
                 op->value ? op->value : "");
        printf("  %-26s %s\n", left, op->help);
    }
    printf("  %-26s %s\n  %-26s %s\n", "--quiet", "errors only", "--log-json FILE", "progress and metrics as JSON lines");
}
