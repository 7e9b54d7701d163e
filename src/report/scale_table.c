/* Parts are put together as the estimate's line has them; JSON and CSV have each. */
#include "report/scale_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/say.h"
#include "base/mem.h"
#include "base/textbuf.h"

static const char *const needs[SNC_NEEDS] = {"finetune", "supernet", "search", "repair"};

static double sum(const snc_scale_row *r, snc_job_part from, snc_job_part to)
{
    double s = 0;
    for (int i = (int)from; i <= (int)to; i++) s += r->part[i];
    return s;
}

/* ---- to read ------------------------------------------------------------------------------------------------------------ */

/* Bytes that a backward pass may hide: of a network alone, and of all layers but that which it ends with. */
static double hidden(const snc_scale *s) { return s->shared ? 0 : (s->layers - 1) * s->layer; }

static void say_rates(const snc_scale_table *t, const snc_host *h)
{
    const snc_scale *s = t->scale;
    const double rows = t->pace->step - s->here;
    char network[80] = "shared memory";
    if (!s->shared) snprintf(network, sizeof network, "%.3g GB/s", s->network / 1e9);
    snc_say(h, "a step of %.0f rows: %.4f s on %d core%s, %.1f ms of it the optimiser's; %.0f %% of the rest whatever the rows",
            t->pace->batch, t->pace->step, s->cores, s->cores == 1 ? "" : "s", 1e3 * s->here, 100 * s->fixed);
    if (s->cores > 1)
        snc_say(h,
                "on one core %.4f s: by Amdahl's law %.1f %% of it has one core alone, and other numbers of cores are worked out from that",
                rows * snc_scale_cores(s, 1) + s->optimiser, 100 * s->serial);
    else snc_say(h, "there is one core here: that %.1f %% of its work has one core alone is assumed, not measured", 100 * s->serial);
    snc_say(h,
            "exchange of a step: %.1f MB by %s, %.1f MB of it behind the backward pass as far as that lasts, %.0f us a message, summed at "
            "%.1f GB/s; memory %.1f GB/s a machine",
            snc_scale_bytes(s) / 1e6, network, hidden(s) / 1e6, 1e6 * s->latency, s->sum / 1e9, s->memory / 1e9);
}

static void say_times(const snc_scale_table *t, const snc_host *h)
{
    snc_say(h, "%s", "");
    snc_say(h, "| ranks | cores | finetune | supernet | search | repair | the rest | in all | of it exchange | speed-up |");
    snc_say(h, "|---|---|---|---|---|---|---|---|---|---|");
    for (int i = 0; i < t->n; i++) {
        const snc_scale_row *r = &t->row[i];
        const double of[] = {sum(r, SNC_JOB_FINETUNE, SNC_JOB_BASELINE), sum(r, SNC_JOB_LOGITS, SNC_JOB_SUPERNET),
                             sum(r, SNC_JOB_SEARCH, SNC_JOB_LOOK), sum(r, SNC_JOB_REFIT_LOGITS, SNC_JOB_REPAIR)};
        char words[6][SNC_CLOCK];
        for (int k = 0; k < 4; k++) snc_clock_words(words[k], of[k]);
        snc_clock_words(words[4], r->all - of[0] - of[1] - of[2] - of[3]);
        snc_clock_words(words[5], r->all);
        snc_say(h, "| %d | %d | %s | %s | %s | %s | %s | %s | %.1f %% | %.2fx |", r->ranks, r->cores, words[0], words[1], words[2],
                words[3], words[4], words[5], 100 * r->exchange / r->all, t->here / r->all);
    }
}

/* What does not depend on cores once for all of them. */
static void say_memory(const snc_scale_table *t, const snc_host *h)
{
    snc_say(h, "%s", "");
    snc_say(h, "| ranks | rows at once | finetune | supernet | search | repair | rank 0 at most | another rank | a machine |");
    snc_say(h, "|---|---|---|---|---|---|---|---|---|");
    for (int i = 0; i < t->n; i++) {
        const snc_scale_row *r = &t->row[i];
        if (i > 0 && r->ranks == t->row[i - 1].ranks) continue;
        char cell[SNC_NEEDS + 3][32];
        const double whole[] = {r->most, r->other, r->machine};
        for (int k = 0; k < SNC_NEEDS + 3; k++) {
            const double bytes = k < SNC_NEEDS ? r->memory[k] : whole[k - SNC_NEEDS];
            if (bytes > 0) snprintf(cell[k], sizeof cell[k], "%.*f MB", bytes < 1e8 ? 1 : 0, bytes / 1e6);
            else snprintf(cell[k], sizeof cell[k], "-");
        }
        snc_say(h, "| %d | %d | %s | %s | %s | %s | %s | %s | %s |", r->ranks, r->at_once, cell[0], cell[1], cell[2], cell[3], cell[4],
                cell[5], cell[6]);
    }
}

/* ---- for programs ------------------------------------------------------------------------------------------------------ */

