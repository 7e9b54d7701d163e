/* tests/bench/data_rows_speed.c: how fast rows are read: labels found, quotes undone, every row parsed; no tokenizing.
 *
 *     bench_data_rows_speed [ROWS [FILE]]     a CSV of three classes with quotes, doubled quotes and line feeds in every tenth text is
 *                                             written to FILE (./rows.csv) unless it is there, and read five times; prints the fastest
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/rng.h"
#include "data/rows_priv.h"

enum { ROUNDS = 5, LINE = 1024 };

static const char task[] = "{\"name\":\"speed\",\"format\":\"auto\",\"files\":{\"train\":\"train.csv\"},\"text_a\":\"text\",\"label\":"
                           "\"label\",\"labels\":\"auto\","
                           "\"metrics\":[\"accuracy\"]}";

static snc_err make(const char *path, long rows)
{
    static const char *const words[] = {"the", "film",   "was",  "rather", "gripping", "and",
                                        "its", "ending", "dull", "superb", "nobody",   "expected"};
    static const char *const labels[] = {"negative", "neutral", "positive"};
    snc_rng r;
    snc_fout *f;
    snc_rng_init(&r, 1, 1);
    SNC_TRY(snc_fout_open(&f, path));
    snc_err err = snc_fout_write(f, "id,text,label\n", 14);
    for (long i = 0; i < rows && !err; i++) {
        char line[LINE];
        bool quoted = i % 10 == 0;
        size_t n = (size_t)snprintf(line, sizeof line, "%ld,%s", i, quoted ? "\"" : "");
        for (int w = 10 + (int)snc_rng_below(&r, 20); w > 0; w--)
            n += (size_t)snprintf(line + n, sizeof line - n, "%s ", words[snc_rng_below(&r, 12)]);
        n += (size_t)snprintf(line + n, sizeof line - n, "%s,%s\n", quoted ? "\"\"so\"\",\nit ends\"" : "it ends",
                              labels[snc_rng_below(&r, 3)]);
        err = snc_fout_write(f, line, n);
    }
    if (err) snc_fout_abort(f);
    else err = snc_fout_commit(f);
    return err;
}

static snc_err read_once(double *find, double *read, int *rows, const char *path)
{
    snc_task *t;
    snc_rows *r = NULL;
    SNC_TRY(snc_task_parse(&t, task, sizeof task - 1, "task"));
    double t0 = snc_now();
    snc_err err = snc_task_discover(t, path);
    double t1 = snc_now();
    if (!err) err = snc_rows__load(&r, t, path, "train");
    *find = t1 - t0;
    *read = snc_now() - t1;
    *rows = r ? r->n : 0;
    snc_rows__free(r);
    snc_task_close(t);
    return err;
}

int main(int argc, char **argv)
{
    long rows = argc > 1 ? atol(argv[1]) : 1000000;
    const char *path = argc > 2 ? argv[2] : "rows.csv";
    double best = 1e30, find = 0, read = 0;
    int n = 0;
    snc_err err = snc_is_file(path) ? SNC_OK : make(path, rows);
    for (int i = 0; i < ROUNDS && !err; i++) {
        double f, r;
        err = read_once(&f, &r, &n, path);
        if (err || f + r >= best) continue;
        best = f + r;
        find = f;
        read = r;
    }
    if (err) {
        fprintf(stderr, "data_rows_speed: %s\n", snc_err_text());
        return 2;
    }
    printf("%s: %.1f MB, %d rows in %.2f s: labels found in %.2f s, rows read in %.2f s; %.2f million rows/s, %.0f MB of memory at most\n",
           path, snc_file_size(path) / 1e6, n, best, find, read, n / best / 1e6, snc_peak_rss_mb());
    return 0;
}
