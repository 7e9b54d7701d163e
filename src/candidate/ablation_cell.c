/* Training is that of the verb supernet; nets are looked at as they lie in it, and some of them after a short distillation alone. */
#include "candidate/ablation_cell.h"

#include <math.h>
#include <stdlib.h>

#include "artifact/recipes.h"
#include "artifact/spaces.h"
#include "artifact/task_score.h"
#include "artifact/training.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "candidate/depth_rule.h"
#include "candidate/evaluator.h"
#include "candidate/profiling.h"
#include "models/cost.h"
#include "models/cutoff.h"
#include "models/source_mos.h"
#include "train/evaluate.h"

enum { TRIES = 1000, BAND_POOL = 2000, BATCH = 64, PROBE_LEAST = 4, PROBE_MOST = 32 };
enum { STREAM_NET = 0xab1a, STREAM_BAND = 0xba2d };
static const double LOW = 0.25, HIGH = 0.75, WINDOW = 0.95;

/* ---- nets --------------------------------------------------------------------------------------------------------------- */

static double macs_of(const snc_ablation_ground *g, const snc_arch *arch)
{
    return (double)snc_cost_encoder_macs(&g->ordered->cfg, arch, SNC_MACS_TOKENS);
}

static void draw_nets(snc_ablation_ground *g)
{
    snc_arch full;
    snc_space_largest(&full, g->space);
    for (int i = 0; i < g->a->nets; i++) {
        const double aim = LOW + (HIGH - LOW) * i / (g->a->nets - 1);
        double off = INFINITY;
        snc_rng rng;
        snc_rng_init(&rng, (uint64_t)i, STREAM_NET);
        for (int t = 0; t < TRIES; t++) {
            snc_arch one;
            snc_space_random(&one, g->space, &rng);
            const double share = macs_of(g, &one) / macs_of(g, &full);
            if (fabs(share - aim) >= off) continue;
            off = fabs(share - aim);
            g->net[i] = one;
            g->share[i] = share;
        }
    }
}

static snc_err look(double *kl, double *score, const snc_ablation_ground *g, snc_model *m, const snc_arch *arch)
{
    const snc_dataset *d = g->in->splits.select;
    const int K = m->cfg.classes;
    float *z = NULL;
    SNC_TRY(snc_alloc(&z, snc_dataset_logits(d, K), sizeof *z));
    snc_err err = snc_train_eval_model(z, g->ctx, m, arch, g->compute, d, BATCH, NULL);
    if (!err) *kl = snc_loss_to_teacher(z, g->answers, (int)snc_dataset_answers(d), K, snc_meaning_of(&m->cfg));
    if (!err) err = snc_task_score_at(score, g->in->task, z, d, K, g->threshold);
    snc_free(z);
    return err;
}

/* Cut out of a model, and distilled by itself as the base recipe's repair says. */
static snc_err distilled(double *kl, double *score, const snc_ablation_ground *g, snc_model *of, const snc_arch *arch, const char *what)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    snc_train_opts t;
    snc_train_result r;
    SNC_TRY(snc_recipe_repair(&t, g->o));
    t.what = what;
    t.teacher_logits = g->refit.logits;
    SNC_GOTO(snc_model_extract(&m, of, arch));
    SNC_GOTO(snc_train_run(&r, g->ctx, m, NULL, g->refit.rows, NULL, &t));
    SNC_GOTO(look(kl, score, g, m, &m->arch));
out:
    snc_model_free(m);
    return err;
}

/* ---- the ground ---------------------------------------------------------------------------------------------------------- */

snc_err snc_ablation_ground_open(snc_ablation_ground *g)
{
    snc_err err = SNC_OK;
    bool fine_tuned;
    const snc_teachers one = {1, {g->teacher}};
    g->compute = snc_inputs_compute(&g->o->job);
    SNC_GOTO(snc_inputs_model(&g->ordered, &fine_tuned, g->ctx, g->teacher, g->in->task));
    SNC_GOTO(snc_threshold_of(&g->threshold, g->ordered->meta, g->teacher));
    SNC_GOTO(snc_training_select_logits(&g->answers, g->ctx, g->ordered, g->compute, g->in));
    SNC_GOTO(snc_training_order(g->ctx, g->ordered, g->in, g->in->splits.train, g->o, g->compute));
    SNC_GOTO(snc_depth_rule_find(g->rule, g->ctx, g->ordered, g->in, g->compute, g->o->supernet.depth_rule));
    SNC_GOTO(snc_space_asked(&g->space, g->o, g->ordered, g->rule));
    if (g->a->repair_nets || g->a->tau_nets)
        SNC_GOTO(snc_distillation_average(&g->refit, g->ctx, g->in, g->in->splits.train, g->o, &one, g->compute));
    draw_nets(g);
out:
    if (err) snc_ablation_ground_close(g);
    return err;
}

