/* What the search keeps, in the HTML report: layer by layer, what each choice explains, and every option. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/gene_shares.h"
#include "report/html_priv.h"

enum { BARS = 12 };

/* Of a net that is as wide as it can be. */
static double widest(const snc_gene_share *g) { return g->kind == SNC_GENE_DTYPE ? 1 : g->option[g->n - 1].value; }

static void put_cell(snc_html_page *p, double best, double all)
{
    if (!isfinite(all)) {
        snc_textbuf_put(&p->d, "<td class=\"gone\">-</td>");
        return;
    }
    snc_textbuf_put(&p->d, "<td style=\"background:rgba(0,114,178,%.2f)\">", isfinite(best) ? 0.05 + 0.4 * best * best : 0);
    if (isfinite(best)) snc_textbuf_put(&p->d, "<b>%.0f%%</b>", 100 * best);
    else snc_textbuf_put(&p->d, "<b>-</b>");
    snc_textbuf_put(&p->d, " <small>%.0f%%</small></td>", 100 * all);
}

static const snc_gene_share *layer_gene(const snc_gene_shares *s, int layer, int at)
{
    for (int g = 0; g < s->n; g++)
        if (s->gene[g].layer == layer && s->gene[g].kind != SNC_GENE_LAYER && at-- == 0) return &s->gene[g];
    return NULL;
}

static void put_layers(snc_html_page *p, const snc_gene_shares *s)
{
    const snc_gene_share *g;
    snc_textbuf_put(&p->d, "<div class=\"scroll\"><table class=\"heat\"><tr><th></th><th>kept</th>");
    for (int k = 0; (g = layer_gene(s, 0, k)); k++) snc_textbuf_put(&p->d, "<th>%s</th>", g->column);
    snc_textbuf_put(&p->d, "</tr>\n");
    for (int l = 0; l < s->layers; l++) {
        snc_textbuf_put(&p->d, "<tr><th>layer %d</th>", l);
        put_cell(p, (double)s->kept_best[l] / s->best, (double)s->kept_all[l] / s->all);
        for (int k = 0; (g = layer_gene(s, l, k)); k++)
            put_cell(p, snc_gene_share_mean(g, true) / widest(g), snc_gene_share_mean(g, false) / widest(g));
        snc_textbuf_put(&p->d, "</tr>\n");
    }
    snc_textbuf_put(&p->d, "</table></div>\n");
}

/* Genes of the net as a whole, or those of its layers; what has one option is no choice. */
static void put_options(snc_html_page *p, const snc_gene_shares *s, bool layers)
{
    snc_textbuf_put(&p->d, "<div class=\"scroll\"><table><tr><th>choice</th><th>option</th><th>of the best</th><th>of all</th>"
                           "<th>explains</th></tr>\n");
    for (int i = 0; i < s->n; i++) {
        const snc_gene_share *g = &s->gene[i];
        if ((g->layer >= 0) != layers || g->n < 2 || !g->all) continue;
        int first = -1; /* what it explains is said once */
        for (int o = 0; o < g->n; o++) {
            const snc_gene_option *x = &g->option[o];
            if (!x->all) continue;
            if (first < 0) first = o;
            snc_textbuf_put(&p->d, "<tr><td>%s</td><td>%s</td><td>", g->name, x->name);
            if (g->best) snc_textbuf_put(&p->d, "%.0f%%", 100.0 * x->best / g->best);
            snc_textbuf_put(&p->d, "</td><td>%.0f%%</td><td>", 100.0 * x->all / g->all);
            if (o == first && isfinite(g->explained)) snc_textbuf_put(&p->d, "%.1f%%", 100 * g->explained);
            snc_textbuf_put(&p->d, "</td></tr>\n");
        }
    }
    snc_textbuf_put(&p->d, "</table></div>\n");
}

static void put_bars(snc_html_page *p, const snc_gene_shares *s)
{
    int place[BARS];
    char tip[BARS][96];
    snc_bar bar[BARS];
    snc_plot q = {.to = &p->d};
    int n = snc_gene_shares_order(place, BARS, s);
    while (n > 1 && s->gene[place[n - 1]].explained <= 0) n--;
    for (int i = 0; i < n; i++) {
        const snc_gene_share *g = &s->gene[place[i]];
        snprintf(tip[i], sizeof tip[i], "%s: %.1f %%, of %d evaluations", g->name, 100 * g->explained, g->all);
        bar[i] = (snc_bar){g->name, tip[i], g->explained};
    }
    snc_textbuf_put(&p->d, "<div class=\"plots\">\n");
    if (n) {
        snc_plot_bars(&q, "What explains the loss", "share of the variance of the loss's ranks, %", bar, n);
        snc_html__picture(p, &q, "importance");
    } else
        snc_textbuf_put(&p->d, "<p>No choice has two options with %d evaluations each: what they explain cannot be told.</p>\n",
                        SNC_GENES_OPTION);
    put_options(p, s, false);
    snc_textbuf_put(&p->d, "</div>\n");
}

static void put_how(snc_html_page *p, const snc_gene_shares *s)
{
    const bool limited = s->within >= SNC_GENES_WITHIN;
    snc_textbuf_put(&p->d,
                    "<p class=\"soft\">Of %d evaluations %d are within the limits. Large: the %d with the lowest loss of %s; small: all. "
                    "Widths are means, in percent of the widest; of a matrix it is how often it is INT8 or INT4. A choice counts in the "
                    "nets in which it says something: those of a layer that is left out do not.</p>\n",
                    s->all, s->within, s->best, limited ? "these" : "all");
}

snc_err snc_html__genes(snc_html_page *p)
{
    snc_gene_shares s;
    SNC_TRY(snc_gene_shares_make(&s, &p->journal, snc_json_at(p->front, "depth_layers"), snc_json_at(p->front, "limits")));
    if (s.n == 0) return SNC_OK;
    snc_textbuf_put(&p->d, "<h2>What the search keeps</h2>\n");
    if (s.all < SNC_GENES_NEEDED) {
        snc_textbuf_put(&p->d, "<p>%d evaluations are too few to tell: %d are needed.</p>\n", s.all, SNC_GENES_NEEDED);
        snc_gene_shares_dispose(&s);
        return SNC_OK;
    }
    put_how(p, &s);
    put_layers(p, &s);
    put_bars(p, &s);
    snc_textbuf_put(&p->d,
                    "<p class=\"soft\">How much of the variance of the loss's ranks lies between the options of one choice rather than "
                    "within them: epsilon squared (Kelley 1935) of ranks (Kruskal and Wallis 1952), one choice at a time the simplest form "
                    "of the functional ANOVA of Hutter, Hoos and Leyton-Brown (2014). A search asks for what it takes to be good, so this "
                    "describes its evaluations and is no experiment; choices that go together share what they explain.</p>\n"
                    "<details><summary>Every choice of the layers</summary>");
    put_options(p, &s, true);
    snc_textbuf_put(&p->d, "</details>\n");
    snc_gene_shares_dispose(&s);
    return SNC_OK;
}
