/* tokenizer/spm_priv.h: a SentencePiece .model: the fields of its protobuf that a tokenizer is made of.
 *
 *   ModelProto      1 pieces (repeated), 2 trainer, 3 normalizer
 *   piece           1 text, 2 score float32, 3 type: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
 *   trainer         3 model: 1 unigram, 2 BPE, 3 word, 4 char; 35 byte fallback; ids and texts: 40, 45 unknown, 41, 46 begin, 42, 47 end
 *   normalizer      2 compiled map of characters, 3 space in front, 4 without extra spaces, 5 spaces as U+2581
 *
 * Messages are two levels deep, whatever a file says, and each field is read once: time and memory grow with the file's size alone.
 */
#ifndef SNC_TOKENIZER_SPM_PRIV_H
#define SNC_TOKENIZER_SPM_PRIV_H

#include <stdbool.h>

#include "base/mem.h"

enum { SNC_SPM_NORMAL = 1, SNC_SPM_UNKNOWN, SNC_SPM_CONTROL, SNC_SPM_USER, SNC_SPM_UNUSED, SNC_SPM_BYTE };
enum { SNC_SPM_UNIGRAM = 1, SNC_SPM_BPE };

typedef struct snc_spm_piece {
    const char *text; /* NUL-ended, valid UTF-8 */
    double score;
    int type;
} snc_spm_piece;

typedef struct snc_spm {
    snc_spm_piece *piece; /* [pieces] */
    size_t pieces, cap;
    int model, unk, bos, eos;                      /* bos and eos below 0: there is none */
    const char *unk_piece, *bos_piece, *eos_piece; /* NUL-ended, valid UTF-8 */
    bool byte_fallback, dummy_prefix, strip_spaces, escape_spaces;
    const unsigned char *map; /* [map_bytes], of the bytes that were read; NULL: none */
    size_t map_bytes;
    snc_arena *arena; /* of texts */
} snc_spm;

/* where names the file in messages; `data` [n] is borrowed. SNC_E_FORMAT. Dispose of it after errors, too. */
snc_err snc_spm__parse(snc_spm *m, const void *data, size_t n, const char *where) SNC_MUST_USE;
void snc_spm__dispose(snc_spm *m);

#endif
