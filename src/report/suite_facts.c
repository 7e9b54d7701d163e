/* A task's models are gathered seed by seed, and compared with those of the same seed. */
#include "report/suite_facts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/task_score.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "report/answers_file.h"
#include "report/pooled.h"

typedef struct member {
    char name[SNC_CONFIG_PATH];
    const char *kind;
    int scores; /* another program has one, whatever the seeds */
    const float *logits[SNC_SUITE_SEEDS];
    float *own[SNC_SUITE_SEEDS]; /* the same, where they are to be freed */
    double score[SNC_SUITE_SEEDS], us[SNC_SUITE_SEEDS], ratio[SNC_SUITE_SEEDS], bytes[SNC_SUITE_SEEDS];
    snc_pooled drop, to_teacher;
} member;

typedef struct gathered {
    const snc_suite_state *s;
    int i, seeds; /* of the suite's tasks; jobs that are done */
    member *v;
    size_t n, cap;
} gathered;

cJSON *snc_suite_record(const cJSON *jobs, const char *task, double seed)
{
    cJSON *it;
    cJSON_ArrayForEach(it, jobs)
    {
        const char *of = snc_json_text(it, "task");
        if (of && strcmp(of, task) == 0 && snc_json_number(it, "seed") == seed) return it;
    }
    return NULL;
}

/* ---- a task's models -------------------------------------------------------------------------------------------------- */

static member *find(const gathered *g, const char *name)
{
    for (size_t m = 0; m < g->n; m++)
        if (strcmp(g->v[m].name, name) == 0) return &g->v[m];
    return NULL;
}

static snc_err add(member **out, gathered *g, const char *name, const char *kind)
{
    *out = find(g, name);
    if (*out) return SNC_OK;
    SNC_TRY(snc_grow(&g->v, &g->cap, g->n + 1, sizeof *g->v));
    member *m = *out = &g->v[g->n++];
    *m = (member){.kind = kind};
    snprintf(m->name, sizeof m->name, "%s", name);
    for (int s = 0; s < SNC_SUITE_SEEDS; s++) m->score[s] = m->us[s] = m->ratio[s] = m->bytes[s] = (double)NAN;
    return SNC_OK;
}

static double first_of(const cJSON *j, const char *key)
{
    const cJSON *v = cJSON_GetArrayItem(snc_json_at(j, key), 0);
    return cJSON_IsNumber(v) ? v->valuedouble : (double)NAN;
}

static snc_err score(double *out, const gathered *g, const float *logits)
{
    const snc_suite_rows *r = &g->s->rows[g->i];
    return snc_task_score(out, NULL, r->task, logits, r->dev, snc_task_outputs(r->task));
}

static snc_err add_model(gathered *g, const cJSON *model, const char *answers)
{
    const snc_suite_rows *r = &g->s->rows[g->i];
    const char *name = snc_json_text(model, "name");
    const int s = g->seeds;
    member *m;
    SNC_CHECK(name, SNC_E_FORMAT, "%s: the report beside it has a model without a name", answers);
    SNC_TRY(add(&m, g, name, "job"));
    SNC_TRY(snc_alloc(&m->own[s], snc_dataset_logits(r->dev, snc_task_outputs(r->task)), sizeof *m->own[s]));
    SNC_TRY(snc_answers_read(m->own[s], answers, name, r->task, r->dev));
    m->logits[s] = m->own[s];
    m->us[s] = first_of(model, "latency_us");
    m->ratio[s] = first_of(model, "ratio_to_full_int8");
    m->bytes[s] = snc_json_number(model, "bytes");
    return score(&m->score[s], g, m->logits[s]);
}

static snc_err add_job(gathered *g, int k)
{
    char folder[SNC_CONFIG_PATH], path[SNC_CONFIG_PATH];
    cJSON *report = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_suite_folder(folder, g->s->suite, g->i, k, g->s->o));
    SNC_TRY(snc_path_join(path, sizeof path, folder, "report.json"));
    SNC_TRY(snc_json_load(&report, path));
    SNC_GOTO(snc_path_join(path, sizeof path, folder, "answers.tsv"));
    const cJSON *models = snc_json_at(report, "models");
    for (int m = cJSON_GetArraySize(models) - 1; m >= 0; m--) SNC_GOTO(add_model(g, cJSON_GetArrayItem(models, m), path));
    for (size_t m = 0; m < g->n; m++) g->v[m].scores = g->seeds + 1;
    g->seeds++;
out:
    cJSON_Delete(report);
    return err;
}

/* Answers once, for every seed. */
static snc_err add_other(gathered *g, const snc_suite_other *x)
{
    member *m;
    SNC_TRY(add(&m, g, x->name, x->file ? "file" : "program"));
    m->scores = 1;
    m->us[0] = x->latency_us;
    m->bytes[0] = x->bytes;
    for (int s = 0; s < SNC_SUITE_SEEDS; s++) m->logits[s] = x->logits;
    return score(&m->score[0], g, x->logits);
}

