/* Options and recipes into what the training loop is told. */
#include "artifact/recipes.h"

#include <string.h>

#include "artifact/inputs.h"
#include "artifact/option.h"
#include "artifact/stamp.h"
#include "base/json.h"
#include "base/place.h"

/* ---- recipes -------------------------------------------------------------------------------------------------------- */

/* A key and the option that says the same; NULL: none does. */
typedef struct key {
    const char *name, *finetune, *supernet;
    bool elastic; /* nothing to fine-tuning */
} key;
/* clang-format off */
static const key keys[] = {
    {"epochs",        "--epochs",        "--supernet-epochs", false},
    {"lr",            "--lr",            "--supernet-lr",     false},
    {"batch_size",    "--batch-size",    "--batch-size",      false},
    {"warmup",        "--warmup",        "--warmup",          false},
    {"weight_decay",  "--weight-decay",  "--weight-decay",    false},
    {"balanced",      "--class-weights", "--class-weights",   false},
    {"clip",          NULL,              NULL,                false},
    {"dropout",       NULL,              NULL,                false},
    {"lazy_rows",     NULL,              NULL,                false},
    {"half_state",    NULL,              NULL,                false},
    {"sampler",       NULL,              "--sampler",         true},
    {"random_nets",   NULL,              NULL,                true},
    {"subnet_dropout", NULL,             NULL,                true},
    {"alpha",         NULL,              "--alpha",           true},
    {"temperature",   NULL,              "--temperature",     true},
    {"hidden_weight", NULL,              "--hidden-weight",   true},
    {"in_place",      NULL,              "--inplace-teacher", true},
};
/* clang-format on */
enum { KEYS = sizeof keys / sizeof keys[0] };

static const char *option_of(const key *k, unsigned verb) { return verb == SNC_VERB_FINETUNE ? k->finetune : k->supernet; }

/* The file of a recipe, its keys and values looked at: t has them. */
static snc_err open_recipe(cJSON **out, char path[SNC_CONFIG_PATH], snc_train_opts *t, const char *recipe)
{
    SNC_TRY(snc_config_find(path, "recipe", recipe));
    SNC_TRY(snc_json_load(out, path));
    snc_err err = snc_train_opts_from_json(t, *out, path);
    if (!err) return SNC_OK;
    cJSON_Delete(*out);
    *out = NULL;
    return err;
}

/* Texts of options are borrowed: these outlive them. */
static const char *text_of(const key *k, const snc_train_opts *t)
{
    return strcmp(k->name, "sampler") == 0 ? t->sampler->name : t->balanced ? "balanced" : "none";
}

static snc_err put(snc_options *o, const key *k, const snc_option *row, const cJSON *value, const snc_train_opts *t, const char *where)
{
    double v = cJSON_IsBool(value) ? cJSON_IsTrue(value) : value->valuedouble;
    if (row->kind == SNC_OPTION_STRING) {
        snc_option_set_text(o, row, text_of(k, t));
        return SNC_OK;
    }
    SNC_CHECK(row->kind == SNC_OPTION_FLAG || (v >= row->min && v <= row->max), SNC_E_ARG, "%s: '%s' %g: expected a number from %g to %g",
              where, k->name, v, row->min, row->max);
    snc_option_set_number(o, row, v);
    return SNC_OK;
}

snc_err snc_recipe_apply(snc_options *o, unsigned verb)
{
    snc_train_opts t = SNC_TRAIN_OPTS_INIT;
    cJSON *j = NULL;
    char path[SNC_CONFIG_PATH];
    snc_err err = SNC_OK;
    if (!o->training.recipe) return SNC_OK;
    SNC_TRY(open_recipe(&j, path, &t, o->training.recipe));
    for (int i = 0; i < KEYS; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(j, keys[i].name);
        const char *option = option_of(&keys[i], verb);
        if (value && keys[i].elastic && verb == SNC_VERB_FINETUNE)
            err = snc_err_set(SNC_E_ARG, "%s: '%s' is of a supernet, not of fine-tuning", path, keys[i].name);
        if (err) goto out;
        const snc_option *row = value && option ? snc_option_row(option, SNC_VERB_ALL) : NULL;
        if (!row || snc_option_given(o, row)) continue;
        SNC_GOTO(put(o, &keys[i], row, value, &t, path));
        snc_option_mark(o, row, true);
    }
out:
    cJSON_Delete(j);
    return err;
}

