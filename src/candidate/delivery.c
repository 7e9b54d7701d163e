/* Files are written beside the name, trained again and trimmed there, and one gets the name when it is final. */
#include "candidate/delivery.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/load.h"
#include "artifact/recipes.h"
#include "artifact/settle.h"
#include "base/fmap.h"
#include "base/isa.h"
#include "base/mem.h"
#include "base/textbuf.h"
#include "candidate/cascade_fit.h"
#include "candidate/deploy.h"
#include "candidate/speeds_clock.h"
#include "candidate/workload.h"
#include "models/bundle.h"

static const double WORTH = 1.05; /* times the loss of a net that was trained alone: what sharing all of its numbers may cost it */

typedef enum form { DRAFT, TOGETHER, APART, FORMS } form;

enum { PATH = 4096 };

typedef struct delivery {
    snc_evaluator *e;
    const snc_options *o;
    const snc_chosen *net;
    int n;
    snc_refit *refit;
    const snc_delivery_clock *clock;
    const char *out;
    cJSON *meta[SNC_NETS_MOST];
    form form;
    char *said; /* [SNC_SENTENCE] */
} delivery;

snc_share_how snc_share(const snc_options *o)
{
    const char *said = o->exporting.share;
    return !said || strcmp(said, "auto") == 0 ? SNC_SHARE_AUTO : strcmp(said, "on") == 0 ? SNC_SHARE_ON : SNC_SHARE_OFF;
}

snc_chosen snc_chosen_of(const snc_space *s, const snc_finalist *f)
{
    snc_chosen c = {.f = *f};
    snc_cfg_decode(&c.arch, &c.policy, s, &f->o.cfg);
    return c;
}

/* Of net k, where it lies until it has its name. */
static const char *path_of(char buf[PATH], const delivery *d, form f, int k)
{
    static const char *const names[FORMS] = {"draft", "together", "apart"};
    snprintf(buf, PATH, "%s.%s%d", d->out, names[f], k);
    return buf;
}

/* ---- how near ------------------------------------------------------------------------------------------------------------ */

/* How far the file at path is from what a teacher says of rows. */
static snc_err distance(double *loss, const delivery *d, const snc_dataset *rows, const float *teacher, const char *path)
{
    snc_loaded l;
    float *z = NULL;
    SNC_TRY(snc_loaded_open(&l, d->e->ctx, path, 0, SNC_MEANS_CLASSES));
    snc_err err = snc_alloc(&z, snc_dataset_logits(rows, l.classes), sizeof *z);
    if (!err) err = snc_loaded_answer(z, d->e->ctx, &l, rows, NULL);
    if (!err) *loss = snc_loss_to_teacher(z, teacher, (int)snc_dataset_answers(rows), l.classes, l.problem);
    snc_free(z);
    snc_loaded_close(&l);
    return err;
}

/* Of all nets in a form, from the teachers on the first rows that are learnt: these must have come nearer to what they learnt. */
static snc_err distances(double *sum, const delivery *d, form f)
{
    const snc_distillation_set *set = &d->refit->set;
    snc_dataset few = *set->rows;
    char path[PATH];
    double one;
    if (few.n > SNC_DISTILLATION_JUDGED) few.n = SNC_DISTILLATION_JUDGED;
    *sum = 0;
    for (int k = 0; k < d->n; k++) {
        SNC_TRY(distance(&one, d, &few, set->logits, path_of(path, d, f, k)));
        *sum += one / d->n;
    }
    return SNC_OK;
}

/* ---- training ------------------------------------------------------------------------------------------------------------ */

/* Distils a net that was cut out for a short while, its INT8 matrices rounded in every forward; nets: that one, and those within it. */
static snc_err distil(snc_model *m, const delivery *d, const snc_policy *policy, const snc_arch *nets, int n)
{
    snc_train_result r;
    snc_train_opts t;
    SNC_TRY(snc_recipe_repair(&t, d->o));
    t.fake_quant = policy;
    t.teacher_logits = d->refit->set.logits;
    t.nets = nets;
    t.n_nets = n;
    return snc_train_run(&r, d->e->ctx, m, NULL, d->refit->set.rows, NULL, &t);
}

static snc_err note_recipe(delivery *d)
{
    snc_train_opts t;
    SNC_TRY(snc_recipe_repair(&t, d->o));
    for (int k = 0; k < d->n; k++) cJSON_AddItemToObject(d->meta[k], "recipe", snc_train_opts_in_use(&t));
    return SNC_OK;
}

