/* What training is told is what the recipe's file says, key by key; a user's file stands over it, options over both. */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/effort.h"
#include "artifact/option.h"
#include "artifact/recipes.h"
#include "artifact/settle.h"
#include "artifact/stamp.h"
#include "check.h"
#include "files.h"

static scratch dir;
static const char *const sections[] = {"finetune", "supernet", "repair", "augment", "importance", "weights"};

static int set_up(void **state)
{
    (void)state;
    scratch_init(&dir, "artifact_recipes");
    char folder[512];
    snprintf(folder, sizeof folder, "%s/recipes", dir.dir);
    return snc_mkdir(folder);
}

static cJSON *shipped(void)
{
    cJSON *j;
    assert_ok(snc_json_load(&j, SNC_ROOT_DIR "/configs/recipes/default.json"));
    return j;
}

/* A user's folder of configs, with a default recipe of their own. */
static void write_default(const cJSON *j)
{
    char path[600];
    snprintf(path, sizeof path, "%s/recipes/default.json", dir.dir);
    assert_ok(snc_json_save(j, path));
    assert_int_equal(setenv("SNC_CONFIG_DIR", dir.dir, 1), 0);
}

/* A default whose values are known here, whatever the shipped ones are. */
static void use_usual(void)
{
    static const struct {
        const char *key;
        double v;
    } usual[] = {{"epochs", 3},    {"lr", 5e-5}, {"batch_size", 32}, {"warmup", 0.06}, {"clip", 1},
                 {"min_steps", 0}, {"rows", 3},  {"least", 0},       {"alpha", 0.3},   {"random_nets", 2}};
    cJSON *j = shipped();
    for (int s = 0; s < SNC_SECTIONS; s++)
        for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
            cJSON *it = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(j, sections[s]), usual[i].key);
            if (it) cJSON_SetNumberValue(it, usual[i].v);
        }
    cJSON_SetValuestring(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(j, "supernet"), "sampler"), "sandwich");
    write_default(j);
    cJSON_Delete(j);
}

static const char *write_own(const char *text) { return scratch_write(&dir, "own.json", text, strlen(text)); }

/* In bf16, whose half state is said by the file. */
static snc_options options(const char *recipe)
{
    snc_options o = snc_options_defaults;
    o.job.compute = "bf16";
    if (recipe) o.training.recipe = recipe;
    return o;
}

static snc_options applied(const char *recipe)
{
    snc_options o = options(recipe);
    assert_ok(snc_recipe_apply(&o));
    return o;
}

/* What a step is told, as JSON. */
static cJSON *told(const snc_options *o, int section)
{
    snc_train_opts t;
    snc_augment a;
    snc_weights_asked w;
    cJSON *j;
    switch (section) {
    case SNC_SECTION_FINETUNE: assert_ok(snc_recipe_finetune(&t, o, NULL)); break;
    case SNC_SECTION_SUPERNET: assert_ok(snc_recipe_supernet(&t, o, NULL)); break;
    case SNC_SECTION_REPAIR: assert_ok(snc_recipe_repair(&t, o)); break;
    case SNC_SECTION_AUGMENT: assert_ok(snc_recipe_augment(&a, o)); return snc_augment_to_json(&a);
    case SNC_SECTION_WEIGHTS:
        assert_ok(snc_recipe_weights(&w, o));
        j = snc_mixture_to_json(&w.mixture); /* whatever the kind is */
        cJSON_AddStringToObject(j, "kind", w.kind->name);
        return j;
    default: return cJSON_CreateObject(); /* numbers alone */
    }
    return snc_train_opts_to_json(&t);
}

/* Numbers that are for settling, or for the step itself. */
static bool said_apart(const cJSON *it, const snc_options *o, int section)
{
    static const char *const apart[] = {"min_steps", "least", "soft"};
    double v = -1;
    bool listed = false;
    for (int i = 0; i < 3; i++) listed = listed || strcmp(it->string, apart[i]) == 0;
    if (listed) assert_ok(snc_recipe_number(&v, o, (snc_section)section, it->string));
    return listed && v == it->valuedouble;
}

