/* Spaces as JSON: the lists of options of a file, and what a supernet was trained for. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/elastic.h"
#include "models/space_priv.h"

static int by_value(const void *a, const void *b)
{
    int x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Reads a list of whole numbers in [min, max] into g, ascending, without doubles. */
static snc_err read_numbers(snc_gene *g, const cJSON *j, const char *key, int min, int max, const char *where)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(j, key), *it;
    if (!list) return SNC_OK;
    SNC_CHECK(cJSON_IsArray(list) && cJSON_GetArraySize(list) > 0, SNC_E_FORMAT, "%s: '%s' must be a list of numbers", where, key);
    SNC_CHECK(cJSON_GetArraySize(list) <= SNC_MAX_OPTIONS, SNC_E_FORMAT, "%s: '%s' has more than %d options", where, key, SNC_MAX_OPTIONS);
    g->n = 0;
    cJSON_ArrayForEach(it, list)
    {
        double v = cJSON_IsNumber(it) ? it->valuedouble : -1;
        SNC_CHECK(v >= min && v <= max && floor(v) == v, SNC_E_FORMAT, "%s: '%s' has an option that the model has not got: %g (%d to %d)",
                  where, key, v, min, max);
        g->value[g->n++] = (int)v;
    }
    qsort(g->value, (size_t)g->n, sizeof g->value[0], by_value);
    for (int i = 1; i < g->n; i++)
        SNC_CHECK(g->value[i] != g->value[i - 1], SNC_E_FORMAT, "%s: '%s' names %d twice", where, key, g->value[i]);
    SNC_CHECK(g->value[g->n - 1] > 0, SNC_E_FORMAT, "%s: '%s' offers 0 alone: no layer would have that half", where, key);
    return SNC_OK;
}

static int bits(int dtype) { return snc_dtype_get((snc_dtype)dtype)->bits; }

static snc_err read_dtypes(snc_gene *g, const cJSON *j, const char *key, const char *where)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(j, key), *it;
    if (!list) return SNC_OK;
    SNC_CHECK(cJSON_IsArray(list) && cJSON_GetArraySize(list) > 0 && cJSON_GetArraySize(list) <= 4, SNC_E_FORMAT,
              "%s: '%s' must be a list of dtypes", where, key);
    g->n = 0;
    cJSON_ArrayForEach(it, list)
    {
        snc_dtype t;
        SNC_CHECK(cJSON_IsString(it), SNC_E_FORMAT, "%s: '%s' must be a list of dtypes", where, key);
        bool known = snc_dtype_parse(&t, it->valuestring) == SNC_OK;
        SNC_CHECK(known && (t == SNC_F32 || t == SNC_BF16 || t == SNC_I8 || t == SNC_I4), SNC_E_FORMAT,
                  "%s: '%s' is '%s', expected f32, bf16, int8 or int4", where, key, it->valuestring);
        int at = g->n++; /* cheapest first, whatever the file's order */
        for (; at > 0 && bits(g->value[at - 1]) > bits((int)t); at--) g->value[at] = g->value[at - 1];
        g->value[at] = (int)t;
    }
    for (int i = 1; i < g->n; i++)
        SNC_CHECK(g->value[i] != g->value[i - 1], SNC_E_FORMAT, "%s: '%s' names %s twice", where, key,
                  snc_dtype_get((snc_dtype)g->value[i])->name);
    return SNC_OK;
}

/* Every list of "depth_layers" is of a depth that there is. */
static snc_err check_depth_layers(const snc_gene *depth, const cJSON *j, const char *where)
{
    const cJSON *lists = cJSON_GetObjectItemCaseSensitive(j, "depth_layers"), *it;
    SNC_CHECK(!lists || cJSON_IsObject(lists), SNC_E_FORMAT, "%s: 'depth_layers' must be an object of lists", where);
    cJSON_ArrayForEach(it, lists)
    {
        char key[16] = "";
        for (int i = 0; i < depth->n && strcmp(key, it->string) != 0; i++) snprintf(key, sizeof key, "%d", depth->value[i]);
        SNC_CHECK(strcmp(key, it->string) == 0, SNC_E_FORMAT, "%s: 'depth_layers' has '%.40s', which is no option of 'depth'", where,
                  it->string);
    }
    return SNC_OK;
}

