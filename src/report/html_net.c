/* The chosen net in the HTML report: a heat map of its layers. */
#include <string.h>

#include "models/spec.h"
#include "report/html_priv.h"

static void heat_width(snc_html_page *p, double v, double full, const char *what)
{
    double share = full > 0 ? v / full : 0;
    snc_textbuf_put(&p->d, "<td style=\"background:rgba(0,114,178,%.2f)\" title=\"%.0f of %.0f %s\">%.0f</td>", 0.08 + 0.62 * share * share,
                    v, full, what, v);
}

static void heat_dtype(snc_html_page *p, const char *name)
{
    static const struct {
        const char *name, *colour;
    } colours[] = {{"int4", "204,121,167"}, {"int8", "0,158,115"}, {"bf16", "230,159,0"}, {"f32", "213,94,0"}};
    const char *c = "128,128,128";
    for (int i = 0; i < 4; i++)
        if (strcmp(name, colours[i].name) == 0) c = colours[i].colour;
    snc_textbuf_put(&p->d, "<td style=\"background:rgba(%s,.30)\">", c);
    snc_textbuf_html(&p->d, name);
    snc_textbuf_put(&p->d, "</td>");
}

/* Q, K and V stand apart as soon as one layer has them so. */
static int site_columns(const char *names[SNC_SITES], const cJSON *policy)
{
    const cJSON *layer;
    bool apart = false;
    int n = 0;
    cJSON_ArrayForEach(layer, snc_json_at(policy, "layers")) apart = apart || snc_json_at(layer, snc_spec_key(SNC_SITE_Q));
    if (!apart) names[n++] = SNC_POLICY_TIED;
    for (int s = apart ? SNC_SITE_Q : SNC_SITE_O; s < SNC_SITES; s++) names[n++] = snc_spec_key(s);
    return n;
}

static void heat_layer(snc_html_page *p, int source, const cJSON *full, const cJSON *layer, const cJSON *dtypes, const char *const *sites,
                       int n)
{
    snc_textbuf_put(&p->d, "<tr><th>layer %d</th>", source);
    if (!layer) snc_textbuf_put(&p->d, "<td class=\"gone\" colspan=\"%d\">left out</td>", 2 + n);
    else {
        heat_width(p, snc_json_number(layer, "heads"), snc_json_number(full, "heads"), "heads");
        heat_width(p, snc_json_number(layer, "ffn"), snc_json_number(full, "ffn"), "neurons");
        for (int i = 0; i < n; i++) /* the FFN's two matrices come last */
            if (snc_json_number(layer, i < n - 2 ? "heads" : "ffn") == 0) snc_textbuf_put(&p->d, "<td class=\"gone\">skipped</td>");
            else heat_dtype(p, snc_json_at(dtypes, sites[i]) ? snc_html__word(dtypes, sites[i]) : snc_html__word(dtypes, SNC_POLICY_TIED));
    }
    snc_textbuf_put(&p->d, "</tr>\n");
}

/* The entry of the kept layer that came from `source`, and which one it is; NULL: it was left out. */
static const cJSON *kept_layer(int *at, const cJSON *arch, int source)
{
    const cJSON *it;
    *at = 0;
    cJSON_ArrayForEach(it, snc_json_at(arch, "layers"))
    {
        if ((int)snc_json_number(it, "source") == source) return it;
        ++*at;
    }
    return NULL;
}

void snc_html__net(snc_html_page *p)
{
    const cJSON *c = snc_json_at(p->report, "config") ? snc_json_at(p->report, "config") : snc_json_at(p->front, "chosen");
    const cJSON *arch = snc_json_at(c, "arch"), *policy = snc_json_at(c, "policy"), *full = snc_json_at(p->front, "full"), *wide;
    const char *sites[SNC_SITES];
    int n = site_columns(sites, policy), source = 0, at;
    snc_textbuf_put(&p->d, "<h2>The chosen net</h2><p>Hidden %.0f of %.0f; %d of %d layers; embeddings %s, pooler %s, classifier %s.</p>\n",
                    snc_json_number(arch, "hidden"), snc_json_number(full, "hidden"), cJSON_GetArraySize(snc_json_at(arch, "layers")),
                    cJSON_GetArraySize(snc_json_at(full, "layers")), snc_html__word(policy, "embed"), snc_html__word(policy, "pooler"),
                    snc_html__word(policy, "classifier"));
    snc_textbuf_put(&p->d, "<div class=\"scroll\"><table class=\"heat\"><tr><th></th><th>heads</th><th>FFN</th>");
    for (int i = 0; i < n; i++) snc_textbuf_put(&p->d, "<th>%s</th>", sites[i]);
    snc_textbuf_put(&p->d, "</tr>\n");
    cJSON_ArrayForEach(wide, snc_json_at(full, "layers"))
    {
        const cJSON *layer = kept_layer(&at, arch, source);
        heat_layer(p, source++, wide, layer, cJSON_GetArrayItem(snc_json_at(policy, "layers"), at), sites, n);
    }
    snc_textbuf_put(&p->d, "</table></div>\n");
    if (p->report) {
        snc_textbuf_put(&p->d, "<p class=\"soft\">Repair ");
        snc_textbuf_html(&p->d, snc_html__word(p->report, "repair"));
        snc_textbuf_put(&p->d, ".</p>\n");
    }
}
