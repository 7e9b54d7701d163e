/* What is there is compared by stamps in the order it was made in; what is stale goes in the reverse one. */
#include "artifact/folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "artifact/depends.h"
#include "artifact/evaluations.h"
#include "artifact/latency_table.h"
#include "artifact/output.h"
#include "artifact/settle.h"
#include "base/fmap.h"
#include "base/mem.h"

enum { ITEM_NAME = 40 };

static const char *item_name(char buf[ITEM_NAME], int i)
{
    static const char *const names[] = {"teacher.snc",  "teacher.snc.checkpoint", "supernet.snc", "supernet.snc.checkpoint",
                                        "latency.json", "search.sqlite"};
    const int k = i - SNC_ITEM_BASELINE, number = k / 2 + 1;
    const char *end = k % 2 ? ".checkpoint" : "";
    if (k < 0) snprintf(buf, ITEM_NAME, "%s", names[i]);
    else if (number == 1) snprintf(buf, ITEM_NAME, "baseline.snc%s", end);
    else snprintf(buf, ITEM_NAME, "baseline-%d.snc%s", number, end);
    return buf;
}

static snc_err set_paths(snc_folder *f)
{
    static const char *const names[] = {"run.json",     "teacher.snc",   "supernet.snc",  "lesson.logits",
                                        "latency.json", "search.sqlite", "full-int8.snc", "compressed.snc"};
    char *const to[] = {f->run, f->teacher, f->supernet, f->distillation, f->table, f->journal, f->int8, f->compressed};
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) SNC_TRY(snc_path_join(to[i], SNC_PATH, f->o->output.path, names[i]));
    for (int i = 0; i < SNC_TEACHERS_MOST; i++) {
        char name[ITEM_NAME];
        SNC_TRY(snc_path_join(f->baseline[i], SNC_PATH, f->o->output.path, item_name(name, SNC_ITEM_BASELINE + 2 * i)));
    }
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
    SNC_TRY(snc_lock_name(path, sizeof path, output));
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

/* What run.json says; NULL when there is none, or an empty one that a killed process had taken and not written yet. */
static snc_err read_run(snc_folder *f)
{
    char *text = NULL;
    size_t n = 0;
    SNC_TRY(snc_file_read(&text, &n, f->run));
    snc_err err = n ? snc_json_parse(&f->was, text, n, f->run) : SNC_OK;
    snc_free(text);
    return f->o->output.overwrite ? SNC_OK : err;
}

snc_err snc_folder_open(snc_folder *out, const snc_options *o)
{
    *out = (snc_folder){.o = o};
    SNC_TRY(set_paths(out));
    SNC_TRY(check_path(o->output.path));
    const char *const made[] = {out->teacher, out->supernet, out->int8, out->compressed, out->journal, out->baseline[0]};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) SNC_TRY(snc_output_is_no_input(o, made[i]));
    if (!snc_is_file(out->run)) {
        SNC_CHECK(o->output.overwrite || !snc_is_dir(o->output.path) || snc_dir_is_empty(o->output.path), SNC_E_ARG,
                  "--output %s: not empty and no run of this program (--overwrite takes it)", o->output.path);
        return SNC_OK;
    }
    SNC_TRY(snc_folder_lock(&out->lock, o->output.path));
    snc_err err = read_run(out);
    if (err) snc_folder_close(out);
    return err;
}

void snc_folder_close(snc_folder *f)
{
    snc_lock_release(f->lock);
    cJSON_Delete(f->was);
    cJSON_Delete(f->now);
    f->lock = NULL;
    f->was = f->now = NULL;
}

/* ---- what is there -------------------------------------------------------------------------------------------------- */

static bool stale(const snc_folder *f, snc_item i) { return f->item[i].state == SNC_STALE; }

static void set_state(snc_folder *f, snc_item i, snc_state state, const char *why)
{
    f->item[i].state = state;
    snprintf(f->item[i].why, SNC_WHY, "%s", why);
}

/* A checkpoint is of the run that run.json speaks of. */
static snc_err survey_checkpoint(snc_folder *f, snc_item i, const char *step, const cJSON *asked)
{
    char path[SNC_PATH], name[ITEM_NAME], why[SNC_WHY] = "";
    SNC_TRY(snc_path_join(path, sizeof path, f->o->output.path, item_name(name, i)));
    snc_state state = !snc_is_file(path)                                                           ? SNC_ABSENT
                      : snc_stamp_same(why, cJSON_GetObjectItemCaseSensitive(f->was, step), asked) ? SNC_CURRENT
                                                                                                   : SNC_STALE;
    set_state(f, i, state, why);
    return SNC_OK;
}

