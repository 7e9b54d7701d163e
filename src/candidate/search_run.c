/* Options, limits, first proposals and journal around the loop of search/runner.h. */
#include "candidate/search_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/evaluations.h"
#include "artifact/latency_table.h"
#include "artifact/option.h"
#include "artifact/parse.h"
#include "artifact/spaces.h"
#include "base/fmap.h"
#include "base/hosts.h"
#include "base/mem.h"
#include "base/names.h"

#define SEARCHER "linas" /* where --searcher says nothing */

enum { EVEN_SEEDS = 25, WARM_SEEDS = 50 };

/* ---- options -------------------------------------------------------------------------------------------------------- */

/* "loss,latency,size": quality (loss or score) and one or two of latency, size, macs, in any order. */
static snc_err parse_objectives(snc_run_opts *out, const char *text)
{
    bool quality = false;
    out->objectives = 1;
    for (const char *p = text; p; p = snc_list_next(p)) {
        size_t n = strcspn(p, ",");
        bool loss = n == 4 && strncmp(p, "loss", n) == 0, score = n == 5 && strncmp(p, "score", n) == 0;
        int kind = -1;
        for (int i = 0; i < SNC_COSTS; i++)
            if (n == strlen(snc_cost_name(i)) && strncmp(p, snc_cost_name(i), n) == 0) kind = i;
        SNC_CHECK(loss || score || kind >= 0, SNC_E_ARG,
                  "--objectives '%.60s': expected loss or score, and one or two of latency, size, macs", text);
        if (loss || score) {
            SNC_CHECK(!quality, SNC_E_ARG, "--objectives '%.60s': one of loss and score, once", text);
            quality = true;
            out->by_score = score;
            continue;
        }
        for (int i = 1; i < out->objectives; i++)
            SNC_CHECK(out->cost[i - 1] != (snc_cost_kind)kind, SNC_E_ARG, "--objectives '%.60s': %s twice", text, snc_cost_name(kind));
        SNC_CHECK(out->objectives < SNC_MAX_OBJECTIVES, SNC_E_ARG, "--objectives '%.60s': more than three", text);
        out->cost[out->objectives++ - 1] = (snc_cost_kind)kind;
    }
    SNC_CHECK(quality && out->objectives > 1, SNC_E_ARG,
              "--objectives '%.60s': expected loss or score, and one or two of latency, size, macs", text);
    return SNC_OK;
}

static snc_err run_opts(snc_run_opts *out, const snc_options *o, const snc_targets *asked)
{
    *out = (snc_run_opts){.evals = o->search.evals, .objectives = 2};
    if (snc_targets_cost(asked) >= 0) out->cost[0] = (snc_cost_kind)snc_targets_cost(asked);
    if (o->search.objectives) SNC_TRY(parse_objectives(out, o->search.objectives));
    if (o->search.time_budget) SNC_TRY(snc_parse_seconds(&out->seconds, "--time-budget", o->search.time_budget));
    return SNC_OK;
}

/* A name, or a JSON file with "name" and its parameters. *params is the caller's to delete. */
static snc_err make_search(snc_search **out, const char **name, cJSON **params, const snc_options *o, const snc_problem *problem)
{
    *name = o->search.searcher;
    if (strchr(*name, '.') && !*params) SNC_TRY(snc_json_load(params, *name));
    if (*params) SNC_TRY(snc_json_str(name, *params, "name", snc_options_defaults.search.searcher, o->search.searcher));
    snc_err err = snc_search_create(out, *name, *params, problem);
    return err && *params ? snc_err_prefix(err, o->search.searcher) : err;
}

/* Whether the search can be made: before anything is written. */
static snc_err check_search(const snc_options *o, const snc_space *space, int objectives)
{
    snc_search *s = NULL;
    cJSON *params = NULL;
    const char *name;
    const snc_problem problem = {.space = space, .objectives = objectives};
    snc_err err = make_search(&s, &name, &params, o, &problem);
    snc_search_free(s);
    cJSON_Delete(params);
    return err;
}

static snc_err check_warm(const snc_options *o, const snc_inputs *in, const char *dir);

