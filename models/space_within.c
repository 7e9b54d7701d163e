/* A space cut down to the nets that begin a given one, in any way or by their depth alone. */
#include <string.h>

#include "base/mem.h"
#include "base/minmax.h"
#include "models/elastic.h"
#include "models/space_priv.h"

/* Options up to `most`, at least the first. */
static void up_to(snc_gene *g, int most)
{
    while (g->n > 1 && g->value[g->n - 1] > most) g->n--;
}

static void only(snc_gene *g, int value)
{
    g->n = 1;
    g->value[0] = value;
}

static bool all_kept(const int *kept, int n, const snc_arch *a)
{
    int found = 0;
    for (int i = 0; i < n; i++)
        for (int l = 0; l < a->layers; l++) found += a->source[l] == kept[i];
    return found == n;
}

/* The depths under a's, where they keep none but its layers as they are, else by the rule among these; then its own. */
static snc_err within_depths(snc_space *s, const snc_space *of, const snc_arch *a)
{
    snc_gene *g = &s->gene[0];
    g->n = 0;
    for (int d = 0; d <= of->gene[0].n; d++) {
        const bool own = d == of->gene[0].n || of->gene[0].value[d] >= a->layers;
        const int n = own ? a->layers : of->gene[0].value[d];
        int *kept = s->kept[g->n];
        g->value[g->n] = n;
        memset(kept, 0, sizeof s->kept[0]);
        if (own) memcpy(kept, a->source, (size_t)n * sizeof *kept);
        else if (all_kept(of->kept[d], n, a)) memcpy(kept, of->kept[d], (size_t)n * sizeof *kept);
        else {
            SNC_TRY(snc_elastic_keep(kept, s->rule, n, a->layers));
            for (int i = 0; i < n; i++) kept[i] = a->source[kept[i]];
        }
        g->n++; /* works() asks for its options */
        if (!own && !snc_space__works(s, g->n - 1)) g->n--;
        if (own) break;
    }
    return SNC_OK;
}

static void within_layer(snc_space *s, int layer, const snc_arch *a, const snc_policy *p, int at)
{
    snc_gene *g = &s->gene[snc_space_layer(s, layer)];
    const int tied = SNC_MAX_LAYER_GENES - s->layer_genes;
    for (int k = 0; k < s->layer_genes && at < 0; k++) g[k].n = 1; /* of a layer that no net has */
    if (at < 0) return;
    up_to(&g[0], a->heads[at]);
    up_to(&g[1], a->ffn[at]);
    for (int k = 0; k < SNC_SITES; k++)
        if (k == 0 || k > tied) only(&g[2 + (k > tied ? k - tied : 0)], p->linear[at][k]);
}

snc_err snc_space_within(snc_space **out, const snc_space *of, const snc_arch *a, const snc_policy *p)
{
    snc_space *s;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    *s = *of;
    up_to(&s->gene[1], a->hidden);
    for (int l = 0; l < s->layers; l++) {
        int at = a->layers - 1;
        while (at >= 0 && a->source[at] != l) at--;
        within_layer(s, l, a, p, at);
        if (s->single && at < 0) only(&s->gene[snc_space_keeps(l)], 0);
        s->always[l] = s->always[l] && at >= 0;
    }
    only(&s->gene[s->genes - 3], p->pooler);
    only(&s->gene[s->genes - 2], p->classifier);
    only(&s->gene[s->genes - 1], p->embed);
    snc_err err = within_depths(s, of, a);
    if (err) snc_free(s);
    else *out = s;
    return err;
}

/* A layer is there by the depth, not by a gene of its own. */
static void drop_layer_genes(snc_space *s)
{
    if (!s->single) return;
    memmove(&s->gene[2], &s->gene[2 + s->layers], (size_t)(s->genes - 2 - s->layers) * sizeof s->gene[0]);
    s->genes -= s->layers;
    s->single = false;
}

snc_err snc_space_prefixes(snc_space **out, const snc_space *of, const snc_arch *a, const snc_policy *p)
{
    snc_space *s;
    SNC_TRY(snc_space_within(&s, of, a, p));
    drop_layer_genes(s);
    only(&s->gene[1], a->hidden);
    for (int l = 0; l < a->layers; l++) {
        snc_gene *g = &s->gene[snc_space_layer(s, a->source[l])];
        only(&g[0], a->heads[l]);
        only(&g[1], a->ffn[l]);
    }
    s->gene[0].n = 0;
    for (int n = snc_min(of->gene[0].value[0], a->layers); n <= a->layers; n++) {
        const int d = s->gene[0].n;
        s->gene[0].value[d] = n;
        memset(s->kept[d], 0, sizeof s->kept[d]);
        memcpy(s->kept[d], a->source, (size_t)n * sizeof *a->source);
        s->gene[0].n++;
        if (!snc_space__works(s, d)) s->gene[0].n--;
    }
    *out = s;
    return SNC_OK;
}
