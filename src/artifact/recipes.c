/* Two files, one over the other, and options over both: a table says which key an option speaks of. */
#include "artifact/recipes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/inputs.h"
#include "artifact/option.h"
#include "artifact/parse.h"
#include "artifact/stamp.h"
#include "base/json.h"
#include "base/names.h"
#include "base/place.h"

static const char *const names[SNC_SECTIONS] = {"finetune", "supernet", "repair", "augment", "importance", "weights"};

typedef struct key {
    const char *name;
    unsigned in;                      /* the sections that have it */
    double most;                      /* of a number that is for settle.h, and no step is told of; 0: it is of the step */
    const char *option[SNC_SECTIONS]; /* which says the same; NULL: none does */
} key;
#define IN(section) (1u << SNC_SECTION_##section)
#define DISTILS     (IN(SUPERNET) | IN(REPAIR))
#define TRAINS      (IN(FINETUNE) | DISTILS)
/* clang-format off */
static const key keys[] = {
    {"epochs",            TRAINS,         0, {"--epochs", "--supernet-epochs", "--repair-epochs"}},
    {"lr",                TRAINS,         0, {"--lr", "--supernet-lr", "--supernet-lr"}},
    {"batch_size",        TRAINS,         0, {"--batch-size", "--supernet-batch-size", "--supernet-batch-size"}},
    {"warmup",            TRAINS,         0, {"--warmup", "--warmup", "--warmup"}},
    {"weight_decay",      TRAINS,         0, {"--weight-decay", "--weight-decay", "--weight-decay"}},
    {"balanced",          TRAINS,         0, {"--class-weights", "--class-weights", "--class-weights"}},
    {"clip",              TRAINS,         0, {NULL}},
    {"dropout",           TRAINS,         0, {NULL}},
    {"lazy_rows",         TRAINS,         0, {NULL}},
    {"half_state",        TRAINS,         0, {NULL}},
    {"alpha",             DISTILS,        0, {NULL, "--alpha"}},
    {"temperature",       DISTILS,        0, {NULL, "--temperature", "--temperature"}},
    {"hidden_weight",     IN(SUPERNET),   0, {NULL, "--hidden-weight"}},
    {"hidden_map",        IN(SUPERNET),   0, {NULL}},
    {"relation_weight",   IN(SUPERNET),   0, {NULL}},
    {"relations",         IN(SUPERNET),   0, {NULL}},
    {"consistency_weight", IN(SUPERNET),  0, {NULL}},
    {"momentum_weight",   IN(SUPERNET),   0, {NULL}},
    {"momentum",          IN(SUPERNET),   0, {NULL}},
    {"group_weight",      IN(SUPERNET),   0, {NULL}},
    {"data_sampler",      IN(SUPERNET),   0, {NULL}},
    {"sampler",           IN(SUPERNET),   0, {NULL, "--sampler"}},
    {"random_nets",       IN(SUPERNET),   0, {NULL}},
    {"near",              IN(SUPERNET),   0, {NULL}},
    {"pools",             IN(SUPERNET),   0, {NULL}},
    {"largest_by_labels", IN(SUPERNET),   0, {NULL}},
    {"subnet_dropout",    IN(SUPERNET),   0, {NULL}},
    {"in_place",          IN(SUPERNET),   0, {NULL, "--inplace-teacher"}},
    {"min_steps",         TRAINS,         1e9, {NULL}},
    {"rows",              IN(AUGMENT),    0, {[SNC_SECTION_AUGMENT] = "--augment"}},
    {"join",              IN(AUGMENT),    0, {NULL}},
    {"replace",           IN(AUGMENT),    0, {NULL}},
    {"whole_words",       IN(AUGMENT),    0, {NULL}},
    {"neighbours",        IN(AUGMENT),    0, {NULL}},
    {"least",             IN(AUGMENT),    1e9, {NULL}},
    {"soft",              IN(IMPORTANCE), 1, {NULL}},
    {"kind",              IN(WEIGHTS),    0, {[SNC_SECTION_WEIGHTS] = "--weights"}},
    {"experts",           IN(WEIGHTS),    0, {[SNC_SECTION_WEIGHTS] = "--experts"}},
    {"rank",              IN(WEIGHTS),    0, {NULL}},
    {"neuron",            IN(WEIGHTS),    0, {NULL}},
    {"attention",         IN(WEIGHTS),    0, {NULL}},
};
/* clang-format on */
enum { KEYS = sizeof keys / sizeof keys[0] };

