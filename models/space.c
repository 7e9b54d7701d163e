/* The options of a model: derived, laid out, checked; the shapes that are drawn from them. */
#include "models/space_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "models/family/family.h"
#include "quant/int4.h"

static void dtype_gene(snc_gene *g, snc_dtype a, snc_dtype b)
{
    *g = (snc_gene){.kind = SNC_GENE_DTYPE, .layer = -1, .n = a == b ? 1 : 2, .value = {(int)a, (int)b}};
}

/* From min to max, and 0 before them if it is asked for. */
static void width_gene(snc_gene *g, snc_gene_kind kind, int min, int max, int step, bool zero)
{
    *g = (snc_gene){.kind = kind, .layer = -1, .n = zero};
    while ((max - min) / step + 1 > SNC_MAX_OPTIONS - zero) step *= 2;
    for (int v = max - (max - min) / step * step; v <= max; v += step) g->value[g->n++] = v;
}

/* Granularity of the kernels: 64 input channels and FFN neurons a block, one head; the smallest net is a quarter wide. The wide lists go
 * to an eighth and on to nothing, and halve the block of channels, though an INT8 product pads its inputs to a whole one. */
static void derive(snc_space__lists *t, const snc_arch *full, snc_dtype fp, bool wide)
{
    int f = full->ffn[0], h = full->heads[0], c = full->hidden, least = wide ? 8 : 4, block = wide ? 32 : 64;
    int fstep = f % 64 == 0 ? (f >= 512 ? 64 : f / 8 > 0 ? f / 8 : 1) : f / 8 > 0 ? f / 8 : 1;
    int cstep = c % block == 0 && c > 64 ? block : c;
    int cleast = wide ? c / 2 : c * 2 / 3;
    width_gene(&t->depth, SNC_GENE_DEPTH, wide ? (full->layers + 2) / 3 : (full->layers + 1) / 2, full->layers, 1, false);
    width_gene(&t->hidden, SNC_GENE_HIDDEN, c > 2 * cstep ? cleast : c, c, cstep, false);
    width_gene(&t->heads, SNC_GENE_HEADS, (h + least - 1) / least, h, 1, wide);
    width_gene(&t->ffn, SNC_GENE_FFN, (f + least - 1) / least, f, fstep, wide);
    t->single = t->always[full->layers - 1] = wide; /* whose attention gathers what the classifier reads */
    dtype_gene(&t->linear, SNC_I8, fp);
    dtype_gene(&t->pooler, SNC_I8, fp);
    dtype_gene(&t->classifier, SNC_F32, SNC_F32);
    dtype_gene(&t->embed, SNC_I8, SNC_I8);
}

static bool offers(const snc_gene *g, int v)
{
    bool yes = false;
    for (int i = 0; i < g->n; i++) yes = yes || g->value[i] == v;
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
               offers(&t->linear, SNC_I4) || offers(&t->pooler, SNC_I4) || offers(&t->classifier, SNC_I4) ||
                   (offers(&t->embed, SNC_I4) && !c->embedding)},
              {"heads", &t->heads, c->head_width, offers(&t->linear, SNC_I4)},
              {"ffn", &t->ffn, 1, offers(&t->linear, SNC_I4)}};
    for (size_t k = 0; k < sizeof of / sizeof of[0]; k++)
        for (int i = 0; i < of[k].g->n && of[k].asked; i++)
            SNC_CHECK(of[k].g->value[i] * of[k].unit % SNC_INT4_GROUP == 0, SNC_E_SHAPE,
                      "%s: '%s' has %d: int4 needs widths in multiples of %d", where, of[k].key, of[k].g->value[i] * of[k].unit,
                      SNC_INT4_GROUP);
    SNC_CHECK(!offers(&t->embed, SNC_I4) || c->embedding % SNC_INT4_GROUP == 0, SNC_E_SHAPE,
              "%s: 'embed' has int4, but tables of %d columns: expected a multiple of %d", where, c->embedding, SNC_INT4_GROUP);
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

