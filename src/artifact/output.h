/* artifact/output.h: what a command may write over; the check of every --output is snc_output_check in snc.h. */
#ifndef SNC_ARTIFACT_OUTPUT_H
#define SNC_ARTIFACT_OUTPUT_H

#include "snc.h"

/* A file that a job makes inside its folder is nothing that the same command reads. SNC_E_ARG. */
snc_err snc_output_is_no_input(const snc_options *o, const char *path) SNC_MUST_USE;

#endif
