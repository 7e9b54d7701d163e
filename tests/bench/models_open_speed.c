/* What the digest costs when a .snc is opened: models_open_speed FILE.snc ...
 *
 * The same bytes with their digest and without it, turn by turn, from memory that is warm; medians of 31. For comparison the whole
 * way from the file to packed weights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "core/seal.h"
#include "models/runtime.h"

enum { ROUNDS = 31 };

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *v)
{
    qsort(v, ROUNDS, sizeof *v, by_value);
    return v[ROUNDS / 2];
}

static snc_err time_open(double *ms, const void *data, size_t n)
{
    snc_sncfile *f = NULL;
    double t0 = snc_now();
    SNC_TRY(snc_sncfile_open_mem(&f, data, n, "file"));
    *ms = 1e3 * (snc_now() - t0);
    snc_sncfile_close(f);
    return SNC_OK;
}

static snc_err time_weights(double *ms, const char *path)
{
    const snc_ctx ctx = SNC_CTX_INIT;
    snc_weights *w = NULL;
    double t0 = snc_now();
    SNC_TRY(snc_weights_open(&w, &ctx, path));
    snc_err err = snc_weights_prepare(w, NULL, NULL);
    *ms = 1e3 * (snc_now() - t0);
    snc_weights_free(w);
    return err;
}

static snc_err run(const char *path)
{
    char *sealed = NULL, *bare = NULL;
    size_t n = 0, at;
    double with[ROUNDS], without[ROUNDS], all[ROUNDS], digest[ROUNDS];
    snc_err err = SNC_OK;
    SNC_GOTO(snc_file_read(&sealed, &n, path));
    SNC_GOTO(snc_file_read(&bare, &n, path));
    at = snc_seal_find((unsigned char *)bare, n < 4096 ? n : 4096);
    if (!at) SNC_GOTO(snc_err_set(SNC_E_FORMAT, "%s: no digest", path));
    char *key = strstr(bare + 8, "\"" SNC_SEAL_KEY "\"");
    memset(key, ' ', (size_t)(bare + at + SNC_DIGEST_DIGITS + 2 - key)); /* with its closing quote and comma */
    for (int i = 0; i < ROUNDS; i++) {
        SNC_GOTO(time_open(&with[i], sealed, n));
        SNC_GOTO(time_open(&without[i], bare, n));
        double t0 = snc_now();
        volatile uint64_t keep = snc_digest(&(snc_digest_part){sealed, n}, 1);
        (void)keep;
        digest[i] = 1e3 * (snc_now() - t0);
        SNC_GOTO(time_weights(&all[i], path));
    }
    double d = median(digest);
    printf("%-24s %7.1f MB  open with %7.2f ms, without %7.2f ms; digest alone %6.2f ms, %.1f GB/s; file to packed weights %7.1f ms\n",
           path, (double)n * 1e-6, median(with), median(without), d, (double)n * 1e-6 / d, median(all));
out:
    snc_free(sealed);
    snc_free(bare);
    return err;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (run(argv[i]) != SNC_OK) {
            fprintf(stderr, "%s\n", snc_err_text());
            return 1;
        }
    return argc < 2;
}
