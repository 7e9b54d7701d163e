/* What a training run is told: checked, and from and to JSON. */
#include "base/names.h"
#include "train/budgets.h"
#include "train/schedule.h"
#include "train/trainer.h"

/* Weights of objectives, and what they make no sense beside. */
static snc_err check_objectives(const snc_train_opts *o)
{
    const struct {
        const char *name;
        double v;
    } weights[] = {{"hidden", o->hidden_weight},
                   {"relation", o->relation_weight},
                   {"consistency", o->consistency_weight},
                   {"momentum", o->momentum_weight},
                   {"group", o->group_weight}};
    double relations = 0;
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        SNC_CHECK(weights[i].v >= 0 && weights[i].v <= 1e6, SNC_E_ARG, "%s weight %g: expected 0 to 1e6", weights[i].name, weights[i].v);
    for (int i = 0; i < SNC_RELATES; i++) {
        SNC_CHECK(o->relations[i] >= 0 && o->relations[i] <= 1e6, SNC_E_ARG, "relations: '%s' %g: expected 0 to 1e6", snc_relate_name(i),
                  o->relations[i]);
        relations += o->relations[i];
    }
    SNC_CHECK(relations > 0 || !(o->relation_weight > 0), SNC_E_ARG, "relation weight %g: 'relations' has none", o->relation_weight);
    SNC_CHECK(o->momentum >= 0 && o->momentum < 1, SNC_E_ARG, "momentum %g: expected 0 or more, and less than 1", o->momentum);
    SNC_CHECK(!(o->momentum_weight > 0) || !o->sampler->largest_alone, SNC_E_ARG,
              "momentum weight %g beside sampler '%s': there are no subnets to teach", o->momentum_weight, o->sampler->name);
    SNC_CHECK(!(o->consistency_weight > 0) || (o->random_nets >= 2 && o->sampler->random_nets > 0), SNC_E_ARG,
              "consistency weight %g: needs two random nets a step; sampler '%s' draws %d", o->consistency_weight, o->sampler->name,
              o->sampler->random_nets > 0 ? o->random_nets : 0);
    SNC_CHECK(!(o->consistency_weight > 0) || !o->sampler->parts, SNC_E_ARG,
              "consistency weight %g beside sampler '%s': its nets see other rows each", o->consistency_weight, o->sampler->name);
    return SNC_OK;
}

snc_err snc_train_opts_check(const snc_train_opts *o)
{
    snc_schedule schedule = {.lr = o->lr, .total = 1, .warmup = o->warmup};
    SNC_TRY(snc_schedule_check(&schedule));
    SNC_CHECK(o->epochs > 0 && o->epochs <= 1e6, SNC_E_ARG, "epochs %g: expected a positive number", o->epochs);
    SNC_CHECK(o->batch_size >= 1 && o->batch_size <= 65536, SNC_E_ARG, "batch size %d: expected 1 to 65536", o->batch_size);
    SNC_CHECK(o->weight_decay >= 0 && o->weight_decay <= 1, SNC_E_ARG, "weight decay %g: expected 0 to 1", o->weight_decay);
    SNC_CHECK(o->clip >= 0, SNC_E_ARG, "clip %g: expected a norm, or 0 for none", o->clip);
    SNC_CHECK(o->alpha >= 0 && o->alpha <= 1, SNC_E_ARG, "alpha %g: expected 0 to 1", o->alpha);
    SNC_CHECK(o->temperature > 0 && o->temperature <= 1000, SNC_E_ARG, "temperature %g: expected above 0, at most 1000", o->temperature);
    SNC_TRY(check_objectives(o));
    SNC_TRY(snc_sampler_check(o->sampler, o->random_nets, o->in_place));
    SNC_CHECK(o->near > 0 && o->near <= 1, SNC_E_ARG, "near %g: expected a share of multiply-adds, above 0 and at most 1", o->near);
    SNC_CHECK(!o->data_sampler->weighs || !(o->hidden_weight > 0 || o->relation_weight > 0), SNC_E_ARG,
              "data sampler '%s' weighs rows by their logits: not beside a %s weight", o->data_sampler->name,
              o->hidden_weight > 0 ? "hidden" : "relation");
    SNC_CHECK(o->max_steps >= 0, SNC_E_ARG, "max steps %lld: expected at least 0", (long long)o->max_steps);
    SNC_CHECK(o->checkpoint_every >= 0, SNC_E_ARG, "checkpoint every %d steps: expected at least 0", o->checkpoint_every);
    return SNC_OK;
}

