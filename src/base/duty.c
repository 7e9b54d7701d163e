/* A call is a header of one size, then the parcel; a header without a name says that there is nothing more to do. */
#include "base/duty.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

typedef struct header {
    char name[SNC_DUTY_NAME];
    uint64_t bytes;
    double patience;
    bool half;
} header;

snc_err snc_duty_call(snc_comm *c, const char *name, snc_parcel *said)
{
    header h = {.bytes = said->n, .patience = c->patience, .half = c->half};
    snc_err err = said->err;
    assert(!c->busy);
    strncpy(h.name, name, sizeof h.name - 1);
    if (!err) err = snc_comm_share(c, &h, sizeof h, false);
    if (!err) err = snc_comm_share(c, said->p, said->n, false);
    snc_parcel_dispose(said);
    return err;
}

snc_err snc_duty_dismiss(snc_comm *c)
{
    header h = {.bytes = 0};
    if (c && c->busy) c->failed = true; /* they would not hear it */
    return snc_comm_size(c) > 1 && !c->failed ? snc_comm_share(c, &h, sizeof h, false) : SNC_OK;
}

static snc_err run(const snc_ctx *ctx, const snc_duty *const *duties, int n, const char *name, snc_parcel *said)
{
    for (int i = 0; i < n; i++)
        if (strcmp(duties[i]->name, name) == 0) return duties[i]->run(ctx, said);
    ctx->comm->failed = true; /* nobody can know what rank 0 waits for */
    return snc_err_set(SNC_E_UNSUPPORTED, "rank 0 asks for '%s', which rank %d has not got", name, ctx->comm->rank);
}

snc_err snc_duty_attend(const snc_ctx *ctx, const snc_duty *const *duties, int n)
{
    for (;;) {
        header h;
        snc_parcel said = {0};
        SNC_TRY(snc_comm_share(ctx->comm, &h, sizeof h, true));
        h.name[sizeof h.name - 1] = 0;
        if (!h.name[0]) return SNC_OK;
        ctx->comm->patience = 1.5 * h.patience; /* rank 0, who can say it, is the first to give up */
        ctx->comm->half = h.half;
        SNC_TRY(snc_grow(&said.p, &said.cap, h.bytes + 1, 1));
        said.n = h.bytes;
        snc_err err = snc_comm_share(ctx->comm, said.p, said.n, false);
        if (!err) err = run(ctx, duties, n, h.name, &said);
        snc_parcel_dispose(&said);
        if (err && ctx->comm->failed) return err;
        /* else all ranks have it, and rank 0 says so */
    }
}

void snc_duty_put_ctx(snc_parcel *p, const snc_ctx *ctx)
{
    snc_parcel_put(p, &ctx->seed, sizeof ctx->seed);
    snc_parcel_put(p, &ctx->backend, sizeof ctx->backend);
    snc_parcel_put(p, &ctx->level, sizeof ctx->level);
    snc_parcel_put(p, &ctx->max_memory, sizeof ctx->max_memory);
    snc_parcel_put(p, &ctx->recompute, sizeof ctx->recompute);
}

snc_err snc_duty_take_ctx(snc_ctx *out, const snc_ctx *ctx, snc_parcel *p)
{
    *out = snc_ctx_alone(ctx);
    SNC_TRY(snc_parcel_take(&out->seed, p, sizeof out->seed));
    SNC_TRY(snc_parcel_take(&out->backend, p, sizeof out->backend));
    SNC_TRY(snc_parcel_take(&out->level, p, sizeof out->level));
    SNC_TRY(snc_parcel_take(&out->max_memory, p, sizeof out->max_memory));
    return snc_parcel_take(&out->recompute, p, sizeof out->recompute);
}
