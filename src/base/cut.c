/* Every number of parts by rows meets the numbers of parts by columns that give a thread one to four cells. */
#include "base/cut.h"

#include "base/minmax.h"
#include "base/par.h"

enum { MOST_CELLS = 4 /* of a thread */, PIECES = 8 /* of a cell */, WORTH = 2 /* forks that a piece takes at least */ };

static int up(int a, int b) { return (a + b - 1) / b; }

/* Of the largest cell. */
static double cell_time(const snc_cut_work *w, int row_parts, int col_parts)
{
    int r = up(w->rows, row_parts), c = up(w->cols, col_parts);
    double rows = !w->pairs || r % 2 == 0 ? r : r == 1 ? 1.4 : r + 1; /* a single row of units uses what it loads once */
    return rows * c * w->cell + (col_parts > 1 ? r * w->row : 0) + c * w->col;
}

static double plan_time(const snc_cut_work *w, int row_parts, int col_parts, int threads)
{
    double extra = w->fork + (col_parts > 1 ? w->cols_cut + (row_parts > 1 ? w->both : 0) : 0);
    return extra + up(w->count * row_parts * col_parts, threads) * cell_time(w, row_parts, col_parts);
}

/* Up to PIECES of each cell, along the one side that is cut already or else by rows: a thread that is held up leaves pieces to
 * the others. Never at the price of more work for the busiest. */
static snc_cut finer(const snc_cut_work *w, snc_cut cut, int threads)
{
    const long busiest = snc_cut_busiest(&cut, w, threads);
    const bool by_cols = cut.col_parts > 1 && cut.row_parts == 1;
    for (int k = PIECES; k > 1; k--) {
        snc_cut f = cut;
        if (by_cols) f.col_parts *= k;
        else f.row_parts *= k;
        f.cells = w->count * f.row_parts * f.col_parts;
        int r = w->rows / f.row_parts, c = w->cols / f.col_parts;
        if (f.cells <= PIECES * threads && r * c * w->cell >= WORTH * w->fork && snc_cut_busiest(&f, w, threads) <= busiest) return f;
    }
    return cut;
}

snc_cut snc_cut_plan(const snc_cut_work *w, int threads)
{
    snc_cut best = {1, 1, w->count, false};
    double least = w->count * cell_time(w, 1, 1);
    if (threads <= 1) return best;
    for (int r = 1; r <= snc_min(w->rows, MOST_CELLS * threads); r++)
        for (int turn = 1, before = 0; turn <= MOST_CELLS; turn++) {
            int c = snc_min(w->cols, turn * threads / (w->count * r)), cells = w->count * r * c;
            if (c <= before) continue;
            before = c;
            double time = plan_time(w, r, c, threads);
            if (time > 0.99 * least && (cells >= best.cells || time > least || !best.shared)) continue;
            best = (snc_cut){r, c, cells, true};
            least = time;
        }
    return best.shared ? finer(w, best, threads) : best;
}

snc_cut_cell snc_cut_at(const snc_cut *cut, const snc_cut_work *w, int i)
{
    int each = cut->row_parts * cut->col_parts, r = i % each / cut->col_parts, c = i % cut->col_parts;
    return (snc_cut_cell){.product = i / each,
                          .r0 = (int)((long)w->rows * r / cut->row_parts),
                          .r1 = (int)((long)w->rows * (r + 1) / cut->row_parts),
                          .c0 = (int)((long)w->cols * c / cut->col_parts),
                          .c1 = (int)((long)w->cols * (c + 1) / cut->col_parts)};
}

long snc_cut_busiest(const snc_cut *cut, const snc_cut_work *w, int threads)
{
    long most = 0;
    if (!cut->shared) threads = 1;
    for (int t = 0; t < threads; t++) {
        long sum = 0;
        for (int64_t i = snc_par_share(cut->cells, t, threads); i < snc_par_share(cut->cells, t + 1, threads); i++) {
            snc_cut_cell c = snc_cut_at(cut, w, (int)i);
            sum += (long)(c.r1 - c.r0) * (c.c1 - c.c0);
        }
        if (sum > most) most = sum;
    }
    return most;
}
