/* artifact/option.h: what an option has, by its row of the one table (snc_option_table): parsers, stamps, reports and checks read alike. */
#ifndef SNC_ARTIFACT_OPTION_H
#define SNC_ARTIFACT_OPTION_H

#include <stdbool.h>

#include "base/error.h"

extern const snc_options snc_options_defaults; /* what snc_options_init gives */

/* The row of that name for one of the verbs; NULL: none of them takes it. */
const snc_option *snc_option_row(const char *name, unsigned verbs);
const char *snc_option_text(const snc_options *o, const snc_option *row); /* of a string; NULL: not given, and no default */
double snc_option_number(const snc_options *o,
                         const snc_option *row); /* of every other kind; exact, seeds too: the table keeps them below 2^53 */
void snc_option_set_text(snc_options *o, const snc_option *row, const char *text /* borrowed */);
void snc_option_set_number(snc_options *o, const snc_option *row, double v);
/* Not as it is without a word of the user: a value other than the default, one that a parser marked, or one of the user's recipe. */
bool snc_option_given(const snc_options *o, const snc_option *row);
/* Whether its text may be a file's name: it is none of named values alone. */
bool snc_option_may_name_file(const snc_option *row);
bool snc_option_marked(const snc_options *o, const snc_option *row);     /* the second of the two */
void snc_option_mark(snc_options *o, const snc_option *row, bool given); /* by the option itself, from now on */
/* Its value is what a recipe says, or an effort: asked for where that is the user's own. */
void snc_option_mark_recipe(snc_options *o, const snc_option *row, bool asked);
bool snc_option_by_recipe(const snc_options *o, const snc_option *row);
/* SNC_E_ARG: "finetune: --task is missing". */
snc_err snc_option_need(const char *verb, const char *option, const void *value) SNC_MUST_USE;
/* The text of an option whose row says in `otherwise` which one stands for none. */
const char *snc_option_list(const snc_options *o, const char *name, unsigned verbs);
/* Strings that are NULL and have a default get it. */
void snc_option_fill(snc_options *o);
/* Every struct of them. */
snc_err snc_options_check(const snc_options *o) SNC_MUST_USE;

#endif
