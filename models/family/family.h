/* models/family/family.h: what tells one family of encoders from another, as a table: a file a family, a row each in the registry.
 *
 * A family's parameters are those that it names: engine, runtime and files ask for a role and may be told that there is none.
 * Names are the ones in Hugging Face's files of a model with its head; {N} stands for the layer. What begins with `prefix`
 * belongs to the encoder, whose prefix differs from file to file ("", "bert.", "module.bert."); the rest is the head's.
 *
 *     const snc_family *f = snc_family_find("bert");
 *     snc_family_name(name, sizeof name, f, SNC_ROLE_Q, 3);      "bert.encoder.layer.3.attention.self.query.weight"
 *     snc_family_role(&role, &layer, f, name);                   and back
 */
#ifndef SNC_MODELS_FAMILY_H
#define SNC_MODELS_FAMILY_H

#include "models/spec.h"

/* From the last layer's output at the first token to what the classifier reads: a dense layer (the role of the pooler, whatever
 * it is called) and its activation, or nothing. */
typedef enum snc_head { SNC_HEAD_TANH, SNC_HEAD_RELU, SNC_HEAD_GELU, SNC_HEAD_NONE } snc_head;

enum { SNC_FAMILY_NAME = 256, SNC_FAMILY_EXTRAS = 8, SNC_FAMILY_FIXED = 4 };

/* What config.json calls the members of snc_encoder_config; NULL: it says nothing of it. */
typedef struct snc_family_keys {
    const char *vocab, *positions, *types, *embedding, *hidden, *layers, *heads, *ffn, *act, *norm_eps, *hidden_dropout, *attention_dropout,
        *head_dropout;
} snc_family_keys;

/* A key of config.json with the one value, also where it is absent, of which a checkpoint is what is computed here. */
typedef struct snc_family_fixed {
    const char *key;
    int value;
} snc_family_fixed;

typedef struct snc_family {
    const char *type;         /* model_type in config.json */
    const char *architecture; /* and its class with a classifier; NULL: no folder is written */
    const char *prefix;
    const char *name[SNC_ROLES];          /* NULL: it has no such parameter */
    const char *extra[SNC_FAMILY_EXTRAS]; /* beginnings of names that its files may carry and that nobody needs */
    snc_head head;                        /* SNC_HEAD_NONE: without the pooler's names */
    bool always_projects;                 /* from the tables to the hidden size, even where both are of one width */
    int position_base;                    /* row of the position table for a sequence's first token */
    snc_family_fixed fixed[SNC_FAMILY_FIXED];
    bool tags_by_head; /* its head stands in front of a classifier of tokens too */
    bool pre_norm;     /* what goes past a half is what its LayerNorm reads, not what that gives; the first layer's attention has none: the
                    * norm behind a layer's FFN (the role) is that before the next one's attention, or the last of all */
    bool gated;        /* a neuron is act(input) times its gate: two rows of FFN-in */
    bool rotary;       /* queries and keys are turned by their positions; some layers see a window alone */
    bool no_bias;      /* files may leave any bias out: it starts at 0 */
    const char *closing;           /* the norm behind the last layer's FFN, where {N+1} in the role's name leads to none; else NULL */
    unsigned char part[SNC_ROLES]; /* of a tensor that Q, K and V share: which third, from 1; 0: the tensor is the role's own */
    snc_family_keys keys;
    snc_encoder_config defaults; /* where config.json says nothing */
} snc_family;

extern const snc_family snc_family_bert; /* of files that name none */

const snc_family *snc_family_find(const char *type); /* NULL: not ours */
const snc_family *snc_family_at(int i);              /* the i-th; NULL behind the last */
void snc_family_types(char *out, size_t size);       /* all of them, for messages: "bert, distilbert, ..." */

static inline const snc_family *snc_family_of(const snc_encoder_config *c) { return c->family ? c->family : &snc_family_bert; }
static inline bool snc_family_has(const snc_family *f, snc_role role) { return f->name[role] != NULL; }
/* The same of a model, of which vectors and most tags need no pooler. */
static inline snc_head snc_config_head(const snc_encoder_config *c)
{
    return c->vector || (c->tags && !snc_family_of(c)->tags_by_head) ? SNC_HEAD_NONE : snc_family_of(c)->head;
}
static inline bool snc_config_has(const snc_encoder_config *c, snc_role role)
{
    const bool pooler = role >= SNC_ROLE_POOLER && role <= SNC_ROLE_POOLER_NORM_BIAS;
    return snc_family_has(snc_family_of(c), role) && !(pooler && snc_config_head(c) == SNC_HEAD_NONE);
}
static inline int snc_family_neuron(const snc_family *f) { return f->gated ? 2 : 1; } /* rows of FFN-in */
/* Which layer's norm, of a model of `layers`, stands behind the FFN of kept layer l. */
static inline int snc_family_closing(const snc_family *f, const snc_arch *a, int l, int layers)
{
    if (!f->pre_norm) return a->source[l];
    return l + 1 < a->layers ? a->source[l + 1] - 1 : layers - 1;
}

/* The layer that parameter p of a net with arch `a` is of, in a model of `layers`; 0 outside of layers. */
static inline int snc_family_source(const snc_family *f, const snc_param *p, const snc_arch *a, int layers)
{
    bool closing = p->row == SNC_ROLE_FFN_NORM || p->row == SNC_ROLE_FFN_NORM_BIAS;
    if (!snc_spec_of(p)->layer) return 0;
    return closing ? snc_family_closing(f, a, p->layer, layers) : a->source[p->layer];
}

/* Tokens of the longest sequence. */
static inline int snc_family_length(const snc_encoder_config *c) { return c->positions - snc_family_of(c)->position_base; }
/* What an axis counts: without a pooler the classifier reads hidden channels, without a projection the tables hold them. */
static inline snc_axis snc_family_axis(const snc_encoder_config *c, snc_axis axis)
{
    if (axis == SNC_AXIS_EMBED) return c->embedding ? SNC_AXIS_FACTOR : SNC_AXIS_HIDDEN;
    return axis == SNC_AXIS_POOLED && snc_config_head(c) == SNC_HEAD_NONE ? SNC_AXIS_HIDDEN : axis;
}

/* A parameter's name in a Hugging Face file; the role is one that the family has. Layers that share their parameters have the same, and
 * so have roles that are parts of one tensor. {N+1} stands for the number of the next layer. */
void snc_family_name(char *out, size_t size, const snc_family *f, snc_role role, int layer);
/* The same in a model of so many layers, of which the last may have its own. */
void snc_family_name_in(char *out, size_t size, const snc_encoder_config *c, snc_role role, int layer);
/* The way back; layer 0 outside of layers and for what layers share. false: no parameter of the family is called so. */
bool snc_family_role(snc_role *role, int *layer, const snc_family *f, const char *name);
/* A parameter that all layers share in its files, each of which has its own here; SNC_ROLES: there is none. */
snc_role snc_family_shared(const snc_family *f);
/* What stands before the layer's number, without the prefix: "encoder.layer."; "" where layers share their parameters. */
void snc_family_layers(char *out, size_t size, const snc_family *f);

#endif
