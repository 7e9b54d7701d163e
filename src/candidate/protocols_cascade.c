/* Pairs of nets searched for as one thing, of any nesting and by depth alone, against the one net that the same search finds at the same
 * mean time. */
#include "candidate/protocols_cascade.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/say.h"
#include "base/stats.h"

enum { LARGER = 4, NAME = 64 }; /* larger nets that a smaller one is looked for within */

enum { SINGLE, PAIR, DEPTH, ARMS };
static const char *const arm_name[ARMS] = {"single", "pair", "depth"};

typedef struct answers {
    double loss, score; /* on select */
} answers;

/* Of one repeat. */
typedef struct pair {
    snc_obs small; /* its loss is of both */
    double larger_us;
} pair;

static snc_err on_select(answers *out, snc_evaluator *e, const snc_cfg *cfg)
{
    return snc_evaluator_score(&out->loss, &out->score, e, cfg, e->in->splits.select, e->teacher_select);
}

static snc_err find_single(answers *out, snc_protocol_study *l, int repeat, double limit)
{
    snc_evaluations f;
    SNC_TRY(snc_study_search(&f, l, &l->e, "cascade-single", l->o->search.searcher, repeat, l->o->search.evals, limit));
    snc_obs_sort(f.obs, f.n);
    const snc_cfg best = f.obs[0].cfg;
    snc_evaluations_dispose(&f);
    return on_select(out, &l->e, &best);
}

/* The lowest loss within each of some times from the mean up to what the full-size net takes. */
static int larger_nets(snc_obs out[LARGER], const snc_protocol_study *l, const snc_evaluations *f, double limit)
{
    const double full = l->e.full[SNC_COST_LATENCY];
    int n = 0;
    for (int i = 1; i <= LARGER; i++) {
        const double most = limit * pow(full / limit, (double)i / LARGER);
        const snc_obs *best = NULL;
        for (int k = 0; k < f->n; k++) {
            const snc_obs *o = &f->obs[k];
            if (isnan(o->loss) || o->latency_us > most || o->latency_us <= limit) continue;
            if (!best || o->loss < best->loss) best = o;
        }
        if (best && (n == 0 || !snc_cfg_equal(&out[n - 1].cfg, &best->cfg))) out[n++] = *best;
    }
    return n;
}

/* The best of the nets within a larger one, where it is better than what there is. */
static snc_err look_within(pair *best, answers *said, snc_protocol_study *l, int arm, const snc_obs *large, int i, int repeat, double limit)
{
    char name[NAME];
    snc_err err = SNC_OK;
    snc_space *within = NULL;
    snc_evaluations f = {0};
    snc_pairing p = {.us = large->latency_us, .mean_us = limit};
    snc_cfg_decode(&p.arch, &p.policy, l->e.space, &large->cfg);
    SNC_TRY((arm == DEPTH ? snc_space_prefixes : snc_space_within)(&within, l->e.space, &p.arch, &p.policy));
    snc_evaluator e = snc_evaluator_over(&l->e, within);
    snc_evaluator_pair(&e, &p);
    snprintf(name, sizeof name, "cascade-%.0fus-%s-%d", limit, arm == DEPTH ? "depth" : "within", i);
    SNC_GOTO(snc_study_search(&f, l, &e, name, l->o->search.searcher, repeat, l->o->search.evals / (2 * LARGER), limit));
    snc_obs_sort(f.obs, f.n);
    if (f.n && f.obs[0].loss < best->small.loss) {
        *best = (pair){f.obs[0], large->latency_us};
        SNC_GOTO(on_select(said, &e, &best->small.cfg));
    }
out:
    snc_evaluations_dispose(&f);
    snc_pairing_dispose(&p);
    snc_space_free(within);
    return err;
}

static snc_err find_pair(answers *out, pair *best, snc_protocol_study *l, int arm, int repeat, double limit)
{
    snc_evaluations f;
    snc_obs large[LARGER];
    SNC_TRY(snc_study_search(&f, l, &l->e, "cascade-larger", l->o->search.searcher, repeat, l->o->search.evals / 2, 0));
    const int n = larger_nets(large, l, &f, limit);
    snc_evaluations_dispose(&f);
    SNC_CHECK(n > 0, SNC_E_ARG, "--target-latency: no net that was looked at takes more than %.0f us: nothing to go on to", limit);
    *best = (pair){.small = {.loss = INFINITY}};
    for (int i = 0; i < n; i++) SNC_TRY(look_within(best, out, l, arm, &large[i], i, repeat, limit));
    SNC_CHECK(isfinite(best->small.loss) || arm != DEPTH, SNC_E_ARG,
              "--target-latency: no larger net's first layers take less than %.0f us: nothing to go on from", limit);
    SNC_CHECK(isfinite(best->small.loss), SNC_E_DIVERGED, "study: no pair gave a number");
    return SNC_OK;
}

