/* Data are mapped to a fixed picture; ticks are round numbers, as many as there is room for. */
#include "report/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* CHAR and LINE: what the largest letters take that the style sheet asks for. */
enum { WIDTH = 520, FIELD = 270, TOP = 32, RIGHT = 34, BOTTOM = 54, CHAR = 11, LINE = 26, BAR = 24, COLUMN = (WIDTH - 24) / 2 };

/* ---- how series look ------------------------------------------------------------------------------------------------ */

static const struct look {
    const char *class, *light, *dark;
    const char *shape; /* of a point, around 0 0; NULL: a line */
    const char *dash;
    double stroke;
} looks[SNC_SERIES] = {
    [SNC_SERIES_ALL] = {"all", "#6b727a", "#6b727a", "M-3 0A3 3 0 1 1 3 0A3 3 0 1 1 -3 0Z", NULL, 0.5},
    [SNC_SERIES_FRONT] = {"front", "#0072b2", "#56b4e9", "M0 -6L6 0L0 6L-6 0Z", NULL, 1},
    [SNC_SERIES_CHOSEN] = {"chosen", "#d55e00", "#e69f00",
                           "M0 -11L2.6 -3.6L10.5 -3.4L4.3 1.4L6.5 8.9L0 4.5L-6.5 8.9L-4.3 1.4L-10.5 -3.4L-2.6 -3.6Z", NULL, 1.5},
    [SNC_SERIES_INT8] = {"int8", "#009e73", "#009e73", "M-7 -7H7V7H-7Z", NULL, 1.5},
    [SNC_SERIES_TEACHER] = {"teacher", "#cc79a7", "#cc79a7", NULL, "8 5", 2},
    [SNC_SERIES_LIMIT] = {"limit", "#000000", "#e6e8ea", NULL, "2 4", 2},
    [SNC_SERIES_FIRST] = {"first", "#0072b2", "#56b4e9", NULL, "none", 2.5},
    [SNC_SERIES_SECOND] = {"second", "#d55e00", "#e69f00", NULL, "9 5", 2.5},
    [SNC_SERIES_THIRD] = {"third", "#009e73", "#009e73", NULL, "2 4", 2.5},
};

static void put_palette(snc_textbuf *t, int dark)
{
    static const char *const ground[][2] = {{"text{fill:", "#565d66|#a9b1b9"},    {".word{fill:", "#1c2026|#e6e8ea"},
                                            {".word{stroke:", "#ffffff|#1b1f25"}, {".mark{stroke:", "#ffffff|#1b1f25"},
                                            {".grid{stroke:", "#e3e4e1|#2f353d"}, {".back{fill:", "#ffffff|#1b1f25"}};
    for (size_t i = 0; i < sizeof ground / sizeof *ground; i++)
        snc_textbuf_put(t, ".plot %s%.7s}", ground[i][0], ground[i][1] + (dark ? 8 : 0));
    for (int i = 0; i < SNC_SERIES; i++) snc_textbuf_put(t, ".plot .%s{color:%s}", looks[i].class, dark ? looks[i].dark : looks[i].light);
}

void snc_plot_style(snc_textbuf *t)
{
    snc_textbuf_put(t,
                    ".plot{display:block;width:100%%;height:auto;font:13px system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu "
                    "Sans\",sans-serif}"
                    ".plot .word{stroke-width:3px;paint-order:stroke;stroke-linejoin:round}"
                    ".plot .mark{fill:currentColor}.plot .mark.all{fill-opacity:.75}.plot .mark:hover{fill-opacity:1;stroke:currentColor}"
                    ".plot .line{fill:none;stroke:currentColor}.plot .bar{fill:currentColor}\n");
    for (int i = 0; i < SNC_SERIES; i++) {
        snc_textbuf_put(t, ".plot .%s{stroke-width:%g", looks[i].class, looks[i].stroke);
        if (looks[i].dash) snc_textbuf_put(t, ";stroke-dasharray:%s", looks[i].dash);
        snc_textbuf_put(t, "}");
    }
    snc_textbuf_put(t, "\n");
    put_palette(t, 0);
    snc_textbuf_put(t, "\n@media screen and (prefers-color-scheme:dark){");
    put_palette(t, 1);
    snc_textbuf_put(t, "}\n@media print,screen and (max-width:620px){.plot{font-size:17px}}\n");
}

