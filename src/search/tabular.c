/* A network's digits are read as a number, its place in the table; ranks are places in one sorted copy. */
#include "search/tabular.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/stats.h"

enum { FIRST = 2, ASK = 8, MOST = 1 << 20 };

void snc_tabular_free(snc_tabular *t)
{
    if (!t) return;
    snc_space_free(t->space);
    snc_free(t->loss);
    snc_free(t->rank);
    snc_free(t);
}

int snc_tabular_index(const snc_tabular *t, const snc_cfg *c)
{
    int at = 0;
    for (int i = 0; i < t->layers; i++) at = at * t->options + c->o[FIRST + i];
    return at;
}

/* Layers by the first key's length, options by the largest digit, and with them how many networks there must be. */
static snc_err measure(snc_tabular *t, const cJSON *j, const char *path)
{
    const cJSON *it;
    t->layers = cJSON_IsObject(j) && j->child ? (int)strlen(j->child->string) : 0;
    SNC_CHECK(t->layers > 0 && t->layers <= 32, SNC_E_FORMAT, "%s: no networks: expected keys such as \"02012100\"", path);
    cJSON_ArrayForEach(it, j)
    {
        SNC_CHECK(strlen(it->string) == (size_t)t->layers && strspn(it->string, "0123456789") == (size_t)t->layers, SNC_E_FORMAT,
                  "%s: network '%.40s': expected %d digits", path, it->string, t->layers);
        for (const char *p = it->string; *p; p++) t->options = *p - '0' + 1 > t->options ? *p - '0' + 1 : t->options;
    }
    t->n = 1;
    for (int i = 0; i < t->layers; i++) {
        SNC_CHECK(t->n <= MOST / t->options, SNC_E_FORMAT, "%s: %d layers of %d options are more networks than a table holds", path,
                  t->layers, t->options);
        t->n *= t->options;
    }
    return SNC_OK;
}

static snc_err read_networks(snc_tabular *t, const cJSON *j, const char *path)
{
    const cJSON *it;
    SNC_TRY(snc_alloc(&t->loss, (size_t)t->n, sizeof *t->loss));
    for (int i = 0; i < t->n; i++) t->loss[i] = NAN;
    cJSON_ArrayForEach(it, j)
    {
        const cJSON *acc = cJSON_GetObjectItemCaseSensitive(it, "mean_acc");
        int at = 0;
        SNC_CHECK(cJSON_IsNumber(acc) && acc->valuedouble >= 0 && acc->valuedouble <= 100, SNC_E_FORMAT,
                  "%s: network '%s': 'mean_acc' must be a number from 0 to 100", path, it->string);
        for (const char *p = it->string; *p; p++) at = at * t->options + *p - '0';
        t->loss[at] = 100 - acc->valuedouble;
    }
    for (int i = 0; i < t->n; i++) {
        char name[40] = "";
        for (int l = t->layers - 1, at = i; l >= 0; l--, at /= t->options) name[l] = (char)('0' + at % t->options);
        SNC_CHECK(!isnan(t->loss[i]), SNC_E_FORMAT, "%s: network '%s' is missing", path, name);
    }
    return SNC_OK;
}

static snc_err make_space(snc_tabular *t)
{
    SNC_TRY(snc_alloc(&t->space, 1, sizeof *t->space));
    snc_space *s = t->space;
    s->gene[s->genes++] = (snc_gene){.kind = SNC_GENE_DEPTH, .layer = -1, .n = 1};
    s->gene[s->genes++] = (snc_gene){.kind = SNC_GENE_HIDDEN, .layer = -1, .n = 1};
    for (int i = 0; i < t->layers; i++) {
        snc_gene *g = &s->gene[s->genes++];
        *g = (snc_gene){.kind = SNC_GENE_FFN, .layer = -1, .n = t->options};
        for (int k = 0; k < g->n; k++) g->value[k] = k;
    }
    return SNC_OK;
}

/* Networks of one loss share the best of their ranks. */
static snc_err rank(snc_tabular *t)
{
    double *sorted = NULL, sum = 0;
    SNC_TRY(snc_alloc(&t->rank, (size_t)t->n, sizeof *t->rank));
    SNC_TRY(snc_alloc(&sorted, (size_t)t->n, sizeof *sorted));
    memcpy(sorted, t->loss, (size_t)t->n * sizeof *sorted);
    snc_sort(sorted, t->n);
    for (int i = 0; i < t->n; i++) {
        int low = 0, high = t->n; /* the first place of this loss */
        while (low < high) {
            int mid = (low + high) / 2;
            if (sorted[mid] < t->loss[i]) low = mid + 1;
            else high = mid;
        }
        t->rank[i] = low + 1;
        sum += t->loss[i];
    }
    t->best = 100 - sorted[0];
    t->mean = 100 - sum / t->n;
    snc_free(sorted);
    return SNC_OK;
}

snc_err snc_tabular_load(snc_tabular **out, const char *path)
{
    snc_err err = SNC_OK;
    snc_tabular *t = NULL;
    cJSON *j = NULL;
    char file[4096];
    if (snc_is_dir(path)) {
        SNC_TRY(snc_path_join(file, sizeof file, path, "nas-bench-macro_cifar10.json"));
        path = file;
    }
    SNC_TRY(snc_json_load(&j, path));
    SNC_GOTO(snc_alloc(&t, 1, sizeof *t));
    SNC_GOTO(measure(t, j, path));
    SNC_GOTO(read_networks(t, j, path));
    SNC_GOTO(make_space(t));
    SNC_GOTO(rank(t));
    *out = t;
    t = NULL;
out:
    cJSON_Delete(j);
    snc_tabular_free(t);
    return err;
}

snc_err snc_tabular_run(snc_tabular_mark *marks, const snc_ctx *ctx, const snc_tabular *t, const char *search, const cJSON *params,
                        int n_marks, uint64_t seed)
{
    snc_err err = SNC_OK;
    snc_search *s = NULL;
    snc_problem p = {.space = t->space, .objectives = 1, .seed = seed};
    int told = 0, best = -1, n = 1;
    SNC_TRY(snc_search_create(&s, search, params, &p));
    for (int m = 0; m < n_marks; m++) {
        while (told < marks[m].queries && n > 0) {
            snc_cfg cfg[ASK];
            snc_obs obs[ASK];
            int left = marks[m].queries - told;
            SNC_GOTO(snc_go_on(ctx));
            SNC_GOTO(snc_search_ask(cfg, &n, s, left < ASK ? left : ASK));
            for (int i = 0; i < n; i++) {
                int at = snc_tabular_index(t, &cfg[i]);
                obs[i] = (snc_obs){.cfg = cfg[i], .loss = t->loss[at], .metric = 1 - t->loss[at] / 100, .point = {.f = {t->loss[at]}}};
                if (best < 0 || t->loss[at] < t->loss[best]) best = at;
            }
            SNC_GOTO(snc_search_tell(s, obs, n));
            told += n;
        }
        if (best < 0) {
            err = snc_err_set(SNC_E_ARG, "search %s proposes nothing for a table", search);
            goto out;
        }
        marks[m].rank = t->rank[best];
        marks[m].accuracy = 100 - t->loss[best];
    }
out:
    snc_search_free(s);
    return err;
}
