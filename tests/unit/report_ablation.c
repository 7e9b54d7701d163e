/* Shipped ablations are read, and the one of plug-ins has a variant for each. */
#include "candidate/ablation.h"

#include <math.h>
#include <string.h>

#include "artifact/option.h"
#include "artifact/recipes.h"
#include "check.h"
#include "models/source.h"
#include "report/ablation_report.h"
#include "train/sampler.h"

static void open_shipped(snc_ablation *a, snc_options *o, const char *name)
{
    snc_options_init(o);
    assert_int_equal(snc_recipe_apply(o), SNC_OK);
    o->rows.task = "sst2";
    o->study.ablate = name;
    if (snc_ablation_open(a, o)) fail_msg("%s", snc_err_text());
}

static bool has_variant(const snc_ablation *a, const snc_options *o, const char *section, const char *key, const char *value)
{
    bool found = false;
    for (int v = 0; v < a->variants && !found; v++) {
        cJSON *recipe = NULL;
        snc_options one;
        assert_int_equal(snc_ablation_options(&one, a, o, v, 0, 0, false), SNC_OK);
        assert_int_equal(snc_json_parse(&recipe, a->variant[v].recipe, strlen(a->variant[v].recipe), "recipe"), SNC_OK);
        const cJSON *it = snc_json_at(snc_json_at(recipe, section), key);
        found = value ? it && strcmp(cJSON_GetStringValue(it), value) == 0 : it && it->valuedouble > 0;
        cJSON_Delete(recipe);
    }
    return found;
}

static void plugins_have_a_variant_each(void **state)
{
    (void)state;
    snc_ablation a;
    snc_options o;
    const char *name;
    const cJSON *it;
    cJSON *recipe = NULL;
    char path[SNC_CONFIG_PATH];
    open_shipped(&a, &o, "plugins");
    for (int i = 0; (name = snc_sampler_name(i)); i++)
        if (!has_variant(&a, &o, "supernet", "sampler", name)) fail_msg("%s: no variant has the sampler '%s'", a.path, name);
    for (int i = 0; (name = snc_source_name(i)); i++)
        if (!has_variant(&a, &o, "weights", "kind", name)) fail_msg("%s: no variant has the weights '%s'", a.path, name);
    assert_int_equal(snc_config_find(path, "recipe", "default"), SNC_OK);
    assert_int_equal(snc_json_load(&recipe, path), SNC_OK);
    cJSON_ArrayForEach(it, snc_json_at(recipe, "supernet")) /* objectives that are off are turned on by their weights */
        if (strstr(it->string, "_weight") && cJSON_IsNumber(it) && !has_variant(&a, &o, "supernet", it->string, NULL))
            fail_msg("%s: no variant has '%s'", a.path, it->string);
    cJSON_Delete(recipe);
    snc_ablation_close(&a);
}

static void shipped_files_are_read(void **state)
{
    (void)state;
    for (const char *const *name = (const char *const[]){"quick", "recipe", "plugins", NULL}; *name; name++) {
        snc_ablation a;
        snc_options o;
        open_shipped(&a, &o, *name);
        assert_true(a.variants >= 3 && a.seeds == 3);
        snc_ablation_close(&a);
    }
}

static void a_variant_is_the_recipe_with_its_own_over_it(void **state)
{
    (void)state;
    snc_ablation a;
    snc_options o, one;
    snc_train_opts t;
    open_shipped(&a, &o, "quick");
    assert_int_equal(a.seeds, 3);
    assert_int_equal(snc_ablation_stages(&a), 1);
    assert_int_equal(snc_ablation_options(&one, &a, &o, 0, 0, 1, true), SNC_OK);
    assert_int_equal(one.rows.max_train_samples, a.rows);
    assert_int_equal(one.job.seed, 43);
    assert_int_equal(snc_recipe_supernet(&t, &one, NULL), SNC_OK);
    assert_string_equal(t.sampler->name, "instatune");
    assert_true(t.in_place);
    assert_int_equal(snc_ablation_options(&one, &a, &o, 1, 0, 0, false), SNC_OK);
    assert_int_equal(one.rows.max_train_samples, 0);
    assert_int_equal(snc_recipe_supernet(&t, &one, NULL), SNC_OK);
    assert_string_equal(t.sampler->name, "sandwich"); /* that of the variant before it is gone */
    assert_false(t.in_place);
    assert_int_equal(snc_ablation_options(&one, &a, &o, -1, 0, 0, false), SNC_OK);
    assert_int_equal(snc_recipe_repair(&t, &one), SNC_OK);
    assert_true(t.epochs == 0.5);
    snc_ablation_close(&a);
}