static const snc_option *row_of(const key *k, snc_section s) { return k->option[s] ? snc_option_row(k->option[s], SNC_VERB_ALL) : NULL; }

/* Whether the option shows the value of this section, and not that of one before it. */
static bool shown(const key *k, snc_section s)
{
    for (int i = 0; i < (int)s; i++)
        if (k->option[i] && k->option[s] && strcmp(k->option[i], k->option[s]) == 0) return false;
    return k->option[s] != NULL;
}

/* ---- files ------------------------------------------------------------------------------------------------------------- */

typedef struct recipe {
    cJSON *base, *own; /* own: the user's, or NULL */
    char base_path[SNC_CONFIG_PATH], own_path[SNC_CONFIG_PATH];
} recipe;

static void close_recipe(recipe *r)
{
    cJSON_Delete(r->base);
    cJSON_Delete(r->own);
}

static const key *key_of(const char *name)
{
    for (int k = 0; k < KEYS; k++)
        if (strcmp(keys[k].name, name) == 0) return &keys[k];
    return NULL;
}

static const char *key_name(int k) { return k < KEYS ? keys[k].name : NULL; }

static const char *section_name(int s) { return s < SNC_SECTIONS ? names[s] : NULL; }

/* ": nearest is 'sampler'", or nothing. */
static const char *nearest(char buf[64], const char *(*name)(int i), const char *asked)
{
    const char *near = snc_names_nearest(name, asked);
    buf[0] = 0;
    if (near) snprintf(buf, 64, ": nearest is '%s'", near);
    return buf;
}

static snc_err check_sections(const cJSON *j, const char *path)
{
    const cJSON *it;
    char known[96];
    snc_names_join(known, sizeof known, section_name, ", ");
    SNC_CHECK(cJSON_IsObject(j), SNC_E_FORMAT, "%s: expected an object", path);
    cJSON_ArrayForEach(it, j) SNC_CHECK(snc_names_find(section_name, it->string) >= 0, SNC_E_FORMAT,
                                        "%s: unknown section '%.40s': expected some of %s", path, it->string, known);
    return SNC_OK;
}

/* Sections and keys that are known; `whole`: all of them. */
static snc_err check_file(const cJSON *j, const char *path, bool whole)
{
    SNC_TRY(check_sections(j, path));
    for (int s = 0; s < SNC_SECTIONS; s++) {
        const cJSON *section = cJSON_GetObjectItemCaseSensitive(j, names[s]), *it;
        char near[64];
        if (!section && !whole) continue;
        SNC_CHECK(cJSON_IsObject(section), SNC_E_FORMAT, "%s: '%s': expected an object", path, names[s]);
        cJSON_ArrayForEach(it, section)
        {
            const key *k = key_of(it->string);
            SNC_CHECK(k, SNC_E_FORMAT, "%s: '%s': unknown key '%.40s'%s", path, names[s], it->string, nearest(near, key_name, it->string));
            SNC_CHECK(k->in >> s & 1, SNC_E_FORMAT, "%s: '%s' has no '%s'", path, names[s], it->string);
            SNC_CHECK(!cJSON_IsNull(it), SNC_E_FORMAT, "%s: '%s': '%s' is null", path, names[s], it->string);
        }
        for (int k = 0; k < KEYS && whole; k++)
            SNC_CHECK(!(keys[k].in >> s & 1) || cJSON_HasObjectItem(section, keys[k].name), SNC_E_FORMAT, "%s: '%s' lacks '%s'", path,
                      names[s], keys[k].name);
    }
    return SNC_OK;
}

/* A name that begins as JSON does is the recipe itself. */
static snc_err load(cJSON **out, char path[SNC_CONFIG_PATH], const char *name, bool whole)
{
    if (*name == '{') {
        snprintf(path, SNC_CONFIG_PATH, "recipe");
        SNC_TRY(snc_json_parse(out, name, strlen(name), path));
    } else {
        SNC_TRY(snc_config_find(path, "recipe", name));
        SNC_TRY(snc_json_load(out, path));
    }
    return check_file(*out, path, whole);
}

static snc_err open_recipe(recipe *r, const char *name)
{
    const char *shipped = snc_options_defaults.training.recipe;
    *r = (recipe){0};
    snc_err err = load(&r->base, r->base_path, shipped, true);
    if (!err && strcmp(name, shipped) != 0) err = load(&r->own, r->own_path, name, false);
    if (err) close_recipe(r);
    return err;
}

