/* The search between its inputs and its result: first proposals, the journal, the loop, the front. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "stage/exporting.h"
#include "stage/reading.h"

#define SEARCHER "linas" /* where --searcher says nothing */

enum { EVEN_SEEDS = 25, WARM_SEEDS = 50, SHOWN = 12 };

/* ---- options -------------------------------------------------------------------------------------------------------- */

/* "loss,latency,size": quality (loss or score) and one or two of latency, size, macs, in any order. */
static snc_err parse_objectives(snc_run_opts *out, const char *text)
{
    bool quality = false;
    out->objectives = 1;
    for (const char *p = text; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        size_t n = strcspn(p, ",");
        bool loss = n == 4 && strncmp(p, "loss", n) == 0, score = n == 5 && strncmp(p, "score", n) == 0;
        int kind = -1;
        for (int i = 0; i < SNC_COSTS; i++)
            if (n == strlen(snc_cost_name(i)) && strncmp(p, snc_cost_name(i), n) == 0) kind = i;
        SNC_CHECK(loss || score || kind >= 0, SNC_E_ARG, "--objectives '%.60s': expected loss or score, and one or two of latency, size, macs", text);
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
    SNC_CHECK(quality && out->objectives > 1, SNC_E_ARG, "--objectives '%.60s': expected loss or score, and one or two of latency, size, macs", text);
    return SNC_OK;
}

static snc_err run_opts(snc_run_opts *out, const snc_options *o, const snc_asked *asked)
{
    *out = (snc_run_opts){.evals = o->evals, .objectives = 2};
    if (snc_asked_cost(asked) >= 0) out->cost[0] = (snc_cost_kind)snc_asked_cost(asked);
    if (o->objectives) SNC_TRY(parse_objectives(out, o->objectives));
    if (o->time_budget) SNC_TRY(snc_parse_seconds(&out->seconds, "--time-budget", o->time_budget));
    return SNC_OK;
}

/* A name, or a JSON file with "name" and its parameters. *params is the caller's to delete. */
static snc_err make_search(snc_search **out, const char **name, cJSON **params, const snc_options *o, const snc_problem *problem)
{
    *name = o->searcher ? o->searcher : SEARCHER;
    if (strchr(*name, '.') && !*params) SNC_TRY(snc_json_load(params, *name));
    if (*params) SNC_TRY(snc_json_str(name, *params, "name", SEARCHER, o->searcher));
    snc_err err = snc_search_create(out, *name, *params, problem);
    return err && *params ? snc_err_prefix(err, o->searcher) : err;
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

snc_err snc_pick_check(const snc_options *o, const snc_inputs *in, const snc_model *m, const char *dir)
{
    snc_err err = SNC_OK;
    snc_space *space = NULL;
    snc_run_opts ro;
    const snc_asked none = {{{.given = false}}};
    const char *repair = o->repair ? o->repair : "auto";
    SNC_CHECK(strcmp(repair, "auto") == 0 || strcmp(repair, "on") == 0 || strcmp(repair, "off") == 0, SNC_E_ARG,
              "--repair '%.40s': expected auto, on or off", repair);
    SNC_TRY(run_opts(&ro, o, &none));
    if (o->warm_start) SNC_TRY(check_warm(o, in, dir));
    SNC_GOTO(snc_step_space(&space, o, m, snc_step_rule(o, "even")));
    SNC_GOTO(check_search(o, space, ro.objectives));
out:
    snc_space_free(space);
    return err;
}

snc_err snc_pick_journal_path(char *buf, size_t size, const snc_options *o, const char *dir)
{
    if (!o->journal) return snc_path_join(buf, size, dir, "search.sqlite");
    SNC_CHECK(snprintf(buf, size, "%s", o->journal) < (int)size, SNC_E_ARG, "path too long: %.80s...", o->journal);
    return SNC_OK;
}

/* ---- first proposals ------------------------------------------------------------------------------------------------ */

static double excess(const snc_pick *p, const snc_obs *o)
{
    snc_obs at = *o;
    const snc_run_opts ro = {.limits = p->limits, .objectives = 2};
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
static void even_seeds(snc_cfg *out, int *n, snc_pick *p)
{
    int most = *n + EVEN_SEEDS;
    for (int d = p->space->gene[0].n - 1; d >= 0; d--)
        for (int share = 20; share >= 5 && *n < most; share--) {
            snc_obs o = {.cfg = snc_cfg_uniform(p->space, share / 20.0, d)};
            snc_pick_cost(p, &o);
            if (p->limits.bytes > 0 && o.bytes > p->limits.bytes) { /* the same widths in the cheapest dtypes */
                snc_cfg_cheapest_dtypes(&o.cfg, p->space);
                snc_cfg_canonical(&o.cfg, p->space);
                snc_pick_cost(p, &o);
            }
            if (excess(p, &o) <= 0) add_seed(out, n, &o.cfg);
        }
}

/* The best of an earlier search by its own numbers, under the limits of this one: front by front, the emptiest parts first. */
static snc_err warm_seeds(snc_cfg *out, int *n, snc_pick *p, const snc_journal_file *f, const snc_run_opts *ro)
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
        SNC_GOTO(snc_cfg_parse(&x.cfg, p->space, f->row[i].config));
        snc_pick_cost(p, &x);
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

enum { KEYS = 6 };

typedef struct identity {
    char value[KEYS][20];
    snc_journal_key key[KEYS];
} identity;

/* What evaluations depend on. */
static void identify(identity *id, const snc_ctx *ctx, const snc_inputs *in, const snc_model *supernet, uint64_t teacher, const snc_space *space)
{
    static const char *const names[KEYS] = {"model", "teacher", "task", "rank rows", "space", "backend"};
    const uint64_t hashes[KEYS - 1] = {snc_bytes_hash(0, supernet->params.w, supernet->params.total * sizeof(float)), teacher, snc_task_hash(in->task),
                                       snc_dataset_hash(in->splits.rank), snc_space_hash(space)};
    for (int i = 0; i < KEYS; i++) {
        if (i < KEYS - 1) snprintf(id->value[i], sizeof id->value[i], "%016llx", (unsigned long long)hashes[i]);
        else snprintf(id->value[i], sizeof id->value[i], "%s", snc_backend_name(ctx->backend));
        id->key[i] = (snc_journal_key){names[i], id->value[i]};
    }
}

static void identify_pick(identity *id, const snc_pick *p) { identify(id, p->ctx, p->in, p->supernet, p->teacher_hash, p->space); }

snc_err snc_pick_journal_fits(const char *journal, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher,
                              const snc_model *m, const char *supernet)
{
    snc_err err = SNC_OK;
    snc_space *space = NULL;
    snc_journal_file f = {0};
    identity id;
    uint64_t h = 0;
    SNC_TRY(snc_step_trained_space(&space, o, m, supernet));
    if (!snc_is_file(journal)) goto out;
    SNC_GOTO(snc_path_hash(&h, teacher));
    SNC_GOTO(snc_journal_read(&f, journal));
    identify(&id, ctx, in, m, h, space);
    if (f.meta->child) SNC_GOTO(snc_journal_matches(&f, journal, id.key, KEYS));
out:
    snc_journal_file_dispose(&f);
    snc_space_free(space);
    return err;
}

snc_err snc_pick_note_end(const snc_pick *p, const char *journal, const cJSON *end)
{
    snc_journal *j = NULL;
    identity id;
    identify_pick(&id, p);
    SNC_TRY(snc_journal_open(&j, journal, p->space, id.key, KEYS));
    snc_err err = snc_journal_note(j, "end", 0, end);
    snc_journal_close(j);
    return err;
}

snc_err snc_pick_read_end(cJSON **out, const char *journal)
{
    snc_journal_file f;
    const cJSON *it;
    *out = NULL;
    if (!snc_is_file(journal)) return SNC_OK;
    SNC_TRY(snc_journal_read(&f, journal));
    cJSON_ArrayForEach(it, f.notes)
    {
        const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(it, "kind"));
        if (kind && strcmp(kind, "end") == 0 && !*out) *out = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(it, "value"), 1);
    }
    snc_journal_file_dispose(&f);
    return SNC_OK;
}

/* As far as it is known before there are supernet and teacher. */
static snc_err check_warm(const snc_options *o, const snc_inputs *in, const char *dir)
{
    char journal[4096], hash[2][20];
    snc_journal_file f = {0};
    const snc_journal_key keys[] = {{"task", hash[0]}, {"rank rows", hash[1]}};
    snprintf(hash[0], sizeof hash[0], "%016llx", (unsigned long long)snc_task_hash(in->task));
    snprintf(hash[1], sizeof hash[1], "%016llx", (unsigned long long)snc_dataset_hash(in->splits.rank));
    SNC_TRY(snc_pick_journal_path(journal, sizeof journal, o, dir));
    SNC_CHECK(snc_is_file(o->warm_start), SNC_E_IO, "--warm-start %s: no such file", o->warm_start);
    SNC_CHECK(!snc_is_same_file(o->warm_start, journal), SNC_E_ARG, "--warm-start %s: is this search's own journal", o->warm_start);
    snc_err err = snc_journal_read(&f, o->warm_start);
    if (!err) err = snc_journal_matches(&f, o->warm_start, keys, 2);
    snc_journal_file_dispose(&f);
    return err;
}

static snc_err read_warm(snc_journal_file *out, const char *path, const char *journal, const identity *id)
{
    SNC_CHECK(!snc_is_same_file(path, journal), SNC_E_ARG, "--warm-start %s: is this search's own journal", path);
    SNC_TRY(snc_journal_read(out, path));
    return snc_journal_matches(out, path, id->key, KEYS);
}

/* ---- the search ----------------------------------------------------------------------------------------------------- */

/* What no config can meet is known before the first evaluation. */
static bool within_reach(const snc_pick *p)
{
    snc_obs least = {.cfg = {{0}}}, fast = {.cfg = snc_cfg_uniform(p->space, 0, 0)};
    fast.cfg.o[1] = 0; /* INT8 where INT4 is the cheapest: larger, and faster */
    snc_cfg_canonical(&least.cfg, p->space);
    snc_pick_cost(p, &least);
    snc_pick_cost(p, &fast);
    if (fast.latency_us < least.latency_us) least.latency_us = fast.latency_us;
    if (excess(p, &least) <= 0) return true;
    snc_limits most = p->limits;
    char needs[320] = "", is[32], limit[32];
    for (int k = 0; k < SNC_COSTS; k++) {
        size_t at = strlen(needs);
        if (*snc_limit(&most, k) > 0)
            snprintf(needs + at, sizeof needs - at, " %s %s of %s;", snc_target_name(k), snc_target_number(is, k, snc_obs_cost(&least, k)),
                     snc_target_number(limit, k, *snc_limit(&most, k)));
    }
    snc_log(p->ctx, SNC_LOG_WARN, "the targets are out of reach: the smallest net of the space needs%s it is taken without a search", needs);
    return false;
}

static void say_start(const snc_pick *p)
{
    snc_limits most = p->limits;
    char number[32];
    snc_log(p->ctx, SNC_LOG_INFO, "search: %s over 10^%.0f configs; by the table the full-size INT8 net takes %.0f us and %.2f MB",
            p->o->searcher ? p->o->searcher : SEARCHER, snc_space_log10_size(p->space), p->full[SNC_COST_LATENCY], p->full[SNC_COST_SIZE] / 1e6);
    for (int k = 0; k < SNC_COSTS; k++)
        if (*snc_limit(&most, k) > 0) snc_log(p->ctx, SNC_LOG_INFO, "search: %s at most %s", snc_target_name(k), snc_target_number(number, k, *snc_limit(&most, k)));
}

static snc_err score(void *user, snc_obs *o)
{
    snc_pick *p = user;
    return snc_pick_look(&o->loss, &o->metric, p, &o->cfg, p->in->splits.rank, p->teacher_rank);
}

static void cost(void *user, snc_obs *o) { snc_pick_cost(user, o); }

/* Half of every width, where the limits allow as much: who takes what is worse? Whoever says which drop is allowed. */
static snc_err set_worst(double *out, snc_pick *p, const snc_run_opts *ro)
{
    const snc_cfg half = snc_cfg_uniform(p->space, 0.5, p->space->gene[0].n - 1);
    snc_obs o = {.cfg = half};
    *out = 0;
    snc_pick_cost(p, &o);
    if (p->asked.of[SNC_TARGET_DROP].given || excess(p, &o) > 0) return SNC_OK;
    SNC_TRY(snc_pick_observe(&o, p, &half));
    snc_obs_point(&o, ro);
    if (isfinite(o.point.f[0])) *out = o.point.f[0];
    return SNC_OK;
}

typedef struct exact {
    const snc_pick *p;
    const snc_run_opts *ro;
} exact;

/* All objectives but the first, and the limits: what a search need not learn. */
static void exact_costs(void *user, snc_obs *o)
{
    const exact *e = user;
    double quality = o->point.f[0];
    snc_pick_cost(e->p, o);
    snc_obs_point(o, e->ro);
    o->point.f[0] = quality;
}

static snc_err save_best(void *user, const snc_obs *o)
{
    const snc_pick *p = user;
    cJSON *j = snc_pick_obs_json(p, o);
    snc_err err = snc_json_save(j, p->best_path);
    cJSON_Delete(j);
    return err;
}

/* Every evaluation there is, with the costs of this table and the objectives of this run. */
static snc_err collect(snc_found *out, snc_pick *p, snc_journal *j, const snc_run_opts *ro)
{
    int failed = 0;
    SNC_TRY(snc_journal_all(&out->obs, &out->n, j));
    for (int i = 0; i < out->n; i++) {
        snc_pick_cost(p, &out->obs[i]);
        snc_obs_point(&out->obs[i], ro);
        failed += isnan(out->obs[i].loss);
    }
    SNC_TRY(snc_journal_recost(j, out->obs, out->n));
    if (failed) snc_log(p->ctx, SNC_LOG_WARN, "%d of %d evaluations gave no number; they are recorded and never chosen", failed, out->n);
    SNC_CHECK(out->n == 0 || failed < out->n, SNC_E_DIVERGED, "search: none of %d evaluations gave a number", out->n);
    return SNC_OK;
}

snc_err snc_pick_search(snc_found *out, snc_pick *p, const char *path)
{
    snc_err err = SNC_OK;
    snc_search *s = NULL;
    snc_journal *j = NULL;
    snc_journal_file warm = {0};
    cJSON *params = NULL;
    const char *name;
    identity id;
    snc_cfg seeds[EVEN_SEEDS + WARM_SEEDS];
    snc_run_opts ro;
    const snc_run_hooks hooks = {p, cost, score, save_best};
    double worst;
    int n = 0;
    SNC_TRY(run_opts(&ro, p->o, &p->asked));
    ro.limits = p->limits;
    SNC_TRY(check_search(p->o, p->space, ro.objectives));
    identify_pick(&id, p);
    if (p->o->warm_start) SNC_GOTO(read_warm(&warm, p->o->warm_start, path, &id));
    SNC_GOTO(snc_journal_open(&j, path, p->space, id.key, KEYS));
    if (p->o->warm_start) {
        SNC_GOTO(snc_journal_import(j, &warm));
        SNC_GOTO(warm_seeds(seeds, &n, p, &warm, &ro));
        snc_log(p->ctx, SNC_LOG_INFO, "warm start: %d evaluations of %s, %d of them proposed first", warm.n, p->o->warm_start, n);
    }
    even_seeds(seeds, &n, p);
    SNC_GOTO(set_worst(&worst, p, &ro));
    const snc_problem problem = {.space = p->space, .objectives = ro.objectives, .cost = exact_costs, .user = &(exact){p, &ro}, .worst = worst,
                                 .seeds = seeds, .n_seeds = n, .seed = (uint64_t)p->o->seed};
    SNC_GOTO(make_search(&s, &name, &params, p->o, &problem));
    snc_journal_source(j, name);
    say_start(p);
    if (within_reach(p)) SNC_GOTO(snc_search_run(&out->report, p->ctx, s, j, &ro, &hooks));
    SNC_GOTO(collect(out, p, j, &ro));
out:
    cJSON_Delete(params);
    snc_journal_file_dispose(&warm);
    snc_journal_close(j);
    snc_search_free(s);
    return err;
}

/* ---- the front ------------------------------------------------------------------------------------------------------ */

static bool on_front(const snc_found *f, int i)
{
    for (int k = 0; k < f->n; k++)
        if (snc_obs_beats(&f->obs[k], &f->obs[i])) return false;
    return !isnan(f->obs[i].loss);
}

static cJSON *finalist_json(const snc_pick *p, const snc_finalist *f)
{
    cJSON *j = snc_pick_obs_json(p, &f->o);
    cJSON_AddNumberToObject(j, "select_loss", f->select_loss);
    cJSON_AddNumberToObject(j, "select_score", f->select_score);
    cJSON_AddNumberToObject(j, "measured_us", f->us);
    cJSON_AddNumberToObject(j, "measured_ratio", f->ratio);
    cJSON_AddBoolToObject(j, "meets", f->meets);
    return j;
}

/* The full-size INT8 net of the supernet, outside any limit: what everything on the front is compared with. */
static snc_err full_int8_json(cJSON **out, snc_pick *p)
{
    snc_obs o = {.loss = 0};
    snc_policy int8 = snc_policy_int8();
    const snc_dataset *d = p->in->splits.rank;
    SNC_TRY(snc_pick_look_at(&o.loss, &o.metric, p, &p->supernet->arch, &int8, d, p->teacher_rank));
    *out = cJSON_CreateObject();
    cJSON_AddNumberToObject(*out, "loss", o.loss);
    cJSON_AddNumberToObject(*out, "metric", o.metric);
    for (int k = 0; k < SNC_COSTS; k++) cJSON_AddNumberToObject(*out, snc_cost_key(k), p->full[k]);
    return SNC_OK;
}

/* front.json: the chosen config, the finalists, the non-dominated evaluations, and what they are compared with. */
static snc_err save_front(const char *path, snc_pick *p, const snc_found *f)
{
    cJSON *full = NULL, *read, *j, *list;
    SNC_TRY(snc_reading_new(&read, p->in));
    snc_err err = full_int8_json(&full, p);
    if (err) cJSON_Delete(read);
    SNC_TRY(err);
    j = cJSON_CreateObject();
    cJSON_AddItemToObject(j, "read", read);
    cJSON_AddItemToObject(j, "chosen", finalist_json(p, &f->f[0]));
    cJSON_AddNumberToObject(j, "full_int8_us", p->full[SNC_COST_LATENCY]);
    cJSON_AddNumberToObject(j, "full_int8_bytes", p->full[SNC_COST_SIZE]);
    cJSON_AddItemToObject(j, "full_int8", full);
    cJSON_AddItemToObject(j, "full", snc_arch_to_json(&p->supernet->arch));
    list = cJSON_AddObjectToObject(j, "teacher");
    cJSON_AddNumberToObject(list, "rank_score", p->teacher_rank_score);
    cJSON_AddNumberToObject(list, "select_score", p->teacher_select_score);
    list = cJSON_AddObjectToObject(j, "limits");
    for (int k = 0; k < SNC_COSTS; k++)
        if (*snc_limit(&p->limits, k) > 0) cJSON_AddNumberToObject(list, snc_cost_key(k), *snc_limit(&p->limits, k));
    cJSON_AddItemToObject(j, "host", snc_host_json(p->work));
    cJSON_AddNumberToObject(j, "evaluations", f->n);
    list = cJSON_AddArrayToObject(j, "finalists");
    for (int i = 0; i < f->n_f; i++) cJSON_AddItemToArray(list, finalist_json(p, &f->f[i]));
    list = cJSON_AddArrayToObject(j, "front");
    for (int i = 0; i < f->n; i++)
        if (on_front(f, i)) cJSON_AddItemToArray(list, snc_pick_obs_json(p, &f->obs[i]));
    err = snc_json_save(j, path);
    cJSON_Delete(j);
    return err;
}

snc_err snc_pick_find(snc_found *out, snc_pick *p, const char *dir)
{
    snc_err err = SNC_OK;
    cJSON *chosen = NULL;
    char journal[4096], front[4096], config[4096];
    *out = (snc_found){0};
    SNC_TRY(snc_pick_journal_path(journal, sizeof journal, p->o, dir));
    SNC_TRY(snc_path_join(front, sizeof front, dir, "front.json"));
    SNC_TRY(snc_path_join(config, sizeof config, dir, "config.json"));
    SNC_GOTO(snc_pick_search(out, p, journal));
    SNC_GOTO(snc_pick_choose(out->f, &out->n_f, p, out->obs, out->n));
    SNC_GOTO(save_front(front, p, out));
    chosen = snc_pick_obs_json(p, &out->f[0].o);
    SNC_GOTO(snc_json_save(chosen, config));
out:
    cJSON_Delete(chosen);
    if (err) snc_found_dispose(out);
    return err;
}

void snc_found_dispose(snc_found *f)
{
    snc_free(f->obs);
    *f = (snc_found){0};
}

/* ---- for people ----------------------------------------------------------------------------------------------------- */

static int by_latency(const void *a, const void *b)
{
    const snc_obs *const *x = a, *const *y = b;
    if ((*x)->latency_us != (*y)->latency_us) return (*x)->latency_us < (*y)->latency_us ? -1 : 1;
    return ((*x)->loss > (*y)->loss) - ((*x)->loss < (*y)->loss);
}

static void say_front(const snc_host *h, const snc_pick *p, const snc_found *f, const snc_obs **front)
{
    int n = 0;
    for (int i = 0; i < f->n; i++)
        if (on_front(f, i)) front[n++] = &f->obs[i];
    qsort(front, (size_t)n, sizeof *front, by_latency);
    int shown = n < SHOWN ? n : SHOWN;
    snc_stage_say(h, "front of %d evaluations: %d, of which %d, fastest first; scores on rank, teacher %.2f", f->n, n, shown, 100 * p->teacher_rank_score);
    snc_stage_say(h, "| us by the table | of full INT8 | MB | M multiply-adds | layers | hidden | loss | score |");
    snc_stage_say(h, "|---|---|---|---|---|---|---|---|");
    for (int i = 0; i < shown; i++) {
        const snc_obs *o = front[shown > 1 ? i * (n - 1) / (shown - 1) : 0];
        snc_arch a;
        snc_policy policy;
        snc_cfg_decode(&a, &policy, p->space, &o->cfg);
        snc_stage_say(h, "| %.0f | %.3fx | %.2f | %.0f | %d | %d | %.4f | %.2f |", o->latency_us, o->latency_us / p->full[SNC_COST_LATENCY], o->bytes / 1e6,
                      o->macs / 1e6, a.layers, a.hidden, o->loss, 100 * o->metric);
    }
}

static void say_missed(const snc_host *h, const snc_pick *p, const snc_finalist *f)
{
    snc_found_of found[SNC_TARGETS];
    char said[256];
    snc_found_in_search(found, p, f);
    snc_stage_say(h, "MISSED: the chosen net is the nearest to what was asked");
    for (int k = 0; k < SNC_TARGETS; k++) {
        if (!p->asked.of[k].given) continue;
        snc_target_say(said, sizeof said, k, &p->asked.of[k], &found[k], k == SNC_TARGET_DROP ? " on select" : "");
        snc_stage_say(h, "- %s %s", snc_target_name(k), said);
    }
}

void snc_found_say(const snc_host *h, const snc_pick *p, const snc_found *f)
{
    const snc_obs **front = NULL;
    if (snc_alloc(&front, (size_t)f->n, sizeof *front) == SNC_OK) say_front(h, p, f, front);
    snc_free(front);
    snc_stage_say(h, "| finalist | loss on rank | loss on select | score on select | us measured | us by the table | of full INT8 | MB |");
    snc_stage_say(h, "|---|---|---|---|---|---|---|---|");
    for (int i = 0; i < f->n_f; i++) {
        const snc_finalist *x = &f->f[i];
        snc_stage_say(h, "| %d | %.4f | %.4f | %.2f | %.0f | %.0f | %.3fx | %.2f |", i + 1, x->o.loss, x->select_loss, 100 * x->select_score, x->us,
                      x->o.latency_us, x->ratio, x->o.bytes / 1e6);
    }
    snc_stage_say(h, "teacher on select %.2f", 100 * p->teacher_select_score);
    if (f->n_f && !f->f[0].meets) say_missed(h, p, &f->f[0]);
}
