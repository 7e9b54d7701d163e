/* A table of a few lengths a net; everything between them is a line. */
#include "models/speeds.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "base/isa.h"
#include "base/minmax.h"
#include "models/family/family.h"

enum { SHORTEST = 8, LONGEST = 65536, MOST_THREADS = 1024 };

static const double MOST_US = 1e9; /* a quarter of an hour */

void snc_speeds_begin(snc_speeds *out, int n, int longest, const snc_ctx *ctx)
{
    *out = (snc_speeds){.nets = n,
                        .cpu = snc_cpu_name(),
                        .isa = snc_isa_name(snc_isa_now()),
                        .backend = snc_backend_name(ctx->backend),
                        .threads = ctx->threads};
    assert(n >= 1 && n <= SNC_NETS_MOST && longest >= 1 && longest <= LONGEST);
    for (int t = SHORTEST; t < longest; t *= 2) out->tokens[out->lengths++] = t;
    out->tokens[out->lengths++] = longest;
}

void snc_speeds_add(snc_speeds *s, int net, int i, double median, double p90)
{
    double *m = s->median[net], *p = s->p90[net];
    m[i] = fmax(round(median * 1e3) / 1e3, 1e-3);
    p[i] = fmax(round(p90 * 1e3) / 1e3, m[i]);
    for (int k = i; k > 0; k--) {
        m[k - 1] = fmin(m[k - 1], m[k]);
        p[k - 1] = fmin(p[k - 1], p[k]);
    }
}

double snc_speeds_spread(const snc_speeds *s)
{
    double most = 1;
    for (int k = 0; k < s->nets; k++)
        for (int i = 0; i < s->lengths; i++) most = fmax(most, s->p90[k][i] / s->median[k][i]);
    return most;
}

/* On the line between two lengths. */
static double at(const snc_speeds *s, const double *us, int tokens)
{
    const int *t = s->tokens;
    int i = 0;
    assert(tokens <= t[s->lengths - 1]);
    while (tokens > t[i]) i++;
    if (i == 0 || tokens == t[i]) return us[i];
    return us[i - 1] + (us[i] - us[i - 1]) * (tokens - t[i - 1]) / (t[i] - t[i - 1]);
}

double snc_speeds_us(const snc_speeds *s, int net, int tokens)
{
    assert(net >= 0 && net < s->nets);
    return at(s, s->p90[net], tokens);
}

double snc_speeds_median(const snc_speeds *s, int net, int tokens)
{
    assert(net >= 0 && net < s->nets);
    return at(s, s->median[net], tokens);
}

int snc_speeds_pick(bool *over, const snc_speeds *s, int tokens, double us)
{
    int fastest = 0;
    double least = (double)INFINITY;
    *over = false;
    for (int k = 0; k < s->nets; k++) {
        const double takes = snc_speeds_us(s, k, tokens);
        if (takes <= us) return k;
        if (takes < least) fastest = k;
        least = fmin(least, takes);
    }
    *over = true;
    return fastest;
}

bool snc_speeds_differ(char *why, size_t size, const snc_speeds *s, const snc_ctx *ctx)
{
    const char *cpu = snc_cpu_name(), *isa = snc_isa_name(snc_isa_now()), *backend = snc_backend_name(ctx->backend);
    if (strcmp(s->cpu, cpu) == 0 && strcmp(s->isa, isa) == 0 && strcmp(s->backend, backend) == 0 && s->threads == ctx->threads)
        return false;
    if (why)
        snprintf(why, size,
                 "times of its nets are of %.60s (%.20s, threads %d, backend %.20s), and this is %.60s (%s, threads %d, backend %s)",
                 s->cpu, s->isa, s->threads, s->backend, cpu, isa, ctx->threads, backend);
    return true;
}

/* ---- in the file --------------------------------------------------------------------------------------------------------- */

static snc_err read_text(const char **out, const cJSON *j, const char *key, const char *where)
{
    *out = NULL;
    SNC_TRY(snc_json_str(out, j, key, NULL, where));
    SNC_CHECK(*out, SNC_E_FORMAT, "%s: has no '%s'", where, key);
    return snc_json_check_line(*out, key, where);
}

