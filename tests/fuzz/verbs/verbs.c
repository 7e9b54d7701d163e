/* The verbs and their slots. */
#include "artifact/option.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"

/* ---- the run under way ----------------------------------------------------------------------------------------------- */

static const fuzz_slot *slot;
static const char *lines, *lines_end; /* what is left of the input lines */
static volatile size_t sink;

/* The folder of a name in the slot's list? */
static bool copied(const char *name)
{
    size_t n = strlen(name);
    for (const char *p = slot->folders; *p; p += strcspn(p, ","), p += *p == ',')
        if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == 0)) return true;
    return false;
}

/* The hostile file, or a folder with it, where the slot has it; else the good one. */
static const char *pick(const char *name) { return strcmp(name, slot->file) == 0 || copied(name) ? world_work(name) : world_good(name); }

static void on_log(void *user, snc_level level, const char *line)
{
    (void)user;
    (void)level;
    sink = strlen(line);
}

static void on_progress(void *user, const char *what, double done, double total, const char *note)
{
    (void)user;
    sink = strlen(what) + strlen(note) + (done <= total);
}

static void on_result(void *user, const char *line) { on_log(user, SNC_LEVEL_INFO, line); }

static snc_err on_input(void *user, const char **line, size_t *bytes)
{
    (void)user;
    *line = NULL;
    if (lines == lines_end) return SNC_OK;
    const char *end = memchr(lines, '\n', (size_t)(lines_end - lines));
    *line = lines;
    *bytes = (size_t)((end ? end : lines_end) - lines);
    lines = end ? end + 1 : lines_end;
    return SNC_OK;
}

static const snc_host host = {
    .size = sizeof(snc_host), .log = on_log, .progress = on_progress, .result = on_result, .input = on_input, .program = "compress"};

/* Work that is small, and the one model of most verbs. */
static snc_options small(const char *const *model, unsigned choices)
{
    snc_options o = snc_options_defaults;
    o.input.models = model;
    o.input.n_models = model != NULL;
    o.rows.task = pick("task.json");
    o.rows.data = pick("data");
    o.workload.threads = "1";
    o.job.backend = "native"; /* a vendor library makes kernels for every new shape, for longer than the rest takes */
    o.job.compute = "f32";
    o.job.fp = "f32";
    o.training.batch_size = 8;
    o.training.epochs = o.supernet.epochs = o.exporting.repair_epochs = 0.1;
    o.supernet.augment = 0;
    o.supernet.depth_rule = "even";
    o.search.evals = 5;
    o.output.path = world_work("out");
    o.output.overwrite = choices >> 7 & 1;
    return o;
}

/* What was refused leaves no output. */
static snc_err checked(snc_err err, const char *output)
{
    if (!err || !snc_is_file(output)) return err;
    fprintf(stderr, "refused (%s), but %s was written\n", snc_err_text(), output);
    abort();
}

/* ---- verbs ------------------------------------------------------------------------------------------------------------- */

#define SNC_FILES                                                                                      \
    {                                                                                                  \
        "int8.snc", "f32.snc", "bf16.snc", "int4.snc", "mixed.snc", "pretrained.snc", "long.snc", NULL \
    }
#define SLOTS(a) (int)(sizeof(a) / sizeof *(a)), a

static const fuzz_slot info_slots[] = {
    {"int8.snc", "", DAMAGE_TENSORS, SNC_FILES},
    {"hf/config.json", "hf", DAMAGE_JSON, {NULL}},
};

static snc_err run_info(unsigned c)
{
    const char *m = copied("hf") ? pick("hf") : pick("int8.snc");
    snc_options o = small(&m, c);
    o.output.json = c & 1;
    return snc_stage_info(&o, &host);
}

static const fuzz_slot verify_slots[] = {{"int8.snc", "", DAMAGE_TENSORS, SNC_FILES}};

static snc_err run_verify(unsigned c)
{
    const char *m = pick("int8.snc");
    snc_options o = small(&m, c);
    return snc_stage_verify(&o, &host);
}