static snc_err compare(snc_pooled *out, const gathered *g, const member *to, const member *of)
{
    const snc_suite_rows *r = &g->s->rows[g->i];
    const float *a[SNC_SUITE_SEEDS], *b[SNC_SUITE_SEEDS];
    int n = 0;
    for (int s = 0; s < g->seeds && to; s++) {
        if (!to->logits[s] || !of->logits[s]) continue;
        a[n] = to->logits[s];
        b[n++] = of->logits[s];
    }
    *out = (snc_pooled){.points = {NAN, NAN, NAN}, .rows_se = NAN, .seeds_se = NAN, .unsaid = "no job is done"};
    return n ? snc_pooled_drop(out, g->s->ctx, r->task, r->dev, a, b, n, snc_task_outputs(r->task)) : SNC_OK;
}

static snc_err gather(gathered *g, const snc_suite_state *s, int i)
{
    *g = (gathered){.s = s, .i = i};
    for (int k = 0; k < s->suite->seeds; k++)
        if (cJSON_IsTrue(snc_json_at(snc_suite_record(s->jobs, s->suite->v[i].name, (double)(s->o->job.seed + k)), "done")))
            SNC_TRY(add_job(g, k));
    for (int x = 0; x < s->others; x++)
        if (s->other[x].task == i && s->other[x].logits) SNC_TRY(add_other(g, &s->other[x]));
    for (size_t m = 0; m < g->n; m++) {
        SNC_TRY(compare(&g->v[m].drop, g, find(g, SNC_SUITE_BASE), &g->v[m]));
        SNC_TRY(compare(&g->v[m].to_teacher, g, find(g, SNC_SUITE_TEACHER), &g->v[m]));
    }
    return SNC_OK;
}

static void dispose(gathered *g)
{
    for (size_t m = 0; m < g->n; m++)
        for (int s = 0; s < SNC_SUITE_SEEDS; s++) snc_free(g->v[m].own[s]);
    snc_free(g->v);
}

/* ---- as JSON ---------------------------------------------------------------------------------------------------------- */

/* Of those that are known; NaN of none. */
static double mean(const double *v, int n)
{
    double sum = 0;
    int known = 0;
    for (int i = 0; i < n; i++)
        if (isfinite(v[i])) sum += v[i], known++;
    return known ? sum / known : (double)NAN;
}

static void add_drop(cJSON *j, const char *key, const snc_pooled *p)
{
    const double v[] = {p->points.value, p->points.low, p->points.high};
    cJSON *d = cJSON_AddObjectToObject(j, key);
    cJSON_AddItemToObject(d, "points", cJSON_CreateDoubleArray(v, 3)); /* null where nothing is said */
    cJSON_AddNumberToObject(d, "rows_se", p->rows_se);
    cJSON_AddNumberToObject(d, "seeds_se", p->seeds_se);
    if (p->unsaid[0]) cJSON_AddStringToObject(d, "unsaid", p->unsaid);
}

static cJSON *member_json(const member *m)
{
    cJSON *j = cJSON_CreateObject();
    const int n = m->scores;
    cJSON_AddStringToObject(j, "name", m->name);
    cJSON_AddStringToObject(j, "kind", m->kind);
    cJSON_AddItemToObject(j, "scores", cJSON_CreateDoubleArray(m->score, n));
    cJSON_AddNumberToObject(j, "score", mean(m->score, n));
    cJSON_AddNumberToObject(j, "score_sd", n > 1 ? snc_standard_error(m->score, n) * sqrt(n) : (double)NAN);
    cJSON_AddNumberToObject(j, "latency_us", mean(m->us, n));
    cJSON_AddNumberToObject(j, "ratio_to_full_int8", mean(m->ratio, n));
    cJSON_AddNumberToObject(j, "bytes", mean(m->bytes, n));
    add_drop(j, "drop", &m->drop);
    add_drop(j, "drop_to_teacher", &m->to_teacher);
    return j;
}

static cJSON *jobs_json(double *seconds, const snc_suite_state *s, int i)
{
    cJSON *list = cJSON_CreateArray();
    double took[SNC_SUITE_SEEDS];
    for (int k = 0; k < s->suite->seeds; k++) {
        const cJSON *was = snc_suite_record(s->jobs, s->suite->v[i].name, (double)(s->o->job.seed + k));
        const char *error = snc_json_text(was, "error");
        const bool done = cJSON_IsTrue(snc_json_at(was, "done"));
        cJSON *j = cJSON_CreateObject();
        cJSON_AddItemToArray(list, j);
        cJSON_AddNumberToObject(j, "seed", (double)(s->o->job.seed + k));
        cJSON_AddStringToObject(j, "state", done ? "done" : error ? "failed" : "open");
        if (done) cJSON_AddBoolToObject(j, "targets_hold", !cJSON_IsTrue(snc_json_at(was, "missed")));
        if (was) cJSON_AddNumberToObject(j, "seconds", snc_json_number(was, "seconds"));
        if (error && !done) cJSON_AddStringToObject(j, "error", error);
        took[k] = done ? snc_json_number(was, "seconds") : (double)NAN;
    }
    *seconds = mean(took, s->suite->seeds);
    return list;
}