static snc_err relations_from_json(double *out, const cJSON *j, const char *where)
{
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(j, "relations"), *it;
    char expected[128];
    if (!all) return SNC_OK;
    SNC_CHECK(cJSON_IsObject(all), SNC_E_FORMAT, "%s: 'relations': expected an object", where);
    cJSON_ArrayForEach(it, all)
    {
        snc_names_expected(expected, sizeof expected, snc_relate_name, it->string, "some");
        SNC_CHECK(snc_names_find(snc_relate_name, it->string) >= 0, SNC_E_FORMAT, "%s: 'relations': unknown key '%.40s': %s", where,
                  it->string, expected);
    }
    for (int i = 0; i < SNC_RELATES; i++) SNC_TRY(snc_json_double(&out[i], all, snc_relate_name(i), 0, 0, 1e6, where));
    return SNC_OK;
}

static snc_err map_from_json(snc_hidden_map *out, const cJSON *j, const char *where)
{
    const char *name;
    char expected[128];
    SNC_TRY(snc_json_str(&name, j, "hidden_map", snc_hidden_map_name((int)*out), where));
    const int i = snc_names_find(snc_hidden_map_name, name);
    snc_names_expected(expected, sizeof expected, snc_hidden_map_name, name, "one");
    SNC_CHECK(i >= 0, SNC_E_ARG, "%s: hidden map '%.40s': %s", where, name, expected);
    *out = (snc_hidden_map)i;
    return SNC_OK;
}

/* clang-format off */
static const char *const keys[] = {"epochs", "batch_size", "lr", "warmup", "weight_decay", "clip", "dropout", "subnet_dropout",
    "alpha", "temperature", "hidden_weight", "sampler", "random_nets", "balanced", "in_place", "lazy_rows", "half_state",
    "relation_weight", "near", "largest_by_labels", "hidden_map", "relations", "consistency_weight", "momentum_weight",
    "momentum", "group_weight", "data_sampler", "pools", NULL};
/* clang-format on */

