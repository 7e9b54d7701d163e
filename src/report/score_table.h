/* report/score_table.h: what models score on the rows of a proof, as JSON, Markdown and CSV, and what is said of it in sentences. */
#ifndef SNC_REPORT_SCORE_TABLE_H
#define SNC_REPORT_SCORE_TABLE_H

#include "base/json.h"
#include "base/textbuf.h"
#include "report/proof.h"

/* score, metrics, drop_points, drop_at_most, drop_error, drop_unsaid, the same of drop_to_int8, equal_labels; and "sets", of each its own,
 * where there are several. */
void snc_score_table_json(cJSON *model, const snc_proof *p, snc_proof_index i, const snc_task *task);
/* {"name","rows","sets":[{"name","rows"}]}: which rows the scores are of. */
cJSON *snc_score_table_rows_json(const snc_proof *p);
/* {"points","against":[{"model","at_most","verdict","needs_rows"}]}; NULL: no margin was asked for. */
cJSON *snc_score_table_margin_json(const snc_proof *p, double margin);

/* "0.34 (-0.23 to 1.03)"; "" of a model against itself. */
void snc_score_table_put_drop(snc_textbuf *t, const snc_drop *d, bool itself);
/* A table of every set and of all together; nothing where there is one set. */
void snc_score_table_put_sets(snc_textbuf *t, const snc_proof *p);
/* Lines of a list: what the rows say of the file beside teacher and full-size INT8, and of the margin where one was asked for. */
void snc_score_table_put_said(snc_textbuf *t, const snc_proof *p, double margin);
/* A row a model, and one for each set where there are several. */
void snc_score_table_put_csv(snc_textbuf *t, const snc_proof *p);

#endif
