/* An ablation's file is read; recipes are put together of JSON alone, so that no plug-in is named here. */
#include "candidate/ablation.h"

#include <stdio.h>
#include <string.h>

#include "artifact/inputs.h"
#include "artifact/option.h"
#include "artifact/recipes.h"
#include "base/mem.h"

static const char *const variant_keys[] = {"name", "recipe", "times", NULL};

/* ---- names -------------------------------------------------------------------------------------------------------------- */

static snc_err check_name(const snc_ablation *a, const char *what, const char *name)
{
    for (const char *c = name; *c; c++) {
        bool sign = *c == '-' || *c == '_' || (*c == '.' && c != name);
        bool known = sign || (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        SNC_CHECK(known, SNC_E_FORMAT, "%s: %s '%.80s': expected letters, digits, '.', '_' and '-'", a->path, what, name);
    }
    SNC_CHECK(*name && strlen(name) < SNC_ABLATION_NAME, SNC_E_FORMAT, "%s: %s '%.80s': expected 1 to %d letters", a->path, what, name,
              SNC_ABLATION_NAME - 1);
    return SNC_OK;
}

static snc_err add_task(snc_ablation *a, const char *asked, bool from_file)
{
    const char *slash = strrchr(a->path, '/');
    snc_task *t = NULL;
    SNC_CHECK(a->tasks < SNC_ABLATION_TASKS, SNC_E_FORMAT, "%s: more than %d tasks", a->path, SNC_ABLATION_TASKS);
    char *path = a->task[a->tasks].path, *name = a->task[a->tasks].name;
    const bool beside = from_file && slash && *asked != '/' && strchr(asked, '.');
    const size_t folder = beside ? (size_t)(slash - a->path) + 1 : 0;
    SNC_CHECK(folder + strlen(asked) < SNC_CONFIG_PATH, SNC_E_ARG, "path too long: %.80s...", asked);
    memcpy(path, a->path, folder);
    memcpy(path + folder, asked, strlen(asked) + 1);
    snc_err err = snc_task_open(&t, path);
    if (!err) err = check_name(a, "task", snc_task_name(t));
    if (!err) snprintf(name, SNC_ABLATION_NAME, "%s", snc_task_name(t));
    snc_task_close(t);
    if (err) return from_file ? snc_err_prefix(err, a->path) : err;
    for (int i = 0; i < a->tasks; i++)
        SNC_CHECK(strcmp(a->task[i].name, name) != 0, SNC_E_FORMAT, "%s: two tasks are called '%s'", a->path, name);
    a->tasks++;
    return SNC_OK;
}

static snc_err read_tasks(snc_ablation *a, const snc_options *o)
{
    const cJSON *it, *tasks = snc_json_at(a->file, "tasks");
    const char *asked = snc_inputs_task_name(o);
    SNC_CHECK(!tasks || (cJSON_IsArray(tasks) && tasks->child), SNC_E_FORMAT, "%s: 'tasks' must be a list, and not empty", a->path);
    SNC_CHECK(!tasks || !asked, SNC_E_ARG, "--task %s beside 'tasks' of %s: one of the two", asked, a->path);
    SNC_CHECK(tasks || asked, SNC_E_ARG, "study --ablate: --task is missing, and %s has no 'tasks'", a->path);
    if (!tasks) return add_task(a, asked, false);
    cJSON_ArrayForEach(it, tasks)
    {
        SNC_CHECK(cJSON_IsString(it), SNC_E_FORMAT, "%s: 'tasks': expected names of tasks or of JSON files", a->path);
        SNC_TRY(add_task(a, it->valuestring, true));
    }
    return SNC_OK;
}

static snc_err read_seeds(snc_ablation *a, const snc_options *o)
{
    a->seeds = 1;
    a->seed[0] = (int)o->job.seed;
    SNC_TRY(snc_json_ints(a->seed, &a->seeds, SNC_ABLATION_SEEDS, a->file, "seeds", 0, 1000000000, a->path));
    for (int i = 0; i < a->seeds; i++)
        for (int k = 0; k < i; k++)
            SNC_CHECK(a->seed[i] != a->seed[k], SNC_E_FORMAT, "%s: 'seeds': %d stands there twice", a->path, a->seed[i]);
    return SNC_OK;
}

/* ---- recipes ------------------------------------------------------------------------------------------------------------ */

/* Sections of `over` go over those of `to`, key by key; "null" there is an error that the recipe's reader says. */
static void lay_over(cJSON *to, const cJSON *over)
{
    const cJSON *section, *it;
    cJSON_ArrayForEach(section, over)
    {
        cJSON *at = cJSON_GetObjectItemCaseSensitive(to, section->string);
        if (!at || !cJSON_IsObject(at) || !cJSON_IsObject(section)) {
            cJSON_DeleteItemFromObjectCaseSensitive(to, section->string);
            cJSON_AddItemToObject(to, section->string, cJSON_Duplicate(section, 1));
            continue;
        }
        cJSON_ArrayForEach(it, section)
        {
            cJSON_DeleteItemFromObjectCaseSensitive(at, it->string);
            cJSON_AddItemToObject(at, it->string, cJSON_Duplicate(it, 1));
        }
    }
}

/* What --recipe says where it is not the default, with the file's own repair. */
static snc_err base_recipe(cJSON **out, const snc_ablation *a, const char *named)
{
    char path[SNC_CONFIG_PATH];
    cJSON *repair = cJSON_Duplicate(snc_json_at(a->file, "repair"), 1), *over;
    if (*named == '{') SNC_TRY(snc_json_parse(out, named, strlen(named), "--recipe"));
    else if (strcmp(named, snc_options_defaults.training.recipe) == 0) *out = cJSON_CreateObject();
    else {
        SNC_TRY(snc_config_find(path, "recipe", named));
        SNC_TRY(snc_json_load(out, path));
    }
    cJSON_DeleteItemFromObjectCaseSensitive(repair, "nets");
    over = cJSON_CreateObject();
    if (repair) cJSON_AddItemToObject(over, "repair", repair);
    lay_over(*out, over);
    cJSON_Delete(over);
    return SNC_OK;
}

static snc_err print(char **out, const cJSON *recipe)
{
    char *text = cJSON_PrintUnformatted(recipe);
    SNC_CHECK(text, SNC_E_NOMEM, "out of memory while printing JSON");
    snc_err err = snc_strdup(out, text);
    cJSON_free(text);
    return err;
}

static snc_err check_variant(const snc_ablation *a, const cJSON *it)
{
    const cJSON *recipe = snc_json_at(it, "recipe");
    SNC_CHECK(cJSON_IsObject(it), SNC_E_FORMAT, "%s: 'variants': expected objects with \"name\"", a->path);
    SNC_TRY(snc_json_check_keys(it, variant_keys, a->path));
    SNC_CHECK(!recipe || cJSON_IsObject(recipe), SNC_E_FORMAT, "%s: 'recipe' of a variant: expected an object", a->path);
    SNC_CHECK(!snc_json_at(recipe, "finetune") && !snc_json_at(recipe, "repair"), SNC_E_FORMAT,
              "%s: variant '%.60s': teacher and repair are the same for all: no 'finetune' and no 'repair' in its recipe", a->path,
              snc_json_text(it, "name") ? snc_json_text(it, "name") : "");
    return SNC_OK;
}

static snc_err add_variant(snc_ablation *a, const cJSON *base, const cJSON *it)
{
    snc_ablation_variant *v = &a->variant[a->variants];
    SNC_CHECK(a->variants < SNC_ABLATION_VARIANTS, SNC_E_FORMAT, "%s: more than %d variants", a->path, SNC_ABLATION_VARIANTS);
    SNC_TRY(check_variant(a, it));
    SNC_TRY(snc_json_str(&v->name, it, "name", NULL, a->path));
    SNC_CHECK(v->name, SNC_E_FORMAT, "%s: a variant has no 'name'", a->path);
    SNC_TRY(check_name(a, "variant", v->name));
    for (int i = 0; i < a->variants; i++)
        SNC_CHECK(strcmp(a->variant[i].name, v->name) != 0, SNC_E_FORMAT, "%s: two variants are called '%s'", a->path, v->name);
    SNC_TRY(snc_json_double(&v->times, it, "times", 1, 0.01, 100, a->path));
    SNC_CHECK(a->variants || v->times == 1, SNC_E_FORMAT, "%s: 'times' of the first variant is 1: others are measured by it", a->path);
    cJSON *recipe = cJSON_Duplicate(base, 1);
    lay_over(recipe, snc_json_at(it, "recipe"));
    snc_err err = print(&v->recipe, recipe);
    cJSON_Delete(recipe);
    a->variants += !err;
    return err;
}

static snc_err read_variants(snc_ablation *a, const snc_options *o)
{
    const cJSON *it, *list = snc_json_at(a->file, "variants");
    cJSON *base = NULL;
    snc_err err = SNC_OK;
    SNC_CHECK(cJSON_IsArray(list) && list->child, SNC_E_FORMAT, "%s: no 'variants' to compare", a->path);
    SNC_CHECK(list->child->next, SNC_E_FORMAT, "%s: one variant alone: there is nothing to compare it with", a->path);
    SNC_GOTO(base_recipe(&base, a, o->training.recipe));
    SNC_GOTO(print(&a->base, base));
    cJSON_ArrayForEach(it, list) SNC_GOTO(add_variant(a, base, it));
out:
    cJSON_Delete(base);
    return err;
}

/* ---- the file ----------------------------------------------------------------------------------------------------------- */

static snc_err read_numbers(snc_ablation *a)
{
    static const char *const tau_keys[] = {"nets", "latency", NULL};
    const cJSON *repair = snc_json_at(a->file, "repair"), *tau = snc_json_at(a->file, "tau");
    const char *equal;
    SNC_TRY(snc_json_str(&equal, a->file, "equal", "updates", a->path));
    a->equal = strcmp(equal, "time") == 0 ? SNC_EQUAL_TIME : SNC_EQUAL_UPDATES;
    SNC_CHECK(a->equal == SNC_EQUAL_TIME || strcmp(equal, "updates") == 0, SNC_E_FORMAT, "%s: 'equal' \"%.40s\": expected updates or time",
              a->path, equal);
    SNC_TRY(snc_json_int(&a->rows, a->file, "rows", 0, 0, 1000000000, a->path));
    SNC_TRY(snc_json_int(&a->go_on, a->file, "go_on", 0, 0, SNC_ABLATION_VARIANTS, a->path));
    SNC_CHECK(a->rows || !a->go_on, SNC_E_FORMAT, "%s: 'go_on' %d without 'rows': the first stage has all of them already", a->path,
              a->go_on);
    SNC_TRY(snc_json_int(&a->nets, a->file, "nets", 20, 2, SNC_ABLATION_NETS, a->path));
    SNC_CHECK(!repair || cJSON_IsObject(repair), SNC_E_FORMAT, "%s: 'repair': expected an object", a->path);
    SNC_TRY(snc_json_int(&a->repair_nets, repair, "nets", 0, 0, a->nets, a->path));
    SNC_CHECK(!tau || cJSON_IsObject(tau), SNC_E_FORMAT, "%s: 'tau': expected an object", a->path);
    if (tau) SNC_TRY(snc_json_check_keys(tau, tau_keys, a->path));
    SNC_TRY(snc_json_int(&a->tau_nets, tau, "nets", tau ? 12 : 0, tau ? 3 : 0, SNC_ABLATION_NETS, a->path));
    return snc_json_double(&a->tau_latency, tau, "latency", 0.5, 0.01, 1, a->path);
}

static snc_err read_file(snc_ablation *a, const snc_options *o)
{
    static const char *const keys[] = {"tasks", "seeds", "equal", "rows", "go_on", "nets", "repair", "tau", "variants", NULL};
    snc_options one;
    SNC_CHECK(cJSON_IsObject(a->file), SNC_E_FORMAT, "%s: expected an object", a->path);
    SNC_TRY(snc_json_check_keys(a->file, keys, a->path));
    SNC_TRY(read_numbers(a));
    SNC_TRY(read_seeds(a, o));
    SNC_TRY(read_variants(a, o));
    SNC_TRY(read_tasks(a, o));
    SNC_CHECK(a->tasks == 1 || !o->input.teacher, SNC_E_ARG,
              "--teacher %s is of one task, and %s has %d: --pretrained has one made for each", o->input.teacher, a->path, a->tasks);
    for (int v = -1; v < a->variants; v++) SNC_TRY(snc_ablation_options(&one, a, o, v, 0, 0, false));
    return SNC_OK;
}

snc_err snc_ablation_open(snc_ablation *out, const snc_options *o)
{
    *out = (snc_ablation){0};
    snc_err err = snc_config_find(out->path, "ablation", o->study.ablate);
    if (!err) err = snc_json_load(&out->file, out->path);
    if (!err) err = read_file(out, o);
    if (err) snc_ablation_close(out);
    return err;
}

void snc_ablation_close(snc_ablation *a)
{
    for (int i = 0; i < SNC_ABLATION_VARIANTS; i++) snc_free(a->variant[i].recipe);
    snc_free(a->base);
    cJSON_Delete(a->file);
    *a = (snc_ablation){0};
}

snc_err snc_ablation_options(snc_options *out, const snc_ablation *a, const snc_options *o, int variant, int task, int seed, bool slice)
{
    char where[SNC_CONFIG_PATH + SNC_ABLATION_NAME + 16];
    int n;
    const snc_option *row = snc_option_table(&n);
    *out = *o;
    for (; n--; row++) /* another recipe is put in the place of the one whose values are in force */
        if (snc_option_by_recipe(out, row)) snc_option_mark_recipe(out, row, false);
    out->training.recipe = variant < 0 ? a->base : a->variant[variant].recipe;
    out->rows.task = a->task[task].path;
    out->job.seed = a->seed[seed];
    const int most = o->rows.max_train_samples;
    if (slice && (!most || most > a->rows)) out->rows.max_train_samples = a->rows;
    snc_err err = snc_recipe_apply(out);
    snprintf(where, sizeof where, "%s: %s%s", a->path, variant < 0 ? "repair" : "variant ", variant < 0 ? "" : a->variant[variant].name);
    return err ? snc_err_prefix(err, where) : SNC_OK;
}
