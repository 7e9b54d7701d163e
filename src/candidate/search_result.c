/* The search, the second look, then front.json, config.json and what people read of them. */
#include "candidate/search_result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/evaluations.h"
#include "artifact/say.h"
#include "base/fmap.h"
#include "base/hosts.h"
#include "base/mem.h"

enum { SHOWN = 12 };

static bool on_front(const snc_evaluations *f, int i)
{
    for (int k = 0; k < f->n; k++)
        if (snc_obs_beats(&f->obs[k], &f->obs[i])) return false;
    return !isnan(f->obs[i].loss);
}

/* What it has of each target, as the second look judges: {"latency": {..., "inner": 0.672, "holds": true, "holds_inner": false}, ...}. */
static cJSON *judged_json(const snc_search_run *r, const snc_finalist *f)
{
    cJSON *j = cJSON_CreateObject();
    snc_attained found[SNC_TARGETS];
    snc_finalist_attained(found, r->e, f);
    for (int k = 0; k < SNC_TARGETS; k++) {
        const snc_target *t = &r->targets->of[k];
        if (!t->given) continue;
        cJSON *one = snc_target_json(t, &found[k]);
        cJSON_AddNumberToObject(one, "inner", snc_target_inner(k, t));
        cJSON_AddBoolToObject(one, "holds_inner", snc_target_miss(k, t, &found[k]) <= 0);
        cJSON_AddItemToObject(j, snc_target_key(k), one);
    }
    return j;
}

static cJSON *finalist_json(const snc_search_run *r, const snc_finalist *f)
{
    cJSON *j = snc_evaluator_obs_json(r->e, &f->o);
    cJSON_AddNumberToObject(j, "fresh_loss", f->fresh_loss);
    cJSON_AddNumberToObject(j, "fresh_at_most", f->fresh_most);
    cJSON_AddNumberToObject(j, "select_loss", f->select_loss);
    cJSON_AddNumberToObject(j, "select_score", f->select_score);
    cJSON_AddNumberToObject(j, "select_drop", f->drop.points.value);
    cJSON_AddNumberToObject(j, "select_drop_at_most", f->drop.bound);
    cJSON_AddNumberToObject(j, "measured_us", f->us);
    cJSON_AddNumberToObject(j, "measured_ratio", f->ratio);
    for (int k = 0; k < r->e->tables && snc_clock_host(r->work->comm, k); k++) {
        cJSON *on = cJSON_CreateObject();
        cJSON_AddStringToObject(on, "name", snc_clock_host(r->work->comm, k)->name);
        cJSON_AddNumberToObject(on, "measured_us", f->on[k].us);
        cJSON_AddNumberToObject(on, "measured_ratio", f->on[k].ratio);
        cJSON_AddItemToArray(snc_json_list(j, "hosts"), on);
    }
    cJSON_AddBoolToObject(j, "meets", f->meets);
    cJSON_AddItemToObject(j, "targets", judged_json(r, f));
    return j;
}

/* The full-size INT8 net of the supernet, outside any limit: what everything on the front is compared with. */
static snc_err look_at_full(snc_search_result *f, const snc_search_run *r)
{
    const snc_splits *s = &r->e->in->splits;
    const snc_arch *full = &r->e->supernet->arch;
    snc_policy int8 = snc_policy_int8();
    double *loss = f->curse.full, unused;
    SNC_TRY(snc_evaluator_score_net(&loss[SNC_ON_RANK], &f->full_score, r->e, full, &int8, r->e->rank, r->e->teacher_rank));
    SNC_TRY(snc_evaluator_loss(&loss[SNC_ON_SELECT], r->e, full, &int8, s->select, r->e->teacher_select));
    SNC_TRY(snc_finalists_fresh_loss(&loss[SNC_ON_FRESH], &unused, r->e, full, &int8));
    f->curse.winner[SNC_ON_RANK] = f->f[0].o.loss;
    f->curse.winner[SNC_ON_SELECT] = f->f[0].select_loss;
    f->curse.winner[SNC_ON_FRESH] = f->f[0].fresh_loss;
    return SNC_OK;
}

static cJSON *losses_json(const double loss[SNC_ON])
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "rank", loss[SNC_ON_RANK]);
    cJSON_AddNumberToObject(j, "select", loss[SNC_ON_SELECT]);
    cJSON_AddNumberToObject(j, "fresh", loss[SNC_ON_FRESH]);
    return j;
}

cJSON *snc_curse_json(const snc_curse *c)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddItemToObject(j, "winner", losses_json(c->winner));
    cJSON_AddItemToObject(j, "full_int8", losses_json(c->full));
    cJSON_AddNumberToObject(j, "excess_on_select", c->winner[SNC_ON_SELECT] / c->winner[SNC_ON_RANK] - 1);
    cJSON_AddNumberToObject(j, "excess_on_fresh", c->winner[SNC_ON_FRESH] / c->winner[SNC_ON_RANK] - 1);
    return j;
}