/* ---- tables --------------------------------------------------------------------------------------------------------------- */

/* Of two nets; kl NaN: it failed. */
static void add_cell(cJSON *cells, const snc_ablation *a, int seed, int variant, double first, double second, double kl)
{
    cJSON *j = cJSON_CreateObject(), *nets = cJSON_AddArrayToObject(j, "nets");
    cJSON_AddStringToObject(j, "stage", "slice");
    cJSON_AddStringToObject(j, "task", a->task[0].name);
    cJSON_AddStringToObject(j, "variant", a->variant[variant].name);
    cJSON_AddNumberToObject(j, "seed", a->seed[seed]);
    cJSON_AddBoolToObject(j, "done", kl > 0);
    for (int i = 0; i < 2; i++) {
        cJSON *net = cJSON_CreateObject();
        cJSON_AddNumberToObject(net, "kl", kl);
        cJSON_AddNumberToObject(net, "score", i ? second : first);
        cJSON_AddItemToArray(nets, net);
    }
    cJSON_AddItemToArray(cells, j);
}

static const cJSON *row_of(const cJSON *facts, const char *variant)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, snc_json_at(facts, "rows")) if (strcmp(snc_json_text(it, "variant"), variant) == 0) return it;
    return NULL;
}

/* Seeds 42, 43, 44 of `plain`; `default` lacks one; `in-place` has no variance at all. By hand: differences of default are
 * (+1, +3) and (+2, +4) points, of seeds 2 and 3, of nets 1.5 and 3.5: standard errors 0.5 and 1. */
static void differences_are_paired_by_seed_and_net(void **state)
{
    (void)state;
    snc_ablation a;
    snc_options o;
    bool goes_on[SNC_ABLATION_VARIANTS];
    cJSON *cells = cJSON_CreateArray();
    open_shipped(&a, &o, "quick");
    for (int k = 0; k < 3; k++) add_cell(cells, &a, k, 0, 0.80 + 0.01 * k, 0.90, 0.2);
    add_cell(cells, &a, 0, 1, 0.81, 0.93, 0.1);
    add_cell(cells, &a, 1, 1, 0.83, 0.94, 0.1);
    add_cell(cells, &a, 2, 1, 0.50, 0.50, (double)NAN);
    for (int k = 0; k < 3; k++) add_cell(cells, &a, k, 2, 0.81 + 0.01 * k, 0.91, 0.3);
    cJSON *facts = snc_ablation_facts(&a, cells);
    const cJSON *row = row_of(facts, "default"), *score = snc_json_at(snc_json_at(row, "against_first"), "score");
    assert_true(snc_json_number(row, "seeds") == 2 && snc_json_number(row, "seeds_asked") == 3);
    assert_float_equal(cJSON_GetArrayItem(snc_json_at(score, "points"), 0)->valuedouble, 2.5, 1e-9);
    assert_float_equal(snc_json_number(score, "seeds_se"), 0.5, 1e-9);
    assert_float_equal(snc_json_number(score, "nets_se"), 1.0, 1e-9);
    /* Welch and Satterthwaite: (1 + 0.25)^2 / (1 + 0.0625) = 1.47 degrees of freedom, taken as one: t = 12.706 */
    assert_float_equal(cJSON_GetArrayItem(snc_json_at(score, "points"), 1)->valuedouble, -11.706, 1e-2); /* 2.5 - 12.706 sqrt(1.25) */
    score = snc_json_at(snc_json_at(row_of(facts, "in-place"), "against_first"), "score");
    assert_float_equal(cJSON_GetArrayItem(snc_json_at(score, "points"), 1)->valuedouble, 1, 1e-9);
    assert_null(snc_json_at(row_of(facts, "plain"), "against_first"));
    a.go_on = 2;
    snc_ablation_choose(goes_on, &a, cells);
    assert_true(goes_on[0] && !goes_on[1] && goes_on[2]); /* one that lost a seed does not go on */
    cJSON_Delete(facts);
    cJSON_Delete(cells);
    snc_ablation_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plugins_have_a_variant_each),
        cmocka_unit_test(shipped_files_are_read),
        cmocka_unit_test(a_variant_is_the_recipe_with_its_own_over_it),
        cmocka_unit_test(differences_are_paired_by_seed_and_net),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
