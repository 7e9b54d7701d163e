/* Class, pieces and model of a SentencePiece folder, and its blobs. */
#include "tokenizer/spm_folder_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/parts_priv.h"
#include "tokenizer/spbpe_priv.h"
#include "tokenizer/special_priv.h"
#include "tokenizer/unigram_priv.h"

typedef snc_spm_folder folder;

static const char *const role_names[SNC_SPM_ROLES] = {"unk_token", "bos_token", "eos_token", "sep_token",
                                                      "cls_token", "pad_token", "mask_token"};

/* Classes of Transformers 5.24 that make a tokenizer of pieces alone, by their names or by their model's. */
static const struct {
    const char *class, *model;
    snc_spm_family family;
    bool bpe;
    const char *role[SNC_SPM_ROLES];
} classes[] = {
    {"XLMRobertaTokenizer", "xlm-roberta", SNC_SPM_XLM_ROBERTA, false, {"<unk>", "<s>", "</s>", "</s>", "<s>", "<pad>", "<mask>"}},
    {"CamembertTokenizer", "camembert", SNC_SPM_CAMEMBERT, false, {"<unk>", "<s>", "</s>", "</s>", "<s>", "<pad>", "<mask>"}},
    {"AlbertTokenizer", "albert", SNC_SPM_ALBERT, false, {"<unk>", "[CLS]", "[SEP]", "[SEP]", "[CLS]", "<pad>", "[MASK]"}},
    {"T5Tokenizer", "t5", SNC_SPM_T5, false, {"<unk>", NULL, "</s>", NULL, NULL, "<pad>", NULL}},
    {"DebertaV2Tokenizer", "deberta-v2", SNC_SPM_DEBERTA, false, {"[UNK]", "[CLS]", "[SEP]", "[SEP]", "[CLS]", "[PAD]", "[MASK]"}},
    {"LlamaTokenizer", "llama", SNC_SPM_LLAMA, true, {"<unk>", "<s>", "</s>", NULL, NULL, NULL, NULL}},
    {"GemmaTokenizer", "gemma", SNC_SPM_GEMMA, true, {"<unk>", "<bos>", "<eos>", NULL, NULL, "<pad>", "<mask>"}},
};
enum { N_CLASSES = sizeof classes / sizeof classes[0], MAX_SPLIT = 512 };

/* ---- whose word holds ------------------------------------------------------------------------------------------- */

/* Classes that go by what the files say. */
static bool is_generic(const char *class)
{
    return snc_tok__is_class(class, "PreTrainedTokenizer") || strcmp(class, "TokenizersBackend") == 0;
}

static void take_class(folder *f, int i)
{
    bool as_file = f->in.files->tokenizer && snc_tok__before_5(f->in.files); /* up to 4.x a tokenizer.json is taken as it stands */
    if (!as_file) f->family = classes[i].family;
    f->begins = f->bpe && (as_file || !f->in.files->tokenizer);
    for (int k = 0; k < SNC_SPM_ROLES && (!as_file || f->begins); k++) f->roles[k].def = classes[i].role[k];
}

