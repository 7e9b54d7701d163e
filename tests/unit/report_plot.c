/* Ticks of a picture for ranges of every size, and the picture as a file by itself. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "report/plot.h"

enum { TICKS = 64, LETTER = 11 /* as wide as one of a small screen's is, in units of the picture */ };

typedef struct axis {
    int n, letters;
    double value[TICKS], at[TICKS];
} axis;

/* Those with `anchor`: "middle" along x, "end" along y. */
static axis axis_of(const char *svg, const char *anchor)
{
    axis a = {0};
    for (const char *p = strstr(svg, "<text class=\"tick\""); p; p = strstr(p + 1, "<text class=\"tick\"")) {
        const char *end = strstr(p, "</text>"), *text = strchr(p, '>') + 1, *is = strstr(p, "text-anchor=\"") + 13;
        if (strncmp(is, anchor, strlen(anchor)) != 0) continue;
        const char *at = strstr(p, anchor[0] == 'm' ? " x=\"" : " y=\"") + 4;
        assert_true(a.n < TICKS);
        a.value[a.n] = strtod(text, NULL);
        a.at[a.n++] = strtod(at, NULL);
        if ((int)(end - text) > a.letters) a.letters = (int)(end - text);
    }
    return a;
}

static void are_round(const axis *a)
{
    assert_true(a->n >= 2 && a->n <= 8);
    const double step = a->value[1] - a->value[0], lead = step / pow(10, floor(log10(step) + 1e-4));
    assert_true(fabs(lead - 1) < 1e-3 || fabs(lead - 2) < 1e-3 || fabs(lead - 5) < 1e-3);
    for (int i = 1; i < a->n; i++) assert_true(fabs(a->value[i] - a->value[i - 1] - step) < 1e-3 * step);
}

static void ticks_are_round_and_apart(void **state)
{
    (void)state;
    static const double low[] = {0, -3, 0.017, 99.97, 12345, -1e6}, extent[] = {1e-4, 0.0123, 0.5, 1, 3.7, 42, 999, 1e5, 3e7};
    for (size_t i = 0; i < sizeof low / sizeof *low; i++)
        for (size_t k = 0; k < sizeof extent / sizeof *extent; k++) {
            snc_textbuf t = {0};
            snc_plot p = {.to = &t, .x0 = low[i], .x1 = low[i] + extent[k], .y0 = low[i], .y1 = low[i] + extent[k]};
            snc_plot_begin(&p, "t", "x", 1, "y", 1);
            snc_plot_end(&p, &(snc_legend){SNC_SERIES, NULL});
            const axis x = axis_of(t.p, "middle"), y = axis_of(t.p, "end");
            are_round(&x);
            are_round(&y);
            for (int n = 1; n < x.n; n++) assert_true(x.at[n] - x.at[n - 1] > (x.letters + 0.5) * LETTER || x.n == 2);
            for (int n = 1; n < y.n; n++) assert_true(y.at[n - 1] - y.at[n] > 24);
            assert_true(p.left >= y.letters * LETTER + 7);
            snc_free(t.p);
        }
}

static void a_range_of_no_extent_gets_one(void **state)
{
    (void)state;
    snc_textbuf t = {0};
    snc_plot p = {.to = &t, .x0 = 5, .x1 = 5, .y0 = 0, .y1 = 0};
    snc_plot_begin(&p, "t", "x", 1, "y", 100);
    snc_plot_point(&p, 5, 0, SNC_SERIES_CHOSEN, "<tip>");
    snc_plot_point(&p, 5, -9, SNC_SERIES_ALL, "below");
    snc_plot_point(&p, NAN, 0, SNC_SERIES_ALL, "nowhere");
    snc_plot_end(&p, (const snc_legend[]){{SNC_SERIES_CHOSEN, "chosen"}, {SNC_SERIES, NULL}});
    assert_non_null(strstr(t.p, "<title>&lt;tip&gt;</title>"));
    assert_non_null(strstr(t.p, ">1 below the picture<"));
    assert_null(strstr(t.p, "nan"));
    snc_free(t.p);
}

static void a_file_stands_alone(void **state)
{
    (void)state;
    snc_textbuf t = {0}, file = {0};
    const snc_bar bar[] = {{"layer 0 <ffn>", "tip", 0.5}, {"depth", "tip", 0}};
    snc_plot p = {.to = &t};
    snc_textbuf_put(&t, "before");
    snc_plot_bars(&p, "Bars", "%", bar, 2);
    snc_plot_file(&file, t.p + p.from, p.upto - p.from);
    assert_int_equal(strncmp(file.p, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 520 ", 68), 0);
    assert_non_null(strstr(file.p, "<style>"));
    assert_non_null(strstr(file.p, "prefers-color-scheme:dark"));
    assert_non_null(strstr(file.p, "<rect class=\"back\""));
    assert_non_null(strstr(file.p, "layer 0 &lt;ffn&gt;"));
    assert_string_equal(strstr(file.p, "</svg>"), "</svg>\n");
    assert_null(strstr(file.p, "figure"));
    double height = strtod(strstr(file.p, "0 0 520 ") + 8, NULL);
    assert_true(height > 80 && height < 200);
    snc_free(t.p);
    snc_free(file.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ticks_are_round_and_apart), cmocka_unit_test(a_range_of_no_extent_gets_one),
                                       cmocka_unit_test(a_file_stands_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
