/* WordPiece in a Hugging Face folder: its model, its roles and its template, from files that may disagree. */
#include <string.h>

#include "base/fmap.h"
#include "tokenizer/intake_priv.h"
#include "tokenizer/special_priv.h"
#include "tokenizer/wordpiece_priv.h"

enum { BERT_CHARS = 100 }; /* of a word; longer ones are unknown */

static const snc_tok_role roles[] = {{"unk", "unk_token", "[UNK]"},
                                     {"sep", "sep_token", "[SEP]"},
                                     {"pad", "pad_token", "[PAD]"},
                                     {"cls", "cls_token", "[CLS]"},
                                     {"mask", "mask_token", "[MASK]"}};
enum { N_ROLES = 5 };

static snc_err read_vocab(snc_intake *r)
{
    const cJSON *vocab = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(r->files->tokenizer, "model"), "vocab");
    if (vocab) {
        SNC_TRY(snc_intake__file(r, "tokenizer.json"));
        SNC_TRY(snc_intake__pieces(r, vocab));
    } else {
        SNC_TRY(snc_intake__file(r, "vocab.txt"));
        SNC_CHECK(snc_is_file(r->where), SNC_E_NOTFOUND, "%s: no vocab.txt and no tokenizer.json", r->files->dir);
        SNC_TRY(snc_intake__text(r));
    }
    return snc_intake__end(r);
}

static snc_err model_from_json(snc_intake *r, snc_tok_rule rule)
{
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(r->files->tokenizer, "model");
    const char *prefix, *unk;
    int max_chars;
    SNC_TRY(snc_json_str(&prefix, model, "continuing_subword_prefix", "##", r->where));
    SNC_CHECK(strcmp(prefix, "##") == 0, SNC_E_UNSUPPORTED, "%s: continuing_subword_prefix '%.64s': only '##' is known", r->where, prefix);
    SNC_TRY(snc_json_int(&max_chars, model, "max_input_chars_per_word", 100, 1, 100000, r->where));
    SNC_TRY(snc_json_str(&unk, model, "unk_token", "[UNK]", r->where));
    if (rule == SNC_TOK_REBUILT) max_chars = BERT_CHARS;
    else SNC_TRY(snc_intake__str(r, "unk", unk));
    return cJSON_AddNumberToObject(r->out, "max_chars", max_chars) ? SNC_OK : snc_intake__no_memory();
}

/* [CLS] A [SEP] B [SEP], whatever the two are called, or two [SEP] between. */
static snc_err read_template(snc_intake *r)
{
    snc_tok_names t;
    bool found;
    SNC_TRY(snc_intake__template(&t, &found, r));
    if (!found) return SNC_OK;
    bool bert = !t.between_second && t.first.n == 1 && (t.between.n == 1 || t.between.n == 2) && t.last.n == 1;
    for (int i = 0; i < t.between.n && bert; i++) bert = strcmp(t.between.name[i], t.last.name[0]) == 0;
    SNC_CHECK(bert, SNC_E_UNSUPPORTED, "%s: post_processor is not [CLS] A [SEP] B [SEP]", r->where);
    SNC_TRY(snc_intake__str(r, "cls", t.first.name[0]));
    SNC_TRY(snc_intake__str(r, "sep", t.last.name[0]));
    if (t.second_type != 1 && !cJSON_AddNumberToObject(r->out, "second_type", t.second_type)) return snc_intake__no_memory();
    if (t.between.n != 1 && !cJSON_AddNumberToObject(r->out, "separators", t.between.n)) return snc_intake__no_memory();
    return SNC_OK;
}

/* What tokenizer_config.json names holds for a tokenizer that is built anew; tokenizer.json's word where that is no piece at all. */
static snc_err read_rebuilt_roles(snc_intake *r)
{
    const char *unk =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(r->files->tokenizer, "model"), "unk_token"));
    for (int i = 0; i < N_ROLES; i++) {
        const char *text = snc_intake__content(snc_intake__role(r, i));
        if (!text) text = roles[i].def;
        if (snc_intake__is_piece(r, text)) SNC_TRY(snc_intake__str(r, roles[i].key, text));
    }
    if (unk && !cJSON_GetObjectItemCaseSensitive(r->out, "unk")) SNC_TRY(snc_intake__str(r, "unk", unk));
    bool named = cJSON_GetObjectItemCaseSensitive(r->out, "cls") && cJSON_GetObjectItemCaseSensitive(r->out, "sep");
    return named ? SNC_OK : read_template(r);
}

static snc_err read_folder(snc_intake *r)
{
    const snc_tok_folder *files = r->files;
    snc_tok_rule rule = SNC_TOK_REBUILT;
    if (files->tokenizer) {
        SNC_TRY(snc_tok__rule(&rule, files));
        SNC_TRY(snc_intake__file(r, "tokenizer.json"));
        SNC_TRY(model_from_json(r, rule));
    }
    SNC_TRY(read_vocab(r));
    if (!files->tokenizer) SNC_TRY(snc_tok__rule(&rule, files)); /* where there is no vocabulary either, that is what is said */
    SNC_TRY(snc_tok__flags(r->out, rule, files));
    if (files->tokenizer) {
        SNC_TRY(snc_intake__file(r, "tokenizer.json"));
        bool anew = rule == SNC_TOK_REBUILT && cJSON_GetObjectItemCaseSensitive(files->config, "added_tokens_decoder");
        if (!anew) SNC_TRY(snc_intake__added(r, cJSON_GetObjectItemCaseSensitive(files->tokenizer, "added_tokens"), false));
        SNC_TRY(rule == SNC_TOK_REBUILT ? read_rebuilt_roles(r) : read_template(r));
        SNC_TRY(snc_intake__roles(r));
        return snc_intake__special(r, rule != SNC_TOK_AS_FILE);
    }
    SNC_TRY(snc_intake__roles(r));
    if (!cJSON_AddNumberToObject(r->out, "max_chars", BERT_CHARS)) return snc_intake__no_memory();
    return snc_intake__special(r, true);
}

snc_err snc_wordpiece__read(snc_tok_assets *out, const snc_tok_folder *files)
{
    snc_intake r;
    snc_err err = SNC_OK;
    SNC_GOTO(snc_intake__init(&r, files, roles, N_ROLES));
    SNC_GOTO(read_folder(&r));
    SNC_GOTO(snc_intake__lines(&out->blob[SNC_WORDPIECE_VOCAB], &r));
    SNC_GOTO(snc_special__print(&out->blob[SNC_WORDPIECE_CONFIG], r.out));
out:
    snc_intake__dispose(&r);
    return err;
}