static void compare(const cJSON *file, const snc_options *o)
{
    for (int s = 0; s < SNC_SECTIONS; s++) {
        cJSON *j = told(o, s);
        const cJSON *it;
        assert_true(cJSON_GetArraySize(snc_json_at(file, sections[s])) > 0);
        cJSON_ArrayForEach(it,
                           snc_json_at(file, sections[s])) if (!cJSON_Compare(it, snc_json_at(j, it->string), 1) && !said_apart(it, o, s))
            fail_msg("%s.%s: the file says another value than training is told", sections[s], it->string);
        cJSON_Delete(j);
    }
}

/* Of the registry that a key names a row of, one that is not the shipped file's. */
static const char *other_name(const char *key)
{
    static const char *const names[][2] = {{"kind", "mos"}, {"sampler", "instatune"}, {"hidden_map", "top"}, {"data_sampler", "focal"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], key) == 0) return names[i][1];
    fail_msg("%s: a name of which this test knows no other", key);
    return NULL;
}

/* Of the shipped file, and of one in which every value is another: none of them stands anywhere else. */
static void training_is_told_what_the_default_recipe_says(void **state)
{
    (void)state;
    cJSON *j = shipped(), *it;
    snc_options o = applied(NULL);
    compare(j, &o);
    for (int s = 0; s < SNC_SECTIONS; s++) cJSON_ArrayForEach(it, cJSON_GetObjectItemCaseSensitive(j, sections[s]))
        {
            if (cJSON_IsString(it)) cJSON_SetValuestring(it, other_name(it->string));
            else if (cJSON_IsObject(it)) cJSON_SetNumberValue(it->child, it->child->valuedouble + 1);
            else if (cJSON_IsBool(it)) it->type = cJSON_IsTrue(it) ? cJSON_False : cJSON_True;
            else cJSON_SetNumberValue(it, it->valuedouble == (int)it->valuedouble ? it->valuedouble + 1 : it->valuedouble / 2 + 0.01);
        }
    write_default(j);
    o = applied(NULL);
    compare(j, &o);
    assert_int_equal(unsetenv("SNC_CONFIG_DIR"), 0);
    cJSON_Delete(j);
}

static double number(const snc_options *o, int section, const char *key)
{
    cJSON *j = told(o, section);
    double v = snc_json_number(j, key);
    cJSON_Delete(j);
    return v;
}

static void own_files_and_options_stand_over_it(void **state)
{
    (void)state;
    char path[512];
    use_usual();
    snprintf(path, sizeof path, "%s",
             write_own("{\"supernet\":{\"lr\":2e-4,\"warmup\":0.2,\"clip\":5,\"epochs\":7},\"augment\":{\"replace\":0.5}}"));
    snc_options o = options(path);
    const snc_option *lr = snc_option_row("--supernet-lr", SNC_VERB_COMPRESS),
                     *epochs = snc_option_row("--supernet-epochs", SNC_VERB_COMPRESS);
    o.supernet.epochs = 2;
    assert_ok(snc_recipe_apply(&o));
    assert_true(o.supernet.lr == 2e-4 && snc_option_given(&o, lr) && snc_option_by_recipe(&o, lr)); /* asked for, by the file */
    assert_true(number(&o, SNC_SECTION_SUPERNET, "epochs") == 2 && !snc_option_by_recipe(&o, epochs));
    assert_true(number(&o, SNC_SECTION_SUPERNET, "lr") == 2e-4 && number(&o, SNC_SECTION_SUPERNET, "clip") == 5);
    assert_true(number(&o, SNC_SECTION_SUPERNET, "warmup") == 0.2 && number(&o, SNC_SECTION_AUGMENT, "replace") == 0.5);
    /* of one section and no other, though one option speaks to several */
    assert_true(number(&o, SNC_SECTION_REPAIR, "lr") == 5e-5 && number(&o, SNC_SECTION_FINETUNE, "warmup") == 0.06);
    assert_true(number(&o, SNC_SECTION_REPAIR, "warmup") == 0.06 && number(&o, SNC_SECTION_FINETUNE, "clip") == 1);
    /* which then speaks to all of them */
    o = options(path);
    o.supernet.lr = 3e-4;
    o.training.warmup = 0.5;
    o.training.class_weights = "balanced";
    assert_ok(snc_recipe_apply(&o));
    for (int s = SNC_SECTION_SUPERNET; s <= SNC_SECTION_REPAIR; s++) assert_true(number(&o, s, "lr") == 3e-4);
    for (int s = SNC_SECTION_FINETUNE; s <= SNC_SECTION_REPAIR; s++) {
        cJSON *j = told(&o, s);
        assert_true(snc_json_number(j, "warmup") == 0.5 && cJSON_IsTrue(snc_json_at(j, "balanced")));
        cJSON_Delete(j);
    }
}

