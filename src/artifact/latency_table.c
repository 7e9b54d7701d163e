/* State, digest and calibration of a table's file, from the stamp beside it. */
#include "artifact/latency_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/hosts.h"
#include "models/latency.h"

snc_err snc_latency_table_of(char table[SNC_TABLE_PATH], const char *path, const snc_ctx *work, int k)
{
    const snc_comm_host *on = snc_clock_host(work->comm, k);
    const size_t end = strlen(".json"), n = strlen(path);
    const int stem = (int)(n > end && strcmp(path + n - end, ".json") == 0 ? n - end : n);
    char kind[16] = "";
    if (on)
        snprintf(kind, sizeof kind, "-%08x",
                 (unsigned)snc_bytes_hash(snc_bytes_hash(0, on->cpu, strlen(on->cpu)), on->isa, strlen(on->isa)));
    SNC_CHECK(snprintf(table, SNC_TABLE_PATH, "%.*s%s%s", stem, path, kind, path + stem) < SNC_TABLE_PATH, SNC_E_ARG,
              "path too long: %.80s...", path);
    return SNC_OK;
}

snc_err snc_latency_table_inputs_path(char *buf, size_t size, const char *path)
{
    SNC_CHECK(snprintf(buf, size, "%s.inputs", path) < (int)size, SNC_E_ARG, "path too long: %.80s...", path);
    return SNC_OK;
}

snc_err snc_latency_table_digest(char out[SNC_DIGEST_TEXT], const char *path, const cJSON *calibration)
{
    snc_fmap *m = NULL;
    char *text = calibration ? cJSON_PrintUnformatted(calibration) : NULL;
    snc_err err = snc_fmap_open(&m, path);
    if (!err) {
        const snc_digest_part parts[] = {{m->data, m->size}, {text, text ? strlen(text) : 0}};
        snc_digest_text(out, snc_digest(parts, 2));
        snc_fmap_close(m);
    }
    cJSON_free(text);
    return err;
}

snc_state snc_latency_table_state(char why[SNC_WHY], const char *path, const cJSON *stamp, const snc_ctx *work, int k)
{
    cJSON *there = NULL;
    snc_latency *t = NULL;
    char inputs[4096], digest[SNC_DIGEST_TEXT];
    snc_state state = SNC_DAMAGED;
    why[0] = 0;
    if (!snc_is_file(path)) return SNC_ABSENT;
    snprintf(why, SNC_WHY, "is no latency table that is whole");
    if (snc_latency_table_inputs_path(inputs, sizeof inputs, path) || !snc_is_file(inputs) || snc_json_load(&there, inputs))
        return SNC_DAMAGED;
    const char *said = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(there, "digest"));
    if (!said || snc_latency_table_digest(digest, path, cJSON_GetObjectItemCaseSensitive(there, "calibration")) ||
        strcmp(said, digest) != 0)
        goto out;
    if (snc_latency_load(&t, path)) goto out;
    state = snc_stamp_same(why, there, stamp) ? SNC_CURRENT : SNC_STALE;
    if (state == SNC_CURRENT && !snc_latency_fits_host(t, work, snc_clock_host(work->comm, k))) {
        snprintf(why, SNC_WHY, "was measured on another kind of machine");
        state = SNC_DAMAGED;
    }
out:
    snc_latency_free(t);
    cJSON_Delete(there);
    return state;
}

snc_state snc_latency_tables_state(char why[SNC_WHY], const char *path, const cJSON *stamp, const snc_ctx *work)
{
    static const int grave[] = {[SNC_CURRENT] = 0, [SNC_ABSENT] = 1, [SNC_DAMAGED] = 2, [SNC_STALE] = 3};
    snc_state all = SNC_CURRENT;
    char table[SNC_TABLE_PATH], one[SNC_WHY];
    why[0] = 0;
    for (int k = 0; k < snc_clocks(work->comm); k++) {
        if (snc_latency_table_of(table, path, work, k)) continue; /* nor can it be made */
        const snc_state state = snc_latency_table_state(one, table, stamp, work, k);
        if (grave[state] <= grave[all]) continue;
        all = state;
        memcpy(why, one, sizeof one);
    }
    return all;
}

void snc_latency_tables_drop(const char *path, const snc_ctx *work)
{
    char table[SNC_TABLE_PATH];
    for (int k = 0; k < snc_clocks(work->comm); k++)
        if (snc_latency_table_of(table, path, work, k) == SNC_OK) remove(table);
}

snc_err snc_latency_tables_digest(char out[SNC_DIGEST_TEXT], const char *path, const snc_ctx *work)
{
    char each[SNC_COMM_CLOCKS][SNC_DIGEST_TEXT] = {{0}}, table[SNC_TABLE_PATH];
    const int n = snc_clocks(work->comm);
    for (int k = 0; k < n; k++) {
        SNC_TRY(snc_latency_table_of(table, path, work, k));
        SNC_TRY(snc_latency_table_digest(each[k], table, NULL));
    }
    const snc_digest_part all = {each, (size_t)n * sizeof each[0]};
    if (n == 1) memcpy(out, each[0], sizeof each[0]);
    else snc_digest_text(out, snc_digest(&all, 1));
    return SNC_OK;
}

double snc_latency_table_factor(const cJSON *probed, double limit_us, bool relative, double full_us)
{
    const cJSON *it;
    double sum = 0, weights = 0;
    cJSON_ArrayForEach(it, probed)
    {
        double predicted = cJSON_GetNumberValue(cJSON_GetArrayItem(it, 0)), us = cJSON_GetNumberValue(cJSON_GetArrayItem(it, 1));
        double ratio = cJSON_GetNumberValue(cJSON_GetArrayItem(it, 2)), off = fabs(predicted / limit_us - 1);
        double w = 1 / (0.05 + off);
        if (!(predicted > 0 && us > 0 && ratio > 0)) continue;
        sum += w * (relative ? ratio * full_us : us) / predicted;
        weights += w;
    }
    return weights > 0 ? sum / weights : 1;
}
