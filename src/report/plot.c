/* Data are mapped to a fixed picture; ticks are round numbers. */
#include "report/plot.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 520, HEIGHT = 330, LEFT = 64, RIGHT = 16, TOP = 14, BOTTOM = 46 };

static double px(const snc_plot *p, double x) { return LEFT + (x - p->x0) / (p->x1 - p->x0) * (WIDTH - LEFT - RIGHT); }
static double py(const snc_plot *p, double y) { return HEIGHT - BOTTOM - (y - p->y0) / (p->y1 - p->y0) * (HEIGHT - TOP - BOTTOM); }

/* 1, 2 or 5 times a power of ten: about five steps over the range. */
static double round_step(double range)
{
    double step = pow(10, floor(log10(range / 5)));
    return range / step > 25 ? 5 * step : range / step > 10 ? 2 * step : step;
}

/* The i-th tick; a sum of steps would print -0 and 0.30000001. */
static double tick(double start, double step, int i)
{
    double v = (ceil(start / step) + i) * step;
    return fabs(v) < 1e-9 * step ? 0 : v;
}

static int decimals(double step)
{
    int d = 0;
    for (; d < 6 && fabs(step - round(step)) > 1e-9 * step; d++) step *= 10;
    return d;
}

static void pad(double *a, double *b)
{
    double range = *b - *a;
    if (!(range > 0)) range = fabs(*a) > 0 ? fabs(*a) * 0.1 : 1;
    *a -= 0.05 * range;
    *b += 0.05 * range;
}

static void x_ticks(const snc_plot *p, double unit)
{
    double step = round_step((p->x1 - p->x0) / unit);
    for (int i = 0; tick(p->x0 / unit, step, i) * unit <= p->x1; i++) {
        double v = tick(p->x0 / unit, step, i), at = px(p, v * unit);
        snc_textbuf_put(p->to, "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>", at, TOP, at, HEIGHT - BOTTOM);
        snc_textbuf_put(p->to, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.*f</text>\n", at, HEIGHT - BOTTOM + 16,
                        decimals(step), v);
    }
}

static void y_ticks(const snc_plot *p, double unit)
{
    double step = round_step((p->y1 - p->y0) * unit);
    for (int i = 0; tick(p->y0 * unit, step, i) / unit <= p->y1; i++) {
        double v = tick(p->y0 * unit, step, i), at = py(p, v / unit);
        snc_textbuf_put(p->to, "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>", LEFT, at, WIDTH - RIGHT, at);
        snc_textbuf_put(p->to, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.*f</text>\n", LEFT - 7, at + 4,
                        decimals(step), v);
    }
}

void snc_plot_begin(snc_plot *p, const char *title, const char *x_name, double x_unit, const char *y_name, double y_unit)
{
    pad(&p->x0, &p->x1);
    pad(&p->y0, &p->y1);
    snc_textbuf_put(p->to, "<figure><figcaption>%s</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", title, WIDTH,
                    HEIGHT, title);
    x_ticks(p, x_unit);
    y_ticks(p, y_unit);
    snc_textbuf_put(p->to, "<text class=\"axis\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>", (LEFT + WIDTH - RIGHT) / 2,
                    HEIGHT - 8, x_name);
    snc_textbuf_put(p->to, "<text class=\"axis\" transform=\"translate(12 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
                    (TOP + HEIGHT - BOTTOM) / 2, y_name);
}

void snc_plot_point(snc_plot *p, double x, double y, double radius, const char *style, const char *tip)
{
    if (!isfinite(x) || !isfinite(y)) return;
    if (y < p->y0) {
        p->below++;
        return;
    }
    snc_textbuf_put(p->to, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>", style, px(p, x), py(p, y), radius);
    snc_textbuf_html(p->to, tip);
    snc_textbuf_put(p->to, "</title></circle>\n");
}

static double held(double v, double low, double high) { return fmin(fmax(v, low), high); }

void snc_plot_line(snc_plot *p, const double *x, const double *y, int n, int steps, const char *style)
{
    double last = 0;
    if (n < 1) return;
    snc_textbuf_put(p->to, "<path class=\"%s\" d=\"", style);
    for (int i = 0; i < n; i++) {
        double at = px(p, held(x[i], p->x0, p->x1)), up = py(p, held(y[i], p->y0, p->y1));
        if (i && steps) snc_textbuf_put(p->to, "L%.1f %.1f", at, last);
        snc_textbuf_put(p->to, "%c%.1f %.1f", i ? 'L' : 'M', at, up);
        last = up;
    }
    snc_textbuf_put(p->to, "\"/>\n");
}

void snc_plot_level(snc_plot *p, double y, const char *style, const char *word)
{
    if (!(y >= p->y0 && y <= p->y1)) return;
    double at = py(p, y);
    snc_textbuf_put(p->to, "<line class=\"%s\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>", style, LEFT, at, WIDTH - RIGHT, at);
    snc_textbuf_put(p->to, "<text class=\"word\" x=\"%d\" y=\"%.1f\">", LEFT + 6, at - 5);
    snc_textbuf_html(p->to, word);
    snc_textbuf_put(p->to, "</text>\n");
}

void snc_plot_upright(snc_plot *p, double x, const char *style, const char *word)
{
    if (!(x >= p->x0 && x <= p->x1)) return;
    double at = px(p, x);
    snc_textbuf_put(p->to, "<line class=\"%s\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>", style, at, TOP, at, HEIGHT - BOTTOM);
    snc_textbuf_put(p->to, "<text class=\"word\" x=\"%.1f\" y=\"%d\" text-anchor=\"end\">", at - 5, HEIGHT - BOTTOM - 7);
    snc_textbuf_html(p->to, word);
    snc_textbuf_put(p->to, "</text>\n");
}

void snc_plot_end(snc_plot *p, const char *const (*legend)[2])
{
    snc_textbuf_put(p->to, "</svg><p class=\"legend\">");
    for (; (*legend)[0]; legend++) snc_textbuf_put(p->to, "<span><i class=\"%s\"></i>%s</span> ", (*legend)[0], (*legend)[1]);
    if (p->below) snc_textbuf_put(p->to, "<span>%d below the picture</span>", p->below);
    snc_textbuf_put(p->to, "</p></figure>\n");
}
