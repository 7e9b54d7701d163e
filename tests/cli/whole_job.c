/* A program of another on the whole job: ./whole_job MODEL TASK DATA OUT. It notes each of its starts in ./starts. */
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
    int missed = 0;
    FILE *f = fopen("starts", "a");
    if (!f || fputs("start\n", f) < 0 || fclose(f) != 0) return 1;
    if (argc != 5) return 2;
    snc_options_init(&o);
    snc_host_init(&h);
    o.pretrained = argv[1];
    o.task = argv[2];
    o.data = argv[3];
    o.output = argv[4];
    o.target_latency = "0.9x";
    o.dry_run = 1;
    h.result = print_line;
    snc_err err = snc_stage_compress(&o, &h, &missed);
    if (err) fprintf(stderr, "%s\n", snc_err_text());
    return err ? 2 : 0;
}
