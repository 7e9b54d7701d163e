/* poll and read on a buffer of our own, since stdio can neither say whether a whole line waits nor be interrupted while it does not. */
#define _POSIX_C_SOURCE 200809L
#include "cli/lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { PIECE = 1 << 16 };

/* The line feed of the first line; NULL: it is not there yet. */
static char *line_feed(snc_lines *l)
{
    size_t from = l->at + l->looked;
    char *feed = l->end > from ? memchr(l->data + from, '\n', l->end - from) : NULL;
    if (!feed) l->looked = l->end - l->at;
    return feed;
}

/* Takes in what one read gives. */
static snc_err take(snc_lines *l)
{
    if (l->at > 0 && l->cap - l->end < PIECE) {
        memmove(l->data, l->data + l->at, l->end - l->at);
        l->end -= l->at;
        l->at = 0;
    }
    SNC_TRY(snc_grow(&l->data, &l->cap, l->end + PIECE, 1));
    ssize_t n = read(l->fd, l->data + l->end, PIECE);
    if (n > 0) l->end += (size_t)n;
    if (n == 0) l->ended = 1;
    SNC_CHECK(n >= 0 || errno == EINTR || errno == EAGAIN, SNC_E_IO, "standard input: read failed: %s", strerror(errno));
    return SNC_OK;
}

snc_err snc_lines_next(snc_lines *l, const char **line, size_t *bytes, const volatile int *cancelled)
{
    char *feed = NULL;
    *line = NULL;
    for (;;) {
        struct pollfd p = {.fd = l->fd, .events = POLLIN};
        SNC_CHECK(!*cancelled, SNC_E_CANCELLED, "interrupted while waiting for input");
        if ((feed = line_feed(l)) || l->ended) break;
        if (poll(&p, 1, -1) > 0) SNC_TRY(take(l)); /* a descriptor may have been set not to wait by someone else */
    }
    if (!feed && l->at == l->end) return SNC_OK;
    size_t n = (feed ? (size_t)(feed - l->data) : l->end) - l->at;
    *line = l->data + l->at;
    l->at += n + (feed != NULL);
    l->looked = 0;
    while (n > 0 && (*line)[n - 1] == '\r') n--;
    *bytes = n;
    return SNC_OK;
}

int snc_lines_ready(snc_lines *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    while (!line_feed(l) && !l->ended) {
        if (poll(&p, 1, 0) <= 0) return 0;
        if (take(l) != SNC_OK) return 1;
    }
    return 1;
}
