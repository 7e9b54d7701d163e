/* Which genes a depth masks is asked once; encoding, distance and table are then plain loops over genes. */
#include "search/features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ABSENT = 255 }; /* code of a masked gene where options have no order */

static void mask(bool masked[SNC_MAX_GENES], const snc_features *f, const snc_cfg *c)
{
    bool live[SNC_MAX_GENES];
    snc_cfg_live(live, f->space, c);
    for (int i = 0; i < f->genes; i++) masked[i] = !live[f->gene[i]];
}

void snc_features_init(snc_features *f, const snc_space *s, bool onehot)
{
    memset(f, 0, sizeof *f);
    f->onehot = onehot;
    f->space = s;
    f->by_depth = !s->single;
    for (int g = 0; g < s->genes; g++) {
        int n = s->gene[g].n;
        if (n < 2 || (s->single && g == 0)) continue;
        f->gene[f->genes] = g;
        f->options[f->genes] = n;
        f->unit[f->genes] = s->gene[g].kind == SNC_GENE_DTYPE ? SNC_FEATURE_DTYPE_UNIT : SNC_FEATURE_UNIT;
        f->size[f->genes] = sqrt((double)f->unit[f->genes] / SNC_FEATURE_UNIT / (onehot ? 1 : n - 1));
        f->first[f->genes++] = f->d;
        f->d += onehot ? n : n - 1;
    }
    for (int l = 0; l < s->layers; l++) {
        const snc_gene *own = &s->gene[snc_space_layer(s, l)];
        f->by_depth = f->by_depth && own[0].value[0] > 0 && own[1].value[0] > 0;
    }
    for (int depth = 0; depth < s->gene[0].n && f->by_depth; depth++) {
        const snc_cfg c = {{(uint8_t)depth}};
        mask(f->masked[depth], f, &c);
    }
}

const bool *snc_features_masked(bool buffer[SNC_MAX_GENES], const snc_features *f, const snc_cfg *c)
{
    if (f->by_depth) return f->masked[c->o[0]];
    mask(buffer, f, c);
    return buffer;
}

void snc_features_encode(double *x, const snc_features *f, const snc_cfg *c)
{
    bool buffer[SNC_MAX_GENES];
    const bool *masked = snc_features_masked(buffer, f, c);
    memset(x, 0, (size_t)f->d * sizeof *x);
    for (int i = 0; i < f->genes; i++) {
        int o = c->o[f->gene[i]];
        if (masked[i]) continue;
        if (f->onehot) x[f->first[i] + o] = f->size[i];
        else
            for (int k = 0; k < o; k++) x[f->first[i] + k] = f->size[i];
    }
}

void snc_features_code(uint8_t *code, const snc_features *f, const snc_cfg *c)
{
    bool buffer[SNC_MAX_GENES];
    const bool *masked = snc_features_masked(buffer, f, c);
    for (int i = 0; i < f->genes; i++) {
        int o = c->o[f->gene[i]], last = f->options[i] - 1;
        if (f->onehot) code[i] = masked[i] ? ABSENT : (uint8_t)o;
        else code[i] = masked[i] ? 0 : (uint8_t)((2 * o * f->unit[i] + last) / (2 * last));
    }
}

int snc_features_distance(const snc_features *f, const uint8_t *a, const uint8_t *b)
{
    int d = 0, n = f->genes;
    if (f->onehot) {
        for (int i = 0; i < n; i++) d += a[i] != b[i] ? f->unit[i] : 0;
        return d;
    }
    for (int i = 0; i < n; i++) d += abs(a[i] - b[i]);
    return d;
}

void snc_features_table(snc_feature_table *table, const snc_features *f, const double *w)
{
    for (int i = 0; i < f->genes; i++) {
        const double *own = w + f->first[i];
        table[i][0] = f->onehot ? own[0] * f->size[i] : 0;
        for (int o = 1; o < f->options[i]; o++) table[i][o] = f->onehot ? own[o] * f->size[i] : table[i][o - 1] + own[o - 1] * f->size[i];
    }
}

double snc_features_sum(const snc_features *f, const snc_feature_table *table, const snc_cfg *c)
{
    bool buffer[SNC_MAX_GENES];
    const bool *masked = snc_features_masked(buffer, f, c);
    double sum = 0;
    for (int i = 0; i < f->genes; i++)
        if (!masked[i]) sum += table[i][c->o[f->gene[i]]];
    return sum;
}
