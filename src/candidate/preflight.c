/* Ranges, a table of options that do not go together, then the checks of whoever will do the work. */
#include "candidate/preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/option.h"
#include "artifact/recipes.h"
#include "artifact/spaces.h"
#include "candidate/reach.h"
#include "candidate/search_run.h"
#include "candidate/workload.h"
#include "models/mixture.h"
#include "train/sampler.h"

/* ---- numbers -------------------------------------------------------------------------------------------------------- */

/* What the table's ranges (stage/verbs.c holds options to them) let through and no training can use. */
static snc_err check_numbers(const snc_options *o, unsigned verb)
{
    static const char *const positive[] = {"--epochs", "--lr", "--supernet-epochs", "--supernet-lr"};
    for (size_t i = 0; i < sizeof positive / sizeof *positive; i++) {
        const snc_option *row = snc_option_row(positive[i], SNC_VERB_ALL);
        bool looks = (verb & SNC_VERB_IMPORT) && i == 0; /* with no epochs it trains nothing */
        SNC_CHECK(looks || !(row->verbs & verb) || snc_option_number(o, row) > 0, SNC_E_ARG, "%s 0: expected a positive number", row->name);
    }
    double lr = verb & (SNC_VERB_FINETUNE | SNC_VERB_IMPORT) ? o->training.lr
                : verb & SNC_VERB_SUPERNET                   ? o->supernet.lr
                : o->training.lr > o->supernet.lr            ? o->training.lr
                                                             : o->supernet.lr;
    bool trains = verb & (SNC_VERB_COMPRESS | SNC_VERB_PLAN | SNC_VERB_FINETUNE | SNC_VERB_IMPORT | SNC_VERB_SUPERNET);
    SNC_CHECK(!trains || o->training.weight_decay * lr < 1, SNC_E_ARG,
              "--weight-decay %g: with a learning rate of %g nothing would be left of the weights", o->training.weight_decay, lr);
    return SNC_OK;
}

/* ---- options against each other --------------------------------------------------------------------------------------- */

enum {
    COMPRESS = SNC_VERB_COMPRESS,
    PLAN = SNC_VERB_PLAN,
    SUPERNET = SNC_VERB_SUPERNET,
    SEARCH = SNC_VERB_SEARCH,
    STUDY = SNC_VERB_STUDY,
    EXPORT = SNC_VERB_EXPORT,
    BENCH = SNC_VERB_BENCH,
    IMPORT = SNC_VERB_IMPORT
};

typedef enum beside { BESIDE, WITHOUT } beside;
typedef enum outcome { IDLE, REFUSED } outcome;

