/* artifact/stamp.h: what an artifact was made of and with, so that a later run can tell whether it still is what is asked for.
 *
 *   {"step":"finetune","version":"0.1.0","options":{"--epochs":3,"--lr":5e-05,...},"inputs":{"model":"1f3a...","task":"77b0...",...}}
 *
 * Options come from the table of options: each one that decides the artifact, by its name and the value in force. Inputs are hashes
 * of content, never paths. Where both differ from what is asked, the sentence names them: "was made with --epochs 10, asked 3".
 */
#ifndef SNC_ARTIFACT_STAMP_H
#define SNC_ARTIFACT_STAMP_H

#include <stdbool.h>

#include "base/json.h"

enum { SNC_WHY = 512 };

/* artifact: one SNC_DECIDES_ bit, or 0 for no options. */
cJSON *snc_stamp_new(const char *step, unsigned artifact, const snc_options *o);
void snc_stamp_renew(cJSON *stamp, unsigned artifact, const snc_options *o); /* the values of a stamp that has such options already */
void snc_stamp_hash(cJSON *stamp, const char *input, uint64_t h);
void snc_stamp_note(cJSON *stamp, const char *option, const char *value); /* an option in another form than its value */

typedef enum snc_state {
    SNC_ABSENT,
    SNC_CURRENT, /* of this very stamp, and whole */
    SNC_STALE,   /* of another one */
    SNC_DAMAGED  /* not what a program of ours wrote */
} snc_state;

/* Whether two stamps are the same; why: "was made with --epochs 10, asked 3", at most three differences. there NULL: none. */
bool snc_stamp_same(char why[SNC_WHY], const cJSON *there, const cJSON *asked);
/* Of the .snc at path. */
snc_state snc_stamp_state(char why[SNC_WHY], const char *path, const cJSON *asked);
/* What a step does about its output: *current: nothing; else it may write it. SNC_E_ARG: something else is there and --overwrite is
 * not given. */
snc_err snc_stamp_allow(bool *current, const char *path, snc_state state, const char *why, bool overwrite) SNC_MUST_USE;

#endif
