/* A program of another on the whole job: ./whole_job MODEL TASK DATA OUT. It notes each of its starts in ./starts. */
#include <stdio.h>

#include "snc.h"

static void write_line(void *file, const char *line) { fprintf(file, "%s\n", line); }

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
    o.input.pretrained = argv[1];
    o.rows.task = argv[2];
    o.rows.data = argv[3];
    o.output.path = argv[4];
    o.targets.latency = "0.9x";
    o.job.dry_run = 1;
    h.user = stdout;
    h.result = write_line;
    snc_err err = snc_stage_compress(&o, &h, &missed);
    if (err) fprintf(stderr, "%s\n", snc_err_text());
    return err ? 2 : 0;
}
