/* A unigram model in a Hugging Face folder: tokenizer.json as it stands, or what the tokenizer's class makes of its pieces. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "tokenizer/charsmap_priv.h"
#include "tokenizer/intake_priv.h"
#include "tokenizer/special_priv.h"
#include "tokenizer/spm_priv.h"
#include "tokenizer/unigram_priv.h"

typedef enum family { AS_FILE, XLM_ROBERTA, CAMEMBERT, ALBERT, T5, DEBERTA } family;

enum { UNK, BOS, EOS, SEP, CLS, PAD, MASK, N_ROLES };

static const char *const role_names[N_ROLES] = {"unk_token", "bos_token", "eos_token", "sep_token", "cls_token", "pad_token", "mask_token"};

/* Classes of Transformers 5.24 that make a tokenizer of pieces and scores alone, by their names or by their model's. */
static const struct {
    const char *class, *model;
    family family;
    const char *role[N_ROLES];
} classes[] = {
    {"XLMRobertaTokenizer", "xlm-roberta", XLM_ROBERTA, {"<unk>", "<s>", "</s>", "</s>", "<s>", "<pad>", "<mask>"}},
    {"CamembertTokenizer", "camembert", CAMEMBERT, {"<unk>", "<s>", "</s>", "</s>", "<s>", "<pad>", "<mask>"}},
    {"AlbertTokenizer", "albert", ALBERT, {"<unk>", "[CLS]", "[SEP]", "[SEP]", "[CLS]", "<pad>", "[MASK]"}},
    {"T5Tokenizer", "t5", T5, {"<unk>", NULL, "</s>", NULL, NULL, "<pad>", NULL}},
    {"DebertaV2Tokenizer", "deberta-v2", DEBERTA, {"[UNK]", "[CLS]", "[SEP]", "[SEP]", "[CLS]", "[PAD]", "[MASK]"}},
};
enum { N_CLASSES = sizeof classes / sizeof classes[0] };

typedef struct folder {
    snc_intake in;
    snc_tok_role roles[N_ROLES];
    family family;
    double *scores; /* [in.n_pieces] */
    size_t scores_cap;
    int unk;
    bool byte_fallback;
    snc_spm spm;
    snc_fmap *file;
    snc_bytes map;
    cJSON *steps;  /* belongs to in.out */
    cJSON *tokens; /* that the files do not list; their texts are borrowed */
} folder;

/* ---- whose word holds ------------------------------------------------------------------------------------------- */

/* The tokenizer's class, or else the model's; up to 4.x a tokenizer.json is taken as it stands. */
static snc_err find_class(folder *f, const snc_tok_folder *files)
{
    const char *of_model, *class, *model;
    char where[1024];
    SNC_TRY(snc_path_join(where, sizeof where, files->dir, "config.json"));
    SNC_TRY(snc_json_str(&of_model, files->model, "tokenizer_class", "", where));
    SNC_TRY(snc_json_str(&model, files->model, "model_type", "", where));
    SNC_TRY(snc_path_join(where, sizeof where, files->dir, "tokenizer_config.json"));
    SNC_TRY(snc_json_str(&class, files->config, "tokenizer_class", of_model, where));
    for (int i = 0; i < N_CLASSES; i++) {
        if (*class ? !snc_tok__is_class(class, classes[i].class) : strcmp(model, classes[i].model) != 0) continue;
        if (files->tokenizer && snc_tok__before_5(files)) continue;
        f->family = classes[i].family;
        for (int k = 0; k < N_ROLES; k++) f->roles[k].def = classes[i].role[k];
    }
    SNC_CHECK(f->family != AS_FILE || files->tokenizer, SNC_E_UNSUPPORTED,
              "%s: tokenizer_class '%.64s': a .model without tokenizer.json is read for XLMRobertaTokenizer, CamembertTokenizer, "
              "AlbertTokenizer, "
              "T5Tokenizer and DebertaV2Tokenizer",
              where, *class ? class : model);
    return SNC_OK;
}

/* What the files call a role, or else the class. */
static const char *role(const folder *f, int i)
{
    const char *text = snc_intake__content(snc_intake__role(&f->in, i));
    return text ? text : f->roles[i].def;
}

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

