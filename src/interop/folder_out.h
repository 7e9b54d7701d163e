/* interop/folder_out.h: a folder that appears whole or not at all: its files are written beside it, and it gets its name in the end.
 *
 *     SNC_TRY(snc_folder_out_open(&f, "out"));           an empty folder may be there, nothing else
 *     snc_folder_out_path(path, sizeof path, &f, "onnx/model.onnx") ...
 *     err = err ? err : snc_folder_out_commit(&f);       snc_folder_out_dispose(&f);    what is not committed goes
 */
#ifndef SNC_INTEROP_FOLDER_OUT_H
#define SNC_INTEROP_FOLDER_OUT_H

#include "base/error.h"

enum { SNC_FOLDER_PATH = 4096 };

typedef struct snc_folder_out {
    char to[SNC_FOLDER_PATH], draft[SNC_FOLDER_PATH];
    const char *const *folder, *const *file; /* names in it that its writers may use, each list NULL-ended; folders of one level */
} snc_folder_out;

/* SNC_E_ARG: something is there that is no empty folder. */
snc_err snc_folder_out_check(const char *path) SNC_MUST_USE;
/* Makes the draft; what is left of one that was killed goes first: the files of these names, no others. */
snc_err snc_folder_out_open(snc_folder_out *f, const char *path, const char *const *folder, const char *const *file) SNC_MUST_USE;
snc_err snc_folder_out_mkdir(const snc_folder_out *f, const char *name) SNC_MUST_USE;
snc_err snc_folder_out_path(char path[SNC_FOLDER_PATH], const snc_folder_out *f, const char *name) SNC_MUST_USE;
snc_err snc_folder_out_commit(snc_folder_out *f) SNC_MUST_USE;
void snc_folder_out_dispose(snc_folder_out *f);

#endif
