/* models/arch.h: shapes of a BERT-family encoder: the family's config, one subnet's arch, one policy.
 *
 * Sizes: V vocab, P positions, C hidden, H heads, D head width, F FFN width, L layers, K classes. The attention width of a
 * layer is D * heads and need not equal the hidden width. A subnet keeps a list of the parent's layers and, in each, a
 * prefix of its heads and FFN neurons; one hidden width holds for all layers.
 */
#ifndef SNC_MODELS_ARCH_H
#define SNC_MODELS_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "core/meaning.h"
#include "core/dtype.h"

enum { SNC_MAX_LAYERS = 48, SNC_MAX_CLASSES = 1024 };
/* Of a family with distances apart: buckets to either side, and tokens of a text, each of whose scores has a number added to it. */
enum { SNC_MAX_BUCKETS = 4096, SNC_MAX_APART = 4096 };

typedef enum snc_act { SNC_ACT_GELU, SNC_ACT_GELU_TANH, SNC_ACT_RELU } snc_act;

/* Matrices that an arch mixes of experts (models/mixture.h). */
typedef struct snc_mixture {
    int experts;    /* of each; 0: there is no mixture */
    int rank;       /* of those beside the first; 0: they are whole matrices */
    bool neuron;    /* a mixture an output row instead of one a layer */
    bool attention; /* of attention's four matrices too, not of the FFN's two alone */
} snc_mixture;
enum { SNC_EXPERTS_MOST = 16 };

typedef struct snc_encoder_config {
    const struct snc_family *family;            /* models/family/family.h; NULL: BERT */
    int vocab, positions, types;                /* rows of the embedding tables; types 0: the family has none */
    int embedding;                              /* columns of the tables where a projection leads from them to hidden; 0: hidden ones */
    int hidden, layers, heads, head_width, ffn; /* of the full-size family member */
    int classes;                                /* K; 1 for regression; 0: no head yet */
    snc_act act;
    float norm_eps;
    float hidden_dropout, attention_dropout;
    float head_dropout;          /* before the classifier, where it has a rate of its own */
    bool own_head_dropout;       /* else hidden_dropout is its rate, too */
    bool regression, multilabel; /* neither: one of K classes */
    bool score;                  /* a regression whose value is the sigmoid of the output */
    bool tags;                   /* the outputs are of each token, one of K classes, without the family's pooler */
    bool vector;                 /* the outputs are a vector: of what is pooled a linear map, without the family's pooler */
    /* Of families with rotary positions, else 0: the base of their angles, one for layers that see all keys and one for local ones; how
     * far from its query a key of a local layer may stand; which layers are local, a bit each. */
    float theta, local_theta;
    int window;
    uint64_t local;
    bool mean;   /* what is pooled is the mean of all tokens, not the first one: of those families, and of vectors */
    int buckets; /* of a family with distances apart (core/distance.h), to either side; else 0 */
    snc_mixture mixture;
} snc_encoder_config;

static inline bool snc_is_local(const snc_encoder_config *c, int layer) { return c->local >> layer & 1; }

/* Whether the last layer is read at the first token of a sequence alone. */
static inline bool snc_reads_first(const snc_encoder_config *c) { return !c->mean && !c->tags; }

static inline float snc_head_dropout(const snc_encoder_config *c) { return c->own_head_dropout ? c->head_dropout : c->hidden_dropout; }

static inline snc_meaning snc_meaning_of(const snc_encoder_config *c)
{
    if (c->vector) return SNC_MEANS_VECTOR;
    if (c->tags) return SNC_MEANS_TAGS;
    if (c->regression) return c->score ? SNC_MEANS_SCORE : SNC_MEANS_REGRESSION;
    return c->multilabel ? SNC_MEANS_MULTILABEL : SNC_MEANS_CLASSES;
}
static inline void snc_config_set_meaning(snc_encoder_config *c, snc_meaning m)
{
    c->regression = snc_means_value(m);
    c->score = m == SNC_MEANS_SCORE;
    c->multilabel = m == SNC_MEANS_MULTILABEL;
    c->vector = m == SNC_MEANS_VECTOR;
    c->tags = m == SNC_MEANS_TAGS;
}

typedef struct snc_arch {
    int layers, hidden;
    int source[SNC_MAX_LAYERS]; /* which layer of the parent, ascending */
    int heads[SNC_MAX_LAYERS];  /* 0: the attention half is skipped: of what comes in its LayerNorm alone goes on to the FFN */
    int ffn[SNC_MAX_LAYERS];    /* 0: the same of the FFN half; one of the two is there, and heads in some layer */
} snc_arch;

