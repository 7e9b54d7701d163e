/* Lists of an option are taken apart, each item is found a task. */
#include "report/suite_others.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/cascaded.h"
#include "artifact/inputs.h"
#include "artifact/load.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "base/stats.h"
#include "report/answers_file.h"
#include "report/proof.h"

enum { TIMED = 3 }; /* fresh processes that time a model */

void snc_suite_others_dispose(snc_suite_others *o)
{
    for (size_t i = 0; i < o->n; i++) snc_free(o->v[i].logits);
    snc_free(o->v);
    *o = (snc_suite_others){0};
}

/* The item at *at, and *at behind it. */
static snc_err next_item(char item[SNC_CONFIG_PATH], const char **at, const char *option)
{
    const size_t n = strcspn(*at, ",");
    SNC_CHECK(n > 0 && n < SNC_CONFIG_PATH, SNC_E_ARG, "%s '%.60s': an item is empty, or too long", option, *at);
    memcpy(item, *at, n);
    item[n] = 0;
    *at += n + ((*at)[n] == ',');
    return SNC_OK;
}

static snc_err add(snc_suite_other **out, snc_suite_others *all, const char *name, int task, bool file)
{
    for (size_t i = 0; i < all->n; i++)
        SNC_CHECK(all->v[i].task != task || strcmp(all->v[i].name, name) != 0, SNC_E_ARG, "'%.80s' is given twice", name);
    SNC_TRY(snc_grow(&all->v, &all->cap, all->n + 1, sizeof *all->v));
    *out = &all->v[all->n++];
    **out = (snc_suite_other){.file = file, .task = task, .latency_us = NAN, .bytes = NAN};
    snprintf((*out)->name, sizeof(*out)->name, "%s", name);
    return SNC_OK;
}

/* ---- other programs' answers -------------------------------------------------------------------------------------------- */

/* The folder that the task's data has in GLUE; "" where it has none. */
static snc_err task_folder(char folder[SNC_SUITE_NAME], const snc_task *t)
{
    char *text = NULL;
    cJSON *j = NULL;
    SNC_TRY(snc_task_json(&text, t));
    snc_err err = snc_json_parse(&j, text, strlen(text), snc_task_name(t));
    const char *says = snc_json_text(j, "folder");
    snprintf(folder, SNC_SUITE_NAME, "%s", says ? says : "");
    cJSON_Delete(j);
    snc_free(text);
    return err;
}

/* *found: path is that of the file. */
static snc_err find_answers(bool *found, char path[SNC_CONFIG_PATH], const char *dir, const char *name, const snc_task *t)
{
    char folder[SNC_SUITE_NAME], file[SNC_SUITE_NAME + 16];
    SNC_TRY(task_folder(folder, t));
    const char *const names[] = {name, snc_task_name(t), folder, folder};
    *found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && !*found; i++) {
        snprintf(file, sizeof file, "%.63s%s.tsv", names[i], i == 3 ? "-m" : "");
        SNC_TRY(snc_path_join(path, SNC_CONFIG_PATH, dir, file));
        *found = *names[i] && snc_is_file(path);
    }
    return SNC_OK;
}

static snc_err check_program(const char *name, const char *item)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    SNC_CHECK(*name && name[strspn(name, allowed)] == 0, SNC_E_ARG,
              "--predictions '%.80s': expected NAME=DIR, a name of letters, digits, "
              "'.', '_' and '-'",
              item);
    SNC_CHECK(strcmp(name, SNC_SUITE_FILE) != 0, SNC_E_ARG, "--predictions '%.80s': '%s' is what the suite's own files are called", item,
              name);
    return SNC_OK;
}

static snc_err read_program(snc_suite_others *out, const snc_ctx *ctx, const snc_suite *s, const snc_suite_rows *rows, char *item)
{
    char path[SNC_CONFIG_PATH], whole[128], *dir = strchr(item, '=');
    int read = 0;
    snprintf(whole, sizeof whole, "%.120s", item);
    SNC_CHECK(dir, SNC_E_ARG, "--predictions '%s': expected NAME=DIR", whole);
    *dir++ = 0;
    SNC_TRY(check_program(item, whole));
    SNC_CHECK(snc_is_dir(dir), SNC_E_NOTFOUND, "--predictions %s: no such folder", whole);
    for (int i = 0; i < s->n; i++) {
        snc_suite_other *x;
        bool found;
        SNC_TRY(find_answers(&found, path, dir, s->v[i].name, rows[i].task));
        if (!found) {
            snc_log(ctx, SNC_LOG_INFO, "%s: no answers to %s in %s", item, s->v[i].name, dir);
            continue;
        }
        SNC_TRY(add(&x, out, item, i, false));
        SNC_TRY(snc_alloc(&x->logits, snc_dataset_logits(rows[i].dev, snc_task_outputs(rows[i].task)), sizeof *x->logits));
        SNC_TRY(snc_answers_read(x->logits, path, NULL, rows[i].task, rows[i].dev));
        read++;
    }
    SNC_CHECK(read, SNC_E_NOTFOUND, "--predictions %s: no answers to a task of the suite in it: expected %s.tsv or the like", whole,
              s->v[0].name);
    return SNC_OK;
}

snc_err snc_suite_predictions(snc_suite_others *out, const snc_ctx *ctx, const snc_suite *s, const snc_suite_rows *rows, const char *list)
{
    char item[SNC_CONFIG_PATH];
    for (const char *p = list; p && *p;) {
        SNC_TRY(next_item(item, &p, "--predictions"));
        SNC_TRY(read_program(out, ctx, s, rows, item));
    }
    return SNC_OK;
}