static snc_err add_piece(folder *f, const char *text, double score)
{
    size_t i = f->in.n_lines;
    SNC_CHECK(isfinite(score), SNC_E_FORMAT, "%s: the score of piece %zu is no finite number", f->in.where, i);
    SNC_TRY(snc_grow(&f->scores, &f->scores_cap, i + 1, sizeof *f->scores));
    f->scores[i] = score;
    return snc_intake__piece(&f->in, (double)i, text);
}

static snc_err pieces_of_json(folder *f)
{
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(f->in.files->tokenizer, "model"), *it;
    const cJSON *vocab = cJSON_GetObjectItemCaseSensitive(model, "vocab");
    SNC_TRY(snc_intake__file(&f->in, "tokenizer.json"));
    SNC_CHECK(cJSON_IsArray(vocab), SNC_E_FORMAT, "%s: 'model.vocab' must be a list of pieces and scores", f->in.where);
    cJSON_ArrayForEach(it, vocab)
    {
        const cJSON *text = cJSON_GetArrayItem(it, 0), *score = cJSON_GetArrayItem(it, 1);
        SNC_CHECK(cJSON_GetArraySize(it) == 2 && cJSON_IsString(text) && cJSON_IsNumber(score), SNC_E_FORMAT,
                  "%s: 'model.vocab' at %zu: expected a piece and its score", f->in.where, f->in.n_lines);
        SNC_TRY(add_piece(f, text->valuestring, score->valuedouble));
    }
    SNC_TRY(snc_json_int(&f->unk, model, "unk_id", -1, 0, SNC_INTAKE_MAX_ID, f->in.where));
    SNC_TRY(snc_json_bool(&f->byte_fallback, model, "byte_fallback", false, f->in.where));
    SNC_CHECK(f->unk >= 0 && f->unk < (int)f->in.n_lines, SNC_E_FORMAT, "%s: 'model.unk_id' must be the place of a piece", f->in.where);
    return SNC_OK;
}

static snc_err add_rest(folder *f, size_t from)
{
    for (size_t i = from; i < f->spm.pieces; i++) SNC_TRY(add_piece(f, f->spm.piece[i].text, f->spm.piece[i].score));
    return SNC_OK;
}

/* fairseq numbers pieces after special tokens of its own, and the mask stands last. */
static snc_err add_fairseq(folder *f)
{
    if (f->family == XLM_ROBERTA) {
        static const int first[] = {BOS, PAD, EOS, UNK};
        for (int i = 0; i < 4; i++) SNC_TRY(add_piece(f, role(f, first[i]), 0));
        SNC_TRY(add_rest(f, 3));
    } else {
        SNC_TRY(add_piece(f, "<s>NOTUSED", 0));
        SNC_TRY(add_piece(f, role(f, PAD), 0));
        SNC_TRY(add_piece(f, "</s>NOTUSED", 0));
        SNC_TRY(add_piece(f, role(f, UNK), 0));
        SNC_TRY(add_piece(f, "<unk>NOTUSED", -100));
        SNC_TRY(add_rest(f, 1));
    }
    return add_piece(f, role(f, MASK), 0);
}

/* T5's sentinels, the highest number first. */
static snc_err add_extra_ids(folder *f)
{
    int n;
    SNC_TRY(snc_json_int(&n, f->in.files->config, "extra_ids", 100, 0, 10000, f->in.where));
    while (n-- > 0) {
        char text[32], *copy;
        int bytes = snprintf(text, sizeof text, "<extra_id_%d>", n);
        SNC_TRY(snc_arena_strndup(&copy, f->in.arena, text, (size_t)bytes));
        SNC_TRY(add_piece(f, copy, 0));
    }
    return SNC_OK;
}

static snc_err open_model(folder *f)
{
    for (int i = 0; snc_tok_unigram.file[i]; i++) {
        SNC_TRY(snc_intake__file(&f->in, snc_tok_unigram.file[i]));
        if (snc_is_file(f->in.where)) return snc_fmap_open(&f->file, f->in.where);
    }
    return snc_err_set(SNC_E_NOTFOUND, "%s: no tokenizer.json and no SentencePiece model", f->in.files->dir);
}

