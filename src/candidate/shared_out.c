/* Rank 0 keeps two parts under way with each other rank: a message there, one back. Another message, sent once, says that nobody waits for
 * parts any more. */
#include "candidate/shared_out.h"

#include <assert.h>
#include <string.h>

#include "artifact/batches.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "data/dataset_ranks.h"
#include "models/model_ranks.h"

enum { TAG_PART, TAG_ANSWER, TAG_STOP, AHEAD = 2 };

typedef struct part {
    int net;            /* counted through all that were asked; -1: there are no more parts */
    int set, from, end; /* batches */
    snc_shared_net is;
} part;

/* Before the logits of an answer. */
typedef struct verdict {
    int32_t code;
    char text[SNC_ERR_TEXT];
} verdict;

typedef struct answer { /* a block of one, with logits behind it */
    char *p;
    size_t cap, bytes;
    snc_comm_message m;
} answer;

static snc_err make_room(answer *a, const snc_batches *b, const part *p)
{
    a->bytes = sizeof(verdict) + snc_batches_answers(b, p->from, p->end) * (size_t)b->K * sizeof(float);
    return snc_grow(&a->p, &a->cap, a->bytes, 1);
}

static float *logits_of(const answer *a) { return (float *)(void *)(a->p + sizeof(verdict)); }

/* ---- rank 0 --------------------------------------------------------------------------------------------------------- */

typedef struct slot { /* a part that another rank has */
    bool busy;
    part part;
    snc_comm_message sent;
    answer answer;
} slot;

struct snc_shared_out {
    const snc_ctx *ctx;
    snc_comm *c;
    snc_net *net;
    int bound; /* to the net of this number; -1: to none of them */
    int asked; /* nets, of all calls */
    snc_dataset d[SNC_SHARED_SETS];
    snc_batches set[SNC_SHARED_SETS];
    int sets;
    slot *slot; /* [AHEAD][size] */
    float *z[SNC_SHARED_NETS];
    size_t cap[SNC_SHARED_NETS];
    /* Of the call under way. */
    const snc_shared_net *nets;
    int n, of;                 /* nets; set */
    int next, given;           /* the first net of which not all is handed out, and how many batches of it are: from the last, longest */
    int left[SNC_SHARED_NETS]; /* batches without an answer */
    bool bad[SNC_SHARED_NETS]; /* an answer was not finite */
};

static snc_err open_sets(snc_batches *out, int *n, const snc_dataset *const *d, int sets, int K, int size)
{
    for (*n = 0; *n < sets; (*n)++) SNC_TRY(snc_batches_open(&out[*n], d[*n], K, size));
    return SNC_OK;
}

static void free_all(snc_shared_out *s)
{
    for (int i = 0; i < s->sets; i++) snc_batches_close(&s->set[i]);
    for (int i = 0; s->slot && i < AHEAD * s->c->size; i++) {
        snc_comm_drop(&s->slot[i].sent, s->c);
        snc_comm_drop(&s->slot[i].answer.m, s->c);
        snc_free(s->slot[i].answer.p);
    }
    for (int i = 0; i < SNC_SHARED_NETS; i++) snc_free(s->z[i]);
    snc_free(s->slot);
    snc_free(s);
}

static snc_err make(snc_shared_out **out, const snc_ctx *ctx, snc_net *net, int K, int size, const snc_dataset *sets, int n_sets)
{
    snc_shared_out *s = NULL;
    const snc_dataset *d[SNC_SHARED_SETS];
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    for (int i = 0; i < n_sets; i++) {
        s->d[i] = sets[i];
        d[i] = &s->d[i];
    }
    s->ctx = ctx;
    s->c = ctx->comm;
    s->net = net;
    s->bound = -1;
    snc_err err = snc_alloc(&s->slot, AHEAD * (size_t)s->c->size, sizeof *s->slot);
    if (!err) err = open_sets(s->set, &s->sets, d, n_sets, K, size);
    if (err) free_all(s);
    else *out = s;
    return err;
}

