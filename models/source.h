/* models/source.h: where the matrices of a net come from.
 *
 * Every linear of a model (the six of a layer, projection, pooler, classifier) is asked of the model's source, with its bias, by role and
 * layer, for the arch that is to run. The dense source (source_dense.c), which every model starts with, answers with the parameter itself:
 * the prefix that the arch reads, at no cost. One that generates matrices, such as a mixture W = sum_e p_e(arch) W_e of experts, is a
 * file beside it and snc_model_set_source. Embedding tables and other vectors are parameters in any case.
 *
 * Who asks, serially, never in a parallel body: the engine before each forward pass, snc_weights_prepare, and snc_model_extract,
 * which collapses any source into a dense model of one arch.
 *
 * materialise
 *   The layer is one of the model, not of the arch. The source owns the buffers and has them from the time it is made: nothing can
 *   fail here. A matrix has the same w and ld at every call, so that who packs it binds to them once. What is in it holds until the
 *   matrix is asked for another arch, or `changed` is called: so nobody else may ask between a forward pass and its backward pass.
 *   rows and cols say what is valid, at least what the arch reads; a row's quantization scale is of its `cols` numbers.
 *   version is never 0 and differs from that of an earlier call whenever what is in the buffer does: who packs keeps the version that
 *   he packed and packs again when another comes. The runtime then drops the packed forms of all that is `made`, whose pool starts over,
 *   and serves one arch at a time: a matrix is made at every call or at none. What is handed out as the parameter that it is has one
 *   version for good: what an optimiser writes into it in place, snc_engine_sync and snc_engine_sync_rows tell.
 * changed
 *   Parameters were written: by an optimiser's step (the trainer says so after each) or a load. What was made of them is stale.
 * broken
 *   Whether something between parameters and matrices is not finite, and the parameter where that begins: asked when a loss or a gradient
 *   is not, so that the message can say more.
 * gradient, backward
 *   gradient says where the engine leaves dW of the leading rows and columns that the arch reads. With param >= 0 that is the gradient
 *   block of a parameter, which holds the sum over the nets of a step: the engine adds to it, or overwrites it where
 *   snc_engine_start_grads asked for that, and there is nothing left to do. With param -1 it is a buffer of the source, which may be
 *   the same for all matrices: the engine overwrites it, then calls backward, which adds it to the gradients of what the matrix was
 *   made of. Those begin a step as zeros: the optimiser clears them as it reads them. The gradient of a bias is added to what is there:
 *   that of the parameter, or a buffer of the source's, which holds zeros and which `backward` leaves so.
 */
#ifndef SNC_MODELS_SOURCE_H
#define SNC_MODELS_SOURCE_H

#include "models/spec.h"

typedef struct snc_model snc_model;

typedef struct snc_source_view {
    const float *w; /* row r at w + r * ld */
    int ld, rows, cols;
    const float *b; /* the bias [rows] */
    bool made;      /* for an arch: in a buffer of the source's */
    uint64_t version;
} snc_source_view;

typedef struct snc_source_gradient {
    float *g; /* row r at g + r * ld */
    int ld, param;
    float *b; /* of the bias; NULL: the model has no gradients */
} snc_source_gradient;

typedef struct snc_source_kind {
    const char *name;
    bool experts; /* it mixes matrices of them: the model's config says how (models/mixture.h) */
    snc_source_view (*materialise)(const snc_model *m, snc_role role, int layer, const snc_arch *arch);
    snc_source_gradient (*gradient)(const snc_model *m, snc_role role, int layer);
    void (*backward)(const snc_model *m, snc_role role, int layer, const snc_arch *arch); /* NULL: every param is >= 0 */
    void (*changed)(const snc_model *m);                                                  /* NULL: nothing is made of parameters */
    bool (*broken)(char name[SNC_PARAM_NAME], const snc_model *m);                        /* NULL: never */
    void (*free)(void *state);                                                            /* NULL: there is no state */
} snc_source_kind;

typedef struct snc_source {
    const snc_source_kind *kind;
    void *state; /* the kind's own */
} snc_source;

extern const snc_source_kind snc_source_dense, snc_source_mos;
/* Their names, NULL after the last; the same of a name: SNC_E_ARG lists them. */
const char *snc_source_name(int i);
snc_err snc_source_find(const snc_source_kind **out, const char *name) SNC_MUST_USE;
/* What the dense source says, for those that generate some matrices and hand out the others. */
snc_source_view snc_source_dense_view(const snc_model *m, snc_role role, int layer);
snc_source_gradient snc_source_dense_gradient(const snc_model *m, snc_role role, int layer);

#endif