static void a_batch_size_is_that_of_all_steps_but_where_another_is_given(void **state)
{
    (void)state;
    snc_options o = options(NULL);
    o.training.batch_size = 16;
    assert_ok(snc_recipe_apply(&o));
    for (int s = SNC_SECTION_FINETUNE; s <= SNC_SECTION_REPAIR; s++) assert_true(number(&o, s, "batch_size") == 16);
    o = options(NULL);
    o.training.batch_size = 16;
    o.supernet.batch_size = 64;
    assert_ok(snc_recipe_apply(&o));
    for (int s = SNC_SECTION_FINETUNE; s <= SNC_SECTION_REPAIR; s++)
        assert_true(number(&o, s, "batch_size") == (s == SNC_SECTION_FINETUNE ? 16 : 64));
}

static void a_sampler_brings_its_number_of_nets(void **state)
{
    (void)state;
    use_usual();
    snc_options o = options(NULL);
    o.supernet.sampler = "instatune";
    assert_ok(snc_recipe_apply(&o));
    assert_true(number(&o, SNC_SECTION_SUPERNET, "random_nets") == 1);
    o = options(write_own("{\"supernet\":{\"random_nets\":5}}"));
    assert_ok(snc_recipe_apply(&o));
    assert_true(number(&o, SNC_SECTION_SUPERNET, "random_nets") == 5); /* of the default's sampler */
    o.supernet.sampler = "instatune";
    assert_true(number(&o, SNC_SECTION_SUPERNET, "random_nets") == 1);
    o = applied(write_own("{\"supernet\":{\"random_nets\":5,\"sampler\":\"instatune\"}}"));
    assert_true(number(&o, SNC_SECTION_SUPERNET, "random_nets") == 5);
}

/* The share of multiply-adds, or else of latency, where the sampler draws to the job's target; else what the recipe says. */
static void a_sampler_aims_at_the_target_of_the_job(void **state)
{
    (void)state;
    use_usual();
    const struct {
        const char *sampler, *macs, *latency;
        double near;
    } jobs[] = {{"target", "0.4x", "0.7x", 0.4}, {"target", NULL, "0.7x", 0.7}, {"target", NULL, "1.5x", 1},
                {"target", NULL, "800us", 0.5},  {"target", NULL, NULL, 0.5},   {"near", "0.4x", "0.7x", 0.5}};
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        snc_train_opts t;
        snc_options o = applied(NULL);
        o.supernet.sampler = jobs[i].sampler;
        o.targets.macs = jobs[i].macs;
        o.targets.latency = jobs[i].latency;
        assert_ok(snc_recipe_supernet(&t, &o, NULL));
        assert_true(t.near == jobs[i].near && strcmp(t.sampler->name, jobs[i].sampler) == 0);
    }
}