snc_err snc_space__read_kept(snc_space *s, int option, const cJSON *j, const char *where)
{
    int depth = s->gene[0].value[option];
    char key[16];
    snprintf(key, sizeof key, "%d", depth);
    const cJSON *lists = j ? cJSON_GetObjectItemCaseSensitive(j, "depth_layers") : NULL;
    const cJSON *list = lists ? cJSON_GetObjectItemCaseSensitive(lists, key) : NULL, *it;
    if (!list) return snc_elastic_keep(s->kept[option], s->rule, depth, s->layers);
    SNC_CHECK(cJSON_IsArray(list) && cJSON_GetArraySize(list) == depth, SNC_E_FORMAT, "%s: 'depth_layers' of %d must name %d layers", where,
              depth, depth);
    int i = 0, last = -1;
    cJSON_ArrayForEach(it, list)
    {
        int l;
        SNC_TRY(snc_json_whole(&l, it, 0, s->layers - 1, "depth_layers", where));
        SNC_CHECK(l > last, SNC_E_FORMAT, "%s: 'depth_layers' of %d must ascend within 0 to %d", where, depth, s->layers - 1);
        s->kept[option][i++] = last = l;
    }
    return SNC_OK;
}

/* Whether a key has the second of its two values; `is` what it is without the key. */
static snc_err read_choice(bool *is, const cJSON *j, const char *key, const char *first, const char *second, const char *where)
{
    const char *v = NULL;
    SNC_TRY(snc_json_str(&v, j, key, *is ? second : first, where));
    *is = strcmp(v, second) == 0;
    SNC_CHECK(*is || strcmp(v, first) == 0, SNC_E_FORMAT, "%s: '%s' is '%s', expected %s or %s", where, key, v, first, second);
    return SNC_OK;
}

snc_err snc_space__reach(bool *wide, const cJSON *j, const char *where)
{
    *wide = false;
    return j ? read_choice(wide, j, "reach", "plain", "wide", where) : SNC_OK;
}

/* Which layers are chosen singly, and which every net has. */
static snc_err read_layers(snc_space__lists *t, const cJSON *j, int layers, const char *where)
{
    int always[SNC_MAX_LAYERS], n = -1;
    SNC_TRY(read_choice(&t->single, j, "layers", "rule", "single", where));
    SNC_CHECK(!t->single || t->depth.value[t->depth.n - 1] == layers, SNC_E_FORMAT,
              "%s: 'layers' is 'single', and 'depth' ends at %d: a net may keep all %d", where, t->depth.value[t->depth.n - 1], layers);
    SNC_TRY(snc_json_ints(always, &n, layers, j, "always", 0, layers - 1, where));
    if (n < 0) return SNC_OK;
    memset(t->always, 0, sizeof t->always);
    for (int i = 0; i < n; i++) {
        SNC_CHECK(!t->always[always[i]], SNC_E_FORMAT, "%s: 'always' names %d twice", where, always[i]);
        t->always[always[i]] = true;
    }
    return SNC_OK;
}

snc_err snc_space__read(snc_space__lists *t, const cJSON *j, const snc_arch *full, const char *where)
{
    static const char *const keys[] = {"depth",      "depth_layers", "hidden", "heads",  "ffn",    "linear", "qkv", "pooler",
                                       "classifier", "embed",        "reach",  "layers", "always", "folder", NULL};
    SNC_TRY(snc_json_check_keys(j, keys, where));
    SNC_TRY(read_numbers(&t->depth, j, "depth", 1, full->layers, where));
    SNC_TRY(check_depth_layers(&t->depth, j, where));
    SNC_TRY(read_layers(t, j, full->layers, where));
    SNC_TRY(read_numbers(&t->hidden, j, "hidden", 1, full->hidden, where));
    SNC_TRY(read_numbers(&t->heads, j, "heads", 0, full->heads[0], where));
    SNC_TRY(read_numbers(&t->ffn, j, "ffn", 0, full->ffn[0], where));
    SNC_TRY(read_dtypes(&t->linear, j, "linear", where));
    SNC_TRY(read_choice(&t->apart, j, "qkv", "tied", "apart", where));
    SNC_TRY(read_choice(&t->hf, j, "folder", "any", "hf", where));
    SNC_TRY(read_dtypes(&t->pooler, j, "pooler", where));
    SNC_TRY(read_dtypes(&t->classifier, j, "classifier", where));
    return read_dtypes(&t->embed, j, "embed", where);
}

/* ---- what a supernet was trained for ---- */

static const char *const widths[] = {"hidden", "heads", "ffn"};
enum { WIDTHS = sizeof widths / sizeof widths[0] };

/* The options of a width; of a layer's, of the layer that has most: those of `always` miss 0. */
static const snc_gene *options(const snc_space *s, int width)
{
    const snc_gene *most = &s->gene[1];
    for (int l = 0; l < s->layers && width > 0; l++) {
        const snc_gene *g = &s->gene[snc_space_layer(s, l) + width - 1];
        if (l == 0 || g->n > most->n) most = g;
    }
    return most;
}