static cJSON *section_of(const cJSON *file, snc_section s) { return cJSON_GetObjectItemCaseSensitive(file, names[s]); }

/* What the user's own file says of it, or NULL. */
static const cJSON *own_value(const recipe *r, snc_section s, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(section_of(r->own, s), name);
}

static const char *path_of(const recipe *r, snc_section s) { return section_of(r->own, s) ? r->own_path : r->base_path; }

static void set(cJSON *section, const char *name, cJSON *value) { cJSON_ReplaceItemInObjectCaseSensitive(section, name, value); }

/* The section by the files alone. */
static cJSON *merged(const recipe *r, snc_section s)
{
    const cJSON *it;
    cJSON *j = cJSON_Duplicate(section_of(r->base, s), 1);
    cJSON_ArrayForEach(it, section_of(r->own, s)) set(j, it->string, cJSON_Duplicate(it, 1));
    return j;
}

/* ---- options ------------------------------------------------------------------------------------------------------------ */

/* As a value of the section, which has one of the same key. */
static cJSON *value_of(const snc_options *o, const snc_option *row, const cJSON *like)
{
    if (row->kind != SNC_OPTION_STRING)
        return cJSON_IsBool(like) ? cJSON_CreateBool(snc_option_number(o, row) != 0) : cJSON_CreateNumber(snc_option_number(o, row));
    const char *text = snc_option_text(o, row);
    return cJSON_IsBool(like) ? cJSON_CreateBool(strcmp(text, "balanced") == 0) : cJSON_CreateString(text);
}

/* The share of the full net that the job asks for, of multiply-adds or else of latency; 0: none. What is no share is told of by those who
 * read targets. */
static double asked_share(const snc_target_opts *t)
{
    static const snc_unit units[] = {{"x", 1, true}, {NULL, 0, false}};
    const char *const asked[] = {t->macs, t->latency};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        bool relative;
        double share;
        if (asked[i] && snc_parse_unit(&share, &relative, "target", asked[i], units, "a share") == SNC_OK) return fmin(share, 1);
    }
    return 0;
}

/* A sampler that draws to the job's target aims at it, and what is trained is stamped by it. */
static void aim(cJSON *j, const snc_options *o)
{
    const snc_sampler_kind *kind;
    const double share = asked_share(&o->targets);
    if (share > 0 && snc_sampler_find(&kind, snc_json_text(j, "sampler")) == SNC_OK && kind->to_target)
        set(j, "near", cJSON_CreateNumber(share));
}

/* The section with the options in it that it is shown by, and those that the user gave. */
static cJSON *in_force(const recipe *r, const snc_options *o, snc_section s)
{
    cJSON *j = merged(r, s);
    for (int k = 0; k < KEYS; k++) {
        const snc_option *row = row_of(&keys[k], s);
        if (!row || !(shown(&keys[k], s) || (snc_option_given(o, row) && !snc_option_by_recipe(o, row)))) continue;
        set(j, keys[k].name, value_of(o, row, cJSON_GetObjectItemCaseSensitive(j, keys[k].name)));
    }
    if (s == SNC_SECTION_SUPERNET) aim(j, o);
    return j;
}

static snc_err put(snc_options *o, const key *k, const snc_option *row, const cJSON *value, const char *path)
{
    double v = cJSON_IsBool(value) ? cJSON_IsTrue(value) : value->valuedouble;
    if (row->kind == SNC_OPTION_STRING) {   /* texts of options are borrowed: these outlive them */
        bool named = cJSON_IsString(value); /* a name of a registry, which the section's check has found there */
        snc_option_set_text(o, row, named ? row->word(snc_names_find(row->word, value->valuestring)) : v != 0 ? "balanced" : "none");
        return SNC_OK;
    }
    SNC_CHECK(row->kind == SNC_OPTION_FLAG || (v >= row->min && v <= row->max), SNC_E_ARG, "%s: '%s' %g: expected a number from %g to %g",
              path, k->name, v, row->min, row->max);
    snc_option_set_number(o, row, v);
    return SNC_OK;
}

/* Leaves what the step itself is told. */
static snc_err take_rest(cJSON *j, const char *path)
{
    double v;
    for (int k = 0; k < KEYS; k++) {
        if (!(keys[k].most > 0)) continue;
        SNC_TRY(snc_json_double(&v, j, keys[k].name, 0, 0, keys[k].most, path));
        cJSON_DeleteItemFromObjectCaseSensitive(j, keys[k].name);
    }
    return SNC_OK;
}

