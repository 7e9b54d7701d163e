/* compress import: any accepted model to one .snc; without an output, what models are and would cost here, and which learns a task best. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/load.h"
#include "artifact/named.h"
#include "artifact/option.h"
#include "artifact/parse.h"
#include "artifact/say.h"
#include "artifact/stamp.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "candidate/preflight.h"
#include "report/offers.h"
#include "stage/verbs.h"

/* ---- one model, written ---------------------------------------------------------------------------------------------------- */

static snc_err write_model(const snc_options *o, const snc_host *h)
{
    snc_ctx ctx;
    snc_model *m = NULL;
    snc_err err = SNC_OK;
    snc_offer found;
    cJSON *stamp = NULL;
    uint64_t hash;
    bool current;
    char why[SNC_WHY];
    SNC_TRY(snc_output_need("import", o));
    SNC_TRY(snc_context_init(&ctx, o, h, NULL, 1));
    SNC_TRY(snc_preflight_options(&ctx, o, SNC_VERB_IMPORT));
    stamp = snc_stamp_new("import", 0, o);
    SNC_GOTO(snc_path_hash(&hash, o->input.pretrained));
    snc_stamp_hash(stamp, "model", hash);
    SNC_GOTO(snc_model_load(&m, &ctx, o->input.pretrained, 2, SNC_MEANS_CLASSES));
    SNC_GOTO(snc_need_plain(&m->cfg, o->input.pretrained));
    if (!m->has_head) snc_stamp_hash(stamp, "seed", ctx.seed);
    SNC_GOTO(snc_stamp_allow(&current, o->output.path, snc_stamp_state(why, o->output.path, stamp), why, o->output.overwrite));
    cJSON_DeleteItemFromObjectCaseSensitive(m->meta, "inputs");
    cJSON_AddItemToObject(m->meta, "inputs", cJSON_Duplicate(stamp, 1));
    if (!current) SNC_GOTO(snc_model_save(m, o->output.path));
    snc_offer_look(&found, o->input.pretrained, m);
    if (o->output.json) {
        cJSON *list = cJSON_CreateArray();
        cJSON_AddItemToArray(list, snc_offer_json(&found));
        err = snc_say_json(h, list, true, "import");
        goto out;
    }
    snc_say(h, "%s: %.2f M parameters%s%s", o->output.path, (double)snc_params_count(&m->params) / 1e6,
            m->has_head ? "" : ", seeded 2-class head", current ? "; up to date" : "");
    snc_offer_say(h, &found, NULL);
out:
    cJSON_Delete(stamp);
    snc_model_free(m);
    return err;
}

/* ---- several, compared -------------------------------------------------------------------------------------------------------- */

enum { MOST = 32, FEW_ROWS = 2000 };

typedef struct comparison {
    snc_options o;
    const snc_host *h;
    snc_ctx work, train; /* the workload's threads; all of them */
    bool task;
    char name[MOST][1024];
    int n;
    snc_offer offer[MOST];
    snc_inputs in; /* of the first that was trained: its rank rows are those of all */
} comparison;

static snc_err split_names(comparison *c, const char *given)
{
    for (const char *p = given; *p;) {
        size_t n = snc_is_there(given) ? strlen(given) : strcspn(p, ",");
        SNC_CHECK(n > 0 && n < sizeof c->name[0] && c->n < MOST, SNC_E_ARG, "--pretrained '%.80s': expected up to %d models between commas",
                  given, MOST);
        snprintf(c->name[c->n++], sizeof c->name[0], "%.*s", (int)n, p);
        p += n + (p[n] == ',');
    }
    return SNC_OK;
}

/* The rows for this model's tokenizer, kept where no other's are. */
static snc_err learn(comparison *c, snc_offer *x, const char *path, snc_inputs *in)
{
    if (!(c->o.training.epochs > 0)) return SNC_OK;
    SNC_TRY(snc_offer_train(x, &c->train, &c->o, in, path));
    assert(!c->in.task || c->in.splits.rank->n == in->splits.rank->n);
    if (c->in.task) return SNC_OK;
    c->in = *in;
    *in = (snc_inputs){0};
    return SNC_OK;
}

static snc_err look_at(comparison *c, snc_offer *x, const char *name)
{
    char path[4096];
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    snc_inputs in = {0};
    int classes = 2;
    snc_meaning meaning = SNC_MEANS_CLASSES;
    SNC_GOTO(snc_named_path(path, sizeof path, &c->work, name));
    if (c->task) {
        SNC_GOTO(snc_inputs_open(&in, &c->train, &c->o, "import", path, SNC_HOLD_OUT, NULL));
        classes = snc_task_classes(in.task);
        meaning = snc_task_meaning(in.task);
    }
    SNC_GOTO(snc_model_load(&m, &c->work, path, classes, meaning));
    SNC_GOTO(snc_need_plain(&m->cfg, path));
    snc_offer_look(x, name, m);
    SNC_GOTO(snc_offer_time(x, &c->work, &c->o, c->task ? in.splits.rank : NULL, m));
    snc_model_free(m); /* training reads it anew, with a head of the task */
    m = NULL;
    if (c->task) SNC_GOTO(learn(c, x, path, &in));
out:
    snc_model_free(m);
    snc_inputs_close(&in);
    return err;
}

