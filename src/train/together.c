/* The exchange of a step, and a whole run sent to the other ranks: options as they lie in memory, plug-ins by their names. */
#include "train/together.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/dataset_ranks.h"
#include "models/model_ranks.h"

/* ---- the exchange of a step ------------------------------------------------------------------------------------------- */

/* Cuts a run of parameters, which is numbers [from, from + n), where another layer begins. */
static snc_err cut_run(snc_trainer *t, size_t from, size_t n, const size_t *at)
{
    const snc_params *ps = &t->m->params;
    const int ranks = t->comm->size;
    for (int i = 0; i < ps->n; i++) {
        const snc_param *p = &ps->p[i];
        const int layer = snc_spec_of(p)->layer ? p->layer : -1;
        if (p->offset < from || p->offset >= from + n) continue;
        snc_bucket *b = t->buckets ? &t->bucket[t->buckets - 1] : NULL;
        if (!b || b->layer != layer || b->from < from) {
            b = &t->bucket[t->buckets++];
            *b = (snc_bucket){.from = p->offset, .layer = layer};
            SNC_TRY(snc_alloc(&b->at, (size_t)ranks + 1, sizeof *b->at));
        }
        b->n = p->offset + (size_t)p->rows * (size_t)p->cols - b->from;
        for (int r = 0; r <= ranks; r++) b->at[r] = snc_comm_within(from + at[r], b->from, b->n);
    }
    return SNC_OK;
}

static int from_the_last(const void *a, const void *b)
{
    const snc_bucket *x = a, *y = b;
    if (x->layer != y->layer) return x->layer < y->layer ? 1 : -1;
    return x->from < y->from ? -1 : x->from > y->from;
}

snc_err snc_together_open(snc_trainer *t)
{
    size_t from, n, at[SNC_COMM_RANKS + 1];
    if (!t->comm) return SNC_OK;
    SNC_TRY(snc_adamw_deal(t->adamw, t->comm));
    SNC_TRY(snc_alloc(&t->bucket, (size_t)t->m->params.n, sizeof *t->bucket));
    for (int i = 0; (i = snc_adamw_run(&from, &n, at, t->adamw, i)) >= 0;) SNC_TRY(cut_run(t, from, n, at));
    qsort(t->bucket, (size_t)t->buckets, sizeof *t->bucket, from_the_last);
    return snc_allreduce_new(&t->sum, t->ctx, t->comm, t->buckets + 1, t->comm->half);
}

void snc_together_close(snc_trainer *t)
{
    if (t->comm)
        snc_log(t->ctx, SNC_LOG_DEBUG, "%s: %.1f s in sums over ranks, %.1f s waiting for their words", t->o->what,
                snc_allreduce_seconds(t->sum), t->comm->waited);
    snc_allreduce_free(t->sum);
    for (int i = 0; i < t->buckets; i++) snc_free(t->bucket[i].at);
    snc_free(t->bucket);
    snc_free(t->touched_rows);
}

/* Rows of tables, packed into one block and back. */
static void move_rows(snc_trainer *t, const snc_row_set *sets, int n_sets, bool pack)
{
    const snc_params *ps = &t->m->params;
    float *at = t->touched_rows;
    for (int s = 0; s < n_sets; s++) {
        const size_t cols = (size_t)ps->p[sets[s].param].cols;
        if (!snc_adamw_by_rows(t->adamw, sets[s].param)) continue;
        for (int i = 0; i < sets[s].n; i++, at += cols) {
            float *g = snc_params_g(ps, sets[s].param) + (size_t)sets[s].rows[i] * cols;
            memcpy(pack ? at : g, pack ? g : at, cols * sizeof *g);
        }
    }
}

/* Buckets of layers from `layer` on. Each rank has the sums of what it updates; where a sampler looks at gradients, of everything. */
static void start_buckets(snc_trainer *t, int layer)
{
    for (; t->summed < t->buckets && t->bucket[t->summed].layer >= layer && !t->sum_err; t->summed++) {
        const snc_bucket *b = &t->bucket[t->summed];
        float *g = t->m->params.g + b->from;
        t->sum_err = t->gradient ? snc_allreduce_start(t->sum, g, b->n) : snc_allreduce_scatter(t->sum, g, b->at);
    }
}

