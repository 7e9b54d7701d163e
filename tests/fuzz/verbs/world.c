/* The good files, made by the verbs themselves from a model that is smaller than nano, and the folder that a run changes. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE
#include "artifact/option.h"
#include "verbs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "nano.h"

#define GOLDEN SNC_TEST_DIR "/golden/checkpoints/"

enum { NAMES = 64, PATH = 512 };
static char root[256];
static int made = -1;

static const char *path_of(const char *kind, const char *name)
{
    static char ring[NAMES][PATH];
    static int next;
    char *p = ring[next++ % NAMES];
    snprintf(p, PATH, "%s/%s%s%s", root, kind, *name ? "/" : "", name);
    return p;
}

const char *world_good(const char *name) { return path_of("good", name); }
const char *world_work(const char *name) { return path_of("work", name); }

/* Without a sync to disk, unlike snc_file_write: there are many runs. */
static void put(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (f && fwrite(data, 1, n, f) == n && fclose(f) == 0) return;
    perror(path);
    abort();
}

/* Calls fn on every entry of a folder, or removes them all. */
static void each(const char *folder, void (*fn)(const char *folder, const char *name, void *arg), void *arg)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) fn(folder, e->d_name, arg);
    if (d) closedir(d);
}

static void remove_entry(const char *folder, const char *name, void *arg)
{
    char path[2 * PATH];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) each(path, remove_entry, arg);
    remove(path);
}

static void copy_entry(const char *folder, const char *name, void *arg)
{
    char from[2 * PATH], to[2 * PATH], *data = NULL;
    size_t n = 0;
    snprintf(from, sizeof from, "%s/%s", folder, name);
    snprintf(to, sizeof to, "%s/%s", (const char *)arg, name);
    if (snc_is_dir(from) || snc_file_read(&data, &n, from) != SNC_OK) return;
    put(to, data, n);
    snc_free(data);
}

static void note_leftover(const char *folder, const char *name, void *arg)
{
    char path[2 * PATH], *out = arg;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (snc_is_dir(path)) each(path, note_leftover, arg);
    else if (strstr(name, ".tmp")) snprintf(out, PATH, "%.500s", path);
}

bool world_leftover(char name[512])
{
    name[0] = 0;
    each(world_work(""), note_leftover, name);
    return name[0] != 0;
}

void world_clear(void) { each(world_work(""), remove_entry, NULL); }

void world_copy(const char *folder)
{
    char to[PATH];
    snprintf(to, sizeof to, "%s", world_work(folder));
    mkdir(to, 0777);
    each(world_good(folder), copy_entry, to);
}

void world_put(const char *name, const void *data, size_t n) { put(world_work(name), data, n); }

/* ---- what is in it --------------------------------------------------------------------------------------------------- */

static snc_err write_text(const char *name, const char *text) { return snc_file_write(world_good(name), text, strlen(text)); }

static snc_err copy_folder(const char *name, const char *from)
{
    char to[PATH];
    snprintf(to, sizeof to, "%s", world_good(name));
    SNC_TRY(snc_mkdir(to));
    SNC_CHECK(snc_is_dir(from), SNC_E_NOTFOUND, "%s: no such folder", from);
    each(from, copy_entry, to);
    return SNC_OK;
}

static snc_err write_rows(const char *name, int n, uint64_t seed, bool json)
{
    static const char *const word[] = {"good", "bad", "film", "the", "is", "very", "it", "was", "movie", "of", "a", "2"};
    static char text[1 << 14];
    size_t at = json ? 0 : (size_t)snprintf(text, sizeof text, "sentence\tlabel\n");
    snc_rng r;
    snc_rng_init(&r, seed, 1);
    for (int i = 0; i < n; i++) {
        const char *label = i % 2 ? "positive" : "negative";
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", json ? "{\"sentence\":\"" : "", i % 2 ? "good" : "bad");
        for (uint32_t k = 1 + snc_rng_below(&r, 6); k > 0; k--)
            at += (size_t)snprintf(text + at, sizeof text - at, " %s", word[snc_rng_below(&r, 12)]);
        at += (size_t)snprintf(text + at, sizeof text - at, json ? "\",\"label\":\"%s\"}\n" : "\t%s\n", label);
    }
    return write_text(name, text);
}

