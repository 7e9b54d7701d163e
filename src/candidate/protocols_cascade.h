/* candidate/protocols_cascade.h: the protocol `cascade` (protocols.h). */
#ifndef SNC_CANDIDATE_PROTOCOLS_CASCADE_H
#define SNC_CANDIDATE_PROTOCOLS_CASCADE_H

#include "candidate/protocol_runs.h"

snc_err snc_protocol_cascade(snc_protocol_study *l) SNC_MUST_USE;

#endif
