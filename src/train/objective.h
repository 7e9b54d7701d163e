/* train/objective.h: the parts of a net's loss, and the list of them.
 *
 * An objective is a file under objectives/ and a row of the list in objective.c. The loss of a net is the sum of weight * loss over
 * the list, in its order: sums in another order have other last bits.
 */
#ifndef SNC_TRAIN_OBJECTIVE_H
#define SNC_TRAIN_OBJECTIVE_H

#include "models/engine.h"
#include "train/loss.h"

struct snc_train_opts;

/* Room for gradients of queries, keys and values of the last layer, and for sums on the way to them. */
typedef struct snc_objective_attention {
    float *d[3];     /* [B, A], [T, A], [T, A] of the net, dense; A = heads x their width */
    double *sums;    /* [B x heads] */
    double *scratch; /* [threads][2 x longest] */
    int longest;     /* tokens of a sequence */
    bool asked;      /* d holds something */
} snc_objective_attention;

/* What an objective may look at, after the forward pass of one net, and where it leaves gradients. */
typedef struct snc_objective_net {
    const snc_ctx *ctx;
    const struct snc_train_opts *o;
    const snc_arch *arch;
    const snc_tokens *x; /* B sequences, T tokens */
    const snc_loss_labels *labels;
    int K;
    const float *logits;                      /* [B, K] */
    const float *soft;                        /* [B, K] logits of whom it learns from; NULL: it has no teacher */
    const snc_engine *student, *teacher;      /* for hidden states and attention; teacher NULL where no objective in use reads them */
    const snc_arch *teacher_arch;             /* NULL with it */
    float *dlogits;                           /* [B, K] gradients are added here */
    float *block;                             /* room for those of hidden states, or NULL */
    const float *dhidden[SNC_MAX_LAYERS + 1]; /* those there are (snc_objective_dhidden) */
    snc_objective_attention *attention;       /* NULL where no objective in use reads attention */
} snc_objective_net;

typedef struct snc_objective {
    const char *name;
    bool hidden_states, attention; /* it reads those of the teacher: which then runs in every step */
    /* Its share in the loss of a net with a soft target or without; 0: it has none, and is not asked. */
    double (*weight)(const struct snc_train_opts *o, bool soft);
    /* The loss; adds scale * gradient to n->dlogits and n's dhidden. */
    double (*loss)(snc_objective_net *n, double scale);
    /* Whether it can do with this model and teacher (or NULL), when its weight is not 0. NULL: with any. */
    snc_err (*check)(const struct snc_train_opts *o, const snc_model *m, const snc_model *teacher);
} snc_objective;

extern const snc_objective *const snc_objectives[]; /* all of them, NULL at the end */

/* Over a list like that. */
snc_err snc_objectives_check(const snc_objective *const *list, const struct snc_train_opts *o, const snc_model *m,
                             const snc_model *teacher) SNC_MUST_USE;
bool snc_objectives_read_hidden(const snc_objective *const *list, const struct snc_train_opts *o);
bool snc_objectives_read_attention(const snc_objective *const *list, const struct snc_train_opts *o);
/* The loss of the net; its gradients times `scale` are added. */
double snc_objectives_loss(const snc_objective *const *list, snc_objective_net *n, double scale);

/* For objectives: where the gradient of hidden state i of the net belongs, [T, hidden] dense (first tokens alone of the last: [B,
 * hidden]); zeros when asked for the first time. */
float *snc_objective_dhidden(snc_objective_net *n, int i);

#endif
