/* Exchanges are messages between pairs; a message past a piece's size is several, which follow one another. */
#define _POSIX_C_SOURCE 200809L
#include "base/comm.h"

#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

enum { TAG_SHARE = SNC_COMM_TAGS, TAG_GATHER };
static const double SPIN = 2e-5, YIELD = 0.02; /* seconds */
static const size_t PIECE = (size_t)1 << 28;
static const double PATIENCE = 600; /* seconds */

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

snc_err snc_comm_new(snc_comm **out, const snc_comm_kind *kind, void *state, int rank, int size)
{
    snc_comm *c = NULL;
    snc_err err = snc_alloc(&c, 1, sizeof *c);
    if (!err && size > SNC_COMM_RANKS) err = snc_err_set(SNC_E_ARG, "%d ranks: expected at most %d", size, SNC_COMM_RANKS);
    if (err) {
        snc_free(c);
        kind->close(state);
        return err;
    }
    *c = (snc_comm){.kind = kind, .state = state, .rank = rank, .size = size, .host_ranks = 1, .neighbours = 1, .patience = PATIENCE};
    *out = c;
    return SNC_OK;
}

void snc_comm_close(snc_comm *c)
{
    if (!c) return;
    c->kind->close(c->state);
    snc_free(c->host);
    snc_free(c);
}

void snc_comm_abort(snc_comm *c)
{
    if (c) c->kind->abort(c->state);
}

/* ---- messages ------------------------------------------------------------------------------------------------------ */

static snc_err alive(const snc_comm *c)
{
    SNC_CHECK(!c->failed, SNC_E_IO, "another rank is gone: nothing more is exchanged");
    return SNC_OK;
}

snc_err snc_comm_send(snc_comm_message *m, snc_comm *c, int to, int tag, const void *data, size_t bytes)
{
    *m = (snc_comm_message){.done = true};
    SNC_TRY(alive(c));
    SNC_TRY(c->kind->send(&m->request, c->state, to, tag, data, bytes));
    m->done = false;
    return SNC_OK;
}

snc_err snc_comm_receive(snc_comm_message *m, snc_comm *c, int from, int tag, void *data, size_t bytes)
{
    *m = (snc_comm_message){.done = true};
    SNC_TRY(alive(c));
    SNC_TRY(c->kind->receive(&m->request, c->state, from, tag, data, bytes));
    m->done = false;
    return SNC_OK;
}

snc_err snc_comm_look(snc_comm_message *m, snc_comm *c)
{
    if (m->done || !m->request) {
        m->done = true;
        return SNC_OK;
    }
    SNC_TRY(c->kind->test(&m->done, c->state, m->request));
    if (m->done) m->request = NULL;
    return SNC_OK;
}

void snc_comm_idle(double waited)
{
    if (waited < SPIN) return;
    if (waited < YIELD) sched_yield(); /* a message may be under way piece by piece, each at a look */
    else nanosleep(&(struct timespec){.tv_nsec = waited < 1 ? 50000 : 2000000}, NULL);
}

void snc_comm_drop(snc_comm_message *m, snc_comm *c)
{
    if (!m->done && m->request) c->kind->abandon(c->state, m->request);
    *m = (snc_comm_message){.done = true};
}

snc_err snc_comm_late(snc_comm *c, int with)
{
    c->failed = true;
    return snc_err_set(SNC_E_IO, "rank %d has not answered rank %d for %.0f s: its process or the network stands still", with, c->rank,
                       c->patience);
}

snc_err snc_comm_wait(snc_comm_message *m, snc_comm *c, int with, bool patient)
{
    const double start = snc_now();
    double waited = 0;
    snc_err err = snc_comm_look(m, c);
    while (!err && !m->done) {
        snc_comm_idle(waited);
        waited = snc_now() - start;
        if (!patient && waited > c->patience) err = snc_comm_late(c, with);
        else err = snc_comm_look(m, c);
    }
    if (!patient) c->waited += waited;
    if (err) {
        c->failed = true;
        snc_comm_drop(m, c);
    }
    return err;
}

snc_err snc_comm_pass(snc_comm *c, int to, int tag, const void *data, size_t bytes)
{
    snc_comm_message m;
    for (size_t at = 0; at < bytes; at += PIECE) {
        SNC_TRY(snc_comm_send(&m, c, to, tag, (const char *)data + at, least(bytes - at, PIECE)));
        SNC_TRY(snc_comm_wait(&m, c, to, false));
    }
    return SNC_OK;
}

snc_err snc_comm_hear(snc_comm *c, int from, int tag, void *data, size_t bytes, bool patient)
{
    snc_comm_message m;
    for (size_t at = 0; at < bytes; at += PIECE) {
        SNC_TRY(snc_comm_receive(&m, c, from, tag, (char *)data + at, least(bytes - at, PIECE)));
        SNC_TRY(snc_comm_wait(&m, c, from, patient && at == 0));
    }
    return SNC_OK;
}

/* ---- exchanges ------------------------------------------------------------------------------------------------------ */

