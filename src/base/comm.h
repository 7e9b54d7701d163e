/* base/comm.h: processes that work on one job, each with a rank, and what they send each other.
 *
 * Everything stands on messages that are under way while the caller goes on, between two ranks, told apart by a tag. Who carries them is a
 * kind: Open MPI (comm_mpi.c), or threads of one process (tests/toy_ranks.h). A job of one process has no comm at all: NULL is accepted
 * everywhere, is rank 0 of 1, and nothing is sent.
 *
 * Who waits gives up the processor after some microseconds, and says so after `patience` seconds of one exchange: SNC_E_IO, with the rank
 * that nothing came from. What a rank waits for between exchanges, the next thing it is asked for, it waits for as long as it takes.
 *
 * All functions but those of messages are called by every rank in the same order. One thread at a time.
 *
 *     SNC_TRY(snc_comm_open_mpi(&c));                    NULL where this process was not started among others
 *     SNC_TRY(snc_comm_share(c, weights, bytes, false));
 *     snc_comm_close(c);
 */
#ifndef SNC_BASE_COMM_H
#define SNC_BASE_COMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    SNC_COMM_RANKS = 1024,
    SNC_COMM_TAGS = 4096, /* of messages; more are of this file's own */
    SNC_COMM_CLOCKS = 8,
    SNC_COMM_NAME = 256 /* of a host */
};

/* Carries messages. A request is the kind's own from start until test says that it is done, which frees it. Pieces are at most 1 GB. */
typedef struct snc_comm_kind {
    const char *name;
    snc_err (*send)(void **request, void *state, int to, int tag, const void *data, size_t bytes);
    snc_err (*receive)(void **request, void *state, int from, int tag, void *data, size_t bytes); /* exactly so many */
    snc_err (*test)(bool *done, void *state, void *request);
    void (*abandon)(void *state, void *request); /* of a run that failed: its memory may go */
    void (*abort)(void *state);                  /* ends every rank */
    void (*close)(void *state);
    void (*host)(void *state, char name[SNC_COMM_NAME]); /* that this rank is on */
} snc_comm_kind;

/* Where a rank is, and what it runs (base/hosts.h): of one size with the program at its start, so that another build can tell. */
typedef struct snc_comm_host {
    uint64_t program;    /* of its bytes */
    uint64_t machine;    /* whose memory it has */
    uint64_t processors; /* of its machine and of those that it may use there */
    char name[SNC_COMM_NAME], cpu[128], isa[16];
    char spare[512 - 3 * 8 - SNC_COMM_NAME - 128 - 16];
} snc_comm_host;

struct snc_comm { /* snc_comm of snc.h */
    const snc_comm_kind *kind;
    void *state;
    int rank, size;
    int host_ranks;                     /* ranks that share this one's processors, itself included */
    int neighbours;                     /* ranks that share this one's memory, itself included */
    snc_comm_host *host;                /* [size], of every rank; NULL until they have met */
    int clock[SNC_COMM_CLOCKS], clocks; /* ranks that measure, one after the other, in place of rank 0; 0 of them: none was named */
    const char *program;                /* compress, for fresh processes that measure; NULL: none */
    double patience;                    /* seconds */
    double waited;                      /* seconds spent waiting in exchanges so far */
    bool half;                          /* gradients travel in bf16 */
    bool busy;                          /* the others are within a duty that lasts until rank 0 ends it: they hear no other call */
    bool failed;                        /* an exchange gave up: nothing more is sent */
};

static inline int snc_comm_rank(const snc_comm *c) { return c ? c->rank : 0; }
static inline int snc_comm_size(const snc_comm *c) { return c ? c->size : 1; }
static inline int snc_comm_neighbours(const snc_comm *c) { return c ? c->neighbours : 1; }

/* Takes state. SNC_E_ARG: a size past SNC_COMM_RANKS. */
snc_err snc_comm_new(snc_comm **out, const snc_comm_kind *kind, void *state, int rank, int size) SNC_MUST_USE;
/* Among the processes that mpirun, or a scheduler that speaks PMIx, started with this one; NULL: it was started alone.
 * SNC_E_UNSUPPORTED: among others, and this build or machine has no Open MPI. */
