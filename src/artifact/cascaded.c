/* Every net answers every row; then the rule of the runtime is asked of their logits. */
#include "artifact/cascaded.h"

#include <string.h>

#include "base/mem.h"
#include "models/cutoff.h"

snc_err snc_cascaded_answer(snc_cascaded *out, const snc_ctx *ctx, const snc_loaded *l, const snc_dataset *d, const char *what)
{
    snc_err err = SNC_OK;
    *out = (snc_cascaded){.nets = snc_loaded_nets(l), .n = d->n, .K = l->classes, .d = d};
    for (int k = 0; k < out->nets; k++) {
        snc_loaded one = *l;
        one.weights = l->net[k];
        SNC_GOTO(snc_alloc(&out->z[k], snc_dataset_logits(d, l->classes), sizeof **out->z));
        SNC_GOTO(snc_loaded_answer(out->z[k], ctx, &one, d, what));
    }
out:
    if (err) snc_cascaded_dispose(out);
    return err;
}

static void take(float *logits, uint8_t *by, const snc_cascaded *a, int i, int k)
{
    const size_t K = (size_t)a->K, from = (size_t)snc_dataset_answer(a->d, i), end = (size_t)snc_dataset_answer(a->d, i + 1);
    by[i] = (uint8_t)k;
    memcpy(logits + from * K, a->z[k] + from * K, (end - from) * K * sizeof *logits);
}

void snc_cascaded_pick(float *logits, uint8_t *by, const snc_cascaded *a, const snc_cascade *c)
{
    for (int i = 0; i < a->n; i++) {
        int k = a->nets - 1;
        while (!snc_cascade_asks(c, k) || !snc_cascade_stands(c, k, a->z[k] + (size_t)i * (size_t)a->K, a->K)) k--;
        take(logits, by, a, i, k);
    }
}

static void pick_in_time(float *logits, uint8_t *by, const snc_cascaded *a, const snc_loaded *l, const snc_dataset *d)
{
    bool over;
    for (int i = 0; i < a->n; i++) take(logits, by, a, i, snc_speeds_pick(&over, l->speeds, snc_dataset_len(d, i), l->budget));
}

void snc_cascaded_shares(snc_cascaded_share *share, const snc_cascaded *a, const uint8_t *by)
{
    memset(share, 0, (size_t)a->nets * sizeof *share);
    for (int i = 0; i < a->n; i++) {
        bool agree = true;
        for (int64_t k = snc_dataset_answer(a->d, i); k < snc_dataset_answer(a->d, i + 1); k++)
            agree = agree && snc_class_best(a->z[by[i]] + k * a->K, a->K) == snc_class_best(a->z[0] + k * a->K, a->K);
        share[by[i]].rows++;
        share[by[i]].agree += agree;
    }
}

void snc_cascaded_dispose(snc_cascaded *a)
{
    for (int k = 0; k < a->nets; k++) snc_free(a->z[k]);
    *a = (snc_cascaded){0};
}

/* Both texts of each row, and the cosine of what is said of them. */
static snc_err deliver_cosines(float *cosine, const snc_ctx *ctx, const snc_loaded *l, const snc_dataset *d, const char *what)
{
    snc_err err = SNC_OK;
    const size_t K = (size_t)l->classes, n = (size_t)d->n;
    float *z = NULL;
    snc_dataset one = *d;
    one.second = NULL;
    SNC_GOTO(snc_alloc(&z, 2 * n * K, sizeof *z));
    SNC_GOTO(snc_cascaded_deliver(z, NULL, ctx, l, &one, what));
    SNC_GOTO(snc_cascaded_deliver(z + n * K, NULL, ctx, l, d->second, what));
    for (size_t i = 0; i < n; i++) cosine[i] = (float)snc_vector_cosine(z + i * K, z + (n + i) * K, l->classes);
out:
    snc_free(z);
    return err;
}

snc_err snc_cascaded_deliver(float *logits, snc_cascaded_share *share, const snc_ctx *ctx, const snc_loaded *l, const snc_dataset *d,
                             const char *what)
{
    snc_cascaded a;
    uint8_t *by = NULL;
    if (d->second) return deliver_cosines(logits, ctx, l, d, what);
    if (!l->cascade && !l->speeds) return snc_loaded_answer(logits, ctx, l, d, what);
    SNC_TRY(snc_cascaded_answer(&a, ctx, l, d, what));
    snc_err err = snc_alloc(&by, (size_t)d->n, sizeof *by);
    if (!err && l->cascade) snc_cascaded_pick(logits, by, &a, l->cascade);
    if (!err && l->speeds) pick_in_time(logits, by, &a, l, d);
    if (!err && share) snc_cascaded_shares(share, &a, by);
    snc_free(by);
    snc_cascaded_dispose(&a);
    return err;
}