static snc_err say_csv(const snc_scale_table *t, const snc_host *h)
{
    snc_textbuf b = {.p = NULL};
    snc_textbuf_put(&b, "ranks,cores");
    for (int k = 0; k < SNC_JOB_PARTS; k++) snc_textbuf_put(&b, ",%s", snc_job_part_name((snc_job_part)k));
    snc_textbuf_put(&b, ",all_s,exchange_s,step_s,speed_up,rows_at_once");
    for (int k = 0; k < SNC_NEEDS; k++) snc_textbuf_put(&b, ",%s_bytes", needs[k]);
    snc_textbuf_put(&b, ",most_bytes,other_bytes,machine_bytes");
    for (int i = 0; i < t->n; i++) {
        const snc_scale_row *r = &t->row[i];
        snc_textbuf_put(&b, "\n%d,%d", r->ranks, r->cores);
        for (int k = 0; k < SNC_JOB_PARTS; k++) snc_textbuf_put(&b, ",%.3f", r->part[k]);
        snc_textbuf_put(&b, ",%.3f,%.3f,%.6f,%.4f,%d", r->all, r->exchange, r->step, t->here / r->all, r->at_once);
        for (int k = 0; k < SNC_NEEDS; k++) snc_textbuf_put(&b, ",%.0f", r->memory[k]);
        snc_textbuf_put(&b, ",%.0f,%.0f,%.0f", r->most, r->other, r->machine);
    }
    if (!b.err) snc_say_text(h, b.p);
    snc_free(b.p);
    return b.err;
}

static cJSON *row_json(const snc_scale_table *t, const snc_scale_row *r)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "ranks", r->ranks);
    cJSON_AddNumberToObject(j, "cores", r->cores);
    cJSON *parts = cJSON_AddObjectToObject(j, "parts_s");
    for (int k = 0; k < SNC_JOB_PARTS; k++) cJSON_AddNumberToObject(parts, snc_job_part_name((snc_job_part)k), r->part[k]);
    cJSON_AddNumberToObject(j, "all_s", r->all);
    cJSON_AddNumberToObject(j, "exchange_s", r->exchange);
    cJSON_AddNumberToObject(j, "step_s", r->step);
    cJSON_AddNumberToObject(j, "speed_up", t->here / r->all);
    cJSON_AddNumberToObject(j, "rows_at_once", r->at_once);
    cJSON *memory = cJSON_AddObjectToObject(j, "memory_bytes");
    for (int k = 0; k < SNC_NEEDS; k++) cJSON_AddNumberToObject(memory, needs[k], round(r->memory[k]));
    cJSON_AddNumberToObject(memory, "most", round(r->most));
    cJSON_AddNumberToObject(memory, "other", round(r->other));
    cJSON_AddNumberToObject(memory, "machine", round(r->machine));
    return j;
}

static cJSON *table_json(const snc_scale_table *t, const snc_ctx *ctx)
{
    const snc_scale *s = t->scale;
    const snc_pace *p = t->pace;
    cJSON *j = cJSON_CreateObject(), *rates, *network, *plans;
    cJSON_AddNumberToObject(j, "rows", p->all);
    cJSON_AddNumberToObject(j, "tokens_per_row", p->tokens / p->rows);
    cJSON_AddNumberToObject(j, "batch_size", p->batch);
    for (int k = 0; k < SNC_KNOBS; k++)
        if (snc_knob_option(k)) cJSON_AddNumberToObject(j, snc_knob_option(k), t->plan->v[k]);
    rates = cJSON_AddObjectToObject(j, "rates");
    cJSON_AddNumberToObject(rates, "cores", s->cores);
    cJSON_AddNumberToObject(rates, "step_s", p->step);
    cJSON_AddNumberToObject(rates, "serial", s->serial);
    cJSON_AddBoolToObject(rates, "serial_assumed", s->cores == 1);
    cJSON_AddNumberToObject(rates, "fixed", s->fixed);
    cJSON_AddNumberToObject(rates, "optimiser_one_core_s", s->optimiser);
    cJSON_AddNumberToObject(rates, "optimiser_s", s->here);
    cJSON_AddNumberToObject(rates, "memory_bytes_per_s", s->memory);
    cJSON_AddNumberToObject(rates, "sum_bytes_per_s", s->sum);
    cJSON_AddNumberToObject(rates, "exchanged_bytes", snc_scale_bytes(s));
    cJSON_AddNumberToObject(rates, "layered_bytes", hidden(s));
    network = cJSON_AddObjectToObject(j, "network");
    cJSON_AddBoolToObject(network, "shared", s->shared);
    if (!s->shared) cJSON_AddNumberToObject(network, "bytes_per_s", s->network);
    cJSON_AddNumberToObject(network, "latency_s", s->latency);
    plans = cJSON_AddArrayToObject(j, "plans");
    for (int i = 0; i < t->n; i++) cJSON_AddItemToArray(plans, row_json(t, &t->row[i]));
    cJSON_AddItemToObject(j, "host", snc_host_json(ctx));
    return j;
}

snc_err snc_scale_say(const snc_scale_table *t, const snc_ctx *ctx, const snc_host *h, const char *format)
{
    if (strcmp(format, "json") == 0) return snc_say_json(h, table_json(t, ctx), true, "plan");
    if (strcmp(format, "csv") == 0) return say_csv(t, h);
    say_rates(t, h);
    say_times(t, h);
    say_memory(t, h);
    return SNC_OK;
}