static void layer_done(void *user, int layer)
{
    snc_trainer *t = user;
    start_buckets(t, layer);
    if (!t->sum_err) t->sum_err = snc_allreduce_go_on(t->sum);
}

void snc_together_expect(snc_trainer *t)
{
    if (t->comm) snc_engine_on_layer(t->e, layer_done, t);
}

/* What is not under way yet, and rows that the batch has touched, which all ranks have the sums of. Whoever has failed, or wants no more
 * steps, sends what it has: the others wait for that much. */
static snc_err sum_gradients(snc_trainer *t, const snc_row_set *sets, int n_sets)
{
    const snc_params *ps = &t->m->params;
    size_t rows = 0;
    for (int s = 0; s < n_sets; s++)
        if (snc_adamw_by_rows(t->adamw, sets[s].param)) rows += (size_t)sets[s].n * (size_t)ps->p[sets[s].param].cols;
    snc_engine_on_layer(t->e, NULL, NULL);
    start_buckets(t, -1);
    SNC_TRY(t->sum_err);
    SNC_TRY(snc_grow(&t->touched_rows, &t->touched_cap, rows + 1, sizeof *t->touched_rows));
    move_rows(t, sets, n_sets, true);
    SNC_TRY(snc_allreduce_start(t->sum, t->touched_rows, rows));
    SNC_TRY(snc_allreduce_finish(t->sum));
    move_rows(t, sets, n_sets, false);
    t->summed = 0;
    return SNC_OK;
}

/* What the data sampler is told of each row, by the rank that had it. */
static snc_err gather_told(snc_trainer *t, int first, int end)
{
    const snc_data_told told = snc_data_sampler_told(t->rows);
    const size_t sizes[] = {(size_t)t->K * sizeof *told.logits, sizeof *told.loss, sizeof *told.gradient};
    void *const blocks[] = {told.logits, told.loss, told.gradient};
    size_t at[SNC_COMM_RANKS + 1];
    for (int i = 0; i < 3; i++) {
        for (int r = 0; r <= t->comm->size; r++) at[r] = sizes[i] * snc_comm_from((size_t)(end - first), r, t->comm->size);
        SNC_TRY(snc_comm_gather(t->comm, (char *)blocks[i] + sizes[i] * (size_t)first, at));
    }
    return SNC_OK;
}

typedef struct word { /* of a rank in a step */
    snc_err err;
    bool leave, due;
    int64_t wish;
    double loss[SNC_SAMPLER_MAX];
} word;

/* Every rank's word on all of them: losses become sums; whether rank 0 ends the run, and whether any rank has failed. */
static snc_err exchange_words(snc_trainer *t, word mine, bool *leave, bool *failed)
{
    word *all = NULL;
    const int size = t->comm->size;
    SNC_TRY(snc_alloc(&all, (size_t)size, sizeof *all));
    all[t->comm->rank] = mine;
    snc_err err = snc_comm_gather_each(t->comm, all, sizeof *all);
    *leave = !err && all[0].leave;
    *failed = false;
    memset(t->loss, 0, sizeof t->loss);
    for (int r = 0; r < size && !err; r++) {
        *failed = *failed || all[r].err;
        for (int i = 0; i < SNC_SAMPLER_MAX; i++) t->loss[i] += all[r].loss[i];
    }
    if (!err) t->wish = all[0].wish;
    t->agreed = !err && all[0].due;
    snc_free(all);
    return err;
}

/* One exchange, in which every rank takes part to its end, whatever it has to say. */
static snc_err exchange(snc_trainer *t, word mine, const snc_row_set *sets, int n_sets)
{
    bool failed;
    if (!t->ran) snc_params_zero_grad(&t->m->params); /* linears' are left of the step before until a net overwrites them */
    SNC_TRY(exchange_words(t, mine, &t->left, &failed));
    SNC_TRY(sum_gradients(t, sets, n_sets));
    return failed ? snc_comm_agree(t->comm, mine.err) : SNC_OK;
}

