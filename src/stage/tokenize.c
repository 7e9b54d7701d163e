/* compress tokenize: word piece ids, a line each. */
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/load.h"
#include "artifact/option.h"
#include "artifact/say.h"
#include "base/mem.h"
#include "models/model.h"
#include "stage/verbs.h"

snc_err snc_verb_tokenize(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx;
    snc_tok_assets assets = {0};
    snc_tok *tok = NULL;
    snc_tok_scratch *scratch = NULL;
    char *text = NULL;
    size_t cap = 0;
    SNC_TRY(snc_option_need("tokenize", "--pretrained", o->input.pretrained));
    SNC_TRY(snc_context_init(&ctx, o, h, NULL, 1));
    SNC_GOTO(snc_load_tokenizer(&assets, o->input.pretrained));
    SNC_GOTO(snc_tok_new(&tok, &assets));
    SNC_GOTO(snc_tok_scratch_new(&scratch));
    for (;;) {
        const char *line = NULL, *tab;
        size_t bytes = 0, at = 0;
        snc_encoding e;
        SNC_GOTO(h->input(h->user, &line, &bytes));
        if (!line) break;
        tab = memchr(line, '\t', bytes);
        size_t a = tab ? (size_t)(tab - line) : bytes;
        SNC_GOTO(snc_tok_encode(&e, tok, scratch, line, a, tab ? tab + 1 : NULL, tab ? bytes - a - 1 : 0, o->rows.max_length));
        SNC_GOTO(snc_grow(&text, &cap, (size_t)e.n * 12 + 1, 1));
        text[0] = 0;
        for (int i = 0; i < e.n; i++) at += (size_t)snprintf(text + at, cap - at, i ? " %d" : "%d", e.ids[i]);
        snc_say_text(h, text);
    }
out:
    snc_free(text);
    snc_tok_scratch_free(scratch);
    snc_tok_free(tok);
    snc_tok_assets_dispose(&assets);
    return err;
}
