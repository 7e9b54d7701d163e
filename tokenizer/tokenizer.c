/* What all kinds of tokenizers share: valid bytes, added tokens in the raw text, special tokens around texts, truncation. */
#include <limits.h>
#include <string.h>

#include "tokenizer/tokenizer_priv.h"

enum { MAX_TEXT = 1 << 28 };

snc_err snc_tok_new(snc_tok **out, const snc_tok_assets *a)
{
    snc_tok *t = NULL;
    snc_err err = SNC_OK;
    SNC_CHECK(a->kind, SNC_E_FORMAT, "tokenizer: no vocabulary");
    SNC_TRY(snc_alloc(&t, 1, sizeof *t));
    t->kind = a->kind;
    snc_added__init(&t->raw);
    SNC_GOTO(snc_arena_new(&t->arena));
    SNC_GOTO(snc_uni__init(&t->uni));
    SNC_GOTO(a->kind->create(t, a));
    snc_added__sort(&t->raw);
    *out = t;
    t = NULL;
out:
    snc_tok_free(t);
    return err;
}

void snc_tok_free(snc_tok *t)
{
    if (!t) return;
    t->kind->destroy(t->state);
    snc_uni__dispose(&t->uni);
    snc_added__dispose(&t->raw);
    snc_arena_free(t->arena);
    snc_free(t);
}

int snc_tok_vocab_size(const snc_tok *t) { return t->ids; }

const char *snc_tok_piece_view(const snc_tok *t, int32_t id) { return id >= 0 && id < t->ids ? t->kind->piece(t, id) : NULL; }

snc_err snc_tok_scratch_new(snc_tok_scratch **out) { return snc_alloc(out, 1, sizeof **out); }

static void free_work(snc_tok_scratch *s)
{
    if (s->work) s->worker->work_free(s->work);
    s->work = NULL;
}

static snc_err make_work(snc_tok_scratch *s, const snc_tok_kind *kind)
{
    if (s->worker == kind && s->work) return SNC_OK;
    free_work(s);
    s->worker = kind;
    return kind->work_size ? snc_alloc(&s->work, 1, kind->work_size) : SNC_OK;
}

void snc_tok_scratch_free(snc_tok_scratch *s)
{
    if (!s) return;
    free_work(s);
    snc_free(s->ids);
    snc_free(s->types);
    snc_free(s->repaired);
    snc_norm__buf_dispose(&s->norm);
    snc_free(s);
}

/* ---- encoding --------------------------------------------------------------------------------------------------- */

static snc_err push_text(snc_tok_scratch *s, const snc_tok *t, const char *bytes, size_t n)
{
    const unsigned char *text = (const unsigned char *)bytes;
    SNC_CHECK(n <= MAX_TEXT, SNC_E_ARG, "a text of %zu bytes: at most %d are taken", n, MAX_TEXT);
    if (snc_utf8__valid(text, n) != n) {
        SNC_TRY(snc_grow(&s->repaired, &s->repaired_cap, 3 * n, 1));
        n = snc_utf8__repair(s->repaired, text, n);
        text = s->repaired;
        s->broken = 1;
    }
    snc_added_match m = {0};
    do {
        snc_added__next(&m, &t->raw, &t->uni, text, n);
        s->at_start = m.gap == 0;
        if (m.start > m.gap) SNC_TRY(t->kind->cut(s, t, text + m.gap, m.start - m.gap));
        if (m.id >= 0) SNC_TRY(snc_tok__push(s, m.id));
    } while (m.id >= 0);
    return SNC_OK;
}

/* longest_first as the `tokenizers` crate has it (utils/truncation): the longer text gives way down to the shorter one;
 * when both must shrink, the one that was longer keeps the odd token. */
static void truncate_lengths(size_t *na, size_t *nb, size_t room)
{
    if (*na + *nb <= room) return;
    size_t shorter = *na > *nb ? *nb : *na, longer;
    bool swap = *na > *nb;
    longer = shorter > room ? shorter : room - shorter > shorter ? room - shorter : shorter;
    if (shorter + longer > room) {
        shorter = room / 2;
        longer = shorter + room % 2;
    }
    *na = swap ? longer : shorter;
    *nb = swap ? shorter : longer;
}

static void place(int32_t *to, const int32_t *ids, int n) { memcpy(to, ids, (size_t)n * sizeof *ids); }

snc_err snc_tok_encode(snc_encoding *out, const snc_tok *t, snc_tok_scratch *s, const char *a, size_t a_bytes, const char *b,
                       size_t b_bytes, int max_length)
{
    const snc_tok_template *x = &t->around;
    size_t first = (size_t)x->first.n, between = b ? (size_t)x->between.n : 0, last = (size_t)x->last.n, extra = first + between + last;
    SNC_CHECK(max_length == 0 || max_length >= (int)extra, SNC_E_ARG, "max length %d: %s needs at least %zu, or 0 for no limit", max_length,
              b ? "a pair" : "a text", extra);
    s->n = first;
    s->broken = 0;
    SNC_TRY(make_work(s, t->kind));
    SNC_TRY(snc_tok__reserve(s, extra + 1)); /* a text of no ids has a place, too */
    SNC_TRY(push_text(s, t, a, a_bytes));
    size_t na = s->n - first, nb = 0, at = s->n + between; /* where b was put */
    if (b) {
        SNC_TRY(snc_tok__reserve(s, between));
        s->n += between;
        SNC_TRY(push_text(s, t, b, b_bytes));
        nb = s->n - at;
    }
    SNC_TRY(snc_tok__reserve(s, last));
    SNC_CHECK(s->n + last <= INT_MAX, SNC_E_ARG, "%zu tokens are too many for one text", s->n + last);
    size_t keep_a = na, keep_b = nb;
    if (max_length > 0) truncate_lengths(&keep_a, &keep_b, (size_t)max_length - extra);
    size_t second = first + keep_a + between, n = second + keep_b + last;
    memmove(s->ids + second, s->ids + at, keep_b * sizeof *s->ids);
    place(s->ids, x->first.id, x->first.n);
    place(s->ids + first + keep_a, x->between.id, (int)between);
    place(s->ids + second + keep_b, x->last.id, x->last.n);
    SNC_TRY(snc_grow(&s->types, &s->types_cap, n + 1, sizeof *s->types));
    memset(s->types, 0, n * sizeof *s->types);
    for (size_t i = second - (size_t)x->between_second; b && i < n; i++) s->types[i] = x->second_type;
    *out = (snc_encoding){.n = (int)n, .ids = s->ids, .types = s->types, .dropped = (int)(na + nb - keep_a - keep_b), .broken = s->broken};
    return SNC_OK;
}
