/* Each protocol is a row: searches and nets with seeds of their own, their numbers, a table for people and one in study.json. */
#include "candidate/protocols.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/option.h"
#include "artifact/say.h"
#include "artifact/settle.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/rng.h"
#include "base/stats.h"
#include "candidate/needs.h"
#include "candidate/preflight.h"
#include "candidate/profiling.h"
#include "candidate/protocol_runs.h"
#include "candidate/protocols_cascade.h"

enum { MARKS = 8, REPEATS = 8, TAU_NETS = 12, TAU_DRAWS = 2000, EVEN_SHARES = 20, MOST_SEARCHERS = 16, NAME = 512 };
static const int mark[MARKS] = {50, 100, 150, 200, 300, 400, 600, 1000};
static const double WINDOW = 0.95;
enum { STREAM_RANDOM_NETS = 0x5c07 };

typedef snc_protocol_study study;

/* ---- numbers over repeats ------------------------------------------------------------------------------------------- */

typedef snc_spread spread;

static cJSON *numbers(const double *x, int n) { return cJSON_CreateDoubleArray(x, n); }

/* (loss, latency) of each. */
static snc_err points_of(snc_point **out, const snc_obs *o, int n)
{
    SNC_TRY(snc_alloc(out, (size_t)n + 1, sizeof **out));
    for (int i = 0; i < n; i++) (*out)[i] = (snc_point){.f = {o[i].loss, o[i].latency_us}};
    return SNC_OK;
}

static snc_err volume(double *out, const study *l, const snc_obs *o, int n)
{
    snc_point *p = NULL;
    SNC_TRY(points_of(&p, o, n));
    snc_err err = snc_hypervolume(out, p, n, 2, l->ref);
    *out /= l->ref[0] * l->ref[1];
    snc_free(p);
    return err;
}

/* ---- hypervolume ---------------------------------------------------------------------------------------------------- */

typedef struct curve {
    double at[MARKS][SNC_STUDY_SEEDS], reached[SNC_STUDY_SEEDS];
} curve;

static snc_err read_curve(curve *c, int s, const study *l, const snc_evaluations *f, double goal)
{
    for (int k = 0; k < MARKS && mark[k] <= l->o->search.evals; k++)
        SNC_TRY(volume(&c->at[k][s], l, f->obs, mark[k] < f->n ? mark[k] : f->n));
    c->reached[s] = NAN;
    for (int n = 1; n <= f->n && isnan(c->reached[s]); n++) {
        double v;
        SNC_TRY(volume(&v, l, f->obs, n));
        if (v >= goal) c->reached[s] = n;
    }
    return SNC_OK;
}

static void say_curve(study *l, cJSON *list, const char *name, const curve *c)
{
    char line[1024];
    int seeds = l->o->study.seeds, at = snprintf(line, sizeof line, "| %s |", name), never = 0;
    cJSON *j = cJSON_CreateObject();
    double first[SNC_STUDY_SEEDS];
    cJSON_AddStringToObject(j, "search", name);
    for (int k = 0; k < MARKS && mark[k] <= l->o->search.evals; k++) {
        char key[16];
        spread v = snc_spread_of(c->at[k], seeds);
        at += snprintf(line + at, sizeof line - (size_t)at, " %.4f ± %.4f |", v.mean, v.error);
        snprintf(key, sizeof key, "%d", mark[k]);
        cJSON_AddItemToObject(j, key, numbers(c->at[k], seeds));
    }
    for (int s = 0; s < seeds; s++) {
        never += isnan(c->reached[s]);
        first[s] = isnan(c->reached[s]) ? l->o->search.evals : c->reached[s];
    }
    snprintf(line + at, sizeof line - (size_t)at, " %s%.0f |", never ? "over " : "", snc_spread_of(first, seeds).mean);
    cJSON_AddItemToObject(j, "evaluations_to_goal", numbers(first, seeds));
    cJSON_AddNumberToObject(j, "never", never);
    cJSON_AddItemToArray(list, j);
    snc_say(l->h, "%s", line);
}

