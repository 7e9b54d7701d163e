/* tokenizer/compose_priv.h: Unicode's NFC as the `tokenizers` crate has it: canonical decomposition (normalize_priv.h), then each
 * character joins the last starter where Unicode has one for the pair and nothing of its class or above stands between.
 *
 * Text below U+0300 is NFC as it is.
 */
#ifndef SNC_TOKENIZER_COMPOSE_PRIV_H
#define SNC_TOKENIZER_COMPOSE_PRIV_H

#include "tokenizer/normalize_priv.h"

/* `decompose` is set to decompose alone. The text in *out ends with SNC_NORM_PAD readable bytes. */
snc_err snc_compose__run(snc_norm_buf *out, const snc_norm *decompose, const unsigned char *s, size_t n) SNC_MUST_USE;

#endif
