/* A terminal has one line redrawn in place, a pipe or a file a line now and then; what is over within half a second is not shown. */
#define _DEFAULT_SOURCE
#include "cli/terminal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmap.h"

/* Seconds between two states on a terminal; in a pipe or a file; and what is over sooner is not shown to people at all. */
static const double REDRAW = 0.2, REPEAT = 1.5, WORTH = 0.5;

snc_err snc_terminal_open(snc_terminal *t, const char *log_json, int quiet)
{
    const char *term = getenv("TERM");
    *t = (snc_terminal){.quiet = quiet, .started = snc_now()};
    t->redraws = isatty(2) && term && *term && strcmp(term, "dumb") != 0;
    return log_json ? snc_stream_open(&t->json, log_json) : SNC_OK;
}

void snc_terminal_close(snc_terminal *t)
{
    snc_terminal_end_line(t);
    if (t->json) fclose(t->json);
}

void snc_terminal_end_line(snc_terminal *t)
{
    if (t->drawn) fputc('\n', stderr);
    t->drawn = 0;
}

/* ---- the file ------------------------------------------------------------------------------------------------------- */

static void print_string(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') fputc('\\', f);
        if ((unsigned char)*s >= 0x20) fputc(*s, f);
    }
    fputc('"', f);
}

/* {"time":"2030-01-31T12:00:00.000Z","elapsed":1.234, without the end */
static void begin_line(const snc_terminal *t)
{
    struct timespec now;
    struct tm utc;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    fprintf(t->json, "{\"time\":\"%s.%03ldZ\",\"elapsed\":%.3f,", text, now.tv_nsec / 1000000, snc_now() - t->started);
}

static void print_number(FILE *f, const char *key, double v)
{
    if (isfinite(v)) fprintf(f, "\"%s\":%.6g,", key, v);
    else fprintf(f, "\"%s\":null,", key);
}

static void write_status(snc_terminal *t, const snc_status *s)
{
    begin_line(t);
    fputs("\"stage\":", t->json);
    print_string(t->json, s->what);
    fprintf(t->json, ",\"done\":%.0f,\"total\":%.0f,\"part\":%d,\"parts\":%d,", s->done, s->total, s->part, s->parts);
    print_number(t->json, "per_second", s->per_second);
    print_number(t->json, "left_s", s->left_s);
    print_number(t->json, "share", s->share);
    print_number(t->json, "all_left_s", s->all_left_s);
    fputs("\"note\":", t->json);
    print_string(t->json, s->note);
    fputs("}\n", t->json);
    fflush(t->json);
}

static void write_log(snc_terminal *t, snc_level level, const char *line)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (!t->json) return;
    begin_line(t);
    fprintf(t->json, "\"level\":\"%s\",\"line\":", names[level]);
    print_string(t->json, line);
    fputs("}\n", t->json);
    fflush(t->json);
}

void snc_terminal_error(snc_terminal *t, const char *text)
{
    write_log(t, SNC_LEVEL_ERROR, text);
    snc_terminal_end_line(t);
    fprintf(stderr, "compress: %s\n", text);
}

void snc_terminal_log(void *user, snc_level level, const char *line)
{
    snc_terminal *t = user;
    write_log(t, level, line);
    if (t->quiet && level > SNC_LEVEL_ERROR && strncmp(line, SNC_WATCH_AT, strlen(SNC_WATCH_AT)) != 0) return;
    snc_terminal_end_line(t);
    fprintf(stderr, "%s%s\n", level == SNC_LEVEL_WARN ? "warning: " : "", line);
}

/* ---- progress ------------------------------------------------------------------------------------------------------- */

static void print_time(char *buf, size_t size, double s)
{
    if (s < 90) snprintf(buf, size, "%.0f s", s);
    else if (s < 5400) snprintf(buf, size, "%.0f min", s / 60);
    else snprintf(buf, size, "%.1f h", s / 3600);
}

/* "search 120/400  8.1/s  35 s left  (job 64%, 2 min left)  best loss ...": the part, the whole, the rest. */
static void describe(char *buf, size_t size, const snc_status *s)
{
    char left[24];
    size_t at = (size_t)snprintf(buf, size, "%s %.0f/%.0f", s->what, s->done, s->total);
    if (at < size && s->per_second > 0)
        at += (size_t)snprintf(buf + at, size - at, s->per_second < 10 ? "  %.2f/s" : "  %.0f/s", s->per_second);
    if (at < size && s->left_s >= 0.5) {
        print_time(left, sizeof left, s->left_s);
        at += (size_t)snprintf(buf + at, size - at, "  %s left", left);
    }
    if (at < size && s->parts && isfinite(s->share)) {
        print_time(left, sizeof left, s->all_left_s);
        at += (size_t)snprintf(buf + at, size - at, "  (job %.0f%%, %s left)", 100 * s->share, left);
    }
    if (at < size && *s->note) snprintf(buf + at, size - at, "  %s", s->note);
}

/* Columns of the terminal now: it may have been resized since the last line. */
static int columns(void)
{
    struct winsize w;
    return ioctl(2, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

/* Cuts text behind its first n characters (UTF-8); returns how many it has then. */
static int cut(char *text, int n)
{
    int have = 0;
    for (char *p = text; *p; p++) {
        if ((*p & 0xc0) == 0x80) continue;
        if (have == n) {
            *p = 0;
            break;
        }
        have++;
    }
    return have;
}

/* Over the line before, which a terminal that has become narrower shows on several rows. The last column stays free: some
 * terminals begin a new row once it is written. */
static void redraw(snc_terminal *t, char *text)
{
    int wide = columns();
    fputc('\r', stderr);
    for (int rows = (t->drawn - 1) / wide; rows > 0; rows--) fputs("\033[A", stderr);
    int n = cut(text, wide > 1 ? wide - 1 : 1);
    fprintf(stderr, "\033[J%s", text);
    t->drawn = n > 0 ? n : 1;
}

void snc_terminal_status(void *user, const snc_status *s)
{
    snc_terminal *t = user;
    char text[512];
    double now = snc_now();
    int end = s->done >= s->total, first = strncmp(t->what, s->what, sizeof t->what - 1) != 0;
    if (first) {
        fflush(stdout); /* answers so far, before work that may be long or be stopped; what fails is told at the end */
        snc_terminal_end_line(t);
        snprintf(t->what, sizeof t->what, "%s", s->what);
        t->over = 0;
        t->began = now;
        t->shown = 0;
    }
    int ends = end && !t->over;
    t->over = end;
    if (t->json && (first || ends || now - t->written >= REPEAT)) {
        write_status(t, s);
        t->written = now;
    }
    if (t->quiet || now - t->began < WORTH || (!ends && now - t->shown < (t->redraws ? REDRAW : REPEAT))) return;
    t->shown = now;
    describe(text, sizeof text, s);
    if (t->redraws) redraw(t, text);
    else fprintf(stderr, "%s\n", text);
    if (end) snc_terminal_end_line(t);
    fflush(stderr);
}