/* `option` has no effect, or makes no sense, beside `other` (of `value`, where one is named), or without it. */
static const struct pair {
    unsigned verbs;
    const char *option;
    beside how;
    const char *other, *value;
    outcome outcome;
} pairs[] = {
    {COMPRESS | PLAN | SUPERNET | STUDY, "--pretrained", BESIDE, "--teacher", NULL, IDLE},
    {EXPORT, "--teacher", BESIDE, "--pretrained", NULL, IDLE},
    {COMPRESS | PLAN, "--repair-epochs", BESIDE, "--repair", "off", IDLE},
    {COMPRESS | PLAN, "--teachers", BESIDE, "--repair", "off", IDLE},
    {PLAN, "--rows", BESIDE, "--task", NULL, REFUSED},
    {PLAN, "--rows", BESIDE, "--data", NULL, REFUSED},
    {SUPERNET, "--temperature", BESIDE, "--alpha", "1", IDLE},
    {STUDY, "--tabular", BESIDE, "--protocols", NULL, REFUSED},
    {STUDY, "--ablate", BESIDE, "--protocols", NULL, REFUSED},
    {STUDY, "--ablate", BESIDE, "--tabular", NULL, REFUSED},
    {STUDY, "--pretrained", WITHOUT, "--ablate", NULL, IDLE},
    {STUDY, "--seeds", BESIDE, "--ablate", NULL, IDLE},
    {STUDY, "--target-latency", BESIDE, "--ablate", NULL, IDLE},
    {STUDY, "--format", BESIDE, "--ablate", NULL, IDLE},
    {STUDY, "--format", BESIDE, "--protocols", NULL, IDLE},
    {STUDY, "--output", BESIDE, "--tabular", NULL, IDLE},
    {STUDY, "--teacher", BESIDE, "--tabular", NULL, IDLE},
    {STUDY, "--target-latency", BESIDE, "--tabular", NULL, IDLE},
    {SEARCH, "--teacher", BESIDE, "--export", NULL, IDLE},
    {SEARCH, "--target-latency", BESIDE, "--export", NULL, IDLE},
    {SEARCH, "--target-size", BESIDE, "--export", NULL, IDLE},
    {SEARCH, "--warm-start", BESIDE, "--export", NULL, IDLE},
    {EXPORT, "--task", WITHOUT, "--trim-vocab", NULL, IDLE},
    {EXPORT, "--data", WITHOUT, "--trim-vocab", NULL, IDLE},
    {EXPORT, "--unlabeled", WITHOUT, "--trim-vocab", NULL, IDLE},
    {EXPORT, "--form", BESIDE, "--to", "snc", IDLE},
    {EXPORT, "--form", BESIDE, "--to", "hf", IDLE},
    {EXPORT, "--form", WITHOUT, "--to", NULL, IDLE},
    {EXPORT, "--overwrite", BESIDE, "--to", "onnx", IDLE},
    {EXPORT, "--overwrite", BESIDE, "--to", "hf", IDLE},
    {BENCH, "--data", WITHOUT, "--tasks", NULL, IDLE},
    {EXPORT, "--text", WITHOUT, "--trim-vocab", NULL, IDLE},
    {EXPORT, "--text-pair", WITHOUT, "--trim-vocab", NULL, IDLE},
    {EXPORT, "--label", WITHOUT, "--trim-vocab", NULL, IDLE},
    {EXPORT, "--quoting", WITHOUT, "--trim-vocab", NULL, IDLE},
    {IMPORT, "--task", BESIDE, "--output", NULL, IDLE},
    {IMPORT, "--data", BESIDE, "--output", NULL, IDLE},
    {IMPORT, "--batch", BESIDE, "--output", NULL, IDLE},
    {IMPORT, "--seq-len", BESIDE, "--output", NULL, IDLE},
    {IMPORT, "--threads", BESIDE, "--output", NULL, IDLE},
    {BENCH, "--text", WITHOUT, "--tasks", NULL, IDLE},
    {BENCH, "--text-pair", WITHOUT, "--tasks", NULL, IDLE},
    {BENCH, "--label", WITHOUT, "--tasks", NULL, IDLE},
    {BENCH, "--quoting", WITHOUT, "--tasks", NULL, IDLE},
};

static bool has_value(const snc_options *o, const snc_option *row, const char *value)
{
    if (!value) return snc_option_given(o, row);
    if (row->kind == SNC_OPTION_STRING) return snc_option_given(o, row) && strcmp(snc_option_text(o, row), value) == 0;
    return snc_option_number(o, row) == strtod(value, NULL);
}

/* What an export of the vocabulary's part reads, and one of a cascade as well. */
static bool is_for_cascade(const snc_options *o, const struct pair *p)
{
    return p->verbs == EXPORT && o->exporting.cascade && strcmp(p->other, "--trim-vocab") == 0 && strcmp(p->option, "--unlabeled") != 0;
}

static snc_err check_pairs(const snc_ctx *ctx, const snc_options *o, unsigned verb)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const struct pair *p = &pairs[i];
        if (!(p->verbs & verb) || is_for_cascade(o, p)) continue;
        const snc_option *row = snc_option_row(p->option, verb), *other = snc_option_row(p->other, verb);
        if (!snc_option_given(o, row) || has_value(o, other, p->value) != (p->how == BESIDE)) continue;
        const char *how = p->how == BESIDE ? "beside" : "without", *space = p->value ? " " : "", *value = p->value ? p->value : "";
        SNC_CHECK(p->outcome == IDLE, SNC_E_ARG, "%s %s %s%s%s: one of the two", row->name, how, other->name, space, value);
        snc_log(ctx, SNC_LOG_WARN, "%s has no effect %s %s%s%s", row->name, how, other->name, space, value);
    }
    return SNC_OK;
}

