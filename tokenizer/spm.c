/* Fields one after another, lengths held against what is left of the message. */
#include "tokenizer/spm_priv.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "tokenizer/unicode_priv.h"

enum { VARINT, FIXED64, BYTES, FIXED32 = 5 }; /* wire types */
enum { MAX_PIECES = 1 << 22 };

typedef struct message {
    const unsigned char *p, *end;
    const char *where;
} message;

typedef struct field {
    uint64_t number, value; /* of a varint, the bits of a fixed one */
    message bytes;          /* of a field of bytes */
    int wire;
} field;

static snc_err broken(const message *m)
{
    return snc_err_set(SNC_E_FORMAT, "%s: not a SentencePiece model: it is cut or damaged", m->where);
}

static snc_err read_varint(uint64_t *out, message *m)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (m->p == m->end) return broken(m);
        unsigned char c = *m->p++;
        *out |= (uint64_t)(c & 127) << shift;
        if (c < 128) return SNC_OK;
    }
    return broken(m);
}

static snc_err read_fixed(uint64_t *out, message *m, int bytes)
{
    if (m->end - m->p < bytes) return broken(m);
    *out = 0;
    for (int i = 0; i < bytes; i++) *out |= (uint64_t)m->p[i] << 8 * i;
    m->p += bytes;
    return SNC_OK;
}

static snc_err read_field(field *f, message *m)
{
    uint64_t tag, n;
    SNC_TRY(read_varint(&tag, m));
    *f = (field){.number = tag >> 3, .wire = (int)(tag & 7)};
    if (f->wire == VARINT) return read_varint(&f->value, m);
    if (f->wire == FIXED32 || f->wire == FIXED64) return read_fixed(&f->value, m, f->wire == FIXED32 ? 4 : 8);
    if (f->wire != BYTES) return broken(m);
    SNC_TRY(read_varint(&n, m));
    if (n > (uint64_t)(m->end - m->p)) return broken(m);
    f->bytes = (message){m->p, m->p + n, m->where};
    m->p += n;
    return SNC_OK;
}

static bool is(const field *f, uint64_t number, int wire) { return f->number == number && f->wire == wire; }

/* An int32 of protobuf: negative ones are 64 bits long. */
static int int_of(const field *f) { return (int)(int32_t)(uint32_t)f->value; }

/* The bytes of a field, the `at`-th piece's in messages. */
static snc_err read_text(const char **out, const snc_spm *m, const field *f, size_t at)
{
    char *copy;
    size_t n = (size_t)(f->bytes.end - f->bytes.p);
    SNC_CHECK(snc_utf8__valid(f->bytes.p, n) == n && !memchr(f->bytes.p, 0, n), SNC_E_FORMAT, "%s: piece %zu is not valid UTF-8",
              f->bytes.where, at);
    SNC_TRY(snc_arena_strndup(&copy, m->arena, (const char *)f->bytes.p, n));
    *out = copy;
    return SNC_OK;
}

static snc_err read_piece(snc_spm *m, message in)
{
    field f;
    snc_spm_piece piece = {.text = "", .type = SNC_SPM_NORMAL};
    while (in.p < in.end) {
        SNC_TRY(read_field(&f, &in));
        if (is(&f, 1, BYTES)) {
            SNC_TRY(read_text(&piece.text, m, &f, m->pieces));
        } else if (is(&f, 2, FIXED32)) {
            float score;
            memcpy(&score, &(uint32_t){(uint32_t)f.value}, sizeof score);
            SNC_CHECK(isfinite(score), SNC_E_FORMAT, "%s: the score of piece %zu is no finite number", in.where, m->pieces);
            piece.score = (double)score;
        } else if (is(&f, 3, VARINT)) {
            piece.type = int_of(&f);
        }
    }
    SNC_CHECK(m->pieces < MAX_PIECES, SNC_E_FORMAT, "%s: more than %d pieces", in.where, MAX_PIECES);
    SNC_TRY(snc_grow(&m->piece, &m->cap, m->pieces + 1, sizeof *m->piece));
    m->piece[m->pieces++] = piece;
    return SNC_OK;
}

static snc_err read_trainer(snc_spm *m, message in)
{
    field f;
    while (in.p < in.end) {
        SNC_TRY(read_field(&f, &in));
        if (is(&f, 3, VARINT)) m->model = int_of(&f);
        if (is(&f, 35, VARINT)) m->byte_fallback = f.value != 0;
        if (is(&f, 40, VARINT)) m->unk = int_of(&f);
        if (is(&f, 41, VARINT)) m->bos = int_of(&f);
        if (is(&f, 42, VARINT)) m->eos = int_of(&f);
        if (is(&f, 45, BYTES)) SNC_TRY(read_text(&m->unk_piece, m, &f, 0));
        if (is(&f, 46, BYTES)) SNC_TRY(read_text(&m->bos_piece, m, &f, 1));
        if (is(&f, 47, BYTES)) SNC_TRY(read_text(&m->eos_piece, m, &f, 2));
    }
    return SNC_OK;
}

static snc_err read_normalizer(snc_spm *m, message in)
{
    field f;
    while (in.p < in.end) {
        SNC_TRY(read_field(&f, &in));
        if (is(&f, 2, BYTES)) {
            m->map_bytes = (size_t)(f.bytes.end - f.bytes.p);
            m->map = m->map_bytes ? f.bytes.p : NULL;
        }
        if (is(&f, 3, VARINT)) m->dummy_prefix = f.value != 0;
        if (is(&f, 4, VARINT)) m->strip_spaces = f.value != 0;
        if (is(&f, 5, VARINT)) m->escape_spaces = f.value != 0;
    }
    return SNC_OK;
}

snc_err snc_spm__parse(snc_spm *m, const void *data, size_t n, const char *where)
{
    const unsigned char *p = n ? data : (const void *)""; /* an empty file has no place */
    message in = {p, p + n, where};
    field f;
    *m = (snc_spm){.model = SNC_SPM_UNIGRAM, .dummy_prefix = true, .strip_spaces = true, .escape_spaces = true, .bos = 1, .eos = 2};
    m->unk_piece = "<unk>";
    m->bos_piece = "<s>";
    m->eos_piece = "</s>";
    SNC_TRY(snc_arena_new(&m->arena));
    while (in.p < in.end) {
        SNC_TRY(read_field(&f, &in));
        if (is(&f, 1, BYTES)) SNC_TRY(read_piece(m, f.bytes));
        if (is(&f, 2, BYTES)) SNC_TRY(read_trainer(m, f.bytes));
        if (is(&f, 3, BYTES)) SNC_TRY(read_normalizer(m, f.bytes));
    }
    SNC_CHECK(m->pieces > 0, SNC_E_FORMAT, "%s: not a SentencePiece model: it has no pieces", where);
    return SNC_OK;
}

void snc_spm__dispose(snc_spm *m)
{
    snc_free(m->piece);
    snc_arena_free(m->arena);
    *m = (snc_spm){.model = 0};
}