static const fuzz_slot bench_slots[] = {
    {"int8.snc", "", DAMAGE_TENSORS, {"teacher.snc", "int8.snc", "int4.snc", "mixed.snc", "long.snc", NULL}},
    {"data/dev.tsv", "data", DAMAGE_TEXT, {NULL}},
    {"task.json", "", DAMAGE_JSON, {"task.json", "auto.json", NULL}},
};

static snc_err run_bench(unsigned c)
{
    static const char *const format[] = {"md", "json", "csv", "md"}, *const seq[] = {"data", "5", "data,3", "16"};
    const char *m = pick("int8.snc");
    snc_options o = small(&m, c);
    o.output.format = format[c & 3];
    o.workload.seq_len = seq[c >> 2 & 3];
    o.workload.batch = c & 16 ? "2" : "1";
    o.bench.profile = c >> 5 & 1;
    o.bench.repeats = 1;
    if (slot != &bench_slots[0] || c & 64) o.bench.tasks = o.rows.task;
    return snc_stage_bench(&o, &host);
}

static const fuzz_slot predict_slots[] = {
    {"int8.snc", "", DAMAGE_TENSORS, SNC_FILES},
    {"lines.txt", "", DAMAGE_TEXT, {NULL}},
};

static snc_err run_predict(unsigned c)
{
    const char *m = pick("int8.snc");
    snc_options o = small(&m, c);
    o.predict.logits = c & 1;
    o.exporting.seeded_head = c >> 1 & 1;
    o.output.format = c & 4 ? "jsonl" : NULL;
    return snc_stage_predict(&o, &host);
}

static const fuzz_slot eval_slots[] = {
    {"int8.snc", "", DAMAGE_TENSORS, SNC_FILES},
    {"data/dev.tsv", "data", DAMAGE_TEXT, {NULL}},
    {"jsonl/dev.jsonl", "jsonl", DAMAGE_JSON, {NULL}},
    {"data/train.tsv", "data", DAMAGE_TEXT, {NULL}},
    {"task.json", "", DAMAGE_JSON, {"task.json", "auto.json", NULL}},
};

static snc_err run_eval(unsigned c)
{
    static const char *const split[] = {"dev", "rank", "select", "train"};
    const char *m = pick("int8.snc");
    snc_options o = small(&m, c);
    o.output.json = c & 1;
    o.rows.split = slot == &eval_slots[1] || slot == &eval_slots[2] ? "dev" : split[c >> 1 & 3];
    o.rows.max_length = c & 8 ? 9 : 0;
    if (copied("jsonl")) o.rows.data = pick("jsonl");
    return snc_stage_eval(&o, &host);
}

static const fuzz_slot tokenize_slots[] = {
    {"tok/tokenizer.json", "tok", DAMAGE_JSON, {NULL}},
    {"tok/tokenizer_config.json", "tok", DAMAGE_JSON, {NULL}},
    {"tok/special_tokens_map.json", "tok", DAMAGE_JSON, {NULL}},
    {"uni/tokenizer.json", "uni", DAMAGE_JSON, {NULL}},
    {"spm/spiece.model", "spm", DAMAGE_TEXT, {NULL}},
    {"hf/vocab.txt", "hf", DAMAGE_TEXT, {NULL}},
    {"hf/tokenizer_config.json", "hf", DAMAGE_JSON, {NULL}},
    {"int8.snc", "", DAMAGE_TENSORS, {NULL}},
    {"lines.txt", "", DAMAGE_TEXT, {NULL}},
};

static snc_err run_tokenize(unsigned c)
{
    snc_options o = small(NULL, c);
    static const char *const folders[] = {"tok", "uni", "spm", "hf"};
    o.input.pretrained = NULL;
    for (int i = 0; i < 4 && !o.input.pretrained; i++)
        if (copied(folders[i])) o.input.pretrained = pick(folders[i]);
    if (!o.input.pretrained) o.input.pretrained = pick("int8.snc");
    o.rows.max_length = c & 1 ? 5 : 0;
    return snc_stage_tokenize(&o, &host);
}

