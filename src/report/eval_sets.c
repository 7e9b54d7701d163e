/* Names of a comma list become datasets, and their targets are put one after the other. */
#include "report/eval_sets.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "report/reading.h"

static snc_err open_set(snc_eval_set *s, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in)
{
    s->rows = in->dev;
    if (strcmp(s->name, "dev") == 0) return SNC_OK;
    SNC_TRY(snc_dataset_load(&s->own, ctx, in->task, in->tok, o->rows.data, s->name, 0));
    s->rows = s->own;
    for (int i = 0; i < s->own->n; i++)
        for (int64_t k = snc_dataset_answer(s->own, i); k < snc_dataset_answer(s->own, i + 1); k++)
            SNC_CHECK(!isnan((double)s->own->target[k]), SNC_E_FORMAT, "--eval %s: line %lld has no label", s->name,
                      (long long)s->own->line[i]);
    return SNC_OK;
}

/* The number of a row's set of labels among those of all. */
static snc_err renumber(float *out, snc_sets *all, const snc_sets *own, float number)
{
    int k;
    SNC_TRY(snc_sets_number(&k, all, snc_sets_of(own, (int)number)));
    *out = (float)k;
    return SNC_OK;
}

static snc_err pool(snc_eval_sets *s)
{
    int at = 0;
    s->name = s->n == 1 ? s->of[0].name : "pooled";
    const snc_dataset *first = s->of[0].rows;
    s->all = (snc_dataset){.n = first->n, .target = first->target, .sets = first->sets, .answers = first->answers, .line = first->line};
    if (s->n == 1) return SNC_OK;
    SNC_CHECK(!first->answers, SNC_E_UNSUPPORTED, "--eval: sets of tagged words are not pooled: name one");
    s->all = (snc_dataset){.n = snc_eval_sets_begin(s, s->n)};
    SNC_TRY(snc_alloc(&s->all.target, (size_t)s->all.n, sizeof *s->all.target));
    if (s->of[0].rows->sets) SNC_TRY(snc_sets_dup(&s->all.sets, s->of[0].rows->sets));
    for (int k = 0; k < s->n; k++) {
        const snc_dataset *d = s->of[k].rows;
        for (int i = 0; i < d->n; i++, at++) {
            s->all.target[at] = d->target[i];
            if (d->sets) SNC_TRY(renumber(&s->all.target[at], s->all.sets, d->sets, d->target[i]));
        }
    }
    return SNC_OK;
}

snc_err snc_eval_sets_open(snc_eval_sets *out, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in)
{
    snc_err err = SNC_OK;
    *out = (snc_eval_sets){0};
    for (const char *p = o->rows.eval ? o->rows.eval : "dev"; p; p = snc_list_next(p)) {
        snc_eval_set *s = &out->of[out->n];
        size_t n = strcspn(p, ",");
        SNC_GOTO(n ? SNC_OK : snc_err_set(SNC_E_ARG, "--eval '%.60s': an empty name", o->rows.eval));
        SNC_GOTO(out->n < SNC_EVAL_SETS ? SNC_OK : snc_err_set(SNC_E_ARG, "--eval: more than %d names", SNC_EVAL_SETS));
        SNC_GOTO(snc_strndup(&s->name, p, n));
        out->n++;
        for (int k = 0; k + 1 < out->n; k++)
            SNC_GOTO(strcmp(out->of[k].name, s->name) ? SNC_OK : snc_err_set(SNC_E_ARG, "--eval: '%.60s' twice", s->name));
        SNC_GOTO(open_set(s, ctx, o, in));
    }
    SNC_GOTO(pool(out));
out:
    if (err) snc_eval_sets_dispose(out);
    return err;
}

snc_err snc_eval_sets_read(cJSON *reading, const snc_eval_sets *s, const snc_inputs *in)
{
    for (int k = 0; k < s->n; k++)
        if (s->of[k].own) SNC_TRY(snc_reading_add(reading, in, s->of[k].name, s->of[k].own));
    return SNC_OK;
}

void snc_eval_sets_dispose(snc_eval_sets *s)
{
    if (s->n > 1 && s->all.target != s->of[0].rows->target) {
        snc_free(s->all.target);
        snc_sets_free(s->all.sets);
    }
    for (int k = 0; k < s->n; k++) {
        snc_dataset_free(s->of[k].own);
        snc_free(s->of[k].name);
    }
    *s = (snc_eval_sets){0};
}

int snc_eval_sets_begin(const snc_eval_sets *s, int set)
{
    int at = 0;
    for (int k = 0; k < set; k++) at += s->of[k].rows->n;
    return at;
}
