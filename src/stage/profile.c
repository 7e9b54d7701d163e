/* compress profile: the latency table of a supernet on a workload. */
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/folder.h"
#include "artifact/latency_table.h"
#include "artifact/option.h"
#include "artifact/say.h"
#include "base/fmap.h"
#include "base/hosts.h"
#include "base/mem.h"
#include "candidate/preflight.h"
#include "candidate/profiling.h"
#include "stage/verbs.h"

snc_err snc_verb_profile(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx;
    snc_inputs in = {0};
    snc_lock *lock = NULL;
    char table[SNC_TABLE_PATH];
    SNC_TRY(snc_option_need("profile", "a supernet", o->input.n_models ? o->input.models[0] : NULL));
    SNC_TRY(snc_output_need("profile", o));
    SNC_TRY(snc_context_init(&ctx, o, h, o->workload.threads, 1));
    SNC_TRY(snc_preflight_options(&ctx, o, SNC_VERB_PROFILE));
    SNC_GOTO(snc_output_lock(&lock, o->output.path));
    SNC_GOTO(snc_inputs_open(&in, &ctx, o, "profile", o->input.models[0], SNC_HOLD_OUT, NULL));
    SNC_GOTO(snc_profile_make_of_file(&ctx, o, &in, o->input.models[0], o->output.path));
    for (int k = 0; k < snc_clocks(ctx.comm); k++) {
        SNC_GOTO(snc_latency_table_of(table, o->output.path, &ctx, k));
        snc_say(h, "%s", table);
    }
out:
    snc_inputs_close(&in);
    snc_lock_release(lock);
    return err;
}
