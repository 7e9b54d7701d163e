/* report/html_priv.h: the HTML report as its files share it: what it is made of, and its parts. */
#ifndef SNC_REPORT_HTML_PRIV_H
#define SNC_REPORT_HTML_PRIV_H

#include "base/json.h"
#include "report/plot.h"
#include "search/journal.h"

enum { SNC_HTML_PICTURES = 5 };

typedef struct snc_html_picture {
    const char *name;  /* of report-NAME.svg */
    size_t from, upto; /* in the page */
} snc_html_picture;

typedef struct snc_html_page {
    snc_textbuf d;
    cJSON *front, *report; /* report NULL: a search alone */
    const cJSON *made;     /* command, options: of the report, or of the search alone */
    snc_journal_file journal;
    snc_html_picture picture[SNC_HTML_PICTURES];
    int pictures;
} snc_html_page;

extern const char snc_html__style[];

/* "" where there is no text. */
static inline const char *snc_html__word(const cJSON *j, const char *key)
{
    const char *s = snc_json_text(j, key);
    return s ? s : "";
}

/* Keeps a figure that is closed as a picture of that name. */
void snc_html__picture(snc_html_page *p, const snc_plot *q, const char *name);
/* Score against latency or bytes, with what is on the front and what it is compared with. */
snc_err snc_html__score_plot(snc_html_page *p, bool bytes) SNC_MUST_USE;
/* Of loss and latency, over evaluations by source. */
snc_err snc_html__hypervolume(snc_html_page *p) SNC_MUST_USE;
/* Best loss so far, over evaluations, whatever their source: what the user gets for waiting. */
snc_err snc_html__best_loss(snc_html_page *p) SNC_MUST_USE;
/* Which choices the best evaluations have in common, and what each explains. */
snc_err snc_html__genes(snc_html_page *p) SNC_MUST_USE;
/* Widths and dtypes of each layer as a heat map. */
void snc_html__net(snc_html_page *p);

#endif
