/* hub/sha256.h: the checksum that the hub knows its large files by. */
#ifndef SNC_HUB_SHA256_H
#define SNC_HUB_SHA256_H

#include "base/ctx.h"

enum { SNC_SHA256_TEXT = 65 };

/* In lower-case hexadecimal, of a whole file. SNC_E_UNSUPPORTED: built without libcurl; SNC_E_CANCELLED. */
snc_err snc_sha256_file(char out[SNC_SHA256_TEXT], const snc_ctx *ctx, const char *path) SNC_MUST_USE;

#endif
