/* Measuring the table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "base/stats.h"
#include "models/latency_priv.h"

enum {
    STANDINS = 5,    /* batches that stand for a workload */
    PASSES = 3,      /* over the whole space; a cell is the median of its passes, so a disturbed minute leaves no trace */
    REPEATS = 41,    /* at most, of one net in one pass */
    CALIBRATION = 6, /* whole nets that fit the constant and the factor */
    HOT = 8          /* and what small ones save */
};

/* One array of the table while it is measured. */
typedef struct cells {
    double *v; /* [n], the table's own */
    size_t n;
    double *sum; /* [PASSES][n] of the medians that fell on a cell */
    int *visits; /* [PASSES][n], how many they are */
} cells;

enum { EMBED = SNC_PARTS, HEAD, ARRAYS };

typedef struct build {
    const snc_ctx *ctx;
    snc_weights *w;
    snc_latency *t;
    snc_net *net;
    snc_tokens batch[STANDINS];
    int batches, repeats;
    float *logits;
    cells cells[ARRAYS];
    int pass, nets; /* nets: timed so far */
} build;

/* What a table may be asked for: every option of any layer. The linears' dtypes include the pooler's. */
typedef struct options {
    snc_latency__axis hidden, heads, ffn;
    snc_dtype linear[LATENCY_DTYPES], embed[LATENCY_DTYPES];
    int n_linear, n_embed;
} options;

/* Adds widths to an ascending list that has each once. Of a half that is skipped there is nothing to time. */
static snc_err add_widths(snc_latency__axis *a, const snc_gene *g, int most, const char *what)
{
    for (int i = 0; i < g->n; i++) {
        int v = g->value[i], at = a->n;
        if (v == 0 && (g->kind == SNC_GENE_HEADS || g->kind == SNC_GENE_FFN)) continue;
        SNC_CHECK(v >= 1 && v <= most, SNC_E_SHAPE, "latency table: %s %d, expected 1 to %d", what, v, most);
        while (at > 0 && a->v[at - 1] > v) at--;
        if (at > 0 && a->v[at - 1] == v) continue;
        SNC_CHECK(a->n < SNC_MAX_OPTIONS, SNC_E_ARG, "latency table: more than %d options of %s", SNC_MAX_OPTIONS, what);
        memmove(&a->v[at + 1], &a->v[at], (size_t)(a->n++ - at) * sizeof a->v[0]);
        a->v[at] = v;
    }
    return SNC_OK;
}

static void add_dtypes(snc_dtype *list, int *n, const snc_gene *g)
{
    for (int i = 0; i < g->n; i++) {
        bool there = false;
        for (int k = 0; k < *n; k++) there = there || list[k] == (snc_dtype)g->value[i];
        if (!there && *n < LATENCY_DTYPES) list[(*n)++] = (snc_dtype)g->value[i];
    }
}

static snc_err options_of(options *o, const snc_space *s, const snc_arch *full)
{
    int heads = full->heads[0], ffn = full->ffn[0];
    for (int l = 1; l < full->layers; l++) { /* every option is tried in every layer */
        heads = full->heads[l] < heads ? full->heads[l] : heads;
        ffn = full->ffn[l] < ffn ? full->ffn[l] : ffn;
    }
    *o = (options){.linear = {SNC_I8}, .embed = {SNC_I8}, .n_linear = 1, .n_embed = 1};
    SNC_TRY(add_widths(&o->hidden, &s->gene[1], full->hidden, "hidden size"));
    for (int l = 0; l < s->layers; l++) {
        const snc_gene *g = &s->gene[snc_space_layer(s, l)];
        SNC_TRY(add_widths(&o->heads, &g[0], heads, "heads"));
        SNC_TRY(add_widths(&o->ffn, &g[1], ffn, "FFN width"));
        for (int k = 2; k < s->layer_genes; k++) add_dtypes(o->linear, &o->n_linear, &g[k]);
    }
    add_dtypes(o->linear, &o->n_linear, &s->gene[s->genes - 3]);
    add_dtypes(o->embed, &o->n_embed, &s->gene[s->genes - 1]);
    SNC_CHECK(o->hidden.n && o->heads.n && o->ffn.n, SNC_E_ARG,
              "latency table: a space without options of hidden size, heads or FFN width");
    return SNC_OK;
}