/* What the recipe says and no option can. */
static snc_err add_recipe(snc_train_opts *t, const snc_options *o, unsigned verb)
{
    snc_train_opts said = SNC_TRAIN_OPTS_INIT;
    cJSON *j = NULL;
    char path[SNC_CONFIG_PATH];
    if (!o->training.recipe) return SNC_OK;
    SNC_TRY(open_recipe(&j, path, &said, o->training.recipe));
    bool other = cJSON_HasObjectItem(j, "sampler") && said.sampler != t->sampler; /* which has a number of nets of its own */
    if (other) cJSON_DeleteItemFromObjectCaseSensitive(j, "random_nets");
    for (int i = 0; i < KEYS; i++)
        if (option_of(&keys[i], verb)) cJSON_DeleteItemFromObjectCaseSensitive(j, keys[i].name);
    snc_err err = snc_train_opts_from_json(t, j, path);
    cJSON_Delete(j);
    return err;
}

/* ---- the steps ------------------------------------------------------------------------------------------------------ */

static void fill(snc_train_opts *t, const snc_options *o, const char *checkpoint)
{
    t->compute = snc_inputs_compute(&o->job);
    t->batch_size = o->training.batch_size;
    t->weight_decay = o->training.weight_decay;
    t->warmup = o->training.warmup;
    t->half_state = t->compute == SNC_COMPUTE_BF16;
    t->balanced = strcmp(o->training.class_weights, "balanced") == 0;
    t->checkpoint = checkpoint;
    t->checkpoint_every = o->training.checkpoint_every;
    t->max_steps = o->training.max_steps;
    t->resume = true;
    t->discard = o->output.overwrite;
}

snc_err snc_recipe_finetune(snc_train_opts *t, const snc_options *o, const char *checkpoint)
{
    fill(t, o, checkpoint);
    t->epochs = o->training.epochs;
    t->lr = o->training.lr;
    t->what = "finetune";
    SNC_TRY(add_recipe(t, o, SNC_VERB_FINETUNE));
    return snc_train_opts_check(t);
}

snc_err snc_recipe_supernet(snc_train_opts *t, const snc_options *o, const char *checkpoint)
{
    fill(t, o, checkpoint);
    t->epochs = o->supernet.epochs;
    t->lr = o->supernet.lr;
    t->alpha = o->supernet.alpha;
    t->temperature = o->supernet.temperature;
    t->hidden_weight = o->supernet.hidden_weight;
    t->in_place = o->supernet.inplace_teacher;
    t->what = "supernet";
    SNC_TRY(snc_sampler_find(&t->sampler, o->supernet.sampler));
    if (t->sampler->random_nets) t->random_nets = t->sampler->random_nets;
    SNC_TRY(add_recipe(t, o, SNC_VERB_SUPERNET));
    return snc_train_opts_check(t);
}

snc_err snc_recipe_repair(snc_train_opts *t, const snc_options *o)
{
    fill(t, o, NULL);
    t->half_state = false; /* its steps are few */
    t->max_steps = 0;
    t->epochs = o->exporting.repair_epochs;
    t->lr = o->supernet.lr;
    t->alpha = 0; /* the teacher alone: hard labels pull away from it what the supernet has learnt */
    t->temperature = o->supernet.temperature;
    t->sampler = &snc_sampler_full;
    t->what = "repair";
    return SNC_OK;
}

snc_err snc_recipe_stamp(cJSON *stamp, const snc_options *o, snc_recipe_fn step)
{
    snc_train_opts with = SNC_TRAIN_OPTS_INIT, without = SNC_TRAIN_OPTS_INIT;
    snc_options bare = *o;
    bare.training.recipe = NULL;
    SNC_TRY(step(&with, o, NULL));
    SNC_TRY(step(&without, &bare, NULL));
    uint64_t a = snc_json_hash(0, snc_train_opts_to_json(&with)), b = snc_json_hash(0, snc_train_opts_to_json(&without));
    if (a != b) snc_stamp_hash(stamp, "recipe", a);
    return SNC_OK;
}
