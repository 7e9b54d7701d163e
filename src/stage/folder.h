/* stage/folder.h: the folder of a whole job: where its artifacts are, and who is in it.
 *
 *     snc_folder f;
 *     SNC_TRY(snc_folder_open(&f, o));                    one job at a time: run.json is locked for as long as f is open
 *     SNC_GOTO(snc_folder_check(&f, run));                reads alone: is what is there of the same run?
 *     SNC_GOTO(snc_folder_claim(&f, run));                makes it ours
 *     snc_folder_close(&f);
 */
#ifndef SNC_STAGE_FOLDER_H
#define SNC_STAGE_FOLDER_H

#include "base/lock.h"
#include "stage/inputs.h"

enum { SNC_PATH = 4096 };

typedef struct snc_folder {
    const snc_options *o;
    char run[SNC_PATH], teacher[SNC_PATH], supernet[SNC_PATH], lesson[SNC_PATH], table[SNC_PATH], journal[SNC_PATH], int8[SNC_PATH],
        compressed[SNC_PATH];
    snc_lock *lock; /* NULL while there is no folder */
} snc_folder;

/* SNC_E_ARG: --output cannot be a folder of ours; SNC_E_IO: another job is in it. Writes nothing. */
snc_err snc_folder_open(snc_folder *out, const snc_options *o) SNC_MUST_USE;
void    snc_folder_close(snc_folder *f);
/* run: the stamp of the whole job. SNC_E_ARG: the folder holds another run, and --overwrite is not given. */
snc_err snc_folder_check(const snc_folder *f, const cJSON *run) SNC_MUST_USE;
snc_err snc_folder_claim(snc_folder *f, const cJSON *run) SNC_MUST_USE;

/* One writer of a file at a time: "out.lock" beside it is locked until the release, and gone after it. SNC_E_IO: another has it. */
snc_err snc_output_lock(snc_lock **out, const char *output) SNC_MUST_USE;
/* One job or search at a time in a folder that is there, by its run.json. */
snc_err snc_folder_lock(snc_lock **out, const char *folder) SNC_MUST_USE;

#endif