/* Net k and those within it, up to `to`, as one model. Its threshold stays: no row is left to choose another on. */
static snc_err train(delivery *d, form f, int k, int to)
{
    snc_err err = SNC_OK;
    snc_model *m = NULL;
    snc_weights *w = NULL;
    snc_arch nets[SNC_NETS_MOST];
    char path[PATH];
    for (int i = k; i < to; i++) SNC_TRY(snc_arch_within(&nets[i - k], &d->net[i].arch, &d->net[k].arch));
    SNC_GOTO(snc_model_extract(&m, d->e->supernet, &d->net[k].arch));
    SNC_GOTO(distil(m, d, &d->net[k].policy, nets, to - k));
    SNC_GOTO(snc_weights_from_model(&w, d->e->ctx, m));
    for (int i = k; i < to; i++)
        SNC_GOTO(snc_deploy_write(path_of(path, d, f, i), d->e->ctx, m, w, &nets[i - k], &d->net[i].policy, d->meta[i]));
out:
    snc_weights_free(w);
    snc_model_free(m);
    return err;
}

static snc_err train_apart(delivery *d)
{
    for (int k = 0; k < d->n; k++) SNC_TRY(train(d, APART, k, k + 1));
    return SNC_OK;
}

/* Each net alone as well; shared numbers are kept where no net loses by them what is worth a larger file. */
static snc_err compare_forms(snc_textbuf *said, delivery *d)
{
    char path[PATH];
    double together, apart, most = 0;
    SNC_TRY(train_apart(d));
    SNC_TRY(snc_evaluator_fresh(d->e));
    snc_textbuf_put(said, "; loss on fresh rows trained together and apart");
    for (int k = 0; k < d->n; k++) {
        SNC_TRY(distance(&together, d, &d->e->fresh, d->e->teacher_fresh, path_of(path, d, TOGETHER, k)));
        SNC_TRY(distance(&apart, d, &d->e->fresh, d->e->teacher_fresh, path_of(path, d, APART, k)));
        snc_textbuf_put(said, "%s %.4f and %.4f", k ? "," : "", together, apart);
        most = fmax(most, together / apart);
    }
    if (!(most <= WORTH)) d->form = APART;
    return SNC_OK;
}

/* The nets in the form that they will have; said: why. */
static snc_err train_nets(snc_textbuf *said, delivery *d)
{
    d->form = d->n > 1 && snc_share(d->o) == SNC_SHARE_OFF ? APART : TOGETHER;
    if (d->form == APART) return train_apart(d);
    SNC_TRY(train(d, TOGETHER, 0, d->n));
    return d->n > 1 && snc_share(d->o) == SNC_SHARE_AUTO ? compare_forms(said, d) : SNC_OK;
}

static snc_err refit(delivery *d)
{
    snc_err err = SNC_OK;
    snc_textbuf forms = {0};
    double before, after;
    SNC_TRY(snc_distillation_average(&d->refit->set, d->e->ctx, d->e->in, d->refit->rows, d->o, &d->refit->teachers,
                                     snc_inputs_compute(&d->o->job)));
    SNC_TRY(distances(&before, d, DRAFT));
    SNC_TRY(note_recipe(d));
    SNC_GOTO(train_nets(&forms, d));
    SNC_GOTO(distances(&after, d, d->form));
    const bool keep = strcmp(d->o->exporting.repair, "on") == 0 || after < before;
    int at = snprintf(d->said, SNC_SENTENCE,
                      "%s: loss to the teacher%s of all %d rows %.4f before, %.4f after %g epochs of distillation under fake quantization",
                      keep ? "kept" : "dropped", d->refit->teachers.n > 1 ? "s" : "", d->refit->rows->n, before, after,
                      d->o->exporting.repair_epochs);
    if (d->n > 1)
        snprintf(d->said + at, SNC_SENTENCE - (size_t)at, "; %d nets %s%.250s", d->n,
                 d->form == APART ? "trained apart" : "share their numbers", forms.p ? forms.p : "");
    if (!keep) d->form = DRAFT;
    snc_log(d->e->ctx, SNC_LOG_INFO, "repair %s", d->said);
out:
    snc_free(forms.p);
    return err;
}

/* ---- the file ------------------------------------------------------------------------------------------------------------ */

