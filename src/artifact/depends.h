/* artifact/depends.h: what each artifact of a job depends on, as its stamp (artifact/stamp.h). Freed with cJSON_Delete. */
#ifndef SNC_ARTIFACT_DEPENDS_H
#define SNC_ARTIFACT_DEPENDS_H

#include "artifact/distillation.h"

/* A model fine-tuned here; one that was fine-tuned already, adopted as it is. from: what it is made of. */
snc_err snc_depends_finetuned(cJSON **out, const snc_options *o, const snc_inputs *in, const char *from) SNC_MUST_USE;
snc_err snc_depends_adopted(cJSON **out, const snc_options *o, const snc_inputs *in, const char *from) SNC_MUST_USE;
/* A teacher of all rows; number: of several, from 0. */
snc_err snc_depends_baseline(cJSON **out, const snc_options *o, const snc_inputs *in, const char *from, int number) SNC_MUST_USE;
uint64_t snc_baseline_seed(uint64_t seed, int number);
/* shape: a model of the teacher's shape. teacher NULL: not made yet; the stamp is without it. */
snc_err snc_depends_supernet(cJSON **out, const snc_options *o, const snc_inputs *in, const snc_model *shape,
                             const char *teacher) SNC_MUST_USE;
/* A latency table knows shapes alone. */
snc_err snc_depends_table(cJSON **out, const snc_options *o, const snc_inputs *in, const snc_model *shape) SNC_MUST_USE;
/* The full-size INT8 file of a teacher. */
snc_err snc_depends_int8(cJSON **out, const snc_options *o, const snc_inputs *in, const char *teacher) SNC_MUST_USE;
/* The file that a search ends in. refit: the teachers of the last training. */
snc_err snc_depends_file(cJSON **out, const snc_options *o, const snc_inputs *in, const char *teacher, const char *supernet,
                         const snc_teachers *refit) SNC_MUST_USE;

#endif
