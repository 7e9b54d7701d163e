/* report/html_priv.h: the HTML report as its files share it: what it is made of, and its parts. */
#ifndef SNC_REPORT_HTML_PRIV_H
#define SNC_REPORT_HTML_PRIV_H

#include "base/json.h"
#include "base/textbuf.h"
#include "search/journal.h"

typedef struct snc_html_page {
    snc_textbuf d;
    cJSON *front, *report; /* report NULL: a search alone */
    snc_journal_file journal;
} snc_html_page;

extern const char snc_html__style[];

/* "" where there is no text. */
static inline const char *snc_html__word(const cJSON *j, const char *key)
{
    const char *s = snc_json_text(j, key);
    return s ? s : "";
}

/* Score against latency or bytes, with what is on the front and what it is compared with. */
snc_err snc_html__score_plot(snc_html_page *p, bool bytes) SNC_MUST_USE;
/* Of loss and latency, over evaluations by source. */
snc_err snc_html__hypervolume(snc_html_page *p) SNC_MUST_USE;
/* Best loss so far, over evaluations, whatever their source: what the user gets for waiting. */
snc_err snc_html__best_loss(snc_html_page *p) SNC_MUST_USE;
/* Widths and dtypes of each layer as a heat map. */
void snc_html__net(snc_html_page *p);

#endif