snc_err snc_shared_out_open(snc_shared_out **out, const snc_ctx *ctx, snc_model *supernet, snc_net *net, const snc_net_opts *plan,
                            const snc_dataset *sets, int n_sets)
{
    snc_parcel p = {0};
    snc_dataset *none;
    snc_comm *c = ctx->comm;
    assert(n_sets <= SNC_SHARED_SETS);
    *out = NULL;
    snc_duty_put_ctx(&p, ctx);
    snc_parcel_put(&p, plan, sizeof *plan);
    snc_parcel_put(&p, &n_sets, sizeof n_sets);
    SNC_TRY(snc_duty_call(c, snc_duty_evaluate.name, &p));
    SNC_TRY(snc_model_share(&supernet, ctx, c));
    for (int i = 0; i < n_sets; i++) SNC_TRY(snc_dataset_share(&none, &sets[i], c));
    snc_err mine = make(out, ctx, net, supernet->cfg.classes, plan->max_seqs, sets, n_sets);
    snc_err err = snc_comm_agree(c, mine);
    if (err && !mine) {
        free_all(*out);
        *out = NULL;
    }
    c->busy = !err;
    return err;
}

static int set_of(const snc_shared_out *s, const snc_dataset *d)
{
    for (int i = 0; i < s->sets; i++)
        if (s->set[i].d->start == d->start && s->set[i].d->n == d->n) return i;
    return -1;
}

bool snc_shared_out_has(const snc_shared_out *s, const snc_dataset *d) { return set_of(s, d) >= 0; }

/* The next part: a fraction of what is left for each rank, of one net. */
static bool take(part *out, snc_shared_out *s)
{
    const int all = s->set[s->of].n;
    if (s->next == s->n) return false;
    const int64_t left = (int64_t)(s->n - s->next) * all - s->given, fair = left / (2 * s->c->size);
    const int most = all - s->given, least = snc_shared_least(all), size = fair > most ? most : snc_min(snc_max((int)fair, least), most);
    *out = (part){s->asked + s->next, s->of, most - size, most, s->nets[s->next]};
    s->given += size;
    if (s->given == all) {
        s->next++;
        s->given = 0;
    }
    return true;
}

static void count(snc_shared_out *s, const part *p, bool bad)
{
    s->left[p->net - s->asked] -= p->end - p->from;
    if (bad) s->bad[p->net - s->asked] = true;
}

/* What another rank has said of its part. */
static snc_err hear(snc_shared_out *s, slot *l, int rank)
{
    verdict v;
    int n;
    const snc_batches *b = &s->set[l->part.set];
    memcpy(&v, l->answer.p, sizeof v);
    if (v.code && v.code != SNC_E_DIVERGED) {
        snc_err_say("rank %d: %.*s", rank, SNC_ERR_TEXT - 32, v.text);
        return (snc_err)v.code;
    }
    const int32_t *rows = snc_batches_rows(&n, b, l->part.from, l->part.end);
    if (!v.code) snc_batcher_scatter(s->z[l->part.net - s->asked], logits_of(&l->answer), b->d, rows, n, b->K);
    count(s, &l->part, v.code != SNC_OK);
    return SNC_OK;
}

/* Hears who has an answer, and gives whoever has room for one another part. */
static snc_err look_around(bool *news, snc_shared_out *s)
{
    *news = false;
    for (int i = 0; i < AHEAD * s->c->size; i++) {
        slot *l = &s->slot[i];
        const int rank = i % s->c->size;
        if (rank == 0) continue;
        if (l->busy) {
            SNC_TRY(snc_comm_look(&l->answer.m, s->c));
            if (!l->answer.m.done) continue;
            SNC_TRY(snc_comm_wait(&l->sent, s->c, rank, false));
            l->busy = false;
            *news = true;
            SNC_TRY(hear(s, l, rank));
        }
        if (!take(&l->part, s)) continue;
        SNC_TRY(make_room(&l->answer, &s->set[s->of], &l->part));
        SNC_TRY(snc_comm_receive(&l->answer.m, s->c, rank, TAG_ANSWER, l->answer.p, l->answer.bytes));
        SNC_TRY(snc_comm_send(&l->sent, s->c, rank, TAG_PART, &l->part, sizeof l->part));
        l->busy = true;
    }
    return SNC_OK;
}

static snc_err work(snc_shared_out *s, const part *p)
{
    bool news;
    snc_err err = s->bound == p->net ? SNC_OK : snc_net_rebind(s->net, &p->is.arch, &p->is.policy);
    s->bound = err ? -1 : p->net;
    for (int b = p->end - 1; b >= p->from && !err; b--) {
        err = snc_batches_run(s->z[p->net - s->asked], &s->set[p->set], s->net, b);
        if (!err) err = look_around(&news, s);
    }
    if (err && err != SNC_E_DIVERGED) return err;
    count(s, p, err != SNC_OK);
    return SNC_OK;
}

