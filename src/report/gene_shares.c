/* A table of options, a row an evaluation, is counted column by column. */
#include "report/gene_shares.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/number.h"
#include "base/stats.h"
#include "models/spec.h"
#include "search/runner.h"

typedef struct table {
    snc_gene_shares *s;
    const cJSON *depth_layers;
    int n, sites;    /* evaluations; dtypes of a layer */
    int16_t *option; /* [n][genes]; -1: says nothing */
    bool *best;      /* [n] */
    double *rank;    /* [n], of the loss, ties alike */
} table;

/* ---- genes ---------------------------------------------------------------------------------------------------------- */

static bool kind_of(snc_gene_kind *out, const char *name)
{
    const int kind = name ? snc_names_find(snc_journal_gene, name) : -1;
    if (kind >= 0) *out = (snc_gene_kind)kind;
    return kind >= 0;
}

/* The at-th dtype of a layer that has `of` of them; without a layer the at-th of the net's ends. */
static const char *dtype_name(int layer, int at, int of)
{
    static const char *const ends[] = {"pooler", "classifier", "embed"};
    const int tied = SNC_SITES - of; /* 2: Q, K and V are one */
    if (layer < 0) return ends[at % 3];
    return tied && at == 0 ? SNC_POLICY_TIED : snc_spec_key((snc_site)((at + tied) % SNC_SITES));
}

static void read_options(snc_gene_share *g, const cJSON *options)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, options)
    {
        snc_gene_option *o = &g->option[g->n++];
        if (cJSON_IsString(it)) snprintf(o->name, sizeof o->name, "%s", it->valuestring);
        else snprintf(o->name, sizeof o->name, "%.0f", it->valuedouble);
        o->value = cJSON_IsString(it) ? strncmp(it->valuestring, "int", 3) == 0 : it->valuedouble;
    }
}

static snc_err read_genes(snc_gene_shares *s, int *sites, const cJSON *genes)
{
    const cJSON *it;
    int at = 0;
    *sites = 0;
    SNC_TRY(snc_alloc(&s->gene, (size_t)cJSON_GetArraySize(genes), sizeof *s->gene));
    cJSON_ArrayForEach(it, genes)
    {
        snc_gene_share *g = &s->gene[s->n++];
        const cJSON *options = snc_json_at(it, "options");
        g->layer = snc_json_at(it, "layer") ? (int)snc_json_number(it, "layer") : -1;
        SNC_CHECK(kind_of(&g->kind, snc_json_text(it, "gene")) && g->layer < SNC_MAX_LAYERS && cJSON_GetArraySize(options) > 0 &&
                      cJSON_GetArraySize(options) <= SNC_MAX_OPTIONS,
                  SNC_E_FORMAT, "the journal's gene %d is none of a space", s->n);
        read_options(g, options);
        *sites += g->layer == 0 && g->kind == SNC_GENE_DTYPE;
        if (g->layer >= s->layers) s->layers = g->layer + 1;
    }
    for (int i = 0; i < s->n; i++) {
        snc_gene_share *g = &s->gene[i];
        at = i && g->kind == SNC_GENE_DTYPE && g->layer == g[-1].layer && g[-1].kind == SNC_GENE_DTYPE ? at + 1 : 0;
        g->column = g->kind == SNC_GENE_DTYPE ? dtype_name(g->layer, at, *sites) : snc_journal_gene((int)g->kind);
        if (g->layer < 0) snprintf(g->name, sizeof g->name, "%s", g->column);
        else snprintf(g->name, sizeof g->name, "layer %d %s", g->layer, g->column);
    }
    return SNC_OK;
}

/* ---- evaluations ---------------------------------------------------------------------------------------------------- */

static double value_of(const snc_gene_shares *s, const int16_t *o, int gene) { return s->gene[gene].option[o[gene]].value; }

static snc_err parse(int16_t *o, const snc_gene_shares *s, const char *config)
{
    const char *p = config;
    for (int g = 0; g < s->n; g++) {
        int v = -1;
        const bool there = snc_int_read(&v, p, &p) && v >= 0 && v < s->gene[g].n && *p == (g + 1 < s->n ? '.' : 0);
        SNC_CHECK(there, SNC_E_FORMAT, "the journal's config '%.60s' is not of its genes", config);
        o[g] = (int16_t)v;
        p++;
    }
    return SNC_OK;
}

