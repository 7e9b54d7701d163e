#include "search/space.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "models/elastic.h"
#include "quant/int4.h"

static int first_gene(const snc_space *s, int layer) { return 2 + layer * s->layer_genes; }

static int by_value(const void *a, const void *b)
{
    int x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Reads a list of whole numbers in [1, max] into g, ascending, without doubles. */
static snc_err read_numbers(snc_gene *g, const cJSON *j, const char *key, int max, const char *where)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(j, key), *it;
    if (!list) return SNC_OK;
    SNC_CHECK(cJSON_IsArray(list) && cJSON_GetArraySize(list) > 0, SNC_E_FORMAT, "%s: '%s' must be a list of numbers", where, key);
    SNC_CHECK(cJSON_GetArraySize(list) <= SNC_MAX_OPTIONS, SNC_E_FORMAT, "%s: '%s' has more than %d options", where, key,
              SNC_MAX_OPTIONS);
    g->n = 0;
    cJSON_ArrayForEach(it, list)
    {
        double v = cJSON_IsNumber(it) ? it->valuedouble : -1;
        SNC_CHECK(v >= 1 && v <= max && floor(v) == v, SNC_E_FORMAT, "%s: '%s' has an option that the model has not got: %g (1 to %d)",
                  where, key, v, max);
        g->value[g->n++] = (int)v;
    }
    qsort(g->value, (size_t)g->n, sizeof g->value[0], by_value);
    for (int i = 1; i < g->n; i++)
        SNC_CHECK(g->value[i] != g->value[i - 1], SNC_E_FORMAT, "%s: '%s' names %d twice", where, key, g->value[i]);
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
                  "%s: '%s' is '%s', expected f32, bf16, int8 or int4",
                  where, key, it->valuestring);
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

/* The layers of a depth option: the file's own list, or the rule's. */
static snc_err read_kept(snc_space *s, int option, const cJSON *j, const char *rule, const char *where)
{
    int depth = s->gene[0].value[option];
    char key[16];
    snprintf(key, sizeof key, "%d", depth);
    const cJSON *lists = j ? cJSON_GetObjectItemCaseSensitive(j, "depth_layers") : NULL;
    const cJSON *list = lists ? cJSON_GetObjectItemCaseSensitive(lists, key) : NULL, *it;
    if (!list) return snc_elastic_keep(s->kept[option], rule, depth, s->layers);
    SNC_CHECK(cJSON_IsArray(list) && cJSON_GetArraySize(list) == depth, SNC_E_FORMAT, "%s: 'depth_layers' of %d must name %d layers", where, depth, depth);
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

typedef struct templates {
    snc_gene depth, hidden, heads, ffn, linear, pooler, classifier, embed;
    bool apart; /* Q, K and V have a gene each */
} templates;

static void dtype_gene(snc_gene *g, snc_dtype a, snc_dtype b)
{
    *g = (snc_gene){.kind = SNC_GENE_DTYPE, .layer = -1, .n = a == b ? 1 : 2, .value = {(int)a, (int)b}};
}

static void width_gene(snc_gene *g, snc_gene_kind kind, int min, int max, int step)
{
    *g = (snc_gene){.kind = kind, .layer = -1};
    while ((max - min) / step + 1 > SNC_MAX_OPTIONS) step *= 2;
    for (int v = max; v >= min && v > 0; v -= step) g->value[g->n++] = v;
    qsort(g->value, (size_t)g->n, sizeof g->value[0], by_value);
}

/* Granularity of the kernels: 64 input channels and FFN neurons a block, one head; the smallest net is a quarter wide. */
static void derive(templates *t, const snc_bert_config *c, const snc_arch *full, snc_dtype fp)
{
    int f = full->ffn[0], h = full->heads[0];
    int fstep = f % 64 == 0 ? (f >= 512 ? 64 : f / 8 > 0 ? f / 8 : 1) : f / 8 > 0 ? f / 8 : 1;
    int cstep = full->hidden % 64 == 0 && full->hidden > 64 ? 64 : full->hidden;
    width_gene(&t->depth, SNC_GENE_DEPTH, (full->layers + 1) / 2, full->layers, 1);
    width_gene(&t->hidden, SNC_GENE_HIDDEN, full->hidden > 2 * cstep ? full->hidden * 2 / 3 : full->hidden, full->hidden, cstep);
    width_gene(&t->heads, SNC_GENE_HEADS, (h + 3) / 4, h, 1);
    width_gene(&t->ffn, SNC_GENE_FFN, (f + 3) / 4, f, fstep);
    (void)c;
    dtype_gene(&t->linear, SNC_I8, fp);
    dtype_gene(&t->pooler, SNC_I8, fp);
    dtype_gene(&t->classifier, SNC_F32, SNC_F32);
    dtype_gene(&t->embed, SNC_I8, SNC_I8);
}

static snc_err read_file(templates *t, cJSON **file, const char *path, const snc_arch *full)
{
    static const char *const keys[] = {"depth", "depth_layers", "hidden", "heads", "ffn", "linear", "qkv", "pooler", "classifier", "embed", NULL};
    SNC_TRY(snc_json_load(file, path));
    SNC_TRY(snc_json_check_keys(*file, keys, path));
    SNC_TRY(read_numbers(&t->depth, *file, "depth", full->layers, path));
    SNC_TRY(check_depth_layers(&t->depth, *file, path));
    SNC_TRY(read_numbers(&t->hidden, *file, "hidden", full->hidden, path));
    SNC_TRY(read_numbers(&t->heads, *file, "heads", full->heads[0], path));
    SNC_TRY(read_numbers(&t->ffn, *file, "ffn", full->ffn[0], path));
    SNC_TRY(read_dtypes(&t->linear, *file, "linear", path));
    const char *qkv = NULL;
    SNC_TRY(snc_json_str(&qkv, *file, "qkv", "tied", path));
    t->apart = strcmp(qkv, "apart") == 0;
    SNC_CHECK(t->apart || strcmp(qkv, "tied") == 0, SNC_E_FORMAT, "%s: 'qkv' is '%s', expected tied or apart", path, qkv);
    SNC_TRY(read_dtypes(&t->pooler, *file, "pooler", path));
    SNC_TRY(read_dtypes(&t->classifier, *file, "classifier", path));
    return read_dtypes(&t->embed, *file, "embed", path);
}

static bool offers(const snc_gene *g, snc_dtype t)
{
    bool yes = false;
    for (int i = 0; i < g->n; i++) yes = yes || g->value[i] == (int)t;
    return yes;
}

/* INT4 takes inputs in whole groups: every width that a matrix may get is one. */
static snc_err check_int4(const templates *t, const snc_bert_config *c, const char *where)
{
    const struct {
        const char *key;
        const snc_gene *g;
        int unit;
        bool asked;
    } of[] = {{"hidden", &t->hidden, 1, offers(&t->linear, SNC_I4) || offers(&t->pooler, SNC_I4) || offers(&t->classifier, SNC_I4) ||
                                            offers(&t->embed, SNC_I4)},
              {"heads", &t->heads, c->head_width, offers(&t->linear, SNC_I4)},
              {"ffn", &t->ffn, 1, offers(&t->linear, SNC_I4)}};
    for (size_t k = 0; k < sizeof of / sizeof of[0]; k++)
        for (int i = 0; i < of[k].g->n && of[k].asked; i++)
            SNC_CHECK(of[k].g->value[i] * of[k].unit % SNC_INT4_GROUP == 0, SNC_E_SHAPE,
                      "%s: '%s' has %d: int4 needs widths in multiples of %d", where, of[k].key, of[k].g->value[i] * of[k].unit,
                      SNC_INT4_GROUP);
    return SNC_OK;
}

static void offer_int4(templates *t, const snc_bert_config *c)
{
    templates with = *t;
    snc_gene *of[] = {&with.linear, &with.pooler, &with.embed};
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        memmove(of[i]->value + 1, of[i]->value, (size_t)of[i]->n++ * sizeof of[i]->value[0]);
        of[i]->value[0] = SNC_I4;
    }
    if (check_int4(&with, c, "space") == SNC_OK) *t = with;
}