/* What a search's journals and its row are called. */
static const char *short_name(const char *searcher)
{
    const char *slash = strrchr(searcher, '/');
    return slash ? slash + 1 : searcher;
}

static snc_err read_searchers(char names[MOST_SEARCHERS][NAME], int *n, const snc_options *o)
{
    *n = 0;
    for (const char *p = o->study.searchers ? o->study.searchers : "nsga2,linas,random"; p; p = snc_list_next(p), ++*n) {
        SNC_CHECK(*n < MOST_SEARCHERS && strcspn(p, ",") < NAME, SNC_E_ARG, "--searchers: too many or too long");
        snprintf(names[*n], NAME, "%.*s", (int)strcspn(p, ","), p);
        for (int i = 0; i < *n; i++)
            SNC_CHECK(strcmp(short_name(names[i]), short_name(names[*n])) != 0, SNC_E_ARG, "--searchers: two are called %s",
                      short_name(names[*n]));
    }
    return SNC_OK;
}

static snc_err hypervolume(study *l)
{
    char names[MOST_SEARCHERS][NAME], line[1024];
    double goal[SNC_STUDY_SEEDS];
    int n = 0, at = 0;
    cJSON *list = cJSON_AddArrayToObject(l->report, "hypervolume");
    SNC_TRY(read_searchers(names, &n, l->o));
    at = snprintf(line, sizeof line, "| search |");
    for (int k = 0; k < MARKS && mark[k] <= l->o->search.evals; k++) at += snprintf(line + at, sizeof line - (size_t)at, " %d |", mark[k]);
    snc_say(l->h, "hypervolume up to loss %.4f and %.0f us, %d runs; evaluations to what %s has at its end", l->ref[0], l->ref[1],
            l->o->study.seeds, names[0]);
    snc_say(l->h, "%s evaluations to goal |", line);
    for (int i = 0; i < n; i++) {
        curve c = {0};
        for (int s = 0; s < l->o->study.seeds; s++) {
            snc_evaluations f;
            SNC_TRY(snc_study_search(&f, l, &l->e, short_name(names[i]), names[i], s, l->o->search.evals, 0));
            snc_err err = i == 0 ? volume(&goal[s], l, f.obs, f.n) : SNC_OK;
            if (!err) err = read_curve(&c, s, l, &f, goal[s]);
            snc_evaluations_dispose(&f);
            SNC_TRY(err);
        }
        say_curve(l, list, names[i], &c);
    }
    return SNC_OK;
}

/* ---- relative improvement ------------------------------------------------------------------------------------------- */

static snc_err random_in_window(snc_cfg *out, study *l, snc_rng *rng, double limit_us)
{
    for (int tries = 0; tries < 1000000; tries++) {
        snc_obs o = {.cfg = snc_cfg_random(l->e.space, rng)};
        snc_evaluator_cost(&l->e, &o);
        if (o.latency_us > limit_us || o.latency_us < WINDOW * limit_us) continue;
        *out = o.cfg;
        return SNC_OK;
    }
    return snc_err_set(SNC_E_ARG, "--target-latency: no random net of the space takes %.0f to %.0f us", WINDOW * limit_us, limit_us);
}

/* The even net (one depth, one share of every width, INT8) of the lowest loss on rank within the limit: what people would take without
 * a search. */
static snc_err best_even(snc_obs *out, study *l, double limit_us)
{
    *out = (snc_obs){.loss = INFINITY};
    for (int d = 0; d < l->e.space->gene[0].n; d++)
        for (int share = 1; share <= EVEN_SHARES; share++) {
            snc_obs o = {.cfg = snc_cfg_uniform(l->e.space, (double)share / EVEN_SHARES, d)};
            snc_evaluator_cost(&l->e, &o);
            if (o.latency_us > limit_us) continue;
            SNC_TRY(snc_evaluator_observe(&o, &l->e, &o.cfg));
            if (o.loss < out->loss) *out = o;
        }
    SNC_CHECK(isfinite(out->loss), SNC_E_ARG, "--target-latency: no even net of the space takes at most %.0f us", limit_us);
    return SNC_OK;
}

