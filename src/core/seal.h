/* core/seal.h: a file's digest, kept inside it: any change of any byte shows.
 *
 *   {"__metadata__":{"digest":"xxh3-64:2d06800538d394c2", ...}, ...}     a safetensors header
 *
 * The digits are those of the whole file (length, header and data) with the digits themselves taken as zeros. A program
 * that changes such a file drops the key or seals it anew.
 *
 *     cJSON_AddStringToObject(metadata, SNC_SEAL_KEY, SNC_SEAL_OPEN);     snc_st_save puts the digits in
 *     SNC_TRY(snc_seal_check(&sealed, data, size, path));
 */
#ifndef SNC_CORE_SEAL_H
#define SNC_CORE_SEAL_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/error.h"

#define SNC_SEAL_KEY  "digest"
#define SNC_SEAL_OPEN SNC_DIGEST_KIND "0000000000000000"

/* Where the digits stand in a header [n], or in a file that begins with one; 0: nowhere. */
size_t snc_seal_find(const unsigned char *header, size_t n);
/* Puts the digits in: `digits` points at their place inside one of the parts of the file, where they are overwritten. */
void snc_seal_set(unsigned char *digits, const snc_digest_part *parts, int n);
/* SNC_E_FORMAT: "where: damaged: its digest is X, the file says Y". A file without digits is fine and not sealed. `data` is
 * a safetensors file whose header length has been checked. */
snc_err snc_seal_check(bool *sealed, const unsigned char *data, size_t size, const char *where) SNC_MUST_USE;

#endif