snc_err snc_search_run_check(const snc_options *o, const snc_inputs *in, const snc_model *m, const char *dir)
{
    snc_err err = SNC_OK;
    snc_space *space = NULL;
    snc_run_opts ro;
    const snc_targets none = {.n_faster = 0};
    SNC_TRY(run_opts(&ro, o, &none));
    if (o->search.warm_start) SNC_TRY(check_warm(o, in, dir));
    SNC_GOTO(snc_space_asked(&space, o, m, snc_depth_rule_asked(o, "even")));
    SNC_GOTO(check_search(o, space, ro.objectives));
out:
    snc_space_free(space);
    return err;
}

/* ---- limits --------------------------------------------------------------------------------------------------------- */

/* What nets near the latency limit take of what the k-th table says. */
static snc_err factor_of(double *out, const snc_search_run *r, const char *path, int k, double full)
{
    char table[SNC_TABLE_PATH], stamp[4096];
    cJSON *j = NULL;
    const snc_target *t = &r->targets->of[SNC_TARGET_LATENCY];
    const snc_comm_host *on = snc_clock_host(r->work->comm, k);
    *out = 1;
    if (!t->given) return SNC_OK;
    SNC_TRY(snc_latency_table_of(table, path, r->work, k));
    SNC_TRY(snc_latency_table_inputs_path(stamp, sizeof stamp, table));
    SNC_TRY(snc_json_load(&j, stamp));
    *out = snc_latency_table_factor(cJSON_GetObjectItemCaseSensitive(j, "calibration"), snc_target_limit(SNC_TARGET_LATENCY, t, full),
                                    t->relative, full);
    cJSON_Delete(j);
    snc_log(r->e->ctx, SNC_LOG_INFO, "calibration: nets near the target take %.3f of what the table%s%s says", *out, on ? " of " : "",
            on ? on->name : "");
    return SNC_OK;
}

/* Tables are made to speak in the microseconds of the host that takes longest for the full-size INT8 net, each with its own factor: what is
 * within the limit there is so on all of them, where a share is asked as well. */
static snc_err set_factor(snc_search_run *r, const char *path)
{
    snc_evaluator *e = r->e;
    const snc_target *t = &r->targets->of[SNC_TARGET_LATENCY];
    const snc_policy int8 = snc_policy_int8();
    double full[SNC_COMM_CLOCKS] = {0}, factor[SNC_COMM_CLOCKS] = {1};
    int slowest = 0;
    for (int k = 0; k < e->tables; k++) {
        full[k] = snc_latency_predict(e->table[k], &e->supernet->arch, &int8);
        SNC_TRY(factor_of(&factor[k], r, path, k, full[k]));
        if (full[k] > full[slowest]) slowest = k;
    }
    for (int k = 0; k < e->tables; k++)
        e->weight[k] = k == slowest ? 1 : factor[k] / factor[slowest] * (t->given && t->relative ? full[slowest] / full[k] : 1);
    r->factor = factor[slowest];
    return SNC_OK;
}

snc_err snc_search_run_init(snc_search_run *out, snc_evaluator *e, const snc_ctx *work, const snc_options *o, const snc_targets *targets,
                            const char *table, const char *dir)
{
    *out = (snc_search_run){.e = e, .work = work, .o = o, .targets = targets};
    SNC_TRY(snc_path_join(out->best_path, sizeof out->best_path, dir, "best.json"));
    SNC_TRY(set_factor(out, table));
    for (int k = 0; k < SNC_COSTS; k++)
        if (targets->of[k].given) *snc_limit(&out->limits, k) = snc_target_limit(k, &targets->of[k], e->full[k]);
    out->limits.latency_us /= out->factor;
    return SNC_OK;
}

/* ---- first proposals ------------------------------------------------------------------------------------------------ */

static double excess(const snc_search_run *r, const snc_obs *o)
{
    snc_obs at = *o;
    const snc_run_opts ro = {.limits = r->limits, .objectives = 2};
    snc_obs_point(&at, &ro);
    return at.point.violation;
}

static void add_seed(snc_cfg *out, int *n, const snc_cfg *c)
{
    for (int i = 0; i < *n; i++)
        if (snc_cfg_equal(&out[i], c)) return;
    out[(*n)++] = *c;
}