/* 100 (mean searched / other - 1), and its standard error. */
static spread relative(spread searched, spread other)
{
    return (spread){100 * (searched.mean - other.mean) / other.mean, 100 * hypot(searched.error, other.error) / other.mean};
}

static void say_improvement(study *l, double limit, double score[2][REPEATS], double loss[2][REPEATS], const snc_alone_score *even,
                            double even_us)
{
    spread s = snc_spread_of(score[0], REPEATS), r = snc_spread_of(score[1], REPEATS), sl = snc_spread_of(loss[0], REPEATS),
           rl = snc_spread_of(loss[1], REPEATS), ri = relative(s, r), re = relative(s, (spread){even->score, 0});
    snc_say(l->h, "relative improvement at %.0f us, %d searched against %d random nets, repaired, on select: %.2f ± %.2f %%", limit,
            REPEATS, REPEATS, ri.mean, ri.error);
    snc_say(l->h, "relative improvement over the best even net within it (%.0f us), repaired the same: %.2f ± %.2f %%", even_us, re.mean,
            re.error);
    snc_say(l->h, "| nets | score | loss |\n|---|---|---|");
    snc_say(l->h, "| searched | %.2f ± %.2f | %.4f ± %.4f |", 100 * s.mean, 100 * s.error, sl.mean, sl.error);
    snc_say(l->h, "| random | %.2f ± %.2f | %.4f ± %.4f |", 100 * r.mean, 100 * r.error, rl.mean, rl.error);
    snc_say(l->h, "| best even | %.2f | %.4f |", 100 * even->score, even->loss);
    cJSON *j = cJSON_AddObjectToObject(l->report, "improvement");
    cJSON_AddNumberToObject(j, "relative_improvement", ri.mean);
    cJSON_AddNumberToObject(j, "standard_error", ri.error);
    cJSON_AddNumberToObject(j, "over_even", re.mean);
    cJSON_AddNumberToObject(j, "over_even_standard_error", re.error);
    cJSON_AddItemToObject(j, "searched", numbers(score[0], REPEATS));
    cJSON_AddItemToObject(j, "random", numbers(score[1], REPEATS));
    cJSON_AddNumberToObject(j, "even", even->score);
}

static snc_err improvement(study *l)
{
    double loss[2][REPEATS], score[2][REPEATS], limit = snc_study_limit(l);
    snc_alone_score even;
    snc_obs best;
    snc_cfg cfg;
    snc_rng rng;
    snc_rng_init(&rng, (uint64_t)l->o->job.seed, STREAM_RANDOM_NETS);
    SNC_TRY(best_even(&best, l, limit));
    SNC_TRY(snc_alone_repaired(&even, &l->alone, &best.cfg));
    for (int i = 0; i < REPEATS; i++) {
        snc_evaluations f;
        snc_alone_score s[2];
        SNC_TRY(snc_study_search(&f, l, &l->e, "improvement", l->o->search.searcher, i, l->o->search.evals, limit));
        snc_obs_sort(f.obs, f.n);
        cfg = f.obs[0].cfg;
        snc_evaluations_dispose(&f);
        SNC_TRY(snc_alone_repaired(&s[0], &l->alone, &cfg));
        SNC_TRY(random_in_window(&cfg, l, &rng, limit));
        SNC_TRY(snc_alone_repaired(&s[1], &l->alone, &cfg));
        for (int k = 0; k < 2; k++) {
            loss[k][i] = s[k].loss;
            score[k][i] = s[k].score;
        }
    }
    say_improvement(l, limit, score, loss, &even, best.latency_us);
    return SNC_OK;
}

/* ---- Kendall's tau -------------------------------------------------------------------------------------------------- */

typedef struct ranking {
    double loss[TAU_NETS], score[TAU_NETS], macs[TAU_NETS]; /* as the search has them; macs with a minus, for more is better */
    double alone_loss[TAU_NETS], alone_score[TAU_NETS];
} ranking;

enum { BY_LOSS, BY_SCORE, BY_MACS, AHEAD, TAUS };

