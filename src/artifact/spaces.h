/* artifact/spaces.h: the space that the options ask for. */
#ifndef SNC_ARTIFACT_SPACES_H
#define SNC_ARTIFACT_SPACES_H

#include "models/model.h"
#include "models/space.h"

/* Whether what is derived offers INT4: under a target of size, for tables too; under one of latency alone while nothing says that it
 * does not pay, which is then a question for the latency table. */
bool snc_space_int4_asked(const snc_options *o);
bool snc_space_int4_open(const snc_options *o);

/* The space that --space names or the model implies, with the depth rule the supernet is trained for. */
snc_err snc_space_asked(snc_space **out, const snc_options *o, const snc_model *m, const char *rule) SNC_MUST_USE;
/* The same for the search of a supernet that was read from `path`: its recipe says what it was trained for. SNC_E_ARG: an option
 * that it was not trained for. */
snc_err snc_space_trained(snc_space **out, const snc_options *o, const snc_model *m, const char *path, bool int4) SNC_MUST_USE;
/* The rule that --depth-rule names, `otherwise` where it is left to be found. */
const char *snc_depth_rule_asked(const snc_options *o, const char *otherwise);

#endif
