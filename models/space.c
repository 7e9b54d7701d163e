/* The options of a model: derived, laid out, checked; the shapes that are drawn from them. */
#include "models/space_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "quant/int4.h"

static void dtype_gene(snc_gene *g, snc_dtype a, snc_dtype b)
{
    *g = (snc_gene){.kind = SNC_GENE_DTYPE, .layer = -1, .n = a == b ? 1 : 2, .value = {(int)a, (int)b}};
}

static void width_gene(snc_gene *g, snc_gene_kind kind, int min, int max, int step)
{
    *g = (snc_gene){.kind = kind, .layer = -1};
    while ((max - min) / step + 1 > SNC_MAX_OPTIONS) step *= 2;
    for (int v = max - (max - min) / step * step; v <= max; v += step) g->value[g->n++] = v;
}

/* Granularity of the kernels: 64 input channels and FFN neurons a block, one head; the smallest net is a quarter wide. */
static void derive(snc_space__lists *t, const snc_arch *full, snc_dtype fp)
{
    int f = full->ffn[0], h = full->heads[0];
    int fstep = f % 64 == 0 ? (f >= 512 ? 64 : f / 8 > 0 ? f / 8 : 1) : f / 8 > 0 ? f / 8 : 1;
    int cstep = full->hidden % 64 == 0 && full->hidden > 64 ? 64 : full->hidden;
    width_gene(&t->depth, SNC_GENE_DEPTH, (full->layers + 1) / 2, full->layers, 1);
    width_gene(&t->hidden, SNC_GENE_HIDDEN, full->hidden > 2 * cstep ? full->hidden * 2 / 3 : full->hidden, full->hidden, cstep);
    width_gene(&t->heads, SNC_GENE_HEADS, (h + 3) / 4, h, 1);
    width_gene(&t->ffn, SNC_GENE_FFN, (f + 3) / 4, f, fstep);
    dtype_gene(&t->linear, SNC_I8, fp);
    dtype_gene(&t->pooler, SNC_I8, fp);
    dtype_gene(&t->classifier, SNC_F32, SNC_F32);
    dtype_gene(&t->embed, SNC_I8, SNC_I8);
}

static bool offers(const snc_gene *g, snc_dtype t)
{
    bool yes = false;
    for (int i = 0; i < g->n; i++) yes = yes || g->value[i] == (int)t;
    return yes;
}

/* INT4 takes inputs in whole groups: every width that a matrix may get is one. */
static snc_err check_int4(const snc_space__lists *t, const snc_encoder_config *c, const char *where)
{
    const struct {
        const char *key;
        const snc_gene *g;
        int unit;
        bool asked;
    } of[] = {{"hidden", &t->hidden, 1,
               offers(&t->linear, SNC_I4) || offers(&t->pooler, SNC_I4) || offers(&t->classifier, SNC_I4) || offers(&t->embed, SNC_I4)},
              {"heads", &t->heads, c->head_width, offers(&t->linear, SNC_I4)},
              {"ffn", &t->ffn, 1, offers(&t->linear, SNC_I4)}};
    for (size_t k = 0; k < sizeof of / sizeof of[0]; k++)
        for (int i = 0; i < of[k].g->n && of[k].asked; i++)
            SNC_CHECK(of[k].g->value[i] * of[k].unit % SNC_INT4_GROUP == 0, SNC_E_SHAPE,
                      "%s: '%s' has %d: int4 needs widths in multiples of %d", where, of[k].key, of[k].g->value[i] * of[k].unit,
                      SNC_INT4_GROUP);
    return SNC_OK;
}

static void offer_int4(snc_space__lists *t, const snc_encoder_config *c, bool tables)
{
    snc_space__lists with = *t;
    snc_gene *of[] = {&with.linear, &with.pooler, &with.embed};
    for (size_t i = 0; i < (tables ? 3 : 2); i++) {
        memmove(of[i]->value + 1, of[i]->value, (size_t)of[i]->n++ * sizeof of[i]->value[0]);
        of[i]->value[0] = SNC_I4;
    }
    if (check_int4(&with, c, "space") == SNC_OK) *t = with;
}

static void lay_out(snc_space *s, const snc_space__lists *t)
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

snc_err snc_space_from_json(snc_space **out, const snc_encoder_config *cfg, const snc_arch *full, const snc_space_opts *o, const cJSON *j,
                            const char *where)
{
    snc_err err = SNC_OK;
    snc_space *s = NULL;
    snc_space__lists t = {.apart = false};
    for (int l = 1; l < full->layers; l++)
        SNC_CHECK(full->heads[l] == full->heads[0] && full->ffn[l] == full->ffn[0], SNC_E_SHAPE,
                  "search needs a supernet with equal layers: layer %d differs from layer 0", l);
    derive(&t, full, o->fp);
    if (o->int4) offer_int4(&t, cfg, o->int4_tables);
    if (j) SNC_TRY(snc_space__read(&t, j, full, where));
    SNC_TRY(check_int4(&t, cfg, where));
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    s->layers = full->layers;
    s->full = *full;
    s->per_layer = true;
    s->layer_genes = t.apart ? SNC_MAX_LAYER_GENES : SNC_MAX_LAYER_GENES - 2;
    snprintf(s->rule, sizeof s->rule, "%s", o->depth_rule);
    lay_out(s, &t);
    for (int i = 0; i < s->gene[0].n; i++) SNC_GOTO(snc_space__read_kept(s, i, j, where));
    *out = s;
    s = NULL;
out:
    snc_free(s);
    return err;
}