/* Which layers an evaluation has, with heads or FFN; the genes of the others, and dtypes of halves that are skipped, become -1
 * (models/config.h). */
static void hush(int16_t *o, bool kept[SNC_MAX_LAYERS], const table *t)
{
    const snc_gene_shares *s = t->s;
    const cJSON *it;
    double half[2] = {0, 0}; /* heads and FFN of the layer under way */
    int site = 0;
    memset(kept, 0, SNC_MAX_LAYERS * sizeof *kept);
    cJSON_ArrayForEach(it, cJSON_GetArrayItem(t->depth_layers, o[0])) kept[(int)it->valuedouble] = true;
    for (int g = 0; g < s->n; g++)
        if (s->gene[g].kind == SNC_GENE_LAYER && value_of(s, o, g) == 0) kept[s->gene[g].layer] = false;
    for (int g = 0; g < s->n; g++) {
        const snc_gene_share *x = &s->gene[g];
        if (x->layer < 0 || x->kind == SNC_GENE_LAYER) continue;
        if (x->kind == SNC_GENE_DTYPE) {
            if (!kept[x->layer] || half[site >= t->sites - 2] == 0) o[g] = -1; /* the FFN's two come last */
            site++;
            continue;
        }
        half[x->kind == SNC_GENE_FFN] = value_of(s, o, g);
        site = 0;
        if (!kept[x->layer]) o[g] = -1;
        if (x->kind == SNC_GENE_FFN && half[0] == 0 && half[1] == 0) kept[x->layer] = false;
    }
}

static bool within(const snc_obs *o, const cJSON *limits)
{
    for (int k = 0; k < SNC_COSTS; k++)
        if (snc_obs_cost(o, k) > snc_json_number(limits, snc_cost_key(k))) return false; /* not so of NaN: no limit */
    return true;
}

/* The lowest tenth of v becomes true in best; v is of those alone that `among` says. */
static snc_err mark_best(table *t, const double *loss, const bool *among, int n)
{
    double *v = NULL;
    int m = 0;
    SNC_TRY(snc_alloc(&v, (size_t)t->n, sizeof *v));
    for (int i = 0; i < t->n; i++)
        if (among[i]) v[m++] = loss[i];
    snc_sort(v, m);
    const double most = v[n / 10 - 1 > 0 ? n / 10 - 1 : 0];
    for (int i = 0; i < t->n; i++) {
        t->best[i] = among[i] && loss[i] <= most;
        t->s->best += t->best[i];
    }
    snc_free(v);
    return SNC_OK;
}

/* ---- what is said --------------------------------------------------------------------------------------------------- */

/* Over the evaluations in which the gene says something. */
static double explained(const table *t, int gene)
{
    const snc_gene_share *g = &t->s->gene[gene];
    double sum[SNC_MAX_OPTIONS] = {0}, all = 0, total = 0, apart = 0;
    int count[SNC_MAX_OPTIONS] = {0}, n = 0, options = 0;
    for (int pass = 0; pass < 2; pass++) /* means, then squares around them */
        for (int i = 0; i < t->n; i++) {
            const int o = t->option[(int64_t)i * t->s->n + gene];
            if (o < 0 || g->option[o].all < SNC_GENES_OPTION) continue;
            if (pass) {
                total += (t->rank[i] - all / n) * (t->rank[i] - all / n);
                continue;
            }
            sum[o] += t->rank[i];
            options += count[o]++ == 0;
            all += t->rank[i];
            n++;
        }
    if (options < 2 || total <= 0) return (double)NAN;
    for (int o = 0; o < g->n; o++)
        if (count[o]) apart += count[o] * (sum[o] / count[o] - all / n) * (sum[o] / count[o] - all / n);
    return fmax(0, 1 - (total - apart) / (n - options) * (n - 1) / total);
}

static void count_options(table *t)
{
    for (int i = 0; i < t->n; i++)
        for (int g = 0; g < t->s->n; g++) {
            const int o = t->option[(int64_t)i * t->s->n + g];
            if (o < 0) continue;
            snc_gene_share *x = &t->s->gene[g];
            x->all++;
            x->option[o].all++;
            x->best += t->best[i];
            x->option[o].best += t->best[i];
        }
}

