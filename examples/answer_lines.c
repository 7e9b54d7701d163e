/* Classifies each line of standard input with a compressed model: ./answer_lines compressed.snc < lines */
#include <stdio.h>
#include <string.h>

#include "snc.h"

int main(int argc, char **argv)
{
    snc_classifier *model = NULL;
    snc_session *session = NULL;
    char line[4096];
    if (argc != 2) {
        fprintf(stderr, "usage: %s compressed.snc < lines\n", argv[0]);
        return 2;
    }
    snc_err err = snc_classifier_open(&model, argv[1]);
    if (!err) err = snc_session_new(&session, model, 1);
    while (!err && fgets(line, sizeof line, stdin)) {
        snc_result r;
        snc_text text = {line, NULL};
        line[strcspn(line, "\n")] = 0;
        err = snc_classify(&r, session, &text, 1);
        if (!err) printf("%s\t%.3f\n", r.label ? r.label : "value", (double)r.score);
    }
    if (err) fprintf(stderr, "%s\n", snc_err_text());
    snc_session_free(session);
    snc_classifier_close(model);
    return err ? 2 : 0;
}
