/* One block under a lock that is held for a copy and no longer: whoever works never waits for a number to be printed. */
#define _POSIX_C_SOURCE 200809L
#include "report/watched.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/meter.h"
#include "base/utf8.h"
#include "search/pareto.h"

enum { LINE = 1024, LINES = SNC_WATCHED_LINES, OTHERS = SNC_WATCHED_OTHERS, FRONT = SNC_WATCHED_FRONT };

typedef struct line {
    double at;
    char level[8], text[LINE];
} line;

typedef struct point {
    int id;
    double value[SNC_MAX_OBJECTIVES];
} point;

/* What is read at once. */
typedef struct state {
    char verb[16], name[256], note[SNC_METER_NOTE];
    double began, told; /* snc_now; of the latest status, 0: none yet */
    snc_status s;       /* without its strings */
    char objective[SNC_MAX_OBJECTIVES][12];
    int objectives, evaluations, fronts;
    long n_others, n_lines; /* in all: the latest stand at [i % OTHERS] and [i % LINES] */
    point front[FRONT], other[OTHERS];
    line log[LINES];
    bool ended;
    int exit_code;
    char text[LINE];
} state;

struct snc_watched {
    pthread_mutex_t lock;
    state now;
};

/* As much as there is room for, with '?' in place of what is no UTF-8, or cut. */
static void copy_text(char *to, size_t size, const char *from)
{
    const size_t n = strlen(from);
    size_t at = 0, used = 0;
    while (at < n) {
        const size_t k = snc_utf8_sequence((const unsigned char *)from + at, n - at), wide = k ? k : 1;
        if (used + wide >= size) break;
        if (k) memcpy(to + used, from + at, k);
        else to[used] = '?';
        at += wide;
        used += wide;
    }
    to[used] = 0;
}

snc_err snc_watched_new(snc_watched **out, const char *verb)
{
    snc_watched *w;
    SNC_TRY(snc_alloc(&w, 1, sizeof *w));
    pthread_mutex_init(&w->lock, NULL);
    w->now.began = snc_now();
    copy_text(w->now.verb, sizeof w->now.verb, verb);
    *out = w;
    return SNC_OK;
}

void snc_watched_free(snc_watched *w)
{
    if (!w) return;
    pthread_mutex_destroy(&w->lock);
    snc_free(w);
}

/* ---- told ------------------------------------------------------------------------------------------------------------------- */

void snc_watched_line(snc_watched *w, const char *level, const char *text)
{
    pthread_mutex_lock(&w->lock);
    line *l = &w->now.log[w->now.n_lines++ % LINES];
    l->at = snc_now() - w->now.began;
    copy_text(l->level, sizeof l->level, level);
    copy_text(l->text, sizeof l->text, text);
    pthread_mutex_unlock(&w->lock);
}

void snc_watched_status(snc_watched *w, const snc_status *s)
{
    pthread_mutex_lock(&w->lock);
    w->now.told = snc_now();
    w->now.s = *s;
    w->now.s.what = w->now.s.note = NULL;
    copy_text(w->now.name, sizeof w->now.name, s->what);
    copy_text(w->now.note, sizeof w->now.note, s->note);
    pthread_mutex_unlock(&w->lock);
}

static void begin_search(state *s, const char *objectives)
{
    s->objectives = s->evaluations = s->fronts = 0;
    s->n_others = 0;
    for (const char *p = objectives; *p && s->objectives < SNC_MAX_OBJECTIVES;) {
        const size_t n = strcspn(p, ",");
        snprintf(s->objective[s->objectives++], sizeof *s->objective, "%.*s", (int)n, p);
        p += n + (p[n] == ',');
    }
}

