/* artifact/folder.h: the folder of a whole job: who is in it, what is there already, and whether that is still what is asked for.
 *
 *     snc_folder f;
 *     SNC_TRY(snc_folder_open(&f, o));            one job at a time: run.json is locked for as long as f is open
 *     SNC_GOTO(snc_folder_survey(&f, ...));       reads alone: what would be made anew, and refuses that without --overwrite
 *     SNC_GOTO(snc_folder_claim(&f, ctx));        what is stale goes, run.json says what the rest is of
 *     ...  SNC_GOTO(snc_folder_drop_reports(&f)); before a file that they speak of is replaced
 *     snc_folder_close(&f);
 *
 * run.json holds the stamps of what is trained in steps, so that a checkpoint is known before it is finished, and what a job with a time
 * limit had planned, so that the same command goes on with that.
 */
#ifndef SNC_ARTIFACT_FOLDER_H
#define SNC_ARTIFACT_FOLDER_H

#include "artifact/distillation.h"
#include "artifact/inputs.h"
#include "artifact/stamp.h"
#include "base/lock.h"

enum { SNC_PATH = 4096 };

typedef enum snc_item {
    SNC_ITEM_TEACHER,
    SNC_ITEM_TEACHER_CHECKPOINT,
    SNC_ITEM_SUPERNET,
    SNC_ITEM_SUPERNET_CHECKPOINT,
    SNC_ITEM_TABLE,
    SNC_ITEM_JOURNAL,
    SNC_ITEM_BASELINE, /* that of number i and its checkpoint: 2 i further */
    SNC_ITEM_BASELINE_CHECKPOINT,
    SNC_ITEMS = SNC_ITEM_BASELINE + 2 * SNC_TEACHERS_MOST
} snc_item;

typedef struct snc_folder {
    const snc_options *o;
    char run[SNC_PATH], teacher[SNC_PATH], supernet[SNC_PATH], distillation[SNC_PATH], table[SNC_PATH], journal[SNC_PATH], int8[SNC_PATH],
        compressed[SNC_PATH], baseline[SNC_TEACHERS_MOST][SNC_PATH];
    snc_teachers baselines; /* teachers of all rows; the first is `teacher` where that is one; known by the survey */
    snc_lock *lock;         /* NULL while there is no folder */
    cJSON *was, *now;       /* run.json as it is, and as this run writes it */
    struct {
        snc_state state;
        char why[SNC_WHY];
    } item[SNC_ITEMS];
    bool int8_current, claimed;
} snc_folder;

/* SNC_E_ARG: --output cannot be a folder of ours; SNC_E_IO: another job is in it. Writes nothing. */
snc_err snc_folder_open(snc_folder *out, const snc_options *o) SNC_MUST_USE;
void snc_folder_close(snc_folder *f);
/* Fills in f->baselines. A teacher that nothing was held out from is the first of them. adopted: the teacher came as it is. */
void snc_folder_baselines(snc_folder *f, const snc_inputs *in, bool adopted);
/* Compares everything there with what is asked. from: the model that the job starts with; shape: the same, loaded and fitted to the
 * task; adopted: it is the teacher as it is. SNC_E_ARG: something would be made anew, and --overwrite is not given. */
snc_err snc_folder_survey(snc_folder *f, const snc_ctx *ctx, const snc_ctx *work, const snc_inputs *in, const char *from,
                          const snc_model *shape, bool adopted) SNC_MUST_USE;
snc_err snc_folder_claim(snc_folder *f, const snc_ctx *ctx) SNC_MUST_USE;
/* plan (taken) is what run.json says of it from now on, beside the values that the options have come to; written if it is claimed. */
snc_err snc_folder_note_plan(snc_folder *f, cJSON *plan) SNC_MUST_USE;
/* The same of an earlier run, and the value of an option that its teacher ("teacher") or supernet was made with, or is being made
 * with; NULL: there is none. Borrowed. */
const cJSON *snc_folder_plan(const snc_folder *f);
const cJSON *snc_folder_made_with(const snc_folder *f, const char *step, const char *option);
/* Removes report.{json,md,csv,html}, its pictures and answers.tsv. */
snc_err snc_folder_drop_reports(const snc_folder *f) SNC_MUST_USE;
/* Removes the pictures of a page in any folder. */
snc_err snc_folder_drop_pictures(const char *folder) SNC_MUST_USE;

/* One writer of a file at a time: "out.lock" beside it is locked until the release, and gone after it. SNC_E_IO: another has it. */
snc_err snc_output_lock(snc_lock **out, const char *output) SNC_MUST_USE;
/* One job or search at a time in a folder that is there, by its run.json. */
snc_err snc_folder_lock(snc_lock **out, const char *folder) SNC_MUST_USE;

#endif