static const fuzz_slot import_slots[] = {
    {"int8.snc", "", DAMAGE_TENSORS, SNC_FILES},
    {"hf/model.safetensors", "hf", DAMAGE_TENSORS, {NULL}},
    {"hf/config.json", "hf", DAMAGE_JSON, {NULL}},
    {"hf/vocab.txt", "hf", DAMAGE_TEXT, {NULL}},
    {"torch/pytorch_model.bin", "torch", DAMAGE_ARCHIVE, {NULL}},
    {"sharded/model.safetensors.index.json", "sharded", DAMAGE_JSON, {NULL}},
};

static snc_err run_import(unsigned c)
{
    snc_options o = small(NULL, c);
    o.input.pretrained = copied("hf")        ? pick("hf")
                         : copied("torch")   ? pick("torch")
                         : copied("sharded") ? pick("sharded")
                                             : pick("int8.snc");
    return checked(snc_stage_import(&o, &host), o.output.path);
}

static const fuzz_slot export_slots[] = {
    {"teacher.snc", "", DAMAGE_TENSORS, {"teacher.snc", "int8.snc", "int4.snc", "pretrained.snc", NULL}},
    {"config.json", "", DAMAGE_JSON, {"config.json", "policy.json", NULL}},
    {"policy.json", "", DAMAGE_JSON, {"policy.json", "uniform.json", NULL}},
    {"more.txt", "", DAMAGE_TEXT, {NULL}},
    {"data/train.tsv", "data", DAMAGE_TEXT, {NULL}},
};

static snc_err run_export(unsigned c)
{
    static const char *const policy[] = {"int8", "int4", "bf16", "f32"};
    const char *m = pick("teacher.snc");
    snc_options o = small(&m, c);
    o.exporting.policy = slot == &export_slots[2] ? pick("policy.json") : slot == &export_slots[1] && c & 4 ? NULL : policy[c & 3];
    if (slot == &export_slots[1]) o.exporting.config = pick("config.json");
    o.exporting.trim_vocab = slot > &export_slots[2] || c & 8;
    o.exporting.seeded_head = c >> 4 & 1;
    if (o.exporting.trim_vocab) o.rows.unlabeled = pick("more.txt");
    return checked(snc_stage_export(&o, &host), o.output.path);
}

static const fuzz_slot finetune_slots[] = {
    {"pretrained.snc", "", DAMAGE_TENSORS, {"pretrained.snc", "teacher.snc", "int8.snc", NULL}},
    {"data/train.tsv", "data", DAMAGE_TEXT, {NULL}},
    {"task.json", "", DAMAGE_JSON, {"task.json", "auto.json", NULL}},
    {"out.checkpoint", "", DAMAGE_CHECKPOINT, {"stopped.snc.checkpoint", NULL}},
};

static snc_err run_finetune(unsigned c)
{
    snc_options o = small(NULL, c);
    o.input.pretrained = pick("pretrained.snc");
    o.rows.hold_out = !(c & 1);
    o.training.max_steps = 1;
    if (slot == &finetune_slots[3]) o.training.max_steps = 2, o.training.epochs = 0.5; /* as it was left */
    return checked(snc_stage_finetune(&o, &host), o.output.path);
}

static const fuzz_slot supernet_slots[] = {
    {"teacher.snc", "", DAMAGE_TENSORS, {"teacher.snc", "int8.snc", NULL}},   {"data/train.tsv", "data", DAMAGE_TEXT, {NULL}},
    {"space.json", "", DAMAGE_JSON, {"space.json", "apart.json", NULL}},      {"more.txt", "", DAMAGE_TEXT, {NULL}},
    {"out.checkpoint", "", DAMAGE_CHECKPOINT, {"half.snc.checkpoint", NULL}},
};

