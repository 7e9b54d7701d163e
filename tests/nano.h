/* nano.h: the test model: a BERT so small that every test can afford one, made from a seed, and its tokenizer files.
 *
 *   V 97, P 40, types 2, C 32, L 3, H 4 of width 8, F 64, K 2
 *
 * Weights are wider than a fresh BERT's (deviation 0.1, LayerNorm and biases perturbed too), so that logits are not near 0
 * and a forgotten bias shows.
 */
#ifndef SNC_TESTS_NANO_H
#define SNC_TESTS_NANO_H

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "core/tokens.h"
#include "models/model.h"
#include "tokenizer/kind.h"

enum { NANO_V = 97, NANO_P = 40, NANO_C = 32, NANO_L = 3, NANO_H = 4, NANO_D = 8, NANO_F = 64, NANO_K = 2 };

static inline snc_encoder_config nano_config(void)
{
    return (snc_encoder_config){.vocab = NANO_V,
                                .positions = NANO_P,
                                .types = 2,
                                .hidden = NANO_C,
                                .layers = NANO_L,
                                .heads = NANO_H,
                                .head_width = NANO_D,
                                .ffn = NANO_F,
                                .classes = NANO_K,
                                .act = SNC_ACT_GELU,
                                .norm_eps = 1e-12f,
                                .hidden_dropout = 0.1f,
                                .attention_dropout = 0.1f};
}

/* Of a family with turned positions: its last of three layers is a local one. */
static inline void nano_rotary(snc_encoder_config *c)
{
    if (!snc_family_of(c)->rotary) return;
    c->theta = 300;
    c->local_theta = 30;
    c->window = 4;
    c->local = 1 << 2;
}

/* The same of another family; one that projects has tables of 20 columns, RoBERTa's have one type. */
static inline snc_encoder_config nano_family_config(const snc_family *family)
{
    snc_encoder_config c = nano_config();
    c.family = family;
    if (!snc_family_has(family, SNC_ROLE_TYPE)) c.types = 0;
    else if (family->position_base) c.types = 1;
    if (snc_family_has(family, SNC_ROLE_PROJECTION)) c.embedding = 20;
    if (snc_family_has(family, SNC_ROLE_DISTANCE)) c.buckets = 8;
    nano_rotary(&c);
    return c;
}

/* Any config, full arch. */
static inline snc_err nano_model_of(snc_model **out, const snc_encoder_config *cfg, uint64_t seed)
{
    snc_arch arch = snc_arch_full(cfg);
    SNC_TRY(snc_model_new(out, cfg, &arch));
    snc_model_init_random(*out, seed);
    snc_params *ps = &(*out)->params;
    for (int i = 0; i < ps->n; i++) {
        const snc_param *p = &ps->p[i];
        float *w = snc_params_w(ps, i);
        size_t n = (size_t)p->rows * (size_t)p->cols;
        snc_rng r;
        snc_rng_init(&r, seed, 1000 + (uint64_t)i);
        for (size_t k = 0; k < n; k++) w[k] = p->flags & SNC_PARAM_DECAY ? 5.0f * w[k] : w[k] + (float)(0.1 * snc_rng_normal(&r));
    }
    (*out)->has_head = true;
    return SNC_OK;
}

static inline snc_err nano_model(snc_model **out, uint64_t seed)
{
    snc_encoder_config cfg = nano_config();
    return nano_model_of(out, &cfg, seed);
}

/* 97 pieces: 5 special, a-z, ##a-##z, 0-9, ##0-##9, 6 marks, 14 words. Dispose with snc_tok_assets_dispose. */
static inline snc_err nano_assets(snc_tok_assets *out)
{
    static const char *const words[] = {".",   ",",    "!",  "?",  "'",   "-",     "the",   "good", "bad",  "film",
                                        "not", "very", "is", "it", "was", "movie", "##ing", "##ed", "##ly", "of"};
#define NANO_ADDED(t) "{\"content\":\"" t "\",\"normalized\":false,\"single_word\":false,\"lstrip\":false,\"rstrip\":false}"
    static const char config[] =
        "{\"lowercase\":true,\"strip_accents\":null,\"tokenize_chinese_chars\":true,\"clean_text\":true,\"max_chars\":100,"
        "\"unk\":\"[UNK]\",\"cls\":\"[CLS]\",\"sep\":\"[SEP]\",\"pad\":\"[PAD]\",\"mask\":\"[MASK]\",\"added\":[" NANO_ADDED(
            "[PAD]") "," NANO_ADDED("[UNK]") "," NANO_ADDED("[CLS]") "," NANO_ADDED("[SEP]") "," NANO_ADDED("[MASK]") "]}";
#undef NANO_ADDED
    char text[1024];
    size_t n = (size_t)snprintf(text, sizeof text, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    for (int c = 'a'; c <= 'z'; c++) n += (size_t)snprintf(text + n, sizeof text - n, "%c\n##%c\n", c, c);
    for (int c = '0'; c <= '9'; c++) n += (size_t)snprintf(text + n, sizeof text - n, "%c\n##%c\n", c, c);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) n += (size_t)snprintf(text + n, sizeof text - n, "%s\n", words[i]);
    *out = (snc_tok_assets){.kind = &snc_tok_wordpiece, .blob = {{.bytes = n}, {.bytes = sizeof config - 1}}};
    SNC_TRY(snc_strndup(&out->blob[0].data, text, n));
    return snc_strndup(&out->blob[1].data, config, sizeof config - 1);
}

/* B sequences of seeded ids with the given lengths, at most 64 sequences and 2048 tokens; second halves are segment 1. */
typedef struct nano_batch {
    snc_tokens x;
    int32_t ids[2048], types[2048], offsets[65];
} nano_batch;

static inline void nano_batch_make(nano_batch *b, const int *lens, int B, int vocab, uint64_t seed)
{
    snc_rng r;
    snc_rng_init(&r, seed, 7);
    int T = 0;
    for (int i = 0; i < B; i++) {
        b->offsets[i] = T;
        for (int t = 0; t < lens[i]; t++, T++) {
            b->ids[T] = (int32_t)snc_rng_below(&r, (uint32_t)vocab);
            b->types[T] = t >= (lens[i] + 1) / 2;
        }
    }
    b->offsets[B] = T;
    b->x = (snc_tokens){.B = B, .T = T, .ids = b->ids, .types = b->types, .offsets = b->offsets};
}

#endif
