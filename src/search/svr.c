/* The rows of a precomputed kernel are laid out for LIBSVM once; the trainings of a cross-validation only point at theirs. */
#include "search/svr.h"

#ifdef SNC_WITH_LIBSVM

#include <libsvm/svm.h>
#include <string.h>

#include "base/mem.h"

/* Of the optimality conditions: ten times LIBSVM's own. The fits serve to rank candidates, and are many. */
static const double TOLERANCE = 1e-2;

struct snc_svr {
    int n;
    struct svm_node *node; /* [n, n + 2]: serial number, K of the row, end mark */
};

static void silent(const char *text) { (void)text; }

bool snc_svr_built(void) { return true; }
int snc_svr_version(void) { return libsvm_version; }

snc_err snc_svr_new(snc_svr **out, const double *K, int n)
{
    snc_svr *s = NULL;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    s->n = n;
    size_t wide = (size_t)n + 2;
    snc_err err = snc_alloc(&s->node, (size_t)n * wide, sizeof *s->node);
    if (err) {
        snc_free(s);
        return err;
    }
    for (int i = 0; i < n; i++) {
        struct svm_node *row = s->node + (size_t)i * wide;
        row[0] = (struct svm_node){0, i + 1};
        for (int j = 0; j < n; j++) row[j + 1] = (struct svm_node){j + 1, K[(size_t)i * (size_t)n + (size_t)j]};
        row[n + 1].index = -1;
    }
    *out = s;
    return SNC_OK;
}

void snc_svr_free(snc_svr *s)
{
    if (!s) return;
    snc_free(s->node);
    snc_free(s);
}

snc_err snc_svr_train(double *coef, double *bias, const snc_svr *s, const int *row, int rows, const double *y, double C, double epsilon)
{
    snc_err err = SNC_OK;
    struct svm_problem problem = {.l = rows};
    struct svm_model *model = NULL;
    const struct svm_parameter param = {
        .svm_type = EPSILON_SVR, .kernel_type = PRECOMPUTED, .cache_size = 16, .eps = TOLERANCE, .C = C, .p = epsilon};
    SNC_GOTO(snc_alloc(&problem.x, (size_t)rows, sizeof *problem.x));
    SNC_GOTO(snc_alloc(&problem.y, (size_t)rows, sizeof *problem.y));
    for (int i = 0; i < rows; i++) {
        problem.x[i] = s->node + (size_t)row[i] * ((size_t)s->n + 2);
        problem.y[i] = y[row[i]];
    }
    svm_set_print_string_function(silent);
    const char *wrong = svm_check_parameter(&problem, &param);
    if (wrong) {
        err = snc_err_set(SNC_E_BACKEND, "LIBSVM: %s", wrong);
        goto out;
    }
    model = svm_train(&problem, &param);
    if (!model) {
        err = snc_err_set(SNC_E_BACKEND, "LIBSVM: no model of %d rows", rows);
        goto out;
    }
    memset(coef, 0, (size_t)s->n * sizeof *coef);
    for (int i = 0; i < model->l; i++) coef[row[model->sv_indices[i] - 1]] = model->sv_coef[0][i];
    *bias = -model->rho[0];
out:
    svm_free_and_destroy_model(&model);
    snc_free(problem.x);
    snc_free(problem.y);
    return err;
}

#else

bool snc_svr_built(void) { return false; }
int snc_svr_version(void) { return 0; }

snc_err snc_svr_new(snc_svr **out, const double *K, int n)
{
    (void)K, (void)n;
    *out = NULL;
    return snc_err_set(SNC_E_UNSUPPORTED, "SVR: this build is without LIBSVM");
}

void snc_svr_free(snc_svr *s) { (void)s; }

snc_err snc_svr_train(double *coef, double *bias, const snc_svr *s, const int *row, int rows, const double *y, double C, double epsilon)
{
    (void)coef, (void)bias, (void)s, (void)row, (void)rows, (void)y, (void)C, (void)epsilon;
    return snc_err_set(SNC_E_UNSUPPORTED, "SVR: this build is without LIBSVM");
}

#endif
