#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "stage/workload.h"

static snc_err plan(snc_workload *w, const int32_t *lengths, int n)
{
    size_t tokens = 0;
    for (int i = 0; i < n; i++) tokens += (size_t)lengths[i];
    w->count = n / w->batch > 0 ? n / w->batch : 1;
    SNC_TRY(snc_alloc(&w->batches, (size_t)w->count, sizeof *w->batches));
    SNC_TRY(snc_alloc(&w->ids, tokens, sizeof *w->ids));
    SNC_TRY(snc_alloc(&w->types, tokens, sizeof *w->types));
    return snc_alloc(&w->offsets, (size_t)w->count * ((size_t)w->batch + 1), sizeof *w->offsets);
}

snc_err snc_workload_new(snc_workload *out, int batch, int seq, const int32_t *lengths, int n, int vocab, uint64_t seed)
{
    snc_rng rng;
    int32_t *same = NULL;
    snc_err err = SNC_OK;
    *out = (snc_workload){.batch = batch};
    snc_rng_init(&rng, seed, 0x62656e63);
    if (seq > 0) { /* a few batches of equal shape, so that no run reuses the ids of the one before */
        n = batch * 4;
        SNC_TRY(snc_alloc(&same, (size_t)n, sizeof *same));
        for (int i = 0; i < n; i++) same[i] = seq;
        lengths = same;
    }
    if (n < batch) out->batch = n;
    SNC_GOTO(plan(out, lengths, n));
    int32_t *ids = out->ids, *types = out->types, *offsets = out->offsets;
    for (int i = 0; i < out->count; i++) {
        int T = 0;
        for (int k = 0; k < out->batch; k++) {
            int len = lengths[i * out->batch + k];
            offsets[k] = T;
            T += len;
            if (len > out->max_len) out->max_len = len;
        }
        offsets[out->batch] = T;
        for (int t = 0; t < T; t++) ids[t] = (int32_t)snc_rng_below(&rng, (uint32_t)vocab);
        if (T > out->max_tokens) out->max_tokens = T;
        out->batches[i] = (snc_tokens){.B = out->batch, .T = T, .ids = ids, .types = types, .offsets = offsets};
        ids += T;
        types += T;
        offsets += out->batch + 1;
    }
out:
    snc_free(same);
    if (err) snc_workload_free(out);
    return err;
}

void snc_workload_free(snc_workload *w)
{
    snc_free(w->batches);
    snc_free(w->ids);
    snc_free(w->types);
    snc_free(w->offsets);
    *w = (snc_workload){0};
}
