/* base/hosts.h: on which hosts ranks are, and which of them measure how long nets take.
 *
 * Ranks tell each other where they are, and what they run, when they meet. Rank 0 measures itself unless hosts are named: then the first
 * rank of each does, one after the other, and rank 0 only where its host is among them (candidate/far_clock.h).
 *
 *     SNC_TRY(snc_hosts_choose(c, "node-a,node-b"));
 *     for (int k = 0; k < snc_clocks(c); k++) ... snc_clock_rank(c, k) ...
 */
#ifndef SNC_BASE_HOSTS_H
#define SNC_BASE_HOSTS_H

#include "base/comm.h"

/* By all ranks: fills in c->host, and how many share a host's processors and memory. SNC_E_ARG, on rank 0: not all are of one build. */
snc_err snc_hosts_meet(snc_comm *c) SNC_MUST_USE;
/* By rank 0. names: a comma list of hosts, each by its name or by what stands of that before the first dot; NULL: none. SNC_E_ARG, which
 * says which there are: no rank is on it, or it is named twice; without other ranks (c NULL), it is not this machine. */
snc_err snc_hosts_choose(snc_comm *c, const char *names) SNC_MUST_USE;

/* How many measure: 1 where none was named. */
static inline int snc_clocks(const snc_comm *c) { return c && c->clocks ? c->clocks : 1; }
/* Who measures k-th; 0: this process. */
static inline int snc_clock_rank(const snc_comm *c, int k) { return c && c->clocks ? c->clock[k] : 0; }
/* Where that is; NULL: here, and nobody has named it. */
static inline const snc_comm_host *snc_clock_host(const snc_comm *c, int k) { return c && c->clocks ? &c->host[c->clock[k]] : NULL; }

#endif