void snc_curse_say(char *buf, size_t size, const cJSON *curse)
{
    const cJSON *w = snc_json_at(curse, "winner"), *f = snc_json_at(curse, "full_int8");
    const double rank = snc_json_number(w, "rank"), full = snc_json_number(f, "rank");
    snprintf(
        buf, size,
        "loss of the chosen net %.4f on rank, where it was looked for, %.4f on select (%+.1f %%), %.4f on fresh rows (%+.1f %%); of the "
        "full-size INT8 net, which was not, %.4f, %.4f (%+.1f %%) and %.4f (%+.1f %%)",
        rank, snc_json_number(w, "select"), 100 * snc_json_number(curse, "excess_on_select"), snc_json_number(w, "fresh"),
        100 * snc_json_number(curse, "excess_on_fresh"), full, snc_json_number(f, "select"),
        100 * (snc_json_number(f, "select") / full - 1), snc_json_number(f, "fresh"), 100 * (snc_json_number(f, "fresh") / full - 1));
}

static cJSON *full_int8_json(const snc_search_run *r, const snc_search_result *f)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "loss", f->curse.full[SNC_ON_RANK]);
    cJSON_AddNumberToObject(j, "metric", f->full_score);
    for (int k = 0; k < SNC_COSTS; k++) cJSON_AddNumberToObject(j, snc_cost_key(k), r->e->full[k]);
    return j;
}

/* front.json: the chosen config, the finalists, the non-dominated evaluations, and what they are compared with. */
static snc_err save_front(const char *path, const snc_search_run *r, const snc_search_result *f, const cJSON *read)
{
    cJSON *j = cJSON_CreateObject(), *space = snc_space_trained_to_json(r->e->space), *list;
    snc_limits limits = r->limits;
    cJSON_AddItemToObject(j, "read", cJSON_Duplicate(read, 1));
    cJSON_AddItemToObject(j, "chosen", finalist_json(r, &f->f[0]));
    cJSON_AddNumberToObject(j, "full_int8_us", r->e->full[SNC_COST_LATENCY]);
    cJSON_AddNumberToObject(j, "full_int8_bytes", r->e->full[SNC_COST_SIZE]);
    cJSON_AddItemToObject(j, "full_int8", full_int8_json(r, f));
    cJSON_AddItemToObject(j, "winners_curse", snc_curse_json(&f->curse));
    cJSON_AddItemToObject(j, "full", snc_arch_to_json(&r->e->supernet->arch));
    cJSON_AddItemToObject(j, "depth_layers", cJSON_DetachItemFromObjectCaseSensitive(space, "depth_layers"));
    cJSON_Delete(space);
    list = cJSON_AddObjectToObject(j, "teacher");
    cJSON_AddNumberToObject(list, "rank_score", r->e->teacher_rank_score);
    cJSON_AddNumberToObject(list, "select_score", r->e->teacher_select_score);
    list = cJSON_AddObjectToObject(j, "limits");
    for (int k = 0; k < SNC_COSTS; k++)
        if (*snc_limit(&limits, k) > 0) cJSON_AddNumberToObject(list, snc_cost_key(k), *snc_limit(&limits, k));
    cJSON_AddItemToObject(j, "host", snc_host_json(r->work));
    cJSON_AddNumberToObject(j, "evaluations", f->all.n);
    list = cJSON_AddArrayToObject(j, "finalists");
    for (int i = 0; i < f->n_f; i++) cJSON_AddItemToArray(list, finalist_json(r, &f->f[i]));
    list = cJSON_AddArrayToObject(j, "front");
    for (int i = 0; i < f->all.n; i++)
        if (on_front(&f->all, i)) cJSON_AddItemToArray(list, snc_evaluator_obs_json(r->e, &f->all.obs[i]));
    snc_err err = snc_json_save(j, path);
    cJSON_Delete(j);
    return err;
}

snc_err snc_search_result_find(snc_search_result *out, const snc_search_run *r, const char *dir, const cJSON *read)
{
    snc_err err = SNC_OK;
    cJSON *chosen = NULL;
    char journal[4096], front[4096], config[4096];
    *out = (snc_search_result){0};
    SNC_TRY(snc_evaluations_path(journal, sizeof journal, r->o, dir));
    SNC_TRY(snc_path_join(front, sizeof front, dir, "front.json"));
    SNC_TRY(snc_path_join(config, sizeof config, dir, "config.json"));
    SNC_GOTO(snc_search_run_evaluate(&out->all, r, journal));
    SNC_GOTO(snc_evaluator_fresh(r->e));
    SNC_GOTO(snc_evaluator_share(r->e));
    SNC_GOTO(snc_finalists_select(out->f, &out->n_f, r, out->all.obs, out->all.n));
    SNC_GOTO(look_at_full(out, r));
    SNC_GOTO(save_front(front, r, out, read));
    chosen = snc_evaluator_obs_json(r->e, &out->f[0].o);
    SNC_GOTO(snc_json_save(chosen, config));
out:
    snc_evaluator_release(r->e);
    cJSON_Delete(chosen);
    if (err) snc_search_result_dispose(out);
    return err;
}