static snc_err write_table(void)
{
    static char text[1 << 13];
    size_t at = (size_t)snprintf(text, sizeof text, "{");
    for (int i = 0; i < 27; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s\"%d%d%d\":{\"mean_acc\":%d.5,\"std\":0.1}", i ? "," : "", i / 9, i / 3 % 3,
                               i % 3, 40 + i * 7 % 31);
    snprintf(text + at, sizeof text - at, "}");
    return write_text("tabular.json", text);
}

static snc_err write_suite(void)
{
    SNC_TRY(write_text("suite.json", "{\"name\":\"s\",\"seeds\":1,\"tasks\":[{\"task\":\"../good/task.json\",\"name\":\"t\"}],"
                                     "\"options\":{\"target-latency\":\"2x\",\"lr\":1e-3}}"));
    SNC_TRY(snc_mkdir(world_good("others")));
    SNC_TRY(write_text("others/t.tsv", "index\tprediction\n9\tpositive\n0\tnegative\n1\tpositive\n2\tnegative\n3\tpositive\n4\tnegative\n"
                                       "5\tpositive\n6\tnegative\n7\tpositive\n8\tnegative\n"));
    SNC_TRY(snc_mkdir(world_good("many")));
    return write_text("many/suite.json", "{\"suite\":\"s\",\"jobs\":[{\"task\":\"t\",\"seed\":42,\"done\":true,\"missed\":false,"
                                         "\"seconds\":1,\"asked\":{}},{\"task\":\"u\",\"seed\":1,\"error\":\"x\"}]}");
}

/* Unigram pieces as a tokenizer.json and as a SentencePiece model. */
static snc_err write_unigrams(void)
{
    static const char model[] = "\x0a\x0e\x0a\x05"
                                "<pad>"
                                "\x15\x01\x01\x80\xc0\x18\x03"
                                "\x0a\x0e\x0a\x05"
                                "<unk>"
                                "\x15\x01\x01\x80\xc0\x18\x02"
                                "\x0a\x0e\x0a\x05"
                                "[CLS]"
                                "\x15\x01\x01\x80\xc0\x18\x03"
                                "\x0a\x0e\x0a\x05"
                                "[SEP]"
                                "\x15\x01\x01\x80\xc0\x18\x03"
                                "\x0a\x0a\x0a\x01"
                                "("
                                "\x15\x01\x01\x80\xc0\x18\x04"
                                "\x0a\x0c\x0a\x03"
                                "\xe2\x96\x81"
                                "\x15\x01\x01\x80\xc0\x18\x01"
                                "\x0a\x0a\x0a\x01"
                                "a"
                                "\x15\x01\x01\x80\xc0\x18\x01"
                                "\x0a\x10\x0a\x07"
                                "\xe2\x96\x81"
                                "good"
                                "\x15\x01\x01\x80\xc0\x18\x01"
                                "\x0a\x0d\x0a\x04"
                                "film"
                                "\x15\x01\x01\x80\xc0\x18\x01"
                                "\x12\x02\x18\x01";
    SNC_TRY(snc_mkdir(world_good("uni")));
    SNC_TRY(snc_mkdir(world_good("spm")));
    SNC_TRY(write_text("spm/tokenizer_config.json", "{\"tokenizer_class\":\"AlbertTokenizer\"}"));
    SNC_TRY(write_text("spm/spiece.model", model));
    return write_text(
        "uni/tokenizer.json",
        "{\"model\":{\"type\":\"Unigram\",\"unk_id\":1,\"byte_fallback\":true,\"vocab\":[[\"<s>\",0],[\"<unk>\",0],[\"\u2581\",-2.5],["
        "\"a\",-3],"
        "[\"\u2581good\",-4.25],[\"<0xC3>\",-9],[\"film\",-5]]},\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"},"
        "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"BAAAAAAAAAA=\"},{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},"
        "\"content\":\" "
        "\"},{\"type\":\"Strip\"}]},\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"},"
        "{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"prepend_scheme\":\"always\"}]},\"post_processor\":{\"type\":"
        "\"RobertaProcessing\","
        "\"cls\":[\"<s>\",0],\"sep\":[\"a\",3]},\"added_tokens\":[{\"id\":7,\"content\":\"new\",\"normalized\":true}]}");
}

