/* toy_family.h: families beside BERT, each a table as in models/family: what a family may leave out or do otherwise.
 *
 *   toy_dense     no token types, positions counted from row 2, a dense layer with ReLU that belongs to the head
 *   toy_headless  no token types, no pooler: the classifier reads the first token itself
 */
#ifndef SNC_TESTS_TOY_FAMILY_H
#define SNC_TESTS_TOY_FAMILY_H

#include "models/family/family.h"

/* clang-format off */
#define TOY_ENCODER \
    [SNC_ROLE_WORD] = "toy.words.weight", [SNC_ROLE_POSITION] = "toy.positions.weight", \
    [SNC_ROLE_EMBED_NORM] = "toy.norm.weight", [SNC_ROLE_EMBED_NORM_BIAS] = "toy.norm.bias", \
    [SNC_ROLE_Q] = "toy.block.{N}.q.weight", [SNC_ROLE_Q_BIAS] = "toy.block.{N}.q.bias", \
    [SNC_ROLE_K] = "toy.block.{N}.k.weight", [SNC_ROLE_K_BIAS] = "toy.block.{N}.k.bias", \
    [SNC_ROLE_V] = "toy.block.{N}.v.weight", [SNC_ROLE_V_BIAS] = "toy.block.{N}.v.bias", \
    [SNC_ROLE_O] = "toy.block.{N}.o.weight", [SNC_ROLE_O_BIAS] = "toy.block.{N}.o.bias", \
    [SNC_ROLE_ATTENTION_NORM] = "toy.block.{N}.norm1.weight", [SNC_ROLE_ATTENTION_NORM_BIAS] = "toy.block.{N}.norm1.bias", \
    [SNC_ROLE_FFN_IN] = "toy.block.{N}.up.weight", [SNC_ROLE_FFN_IN_BIAS] = "toy.block.{N}.up.bias", \
    [SNC_ROLE_FFN_OUT] = "toy.block.{N}.down.weight", [SNC_ROLE_FFN_OUT_BIAS] = "toy.block.{N}.down.bias", \
    [SNC_ROLE_FFN_NORM] = "toy.block.{N}.norm2.weight", [SNC_ROLE_FFN_NORM_BIAS] = "toy.block.{N}.norm2.bias", \
    [SNC_ROLE_CLASSIFIER] = "classifier.weight", [SNC_ROLE_CLASSIFIER_BIAS] = "classifier.bias"
/* clang-format on */

static const snc_family toy_dense = {
    .type = "toy_dense",
    .prefix = "toy.",
    .name = {TOY_ENCODER, [SNC_ROLE_POOLER] = "pre_classifier.weight", [SNC_ROLE_POOLER_BIAS] = "pre_classifier.bias"},
    .head = SNC_HEAD_RELU,
    .position_base = 2,
};

static const snc_family toy_headless = {
    .type = "toy_headless",
    .prefix = "toy.",
    .name = {TOY_ENCODER},
    .head = SNC_HEAD_NONE,
};

static const snc_family *const toy_families[] = {&toy_dense, &toy_headless};
enum { TOY_FAMILIES = sizeof toy_families / sizeof *toy_families };

/* The toys, then the ones of the program; NULL behind the last. */
static inline const snc_family *any_family(int i) { return i < TOY_FAMILIES ? toy_families[i] : snc_family_at(i - TOY_FAMILIES); }

#endif