static snc_err run_supernet(unsigned c)
{
    static const char *const rule[] = {"even", "first", "last", "auto"};
    snc_options o = small(NULL, c);
    o.input.teacher = pick("teacher.snc");
    o.search.space = pick("space.json");
    o.training.max_steps = 1;
    if (slot == &supernet_slots[4]) {
        o.training.max_steps = 2;
        o.supernet.epochs = 0.5;
        return checked(snc_stage_supernet(&o, &host), o.output.path);
    }
    o.supernet.depth_rule = rule[c & 3];
    o.supernet.augment = c >> 2 & 1;
    o.supernet.inplace_teacher = c >> 3 & 1;
    o.training.class_weights = c >> 4 & 1 ? "balanced" : NULL;
    if (slot == &supernet_slots[3]) o.rows.unlabeled = pick("more.txt");
    return checked(snc_stage_supernet(&o, &host), o.output.path);
}

static const fuzz_slot profile_slots[] = {
    {"supernet.snc", "", DAMAGE_TENSORS, {NULL}},
    {"space.json", "", DAMAGE_JSON, {"space.json", "apart.json", NULL}},
    {"fresh/latency.json", "fresh", DAMAGE_JSON, {NULL}},
    {"fresh/latency.json.inputs", "fresh", DAMAGE_JSON, {NULL}},
};

static snc_err run_profile(unsigned c)
{
    const char *m = pick("supernet.snc");
    snc_options o = small(&m, c);
    o.search.space = c & 1 && slot != &profile_slots[1] ? NULL : pick("space.json");
    o.workload.batch = c & 2 ? "2" : NULL;
    o.workload.seq_len = c & 4 ? "6" : NULL;
    if (copied("fresh")) o.output.path = world_work("fresh/latency.json");
    return snc_stage_profile(&o, &host);
}

static const fuzz_slot search_slots[] = {
    {"found/search.sqlite", "found", DAMAGE_DATABASE, {NULL}},
    {"found/search.sqlite", "found", DAMAGE_DATABASE, {NULL}}, /* for --export */
    {"space.json", "", DAMAGE_JSON, {"space.json", "apart.json", NULL}},
    {"searcher.json", "fresh", DAMAGE_JSON, {"searcher.json", "linas.json", "mcts.json", NULL}},
    {"fresh/latency.json", "fresh", DAMAGE_JSON, {NULL}},
    {"fresh/latency.json.inputs", "fresh", DAMAGE_JSON, {NULL}},
    {"warm.sqlite", "fresh", DAMAGE_DATABASE, {NULL}},
    {"supernet.snc", "", DAMAGE_TENSORS, {NULL}},
    {"teacher.snc", "fresh", DAMAGE_TENSORS, {"teacher.snc", "int8.snc", NULL}},
    {"task.json", "fresh", DAMAGE_JSON, {"task.json", "auto.json", NULL}},
};

static snc_err run_search(unsigned c)
{
    const char *m = pick("supernet.snc");
    snc_options o = small(&m, c);
    int missed;
    o.output.path = copied("found") ? world_work("found") : copied("fresh") ? world_work("fresh") : world_work("out");
    if (slot == &search_slots[1]) {
        o.search.export_as = c & 1 ? "csv" : "json";
        return snc_stage_search(&o, &host, &missed);
    }
    o.input.teacher = pick("teacher.snc");
    o.search.space = pick("space.json");
    o.targets.size = "0.9x";
    if (c & 1) o.targets.latency = "0.9x";
    if (c & 2) o.targets.max_drop = 1;
    o.search.searcher = slot == &search_slots[3] ? pick("searcher.json") : c & 4 ? "linas" : NULL;
    if (slot == &search_slots[6]) o.search.warm_start = pick("warm.sqlite");
    if (slot == &search_slots[0])
        o.search.evals = 6, o.targets.latency = NULL, o.targets.max_drop = -1, o.search.searcher = NULL; /* as it was left */
    return snc_stage_search(&o, &host, &missed);
}

static const fuzz_slot study_slots[] = {
    {"tabular.json", "", DAMAGE_JSON, {NULL}},
    {"searcher.json", "", DAMAGE_JSON, {"searcher.json", "linas.json", "mcts.json", NULL}},
    {"lab/random-42.sqlite", "lab", DAMAGE_DATABASE, {NULL}},
    {"lab/latency.json", "lab", DAMAGE_JSON, {NULL}},
};