/* SNC_E_IO: from none of those who have a part has anything come for too long. */
static snc_err late(const snc_shared_out *s, double since)
{
    if (snc_now() - since <= s->c->patience) return SNC_OK;
    for (int i = 0; i < AHEAD * s->c->size; i++)
        if (s->slot[i].busy) return snc_comm_late(s->c, i % s->c->size);
    return SNC_OK;
}

static snc_err begin(snc_shared_out *s, const snc_shared_net *nets, int n, int set)
{
    const size_t logits = snc_dataset_logits(s->set[set].d, s->set[set].K);
    assert(n <= SNC_SHARED_NETS && set >= 0);
    s->nets = nets;
    s->n = n;
    s->of = set;
    s->next = s->set[set].n > 0 ? 0 : n;
    s->given = 0;
    for (int i = 0; i < n; i++) {
        s->left[i] = s->set[set].n;
        s->bad[i] = false;
        SNC_TRY(snc_grow(&s->z[i], &s->cap[i], logits, sizeof *s->z[i]));
    }
    return SNC_OK;
}

snc_err snc_shared_out_answer(snc_shared_out *s, const snc_shared_net *nets, int n, const snc_dataset *d, snc_shared_said said, void *user)
{
    int told = 0;
    SNC_TRY(begin(s, nets, n, set_of(s, d)));
    for (double since = snc_now(); told < n;) {
        part mine;
        bool news;
        SNC_TRY(look_around(&news, s));
        for (; told < n && s->left[told] == 0; told++) {
            s->bound = -1;
            SNC_TRY(said(user, told, s->bad[told] ? NULL : s->z[told]));
        }
        const bool works = take(&mine, s);
        if (works) SNC_TRY(work(s, &mine));
        if (works || news) since = snc_now();
        else if (told < n) {
            snc_comm_idle(snc_now() - since);
            SNC_TRY(snc_go_on(s->ctx));
            SNC_TRY(late(s, since));
        }
    }
    s->asked += n;
    return SNC_OK;
}

/* Parts under way are answered all the same, at once. */
static snc_err part_ways(snc_shared_out *s, snc_comm_message *m)
{
    static const char stop = 1;
    static const part none = {.net = -1};
    const int size = s->c->size;
    for (int r = 1; r < size; r++) {
        SNC_TRY(snc_comm_send(&m[r], s->c, r, TAG_STOP, &stop, 1));
        SNC_TRY(snc_comm_send(&m[size + r], s->c, r, TAG_PART, &none, sizeof none));
    }
    for (int i = 0; i < AHEAD * size; i++) {
        slot *l = &s->slot[i];
        if (!l->busy) continue;
        SNC_TRY(snc_comm_wait(&l->sent, s->c, i % size, false));
        SNC_TRY(snc_comm_wait(&l->answer.m, s->c, i % size, false));
    }
    for (int i = 0; i < 2 * size; i++)
        if (i % size) SNC_TRY(snc_comm_wait(&m[i], s->c, i % size, false));
    return SNC_OK;
}

void snc_shared_out_close(snc_shared_out *s)
{
    snc_comm_message *m = NULL;
    if (!s) return;
    if (!s->c->failed && (snc_alloc(&m, 2 * (size_t)s->c->size, sizeof *m) || part_ways(s, m))) s->c->failed = true;
    for (int i = 0; m && i < 2 * s->c->size; i++) snc_comm_drop(&m[i], s->c);
    snc_free(m);
    s->c->busy = false;
    free_all(s);
}

/* ---- the others ------------------------------------------------------------------------------------------------------ */

typedef struct guest {
    snc_ctx ctx;
    snc_comm *c;
    snc_net_opts plan;
    snc_model *m;
    snc_weights *weights;
    snc_net *net;
    int bound, n, sets;
    snc_dataset *d[SNC_SHARED_SETS];
    snc_batches set[SNC_SHARED_SETS];
    float *z; /* of the largest set */
    snc_comm_message next, stop;
    char stopped;
    answer answer[AHEAD]; /* in turns: one is filled while the other is on its way */
} guest;

static snc_err set_up(guest *g)
{
    size_t most = 0;
    const int K = g->m->cfg.classes;
    for (int i = 0; i < g->n; i++) most = snc_dataset_logits(g->d[i], K) > most ? snc_dataset_logits(g->d[i], K) : most;
    SNC_TRY(snc_alloc(&g->z, most, sizeof *g->z));
    SNC_TRY(snc_weights_from_model(&g->weights, &g->ctx, g->m));
    SNC_TRY(snc_net_create(&g->net, &g->ctx, g->weights, NULL, NULL, &g->plan));
    return open_sets(g->set, &g->sets, (const snc_dataset *const *)g->d, g->n, K, g->plan.max_seqs);
}