/* Every `stride`-th width, both ends included. */
static void make_axis(snc_latency__axis *a, const snc_latency__axis *all, int stride)
{
    a->n = 0;
    for (int i = 0; i < all->n; i++)
        if (i % stride == 0 || i == all->n - 1) a->v[a->n++] = all->v[i];
}

typedef struct sized {
    int tokens, at;
} sized;

static int by_tokens(const void *a, const void *b)
{
    const sized *x = a, *y = b;
    return x->tokens != y->tokens ? (x->tokens > y->tokens) - (x->tokens < y->tokens) : (x->at > y->at) - (x->at < y->at);
}

/* Up to STANDINS batches around the percentile of the batches' tokens; one where all have the same size. */
static snc_err choose_batches(build *b, const snc_tokens *batches, int count, double percentile)
{
    sized *s = NULL;
    SNC_TRY(snc_alloc(&s, (size_t)count, sizeof *s));
    for (int i = 0; i < count; i++) s[i] = (sized){batches[i].T, i};
    qsort(s, (size_t)count, sizeof *s, by_tokens);
    int middle = (int)(percentile * (count - 1) + 0.5), reach = count / 20;
    for (int i = -2; i <= 2; i++) {
        int k = middle + i * (reach > 0 ? reach / 2 : 0);
        k = k < 0 ? 0 : k >= count ? count - 1 : k;
        if (b->batches == 0 || batches[s[k].at].T != b->batch[b->batches - 1].T) b->batch[b->batches++] = batches[s[k].at];
    }
    snc_free(s);
    return SNC_OK;
}

/* ---- one net ---- */

static double median(double *v, int n)
{
    snc_sort(v, n);
    return snc_quantile(v, n, 0.5);
}

/* All stand-ins once; times are means over them. */
static snc_err pass(snc_net_times *times, build *b)
{
    snc_net_profile(b->net, true);
    for (int i = 0; i < b->batches; i++) SNC_TRY(snc_net_run(b->logits, b->net, &b->batch[i]));
    snc_net_times_get(times, b->net);
    return SNC_OK;
}

static void note(build *b, int array, size_t at, double us)
{
    cells *c = &b->cells[array];
    at += (size_t)b->pass * c->n;
    c->sum[at] += us;
    c->visits[at]++;
}

static void settle(build *b)
{
    for (int q = 0; q < ARRAYS; q++)
        for (size_t i = 0; i < b->cells[q].n; i++) {
            const cells *c = &b->cells[q];
            double v[PASSES];
            if (c->visits[i] == 0) continue; /* no inner layer in a net of one */
            for (size_t p = 0; p < PASSES; p++) v[p] = c->sum[p * c->n + i] / c->visits[p * c->n + i];
            c->v[i] = median(v, PASSES);
        }
}

/* The indices of layer l's widths in round r: the last layer goes through all of them, the others follow behind. */
static int pick(const snc_latency__axis *a, int r, int l, int layers) { return (r + layers - 1 - l) % a->n; }