static snc_err write_files(void)
{
    static const char task[] =
        "{\"name\":\"nano\",\"files\":{\"train\":\"train.tsv\",\"dev\":[\"dev.tsv\",\"dev.jsonl\"]},\"format\":\"auto\","
        "\"text_a\":[\"sentence\",\"text\"],\"label\":\"label\",\"labels\":[\"negative\",\"positive\"],"
        "\"metrics\":[\"accuracy\",\"f1\"],\"max_length\":12}\n";
    SNC_TRY(write_text("task.json", task));
    SNC_TRY(write_text(
        "auto.json", "{\"name\":\"a\",\"format\":\"auto\",\"files\":{\"train\":\"train.tsv\",\"dev\":\"dev.tsv\"},\"text_a\":\"sentence\","
                     "\"label\":\"label\",\"labels\":\"auto\",\"metrics\":[\"accuracy\"],\"skip_short_rows\":true}"));
    SNC_TRY(snc_mkdir(world_good("data")));
    SNC_TRY(write_rows("data/train.tsv", 60, 1, false));
    SNC_TRY(write_rows("data/dev.tsv", 10, 2, false));
    SNC_TRY(snc_mkdir(world_good("jsonl")));
    SNC_TRY(write_rows("jsonl/train.tsv", 60, 1, false));
    SNC_TRY(write_rows("jsonl/dev.jsonl", 10, 2, true));
    SNC_TRY(
        write_text("lines.txt", "a good film\nthe movie was bad\tvery bad\n\n\t\n caf\xc3\xa9 \xe4\xb8\xad [SEP] [MASK]\n\xff\xfe\x01\n"));
    SNC_TRY(write_text("more.txt", "the film\nit was good\n\nbad\n"));
    SNC_TRY(
        write_text("space.json",
                   "{\"depth\":[2,1],\"depth_layers\":{\"1\":[1]},\"hidden\":[16,8],\"heads\":[2,1],\"ffn\":[32,16],"
                   "\"linear\":[\"int8\",\"f32\"],\"qkv\":\"tied\",\"pooler\":[\"int8\"],\"classifier\":[\"f32\"],\"embed\":[\"int8\"]}"));
    SNC_TRY(write_text("apart.json", "{\"qkv\":\"apart\",\"linear\":[\"int8\",\"bf16\"]}"));
    SNC_TRY(write_text("searcher.json", "{\"name\":\"nsga2\",\"population\":4,\"mutation\":0.2}"));
    SNC_TRY(write_text("linas.json", "{\"name\":\"linas\",\"batch\":3,\"inner\":\"nsga2\",\"inner_evals\":60,\"explore\":0.2,\"stall\":20,"
                                     "\"stall_gain\":0.001,\"features\":\"steps\",\"predictor\":\"ridge\"}"));
    SNC_TRY(write_text("mcts.json", "{\"name\":\"mcts\",\"sharing\":true,\"tau\":0.05,\"c1\":0.5,\"c2\":0.5}"));
    SNC_TRY(write_text("policy.json",
                       "{\"embed\":\"int8\",\"pooler\":\"f32\",\"classifier\":\"f32\",\"layers\":[{\"qkv\":\"int8\",\"o\":\"f32\","
                       "\"ffn_in\":\"int8\",\"ffn_out\":\"bf16\"},{\"q\":\"int8\",\"k\":\"bf16\",\"v\":\"f32\",\"o\":\"f32\","
                       "\"ffn_in\":\"int8\",\"ffn_out\":\"bf16\"}]}"));
    SNC_TRY(write_suite());
    SNC_TRY(write_text("uniform.json", "{\"embed\":\"int4\",\"pooler\":\"int8\",\"classifier\":\"f32\",\"linear\":\"int4\"}"));
    SNC_TRY(write_text("config.json", "{\"chosen\":{\"arch\":{\"hidden\":8,\"layers\":[{\"source\":1,\"heads\":1,\"ffn\":16}]},\"policy\":"
                                      "{\"embed\":\"int8\",\"pooler\":\"f32\",\"classifier\":\"f32\",\"linear\":\"int8\"}}}"));
    SNC_TRY(write_text("bench.json", "[{\"model\":\"m\",\"percentile_ms\":1.5,\"p50_ms\":1.5,\"p90_ms\":2.5},"
                                     "{\"model\":\"n\",\"percentile_ms\":1.9,\"p50_ms\":1.9,\"p90_ms\":2.9}]"));
    SNC_TRY(snc_mkdir(world_good("tok")));
    SNC_TRY(write_text(
        "tok/tokenizer.json",
        "{\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,"
        "\"vocab\":{\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"a\":3,\"##b\":4,\"good\":5}},\"normalizer\":{\"type\":\"BertNormalizer\","
        "\"strip_accents\":null,\"lowercase\":true},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"post_processor\":{\"type\":"
        "\"BertProcessing\",\"sep\":[\"[SEP]\",2],\"cls\":[\"[CLS]\",1]},\"added_tokens\":[{\"id\":6,\"content\":\"new\",\"special\":true},"
        "{\"id\":1,\"content\":\"[CLS]\",\"lstrip\":true}]}"));
    SNC_TRY(write_text("tok/tokenizer_config.json",
                       "{\"do_lower_case\":false,\"tokenizer_class\":\"BertTokenizer\",\"cls_token\":{\"content\":\"[CLS]\"},"
                       "\"added_tokens_decoder\":{\"3\":{\"content\":\"x\"}}}"));
    SNC_TRY(write_text("tok/special_tokens_map.json",
                       "{\"sep_token\":\"[SEP]\",\"unk_token\":\"[UNK]\",\"additional_special_tokens\":[\"y\"]}"));
    SNC_TRY(write_unigrams());
    SNC_TRY(copy_folder("hf", GOLDEN "hf"));
    SNC_TRY(copy_folder("torch", GOLDEN "torch"));
    SNC_TRY(copy_folder("sharded", GOLDEN "sharded"));
    return write_table();
}

