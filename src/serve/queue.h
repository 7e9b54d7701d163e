/* serve/queue.h: texts of many requests, answered a batch at a time on the threads of those who ask.
 *
 *     SNC_TRY(snc_queue_new(&q, &opts));
 *     err = snc_queue_ask(q, ask);        returns when all of its texts are answered, or one has failed
 *     snc_queue_end(q);                   nobody new may ask; returns when everybody has the answers
 *
 * There are as many places as the model has sessions. Whoever asks takes a free place and answers what waits at that moment, up to `batch`
 * texts of one model, its own among them or not, until its own are done: at low load nobody waits for others, and no thread for another's
 * turn; where all places are taken requests gather, and batches grow. With wait_s a batch that is not full waits for more, as long as that
 * after its first request has come, and only where the batch before had more requests than one. A request of more texts than a batch goes
 * back to the end of the queue after each, so that it does not hold the others up. The answers of a text do not depend on what is in its
 * batch, where the model's integers do not.
 */
#ifndef SNC_SERVE_QUEUE_H
#define SNC_SERVE_QUEUE_H

#include "serve/served.h"

typedef struct snc_answer {
    int index, net; /* the class; the net that answered, -1 where no single one did */
    bool lowered;   /* its model's busy_us was the budget, as a whole batch waited behind */
    float score;    /* as of snc_result */
    int words;      /* of a model that tags words: */
    int *tag;       /* [words] the class of each, -1 where it was not read */
    float *sure;    /* [words] its probability */
} snc_answer;

typedef struct snc_ask {
    snc_served *model; /* held by whoever asks */
    const snc_text *text;
    int n;              /* at least 1 */
    snc_answer *answer; /* [n]; this and the next from the queue, freed by snc_ask_dispose */
    float *logits;      /* [n, classes], none of tags */
} snc_ask;
void snc_ask_dispose(snc_ask *ask);

typedef struct snc_queue_opts {
    int places, batch, room;   /* room: texts that may wait */
    double wait_s, patience_s; /* what has waited longer is not answered: SNC_E_CANCELLED; 0: for ever */
    void (*taken)(void *user); /* called with each batch before it is answered, by who answers it; NULL: nothing */
    void *user;
} snc_queue_opts;

enum { SNC_QUEUE_SIZES = 9 }; /* batches of 1, 2, 4, ... 128 texts at most, and of any */
typedef struct snc_queue_counts {
    long waiting;                  /* texts */
    long batches[SNC_QUEUE_SIZES]; /* of at most 2^i texts and more than 2^(i - 1); the last: of more */
    long texts, lowered;           /* in all of them; by their model's busy_us */
} snc_queue_counts;

typedef struct snc_queue snc_queue;
snc_err snc_queue_new(snc_queue **out, const snc_queue_opts *o) SNC_MUST_USE;
/* SNC_E_NOMEM: the queue is full, or there is no memory for the answers; SNC_E_CANCELLED: it has ended, or the texts have waited for too
 * long; else what the first text that failed did. */
snc_err snc_queue_ask(snc_queue *q, snc_ask *ask) SNC_MUST_USE;
void snc_queue_count(snc_queue_counts *out, snc_queue *q);
void snc_queue_end(snc_queue *q);  /* NULL is fine */
void snc_queue_free(snc_queue *q); /* after its end */

#endif
