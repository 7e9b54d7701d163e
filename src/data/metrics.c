/* Scores of classes come from one count of hits, answers and labels a class; Spearman's is Pearson's of ranks that equal values share. */
#include "data/metrics.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/stats.h"

enum { MAX_CLASSES = 1 << 16 };

static snc_err accuracy(double *out, const float *pred, const float *target, int n)
{
    int equal = 0;
    for (int i = 0; i < n; i++) equal += pred[i] == target[i];
    *out = (double)equal / n;
    return SNC_OK;
}

static snc_err f1(double *out, const float *pred, const float *target, int n)
{
    int64_t hit = 0, positives = 0; /* positives on both sides: 2 tp + fp + fn */
    for (int i = 0; i < n; i++) {
        SNC_CHECK(pred[i] <= 1.0f && target[i] <= 1.0f, SNC_E_ARG, "f1: row %d: expected class 0 or 1", i);
        hit += pred[i] == 1.0f && target[i] == 1.0f;
        positives += (pred[i] == 1.0f) + (target[i] == 1.0f);
    }
    *out = positives ? 2.0 * (double)hit / (double)positives : 0.0;
    return SNC_OK;
}

/* What there is of one class. */
typedef struct tally {
    int64_t hit, said, is; /* rows rightly answered, answered, labelled with it */
} tally;

/* class [*K]: every class up to the largest that occurs; the caller frees it. */
static snc_err count_classes(tally **class, int *K, const float *pred, const float *target, int n)
{
    float last = 0;
    for (int i = 0; i < n; i++) last = fmaxf(last, fmaxf(pred[i], target[i]));
    *K = (int)last + 1;
    SNC_TRY(snc_alloc(class, (size_t)*K, sizeof **class));
    for (int i = 0; i < n; i++) {
        (*class)[(int)pred[i]].said++;
        (*class)[(int)target[i]].is++;
        (*class)[(int)target[i]].hit += pred[i] == target[i];
    }
    return SNC_OK;
}

/* Gorodkin's R_K, which is Matthews' coefficient for two classes: (c s - sum p_k t_k) / sqrt((s^2 - sum p_k^2)(s^2 - sum t_k^2)). */
static double matthews_of(const tally *c, int K, int n)
{
    double s = n, hit = 0.0, pt = 0.0, pp = 0.0, tt = 0.0;
    for (int k = 0; k < K; k++) {
        hit += (double)c[k].hit;
        pt += (double)c[k].said * (double)c[k].is;
        pp += (double)c[k].said * (double)c[k].said;
        tt += (double)c[k].is * (double)c[k].is;
    }
    double var = (s * s - pp) * (s * s - tt);
    return var > 0.0 ? (hit * s - pt) / sqrt(var) : 0.0;
}

/* The mean of each class's F1, over the classes that were answered or are there. */
static double macro_f1_of(const tally *c, int K, int n)
{
    double sum = 0.0;
    int there = 0;
    (void)n;
    for (int k = 0; k < K; k++) {
        if (c[k].said + c[k].is == 0) continue;
        sum += 2.0 * (double)c[k].hit / (double)(c[k].said + c[k].is);
        there++;
    }
    return sum / there;
}

/* The mean of each class's recall, over the classes that are there. */
static double balanced_of(const tally *c, int K, int n)
{
    double sum = 0.0;
    int there = 0;
    (void)n;
    for (int k = 0; k < K; k++) {
        if (c[k].is == 0) continue;
        sum += (double)c[k].hit / (double)c[k].is;
        there++;
    }
    return sum / there;
}

static snc_err of_tallies(double *out, double (*score)(const tally *c, int K, int n), const float *pred, const float *target, int n)
{
    tally *c = NULL;
    int K;
    SNC_TRY(count_classes(&c, &K, pred, target, n));
    *out = score(c, K, n);
    snc_free(c);
    return SNC_OK;
}

static snc_err matthews(double *out, const float *pred, const float *target, int n)
{
    return of_tallies(out, matthews_of, pred, target, n);
}
static snc_err macro_f1(double *out, const float *pred, const float *target, int n)
{
    return of_tallies(out, macro_f1_of, pred, target, n);
}
static snc_err balanced_accuracy(double *out, const float *pred, const float *target, int n)
{
    return of_tallies(out, balanced_of, pred, target, n);
}

static bool constant(const double *v, int n)
{
    for (int i = 1; i < n; i++)
        if (v[i] != v[0]) return false;
    return true;
}

