/* Element by element, so that the bits are those of any number of threads. */
#include "train/momentum_copy.h"

#include <string.h>

#include "base/mem.h"
#include "base/par.h"
#include "models/source_mos.h"

enum { GRAIN = 1 << 16 };

struct snc_momentum {
    const snc_ctx *ctx;
    snc_model *copy;
    snc_engine *e;
    float rate;
};

snc_err snc_momentum_new(snc_momentum **out, const snc_ctx *ctx, const snc_model *m, double rate)
{
    snc_err err = SNC_OK;
    snc_momentum *s = NULL;
    SNC_GOTO(snc_alloc(&s, 1, sizeof *s));
    *s = (snc_momentum){.ctx = ctx, .rate = (float)rate};
    SNC_GOTO(snc_model_new(&s->copy, &m->cfg, &m->arch));
    if (m->source.kind->experts) SNC_GOTO(snc_mos_attach(s->copy, ctx));
    memcpy(s->copy->params.w, m->params.w, m->params.total * sizeof(float));
    *out = s;
    s = NULL;
out:
    snc_momentum_free(s);
    return err;
}

void snc_momentum_free(snc_momentum *s)
{
    if (!s) return;
    snc_engine_free(s->e);
    snc_model_free(s->copy);
    snc_free(s);
}

snc_block snc_momentum_block(snc_momentum *s) { return (snc_block){s->copy->params.w, s->copy->params.total * sizeof(float)}; }

snc_err snc_momentum_bind(snc_momentum *s, const snc_engine_opts *o)
{
    snc_engine_opts forward = *o;
    forward.train = false;
    snc_model_changed(s->copy);
    return snc_engine_create(&s->e, s->ctx, s->copy, &forward);
}

snc_err snc_momentum_forward(snc_momentum *s, float *logits, const snc_arch *arch, const snc_tokens *x)
{
    return snc_engine_forward(s->e, logits, arch, x, NULL);
}

typedef struct job {
    float *to;
    const float *from;
    float rate;
} job;

static void follow(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const job *j = payload;
    const float rest = 1 - j->rate;
    (void)chunk, (void)worker;
    for (int64_t i = begin; i < end; i++) j->to[i] = j->rate * j->to[i] + rest * j->from[i];
}

void snc_momentum_follow(snc_momentum *s, const snc_model *m)
{
    job j = {.to = s->copy->params.w, .from = m->params.w, .rate = s->rate};
    snc_par_for(s->ctx, (int64_t)m->params.total, GRAIN, follow, &j);
    snc_engine_sync(s->e);
}
