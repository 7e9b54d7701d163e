/* models/mixture.h: mixtures of experts that an architecture chooses: W(arch) = sum_e p_e(arch) W_e, row by row of an output.
 *
 * Mixture-of-Supernets (Jawahar et al. 2023, arXiv:2306.04845): nets of one supernet want different weights in the same place. A matrix
 * has m experts, and a router, which sees the arch alone and no token, says how they are mixed; whoever takes a net out of the supernet
 * keeps the mixture and no expert. A router is two layers,
 *
 *   v = encoding of the arch [D]      h = relu(W1 v + b1) [width]      z = W2 h + b2 [groups, m]      p = softmax over m of z
 *
 * `layer`: one router a layer, one group, for all its mixed matrices. `neuron`: one router a matrix, one group an output row, of which a
 * narrower net reads the first. With a rank the experts beside the first are products of two thin matrices that are added (the paper's
 * additive form): W(arch) = W_0 + sum_e p_e U_e V_e.
 *
 * Done otherwise than there: routers start by budget. Equal experts give a router a gradient of zero, and an optimiser that divides by
 * its gradients' size moves near-equal experts alike; so expert e of m begins as the one of nets with a share of e / (m - 1) of the
 * multiply-adds, and all but the first as copies with relative noise of SNC_EXPERT_NOISE.
 *
 * Parameters, in the table of a model whose config has more than one expert, behind all others; a layer's own matrix is expert 0:
 *
 *   layer.{N}.ffn.in.expert.{E}.weight [rows, cols], with a rank .u [rows, r] and .v [r, cols]; .bias [rows]
 *   layer.{N}.router.hidden.weight [width, D], .bias; layer.{N}.router.weight [m, width], .bias       of `layer`
 *   layer.{N}.ffn.in.router.hidden.weight ..., layer.{N}.ffn.in.router.weight [rows m, width], .bias  of `neuron`
 */
#ifndef SNC_MODELS_MIXTURE_H
#define SNC_MODELS_MIXTURE_H

#include "core/params.h"
#include "models/spec.h"

/* Of such a model where a plain one is asked for. */
#define SNC_MIXTURE_REFUSED "a supernet whose matrices are mixed for each net, not a model: export takes a net out of it"

enum { SNC_ROUTER_WIDTH = 128, SNC_ARCH_CODE = 1 + 3 * SNC_MAX_LAYERS };
#define SNC_EXPERT_NOISE 1e-3

/* Numbers of the encoding of an arch in a model of `layers`. */
static inline int snc_arch_code_size(int layers) { return 1 + 3 * layers; }
/* code [snc_arch_code_size]: hidden, then of each layer of `full` whether it is kept, its heads, its FFN width: shares of those of full. */
void snc_arch_code(float *code, const snc_arch *a, const snc_arch *full);

/* A router's parameters, as indices into a table; `groups` of m each. */
typedef struct snc_router {
    int hidden, hidden_bias, out, out_bias;
    int groups, m;
} snc_router;

/* Begins by budget: weights [code] and bias say what a net's share of the multiply-adds is, as a sum over its code. */
void snc_router_init(const snc_router *r, const snc_params *ps, const float *weights, float bias, uint64_t seed);

/* Where a table has them. Expert e >= 1 of a matrix begins at first + (e - 1) * each: its weight, or u and v, then its bias. */
typedef struct snc_mixture_map {
    int first[SNC_MAX_LAYERS][SNC_SITES]; /* 0: the matrix is not mixed */
    int each;
    snc_router matrix[SNC_MAX_LAYERS][SNC_SITES], layer[SNC_MAX_LAYERS]; /* `neuron`'s, `layer`'s */
} snc_mixture_map;

/* SNC_E_ARG: experts or rank out of range for a model of this arch. */
snc_err snc_mixture_check(const snc_mixture *x, const snc_arch *a) SNC_MUST_USE;
static inline bool snc_mixture_any(const snc_encoder_config *c) { return c->mixture.experts > 1; }
static inline bool snc_mixture_has(const snc_encoder_config *c, snc_site s)
{
    return snc_mixture_any(c) && (s >= SNC_SITE_FFN_IN || c->mixture.attention);
}
/* Adds experts and routers to a table that has all else; nothing where the config has no mixture. map may be NULL. */
snc_err snc_mixture_add(snc_mixture_map *map, snc_params *ps, const snc_encoder_config *c, const snc_arch *a) SNC_MUST_USE;

/* p [groups, m] and h [SNC_ROUTER_WIDTH] of a code; the first `groups` of them. */
void snc_router_forward(float *p, float *h, const snc_router *r, const snc_params *ps, const float *code, int groups);
/* Adds to the router's gradients what dp [groups, m] says; p and h are those of the forward pass. scratch [groups * m]. */
void snc_router_backward(const snc_router *r, const snc_params *ps, const float *code, int groups, const float *p, const float *h,
                         const float *dp, float *scratch);

#endif
