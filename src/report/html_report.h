/* report/html_report.h: report.html, one file without scripts, fonts or images from elsewhere: what the search found, for the eye.
 *
 * Made of artifacts alone: dir/front.json, the journal, and the proof's report.json where there is one. Plots of score against
 * latency and size with every evaluation, the chosen net layer by layer, hypervolume over evaluations (by source, so that a
 * journal with random evaluations compares itself), predictor quality by round when the search left notes of it, what the search keeps
 * and what each choice explains (gene_shares.h), the table of the proof, the front, the command and its options, the host. Each picture
 * is a file beside it too: report-latency.svg, -size, -loss, -hypervolume and -importance, those that there are numbers for.
 */
#ifndef SNC_REPORT_HTML_REPORT_H
#define SNC_REPORT_HTML_REPORT_H

#include "base/json.h"

/* report NULL: a search alone, which came about as `made` says (artifact/provenance.h; NULL: nothing is said). SNC_E_IO, SNC_E_FORMAT: an
 * artifact is missing or lacks a field. */
snc_err snc_html_report_write(const char *dir, const char *journal, const char *report, const cJSON *made) SNC_MUST_USE;

#endif
