/* What a training run is told: checked, and from and to JSON. */
#include "train/budgets.h"
#include "train/schedule.h"
#include "train/trainer.h"

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
    SNC_CHECK(o->hidden_weight >= 0 && o->hidden_weight <= 1e6, SNC_E_ARG, "hidden weight %g: expected 0 to 1e6", o->hidden_weight);
    SNC_CHECK(o->relation_weight >= 0 && o->relation_weight <= 1e6, SNC_E_ARG, "relation weight %g: expected 0 to 1e6", o->relation_weight);
    SNC_TRY(snc_sampler_check(o->sampler, o->random_nets, o->in_place));
    SNC_CHECK(o->near > 0 && o->near <= 1, SNC_E_ARG, "near %g: expected a share of multiply-adds, above 0 and at most 1", o->near);
    SNC_CHECK(o->max_steps >= 0, SNC_E_ARG, "max steps %lld: expected at least 0", (long long)o->max_steps);
    SNC_CHECK(o->checkpoint_every >= 0, SNC_E_ARG, "checkpoint every %d steps: expected at least 0", o->checkpoint_every);
    return SNC_OK;
}

snc_err snc_train_opts_from_json(snc_train_opts *out, const cJSON *j, const char *where)
{
    static const char *const keys[] = {"epochs",      "batch_size",        "lr",       "warmup",      "weight_decay",  "clip",
                                       "dropout",     "subnet_dropout",    "alpha",    "temperature", "hidden_weight", "sampler",
                                       "random_nets", "balanced",          "in_place", "lazy_rows",   "half_state",    "relation_weight",
                                       "near",        "largest_by_labels", "pools",    NULL};
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
    const char *name;
    SNC_TRY(snc_json_str(&name, j, "sampler", out->sampler->name, where));
    snc_err err = snc_sampler_find(&o.sampler, name);
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
    cJSON_AddStringToObject(j, "sampler", o->sampler->name);
    cJSON_AddNumberToObject(j, "random_nets", o->random_nets);
    cJSON_AddNumberToObject(j, "near", o->near);
    if (o->sampler->budgets) cJSON_AddNumberToObject(j, "pools", o->pools);
    cJSON_AddBoolToObject(j, "largest_by_labels", o->largest_by_labels);
    cJSON_AddBoolToObject(j, "balanced", o->balanced);
    cJSON_AddBoolToObject(j, "in_place", o->in_place);
    cJSON_AddBoolToObject(j, "lazy_rows", o->lazy_rows);
    cJSON_AddBoolToObject(j, "half_state", o->half_state);
    return j;
}