/* A binomial tree: whoever has it passes it on to a rank that has not, in twice as many pairs at each turn. */
snc_err snc_comm_share(snc_comm *c, void *data, size_t bytes, bool patient)
{
    const int rank = snc_comm_rank(c), size = snc_comm_size(c);
    int bit = 1;
    if (bytes == 0) return SNC_OK;
    while (bit < size && !(rank & bit)) bit <<= 1;
    if (rank > 0) SNC_TRY(snc_comm_hear(c, rank - bit, TAG_SHARE, data, bytes, patient));
    for (bit >>= 1; bit > 0; bit >>= 1)
        if (rank + bit < size) SNC_TRY(snc_comm_pass(c, rank + bit, TAG_SHARE, data, bytes));
    return SNC_OK;
}

/* Each sends its part to all and has theirs of them, as many pieces at a time as the largest part has. */
static snc_err gather_piece(snc_comm *c, char *all, const size_t *at, size_t piece, snc_comm_message *m)
{
    snc_err err = SNC_OK;
    const int size = c->size;
    for (int i = 0; i < 2 * size; i++) m[i] = (snc_comm_message){.done = true};
    for (int k = 1; k < size && !err; k++) {
        const int to = (c->rank + k) % size, from = (c->rank + size - k) % size;
        const size_t mine = at[c->rank + 1] - at[c->rank], theirs = at[from + 1] - at[from];
        if (theirs > piece) err = snc_comm_receive(&m[from], c, from, TAG_GATHER, all + at[from] + piece, least(theirs - piece, PIECE));
        if (!err && mine > piece)
            err = snc_comm_send(&m[size + to], c, to, TAG_GATHER, all + at[c->rank] + piece, least(mine - piece, PIECE));
    }
    for (int i = 0; i < 2 * size && !err; i++) err = snc_comm_wait(&m[i], c, i % size, false);
    for (int i = 0; i < 2 * size; i++) snc_comm_drop(&m[i], c);
    return err;
}

snc_err snc_comm_gather(snc_comm *c, void *all, const size_t *at)
{
    const int size = snc_comm_size(c);
    size_t most = 0;
    snc_comm_message *m = NULL;
    snc_err err = SNC_OK;
    if (size == 1) return SNC_OK;
    SNC_TRY(snc_alloc(&m, 2 * (size_t)size, sizeof *m));
    for (int r = 0; r < size; r++) most = at[r + 1] - at[r] > most ? at[r + 1] - at[r] : most;
    for (size_t piece = 0; piece < most && !err; piece += PIECE) err = gather_piece(c, all, at, piece, m);
    snc_free(m);
    return err;
}

/* Between rank 0 and the others, one after the other. */
static snc_err with_rank_0(snc_comm *c, void *all, const size_t *at, bool collect)
{
    const int me = snc_comm_rank(c);
    for (int r = 1; r < snc_comm_size(c); r++) {
        const int from = collect ? r : 0, to = collect ? 0 : r;
        char *part = (char *)all + at[r];
        if (me == from) SNC_TRY(snc_comm_pass(c, to, TAG_GATHER, part, at[r + 1] - at[r]));
        if (me == to) SNC_TRY(snc_comm_hear(c, from, TAG_GATHER, part, at[r + 1] - at[r], false));
    }
    return SNC_OK;
}

snc_err snc_comm_collect(snc_comm *c, void *all, const size_t *at) { return with_rank_0(c, all, at, true); }

snc_err snc_comm_deal(snc_comm *c, void *all, const size_t *at) { return with_rank_0(c, all, at, false); }

snc_err snc_comm_gather_each(snc_comm *c, void *all, size_t bytes)
{
    size_t at[SNC_COMM_RANKS + 1];
    for (int r = 0; r <= snc_comm_size(c); r++) at[r] = bytes * (size_t)r;
    return snc_comm_gather(c, all, at);
}

snc_err snc_comm_sum_doubles(snc_comm *c, double *x, int n)
{
    double *all;
    const size_t each = (size_t)n;
    if (snc_comm_size(c) == 1) return SNC_OK;
    SNC_TRY(snc_alloc(&all, each * (size_t)c->size, sizeof *all));
    memcpy(all + each * (size_t)c->rank, x, each * sizeof *x);
    snc_err err = snc_comm_gather_each(c, all, each * sizeof *x);
    for (int i = 0; i < n && !err; i++) x[i] = 0;
    for (int r = 0; r < c->size && !err; r++)
        for (int i = 0; i < n; i++) x[i] += all[each * (size_t)r + (size_t)i];
    snc_free(all);
    return err;
}

snc_err snc_comm_agree(snc_comm *c, snc_err mine)
{
    typedef struct word {
        snc_err code;
        char text[SNC_ERR_TEXT];
    } word;
    word *all;
    snc_err err = SNC_OK;
    if (snc_comm_size(c) == 1 || c->failed) return mine;
    SNC_TRY(snc_alloc(&all, (size_t)c->size, sizeof *all));
    all[c->rank].code = mine;
    if (mine) strncpy(all[c->rank].text, snc_err_text(), SNC_ERR_TEXT - 1);
    err = snc_comm_gather_each(c, all, sizeof *all);
    for (int r = 0; r < c->size && !err; r++) {
        err = all[r].code;
        if (!err || r == c->rank) continue;
        if (r == 0) snc_err_say("%.*s", SNC_ERR_TEXT - 32, all[r].text);
        else snc_err_say("rank %d: %.*s", r, SNC_ERR_TEXT - 32, all[r].text);
    }
    snc_free(all);
    return err;
}