static void say_difference(snc_protocol_study *l, cJSON *arm, int a, const char *key, const char *what, const double *gain)
{
    static const char *const whose[ARMS] = {"", "the pair's", "by depth its"};
    const int seeds = l->o->study.seeds;
    const snc_spread g = snc_spread_of(gain, seeds);
    const double reach = snc_student(seeds - 1) * g.error, v[] = {g.mean, g.mean - reach, g.mean + reach};
    cJSON_AddItemToObject(arm, key, cJSON_CreateDoubleArray(v, 3));
    snc_say(l->h, "%s %s %+.4f (95 %%: %+.4f to %+.4f)", whose[a], what, v[0], v[1], v[2]);
}

static void say(snc_protocol_study *l, double limit, double loss[ARMS][SNC_STUDY_SEEDS], double score[ARMS][SNC_STUDY_SEEDS])
{
    const int seeds = l->o->study.seeds;
    cJSON *j = cJSON_AddObjectToObject(l->report, "cascade"), *arm[ARMS];
    cJSON_AddNumberToObject(j, "us", limit);
    snc_say(l->h, "at a mean of %.0f us, %d runs of %d evaluations, on select\n| nets | loss | score |\n|---|---|---|", limit, seeds,
            l->o->search.evals);
    for (int a = 0; a < ARMS; a++) {
        const snc_spread x = snc_spread_of(loss[a], seeds), y = snc_spread_of(score[a], seeds);
        arm[a] = cJSON_AddObjectToObject(j, arm_name[a]);
        cJSON_AddItemToObject(arm[a], "loss", cJSON_CreateDoubleArray(loss[a], seeds));
        cJSON_AddItemToObject(arm[a], "score", cJSON_CreateDoubleArray(score[a], seeds));
        snc_say(l->h, "| %s | %.4f ± %.4f | %.2f ± %.2f |", arm_name[a], x.mean, x.error, y.mean, y.error);
    }
    for (int a = PAIR; a < ARMS; a++) {
        double less[SNC_STUDY_SEEDS], more[SNC_STUDY_SEEDS];
        for (int s = 0; s < seeds; s++) {
            less[s] = 100 * (loss[a][s] / loss[SINGLE][s] - 1);
            more[s] = score[a][s] - score[SINGLE][s];
        }
        say_difference(l, arm[a], a, "loss_percent", "loss in percent of the single net's", less);
        say_difference(l, arm[a], a, "score_points", "score in points against the single net's", more);
    }
}

/* Of one repeat. */
static snc_err run(answers a[ARMS], snc_protocol_study *l, int repeat, double limit)
{
    char row[256];
    size_t n = 0;
    SNC_TRY(find_single(&a[SINGLE], l, repeat, limit));
    for (int k = PAIR; k < ARMS; k++) {
        pair p;
        SNC_TRY(find_pair(&a[k], &p, l, k, repeat, limit));
        n += (size_t)snprintf(row + n, sizeof row - n, " %.4f | %.2f | %.0f and %.0f |", a[k].loss, 100 * a[k].score, p.small.latency_us,
                              p.larger_us);
    }
    snc_say(l->h, "| %d | %.4f | %.2f |%s", (int)l->o->job.seed + repeat, a[SINGLE].loss, 100 * a[SINGLE].score, row);
    return SNC_OK;
}

snc_err snc_protocol_cascade(snc_protocol_study *l)
{
    double loss[ARMS][SNC_STUDY_SEEDS], score[ARMS][SNC_STUDY_SEEDS];
    const double limit = snc_study_limit(l);
    const snc_task *t = l->e.in->task;
    SNC_CHECK(snc_task_meaning(t) == SNC_MEANS_CLASSES, SNC_E_UNSUPPORTED,
              "study: the protocol 'cascade': task %s has no one class to be sure of", snc_task_name(t));
    snc_say(l->h, "| seed | single: loss | score | pair: loss | score | us of its nets | by depth: loss | score | us of its nets |\n"
                  "|---|---|---|---|---|---|---|---|---|");
    for (int s = 0; s < l->o->study.seeds; s++) {
        answers a[ARMS];
        SNC_TRY(run(a, l, s, limit));
        for (int k = 0; k < ARMS; k++) {
            loss[k][s] = a[k].loss;
            score[k][s] = 100 * a[k].score;
        }
    }
    say(l, limit, loss, score);
    return SNC_OK;
}
