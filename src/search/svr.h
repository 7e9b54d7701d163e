/* search/svr.h: epsilon-SVR with a given kernel matrix, by LIBSVM where it was built in. */
#ifndef SNC_SEARCH_SVR_H
#define SNC_SEARCH_SVR_H

#include <stdbool.h>

#include "base/error.h"

bool snc_svr_built(void);
int snc_svr_version(void); /* LIBSVM's; 0 without */

/* Rows of K in LIBSVM's form, shared by every training on a part of them. */
typedef struct snc_svr snc_svr;

/* K [n, n], copied. SNC_E_UNSUPPORTED without LIBSVM. */
snc_err snc_svr_new(snc_svr **out, const double *K, int n) SNC_MUST_USE;
void snc_svr_free(snc_svr *s);
/* Trains on rows row[0 ... rows-1] with targets y[row[i]]: f(z) = sum_i coef[i] K(z, i) + *bias. coef [n], 0 off the rows. */
snc_err snc_svr_train(double *coef, double *bias, const snc_svr *s, const int *row, int rows, const double *y, double C,
                      double epsilon) SNC_MUST_USE;

#endif
