/* A line is formatted and given to the host; a NULL call-back takes none. */
#include "artifact/say.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/isa.h"
#include "core/gemm.h"
#include "quant/qlinear.h"

void snc_say(const snc_host *h, const char *fmt, ...)
{
    if (!h->result) return;
    char line[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    h->result(h->user, line);
}

void snc_say_text(const snc_host *h, const char *text)
{
    if (h->result) h->result(h->user, text);
}

snc_err snc_say_json(const snc_host *h, cJSON *j, bool pretty, const char *verb)
{
    char *text = pretty ? cJSON_Print(j) : cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    SNC_CHECK(text, SNC_E_NOMEM, "%s: out of memory while printing", verb);
    snc_say_text(h, text);
    cJSON_free(text);
    return SNC_OK;
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