static snc_err pieces_of_model(folder *f)
{
    SNC_TRY(open_model(f));
    SNC_TRY(snc_spm__parse(&f->spm, f->file->data, f->file->size, f->in.where));
    SNC_CHECK(f->spm.model == SNC_SPM_UNIGRAM, SNC_E_UNSUPPORTED, "%s: a SentencePiece model of type %d: only unigram (1) is read",
              f->in.where, f->spm.model);
    if (f->family == XLM_ROBERTA || f->family == CAMEMBERT) SNC_TRY(add_fairseq(f));
    else SNC_TRY(add_rest(f, 0));
    if (f->family == T5) SNC_TRY(add_extra_ids(f));
    if (f->spm.map) SNC_TRY(snc_bytes__add(&f->map, f->spm.map, f->spm.map_bytes));
    return SNC_OK;
}

static int place_of(const folder *f, const char *text, bool of_score_0)
{
    for (size_t i = 0; text && i < f->in.n_pieces; i++)
        if (strcmp(f->in.lines[i], text) == 0 && (!of_score_0 || f->scores[i] == 0)) return (int)i;
    return -1;
}

/* Classes say which place the unknown has, whatever the file says. */
static snc_err class_unknown(folder *f)
{
    static const int fixed[] = {[XLM_ROBERTA] = 3, [ALBERT] = 1, [T5] = 2};
    int at = -1;
    if (f->family == AS_FILE) return SNC_OK;
    if (f->family == CAMEMBERT) {
        at = place_of(f, role(f, UNK), false);
        if (at < 0) at = 0;
    } else if (f->family == DEBERTA) {
        at = place_of(f, role(f, UNK), true);
        if (at < 0) at = f->in.files->tokenizer ? 1 : f->spm.unk;
    } else {
        at = fixed[f->family];
    }
    SNC_CHECK(at >= 0 && at < (int)f->in.n_pieces, SNC_E_FORMAT, "%s: no piece at %d, where the unknown of the class stands", f->in.where,
              at);
    f->unk = at;
    f->byte_fallback = false;
    return SNC_OK;
}

/* ---- normalizer and pre-tokenizer ------------------------------------------------------------------------------- */