/* Whether some net has the layer not at all where another has it, or with a half skipped. */
static bool may_miss(const snc_space *s, int layer)
{
    const snc_gene *g = &s->gene[snc_space_layer(s, layer)];
    return g[0].value[0] == 0 || g[1].value[0] == 0 || (s->single && !s->always[layer]);
}

static void add_list(cJSON *j, const char *key, const snc_gene *g) { cJSON_AddItemToObject(j, key, cJSON_CreateIntArray(g->value, g->n)); }

cJSON *snc_space_trained_to_json(const snc_space *s)
{
    cJSON *j = cJSON_CreateObject(), *layers;
    bool miss = false;
    cJSON_AddStringToObject(j, "rule", s->rule);
    layers = cJSON_AddArrayToObject(j, "depth_layers");
    for (int d = 0; d < s->gene[0].n; d++) cJSON_AddItemToArray(layers, cJSON_CreateIntArray(s->kept[d], s->gene[0].value[d]));
    for (int i = 0; i < WIDTHS; i++) add_list(j, widths[i], options(s, i));
    cJSON_AddBoolToObject(j, "per_layer", s->per_layer);
    if (s->head_width) cJSON_AddStringToObject(j, "folder", "hf");
    for (int l = 0; l < s->layers; l++) miss = miss || may_miss(s, l);
    if (!miss) return j;
    cJSON_AddBoolToObject(j, "single", s->single);
    layers = cJSON_AddArrayToObject(j, "always");
    for (int l = 0; l < s->layers; l++)
        if (!may_miss(s, l)) cJSON_AddItemToArray(layers, cJSON_CreateNumber(l));
    return j;
}

static bool holds(const cJSON *list, int v)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, list) if (it->valuedouble == v) return true;
    return false;
}

static bool keeps(const cJSON *lists, const int *kept, int depth)
{
    const cJSON *list;
    cJSON_ArrayForEach(list, lists)
    {
        bool same = cJSON_GetArraySize(list) == depth;
        for (int i = 0; same && i < depth; i++) same = cJSON_GetArrayItem(list, i)->valuedouble == kept[i];
        if (same) return true;
    }
    return false;
}

/* Whether a depth has not got the layer. */
static bool lacks(const snc_space *s, int layer)
{
    int kept[SNC_MAX_LAYERS], with = 0;
    for (int d = 0; d < s->gene[0].n; d++)
        for (int i = 0, n = snc_space_layers(kept, s, d); i < n; i++) with += kept[i] == layer;
    return with < s->gene[0].n;
}

/* Layers as they were trained: by lists, or any of at least so many. */
static snc_err check_layers(const snc_space *s, const cJSON *trained, const char *where)
{
    const cJSON *lists = cJSON_GetObjectItemCaseSensitive(trained, "depth_layers"), *l;
    const bool single = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(trained, "single"));
    SNC_CHECK(!s->single || single, SNC_E_ARG, "%s: was not trained for layers chosen singly: search with the --space it was trained with",
              where);
    for (int d = 0; d < s->gene[0].n; d++)
        SNC_CHECK(single ? s->gene[0].value[d] >= cJSON_GetArraySize(cJSON_GetArrayItem(lists, 0))
                         : keeps(lists, s->kept[d], s->gene[0].value[d]),
                  SNC_E_ARG,
                  "%s: was not trained for these layers at depth %d: search with the --space and --depth-rule it was trained with", where,
                  s->gene[0].value[d]);
    cJSON_ArrayForEach(l, cJSON_GetObjectItemCaseSensitive(trained, "always")) SNC_CHECK(
        !may_miss(s, (int)l->valuedouble) && !(single && lacks(s, (int)l->valuedouble)), SNC_E_ARG,
        "%s: was not trained without both halves of layer %d: search with the --space it was trained with", where, (int)l->valuedouble);
    return SNC_OK;
}

snc_err snc_space_check_trained(const snc_space *s, const cJSON *trained, const char *where)
{
    SNC_TRY(check_layers(s, trained, where));
    for (int i = 0; i < WIDTHS; i++) {
        const snc_gene *g = options(s, i);
        for (int k = 0; k < g->n; k++)
            SNC_CHECK(holds(cJSON_GetObjectItemCaseSensitive(trained, widths[i]), g->value[k]), SNC_E_ARG,
                      "%s: was not trained for %s %d: search with the --space it was trained with", where, widths[i], g->value[k]);
    }
    return SNC_OK;
}
