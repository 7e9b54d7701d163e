/* Scores a model on the dev split of a task: ./evaluate compressed.snc DATA. The stages are one function a verb. */
#include <stdio.h>

#include "snc.h"

static void print_line(void *user, const char *line)
{
    (void)user;
    puts(line);
}

int main(int argc, char **argv)
{
    snc_options o;
    snc_host h;
    if (argc != 3) {
        fprintf(stderr, "usage: %s compressed.snc DATA\n", argv[0]);
        return 2;
    }
    const char *models[] = {argv[1]};
    snc_options_init(&o);
    snc_host_init(&h);
    o.input.models = models;
    o.input.n_models = 1;
    o.rows.task = "sst2";
    o.rows.data = argv[2];
    h.result = print_line;
    snc_err err = snc_stage_eval(&o, &h);
    if (err) fprintf(stderr, "%s\n", snc_err_text());
    return err ? 2 : 0;
}
