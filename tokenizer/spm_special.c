/* Special and added tokens of a SentencePiece folder. */
#include <stdio.h>
#include <string.h>

#include "tokenizer/spm_folder_priv.h"

typedef snc_spm_folder folder;

/* ---- the template ----------------------------------------------------------------------------------------------- */

/* <s> A </s> <s> B </s>, each by a flag of tokenizer_config.json; the second <s> is of B's type. */
static snc_err begins(snc_tok_names *t, const folder *f)
{
    const char *bos = snc_spm__role(f, SNC_SPM_BOS), *eos = snc_spm__role(f, SNC_SPM_EOS);
    bool first, last;
    SNC_TRY(snc_json_bool(&first, f->in.files->config, "add_bos_token", f->family == SNC_SPM_AS_FILE, f->in.where));
    SNC_TRY(snc_json_bool(&last, f->in.files->config, "add_eos_token", false, f->in.where));
    first = first && bos;
    last = last && eos;
    *t = (snc_tok_names){.second_type = 1, .between_second = first};
    if (first) t->first.name[t->first.n++] = bos;
    if (last) t->between.name[t->between.n++] = t->last.name[t->last.n++] = eos;
    if (first) t->between.name[t->between.n++] = bos;
    return SNC_OK;
}

static snc_err put_template(folder *f)
{
    const char *bos = snc_spm__role(f, SNC_SPM_BOS), *eos = snc_spm__role(f, SNC_SPM_EOS);
    const char *cls = snc_spm__role(f, SNC_SPM_CLS), *sep = snc_spm__role(f, SNC_SPM_SEP);
    bool found, fairseq = f->family == SNC_SPM_XLM_ROBERTA || f->family == SNC_SPM_CAMEMBERT;
    bool as_file = f->family == SNC_SPM_AS_FILE || f->bpe || (f->family == SNC_SPM_ALBERT && f->in.files->tokenizer);
    snc_tok_names t;
    if (f->begins) SNC_TRY(begins(&t, f));
    else if (as_file) SNC_TRY(snc_intake__template(&t, &found, &f->in));
    else if (fairseq) t = (snc_tok_names){.first = {{bos}, 1}, .between = {{eos, eos}, 2}, .last = {{eos}, 1}};
    else if (f->family == SNC_SPM_T5) t = (snc_tok_names){.between = {{eos}, 1}, .last = {{eos}, 1}};
    else t = (snc_tok_names){.first = {{cls}, 1}, .between = {{sep}, 1}, .last = {{sep}, 1}, .second_type = 1};
    return snc_intake__put_template(&f->in, &t);
}

/* ---- added tokens ----------------------------------------------------------------------------------------------- */

static snc_err list_token(cJSON *list, const char *text)
{
    cJSON *entry = cJSON_CreateObject();
    bool ok = entry && cJSON_AddItemToArray(list, entry) && cJSON_AddStringToObject(entry, "content", text) &&
              cJSON_AddBoolToObject(entry, "special", true);
    return ok ? SNC_OK : snc_intake__no_memory();
}

static bool has_list(const cJSON *config, const char *key)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(config, key);
    return list && !cJSON_IsNull(list);
}

/* Tokens that a class adds by itself: T5's sentinels, and what CamemBERT's fairseq has no use for where the files name no others. */
static snc_err list_class_tokens(cJSON *list, folder *f)
{
    static const char *const unused[] = {"<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"};
    const cJSON *config = f->in.files->config;
    bool named = has_list(config, "additional_special_tokens") || has_list(config, "extra_special_tokens") || !f->in.files->tokenizer;
    int extra = 0;
    if (f->family == SNC_SPM_T5) SNC_TRY(snc_json_int(&extra, config, "extra_ids", 100, 0, 10000, f->in.where));
    for (int i = 0; i < extra; i++) {
        char text[32];
        snprintf(text, sizeof text, "<extra_id_%d>", i);
        SNC_TRY(list_token(list, text));
    }
    for (int i = 0; f->family == SNC_SPM_CAMEMBERT && !named && i < 3; i++) SNC_TRY(list_token(list, unused[i]));
    return SNC_OK;
}

/* Roles that are no pieces get numbers of their own; control and user-defined pieces of a .model are found in the raw text, but for
 * user-defined ones that are parts of their own. */
static snc_err list_model_tokens(cJSON *list, const folder *f)
{
    static const int order[] = {SNC_SPM_BOS, SNC_SPM_EOS, SNC_SPM_UNK, SNC_SPM_SEP, SNC_SPM_PAD, SNC_SPM_CLS, SNC_SPM_MASK};
    for (int i = 0; i < SNC_SPM_ROLES; i++) {
        const char *text = snc_spm__role(f, order[i]);
        if (text && !snc_intake__is_piece(&f->in, text)) SNC_TRY(list_token(list, text));
    }
    for (size_t i = 0; i < f->spm.pieces; i++) {
        int type = f->spm.piece[i].type;
        if (type == SNC_SPM_CONTROL || (type == SNC_SPM_USER && f->family != SNC_SPM_OF_MODEL))
            SNC_TRY(list_token(list, f->spm.piece[i].text));
    }
    return SNC_OK;
}

static snc_err add_tokens(folder *f)
{
    f->tokens = cJSON_CreateArray();
    if (!f->tokens) return snc_intake__no_memory();
    if (!f->in.files->tokenizer) SNC_TRY(list_model_tokens(f->tokens, f));
    SNC_TRY(list_class_tokens(f->tokens, f));
    return snc_intake__added(&f->in, f->tokens, false);
}

/* Where a .model's own settings put a U+2581 before every text between them, all are found in the raw text. */
static snc_err make_raw(const folder *f)
{
    cJSON *it;
    if (f->family != SNC_SPM_OF_MODEL || !f->spm.dummy_prefix) return SNC_OK;
    cJSON_ArrayForEach(it, f->in.added)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(it, "normalized");
        if (!cJSON_AddFalseToObject(it, "normalized")) return snc_intake__no_memory();
    }
    return SNC_OK;
}

snc_err snc_spm__special(folder *f)
{
    const snc_tok_folder *files = f->in.files;
    bool anew = f->family != SNC_SPM_AS_FILE && cJSON_GetObjectItemCaseSensitive(files->config, "added_tokens_decoder");
    if (files->tokenizer && !anew)
        SNC_TRY(snc_intake__added(&f->in, cJSON_GetObjectItemCaseSensitive(files->tokenizer, "added_tokens"), false));
    f->in.own_tokens = !files->tokenizer;
    SNC_TRY(snc_intake__legacy(&f->in));
    SNC_TRY(add_tokens(f));
    SNC_TRY(snc_intake__special(&f->in, f->family != SNC_SPM_AS_FILE));
    SNC_TRY(make_raw(f));
    SNC_TRY(snc_intake__file(&f->in, files->tokenizer ? "tokenizer.json" : "tokenizer_config.json"));
    return put_template(f);
}
