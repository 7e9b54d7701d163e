/* Settings are chosen by squared error out of fold and fitted to all rows; models become tables, so that a config costs lookups. */
#include "search/predictor.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "search/ridge.h"
#include "search/svr.h"

enum { FOLDS = 5 };
static const double ALPHA[] = {0.03, 0.1, 0.3, 1, 3, 10, 30}; /* LINAS: 0.1 to 10 */
static const double SVR_C[] = {10, 100};                      /* LINAS: 1 to 100; 1 was never the best */
static const double SVR_WIDTH[] = {0.5, 1};                   /* gamma x mean squared distance of the rows */
static const double SVR_EPSILON = 0.05;                       /* in deviations of the target */
enum { ALPHAS = sizeof ALPHA / sizeof ALPHA[0], CS = sizeof SVR_C / sizeof SVR_C[0], WIDTHS = sizeof SVR_WIDTH / sizeof SVR_WIDTH[0] };

struct snc_predictor {
    snc_features f;
    snc_predictor_quality quality;
    bool log;                 /* targets are logarithms inside */
    double centre, scale;     /* and standardised */
    snc_feature_table *table; /* [1 + bootstrap][genes]: the model, then the resampled ones */
    double *bias;             /* [1 + bootstrap] */
    int bootstrap;
    int support;   /* of the SVR; 0: ridge is used */
    uint8_t *code; /* [support][genes] */
    double *coef, svr_bias;
    float *kernel; /* by distance */
};

/* One fit at work. */
typedef struct work {
    const snc_predictor_opts *o;
    snc_rng rng;
    int n, d;
    double *X, *y; /* [n, d], [n] standardised */
    int *fold, *weight, *row;
    double *w;              /* [d] */
    double *oof, *oof_best; /* [n] */
    uint8_t *code;          /* [n, genes] */
    int *distance;          /* [n, n] */
    double mean_distance;
    double *K, *coef;
} work;

static void work_dispose(work *k)
{
    snc_free(k->X);
    snc_free(k->y);
    snc_free(k->fold);
    snc_free(k->weight);
    snc_free(k->row);
    snc_free(k->w);
    snc_free(k->oof);
    snc_free(k->oof_best);
    snc_free(k->code);
    snc_free(k->distance);
    snc_free(k->K);
    snc_free(k->coef);
}

static snc_err work_init(work *k, snc_predictor *p, const snc_cfg *x, const double *y, int n, const snc_predictor_opts *o)
{
    snc_err err = SNC_OK;
    size_t N = (size_t)n;
    *k = (work){.o = o, .n = n, .d = p->f.d};
    snc_rng_init(&k->rng, o->seed, 0x70726564);
    SNC_GOTO(snc_alloc(&k->X, N * (size_t)k->d, sizeof *k->X));
    SNC_GOTO(snc_alloc(&k->y, N, sizeof *k->y));
    SNC_GOTO(snc_alloc(&k->fold, N, sizeof *k->fold));
    SNC_GOTO(snc_alloc(&k->weight, N, sizeof *k->weight));
    SNC_GOTO(snc_alloc(&k->row, N, sizeof *k->row));
    SNC_GOTO(snc_alloc(&k->w, (size_t)k->d, sizeof *k->w));
    SNC_GOTO(snc_alloc(&k->oof, N, sizeof *k->oof));
    SNC_GOTO(snc_alloc(&k->oof_best, N, sizeof *k->oof_best));
    p->log = o->log;
    for (int i = 0; i < n; i++) k->y[i] = p->log ? log(y[i]) : y[i];
    for (int i = 0; i < n; i++) p->centre += k->y[i] / n;
    for (int i = 0; i < n; i++) p->scale += (k->y[i] - p->centre) * (k->y[i] - p->centre) / n;
    p->scale = p->scale > 0 ? sqrt(p->scale) : 1;
    for (int i = 0; i < n; i++) {
        snc_features_encode(k->X + (size_t)i * (size_t)k->d, &p->f, &x[i]);
        k->y[i] = (k->y[i] - p->centre) / p->scale;
        k->row[i] = i;
    }
    snc_rng_shuffle(&k->rng, k->row, N);
    for (int i = 0; i < n; i++) k->fold[k->row[i]] = i % FOLDS;
out:
    if (err) work_dispose(k);
    return err;
}