/* What one of several cannot do is a row that says so. */
static snc_err look_at_all(comparison *c)
{
    for (int i = 0; i < c->n; i++) {
        snc_offer *x = &c->offer[i];
        snc_err err = look_at(c, x, c->name[i]);
        if (err == SNC_E_CANCELLED || (err && c->n == 1)) return err;
        if (!err) continue;
        snc_offer_dispose(x);
        *x = (snc_offer){.name = c->name[i], .score = NAN};
        snprintf(x->error, sizeof x->error, "%s", snc_err_text());
    }
    return SNC_OK;
}

static snc_err say_all(comparison *c)
{
    char load[160];
    const snc_workload_opts *w = &c->o.workload;
    int failed = 0, rows = c->in.task ? c->in.splits.rank->n : 0;
    const char *seq = strcmp(w->seq_len, "data") != 0 ? w->seq_len : c->task ? "the task's" : "128";
    for (int i = 0; i < c->n; i++) failed += c->offer[i].error[0] != 0;
    snprintf(load, sizeof load, "a call of %s x %s tokens, %s thread%s, percentile %g", w->batch, seq, w->threads,
             strcmp(w->threads, "1") == 0 ? "" : "s", w->percentile);
    if (c->o.output.json) {
        cJSON *list = cJSON_CreateArray();
        for (int i = 0; i < c->n; i++) cJSON_AddItemToArray(list, snc_offer_json(&c->offer[i]));
        SNC_TRY(snc_say_json(c->h, list, true, "import"));
    } else if (c->n == 1) {
        snc_offer_say(c->h, &c->offer[0], load);
        if (rows) snc_say(c->h, "score %.2f on %d rank rows after %.0f s of training", 100 * c->offer[0].score, rows, c->offer[0].seconds);
    } else {
        snc_offers_say(c->h, c->offer, c->n, load, rows);
    }
    SNC_CHECK(failed == 0, SNC_E_ARG, "import: %d of %d models cannot be had: their rows say why", failed, c->n);
    return SNC_OK;
}

/* A short fine-tuning: of so many rows where nothing else is said. */
static snc_err set_up(comparison *c, const snc_options *o, const snc_host *h)
{
    const snc_option *seq = snc_option_row("--seq-len", SNC_VERB_IMPORT);
    double seconds;
    c->o = *o;
    c->h = h;
    c->task = snc_inputs_task_name(o) || o->rows.data;
    if (c->task) SNC_TRY(snc_option_need("import", "--task", snc_inputs_task_name(o)));
    if (c->task) SNC_TRY(snc_option_need("import", "--data", o->rows.data));
    SNC_CHECK(c->task || !snc_option_given(o, seq) || strcmp(o->workload.seq_len, "data") != 0, SNC_E_ARG,
              "--seq-len data: real lengths are a task's: --task and --data are missing");
    if (c->task && !o->rows.max_train_samples) c->o.rows.max_train_samples = FEW_ROWS;
    if (o->bench.time_budget) SNC_TRY(snc_parse_seconds(&seconds, "--time-budget", o->bench.time_budget));
    SNC_TRY(split_names(c, o->input.pretrained));
    SNC_TRY(snc_context_init(&c->work, o, h, o->workload.threads, 1));
    SNC_TRY(snc_context_init(&c->train, o, h, NULL, 0));
    return snc_preflight_options(&c->work, o, SNC_VERB_IMPORT);
}

static snc_err compare(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    comparison *c = NULL;
    SNC_TRY(snc_alloc(&c, 1, sizeof *c));
    SNC_GOTO(set_up(c, o, h));
    SNC_GOTO(look_at_all(c));
    if (c->in.task) SNC_GOTO(snc_offer_rank(c->offer, c->n, &c->train, c->in.task, c->in.splits.rank));
    SNC_GOTO(say_all(c));
out:
    for (int i = 0; i < c->n; i++) snc_offer_dispose(&c->offer[i]);
    snc_inputs_close(&c->in);
    snc_free(c);
    return err;
}

snc_err snc_verb_import(const snc_options *o, const snc_host *h)
{
    SNC_TRY(snc_option_need("import", "--pretrained", o->input.pretrained));
    return o->output.path ? write_model(o, h) : compare(o, h);
}