static cJSON *task_json(const gathered *g)
{
    const snc_suite_rows *r = &g->s->rows[g->i];
    double seconds;
    cJSON *j = cJSON_CreateObject(), *list;
    cJSON_AddStringToObject(j, "name", g->s->suite->v[g->i].name);
    cJSON_AddStringToObject(j, "task", snc_task_name(r->task));
    list = cJSON_AddArrayToObject(j, "metrics");
    for (int m = 0; m < snc_task_metrics(r->task); m++) cJSON_AddItemToArray(list, cJSON_CreateString(snc_task_metric(r->task, m)));
    cJSON_AddNumberToObject(j, "dev", r->dev->n);
    cJSON_AddItemToObject(j, "jobs", jobs_json(&seconds, g->s, g->i));
    cJSON_AddNumberToObject(j, "seconds", seconds);
    list = cJSON_AddArrayToObject(j, "models");
    for (size_t m = 0; m < g->n; m++) cJSON_AddItemToArray(list, member_json(&g->v[m]));
    return j;
}

/* ---- over tasks ------------------------------------------------------------------------------------------------------- */

/* A model that lacks a task has no average: one over others would not be the same. */
static snc_err add_average(cJSON *list, const gathered *g, int n, const char *name)
{
    snc_pooled *drop = NULL, all, teacher;
    double sum = 0;
    int i = 0;
    SNC_TRY(snc_alloc(&drop, 2 * (size_t)n, sizeof *drop));
    for (; i < n; i++) {
        const member *m = find(&g[i], name);
        if (!m) break;
        drop[i] = m->drop;
        drop[n + i] = m->to_teacher;
        sum += mean(m->score, m->scores);
    }
    if (i == n) {
        cJSON *j = cJSON_CreateObject();
        cJSON_AddItemToArray(list, j);
        snc_pooled_average(&all, drop, n);
        snc_pooled_average(&teacher, drop + n, n);
        cJSON_AddStringToObject(j, "name", name);
        cJSON_AddNumberToObject(j, "score", sum / n);
        add_drop(j, "drop", &all);
        add_drop(j, "drop_to_teacher", &teacher);
    }
    snc_free(drop);
    return SNC_OK;
}

static void count_jobs(cJSON *out)
{
    const cJSON *t, *j;
    int done = 0, failed = 0, open = 0, missed = 0;
    cJSON_ArrayForEach(t, snc_json_at(out, "tasks")) cJSON_ArrayForEach(j, snc_json_at(t, "jobs"))
    {
        const char *state = snc_json_text(j, "state");
        done += strcmp(state, "done") == 0;
        failed += strcmp(state, "failed") == 0;
        open += strcmp(state, "open") == 0;
        missed += cJSON_IsFalse(snc_json_at(j, "targets_hold"));
    }
    cJSON_AddNumberToObject(out, "done", done);
    cJSON_AddNumberToObject(out, "failed", failed);
    cJSON_AddNumberToObject(out, "open", open);
    cJSON_AddNumberToObject(out, "missed", missed);
}

snc_err snc_suite_facts_new(cJSON **out, const snc_suite_state *s)
{
    snc_err err = SNC_OK;
    gathered *g = NULL;
    cJSON *j = cJSON_CreateObject(), *list;
    cJSON_AddStringToObject(j, "suite", s->suite->name);
    cJSON_AddStringToObject(j, "pretrained", s->o->input.pretrained);
    list = cJSON_AddArrayToObject(j, "seeds");
    for (int k = 0; k < s->suite->seeds; k++) cJSON_AddItemToArray(list, cJSON_CreateNumber((double)(s->o->job.seed + k)));
    SNC_GOTO(snc_alloc(&g, (size_t)s->suite->n, sizeof *g));
    for (int i = 0; i < s->suite->n; i++) SNC_GOTO(gather(&g[i], s, i));
    list = cJSON_AddArrayToObject(j, "tasks");
    for (int i = 0; i < s->suite->n; i++) cJSON_AddItemToArray(list, task_json(&g[i]));
    list = cJSON_AddArrayToObject(j, "average");
    for (size_t m = 0; m < g[0].n; m++) SNC_GOTO(add_average(list, g, s->suite->n, g[0].v[m].name));
    count_jobs(j);
    *out = j;
    j = NULL;
out:
    for (int i = 0; g && i < s->suite->n; i++) dispose(&g[i]);
    snc_free(g);
    cJSON_Delete(j);
    return err;
}
