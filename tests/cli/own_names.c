/* A program with a function of its own under a name that the library uses inside: ./own_names compressed.snc */
#include <stdio.h>

#include "snc.h"

int snc_alloc(int channels); /* "sensor controller" */

int snc_alloc(int channels) { return channels; }

int main(int argc, char **argv)
{
    snc_classifier *model = NULL;
    if (argc != 2 || snc_alloc(3) != 3) return 2;
    snc_err err = snc_classifier_open(&model, argv[1]);
    if (err) fprintf(stderr, "%s\n", snc_err_text());
    snc_classifier_close(model);
    return err ? 1 : 0;
}