static snc_err run_study(unsigned c)
{
    static const char *const format[] = {"md", "json", "csv", "md"};
    const char *m = pick("supernet.snc");
    snc_options o = small(copied("lab") ? &m : NULL, c);
    o.study.seeds = 1;
    o.output.format = format[c & 3];
    if (copied("lab")) {
        o.output.format = NULL;
        o.input.teacher = pick("teacher.snc");
        o.search.space = pick("space.json");
        o.study.protocols = "hypervolume";
        o.study.searchers = "random";
        o.search.evals = 6;
        o.output.path = world_work("lab");
        return snc_stage_study(&o, &host);
    }
    o.study.tabular = pick("tabular.json");
    o.study.searchers = slot == &study_slots[1] ? pick("searcher.json") : c & 4 ? "random,mcts,evolution" : "nsga2,linas";
    return snc_stage_study(&o, &host);
}

static const fuzz_slot compress_slots[] = {
    {"run/run.json", "run", DAMAGE_JSON, {NULL}},
    {"run/teacher.snc", "run", DAMAGE_TENSORS, {NULL}},
    {"run/supernet.snc", "run", DAMAGE_TENSORS, {NULL}},
    {"run/latency.json", "run", DAMAGE_JSON, {NULL}},
    {"run/latency.json.inputs", "run", DAMAGE_JSON, {NULL}},
    {"run/search.sqlite", "run", DAMAGE_DATABASE, {NULL}},
    {"run/full-int8.snc", "run", DAMAGE_TENSORS, {NULL}},
    {"run/compressed.snc", "run", DAMAGE_TENSORS, {NULL}},
    {"run/lesson.logits", "run", DAMAGE_TEXT, {NULL}},
    {"bench.json", "run", DAMAGE_JSON, {NULL}}, /* what the program that is started prints */
    {"pretrained.snc", "", DAMAGE_TENSORS, {"pretrained.snc", "teacher.snc", NULL}},
    {"data/train.tsv", "data", DAMAGE_TEXT, {NULL}},
    {"data/dev.tsv", "data", DAMAGE_TEXT, {NULL}},
    {"task.json", "", DAMAGE_JSON, {"task.json", "auto.json", NULL}},
    {"space.json", "", DAMAGE_JSON, {"space.json", "apart.json", NULL}},
};

static snc_err run_compress(unsigned c)
{
    snc_options o = small(NULL, c);
    int missed;
    o.input.pretrained = pick("pretrained.snc");
    o.search.space = pick("space.json");
    o.training.epochs = o.supernet.epochs = o.exporting.repair_epochs = 0.5;
    o.search.evals = 6;
    o.targets.latency = "2x";
    o.output.path = world_work("run");
    o.job.dry_run = !copied("run") && c & 1;
    watch_program_says(pick("bench.json"));
    snc_err err = snc_stage_compress(&o, &host, &missed);
    watch_program_says(NULL);
    return err;
}

static const fuzz_slot suite_slots[] = {
    {"suite.json", "", DAMAGE_JSON, {NULL}},
    {"others/t.tsv", "others", DAMAGE_TEXT, {NULL}},
    {"many/suite.json", "many", DAMAGE_JSON, {NULL}},
};

/* All but the jobs, which are those of compress. */
static snc_err run_suite(unsigned c)
{
    const char *suite = pick("suite.json");
    char others[1024];
    snc_options o = small(&suite, c);
    int missed;
    snprintf(others, sizeof others, "peer=%s", pick("others"));
    o.input.pretrained = pick("pretrained.snc");
    o.suite.predictions = others;
    o.output.path = pick("many");
    o.job.dry_run = 1;
    return snc_stage_suite(&o, &host, &missed);
}

