/* compress verify: whether files are as they were written. */
#include "models/snc_file.h"
#include "stage/common.h"
#include "stage/verbs.h"

static snc_err verify(const char *path, const snc_host *h)
{
    snc_sncfile *f = NULL;
    SNC_TRY(snc_sncfile_open(&f, path));
    const char *digest = snc_sncfile_digest_view(f);
    if (*digest) snc_stage_say(h, "%s: ok %s", path, digest);
    else snc_stage_say(h, "%s: has no digest: written by a program before it had them; its structure is sound", path);
    snc_sncfile_close(f);
    return SNC_OK;
}

snc_err snc_verb_verify(const snc_options *o, const snc_host *h)
{
    snc_ctx ctx;
    SNC_TRY(snc_stage_need("verify", "a .snc file", o->n_models ? o->models[0] : NULL));
    SNC_TRY(snc_stage_ctx(&ctx, o, h, 1));
    for (int i = 0; i < o->n_models; i++) SNC_TRY(verify(o->models[i], h));
    return SNC_OK;
}
