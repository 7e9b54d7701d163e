/* tokenizer/lattice_priv.h: pieces with scores in a trie, and the best way through a text: SentencePiece's unigram model.
 *
 *   cell  [cells]   a double array: the child of a node by byte c is cell `base ^ c`, if its label is c. Bases are not shared, so a
 *                   label alone tells whose child a cell is. A cell holds the id and score of the piece that ends there.
 *
 * Best is the greatest sum of scores (Viterbi); of equal sums the way that was found first, from the left. A character that is no piece
 * costs the unknown score, and neighbouring unknowns are one id. Sums are doubles in the order of the text, so that ties fall
 * as in the `tokenizers` crate, models/unigram (encode_optimized, fuse_unk).
 */
#ifndef SNC_TOKENIZER_LATTICE_PRIV_H
#define SNC_TOKENIZER_LATTICE_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Longer pieces would make a text of n bytes cost n times as much. More cells than MAX_CELLS are 256 MB. */
enum { SNC_LATTICE_PIECE = 4096, SNC_LATTICE_CELLS = 1 << 24 };

typedef struct snc_lattice_cell {
    uint32_t link; /* base << 8 | label */
    int32_t id;    /* -1: no piece ends here */
    double score;
} snc_lattice_cell;

typedef struct snc_lattice {
    snc_lattice_cell *cell;
    uint32_t cells;
    int32_t unk;
    double unk_score;
    bool byte_fallback;   /* an unknown's bytes instead of it, where all of them are pieces */
    int32_t byte_id[256]; /* -1: no piece */
} snc_lattice;

typedef struct snc_lattice_piece {
    const unsigned char *text;
    size_t n; /* >= 1 */
    int32_t id;
    double score;
} snc_lattice_piece;

/* A node for each place between bytes: the best way there. */
typedef struct snc_lattice_node {
    double score;
    int32_t id;
    uint32_t start;
} snc_lattice_node;

/* Sorts the pieces; the last of equal texts in the order of ids wins. Sets the array alone. SNC_E_FORMAT: a piece or all are too long. */
snc_err snc_lattice__build(snc_lattice *l, snc_lattice_piece *pieces, size_t n) SNC_MUST_USE;
void snc_lattice__dispose(snc_lattice *l);
int32_t snc_lattice__find(const snc_lattice *l, const unsigned char *text, size_t n); /* -1: no piece */

/* Ids of n >= 1 bytes of valid UTF-8 in the order of the text; room for n of them. node: [n + 1]. */
size_t snc_lattice__best(int32_t *ids, const snc_lattice *l, const unsigned char *text, size_t n, snc_lattice_node *node);

#endif