/* A supernet that was trained to another target is not up to date, and one whose sampler does not ask is. */
static void what_a_sampler_aims_at_is_stamped(void **state)
{
    (void)state;
    use_usual();
    const snc_section section = SNC_SECTION_SUPERNET;
    const char *samplers[] = {"target", "near"};
    for (int i = 0; i < 2; i++) {
        cJSON *stamps[] = {cJSON_CreateObject(), cJSON_CreateObject()};
        snc_options o = applied(NULL);
        o.supernet.sampler = samplers[i];
        for (int k = 0; k < 2; k++) {
            cJSON_AddObjectToObject(stamps[k], "inputs");
            o.targets.macs = k ? "0.4x" : "0.6x";
            assert_ok(snc_recipe_stamp(stamps[k], &o, &section, 1));
        }
        assert_true(cJSON_Compare(stamps[0], stamps[1], 1) == (i == 1));
        for (int k = 0; k < 2; k++) cJSON_Delete(stamps[k]);
    }
}

/* Of a file and of options over it. */
static void weights_are_of_the_kind_that_is_asked_for(void **state)
{
    (void)state;
    use_usual();
    snc_weights_asked w;
    snc_options o = applied(NULL);
    assert_ok(snc_recipe_weights(&w, &o));
    assert_true(w.kind == &snc_source_dense && !snc_option_given(&o, snc_option_row("--experts", SNC_VERB_COMPRESS)));
    const char *own = write_own("{\"weights\":{\"kind\":\"mos\",\"experts\":4,\"neuron\":true}}");
    o = applied(own);
    assert_ok(snc_recipe_weights(&w, &o));
    assert_true(w.kind == &snc_source_mos && w.mixture.experts == 4 && w.mixture.neuron && !w.mixture.attention && w.mixture.rank == 0);
    o = options(own);
    o.supernet.experts = 3;
    assert_ok(snc_recipe_apply(&o));
    assert_ok(snc_recipe_weights(&w, &o));
    assert_true(w.kind == &snc_source_mos && w.mixture.experts == 3 && w.mixture.neuron);
    o = options(own);
    o.supernet.weights = "dense"; /* switched off for once */
    assert_ok(snc_recipe_apply(&o));
    assert_ok(snc_recipe_weights(&w, &o));
    assert_true(w.kind == &snc_source_dense);
}

static bool same_stamp(const snc_options *a, const snc_options *b, snc_section section, unsigned decides)
{
    char why[SNC_WHY];
    cJSON *x = snc_stamp_new("step", decides, a), *y = snc_stamp_new("step", decides, b);
    assert_ok(snc_recipe_stamp(x, a, &section, 1));
    assert_ok(snc_recipe_stamp(y, b, &section, 1));
    bool same = snc_stamp_same(why, x, y);
    cJSON_Delete(x);
    cJSON_Delete(y);
    return same;
}

/* What is told otherwise is another recipe or another option, and nothing else is. */
static void a_stamp_tells_recipes_apart(void **state)
{
    (void)state;
    use_usual();
    const snc_options plain = applied(NULL);
    snc_options o = applied(write_own("{\"supernet\":{\"clip\":5}}"));
    assert_false(same_stamp(&plain, &o, SNC_SECTION_SUPERNET, SNC_DECIDES_SUPERNET));
    assert_true(same_stamp(&plain, &o, SNC_SECTION_REPAIR, SNC_DECIDES_FILE));
    assert_true(same_stamp(&plain, &o, SNC_SECTION_FINETUNE, SNC_DECIDES_TEACHER));
    o = applied(write_own("{\"repair\":{\"lr\":1e-3}}")); /* no option shows it */
    assert_false(same_stamp(&plain, &o, SNC_SECTION_REPAIR, SNC_DECIDES_FILE));
    assert_true(same_stamp(&plain, &o, SNC_SECTION_SUPERNET, SNC_DECIDES_SUPERNET));
    o = applied(write_own("{\"supernet\":{\"alpha\":0.3,\"clip\":1}}")); /* says the same */
    assert_true(same_stamp(&plain, &o, SNC_SECTION_SUPERNET, SNC_DECIDES_SUPERNET));
    o = options(NULL);
    o.training.warmup = 0.06;
    assert_ok(snc_recipe_apply(&o));
    for (int s = 0; s < SNC_SECTIONS; s++) assert_true(same_stamp(&plain, &o, (snc_section)s, SNC_DECIDES_FILE));
    o = options(write_own("{\"supernet\":{\"warmup\":0.2}}")); /* the option says the shipped value, which now is another */
    snc_options own = o;
    own.training.warmup = 0.06;
    assert_ok(snc_recipe_apply(&o));
    assert_ok(snc_recipe_apply(&own));
    assert_false(same_stamp(&own, &o, SNC_SECTION_SUPERNET, SNC_DECIDES_SUPERNET));
    assert_true(same_stamp(&own, &plain, SNC_SECTION_SUPERNET, SNC_DECIDES_SUPERNET));
}