/* Leaves hidden sizes that heads can fill; of those that a file lists, all must be such. */
static snc_err keep_to_folder(snc_space__lists *t, const snc_encoder_config *c, bool listed, const char *where)
{
    const snc_family *f = snc_family_of(c);
    const snc_gene all = t->hidden;
    const int D = c->head_width, least = t->heads.value[t->heads.value[0] == 0];
    SNC_CHECK(f->architecture, SNC_E_UNSUPPORTED, "%s: no Hugging Face folder is written of %s; --to onnx can", where, f->type);
    SNC_CHECK(snc_family_shared(f) == SNC_ROLES, SNC_E_UNSUPPORTED,
              "%s: all layers of %s have one %s in a Hugging Face folder, and those of a net come to differ; --to onnx can", where, f->type,
              f->name[snc_family_shared(f)]);
    t->hidden.n = 0;
    for (int i = 0; i < all.n; i++) {
        const int v = all.value[i];
        const bool can = v % D == 0 && (c->embedding != v || f->always_projects);
        SNC_CHECK(can || !listed, SNC_E_ARG, "%s: 'folder' is 'hf', and 'hidden' has %d: expected multiples of a head's width, %d%s", where,
                  v, D, v % D == 0 ? ", but for that of the tables" : "");
        if (can) t->hidden.value[t->hidden.n++] = v;
    }
    SNC_CHECK(t->hidden.n > 0 && least * D <= t->hidden.value[0], SNC_E_ARG,
              "%s: 'folder' is 'hf': no option of 'hidden' has room for %d heads of %d", where, least, D);
    return SNC_OK;
}

/* A layer that every net has whole is offered no 0. */
static snc_gene at_work(const snc_gene *g)
{
    snc_gene x = *g;
    if (x.value[0] == 0) memmove(x.value, x.value + 1, (size_t)--x.n * sizeof x.value[0]);
    return x;
}

static void lay_out(snc_space *s, const snc_space__lists *t)
{
    const snc_gene heads = at_work(&t->heads), ffn = at_work(&t->ffn);
    s->gene[s->genes++] = t->depth;
    s->gene[s->genes++] = t->hidden;
    for (int l = 0; l < s->layers && s->single; l++)
        s->gene[s->genes++] = (snc_gene){.kind = SNC_GENE_LAYER, .layer = l, .n = s->always[l] ? 1 : 2, .value = {s->always[l], 1}};
    for (int l = 0; l < s->layers; l++) {
        const bool always = s->always[l];
        for (int i = 0; i < s->layer_genes; i++) {
            snc_gene *g = &s->gene[s->genes++];
            *g = i == 0 ? (always ? heads : t->heads) : i == 1 ? (always ? ffn : t->ffn) : t->linear;
            g->layer = l;
        }
    }
    s->gene[s->genes++] = t->pooler;
    s->gene[s->genes++] = t->classifier;
    s->gene[s->genes++] = t->embed;
}

static bool may_skip(const snc_space *s, int layer) { return s->gene[snc_space_layer(s, layer)].value[0] == 0; }

/* One that is surely there has them, or all that may be there. */
bool snc_space__works(const snc_space *s, int depth)
{
    int kept[SNC_MAX_LAYERS], n = snc_space_layers(kept, s, depth);
    bool one = false, all = true;
    for (int i = 0; i < n; i++) one = one || (!may_skip(s, kept[i]) && (!s->single || s->always[kept[i]]));
    for (int l = 0; l < s->layers; l++) all = all && !may_skip(s, l);
    return one || all;
}

static snc_err check_work(const snc_space *s, const char *where)
{
    for (int d = 0; d < s->gene[0].n; d++)
        SNC_CHECK(
            snc_space__works(s, d), SNC_E_ARG,
            "%s: at depth %d a net may have no layer at work: 'heads' offers 0 in all it has: name in 'always' one that skips no half",
            where, s->gene[0].value[d]);
    return SNC_OK;
}