snc_err snc_space_new(snc_space **out, const snc_encoder_config *cfg, const snc_arch *full, const snc_space_opts *o)
{
    cJSON *file = NULL;
    if (o->path) SNC_TRY(snc_json_load(&file, o->path));
    snc_err err = snc_space_from_json(out, cfg, full, o, file, o->path ? o->path : "space");
    cJSON_Delete(file);
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

/* ---- checks ---- */

static snc_err check_list(const char *name, const snc_gene *g, int limit)
{
    SNC_CHECK(g->n >= 1 && g->n <= SNC_MAX_OPTIONS, SNC_E_ARG, "%s: %d options, expected 1 to %d", name, g->n, SNC_MAX_OPTIONS);
    for (int i = 0; i < g->n; i++) {
        SNC_CHECK(g->value[i] >= 1 && g->value[i] <= limit, SNC_E_ARG, "%s option %d: expected 1 to %d", name, g->value[i], limit);
        SNC_CHECK(i == 0 || g->value[i] > g->value[i - 1], SNC_E_ARG, "%s option %d after %d: options must ascend", name, g->value[i],
                  g->value[i - 1]);
    }
    return SNC_OK;
}

snc_err snc_space_check(const snc_space *s, const snc_arch *parent)
{
    const snc_gene *depth = &s->gene[0];
    SNC_CHECK(s->layers == parent->layers, SNC_E_ARG, "space of %d layers: the model has %d", s->layers, parent->layers);
    SNC_TRY(check_list("layers", depth, s->layers));
    for (int d = 0; d < depth->n; d++)
        for (int i = 0, last = -1; i < depth->value[d]; last = s->kept[d][i++])
            SNC_CHECK(s->kept[d][i] > last && s->kept[d][i] < s->layers, SNC_E_ARG,
                      "layers of depth %d: %d after %d: expected ascending, 0 to %d", depth->value[d], s->kept[d][i], last, s->layers - 1);
    SNC_TRY(check_list("hidden", &s->gene[1], parent->hidden));
    for (int l = 0; l < s->layers; l++) {
        SNC_TRY(check_list("heads", &s->gene[snc_space_layer(s, l)], parent->heads[l]));
        SNC_TRY(check_list("ffn", &s->gene[snc_space_layer(s, l) + 1], parent->ffn[l]));
    }
    return SNC_OK;
}

/* ---- shapes ---- */

/* Depth and hidden width. */
static void start(snc_arch *out, const snc_space *s, int depth, int hidden)
{
    *out = (snc_arch){.layers = s->gene[0].value[depth], .hidden = s->gene[1].value[hidden]};
    memcpy(out->source, s->kept[depth], (size_t)out->layers * sizeof out->source[0]);
}

void snc_space_largest(snc_arch *out, const snc_space *s)
{
    start(out, s, s->gene[0].n - 1, s->gene[1].n - 1);
    for (int i = 0; i < out->layers; i++) {
        const snc_gene *heads = &s->gene[snc_space_layer(s, out->source[i])], *ffn = heads + 1;
        out->heads[i] = heads->value[heads->n - 1];
        out->ffn[i] = ffn->value[ffn->n - 1];
    }
}

void snc_space_smallest(snc_arch *out, const snc_space *s)
{
    start(out, s, 0, 0);
    for (int i = 0; i < out->layers; i++) {
        const snc_gene *heads = &s->gene[snc_space_layer(s, out->source[i])], *ffn = heads + 1;
        out->heads[i] = heads->value[0];
        out->ffn[i] = ffn->value[0];
    }
}

static int draw(snc_rng *rng, const snc_gene *g) { return (int)snc_rng_below(rng, (uint32_t)g->n); }

void snc_space_random(snc_arch *out, const snc_space *s, snc_rng *rng)
{
    int depth = draw(rng, &s->gene[0]), hidden = draw(rng, &s->gene[1]);
    start(out, s, depth, hidden);
    for (int i = 0; i < out->layers; i++) {
        const snc_gene *heads = &s->gene[snc_space_layer(s, out->source[i])], *ffn = heads + 1;
        bool fresh = i == 0 || s->per_layer;
        out->heads[i] = fresh ? heads->value[draw(rng, heads)] : out->heads[0];
        out->ffn[i] = fresh ? ffn->value[draw(rng, ffn)] : out->ffn[0];
    }
}