void snc_plot_file(snc_textbuf *t, const char *svg, size_t n)
{
    const char *end = memchr(svg, '>', n);
    const size_t head = strlen("<svg");
    snc_textbuf_put(t, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    snc_textbuf_bytes(t, svg + head, (size_t)(end + 1 - svg) - head);
    snc_textbuf_put(t, "\n<style>\n");
    snc_plot_style(t);
    snc_textbuf_put(t, "</style>\n<rect class=\"back\" width=\"100%%\" height=\"100%%\"/>");
    snc_textbuf_bytes(t, end + 1, n - (size_t)(end + 1 - svg));
    snc_textbuf_put(t, "\n");
}

/* ---- axes ----------------------------------------------------------------------------------------------------------- */

static double px(const snc_plot *p, double x) { return p->left + (x - p->x0) / (p->x1 - p->x0) * (WIDTH - p->left - RIGHT); }
static double py(const snc_plot *p, double y) { return p->bottom - (y - p->y0) / (p->y1 - p->y0) * (p->bottom - TOP); }

typedef struct ticks {
    double start, step;
    int n, decimals;
} ticks;

static int decimals(double step)
{
    int d = 0;
    for (; d < 9 && fabs(step - round(step)) > 1e-9 * step; d++) step *= 10;
    return d;
}

/* A step of 1, 2 or 5 times a power of ten, the least of which at most `most` are within low and high. */
static ticks ticks_of(double low, double high, int most)
{
    static const double steps[] = {1, 2, 5, 10};
    const double power = pow(10, floor(log10((high - low) / most)));
    ticks t = {.n = 0};
    for (int i = 0; i < 4; i++) {
        t.step = steps[i] * power;
        t.start = ceil(low / t.step - 1e-9);
        t.n = (int)(floor(high / t.step + 1e-9) - t.start) + 1;
        if (t.n <= most) break;
    }
    t.decimals = decimals(t.step);
    return t;
}

/* A sum of steps would print -0 and 0.30000001. */
static double tick(const ticks *t, int i)
{
    double v = (t->start + i) * t->step;
    return fabs(v) < 1e-9 * t->step ? 0 : v;
}

static int widest(const ticks *t)
{
    char text[64];
    int most = 0;
    for (int end = 0; end < 2 && t->n; end++)
        most = (int)fmax(most, snprintf(text, sizeof text, "%.*f", t->decimals, tick(t, end * (t->n - 1))));
    return most;
}

/* As many as stand beside each other with a letter and a half between them. */
static ticks across(double low, double high, int width)
{
    ticks t = {.n = 0};
    for (int most = 8; most >= 2; most--) {
        t = ticks_of(low, high, most);
        if (t.n < 2 || (widest(&t) + 1.5) * CHAR <= width * t.step / (high - low)) break;
    }
    return t;
}

static void x_ticks(const snc_plot *p, double unit)
{
    const ticks t = across(p->x0 / unit, p->x1 / unit, WIDTH - p->left - RIGHT);
    for (int i = 0; i < t.n; i++) {
        const double at = px(p, tick(&t, i) * unit);
        snc_textbuf_put(p->to, "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>", at, TOP, at, p->bottom);
        snc_textbuf_put(p->to, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.*f</text>\n", at, p->bottom + 19,
                        t.decimals, tick(&t, i));
    }
}

static void y_ticks(const snc_plot *p, const ticks *t, double unit)
{
    for (int i = 0; i < t->n; i++) {
        const double at = py(p, tick(t, i) / unit);
        snc_textbuf_put(p->to, "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>", p->left, at, WIDTH - RIGHT, at);
        snc_textbuf_put(p->to, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.*f</text>\n", p->left - 7, at + 5,
                        t->decimals, tick(t, i));
    }
}

static void pad(double *a, double *b)
{
    double range = *b - *a;
    if (!(range > 0)) range = fabs(*a) > 0 ? fabs(*a) * 0.1 : 1;
    *a -= 0.05 * range;
    *b += 0.05 * range;
}

/* The height is known at the end. */
static const char head[] = "<svg class=\"plot\" viewBox=\"0 0 520 ";
enum { HEIGHT_TEXT = 5 };

static void open_figure(snc_plot *p, const char *title)
{
    snc_textbuf_put(p->to, "<figure><figcaption>%s</figcaption>", title);
    p->from = p->to->n;
    snc_textbuf_put(p->to, "%s%*s\" role=\"img\" aria-label=\"%s\">\n", head, HEIGHT_TEXT, "", title);
}

static void close_figure(snc_plot *p, int height)
{
    char text[16];
    snprintf(text, sizeof text, "%-*d", HEIGHT_TEXT, height);
    if (!p->to->err) memcpy(p->to->p + p->from + sizeof head - 1, text, HEIGHT_TEXT);
    snc_textbuf_put(p->to, "</svg>");
    p->upto = p->to->n;
    snc_textbuf_put(p->to, "</figure>\n");
}

static void x_axis(const snc_plot *p, const char *name)
{
    snc_textbuf_put(p->to, "<text class=\"axis\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", (p->left + WIDTH - RIGHT) / 2,
                    p->bottom + 43, name);
}

void snc_plot_begin(snc_plot *p, const char *title, const char *x_name, double x_unit, const char *y_name, double y_unit)
{
    pad(&p->x0, &p->x1);
    pad(&p->y0, &p->y1);
    const ticks y = ticks_of(p->y0 * y_unit, p->y1 * y_unit, 8);
    p->left = (int)fmax(50, 14 + widest(&y) * CHAR);
    p->bottom = TOP + FIELD;
    open_figure(p, title);
    x_ticks(p, x_unit);
    y_ticks(p, &y, y_unit);
    x_axis(p, x_name);
    snc_textbuf_put(p->to, "<text class=\"axis\" x=\"4\" y=\"17\">%s</text>\n", y_name);
}

/* ---- data ----------------------------------------------------------------------------------------------------------- */

static void put_mark(const snc_plot *p, double x, double y, snc_series series, const char *tip)
{
    snc_textbuf_put(p->to, "<path class=\"mark %s\" transform=\"translate(%.1f %.1f)\" d=\"%s\">", looks[series].class, x, y,
                    looks[series].shape);
    if (tip) {
        snc_textbuf_put(p->to, "<title>");
        snc_textbuf_html(p->to, tip);
        snc_textbuf_put(p->to, "</title>");
    }
    snc_textbuf_put(p->to, "</path>\n");
}

static void put_line(const snc_plot *p, double x0, double y0, double x1, double y1, snc_series series)
{
    snc_textbuf_put(p->to, "<path class=\"line %s\" d=\"M%.1f %.1fL%.1f %.1f\"/>", looks[series].class, x0, y0, x1, y1);
}

static void put_word(const snc_plot *p, double x, double y, const char *anchor, const char *word)
{
    snc_textbuf_put(p->to, "<text class=\"word\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    snc_textbuf_html(p->to, word);
    snc_textbuf_put(p->to, "</text>\n");
}

void snc_plot_point(snc_plot *p, double x, double y, snc_series series, const char *tip)
{
    if (!isfinite(x) || !isfinite(y)) return;
    if (y < p->y0) p->below++;
    else put_mark(p, px(p, x), py(p, y), series, tip);
}

static double held(double v, double low, double high) { return fmin(fmax(v, low), high); }

void snc_plot_line(snc_plot *p, const double *x, const double *y, int n, int steps, snc_series series)
{
    double last = 0;
    if (n < 1) return;
    snc_textbuf_put(p->to, "<path class=\"line %s\" d=\"", looks[series].class);
    for (int i = 0; i < n; i++) {
        double at = px(p, held(x[i], p->x0, p->x1)), up = py(p, held(y[i], p->y0, p->y1));
        if (i && steps) snc_textbuf_put(p->to, "L%.1f %.1f", at, last);
        snc_textbuf_put(p->to, "%c%.1f %.1f", i ? 'L' : 'M', at, up);
        last = up;
    }
    snc_textbuf_put(p->to, "\"/>\n");
}

void snc_plot_level(snc_plot *p, double y, snc_series series, const char *word)
{
    if (!(y >= p->y0 && y <= p->y1)) return;
    const double at = py(p, y);
    put_line(p, p->left, at, WIDTH - RIGHT, at, series);
    put_word(p, p->left + 6, at - TOP > LINE ? at - 6 : at + 18, "start", word);
}

void snc_plot_upright(snc_plot *p, double x, snc_series series, const char *word)
{
    if (!(x >= p->x0 && x <= p->x1)) return;
    const double at = px(p, x);
    const int before = at - p->left > CHAR * (double)(strlen(word) + 1);
    put_line(p, at, TOP, at, p->bottom, series);
    put_word(p, before ? at - 6 : at + 6, p->bottom - 8, before ? "end" : "start", word);
}

void snc_plot_end(snc_plot *p, const snc_legend *legend)
{
    int i = 0;
    for (; legend->text; legend++, i++) {
        const int x = 16 + i % 2 * COLUMN, y = p->bottom + BOTTOM + i / 2 * LINE + LINE / 2;
        if (looks[legend->series].shape) put_mark(p, x + 12, y, legend->series, NULL);
        else put_line(p, x - 6, y, x + 30, y, legend->series);
        snc_textbuf_put(p->to, "<text class=\"key\" x=\"%d\" y=\"%d\">%s</text>\n", x + 38, y + 5, legend->text);
    }
    if (p->below)
        snc_textbuf_put(p->to, "<text class=\"key\" x=\"%d\" y=\"%d\">%d below the picture</text>\n", 16 + 38 + i % 2 * COLUMN,
                        p->bottom + BOTTOM + i / 2 * LINE + LINE / 2 + 5, p->below);
    close_figure(p, p->bottom + BOTTOM + (i + (p->below > 0) + 1) / 2 * LINE);
}

void snc_plot_bars(snc_plot *p, const char *title, const char *x_name, const snc_bar *bar, int n)
{
    int letters = 0;
    p->x0 = p->x1 = 0;
    for (int i = 0; i < n; i++) {
        p->x1 = fmax(p->x1, bar[i].value);
        letters = (int)fmax(letters, (double)strlen(bar[i].name));
    }
    p->x1 = p->x1 > 0 ? 1.02 * p->x1 : 1;
    p->left = 14 + letters * (CHAR - 1);
    p->bottom = TOP / 2 + n * BAR;
    open_figure(p, title);
    const ticks t = across(0, 100 * p->x1, WIDTH - p->left - RIGHT);
    for (int i = 0; i < t.n; i++) {
        const double at = px(p, tick(&t, i) / 100);
        snc_textbuf_put(p->to, "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>", at, TOP / 2, at, p->bottom);
        snc_textbuf_put(p->to, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.*f</text>\n", at, p->bottom + 19,
                        t.decimals, tick(&t, i));
    }
    for (int i = 0; i < n; i++) {
        const int y = TOP / 2 + i * BAR;
        snc_textbuf_put(p->to, "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"end\">", p->left - 7, y + BAR / 2 + 5);
        snc_textbuf_html(p->to, bar[i].name);
        snc_textbuf_put(p->to, "</text><rect class=\"bar first\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>", p->left, y + 4,
                        px(p, bar[i].value) - p->left, BAR - 8);
        snc_textbuf_html(p->to, bar[i].tip);
        snc_textbuf_put(p->to, "</title></rect>\n");
    }
    x_axis(p, x_name);
    close_figure(p, p->bottom + BOTTOM);
}
