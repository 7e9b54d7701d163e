/* artifact/named.h: models that options name by the Hub's names are fetched, and options name the snapshots' folders from then on. */
#ifndef SNC_ARTIFACT_NAMED_H
#define SNC_ARTIFACT_NAMED_H

#include <stdbool.h>

#include "base/ctx.h"

/* The path itself where something is there or it has no such form, else the snapshot of the model that it names (hub/hub.h). */
snc_err snc_named_path(char *path, size_t size, const snc_ctx *ctx, const char *given) SNC_MUST_USE;

/* What stands behind the options that were changed; freed after their last use. */
typedef struct snc_named {
    char *pretrained, *teacher, **model;
    const char **models;
    int n;
} snc_named;

/* --pretrained and --teacher, and with `models` those without a name of their option. A comma list of --pretrained stays as it is. */
snc_err snc_named_fetch(snc_named *out, snc_options *o, const snc_host *h, bool models) SNC_MUST_USE;
void snc_named_dispose(snc_named *n);

#endif