/* Even shares of every width at every depth, so that the search starts with what a person would try. */
static void even_seeds(snc_cfg *out, int *n, const snc_search_run *r)
{
    int most = *n + EVEN_SEEDS;
    for (int d = r->e->space->gene[0].n - 1; d >= 0; d--)
        for (int share = 20; share >= 5 && *n < most; share--) {
            snc_obs o = {.cfg = snc_cfg_uniform(r->e->space, share / 20.0, d)};
            snc_evaluator_cost(r->e, &o);
            if (r->limits.bytes > 0 && o.bytes > r->limits.bytes) { /* the same widths in the cheapest dtypes */
                snc_cfg_cheapest_dtypes(&o.cfg, r->e->space);
                snc_cfg_canonical(&o.cfg, r->e->space);
                snc_evaluator_cost(r->e, &o);
            }
            if (excess(r, &o) <= 0) add_seed(out, n, &o.cfg);
        }
}

/* The best of an earlier search by its own numbers, under the limits of this one: front by front, the emptiest parts first. */
static snc_err warm_seeds(snc_cfg *out, int *n, const snc_search_run *r, const snc_journal_file *f, const snc_run_opts *ro)
{
    snc_err err = SNC_OK;
    snc_obs *o = NULL;
    snc_point *point = NULL;
    int *rank = NULL, live = 0, given = 0;
    double *crowding = NULL;
    SNC_GOTO(snc_alloc(&o, (size_t)f->n, sizeof *o));
    SNC_GOTO(snc_alloc(&point, (size_t)f->n, sizeof *point));
    SNC_GOTO(snc_alloc(&rank, (size_t)f->n, sizeof *rank));
    SNC_GOTO(snc_alloc(&crowding, (size_t)f->n, sizeof *crowding));
    for (int i = 0; i < f->n; i++) {
        snc_obs x = f->row[i].o;
        SNC_GOTO(snc_cfg_parse(&x.cfg, r->e->space, f->row[i].config));
        snc_evaluator_cost(r->e, &x);
        snc_obs_point(&x, ro);
        if (isnan(x.loss) || x.point.violation > 0) continue;
        point[live] = x.point;
        o[live++] = x;
    }
    SNC_GOTO(snc_pareto_rank(rank, crowding, point, live, ro->objectives));
    while (given < WARM_SEEDS && given < live) {
        int best = -1;
        for (int i = 0; i < live; i++)
            if (rank[i] >= 0 && (best < 0 || rank[i] < rank[best] || (rank[i] == rank[best] && crowding[i] > crowding[best]))) best = i;
        rank[best] = -1;
        add_seed(out, n, &o[best].cfg);
        given++;
    }
out:
    snc_free(o);
    snc_free(point);
    snc_free(rank);
    snc_free(crowding);
    return err;
}

/* ---- the journal ---------------------------------------------------------------------------------------------------- */

static void identify(snc_search_identity *id, const snc_search_run *r)
{
    snc_search_identity_of(id, r->e->ctx, r->o, r->e->in, r->e->supernet, r->e->teacher_hash, r->e->space);
}

snc_err snc_search_run_note_end(const snc_search_run *r, const char *journal, const cJSON *end)
{
    snc_journal *j = NULL;
    snc_search_identity id;
    identify(&id, r);
    SNC_TRY(snc_journal_open(&j, journal, r->e->space, id.key, SNC_SEARCH_KEYS));
    snc_err err = snc_journal_note(j, "end", 0, end);
    snc_journal_close(j);
    return err;
}

/* As far as it is known before there are supernet and teacher. */
static snc_err check_warm(const snc_options *o, const snc_inputs *in, const char *dir)
{
    char journal[4096], hash[2][20];
    snc_journal_file f = {0};
    const snc_journal_key keys[] = {{"task", hash[0]}, {"rank rows", hash[1]}};
    snprintf(hash[0], sizeof hash[0], "%016llx", (unsigned long long)snc_task_hash(in->task));
    snprintf(hash[1], sizeof hash[1], "%016llx", (unsigned long long)snc_evaluations_rows(o, in));
    SNC_TRY(snc_evaluations_path(journal, sizeof journal, o, dir));
    SNC_CHECK(snc_is_file(o->search.warm_start), SNC_E_IO, "--warm-start %s: no such file", o->search.warm_start);
    SNC_CHECK(!snc_is_same_file(o->search.warm_start, journal), SNC_E_ARG, "--warm-start %s: is this search's own journal",
              o->search.warm_start);
    snc_err err = snc_journal_read(&f, o->search.warm_start);
    if (!err) err = snc_journal_matches(&f, o->search.warm_start, keys, 2);
    snc_journal_file_dispose(&f);
    return err;
}

