/* SentencePiece's unigram model: a tokenizer made of its blobs, and parts of text cut into pieces. */
#include "tokenizer/unigram_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tokenizer/lattice_priv.h"
#include "tokenizer/parts_priv.h"
#include "tokenizer/spm_folder_priv.h"
#include "tokenizer/tok_json_priv.h"

typedef struct unigram {
    snc_lattice lattice;
    snc_parts parts;
    char *text;       /* pieces and added tokens, NUL-ended */
    uint32_t *offset; /* [ids] of each in text */
} unigram;

/* What a scratch keeps: texts on their way, ways through a part. */
typedef struct work {
    snc_parts_work parts;
    snc_lattice_node *node;
    size_t node_cap;
} work;

static const char WHERE[] = SNC_SPECIAL_WHERE;

/* ---- the blobs -------------------------------------------------------------------------------------------------- */

int snc_unigram__ids(const snc_tok_assets *a) { return snc_special__lines(&a->blob[SNC_UNIGRAM_VOCAB], 0); }

double snc_unigram__score(const snc_tok_assets *a, size_t bytes_each, size_t i)
{
    const char *p = a->blob[SNC_UNIGRAM_SCORES].data + bytes_each * i;
    float f;
    double d;
    if (bytes_each == sizeof d) {
        memcpy(&d, p, sizeof d);
        return d;
    }
    memcpy(&f, p, sizeof f);
    return (double)f;
}

snc_err snc_unigram__pack(snc_tok_blob *out, const double *scores, size_t n)
{
    bool exact = true;
    for (size_t i = 0; i < n && exact; i++) exact = (double)(float)scores[i] == scores[i];
    out->bytes = n * (exact ? sizeof(float) : sizeof(double));
    SNC_TRY(snc_alloc(&out->data, out->bytes + 1, 1));
    for (size_t i = 0; i < n && exact; i++) memcpy(out->data + i * sizeof(float), &(float){(float)scores[i]}, sizeof(float));
    if (!exact) memcpy(out->data, scores, out->bytes);
    return SNC_OK;
}

snc_err snc_unigram__count(int *pieces, size_t *bytes_each, const snc_tok_assets *a)
{
    const snc_tok_blob *vocab = &a->blob[SNC_UNIGRAM_VOCAB], *scores = &a->blob[SNC_UNIGRAM_SCORES];
    cJSON *config = NULL;
    SNC_CHECK(vocab->bytes && scores->data && a->blob[SNC_UNIGRAM_CHARSMAP].data && a->blob[SNC_UNIGRAM_CONFIG].data, SNC_E_FORMAT,
              "tokenizer: no vocabulary");
    SNC_CHECK(vocab->data[vocab->bytes - 1] == 0, SNC_E_FORMAT, "tokenizer: the last piece has no end");
    SNC_TRY(snc_json_parse(&config, a->blob[SNC_UNIGRAM_CONFIG].data, a->blob[SNC_UNIGRAM_CONFIG].bytes, WHERE));
    snc_err err = snc_json_int(pieces, config, "pieces", 0, 1, snc_unigram__ids(a), WHERE);
    cJSON_Delete(config);
    SNC_TRY(err);
    *bytes_each = *pieces ? scores->bytes / (size_t)*pieces : 0;
    SNC_CHECK((*bytes_each == sizeof(float) || *bytes_each == sizeof(double)) && scores->bytes == *bytes_each * (size_t)*pieces,
              SNC_E_FORMAT, "tokenizer: %zu bytes of scores for %d pieces", scores->bytes, *pieces);
    return SNC_OK;
}

/* ---- making a tokenizer ----------------------------------------------------------------------------------------- */

static snc_err copy_vocab(unigram *u, const snc_tok_blob *vocab, int n)
{
    SNC_TRY(snc_alloc(&u->text, vocab->bytes + SNC_NORM_PAD, 1));
    SNC_TRY(snc_alloc(&u->offset, (size_t)n, sizeof *u->offset));
    memcpy(u->text, vocab->data, vocab->bytes);
    SNC_CHECK(vocab->bytes < UINT32_MAX, SNC_E_FORMAT, "tokenizer: %zu bytes of pieces", vocab->bytes);
    for (size_t i = 0, at = 0; i < (size_t)n; i++) {
        u->offset[i] = (uint32_t)at;
        at += strlen(u->text + at) + 1;
    }
    return SNC_OK;
}

static snc_err build_lattice(unigram *u, const snc_tok_assets *a, int pieces, size_t bytes_each)
{
    snc_lattice_piece *all = NULL;
    size_t n = 0;
    snc_err err = SNC_OK;
    SNC_GOTO(snc_alloc(&all, (size_t)pieces, sizeof *all));
    for (int i = 0; i < pieces; i++) {
        const char *text = u->text + u->offset[i];
        snc_lattice_piece p = {(const unsigned char *)text, strlen(text), i, snc_unigram__score(a, bytes_each, (size_t)i)};
        if (snc_utf8__valid(p.text, p.n) != p.n) SNC_GOTO(snc_err_set(SNC_E_FORMAT, "tokenizer: piece %d is not valid UTF-8", i));
        if (!isfinite(p.score)) SNC_GOTO(snc_err_set(SNC_E_FORMAT, "tokenizer: the score of piece %d is no finite number", i));
        if (p.n) all[n++] = p;
    }
    SNC_GOTO(snc_lattice__build(&u->lattice, all, n));
out:
    snc_free(all);
    return err;
}