static void lay_out(snc_space *s, const templates *t)
{
    s->gene[s->genes++] = t->depth;
    s->gene[s->genes++] = t->hidden;
    for (int l = 0; l < s->layers; l++) {
        for (int i = 0; i < s->layer_genes; i++) {
            snc_gene *g = &s->gene[s->genes++];
            *g = i == 0 ? t->heads : i == 1 ? t->ffn : t->linear;
            g->layer = l;
        }
    }
    s->gene[s->genes++] = t->pooler;
    s->gene[s->genes++] = t->classifier;
    s->gene[s->genes++] = t->embed;
}

snc_err snc_space_new(snc_space **out, const snc_bert_config *cfg, const snc_arch *full, const snc_space_opts *o)
{
    snc_err err = SNC_OK;
    snc_space *s = NULL;
    cJSON *file = NULL;
    templates t = {.apart = false};
    for (int l = 1; l < full->layers; l++)
        SNC_CHECK(full->heads[l] == full->heads[0] && full->ffn[l] == full->ffn[0], SNC_E_SHAPE,
                  "search needs a supernet with equal layers: layer %d differs from layer 0", l);
    derive(&t, cfg, full, o->fp);
    if (o->int4) offer_int4(&t, cfg);
    SNC_GOTO(snc_alloc(&s, 1, sizeof *s));
    s->layers = full->layers;
    s->full = *full;
    if (o->path) SNC_GOTO(read_file(&t, &file, o->path, full));
    SNC_GOTO(check_int4(&t, cfg, o->path ? o->path : "space"));
    s->layer_genes = t.apart ? SNC_MAX_LAYER_GENES : SNC_MAX_LAYER_GENES - 2;
    lay_out(s, &t);
    for (int i = 0; i < s->gene[0].n; i++) SNC_GOTO(read_kept(s, i, file, o->depth_rule, o->path ? o->path : "space"));
    *out = s;
    s = NULL;
out:
    cJSON_Delete(file);
    snc_free(s);
    return err;
}

