/* Every check for cancellation is a heartbeat too: a loop that has nothing to note still has its status told once a second. */
#include "base/ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/par.h"

static const char *const backend_names[] = {"auto", "ref", "blas", "onednn", "native"};

snc_err snc_backend_parse(snc_backend *out, const char *name)
{
    for (int i = 0; i <= SNC_BACKEND_NATIVE; i++) {
        if (strcmp(name, backend_names[i]) != 0) continue;
#ifndef SNC_WITH_OPENBLAS
        SNC_CHECK(i != SNC_BACKEND_BLAS, SNC_E_UNSUPPORTED, "backend blas: built without OpenBLAS");
#endif
#ifndef SNC_WITH_ONEDNN
        SNC_CHECK(i != SNC_BACKEND_ONEDNN, SNC_E_UNSUPPORTED, "backend onednn: built without oneDNN");
#endif
        *out = (snc_backend)i;
        return SNC_OK;
    }
    return snc_err_set(SNC_E_ARG, "backend '%s': expected auto, ref, blas, onednn or native", name);
}

const char *snc_backend_name(snc_backend b) { return backend_names[b]; }

snc_err snc_ctx_check(const snc_ctx *ctx)
{
    SNC_CHECK(ctx->threads >= 1 && ctx->threads <= 1024, SNC_E_ARG, "threads %d: expected 1 to 1024", ctx->threads);
    snc_par_watch_fork();
    return SNC_OK;
}

void snc_log(const snc_ctx *ctx, snc_log_level level, const char *fmt, ...)
{
    if (level > ctx->level) return;
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (ctx->log) ctx->log(ctx->user, level, line);
    else fprintf(stderr, "%s\n", line);
}

static const double BEAT = 1; /* seconds */

static void tell(const snc_ctx *ctx, double now)
{
    snc_status s;
    ctx->meter->shown = now;
    snc_meter_read(&s, ctx->meter, now);
    ctx->status(ctx->user, &s);
}

void snc_progress(const snc_ctx *ctx, const char *what, double done, double total, const char *fmt, ...)
{
    char note[SNC_METER_NOTE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(note, sizeof note, fmt, ap);
    va_end(ap);
    if (ctx->progress) ctx->progress(ctx->user, what, done, total, note);
    if (!ctx->meter) return;
    double now = snc_now();
    snc_meter_note(ctx->meter, what, done, total, note, now);
    if (ctx->status) tell(ctx, now);
}

bool snc_cancelled(const snc_ctx *ctx) { return ctx->cancel && *ctx->cancel; }

snc_err snc_go_on(const snc_ctx *ctx)
{
    double now;
    if (snc_cancelled(ctx)) return snc_err_set(SNC_E_CANCELLED, "interrupted");
    if (ctx->status && ctx->meter && *ctx->meter->what && (now = snc_now()) - ctx->meter->shown >= BEAT) tell(ctx, now);
    return SNC_OK;
}
