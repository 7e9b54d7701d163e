/* compress study: searches against each other on a table of trained networks, over many seeds; or on a supernet
 * (candidate/protocols.h); or recipes against each other (candidate/ablation.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/option.h"
#include "artifact/say.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/stats.h"
#include "candidate/preflight.h"
#include "candidate/protocols.h"
#include "search/tabular.h"
#include "stage/verbs.h"

enum { MARKS = 3, NAME = 512, MOST = 16 };
static const int at_queries[MARKS] = {50, 100, 200};

typedef struct contender {
    char name[NAME];  /* as it is printed */
    const char *kind; /* in the registry; borrowed from params or a literal */
    cJSON *params;
    double rank[MARKS], square[MARKS], accuracy[MARKS]; /* sums over seeds */
} contender;

/* "linas,mcts,my.json": names of searches and files that name one with its parameters. */
static snc_err read_contenders(contender *c, int *n, const char *list)
{
    *n = 0;
    for (const char *p = list; p; p = snc_list_next(p)) {
        contender *x = &c[*n];
        SNC_CHECK(*n < MOST, SNC_E_ARG, "--searchers: more than %d", MOST);
        *x = (contender){0};
        SNC_CHECK(strcspn(p, ",") < NAME, SNC_E_ARG, "--searchers: path too long: %.80s...", p);
        snprintf(x->name, sizeof x->name, "%.*s", (int)strcspn(p, ","), p);
        x->kind = x->name;
        ++*n; /* params are freed by the caller from here on */
        if (!strchr(x->name, '.')) continue;
        SNC_TRY(snc_json_load(&x->params, x->name));
        SNC_TRY(snc_json_str(&x->kind, x->params, "name", NULL, x->name));
        SNC_CHECK(x->kind, SNC_E_FORMAT, "%s: 'name' is missing", x->name);
    }
    return SNC_OK;
}

static snc_err run_contender(contender *c, const snc_ctx *ctx, const snc_tabular *t, int seeds)
{
    for (int s = 0; s < seeds; s++) {
        snc_tabular_mark m[MARKS];
        for (int i = 0; i < MARKS; i++) m[i] = (snc_tabular_mark){.queries = at_queries[i]};
        SNC_TRY(snc_tabular_run(m, ctx, t, c->kind, c->params, MARKS, ctx->seed + (uint64_t)s));
        for (int i = 0; i < MARKS; i++) {
            c->rank[i] += m[i].rank;
            c->square[i] += (double)m[i].rank * m[i].rank;
            c->accuracy[i] += m[i].accuracy;
        }
        snc_progress(ctx, c->name, s + 1, seeds, "%s", "");
    }
    return SNC_OK;
}

/* Mean over seeds and the standard error of that mean. */
static double mean_error(double *error, const contender *c, int mark, int seeds)
{
    *error = snc_standard_error_of_sums(c->rank[mark], c->square[mark], seeds);
    return c->rank[mark] / seeds;
}

static snc_err say_json(const snc_host *h, const contender *c, int n, int seeds)
{
    cJSON *all = cJSON_CreateArray();
    for (int i = 0; i < n; i++)
        for (int k = 0; k < MARKS; k++) {
            double error, mean = mean_error(&error, &c[i], k, seeds);
            cJSON *row = cJSON_CreateObject();
            cJSON_AddStringToObject(row, "search", c[i].name);
            cJSON_AddNumberToObject(row, "queries", at_queries[k]);
            cJSON_AddNumberToObject(row, "seeds", seeds);
            cJSON_AddNumberToObject(row, "mean_rank", mean);
            cJSON_AddNumberToObject(row, "standard_error", error);
            cJSON_AddNumberToObject(row, "mean_accuracy", c[i].accuracy[k] / seeds);
            cJSON_AddItemToArray(all, row);
        }
    return snc_say_json(h, all, true, "study");
}

static void say_rows(const snc_host *h, const contender *c, int n, int seeds, bool csv)
{
    snc_say(h, csv ? "search,queries,seeds,mean_rank,standard_error,mean_accuracy"
                   : "| search | rank after 50 queries | after 100 | after 200 | accuracy after 100 |\n|---|---|---|---|---|");
    for (int i = 0; i < n; i++) {
        double r[MARKS], e[MARKS];
        for (int k = 0; k < MARKS; k++) {
            r[k] = mean_error(&e[k], &c[i], k, seeds);
            if (csv) snc_say(h, "%s,%d,%d,%.3f,%.3f,%.3f", c[i].name, at_queries[k], seeds, r[k], e[k], c[i].accuracy[k] / seeds);
        }
        if (!csv)
            snc_say(h, "| %s | %.1f ± %.1f | %.2f ± %.2f | %.2f ± %.2f | %.3f |", c[i].name, r[0], e[0], r[1], e[1], r[2], e[2],
                    c[i].accuracy[1] / seeds);
    }
}

snc_err snc_verb_study(const snc_options *o, const snc_host *h)
{
    static contender c[MOST];
    snc_ctx ctx;
    snc_tabular *t = NULL;
    snc_err err = SNC_OK;
    const char *format = o->output.format;
    bool json = strcmp(format, "json") == 0, csv = strcmp(format, "csv") == 0;
    int n = 0, seeds = o->study.seeds ? o->study.seeds : 200;
    SNC_TRY(snc_context_init(&ctx, o, h, o->workload.threads, 1));
    SNC_TRY(snc_preflight_options(&ctx, o, SNC_VERB_STUDY));
    if (o->study.ablate) return snc_ablate_run(o, h);
    if (o->study.protocols) return snc_protocols_run(o, h);
    SNC_TRY(snc_option_need("study", "--tabular, --protocols or --ablate", o->study.tabular));
    SNC_GOTO(read_contenders(c, &n, o->study.searchers ? o->study.searchers : "linas,weaknas,nsga2,evolution,mcts,random"));
    SNC_GOTO(snc_tabular_load(&t, o->study.tabular));
    for (int i = 0; i < n; i++) { /* the last of them can be wrong: before the first one's hundreds of runs */
        contender trial = c[i];
        SNC_GOTO(run_contender(&trial, &ctx, t, 1));
    }
    for (int i = 0; i < n; i++) SNC_GOTO(run_contender(&c[i], &ctx, t, seeds));
    if (json) err = say_json(h, c, n, seeds);
    else say_rows(h, c, n, seeds, csv);
out:
    for (int i = 0; i < n; i++) cJSON_Delete(c[i].params);
    snc_tabular_free(t);
    return err;
}
