#include "stage/option.h"

#include <string.h>

#include "stage/common.h"

static const char *field(const snc_options *o, const snc_option *row) { return (const char *)o + row->offset; }

const snc_option *snc_option_row(const char *name)
{
    int n;
    const snc_option *row = snc_option_table(&n);
    while (n-- && strcmp(row->name, name) != 0) row++;
    return row;
}

const char *snc_option_text(const snc_options *o, const snc_option *row)
{
    const char *text;
    memcpy(&text, field(o, row), sizeof text);
    return text;
}

double snc_option_number(const snc_options *o, const snc_option *row)
{
    int64_t seed;
    double real;
    int whole;
    switch (row->kind) {
    case SNC_OPTION_SEED: memcpy(&seed, field(o, row), sizeof seed); return (double)seed;
    case SNC_OPTION_REAL: memcpy(&real, field(o, row), sizeof real); return real;
    default: memcpy(&whole, field(o, row), sizeof whole); return whole;
    }
}

bool snc_option_given(const snc_options *o, const snc_option *row)
{
    if (row->kind == SNC_OPTION_STRING) return snc_option_text(o, row) != NULL;
    return snc_option_number(o, row) != snc_option_number(&snc_options_defaults, row);
}
