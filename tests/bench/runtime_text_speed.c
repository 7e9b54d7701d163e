/* Text in, label out: a .snc through snc.h, one sentence a call, the tokenizer included. Its peers: peer_text.py.
 *
 *   runtime_text_speed MODEL.snc DEV.tsv [THREADS [SECONDS]]        default 1 2
 *
 * The sentence is the first column, below a header. Prints median, p90 and mean milliseconds of a sentence over whole passes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "snc.h"

static void need(snc_err err)
{
    if (err == SNC_OK) return;
    fprintf(stderr, "%s\n", snc_err_text());
    exit(1);
}

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The first cells of the lines below the header; they point into `text`. */
static size_t cells(const char ***out, char *text)
{
    const char **list = NULL;
    size_t n = 0, cap = 0;
    char *next, *line = strchr(text, '\n');
    for (line = line ? line + 1 : NULL; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        line[strcspn(line, "\t")] = 0;
        need(snc_grow(&list, &cap, n + 1, sizeof *list));
        list[n++] = line;
    }
    *out = list;
    return n;
}

int main(int argc, char **argv)
{
    if (argc < 3) return fprintf(stderr, "runtime_text_speed MODEL.snc DEV.tsv [THREADS [SECONDS]]\n"), 2;
    int threads = argc > 3 ? atoi(argv[3]) : 1, positive = 0;
    double seconds = argc > 4 ? atof(argv[4]) : 2, sum = 0, *ms = NULL;
    size_t n, used = 0, cap = 0;
    snc_fmap *map = NULL;
    snc_classifier *model = NULL;
    snc_session *session = NULL;
    snc_result r;
    const char **texts;
    char *text = NULL;
    need(snc_fmap_open(&map, argv[2]));
    need(snc_strndup(&text, (const char *)map->data, map->size));
    n = cells(&texts, text);
    if (n == 0) return fprintf(stderr, "%s: no sentences\n", argv[2]), 1;
    double start = snc_now();
    need(snc_classifier_open(&model, argv[1]));
    need(snc_session_new(&session, model, threads));
    need(snc_classify(&r, session, &(snc_text){.a = texts[0]}, 1));
    double opened = snc_now() - start;
    for (size_t i = 0; i < n && i < 50; i++) need(snc_classify(&r, session, &(snc_text){.a = texts[i]}, 1));
    start = snc_now();
    do
        for (size_t i = 0; i < n; i++) {
            double t = snc_now();
            need(snc_classify(&r, session, &(snc_text){.a = texts[i]}, 1));
            t = (snc_now() - t) * 1e3;
            need(snc_grow(&ms, &cap, used + 1, sizeof *ms));
            ms[used++] = t;
            sum += t;
            if (used <= n) positive += r.index == 1;
        }
    while (snc_now() - start < seconds);
    qsort(ms, used, sizeof *ms, ascending);
    printf("%zu sentences, %d of class 1: median %.3f ms, p90 %.3f, mean %.3f; open to first label %.1f ms\n", n, positive, ms[used / 2],
           ms[used * 9 / 10], sum / (double)used, opened * 1e3);
    snc_session_free(session);
    snc_classifier_close(model);
    snc_fmap_close(map);
    snc_free(ms);
    snc_free(texts);
    snc_free(text);
    return 0;
}