void snc_ablation_ground_close(snc_ablation_ground *g)
{
    snc_distillation_dispose(&g->refit);
    snc_space_free(g->space);
    snc_free(g->answers);
    snc_model_free(g->ordered);
    *g = (snc_ablation_ground){0};
}

/* ---- nets of one latency --------------------------------------------------------------------------------------------------- */

typedef struct timed {
    snc_arch arch;
    double us; /* by the table, in INT8 */
    int drawn; /* its number */
} timed;

static int by_latency(const void *a, const void *b)
{
    const timed *x = a, *y = b;
    return x->us != y->us ? (x->us > y->us) - (x->us < y->us) : x->drawn - y->drawn;
}

/* Random nets, none twice, the fastest first; returns how many. */
static int draw_pool(timed pool[BAND_POOL], const snc_ablation_ground *g, const snc_latency *t)
{
    const snc_policy int8 = snc_policy_int8();
    int n = 0;
    snc_rng rng;
    snc_rng_init(&rng, 0, STREAM_BAND);
    for (int i = 0; i < BAND_POOL; i++) {
        int same = 0;
        snc_space_random(&pool[n].arch, g->space, &rng);
        pool[n].us = snc_latency_predict(t, &pool[n].arch, &int8);
        pool[n].drawn = n;
        while (same < n && !(pool[same].us == pool[n].us && snc_arch_equal(&pool[same].arch, &pool[n].arch))) same++;
        n += same == n;
    }
    qsort(pool, (size_t)n, sizeof *pool, by_latency);
    return n;
}

/* The band nearest to the limit that has enough nets, the fullest where none has: pool[*first] and so many more. */
static int choose_band(int *first, const timed *pool, int n, int wanted, double limit)
{
    int best = 0;
    double off = INFINITY;
    for (int low = 0, high = 0; high < n; high++) {
        while (pool[low].us < WINDOW * pool[high].us) low++;
        const int held = high - low + 1;
        const double away = fabs(pool[high].us - limit);
        if (held >= wanted ? best >= wanted && away >= off : held <= best) continue;
        best = held;
        off = away;
        *first = low;
    }
    return best;
}

static snc_err draw_band(snc_ablation_ground *g, const char *table)
{
    const snc_policy int8 = snc_policy_int8();
    snc_latency *t = NULL;
    timed *pool = NULL;
    snc_err err = SNC_OK;
    int first = 0;
    SNC_GOTO(snc_latency_load(&t, table));
    SNC_GOTO(snc_alloc(&pool, BAND_POOL, sizeof *pool));
    const double limit = g->a->tau_latency * snc_latency_predict(t, &g->ordered->arch, &int8);
    const int held = choose_band(&first, pool, draw_pool(pool, g, t), g->a->tau_nets, limit);
    g->banded = held < g->a->tau_nets ? held : g->a->tau_nets;
    for (int i = 0; i < g->banded; i++) g->band[i] = pool[first + i * held / g->banded].arch;
    snc_log(g->ctx, g->banded < 3 ? SNC_LOG_WARN : SNC_LOG_INFO, "tau: %d of %d nets that take %.0f to %.0f us%s", g->banded, held,
            pool[first].us, pool[first + (held ? held - 1 : 0)].us, g->banded < 3 ? ": too few for one" : "");
out:
    snc_latency_free(t);
    snc_free(pool);
    return err;
}

static snc_err recall_band(snc_ablation_ground *g, const cJSON *band)
{
    const cJSON *it;
    g->banded = 0;
    cJSON_ArrayForEach(it, snc_json_at(band, "nets"))
    {
        if (g->banded == g->a->tau_nets) break;
        SNC_TRY(snc_arch_from_json(&g->band[g->banded], snc_json_at(it, "arch"), "band"));
        g->alone[g->banded++] = snc_json_number(it, "kl_alone");
    }
    return SNC_OK;
}

