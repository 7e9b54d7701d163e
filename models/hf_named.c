/* What people give in place of a checkpoint, by name, with what to do. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "models/hf_priv.h"

enum { PATH_SIZE = 4096, NAMES_SIZE = 512 };

/* ---- a file, by its first bytes ---------------------------------------------------------------------------------------- */

#define FROM_TENSORFLOW                                                                                   \
    "convert them once in Python (transformers 4.x): BertForSequenceClassification.from_pretrained(DIR, " \
    "from_tf=True).save_pretrained(OUT)"
#define A_GGUF      "a GGUF file of llama.cpp: give the checkpoint that it was made from (safetensors or PyTorch)"
#define START(text) text, sizeof text - 1

static const struct {
    const char *start;
    size_t n;
    const char *is;
} files[] = {
    {START("GGUF"), A_GGUF},
    {START("\x89HDF\r\n\x1a\n"), "TensorFlow weights (HDF5): " FROM_TENSORFLOW},
    {START("\x1f\x8b"), "a packed archive (gzip): unpack it and give the folder"},
    {START("<!DOCTYPE"), "a web page, not the file behind it: use the download link"},
    {START("<!doctype"), "a web page, not the file behind it: use the download link"},
    {START("<html"), "a web page, not the file behind it: use the download link"},
};

snc_err snc__hf_name_bytes(const unsigned char *p, size_t n, const char *path)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        SNC_CHECK(n < files[i].n || memcmp(p, files[i].start, files[i].n) != 0, SNC_E_UNSUPPORTED, "%s: %s", path, files[i].is);
    return SNC_OK;
}

snc_err snc__hf_name_tensors(const snc_hf_source *s, const char *path)
{
    for (int i = 0; i < s->n; i++) SNC_CHECK(!strstr(s->list[i].t.name, ".lora_"), SNC_E_UNSUPPORTED, "%s: " SNC_HF_ADAPTER, path);
    return SNC_OK;
}

/* ---- a folder, by what is in it ---------------------------------------------------------------------------------------- */

static bool has(const char *folder, const char *name)
{
    char path[PATH_SIZE];
    return snc_path_join(path, sizeof path, folder, name) == SNC_OK && (snc_is_file(path) || snc_is_dir(path));
}

snc_err snc__hf_name_adapter(const char *folder)
{
    SNC_CHECK(!has(folder, "adapter_config.json"), SNC_E_UNSUPPORTED, "%s: " SNC_HF_ADAPTER, folder);
    return SNC_OK;
}

enum { MOST_STEPS = 1024, SHOWN_STEPS = 8 };

typedef struct steps {
    long of[MOST_STEPS];
    int n;
} steps;

/* Takes the number behind "checkpoint-". */
static void add_step(void *user, const char *name)
{
    static const char start[] = "checkpoint-";
    steps *s = user;
    char *end = NULL;
    size_t n = sizeof start - 1;
    if (strncmp(name, start, n) != 0 || !isdigit((unsigned char)name[n]) || s->n == MOST_STEPS) return;
    s->of[s->n] = strtol(name + n, &end, 10);
    s->n += !*end;
}

static int by_step(const void *a, const void *b)
{
    const long *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The folders of a Trainer, by step: the last ones where they are many. */
static snc_err name_checkpoints(const char *folder)
{
    steps s = {.n = 0};
    char names[NAMES_SIZE] = "";
    size_t at = 0;
    snc_dir_each(folder, add_step, &s);
    if (s.n == 0) return SNC_OK;
    qsort(s.of, (size_t)s.n, sizeof *s.of, by_step);
    for (int i = s.n > SHOWN_STEPS ? s.n - SHOWN_STEPS : 0; i < s.n; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, "%scheckpoint-%ld", at ? ", " : "", s.of[i]);
    return snc_err_set(SNC_E_UNSUPPORTED, "%s: no weights in it, but checkpoints of a training run: give one of them (%s%s)", folder,
                       s.n > SHOWN_STEPS ? "..., " : "", names);
}

static void add_snapshot(void *user, const char *name)
{
    char *names = user;
    size_t at = strlen(names);
    if (at + strlen(name) + 16 < NAMES_SIZE) snprintf(names + at, NAMES_SIZE - at, "%ssnapshots/%s", at ? ", " : "", name);
}

/* models--OWNER--NAME of the hub's cache keeps what people look for in snapshots/HASH. */
static snc_err name_cache(const char *folder)
{
    char path[PATH_SIZE], names[NAMES_SIZE] = "";
    if (!has(folder, "snapshots") || !has(folder, "blobs")) return SNC_OK;
    SNC_TRY(snc_path_join(path, sizeof path, folder, "snapshots"));
    snc_dir_each(path, add_snapshot, names);
    return snc_err_set(SNC_E_UNSUPPORTED, "%s: a folder of the hub's cache: give the snapshot in it (%s)", folder,
                       names[0] ? names : "there is none");
}

static bool ends_with(const char *name, const char *ending)
{
    size_t n = strlen(name), k = strlen(ending);
    return n >= k && strcmp(name + n - k, ending) == 0;
}

typedef struct ending {
    const char *text;
    char name[NAMES_SIZE]; /* the first by alphabet that ends so; "": none */
} ending;

static void add_ending(void *user, const char *name)
{
    ending *e = user;
    if (ends_with(name, e->text) && (!e->name[0] || strcmp(name, e->name) < 0)) snprintf(e->name, NAMES_SIZE, "%s", name);
}

static const struct {
    const char *ending, *is;
} others[] = {
    {".h5", "TensorFlow weights: " FROM_TENSORFLOW},
    {"saved_model.pb", "a TensorFlow SavedModel: take the model's PyTorch or safetensors files"},
    {".ckpt.index", "a TensorFlow checkpoint: convert it once in Python, BertModel.from_pretrained(DIR, from_tf=True) and save_pretrained"},
    {".msgpack", "Flax weights: convert them once in Python, from_pretrained(DIR, from_flax=True) and save_pretrained"},
    {".gguf", A_GGUF},
    {".snc", "a model by itself: give the path of the file"},
    {".onnx", "an ONNX model: give the checkpoint that it was made from (safetensors or PyTorch)"},
};

/* The folder that a job works in, finished or not. */
static snc_err name_run(const char *folder)
{
    char file[PATH_SIZE];
    SNC_TRY(snc_path_join(file, sizeof file, folder, "compressed.snc"));
    SNC_CHECK(!snc_is_file(file), SNC_E_UNSUPPORTED, "%s: the folder of a run: its model is %s", folder, file);
    SNC_TRY(snc_path_join(file, sizeof file, folder, "teacher.snc"));
    SNC_CHECK(!snc_is_file(file), SNC_E_UNSUPPORTED, "%s: the folder of a run that is not finished: all that it has is the teacher, %s",
              folder, file);
    return SNC_OK;
}

snc_err snc__hf_name_folder(const char *folder)
{
    SNC_TRY(name_run(folder));
    SNC_TRY(name_checkpoints(folder));
    SNC_TRY(name_cache(folder));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ending e = {.text = others[i].ending};
        snc_dir_each(folder, add_ending, &e);
        SNC_CHECK(!e.name[0], SNC_E_UNSUPPORTED, "%s: no weights in it but %s, which is %s", folder, e.name, others[i].is);
    }
    return SNC_OK;
}
