/* interop/executable.h: a model as a program of its own: a static one that reads lines and answers with labels (src/exe/classify.c), and
 * the .snc behind it, which every reader of this project finds there (base/fmap.h).
 *
 *     SNC_TRY(snc_executable_stub(stub));   SNC_TRY(snc_executable_save("classify", stub, "model.snc"));
 */
#ifndef SNC_INTEROP_EXECUTABLE_H
#define SNC_INTEROP_EXECUTABLE_H

#include <stdbool.h>

#include "base/error.h"

enum { SNC_EXECUTABLE_PATH = 4096 };

/* The program without a model, as it is installed with this code. SNC_E_UNSUPPORTED: it was not built. */
snc_err snc_executable_stub(char path[SNC_EXECUTABLE_PATH]) SNC_MUST_USE;
/* All or nothing; whoever may read it may run it. */
snc_err snc_executable_save(const char *path, const char *stub, const char *snc) SNC_MUST_USE;
/* Whether `path` is this stub with a file behind it. */
bool snc_executable_has(const char *path, const char *stub);

#endif