static const fuzz_verb verbs[] = {
    {"info", WORLD_MODELS, run_info, SLOTS(info_slots)},
    {"verify", WORLD_MODELS, run_verify, SLOTS(verify_slots)},
    {"bench", WORLD_MODELS, run_bench, SLOTS(bench_slots)},
    {"predict", WORLD_MODELS, run_predict, SLOTS(predict_slots)},
    {"eval", WORLD_MODELS, run_eval, SLOTS(eval_slots)},
    {"tokenize", WORLD_MODELS, run_tokenize, SLOTS(tokenize_slots)},
    {"import", WORLD_MODELS, run_import, SLOTS(import_slots)},
    {"export", WORLD_MODELS, run_export, SLOTS(export_slots)},
    {"finetune", WORLD_MODELS, run_finetune, SLOTS(finetune_slots)},
    {"supernet", WORLD_SEARCH, run_supernet, SLOTS(supernet_slots)},
    {"profile", WORLD_SEARCH, run_profile, SLOTS(profile_slots)},
    {"search", WORLD_SEARCH, run_search, SLOTS(search_slots)},
    {"study", WORLD_SEARCH, run_study, SLOTS(study_slots)},
    {"compress", WORLD_RUN, run_compress, SLOTS(compress_slots)},
    {"suite", WORLD_MODELS, run_suite, SLOTS(suite_slots)},
};

const fuzz_verb *fuzz_verbs(int *n)
{
    *n = (int)(sizeof verbs / sizeof *verbs);
    return verbs;
}

const fuzz_verb *fuzz_verb_find(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
    return NULL;
}

/* ---- one input --------------------------------------------------------------------------------------------------------- */

const fuzz_slot *fuzz_slot_of(const fuzz_verb *v, const uint8_t *data, size_t n) { return &v->slots[n ? data[0] % v->n_slots : 0]; }

static void prepare(const uint8_t *content, size_t n)
{
    world_clear();
    for (const char *p = slot->folders; *p; p += strcspn(p, ","), p += *p == ',') {
        char folder[64];
        snprintf(folder, sizeof folder, "%.*s", (int)strcspn(p, ","), p);
        world_copy(folder);
    }
    world_put(slot->file, content, n);
}

bool fuzz_once(const fuzz_verb *v, const uint8_t *data, size_t n)
{
    char left[512], *text = NULL;
    size_t bytes = 0;
    slot = fuzz_slot_of(v, data, n);
    prepare(data + FUZZ_HEAD, n - FUZZ_HEAD);
    if (snc_file_read(&text, &bytes, pick("lines.txt")) != SNC_OK) abort();
    lines = text;
    lines_end = text + bytes;
    watch_begin(n - FUZZ_HEAD);
    snc_err err = v->run(data[1]);
    watch_end();
    snc_free(text);
    if (err && (!*snc_err_text() || strchr(snc_err_text(), '\n'))) {
        fprintf(stderr, "%s: error %d says '%s', expected one line\n", v->name, err, snc_err_text());
        abort();
    }
    if (err == SNC_E_NOMEM) {
        fprintf(stderr, "%s: a size was not checked where it was read: %s\n", v->name, snc_err_text());
        abort();
    }
    if (world_leftover(left)) {
        fprintf(stderr, "%s: left %s behind\n", v->name, left);
        abort();
    }
    return err == SNC_OK;
}

static const char *seed_name(const fuzz_slot *s, int i) { return s->seeds[0] ? s->seeds[i] : i == 0 ? s->file : NULL; }

size_t fuzz_seed(uint8_t *out, size_t max, const fuzz_verb *v, int i)
{
    for (int k = 0; k < v->n_slots; k++)
        for (int s = 0; seed_name(&v->slots[k], s); s++) {
            char *data = NULL;
            size_t n = 0;
            if (i-- > 0) continue;
            if (snc_file_read(&data, &n, world_good(seed_name(&v->slots[k], s))) != SNC_OK || n + FUZZ_HEAD > max) {
                fprintf(stderr, "seed %s of %s: %zu bytes, %s\n", seed_name(&v->slots[k], s), v->name, n, snc_err_text());
                abort();
            }
            out[0] = (uint8_t)k;
            out[1] = 0;
            memcpy(out + FUZZ_HEAD, data, n);
            snc_free(data);
            return n + FUZZ_HEAD;
        }
    return 0;
}