static double correlation(const double *x, const double *y, int n)
{
    if (constant(x, n) || constant(y, n)) return NAN;
    double mx = 0.0, my = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
    for (int i = 0; i < n; i++) {
        mx += x[i];
        my += y[i];
    }
    mx /= n;
    my /= n;
    for (int i = 0; i < n; i++) {
        double dx = x[i] - mx, dy = y[i] - my;
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    return fmax(-1.0, fmin(1.0, xy / (sqrt(xx) * sqrt(yy))));
}

static snc_err correlate(double *out, const float *pred, const float *target, int n, bool ranks)
{
    snc_err err = SNC_OK;
    double *x = NULL, *y = NULL;
    SNC_GOTO(snc_alloc(&x, (size_t)n, sizeof *x));
    SNC_GOTO(snc_alloc(&y, (size_t)n, sizeof *y));
    for (int i = 0; i < n; i++) {
        x[i] = (double)pred[i];
        y[i] = (double)target[i];
    }
    if (ranks) {
        SNC_GOTO(snc_average_ranks(x, x, n));
        SNC_GOTO(snc_average_ranks(y, y, n));
    }
    *out = correlation(x, y, n);
out:
    snc_free(x);
    snc_free(y);
    return err;
}

static snc_err pearson(double *out, const float *pred, const float *target, int n) { return correlate(out, pred, target, n, false); }

static snc_err spearman(double *out, const float *pred, const float *target, int n) { return correlate(out, pred, target, n, true); }

static const struct metric {
    const char *name;
    bool of_classes;
    snc_err (*score)(double *out, const float *pred, const float *target, int n);
} metrics[] = {{"accuracy", true, accuracy}, {"f1", true, f1},
               {"micro_f1", true, accuracy}, /* one answer a row: what is a false positive of one class is missed of another */
               {"macro_f1", true, macro_f1}, {"balanced_accuracy", true, balanced_accuracy},
               {"matthews", true, matthews}, {"pearson", false, pearson},
               {"spearman", false, spearman}};

static const struct metric *find(const char *name)
{
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        if (strcmp(metrics[i].name, name) == 0) return &metrics[i];
    return NULL;
}

bool snc_metric_known(bool *of_classes, const char *name)
{
    const struct metric *m = find(name);
    if (m) *of_classes = m->of_classes;
    return m != NULL;
}

static bool is_class(float v) { return v >= 0.0f && v < (float)MAX_CLASSES && floorf(v) == v; }

snc_err snc_metric(double *out, const char *name, const float *pred, const float *target, int n)
{
    const struct metric *m = find(name);
    SNC_CHECK(m, SNC_E_NOTFOUND, "metric '%s': expected accuracy, f1, micro_f1, macro_f1, balanced_accuracy, matthews, pearson or spearman",
              name);
    SNC_CHECK(n >= 1, SNC_E_ARG, "%s: no rows", name);
    for (int i = 0; i < n; i++) {
        SNC_CHECK(isfinite(target[i]), SNC_E_ARG, "%s: row %d has no label", name, i);
        SNC_CHECK(isfinite(pred[i]), SNC_E_DIVERGED, "%s: the prediction of row %d is not finite", name, i);
        SNC_CHECK(!m->of_classes || (is_class(pred[i]) && is_class(target[i])), SNC_E_ARG, "%s: row %d holds no class index", name, i);
    }
    return m->score(out, pred, target, n);
}

/* ---- sets of labels ------------------------------------------------------------------------------------------------- */

static const char *const of_sets[] = {"accuracy", "micro_f1", "macro_f1"};

bool snc_metric_of_sets(const char *name)
{
    for (size_t i = 0; i < sizeof of_sets / sizeof *of_sets; i++)
        if (strcmp(of_sets[i], name) == 0) return true;
    return false;
}

static double f1_of(const tally *c) { return c->said + c->is ? 2.0 * (double)c->hit / (double)(c->said + c->is) : 0.0; }

static tally count_label(const uint8_t *said, const uint8_t *is, int n, int K, int k)
{
    tally c = {0};
    for (int64_t i = k; i < (int64_t)n * K; i += K) {
        c.said += said[i];
        c.is += is[i];
        c.hit += said[i] && is[i];
    }
    return c;
}

snc_err snc_metric_sets(double *out, const char *name, const uint8_t *said, const uint8_t *is, int n, int K)
{
    SNC_CHECK(snc_metric_of_sets(name), SNC_E_NOTFOUND, "metric '%s': expected accuracy, micro_f1 or macro_f1 for sets of labels", name);
    SNC_CHECK(n >= 1 && K >= 1, SNC_E_ARG, "%s: no rows", name);
    int equal = 0;
    tally all = {0};
    double sum = 0.0;
    for (int i = 0; i < n; i++) equal += memcmp(said + (int64_t)i * K, is + (int64_t)i * K, (size_t)K) == 0;
    for (int k = 0; k < K; k++) {
        tally c = count_label(said, is, n, K, k);
        all = (tally){all.hit + c.hit, all.said + c.said, all.is + c.is};
        sum += f1_of(&c);
    }
    *out = strcmp(name, "accuracy") == 0 ? (double)equal / n : strcmp(name, "micro_f1") == 0 ? f1_of(&all) : sum / K;
    return SNC_OK;
}