static snc_err measure_net(build *b, int d, int h, int r)
{
    snc_latency *t = b->t;
    snc_arch a = *snc_weights_arch(b->w);
    int e = r % t->n_embed;
    snc_policy p = snc_policy_uniform(t->linear[d], t->embed[e]);
    static const double micro = 1e6;
    double v[REPEATS];
    snc_net_times *times = NULL;
    p.classifier = SNC_F32;
    a.hidden = t->hidden.v[h];
    for (int l = 0; l < a.layers; l++) {
        a.heads[l] = t->heads.v[pick(&t->heads, r, l, a.layers)];
        a.ffn[l] = t->ffn.v[pick(&t->ffn, r, l, a.layers)];
    }
    SNC_TRY(snc_net_rebind(b->net, &a, &p));
    SNC_TRY(snc_alloc(&times, REPEATS, sizeof *times));
    snc_err err = pass(&times[0], b);
    for (int i = 0; i < b->repeats && !err; i++) err = pass(&times[i], b);
    snc_net_profile(b->net, false);
    if (!err)
        for (int l = 0; l < a.layers; l++)
            for (int q = 0; q < SNC_PARTS; q++) {
                size_t c = snc_latency__cell(t, q, d, h, pick(snc_latency__axis_of(t, q), r, l, a.layers), l == a.layers - 1);
                for (int i = 0; i < b->repeats; i++) v[i] = times[i].layer[l][q] * micro / b->batches;
                note(b, q, c, median(v, b->repeats));
            }
    if (!err) {
        int at = e * t->hidden.n + h;
        for (int i = 0; i < b->repeats; i++) v[i] = times[i].embed * micro / b->batches;
        note(b, EMBED, (size_t)at, median(v, b->repeats));
        at = d * t->hidden.n + h;
        for (int i = 0; i < b->repeats; i++) v[i] = times[i].head * micro / b->batches;
        note(b, HEAD, (size_t)at, median(v, b->repeats));
    }
    snc_free(times);
    return err;
}

static int rounds_of(const snc_latency *t) { return snc_max(snc_max(t->heads.n, t->ffn.n), t->n_embed); }

static void show(build *b)
{
    const snc_latency *t = b->t;
    snc_progress(b->ctx, "latency table", b->nets++, PASSES * t->n_linear * t->hidden.n * rounds_of(t) + CALIBRATION + HOT, "%s", "");
}

static snc_err measure_all(build *b)
{
    snc_latency *t = b->t;
    for (b->pass = 0; b->pass < PASSES; b->pass++)
        for (int d = 0; d < t->n_linear; d++)
            for (int h = 0; h < t->hidden.n; h++)
                for (int r = 0; r < rounds_of(t); r++) {
                    show(b);
                    SNC_TRY(measure_net(b, d, h, r));
                }
    settle(b);
    return SNC_OK;
}

/* ---- constant and factor ---- */

static snc_err wall(double *us, build *b)
{
    double v[REPEATS];
    for (int i = -1; i < b->repeats; i++) {
        double start = snc_now();
        for (int k = 0; k < b->batches; k++) SNC_TRY(snc_net_run(b->logits, b->net, &b->batch[k]));
        if (i >= 0) v[i] = (snc_now() - start) * 1e6 / b->batches;
    }
    *us = median(v, b->repeats);
    return SNC_OK;
}

/* A net whose widths stand at `share` of their axes, give or take, predicted and timed without the inner clock. */
static snc_err try_net(double *predicted, double *us, double *mb, build *b, double share, bool mixed)
{
    const snc_latency *t = b->t;
    snc_arch a = *snc_weights_arch(b->w);
    snc_policy p = snc_policy_uniform(t->linear[0], t->embed[0]);
    p.classifier = SNC_F32;
    show(b);
    a.hidden = t->hidden.v[(int)(share * (t->hidden.n - 1) + 0.5)];
    for (int l = 0; l < a.layers; l++) {
        a.heads[l] = t->heads.v[(int)(share * (t->heads.n - 1) + 0.5)];
        a.ffn[l] = t->ffn.v[(int)(share * (t->ffn.n - 1) + 0.5)];
        for (int site = 0; site < SNC_SITES && mixed; site++)
            p.linear[l][site] = (uint8_t)t->linear[(l + (site <= SNC_SITE_V ? 0 : site)) % t->n_linear];
    }
    SNC_TRY(snc_net_rebind(b->net, &a, &p));
    SNC_TRY(wall(us, b));
    *predicted = snc_latency_predict(t, &a, &p);
    *mb = snc_latency__weight_mb(t, &a, &p);
    return SNC_OK;
}

