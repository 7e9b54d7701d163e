/* train/objective.h: the parts of a net's loss, and the list of them.
 *
 * An objective is a file under objectives/ and a row of the list in objective.c. The loss of a net is the sum of weight * loss over
 * the list, in its order: sums in another order have other last bits. One that is of the weights alone, whatever nets a step has, is
 * asked once a step, after their gradients. Weight 0 is as if it were not in the list, bit for bit.
 */
#ifndef SNC_TRAIN_OBJECTIVE_H
#define SNC_TRAIN_OBJECTIVE_H

#include "models/engine.h"
#include "train/loss.h"

struct snc_train_opts;

/* Which state of the teacher a kept layer's is compared with (objectives/hidden.c). */
typedef enum snc_hidden_map { SNC_HIDDEN_SOURCE, SNC_HIDDEN_UNIFORM, SNC_HIDDEN_TOP, SNC_HIDDEN_LAST } snc_hidden_map;
const char *snc_hidden_map_name(int i); /* NULL past the last */

/* Which vectors of the last layer with heads are related (objectives/relation.c): queries to keys, keys to keys, values to values. */
typedef enum snc_relate { SNC_RELATE_QK, SNC_RELATE_KK, SNC_RELATE_VV, SNC_RELATES } snc_relate;
const char *snc_relate_name(int i);

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
    int K, answers;                           /* answers: A, one a sequence or, of tags, one a token that is read */
    double of_answers, of_texts, of_tokens;   /* of a part of a batch: its share of what the whole one has; 1 of a whole one */
    const float *logits;                      /* [A, K] */
    const float *soft;                        /* [A, K] logits of whom it learns from; NULL: it has no teacher */
    const float *other;                       /* [A, K] those of the random net before it, for a random net; or NULL */
    const float *slow;                        /* [A, K] those of the momentum copy, for a subnet; NULL where no objective in use reads it */
    const snc_engine *student, *teacher;      /* for hidden states and attention; teacher NULL where no objective in use reads them */
    const snc_arch *teacher_arch;             /* NULL with it */
    float *dlogits;                           /* [A, K] gradients are added here */
    float *block;                             /* room for those of hidden states, or NULL */
    const float *dhidden[SNC_MAX_LAYERS + 1]; /* those there are (snc_objective_dhidden) */
    snc_objective_attention *attention;       /* NULL where no objective in use reads attention */
} snc_objective_net;

/* What an objective reads beside logits: the teacher, for the first two, and the momentum copy then run in every step. */
enum { SNC_READS_HIDDEN = 1, SNC_READS_ATTENTION = 2, SNC_READS_COPY = 4 };

typedef struct snc_objective {
    const char *name;
    const char *key; /* of a recipe, whose number is its weight and 0 by default; NULL: alpha shares between labels and teacher */
    unsigned reads;  /* SNC_READS_* */
    /* Its share in the loss of a net with a soft target or without; 0: it has none, and is not asked. */
    double (*weight)(const struct snc_train_opts *o, bool soft);
    /* The loss; adds scale * gradient to n->dlogits and n's dhidden. A mean over answers, which the list weighs by the part's share of
     * them; what reads states has means over texts and tokens, and weighs them by itself. */
    double (*loss)(snc_objective_net *n, double scale);
    /* In its place, of one that is of weights alone: adds scale * gradient to the model's. */
    double (*of_weights)(const snc_ctx *ctx, snc_model *m, double scale);
    /* Whether it can do with this model and teacher (or NULL), when its weight is not 0. NULL: with any. */
    snc_err (*check)(const struct snc_train_opts *o, const snc_model *m, const snc_model *teacher);
} snc_objective;

enum { SNC_OBJECTIVES_MOST = 16 };
extern const snc_objective *const snc_objectives[]; /* all of them, NULL at the end */

/* Over a list like that. */
snc_err snc_objectives_check(const snc_objective *const *list, const struct snc_train_opts *o, const snc_model *m,
                             const snc_model *teacher) SNC_MUST_USE;
unsigned snc_objectives_reads(const snc_objective *const *list, const struct snc_train_opts *o); /* SNC_READS_* of those in use */
/* The loss of the net; its gradients times `scale` are added. */
double snc_objectives_loss(const snc_objective *const *list, snc_objective_net *n, double scale);
/* The same of those that are of weights; any: whether there is one, else no gradient has changed. *broken: one that is not finite. */
double snc_objectives_of_weights(bool *any, const char **broken, const snc_objective *const *list, const struct snc_train_opts *o,
                                 const snc_ctx *ctx, snc_model *m);
/* "the loss of 'soft'": those whose loss is not finite. Gradients of n are nothing afterwards. */
void snc_objectives_broken(char *out, size_t size, const snc_objective *const *list, snc_objective_net *n);

/* For objectives: where the gradient of hidden state i of the net belongs, [T, hidden] dense (first tokens alone of the last: [B,
 * hidden]); zeros when asked for the first time. */
float *snc_objective_dhidden(snc_objective_net *n, int i);

#endif
