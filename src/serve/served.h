/* serve/served.h: a model that answers requests: what its file holds, and a session for each place of the queue. It lives until nobody
 * holds it, so that what was read again takes its place while the last answers of the old one are made. A file of several nets with their
 * times may be told how long a text may take, and how long while others wait. */
#ifndef SNC_SERVE_SERVED_H
#define SNC_SERVE_SERVED_H

#include <stdatomic.h>
#include <stdbool.h>

#include "snc.h"

typedef struct snc_pace {
    double budget_us, busy_us; /* as snc_session_set_budget_us has it, 0: none; busy_us while a whole batch waits, 0: the same then */
} snc_pace;

typedef struct snc_served {
    atomic_int users;
    char *name, *path;
    snc_classifier *model;
    snc_session **session; /* [places], each of one thread */
    bool *lowered;         /* [places] whether it has busy_us */
    bool cascade;          /* of a session that has no budget */
    int places;
    snc_pace pace;
    char **label; /* [classes] as JSON strings; a class without a name goes by its number */
} snc_served;

/* One user, the caller. pace NULL: neither. SNC_E_IO, SNC_E_FORMAT, SNC_E_NOTFOUND, SNC_E_ARG: no times in the file. */
snc_err snc_served_open(snc_served **out, const char *name, const char *path, int places, const snc_pace *pace) SNC_MUST_USE;
/* The budget of the session of a place from here on: busy_us, or budget_us again. For the place's owner alone; allocates nothing. */
void snc_served_lower(snc_served *s, int place, bool lower);
snc_served *snc_served_hold(snc_served *s);
void snc_served_drop(snc_served *s); /* NULL is fine */

#endif
