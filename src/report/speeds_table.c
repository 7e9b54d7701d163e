/* Two columns a length, the 90th percentile right under it. */
#include "report/speeds_table.h"

#include <stdio.h>

#include "artifact/say.h"

void snc_speeds_say(const snc_speeds *s, const snc_host *h)
{
    char line[64 + SNC_SPEEDS_LENGTHS * 64];
    size_t n = (size_t)snprintf(line, sizeof line, "tokens");
    snc_say(h, "times of a text by itself in us, median and 90th percentile, on %s (%s, threads %d, backend %s)", s->cpu, s->isa,
            s->threads, s->backend);
    for (int i = 0; i < s->lengths; i++) n += (size_t)snprintf(line + n, sizeof line - n, " %19d", s->tokens[i]);
    snc_say(h, "%s", line);
    for (int k = 0; k < s->nets; k++) {
        n = (size_t)snprintf(line, sizeof line, "net %2d", k);
        for (int i = 0; i < s->lengths; i++)
            n += (size_t)snprintf(line + n, sizeof line - n, " %9.1f %9.1f", s->median[k][i], s->p90[k][i]);
        snc_say(h, "%s", line);
    }
}