static signed char sextet(char c)
{
    if (c >= 'A' && c <= 'Z') return (signed char)(c - 'A');
    if (c >= 'a' && c <= 'z') return (signed char)(c - 'a' + 26);
    if (c >= '0' && c <= '9') return (signed char)(c - '0' + 52);
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static snc_err read_map(folder *f, const cJSON *part)
{
    const char *text;
    unsigned bits = 0, have = 0;
    SNC_TRY(snc_json_str(&text, part, "precompiled_charsmap", "", f->in.where));
    for (; *text && *text != '='; text++) {
        signed char six = sextet(*text);
        SNC_CHECK(six >= 0, SNC_E_FORMAT, "%s: 'precompiled_charsmap' is not base64", f->in.where);
        bits = bits << 6 | (unsigned)six;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        SNC_TRY(snc_bytes__add(&f->map, &(unsigned char){(unsigned char)(bits >> have)}, 1));
    }
    return SNC_OK;
}

static snc_err add_step(folder *f, cJSON *step)
{
    if (step && cJSON_AddItemToArray(f->steps, step)) return SNC_OK;
    cJSON_Delete(step);
    return snc_intake__no_memory();
}

static snc_err add_steps(folder *f, const char *json)
{
    cJSON *list = cJSON_Parse(json);
    snc_err err = SNC_OK;
    while (!err && cJSON_GetArraySize(list) > 0) err = add_step(f, cJSON_DetachItemFromArray(list, 0));
    cJSON_Delete(list);
    return err;
}

static const char PRECOMPILED[] = "[{\"type\":\"Precompiled\"}]";

/* Parts of a Sequence one by one; of a class that makes its own normalizer only the map is taken. */
static snc_err flatten(folder *f, const cJSON *part, int depth)
{
    const char *type;
    SNC_TRY(snc_tok__type(&type, part, "normalizer", f->in.where));
    if (!type) return SNC_OK;
    if (strcmp(type, "Sequence") == 0) {
        const cJSON *all = cJSON_GetObjectItemCaseSensitive(part, "normalizers"), *it;
        SNC_CHECK(cJSON_IsArray(all) && depth < 8, SNC_E_FORMAT, "%s: a normalizer of type Sequence must have a list 'normalizers'",
                  f->in.where);
        cJSON_ArrayForEach(it, all) SNC_TRY(flatten(f, it, depth + 1));
        return SNC_OK;
    }
    if (strcmp(type, "Precompiled") != 0) return f->family == AS_FILE ? add_step(f, cJSON_Duplicate(part, true)) : SNC_OK;
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(part, "precompiled_charsmap");
    if (!map || cJSON_IsNull(map) || (cJSON_IsString(map) && !*map->valuestring)) return SNC_OK;
    SNC_CHECK(f->map.n == 0, SNC_E_UNSUPPORTED, "%s: a second normalizer 'Precompiled' is not known", f->in.where);
    SNC_TRY(read_map(f, part));
    return f->family == AS_FILE ? add_steps(f, PRECOMPILED) : SNC_OK;
}

static snc_err class_steps(folder *f)
{
    bool keep_accents, lower;
    const cJSON *config = f->in.files->config;
    SNC_TRY(snc_json_bool(&keep_accents, config, "keep_accents", false, f->in.where));
    SNC_TRY(snc_json_bool(&lower, config, "do_lower_case", f->family == ALBERT, f->in.where));
    bool albert = f->family == ALBERT, deberta = f->family == DEBERTA;
    if (albert)
        SNC_TRY(add_steps(f, "[{\"type\":\"Replace\",\"pattern\":{\"String\":\"``\"},\"content\":\"\\\"\"},"
                             "{\"type\":\"Replace\",\"pattern\":{\"String\":\"''\"},\"content\":\"\\\"\"}]"));
    if (albert && !keep_accents) SNC_TRY(add_steps(f, "[{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"}]"));
    if ((albert || deberta) && lower) SNC_TRY(add_steps(f, "[{\"type\":\"Lowercase\"}]"));
    if (deberta)
        return add_steps(
            f, "[{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\s{2,}|[\\\\n\\\\r\\\\t]\"},\"content\":\" \"},{\"type\":\"NFC\"},"
               "{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true}]");
    return f->map.n > 0 ? add_steps(f, PRECOMPILED) : SNC_OK;
}

typedef struct parts {
    bool whitespace, split;
    const char *prepend; /* NULL: no Metaspace */
} parts;

static snc_err add_metaspace(parts *p, const folder *f, const cJSON *part)
{
    const char *block, *scheme;
    bool prefix;
    SNC_TRY(snc_json_str(&block, part, "replacement", SNC_UNIGRAM_SPACE, f->in.where));
    SNC_TRY(snc_json_bool(&prefix, part, "add_prefix_space", true, f->in.where)); /* of old versions */
    SNC_TRY(snc_json_str(&scheme, part, "prepend_scheme", prefix ? "always" : "never", f->in.where));
    SNC_TRY(snc_json_bool(&p->split, part, "split", true, f->in.where));
    SNC_CHECK(strcmp(block, SNC_UNIGRAM_SPACE) == 0, SNC_E_UNSUPPORTED, "%s: pre_tokenizer 'Metaspace' with '%.64s' in place of spaces",
              f->in.where, block);
    p->prepend = scheme;
    return SNC_OK;
}

/* Nothing, Metaspace, or WhitespaceSplit and then Metaspace. */
static snc_err read_parts(parts *p, const folder *f, const cJSON *part, int depth)
{
    const char *type;
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(part, "pretokenizers"), *it;
    SNC_TRY(snc_tok__type(&type, part, "pre_tokenizer", f->in.where));
    if (!type) return SNC_OK;
    if (strcmp(type, "Sequence") == 0) {
        SNC_CHECK(cJSON_IsArray(all) && depth < 8, SNC_E_FORMAT, "%s: a pre_tokenizer of type Sequence must have a list 'pretokenizers'",
                  f->in.where);
        cJSON_ArrayForEach(it, all) SNC_TRY(read_parts(p, f, it, depth + 1));
        return SNC_OK;
    }
    if (strcmp(type, "Metaspace") == 0 && !p->prepend) return add_metaspace(p, f, part);
    SNC_CHECK(strcmp(type, "WhitespaceSplit") == 0 && !p->prepend, SNC_E_UNSUPPORTED,
              "%s: pre_tokenizer '%.64s': only WhitespaceSplit and Metaspace, in this order, are known", f->in.where, type);
    p->whitespace = true;
    return SNC_OK;
}

static snc_err put_parts(folder *f)
{
    parts p = {.whitespace = f->family != DEBERTA, .split = true};
    if (f->family == AS_FILE) {
        p = (parts){.split = false};
        SNC_TRY(read_parts(&p, f, cJSON_GetObjectItemCaseSensitive(f->in.files->tokenizer, "pre_tokenizer"), 0));
        SNC_CHECK(p.prepend, SNC_E_UNSUPPORTED, "%s: pre_tokenizer without 'Metaspace' is not known", f->in.where);
        SNC_CHECK(!p.whitespace || strcmp(p.prepend, "first") != 0, SNC_E_UNSUPPORTED,
                  "%s: pre_tokenizer 'Metaspace' with prepend_scheme 'first' after 'WhitespaceSplit' is not known", f->in.where);
    } else {
        bool prefix, punctuation;
        SNC_TRY(snc_json_bool(&prefix, f->in.files->config, "add_prefix_space", true, f->in.where));
        SNC_TRY(snc_json_bool(&punctuation, f->in.files->config, "split_by_punct", false, f->in.where));
        SNC_CHECK(!punctuation || f->family != DEBERTA, SNC_E_UNSUPPORTED, "%s: 'split_by_punct' is not known", f->in.where);
        p.prepend = prefix || f->family == T5 ? "always" : f->family == DEBERTA ? "first" : "never";
    }
    cJSON *out = f->in.out;
    bool ok = cJSON_AddBoolToObject(out, "whitespace_split", p.whitespace) && cJSON_AddStringToObject(out, "prepend", p.prepend) &&
              cJSON_AddBoolToObject(out, "split", p.split);
    return ok ? SNC_OK : snc_intake__no_memory();
}

/* ---- special tokens --------------------------------------------------------------------------------------------- */

static snc_err put_template(folder *f)
{
    const char *bos = role(f, BOS), *eos = role(f, EOS), *cls = role(f, CLS), *sep = role(f, SEP);
    snc_tok_names t = {.second_type = 0};
    bool found = true;
    bool fairseq = f->family == XLM_ROBERTA || f->family == CAMEMBERT;
    if (f->family == AS_FILE || (f->family == ALBERT && f->in.files->tokenizer)) SNC_TRY(snc_intake__template(&t, &found, &f->in));
    else if (fairseq) t = (snc_tok_names){.first = {{bos}, 1}, .between = {{eos, eos}, 2}, .last = {{eos}, 1}};
    else if (f->family == T5) t = (snc_tok_names){.between = {{eos}, 1}, .last = {{eos}, 1}};
    else t = (snc_tok_names){.first = {{cls}, 1}, .between = {{sep}, 1}, .last = {{sep}, 1}, .second_type = 1};
    return found ? snc_intake__put_template(&f->in, &t) : SNC_OK;
}

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
    if (f->family == T5) SNC_TRY(snc_json_int(&extra, config, "extra_ids", 100, 0, 10000, f->in.where));
    for (int i = 0; i < extra; i++) {
        char text[32];
        snprintf(text, sizeof text, "<extra_id_%d>", i);
        SNC_TRY(list_token(list, text));
    }
    for (int i = 0; f->family == CAMEMBERT && !named && i < 3; i++) SNC_TRY(list_token(list, unused[i]));
    return SNC_OK;
}

