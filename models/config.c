/* Configs over a space: canonical form, shape and policy, text. */
#include "models/config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int value_of(const snc_space *s, const snc_cfg *c, int gene) { return s->gene[gene].value[c->o[gene]]; }

/* The layers that c keeps, ascending, whatever halves they skip. */
static int kept_of(int kept[SNC_MAX_LAYERS], const snc_space *s, const snc_cfg *c)
{
    int all[SNC_MAX_LAYERS], n = snc_space_layers(all, s, c->o[0]), m = 0;
    for (int i = 0; i < n; i++)
        if (!s->single || value_of(s, c, snc_space_keeps(all[i]))) kept[m++] = all[i];
    return m;
}

void snc_cfg_live(bool *live, const snc_space *s, const snc_cfg *c)
{
    int kept[SNC_MAX_LAYERS], n = kept_of(kept, s, c);
    memset(live, true, (size_t)s->genes * sizeof *live);
    if (s->layers == 0) return; /* genes of no layer */
    memset(live + snc_space_layer(s, 0), false, (size_t)(s->layers * s->layer_genes) * sizeof *live);
    for (int i = 0; i < n; i++) {
        int g = snc_space_layer(s, kept[i]), ffn = s->layer_genes - 2; /* the last two are the FFN's matrices */
        for (int k = 0; k < s->layer_genes; k++) live[g + k] = k < 2 || value_of(s, c, k < ffn ? g : g + 1) > 0;
    }
}

static bool idle(const snc_space *s, const snc_cfg *c, int layer)
{
    int g = snc_space_layer(s, layer);
    return value_of(s, c, g) == 0 && value_of(s, c, g + 1) == 0;
}

/* From a depth to the genes of layers. */
static void choose_singly(snc_cfg *c, const snc_space *s)
{
    const int least = s->gene[0].value[0];
    int kept[SNC_MAX_LAYERS], n = kept_of(kept, s, c), left = n;
    bool in[SNC_MAX_LAYERS] = {false};
    for (int i = 0; i < n; i++) in[kept[i]] = true;
    for (int i = n - 1; i >= 0 && left > least; i--) {
        in[kept[i]] = !idle(s, c, kept[i]);
        left -= !in[kept[i]];
    }
    for (int i = least - 1; i >= 0 && left < least; i--) {
        left += !in[s->kept[0][i]];
        in[s->kept[0][i]] = true;
    }
    for (int l = 0; l < s->layers; l++) c->o[snc_space_keeps(l)] = (uint8_t)(in[l] && !s->always[l]); /* of which there is one option */
    c->o[0] = (uint8_t)(s->gene[0].n - 1);
}

/* As many heads as the hidden size has room for. */
static void fit_heads(snc_cfg *c, const snc_space *s)
{
    for (int l = 0; l < s->layers && s->head_width; l++) {
        const int g = snc_space_layer(s, l);
        while (c->o[g] > 0 && !snc_space_has_room(s, value_of(s, c, 1), value_of(s, c, g))) c->o[g]--;
    }
}

void snc_cfg_canonical(snc_cfg *c, const snc_space *s)
{
    bool live[SNC_MAX_GENES];
    fit_heads(c, s);
    if (s->single) choose_singly(c, s);
    snc_cfg_live(live, s, c);
    for (int g = 0; g < s->genes; g++) c->o[g] = live[g] ? c->o[g] : 0;
}

bool snc_cfg_equal(const snc_cfg *a, const snc_cfg *b) { return memcmp(a, b, sizeof *a) == 0; }

void snc_cfg_decode(snc_arch *arch, snc_policy *policy, const snc_space *s, const snc_cfg *proposed)
{
    snc_cfg fit = *proposed;
    const snc_cfg *c = &fit;
    fit_heads(&fit, s);
    int kept[SNC_MAX_LAYERS], n = kept_of(kept, s, c);
    memset(arch, 0, sizeof *arch);
    memset(policy, 0, sizeof *policy);
    arch->hidden = value_of(s, c, 1);
    for (int i = 0; i < n; i++) {
        int l = kept[i], g = snc_space_layer(s, l), tied = SNC_MAX_LAYER_GENES - s->layer_genes, at = arch->layers;
        if (idle(s, c, l)) continue;
        arch->source[at] = l;
        arch->heads[at] = value_of(s, c, g);
        arch->ffn[at] = value_of(s, c, g + 1);
        arch->layers++;
        for (int k = 0; k < SNC_SITES; k++)
            policy->linear[at][k] =
                snc_arch_has(arch, at, k) ? (uint8_t)value_of(s, c, g + 2 + (k > tied ? k - tied : 0)) : (uint8_t)SNC_I8;
    }
    policy->pooler = (uint8_t)value_of(s, c, s->genes - 3);
    policy->classifier = (uint8_t)value_of(s, c, s->genes - 2);
    policy->embed = (uint8_t)value_of(s, c, s->genes - 1);
}

static bool set_option(snc_cfg *c, const snc_space *s, int gene, int value)
{
    for (int i = 0; i < s->gene[gene].n; i++)
        if (s->gene[gene].value[i] == value) {
            c->o[gene] = (uint8_t)i;
            return true;
        }
    return false;
}

bool snc_cfg_of_arch(snc_cfg *out, const snc_space *s, const snc_arch *a)
{
    snc_cfg widths = {{0}};
    bool there = set_option(&widths, s, 1, a->hidden);
    for (int i = 0; i < a->layers && there; i++) {
        int l = a->source[i], g = snc_space_layer(s, l);
        there = set_option(&widths, s, g, a->heads[i]) && set_option(&widths, s, g + 1, a->ffn[i]) &&
                (!s->single || set_option(&widths, s, snc_space_keeps(l), 1));
    }
    for (int d = s->single ? s->gene[0].n - 1 : 0; d < s->gene[0].n && there; d++) { /* layers that are missing may be idle */
        snc_arch back;
        snc_policy policy;
        *out = widths;
        out->o[0] = (uint8_t)d;
        snc_cfg_canonical(out, s);
        snc_cfg_decode(&back, &policy, s, out);
        if (snc_arch_equal(&back, a)) return true;
    }
    return false;
}

void snc_cfg_print(char *buf, size_t size, const snc_space *s, const snc_cfg *c)
{
    size_t at = 0;
    for (int i = 0; i < s->genes && at < size; i++) at += (size_t)snprintf(buf + at, size - at, i ? ".%d" : "%d", c->o[i]);
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
        if (g->kind == SNC_GENE_LAYER) c.o[i] = (uint8_t)(g->n - 1);
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

snc_cfg snc_cfg_random(const snc_space *s, snc_rng *r)
{
    snc_cfg c = {{0}};
    for (int i = 0; i < s->genes; i++) c.o[i] = (uint8_t)snc_rng_below(r, (uint32_t)s->gene[i].n);
    if (s->single) c.o[0] = (uint8_t)(s->gene[0].n - 1); /* or layers would be left out twice */
    snc_cfg_canonical(&c, s);
    return c;
}
