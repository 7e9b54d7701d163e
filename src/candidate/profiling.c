/* The table is built, compared with a few whole nets, measured once more where it is far off, and kept with its stamp. */
#include "candidate/profiling.h"

#include <stdio.h>
#include <string.h>

#include "artifact/depends.h"
#include "artifact/latency_table.h"
#include "artifact/spaces.h"
#include "base/fmap.h"
#include "base/hosts.h"
#include "base/mem.h"
#include "base/stats.h"
#include "candidate/calibrate.h"
#include "candidate/far_clock.h"
#include "candidate/needs.h"
#include "candidate/workload.h"
#include "models/space.h"

static const double FAR_OFF = 1.15;

/* What whole nets take of what the table says, in the middle of the probes. */
static double middle_factor(const cJSON *probed)
{
    double f[16];
    int n = 0;
    const cJSON *it;
    cJSON_ArrayForEach(it, probed) if (n < 16) f[n++] =
        cJSON_GetNumberValue(cJSON_GetArrayItem(it, 1)) / cJSON_GetNumberValue(cJSON_GetArrayItem(it, 0));
    return n ? snc_median(f, n) : 1;
}

/* One table, and its probes by a few whole nets. */
static snc_err measure(snc_latency **t, cJSON **probed, const snc_net_clock *c, snc_weights *w, const snc_workload *load)
{
    snc_latency_opts lo = SNC_LATENCY_OPTS_INIT;
    lo.percentile = c->load->percentile / 100;
    cJSON_Delete(*probed);
    *probed = NULL;
    snc_latency_free(*t);
    *t = NULL;
    SNC_TRY(snc_latency_build(t, c->work, w, c->space, load->batches, load->count, &lo));
    return snc_calibrate(probed, c, *t);
}

/* One that is far off whole nets was disturbed while it was measured (seen: half as long again for a minute, from a neighbour of a shared
 * machine) and is measured once more. */
snc_err snc_profile_measure(snc_latency **t, cJSON **probed, const snc_net_clock *c)
{
    snc_err err = SNC_OK;
    snc_weights *w = NULL;
    snc_workload load = {0};
    SNC_GOTO(snc_weights_from_model(&w, c->work, c->supernet));
    SNC_GOTO(snc_workload_of_options(&load, c->work, c->load, c->rank, &c->supernet->cfg));
    SNC_GOTO(measure(t, probed, c, w, &load));
    double factor = middle_factor(*probed);
    if (factor < 1 / FAR_OFF || factor > FAR_OFF) {
        snc_log(c->work, SNC_LOG_INFO, "profile: whole nets take %.2f of what the table says; measured again", factor);
        SNC_GOTO(measure(t, probed, c, w, &load));
    }
out:
    snc_workload_free(&load);
    snc_weights_free(w);
    return err;
}

/* By who measures k-th. */
static snc_err build(cJSON **probed, const snc_net_clock *c, int k, const char *out)
{
    snc_latency *t = NULL;
    snc_far_clock *far;
    const snc_comm_host *on = snc_clock_host(c->work->comm, k);
    const snc_policy int8 = snc_policy_int8();
    SNC_TRY(snc_far_clock_open(&far, c->work, k));
    snc_err err = far ? snc_far_clock_table(&t, probed, far, c) : snc_profile_measure(&t, probed, c);
    snc_far_clock_close(far);
    if (!err) err = snc_latency_save(t, out);
    if (!err)
        snc_log(c->work, SNC_LOG_INFO, "profile: full-size INT8 %.0f us by the table%s%s",
                snc_latency_predict(t, &c->supernet->arch, &int8), on ? " of " : "", on ? on->name : "");
    snc_latency_free(t);
    return err;
}

/* What the table was made of and with, how whole nets compare, and the digest of it all, beside the table. */
static snc_err save_inputs(const char *out, cJSON *stamp, cJSON *probed)
{
    char path[4096], digest[SNC_DIGEST_TEXT];
    SNC_TRY(snc_latency_table_inputs_path(path, sizeof path, out));
    SNC_TRY(snc_latency_table_digest(digest, out, probed));
    cJSON_AddItemToObject(stamp, "calibration", cJSON_Duplicate(probed, 1));
    cJSON_AddStringToObject(stamp, "digest", digest);
    return snc_json_save(stamp, path);
}

static snc_err make(const snc_net_clock *c, const snc_options *o, const snc_inputs *in, int k, const char *path)
{
    snc_err err = SNC_OK;
    cJSON *probed = NULL, *stamp = NULL;
    char why[SNC_WHY], out[SNC_TABLE_PATH];
    bool current;
    SNC_TRY(snc_latency_table_of(out, path, c->work, k));
    SNC_GOTO(snc_depends_table(&stamp, o, in, c->supernet));
    SNC_GOTO(snc_stamp_allow(&current, out, snc_latency_table_state(why, out, stamp, c->work, k), why, o->output.overwrite));
    if (current) {
        snc_log(c->work, SNC_LOG_INFO, "profile: %s is up to date", out);
        goto out;
    }
    SNC_GOTO(build(&probed, c, k, out));
    SNC_GOTO(save_inputs(out, stamp, probed));
out:
    cJSON_Delete(stamp);
    cJSON_Delete(probed);
    return err;
}

snc_err snc_profile_make(const snc_ctx *work, const snc_options *o, const snc_inputs *in, const snc_model *m, const char *path)
{
    snc_space *space = NULL;
    SNC_TRY(snc_space_asked(&space, o, m, "even"));
    const snc_net_clock clock = {work, &o->workload, in->splits.rank, m, space};
    snc_err err = SNC_OK;
    for (int k = 0; k < snc_clocks(work->comm) && !err; k++) err = make(&clock, o, in, k, path);
    snc_space_free(space);
    return err;
}

snc_err snc_profile_make_of_file(const snc_ctx *work, const snc_options *o, const snc_inputs *in, const char *supernet, const char *out)
{
    snc_model *m = NULL;
    SNC_TRY(snc_model_load(&m, work, supernet, snc_task_classes(in->task), snc_task_meaning(in->task)));
    snc_err err = snc_model_collapse(&m);
    const snc_needs needs = {work, o, in, m, SNC_VERB_PROFILE, 0};
    if (!err) err = snc_needs_check(&needs, out, 0);
    if (!err) err = snc_profile_make(work, o, in, m, out);
    snc_model_free(m);
    return err;
}
