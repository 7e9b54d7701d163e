#include "stage/folder.h"

#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"

static snc_err set_paths(snc_folder *f)
{
    static const char *const names[] = {"run.json", "teacher.snc", "supernet.snc", "lesson.logits", "latency.json", "search.sqlite", "full-int8.snc", "compressed.snc"};
    char *const to[] = {f->run, f->teacher, f->supernet, f->lesson, f->table, f->journal, f->int8, f->compressed};
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) SNC_TRY(snc_path_join(to[i], SNC_PATH, f->o->output, names[i]));
    return SNC_OK;
}

snc_err snc_folder_lock(snc_lock **out, const char *folder)
{
    char busy[SNC_PATH + 64], run[SNC_PATH];
    snprintf(busy, sizeof busy, "--output %s: another run is in it", folder);
    SNC_TRY(snc_path_join(run, sizeof run, folder, "run.json"));
    return snc_lock_take(out, run, busy);
}

snc_err snc_output_lock(snc_lock **out, const char *output)
{
    char busy[SNC_PATH + 64], path[SNC_PATH];
    SNC_CHECK(snprintf(path, sizeof path, "%s.lock", output) < (int)sizeof path, SNC_E_ARG, "path too long: %.80s...", output);
    snprintf(busy, sizeof busy, "--output %s: another process is writing it", output);
    return snc_lock_take(out, path, busy);
}

/* "file/x" cannot become a folder. */
static snc_err check_path(const char *output)
{
    char prefix[SNC_PATH];
    for (const char *p = output; p; p = strchr(p + 1, '/')) {
        snprintf(prefix, sizeof prefix, "%.*s", (int)(p - output), output);
        SNC_CHECK(!snc_is_file(prefix), SNC_E_ARG, "--output %s: %s: cannot make the folder: a file is there", output, prefix);
    }
    SNC_CHECK(!snc_is_file(output), SNC_E_ARG, "--output %s: is a file; compress needs a folder", output);
    return SNC_OK;
}

snc_err snc_folder_open(snc_folder *out, const snc_options *o)
{
    *out = (snc_folder){.o = o};
    SNC_TRY(set_paths(out));
    SNC_TRY(check_path(o->output));
    if (snc_is_file(out->run)) return snc_folder_lock(&out->lock, o->output);
    SNC_CHECK(o->overwrite || !snc_is_dir(o->output) || snc_dir_is_empty(o->output), SNC_E_ARG,
              "--output %s: not empty and no run of this program (--overwrite takes it)", o->output);
    return SNC_OK;
}

void snc_folder_close(snc_folder *f)
{
    snc_lock_release(f->lock);
    f->lock = NULL;
}

/* What run.json says; NULL when there is none, or an empty one that a killed process had taken and not written yet. */
static snc_err read_run(cJSON **out, const snc_folder *f)
{
    char *text = NULL;
    size_t n = 0;
    *out = NULL;
    if (!f->lock) return SNC_OK;
    SNC_TRY(snc_file_read(&text, &n, f->run));
    snc_err err = n ? snc_json_parse(out, text, n, f->run) : SNC_OK;
    snc_free(text);
    return err;
}

snc_err snc_folder_check(const snc_folder *f, const cJSON *run)
{
    cJSON *there;
    if (f->o->overwrite) return SNC_OK;
    SNC_TRY(read_run(&there, f));
    bool same = !there || cJSON_Compare(run, there, 1);
    cJSON_Delete(there);
    SNC_CHECK(same, SNC_E_ARG, "--output %s: holds a run of another model, task, data, seed or version (--overwrite starts anew)", f->o->output);
    return SNC_OK;
}

snc_err snc_folder_claim(snc_folder *f, const cJSON *run)
{
    SNC_TRY(snc_mkdir(f->o->output));
    if (!f->lock) SNC_TRY(snc_folder_lock(&f->lock, f->o->output));
    if (f->o->overwrite) remove(f->journal);
    char *text = cJSON_Print(run);
    SNC_CHECK(text, SNC_E_NOMEM, "%s: out of memory while printing JSON", f->run);
    snc_err err = snc_lock_write(f->lock, text, strlen(text));
    cJSON_free(text);
    return err;
}
