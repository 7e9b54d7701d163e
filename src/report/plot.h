/* report/plot.h: one inline SVG of a page: axes with round ticks, points with tooltips, steps and lines.
 *
 * Colours and strokes come from the page's style sheet through class names, so that a plot follows light and dark.
 */
#ifndef SNC_REPORT_PLOT_H
#define SNC_REPORT_PLOT_H

#include "base/textbuf.h"

typedef struct snc_plot {
    snc_textbuf *to;
    double x0, x1, y0, y1; /* the data's range, padded by plot_begin */
    int below;             /* points under y0, not drawn */
} snc_plot;

/* Opens the figure and draws title, grid and ticks; x labels are x / x_unit, y labels are y * y_unit. Ranges of no extent get one. */
void snc_plot_begin(snc_plot *p, const char *title, const char *x_name, double x_unit, const char *y_name, double y_unit);
/* A circle of `radius` pixels. tip: plain text, shown while the pointer rests on it. Points under the range are counted instead. */
void snc_plot_point(snc_plot *p, double x, double y, double radius, const char *style, const char *tip);
/* Through n points in their order; steps: horizontally to the next x, then vertically. */
void snc_plot_line(snc_plot *p, const double *x, const double *y, int n, int steps, const char *style);
/* A line across the picture with a word at its end. */
void snc_plot_level(snc_plot *p, double y, const char *style, const char *word);
void snc_plot_upright(snc_plot *p, double x, const char *style, const char *word);
/* Closes the figure; one legend entry for each pair {style, text} up to NULL. */
void snc_plot_end(snc_plot *p, const char *const (*legend)[2]);

#endif
