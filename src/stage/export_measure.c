/* The draft without a table says what is measured, its stamp on what. */
#include "stage/export_measure.h"

#include <stdio.h>

#include "artifact/stamp.h"
#include "base/fmap.h"
#include "base/isa.h"
#include "candidate/speeds_clock.h"
#include "models/bundle.h"
#include "report/speeds_table.h"

static const double BUSY = 2; /* 90th percentile over median */

/* Of the nets as they stand in the file without a table, and of this machine. */
static snc_err stamp_of(cJSON **stamp, const snc_ctx *ctx, const snc_options *o, const char *draft)
{
    uint64_t nets;
    char threads[16];
    SNC_TRY(snc_path_hash(&nets, draft));
    snprintf(threads, sizeof threads, "%d", ctx->threads);
    *stamp = snc_stamp_new("export --measure", 0, o);
    snc_stamp_hash(*stamp, "nets", nets);
    snc_stamp_note(*stamp, "cpu", snc_cpu_name());
    snc_stamp_note(*stamp, "isa", snc_isa_name(snc_isa_now()));
    snc_stamp_note(*stamp, "--threads", threads);
    snc_stamp_note(*stamp, "--backend", snc_backend_name(ctx->backend));
    return SNC_OK;
}

static snc_err look_there(bool *current, const cJSON *stamp, const snc_options *o, const char *out)
{
    char why[SNC_WHY] = "is another file";
    snc_sncfile *f = NULL;
    snc_state state = snc_file_size(out) == 0 ? SNC_ABSENT : SNC_STALE;
    if (state == SNC_STALE && snc_path_is_snc(out) && snc_sncfile_open(&f, out) == SNC_OK) {
        const cJSON *there = snc_json_at(snc_sncfile_speeds_view(f), "inputs");
        if (there && snc_stamp_same(why, there, stamp)) state = SNC_CURRENT;
        snc_sncfile_close(f);
    }
    return snc_stamp_allow(current, o->output.path, state, why, o->output.overwrite);
}

static snc_err measure(const snc_ctx *ctx, const snc_options *o, const snc_host *h, const char *draft, const cJSON *stamp)
{
    snc_loaded l;
    snc_speeds s;
    SNC_TRY(snc_loaded_open(&l, ctx, draft, 0, SNC_MEANS_CLASSES));
    snc_err err = snc_loaded_open_nets(&l);
    if (!err) err = snc_speeds_clock(&s, ctx, &l);
    if (!err) {
        cJSON *j = snc_speeds_json(&s);
        cJSON_AddItemToObject(j, "inputs", cJSON_Duplicate(stamp, true));
        snc_speeds_say(&s, h);
        if (snc_speeds_spread(&s) > BUSY)
            snc_log(ctx, SNC_LOG_WARN,
                    "%s: one run in ten takes %.1f times the median or more: was the machine busy? Budgets go by such runs", o->output.path,
                    snc_speeds_spread(&s));
        err = snc_bundle_set_speeds(draft, l.file, j);
        cJSON_Delete(j);
    }
    snc_loaded_close(&l);
    return err;
}

snc_err snc_measure_nets(bool *current, const snc_ctx *ctx, const snc_options *o, const snc_host *h, const char *draft, const char *out)
{
    cJSON *stamp = NULL;
    snc_ctx work = *ctx;
    if (!o->job.threads) work.threads = 1;
    snc_err err = stamp_of(&stamp, &work, o, draft);
    if (!err) err = look_there(current, stamp, o, out);
    if (!err && !*current) err = measure(&work, o, h, draft, stamp);
    cJSON_Delete(stamp);
    return err;
}
