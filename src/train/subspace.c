#include "train/subspace.h"

#include <assert.h>
#include <stdio.h>

#include "models/elastic.h"

static int smallest_width(const int *v, int n)
{
    int low = v[0];
    for (int i = 1; i < n; i++)
        if (v[i] < low) low = v[i];
    return low;
}

/* Parts of `full` from `first` to `of` eighths (or quarters ...), rounded down to `step` units, without repeats. */
static int fill_options(int *out, int full, int first, int of, int step)
{
    int n = 0;
    for (int i = first; i < of; i++) {
        int x = full * i / of / step * step;
        if (x > 0 && x < full && (n == 0 || x > out[n - 1])) out[n++] = x;
    }
    out[n++] = full;
    return n;
}

snc_subspace snc_subspace_default(const snc_arch *parent)
{
    int L = parent->layers, ffn = smallest_width(parent->ffn, L);
    snc_subspace s = {.rule = "even", .min_layers = (L + 1) / 2, .max_layers = L, .per_layer = true};
    s.n_hidden = fill_options(s.hidden, parent->hidden, 4, 8, 16);
    s.n_heads = fill_options(s.heads, smallest_width(parent->heads, L), 1, 4, 1);
    s.n_ffn = fill_options(s.ffn, ffn, 1, 4, ffn >= 64 ? 16 : 1);
    return s;
}

static snc_err check_list(const char *name, const int *v, int n, int limit)
{
    SNC_CHECK(n >= 1 && n <= SNC_SUBSPACE_OPTIONS, SNC_E_ARG, "%s: %d options, expected 1 to %d", name, n, SNC_SUBSPACE_OPTIONS);
    for (int i = 0; i < n; i++) {
        SNC_CHECK(v[i] >= 1 && v[i] <= limit, SNC_E_ARG, "%s option %d: expected 1 to %d", name, v[i], limit);
        SNC_CHECK(i == 0 || v[i] > v[i - 1], SNC_E_ARG, "%s option %d after %d: options must ascend", name, v[i], v[i - 1]);
    }
    return SNC_OK;
}

snc_err snc_subspace_check(const snc_subspace *s, const snc_arch *parent)
{
    int L = parent->layers;
    SNC_CHECK(s->min_layers >= 1 && s->min_layers <= s->max_layers && s->max_layers <= L, SNC_E_ARG,
              "layers %d to %d: expected 1 <= min <= max <= %d", s->min_layers, s->max_layers, L);
    int kept[SNC_MAX_LAYERS];
    SNC_TRY(snc_elastic_keep(kept, s->rule, s->min_layers, L));
    SNC_TRY(check_list("hidden", s->hidden, s->n_hidden, parent->hidden));
    SNC_TRY(check_list("heads", s->heads, s->n_heads, smallest_width(parent->heads, L)));
    return check_list("ffn", s->ffn, s->n_ffn, smallest_width(parent->ffn, L));
}

/* The space was checked, so the rule cannot fail. */
static void keep_layers(snc_arch *out, const snc_subspace *s, const snc_arch *parent)
{
    snc_err err = snc_elastic_keep(out->source, s->rule, out->layers, parent->layers);
    assert(err == SNC_OK);
    (void)err;
}

void snc_subspace_pick(snc_arch *out, const snc_subspace *s, const snc_arch *parent, snc_subspace_size size)
{
    bool large = size == SNC_SUBSPACE_LARGEST;
    *out = (snc_arch){.layers = large ? s->max_layers : s->min_layers, .hidden = s->hidden[large ? s->n_hidden - 1 : 0]};
    keep_layers(out, s, parent);
    for (int i = 0; i < out->layers; i++) {
        out->heads[i] = s->heads[large ? s->n_heads - 1 : 0];
        out->ffn[i] = s->ffn[large ? s->n_ffn - 1 : 0];
    }
}