/* Of some nets, of which some may stand there twice: such pairs are ties, which tau-b leaves out. */
static void taus_of(double tau[TAUS], const ranking *r, const int32_t *rows, int n)
{
    double x[5][TAU_NETS];
    for (int i = 0; i < n; i++) {
        x[0][i] = r->loss[rows[i]];
        x[1][i] = r->score[rows[i]];
        x[2][i] = r->macs[rows[i]];
        x[3][i] = r->alone_loss[rows[i]];
        x[4][i] = r->alone_score[rows[i]];
    }
    tau[BY_LOSS] = snc_kendall_tau(x[0], x[3], n);
    tau[BY_SCORE] = snc_kendall_tau(x[1], x[4], n);
    tau[BY_MACS] = snc_kendall_tau(x[2], x[3], n);
    tau[AHEAD] = tau[BY_LOSS] - tau[BY_MACS];
}

typedef struct drawn {
    const ranking *r;
    int which;
} drawn;

static snc_err one_tau(double *out, void *user, const int32_t *rows, int n)
{
    const drawn *d = user;
    double tau[TAUS];
    taus_of(tau, d->r, rows, n);
    *out = tau[d->which];
    return SNC_OK;
}

static snc_err tau_intervals(snc_interval out[TAUS], const ranking *r, uint64_t seed)
{
    int32_t all[TAU_NETS];
    double tau[TAUS], draw[TAU_DRAWS];
    for (int i = 0; i < TAU_NETS; i++) all[i] = i;
    taus_of(tau, r, all, TAU_NETS);
    for (int k = 0; k < TAUS; k++) {
        int defined;
        SNC_TRY(snc_bootstrap(draw, &defined, TAU_DRAWS, one_tau, &(drawn){r, k}, TAU_NETS, seed, 0x746175));
        snc_drawn_interval(&out[k], draw, defined);
        out[k].value = tau[k];
    }
    return SNC_OK;
}

static snc_err say_taus(study *l, const ranking *r, double limit)
{
    static const char *const keys[TAUS] = {"loss", "score", "macs", "loss_ahead_of_macs"};
    snc_interval t[TAUS];
    SNC_TRY(tau_intervals(t, r, l->ctx->seed));
    snc_say(l->h,
            "Kendall's tau over %d nets of %.0f to %.0f us, in the supernet against alone from the teacher's weights: loss %.3f (%.3f to "
            "%.3f), score %.3f (%.3f to %.3f)",
            TAU_NETS, WINDOW * limit, limit, t[BY_LOSS].value, t[BY_LOSS].low, t[BY_LOSS].high, t[BY_SCORE].value, t[BY_SCORE].low,
            t[BY_SCORE].high);
    snc_say(l->h,
            "multiply-adds alone against the loss alone %.3f (%.3f to %.3f); the loss in the supernet is ahead by %.3f (%.3f to %.3f)",
            t[BY_MACS].value, t[BY_MACS].low, t[BY_MACS].high, t[AHEAD].value, t[AHEAD].low, t[AHEAD].high);
    cJSON *j = cJSON_AddObjectToObject(l->report, "tau");
    cJSON_AddNumberToObject(j, "us", limit);
    for (int k = 0; k < TAUS; k++) {
        const double v[] = {t[k].value, t[k].low, t[k].high};
        cJSON_AddItemToObject(j, keys[k], numbers(v, 3));
    }
    cJSON_AddItemToObject(j, "loss_in_supernet", numbers(r->loss, TAU_NETS));
    cJSON_AddItemToObject(j, "loss_alone", numbers(r->alone_loss, TAU_NETS));
    return SNC_OK;
}