/* ---- least numbers --------------------------------------------------------------------------------------------------------- */

enum { ROWS = 320, LABELLED = 256 };
static float target[ROWS];
static int64_t start[ROWS + 1];

static snc_dataset few_rows(void)
{
    for (int i = 0; i < ROWS; i++) target[i] = i < LABELLED ? 0 : NAN;
    return (snc_dataset){.n = ROWS, .target = target, .start = start};
}

static void few_rows_are_trained_on_for_as_many_steps_as_the_recipe_says(void **state)
{
    (void)state;
    use_usual();
    const snc_dataset d = few_rows();
    const char *own = "{\"finetune\":{\"min_steps\":100},\"supernet\":{\"min_steps\":200,\"batch_size\":64},"
                      "\"repair\":{\"min_steps\":300},\"augment\":{\"least\":1600}}";
    snc_options o = applied(write_own(own));
    assert_ok(snc_settle(&o, &d));
    assert_true(o.supernet.augment == 5);   /* 1,600 of 320 */
    assert_true(o.training.epochs == 12.5); /* 100 x 32 / 256 */
    assert_true(o.supernet.epochs >= 200 * 64 / 1920.0 && o.supernet.epochs < 200 * 64 / 1920.0 + 0.002);
    assert_true(o.exporting.repair_epochs >= 300 * 32 / 1920.0 && o.exporting.repair_epochs < 300 * 32 / 1920.0 + 0.002);
    assert_true(number(&o, SNC_SECTION_SUPERNET, "epochs") == o.supernet.epochs); /* which is what is told */
    const snc_options once = o;
    assert_ok(snc_settle(&o, &d)); /* and stays */
    assert_true(o.training.epochs == once.training.epochs && o.supernet.augment == once.supernet.augment);
    o = options(write_own(own)); /* what the user says holds, and counts */
    o.training.epochs = 1;
    o.supernet.augment = 1;
    assert_ok(snc_recipe_apply(&o));
    assert_ok(snc_settle(&o, &d));
    assert_true(o.training.epochs == 1 && o.supernet.augment == 1 && o.supernet.epochs == 20);
    o = applied(write_own(own));
    o.job.effort = "quick";
    snc_effort_apply(&o);
    assert_ok(snc_settle(&o, &d));
    assert_true(o.training.epochs == 2 && o.supernet.epochs == 0.5);
    o = applied(NULL); /* enough is enough */
    assert_ok(snc_settle(&o, &d));
    assert_true(o.training.epochs == 3 && o.supernet.epochs == 3 && o.exporting.repair_epochs == 3 && o.supernet.augment == 3);
}

typedef struct wrong_recipe {
    const char *text, *says;
    snc_err code;
} wrong_recipe;

static void check_wrong(const wrong_recipe *wrong, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        snc_options o = options(write_own(wrong[i].text));
        assert_fails(snc_recipe_apply(&o), wrong[i].code, wrong[i].says);
    }
}

