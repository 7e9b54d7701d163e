/* serve/served.h: a model that answers requests: what its file holds, and a session for each place of the queue. It lives until nobody
 * holds it, so that what was read again takes its place while the last answers of the old one are made. */
#ifndef SNC_SERVE_SERVED_H
#define SNC_SERVE_SERVED_H

#include <stdatomic.h>

#include "snc.h"

typedef struct snc_served {
    atomic_int users;
    char *name, *path;
    snc_classifier *model;
    snc_session **session; /* [places], each of one thread */
    int places;
    char **label; /* [classes] as JSON strings; a class without a name goes by its number */
} snc_served;

/* One user, the caller. budget_us: 0, or as snc_session_set_budget_us has it. SNC_E_IO, SNC_E_FORMAT, SNC_E_NOTFOUND, SNC_E_ARG. */
snc_err snc_served_open(snc_served **out, const char *name, const char *path, int places, double budget_us) SNC_MUST_USE;
snc_served *snc_served_hold(snc_served *s);
void snc_served_drop(snc_served *s); /* NULL is fine */

#endif
