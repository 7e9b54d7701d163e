/* candidate/offer.h: what a pretrained model is and what it would cost here, before anything is trained on it; and what a short fine-tuning
 * makes of several, by the same rows.
 */
#ifndef SNC_CANDIDATE_OFFER_H
#define SNC_CANDIDATE_OFFER_H

#include "artifact/inputs.h"
#include "candidate/drop.h"

enum { SNC_OFFER_POLICIES = 4 };
/* The uniform policies, each of the whole net: f32, bf16, int8, int4; NULL past the last. */
const char *snc_offer_policy_name(int i);
/* false: none is called so. */
bool snc_offer_policy(snc_policy *out, const char *name);

typedef struct snc_offer {
    const char *name; /* as it was given; borrowed */
    char error[512];  /* why it cannot be had; "": it can */
    char tokenizer[32];
    snc_encoder_config cfg;
    snc_arch arch;
    bool has_head;
    char labels[256];                    /* "negative, positive"; "" where it names none */
    double parameters, embeddings, macs; /* embeddings: of the word table; macs: at SNC_MACS_TOKENS tokens, or as many as it takes */
    double bytes[SNC_OFFER_POLICIES];    /* of a file, with the tokenizer */
    double us[SNC_OFFER_POLICIES];       /* of a call of the workload, at its percentile; NaN: not timed */
    double score, seconds;               /* on rank after the training, which took so long; NaN: not trained */
    float *logits;                       /* [rank rows, classes] */
    snc_drop under;                      /* points under the best one's */
} snc_offer;

/* All but times and score. */
void snc_offer_look(snc_offer *out, const char *name, const snc_model *m);
/* Each policy's time on the workload of the options; rank: whose lengths "data" means, NULL without a task. What the runtime does not
 * have for this net is said, and stays NaN. */
snc_err snc_offer_time(snc_offer *x, const snc_ctx *work, const snc_options *o, const snc_dataset *rank, const snc_model *m) SNC_MUST_USE;
/* Fine-tunes the model at `path` on in's train rows, in memory, and asks it about rank. */
snc_err snc_offer_train(snc_offer *x, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *path) SNC_MUST_USE;
/* Puts n offers in order of falling score, those without one last, and fills in how far each is under the first. */
snc_err snc_offer_rank(snc_offer *x, int n, const snc_ctx *ctx, const snc_task *task, const snc_dataset *rank) SNC_MUST_USE;
void snc_offer_dispose(snc_offer *x);

#endif
