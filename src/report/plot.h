/* report/plot.h: one picture of a page, as SVG: axes with round ticks, marks with tooltips, steps, lines and bars, and what they mean.
 *
 *   on the page    <figure><figcaption>title</figcaption><svg class="plot" ...>...</svg></figure>; snc_plot_style in its style sheet
 *   as a file      snc_plot_file of that <svg>: with a style of its own, and nothing from elsewhere
 *
 * Series are told apart by shape or dashes as well as by colour; the colours are those of Okabe and Ito (2008), which people of every
 * colour vision tell apart. Light and dark follow the reader's system; paper is light. Ticks leave room for the size of letters that
 * small screens take.
 */
#ifndef SNC_REPORT_PLOT_H
#define SNC_REPORT_PLOT_H

#include "base/textbuf.h"

typedef enum snc_series {
    SNC_SERIES_ALL,     /* dots */
    SNC_SERIES_FRONT,   /* diamonds */
    SNC_SERIES_CHOSEN,  /* a star */
    SNC_SERIES_INT8,    /* a square */
    SNC_SERIES_TEACHER, /* the others are lines: dashed */
    SNC_SERIES_LIMIT,   /* dotted */
    SNC_SERIES_FIRST,   /* whole, dashed, dotted: one curve beside others */
    SNC_SERIES_SECOND,
    SNC_SERIES_THIRD,
    SNC_SERIES
} snc_series;

typedef struct snc_plot {
    snc_textbuf *to;
    double x0, x1, y0, y1; /* the data's range, padded by plot_begin */
    int below;             /* points under y0, not drawn */
    int left, bottom;      /* of the field inside the axes, in units of the picture; plot_begin sets them */
    size_t from, upto;     /* where <svg> begins and has ended in `to`, once the figure is closed */
} snc_plot;

typedef struct snc_legend {
    snc_series series;
    const char *text; /* NULL: no more */
} snc_legend;

typedef struct snc_bar {
    const char *name, *tip;
    double value;
} snc_bar;

/* Opens the figure and draws title, grid and ticks; x labels are x / x_unit, y labels are y * y_unit. Ranges of no extent get one. */
void snc_plot_begin(snc_plot *p, const char *title, const char *x_name, double x_unit, const char *y_name, double y_unit);
/* tip: plain text, shown while the pointer rests on it. Points under the range are counted instead. */
void snc_plot_point(snc_plot *p, double x, double y, snc_series series, const char *tip);
/* Through n points in their order; steps: horizontally to the next x, then vertically. */
void snc_plot_line(snc_plot *p, const double *x, const double *y, int n, int steps, snc_series series);
/* A line across the picture with a word at its end. */
void snc_plot_level(snc_plot *p, double y, snc_series series, const char *word);
void snc_plot_upright(snc_plot *p, double x, snc_series series, const char *word);
/* Two entries of the legend a row, then how many points are below; closes the figure. */
void snc_plot_end(snc_plot *p, const snc_legend *legend);
/* A whole figure: n >= 1 bars, one below the other, from 0; x labels are value * 100, "%". */
void snc_plot_bars(snc_plot *p, const char *title, const char *x_name, const snc_bar *bar, int n);

/* The rules for <svg class="plot"> in a page's style sheet. */
void snc_plot_style(snc_textbuf *t);
/* An <svg> of n bytes as a file by itself. */
void snc_plot_file(snc_textbuf *t, const char *svg, size_t n);

#endif