static snc_err survey_teacher(snc_folder *f, const snc_inputs *in, const char *from, bool adopted)
{
    cJSON *stamp = NULL;
    SNC_TRY(adopted ? snc_depends_adopted(&stamp, f->o, in, from) : snc_depends_finetuned(&stamp, f->o, in, from));
    cJSON_AddItemToObject(f->now, "teacher", stamp);
    f->item[SNC_ITEM_TEACHER].state = snc_stamp_state(f->item[SNC_ITEM_TEACHER].why, f->teacher, stamp);
    return survey_checkpoint(f, SNC_ITEM_TEACHER_CHECKPOINT, "teacher", stamp);
}

void snc_folder_baselines(snc_folder *f, const snc_inputs *in, bool adopted)
{
    f->baselines = (snc_teachers){.n = adopted || !snc_refits(f->o) ? 1 : f->o->training.teachers};
    for (int i = 0; i < f->baselines.n; i++)
        f->baselines.path[i] = i == 0 && (adopted || in->splits.all == in->taught) ? f->teacher : f->baseline[i];
}

/* Those that were asked for before, and are not now, may stay. */
static snc_err survey_baselines(snc_folder *f, const snc_inputs *in, const char *from, bool adopted)
{
    snc_folder_baselines(f, in, adopted);
    for (int i = 0; i < f->baselines.n; i++) {
        cJSON *stamp = NULL;
        char name[ITEM_NAME];
        const snc_item item = (snc_item)(SNC_ITEM_BASELINE + 2 * i);
        if (f->baselines.path[i] == f->teacher) continue;
        SNC_TRY(snc_depends_baseline(&stamp, f->o, in, from, i));
        cJSON_AddItemToObject(f->now, item_name(name, item), stamp);
        f->item[item].state = snc_stamp_state(f->item[item].why, f->baseline[i], stamp);
        SNC_TRY(survey_checkpoint(f, (snc_item)(item + 1), name, stamp));
    }
    return SNC_OK;
}

/* Of a teacher that has to be made anew it is stale; of one that is lost, everything but the teacher tells. */
static snc_err survey_supernet(snc_folder *f, const snc_inputs *in, const snc_model *shape)
{
    cJSON *stamp = NULL, *known = NULL;
    snc_err err = SNC_OK;
    bool whole = f->item[SNC_ITEM_TEACHER].state == SNC_CURRENT;
    SNC_TRY(snc_depends_supernet(&known, f->o, in, shape, NULL));
    cJSON_AddItemToObject(f->now, "supernet", known);
    SNC_GOTO(survey_checkpoint(f, SNC_ITEM_SUPERNET_CHECKPOINT, "supernet", known));
    if (whole) SNC_GOTO(snc_depends_supernet(&stamp, f->o, in, shape, f->teacher));
    f->item[SNC_ITEM_SUPERNET].state = snc_stamp_state(f->item[SNC_ITEM_SUPERNET].why, f->supernet, whole ? stamp : known);
    if (!stale(f, SNC_ITEM_TEACHER)) goto out;
    for (int i = SNC_ITEM_SUPERNET; i <= SNC_ITEM_SUPERNET_CHECKPOINT; i++)
        if (f->item[i].state != SNC_ABSENT) set_state(f, (snc_item)i, SNC_STALE, "was made of that teacher.snc");
out:
    cJSON_Delete(stamp);
    return err;
}