static snc_err read_lengths(snc_speeds *s, const cJSON *j, int longest, const char *where)
{
    SNC_TRY(snc_json_ints(s->tokens, &s->lengths, SNC_SPEEDS_LENGTHS, j, "tokens", 1, LONGEST, where));
    SNC_CHECK(s->lengths > 0, SNC_E_FORMAT, "%s: has no 'tokens'", where);
    for (int i = 1; i < s->lengths; i++)
        SNC_CHECK(s->tokens[i] > s->tokens[i - 1], SNC_E_FORMAT, "%s: tokens: expected lengths in ascending order", where);
    SNC_CHECK(s->tokens[s->lengths - 1] >= longest, SNC_E_FORMAT, "%s: tokens: end at %d, expected at least %d, where texts are cut", where,
              s->tokens[s->lengths - 1], longest);
    return SNC_OK;
}

/* A list of each net, of a time for each length. */
static snc_err read_times(double us[][SNC_SPEEDS_LENGTHS], const snc_speeds *s, const cJSON *j, const char *key, const char *where)
{
    const cJSON *lists = cJSON_GetObjectItemCaseSensitive(j, key), *list, *it;
    int k = 0;
    SNC_CHECK(cJSON_IsArray(lists) && cJSON_GetArraySize(lists) == s->nets, SNC_E_FORMAT, "%s: %s: expected a list of %d nets", where, key,
              s->nets);
    cJSON_ArrayForEach(list, lists)
    {
        int i = 0;
        SNC_CHECK(cJSON_IsArray(list) && cJSON_GetArraySize(list) == s->lengths, SNC_E_FORMAT, "%s: %s of net %d: expected a list of %d",
                  where, key, k, s->lengths);
        cJSON_ArrayForEach(it, list)
        {
            SNC_CHECK(cJSON_IsNumber(it) && it->valuedouble > 0 && it->valuedouble <= MOST_US, SNC_E_FORMAT,
                      "%s: %s of net %d: expected numbers above 0, up to %g", where, key, k, MOST_US);
            SNC_CHECK(i == 0 || it->valuedouble >= us[k][i - 1], SNC_E_FORMAT,
                      "%s: %s of net %d: a longer text takes less time than a shorter one", where, key, k);
            us[k][i++] = it->valuedouble;
        }
        k++;
    }
    return SNC_OK;
}

snc_err snc_speeds_read(snc_speeds *out, const cJSON *j, int n, const snc_encoder_config *c, const cJSON *meta, const char *where)
{
    int longest;
    *out = (snc_speeds){.nets = n};
    SNC_CHECK(cJSON_IsObject(j), SNC_E_FORMAT, "%s: expected a JSON object", where);
    SNC_CHECK(n >= 2, SNC_E_FORMAT, "%s: there is one net, and nothing to choose from", where);
    SNC_TRY(read_text(&out->cpu, j, "cpu", where));
    SNC_TRY(read_text(&out->isa, j, "isa", where));
    SNC_TRY(read_text(&out->backend, j, "backend", where));
    SNC_TRY(snc_json_int(&out->threads, j, "threads", 0, 1, MOST_THREADS, where));
    SNC_CHECK(out->threads, SNC_E_FORMAT, "%s: has no 'threads'", where);
    SNC_TRY(snc_json_int(&longest, meta, "max_length", snc_family_length(c), 3, LONGEST, where));
    SNC_TRY(read_lengths(out, j, snc_min(longest, snc_family_length(c)), where));
    SNC_TRY(read_times(out->median, out, j, "median", where));
    SNC_TRY(read_times(out->p90, out, j, "p90", where));
    for (int k = 0; k < n; k++)
        for (int i = 0; i < out->lengths; i++)
            SNC_CHECK(out->p90[k][i] >= out->median[k][i], SNC_E_FORMAT, "%s: p90 of net %d: is below the median", where, k);
    return SNC_OK;
}

static cJSON *times_json(const double us[][SNC_SPEEDS_LENGTHS], const snc_speeds *s)
{
    cJSON *lists = cJSON_CreateArray();
    for (int k = 0; k < s->nets; k++) cJSON_AddItemToArray(lists, cJSON_CreateDoubleArray(us[k], s->lengths));
    return lists;
}

cJSON *snc_speeds_json(const snc_speeds *s)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "cpu", s->cpu);
    cJSON_AddStringToObject(j, "isa", s->isa);
    cJSON_AddNumberToObject(j, "threads", s->threads);
    cJSON_AddStringToObject(j, "backend", s->backend);
    cJSON_AddItemToObject(j, "tokens", cJSON_CreateIntArray(s->tokens, s->lengths));
    cJSON_AddItemToObject(j, "median", times_json(s->median, s));
    cJSON_AddItemToObject(j, "p90", times_json(s->p90, s));
    return j;
}