static snc_err tau(study *l)
{
    const double limit = snc_study_limit(l);
    const snc_dataset *d = l->e.in->splits.select;
    ranking r;
    snc_rng rng;
    snc_rng_init(&rng, (uint64_t)l->o->job.seed, STREAM_RANDOM_NETS + 1);
    snc_say(l->h, "| net, us by the table | M multiply-adds | loss in the supernet | alone | score in the supernet | alone |\n"
                  "|---|---|---|---|---|---|");
    for (int i = 0; i < TAU_NETS; i++) {
        snc_obs o = {.loss = 0};
        snc_alone_score s;
        SNC_TRY(random_in_window(&o.cfg, l, &rng, limit));
        snc_evaluator_cost(&l->e, &o);
        SNC_TRY(snc_evaluator_score(&r.loss[i], &r.score[i], &l->e, &o.cfg, d, l->e.teacher_select));
        SNC_TRY(snc_alone_taught(&s, &l->alone, &o.cfg));
        r.macs[i] = -o.macs;
        r.alone_loss[i] = s.loss;
        r.alone_score[i] = s.score;
        snc_say(l->h, "| %.0f | %.2f | %.4f | %.4f | %.2f | %.2f |", o.latency_us, o.macs / 1e6, r.loss[i], s.loss, 100 * r.score[i],
                100 * s.score);
    }
    return say_taus(l, &r, limit);
}

/* ---- joint against one after the other ------------------------------------------------------------------------------ */

/* Every dtype gene at `t`, or at its last option where t is not offered. */
static void fix_dtypes(snc_space *s, snc_dtype t)
{
    for (int g = 0; g < s->genes; g++) {
        snc_gene *x = &s->gene[g];
        int at = x->n - 1;
        if (x->kind != SNC_GENE_DTYPE) continue;
        for (int i = 0; i < x->n; i++)
            if (x->value[i] == (int)t) at = i;
        x->value[0] = x->value[at];
        x->n = 1;
    }
}

/* Hypervolume on select of the front on rank. */
static snc_err front_on_select(double *out, const study *l, snc_evaluator *e, const snc_obs *o, int n)
{
    snc_obs *front = NULL;
    snc_point *p = NULL;
    int on = 0;
    snc_err err = SNC_OK;
    SNC_GOTO(points_of(&p, o, n));
    SNC_GOTO(snc_alloc(&front, (size_t)n + 1, sizeof *front));
    for (int i = 0; i < n; i++) {
        bool beaten = isnan(o[i].loss);
        for (int k = 0; k < n && !beaten; k++) beaten = snc_dominates(&p[k], &p[i], 2);
        if (beaten) continue;
        front[on] = o[i];
        SNC_GOTO(snc_evaluator_score(&front[on].loss, &front[on].metric, e, &o[i].cfg, e->in->splits.select, e->teacher_select));
        on++;
    }
    err = volume(out, l, front, on);
out:
    snc_free(p);
    snc_free(front);
    return err;
}

/* Takes the best of a search among FP nets in INT8. */
static snc_err in_int8(snc_obs **out, int *n, snc_evaluator *e, const snc_evaluations *f, int most)
{
    snc_point *p = NULL;
    snc_obs *o = NULL;
    int *order = NULL;
    snc_err err = SNC_OK;
    *n = f->n < most ? f->n : most;
    SNC_GOTO(snc_alloc(&o, (size_t)*n + 1, sizeof *o));
    SNC_GOTO(points_of(&p, f->obs, f->n));
    SNC_GOTO(snc_alloc(&order, (size_t)f->n + 1, sizeof *order));
    SNC_GOTO(snc_pareto_order(order, p, f->n, 2));
    for (int i = 0; i < *n; i++) SNC_GOTO(snc_evaluator_observe(&o[i], e, &f->obs[order[i]].cfg));
    *out = o;
    o = NULL;
out:
    snc_free(o);
    snc_free(p);
    snc_free(order);
    return err;
}

enum { JOINT, INT8_NETS, FP_FIRST, ARMS };
static const char *const arm_name[ARMS] = {"joint", "uniform INT8", "FP, then INT8"};

