/* stage/option.h: what an option has, by its row of the one table (snc_option_table): parsers, stamps, reports and checks read alike. */
#ifndef SNC_STAGE_OPTION_H
#define SNC_STAGE_OPTION_H

#include <stdbool.h>

#include "snc.h"

const snc_option *snc_option_row(const char *name /* of the table */);
const char *snc_option_text(const snc_options *o, const snc_option *row);   /* of a string; NULL: not given */
double      snc_option_number(const snc_options *o, const snc_option *row); /* of every other kind; exact, seeds too: the table keeps them below 2^53 */
/* Not as it is without a word of the user: a string that is there, a number other than the default. */
bool        snc_option_given(const snc_options *o, const snc_option *row);

#endif
