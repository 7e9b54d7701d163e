/* A stamp for each artifact of a job: the options that decide it, from their table, and hashes of what it is made of. */
#include "artifact/depends.h"

#include <stdio.h>

#include "artifact/load.h"
#include "artifact/recipes.h"
#include "artifact/spaces.h"
#include "artifact/stamp.h"

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

/* Gives the stamp of a fine-tuning of `from`. */
static snc_err give_tuned(cJSON **out, cJSON *stamp, const snc_options *o, const char *from)
{
    snc_err err = add_path(stamp, "model", from);
    if (!err) err = snc_recipe_stamp(stamp, o, (const snc_section[]){SNC_SECTION_FINETUNE}, 1);
    return give(out, stamp, err);
}

snc_err snc_depends_finetuned(cJSON **out, const snc_options *o, const snc_inputs *in, const char *from)
{
    snc_dataset labelled = snc_dataset_labelled_view(in->taught);
    cJSON *stamp = snc_stamp_new("finetune", SNC_DECIDES_TEACHER, o);
    snc_stamp_note(stamp, "rank and select", snc_inputs_taught_all(in) ? "learnt" : "held out");
    add_splits(stamp, in, &labelled);
    return give_tuned(out, stamp, o, from);
}

uint64_t snc_baseline_seed(uint64_t seed, int number) { return seed + 1000003 * (uint64_t)number; }

snc_err snc_depends_baseline(cJSON **out, const snc_options *o, const snc_inputs *in, const char *from, int number)
{
    snc_dataset labelled = snc_dataset_labelled_view(in->splits.all);
    cJSON *stamp = snc_stamp_new("baseline", SNC_DECIDES_TEACHER, o);
    snc_stamp_hash(stamp, "task", snc_task_hash(in->task));
    snc_stamp_hash(stamp, "train rows", snc_dataset_hash(&labelled));
    snc_stamp_hash(stamp, "seed of its own", snc_baseline_seed((uint64_t)o->job.seed, number));
    return give_tuned(out, stamp, o, from);
}

snc_err snc_depends_adopted(cJSON **out, const snc_options *o, const snc_inputs *in, const char *from)
{
    cJSON *stamp = snc_stamp_new("adopt", 0, o);
    add_splits(stamp, in, NULL);
    return give(out, stamp, add_path(stamp, "model", from));
}

/* What training sees of a space. Where the layers of a depth are left to a rule that is found out, the rule's option says so. */
static snc_err add_trained_space(cJSON *stamp, const snc_options *o, const snc_model *shape)
{
    snc_space *space = NULL;
    SNC_TRY(snc_space_asked(&space, o, shape, snc_depth_rule_asked(o, "even")));
    snc_stamp_hash(stamp, "space", snc_json_hash(0, snc_space_trained_to_json(space)));
    snc_space_free(space);
    return SNC_OK;
}

snc_err snc_depends_supernet(cJSON **out, const snc_options *o, const snc_inputs *in, const snc_model *shape, const char *teacher)
{
    cJSON *stamp = snc_stamp_new("supernet", SNC_DECIDES_SUPERNET, o);
    add_splits(stamp, in, in->splits.train);
    snc_err err = add_trained_space(stamp, o, shape);
    if (!err && teacher) err = add_path(stamp, "teacher", teacher);
    const snc_section sections[] = {SNC_SECTION_SUPERNET, SNC_SECTION_AUGMENT, SNC_SECTION_IMPORTANCE, SNC_SECTION_WEIGHTS};
    if (!err) err = snc_recipe_stamp(stamp, o, sections, 4);
    return give(out, stamp, err);
}

snc_err snc_depends_table(cJSON **out, const snc_options *o, const snc_inputs *in, const snc_model *shape)
{
    cJSON *stamp = snc_stamp_new("profile", SNC_DECIDES_TABLE, o);
    snc_space *space = NULL;
    const snc_encoder_config cfg = snc_config_cut(&shape->cfg, &shape->arch); /* a net has no experts */
    snc_err err = snc_space_asked(&space, o, shape, "even");
    if (!err) {
        snc_stamp_hash(stamp, "rank rows", snc_dataset_hash(in->splits.rank));
        snc_stamp_hash(stamp, "shape of model",
                       snc_json_hash(snc_json_hash(0, snc_encoder_config_to_json(&cfg)), snc_arch_to_json(&shape->arch)));
        /* targets of size and latency bring INT4 into what is derived, and its cells into the table */
        if (!o->search.space) snc_stamp_note(stamp, "target of size or latency", snc_space_int4_asked(o) ? "one" : "none");
        snc_stamp_hash(stamp, "space", snc_space_hash(space));
    }
    snc_space_free(space);
    return give(out, stamp, err);
}

snc_err snc_depends_int8(cJSON **out, const snc_options *o, const snc_inputs *in, const char *teacher)
{
    cJSON *stamp = snc_stamp_new("full int8", 0, o);
    add_splits(stamp, in, NULL);
    snc_stamp_hash(stamp, "seed", (uint64_t)o->job.seed);
    return give(out, stamp, add_path(stamp, "teacher", teacher));
}

snc_err snc_depends_file(cJSON **out, const snc_options *o, const snc_inputs *in, const char *teacher, const char *supernet,
                         const snc_teachers *refit)
{
    cJSON *stamp = snc_stamp_new("compress", SNC_DECIDES_FILE, o);
    snc_err err = add_path(stamp, "teacher", teacher);
    add_splits(stamp, in, in->splits.train);
    snc_stamp_hash(stamp, "select rows", snc_dataset_hash(in->splits.select));
    snc_stamp_hash(stamp, "refit rows", snc_dataset_hash(in->splits.all));
    if (!err) err = add_path(stamp, "supernet", supernet);
    if (!err) err = snc_recipe_stamp(stamp, o, (const snc_section[]){SNC_SECTION_REPAIR, SNC_SECTION_AUGMENT}, 2);
    for (int i = 0; i < refit->n && !err; i++) {
        char input[40];
        snprintf(input, sizeof input, "teacher %d of all rows", i + 1);
        err = add_path(stamp, input, refit->path[i]);
    }
    if (!err && o->search.space) err = add_path(stamp, "space", o->search.space);
    if (!err && o->search.warm_start) err = add_path(stamp, "journal to start from", o->search.warm_start);
    return give(out, stamp, err);
}
