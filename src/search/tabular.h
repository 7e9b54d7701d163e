/* search/tabular.h: a space whose every network was trained once, as a test of searches: an evaluation is a look into a table.
 *
 * The file is that of NAS-Bench-Macro (xiusu/NAS-Bench-Macro, Apache-2.0): {"02012100": {"mean_acc": 89.19, ...}, ...}, one digit
 * a layer, every combination present. One objective: loss = 100 - mean_acc.
 */
#ifndef SNC_SEARCH_TABULAR_H
#define SNC_SEARCH_TABULAR_H

#include "base/ctx.h"
#include "search/search.h"

typedef struct snc_tabular {
    snc_space *space; /* one gene a layer behind a depth and a hidden gene of one option each */
    int n, layers, options;
    double *loss;      /* [n], by the digits read as a number of base `options` */
    int *rank;         /* [n], 1: the best */
    double best, mean; /* accuracies */
} snc_tabular;

/* A file, or a folder with nas-bench-macro_cifar10.json. SNC_E_FORMAT names the network that is wrong or missing. */
snc_err snc_tabular_load(snc_tabular **out, const char *path) SNC_MUST_USE;
void snc_tabular_free(snc_tabular *t);
int snc_tabular_index(const snc_tabular *t, const snc_cfg *c);

/* The best so far after `queries` networks. */
typedef struct snc_tabular_mark {
    int queries; /* asked for; ascending from mark to mark */
    int rank;
    double accuracy;
} snc_tabular_mark;

/* One run of a search up to the last mark. One that ends early keeps its best. */
snc_err snc_tabular_run(snc_tabular_mark *marks, const snc_ctx *ctx, const snc_tabular *t, const char *search, const cJSON *params,
                        int n_marks, uint64_t seed) SNC_MUST_USE;

#endif