/* ---- other files ---------------------------------------------------------------------------------------------------------- */

/* The task before '=' in an item; -1: none stands there. */
static int said_task(const snc_suite *s, const char *item)
{
    const char *end = strchr(item, '=');
    for (int i = 0; i < s->n && end; i++)
        if (strlen(s->v[i].name) == (size_t)(end - item) && strncmp(item, s->v[i].name, (size_t)(end - item)) == 0) return i;
    return -1;
}

/* The one task of the suite that the model's metadata names. */
static snc_err own_task(int *out, const snc_loaded *l, const snc_suite *s, const snc_suite_rows *rows)
{
    const char *of = snc_json_text(l->meta, "task");
    int n = 0;
    for (int i = 0; i < s->n && of; i++) {
        if (strcmp(of, s->v[i].name) != 0 && strcmp(of, snc_task_name(rows[i].task)) != 0) continue;
        *out = i;
        n++;
    }
    SNC_CHECK(of, SNC_E_ARG, "--models %s: says no task that it is of: TASK=%s does", l->path, l->path);
    SNC_CHECK(n, SNC_E_ARG, "--models %s: is of task '%.60s', which suite %s does not have: TASK=%s says another", l->path, of, s->name,
              l->path);
    SNC_CHECK(n == 1, SNC_E_ARG, "--models %s: is of task '%.60s', as %d of suite %s are: TASK=%s says which", l->path, of, n, s->name,
              l->path);
    return SNC_OK;
}

static snc_err find_model(snc_suite_others *out, const snc_ctx *ctx, const snc_suite *s, const snc_suite_rows *rows, const snc_options *o,
                          const char *item)
{
    snc_loaded l;
    snc_suite_other *x;
    int task = said_task(s, item);
    const char *path = task >= 0 ? strchr(item, '=') + 1 : item;
    snc_err err = SNC_OK;
    snc_ctx quiet = *ctx; /* warnings come when it is scored */
    quiet.level = SNC_LOG_ERROR;
    SNC_TRY(snc_loaded_open(&l, &quiet, path, 0, SNC_MEANS_CLASSES));
    if (task < 0) SNC_GOTO(own_task(&task, &l, s, rows));
    SNC_GOTO(snc_loaded_check(&l, &quiet, o, rows[task].task));
    SNC_GOTO(add(&x, out, path, task, true));
out:
    snc_loaded_close(&l);
    return err;
}

snc_err snc_suite_models(snc_suite_others *out, const snc_ctx *ctx, const snc_suite *s, const snc_suite_rows *rows, const snc_options *o)
{
    char item[SNC_CONFIG_PATH];
    for (const char *p = o->suite.models; p && *p;) {
        SNC_TRY(next_item(item, &p, "--models"));
        SNC_TRY(find_model(out, ctx, s, rows, o, item));
    }
    return SNC_OK;
}

/* ---- their scores and latencies --------------------------------------------------------------------------------------------- */

static snc_err answer(float **out, const snc_ctx *ctx, const snc_options *job, const char *path)
{
    snc_task *task = NULL;
    snc_loaded l = {0};
    snc_dataset *d = NULL;
    float *logits = NULL;
    snc_err err = SNC_OK;
    SNC_GOTO(snc_inputs_task(&task, job, snc_inputs_task_name(job)));
    SNC_GOTO(snc_loaded_open(&l, ctx, path, snc_task_classes(task), snc_task_meaning(task)));
    SNC_GOTO(snc_loaded_check(&l, ctx, job, task));
    SNC_GOTO(snc_loaded_fit(task, &l));
    SNC_GOTO(snc_dataset_load(&d, ctx, task, l.tok, job->rows.data, "dev", 0));
    snc_loaded_say_labels(&l, ctx, task);
    snc_loaded_say_cut(&l, ctx, task, d);
    SNC_GOTO(snc_alloc(&logits, snc_dataset_logits(d, l.classes), sizeof *logits));
    SNC_GOTO(snc_cascaded_deliver(logits, NULL, ctx, &l, d, path));
    snc_loaded_order_classes(logits, &l, task, (int)snc_dataset_answers(d));
    snc_loaded_cut(logits, &l, d->n);
    *out = logits;
    logits = NULL;
out:
    snc_free(logits);
    snc_dataset_free(d);
    snc_loaded_close(&l);
    snc_task_close(task);
    return err;
}

snc_err snc_suite_score_model(snc_suite_other *x, const snc_ctx *ctx, const snc_options *job, const snc_host *h)
{
    const char *const model = x->name;
    double us[TIMED], p90;
    SNC_TRY(answer(&x->logits, ctx, job, x->name));
    if (snc_is_file(x->name)) x->bytes = snc_file_size(x->name);
    for (int i = 0; i < TIMED; i++) {
        snc_err err = snc_proof_time(&us[i], &p90, ctx, job, h, &model, 1);
        if (err == SNC_E_CANCELLED) return err;
        if (err) { /* such as one that knows no real lengths: it has scores all the same */
            snc_log(ctx, SNC_LOG_WARN, "%s: no latency: %s", x->name, snc_err_text());
            return SNC_OK;
        }
    }
    x->latency_us = snc_median(us, TIMED);
    return SNC_OK;
}