static snc_err write_model(const char *name, int positions)
{
    const snc_encoder_config c = {.vocab = NANO_V,
                                  .positions = positions,
                                  .types = 2,
                                  .hidden = 16,
                                  .layers = 2,
                                  .heads = 2,
                                  .head_width = 8,
                                  .ffn = 32,
                                  .classes = 2,
                                  .act = SNC_ACT_GELU,
                                  .norm_eps = 1e-12f,
                                  .hidden_dropout = 0.1f,
                                  .attention_dropout = 0.1f};
    snc_model *m = NULL;
    SNC_TRY(nano_model_of(&m, &c, 5));
    m->has_head = false;
    snc_err err = nano_assets(&m->tokenizer);
    if (!err) err = snc_model_save(m, world_good(name));
    snc_model_free(m);
    return err;
}

/* ---- verbs on good files --------------------------------------------------------------------------------------------- */

static void say_nothing(void *user, snc_level level, const char *line)
{
    (void)user;
    (void)level;
    (void)line;
}

static const snc_host quiet = {.size = sizeof(snc_host), .log = say_nothing, .program = "compress"};

static snc_options options_of_world(void)
{
    snc_options o = snc_options_defaults;
    o.rows.task = world_good("task.json");
    o.rows.data = world_good("data");
    o.workload.threads = "1";
    o.job.backend = "native";
    o.job.compute = "f32";
    o.job.fp = "f32";
    o.training.batch_size = 8;
    o.training.epochs = o.supernet.epochs = o.exporting.repair_epochs = 0.5;
    o.supernet.augment = 0;
    o.supernet.depth_rule = "even";
    o.search.space = world_good("space.json");
    o.search.evals = 6;
    return o;
}