/* The matrices of a layer, each with a dtype of its own; a search ties Q, K and V unless its space says otherwise. */
typedef enum snc_site { SNC_SITE_Q, SNC_SITE_K, SNC_SITE_V, SNC_SITE_O, SNC_SITE_FFN_IN, SNC_SITE_FFN_OUT, SNC_SITES } snc_site;

/* Whether kept layer l has a matrix there. */
static inline bool snc_arch_has(const snc_arch *a, int l, snc_site s) { return (s <= SNC_SITE_O ? a->heads[l] : a->ffn[l]) > 0; }
/* The last kept layer with heads: of what follows, only the first token of each sequence is read. */
static inline int snc_arch_last_heads(const snc_arch *a)
{
    int l = a->layers - 1;
    while (l > 0 && a->heads[l] == 0) l--;
    return l;
}

typedef struct snc_policy {
    uint8_t linear[SNC_MAX_LAYERS][SNC_SITES]; /* snc_dtype: SNC_F32, SNC_BF16, SNC_I8 or SNC_I4; of a skipped half nobody reads it */
    uint8_t pooler, classifier, embed;         /* embed: all tables and the projection behind them */
} snc_policy;

/* {"experts":2,"rank":0,"neuron":false,"attention":false}; reading leaves other keys alone. SNC_E_FORMAT names the key. */
cJSON *snc_mixture_to_json(const snc_mixture *m);
snc_err snc_mixture_from_json(snc_mixture *out, const cJSON *j, const char *where) SNC_MUST_USE;

snc_arch snc_arch_full(const snc_encoder_config *c);
/* The config of a model that has the layers of `a` alone, and no mixture. */
snc_encoder_config snc_config_cut(const snc_encoder_config *c, const snc_arch *a);
bool snc_arch_equal(const snc_arch *a, const snc_arch *b);
/* SNC_E_SHAPE names the layer and the width that does not fit in `parent`; a layer without both halves; a net without heads. */
snc_err snc_arch_check(const snc_arch *a, const snc_arch *parent) SNC_MUST_USE;
/* b as a net of a, where both are of one parent: out's layers are a's. SNC_E_SHAPE names the layer or the width that a has not. */
snc_err snc_arch_within(snc_arch *out, const snc_arch *b, const snc_arch *a) SNC_MUST_USE;
/* Early exit: before which of its layers net b, with dtypes q, can go on from the hidden state that net a leaves there for every token,
 * both of one parent: all of a's layers that run for every token are b's first ones. 0: it starts anew. */
int snc_arch_handover(const snc_encoder_config *c, const snc_arch *a, const snc_policy *p, const snc_arch *b, const snc_policy *q);
snc_policy snc_policy_uniform(snc_dtype linear, snc_dtype embed); /* pooler and classifier: like the linears */
snc_policy snc_policy_int8(void);                                 /* all linears and embeddings INT8, the classifier F32 */

/* Whether each matrix can have its dtype at its width: INT8 takes every width, INT4 inputs in multiples of 16 (embedding
 * rows too). SNC_E_SHAPE names the layer, the matrix and the width. p's rows are a's layers. */
snc_err snc_policy_check(const snc_policy *p, const snc_arch *a, const snc_encoder_config *c) SNC_MUST_USE;
bool snc_policy_uses(const snc_policy *p, const snc_arch *a, snc_dtype t); /* in any matrix or table */

/* {"hidden":384,"layers":[{"source":0,"heads":12,"ffn":1536},...]} */
cJSON *snc_arch_to_json(const snc_arch *a);
snc_err snc_arch_from_json(snc_arch *out, const cJSON *j, const char *where) SNC_MUST_USE;
/* {"embed":"int8","pooler":"int8","classifier":"f32","layers":[{"qkv":"int8","o":"int8","ffn_in":"int8","ffn_out":"f32"},...]}
 * "q", "k" and "v" stand in place of "qkv" where they differ. A file may give "linear" instead of
 * "layers": a dtype, or what stands in a layer, for all of them. */
#define SNC_POLICY_TIED "qkv"
cJSON *snc_policy_to_json(const snc_policy *p, int layers);
snc_err snc_policy_from_json(snc_policy *out, const cJSON *j, int layers, const char *where) SNC_MUST_USE;
/* Our own keys, the ones of the struct; act: "gelu" | "gelu_tanh" | "relu". */
cJSON *snc_encoder_config_to_json(const snc_encoder_config *c);
snc_err snc_encoder_config_from_json(snc_encoder_config *out, const cJSON *j, const char *where) SNC_MUST_USE;

#endif