/* The tokenizer's class, or else the model's. ModernBERT's files have classes that are not theirs, which 5 and later know. */
static snc_err find_class(folder *f)
{
    const snc_tok_folder *files = f->in.files;
    const char *of_model, *class, *model;
    char where[1024];
    SNC_TRY(snc_path_join(where, sizeof where, files->dir, "config.json"));
    SNC_TRY(snc_json_str(&of_model, files->model, "tokenizer_class", "", where));
    SNC_TRY(snc_json_str(&model, files->model, "model_type", "", where));
    SNC_TRY(snc_path_join(where, sizeof where, files->dir, "tokenizer_config.json"));
    SNC_TRY(snc_json_str(&class, files->config, "tokenizer_class", of_model, where));
    bool modern = strcmp(model, "modernbert") == 0 && !(files->tokenizer && snc_tok__before_5(files));
    for (int i = 0; i < N_CLASSES && !modern; i++)
        if (classes[i].bpe == f->bpe && (*class ? snc_tok__is_class(class, classes[i].class) : strcmp(model, classes[i].model) == 0))
            take_class(f, i);
    if (f->family != SNC_SPM_AS_FILE || files->tokenizer) return SNC_OK;
    SNC_CHECK(modern || is_generic(class), SNC_E_UNSUPPORTED,
              "%s: tokenizer_class '%.64s': a .model of %s without tokenizer.json is read for %s", where, *class ? class : model,
              f->bpe ? "BPE pieces" : "unigram pieces",
              f->bpe ? "LlamaTokenizer, GemmaTokenizer, PreTrainedTokenizerFast and TokenizersBackend"
                     : "XLMRobertaTokenizer, CamembertTokenizer, AlbertTokenizer, T5Tokenizer, DebertaV2Tokenizer, PreTrainedTokenizerFast "
                       "and TokenizersBackend");
    f->family = SNC_SPM_OF_MODEL;
    f->begins = true;
    f->roles[SNC_SPM_UNK].def = f->spm.unk >= 0 ? f->spm.unk_piece : NULL;
    f->roles[SNC_SPM_BOS].def = f->spm.bos >= 0 ? f->spm.bos_piece : NULL;
    f->roles[SNC_SPM_EOS].def = f->spm.eos >= 0 ? f->spm.eos_piece : NULL;
    return SNC_OK;
}

const char *snc_spm__role(const folder *f, int i)
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
    if (f->bpe) return snc_bpe__model(&f->model, &f->in);
    SNC_CHECK(cJSON_IsArray(vocab), SNC_E_FORMAT, "%s: 'model.vocab' must be a list of pieces and scores", f->in.where);
    cJSON_ArrayForEach(it, vocab)
    {
        const cJSON *text = cJSON_GetArrayItem(it, 0), *score = cJSON_GetArrayItem(it, 1);
        SNC_CHECK(cJSON_GetArraySize(it) == 2 && cJSON_IsString(text) && cJSON_IsNumber(score), SNC_E_FORMAT,
                  "%s: 'model.vocab' at %zu: expected a piece and its score", f->in.where, f->in.n_lines);
        SNC_TRY(add_piece(f, text->valuestring, score->valuedouble));
    }
    SNC_TRY(snc_json_int(&f->unk, model, "unk_id", -1, 0, SNC_INTAKE_MAX_ID, f->in.where));
    SNC_TRY(snc_json_bool(&f->model.byte_fallback, model, "byte_fallback", false, f->in.where));
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
    if (f->family == SNC_SPM_XLM_ROBERTA) {
        static const int first[] = {SNC_SPM_BOS, SNC_SPM_PAD, SNC_SPM_EOS, SNC_SPM_UNK};
        for (int i = 0; i < 4; i++) SNC_TRY(add_piece(f, snc_spm__role(f, first[i]), 0));
        SNC_TRY(add_rest(f, 3));
    } else {
        SNC_TRY(add_piece(f, "<s>NOTUSED", 0));
        SNC_TRY(add_piece(f, snc_spm__role(f, SNC_SPM_PAD), 0));
        SNC_TRY(add_piece(f, "</s>NOTUSED", 0));
        SNC_TRY(add_piece(f, snc_spm__role(f, SNC_SPM_UNK), 0));
        SNC_TRY(add_piece(f, "<unk>NOTUSED", -100));
        SNC_TRY(add_rest(f, 1));
    }
    return add_piece(f, snc_spm__role(f, SNC_SPM_MASK), 0);
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
        if (!snc_is_file(f->in.where)) continue;
        SNC_TRY(snc_fmap_open(&f->file, f->in.where));
        SNC_TRY(snc_spm__parse(&f->spm, f->file->data, f->file->size, f->in.where));
        f->bpe = f->spm.model == SNC_SPM_BPE;
        SNC_CHECK(f->bpe || f->spm.model == SNC_SPM_UNIGRAM, SNC_E_UNSUPPORTED,
                  "%s: a SentencePiece model of type %d: only unigram (1) and BPE (2) are read", f->in.where, f->spm.model);
        return SNC_OK;
    }
    return snc_err_set(SNC_E_NOTFOUND, "%s: no tokenizer.json and no SentencePiece model", f->in.files->dir);
}

