/* report/speeds_table.h: the times of a file's nets (models/speeds.h) for people. */
#ifndef SNC_REPORT_SPEEDS_TABLE_H
#define SNC_REPORT_SPEEDS_TABLE_H

#include "models/speeds.h"

/* What they are of, the lengths, and a line a net with median and 90th percentile of each. */
void snc_speeds_say(const snc_speeds *s, const snc_host *h);

#endif