snc_err snc_train_opts_from_json(snc_train_opts *out, const cJSON *j, const char *where)
{
    SNC_CHECK(cJSON_IsObject(j), SNC_E_FORMAT, "%s: expected an object", where);
    SNC_TRY(snc_json_check_keys(j, keys, where));
    snc_train_opts o = *out;
    struct {
        const char *key;
        double *v;
    } numbers[] = {{"epochs", &o.epochs},
                   {"lr", &o.lr},
                   {"warmup", &o.warmup},
                   {"weight_decay", &o.weight_decay},
                   {"clip", &o.clip},
                   {"alpha", &o.alpha},
                   {"temperature", &o.temperature},
                   {"hidden_weight", &o.hidden_weight},
                   {"relation_weight", &o.relation_weight},
                   {"consistency_weight", &o.consistency_weight},
                   {"momentum_weight", &o.momentum_weight},
                   {"momentum", &o.momentum},
                   {"group_weight", &o.group_weight},
                   {"near", &o.near}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        SNC_TRY(snc_json_double(numbers[i].v, j, numbers[i].key, *numbers[i].v, 0, 1e6, where));
    struct {
        const char *key;
        bool *v;
    } flags[] = {{"dropout", &o.dropout},      {"subnet_dropout", &o.subnet_dropout},
                 {"in_place", &o.in_place},    {"largest_by_labels", &o.largest_by_labels},
                 {"balanced", &o.balanced},    {"lazy_rows", &o.lazy_rows},
                 {"half_state", &o.half_state}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) SNC_TRY(snc_json_bool(flags[i].v, j, flags[i].key, *flags[i].v, where));
    SNC_TRY(snc_json_int(&o.batch_size, j, "batch_size", o.batch_size, 1, 65536, where));
    SNC_TRY(snc_json_int(&o.pools, j, "pools", o.pools, 1, SNC_BUDGETS_MOST, where));
    SNC_TRY(snc_json_int(&o.random_nets, j, "random_nets", o.random_nets, 0, SNC_SAMPLER_MAX - 2, where));
    SNC_TRY(relations_from_json(o.relations, j, where));
    SNC_TRY(map_from_json(&o.hidden_map, j, where));
    const char *name;
    SNC_TRY(snc_json_str(&name, j, "sampler", out->sampler->name, where));
    snc_err err = snc_sampler_find(&o.sampler, name);
    SNC_TRY(snc_json_str(&name, j, "data_sampler", out->data_sampler->name, where));
    if (!err) err = snc_data_sampler_find(&o.data_sampler, name);
    if (!err) err = snc_train_opts_check(&o);
    if (err) return snc_err_prefix(err, where);
    *out = o;
    return SNC_OK;
}

cJSON *snc_train_opts_to_json(const snc_train_opts *o)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "epochs", o->epochs);
    cJSON_AddNumberToObject(j, "batch_size", o->batch_size);
    cJSON_AddNumberToObject(j, "lr", o->lr);
    cJSON_AddNumberToObject(j, "warmup", o->warmup);
    cJSON_AddNumberToObject(j, "weight_decay", o->weight_decay);
    cJSON_AddNumberToObject(j, "clip", o->clip);
    cJSON_AddBoolToObject(j, "dropout", o->dropout);
    cJSON_AddBoolToObject(j, "subnet_dropout", o->subnet_dropout);
    cJSON_AddNumberToObject(j, "alpha", o->alpha);
    cJSON_AddNumberToObject(j, "temperature", o->temperature);
    cJSON_AddNumberToObject(j, "hidden_weight", o->hidden_weight);
    cJSON_AddNumberToObject(j, "relation_weight", o->relation_weight);
    cJSON_AddStringToObject(j, "hidden_map", snc_hidden_map_name((int)o->hidden_map));
    cJSON *relations = cJSON_AddObjectToObject(j, "relations");
    for (int i = 0; i < SNC_RELATES; i++)
        if (o->relations[i] > 0) cJSON_AddNumberToObject(relations, snc_relate_name(i), o->relations[i]);
    cJSON_AddNumberToObject(j, "consistency_weight", o->consistency_weight);
    cJSON_AddNumberToObject(j, "momentum_weight", o->momentum_weight);
    cJSON_AddNumberToObject(j, "momentum", o->momentum);
    cJSON_AddNumberToObject(j, "group_weight", o->group_weight);
    cJSON_AddStringToObject(j, "data_sampler", o->data_sampler->name);
    cJSON_AddStringToObject(j, "sampler", o->sampler->name);
    cJSON_AddNumberToObject(j, "random_nets", o->random_nets);
    cJSON_AddNumberToObject(j, "near", o->near);
    cJSON_AddNumberToObject(j, "pools", o->pools);
    cJSON_AddBoolToObject(j, "largest_by_labels", o->largest_by_labels);
    cJSON_AddBoolToObject(j, "balanced", o->balanced);
    cJSON_AddBoolToObject(j, "in_place", o->in_place);
    cJSON_AddBoolToObject(j, "lazy_rows", o->lazy_rows);
    cJSON_AddBoolToObject(j, "half_state", o->half_state);
    return j;
}

cJSON *snc_train_opts_in_use(const snc_train_opts *o)
{
    const struct {
        const char *key;
        bool used;
    } parts[] = {{"consistency_weight", o->consistency_weight > 0},
                 {"momentum_weight", o->momentum_weight > 0},
                 {"momentum", o->momentum_weight > 0},
                 {"group_weight", o->group_weight > 0},
                 {"hidden_map", o->hidden_weight > 0},
                 {"relations", o->relation_weight > 0},
                 {"pools", o->sampler->budgets},
                 {"data_sampler", o->data_sampler->draw != NULL}};
    cJSON *j = snc_train_opts_to_json(o);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!parts[i].used) cJSON_DeleteItemFromObjectCaseSensitive(j, parts[i].key);
    return j;
}
