/* artifact/depends.h: what each artifact of a job depends on, as its stamp (artifact/stamp.h). Freed with cJSON_Delete. */
#ifndef SNC_ARTIFACT_DEPENDS_H
#define SNC_ARTIFACT_DEPENDS_H

#include "artifact/inputs.h"

/* A model fine-tuned here; one that was fine-tuned already, adopted as it is. from: what it is made of. */
snc_err snc_depends_finetuned(cJSON **out, const snc_options *o, const snc_inputs *in, const char *from) SNC_MUST_USE;
snc_err snc_depends_adopted(cJSON **out, const snc_options *o, const snc_inputs *in, const char *from) SNC_MUST_USE;
/* shape: a model of the teacher's shape. teacher NULL: not made yet; the stamp is without it. */
snc_err snc_depends_supernet(cJSON **out, const snc_options *o, const snc_inputs *in, const snc_model *shape,
                             const char *teacher) SNC_MUST_USE;
/* A latency table knows shapes alone. */
snc_err snc_depends_table(cJSON **out, const snc_options *o, const snc_inputs *in, const snc_model *shape) SNC_MUST_USE;
/* The full-size INT8 file, and the one that a search ends in. */
snc_err snc_depends_int8(cJSON **out, const snc_options *o, const snc_inputs *in, const char *teacher) SNC_MUST_USE;
snc_err snc_depends_file(cJSON **out, const snc_options *o, const snc_inputs *in, const char *teacher, const char *supernet) SNC_MUST_USE;

#endif