static snc_err pieces_of_model(folder *f)
{
    if (f->family == SNC_SPM_XLM_ROBERTA || f->family == SNC_SPM_CAMEMBERT) SNC_TRY(add_fairseq(f));
    else SNC_TRY(add_rest(f, 0));
    if (f->family == SNC_SPM_T5) SNC_TRY(add_extra_ids(f));
    if (f->spm.map && f->family != SNC_SPM_LLAMA && f->family != SNC_SPM_GEMMA)
        SNC_TRY(snc_bytes__add(&f->map, f->spm.map, f->spm.map_bytes));
    return SNC_OK;
}

/* The library gives pieces the names of added tokens of their ids there: that is not done. */
static snc_err check_names(const folder *f)
{
    const cJSON *decoder = cJSON_GetObjectItemCaseSensitive(f->in.files->config, "added_tokens_decoder"), *it;
    const cJSON *list = decoder ? decoder : f->in.files->added;
    if (f->family != SNC_SPM_OF_MODEL) return SNC_OK;
    cJSON_ArrayForEach(it, list)
    {
        const char *text = decoder ? snc_intake__content(it) : it->string;
        double id = decoder && it->string ? strtod(it->string, NULL) : it->valuedouble;
        bool is_id = text && (decoder || cJSON_IsNumber(it)) && id >= 0 && id < (double)f->in.n_pieces;
        bool other = is_id && strcmp(f->in.lines[(size_t)id], text) != 0;
        SNC_CHECK(!other, SNC_E_UNSUPPORTED, "%s: the added token '%.64s' has the id of the piece '%.64s': pieces are not renamed",
                  f->in.where, text, f->in.lines[(size_t)id]);
    }
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
    static const int fixed[] = {[SNC_SPM_XLM_ROBERTA] = 3, [SNC_SPM_ALBERT] = 1, [SNC_SPM_T5] = 2};
    int at = -1;
    if (f->family == SNC_SPM_AS_FILE) return SNC_OK;
    if (f->family == SNC_SPM_CAMEMBERT) {
        at = place_of(f, snc_spm__role(f, SNC_SPM_UNK), false);
        if (at < 0) at = 0;
    } else if (f->family == SNC_SPM_DEBERTA) {
        at = place_of(f, snc_spm__role(f, SNC_SPM_UNK), true);
        if (at < 0) at = f->in.files->tokenizer ? 1 : f->spm.unk;
    } else if (f->family == SNC_SPM_OF_MODEL) {
        at = f->spm.unk;
    } else {
        at = fixed[f->family];
    }
    SNC_CHECK(at >= 0 && at < (int)f->in.n_pieces, SNC_E_FORMAT, "%s: no piece at %d, where the unknown of the class stands", f->in.where,
              at);
    f->unk = at;
    f->model.byte_fallback = f->family == SNC_SPM_OF_MODEL && f->spm.byte_fallback;
    return SNC_OK;
}

/* ---- BPE -------------------------------------------------------------------------------------------------------- */

/* The model of a class, whatever the file says. */
static void class_model(folder *f)
{
    if (f->family == SNC_SPM_LLAMA) {
        f->model = (snc_bpe_model){.merges = f->model.merges, .fuse_unk = true, .byte_fallback = true};
    } else if (f->family == SNC_SPM_GEMMA) {
        f->model =
            (snc_bpe_model){.merges = f->model.merges, .unk = snc_spm__role(f, SNC_SPM_UNK), .fuse_unk = true, .byte_fallback = true};
    } else if (f->family == SNC_SPM_OF_MODEL) {
        f->model = (snc_bpe_model){.unk = f->spm.unk_piece, .fuse_unk = true, .byte_fallback = f->spm.byte_fallback};
        for (size_t i = 0; i < f->spm.pieces; i++)
            if (f->spm.piece[i].type == SNC_SPM_USER) f->model.ignore_merges = true;
    }
}

