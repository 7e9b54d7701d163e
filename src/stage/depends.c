#include "stage/depends.h"

#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "models/latency.h"
#include "stage/load.h"
#include "stage/steps.h"

/* train: the rows learnt from, or NULL; rank: a file keeps their lengths. */
static void add_splits(cJSON *stamp, const snc_inputs *in, const snc_dataset *train)
{
    snc_stamp_hash(stamp, "task", snc_task_hash(in->task));
    if (train) snc_stamp_hash(stamp, "train rows", snc_dataset_hash(train));
    if (in->splits.rank) snc_stamp_hash(stamp, "rank rows", snc_dataset_hash(in->splits.rank));
}

static snc_err add_path(cJSON *stamp, const char *input, const char *path)
{
    uint64_t h = 0;
    SNC_TRY(snc_path_hash(&h, path));
    snc_stamp_hash(stamp, input, h);
    return SNC_OK;
}

/* Gives the stamp, or frees it. */
static snc_err give(cJSON **out, cJSON *stamp, snc_err err)
{
    *out = err ? NULL : stamp;
    if (err) cJSON_Delete(stamp);
    return err;
}

snc_err snc_depends_finetuned(cJSON **out, const snc_options *o, const snc_inputs *in, const char *from)
{
    snc_dataset labelled = snc_dataset_labelled_view(in->splits.train);
    cJSON *stamp = snc_stamp_new("finetune", SNC_DECIDES_TEACHER, o);
    add_splits(stamp, in, &labelled);
    return give(out, stamp, add_path(stamp, "model", from));
}

snc_err snc_depends_adopted(cJSON **out, const snc_options *o, const snc_inputs *in, const char *from)
{
    cJSON *stamp = snc_stamp_new("adopt", 0, o);
    add_splits(stamp, in, NULL);
    return give(out, stamp, add_path(stamp, "model", from));
}

/* What training sees of a space. Where the layers of a depth are left to a rule that is found out, the rule's option says so. */
static snc_err add_subspace(cJSON *stamp, const snc_options *o, const snc_model *shape)
{
    snc_space *space = NULL;
    snc_subspace sub;
    const char *rule = snc_step_rule(o, "even");
    SNC_TRY(snc_step_space(&space, o, shape, rule));
    snc_step_subspace(&sub, space, rule);
    snc_stamp_hash(stamp, "space", snc_json_hash(0, snc_subspace_to_json(&sub)));
    snc_space_free(space);
    return SNC_OK;
}

snc_err snc_depends_supernet(cJSON **out, const snc_options *o, const snc_inputs *in, const snc_model *shape, const char *teacher)
{
    cJSON *stamp = snc_stamp_new("supernet", SNC_DECIDES_SUPERNET, o);
    add_splits(stamp, in, in->splits.train);
    snc_err err = add_subspace(stamp, o, shape);
    if (!err && teacher) err = add_path(stamp, "teacher", teacher);
    return give(out, stamp, err);
}

snc_err snc_depends_table(cJSON **out, const snc_options *o, const snc_inputs *in, const snc_model *shape)
{
    cJSON *stamp = snc_stamp_new("profile", SNC_DECIDES_TABLE, o);
    snc_space *space = NULL;
    snc_err err = snc_step_space(&space, o, shape, "even");
    if (!err) {
        snc_stamp_hash(stamp, "rank rows", snc_dataset_hash(in->splits.rank));
        snc_stamp_hash(stamp, "shape of model", snc_json_hash(snc_json_hash(0, snc_bert_config_to_json(&shape->cfg)), snc_arch_to_json(&shape->arch)));
        /* a size target brings INT4 into what is derived, and its cells into the table */
        if (!o->space) snc_stamp_note(stamp, "--target-size", o->target_size ? "one" : "none");
        snc_stamp_hash(stamp, "space", snc_space_hash(space));
    }
    snc_space_free(space);
    return give(out, stamp, err);
}

snc_err snc_depends_int8(cJSON **out, const snc_options *o, const snc_inputs *in, const char *teacher)
{
    cJSON *stamp = snc_stamp_new("full int8", 0, o);
    add_splits(stamp, in, NULL);
    snc_stamp_hash(stamp, "seed", (uint64_t)o->seed);
    return give(out, stamp, add_path(stamp, "teacher", teacher));
}

snc_err snc_depends_file(cJSON **out, const snc_options *o, const snc_inputs *in, const char *teacher, const char *supernet)
{
    cJSON *stamp = snc_stamp_new("compress", SNC_DECIDES_FILE, o);
    snc_err err = add_path(stamp, "teacher", teacher);
    add_splits(stamp, in, in->splits.train);
    snc_stamp_hash(stamp, "select rows", snc_dataset_hash(in->splits.select));
    if (!err) err = add_path(stamp, "supernet", supernet);
    if (!err && o->space) err = add_path(stamp, "space", o->space);
    if (!err && o->warm_start) err = add_path(stamp, "journal to start from", o->warm_start);
    return give(out, stamp, err);
}

/* ---- the latency table ---------------------------------------------------------------------------------------------- */

snc_err snc_table_inputs_path(char *buf, size_t size, const char *path)
{
    SNC_CHECK(snprintf(buf, size, "%s.inputs", path) < (int)size, SNC_E_ARG, "path too long: %.80s...", path);
    return SNC_OK;
}

snc_err snc_table_digest(char out[SNC_DIGEST_TEXT], const char *path, const cJSON *calibration)
{
    snc_fmap *m = NULL;
    char *text = calibration ? cJSON_PrintUnformatted(calibration) : NULL;
    snc_err err = snc_fmap_open(&m, path);
    if (!err) {
        const snc_digest_part parts[] = {{m->data, m->size}, {text, text ? strlen(text) : 0}};
        snc_digest_text(out, snc_digest(parts, 2));
        snc_fmap_close(m);
    }
    cJSON_free(text);
    return err;
}

snc_state snc_table_state(char why[SNC_WHY], const char *path, const cJSON *stamp, const snc_ctx *work)
{
    cJSON *there = NULL;
    snc_latency *t = NULL;
    char inputs[4096], digest[SNC_DIGEST_TEXT];
    snc_state state = SNC_DAMAGED;
    why[0] = 0;
    if (!snc_is_file(path)) return SNC_ABSENT;
    snprintf(why, SNC_WHY, "is no latency table that is whole");
    if (snc_table_inputs_path(inputs, sizeof inputs, path) || !snc_is_file(inputs) || snc_json_load(&there, inputs)) return SNC_DAMAGED;
    const char *said = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(there, "digest"));
    if (!said || snc_table_digest(digest, path, cJSON_GetObjectItemCaseSensitive(there, "calibration")) || strcmp(said, digest) != 0) goto out;
    if (snc_latency_load(&t, path)) goto out;
    state = snc_stamp_same(why, there, stamp) ? SNC_CURRENT : SNC_STALE;
    if (state == SNC_CURRENT && !snc_latency_fits_host(t, work)) {
        snprintf(why, SNC_WHY, "was measured on another kind of machine");
        state = SNC_DAMAGED;
    }
out:
    snc_latency_free(t);
    cJSON_Delete(there);
    return state;
}
