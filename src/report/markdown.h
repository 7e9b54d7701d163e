/* report/markdown.h: any text as GitHub's Markdown wants it, so that a page renders as it was meant, without HTML. */
#ifndef SNC_REPORT_MARKDOWN_H
#define SNC_REPORT_MARKDOWN_H

#include "base/json.h"
#include "base/textbuf.h"

/* Text of one line, in a cell of a table too: what would be markup is escaped, line ends become blanks. */
void snc_md_text(snc_textbuf *t, const char *text);
/* The same as code, in a cell too. */
void snc_md_code(snc_textbuf *t, const char *text);
/* A block of code; info: its language. The fence is longer than any in the text. */
void snc_md_block(snc_textbuf *t, const char *info, const char *text);
/* A table of two columns: keys and values, those that are objects or lists as JSON. Nothing where the object is empty. */
void snc_md_pairs(snc_textbuf *t, const char *key, const char *value, const cJSON *object);

#endif