snc_err snc_space_from_json(snc_space **out, const snc_encoder_config *cfg, const snc_arch *full, const snc_space_opts *o, const cJSON *j,
                            const char *where)
{
    snc_err err = SNC_OK;
    snc_space *s = NULL;
    snc_space__lists t = {.apart = false};
    bool wide = false;
    for (int l = 1; l < full->layers; l++)
        SNC_CHECK(full->heads[l] == full->heads[0] && full->ffn[l] == full->ffn[0], SNC_E_SHAPE,
                  "search needs a supernet with equal layers: layer %d differs from layer 0", l);
    SNC_CHECK(full->heads[0] > 0 && full->ffn[0] > 0, SNC_E_SHAPE, "search needs a supernet with both halves in its layers");
    SNC_TRY(snc_space__reach(&wide, j, where));
    derive(&t, full, o->fp, wide);
    if (o->int4) offer_int4(&t, cfg, o->int4_tables);
    if (j) SNC_TRY(snc_space__read(&t, j, full, where));
    if (t.hf || o->hf) SNC_TRY(keep_to_folder(&t, cfg, snc_json_at(j, "hidden") != NULL, where));
    SNC_TRY(check_int4(&t, cfg, where));
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    s->layers = full->layers;
    s->full = *full;
    s->per_layer = true;
    s->single = t.single;
    s->head_width = t.hf || o->hf ? cfg->head_width : 0;
    memcpy(s->always, t.always, sizeof s->always);
    s->layer_genes = t.apart ? SNC_MAX_LAYER_GENES : SNC_MAX_LAYER_GENES - 2;
    snprintf(s->rule, sizeof s->rule, "%s", o->depth_rule);
    lay_out(s, &t);
    for (int i = 0; i < s->gene[0].n; i++) SNC_GOTO(snc_space__read_kept(s, i, j, where));
    SNC_GOTO(check_work(s, where));
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
    if (s->head_width) h = snc_bytes_hash(h, &s->head_width, sizeof s->head_width);
    return snc_bytes_hash(h, s->kept, sizeof s->kept);
}

double snc_space_log10_size(const snc_space *s)
{
    double d = 0;
    for (int i = s->single; i < s->genes; i++) d += log10((double)s->gene[i].n); /* a layer's own gene says what depth would */
    return d;
}

int snc_space_free_genes(const snc_space *s)
{
    int n = 0;
    for (int i = s->single; i < s->genes; i++) n += s->gene[i].n > 1;
    return n;
}

/* ---- checks ---- */

static snc_err check_list(const char *name, const snc_gene *g, int least, int limit)
{
    SNC_CHECK(g->n >= 1 && g->n <= SNC_MAX_OPTIONS, SNC_E_ARG, "%s: %d options, expected 1 to %d", name, g->n, SNC_MAX_OPTIONS);
    for (int i = 0; i < g->n; i++) {
        SNC_CHECK(g->value[i] >= least && g->value[i] <= limit, SNC_E_ARG, "%s option %d: expected %d to %d", name, g->value[i], least,
                  limit);
        SNC_CHECK(i == 0 || g->value[i] > g->value[i - 1], SNC_E_ARG, "%s option %d after %d: options must ascend", name, g->value[i],
                  g->value[i - 1]);
    }
    return SNC_OK;
}

snc_err snc_space_check(const snc_space *s, const snc_arch *parent)
{
    const snc_gene *depth = &s->gene[0];
    SNC_CHECK(s->layers == parent->layers, SNC_E_ARG, "space of %d layers: the model has %d", s->layers, parent->layers);
    SNC_TRY(check_list("layers", depth, 1, s->layers));
    for (int d = 0; d < depth->n; d++)
        for (int i = 0, last = -1; i < depth->value[d]; last = s->kept[d][i++])
            SNC_CHECK(s->kept[d][i] > last && s->kept[d][i] < s->layers, SNC_E_ARG,
                      "layers of depth %d: %d after %d: expected ascending, 0 to %d", depth->value[d], s->kept[d][i], last, s->layers - 1);
    SNC_TRY(check_list("hidden", &s->gene[1], 1, parent->hidden));
    for (int l = 0; l < s->layers; l++) {
        SNC_TRY(check_list("heads", &s->gene[snc_space_layer(s, l)], 0, parent->heads[l]));
        SNC_TRY(check_list("ffn", &s->gene[snc_space_layer(s, l) + 1], 0, parent->ffn[l]));
    }
    return check_work(s, "space");
}