/* What the recipe and options come to together. */
static snc_err check_training(const snc_ctx *ctx, const snc_options *o)
{
    const snc_sampler_kind *sampler;
    snc_train_opts t;
    snc_weights_asked w;
    SNC_TRY(snc_sampler_find(&sampler, o->supernet.sampler));
    SNC_CHECK(!o->supernet.inplace_teacher || !sampler->no_largest, SNC_E_ARG,
              "--inplace-teacher beside --sampler %s: it draws no largest net to learn from", sampler->name);
    if (o->supernet.inplace_teacher && sampler->largest_alone)
        snc_log(ctx, SNC_LOG_WARN, "--inplace-teacher has no effect beside --sampler %s", sampler->name);
    SNC_TRY(snc_recipe_supernet(&t, o, NULL));
    SNC_TRY(snc_recipe_weights(&w, o));
    SNC_CHECK(!(t.group_weight > 0) || !w.kind->experts || w.mixture.experts < 2, SNC_E_ARG,
              "group weight %g beside --weights %s: units that are mixed have no weights of their own", t.group_weight, w.kind->name);
    return SNC_OK;
}

static snc_err check_weights(const snc_options *o)
{
    const snc_option *row = snc_option_row("--experts", SNC_VERB_ALL);
    snc_weights_asked w;
    SNC_TRY(snc_recipe_weights(&w, o));
    SNC_CHECK(w.kind->experts || !snc_option_given(o, row) || snc_option_by_recipe(o, row), SNC_E_ARG,
              "--experts %d: --weights %s has none", o->supernet.experts, w.kind->name);
    return SNC_OK;
}

snc_err snc_preflight_options(const snc_ctx *ctx, const snc_options *o, unsigned verb)
{
    bool balanced;
    SNC_TRY(snc_inputs_balanced(&balanced, &o->training, NULL));
    SNC_TRY(check_numbers(o, verb));
    SNC_TRY(check_pairs(ctx, o, verb));
    if (verb & (COMPRESS | PLAN | SUPERNET)) SNC_TRY(check_training(ctx, o));
    if (verb & (COMPRESS | PLAN | SUPERNET)) SNC_TRY(check_weights(o));
    if ((verb & EXPORT) && o->input.n_models && (o->input.pretrained || o->input.teacher))
        snc_log(ctx, SNC_LOG_WARN, "%s has no effect beside %s", o->input.pretrained ? "--pretrained" : "--teacher", o->input.models[0]);
    SNC_CHECK(!(verb & (COMPRESS | PLAN)) || o->exporting.repair_epochs > 0 || strcmp(o->exporting.repair, "on") != 0, SNC_E_ARG,
              "--repair on: --repair-epochs 0 leaves nothing to do");
    return SNC_OK;
}

/* ---- the steps ------------------------------------------------------------------------------------------------------ */

snc_err snc_preflight_supernet(const snc_options *o, const snc_model *m)
{
    snc_space *space = NULL;
    snc_weights_asked w;
    snc_train_opts t;
    SNC_TRY(snc_recipe_weights(&w, o));
    SNC_TRY(snc_recipe_supernet(&t, o, NULL));
    SNC_TRY(snc_objectives_check(t.objectives, &t, m, m)); /* its teacher has its shape */
    SNC_TRY(snc_data_sampler_check(t.data_sampler, snc_meaning_of(&m->cfg)));
    if (w.kind->experts) SNC_TRY(snc_mixture_check(&w.mixture, &m->arch));
    SNC_TRY(snc_space_asked(&space, o, m, snc_depth_rule_asked(o, "even")));
    snc_space_free(space);
    return SNC_OK;
}

snc_err snc_preflight_search(const snc_ctx *work, const snc_options *o, const snc_targets *a, const snc_inputs *in, snc_model *m,
                             const char *dir)
{
    int batch, seq;
    SNC_TRY(snc_workload_check(&batch, &seq, &o->workload, &m->cfg));
    SNC_TRY(snc_search_run_check(o, in, m, dir));
    return snc_reach_check(work, o, a, in, m);
}