static snc_err read_warm(snc_journal_file *out, const char *path, const char *journal, const snc_search_identity *id)
{
    SNC_CHECK(!snc_is_same_file(path, journal), SNC_E_ARG, "--warm-start %s: is this search's own journal", path);
    SNC_TRY(snc_journal_read(out, path));
    return snc_journal_matches(out, path, id->key, SNC_SEARCH_KEYS);
}

/* ---- the search ----------------------------------------------------------------------------------------------------- */

/* What no config can meet is known before the first evaluation. */
static bool within_reach(const snc_search_run *r)
{
    snc_obs least = {.cfg = {{0}}}, fast = {.cfg = snc_cfg_uniform(r->e->space, 0, 0)};
    fast.cfg.o[1] = 0; /* INT8 where INT4 is the cheapest: larger, and faster */
    snc_cfg_canonical(&least.cfg, r->e->space);
    snc_evaluator_cost(r->e, &least);
    snc_evaluator_cost(r->e, &fast);
    if (fast.latency_us < least.latency_us) least.latency_us = fast.latency_us;
    if (excess(r, &least) <= 0) return true;
    snc_limits most = r->limits;
    char needs[320] = "", is[32], limit[32];
    for (int k = 0; k < SNC_COSTS; k++) {
        size_t at = strlen(needs);
        if (*snc_limit(&most, k) > 0)
            snprintf(needs + at, sizeof needs - at, " %s %s of %s;", snc_target_name(k), snc_target_number(is, k, snc_obs_cost(&least, k)),
                     snc_target_number(limit, k, *snc_limit(&most, k)));
    }
    snc_log(r->e->ctx, SNC_LOG_WARN, "the targets are out of reach: the smallest net of the space needs%s it is taken without a search",
            needs);
    return false;
}

static void say_start(const snc_search_run *r)
{
    snc_limits most = r->limits;
    char number[32];
    snc_log(r->e->ctx, SNC_LOG_INFO, "search: %s over 10^%.0f configs; by the table the full-size INT8 net takes %.0f us and %.2f MB",
            r->o->search.searcher, snc_space_log10_size(r->e->space), r->e->full[SNC_COST_LATENCY], r->e->full[SNC_COST_SIZE] / 1e6);
    for (int k = 0; k < SNC_COSTS; k++)
        if (*snc_limit(&most, k) > 0)
            snc_log(r->e->ctx, SNC_LOG_INFO, "search: %s at most %s", snc_target_name(k),
                    snc_target_number(number, k, *snc_limit(&most, k)));
}

/* What callbacks are given. */
typedef struct call {
    const snc_search_run *r;
    const snc_run_opts *ro;
} call;

/* The other ranks are asked once there is something to score. */
static snc_err score(void *user, snc_obs *const *o, int n, snc_err (*scored)(void *run), void *run)
{
    snc_evaluator *e = ((call *)user)->r->e;
    SNC_TRY(snc_evaluator_share(e));
    return snc_evaluator_score_round(o, n, e, scored, run);
}

static void cost(void *user, snc_obs *o) { snc_evaluator_cost(((call *)user)->r->e, o); }

/* Half of every width, where the limits allow as much: who takes what is worse? Whoever says which drop is allowed. */
static snc_err set_worst(double *out, const snc_search_run *r, const snc_run_opts *ro)
{
    const snc_cfg half = snc_cfg_uniform(r->e->space, 0.5, r->e->space->gene[0].n - 1);
    snc_obs o = {.cfg = half};
    *out = 0;
    snc_evaluator_cost(r->e, &o);
    if (r->targets->of[SNC_TARGET_DROP].given || excess(r, &o) > 0) return SNC_OK;
    SNC_TRY(snc_evaluator_observe(&o, r->e, &half));
    snc_obs_point(&o, ro);
    if (isfinite(o.point.f[0])) *out = o.point.f[0];
    return SNC_OK;
}

