/* data/entities.h: spans of tagged words and their F1, as seqeval 1.2.2 counts them in its default mode (that of conlleval).
 *
 * A tag is a prefix (B, I, E, S, O or none of those) and a kind ("PER" of "B-PER"). A span of words of one kind begins at B or S, at I or
 * E behind O or behind another kind; it ends before a word that begins one, before O, and behind E or S. It is right when a span of the
 * same kind begins and ends at the same words. precision = right / said, recall = right / is, F1 = 2 right / (said + is); 0 where
 * nothing is divided by.
 */
#ifndef SNC_DATA_ENTITIES_H
#define SNC_DATA_ENTITIES_H

#include <stdint.h>

#include "data/task.h"

typedef struct snc_entity_tags snc_entity_tags;
/* Prefix and kind of each of K labels; NULL: no label has a name. */
snc_err snc_entity_tags_new(snc_entity_tags **out, const char *const *labels, int K) SNC_MUST_USE;
/* The same of a task's. */
snc_err snc_entity_tags_of(snc_entity_tags **out, const snc_task *t) SNC_MUST_USE;
void snc_entity_tags_free(snc_entity_tags *t);

typedef struct snc_entities {
    int64_t right, said, is;
} snc_entities;
/* Adds those of one sentence: said and is [n], indices of classes. */
void snc_entities_count(snc_entities *c, const snc_entity_tags *t, const float *said, const float *is, int n);
/* The spans of one sentence, at most n: words first .. end of the kind of class `tag`. Returns how many. */
typedef struct snc_entity {
    int first, end, tag;
} snc_entity;
int snc_entities_find(snc_entity *out, const snc_entity_tags *t, const float *said, int n);
const char *snc_entity_kind(const char *label); /* "PER" of "B-PER" */
/* "entity_f1" and its like. */
double snc_entities_score(const snc_entities *c, const char *metric);
bool snc_metric_of_entities(const char *name);

#endif
