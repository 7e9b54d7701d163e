/* report/offers.h: what pretrained models are and would cost, to read and as JSON. */
#ifndef SNC_REPORT_OFFERS_H
#define SNC_REPORT_OFFERS_H

#include "base/json.h"
#include "candidate/offer.h"

/* One model: what it is, its size, and a line a policy. load: "1 x 128 tokens, 1 thread", of the times; NULL: none were taken. */
void snc_offer_say(const snc_host *h, const snc_offer *x, const char *load);
/* Several, a row each, with the score where they were trained: on so many rank rows. */
void snc_offers_say(const snc_host *h, const snc_offer *x, int n, const char *load, int rows);
cJSON *snc_offer_json(const snc_offer *x);

#endif