/* ---- shapes ---- */

int snc_space_layers(int kept[SNC_MAX_LAYERS], const snc_space *s, int depth_option)
{
    bool in[SNC_MAX_LAYERS] = {false};
    int n = 0;
    for (int i = 0; i < s->gene[0].value[depth_option]; i++) in[s->kept[depth_option][i]] = true;
    for (int l = 0; l < s->layers; l++)
        if (in[l] || (s->single && s->always[l])) kept[n++] = l;
    return n;
}

/* The widest option that there is room for, up to `heads`. */
static int heads_with_room(const snc_space *s, const snc_gene *g, int hidden, int heads)
{
    for (int i = g->n - 1; i >= 0 && !snc_space_has_room(s, hidden, heads); i--)
        if (g->value[i] < heads) heads = g->value[i];
    return heads;
}

/* One layer more, unless it skips both halves. */
static void add_layer(snc_arch *out, int source, int heads, int ffn)
{
    if (heads == 0 && ffn == 0) return;
    out->source[out->layers] = source;
    out->heads[out->layers] = heads;
    out->ffn[out->layers++] = ffn;
}

static int most(const snc_gene *g) { return g->value[g->n - 1]; }
static int least_at_work(const snc_gene *g) { return g->value[g->value[0] == 0]; }

/* All layers of a depth alike: the last option of each width, or the first. */
static void even(snc_arch *out, const snc_space *s, int depth, int (*width)(const snc_gene *g))
{
    int kept[SNC_MAX_LAYERS], n = snc_space_layers(kept, s, depth);
    *out = (snc_arch){.hidden = width(&s->gene[1])};
    for (int i = 0; i < n; i++) {
        const snc_gene *heads = &s->gene[snc_space_layer(s, kept[i])], *ffn = heads + 1;
        add_layer(out, kept[i], heads_with_room(s, heads, out->hidden, width(heads)), width(ffn));
    }
}

void snc_space_largest(snc_arch *out, const snc_space *s) { even(out, s, s->gene[0].n - 1, most); }
void snc_space_smallest(snc_arch *out, const snc_space *s) { even(out, s, 0, least_at_work); }

/* So many layers, those of `always` and any others, each set of them as likely as another. */
static int draw_layers(int kept[SNC_MAX_LAYERS], const snc_space *s, int want, snc_rng *rng)
{
    int n = 0, open = 0, rest = want;
    for (int l = 0; l < s->layers; l++) {
        open += !s->always[l];
        rest -= s->always[l];
    }
    for (int l = 0; l < s->layers; l++) {
        bool take = s->always[l] || (rest > 0 && (int)snc_rng_below(rng, (uint32_t)open) < rest);
        if (take) kept[n++] = l;
        open -= !s->always[l];
        rest -= take && !s->always[l];
    }
    return n;
}

void snc_space_pick(snc_arch *out, const snc_space *s, snc_space_pick_fn pick, void *user, snc_rng *rng)
{
    int kept[SNC_MAX_LAYERS], depth = pick(user, 0), h = -1, f = -1;
    *out = (snc_arch){.hidden = s->gene[1].value[pick(user, 1)]};
    int n = s->single ? draw_layers(kept, s, s->gene[0].value[depth], rng) : snc_space_layers(kept, s, depth);
    for (int i = 0; i < n; i++) {
        const int g = snc_space_layer(s, kept[i]);
        if (s->per_layer || !offers(&s->gene[g], h)) h = s->gene[g].value[pick(user, g)];
        if (s->per_layer || !offers(&s->gene[g + 1], f)) f = s->gene[g + 1].value[pick(user, g + 1)];
        add_layer(out, kept[i], heads_with_room(s, &s->gene[g], out->hidden, h), f);
    }
}

typedef struct uniform {
    const snc_space *s;
    snc_rng *rng;
} uniform;

static int any(void *user, int gene)
{
    const uniform *u = user;
    return (int)snc_rng_below(u->rng, (uint32_t)u->s->gene[gene].n);
}

void snc_space_random(snc_arch *out, const snc_space *s, snc_rng *rng) { snc_space_pick(out, s, any, &(uniform){s, rng}, rng); }