void snc_space_free(snc_space *s) { snc_free(s); }

uint64_t snc_space_hash(const snc_space *s)
{
    uint64_t h = snc_bytes_hash(0, &s->genes, sizeof s->genes);
    for (int i = 0; i < s->genes; i++) {
        h = snc_bytes_hash(h, &s->gene[i].n, sizeof s->gene[i].n);
        h = snc_bytes_hash(h, s->gene[i].value, (size_t)s->gene[i].n * sizeof s->gene[i].value[0]);
    }
    return snc_bytes_hash(h, s->kept, sizeof s->kept);
}

double snc_space_log10_size(const snc_space *s)
{
    double d = 0;
    for (int i = 0; i < s->genes; i++) d += log10((double)s->gene[i].n);
    return d;
}

int snc_space_free_genes(const snc_space *s)
{
    int n = 0;
    for (int i = 0; i < s->genes; i++) n += s->gene[i].n > 1;
    return n;
}

void snc_cfg_canonical(snc_cfg *c, const snc_space *s)
{
    bool kept[SNC_MAX_LAYERS] = {false};
    int depth = s->gene[0].value[c->o[0]];
    for (int i = 0; i < depth; i++) kept[s->kept[c->o[0]][i]] = true;
    for (int l = 0; l < s->layers; l++)
        if (!kept[l]) memset(&c->o[first_gene(s, l)], 0, (size_t)s->layer_genes);
}

bool snc_cfg_equal(const snc_cfg *a, const snc_cfg *b) { return memcmp(a, b, sizeof *a) == 0; }

static int value_of(const snc_space *s, const snc_cfg *c, int gene) { return s->gene[gene].value[c->o[gene]]; }

void snc_cfg_decode(snc_arch *arch, snc_policy *policy, const snc_space *s, const snc_cfg *c)
{
    memset(arch, 0, sizeof *arch);
    memset(policy, 0, sizeof *policy);
    arch->layers = value_of(s, c, 0);
    arch->hidden = value_of(s, c, 1);
    for (int i = 0; i < arch->layers; i++) {
        int l = s->kept[c->o[0]][i], g = first_gene(s, l), tied = SNC_MAX_LAYER_GENES - s->layer_genes;
        arch->source[i] = l;
        arch->heads[i] = value_of(s, c, g);
        arch->ffn[i] = value_of(s, c, g + 1);
        for (int k = 0; k < SNC_SITES; k++) policy->linear[i][k] = (uint8_t)value_of(s, c, g + 2 + (k > tied ? k - tied : 0));
    }
    policy->pooler = (uint8_t)value_of(s, c, s->genes - 3);
    policy->classifier = (uint8_t)value_of(s, c, s->genes - 2);
    policy->embed = (uint8_t)value_of(s, c, s->genes - 1);
}

void snc_cfg_print(char *buf, size_t size, const snc_space *s, const snc_cfg *c)
{
    size_t at = 0;
    for (int i = 0; i < s->genes && at < size; i++)
        at += (size_t)snprintf(buf + at, size - at, i ? ".%d" : "%d", c->o[i]);
}

snc_err snc_cfg_parse(snc_cfg *out, const snc_space *s, const char *text)
{
    const char *p = text;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < s->genes; i++) {
        char *end;
        long v = strtol(p, &end, 10);
        bool last = i == s->genes - 1;
        SNC_CHECK(end != p && v >= 0 && v < s->gene[i].n && *end == (last ? 0 : '.'), SNC_E_FORMAT,
                  "config '%.60s': gene %d is not one of %d options", text, i, s->gene[i].n);
        out->o[i] = (uint8_t)v;
        p = end + 1;
    }
    snc_cfg_canonical(out, s);
    return SNC_OK;
}

void snc_cfg_cheapest_dtypes(snc_cfg *c, const snc_space *s)
{
    for (int i = 0; i < s->genes; i++)
        if (s->gene[i].kind == SNC_GENE_DTYPE) c->o[i] = 0;
}

snc_cfg snc_cfg_uniform(const snc_space *s, double share, int depth_option)
{
    snc_cfg c = {{0}};
    for (int i = 0; i < s->genes; i++) {
        const snc_gene *g = &s->gene[i];
        for (int k = 0; k < g->n && g->kind == SNC_GENE_DTYPE; k++)
            if (g->value[k] == SNC_I8) c.o[i] = (uint8_t)k;
        if (g->kind != SNC_GENE_HEADS && g->kind != SNC_GENE_FFN) continue;
        double want = share * g->value[g->n - 1];
        int best = 0;
        for (int k = 1; k < g->n; k++)
            if (fabs(g->value[k] - want) < fabs(g->value[best] - want)) best = k;
        c.o[i] = (uint8_t)best;
    }
    c.o[0] = (uint8_t)depth_option;
    c.o[1] = (uint8_t)(s->gene[1].n - 1);
    snc_cfg_canonical(&c, s);
    return c;
}