static double value_of(const snc_evaluation *e, const char *objective)
{
    const struct {
        const char *name;
        double value;
    } of[] = {{"loss", e->loss}, {"score", e->score}, {"latency", e->latency_us}, {"size", e->bytes}, {"macs", e->macs}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (strcmp(of[i].name, objective) == 0) return of[i].value;
    return (double)NAN;
}

static void add_other(state *s, const point *p) { s->other[s->n_others++ % OTHERS] = *p; }

/* Less is better, but of a score. */
static bool beats(const state *s, const point *a, const point *b)
{
    snc_point p = {.violation = 0}, q = {.violation = 0};
    for (int i = 0; i < s->objectives; i++) {
        const double sign = strcmp(s->objective[i], "score") == 0 ? -1 : 1;
        p.f[i] = sign * a->value[i];
        q.f[i] = sign * b->value[i];
    }
    return snc_dominates(&p, &q, s->objectives);
}

/* A front that outgrows its room loses its oldest. */
static void add_point(state *s, const point *p)
{
    int kept = 0;
    for (int i = 0; i < s->fronts; i++)
        if (beats(s, &s->front[i], p)) {
            add_other(s, p);
            return;
        }
    for (int i = 0; i < s->fronts; i++)
        if (beats(s, p, &s->front[i]) || (s->fronts == FRONT && i == 0)) add_other(s, &s->front[i]);
        else s->front[kept++] = s->front[i];
    s->fronts = kept;
    s->front[s->fronts++] = *p;
}

void snc_watched_evaluation(snc_watched *w, const snc_evaluation *e)
{
    state *s = &w->now;
    point p = {.id = e->id};
    bool known = true;
    pthread_mutex_lock(&w->lock);
    if (e->id == 1) begin_search(s, e->objectives);
    s->evaluations++;
    for (int i = 0; i < s->objectives; i++) {
        p.value[i] = value_of(e, s->objective[i]);
        known = known && isfinite(p.value[i]);
    }
    if (known) add_point(s, &p);
    pthread_mutex_unlock(&w->lock);
}

void snc_watched_end(snc_watched *w, int exit_code, const char *text)
{
    pthread_mutex_lock(&w->lock);
    w->now.ended = true;
    w->now.exit_code = exit_code;
    copy_text(w->now.text, sizeof w->now.text, text);
    pthread_mutex_unlock(&w->lock);
}

/* ---- read ------------------------------------------------------------------------------------------------------------------- */

static void put_number(snc_textbuf *d, const char *before, double v)
{
    if (isfinite(v)) snc_textbuf_put(d, "%s%.6g", before, v);
    else snc_textbuf_put(d, "%snull", before);
}

static void put_text(snc_textbuf *d, const char *before, const char *text)
{
    snc_textbuf_text(d, before);
    snc_textbuf_json(d, text);
}

static void put_stage(snc_textbuf *d, const state *s, double now)
{
    snc_textbuf_text(d, ",\"stage\":");
    if (s->told == 0) {
        snc_textbuf_text(d, "null");
        return;
    }
    put_text(d, "{\"name\":", s->name);
    put_text(d, ",\"note\":", s->note);
    put_number(d, ",\"done\":", s->s.done);
    put_number(d, ",\"total\":", s->s.total);
    put_number(d, ",\"per_second\":", s->s.per_second);
    put_number(d, ",\"left_s\":", s->s.left_s);
    put_number(d, ",\"age_s\":", now - s->told);
    snc_textbuf_put(d, ",\"part\":%d,\"parts\":%d", s->s.part, s->s.parts);
    put_number(d, ",\"share\":", s->s.share);
    put_number(d, ",\"all_left_s\":", s->s.all_left_s);
    snc_textbuf_text(d, "}");
}

static void put_point(snc_textbuf *d, const state *s, const point *p, bool first)
{
    snc_textbuf_put(d, "%s[%d", first ? "" : ",", p->id);
    for (int i = 0; i < s->objectives; i++) put_number(d, ",", p->value[i]);
    snc_textbuf_text(d, "]");
}

static void put_search(snc_textbuf *d, const state *s)
{
    const long others = s->n_others < OTHERS ? s->n_others : OTHERS;
    snc_textbuf_text(d, ",\"search\":");
    if (s->evaluations == 0) {
        snc_textbuf_text(d, "null");
        return;
    }
    snc_textbuf_text(d, "{\"objectives\":[");
    for (int i = 0; i < s->objectives; i++) put_text(d, i ? "," : "", s->objective[i]);
    snc_textbuf_put(d, "],\"evaluations\":%d,\"front\":[", s->evaluations);
    for (int i = 0; i < s->fronts; i++) put_point(d, s, &s->front[i], i == 0);
    snc_textbuf_text(d, "],\"others\":[");
    for (long i = s->n_others - others; i < s->n_others; i++) put_point(d, s, &s->other[i % OTHERS], i == s->n_others - others);
    snc_textbuf_text(d, "]}");
}

static void put_log(snc_textbuf *d, const state *s)
{
    const long first = s->n_lines < LINES ? 0 : s->n_lines - LINES;
    snc_textbuf_text(d, ",\"log\":[");
    for (long i = first; i < s->n_lines; i++) {
        const line *l = &s->log[i % LINES];
        snc_textbuf_put(d, "%s{\"id\":%ld,\"seconds\":%.1f", i > first ? "," : "", i + 1, l->at);
        put_text(d, ",\"level\":", l->level);
        put_text(d, ",\"line\":", l->text);
        snc_textbuf_text(d, "}");
    }
    snc_textbuf_text(d, "]}");
}

void snc_watched_json(snc_textbuf *d, snc_watched *w)
{
    state *s = NULL;
    const double now = snc_now();
    if (!d->err) d->err = snc_alloc(&s, 1, sizeof *s);
    if (!s) return;
    pthread_mutex_lock(&w->lock);
    *s = w->now;
    pthread_mutex_unlock(&w->lock);
    put_text(d, "{\"verb\":", s->verb);
    snc_textbuf_put(d, ",\"seconds\":%.1f,\"ended\":", now - s->began);
    if (s->ended) {
        snc_textbuf_put(d, "{\"exit_code\":%d", s->exit_code);
        put_text(d, ",\"text\":", s->text);
        snc_textbuf_text(d, "}");
    } else {
        snc_textbuf_text(d, "null");
    }
    put_stage(d, s, now);
    put_search(d, s);
    put_log(d, s);
    snc_free(s);
}
