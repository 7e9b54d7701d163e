/* stage/export_folder.h: a net as a folder that other programs run: ONNX in one form or several, or Hugging Face's weights, with labels and
 * tokenizer beside them. */
#ifndef SNC_STAGE_EXPORT_FOLDER_H
#define SNC_STAGE_EXPORT_FOLDER_H

#include "artifact/load.h"

/* Whether that is what --to asks for. */
bool snc_is_folder_asked(const snc_options *o);
/* What options say against each other and what this build has, before any work. */
snc_err snc_folder_need(const snc_options *o) SNC_MUST_USE;
/* Net o->input.net of the .snc at `file` to --output, all or nothing. `from`: what messages call it. SNC_E_ARG: which of several nets. */
snc_err snc_folder_export(const snc_ctx *ctx, const snc_options *o, const char *file, const char *from) SNC_MUST_USE;

#endif