static snc_err fill(table *t, const snc_journal_file *f, const cJSON *limits, double *loss, bool *fits)
{
    snc_gene_shares *s = t->s;
    bool kept[SNC_MAX_LAYERS];
    for (int i = 0; i < f->n; i++) {
        if (!isfinite(f->row[i].o.loss)) continue;
        SNC_TRY(parse(t->option + (int64_t)t->n * s->n, s, f->row[i].config));
        loss[t->n] = f->row[i].o.loss;
        fits[t->n] = within(&f->row[i].o, limits);
        s->within += fits[t->n++];
    }
    s->all = t->n;
    if (s->all < SNC_GENES_NEEDED) return SNC_OK;
    for (int i = 0; i < t->n && s->within < SNC_GENES_WITHIN; i++) fits[i] = true;
    SNC_TRY(mark_best(t, loss, fits, s->within < SNC_GENES_WITHIN ? s->all : s->within));
    SNC_TRY(snc_average_ranks(t->rank, loss, t->n));
    for (int i = 0; i < t->n; i++) {
        hush(t->option + (int64_t)i * s->n, kept, t);
        for (int l = 0; l < s->layers; l++) {
            s->kept_all[l] += kept[l];
            s->kept_best[l] += kept[l] && t->best[i];
        }
    }
    count_options(t);
    for (int g = 0; g < s->n; g++) s->gene[g].explained = explained(t, g);
    return SNC_OK;
}

/* Every layer that is named is one of the model's. */
static snc_err check_layers(const cJSON *depth_layers, const snc_gene_shares *s)
{
    const cJSON *list, *it;
    SNC_CHECK(s->n && s->gene[0].kind == SNC_GENE_DEPTH && cJSON_GetArraySize(depth_layers) == s->gene[0].n, SNC_E_FORMAT,
              "the journal's depths are not those of front.json");
    cJSON_ArrayForEach(list, depth_layers) cJSON_ArrayForEach(it, list)
        SNC_CHECK(it->valuedouble >= 0 && it->valuedouble < SNC_MAX_LAYERS, SNC_E_FORMAT, "front.json: no layer %g", it->valuedouble);
    return SNC_OK;
}

snc_err snc_gene_shares_make(snc_gene_shares *out, const snc_journal_file *f, const cJSON *depth_layers, const cJSON *limits)
{
    snc_err err = SNC_OK;
    const cJSON *genes = snc_json_at(f->meta, "genes");
    table t = {.s = out, .depth_layers = depth_layers};
    double *loss = NULL;
    bool *fits = NULL;
    *out = (snc_gene_shares){0};
    if (!genes || !depth_layers) return SNC_OK;
    SNC_GOTO(read_genes(out, &t.sites, genes));
    SNC_GOTO(check_layers(depth_layers, out));
    SNC_GOTO(snc_alloc(&t.option, (size_t)f->n * (size_t)out->n, sizeof *t.option));
    SNC_GOTO(snc_alloc(&t.best, (size_t)f->n, sizeof *t.best));
    SNC_GOTO(snc_alloc(&t.rank, (size_t)f->n, sizeof *t.rank));
    SNC_GOTO(snc_alloc(&loss, (size_t)f->n, sizeof *loss));
    SNC_GOTO(snc_alloc(&fits, (size_t)f->n, sizeof *fits));
    SNC_GOTO(fill(&t, f, limits, loss, fits));
out:
    snc_free(t.option);
    snc_free(t.best);
    snc_free(t.rank);
    snc_free(loss);
    snc_free(fits);
    if (err) snc_gene_shares_dispose(out);
    return err;
}

void snc_gene_shares_dispose(snc_gene_shares *s)
{
    snc_free(s->gene);
    *s = (snc_gene_shares){0};
}

double snc_gene_share_mean(const snc_gene_share *g, bool best)
{
    double sum = 0;
    for (int o = 0; o < g->n; o++) sum += g->option[o].value * (best ? g->option[o].best : g->option[o].all);
    return sum / (best ? g->best : g->all);
}

int snc_gene_shares_order(int *place, int most, const snc_gene_shares *s)
{
    int n = 0;
    for (int g = 0; g < s->n; g++) {
        int at = n;
        if (!isfinite(s->gene[g].explained)) continue;
        while (at > 0 && s->gene[place[at - 1]].explained < s->gene[g].explained) at--;
        if (at >= most) continue;
        n += n < most;
        for (int k = n - 1; k > at; k--) place[k] = place[k - 1];
        place[at] = g;
    }
    return n;
}