snc_err snc_ablation_band(snc_ablation_ground *g, cJSON *band, const snc_ctx *work, const char *table)
{
    double score;
    if (snc_json_at(band, "nets")) return recall_band(g, band);
    SNC_TRY(snc_profile_make_of_file(work, g->o, g->in, g->teacher, table));
    SNC_TRY(draw_band(g, table));
    cJSON *nets = cJSON_CreateArray();
    for (int i = 0; i < g->banded; i++) {
        snc_err err = distilled(&g->alone[i], &score, g, g->ordered, &g->band[i], "alone");
        if (err) {
            cJSON_Delete(nets);
            return err;
        }
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToObject(one, "arch", snc_arch_to_json(&g->band[i]));
        cJSON_AddNumberToObject(one, "kl_alone", g->alone[i]);
        cJSON_AddItemToArray(nets, one);
    }
    cJSON_AddItemToObject(band, "nets", nets);
    return SNC_OK;
}

static snc_err add_tau(cJSON *cell, const snc_ablation_ground *g, snc_model *m)
{
    double kl[SNC_ABLATION_NETS], score;
    if (g->banded < 3) return SNC_OK;
    for (int i = 0; i < g->banded; i++) SNC_TRY(look(&kl[i], &score, g, m, &g->band[i]));
    cJSON_AddNumberToObject(cell, "tau", snc_kendall_tau(kl, g->alone, g->banded));
    return SNC_OK;
}

/* ---- elastic training -------------------------------------------------------------------------------------------------------- */

typedef struct lesson {
    snc_ablation_ground *g;
    const snc_options *o;
    snc_distillation_set set;
} lesson;

/* Every row is asked about: how long training will be is not known yet. */
static snc_err prepare(lesson *l)
{
    snc_err err = SNC_OK;
    snc_options whole = *l->o;
    snc_model *m = NULL;
    bool fine_tuned;
    whole.supernet.epochs = fmax(whole.supernet.epochs, 1);
    SNC_GOTO(snc_inputs_model(&m, &fine_tuned, l->g->ctx, l->g->teacher, l->g->in->task));
    SNC_GOTO(snc_distillation_fill(&l->set, l->g->ctx, l->g->in, &whole, m, l->g->compute));
out:
    snc_model_free(m);
    return err;
}

static double steps_per_epoch(const lesson *l, const snc_train_opts *t) { return ceil((double)l->set.rows->n / t->batch_size); }

/* A supernet of t->epochs, or its first t->max_steps. The caller frees *out. */
static snc_err train(snc_model **out, snc_train_result *r, const lesson *l, const snc_train_opts *t)
{
    const snc_ablation_ground *g = l->g;
    snc_err err = SNC_OK;
    snc_weights_asked w;
    snc_model *m = NULL, *teacher = NULL;
    bool fine_tuned;
    *out = NULL;
    SNC_TRY(snc_recipe_weights(&w, l->o));
    SNC_GOTO(snc_inputs_model(&m, &fine_tuned, g->ctx, g->teacher, g->in->task));
    SNC_GOTO(snc_training_order(g->ctx, m, g->in, l->set.rows, l->o, g->compute));
    SNC_GOTO(snc_model_extract(&teacher, m, &m->arch));
    if (w.kind->experts) SNC_GOTO(snc_model_mix(m, g->ctx, &w.mixture, g->ctx->seed));
    SNC_GOTO(snc_train_run(r, g->ctx, m, teacher, l->set.rows, g->space, t));
    *out = m;
    m = NULL;
out:
    snc_model_free(teacher);
    snc_model_free(m);
    return err;
}

/* So many steps as take the seconds, by the pace of a few that are thrown away. The first one takes longer, here and there. */
static snc_err fit_steps(double *steps, const lesson *l, const snc_train_opts *t, double seconds)
{
    snc_model *m;
    snc_train_result r;
    snc_train_opts probe = *t;
    probe.max_steps = (int64_t)fmin(fmax(ceil(*steps / 10), PROBE_LEAST), PROBE_MOST);
    probe.epochs = fmax(probe.epochs, 2.0 * (double)probe.max_steps / steps_per_epoch(l, t));
    probe.what = "pace";
    SNC_TRY(train(&m, &r, l, &probe));
    snc_model_free(m);
    const double pace = fmax(r.seconds - r.first_seconds, 1e-6) / fmax((double)r.made - 1, 1);
    *steps = 1 + fmax(0, round((seconds - r.first_seconds) / pace));
    return SNC_OK;
}

