/* base/cut.h: how products are shared out between threads.
 *
 * A product of rows x cols units is cut both ways into a grid of cells of nearly equal size; `count` products of one shape may lie
 * beside each other. A thread takes a run of neighbouring cells, the one that snc_par_for(ctx, cells, 1, ...) gives it. The cut
 * decides who computes an element, never how, so it changes no bits.
 */
#ifndef SNC_BASE_CUT_H
#define SNC_BASE_CUT_H

#include <stdbool.h>

/* All times in one unit, about. */
typedef struct snc_cut_work {
    int rows, cols, count; /* units; products beside each other */
    bool pairs;            /* two rows of units cost little more than one */
    double cell;           /* time of one unit by one unit */
    double row, col;       /* to fetch what one row and one column of units need; rows that nobody else takes are at hand */
    double cols_cut, both; /* what a cut of the columns costs besides, and one both ways */
    double fork;           /* what sharing costs */
} snc_cut_work;

typedef struct snc_cut {
    int row_parts, col_parts, cells; /* cells = count * row_parts * col_parts, a product's cells together, its rows outermost */
    bool shared;                     /* false: one thread takes all */
} snc_cut;

/* The cut whose busiest thread is done first; the fewest cells among those about as good, each in pieces where they are long enough for
 * others to help with (par.h). */
snc_cut snc_cut_plan(const snc_cut_work *w, int threads);

/* Cell i: its product and its rows [r0, r1) and columns [c0, c1) of units. */
typedef struct snc_cut_cell {
    int product, r0, r1, c0, c1;
} snc_cut_cell;
snc_cut_cell snc_cut_at(const snc_cut *cut, const snc_cut_work *w, int i);

/* Units by units that the busiest of `threads` computes. */
long snc_cut_busiest(const snc_cut *cut, const snc_cut_work *w, int threads);

#endif