static snc_err compute(guest *g, const part *p)
{
    snc_err err = g->bound == p->net ? SNC_OK : snc_net_rebind(g->net, &p->is.arch, &p->is.policy);
    g->bound = err ? -1 : p->net;
    for (int b = p->end - 1; b >= p->from && !err; b--) {
        SNC_TRY(snc_comm_look(&g->stop, g->c));
        err = g->stop.done ? snc_err_set(SNC_E_CANCELLED, "given up") : snc_batches_run(g->z, &g->set[p->set], g->net, b);
    }
    return err;
}

static snc_err reply(guest *g, answer *a, const part *p)
{
    verdict v = {.code = SNC_OK};
    int n;
    const snc_batches *b = &g->set[p->set];
    SNC_TRY(snc_comm_wait(&a->m, g->c, 0, false));
    SNC_TRY(make_room(a, b, p));
    memset(a->p, 0, a->bytes);
    v.code = compute(g, p);
    if (g->c->failed) return (snc_err)v.code;
    const int32_t *rows = snc_batches_rows(&n, b, p->from, p->end);
    if (v.code) strncpy(v.text, snc_err_text(), sizeof v.text - 1);
    else snc_batcher_gather(logits_of(a), g->z, b->d, rows, n, b->K);
    memcpy(a->p, &v, sizeof v);
    return snc_comm_send(&a->m, g->c, 0, TAG_ANSWER, a->p, a->bytes);
}

/* The next part is received while one is worked on. */
static snc_err serve(guest *g)
{
    part now, next;
    for (int i = 0; i < AHEAD; i++) g->answer[i].m.done = true;
    SNC_TRY(snc_comm_receive(&g->stop, g->c, 0, TAG_STOP, &g->stopped, 1));
    SNC_TRY(snc_comm_receive(&g->next, g->c, 0, TAG_PART, &next, sizeof next));
    for (int turn = 0;; turn ^= 1) {
        SNC_TRY(snc_comm_wait(&g->next, g->c, 0, true));
        now = next;
        if (now.net < 0) break;
        SNC_TRY(snc_comm_receive(&g->next, g->c, 0, TAG_PART, &next, sizeof next));
        SNC_TRY(reply(g, &g->answer[turn], &now));
    }
    for (int i = 0; i < AHEAD; i++) SNC_TRY(snc_comm_wait(&g->answer[i].m, g->c, 0, false));
    return snc_comm_wait(&g->stop, g->c, 0, false);
}

static void leave(guest *g)
{
    snc_comm_drop(&g->next, g->c);
    snc_comm_drop(&g->stop, g->c);
    for (int i = 0; i < AHEAD; i++) {
        snc_comm_drop(&g->answer[i].m, g->c);
        snc_free(g->answer[i].p);
    }
    for (int i = 0; i < g->sets; i++) snc_batches_close(&g->set[i]);
    for (int i = 0; i < g->n; i++) snc_dataset_free(g->d[i]);
    snc_net_free(g->net);
    snc_weights_free(g->weights);
    snc_model_free(g->m);
    snc_free(g->z);
    snc_free(g);
}

static snc_err take_guest(guest **out, const snc_ctx *ctx, snc_parcel *said)
{
    SNC_TRY(snc_alloc(out, 1, sizeof **out));
    guest *g = *out;
    g->c = ctx->comm;
    g->bound = -1;
    SNC_TRY(snc_duty_take_ctx(&g->ctx, ctx, said));
    SNC_TRY(snc_parcel_take(&g->plan, said, sizeof g->plan));
    return snc_parcel_take(&g->n, said, sizeof g->n);
}

static snc_err attend(const snc_ctx *ctx, snc_parcel *said)
{
    guest *g = NULL;
    snc_comm *c = ctx->comm;
    snc_err err = take_guest(&g, ctx, said);
    if (err) {
        c->failed = true; /* rank 0 goes on sending */
        snc_free(g);
        return err;
    }
    SNC_GOTO(snc_model_share(&g->m, &g->ctx, c));
    for (int i = 0; i < g->n; i++) SNC_GOTO(snc_dataset_share(&g->d[i], NULL, c));
    SNC_GOTO(snc_comm_agree(c, set_up(g)));
    err = serve(g);
    if (err) c->failed = true; /* rank 0 waits for what will not come */
out:
    leave(g);
    return err;
}
const snc_duty snc_duty_evaluate = {"evaluate", attend};
