/* Hypervolume of loss and latency over the evaluations of searches, from their journals.
 *
 *   search_hypervolume REF_LOSS REF_US journal.sqlite [more.sqlite ...]
 *
 * Share of the rectangle from (0, 0) to (REF_LOSS, REF_US) that the first n evaluations of each journal dominate; then, for
 * every journal, after how many evaluations it has what the first one has at its end.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "search/journal.h"
#include "search/pareto.h"

enum { MARKS = 12 };
static const int mark[MARKS] = {25, 50, 75, 100, 150, 200, 300, 400, 500, 600, 800, 1000};

static void need(snc_err err)
{
    if (err == SNC_OK) return;
    fprintf(stderr, "%s\n", snc_err_text());
    exit(1);
}

static double share(const snc_point *p, int n, const double ref[2])
{
    double v = 0;
    need(snc_hypervolume(&v, p, n, 2, ref));
    return v / (ref[0] * ref[1]);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: search_hypervolume REF_LOSS REF_US journal.sqlite [more.sqlite ...]\n");
        return 2;
    }
    const double ref[2] = {atof(argv[1]), atof(argv[2])};
    double goal = 0;
    printf("| journal |");
    for (int k = 0; k < MARKS; k++) printf(" %d |", mark[k]);
    printf(" all | evaluations | to the first one's end |\n|---|");
    for (int k = 0; k < MARKS + 3; k++) printf("---|");
    printf("\n");
    for (int a = 3; a < argc; a++) {
        snc_journal_file f;
        snc_point *p = NULL;
        int reached = 0;
        need(snc_journal_read(&f, argv[a]));
        need(snc_alloc(&p, (size_t)f.n + 1, sizeof *p));
        for (int i = 0; i < f.n; i++) p[i] = (snc_point){.f = {f.row[i].o.loss, f.row[i].o.latency_us}};
        printf("| %s |", argv[a]);
        for (int k = 0; k < MARKS; k++) {
            if (mark[k] <= f.n) printf(" %.4f |", share(p, mark[k], ref));
            else printf(" |");
        }
        double end = share(p, f.n, ref);
        if (a == 3) goal = end;
        for (int n = 1; n <= f.n && !reached; n++)
            if (share(p, n, ref) >= goal) reached = n;
        printf(" %.4f | %d |", end, f.n);
        if (reached) printf(" %d |\n", reached);
        else printf(" never |\n");
        snc_free(p);
        snc_journal_file_dispose(&f);
    }
    return 0;
}