static snc_err weights_from_json(snc_weights_asked *w, const cJSON *j, const char *path)
{
    const char *kind;
    *w = (snc_weights_asked){0};
    SNC_TRY(snc_json_str(&kind, j, "kind", NULL, path));
    snc_err err = snc_source_find(&w->kind, kind);
    return err ? snc_err_prefix(err, path) : snc_mixture_from_json(&w->mixture, j, path);
}

/* Values of the section that make no sense, whatever the options are. */
static snc_err check_section(cJSON *j, snc_section s, const char *path)
{
    snc_train_opts t = SNC_TRAIN_OPTS_INIT;
    snc_augment a;
    snc_weights_asked w;
    SNC_TRY(take_rest(j, path));
    if (s == SNC_SECTION_WEIGHTS) return weights_from_json(&w, j, path);
    if (s == SNC_SECTION_IMPORTANCE) return SNC_OK; /* is for settle.h and the step itself */
    return s == SNC_SECTION_AUGMENT ? snc_augment_from_json(&a, j, path) : snc_train_opts_from_json(&t, j, path);
}

/* A user's file that says of experts how they are, and has none. */
static snc_err check_experts(const recipe *r, const cJSON *merged)
{
    const cJSON *it;
    snc_weights_asked w;
    SNC_TRY(weights_from_json(&w, merged, path_of(r, SNC_SECTION_WEIGHTS)));
    cJSON_ArrayForEach(it, section_of(r->own, SNC_SECTION_WEIGHTS))
        SNC_CHECK(w.kind->experts || strcmp(it->string, "kind") == 0, SNC_E_ARG, "%s: 'weights': '%s' makes no sense beside 'kind' '%s'",
                  r->own_path, it->string, w.kind->name);
    return SNC_OK;
}

static snc_err apply_section(snc_options *o, const recipe *r, snc_section s)
{
    cJSON *j = merged(r, s);
    snc_err err = check_section(j, s, path_of(r, s));
    if (!err && s == SNC_SECTION_WEIGHTS) err = check_experts(r, j);
    for (int k = 0; k < KEYS && !err; k++) {
        const snc_option *row = shown(&keys[k], s) ? row_of(&keys[k], s) : NULL;
        if (!row || snc_option_given(o, row)) continue;
        err = put(o, &keys[k], row, cJSON_GetObjectItemCaseSensitive(j, keys[k].name), path_of(r, s));
        snc_option_mark_recipe(o, row, own_value(r, s, keys[k].name) != NULL);
    }
    cJSON_Delete(j);
    return err;
}

snc_err snc_recipe_apply(snc_options *o)
{
    recipe r;
    snc_err err = SNC_OK;
    const snc_option *batch = snc_option_row("--batch-size", SNC_VERB_ALL),
                     *elastic = snc_option_row("--supernet-batch-size", SNC_VERB_ALL);
    SNC_TRY(open_recipe(&r, o->training.recipe));
    if (snc_option_given(o, batch) && !snc_option_given(o, elastic)) snc_option_set_number(o, elastic, snc_option_number(o, batch));
    for (int s = 0; s < SNC_SECTIONS && !err; s++) err = apply_section(o, &r, (snc_section)s);
    close_recipe(&r);
    return err;
}

/* ---- the steps ------------------------------------------------------------------------------------------------------ */

/* A sampler other than the one that the number was said for has a number of nets of its own. */
static snc_err fit_random_nets(cJSON *j, const recipe *r)
{
    const char *sampler = snc_json_text(j, "sampler"), *other = snc_json_text(section_of(r->own, SNC_SECTION_SUPERNET), "sampler"),
               *shipped = snc_json_text(section_of(r->base, SNC_SECTION_SUPERNET), "sampler");
    const snc_sampler_kind *kind;
    if (!own_value(r, SNC_SECTION_SUPERNET, "random_nets") || !other) other = shipped;
    SNC_TRY(snc_sampler_find(&kind, sampler));
    if (strcmp(sampler, other) != 0 && kind->random_nets) set(j, "random_nets", cJSON_CreateNumber(kind->random_nets));
    return SNC_OK;
}

