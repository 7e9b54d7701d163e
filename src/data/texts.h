/* data/texts.h: the digests of many texts, sorted, to be asked for one and counted; 0, that of an empty row, is among them. */
#ifndef SNC_DATA_TEXTS_H
#define SNC_DATA_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void snc_texts_sort(uint64_t *text, size_t n); /* ascending */
/* Of sorted ones: whether a text that is not empty is there; how many are empty; how many stand there once more. */
bool snc_texts_have(const uint64_t *sorted, size_t n, uint64_t text);
void snc_texts_count(int *empty, int *duplicate, const uint64_t *sorted, size_t n);

#endif
