/* tests/bench/tokenizer_speed.c: how fast a text file is tokenized on one thread, and the ids for comparisons.
 *
 *     tokenizer_speed FOLDER FILE             encodes every line, repeated for about a second, five times; prints the fastest
 *     tokenizer_speed FOLDER --ids            stdin: one text a line, TAB makes a pair; stdout: ids of each, as `compress tokenize`
 *     tokenizer_speed FOLDER --records [MAX]  stdin: records (u32 bytes of a, i32 bytes of b or -1, a, b); stdout: (i32 n, i32 ids[n],
 *                                             i32 types[n]) each, native byte order: for texts that hold line breaks. MAX: max length
 *
 * The peer's side is tests/bench/tokenizers_speed.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "tokenizer/tokenizer.h"

enum { ROUNDS = 5, MAX_RECORD = 1 << 24 };

static snc_err encode_lines(size_t *lines, size_t *tokens, const snc_tok *t, snc_tok_scratch *s, const snc_fmap *m)
{
    const char *p = (const char *)m->data, *end = p + m->size;
    for (*lines = *tokens = 0; p < end; ++*lines) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        if (!lf) lf = end;
        snc_encoding e;
        SNC_TRY(snc_tok_encode(&e, t, s, p, (size_t)(lf - p), NULL, 0, 0));
        *tokens += (size_t)e.n;
        p = lf + 1;
    }
    return SNC_OK;
}

static snc_err time_file(const snc_tok *t, snc_tok_scratch *s, const char *path)
{
    snc_fmap *m;
    size_t lines = 0, tokens = 0;
    double best = 1e30;
    SNC_TRY(snc_fmap_open(&m, path));
    snc_err err = SNC_OK;
    for (int round = 0; round < ROUNDS && err == SNC_OK; round++) {
        double start = snc_now(), took = 0;
        int passes = 0;
        for (; took < 1.0 && err == SNC_OK; passes++) {
            err = encode_lines(&lines, &tokens, t, s, m);
            took = snc_now() - start;
        }
        if (took / passes < best) best = took / passes;
    }
    if (err == SNC_OK)
        printf("%s: %zu lines, %zu tokens, %.1f MB: %.0f lines/s, %.2f MB/s\n", path, lines, tokens, (double)m->size * 1e-6,
               (double)lines / best, (double)m->size * 1e-6 / best);
    snc_fmap_close(m);
    return err;
}

static snc_err print_ids(const snc_tok *t, snc_tok_scratch *s)
{
    char *line = NULL;
    size_t cap = 0, n = 0;
    snc_err err = SNC_OK;
    for (int c = getchar(); c != EOF && err == SNC_OK; c = getchar()) {
        err = snc_grow(&line, &cap, n + 1, 1);
        if (err != SNC_OK) break;
        if (c != '\n') {
            line[n++] = (char)c;
            continue;
        }
        snc_encoding e;
        const char *tab = n ? memchr(line, '\t', n) : NULL;
        size_t a = tab ? (size_t)(tab - line) : n;
        err = snc_tok_encode(&e, t, s, line, a, tab ? tab + 1 : NULL, tab ? n - a - 1 : 0, 0);
        for (int i = 0; err == SNC_OK && i < e.n; i++) printf("%d%c", e.ids[i], i + 1 < e.n ? ' ' : '\n');
        n = 0;
    }
    snc_free(line);
    return err;
}

static snc_err write_records(const snc_tok *t, snc_tok_scratch *s, int max_length)
{
    char *text = NULL;
    size_t cap = 0;
    struct {
        uint32_t a;
        int32_t b;
    } head;
    snc_err err = SNC_OK;
    while (err == SNC_OK && fread(&head, sizeof head, 1, stdin) == 1) {
        snc_encoding e;
        size_t b = head.b > 0 ? (size_t)head.b : 0, n = head.a + b;
        if (n > MAX_RECORD) err = snc_err_set(SNC_E_FORMAT, "a record of %zu bytes is too long", n);
        if (err == SNC_OK) err = snc_grow(&text, &cap, n + 1, 1);
        if (err == SNC_OK && fread(text, 1, n, stdin) != n) err = snc_err_set(SNC_E_FORMAT, "a record is cut short");
        if (err == SNC_OK) err = snc_tok_encode(&e, t, s, text, head.a, head.b >= 0 ? text + head.a : NULL, b, max_length);
        if (err != SNC_OK) break;
        fwrite(&e.n, sizeof e.n, 1, stdout);
        fwrite(e.ids, sizeof *e.ids, (size_t)e.n, stdout);
        fwrite(e.types, sizeof *e.types, (size_t)e.n, stdout);
    }
    snc_free(text);
    return err;
}

int main(int argc, char **argv)
{
    snc_tok_assets assets = {.kind = NULL};
    snc_tok *t = NULL;
    snc_tok_scratch *s = NULL;
    if (argc < 3) {
        fprintf(stderr, "usage: tokenizer_speed FOLDER FILE | --ids | --records [MAX]\n");
        return 2;
    }
    double start = snc_now();
    snc_err err = snc_tok_assets_load(&assets, argv[1]);
    double loaded = snc_now();
    if (err == SNC_OK) err = snc_tok_new(&t, &assets);
    double made = snc_now();
    if (err == SNC_OK) err = snc_tok_scratch_new(&s);
    if (err == SNC_OK && strcmp(argv[2], "--ids") == 0) {
        err = print_ids(t, s);
    } else if (err == SNC_OK && strcmp(argv[2], "--records") == 0) {
        err = write_records(t, s, argc > 3 ? atoi(argv[3]) : 0);
    } else if (err == SNC_OK) {
        printf("folder read in %.1f ms, tokenizer made in %.1f ms\n", (loaded - start) * 1e3, (made - loaded) * 1e3);
        err = time_file(t, s, argv[2]);
    }
    if (err != SNC_OK) fprintf(stderr, "error: %s\n", snc_err_text());
    snc_tok_scratch_free(s);
    snc_tok_free(t);
    snc_tok_assets_dispose(&assets);
    return err == SNC_OK ? 0 : 2;
}