/* Least squares of wall time over predicted sum for nets in the upper half of the widths; half of them mix dtypes,
 * which the cells' own nets do not. The factor stays near 1; where the points say otherwise, as
 * on a busy machine, their median ratio is taken.
 */
static snc_err calibrate(build *b)
{
    snc_latency *t = b->t;
    double x[CALIBRATION], y[CALIBRATION], ratio[CALIBRATION], mb, mx = 0, my = 0, xx = 0, xy = 0, least = 1e300;
    t->fixed = 0;
    t->factor = 1;
    for (int i = 0; i < CALIBRATION; i++) {
        SNC_TRY(try_net(&x[i], &y[i], &mb, b, 0.5 + 0.5 * i / (CALIBRATION - 1), i % 2));
        ratio[i] = y[i] / x[i];
        least = fmin(least, y[i]);
        mx += x[i] / CALIBRATION;
        my += y[i] / CALIBRATION;
    }
    for (int i = 0; i < CALIBRATION; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        xy += (x[i] - mx) * (y[i] - my);
    }
    double factor = xx > 0 ? xy / xx : 1, fixed = my - factor * mx;
    if (factor > 0.9 && factor < 1.1 && fabs(fixed) < 0.1 * least) {
        t->factor = factor;
        t->fixed = fixed;
    } else {
        t->factor = median(ratio, CALIBRATION);
    }
    return SNC_OK;
}

/* A small net stays in the second-level cache from one run to the next and beats its cells, which were timed in nets
 * that do not. The saving is a hinge: nothing above hot_mb of weights, hot_us for each MB below; the best of a few
 * hinges by squares. Long batches hide the streaming of weights, so they are spared the trouble. */
static snc_err fit_hot(build *b)
{
    enum { NETS = HOT, WORTH_US = 3000 };
    snc_latency *t = b->t;
    double saved[NETS], mb[NETS], best = 0;
    for (int i = 0; i < NETS; i++) {
        double predicted, us;
        SNC_TRY(try_net(&predicted, &us, &mb[i], b, 0.5 * i / (NETS - 1), false));
        if (i == 0 && us > WORTH_US) return SNC_OK;
        saved[i] = predicted - us;
    }
    for (int k = 1; k < 4 * NETS; k++) {
        double cut = mb[NETS - 1] * k / (4 * NETS), xx = 0, xy = 0;
        for (int i = 0; i < NETS; i++) {
            double x = cut > mb[i] ? cut - mb[i] : 0;
            xx += x * x;
            xy += x * saved[i];
        }
        if (xx <= 0 || xy <= 0 || xy * xy / xx <= best) continue; /* what the hinge takes off the sum of squares */
        best = xy * xy / xx;
        t->hot_mb = cut;
        t->hot_us = xy / xx;
    }
    return SNC_OK;
}

/* ---- all of it ---- */

/* Coarser axes until the grid fits in the time, then as many repeats as fit. */
static snc_err fit_budget(build *b, const options *s, double seconds)
{
    snc_latency *t = b->t;
    snc_arch a = *snc_weights_arch(b->w);
    double cost = 0, us;
    for (int d = 0; d < s->n_linear; d++) { /* the full net of each dtype; a net of the grid costs about 0.7 of it */
        snc_policy p = snc_policy_uniform(s->linear[d], s->embed[0]);
        SNC_TRY(snc_net_rebind(b->net, &a, &p));
        b->repeats = 3;
        SNC_TRY(wall(&us, b));
        cost += 0.7e-6 * us * b->batches;
    }
    for (int stride = 1, coarse = 1;; stride++) {
        make_axis(&t->heads, &s->heads, stride);
        make_axis(&t->ffn, &s->ffn, stride);
        make_axis(&t->hidden, &s->hidden, coarse);
        double nets = (double)t->hidden.n * rounds_of(t), one = cost * nets * PASSES;
        b->repeats = (int)(seconds / one) - 1;
        if (b->repeats >= 3 || rounds_of(t) <= 3) break;
        if (stride % 2 == 0) coarse++;
    }
    b->repeats = b->repeats < 3 ? 3 : b->repeats > REPEATS ? REPEATS : b->repeats;
    return SNC_OK;
}