/* The recipe and what of the section holds, for close_section. */
static snc_err open_section(recipe *r, cJSON **j, const snc_options *o, snc_section s)
{
    SNC_TRY(open_recipe(r, o->training.recipe));
    *j = in_force(r, o, s);
    return SNC_OK;
}

static void close_section(recipe *r, cJSON *j)
{
    cJSON_Delete(j);
    close_recipe(r);
}

static snc_err tell(snc_train_opts *t, const snc_options *o, snc_section s, const char *checkpoint)
{
    recipe r;
    cJSON *j;
    snc_err err = SNC_OK;
    SNC_TRY(open_section(&r, &j, o, s));
    *t = (snc_train_opts)SNC_TRAIN_OPTS_INIT;
    if (s == SNC_SECTION_SUPERNET) err = fit_random_nets(j, &r);
    if (!err) err = take_rest(j, path_of(&r, s));
    if (!err) err = snc_train_opts_from_json(t, j, path_of(&r, s));
    close_section(&r, j);
    t->compute = snc_inputs_compute(&o->job);
    t->half_state = t->half_state && t->compute == SNC_COMPUTE_BF16;
    t->checkpoint = checkpoint;
    t->checkpoint_every = o->training.checkpoint_every;
    t->max_steps = o->training.max_steps;
    t->resume = true;
    t->discard = o->output.overwrite;
    t->what = names[s];
    return err;
}

snc_err snc_recipe_finetune(snc_train_opts *t, const snc_options *o, const char *checkpoint)
{
    return tell(t, o, SNC_SECTION_FINETUNE, checkpoint);
}

snc_err snc_recipe_supernet(snc_train_opts *t, const snc_options *o, const char *checkpoint)
{
    return tell(t, o, SNC_SECTION_SUPERNET, checkpoint);
}

snc_err snc_recipe_repair(snc_train_opts *t, const snc_options *o)
{
    SNC_TRY(tell(t, o, SNC_SECTION_REPAIR, NULL));
    t->max_steps = 0;
    return SNC_OK;
}

snc_err snc_recipe_augment(snc_augment *a, const snc_options *o)
{
    recipe r;
    cJSON *j;
    SNC_TRY(open_section(&r, &j, o, SNC_SECTION_AUGMENT));
    snc_err err = snc_augment_from_json(a, j, path_of(&r, SNC_SECTION_AUGMENT));
    close_section(&r, j);
    return err;
}

snc_err snc_recipe_weights(snc_weights_asked *w, const snc_options *o)
{
    recipe r;
    cJSON *j;
    SNC_TRY(open_section(&r, &j, o, SNC_SECTION_WEIGHTS));
    snc_err err = weights_from_json(w, j, path_of(&r, SNC_SECTION_WEIGHTS));
    close_section(&r, j);
    return err;
}

cJSON *snc_weights_asked_json(const snc_weights_asked *w)
{
    cJSON *j = w->kind->experts ? snc_mixture_to_json(&w->mixture) : cJSON_CreateObject();
    cJSON_AddStringToObject(j, "kind", w->kind->name);
    return j;
}

snc_err snc_recipe_number(double *out, const snc_options *o, snc_section s, const char *name)
{
    recipe r;
    cJSON *j;
    SNC_TRY(open_section(&r, &j, o, s));
    *out = snc_json_number(j, name);
    close_section(&r, j);
    return SNC_OK;
}

snc_err snc_recipe_stamp(cJSON *stamp, const snc_options *o, const snc_section *sections, int n)
{
    recipe r;
    SNC_TRY(open_recipe(&r, o->training.recipe));
    cJSON *all = cJSON_CreateObject();
    for (int i = 0; i < n; i++) {
        cJSON *j = in_force(&r, o, sections[i]);
        for (int k = 0; k < KEYS; k++) { /* what an option says stands in the stamp by its name */
            const snc_option *row = row_of(&keys[k], sections[i]);
            const cJSON *value = cJSON_GetObjectItemCaseSensitive(j, keys[k].name);
            cJSON *said = row ? value_of(o, row, value) : NULL;
            if (said && cJSON_Compare(said, value, 1)) cJSON_DeleteItemFromObjectCaseSensitive(j, keys[k].name);
            cJSON_Delete(said);
        }
        cJSON_AddItemToObject(all, names[sections[i]], j);
    }
    snc_stamp_hash(stamp, "recipe", snc_json_hash(0, all));
    close_recipe(&r);
    return SNC_OK;
}