/* All objectives but the first, and the limits: what a search need not learn. */
static void exact_costs(void *user, snc_obs *o)
{
    const call *c = user;
    double quality = o->point.f[0];
    snc_evaluator_cost(c->r->e, o);
    snc_obs_point(o, c->ro);
    o->point.f[0] = quality;
}

static snc_err save_best(void *user, const snc_obs *o)
{
    const snc_search_run *r = ((call *)user)->r;
    cJSON *j = snc_evaluator_obs_json(r->e, o);
    snc_err err = snc_json_save(j, r->best_path);
    cJSON_Delete(j);
    return err;
}

/* Every evaluation there is, with the costs of this table and the objectives of this run. */
static snc_err collect(snc_evaluations *out, const snc_search_run *r, snc_journal *j, const snc_run_opts *ro)
{
    int failed = 0;
    SNC_TRY(snc_journal_all(&out->obs, &out->n, j));
    for (int i = 0; i < out->n; i++) {
        snc_evaluator_cost(r->e, &out->obs[i]);
        snc_obs_point(&out->obs[i], ro);
        failed += isnan(out->obs[i].loss);
    }
    SNC_TRY(snc_journal_recost(j, out->obs, out->n));
    if (failed) snc_log(r->e->ctx, SNC_LOG_WARN, "%d of %d evaluations gave no number; they are recorded and never chosen", failed, out->n);
    SNC_CHECK(out->n == 0 || failed < out->n, SNC_E_DIVERGED, "search: none of %d evaluations gave a number", out->n);
    return SNC_OK;
}

snc_err snc_search_run_evaluate(snc_evaluations *out, const snc_search_run *r, const char *path)
{
    snc_err err = SNC_OK;
    snc_search *s = NULL;
    snc_journal *j = NULL;
    snc_journal_file warm = {0};
    cJSON *params = NULL;
    const char *name;
    snc_search_identity id;
    snc_cfg seeds[EVEN_SEEDS + WARM_SEEDS];
    snc_run_opts ro;
    call user = {r, &ro};
    const snc_run_hooks hooks = {&user, cost, score, save_best};
    double worst;
    int n = 0;
    SNC_TRY(run_opts(&ro, r->o, r->targets));
    ro.limits = r->limits;
    SNC_TRY(check_search(r->o, r->e->space, ro.objectives));
    identify(&id, r);
    if (r->o->search.warm_start) SNC_GOTO(read_warm(&warm, r->o->search.warm_start, path, &id));
    SNC_GOTO(snc_journal_open(&j, path, r->e->space, id.key, SNC_SEARCH_KEYS));
    if (r->o->search.warm_start) {
        SNC_GOTO(snc_journal_import(j, &warm));
        SNC_GOTO(warm_seeds(seeds, &n, r, &warm, &ro));
        snc_log(r->e->ctx, SNC_LOG_INFO, "warm start: %d evaluations of %s, %d of them proposed first", warm.n, r->o->search.warm_start, n);
    }
    even_seeds(seeds, &n, r);
    SNC_GOTO(set_worst(&worst, r, &ro));
    const snc_problem problem = {.space = r->e->space,
                                 .objectives = ro.objectives,
                                 .cost = exact_costs,
                                 .user = &user,
                                 .worst = worst,
                                 .seeds = seeds,
                                 .n_seeds = n,
                                 .seed = (uint64_t)r->o->job.seed};
    SNC_GOTO(make_search(&s, &name, &params, r->o, &problem));
    snc_journal_source(j, name);
    say_start(r);
    if (within_reach(r)) SNC_GOTO(snc_run_search(&out->report, r->e->ctx, s, j, &ro, &hooks));
    SNC_GOTO(collect(out, r, j, &ro));
out:
    snc_evaluator_release(r->e);
    cJSON_Delete(params);
    snc_journal_file_dispose(&warm);
    snc_journal_close(j);
    snc_search_free(s);
    return err;
}

void snc_evaluations_dispose(snc_evaluations *v)
{
    snc_free(v->obs);
    *v = (snc_evaluations){0};
}
