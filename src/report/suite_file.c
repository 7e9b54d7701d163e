/* A suite's file is read, and its options are those of the one table. */
#include "report/suite_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/option.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "base/names.h"
#include "data/task.h"

/* ---- tasks ------------------------------------------------------------------------------------------------------------ */

static snc_err join(char out[SNC_CONFIG_PATH], const char *folder, size_t n, const char *name)
{
    int len = snprintf(out, SNC_CONFIG_PATH, "%.*s%s%s", (int)n, folder, n ? "/" : "", name);
    SNC_CHECK(len >= 0 && len < SNC_CONFIG_PATH, SNC_E_ARG, "path too long: %.80s...", name);
    return SNC_OK;
}

/* A file's path is taken from the suite's folder. */
static snc_err resolve(char out[SNC_CONFIG_PATH], const snc_suite *s, const char *task)
{
    const char *slash = strrchr(s->path, '/'), *end = strrchr(task, '.');
    bool file = strchr(task, '/') || (end && strcmp(end, ".json") == 0);
    return join(out, s->path, file && *task != '/' && slash ? (size_t)(slash - s->path) : 0, task);
}

static snc_err check_name(const snc_suite *s, const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    SNC_CHECK(*name && *name != '.' && name[strspn(name, allowed)] == 0 && strlen(name) < SNC_SUITE_NAME, SNC_E_FORMAT,
              "%s: task '%.80s': expected a name of letters, digits, '.', '_' and '-'", s->path, name);
    for (int i = 0; i < s->n; i++)
        SNC_CHECK(strcmp(s->v[i].name, name) != 0, SNC_E_FORMAT, "%s: two tasks are called '%s': \"name\" tells them apart", s->path, name);
    return SNC_OK;
}

/* task: a shipped name or a path; name NULL: the task's own; data: a folder. */
static snc_err add_task(snc_suite *s, const char *task, const char *name, const char *data, const cJSON *options)
{
    snc_task *t = NULL;
    SNC_TRY(snc_grow(&s->v, &s->cap, (size_t)s->n + 1, sizeof *s->v));
    snc_suite_task *x = &s->v[s->n];
    *x = (snc_suite_task){.options = options};
    SNC_TRY(join(x->task, "", 0, task));
    SNC_TRY(join(x->data, "", 0, data));
    snc_err err = snc_task_open(&t, x->task);
    if (err) return snc_err_prefix(err, s->path);
    err = check_name(s, name ? name : snc_task_name(t));
    if (!err) snprintf(x->name, sizeof x->name, "%s", name ? name : snc_task_name(t));
    snc_task_close(t);
    s->n += !err;
    return err;
}

static snc_err add_item(snc_suite *s, const cJSON *it, const char *data)
{
    static const char *const keys[] = {"task", "name", "data", "options", NULL};
    char task[SNC_CONFIG_PATH], folder[SNC_CONFIG_PATH];
    const char *of = cJSON_GetStringValue(it), *name = NULL, *in = NULL;
    if (cJSON_IsObject(it)) {
        SNC_TRY(snc_json_check_keys(it, keys, s->path));
        SNC_TRY(snc_json_str(&of, it, "task", NULL, s->path));
        SNC_TRY(snc_json_str(&name, it, "name", NULL, s->path));
        SNC_TRY(snc_json_str(&in, it, "data", NULL, s->path));
    }
    SNC_CHECK(of, SNC_E_FORMAT, "%s: 'tasks': expected names of tasks, or objects with \"task\"", s->path);
    SNC_TRY(resolve(task, s, of));
    SNC_TRY(join(folder, data, in ? strlen(data) : 0, in ? in : data));
    return add_task(s, task, name, folder, snc_json_at(it, "options"));
}

typedef struct names {
    snc_err err;
    const char *data;
    char **v;
    size_t n, cap;
} names;

