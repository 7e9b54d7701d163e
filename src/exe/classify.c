/* The program that `export --to exe` puts a model behind: lines of text in, a line for each out, as `compress predict` writes them. It is
 * linked statically and reads its own file alone, so that it runs in an empty root. */
#define _GNU_SOURCE /* program_invocation_short_name */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blanks.h"
#include "base/error.h"
#include "base/fmap.h"
#include "cli/lines.h"
#include "models/cutoff.h"
#include "snc.h"

enum { LINES = 64 }; /* answered together at most; order is kept */

typedef struct classify {
    snc_classifier *model;
    snc_session *session;
    char *text[LINES]; /* of the lines that wait */
    snc_text ask[LINES];
    snc_result result[LINES];
    int *label; /* [classes] */
    int waiting;
} classify;

static int fail(const char *why)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, why);
    return 2;
}

/* ---- answers ------------------------------------------------------------------------------------------------------------- */

static void put_label(const classify *c, int k)
{
    const char *name = snc_classifier_label(c->model, k);
    if (name) fputs(name, stdout);
    else printf("%d", k);
}

static snc_err say(classify *c, const snc_result *r)
{
    int n = 0;
    if (snc_classifier_vectors(c->model)) {
        for (int k = 0; k < snc_classifier_classes(c->model); k++) printf("%s%.7g", k ? "\t" : "", (double)r->logits[k]);
        putchar('\n');
        return SNC_OK;
    }
    if (snc_classifier_regression(c->model)) {
        printf("%.6f\n", (double)r->score);
        return SNC_OK;
    }
    if (!snc_classifier_multilabel(c->model)) {
        put_label(c, r->index);
        printf("\t%.6f\n", 1 / snc_class_sum(r->logits, snc_classifier_classes(c->model), r->index));
        return SNC_OK;
    }
    SNC_TRY(snc_result_labels(c->label, NULL, &n, c->model, r));
    printf("%d", n);
    for (int i = 0; i < n; i++) {
        putchar('\t');
        put_label(c, c->label[i]);
        printf("\t%.6f", snc_label_probability((double)r->logits[c->label[i]]));
    }
    putchar('\n');
    return SNC_OK;
}

/* The words of a text, which is parted for that, and the tag of each. */
static snc_err tag(classify *c, char *text)
{
    const size_t bytes = strlen(text), most = bytes / 2 + 1;
    const char **word = malloc(most * sizeof *word);
    snc_result *r = malloc(most * sizeof *r);
    snc_err err = word && r ? SNC_OK : SNC_E_NOMEM;
    int n = 0;
    if (!err) n = (int)snc_part_words(word, text, bytes);
    if (!err) err = snc_tag(r, c->session, word, n);
    for (int i = 0; i < n && !err; i++) {
        if (i) putchar(' ');
        if (r[i].index < 0) putchar('-');
        else put_label(c, r[i].index);
    }
    if (!err) putchar('\n');
    free(word);
    free(r);
    return err;
}

static snc_err answer(classify *c)
{
    const bool tags = snc_classifier_tags(c->model);
    snc_err err = tags ? SNC_OK : snc_classify(c->result, c->session, c->ask, c->waiting);
    for (int i = 0; i < c->waiting && !err; i++) err = tags ? tag(c, c->text[i]) : say(c, &c->result[i]);
    for (int i = 0; i < c->waiting; i++) free(c->text[i]);
    c->waiting = 0;
    return err;
}

/* ---- lines --------------------------------------------------------------------------------------------------------------- */

/* The first TAB parts a pair; bytes of value zero, which no text has, are left out. */
static snc_err take(classify *c, const char *line, size_t bytes)
{
    char *text = malloc(bytes + 1);
    const char *b = NULL;
    size_t n = 0;
    if (!text) return SNC_E_NOMEM;
    for (size_t i = 0; i < bytes; i++) {
        const bool parts = line[i] == '\t' && !b && !snc_classifier_tags(c->model);
        if (parts) b = text + n + 1;
        if (line[i] || parts) text[n++] = parts ? 0 : line[i];
    }
    text[n] = 0;
    c->text[c->waiting] = text;
    c->ask[c->waiting++] = (snc_text){.a = text, .b = b};
    return SNC_OK;
}

static int run(classify *c)
{
    static const volatile int never = 0;
    snc_lines in = {.fd = 0};
    const char *line = NULL;
    size_t bytes = 0;
    snc_err err = SNC_OK;
    for (;;) {
        err = snc_lines_next(&in, &line, &bytes, &never);
        if (err || !line) break;
        err = take(c, line, bytes);
        const bool all = c->waiting == LINES, now = !snc_lines_ready(&in);
        if (!err && (all || now)) err = answer(c);
        if (err) break;
        if (now) fflush(stdout);
    }
    if (!err) err = answer(c);
    if (!err && (fflush(stdout) != 0 || ferror(stdout))) return fail("standard output: write failed");
    return !err ? 0 : fail(err == SNC_E_NOMEM ? "out of memory" : snc_err_text());
}

int main(int argc, char **argv)
{
    classify c = {.model = NULL};
    const bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) return printf("%s\n", snc_version()) < 0;
    if (help)
        printf("usage: %s < lines\nLABEL TAB PROBABILITY for each line of text; a TAB in a line parts a pair. Of a model\n"
               "that tags words a tag for each word, of one that gives vectors the numbers\n",
               program_invocation_short_name);
    if (help || argc > 1) return help ? 0 : fail("takes no arguments; --help says more");
    const char *own = snc_program_path(); /* an empty root has no /proc to say it */
    if (!own || !snc_is_carrier(own))
        return fail("no model lies behind this program: has it been cut? `compress export FILE --to exe` makes it anew");
    if (snc_classifier_open(&c.model, own) || snc_session_new(&c.session, c.model, 1)) return fail(snc_err_text());
    const int classes = snc_classifier_classes(c.model);
    c.label = calloc((size_t)classes, sizeof *c.label);
    return c.label ? run(&c) : fail("out of memory");
}
