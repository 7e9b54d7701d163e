/* One block of drawn ids, cut into rows of one length; splits are as many of them as they would have. */
#include "artifact/paper_rows.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/minmax.h"
#include "base/rng.h"

static snc_err make_rows(snc_dataset *d, int n, int tokens, int vocab, uint64_t seed)
{
    snc_rng rng;
    const size_t rows = (size_t)n, all = rows * (size_t)tokens;
    *d = (snc_dataset){.n = n, .max_len = tokens};
    SNC_TRY(snc_alloc(&d->start, rows + 1, sizeof *d->start));
    SNC_TRY(snc_alloc(&d->ids, all, sizeof *d->ids));
    SNC_TRY(snc_alloc(&d->types, all, sizeof *d->types));
    SNC_TRY(snc_alloc(&d->target, rows, sizeof *d->target));
    SNC_TRY(snc_alloc(&d->line, rows, sizeof *d->line));
    snc_rng_init(&rng, seed, 0x70617065);
    for (size_t i = 0; i < all; i++) d->ids[i] = (int32_t)snc_rng_below(&rng, (uint32_t)vocab);
    for (int i = 0; i <= n; i++) d->start[i] = (int64_t)i * tokens;
    for (int i = 0; i < n; i++) d->target[i] = (float)(i % 2);
    return SNC_OK;
}

static snc_err make_task(snc_task **out, int tokens)
{
    char text[320];
    const int n = snprintf(text, sizeof text,
                           "{\"name\":\"rows\",\"files\":{\"train\":\"-\",\"dev\":\"-\"},\"text_a\":\"text\",\"label\":\"label\","
                           "\"labels\":[\"0\",\"1\"],\"metrics\":[\"accuracy\"],\"max_length\":%d}",
                           snc_max(tokens, 8));
    return snc_task_parse(out, text, (size_t)n, "rows");
}

snc_err snc_paper_rows_new(snc_paper_rows *out, snc_inputs *in, const char *model, int n, int tokens, uint64_t seed)
{
    snc_encoder_config c;
    snc_err err = SNC_OK;
    const int held = snc_min(snc_max(n / 10, 50), 1000);
    *out = (snc_paper_rows){.all = {.n = 0}};
    *in = (snc_inputs){0};
    SNC_CHECK((double)n * tokens <= SNC_PAPER_TOKENS, SNC_E_ARG, "--rows %d: of %d tokens each, expected at most %g in all", n, tokens,
              SNC_PAPER_TOKENS);
    SNC_TRY(snc_model_config(&c, model));
    SNC_CHECK(tokens <= snc_family_length(&c), SNC_E_SHAPE, "--seq-len %d: %s has %d positions", tokens, model, snc_family_length(&c));
    SNC_GOTO(make_task(&in->task, tokens));
    SNC_GOTO(make_rows(&out->all, n, tokens, c.vocab, seed));
    out->train = snc_dataset_rows_view(&out->all, 0, n - 2 * held);
    out->rank = out->select = snc_dataset_rows_view(&out->all, 0, held);
    in->splits = (snc_splits){.train = &out->train, .rank = &out->rank, .select = &out->select, .all = &out->all};
    in->dev = &out->rank;
    in->taught = in->splits.train;
out:
    if (err) snc_paper_rows_dispose(out, in);
    return err;
}

void snc_paper_rows_dispose(snc_paper_rows *p, snc_inputs *in)
{
    snc_dataset *d = &p->all;
    void *const blocks[] = {d->start, d->ids, d->types, d->target, d->line};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) snc_free(blocks[i]);
    snc_task_close(in->task);
    *p = (snc_paper_rows){.all = {.n = 0}};
    *in = (snc_inputs){0};
}