static void add_folder(void *user, const char *name)
{
    names *all = user;
    char path[SNC_CONFIG_PATH];
    if (all->err || *name == '.') return;
    all->err = join(path, all->data, strlen(all->data), name);
    if (all->err || !snc_is_dir(path)) return;
    all->err = snc_grow(&all->v, &all->cap, all->n + 1, sizeof *all->v);
    if (!all->err) all->err = snc_strdup(&all->v[all->n], name);
    all->n += !all->err;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static snc_err add_folders(snc_suite *s, const char *task, const char *data)
{
    char own[SNC_CONFIG_PATH], folder[SNC_CONFIG_PATH];
    names all = {.data = data};
    snc_dir_each(data, add_folder, &all);
    snc_err err = all.err;
    if (!err && all.n == 0)
        err = snc_err_set(SNC_E_NOTFOUND, "--data %s: no folders in it, of which suite %s takes each for a task", data, s->name);
    if (all.n) qsort(all.v, all.n, sizeof *all.v, by_bytes);
    for (size_t i = 0; i < all.n && !err; i++) {
        err = join(folder, data, strlen(data), all.v[i]);
        if (!err) err = join(own, folder, strlen(folder), "task.json");
        if (!err) err = add_task(s, snc_is_file(own) ? own : task, all.v[i], folder, NULL);
    }
    for (size_t i = 0; i < all.n; i++) snc_free(all.v[i]);
    snc_free(all.v);
    return err;
}

static bool named(const char *list, const char *name)
{
    for (const char *p = list; p; p = snc_list_next(p))
        if (strcspn(p, ",") == strlen(name) && strncmp(p, name, strlen(name)) == 0) return true;
    return false;
}

/* --tasks: those alone. */
static snc_err choose(snc_suite *s, const char *list)
{
    char known[512] = "";
    size_t at = 0;
    int kept = 0;
    for (int i = 0; i < s->n && at < sizeof known; i++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", s->v[i].name);
    for (const char *p = list; p; p = snc_list_next(p)) {
        bool there = false;
        for (int i = 0; i < s->n; i++)
            there = there || (strcspn(p, ",") == strlen(s->v[i].name) && strncmp(p, s->v[i].name, strcspn(p, ",")) == 0);
        SNC_CHECK(there, SNC_E_ARG, "--tasks '%.*s': not in suite %s (%s)", (int)strcspn(p, ","), p, s->name, known);
    }
    for (int i = 0; i < s->n; i++)
        if (named(list, s->v[i].name)) s->v[kept++] = s->v[i];
    s->n = kept;
    return SNC_OK;
}

static snc_err read_suite(snc_suite *s, const snc_options *o)
{
    static const char *const keys[] = {"name", "tasks", "folders", "seeds", "options", NULL};
    const cJSON *it, *tasks = snc_json_at(s->file, "tasks");
    const char *folders = NULL;
    char task[SNC_CONFIG_PATH];
    SNC_TRY(snc_json_check_keys(s->file, keys, s->path));
    SNC_TRY(snc_json_str(&s->name, s->file, "name", NULL, s->path));
    SNC_CHECK(s->name, SNC_E_FORMAT, "%s: 'name' is missing", s->path);
    SNC_TRY(snc_json_str(&folders, s->file, "folders", NULL, s->path));
    SNC_TRY(snc_json_int(&s->seeds, s->file, "seeds", 1, 1, SNC_SUITE_SEEDS, s->path));
    SNC_CHECK(!tasks != !folders, SNC_E_FORMAT, "%s: expected either 'tasks' or 'folders'", s->path);
    SNC_CHECK(folders || (cJSON_IsArray(tasks) && tasks->child), SNC_E_FORMAT, "%s: 'tasks' must be a list, and not empty", s->path);
    SNC_CHECK(!folders || snc_is_dir(o->rows.data), SNC_E_NOTFOUND, "--data %s: no such folder", o->rows.data);
    if (folders) SNC_TRY(resolve(task, s, folders));
    if (folders) SNC_TRY(add_folders(s, task, o->rows.data));
    cJSON_ArrayForEach(it, tasks) SNC_TRY(add_item(s, it, o->rows.data));
    if (o->suite.seeds) s->seeds = o->suite.seeds;
    return o->suite.tasks ? choose(s, o->suite.tasks) : SNC_OK;
}

snc_err snc_suite_open(snc_suite *out, const snc_options *o)
{
    snc_err err = SNC_OK;
    *out = (snc_suite){0};
    SNC_TRY(snc_config_find(out->path, "suite", o->input.models[0]));
    SNC_TRY(snc_json_load(&out->file, out->path));
    SNC_GOTO(read_suite(out, o));
out:
    if (err) snc_suite_close(out);
    return err;
}

void snc_suite_close(snc_suite *s)
{
    cJSON_Delete(s->file);
    snc_free(s->v);
    *s = (snc_suite){0};
}

/* ---- options of a job ------------------------------------------------------------------------------------------------- */

/* NULL: a suite's jobs have none of that name, or the suite itself says it. */
static const snc_option *row_of(const char *key)
{
    static const char *const own[] = {"pretrained", "teacher", "task", "data",    "eval", "output",
                                      "overwrite",  "dry-run", "seed", "verbose", "watch"};
    char name[SNC_SUITE_NAME];
    snprintf(name, sizeof name, "--%s", key);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(key, own[i]) == 0) return NULL;
    return snc_option_row(name, SNC_VERB_COMPRESS);
}

static snc_err set_option(snc_options *out, const snc_options *asked, const cJSON *it, const char *where)
{
    const snc_option *row = row_of(it->string);
    SNC_CHECK(row, SNC_E_FORMAT, "%s: 'options': '%.60s' is no option of a suite's jobs", where, it->string);
    if (snc_option_marked(asked, row)) return SNC_OK;
    bool text = row->kind == SNC_OPTION_STRING, flag = row->kind == SNC_OPTION_FLAG;
    SNC_CHECK(text   ? cJSON_IsString(it)
              : flag ? cJSON_IsBool(it)
                     : cJSON_IsNumber(it),
              SNC_E_FORMAT, "%s: 'options': '%s': expected a %s", where, it->string,
              text   ? "text"
              : flag ? "true or false"
                     : "number");
    if (text) snc_option_set_text(out, row, it->valuestring);
    else if (flag) snc_option_set_number(out, row, cJSON_IsTrue(it));
    else {
        const double v = it->valuedouble;
        SNC_CHECK(v >= row->min && v <= row->max && (row->kind == SNC_OPTION_REAL || v == floor(v)), SNC_E_FORMAT,
                  "%s: 'options': '%s' %g: expected a %snumber from %g to %g", where, it->string, v,
                  row->kind == SNC_OPTION_REAL ? "" : "whole ", row->min, row->max);
        snc_option_set_number(out, row, v);
    }
    snc_option_mark(out, row, true);
    return SNC_OK;
}

static snc_err set_options(snc_options *out, const snc_options *asked, const cJSON *options, const char *where)
{
    const cJSON *it;
    SNC_CHECK(!options || cJSON_IsObject(options), SNC_E_FORMAT, "%s: 'options' must be an object", where);
    cJSON_ArrayForEach(it, options) SNC_TRY(set_option(out, asked, it, where));
    return SNC_OK;
}

snc_err snc_suite_folder(char folder[SNC_CONFIG_PATH], const snc_suite *s, int i, int k, const snc_options *o)
{
    char name[2 * SNC_SUITE_NAME];
    snprintf(name, sizeof name, "%s/seed-%lld", s->v[i].name, (long long)o->job.seed + k);
    return snc_path_join(folder, SNC_CONFIG_PATH, o->output.path, name);
}

/* The suite's own options are none of a job's. */
static void begin_job(snc_options *out, const snc_options *o)
{
    int n;
    const snc_option *row = snc_option_table(&n);
    *out = *o;
    out->suite = snc_options_defaults.suite;
    out->input.models = NULL;
    out->input.n_models = 0;
    for (; n--; row++)
        if (!(row->verbs & SNC_VERB_COMPRESS)) snc_option_mark(out, row, false);
}

snc_err snc_suite_job(snc_options *out, const snc_suite *s, int i, int k, const snc_options *o, const char *folder)
{
    const snc_suite_task *t = &s->v[i];
    begin_job(out, o);
    out->rows.task = t->task;
    out->rows.data = t->data;
    out->job.seed += k;
    out->output.path = folder;
    SNC_TRY(set_options(out, o, snc_json_at(s->file, "options"), s->path));
    SNC_TRY(set_options(out, o, t->options, s->path));
    snc_err err = snc_options_check(out);
    return err ? snc_err_prefix(err, s->path) : SNC_OK;
}
