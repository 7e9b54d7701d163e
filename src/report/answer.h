/* report/answer.h: what a model says of a text, as a line: for people and cut(1), or a JSON object (predict --format jsonl).
 *
 *   text    label TAB probability [TAB logit ...]; a regression: value [TAB value]; any number of labels: how many, then label TAB
 *           probability of each, the most probable first: "2 TAB toxic TAB 0.98 TAB insult TAB 0.71", "0"; a vector: its numbers, of
 *           length 1, TAB between them; words that are tagged: a tag for each, a blank between them
 *   jsonl   {"line":1,"label":"good","probability":0.9,"probabilities":{"bad":0.1,"good":0.9},"logits":{...},
 *           "cut":false,"invalid_utf8":false}
 *           a cascade: "net":2 behind them, the one that answered; a budget: that, and "over_budget":false;
 *           any number of labels: "labels":["toxic","insult"] in place of label and probability, and the probability of each by itself;
 *           a regression: "value" in place of label and probabilities; a vector: "vector":[0.12,...]; words: "tags":["B-PER","O"],
 *           "probabilities":[0.99,0.98] and "entities":[{"kind":"PER","first":0,"end":1,"text":"Ekeus"}], which are words first to end less
 *           one, "-" and null for words of a text that is cut; no answer: {"line":1,"error":"..."}
 *
 * A class without a name goes by its number; of classes with one name the later ones are called NAME#NUMBER in the objects, whose keys
 * differ. Every line has the same keys, "logits" with --logits alone, "net" of a cascade or a budget alone.
 */
#ifndef SNC_REPORT_ANSWER_H
#define SNC_REPORT_ANSWER_H

#include "artifact/load.h"
#include "base/textbuf.h"
#include "data/entities.h"

typedef struct snc_answers {
    const snc_loaded *l; /* borrowed */
    bool jsonl, logits;
    int *order;            /* [classes] scratch: labels that are there */
    snc_entity_tags *tags; /* of a model that tags words */
    float *unit;           /* [classes] scratch: a vector of length 1 */
    char **name, **key;    /* [classes] as they are, and as JSON strings, no two of which are the same */
    snc_textbuf line;
} snc_answers;

/* What is known of a text beside its logits. */
typedef struct snc_asked_line {
    long line;        /* of the input, from 1 */
    bool cut, broken; /* it was longer than the model takes; bytes of it were no UTF-8 */
    int net;          /* of a cascade or a budget, the one that answered; -1: there is neither */
    int over;         /* of a budget, whether even that one takes longer; -1: there is none */
} snc_asked_line;

snc_err snc_answers_init(snc_answers *a, const snc_loaded *l, const snc_predict_opts *o) SNC_MUST_USE;
/* Words of a line, borrowed. */
typedef struct snc_tagged {
    struct snc_tagged_word {
        const char *p;
        size_t n;
    } * word;
    int n, read; /* the first `read` of them have logits */
    size_t cap;
} snc_tagged;
snc_err snc_tagged_add(snc_tagged *t, const char *word, size_t bytes) SNC_MUST_USE;
/* A line of tags, z [w->read, classes], as below. */
snc_err snc_answers_tag(const char **out, snc_answers *a, const snc_asked_line *q, const snc_tagged *w, const float *z) SNC_MUST_USE;

/* A line without its end, borrowed until the next call. z [classes], finite. */
snc_err snc_answers_say(const char **out, snc_answers *a, const snc_asked_line *q, const float *z) SNC_MUST_USE;
/* The object of a text without an answer; jsonl alone. */
snc_err snc_answers_fail(const char **out, snc_answers *a, const snc_asked_line *q, const char *why) SNC_MUST_USE;
void snc_answers_dispose(snc_answers *a);

#endif
