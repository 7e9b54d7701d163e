/* A BPE model's part of tokenizer.json, and merges of three forms. */
#include "tokenizer/bpe_intake_priv.h"

#include <string.h>

#include "base/fmap.h"
#include "tokenizer/bpe_priv.h"

/* ---- the model -------------------------------------------------------------------------------------------------- */

static snc_err no_affix(const cJSON *model, const char *key, const char *where)
{
    const char *v;
    SNC_TRY(snc_json_str(&v, model, key, "", where));
    SNC_CHECK(!v[0], SNC_E_UNSUPPORTED, "%s: %s '%.64s': BPE is read without one", where, key, v);
    return SNC_OK;
}

snc_err snc_bpe__model(snc_bpe_model *m, snc_intake *r)
{
    const cJSON *j = cJSON_GetObjectItemCaseSensitive(r->files->tokenizer, "model");
    double dropout;
    SNC_TRY(snc_json_double(&dropout, j, "dropout", 0, 0, 1, r->where));
    SNC_CHECK(dropout == 0, SNC_E_UNSUPPORTED, "%s: dropout %g: ids would be drawn by chance", r->where, dropout);
    SNC_TRY(no_affix(j, "continuing_subword_prefix", r->where));
    SNC_TRY(no_affix(j, "end_of_word_suffix", r->where));
    SNC_TRY(snc_json_str(&m->unk, j, "unk_token", NULL, r->where));
    SNC_TRY(snc_json_bool(&m->fuse_unk, j, "fuse_unk", false, r->where));
    SNC_TRY(snc_json_bool(&m->byte_fallback, j, "byte_fallback", false, r->where));
    SNC_TRY(snc_json_bool(&m->ignore_merges, j, "ignore_merges", false, r->where));
    m->merges = cJSON_GetObjectItemCaseSensitive(j, "merges");
    return snc_intake__pieces(r, cJSON_GetObjectItemCaseSensitive(j, "vocab"));
}

/* ---- merges ----------------------------------------------------------------------------------------------------- */

static snc_err grow(snc_bpe_merging *g)
{
    SNC_CHECK(g->out->bytes < SIZE_MAX / 2, SNC_E_NOMEM, "out of memory while reading a tokenizer");
    return snc_grow(&g->out->data, &g->cap, g->out->bytes + 16, 1);
}

snc_err snc_bpe__merging(snc_bpe_merging *g, snc_tok_blob *out, const snc_intake *r)
{
    *g = (snc_bpe_merging){.out = out, .r = r};
    return grow(g); /* no merges have a place, too */
}

void snc_bpe__merging_dispose(snc_bpe_merging *g)
{
    snc_free(g->joined);
    g->joined = NULL;
}

/* The id of n bytes; -1: no piece. */
static int32_t id_of(snc_bpe_merging *g, const char *text, size_t n)
{
    memcpy(g->joined, text, n);
    g->joined[n] = 0;
    return snc_intake__id(g->r, g->joined);
}

snc_err snc_bpe__merge(snc_bpe_merging *g, const char *left, size_t n_left, const char *right, size_t n_right)
{
    SNC_TRY(snc_grow(&g->joined, &g->joined_cap, n_left + n_right + 1, 1));
    g->rank++;
    SNC_CHECK(id_of(g, left, n_left) >= 0 && n_left > 0, SNC_E_FORMAT, "%s: merge %d: its part '%.64s' is not in the vocabulary",
              g->r->where, g->rank, g->joined);
    SNC_CHECK(id_of(g, right, n_right) >= 0 && n_right > 0, SNC_E_FORMAT, "%s: merge %d: its part '%.64s' is not in the vocabulary",
              g->r->where, g->rank, g->joined);
    memcpy(g->joined, left, n_left);
    memcpy(g->joined + n_left, right, n_right);
    g->joined[n_left + n_right] = 0;
    int32_t id = snc_intake__id(g->r, g->joined);
    SNC_CHECK(id >= 0, SNC_E_FORMAT, "%s: merge %d makes '%.64s', which is not in the vocabulary", g->r->where, g->rank, g->joined);
    SNC_TRY(grow(g));
    snc_bpe_step step = {.id = id, .left = (uint32_t)n_left};
    g->out->bytes += snc_bpe__put((unsigned char *)g->out->data + g->out->bytes, &g->next, step);
    return SNC_OK;
}

/* "left right", with one space; the version line is none. */
static snc_err add_line(snc_bpe_merging *g, const char *line, size_t n)
{
    static const char version[] = "#version";
    if (n >= sizeof version - 1 && memcmp(line, version, sizeof version - 1) == 0) return SNC_OK;
    const char *space = memchr(line, ' ', n);
    size_t left = space ? (size_t)(space - line) : n;
    SNC_CHECK(space && !memchr(space + 1, ' ', n - left - 1), SNC_E_FORMAT, "%s: merge %d: '%.*s' is not two parts", g->r->where,
              g->rank + 1, n < 64 ? (int)n : 64, line);
    return snc_bpe__merge(g, line, left, space + 1, n - left - 1);
}

snc_err snc_bpe__merges_of_json(snc_bpe_merging *g, const cJSON *list)
{
    const cJSON *it;
    SNC_CHECK(cJSON_IsArray(list), SNC_E_FORMAT, "%s: 'model.merges' must be a list", g->r->where);
    cJSON_ArrayForEach(it, list)
    {
        const cJSON *left = cJSON_IsArray(it) ? it->child : NULL, *right = left ? left->next : NULL;
        if (cJSON_IsString(it)) {
            SNC_TRY(add_line(g, it->valuestring, strlen(it->valuestring)));
            continue;
        }
        SNC_CHECK(cJSON_IsString(left) && cJSON_IsString(right) && !right->next, SNC_E_FORMAT,
                  "%s: merge %d must be \"left right\" or [\"left\", \"right\"]", g->r->where, g->rank + 1);
        SNC_TRY(snc_bpe__merge(g, left->valuestring, strlen(left->valuestring), right->valuestring, strlen(right->valuestring)));
    }
    return SNC_OK;
}

static snc_err add_lines(snc_bpe_merging *g, const char *text, size_t n)
{
    SNC_CHECK(!memchr(text, 0, n), SNC_E_FORMAT, "%s: holds a NUL byte, expected text", g->r->where);
    for (const char *p = text, *end = text + n; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        if (!lf) lf = end;
        SNC_TRY(add_line(g, p, (size_t)(lf - p) - (lf > p && lf[-1] == '\r')));
        p = lf + 1;
    }
    return SNC_OK;
}

snc_err snc_bpe__merges_of_text(snc_bpe_merging *g)
{
    char *text = NULL;
    size_t n;
    SNC_TRY(snc_file_read(&text, &n, g->r->where));
    snc_err err = add_lines(g, text, n);
    snc_free(text);
    return err;
}