snc_err snc_together_sum(snc_trainer *t, snc_err mine, const snc_tokens *x, const snc_row_set *sets, int n_sets)
{
    word w = {.err = mine, .due = t->due, .wish = t->wish};
    if (!t->comm) return mine;
    memcpy(w.loss, t->loss, sizeof w.loss);
    SNC_TRY(exchange(t, w, sets, n_sets));
    if (t->left) return SNC_OK;
    if (t->wish) {
        t->wish = t->wish > t->step ? t->wish : t->step + 1;
        snc_trainer_shorten(t);
    }
    if (!t->o->data_sampler->draw) return SNC_OK;
    if (!snc_trainer_in_parts(t)) return gather_told(t, 0, x->B);
    for (int i = 0; i < t->n_nets; i++) SNC_TRY(gather_told(t, snc_trainer_part(t, x->B, i), snc_trainer_part(t, x->B, i + 1)));
    return SNC_OK;
}

snc_err snc_together_leave(snc_trainer *t, snc_err err)
{
    snc_tokens x;
    const int32_t *rows;
    int n_sets;
    if (!t->comm || t->comm->failed) return err;
    snc_data_sampler_batch(&x, &rows, t->rows, t->step); /* which rows of tables the others send */
    const snc_row_set *sets = snc_touched_scan(&n_sets, t->touched, &x);
    t->ran = true;
    snc_err sent = exchange(t, (word){.err = err, .leave = true}, sets, n_sets);
    t->left = false;
    t->wish = 0;
    return sent && sent != err ? (err ? err : sent) : err;
}

snc_err snc_together_resume(snc_trainer *t, const snc_block *blocks, int n)
{
    int64_t step = t->step;
    const snc_adamw_state a = snc_adamw_state_view(t->adamw);
    if (!t->comm) return SNC_OK;
    SNC_TRY(snc_comm_share(t->comm, &step, sizeof step, false));
    if (step == 0) return SNC_OK;
    for (int i = 0; i < n; i++)
        if (blocks[i].data != a.block[0] && blocks[i].data != a.block[1]) /* moments */
            SNC_TRY(snc_comm_share(t->comm, blocks[i].data, blocks[i].bytes, false));
    return snc_adamw_resume(t->adamw);
}

/* ---- a run sent to the other ranks -------------------------------------------------------------------------------------- */

snc_err snc_train_call(const snc_ctx *ctx, snc_comm *c, snc_model *m, snc_model *teacher, const snc_dataset *d, const snc_space *space,
                       const snc_train_opts *o)
{
    snc_parcel p = {0};
    snc_dataset *none;
    float *logits = NULL;
    const bool spaced = space != NULL, quantised = o->fake_quant != NULL;
    snc_duty_put_ctx(&p, ctx);
    snc_parcel_put(&p, o, sizeof *o);
    snc_parcel_put_text(&p, o->data_sampler->name);
    snc_parcel_put_text(&p, o->sampler->name);
    snc_parcel_put_text(&p, o->what);
    for (int i = 0; o->objectives[i]; i++) snc_parcel_put_text(&p, o->objectives[i]->name);
    snc_parcel_put_text(&p, NULL);
    snc_parcel_put(&p, o->nets, (size_t)o->n_nets * sizeof *o->nets);
    snc_parcel_put(&p, &quantised, sizeof quantised);
    if (quantised) snc_parcel_put(&p, o->fake_quant, sizeof *o->fake_quant);
    snc_parcel_put(&p, &spaced, sizeof spaced);
    if (spaced) snc_parcel_put(&p, space, sizeof *space);
    SNC_TRY(snc_duty_call(c, snc_duty_train.name, &p));
    SNC_TRY(snc_model_share(&m, ctx, c));
    SNC_TRY(snc_model_share(&teacher, ctx, c));
    SNC_TRY(snc_dataset_share(&none, d, c));
    memcpy(&logits, &o->teacher_logits, sizeof logits);
    return snc_block_share(&logits, snc_dataset_logits(d, m->cfg.classes), sizeof *logits, c);
}