/* Whether every byte has its piece: then nothing is ever unknown. */
static bool has_all_bytes(const folder *f)
{
    char name[SNC_BYTE_NAME];
    for (unsigned i = 0; i < 256; i++) {
        snc_parts__byte_name(name, i);
        if (!snc_intake__is_piece(&f->in, name)) return false;
    }
    return true;
}

/* The best score, or the lowest number, merges first. */
typedef struct ranked {
    double score;
    size_t id;
} ranked;

static int by_rank(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Of a piece's texts the last number is the piece; with scores normal pieces alone are merged. */
static bool is_part(const folder *f, const char *text)
{
    int32_t id = snc_intake__id(&f->in, text);
    return id >= 0 && (f->family != SNC_SPM_OF_MODEL || f->spm.piece[id].type == SNC_SPM_NORMAL);
}

/* A piece's ways to be parted, the shortest left part first. */
static snc_err add_ways(snc_bpe_merging *g, const folder *f, const char *text)
{
    char left[MAX_SPLIT + 1];
    size_t n = strlen(text);
    SNC_CHECK(n <= MAX_SPLIT, SNC_E_UNSUPPORTED, "%s: the piece '%.64s...' of BPE has %zu bytes: at most %d are taken", f->in.where, text,
              n, MAX_SPLIT);
    for (size_t i = 0; i < n; i++) {
        left[i] = text[i];
        left[i + 1] = 0;
        if (i + 1 == n || ((unsigned char)text[i + 1] & 0xc0) == 0x80) continue;
        if (is_part(f, left) && is_part(f, text + i + 1)) SNC_TRY(snc_bpe__merge(g, text, i + 1, text + i + 1, n - i - 1));
    }
    return SNC_OK;
}

static snc_err merges_of_model(snc_bpe_merging *g, const folder *f)
{
    ranked *all = NULL;
    size_t n = 0;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&all, f->spm.pieces, sizeof *all));
    for (size_t i = 0; i < f->spm.pieces; i++) {
        bool last = snc_intake__id(&f->in, f->in.lines[i]) == (int32_t)i;
        if (last && is_part(f, f->in.lines[i])) all[n++] = (ranked){f->family == SNC_SPM_OF_MODEL ? f->scores[i] : 0, i};
    }
    if (n > 1) qsort(all, n, sizeof *all, by_rank);
    for (size_t i = 0; i < n; i++) SNC_GOTO(add_ways(g, f, f->in.lines[all[i].id]));
out:
    snc_free(all);
    return err;
}

static snc_err put_merges(snc_tok_blob *out, const folder *f)
{
    snc_bpe_merging g;
    snc_err err = snc_bpe__merging(&g, out, &f->in);
    if (!err) err = f->in.files->tokenizer ? snc_bpe__merges_of_json(&g, f->model.merges) : merges_of_model(&g, f);
    snc_bpe__merging_dispose(&g);
    return err;
}

/* ---- putting it together ---------------------------------------------------------------------------------------- */

static bool put_unigram(const folder *f)
{
    double lowest = f->scores[0];
    for (size_t i = 1; i < f->in.n_pieces; i++) lowest = f->scores[i] < lowest ? f->scores[i] : lowest;
    cJSON *out = f->in.out;
    return cJSON_AddNumberToObject(out, "pieces", (double)f->in.n_pieces) && cJSON_AddNumberToObject(out, "unk", f->unk) &&
           cJSON_AddNumberToObject(out, "unk_score", lowest - SNC_UNIGRAM_PENALTY) &&
           cJSON_AddBoolToObject(out, "byte_fallback", f->model.byte_fallback);
}