static snc_err run_arm(double *out, study *l, int arm, int repeat)
{
    static const char *const file[ARMS] = {"joint", "joint-int8", "joint-fp"};
    snc_space narrow = *l->e.space, int8 = *l->e.space;
    snc_dtype fp = snc_inputs_fp(&l->o->job);
    snc_evaluations f = {0};
    snc_obs *o = NULL;
    int n = 0;
    fix_dtypes(&int8, SNC_I8);
    if (arm != JOINT) fix_dtypes(&narrow, arm == FP_FIRST ? fp : SNC_I8);
    snc_evaluator over = snc_evaluator_over(&l->e, &narrow), over_int8 = snc_evaluator_over(&l->e, &int8);
    snc_err err = snc_study_search(&f, l, &over, file[arm], l->o->search.searcher, repeat,
                                   arm == FP_FIRST ? l->o->search.evals / 2 : l->o->search.evals, 0);
    if (!err && arm == FP_FIRST) {
        err = in_int8(&o, &n, &over_int8, &f, l->o->search.evals - f.n);
        if (!err) err = front_on_select(out, l, &over_int8, o, n);
    } else if (!err) {
        err = front_on_select(out, l, &over, f.obs, f.n);
    }
    snc_free(o);
    snc_evaluations_dispose(&f);
    return err;
}

static snc_err joint(study *l)
{
    double v[ARMS][SNC_STUDY_SEEDS], gain[SNC_STUDY_SEEDS];
    int seeds = l->o->study.seeds;
    cJSON *j = cJSON_AddObjectToObject(l->report, "joint");
    for (int a = 0; a < ARMS; a++)
        for (int s = 0; s < seeds; s++) SNC_TRY(run_arm(&v[a][s], l, a, s));
    snc_say(
        l->h,
        "hypervolume on select of the front, %d runs of %d evaluations\n| search over | hypervolume | joint against it |\n|---|---|---|",
        seeds, l->o->search.evals);
    for (int a = 0; a < ARMS; a++) {
        spread x = snc_spread_of(v[a], seeds);
        cJSON_AddItemToObject(j, arm_name[a], numbers(v[a], seeds));
        for (int s = 0; s < seeds; s++) gain[s] = 100 * (v[JOINT][s] / v[a][s] - 1);
        spread g = snc_spread_of(gain, seeds);
        if (a == JOINT) snc_say(l->h, "| %s | %.4f ± %.4f | |", arm_name[a], x.mean, x.error);
        else
            snc_say(l->h, "| %s | %.4f ± %.4f | %+.2f %% (95%%: %+.2f to %+.2f) |", arm_name[a], x.mean, x.error, g.mean,
                    g.mean - snc_student(seeds - 1) * g.error, g.mean + snc_student(seeds - 1) * g.error);
    }
    return SNC_OK;
}

/* ---- the verb ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    snc_err (*run)(study *l);
    bool limited;
} protocols[] = {{"hypervolume", hypervolume, false},
                 {"improvement", improvement, true},
                 {"tau", tau, true},
                 {"joint", joint, false},
                 {"cascade", snc_protocol_cascade, true}};
enum { PROTOCOLS = sizeof protocols / sizeof *protocols };

/* The i-th bit for the i-th protocol. */
static snc_err parse(unsigned *wanted, const char *list)
{
    *wanted = 0;
    for (const char *p = list; p; p = snc_list_next(p)) {
        size_t n = strcspn(p, ",");
        unsigned before = *wanted;
        for (unsigned i = 0; i < PROTOCOLS; i++)
            if (strlen(protocols[i].name) == n && strncmp(protocols[i].name, p, n) == 0) *wanted |= 1u << i;
        SNC_CHECK(*wanted != before, SNC_E_ARG,
                  "--protocols '%.60s': expected a list of hypervolume, improvement, tau, joint, cascade, each once", list);
    }
    return SNC_OK;
}

/* The point that hypervolumes are measured to. */
static snc_err set_reference(study *l)
{
    snc_obs o;
    snc_cfg half = snc_cfg_uniform(l->e.space, 0.5, l->e.space->gene[0].n - 1);
    SNC_TRY(snc_evaluator_observe(&o, &l->e, &half));
    l->ref[0] = o.loss;
    l->ref[1] = l->e.full[SNC_COST_LATENCY];
    cJSON_AddItemToObject(l->report, "reference", numbers(l->ref, 2));
    return SNC_OK;
}

