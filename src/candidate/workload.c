/* Batches are cut from lengths in their order and filled with seeded ids. */
#include "candidate/workload.h"

#include <string.h>

#include "artifact/parse.h"
#include "base/mem.h"
#include "base/rng.h"

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

snc_err snc_workload_check(int *batch, int *seq, const snc_workload_opts *o, const snc_encoder_config *c)
{
    snc_int_list b, s;
    SNC_TRY(snc_parse_list(&b, "--batch", o->batch, false));
    SNC_TRY(snc_parse_list(&s, "--seq-len", o->seq_len, true));
    SNC_CHECK(b.n == 1, SNC_E_ARG, "--batch '%s': a target has one batch", o->batch);
    SNC_CHECK(s.n == 1, SNC_E_ARG, "--seq-len '%s': a target has one length", o->seq_len);
    SNC_CHECK(s.v[0] <= snc_family_length(c), SNC_E_ARG, "--seq-len %d: the model has %d positions", s.v[0], snc_family_length(c));
    *batch = b.v[0];
    *seq = s.v[0];
    return SNC_OK;
}

snc_err snc_workload_of_options(snc_workload *out, const snc_ctx *ctx, const snc_workload_opts *o, const snc_dataset *rank,
                                const snc_encoder_config *c)
{
    int batch, seq;
    int32_t *lengths = NULL;
    SNC_TRY(snc_workload_check(&batch, &seq, o, c));
    SNC_TRY(snc_alloc(&lengths, (size_t)rank->n, sizeof *lengths));
    for (int i = 0; i < rank->n; i++) lengths[i] = snc_dataset_len(rank, i);
    snc_err err = snc_workload_new(out, batch, seq, lengths, rank->n, c->vocab, ctx->seed);
    snc_free(lengths);
    return err;
}

cJSON *snc_workload_json(const snc_workload_opts *o)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "batch", o->batch);
    cJSON_AddStringToObject(j, "seq_len", o->seq_len);
    cJSON_AddStringToObject(j, "threads", o->threads);
    cJSON_AddNumberToObject(j, "percentile", o->percentile);
    return j;
}
