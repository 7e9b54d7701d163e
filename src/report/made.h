/* report/made.h: how a report came about, as artifact/provenance.h says it, for people: the command, the options that were given, and
 * what all others came to. */
#ifndef SNC_REPORT_MADE_H
#define SNC_REPORT_MADE_H

#include "base/json.h"
#include "base/textbuf.h"

/* Each a section with its heading; nothing where `made` has no command. */
void snc_made_md(snc_textbuf *t, const cJSON *made);
void snc_made_html(snc_textbuf *t, const cJSON *made);
/* Keys and values of any object. */
void snc_made_html_list(snc_textbuf *t, const cJSON *list);

#endif
