/* stage/export_exe.h: a file of nets as a program of its own (interop/executable.h). */
#ifndef SNC_STAGE_EXPORT_EXE_H
#define SNC_STAGE_EXPORT_EXE_H

#include <stdbool.h>

#include "base/error.h"
#include "snc.h"

bool snc_is_exe_asked(const snc_options *o);
/* What options say against each other and what this build has, before any work. */
snc_err snc_exe_need(const snc_options *o) SNC_MUST_USE;
/* All nets of the .snc at `file`, or --net, to --output, where it is not there already or may not. from: what messages call it.
 * SNC_E_NOTFOUND: it has no tokenizer, or no trained classifier. */
snc_err snc_exe_export(const snc_options *o, const char *file, const char *from) SNC_MUST_USE;

#endif