static snc_err write_export(const char *name, const char *from, const char *policy)
{
    snc_options o = snc_options_defaults;
    from = world_good(from);
    o.input.models = &from;
    o.input.n_models = 1;
    o.exporting.policy = policy;
    o.output.path = world_good(name);
    o.exporting.seeded_head = 1; /* far.snc was never trained */
    return snc_stage_export(&o, &quiet);
}

static snc_err write_models(void)
{
    snc_options o = options_of_world();
    SNC_TRY(write_model("pretrained.snc", 16));
    SNC_TRY(write_model("far.snc", 1500));
    o.input.pretrained = world_good("pretrained.snc");
    o.output.path = world_good("teacher.snc");
    SNC_TRY(snc_stage_finetune(&o, &quiet));
    o.output.path = world_good("stopped.snc");
    o.training.max_steps = 1; /* leaves a checkpoint */
    SNC_TRY(snc_stage_finetune(&o, &quiet));
    SNC_TRY(write_export("long.snc", "far.snc", "int8"));
    SNC_TRY(write_export("f32.snc", "teacher.snc", "f32"));
    SNC_TRY(write_export("int8.snc", "teacher.snc", "int8"));
    SNC_TRY(write_export("bf16.snc", "teacher.snc", "bf16"));
    SNC_TRY(write_export("int4.snc", "teacher.snc", world_good("uniform.json")));
    return write_export("mixed.snc", "teacher.snc", world_good("policy.json"));
}

static snc_err copy_good(const char *to, const char *from)
{
    char *data = NULL;
    size_t n = 0;
    SNC_TRY(snc_file_read(&data, &n, world_good(from)));
    snc_err err = snc_file_write(world_good(to), data, n);
    snc_free(data);
    return err;
}

static snc_err write_search(void)
{
    snc_options o = options_of_world();
    const char *supernet = world_good("supernet.snc");
    int missed;
    o.input.teacher = world_good("teacher.snc");
    o.output.path = supernet;
    SNC_TRY(snc_stage_supernet(&o, &quiet));
    o.output.path = world_good("half.snc");
    o.training.max_steps = 1;
    SNC_TRY(snc_stage_supernet(&o, &quiet));
    o.training.max_steps = 0;
    o.input.models = &supernet;
    o.input.n_models = 1;
    o.targets.size = "0.9x";
    o.output.path = world_good("found");
    SNC_TRY(snc_stage_search(&o, &quiet, &missed));
    SNC_TRY(snc_mkdir(world_good("fresh")));
    SNC_TRY(copy_good("fresh/latency.json", "found/latency.json"));
    SNC_TRY(copy_good("fresh/latency.json.inputs", "found/latency.json.inputs"));
    SNC_TRY(copy_good("warm.sqlite", "found/search.sqlite"));
    o.targets.size = NULL;
    o.output.path = world_good("lab");
    o.study.protocols = "hypervolume";
    o.study.searchers = "random";
    o.study.seeds = 1;
    return snc_stage_study(&o, &quiet);
}

static snc_err write_run(void)
{
    snc_options o = options_of_world();
    int missed;
    o.input.pretrained = world_good("pretrained.snc");
    o.targets.latency = "2x";
    o.output.path = world_good("run");
    watch_program_says(world_good("bench.json"));
    snc_err err = snc_stage_compress(&o, &quiet, &missed);
    watch_program_says(NULL);
    return err;
}

snc_err world_open(enum world_depth depth)
{
    static snc_err (*const steps[])(void) = {write_files, write_models, write_search, write_run};
    if (made < 0) {
        const char *base = getenv("TMPDIR");
        snprintf(root, sizeof root, "%s/snc_verbs.XXXXXX", base ? base : snc_is_dir("/dev/shm") ? "/dev/shm" : ".");
        SNC_CHECK(mkdtemp(root), SNC_E_IO, "%s: cannot make the folder", root);
        SNC_TRY(snc_mkdir(world_good("")));
        SNC_TRY(snc_mkdir(world_work("")));
    }
    while (made < (int)depth) {
        SNC_TRY(steps[made + 1]());
        made++;
    }
    return SNC_OK;
}

void world_close(void)
{
    if (!root[0]) return;
    each(root, remove_entry, NULL);
    remove(root);
    root[0] = 0;
    made = -1;
}