void snc_subspace_random(snc_arch *out, const snc_subspace *s, const snc_arch *parent, snc_rng *rng)
{
    *out = (snc_arch){.layers = s->min_layers + (int)snc_rng_below(rng, (uint32_t)(s->max_layers - s->min_layers + 1))};
    out->hidden = s->hidden[snc_rng_below(rng, (uint32_t)s->n_hidden)];
    keep_layers(out, s, parent);
    for (int i = 0; i < out->layers; i++) {
        bool draw = i == 0 || s->per_layer;
        out->heads[i] = draw ? s->heads[snc_rng_below(rng, (uint32_t)s->n_heads)] : out->heads[0];
        out->ffn[i] = draw ? s->ffn[snc_rng_below(rng, (uint32_t)s->n_ffn)] : out->ffn[0];
    }
}

static cJSON *list_to_json(const int *v, int n) { return cJSON_CreateIntArray(v, n); }

cJSON *snc_subspace_to_json(const snc_subspace *s)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "rule", s->rule);
    cJSON_AddNumberToObject(j, "min_layers", s->min_layers);
    cJSON_AddNumberToObject(j, "max_layers", s->max_layers);
    cJSON_AddItemToObject(j, "hidden", list_to_json(s->hidden, s->n_hidden));
    cJSON_AddItemToObject(j, "heads", list_to_json(s->heads, s->n_heads));
    cJSON_AddItemToObject(j, "ffn", list_to_json(s->ffn, s->n_ffn));
    cJSON_AddBoolToObject(j, "per_layer", s->per_layer);
    return j;
}

static snc_err list_from_json(int *v, int *n, const cJSON *j, const char *key, const char *where)
{
    const cJSON *a = cJSON_GetObjectItemCaseSensitive(j, key), *x;
    if (!a || cJSON_IsNull(a)) return SNC_OK;
    SNC_CHECK(cJSON_IsArray(a) && cJSON_GetArraySize(a) >= 1 && cJSON_GetArraySize(a) <= SNC_SUBSPACE_OPTIONS, SNC_E_FORMAT,
              "%s: %s: expected a list of 1 to %d numbers", where, key, SNC_SUBSPACE_OPTIONS);
    *n = 0;
    cJSON_ArrayForEach(x, a) {
        SNC_CHECK(cJSON_IsNumber(x) && x->valuedouble == (double)x->valueint, SNC_E_FORMAT, "%s: %s: expected whole numbers",
                  where, key);
        v[(*n)++] = x->valueint;
    }
    return SNC_OK;
}

snc_err snc_subspace_from_json(snc_subspace *out, const cJSON *j, const snc_arch *parent, const char *where)
{
    static const char *const keys[] = {"rule", "min_layers", "max_layers", "hidden", "heads", "ffn", "per_layer", NULL};
    SNC_CHECK(cJSON_IsObject(j), SNC_E_FORMAT, "%s: expected an object", where);
    SNC_TRY(snc_json_check_keys(j, keys, where));
    snc_subspace s = snc_subspace_default(parent);
    const char *rule;
    snc_err err;
    SNC_TRY(snc_json_str(&rule, j, "rule", s.rule, where));
    char copy[sizeof s.rule];
    snprintf(copy, sizeof copy, "%s", rule);
    memcpy(s.rule, copy, sizeof copy);
    SNC_TRY(snc_json_int(&s.min_layers, j, "min_layers", s.min_layers, 1, SNC_MAX_LAYERS, where));
    SNC_TRY(snc_json_int(&s.max_layers, j, "max_layers", s.max_layers, 1, SNC_MAX_LAYERS, where));
    SNC_TRY(list_from_json(s.hidden, &s.n_hidden, j, "hidden", where));
    SNC_TRY(list_from_json(s.heads, &s.n_heads, j, "heads", where));
    SNC_TRY(list_from_json(s.ffn, &s.n_ffn, j, "ffn", where));
    SNC_TRY(snc_json_bool(&s.per_layer, j, "per_layer", s.per_layer, where));
    if ((err = snc_subspace_check(&s, parent)) != SNC_OK) return snc_err_prefix(err, where);
    *out = s;
    return SNC_OK;
}
