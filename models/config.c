/* Configs over a space: canonical form, shape and policy, text. */
#include "models/config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void snc_cfg_canonical(snc_cfg *c, const snc_space *s)
{
    bool kept[SNC_MAX_LAYERS] = {false};
    int depth = s->gene[0].value[c->o[0]];
    for (int i = 0; i < depth; i++) kept[s->kept[c->o[0]][i]] = true;
    for (int l = 0; l < s->layers; l++)
        if (!kept[l]) memset(&c->o[snc_space_layer(s, l)], 0, (size_t)s->layer_genes);
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
        int l = s->kept[c->o[0]][i], g = snc_space_layer(s, l), tied = SNC_MAX_LAYER_GENES - s->layer_genes;
        arch->source[i] = l;
        arch->heads[i] = value_of(s, c, g);
        arch->ffn[i] = value_of(s, c, g + 1);
        for (int k = 0; k < SNC_SITES; k++) policy->linear[i][k] = (uint8_t)value_of(s, c, g + 2 + (k > tied ? k - tied : 0));
    }
    policy->pooler = (uint8_t)value_of(s, c, s->genes - 3);
    policy->classifier = (uint8_t)value_of(s, c, s->genes - 2);
    policy->embed = (uint8_t)value_of(s, c, s->genes - 1);
}

static int option_of(const snc_gene *g, int value)
{
    for (int i = 0; i < g->n; i++)
        if (g->value[i] == value) return i;
    return -1;
}

bool snc_cfg_of_arch(snc_cfg *out, const snc_space *s, const snc_arch *a)
{
    int depth = option_of(&s->gene[0], a->layers), hidden = option_of(&s->gene[1], a->hidden);
    *out = (snc_cfg){{0}};
    if (depth < 0 || hidden < 0 || memcmp(s->kept[depth], a->source, (size_t)a->layers * sizeof a->source[0]) != 0) return false;
    out->o[0] = (uint8_t)depth;
    out->o[1] = (uint8_t)hidden;
    for (int i = 0; i < a->layers; i++) {
        int g = snc_space_layer(s, a->source[i]), heads = option_of(&s->gene[g], a->heads[i]), ffn = option_of(&s->gene[g + 1], a->ffn[i]);
        if (heads < 0 || ffn < 0) return false;
        out->o[g] = (uint8_t)heads;
        out->o[g + 1] = (uint8_t)ffn;
    }
    return true;
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
    snc_cfg_canonical(&c, s);
    return c;
}