/* Roles that are no pieces get numbers of their own; control and user-defined pieces of a .model are found in the raw text. */
static snc_err list_model_tokens(cJSON *list, const folder *f)
{
    for (int i = 0; i < N_ROLES; i++) {
        const char *text = role(f, i);
        if (text && !snc_intake__is_piece(&f->in, text)) SNC_TRY(list_token(list, text));
    }
    for (size_t i = 0; i < f->spm.pieces; i++)
        if (f->spm.piece[i].type == SNC_SPM_CONTROL || f->spm.piece[i].type == SNC_SPM_USER)
            SNC_TRY(list_token(list, f->spm.piece[i].text));
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

static snc_err read_special(folder *f)
{
    const snc_tok_folder *files = f->in.files;
    bool anew = f->family != AS_FILE && cJSON_GetObjectItemCaseSensitive(files->config, "added_tokens_decoder");
    if (files->tokenizer && !anew)
        SNC_TRY(snc_intake__added(&f->in, cJSON_GetObjectItemCaseSensitive(files->tokenizer, "added_tokens"), false));
    SNC_TRY(add_tokens(f));
    SNC_TRY(snc_intake__special(&f->in, f->family != AS_FILE));
    SNC_TRY(snc_intake__file(&f->in, files->tokenizer ? "tokenizer.json" : "tokenizer_config.json"));
    return put_template(f);
}

/* ---- putting it together ---------------------------------------------------------------------------------------- */

static snc_err put_model(folder *f)
{
    double lowest = f->scores[0];
    for (size_t i = 1; i < f->in.n_pieces; i++) lowest = f->scores[i] < lowest ? f->scores[i] : lowest;
    cJSON *out = f->in.out;
    bool ok = cJSON_AddNumberToObject(out, "pieces", (double)f->in.n_pieces) && cJSON_AddNumberToObject(out, "unk", f->unk) &&
              cJSON_AddNumberToObject(out, "unk_score", lowest - SNC_UNIGRAM_PENALTY) &&
              cJSON_AddBoolToObject(out, "byte_fallback", f->byte_fallback);
    f->steps = cJSON_AddArrayToObject(out, "normalizer");
    return ok && f->steps ? SNC_OK : snc_intake__no_memory();
}

static snc_err read_folder(folder *f)
{
    const snc_tok_folder *files = f->in.files;
    SNC_TRY(find_class(f, files));
    SNC_TRY(files->tokenizer ? pieces_of_json(f) : pieces_of_model(f));
    SNC_TRY(snc_intake__end(&f->in));
    SNC_TRY(class_unknown(f));
    SNC_TRY(put_model(f));
    SNC_TRY(flatten(f, cJSON_GetObjectItemCaseSensitive(files->tokenizer, "normalizer"), 0));
    if (f->family != AS_FILE) SNC_TRY(class_steps(f));
    SNC_TRY(put_parts(f));
    return read_special(f);
}

static snc_err put_vocab(snc_tok_blob *out, const snc_intake *r)
{
    size_t bytes = 0;
    for (size_t i = 0; i < r->n_lines; i++) bytes += (r->lines[i] ? strlen(r->lines[i]) : 0) + 1;
    SNC_TRY(snc_alloc(&out->data, bytes + 1, 1));
    for (size_t i = 0; i < r->n_lines; i++) {
        size_t n = r->lines[i] ? strlen(r->lines[i]) : 0;
        if (n) memcpy(out->data + out->bytes, r->lines[i], n);
        out->bytes += n + 1;
    }
    return SNC_OK;
}

snc_err snc_unigram__read(snc_tok_assets *out, const snc_tok_folder *files)
{
    static const unsigned char no_map[8] = {4};
    folder f = {.family = AS_FILE};
    snc_err err = SNC_OK;
    for (int i = 0; i < N_ROLES; i++) f.roles[i] = (snc_tok_role){.key = role_names[i], .name = role_names[i]};
    SNC_GOTO(snc_intake__init(&f.in, files, f.roles, N_ROLES));
    SNC_GOTO(read_folder(&f));
    SNC_GOTO(put_vocab(&out->blob[SNC_UNIGRAM_VOCAB], &f.in));
    SNC_GOTO(snc_unigram__pack(&out->blob[SNC_UNIGRAM_SCORES], f.scores, f.in.n_pieces));
    out->blob[SNC_UNIGRAM_CHARSMAP].bytes = f.map.n ? f.map.n : sizeof no_map;
    SNC_GOTO(snc_strndup(&out->blob[SNC_UNIGRAM_CHARSMAP].data, f.map.n ? (const char *)f.map.p : (const char *)no_map,
                         out->blob[SNC_UNIGRAM_CHARSMAP].bytes));
    SNC_GOTO(snc_special__print(&out->blob[SNC_UNIGRAM_CONFIG], f.in.out));
out:
    snc_spm__dispose(&f.spm);
    snc_fmap_close(f.file);
    snc_free(f.map.p);
    snc_free(f.scores);
    snc_intake__dispose(&f.in);
    cJSON_Delete(f.tokens);
    return err;
}