/* Nothing that a clock said: equal decisions give equal bytes. */
static cJSON *meta_of(const delivery *d, const snc_finalist *f, const cJSON *stamp)
{
    cJSON *meta = snc_deploy_meta(d->e->supernet, d->o, d->e->in, cJSON_Duplicate(stamp, 1)), *s;
    s = cJSON_AddObjectToObject(meta, "search");
    cJSON_AddNumberToObject(s, "rank_loss", f->o.loss);
    cJSON_AddNumberToObject(s, "select_loss", f->select_loss);
    cJSON_AddNumberToObject(s, "select_score", f->select_score);
    cJSON_AddItemToObject(meta, "workload", snc_workload_json(&d->o->workload));
    cJSON_AddStringToObject(meta, "isa", snc_isa_name(snc_isa_now()));
    return meta;
}

/* All nets under one name, beside it at first. */
static snc_err bundle(const delivery *d, const char *to, const cJSON *cascade)
{
    snc_err err = SNC_OK;
    char path[SNC_LATENCIES][PATH];
    const char *paths[SNC_LATENCIES];
    snc_sncfile *file[SNC_LATENCIES] = {NULL};
    for (int k = 0; k < d->n; k++) {
        paths[k] = path_of(path[k], d, d->form, k);
        SNC_GOTO(snc_sncfile_open(&file[k], paths[k]));
    }
    SNC_GOTO(snc_bundle_save(to, (const snc_sncfile *const *)file, paths, d->n, cascade));
out:
    for (int k = 0; k < d->n; k++) snc_sncfile_close(file[k]);
    return err;
}

/* Of the file at path; NULL: nothing but its largest net keeps the limit. */
static snc_err escalate(cJSON **cascade, delivery *d, const char *path)
{
    snc_loaded l;
    SNC_TRY(snc_loaded_open(&l, d->e->ctx, path, 0, SNC_MEANS_CLASSES));
    snc_err err = snc_loaded_call(&l, d->out);
    if (!err) err = snc_cascade_fit(cascade, d->e->ctx, d->clock->ctx, d->o, d->clock->h, &l, path, d->e->in);
    snc_loaded_close(&l);
    if (err != SNC_E_NOTFOUND) return err;
    snc_log(d->e->ctx, SNC_LOG_WARN, "%s; the file has no cascade", snc_err_text());
    return SNC_OK;
}

static snc_err finish(delivery *d)
{
    char path[PATH], all[PATH];
    snc_speeds s;
    cJSON *cascade = NULL;
    for (int k = 0; k < d->n && d->e->trim.rows; k++)
        SNC_TRY(snc_deploy_trim(path_of(path, d, d->form, k), d->e->ctx, d->e->in->dev, &d->e->trim));
    if (d->n == 1) return snc_file_move(d->out, path_of(path, d, d->form, 0));
    path_of(all, d, d->form, d->n);
    snc_err err = bundle(d, all, NULL);
    if (!err && d->o->exporting.cascade) err = escalate(&cascade, d, all);
    if (!err && cascade) err = bundle(d, all, cascade);
    if (!err && d->o->exporting.measure) err = snc_speeds_put(&s, d->clock->ctx, all, d->out, NULL);
    if (!err) err = snc_file_move(d->out, all);
    if (err) remove(all);
    cJSON_Delete(cascade);
    return err;
}

snc_err snc_deliver(char said[SNC_SENTENCE], snc_evaluator *e, const snc_options *o, const snc_chosen *net, int n, snc_refit *refit_on,
                    const snc_delivery_clock *clock, const cJSON *stamp, const char *out)
{
    snc_err err = SNC_OK;
    delivery d = {.e = e, .o = o, .net = net, .n = n, .refit = refit_on, .clock = clock, .out = out, .said = said};
    char path[PATH];
    SNC_CHECK(strlen(out) + 16 < PATH, SNC_E_ARG, "path too long: %.80s...", out);
    snprintf(said, SNC_SENTENCE, "off");
    for (int k = 0; k < n; k++) {
        d.meta[k] = meta_of(&d, &net[k].f, stamp);
        SNC_GOTO(snc_deploy_write_cut(path_of(path, &d, DRAFT, k), e->ctx, e->in, e->supernet, e->weights, &net[k].arch, &net[k].policy,
                                      d.meta[k]));
    }
    if (snc_refits(o)) SNC_GOTO(refit(&d));
    SNC_GOTO(finish(&d));
out:
    for (int k = 0; k < n; k++) {
        for (int f = 0; f < FORMS; f++) remove(path_of(path, &d, (form)f, k));
        cJSON_Delete(d.meta[k]);
    }
    return err;
}