static double dot(const double *a, const double *b, int n)
{
    double s = 0;
    for (int i = 0; i < n; i++) s += a[i] * b[i];
    return s;
}

static double rmse(const double *a, const double *b, int n)
{
    double s = 0;
    for (int i = 0; i < n; i++) s += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(s / n);
}

/* Picks alpha out of fold; leaves its predictions in oof_best and the error in the quality. */
static snc_err choose_alpha(double *alpha, snc_predictor_quality *q, work *k)
{
    snc_err err = SNC_OK;
    double sse[ALPHAS] = {0}, *all = NULL;
    int folds = k->n < FOLDS ? k->n : FOLDS, best = 0;
    SNC_TRY(snc_alloc(&all, ALPHAS * (size_t)k->n, sizeof *all));
    for (int f = 0; f < folds; f++) {
        snc_ridge *r = NULL;
        for (int i = 0; i < k->n; i++) k->weight[i] = k->fold[i] != f;
        SNC_GOTO(snc_ridge_new(&r, k->X, k->y, k->weight, k->n, k->d));
        for (int a = 0; a < ALPHAS && !err; a++) {
            double bias;
            err = snc_ridge_solve(k->w, &bias, r, ALPHA[a]);
            for (int i = 0; i < k->n && !err; i++) {
                if (k->weight[i]) continue;
                double v = bias + dot(k->w, k->X + (size_t)i * (size_t)k->d, k->d);
                all[(size_t)a * (size_t)k->n + (size_t)i] = v;
                sse[a] += (v - k->y[i]) * (v - k->y[i]);
            }
        }
        snc_ridge_free(r);
        if (err) goto out;
    }
    for (int a = 1; a < ALPHAS; a++)
        if (sse[a] < sse[best]) best = a;
    *alpha = ALPHA[best];
    memcpy(k->oof_best, all + (size_t)best * (size_t)k->n, (size_t)k->n * sizeof *all);
    q->rmse_ridge = rmse(k->oof_best, k->y, k->n);
out:
    snc_free(all);
    return err;
}

/* The model of all rows, and the bootstrap's. */
static snc_err fit_ridge(snc_predictor *p, work *k, double alpha)
{
    p->bootstrap = k->o->bootstrap;
    size_t models = 1 + (size_t)p->bootstrap, genes = (size_t)p->f.genes;
    SNC_TRY(snc_alloc(&p->table, models * genes, sizeof *p->table));
    SNC_TRY(snc_alloc(&p->bias, models, sizeof *p->bias));
    for (size_t m = 0; m < models; m++) {
        snc_ridge *r = NULL;
        for (int i = 0; i < k->n; i++) k->weight[i] = m == 0;
        for (int i = 0; i < k->n && m > 0; i++) k->weight[snc_rng_below(&k->rng, (uint32_t)k->n)]++;
        SNC_TRY(snc_ridge_new(&r, k->X, k->y, k->weight, k->n, k->d));
        snc_err err = snc_ridge_solve(k->w, &p->bias[m], r, alpha);
        snc_ridge_free(r);
        if (err) return err;
        snc_features_table(p->table + m * genes, &p->f, k->w);
    }
    return SNC_OK;
}

static snc_err distances(work *k, const snc_predictor *p, const snc_cfg *x)
{
    size_t n = (size_t)k->n, genes = (size_t)p->f.genes;
    double sum = 0;
    SNC_TRY(snc_alloc(&k->code, n * genes, sizeof *k->code));
    SNC_TRY(snc_alloc(&k->distance, n * n, sizeof *k->distance));
    SNC_TRY(snc_alloc(&k->K, n * n, sizeof *k->K));
    SNC_TRY(snc_alloc(&k->coef, n, sizeof *k->coef));
    for (size_t i = 0; i < n; i++) snc_features_code(k->code + i * genes, &p->f, &x[i]);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            int d = snc_features_distance(&p->f, k->code + i * genes, k->code + j * genes);
            k->distance[i * n + j] = k->distance[j * n + i] = d;
            sum += d;
        }
    k->mean_distance = sum > 0 ? 2 * sum / ((double)k->n * (k->n - 1)) : 1;
    return SNC_OK;
}