void snc_search_result_dispose(snc_search_result *f)
{
    snc_evaluations_dispose(&f->all);
    *f = (snc_search_result){0};
}

/* ---- for people ----------------------------------------------------------------------------------------------------- */

static int by_latency(const void *a, const void *b)
{
    const snc_obs *const *x = a, *const *y = b;
    if ((*x)->latency_us != (*y)->latency_us) return (*x)->latency_us < (*y)->latency_us ? -1 : 1;
    return ((*x)->loss > (*y)->loss) - ((*x)->loss < (*y)->loss);
}

static void say_front(const snc_host *h, const snc_search_run *r, const snc_evaluations *f, const snc_obs **front)
{
    int n = 0;
    for (int i = 0; i < f->n; i++)
        if (on_front(f, i)) front[n++] = &f->obs[i];
    qsort(front, (size_t)n, sizeof *front, by_latency);
    int shown = n < SHOWN ? n : SHOWN;
    snc_say(h, "front of %d evaluations: %d, of which %d, fastest first; scores on rank, teacher %.2f", f->n, n, shown,
            100 * r->e->teacher_rank_score);
    snc_say(h, "| us by the table | of full INT8 | MB | M multiply-adds | layers | hidden | loss | score |");
    snc_say(h, "|---|---|---|---|---|---|---|---|");
    for (int i = 0; i < shown; i++) {
        const snc_obs *o = front[shown > 1 ? i * (n - 1) / (shown - 1) : 0];
        snc_arch a;
        snc_policy policy;
        snc_cfg_decode(&a, &policy, r->e->space, &o->cfg);
        snc_say(h, "| %.0f | %.3fx | %.2f | %.0f | %d | %d | %.4f | %.2f |", o->latency_us, o->latency_us / r->e->full[SNC_COST_LATENCY],
                o->bytes / 1e6, o->macs / 1e6, a.layers, a.hidden, o->loss, 100 * o->metric);
    }
}

static void say_missed(const snc_host *h, const snc_search_run *r, const snc_finalist *f)
{
    snc_attained found[SNC_TARGETS];
    char said[256], rows[SNC_DROP_SAID] = "";
    snc_finalist_attained(found, r->e, f);
    snc_say(h, "MISSED: the chosen net is the nearest to what was asked");
    for (int k = 0; k < SNC_TARGETS; k++) {
        if (!r->targets->of[k].given) continue;
        snc_target_say(said, sizeof said, k, &r->targets->of[k], &found[k], k == SNC_TARGET_DROP ? " on select" : "");
        if (k == SNC_TARGET_DROP) snc_drop_say_rows(rows, &f->drop, r->targets->of[k].value);
        if (snc_target_holds(&r->targets->of[k], &found[k]) && snc_target_miss(k, &r->targets->of[k], &found[k]) > 0)
            snprintf(rows, sizeof rows, "within that, but not by the margin that the proof's interval takes");
        snc_say(h, "- %s %s%s%s", snc_target_name(k), said, rows[0] ? "; " : "", rows);
    }
}

void snc_search_result_say(const snc_host *h, const snc_search_run *r, const snc_search_result *f)
{
    const snc_obs **front = NULL;
    char said[512];
    if (snc_alloc(&front, (size_t)f->all.n, sizeof *front) == SNC_OK) say_front(h, r, &f->all, front);
    snc_free(front);
    snc_say(
        h,
        "| finalist | loss on rank | on fresh rows (at most) | on select | score on select | us measured | us by the table | of full INT8 "
        "| MB |");
    snc_say(h, "|---|---|---|---|---|---|---|---|---|");
    for (int i = 0; i < f->n_f; i++) {
        const snc_finalist *x = &f->f[i];
        snc_say(h, "| %d | %.4f | %.4f (%.4f) | %.4f | %.2f | %.0f | %.0f | %.3fx | %.2f |", i + 1, x->o.loss, x->fresh_loss, x->fresh_most,
                x->select_loss, 100 * x->select_score, x->us, x->o.latency_us, x->ratio, x->o.bytes / 1e6);
    }
    snc_say(h, "teacher on select %.2f", 100 * r->e->teacher_select_score);
    cJSON *curse = snc_curse_json(&f->curse);
    snc_curse_say(said, sizeof said, curse);
    cJSON_Delete(curse);
    snc_say(h, "winner's curse: %s", said);
    if (f->n_f && !f->f[0].meets) say_missed(h, r, &f->f[0]);
}