static bool put_bpe(const folder *f)
{
    cJSON *out = f->in.out;
    return (!f->model.unk || cJSON_AddStringToObject(out, "unk", f->model.unk)) &&
           cJSON_AddBoolToObject(out, "fuse_unk", f->model.fuse_unk) &&
           cJSON_AddBoolToObject(out, "byte_fallback", f->model.byte_fallback) &&
           cJSON_AddBoolToObject(out, "ignore_merges", f->model.ignore_merges);
}

static snc_err put_model(folder *f)
{
    if (f->bpe) class_model(f);
    else SNC_TRY(class_unknown(f));
    if (f->bpe && f->model.byte_fallback && has_all_bytes(f)) f->model.unk = NULL;
    SNC_CHECK(!f->bpe || !f->model.unk || snc_intake__is_piece(&f->in, f->model.unk), SNC_E_FORMAT,
              "%s: the unknown token '%.64s' is not in the vocabulary", f->in.where, f->model.unk);
    return (f->bpe ? put_bpe(f) : put_unigram(f)) ? SNC_OK : snc_intake__no_memory();
}

static snc_err read_folder(snc_tok_assets *out, folder *f)
{
    const snc_tok_folder *files = f->in.files;
    if (!files->tokenizer) SNC_TRY(open_model(f));
    SNC_TRY(find_class(f));
    SNC_TRY(files->tokenizer ? pieces_of_json(f) : pieces_of_model(f));
    SNC_TRY(snc_intake__end(&f->in));
    SNC_TRY(check_names(f));
    SNC_TRY(put_model(f));
    if (f->bpe) SNC_TRY(put_merges(&out->blob[SNC_SPBPE_MERGES], f));
    SNC_TRY(snc_spm__steps(f));
    return snc_spm__special(f);
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

/* Both kinds have their blobs in the same places, but for what stands in the second. */
enum { VOCAB = SNC_UNIGRAM_VOCAB, MAP = SNC_UNIGRAM_CHARSMAP, CONFIG = SNC_UNIGRAM_CONFIG };
_Static_assert((int)VOCAB == SNC_SPBPE_VOCAB && (int)MAP == SNC_SPBPE_CHARSMAP && (int)CONFIG == SNC_SPBPE_CONFIG, "one order of blobs");

snc_err snc_spm__read(snc_tok_assets *out, const snc_tok_folder *files)
{
    static const unsigned char no_map[8] = {4};
    folder f = {.family = SNC_SPM_AS_FILE, .bpe = out->kind == &snc_tok_spbpe};
    snc_err err = SNC_OK;
    for (int i = 0; i < SNC_SPM_ROLES; i++) f.roles[i] = (snc_tok_role){.key = role_names[i], .name = role_names[i]};
    SNC_GOTO(snc_intake__init(&f.in, files, f.roles, SNC_SPM_ROLES));
    SNC_GOTO(read_folder(out, &f));
    out->kind = f.bpe ? &snc_tok_spbpe : &snc_tok_unigram;
    SNC_GOTO(put_vocab(&out->blob[VOCAB], &f.in));
    if (!f.bpe) SNC_GOTO(snc_unigram__pack(&out->blob[SNC_UNIGRAM_SCORES], f.scores, f.in.n_pieces));
    out->blob[MAP].bytes = f.map.n ? f.map.n : sizeof no_map;
    SNC_GOTO(snc_strndup(&out->blob[MAP].data, f.map.n ? (const char *)f.map.p : (const char *)no_map, out->blob[MAP].bytes));
    SNC_GOTO(snc_special__print(&out->blob[CONFIG], f.in.out));
out:
    snc_spm__dispose(&f.spm);
    snc_fmap_close(f.file);
    snc_free(f.map.p);
    snc_free(f.scores);
    snc_intake__dispose(&f.in);
    cJSON_Delete(f.tokens);
    return err;
}