static snc_err make_kernel(snc_svr **out, work *k, double width)
{
    size_t nn = (size_t)k->n * (size_t)k->n;
    for (size_t i = 0; i < nn; i++) k->K[i] = exp(-width * k->distance[i] / k->mean_distance);
    return snc_svr_new(out, k->K, k->n);
}

/* Out-of-fold predictions of one setting. */
static snc_err svr_folds(work *k, const snc_svr *s, double C)
{
    for (int f = 0; f < FOLDS; f++) {
        double bias;
        int rows = 0;
        for (int i = 0; i < k->n; i++)
            if (k->fold[i] != f) k->row[rows++] = i;
        SNC_TRY(snc_svr_train(k->coef, &bias, s, k->row, rows, k->y, C, SVR_EPSILON));
        for (int i = 0; i < k->n; i++)
            if (k->fold[i] == f) k->oof[i] = bias + dot(k->coef, k->K + (size_t)i * (size_t)k->n, k->n);
    }
    return SNC_OK;
}

/* The best setting of the grid, or the remembered one; its error in the quality, its predictions in oof_best where they win. */
static snc_err choose_svr(double *C, double *width, snc_predictor_quality *q, work *k, snc_predictor_memory *memory)
{
    bool grid = !memory || memory->rows == 0 || 4 * k->n >= 5 * memory->rows;
    for (int g = 0; g < (grid ? WIDTHS : 1); g++) {
        snc_svr *s = NULL;
        double w = grid ? SVR_WIDTH[g] : memory->width;
        SNC_TRY(make_kernel(&s, k, w));
        for (int c = 0; c < (grid ? CS : 1); c++) {
            double cost = grid ? SVR_C[c] : memory->C;
            snc_err err = svr_folds(k, s, cost);
            if (err) {
                snc_svr_free(s);
                return err;
            }
            double e = rmse(k->oof, k->y, k->n);
            if (!isnan(q->rmse_svr) && e >= q->rmse_svr) continue;
            q->rmse_svr = e;
            *C = cost;
            *width = w;
            if (e < q->rmse_ridge) memcpy(k->oof_best, k->oof, (size_t)k->n * sizeof *k->oof);
        }
        snc_svr_free(s);
    }
    if (memory && grid) *memory = (snc_predictor_memory){k->n, *C, *width};
    return SNC_OK;
}

/* Keeps the support vectors and a table of the kernel by distance. */
static snc_err fit_svr(snc_predictor *p, work *k, double C, double width)
{
    snc_svr *s = NULL;
    size_t genes = (size_t)p->f.genes, far = genes * SNC_FEATURE_UNIT + 1;
    for (int i = 0; i < k->n; i++) k->row[i] = i;
    SNC_TRY(make_kernel(&s, k, width));
    snc_err err = snc_svr_train(k->coef, &p->svr_bias, s, k->row, k->n, k->y, C, SVR_EPSILON);
    snc_svr_free(s);
    if (err) return err;
    SNC_TRY(snc_alloc(&p->code, (size_t)k->n * genes, sizeof *p->code));
    SNC_TRY(snc_alloc(&p->coef, (size_t)k->n, sizeof *p->coef));
    SNC_TRY(snc_alloc(&p->kernel, far, sizeof *p->kernel));
    for (size_t d = 0; d < far; d++) p->kernel[d] = (float)exp(-width * (double)d / k->mean_distance);
    for (int i = 0; i < k->n; i++) {
        if (k->coef[i] == 0) continue;
        memcpy(p->code + (size_t)p->support * genes, k->code + (size_t)i * genes, genes);
        p->coef[p->support++] = k->coef[i];
    }
    return SNC_OK;
}

