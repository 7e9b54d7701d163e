/* Array by array. Rows that are a view of others are sent as if they were all there is. */
#include "data/dataset_ranks.h"

#include <string.h>

#include "base/mem.h"

typedef struct form {
    int n, max_len, truncated, sets, set_labels;
    int64_t tokens, answers;
    bool line, several, second;
} form;

snc_err snc_block_share(void *p, size_t n, size_t size, snc_comm *c)
{
    void *mine;
    bool there;
    memcpy(&mine, p, sizeof mine);
    there = mine != NULL;
    SNC_TRY(snc_comm_share(c, &there, sizeof there, false));
    if (!there) return SNC_OK;
    snc_err err = c->rank ? snc_alloc(&mine, n, size) : SNC_OK;
    err = snc_comm_agree(c, err);
    if (!err) err = snc_comm_share(c, mine, n * size, false);
    if (err && c->rank) {
        snc_free(mine);
        mine = NULL;
    }
    memcpy(p, &mine, sizeof mine);
    return err;
}

static form form_of(const snc_dataset *d)
{
    return (form){.n = d->n,
                  .max_len = d->max_len,
                  .truncated = d->truncated,
                  .sets = d->sets ? d->sets->n : 0,
                  .set_labels = d->sets ? d->sets->K : 0,
                  .tokens = d->start[d->n] - d->start[0],
                  .answers = snc_dataset_answers(d),
                  .line = d->line != NULL,
                  .several = d->answers != NULL,
                  .second = d->second != NULL};
}

/* Offsets that begin with 0. */
static snc_err share_offsets(int64_t **out, const int64_t *from, int n, snc_comm *c)
{
    int64_t *at = NULL;
    if (from) {
        SNC_TRY(snc_alloc(&at, (size_t)n + 1, sizeof *at));
        for (int i = 0; i <= n; i++) at[i] = from[i] - from[0];
    }
    snc_err err = snc_block_share(&at, (size_t)n + 1, sizeof *at, c);
    if (c->rank && !err) *out = at;
    else snc_free(at);
    return err;
}

/* What is not offsets: rank 0's own memory is sent, and stays. */
static snc_err share_array(void *out, const void *from, size_t n, size_t size, snc_comm *c)
{
    void *p;
    memcpy(&p, &from, sizeof p);
    snc_err err = snc_block_share(&p, n, size, c);
    if (c->rank && !err) memcpy(out, &p, sizeof p);
    return err;
}

static snc_err share_sets(snc_sets **out, const snc_sets *s, const form *f, snc_comm *c)
{
    uint8_t *has = NULL;
    int number;
    snc_err err = SNC_OK;
    if (f->set_labels == 0) return SNC_OK;
    SNC_TRY(share_array(&has, s ? s->has : NULL, (size_t)f->sets * (size_t)f->set_labels, 1, c));
    if (c->rank) err = snc_sets_new(out, f->set_labels);
    for (int i = 0; c->rank && i < f->sets && !err; i++) err = snc_sets_number(&number, *out, has + (size_t)i * (size_t)f->set_labels);
    snc_free(has);
    return snc_comm_agree(c, err);
}

static snc_err share(snc_dataset *out, const snc_dataset *d, snc_comm *c)
{
    form f = {0};
    if (d) f = form_of(d);
    SNC_TRY(snc_comm_share(c, &f, sizeof f, false));
    out->n = f.n;
    out->max_len = f.max_len;
    out->truncated = f.truncated;
    const size_t tokens = (size_t)f.tokens, answers = (size_t)f.answers;
    SNC_TRY(share_offsets(&out->start, d ? d->start : NULL, f.n, c));
    SNC_TRY(share_array(&out->ids, d ? d->ids + d->start[0] : NULL, tokens, sizeof *out->ids, c));
    SNC_TRY(share_array(&out->types, d ? d->types + d->start[0] : NULL, tokens, sizeof *out->types, c));
    SNC_TRY(share_array(&out->target, d ? d->target : NULL, answers, sizeof *out->target, c));
    if (f.line) SNC_TRY(share_array(&out->line, d ? d->line : NULL, (size_t)f.n, sizeof *out->line, c));
    if (f.several) SNC_TRY(share_offsets(&out->answers, d ? d->answers : NULL, f.n, c));
    if (f.several) SNC_TRY(share_array(&out->read, d ? d->read : NULL, answers, sizeof *out->read, c));
    SNC_TRY(share_sets(&out->sets, d ? d->sets : NULL, &f, c));
    return f.second ? snc_dataset_share(&out->second, d ? d->second : NULL, c) : SNC_OK;
}

snc_err snc_dataset_share(snc_dataset **out, const snc_dataset *d, snc_comm *c)
{
    snc_dataset *mine = NULL;
    *out = NULL;
    if (snc_comm_size(c) == 1) return SNC_OK;
    snc_err err = snc_alloc(&mine, 1, sizeof *mine);
    err = snc_comm_agree(c, err);
    if (!err) err = share(mine, d, c);
    if (err || !c->rank) snc_dataset_free(mine);
    else *out = mine;
    return err;
}
