/* report/gene_shares.h: what a search keeps and what that is worth, from the evaluations of its journal alone.
 *
 *   shares      how often each option of a gene stands in the best evaluations, beside all: the best are the tenth with the lowest loss
 *               of those within the limits; of all, where fewer than SNC_GENES_WITHIN are within
 *   explained   how much of the variance of the loss's ranks lies between the options of one gene rather than within them: Kelley's
 *               epsilon squared (1935), the correlation ratio without its bias, of ranks as in Kruskal and Wallis (1952). Of one gene
 *               at a time it is the simplest form of the functional ANOVA of Hutter, Hoos and Leyton-Brown (2014)
 *
 * A gene counts where it says something: those of a layer that is left out do not, nor the dtypes of a half that is skipped. A searcher
 * asks for what it takes to be good, so this describes its evaluations and is no experiment; genes that go together share what they
 * explain.
 */
#ifndef SNC_REPORT_GENE_SHARES_H
#define SNC_REPORT_GENE_SHARES_H

#include "search/journal.h"

enum {
    SNC_GENES_NEEDED = 50, /* evaluations, below which nothing is said */
    SNC_GENES_WITHIN = 20,
    SNC_GENES_OPTION = 5 /* an option of fewer does not count in what is explained; two have to */
};

typedef struct snc_gene_option {
    char name[12];
    double value; /* of a width; of a dtype 1 where it is INT8 or INT4, else 0 */
    int all, best;
} snc_gene_option;

typedef struct snc_gene_share {
    char name[32];      /* "depth", "layer 3 ffn_in" */
    const char *column; /* what the name has after its layer */
    snc_gene_kind kind;
    int layer; /* or -1 */
    int n;     /* options */
    snc_gene_option option[SNC_MAX_OPTIONS];
    int all, best;    /* evaluations in which it says something */
    double explained; /* 0 to 1; NaN: too few to tell */
} snc_gene_share;

typedef struct snc_gene_shares {
    int n; /* 0: too few evaluations, or a journal that does not say enough */
    snc_gene_share *gene;
    int layers, kept_all[SNC_MAX_LAYERS], kept_best[SNC_MAX_LAYERS]; /* evaluations in which a layer has heads or an FFN */
    int all, within, best;                                           /* evaluations that gave a number */
} snc_gene_shares;

/* depth_layers: the source layers of each option of depth, as front.json has them, or NULL. limits: {"latency_us":...} of those
 * costs that are limited. SNC_E_FORMAT: a config that is not of the journal's genes. */
snc_err snc_gene_shares_make(snc_gene_shares *out, const snc_journal_file *f, const cJSON *depth_layers, const cJSON *limits) SNC_MUST_USE;
void snc_gene_shares_dispose(snc_gene_shares *s);

/* The mean value over all evaluations, or over the best; NaN without one. */
double snc_gene_share_mean(const snc_gene_share *g, bool best);
/* The genes that explain most, falling, at most `most`: their places in s->gene; returns how many. */
int snc_gene_shares_order(int *place, int most, const snc_gene_shares *s);

#endif