static void what_objectives_cannot_do_is_named(void **state)
{
    (void)state;
    static const wrong_recipe wrong[] = {
        {"{\"supernet\":{\"relation_weights\":1}}", "'supernet': unknown key 'relation_weights': nearest is 'relation_weight'",
         SNC_E_FORMAT},
        {"{\"supernet\":{\"relations\":{\"qq\":1}}}", "'relations': unknown key 'qq': nearest is 'qk'; expected some of qk, kk, vv",
         SNC_E_FORMAT},
        {"{\"supernet\":{\"relations\":{\"kk\":-1}}}", "own.json: 'kk'", SNC_E_FORMAT},
        {"{\"supernet\":{\"relations\":1}}", "own.json: 'relations': expected an object", SNC_E_FORMAT},
        {"{\"supernet\":{\"relation_weight\":1,\"relations\":{}}}", "own.json: relation weight 1: 'relations' has none", SNC_E_ARG},
        {"{\"supernet\":{\"hidden_map\":\"tops\"}}",
         "own.json: hidden map 'tops': nearest is 'top'; expected one of source, uniform, top, last", SNC_E_ARG},
        {"{\"supernet\":{\"consistency_weight\":1,\"random_nets\":1}}",
         "consistency weight 1: needs two random nets a step; sampler 'sandwich' draws 1", SNC_E_ARG},
        {"{\"supernet\":{\"consistency_weight\":1,\"sampler\":\"full\"}}", "sampler 'full' draws 0", SNC_E_ARG},
        {"{\"supernet\":{\"momentum_weight\":2,\"sampler\":\"full\"}}",
         "momentum weight 2 beside sampler 'full': there are no subnets to teach", SNC_E_ARG},
        {"{\"supernet\":{\"consistency_weight\":1,\"sampler\":\"subbatch\"}}",
         "consistency weight 1 beside sampler 'subbatch': its nets see other rows each", SNC_E_ARG},
        {"{\"supernet\":{\"momentum\":1}}", "momentum 1: expected 0 or more, and less than 1", SNC_E_ARG},
        {"{\"supernet\":{\"data_sampler\":\"focus\"}}",
         "data sampler 'focus': nearest is 'focal'; expected one of shuffle, focal, pada, confusion", SNC_E_ARG},
        {"{\"supernet\":{\"data_sampler\":\"pada\",\"relation_weight\":1}}",
         "data sampler 'pada' weighs rows by their logits: not beside a relation weight", SNC_E_ARG},
        {"{\"supernet\":{\"group_weight\":-1}}", "own.json: 'group_weight'", SNC_E_FORMAT},
    };
    check_wrong(wrong, sizeof wrong / sizeof *wrong);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const wrong_recipe wrong[] = {
        {"{\"lr\":1}", "own.json: unknown section 'lr': expected some of finetune, supernet, repair, augment, importance, weights",
         SNC_E_FORMAT},
        {"{\"repair\":3}", "'repair': expected an object", SNC_E_FORMAT},
        {"{\"repair\":{\"speed\":1}}", "'repair': unknown key 'speed'", SNC_E_FORMAT},
        {"{\"repair\":{\"sampler\":\"full\"}}", "'repair' has no 'sampler'", SNC_E_FORMAT},
        {"{\"supernet\":{\"join\":1}}", "'supernet' has no 'join'", SNC_E_FORMAT},
        {"{\"supernet\":{\"clip\":null}}", "'supernet': 'clip' is null", SNC_E_FORMAT},
        {"{\"supernet\":{\"clip\":\"much\"}}", "own.json: 'clip'", SNC_E_FORMAT},
        {"{\"supernet\":{\"sampler\":\"burger\"}}", "path sampler 'burger'", SNC_E_ARG},
        {"{\"supernet\":{\"sampler\":\"unifrom\"}}", "path sampler 'unifrom': nearest is 'uniform'; expected one of sandwich, ", SNC_E_ARG},
        {"{\"supernet\":{\"sampler\":\"fair\",\"in_place\":true}}", "the path sampler 'fair' draws no largest net to learn from",
         SNC_E_ARG},
        {"{\"supernet\":{\"sampler\":\"fair\",\"random_nets\":0}}", "0 random nets: the path sampler 'fair' draws no other", SNC_E_ARG},
        {"{\"finetune\":{\"epochs\":2000}}", "own.json: 'epochs' 2000: expected a number from 0 to 1000", SNC_E_ARG},
        {"{\"repair\":{\"alpha\":2}}", "alpha 2: expected 0 to 1", SNC_E_ARG},
        {"{\"repair\":{\"min_steps\":-1}}", "own.json: 'min_steps'", SNC_E_FORMAT},
        {"{\"supernet\":{\"near\":0}}", "near 0: expected a share", SNC_E_ARG},
        {"{\"supernet\":{\"sampler\":\"pss\",\"pools\":0}}", "own.json: 'pools'", SNC_E_FORMAT},
        {"{\"supernet\":{\"sampler\":\"pss\",\"pools\":33}}", "own.json: 'pools'", SNC_E_FORMAT},
        {"{\"supernet\":{\"pool\":4}}", "unknown key 'pool': nearest is 'pools'", SNC_E_FORMAT},
        {"{\"supernet\":{\"relation_weight\":-1}}", "'relation_weight'", SNC_E_FORMAT},
        {"{\"importance\":{\"soft\":2}}", "own.json: 'soft'", SNC_E_FORMAT},
        {"{\"augment\":{\"neighbours\":1.5}}", "own.json: 'neighbours'", SNC_E_FORMAT},
        {"{\"augment\":{\"join\":2}}", "own.json: 'join'", SNC_E_FORMAT},
        {"{\"supernet\":{\"samplers\":\"full\"}}", "'supernet': unknown key 'samplers': nearest is 'sampler'", SNC_E_FORMAT},
        {"{\"weights\":{\"kind\":\"mos\",\"expert\":2}}", "'weights': unknown key 'expert': nearest is 'experts'", SNC_E_FORMAT},
        {"{\"weights\":{\"kind\":\"mix\"}}", "own.json: weights 'mix': expected one of dense, mos", SNC_E_ARG},
        {"{\"weights\":{\"kind\":3}}", "own.json: 'kind'", SNC_E_FORMAT},
        {"{\"weights\":{\"kind\":\"mos\",\"experts\":0}}", "own.json: 'experts'", SNC_E_FORMAT},
        {"{\"weights\":{\"kind\":\"mos\",\"experts\":17}}", "own.json: 'experts'", SNC_E_FORMAT},
        {"{\"weights\":{\"kind\":\"mos\",\"rank\":-1}}", "own.json: 'rank'", SNC_E_FORMAT},
        {"{\"weights\":{\"kind\":\"mos\",\"neuron\":1}}", "own.json: 'neuron'", SNC_E_FORMAT},
        {"{\"weights\":{\"rank\":4}}", "own.json: 'weights': 'rank' makes no sense beside 'kind' 'dense'", SNC_E_ARG},
    };
    check_wrong(wrong, sizeof wrong / sizeof *wrong);
    cJSON *j = shipped();
    cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(j, "repair"), "clip");
    write_default(j);
    snc_options o = options(NULL);
    assert_fails(snc_recipe_apply(&o), SNC_E_FORMAT, "default.json: 'repair' lacks 'clip'");
    cJSON_DeleteItemFromObjectCaseSensitive(j, "augment");
    cJSON_AddNumberToObject(cJSON_GetObjectItemCaseSensitive(j, "repair"), "clip", 1);
    write_default(j);
    assert_fails(snc_recipe_apply(&o), SNC_E_FORMAT, "default.json: 'augment': expected an object");
    cJSON_Delete(j);
    assert_int_equal(unsetenv("SNC_CONFIG_DIR"), 0);
    o = options("none");
    assert_fails(snc_recipe_apply(&o), SNC_E_NOTFOUND, "recipe 'none'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_is_told_what_the_default_recipe_says),
        cmocka_unit_test(own_files_and_options_stand_over_it),
        cmocka_unit_test(a_batch_size_is_that_of_all_steps_but_where_another_is_given),
        cmocka_unit_test(a_sampler_brings_its_number_of_nets),
        cmocka_unit_test(a_sampler_aims_at_the_target_of_the_job),
        cmocka_unit_test(what_a_sampler_aims_at_is_stamped),
        cmocka_unit_test(weights_are_of_the_kind_that_is_asked_for),
        cmocka_unit_test(a_stamp_tells_recipes_apart),
        cmocka_unit_test(few_rows_are_trained_on_for_as_many_steps_as_the_recipe_says),
        cmocka_unit_test(what_objectives_cannot_do_is_named),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