static snc_err read_flags(unigram *u, const cJSON *config, int pieces)
{
    static const char *const keys[] = {"pieces", "unk", "unk_score", "byte_fallback", SNC_PARTS_KEYS, "added", "template", NULL};
    SNC_TRY(snc_json_check_keys(config, keys, WHERE));
    SNC_TRY(snc_json_int(&u->lattice.unk, config, "unk", -1, 0, pieces - 1, WHERE));
    SNC_CHECK(u->lattice.unk >= 0, SNC_E_FORMAT, "%s: no 'unk'", WHERE);
    SNC_TRY(snc_json_double(&u->lattice.unk_score, config, "unk_score", 0, -1e300, 1e300, WHERE));
    return snc_json_bool(&u->lattice.byte_fallback, config, "byte_fallback", false, WHERE);
}

static void find_bytes(snc_lattice *l)
{
    for (unsigned i = 0; i < 256; i++) {
        char name[SNC_BYTE_NAME];
        int n = snc_parts__byte_name(name, i);
        l->byte_id[i] = snc_lattice__find(l, (const unsigned char *)name, (size_t)n);
    }
}

static int32_t find(const snc_tok *t, const char *text, size_t n)
{
    return snc_lattice__find(&((const unigram *)t->state)->lattice, (const unsigned char *)text, n);
}

static snc_err normalize(snc_norm_buf *out, const snc_tok *t, const unsigned char *text, size_t n)
{
    return snc_parts__normalize(out, &((const unigram *)t->state)->parts, text, n);
}

static snc_err build(snc_tok *t, const snc_tok_assets *a, const cJSON *config)
{
    unigram *u = t->state;
    size_t bytes_each;
    int pieces;
    SNC_TRY(snc_unigram__count(&pieces, &bytes_each, a));
    t->ids = snc_unigram__ids(a);
    SNC_TRY(copy_vocab(u, &a->blob[SNC_UNIGRAM_VOCAB], t->ids));
    SNC_TRY(read_flags(u, config, pieces));
    SNC_TRY(build_lattice(u, a, pieces, bytes_each));
    find_bytes(&u->lattice);
    SNC_TRY(snc_parts__init(&u->parts, t, config, &a->blob[SNC_UNIGRAM_CHARSMAP], WHERE));
    snc_special s = {.t = t, .flags = config, .normalized = &u->parts.normalized, .find = find, .normalize = normalize};
    SNC_TRY(snc_special__added(&s));
    return snc_special__template(&s);
}

static snc_err create(snc_tok *t, const snc_tok_assets *a)
{
    unigram *u;
    SNC_CHECK(a->blob[SNC_UNIGRAM_CONFIG].data, SNC_E_FORMAT, "tokenizer: no vocabulary");
    SNC_TRY(snc_alloc(&u, 1, sizeof *u));
    t->state = u;
    return snc_special__flags(t, a, SNC_UNIGRAM_CONFIG, build);
}

static void destroy(void *state)
{
    unigram *u = state;
    if (!u) return;
    snc_lattice__dispose(&u->lattice);
    snc_parts__dispose(&u->parts);
    snc_free(u->text);
    snc_free(u->offset);
    snc_free(u);
}

static const char *piece(const snc_tok *t, int32_t id)
{
    const unigram *u = t->state;
    return u->text + u->offset[id];
}

static void work_free(void *p)
{
    work *w = p;
    snc_parts__work_dispose(&w->parts);
    snc_free(w->node);
    snc_free(w);
}

/* ---- encoding --------------------------------------------------------------------------------------------------- */

static snc_err push_best(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    work *w = s->work;
    SNC_TRY(snc_grow(&w->node, &w->node_cap, n + 1, sizeof *w->node));
    SNC_TRY(snc_tok__reserve(s, n));
    s->n += snc_lattice__best(s->ids + s->n, &((const unigram *)t->state)->lattice, text, n, w->node);
    return SNC_OK;
}

static snc_err cut(snc_tok_scratch *s, const snc_tok *t, const unsigned char *text, size_t n)
{
    work *w = s->work;
    return snc_parts__cut(s, t, &((const unigram *)t->state)->parts, &w->parts, text, n, push_best);
}

const snc_tok_kind snc_tok_unigram = {.name = "unigram",
                                      .blob = {[SNC_UNIGRAM_VOCAB] = "vocab",
                                               [SNC_UNIGRAM_SCORES] = "scores",
                                               [SNC_UNIGRAM_CHARSMAP] = "charsmap",
                                               [SNC_UNIGRAM_CONFIG] = "config"},
                                      .model_type = "Unigram",
                                      .model_key = "unk_id",
                                      .file = {"sentencepiece.bpe.model", "spiece.model", "spm.model", "tokenizer.model"},
                                      .read = snc_spm__read,
                                      .json = snc_unigram__json,
                                      .create = create,
                                      .destroy = destroy,
                                      .piece = piece,
                                      .work_size = sizeof(work),
                                      .work_free = work_free,
                                      .cut = cut,
                                      .ids = snc_unigram__ids,
                                      .need = snc_unigram__need,
                                      .trimmed_bytes = snc_unigram__trimmed_bytes,
                                      .trim = snc_unigram__trim};
