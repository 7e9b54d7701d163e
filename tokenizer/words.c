/* A window is open from begin to end: there is always room for the token that closes it. */
#include "tokenizer/words.h"

#include <string.h>

#include "base/mem.h"
#include "tokenizer/tokenizer_priv.h"

static const char *const names[SNC_LONGS] = {"parts", "cut"};

static bool find(snc_long *out, const char *name)
{
    int k = 0;
    while (k < SNC_LONGS && strcmp(name, names[k]) != 0) k++;
    *out = (snc_long)k;
    return k < SNC_LONGS;
}

snc_err snc_long_option(snc_long *out, const char *name)
{
    SNC_CHECK(find(out, name), SNC_E_ARG, "--long-texts '%s': expected parts or cut", name);
    return SNC_OK;
}

void snc_long_put(cJSON *j, snc_long what)
{
    cJSON_DeleteItemFromObjectCaseSensitive(j, "long_texts");
    if (what != SNC_LONG_PARTS) cJSON_AddStringToObject(j, "long_texts", names[what]);
}

snc_err snc_long_of(snc_long *out, const cJSON *j, const char *where)
{
    const char *name;
    SNC_TRY(snc_json_str(&name, j, "long_texts", names[SNC_LONG_PARTS], where));
    SNC_CHECK(find(out, name), SNC_E_FORMAT, "%s: 'long_texts' must be \"parts\" or \"cut\"", where);
    return SNC_OK;
}

snc_err snc_tok_words_new(snc_tok_words **out, const snc_tok *tok, int max_length, snc_long long_texts)
{
    const int special = tok->around.first.n + tok->around.last.n;
    snc_tok_words *w = NULL;
    snc_err err = SNC_OK;
    SNC_CHECK(max_length > special, SNC_E_ARG, "max length %d: expected room for a piece beside %d special tokens", max_length, special);
    SNC_TRY(snc_alloc(&w, 1, sizeof *w));
    w->tok = tok;
    w->max_length = max_length;
    w->long_texts = long_texts;
    SNC_GOTO(snc_tok_scratch_new(&w->scratch));
    SNC_GOTO(snc_grow(&w->start, &w->start_cap, 1, sizeof *w->start));
    w->start[0] = 0;
    *out = w;
    w = NULL;
out:
    snc_tok_words_free(w);
    return err;
}

void snc_tok_words_free(snc_tok_words *w)
{
    if (!w) return;
    snc_tok_scratch_free(w->scratch);
    snc_free(w->ids);
    snc_free(w->start);
    snc_free(w->window);
    snc_free(w->read);
    snc_free(w);
}

void snc_tok_words_clear(snc_tok_words *w)
{
    w->windows = w->words = w->cut = w->broken = w->left_out = 0;
    w->start[0] = 0;
}

static int32_t *end_of(snc_tok_words *w) { return &w->start[w->windows]; }

/* There is room. */
static void push(snc_tok_words *w, const int32_t *ids, int n)
{
    int32_t *end = end_of(w);
    if (n) memcpy(w->ids + *end, ids, (size_t)n * sizeof *ids);
    *end += n;
}

snc_err snc_tok_words_begin(snc_tok_words *w)
{
    const int32_t at = *end_of(w);
    SNC_TRY(snc_grow(&w->ids, &w->ids_cap, (size_t)at + (size_t)w->max_length, sizeof *w->ids));
    SNC_TRY(snc_grow(&w->start, &w->start_cap, (size_t)w->windows + 2, sizeof *w->start));
    w->start[++w->windows] = at;
    w->full = false;
    push(w, w->tok->around.first.id, w->tok->around.first.n);
    return SNC_OK;
}

void snc_tok_words_end(snc_tok_words *w) { push(w, w->tok->around.last.id, w->tok->around.last.n); }

/* The pieces of a word, without what stands around a text. */
static snc_err cut(const int32_t **ids, int *n, snc_tok_words *w, const char *word, size_t bytes)
{
    snc_encoding e;
    char room[256], *text = room;
    const bool blank = w->tok->kind->spaced; /* a word in front of a text has other pieces than one behind a blank */
    if (blank && bytes >= sizeof room) SNC_TRY(snc_alloc(&text, bytes + 1, 1));
    if (blank) {
        text[0] = ' ';
        memcpy(text + 1, word, bytes);
    }
    snc_err err = snc_tok_encode(&e, w->tok, w->scratch, blank ? text : word, bytes + blank, NULL, 0, 0);
    if (text != room) snc_free(text);
    SNC_TRY(err);
    w->broken += e.broken;
    *ids = e.ids + w->tok->around.first.n;
    *n = e.n - w->tok->around.first.n - w->tok->around.last.n;
    if (*n > 0) return SNC_OK;
    *ids = w->tok->around.last.n ? w->tok->around.last.id : w->tok->around.first.id;
    *n = 1;
    return SNC_OK;
}

snc_err snc_tok_words_add(snc_tok_words *w, const char *word, size_t bytes)
{
    const int first = w->tok->around.first.n, most = w->max_length - first - w->tok->around.last.n;
    const int32_t *ids;
    int n;
    SNC_TRY(cut(&ids, &n, w, word, bytes));
    const bool longer = n > most;
    if (longer) n = most;
    w->full = w->full || *end_of(w) - w->start[w->windows - 1] - first + n > most;
    if (w->full && w->long_texts == SNC_LONG_CUT) {
        w->left_out++;
        return SNC_OK;
    }
    w->cut += longer;
    if (w->full) {
        snc_tok_words_end(w);
        SNC_TRY(snc_tok_words_begin(w));
    }
    SNC_TRY(snc_grow(&w->window, &w->window_cap, (size_t)w->words + 1, sizeof *w->window));
    SNC_TRY(snc_grow(&w->read, &w->read_cap, (size_t)w->words + 1, sizeof *w->read));
    w->window[w->words] = w->windows - 1;
    w->read[w->words++] = *end_of(w);
    push(w, ids, n);
    return SNC_OK;
}