/* A run as another rank has it. */
typedef struct guest {
    snc_ctx ctx;
    snc_train_opts o;
    const snc_objective *objectives[SNC_OBJECTIVES_MOST + 1];
    snc_arch nets[SNC_SAMPLER_MAX];
    snc_policy policy;
    bool spaced;
    snc_space space;
    snc_model *m, *teacher;
    snc_dataset *d;
    float *logits;
} guest;

static snc_err take_objectives(guest *g, snc_parcel *p)
{
    for (int n = 0;;) {
        const char *name;
        int i = 0;
        SNC_TRY(snc_parcel_take_text(&name, p));
        if (!name) return SNC_OK;
        while (snc_objectives[i] && strcmp(snc_objectives[i]->name, name) != 0) i++;
        SNC_CHECK(snc_objectives[i] && n < SNC_OBJECTIVES_MOST, SNC_E_UNSUPPORTED, "objective '%s', which this rank has not got", name);
        g->objectives[n++] = snc_objectives[i];
    }
}

/* What rank 0 alone is asked is left out: its checkpoint, its clock, what happens after an epoch. */
static snc_err take(guest *g, const snc_ctx *ctx, snc_parcel *p)
{
    const char *rows, *paths, *what;
    bool quantised;
    SNC_TRY(snc_duty_take_ctx(&g->ctx, ctx, p));
    SNC_TRY(snc_parcel_take(&g->o, p, sizeof g->o));
    SNC_TRY(snc_parcel_take_text(&rows, p));
    SNC_TRY(snc_parcel_take_text(&paths, p));
    SNC_TRY(snc_parcel_take_text(&what, p));
    SNC_TRY(take_objectives(g, p));
    SNC_TRY(snc_parcel_take(g->nets, p, (size_t)g->o.n_nets * sizeof *g->nets));
    SNC_TRY(snc_parcel_take(&quantised, p, sizeof quantised));
    if (quantised) SNC_TRY(snc_parcel_take(&g->policy, p, sizeof g->policy));
    SNC_TRY(snc_parcel_take(&g->spaced, p, sizeof g->spaced));
    if (g->spaced) SNC_TRY(snc_parcel_take(&g->space, p, sizeof g->space));
    SNC_TRY(snc_data_sampler_find(&g->o.data_sampler, rows));
    g->o.sampler = &snc_sampler_full;
    if (strcmp(paths, snc_sampler_full.name) != 0) SNC_TRY(snc_sampler_find(&g->o.sampler, paths));
    g->o.what = what;
    g->o.objectives = g->objectives;
    g->o.nets = g->nets;
    g->o.fake_quant = quantised ? &g->policy : NULL;
    g->o.checkpoint = g->o.checkpoint ? "of rank 0" : NULL; /* which others only take part in */
    g->o.max_seconds = 0;
    g->o.on_epoch = NULL;
    return SNC_OK;
}

static snc_err attend(const snc_ctx *ctx, snc_parcel *said)
{
    guest *g = NULL;
    snc_comm *c = ctx->comm;
    snc_train_result r;
    snc_err err = snc_alloc(&g, 1, sizeof *g);
    if (!err) err = take(g, ctx, said);
    if (err) {
        c->failed = true; /* rank 0 goes on sending */
        snc_free(g);
        return err;
    }
    SNC_GOTO(snc_model_share(&g->m, &g->ctx, c));
    SNC_GOTO(snc_model_share(&g->teacher, &g->ctx, c));
    SNC_GOTO(snc_dataset_share(&g->d, NULL, c));
    SNC_GOTO(snc_block_share(&g->logits, snc_dataset_logits(g->d, g->m->cfg.classes), sizeof *g->logits, c));
    g->o.teacher_logits = g->logits;
    err = snc_trainer_run(&r, &g->ctx, c, g->m, g->teacher, g->d, g->spaced ? &g->space : NULL, &g->o);
out:
    snc_model_free(g->m);
    snc_model_free(g->teacher);
    snc_dataset_free(g->d);
    snc_free(g->logits);
    snc_free(g);
    return err;
}
const snc_duty snc_duty_train = {"train", attend};
