/* artifact/provenance.h: how a report came about, so that another can be made like it: the command, what every option was, when, and with
 * what. */
#ifndef SNC_ARTIFACT_PROVENANCE_H
#define SNC_ARTIFACT_PROVENANCE_H

#include "base/json.h"
#include "data/task.h"

/* Adds to an object
 *   command   what a shell would run: the verb, and each option that is not as it is when it is not given
 *   options   {"target-latency":"0.7x","epochs":3,...}: all that the verb takes; those not given are what --help says they are then,
 *             or what they came to on this machine and task
 *   given     ["target-latency",...]: those of them that the command or its recipe gave
 *   date      "2025-01-31T12:00:00Z", of now
 *   versions  {"snc","compiler","cjson","sqlite",...}: the program's and those of the libraries it runs with
 * verb: one of SNC_VERB_*, and its name. task: its length of a text counts where --max-length does not; may be NULL. */
snc_err snc_provenance_add(cJSON *to, const snc_options *o, const snc_task *task, unsigned verb, const char *name) SNC_MUST_USE;

#endif