/* The reason without the path that it begins with. */
static void stale_journal(snc_folder *f, const char *text)
{
    size_t n = strlen(f->journal);
    f->item[SNC_ITEM_JOURNAL].state = SNC_STALE;
    snprintf(f->item[SNC_ITEM_JOURNAL].why, SNC_WHY, "(%s)",
             strncmp(text, f->journal, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text);
}

static snc_err survey_journal(snc_folder *f, const snc_ctx *ctx, const snc_inputs *in)
{
    snc_model *m = NULL;
    if (stale(f, SNC_ITEM_SUPERNET)) set_state(f, SNC_ITEM_JOURNAL, SNC_STALE, "is of that supernet.snc");
    if (f->item[SNC_ITEM_SUPERNET].state != SNC_CURRENT) return SNC_OK;
    snc_err err = snc_model_load(&m, ctx, f->supernet, snc_task_classes(in->task), snc_task_meaning(in->task));
    if (!err) err = snc_evaluations_fit(f->journal, ctx, f->o, in, f->teacher, m, f->supernet);
    if (err) stale_journal(f, snc_err_text());
    snc_model_free(m);
    return SNC_OK;
}

static snc_err survey_search(snc_folder *f, const snc_ctx *ctx, const snc_ctx *work, const snc_inputs *in, const snc_model *shape)
{
    cJSON *stamp = NULL;
    SNC_TRY(snc_depends_table(&stamp, f->o, in, shape));
    f->item[SNC_ITEM_TABLE].state = snc_latency_tables_state(f->item[SNC_ITEM_TABLE].why, f->table, stamp, work);
    cJSON_Delete(stamp);
    if (!snc_is_file(f->journal)) return SNC_OK;
    set_state(f, SNC_ITEM_JOURNAL, SNC_CURRENT, "");
    return survey_journal(f, ctx, in);
}

/* "teacher.snc was made with --epochs 10, asked 3": the first reason; and the names of all that it takes along. */
static void describe(char out[2 * SNC_WHY], const snc_folder *f)
{
    size_t at = 0;
    bool first = true;
    char name[ITEM_NAME];
    for (int i = 0; i < SNC_ITEMS && at < 2 * SNC_WHY; i++) {
        if (!stale(f, (snc_item)i)) continue;
        item_name(name, i);
        if (first) at += (size_t)snprintf(out + at, 2 * SNC_WHY - at, "%s %s; made anew would be ", name, f->item[i].why);
        at += at < 2 * SNC_WHY ? (size_t)snprintf(out + at, 2 * SNC_WHY - at, "%s%s", first ? "" : ", ", name) : 0;
        first = false;
    }
}

static bool any_stale(const snc_folder *f)
{
    bool any = false;
    for (int i = 0; i < SNC_ITEMS; i++) any = any || stale(f, (snc_item)i);
    return any;
}

snc_err snc_folder_survey(snc_folder *f, const snc_ctx *ctx, const snc_ctx *work, const snc_inputs *in, const char *from,
                          const snc_model *shape, bool adopted)
{
    char what[2 * SNC_WHY] = "", why[SNC_WHY];
    cJSON *stamp = NULL;
    cJSON_Delete(f->now);
    f->now = cJSON_CreateObject();
    SNC_TRY(survey_teacher(f, in, from, adopted));
    SNC_TRY(survey_supernet(f, in, shape));
    SNC_TRY(survey_search(f, ctx, work, in, shape));
    SNC_TRY(survey_baselines(f, in, from, adopted));
    if (f->item[f->baselines.path[0] == f->teacher ? SNC_ITEM_TEACHER : SNC_ITEM_BASELINE].state == SNC_CURRENT) {
        SNC_TRY(snc_depends_int8(&stamp, f->o, in, f->baselines.path[0]));
        f->int8_current = snc_stamp_state(why, f->int8, stamp) == SNC_CURRENT;
        cJSON_Delete(stamp);
    }
    describe(what, f);
    SNC_CHECK(f->o->output.overwrite || !any_stale(f), SNC_E_ARG, "--output %s: %s (--overwrite does so)", f->o->output.path, what);
    return SNC_OK;
}

/* ---- taking it ------------------------------------------------------------------------------------------------------ */

static snc_err drop_in(const char *folder, const char *name)
{
    char path[SNC_PATH];
    SNC_TRY(snc_path_join(path, sizeof path, folder, name));
    SNC_CHECK(remove(path) == 0 || errno == ENOENT, SNC_E_IO, "%s: cannot remove: %s", path, strerror(errno));
    return SNC_OK;
}

static snc_err drop(const snc_folder *f, const char *name) { return drop_in(f->o->output.path, name); }

snc_err snc_folder_drop_pictures(const char *folder)
{
    static const char *const names[] = {"report-latency.svg", "report-size.svg", "report-loss.svg", "report-hypervolume.svg",
                                        "report-importance.svg"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) SNC_TRY(drop_in(folder, names[i]));
    return SNC_OK;
}

snc_err snc_folder_drop_reports(const snc_folder *f)
{
    static const char *const names[] = {"report.json", "report.md", "report.csv", "report.html", "answers.tsv"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) SNC_TRY(drop(f, names[i]));
    return snc_folder_drop_pictures(f->o->output.path);
}

/* What speaks of others goes before them, what depends on others before what it depends on: killed in between, the rest is still
 * recognised for what it is. */
static snc_err drop_stale(const snc_folder *f, const snc_ctx *ctx)
{
    static const char *const of_search[] = {"compressed.snc", "front.json", "config.json", "best.json"};
    char name[ITEM_NAME];
    bool search = stale(f, SNC_ITEM_JOURNAL) || stale(f, SNC_ITEM_SUPERNET) || stale(f, SNC_ITEM_TEACHER);
    if (search) SNC_TRY(snc_folder_drop_reports(f));
    for (size_t i = 0; search && i < sizeof of_search / sizeof of_search[0]; i++) SNC_TRY(drop(f, of_search[i]));
    for (int i = SNC_ITEMS - 1; i >= 0; i--) {
        snc_state state = f->item[i].state;
        if (state != SNC_STALE && state != SNC_DAMAGED) continue;
        snc_log(ctx, state == SNC_STALE ? SNC_LOG_INFO : SNC_LOG_WARN, "%s: %s %s: made anew", f->o->output.path, item_name(name, i),
                f->item[i].why);
        SNC_TRY(snc_folder_drop_reports(f));
        if (i == SNC_ITEM_TABLE) snc_latency_tables_drop(f->table, ctx);
        else SNC_TRY(drop(f, name));
    }
    if (f->int8_current || !snc_is_file(f->int8)) return SNC_OK;
    SNC_TRY(snc_folder_drop_reports(f));
    return drop(f, "full-int8.snc");
}

static snc_err write_run(const snc_folder *f)
{
    char *text = cJSON_Print(f->now);
    SNC_CHECK(text, SNC_E_NOMEM, "%s: out of memory while printing JSON", f->run);
    snc_err err = snc_lock_write(f->lock, text, strlen(text));
    cJSON_free(text);
    return err;
}

snc_err snc_folder_claim(snc_folder *f, const snc_ctx *ctx)
{
    SNC_TRY(snc_mkdir(f->o->output.path));
    if (!f->lock) SNC_TRY(snc_folder_lock(&f->lock, f->o->output.path));
    SNC_TRY(drop_stale(f, ctx));
    f->claimed = true;
    return write_run(f);
}

/* ---- plans of a job with a time limit ---------------------------------------------------------------------------------- */

snc_err snc_folder_note_plan(snc_folder *f, cJSON *plan)
{
    cJSON_DeleteItemFromObjectCaseSensitive(f->now, "plan");
    cJSON_AddItemToObject(f->now, "plan", plan);
    snc_stamp_renew(cJSON_GetObjectItemCaseSensitive(f->now, "teacher"), SNC_DECIDES_TEACHER, f->o);
    snc_stamp_renew(cJSON_GetObjectItemCaseSensitive(f->now, "supernet"), SNC_DECIDES_SUPERNET, f->o);
    for (int i = 0; i < SNC_TEACHERS_MOST; i++) {
        char name[ITEM_NAME];
        snc_stamp_renew(cJSON_GetObjectItemCaseSensitive(f->now, item_name(name, SNC_ITEM_BASELINE + 2 * i)), SNC_DECIDES_TEACHER, f->o);
    }
    return f->claimed ? write_run(f) : SNC_OK;
}

const cJSON *snc_folder_plan(const snc_folder *f) { return cJSON_GetObjectItemCaseSensitive(f->was, "plan"); }

const cJSON *snc_folder_made_with(const snc_folder *f, const char *step, const char *option)
{
    bool teacher = strcmp(step, "teacher") == 0;
    char checkpoint[SNC_PATH], name[ITEM_NAME];
    const char *made = teacher ? f->teacher : f->supernet;
    if (snc_path_join(checkpoint, sizeof checkpoint, f->o->output.path,
                      item_name(name, teacher ? SNC_ITEM_TEACHER_CHECKPOINT : SNC_ITEM_SUPERNET_CHECKPOINT)) != SNC_OK)
        return NULL;
    if (!snc_is_file(made) && !snc_is_file(checkpoint)) return NULL;
    const cJSON *stamp = cJSON_GetObjectItemCaseSensitive(f->was, step);
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(stamp, "options"), option);
}
