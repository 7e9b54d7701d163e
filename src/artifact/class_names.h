/* artifact/class_names.h: a model's classes and a task's, which name the same things in any order. */
#ifndef SNC_ARTIFACT_CLASS_NAMES_H
#define SNC_ARTIFACT_CLASS_NAMES_H

#include <stdbool.h>

#include "base/ctx.h"
#include "data/task.h"
#include "models/arch.h"

/* from[k]: the model's class that the task calls k, by name; false when the two sets of names differ. Names that differ in case
 * alone are the same where no other name is nearer. */
bool snc_class_names_match(int *from, const char *const *labels, int classes, const snc_task *task);

/* A warning where they differ, or the model has no names: its classes are taken in order. */
void snc_class_names_warn(const snc_ctx *ctx, const char *path, const char *const *labels /* or NULL */, int classes, const snc_task *task);

#endif
