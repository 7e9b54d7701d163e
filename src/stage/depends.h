/* stage/depends.h: what each artifact of a job depends on, as its stamp (stage/stamp.h). Freed with cJSON_Delete. */
#ifndef SNC_STAGE_DEPENDS_H
#define SNC_STAGE_DEPENDS_H

#include "base/digest.h"
#include "stage/inputs.h"
#include "stage/stamp.h"

/* A model fine-tuned here; one that was fine-tuned already, adopted as it is. from: what it is made of. */
snc_err snc_depends_finetuned(cJSON **out, const snc_options *o, const snc_inputs *in, const char *from) SNC_MUST_USE;
snc_err snc_depends_adopted(cJSON **out, const snc_options *o, const snc_inputs *in, const char *from) SNC_MUST_USE;
/* shape: a model of the teacher's shape. teacher NULL: not made yet; the stamp is without it. */
snc_err snc_depends_supernet(cJSON **out, const snc_options *o, const snc_inputs *in, const snc_model *shape, const char *teacher) SNC_MUST_USE;
/* A latency table knows shapes alone. */
snc_err snc_depends_table(cJSON **out, const snc_options *o, const snc_inputs *in, const snc_model *shape) SNC_MUST_USE;
/* The full-size INT8 file, and the one that a search ends in. */
snc_err snc_depends_int8(cJSON **out, const snc_options *o, const snc_inputs *in, const char *teacher) SNC_MUST_USE;
snc_err snc_depends_file(cJSON **out, const snc_options *o, const snc_inputs *in, const char *teacher, const char *supernet) SNC_MUST_USE;

/* The latency table at path: stamp and digest are in "path.inputs" beside it. One of another machine counts as damaged. */
snc_state snc_table_state(char why[SNC_WHY], const char *path, const cJSON *stamp, const snc_ctx *work);
/* Of the table's bytes and of its calibration. */
snc_err   snc_table_digest(char out[SNC_DIGEST_TEXT], const char *path, const cJSON *calibration) SNC_MUST_USE;
snc_err   snc_table_inputs_path(char *buf, size_t size, const char *path) SNC_MUST_USE;

#endif
