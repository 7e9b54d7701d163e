/* The draft without a table says what is measured, its stamp on what. */
#include "stage/export_measure.h"

#include <stdio.h>

#include "artifact/stamp.h"
#include "base/fmap.h"
#include "base/isa.h"
#include "candidate/speeds_clock.h"
#include "report/speeds_table.h"

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

snc_err snc_measure_nets(bool *current, const snc_ctx *ctx, const snc_options *o, const snc_host *h, const char *draft, const char *out)
{
    cJSON *stamp = NULL;
    snc_speeds s;
    snc_ctx work = *ctx;
    if (!o->job.threads) work.threads = 1;
    snc_err err = stamp_of(&stamp, &work, o, draft);
    if (!err) err = look_there(current, stamp, o, out);
    if (!err && !*current) {
        err = snc_speeds_put(&s, &work, draft, o->output.path, stamp);
        if (!err) snc_speeds_say(&s, h);
    }
    cJSON_Delete(stamp);
    return err;
}