static snc_err elastic(snc_model **out, cJSON *cell, const lesson *l, double steps, double seconds)
{
    snc_train_opts t;
    snc_train_result r;
    SNC_TRY(snc_recipe_supernet(&t, l->o, NULL));
    t.teacher_logits = l->set.logits;
    const double per_epoch = steps_per_epoch(l, &t);
    if (steps <= 0) steps = ceil(t.epochs * per_epoch - 1e-9);
    if (seconds > 0) SNC_TRY(fit_steps(&steps, l, &t, seconds));
    t.epochs = steps / per_epoch;
    cJSON_AddNumberToObject(cell, "steps_asked", steps);
    SNC_TRY(train(out, &r, l, &t));
    cJSON_AddNumberToObject(cell, "steps", (double)r.step);
    cJSON_AddNumberToObject(cell, "seconds", r.seconds);
    cJSON_AddNumberToObject(cell, "loss", r.loss);
    return SNC_OK;
}

/* ---- the cell ---------------------------------------------------------------------------------------------------------------- */

static snc_err add_one(cJSON *cell, const char *key, const snc_ablation_ground *g, snc_model *m, const snc_arch *arch)
{
    double v[2];
    SNC_TRY(look(&v[0], &v[1], g, m, arch));
    cJSON_AddItemToObject(cell, key, cJSON_CreateDoubleArray(v, 2));
    return SNC_OK;
}

/* Whether the i-th of all nets is among so many, evenly spread. */
static bool repaired(const snc_ablation *a, int i)
{
    return (int64_t)(i + 1) * a->repair_nets / a->nets > (int64_t)i * a->repair_nets / a->nets;
}

static snc_err add_nets(cJSON *nets, const snc_ablation_ground *g, snc_model *m)
{
    for (int i = 0; i < g->a->nets; i++) {
        double kl, score, kl_after = NAN, score_after = NAN;
        SNC_TRY(look(&kl, &score, g, m, &g->net[i]));
        if (repaired(g->a, i)) SNC_TRY(distilled(&kl_after, &score_after, g, m, &g->net[i], "repair"));
        cJSON *one = cJSON_CreateObject();
        cJSON_AddNumberToObject(one, "share", g->share[i]);
        cJSON_AddNumberToObject(one, "macs", macs_of(g, &g->net[i]));
        cJSON_AddNumberToObject(one, "kl", kl);
        cJSON_AddNumberToObject(one, "score", score);
        cJSON_AddNumberToObject(one, "kl_repaired", kl_after);
        cJSON_AddNumberToObject(one, "score_repaired", score_after);
        cJSON_AddItemToArray(nets, one);
        snc_progress(g->ctx, "nets", i + 1, g->a->nets, "%s", "");
    }
    return SNC_OK;
}

snc_err snc_ablation_cell(cJSON *cell, snc_ablation_ground *g, const snc_options *o, double steps, double seconds)
{
    snc_err err = SNC_OK;
    lesson l = {.g = g, .o = o, .set = {.path = g->logits}};
    snc_model *m = NULL;
    snc_arch largest, smallest;
    const bool restarted = snc_peak_rss_restart();
    const double before = snc_peak_rss_mb();
    snc_space_largest(&largest, g->space);
    snc_space_smallest(&smallest, g->space);
    SNC_GOTO(prepare(&l));
    SNC_GOTO(elastic(&m, cell, &l, steps, seconds));
    const double peak = snc_peak_rss_mb();
    cJSON_AddNumberToObject(cell, "memory_mb", restarted || peak > before ? peak : (double)NAN);
    SNC_GOTO(add_one(cell, "largest", g, m, &largest));
    SNC_GOTO(add_one(cell, "smallest", g, m, &smallest));
    SNC_GOTO(add_nets(cJSON_AddArrayToObject(cell, "nets"), g, m));
    SNC_GOTO(add_tau(cell, g, m));
out:
    snc_distillation_dispose(&l.set);
    snc_model_free(m);
    return err;
}
