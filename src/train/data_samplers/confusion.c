/* Pairs of classes by how much the largest net confuses them: the state C [K, K] is the running mean (a fiftieth of each row that is
 * met) of the probabilities that it gives rows of a class; a pair is drawn with probability 0.8 (C_ab + C_ba) / sum + 0.2 / pairs, over
 * pairs of which both have rows, then a row of the one and a row of the other. A row's class is its label, else what the teacher says;
 * rows with neither are drawn by their share of the data, uniformly. Of two classes it is one pair: as many rows of either. Sampling of
 * hard negatives as metric learning has it, by classes; the field has no one source for it in classification. The tilt is meant: no
 * weights. Off by default. */
#include <math.h>

#include "models/arch.h"
#include "models/cutoff.h"
#include "train/data_sampler.h"

static const float RATE = 0.02f;

static snc_err check(snc_meaning problem)
{
    SNC_CHECK(problem == SNC_MEANS_CLASSES, SNC_E_ARG, "data sampler 'confusion': needs classes of which a row has one");
    return SNC_OK;
}

static size_t floats(int n, int K)
{
    (void)n;
    return (size_t)K * (size_t)K;
}

/* K: it has none. */
static int class_of(const snc_data_view *v, int row)
{
    if (!isnan((double)v->d->target[row])) return (int)v->d->target[row];
    return v->taught ? snc_class_best(v->taught + (int64_t)row * v->K, v->K) : v->K;
}

/* How likely the pair is drawn, but for the sum. */
static double mass(const float *C, int K, const int *start, double sum, double pairs, int a, int b)
{
    if (a == b || start[a] == start[a + 1] || start[b] == start[b + 1]) return 0;
    const double even = 1 / pairs;
    return sum > 0 ? 0.8 * (double)(C[a * K + b] + C[b * K + a]) / sum + 0.2 * even : even;
}

/* start [K + 2]: where the rows of a class begin in `order`, those of none behind the last. */
static void sort_rows(double *order, int *start, const snc_data_view *v)
{
    int at[SNC_MAX_CLASSES + 1];
    for (int k = 0; k < v->K + 2; k++) start[k] = 0;
    for (int i = 0; i < v->d->n; i++) start[class_of(v, i) + 1]++;
    for (int k = 0; k <= v->K; k++) start[k + 1] += start[k];
    for (int k = 0; k <= v->K; k++) at[k] = start[k];
    for (int i = 0; i < v->d->n; i++) order[at[class_of(v, i)]++] = i;
}

/* A pair by its mass: of each class the sum over its partners, then the partner. */
typedef struct pairs {
    const float *C;
    const int *start;
    int K;
    double sum, n, of[SNC_MAX_CLASSES], all;
} pairs;

static void add_up(pairs *p, const float *C, const int *start, int K)
{
    *p = (pairs){.C = C, .start = start, .K = K};
    for (int a = 0; a < K; a++)
        for (int b = 0; b < K; b++) {
            if (a == b || start[a] == start[a + 1] || start[b] == start[b + 1]) continue;
            p->n++;
            p->sum += (double)(C[a * K + b] + C[b * K + a]);
        }
    for (int a = 0; a < K; a++) {
        for (int b = 0; b < K; b++) p->of[a] += mass(C, K, start, p->sum, p->n, a, b);
        p->all += p->of[a];
    }
}

static void draw_pair(int *a, int *b, const pairs *p, snc_rng *rng)
{
    double u = snc_rng_uniform(rng) * p->all;
    for (*a = 0; *a + 1 < p->K && u >= p->of[*a]; ++*a) u -= p->of[*a];
    while (p->of[*a] == 0) --*a; /* what rounding let through */
    u = snc_rng_uniform(rng) * p->of[*a];
    int last = 0;
    for (*b = 0; *b < p->K; ++*b) {
        const double m = mass(p->C, p->K, p->start, p->sum, p->n, *a, *b);
        if (m == 0) continue;
        last = *b;
        if (u < m) return;
        u -= m;
    }
    *b = last;
}

static int32_t one_of(const double *order, const int *start, int k, snc_rng *rng)
{
    return (int32_t)order[start[k] + (int)snc_rng_below(rng, (uint32_t)(start[k + 1] - start[k]))];
}

static void draw(int32_t *rows, float *weight, const float *state, const snc_data_view *v, int n, double done, double *scratch,
                 snc_rng *rng)
{
    int start[SNC_MAX_CLASSES + 2], pair[2] = {0, 0}, turn = 0;
    pairs p;
    (void)done, (void)weight;
    sort_rows(scratch, start, v);
    add_up(&p, state, start, v->K);
    const int without = start[v->K + 1] - start[v->K];
    for (int k = 0; k < n; k++) {
        if (p.n == 0) rows[k] = (int32_t)snc_rng_below(rng, (uint32_t)v->d->n); /* of one class, or none */
        else if ((int)snc_rng_below(rng, (uint32_t)v->d->n) < without) rows[k] = one_of(scratch, start, v->K, rng);
        else {
            if (turn == 0) draw_pair(&pair[0], &pair[1], &p, rng);
            rows[k] = one_of(scratch, start, pair[turn], rng);
            turn = !turn;
        }
    }
}

static void tell(float *state, const snc_data_view *v, const snc_data_told *t)
{
    for (int b = 0; b < t->B; b++) {
        const float *z = t->logits + (int64_t)b * v->K;
        const int y = class_of(v, t->rows[b]);
        double sum = 0, top = (double)z[0];
        if (y == v->K) continue;
        for (int k = 1; k < v->K; k++) top = fmax(top, (double)z[k]);
        for (int k = 0; k < v->K; k++) sum += exp((double)z[k] - top);
        for (int k = 0; k < v->K; k++) {
            float *c = &state[y * v->K + k];
            *c += RATE * ((float)(exp((double)z[k] - top) / sum) - *c);
        }
    }
}

const snc_data_sampler_kind snc_data_sampler_confusion = {
    .name = "confusion", .check = check, .floats = floats, .draw = draw, .tell = tell};