static snc_err alloc_cells(build *b)
{
    snc_latency *t = b->t;
    for (int p = 0; p < SNC_PARTS; p++) b->cells[p] = (cells){.v = t->part[p], .n = snc_latency__cells(t, p)};
    b->cells[EMBED] = (cells){.v = t->embedding, .n = (size_t)t->n_embed * (size_t)t->hidden.n};
    b->cells[HEAD] = (cells){.v = t->head, .n = (size_t)t->n_linear * (size_t)t->hidden.n};
    for (int q = 0; q < ARRAYS; q++) {
        SNC_TRY(snc_alloc(&b->cells[q].sum, PASSES * b->cells[q].n, sizeof(double)));
        SNC_TRY(snc_alloc(&b->cells[q].visits, PASSES * b->cells[q].n, sizeof(int)));
    }
    return SNC_OK;
}

snc_err snc_latency_build(snc_latency **out, const snc_ctx *ctx, snc_weights *w, const snc_space *s, const snc_tokens *batches, int count,
                          const snc_latency_opts *o)
{
    snc_err err = SNC_OK;
    build b = {.ctx = ctx, .w = w};
    snc_net_opts no = {.max_tokens = 1, .max_seqs = 1, .max_len = 1};
    options all;
    SNC_TRY(options_of(&all, s, snc_weights_arch(w)));
    SNC_CHECK(count >= 1 && o->percentile > 0 && o->percentile < 1, SNC_E_ARG,
              "latency table: expected batches and a percentile in (0, 1)");
    SNC_GOTO(snc_alloc(&b.t, 1, sizeof *b.t));
    SNC_GOTO(choose_batches(&b, batches, count, o->percentile));
    for (int i = 0; i < b.batches; i++) {
        const snc_tokens *x = &b.batch[i];
        no.max_tokens = snc_max(no.max_tokens, x->T);
        no.max_seqs = snc_max(no.max_seqs, x->B);
        for (int k = 0; k < x->B; k++) no.max_len = snc_max(no.max_len, x->offsets[k + 1] - x->offsets[k]);
    }
    memcpy(b.t->linear, all.linear, sizeof all.linear);
    memcpy(b.t->embed, all.embed, sizeof all.embed);
    b.t->n_linear = all.n_linear;
    b.t->head_width = snc_weights_config(w)->head_width;
    b.t->n_embed = all.n_embed;
    snc_latency__host(b.t->host, ctx, NULL);
    const int answers = snc_weights_config(w)->tags ? no.max_tokens : no.max_seqs;
    SNC_GOTO(snc_alloc(&b.logits, (size_t)answers * (size_t)snc_weights_config(w)->classes, sizeof *b.logits));
    snc_policy first = snc_policy_uniform(all.linear[0], all.embed[0]);
    SNC_GOTO(snc_net_create(&b.net, ctx, w, NULL, &first, &no));
    SNC_GOTO(fit_budget(&b, &all, o->seconds));
    SNC_GOTO(snc_latency__alloc(b.t));
    SNC_GOTO(alloc_cells(&b));
    SNC_GOTO(measure_all(&b));
    SNC_GOTO(calibrate(&b));
    SNC_GOTO(fit_hot(&b));
    snc_progress(ctx, "latency table", 1, 1, "%s", "");
    *out = b.t;
    b.t = NULL;
out:
    for (int q = 0; q < ARRAYS; q++) {
        snc_free(b.cells[q].sum);
        snc_free(b.cells[q].visits);
    }
    snc_free(b.logits);
    snc_net_free(b.net);
    snc_latency_free(b.t);
    return err;
}
