/* data/source_priv.h: what file rows came from and how it was read, for people and for reports.
 *
 *   {"file":"reviews.csv","format":"CSV, quotes undone","columns":{"text":"review","label":"stars"},"ignored":["id"],
 *    "rows":2000,"empty":0,"duplicate":3,"invalid_bytes":0,"skipped":0,"warnings":[{"name":"labels-alike","text":"..."}]}
 *
 *   columns        as the file has them, "column 3" where it has no names; "text_pair" for pairs, "label" where there is one
 *   empty          rows whose texts are blank; duplicate: rows whose text an earlier one has. Of the whole file, before any is left out
 *   invalid_bytes  of the whole file, which become U+FFFD
 *   skipped        rows with too few columns
 *   dev            rows of a train file that are dev, which has no file of its own
 *   warnings       second-text-ignored, quoted-texts, labels-alike
 */
#ifndef SNC_DATA_SOURCE_PRIV_H
#define SNC_DATA_SOURCE_PRIV_H

#include "data/labels_priv.h"

/* Of a reader that has read its first row. */
void snc_source__columns(cJSON *source, const snc_reader *r);
/* Of all rows; labels: as the file had them. */
snc_err snc_source__rows(cJSON *source, const snc_task *t, const snc_rows *rows, const snc_labels *labels, bool all_in_quotes) SNC_MUST_USE;

#endif
