/* Nettle's, over a map of the file, in pieces between which the caller may stop it. */
#include "hub/sha256.h"

#include <stdio.h>

#ifdef SNC_WITH_CURL
#include <nettle/sha2.h>

#include "base/fmap.h"

enum { PIECE = 1 << 24 };

snc_err snc_sha256_file(char out[SNC_SHA256_TEXT], const snc_ctx *ctx, const char *path)
{
    snc_err err = SNC_OK;
    snc_fmap *m = NULL;
    struct sha256_ctx state;
    unsigned char sum[SHA256_DIGEST_SIZE];
    SNC_TRY(snc_fmap_open(&m, path));
    sha256_init(&state);
    for (size_t at = 0; at < m->size; at += PIECE) {
        SNC_GOTO(snc_go_on(ctx));
        sha256_update(&state, m->size - at < PIECE ? m->size - at : PIECE, m->data + at);
    }
    sha256_digest(&state, sizeof sum, sum);
    for (size_t i = 0; i < sizeof sum; i++) snprintf(out + 2 * i, 3, "%02x", sum[i]);
out:
    snc_fmap_close(m);
    return err;
}
#else
snc_err snc_sha256_file(char out[SNC_SHA256_TEXT], const snc_ctx *ctx, const char *path)
{
    (void)ctx;
    out[0] = 0;
    return snc_err_set(SNC_E_UNSUPPORTED, "%s: built without libcurl and its checksums", path);
}
#endif
