/* compress eval: the score of a model on a split of a task. */
#include <stdio.h>
#include <string.h>

#include "artifact/cascaded.h"
#include "artifact/context.h"
#include "artifact/inputs.h"
#include "artifact/load.h"
#include "artifact/option.h"
#include "artifact/say.h"
#include "artifact/task_score.h"
#include "base/clock.h"
#include "base/mem.h"
#include "report/breakdown.h"
#include "report/reading.h"
#include "stage/verbs.h"

/* The block of what was read, of a split that training knows. */
static snc_err log_reading(const snc_ctx *ctx, const snc_options *o, snc_task *t, snc_dataset *d)
{
    snc_inputs in = {.task = t};
    const char *split = o->rows.split;
    if (strcmp(split, "train") == 0) in.splits.train = d;
    else if (strcmp(split, "rank") == 0) in.splits.rank = d;
    else if (strcmp(split, "select") == 0) in.splits.select = d;
    else in.dev = d;
    return snc_reading_log(ctx, &in);
}

static void say_classes(const snc_host *h, const snc_task *t, const char *split, const snc_breakdown *b)
{
    if (b->K)
        snc_say(h, "%s %s majority %.2f (one answer to every row, '%s', %.2f%% of them)", snc_task_name(t), split, 100 * b->majority_score,
                b->majority, 100 * b->majority_share);
    for (int k = 0; k < b->K; k++) {
        const snc_class_share *c = &b->class[k];
        snc_say(h, "%s %s class '%s' rows %lld answered %lld precision %.2f recall %.2f f1 %.2f", snc_task_name(t), split,
                snc_task_label(t, k), (long long)c->rows, (long long)c->answered, 100 * snc_class_precision(c), 100 * snc_class_recall(c),
                100 * snc_class_f1(c));
    }
}

/* Who answered, where nets escalate or keep a budget. */
typedef struct answered {
    int nets; /* 0: one net did */
    snc_cascaded_share share[SNC_NETS_MOST];
} answered;

static double agreement(const snc_cascaded_share *s) { return s->rows ? (double)s->agree / s->rows : 1; }

static void say_nets(const snc_host *h, const snc_task *t, const char *split, const answered *e, int n)
{
    for (int k = e->nets - 1; k >= 0; k--)
        snc_say(h, "%s %s net %d answered %d rows, %.2f%%, as the largest would %.2f%% of them", snc_task_name(t), split, k,
                e->share[k].rows, 100.0 * e->share[k].rows / n, 100 * agreement(&e->share[k]));
}

static void nets_json(cJSON *j, const answered *e, int n)
{
    cJSON *list = e->nets ? cJSON_AddArrayToObject(j, "nets") : NULL;
    for (int k = 0; k < e->nets; k++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddNumberToObject(one, "net", k);
        cJSON_AddNumberToObject(one, "share", (double)e->share[k].rows / n);
        cJSON_AddNumberToObject(one, "agreement", agreement(&e->share[k]));
        cJSON_AddItemToArray(list, one);
    }
}

static snc_err say(const snc_options *o, const snc_host *h, const snc_task *t, const snc_dataset *d, const double *values, double score,
                   const snc_breakdown *b, const answered *e, double seconds)
{
    const char *split = o->rows.split;
    if (!o->output.json) {
        for (int i = 0; i < snc_task_metrics(t); i++)
            snc_say(h, "%s %s %s %.2f", snc_task_name(t), split, snc_task_metric(t, i), 100 * values[i]);
        if (snc_task_metrics(t) > 1) snc_say(h, "%s %s score %.2f", snc_task_name(t), split, 100 * score);
        say_classes(h, t, split, b);
        say_nets(h, t, split, e, d->n);
        snc_say(h, "%d rows in %.2f s", d->n, seconds);
        return SNC_OK;
    }
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "task", snc_task_name(t));
    cJSON_AddStringToObject(j, "split", split);
    cJSON_AddNumberToObject(j, "n", d->n);
    if (d->answers) cJSON_AddNumberToObject(j, "words", (double)snc_dataset_answers(d));
    cJSON_AddNumberToObject(j, "cut", d->truncated);
    cJSON *m = cJSON_AddObjectToObject(j, "metrics");
    for (int i = 0; i < snc_task_metrics(t); i++) cJSON_AddNumberToObject(m, snc_task_metric(t, i), values[i]);
    snc_breakdown_majority_json(j, b);
    snc_breakdown_json(j, b, t);
    nets_json(j, e, d->n);
    cJSON_AddNumberToObject(j, "seconds", seconds);
    return snc_say_json(h, j, false, "eval");
}

snc_err snc_verb_eval(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx;
    snc_task *task = NULL;
    snc_loaded l = {0};
    snc_dataset *d = NULL;
    float *logits = NULL;
    snc_breakdown b = {0};
    answered e = {0};
    double values[8], score = 0;
    SNC_TRY(snc_option_need("eval", "a model", o->input.n_models ? o->input.models[0] : NULL));
    SNC_TRY(snc_option_need("eval", "--task", snc_inputs_task_name(o)));
    SNC_TRY(snc_option_need("eval", "--data", o->rows.data));
    SNC_TRY(snc_context_init(&ctx, o, h, o->job.threads, 0));
    SNC_GOTO(snc_inputs_task(&task, o, snc_inputs_task_name(o)));
    SNC_GOTO(snc_loaded_open(&l, &ctx, o->input.models[0], snc_task_classes(task), snc_task_meaning(task)));
    SNC_GOTO(snc_loaded_obey(&l, &ctx, o, 1, "eval")); /* texts one at a time, as predict answers them */
    SNC_GOTO(snc_loaded_check(&l, &ctx, o, task));
    SNC_GOTO(snc_loaded_fit(task, &l));
    SNC_GOTO(snc_inputs_split(&d, &ctx, o, task, l.tok));
    SNC_GOTO(log_reading(&ctx, o, task, d));
    if (snc_task_vectors(task) && !d->second)
        SNC_GOTO(snc_err_set(SNC_E_UNSUPPORTED, "eval: split %s of task %s has texts, no pairs whose vectors are compared", o->rows.split,
                             snc_task_name(task)));
    snc_loaded_say_labels(&l, &ctx, task);
    snc_loaded_say_cut(&l, &ctx, task, d);
    SNC_GOTO(snc_alloc(&logits, snc_dataset_logits(d, snc_task_classes(task)), sizeof *logits));
    double t0 = snc_now();
    snc_progress(&ctx, "eval", 0, d->n, "%s", "");
    e.nets = l.cascade || l.speeds ? snc_loaded_nets(&l) : 0;
    SNC_GOTO(snc_cascaded_deliver(logits, e.share, &ctx, &l, d, "eval"));
    double seconds = snc_now() - t0;
    snc_loaded_order_classes(logits, &l, task, (int)snc_dataset_answers(d));
    snc_loaded_cut(logits, &l, d->n);
    SNC_GOTO(snc_task_score(&score, values, task, logits, d, snc_task_outputs(task)));
    SNC_GOTO(snc_breakdown_make(&b, task, logits, d, snc_task_outputs(task)));
    snc_breakdown_warn(&ctx, &b, o->input.models[0], o->rows.split);
    SNC_GOTO(say(o, h, task, d, values, score, &b, &e, seconds));
out:
    snc_breakdown_dispose(&b);
    snc_free(logits);
    snc_dataset_free(d);
    snc_loaded_close(&l);
    snc_task_close(task);
    return err;
}
