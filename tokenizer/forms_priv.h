/* tokenizer/forms_priv.h: decomposition by compatibility: NFKD is this and then NFD (normalize_priv.h), NFKC this and then NFC
 * (compose_priv.h). Unicode 9.0, as the `tokenizers` package. */
#ifndef SNC_TOKENIZER_FORMS_PRIV_H
#define SNC_TOKENIZER_FORMS_PRIV_H

#include "tokenizer/charsmap_priv.h"

/* Appends n bytes of valid UTF-8 with what each compatibility character of them stands for. */
snc_err snc_forms__expand(snc_bytes *out, const unsigned char *text, size_t n) SNC_MUST_USE;

#endif
