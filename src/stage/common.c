#include "stage/common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/isa.h"
#include "base/par.h"
#include "core/gemm.h"
#include "quant/qlinear.h"

snc_err snc_stage_ctx(snc_ctx *out, const snc_options *o, const snc_host *h, int threads_default)
{
    snc_isa isa;
    snc_int_list threads = {.n = 1, .v = {threads_default > 0 ? threads_default : snc_par_cores()}};
    *out = (snc_ctx)SNC_CTX_INIT;
    if (o->output) SNC_TRY(snc_output_check(o, "--output", o->output));
    if (o->journal) SNC_TRY(snc_output_check(o, "--journal", o->journal));
    SNC_TRY(snc_isa_detect(&isa));
    if (o->threads) SNC_TRY(snc_parse_list(&threads, "--threads", o->threads, false));
    if (o->backend) SNC_TRY(snc_backend_parse(&out->backend, o->backend));
    SNC_CHECK(threads.n == 1, SNC_E_ARG, "--threads '%s': expected one number", o->threads);
    out->threads = threads.v[0];
    out->seed = (uint64_t)o->seed;
    out->level = o->verbose ? SNC_LOG_DEBUG : SNC_LOG_INFO;
    out->user = h->user;
    out->progress = h->progress;
    out->status = h->status;
    out->meter = &out->own;
    out->cancel = h->cancel;
    out->log = h->log;
    SNC_TRY(snc_ctx_check(out));
    snc_log(out, SNC_LOG_DEBUG, "snc %s, %s, %d thread%s, backend %s, seed %lld", SNC_VERSION, snc_isa_name(isa), out->threads,
            out->threads == 1 ? "" : "s", snc_backend_name(out->backend), (long long)o->seed);
    return SNC_OK;
}

void snc_stage_say(const snc_host *h, const char *fmt, ...)
{
    if (!h->result) return;
    char line[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    h->result(h->user, line);
}

void snc_stage_say_text(const snc_host *h, const char *text)
{
    if (h->result) h->result(h->user, text);
}

snc_err snc_stage_say_json(const snc_host *h, cJSON *j, bool pretty, const char *verb)
{
    char *text = pretty ? cJSON_Print(j) : cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    SNC_CHECK(text, SNC_E_NOMEM, "%s: out of memory while printing", verb);
    snc_stage_say_text(h, text);
    cJSON_free(text);
    return SNC_OK;
}

snc_err snc_stage_need(const char *verb, const char *option, const void *value)
{
    SNC_CHECK(value, SNC_E_ARG, "%s: %s is missing", verb, option);
    return SNC_OK;
}

snc_err snc_stage_need_output(const char *verb, const snc_options *o)
{
    snc_fout *probe = NULL;
    SNC_TRY(snc_stage_need(verb, "--output", o->output));
    SNC_TRY(snc_fout_open(&probe, o->output));
    snc_fout_abort(probe);
    return snc_output_check(o, "--output", o->output);
}

snc_err snc_parse_list(snc_int_list *out, const char *option, const char *text, bool data_allowed)
{
    const char *p = text;
    out->n = 0;
    for (;;) {
        size_t len = strcspn(p, ",");
        char *end = NULL;
        SNC_CHECK(out->n < SNC_LIST_MAX, SNC_E_ARG, "%s: more than %d items", option, SNC_LIST_MAX);
        long v = strtol(p, &end, 10);
        bool data = data_allowed && len == 4 && memcmp(p, "data", 4) == 0;
        SNC_CHECK(data || (end == p + len && len > 0 && v >= 1 && v <= 1 << 20), SNC_E_ARG, "%s '%.*s': expected a number of at least 1%s",
                  option, (int)(len < 40 ? len : 40), p, data_allowed ? " or data" : "");
        out->v[out->n++] = data ? 0 : (int)v;
        if (!p[len]) return SNC_OK;
        p += len + 1;
    }
}

snc_err snc_parse_unit(double *out, bool *relative, const char *option, const char *text, const snc_unit *units, const char *expected)
{
    char *end = NULL;
    double v = strtod(text, &end);
    for (const snc_unit *u = units; u->name; u++)
        if (end != text && strcmp(end, u->name) == 0 && v > 0 && v < 1e15) {
            *out = v * u->factor;
            *relative = u->relative;
            return SNC_OK;
        }
    return snc_err_set(SNC_E_ARG, "%s '%.40s': expected %s", option, text, expected);
}

snc_err snc_parse_seconds(double *out, const char *option, const char *text)
{
    static const snc_unit units[] = {{"s", 1, false}, {"m", 60, false}, {"h", 3600, false}, {"", 1, false}, {NULL, 0, false}};
    bool relative;
    return snc_parse_unit(out, &relative, option, text, units, "a time such as 90s, 5m or 1h");
}

cJSON *snc_host_json(const snc_ctx *ctx)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "cpu", snc_cpu_name());
    cJSON_AddStringToObject(j, "isa", snc_isa_name(snc_isa_now()));
    cJSON_AddNumberToObject(j, "threads", ctx->threads);
    cJSON_AddStringToObject(j, "backend", snc_backend_name(ctx->backend));
    if (snc_qlinear_library()) cJSON_AddStringToObject(j, "onednn", snc_qlinear_library());
    if (snc_gemm_blas_version()) cJSON_AddStringToObject(j, "openblas", snc_gemm_blas_version());
    cJSON_AddStringToObject(j, "compiler", __VERSION__);
    cJSON_AddStringToObject(j, "snc", SNC_VERSION);
    return j;
}