/* A standardised prediction in the target's units. */
static double in_units(const snc_predictor *p, double v)
{
    v = p->centre + p->scale * v;
    return p->log ? exp(v) : v;
}

static void judge(snc_predictor *p, const work *k)
{
    snc_predictor_quality *q = &p->quality;
    double sum = 0;
    int c = 0;
    for (int i = 0; i < k->n; i++) {
        double y = in_units(p, k->y[i]);
        if (y == 0) continue;
        sum += fabs((in_units(p, k->oof_best[i]) - y) / y);
        c++;
    }
    q->mape = c ? 100 * sum / c : 0;
    q->tau = snc_kendall_tau(k->oof_best, k->y, k->n);
    q->rmse = p->scale * rmse(k->oof_best, k->y, k->n);
    q->rmse_ridge *= p->scale;
    q->rmse_svr *= p->scale;
}

snc_err snc_predictor_fit(snc_predictor **out, const snc_space *s, const snc_cfg *x, const double *y, int n, const snc_predictor_opts *o,
                          snc_predictor_memory *memory)
{
    snc_err err = SNC_OK;
    snc_predictor *p = NULL;
    work k = {0};
    double alpha = 1, C = 0, width = 0;
    SNC_CHECK(n >= 2, SNC_E_ARG, "predictor: %d rows are too few to learn from", n);
    SNC_TRY(snc_alloc(&p, 1, sizeof *p));
    snc_features_init(&p->f, s, o->onehot);
    SNC_GOTO(work_init(&k, p, x, y, n, o));
    p->quality = (snc_predictor_quality){.kind = "ridge", .rmse_svr = NAN};
    SNC_GOTO(choose_alpha(&alpha, &p->quality, &k));
    SNC_GOTO(fit_ridge(p, &k, alpha));
    if (o->svr && snc_svr_built() && n >= o->svr_from && n >= 2 * FOLDS) {
        SNC_GOTO(distances(&k, p, x));
        SNC_GOTO(choose_svr(&C, &width, &p->quality, &k, memory));
        if (p->quality.rmse_svr < p->quality.rmse_ridge) {
            p->quality.kind = "svr";
            SNC_GOTO(fit_svr(p, &k, C, width));
        }
    }
    judge(p, &k);
    *out = p;
    p = NULL;
out:
    work_dispose(&k);
    snc_predictor_free(p);
    return err;
}

void snc_predictor_free(snc_predictor *p)
{
    if (!p) return;
    snc_free(p->table);
    snc_free(p->bias);
    snc_free(p->code);
    snc_free(p->coef);
    snc_free(p->kernel);
    snc_free(p);
}

static double standardised(const snc_predictor *p, const snc_cfg *c)
{
    if (p->support == 0) return p->bias[0] + snc_features_sum(&p->f, p->table, c);
    uint8_t code[SNC_MAX_GENES];
    double v = p->svr_bias;
    snc_features_code(code, &p->f, c);
    for (int i = 0; i < p->support; i++)
        v += p->coef[i] * (double)p->kernel[snc_features_distance(&p->f, code, p->code + (size_t)i * (size_t)p->f.genes)];
    return v;
}

double snc_predictor_value(const snc_predictor *p, const snc_cfg *c) { return in_units(p, standardised(p, c)); }

double snc_predictor_lower(const snc_predictor *p, const snc_cfg *c, double deviations)
{
    return in_units(p, standardised(p, c) - deviations * snc_predictor_spread(p, c) / p->scale);
}

double snc_predictor_spread(const snc_predictor *p, const snc_cfg *c)
{
    double sum = 0, square = 0;
    for (int m = 1; m <= p->bootstrap; m++) {
        double v = p->bias[m] + snc_features_sum(&p->f, p->table + (size_t)m * (size_t)p->f.genes, c);
        sum += v;
        square += v * v;
    }
    if (p->bootstrap < 2) return 0;
    double mean = sum / p->bootstrap, var = square / p->bootstrap - mean * mean;
    return var > 0 ? p->scale * sqrt(var) : 0;
}

void snc_predictor_report(snc_predictor_quality *out, const snc_predictor *p) { *out = p->quality; }
