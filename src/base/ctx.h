/* base/ctx.h: what a run carries everywhere: threads, backend, seed, log, progress, cancellation.
 *
 * Made once by the caller, passed by pointer, read-only below the stages. One context drives one stage at a time; two
 * threads that work at once have a context each.
 */
#ifndef SNC_BASE_CTX_H
#define SNC_BASE_CTX_H

#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/meter.h"

typedef enum snc_backend {
    SNC_BACKEND_AUTO,   /* the fastest that is built and that the CPU runs */
    SNC_BACKEND_REF,    /* plain loops in a fixed order: defines the bits */
    SNC_BACKEND_BLAS,   /* OpenBLAS, f32 */
    SNC_BACKEND_ONEDNN, /* f32, bf16, int8 */
    SNC_BACKEND_NATIVE  /* our own kernels: AMX and AVX-512 bf16, int8 on every ISA */
} snc_backend;

/* "auto" | "ref" | "blas" | "onednn" | "native"; SNC_E_UNSUPPORTED when it was not built in. */
snc_err snc_backend_parse(snc_backend *out, const char *name) SNC_MUST_USE;
const char *snc_backend_name(snc_backend b);

typedef snc_level snc_log_level; /* the public names are SNC_LEVEL_*, short ones serve inside */
#define SNC_LOG_ERROR SNC_LEVEL_ERROR
#define SNC_LOG_WARN  SNC_LEVEL_WARN
#define SNC_LOG_INFO  SNC_LEVEL_INFO
#define SNC_LOG_DEBUG SNC_LEVEL_DEBUG
typedef void (*snc_log_fn)(void *user, snc_log_level level, const char *line);
/* `what` names the stage, done of total units; `note` is a short extra such as "loss 0.31". */
typedef void (*snc_progress_fn)(void *user, const char *what, double done, double total, const char *note);

/* Whether training computes activations a second time to have less of them in memory (train/trainer.h); auto: where that pays. */
typedef enum snc_recompute { SNC_RECOMPUTE_AUTO, SNC_RECOMPUTE_ON, SNC_RECOMPUTE_OFF } snc_recompute;

typedef struct snc_ctx {
    int threads; /* >= 1 */
    snc_backend backend;
    uint64_t seed;
    snc_log_level level;      /* lines above it are dropped */
    snc_log_fn log;           /* NULL: stderr */
    snc_progress_fn progress; /* NULL: silent */
    void *user;               /* for the callbacks */
    volatile int *cancel;     /* set by a signal handler; NULL: never */
    double until;             /* the moment (snc_now) by which the work under way ends, by doing less of it: steps
                                                        of training, evaluations, rounds of a proof; 0: none */
    double max_memory;        /* bytes of this process that training keeps within; 0: what the machine has */
    snc_recompute recompute;
    snc_pool *pool;                                          /* where packed matrices go; NULL: a block for each */
    void (*status)(void *user, const snc_status *s);         /* NULL: silent */
    void (*evaluation)(void *user, const snc_evaluation *e); /* NULL: nobody asks */
    snc_comm *comm;   /* whose other ranks wait for what this one, rank 0, calls them to (base/duty.h); NULL: it is alone */
    snc_meter *meter; /* of the whole job, shared by contexts that take turns in it; NULL: status is silent */
    snc_meter own;    /* where meter points in the first of them */
} snc_ctx;

#define SNC_CTX_INIT                                                                 \
    {                                                                                \
        .threads = 1, .backend = SNC_BACKEND_AUTO, .seed = 42, .level = SNC_LOG_INFO \
    }

/* The same for what is done without the other ranks, though there are some. */
static inline snc_ctx snc_ctx_alone(const snc_ctx *ctx)
{
    snc_ctx own = *ctx;
    own.comm = NULL;
    return own;
}

/* Call once after filling the struct; changes nothing that another part of the program could see. SNC_E_ARG: threads. */
snc_err snc_ctx_check(const snc_ctx *ctx) SNC_MUST_USE;

void snc_log(const snc_ctx *ctx, snc_log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void snc_progress(const snc_ctx *ctx, const char *what, double done, double total, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
bool snc_cancelled(const snc_ctx *ctx);
/* SNC_E_CANCELLED once cancelled: for every loop that may take a second, and inside every turn of it that may. Where the latest
 * progress is a second old the host is told once more: nothing is silent for long. By the thread that drives the context alone. */
snc_err snc_go_on(const snc_ctx *ctx) SNC_MUST_USE;

#endif