/* Before the folder is touched: what all searches share, and each of them by itself. */
static snc_err check(const study *l, const snc_ctx *work, const snc_inputs *in)
{
    snc_err err = SNC_OK;
    char names[MOST_SEARCHERS][NAME];
    int n;
    snc_model *m = NULL;
    snc_options one = *l->o;
    SNC_TRY(read_searchers(names, &n, l->o));
    SNC_TRY(snc_model_load(&m, work, l->o->input.models[0], snc_task_classes(in->task), snc_task_meaning(in->task)));
    SNC_GOTO(snc_preflight_search(work, l->o, &l->targets, in, m, l->o->output.path));
    const snc_needs needs = {l->ctx, l->o, in, m, SNC_VERB_STUDY, 0};
    SNC_GOTO(snc_needs_check(&needs, l->o->output.path, 0));
    for (int i = 0; i < n; i++) {
        one.search.searcher = names[i];
        SNC_GOTO(snc_search_run_check(&one, in, m, l->o->output.path));
    }
out:
    snc_model_free(m);
    return err;
}

static snc_err run_all(study *l, unsigned wanted, const snc_ctx *work, const snc_inputs *in)
{
    char table[4096], file[4096];
    SNC_TRY(snc_path_join(table, sizeof table, l->o->output.path, "latency.json"));
    SNC_TRY(snc_path_join(file, sizeof file, l->o->output.path, "study.json"));
    SNC_TRY(snc_targets_parse(&l->targets, &l->o->targets, "study"));
    SNC_TRY(check(l, work, in));
    SNC_TRY(snc_mkdir(l->o->output.path));
    SNC_TRY(snc_profile_make_of_file(work, l->o, in, l->o->input.models[0], table));
    SNC_TRY(snc_evaluator_open(&l->e, l->ctx, l->o, in, l->o->input.teacher, l->o->input.models[0], table, NULL));
    SNC_TRY(snc_search_run_init(&l->run, &l->e, work, l->o, &l->targets, table, l->o->output.path));
    l->alone = (snc_alone){
        .e = &l->e, .o = l->o, .folder = l->o->output.path, .refit = {.rows = in->splits.train, .teachers = {1, {l->o->input.teacher}}}};
    SNC_TRY(set_reference(l));
    for (unsigned i = 0; i < PROTOCOLS; i++)
        if (wanted & 1u << i) SNC_TRY(protocols[i].run(l));
    return snc_json_save(l->report, file);
}

snc_err snc_protocols_run(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx, work;
    snc_options mine = *o;
    snc_inputs in = {0};
    unsigned wanted;
    study l = {.ctx = &ctx, .h = h, .o = &mine};
    if (!o->study.seeds) mine.study.seeds = 5;
    if (!o->targets.latency) mine.targets.latency = "1x"; /* limits are the protocols' own */
    SNC_TRY(parse(&wanted, o->study.protocols));
    for (unsigned i = 0; i < PROTOCOLS; i++)
        SNC_CHECK(!(wanted & 1u << i) || !protocols[i].limited || o->targets.latency, SNC_E_ARG,
                  "study: the protocol '%s' needs --target-latency", protocols[i].name);
    SNC_TRY(snc_option_need("study --protocols", "a supernet", o->input.n_models ? o->input.models[0] : NULL));
    SNC_TRY(snc_option_need("study --protocols", "--teacher", o->input.teacher));
    SNC_TRY(snc_option_need("study --protocols", "--output", o->output.path));
    SNC_CHECK(mine.study.seeds <= SNC_STUDY_SEEDS, SNC_E_ARG, "--seeds %d: --protocols takes at most %d", mine.study.seeds,
              SNC_STUDY_SEEDS);
    SNC_TRY(snc_context_init(&work, o, h, o->workload.threads, 1));
    SNC_TRY(snc_context_init(&ctx, o, h, NULL, 0));
    work.meter = ctx.meter;
    l.report = cJSON_CreateObject();
    SNC_GOTO(snc_inputs_open(&in, &ctx, o, "study", o->input.models[0], SNC_HOLD_OUT, NULL));
    SNC_GOTO(snc_settle(&mine, in.splits.train));
    SNC_GOTO(run_all(&l, wanted, &work, &in));
out:
    snc_evaluator_close(&l.e);
    snc_alone_dispose(&l.alone);
    snc_inputs_close(&in);
    cJSON_Delete(l.report);
    return err;
}
