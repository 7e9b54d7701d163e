/* Paths go first: what is there is never asked for elsewhere. */
#include "artifact/named.h"

#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "hub/hub.h"

static bool is_named(const char *given) { return given && !snc_is_there(given) && snc_hub_is_name(given); }

snc_err snc_named_path(char *path, size_t size, const snc_ctx *ctx, const char *given)
{
    if (is_named(given)) return snc_hub_fetch(path, size, ctx, given);
    int n = snprintf(path, size, "%s", given);
    SNC_CHECK(n >= 0 && (size_t)n < size, SNC_E_ARG, "path too long: %.80s...", given);
    return SNC_OK;
}

/* *given is then the snapshot, which *kept owns. */
static snc_err fetch_one(char **kept, const char **given, const snc_ctx *ctx)
{
    char path[4096];
    if (!is_named(*given)) return SNC_OK;
    SNC_TRY(snc_hub_fetch(path, sizeof path, ctx, *given));
    SNC_TRY(snc_strdup(kept, path));
    *given = *kept;
    return SNC_OK;
}

static snc_err fetch_models(snc_named *out, snc_options *o, const snc_ctx *ctx)
{
    out->n = o->input.n_models;
    SNC_TRY(snc_alloc(&out->model, (size_t)out->n, sizeof *out->model));
    SNC_TRY(snc_alloc(&out->models, (size_t)out->n, sizeof *out->models));
    for (int i = 0; i < out->n; i++) {
        out->models[i] = o->input.models[i];
        SNC_TRY(fetch_one(&out->model[i], &out->models[i], ctx));
    }
    o->input.models = out->models;
    return SNC_OK;
}

snc_err snc_named_fetch(snc_named *out, snc_options *o, const snc_host *h, bool models)
{
    snc_ctx ctx;
    *out = (snc_named){0};
    bool any = is_named(o->input.pretrained) || is_named(o->input.teacher);
    for (int i = 0; models && i < o->input.n_models; i++) any = any || is_named(o->input.models[i]);
    if (!any) return SNC_OK;
    SNC_TRY(snc_context_init(&ctx, o, h, NULL, 1));
    snc_err err = fetch_one(&out->pretrained, &o->input.pretrained, &ctx);
    if (!err) err = fetch_one(&out->teacher, &o->input.teacher, &ctx);
    if (!err && models) err = fetch_models(out, o, &ctx);
    if (err) snc_named_dispose(out);
    return err;
}

void snc_named_dispose(snc_named *n)
{
    for (int i = 0; n->model && i < n->n; i++) snc_free(n->model[i]);
    snc_free(n->model);
    snc_free(n->models);
    snc_free(n->pretrained);
    snc_free(n->teacher);
    *n = (snc_named){0};
}