snc_err snc_comm_open_mpi(snc_comm **out) SNC_MUST_USE;
void snc_comm_close(snc_comm *c);
/* Ends all ranks at once, with whatever they have. */
void snc_comm_abort(snc_comm *c);

/* The part of n things that is a rank's: parts are ranges, in the order of ranks. */
static inline size_t snc_comm_from(size_t n, int rank, int size) { return (size_t)((__uint128_t)n * (unsigned)rank / (unsigned)size); }

/* Where a place of the whole is in the n things from `from` on: before all of them, behind, or there. */
static inline size_t snc_comm_within(size_t place, size_t from, size_t n)
{
    return place <= from ? 0 : place >= from + n ? n : place - from;
}

/* ---- exchanges: by all ranks ----------------------------------------------------------------------------------------- */

/* What rank 0 has, to all. patient: rank 0 may take any time before it sends. */
snc_err snc_comm_share(snc_comm *c, void *data, size_t bytes, bool patient) SNC_MUST_USE;
/* all: rank r has written bytes [at[r], at[r + 1]) of it, and has the others' afterwards. at [size + 1]. */
snc_err snc_comm_gather(snc_comm *c, void *all, const size_t *at) SNC_MUST_USE;
/* The same of one thing of each: all [size] things of so many bytes. */
snc_err snc_comm_gather_each(snc_comm *c, void *all, size_t bytes) SNC_MUST_USE;
/* Rank 0 alone has the others' parts afterwards, or each of the others its own of what rank 0 has. */
snc_err snc_comm_collect(snc_comm *c, void *all, const size_t *at) SNC_MUST_USE;
snc_err snc_comm_deal(snc_comm *c, void *all, const size_t *at) SNC_MUST_USE;
/* x [n] becomes the sum over ranks, added up in their order: the same bits on every rank. Many numbers: core/allreduce.h. */
snc_err snc_comm_sum_doubles(snc_comm *c, double *x, int n) SNC_MUST_USE;
/* The error of the lowest rank that has one, on all of them, with its text and rank; SNC_OK: none has. */
snc_err snc_comm_agree(snc_comm *c, snc_err mine) SNC_MUST_USE;

/* ---- messages: between two ---------------------------------------------------------------------------------------- */

typedef struct snc_comm_message {
    void *request;
    bool done; /* true as well of one that was never started */
} snc_comm_message;

/* data stays the caller's, as it is, until the message is done. tag below SNC_COMM_TAGS. At most 1 GB. */
snc_err snc_comm_send(snc_comm_message *m, snc_comm *c, int to, int tag, const void *data, size_t bytes) SNC_MUST_USE;
snc_err snc_comm_receive(snc_comm_message *m, snc_comm *c, int from, int tag, void *data, size_t bytes) SNC_MUST_USE;
/* Looks, without waiting, whether it is done. */
snc_err snc_comm_look(snc_comm_message *m, snc_comm *c) SNC_MUST_USE;
/* Until it is done; patient: as long as it takes. */
snc_err snc_comm_wait(snc_comm_message *m, snc_comm *c, int with, bool patient) SNC_MUST_USE;
/* A block of any size, until it has left or is there. */
snc_err snc_comm_pass(snc_comm *c, int to, int tag, const void *data, size_t bytes) SNC_MUST_USE;
snc_err snc_comm_hear(snc_comm *c, int from, int tag, void *data, size_t bytes, bool patient) SNC_MUST_USE;
/* Of a run that failed: what is under way is given up, and its memory is the caller's. */
void snc_comm_drop(snc_comm_message *m, snc_comm *c);
/* SNC_E_IO: nothing has come from that rank for as long as is waited. */
snc_err snc_comm_late(snc_comm *c, int with) SNC_MUST_USE;
/* For who looks in turns, and has so for `waited` seconds: gives up the processor, for longer where it has been long. */
void snc_comm_idle(double waited);

#endif
