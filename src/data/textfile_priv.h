/* data/textfile_priv.h: a file of rows as bytes of UTF-8: mapped, or inflated where it is gzip's.
 *
 * What is no UTF-8 text is refused by its name, with the command that makes it one: UTF-16, UTF-32, Latin-1, Parquet, a
 * spreadsheet. A file that has valid sequences as well as a few broken ones is text: the tokenizer puts U+FFFD for those.
 */
#ifndef SNC_DATA_TEXTFILE_PRIV_H
#define SNC_DATA_TEXTFILE_PRIV_H

#include <stdint.h>

#include "base/fmap.h"

typedef struct snc_textfile {
    const char *data; /* after a byte order mark; NULL when size = 0 */
    size_t size;
    int64_t broken; /* bytes that belong to no valid sequence */
    snc_fmap *map;  /* one of these holds it */
    char *inflated;
} snc_textfile;

/* SNC_E_UNSUPPORTED: not UTF-8, named; SNC_E_FORMAT: a .gz that ends early or is damaged. */
snc_err snc_textfile__open(snc_textfile *out, const char *path) SNC_MUST_USE;
void snc_textfile__close(snc_textfile *f);

/* For a file that is not there under any of its names: whether one is that nobody reads, such as train.parquet. */
snc_err snc_textfile__refuse_other(const char *dir, const char *stem) SNC_MUST_USE;

#endif
