/* tokenizer/bpe_priv.h: byte-level BPE (GPT-2, RoBERTa, ModernBERT) as a kind of tokenizer.
 *
 *   "vocab"   one piece a line, LF, line number = id; a byte of it is written as a letter, as in vocab.json: space is U+0120
 *   "merges"  of the first to the last: which piece it makes, as the signed LEB128 of its id less the one after the merge before
 *             (zigzag), and how many bytes of that line are its left part, as LEB128
 *   "config"  {"nfc":false,"prefix_space":false,"ignore_merges":false,"unk":"<unk>","fuse_unk":false,"added":[...],"template":{...}}
 *             (intake_priv.h); "unk" only where a byte has no piece of its own
 *
 * A text, by NFC if that is on, is cut at added tokens; a space is put before what does not start with one, if that is on; each stretch is
 * cut into words by GPT-2's pattern
 *
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * and a word's bytes are merged two by two, the earliest merge first and the leftmost of equal ones. A byte without a piece is "unk", or
 * nothing where there is none.
 *
 * Source: Sennrich et al. 2016 (arXiv 1508.07909); Radford et al. 2019, released code; the crate's models/bpe, pre_tokenizers/byte_level.
 */
#ifndef SNC_TOKENIZER_BPE_PRIV_H
#define SNC_TOKENIZER_BPE_PRIV_H

#include "tokenizer/kind.h"
#include "tokenizer/pieces_priv.h"

enum { SNC_BPE_VOCAB, SNC_BPE_MERGES, SNC_BPE_CONFIG }; /* the blobs */

/* ---- the alphabet: printable Latin-1 is itself, the other 68 bytes are U+0100 and up in order ---- */
uint32_t snc_bpe__letter(unsigned byte);
/* Bytes of a piece's text, n of them, room for n; -1: it holds a character that is no byte's. */
int snc_bpe__bytes(unsigned char *out, const char *text, size_t n);

/* ---- the blob of merges ---- */
typedef struct snc_bpe_blob {
    const unsigned char *p, *end;
    int32_t next; /* the id that a difference of 0 means */
} snc_bpe_blob;

typedef struct snc_bpe_step {
    int32_t id;
    uint32_t left; /* bytes of the left part */
} snc_bpe_step;

snc_bpe_blob snc_bpe__blob(const snc_tok_blob *merges);
/* The next merge; *more is false after the last. SNC_E_FORMAT: cut short, or an id out of [0, ids). */
snc_err snc_bpe__next(snc_bpe_step *out, bool *more, snc_bpe_blob *b, int ids) SNC_MUST_USE;
/* Writes one at `to` (room for 10 bytes; NULL: counts) and returns its bytes. */
size_t snc_bpe__put(unsigned char *to, int32_t *next, snc_bpe_step step);

/* ---- the table of merges: pairs of ids, at most half full ---- */
typedef struct snc_bpe_pair {
    int32_t left, right, to;
    int32_t rank; /* -1: free */
} snc_bpe_pair;

typedef struct snc_bpe_table {
    snc_bpe_pair *pair;
    uint32_t mask;
} snc_bpe_table;

/* Of pieces that were all inserted in `w`. SNC_E_FORMAT: a part is no piece. */
snc_err snc_bpe__table(snc_bpe_table *out, const snc_wp *w, const snc_tok_blob *merges) SNC_MUST_USE;
void snc_bpe__add(snc_bpe_table *t, snc_bpe_pair pair); /* of a pair's merges the last holds; the table has room */
const snc_bpe_pair *snc_bpe__find(const snc_bpe_table *t, int32_t left, int32_t right); /* NULL: they are not merged */
void snc_bpe__table_dispose(snc_bpe_table *t);

/* ---- one word: n ids are merged in place; how many are left ---- */
typedef struct snc_bpe_heap {
    struct snc_bpe_entry *entry;
    int32_t *before, *after;
    size_t cap, before_cap, after_cap, n;
} snc_bpe_heap;

int snc_bpe__merge_short(int32_t *ids, int n, const snc_bpe_table *t); /* n <= SNC_BPE_SHORT: by looking at every pair */
snc_err snc_bpe__merge_long(int32_t *ids, size_t *n, const snc_bpe_table *t, snc_bpe_heap *h) SNC_MUST_USE; /* by a heap: n log n */
void snc_bpe__heap_dispose(snc_bpe_heap *h);
enum { SNC_BPE_SHORT = 64 };

/* ---- a folder, trim ---- */
bool snc_bpe__claims(const cJSON *tokenizer);
snc_err snc_bpe__read(snc_tok_assets *out, const snc_tok_folder *f) SNC_MUST_USE;
/* A kept piece keeps what its characters are merged into on the way to it, so that a text whose pieces were all kept is cut as before. */
snc_err snc_bpe__need(bool *keep, int n, const snc_tok_assets *a) SNC_MUST_USE;
size_t snc_bpe__trimmed_bytes(const snc_tok_assets *a, const bool *keep, int n);
snc_err snc_bpe__trim(snc_tok_assets *out, const snc_tok_assets *a, const bool *keep, int n) SNC_MUST_USE;
/* The same of merges over pieces of any alphabet, whose lines end with `last`. */
snc_err snc_bpe__close(bool *keep, int n, const snc_tok_blob *vocab, char last, const snc_tok_blob *merges,
                       const snc_tok_blob *config) SNC_MUST_USE;
size_t snc_bpe__trimmed_merges(const snc_tok_blob *vocab, char last, const snc_tok_blob *merges, const snc_tok_blob *config,
                               const bool *keep, int n);
snc_err snc_bpe__trim_merges(snc_tok_blob *out, const snc_tok_blob *vocab, char last, const snc_tok_blob *merges,
                             const snc_tok_blob *config, const bool *keep, int n) SNC_MUST_USE;

#endif
